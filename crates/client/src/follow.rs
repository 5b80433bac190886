//! Following a room: whatever comes — live frames, replays, pages — leaves here once, in order, without a hole.
//! Pure: it says what to ask the server for, and never asks itself.

use std::collections::BTreeMap;

use crate::protocol::{
    code::Code,
    command::{Command, Request, Sync},
    event::{self, Connected, ErrorFrame, SyncedRoom},
    views::Message,
};

/// The `ref` of our `sync` frames.
const SYNC: &str = "sync";
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
    /// Fetch the latest page, then call [`Follower::latest`].
    FetchLatest,
    /// Send this frame, a `sync`.
    Say(Request),
    /// Ask [`Follower::again`] after a while.
    Pause,
    /// Fetch the page of changes after this number, then call [`Follower::page`].
    FetchSince(u64),
    /// These messages are next, in this order.
    Show(Vec<Message>),
    /// History was replaced: forget what was shown.
    Forget,
}

/// Where a reader is in one room.
#[derive(Debug, Clone)]
pub struct Follower {
    room: String,
    epoch: Option<String>,
    /// Everything up to here has been shown; `None` before the first page.
    cursor: Option<u64>,
    /// The room's last change when the socket opened.
    floor: u64,
    /// The latest change that the server has told of without sending it.
    known: u64,
    ahead: BTreeMap<u64, Message>,
    asked: Asked,
    visit: u64,
}

impl Follower {
    /// A reader that has seen nothing yet.
    #[must_use]
    pub fn new(room: &str) -> Self {
        Self {
            room: room.to_owned(),
            epoch: None,
            cursor: None,
            floor: 0,
            known: 0,
            ahead: BTreeMap::new(),
            asked: Asked::Nothing,
            visit: 0,
        }
    }

    /// Which socket this is, counted. What was fetched for an earlier one must not be used for this one: it may end
    /// before this one begins.
    #[must_use]
    pub fn visit(&self) -> u64 {
        self.visit
    }

    /// A socket has opened: catch up.
    pub fn connected(&mut self, hello: &Connected) -> Vec<Step> {
        self.visit += 1;
        self.ahead.clear();
        self.known = 0;
        let room = hello.rooms.iter().find(|room| room.name == self.room);
        self.floor = room.map_or(0, |room| room.seq);
        let is_same = self.epoch.as_deref() == Some(hello.epoch.as_str());
        // A cursor beyond the room's end is from another history too, whatever its name says.
        let is_same = is_same && self.cursor.is_none_or(|cursor| cursor <= self.floor);
        if is_same && self.cursor.is_some() {
            return self.ask_sync();
        }
        let was_somewhere = self.epoch.replace(hello.epoch.clone()).is_some();
        self.start_afresh(was_somewhere && !is_same)
    }

    fn start_afresh(&mut self, forget: bool) -> Vec<Step> {
        self.ahead.clear();
        self.cursor = None;
        self.asked = Asked::Latest;
        let mut steps = vec![Step::FetchLatest];
        if forget {
            steps.insert(0, Step::Forget);
        }
        steps
    }

    /// A message came on the socket.
    pub fn message(&mut self, message: event::Message) -> Vec<Step> {
        if message.room != self.room {
            return Vec::new();
        }
        let Some(cursor) = self.cursor else {
            self.keep(into_view(message));
            return Vec::new();
        };
        if message.seq <= cursor {
            return Vec::new();
        }
        self.keep(into_view(message));
        let mut steps = self.show_contiguous();
        if !self.ahead.is_empty() && self.asked == Asked::Nothing {
            steps.extend(self.ask_sync());
        }
        steps
    }

    /// The answer to `sync` is complete, or has to be read page by page.
    pub fn synced(&mut self, room: SyncedRoom) -> Vec<Step> {
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
    pub fn lag(&mut self, room: &str, seq: u64) -> Vec<Step> {
        if room != self.room {
            return Vec::new();
        }
        self.known = self.known.max(seq);
        if self.asked == Asked::Nothing {
            return self.reach(0);
        }
        // What is asked for already may bring it; if not, it is asked for then.
        Vec::new()
    }

    /// An error frame: `None` when it is not about us.
    pub fn refused(&mut self, error: &ErrorFrame) -> Option<Vec<Step>> {
        if error.reference.as_deref() != Some(SYNC) {
            return None;
        }
        let is_from_another_history = matches!(error.code, Code::EpochChanged | Code::CursorAhead);
        Some(if is_from_another_history {
            self.start_afresh(true)
        } else {
            vec![Step::Pause]
        })
    }

    /// The latest page, oldest first.
    pub fn latest(&mut self, page: Vec<Message>) -> Vec<Step> {
        if self.asked != Asked::Latest {
            return Vec::new();
        }
        self.asked = Asked::Nothing;
        let last = page.iter().map(|message| message.seq).max().unwrap_or(0);
        let mut steps = vec![Step::Show(page)];
        self.cursor = Some(last);
        steps.extend(self.reach(self.floor.max(last)));
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
        let mut steps = vec![Step::Show(page)];
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
            (Asked::Latest, _) => vec![Step::FetchLatest],
            (Asked::Pages, Some(cursor)) => vec![Step::FetchSince(cursor)],
            (Asked::Sync, Some(_)) => self.ask_sync(),
            _ => Vec::new(),
        }
    }

    fn ask_sync(&mut self) -> Vec<Step> {
        self.asked = Asked::Sync;
        let sync = Sync {
            rooms: BTreeMap::from([(self.room.clone(), self.cursor.unwrap_or(0))]),
            epoch: self.epoch.clone(),
        };
        vec![Step::Say(Request::with_ref(SYNC, Command::Sync(sync)))]
    }

    fn keep(&mut self, message: Message) {
        if self.ahead.len() < MAX_AHEAD {
            self.ahead.insert(message.seq, message);
        }
    }

    /// Everything up to `seq` has come: shows what was kept of it and what follows without a hole.
    fn reach(&mut self, seq: u64) -> Vec<Step> {
        let cursor = self.cursor.unwrap_or(0);
        let later = self.ahead.split_off(&(seq + 1));
        let reached = std::mem::replace(&mut self.ahead, later);
        let ready: Vec<Message> = reached.into_values().filter(|m| m.seq > cursor).collect();
        self.cursor = Some(cursor.max(seq));
        let mut steps = Vec::new();
        if !ready.is_empty() {
            steps.push(Step::Show(ready));
        }
        steps.extend(self.show_contiguous());
        let is_behind = self.cursor.is_some_and(|cursor| cursor < self.known);
        if !self.ahead.is_empty() || is_behind {
            steps.extend(self.ask_sync());
        }
        steps
    }

    fn show_contiguous(&mut self) -> Vec<Step> {
        let mut ready = Vec::new();
        let mut cursor = self.cursor.unwrap_or(0);
        while let Some(message) = self.ahead.remove(&(cursor + 1)) {
            cursor += 1;
            ready.push(message);
        }
        self.cursor = Some(cursor);
        if ready.is_empty() {
            Vec::new()
        } else {
            vec![Step::Show(ready)]
        }
    }
}

/// A message of the socket in the shape that history has.
fn into_view(message: event::Message) -> Message {
    Message {
        id: message.id,
        seq: message.seq,
        room: message.room,
        user_id: message.user_id,
        username: message.username,
        content: message.content,
        created_at: message.timestamp,
        client_id: message.client_id,
        unreadable: message.unreadable,
    }
}

#[cfg(test)]
mod tests;
