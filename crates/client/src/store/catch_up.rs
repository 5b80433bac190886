//! Catching up: what is asked of the server so that each room is whole, and what its answers come to.

use std::collections::BTreeMap;

use super::{News, Outcome, Room, SYNC, Store, follow::Step};
use crate::{
    api::{Page, Query},
    effect::{Effect, Fetch},
    link::Millis,
    protocol::{
        command::{Command, Request, Sync},
        event::SyncedRoom,
        limits::MAX_SYNC,
    },
};

/// Most bytes of a `sync` but for its rooms: its type, its `ref` and the epoch.
const SYNC_BYTES: usize = 256;
/// Most bytes of the key of a room, which is a number.
const MAX_KEY: usize = 20;
/// Most bytes of a room in a `sync` but for its key: its number and what stands around both.
const CURSOR_BYTES: usize = 24;

impl Store {
    /// Asks for the page before the oldest message of a room or a thread, if there is one and it was not asked for yet.
    pub fn fetch_older(&mut self, key: &str, thread: Option<u64>) -> Option<Effect> {
        let room = self.rooms.get_mut(key).filter(|room| !room.is_gone)?;
        if let Some(first) = thread {
            let opened = room.threads.opened(first)?;
            let before = Some(opened.timeline.start_loading()?);
            let query = Query::Thread { first, before };
            let fetch = fetch(&mut self.last_tag, key, query);
            opened.page = Some(fetch.tag);
            return Some(Effect::Fetch(fetch));
        }
        let query = Query::Before(room.timeline.start_loading()?);
        let fetch = fetch(&mut self.last_tag, key, query);
        room.older_page = Some(fetch.tag);
        Some(Effect::Fetch(fetch))
    }

    /// Drops the oldest of what is kept of a room, if that is too much: for when no one is reading there.
    pub fn trim(&mut self, room: &str) {
        if let Some(room) = self.rooms.get_mut(room)
            && room.trim()
        {
            // A page that is on its way would leave a hole behind it.
            room.older_page = None;
        }
    }

    /// The answer to a fetch has come.
    pub fn page(&mut self, now: Millis, fetch: &Fetch, result: Result<Page, String>) -> Outcome {
        let mut outcome = Outcome::default();
        let key = &*fetch.room;
        if let Query::Thread { first, before } = fetch.query {
            return self.thread_page(now, (fetch, first, before.is_some()), result);
        }
        let Some(room) = self.rooms.get_mut(key) else {
            return outcome;
        };
        let is_older = room.older_page == Some(fetch.tag);
        if !is_older && room.next_page != Some(fetch.tag) {
            // Asked for an earlier socket or history: it may end before this one begins.
            return outcome;
        }
        let Page { messages, more } = match result {
            Ok(page) => page,
            Err(detail) => {
                room.fetch_failed(now, is_older);
                outcome.news.push(News::FetchFailed(detail));
                return outcome;
            }
        };
        outcome.news.push(News::Fetched);
        if is_older {
            room.older_page = None;
            outcome.news.push(room.take_older(key, messages, more));
            return outcome;
        }
        room.next_page = None;
        if fetch.query == Query::Latest {
            let start = messages.first().map_or(0, |message| message.id);
            room.timeline.begin(start, more);
            outcome.news.push(News::Older {
                room: key.to_owned(),
                before: room.timeline.first(),
            });
        }
        self.follow(now, key, &mut outcome, |room| match fetch.query {
            Query::Since(_) => room.follower.page(messages, more),
            Query::Latest | Query::Before(_) | Query::Thread { .. } => {
                room.follower.latest(messages, more)
            }
        });
        outcome.effects.extend(self.sync());
        outcome
    }

    /// Time has passed: repeats what has failed.
    pub fn tick(&mut self, now: Millis) -> Outcome {
        let mut outcome = Outcome::default();
        if !self.is_connected {
            return outcome;
        }
        if self.people.tick(now) {
            outcome.news.push(News::People);
        }
        outcome.effects.extend(self.list_again(now));
        outcome.effects.extend(self.ask_what_is_unread(now));
        outcome.effects.extend(self.open_threads_again(now));
        let is_due = |room: &Room| room.again_at.is_some_and(|at| at <= now);
        let due = self.rooms.iter().filter(|(_, room)| is_due(room));
        let due: Vec<String> = due.map(|(key, _)| key.clone()).collect();
        for key in due {
            self.follow(now, &key, &mut outcome, |room| {
                room.again_at = None;
                room.follower.again()
            });
        }
        outcome.effects.extend(self.sync());
        outcome
    }

    pub(super) fn synced(
        &mut self,
        now: Millis,
        rooms: &BTreeMap<String, SyncedRoom>,
        outcome: &mut Outcome,
    ) {
        self.syncing.clear();
        for (key, synced) in rooms {
            match *synced {
                SyncedRoom::Upto(upto) => {
                    self.follow(now, key, outcome, |room| room.follower.synced(upto));
                }
                SyncedRoom::Gone { .. } => self.gone(key, outcome),
            }
        }
    }

    /// Does something with a room, and carries out what its follower wants then.
    pub(super) fn follow(
        &mut self,
        now: Millis,
        key: &str,
        outcome: &mut Outcome,
        act: impl FnOnce(&mut Room) -> Vec<Step>,
    ) {
        let Some(room) = self.rooms.get_mut(key).filter(|room| !room.is_gone) else {
            return;
        };
        for step in act(room) {
            let query = match step {
                Step::Begin(id) => {
                    room.threads.begin_again();
                    room.timeline.begin(id, true);
                    continue;
                }
                Step::FetchLatest => {
                    room.threads.begin_again();
                    Query::Latest
                }
                Step::FetchBefore(id) => Query::Before(id),
                Step::FetchSince(seq) => Query::Since(seq),
                Step::Sync => {
                    self.to_sync.insert(key.to_owned());
                    continue;
                }
                Step::Pause => {
                    room.pause(now);
                    continue;
                }
                Step::Show(messages) => {
                    outcome.news.push(room.show(key, messages));
                    continue;
                }
                Step::Forget => {
                    room.forget();
                    outcome.news.push(News::Forgotten { room: key.into() });
                    continue;
                }
            };
            let fetch = fetch(&mut self.last_tag, key, query);
            room.next_page = Some(fetch.tag);
            outcome.effects.push(Effect::Fetch(fetch));
        }
        if room.is_kept() {
            room.count();
        }
    }

    /// One `sync` for all rooms that want one, when none is under way.
    pub(super) fn sync(&mut self) -> Option<Effect> {
        if self.to_sync.is_empty() || !self.syncing.is_empty() {
            return None;
        }
        // The others come in the next one.
        let mut left = self.limits.frame_bytes.saturating_sub(SYNC_BYTES);
        while let Some(room) = self.to_sync.pop_first() {
            left = left.saturating_sub(room.len() + CURSOR_BYTES);
            self.syncing.insert(room);
            if self.syncing.len() == MAX_SYNC || left < MAX_KEY + CURSOR_BYTES {
                break;
            }
        }
        let cursors = self.syncing.iter().filter_map(|key| {
            let room = self.rooms.get(key)?;
            Some((key.clone(), room.follower.cursor()))
        });
        let sync = Sync {
            rooms: cursors.collect(),
            epoch: self.epoch.clone(),
        };
        Some(Effect::Say(Request::with_ref(SYNC, Command::Sync(sync))))
    }
}

pub(super) fn fetch(last_tag: &mut u64, room: &str, query: Query) -> Fetch {
    *last_tag += 1;
    Fetch {
        room: room.to_owned(),
        query,
        tag: *last_tag,
    }
}
