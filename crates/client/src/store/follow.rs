//! Following one room: whatever comes — live messages, replays, pages — leaves here once, in order, without a hole.
//! It says what to ask the server for. How that is put into frames and fetches is the store's business, and so is which
//! room this is.

use std::collections::BTreeMap;

use super::Past;
use crate::protocol::{code::Code, event::Upto, message::Message};

/// Messages kept while those before them are fetched. Beyond it, what comes is dropped, and fetched again later.
const MAX_AHEAD: usize = 2_000;

/// What is asked of the server and not yet answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Nothing,
    Latest,
    Sync,
    Pages,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// What has this number or a higher one will be shown. Nothing is fetched.
    Begin(u64),
    /// Fetch the latest page, then call [`Follower::latest`].
    FetchLatest,
    /// The latest page holds fewer messages than wanted: fetch the page before this one, then call [`Follower::latest`].
    FetchBefore(u64),
    /// Fetch the page of changes after this number, then call [`Follower::page`].
    FetchSince(u64),
    /// Ask for a `sync` from [`Follower::cursor`] on.
    Sync,
    /// Call [`Follower::again`] after a while.
    Pause,
    /// These messages are next, in this order.
    Show(Vec<Message>),
    /// History was replaced: forget what was shown.
    Forget,
}

/// Where a reader is in one room.
#[derive(Debug, Clone)]
pub struct Follower {
    past: Past,
    /// Everything up to here has been shown; `None` before the first page.
    cursor: Option<u64>,
    /// The room's last change when the socket opened.
    floor: u64,
    /// The latest change that the server has announced without sending it.
    known: u64,
    ahead: BTreeMap<u64, Message>,
    /// The latest messages so far, while those before them are fetched.
    latest: Vec<Message>,
    /// What the latest pages know beyond the floor: message and change. It has been shown.
    told: BTreeMap<u64, u64>,
    asked: Asked,
}

impl Follower {
    /// A reader that has seen nothing yet.
    #[must_use]
    pub fn new(past: Past) -> Self {
        Self {
            past,
            cursor: None,
            floor: 0,
            known: 0,
            ahead: BTreeMap::new(),
            latest: Vec::new(),
            told: BTreeMap::new(),
            asked: Asked::Nothing,
        }
    }

    /// What is wanted of the past when the next history begins.
    pub fn want(&mut self, past: Past) {
        self.past = past;
    }

    /// The reader is not in the room any more: asks for nothing, and waits for nothing.
    pub fn stop(&mut self) {
        self.ahead.clear();
        self.latest.clear();
        self.known = 0;
        self.asked = Asked::Nothing;
    }

    /// Everything up to here has been shown; 0 before the first page.
    #[must_use]
    pub fn cursor(&self) -> u64 {
        self.cursor.unwrap_or(0)
    }

    /// A socket has opened, and `floor` is the room's last change: catch up. `is_same_history`: the numbers mean the same
    /// as on the socket before.
    pub fn connected(&mut self, floor: u64, is_same_history: bool) -> Vec<Step> {
        self.ahead.clear();
        self.known = 0;
        self.floor = floor;
        // A cursor beyond the room's end is from another history too, whatever its name says.
        let is_same = is_same_history && self.cursor.is_none_or(|cursor| cursor <= floor);
        if is_same && self.cursor.is_some() {
            return self.ask_sync();
        }
        self.start_over(!is_same)
    }

    fn start_over(&mut self, forget: bool) -> Vec<Step> {
        self.ahead.clear();
        self.latest.clear();
        self.told.clear();
        let mut steps = Vec::new();
        if forget {
            steps.push(Step::Forget);
        }
        if matches!(self.past, Past::Later | Past::Latest(0)) {
            self.cursor = Some(self.floor);
            self.asked = Asked::Nothing;
            steps.push(Step::Begin(self.floor + 1));
        } else {
            self.cursor = None;
            self.asked = Asked::Latest;
            steps.push(Step::FetchLatest);
        }
        steps
    }

    /// A message came on the socket.
    pub fn message(&mut self, message: Message) -> Vec<Step> {
        let Some(cursor) = self.cursor else {
            self.keep(message);
            return Vec::new();
        };
        if message.seq <= cursor {
            return Vec::new();
        }
        self.keep(message);
        let mut steps = self.show_contiguous();
        if !self.ahead.is_empty() && self.asked == Asked::Nothing {
            steps.extend(self.ask_sync());
        }
        steps
    }

    /// The answer to `sync` is complete, or has to be read page by page.
    pub fn synced(&mut self, room: Upto) -> Vec<Step> {
        let Some(cursor) = self.cursor else {
            return Vec::new();
        };
        if !room.complete {
            self.asked = Asked::Pages;
            return vec![Step::FetchSince(cursor)];
        }
        self.asked = Asked::Nothing;
        self.reach(room.seq)
    }

    /// The server could not send everything up to `seq`.
    pub fn lag(&mut self, seq: u64) -> Vec<Step> {
        self.known = self.known.max(seq);
        if self.asked == Asked::Nothing {
            return self.reach(0);
        }
        // What is asked for already may bring it; if not, it is asked for then.
        Vec::new()
    }

    /// The `sync` that was asked for is refused, with this code.
    pub fn refused(&mut self, code: Code) -> Vec<Step> {
        if matches!(code, Code::EpochChanged | Code::CursorAhead) {
            self.start_over(true)
        } else {
            vec![Step::Pause]
        }
    }

    /// The latest page, or one before it, oldest first; `more`: there are others before it.
    pub fn latest(&mut self, page: Vec<Message>, more: bool) -> Vec<Step> {
        if self.asked != Asked::Latest {
            return Vec::new();
        }
        let later = std::mem::replace(&mut self.latest, page);
        self.latest.extend(later);
        if let Past::Latest(wanted) = self.past {
            // What was written since the socket opened is not of the past: it is wanted in any case, however late the page comes.
            let past = (self.latest.iter()).filter(|message| message.id <= self.floor);
            let past = past.count();
            match self.latest.first() {
                Some(first) if more && past < wanted => {
                    return vec![Step::FetchBefore(first.id)];
                }
                _ => {}
            }
            self.latest.drain(..past.saturating_sub(wanted));
        }
        let page = std::mem::take(&mut self.latest);
        self.asked = Asked::Nothing;
        // What came after the floor is sent as well. A page knows a part of it, perhaps in a later form.
        let since = page.iter().filter(|message| message.seq > self.floor);
        self.told = since.map(|message| (message.id, message.seq)).collect();
        let mut steps = vec![Step::Show(page)];
        self.cursor = Some(self.floor);
        steps.extend(self.reach(self.floor));
        steps
    }

    /// A page of changes, in the order of their numbers; `more`: there are others after it.
    pub fn page(&mut self, mut page: Vec<Message>, more: bool) -> Vec<Step> {
        let (Asked::Pages, Some(cursor)) = (self.asked, self.cursor) else {
            return Vec::new();
        };
        page.retain(|message| message.seq > cursor);
        page.sort_by_key(|message| message.seq);
        let reached = page.last().map_or(cursor, |message| message.seq);
        self.cursor = Some(reached);
        let mut steps = Vec::from_iter(self.show(page));
        if !more || reached == cursor {
            self.asked = Asked::Nothing;
            steps.extend(self.reach(reached));
        } else {
            steps.push(Step::FetchSince(reached));
        }
        steps
    }

    /// A request has failed: what to ask again, once some time has passed.
    pub fn again(&mut self) -> Vec<Step> {
        match (self.asked, self.cursor) {
            (Asked::Latest, _) => match self.latest.first() {
                Some(first) => vec![Step::FetchBefore(first.id)],
                None => vec![Step::FetchLatest],
            },
            (Asked::Pages, Some(cursor)) => vec![Step::FetchSince(cursor)],
            (Asked::Sync, Some(_)) => self.ask_sync(),
            _ => Vec::new(),
        }
    }

    fn ask_sync(&mut self) -> Vec<Step> {
        self.asked = Asked::Sync;
        vec![Step::Sync]
    }

    fn keep(&mut self, message: Message) {
        if self.ahead.len() < MAX_AHEAD {
            self.ahead.insert(message.seq, message);
        }
    }

    /// Everything up to `seq` has come: shows what was kept of it and what follows without a hole.
    fn reach(&mut self, seq: u64) -> Vec<Step> {
        let cursor = self.cursor();
        let later = self.ahead.split_off(&(seq + 1));
        let reached = std::mem::replace(&mut self.ahead, later);
        let ready: Vec<Message> = reached.into_values().filter(|m| m.seq > cursor).collect();
        self.cursor = Some(cursor.max(seq));
        let mut steps = Vec::from_iter(self.show(ready));
        steps.extend(self.show_contiguous());
        let is_behind = self.cursor.is_some_and(|cursor| cursor < self.known);
        if !self.ahead.is_empty() || is_behind {
            steps.extend(self.ask_sync());
        }
        steps
    }

    fn show_contiguous(&mut self) -> Vec<Step> {
        let mut ready = Vec::new();
        let mut cursor = self.cursor();
        while let Some(message) = self.ahead.remove(&(cursor + 1)) {
            cursor += 1;
            ready.push(message);
        }
        self.cursor = Some(cursor);
        Vec::from_iter(self.show(ready))
    }

    /// Shows messages, but not as they were before they were shown.
    fn show(&self, mut messages: Vec<Message>) -> Option<Step> {
        let is_told = |m: &Message| self.told.get(&m.id).is_some_and(|seq| *seq >= m.seq);
        messages.retain(|message| !is_told(message));
        (!messages.is_empty()).then_some(Step::Show(messages))
    }
}

#[cfg(test)]
mod tests;
