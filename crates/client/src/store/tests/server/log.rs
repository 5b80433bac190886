//! A room as the server has it, and what the reader has read and follows there.

use super::*;

/// A room.
#[derive(Default)]
pub(super) struct Log {
    pub(super) last: u64,
    pub(super) messages: BTreeMap<u64, Message>,
    /// How it was when the reader was removed from it.
    pub(super) kept: Option<BTreeMap<u64, Message>>,
    /// How far the reader has read it.
    pub(super) marker: u64,
    /// The threads that the reader follows, and how far they are read.
    pub(super) follows: BTreeMap<u64, u64>,
    /// Those that were looked at.
    pub(super) opened: BTreeSet<u64>,
    /// The last change of what is under a message.
    pub(super) threads: BTreeMap<u64, u64>,
    /// The draft, if there was one since the socket opened.
    pub(super) draft: Option<String>,
}

impl Log {
    pub(super) fn unread(&self, thread: Option<u64>) -> Unread {
        let marker = match thread {
            None => self.marker,
            Some(first) => self.follows.get(&first).copied().unwrap_or(0),
        };
        let is_there = |message: &&Message| match thread {
            None => !message.is_in_thread_only(),
            Some(_) => message.thread == thread,
        };
        let mut unread = Unread::default();
        for message in self.messages.values().filter(is_there) {
            let is_text = message.kind == Kind::Text && message.deleted_at.is_none();
            if is_text && message.id > marker && message.user_id != 1 {
                unread.messages += 1;
                unread.mentions += u64::from(message.is_for(1));
            }
        }
        unread
    }

    pub(super) fn state(&self, key: &str) -> RoomState {
        let unread = self.unread(None);
        RoomState {
            room: key.to_owned(),
            seq: self.last,
            read_seq: self.marker,
            unread: unread.messages,
            mentions: unread.mentions,
            ..RoomState::default()
        }
    }

    /// Sets a marker as the server does. Returns where it is.
    pub(super) fn mark(&mut self, mark: MarkRead) -> Option<u64> {
        let marker = match mark.thread {
            None => &mut self.marker,
            Some(first) => self.follows.get_mut(&first)?,
        };
        *marker = if mark.unread {
            mark.seq.saturating_sub(1)
        } else {
            mark.seq.max(*marker)
        };
        Some(*marker)
    }

    /// The messages that people can reply to or read up to.
    pub(super) fn nth_back(&self, back: usize, is_first: bool) -> Option<u64> {
        let messages = self.messages.values().rev();
        let own_pages = messages.filter(|message| !message.is_in_thread_only());
        let mut wanted = own_pages
            .filter(|message| !is_first || message.thread.is_none() && message.kind == Kind::Text);
        wanted.nth(back).map(|message| message.id)
    }
}
