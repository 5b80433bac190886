//! The server's end of a socket, put together from its feeds as `ws/session` does it.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;

use super::{Action, Cursors, Feed, Gauge, Mailbox, Page, SocketId, client::Sent};

/// The server's end of a socket.
pub(super) struct Session {
    pub(super) id: SocketId,
    pub(super) mailbox: Mailbox,
    pub(super) gauge: Arc<Gauge>,
    pub(super) feeds: BTreeMap<i64, Feed<Bytes>>,
    /// Room → the reading that is under way.
    pub(super) reading: BTreeMap<i64, Reading>,
    /// Room → how far it has come, as far as this session was told.
    pub(super) told: Cursors,
    /// What the client has asked and the server not heard yet.
    pub(super) asked: Option<Cursors>,
    pub(super) sync: Option<SyncUnderWay>,
}

/// A reading, from its asking to its arrival.
pub(super) enum Reading {
    After(u64),
    Done(Page<Bytes>),
    Failed,
}

#[derive(Default)]
pub(super) struct SyncUnderWay {
    pub(super) waiting: usize,
    pub(super) rooms: BTreeMap<i64, (u64, bool)>,
    pub(super) has_failed: bool,
}

impl Session {
    pub(super) fn start_sync(&mut self) -> Vec<Sent> {
        let mut sent = Vec::new();
        if let Some(cursors) = self.asked.take() {
            self.sync = Some(SyncUnderWay {
                waiting: cursors.len(),
                ..SyncUnderWay::default()
            });
            for (room, since) in cursors {
                self.feed(room, &mut sent, |feed, actions| {
                    assert!(feed.sync(since, actions), "one after the other");
                });
            }
        }
        sent
    }

    pub(super) fn feed(
        &mut self,
        room: i64,
        sent: &mut Vec<Sent>,
        event: impl FnOnce(&mut Feed<Bytes>, &mut Vec<Action<Bytes>>),
    ) {
        let mut actions = Vec::new();
        event(self.feeds.get_mut(&room).expect("a room"), &mut actions);
        for action in actions {
            let outcome = match action {
                Action::Send(frame) => {
                    sent.push(Sent::Message(frame));
                    continue;
                }
                Action::Read(since) | Action::ReadLater(since) => {
                    let before = self.reading.insert(room, Reading::After(since));
                    assert!(before.is_none(), "two readings at once");
                    continue;
                }
                Action::Lag(seq) => {
                    sent.push(Sent::Lag(room, seq));
                    continue;
                }
                Action::Synced { seq, complete } => Some((seq, complete)),
                Action::CursorAhead | Action::SyncFailed => None,
            };
            let sync = self.sync.as_mut().expect("a sync is under way");
            sync.waiting -= 1;
            match outcome {
                Some(outcome) => _ = sync.rooms.insert(room, outcome),
                None => sync.has_failed = true,
            }
            if let Some(done) = self.sync.take_if(|sync| sync.waiting == 0) {
                sent.push(if done.has_failed {
                    Sent::Error
                } else {
                    Sent::Synced(done.rooms)
                });
            }
        }
    }
}
