//! The server's end of a socket, without its actor: it carries out what the feeds ask for.

use super::*;

/// What a client is sent.
#[derive(Debug)]
pub enum Sent {
    Message(Bytes),
    Lag(i64, u64),
    /// Room → up to where, and whether that is all.
    Synced(BTreeMap<i64, (u64, bool)>),
    Error,
}

/// The server's end of a socket.
pub struct Session {
    pub id: SocketId,
    pub mailbox: Mailbox,
    pub gauge: Arc<Gauge>,
    pub feeds: BTreeMap<i64, Feed<Bytes>>,
    /// Room → the reading that is under way.
    pub reading: BTreeMap<i64, Reading>,
    /// Room → how far it has come, as far as this session was told.
    pub told: Cursors,
    /// What the client has asked and the server not heard yet.
    pub asked: Option<Cursors>,
    pub sync: Option<SyncUnderWay>,
}

/// A reading, from its asking to its arrival.
pub enum Reading {
    After(u64),
    Done(Page<Bytes>),
    Failed,
}

#[derive(Default)]
pub struct SyncUnderWay {
    pub waiting: usize,
    pub rooms: BTreeMap<i64, (u64, bool)>,
    pub has_failed: bool,
}

impl Session {
    pub fn start_sync(&mut self) -> Vec<Sent> {
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

    pub fn feed(
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
