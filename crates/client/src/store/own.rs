//! What is of the user alone: how far they have read, the threads that they follow, what they have begun to write and what
//! they have saved.

use std::collections::{BTreeMap, BTreeSet};

use super::{News, Outcome, Store, catch_up::fetch};
use crate::{
    api::{Answer, Ask, Page, Query, ThreadsPage},
    effect::{Effect, Fetch},
    link::Millis,
    protocol::{
        command::{Command, Request},
        event::{Ack, ErrorFrame},
        kept::Draft,
        reading::{Marker, ReadUpTo},
        thread::Thread,
    },
};

/// The `ref` of a mark, before its number.
const MARK: &str = "mark-";
/// How long to wait before a list or a page is asked for again.
const PAUSE: Millis = 2_000;
/// Rooms that are asked about at once.
const MOST_ASKED: usize = 4;

/// What the user keeps and follows.
#[derive(Debug, Default)]
pub(super) struct Own {
    /// Whether the threads that the user follows are wanted.
    is_following: bool,
    /// They are to be listed, not before this time.
    is_due: bool,
    due_at: Millis,
    /// The list that is being read.
    list: Option<List>,
    /// The slash commands of the server are to be asked for.
    wants_commands: bool,
    /// What the user has saved, as far as it is known.
    saved: BTreeSet<(String, u64)>,
}

#[derive(Debug)]
struct List {
    tag: u64,
    cursor: Option<String>,
    threads: Vec<Thread>,
    /// One of the user's devices has read on meanwhile: the list may be older than that.
    is_stale: bool,
}

impl Store {
    /// From now on it is known what the user follows. (It is listed once for each socket, and again when that has changed.)
    pub fn follow_threads(&mut self) {
        (self.own.is_following, self.own.is_due) = (true, true);
        self.own.wants_commands = true;
    }

    /// The user has seen a room or a thread up to this message.
    pub fn saw(&mut self, key: &str, thread: Option<u64>, id: u64) {
        let room = self.rooms.get(key).filter(|room| room.is_of_oneself());
        // Where one is alone all is seen with the last message: also what has only changed others.
        let is_last = |room: &&super::Room| room.timeline.messages_after(id).next().is_none();
        let id = match room.filter(|_| thread.is_none()).filter(is_last) {
            Some(room) => room.latest().max(id),
            None => id,
        };
        self.read_with(key, thread, |reading| reading.saw(id));
    }

    /// From this message on a room or a thread is to be unread again.
    pub fn unread_from(&mut self, key: &str, thread: Option<u64>, id: u64) {
        self.read_with(key, thread, |reading| reading.unread_from(id));
    }

    fn read_with(
        &mut self,
        key: &str,
        thread: Option<u64>,
        act: impl FnOnce(&mut super::reading::Reading),
    ) {
        let Some(room) = self.rooms.get_mut(key).filter(|room| !room.is_gone) else {
            return;
        };
        let reading = match thread {
            None => Some(&mut room.reading),
            Some(first) => room.threads.reading(first),
        };
        let before = reading.as_ref().map(|reading| reading.marker());
        let after = reading.map(|reading| {
            act(reading);
            reading.marker()
        });
        if before != after {
            room.count();
        }
    }

    /// How far the user has read, as far as it is to be told now.
    pub(super) fn next_marks(&mut self, now: Millis) -> Vec<Effect> {
        let mut marks = Vec::new();
        for (key, room) in self.rooms.iter_mut().filter(|(_, room)| !room.is_gone) {
            let own = std::iter::once((None, &mut room.reading));
            let threads = room.threads.readings();
            let threads = threads.map(|(first, reading)| (Some(first), reading));
            for (thread, reading) in own.chain(threads) {
                let number = self.last_tag + 1;
                let Some(mark) = reading.next(now, number) else {
                    continue;
                };
                self.last_tag = number;
                let read = Command::Read(ReadUpTo {
                    room: key.clone(),
                    mark: crate::protocol::reading::MarkRead { thread, ..mark },
                });
                let reference = format!("{MARK}{number}");
                marks.push(Effect::Say(Request::with_ref(reference, read)));
            }
        }
        marks
    }

    /// One of the user's devices, perhaps this one, has moved a marker. Those of others are not kept.
    pub(super) fn has_read(&mut self, marker: &Marker) {
        if marker.user_id != self.user_id {
            return;
        }
        let Some(room) = self.rooms.get_mut(&marker.room) else {
            return;
        };
        match marker.thread {
            None => room.reading.moved(marker.seq, marker.counts),
            Some(first) => {
                if let Some(list) = &mut self.own.list {
                    list.is_stale = true;
                }
                let is_known = room.threads.moved(first, marker.seq, marker.counts);
                self.own.is_due |= !is_known;
            }
        }
        room.count();
    }

    /// True when it is about a mark.
    pub(super) fn mark_acked(&mut self, ack: &Ack) -> bool {
        let number = ack.reference.strip_prefix(MARK);
        let Some(number) = number.and_then(|number| number.parse().ok()) else {
            return false;
        };
        if let Some(room) = self.rooms.get_mut(&ack.room) {
            if !room.reading.acked(number, ack.seq) {
                let mut threads = room.threads.readings();
                threads.any(|(_, reading)| reading.acked(number, ack.seq));
            }
            room.count();
        }
        true
    }

    /// True when it is about a mark. What cannot be marked is not: nobody has asked for it.
    pub(super) fn mark_refused(&mut self, now: Millis, error: &ErrorFrame) -> bool {
        let reference = error.reference.as_deref().unwrap_or_default();
        let number = reference.strip_prefix(MARK);
        let Some(number) = number.and_then(|number| number.parse().ok()) else {
            return false;
        };
        for room in self.rooms.values_mut() {
            let after = error.retry_after_ms;
            if !room.reading.refused(now, number, after) {
                let mut threads = room.threads.readings();
                threads.any(|(_, reading)| reading.refused(now, number, after));
            }
            room.count();
        }
        true
    }

    /// What is not sure to be unread is asked for.
    pub(super) fn ask_what_is_unread(&mut self, now: Millis) -> Vec<Effect> {
        let mut asks = Vec::new();
        let is_kept_up = |room: &super::Room| !room.is_gone && room.is_kept();
        let rooms = self.rooms.iter_mut();
        for (key, room) in rooms.filter(|(_, room)| is_kept_up(room) && room.epoch.is_some()) {
            self.own.is_due |= std::mem::take(&mut room.is_list_stale);
            let mut threads = room.threads.readings();
            self.own.is_due |= threads.any(|(_, reading)| reading.is_to_be_asked());
            let number = self.last_tag + 1;
            if asks.len() < MOST_ASKED && room.reading.ask(now, number) {
                self.last_tag = number;
                asks.push(Effect::Ask(Ask::Unread {
                    room: key.clone(),
                    tag: number,
                }));
            }
        }
        asks.extend(self.list_threads(now));
        let wants_commands = std::mem::take(&mut self.own.wants_commands);
        asks.extend(wants_commands.then_some(Effect::Ask(Ask::Commands)));
        asks
    }

    fn list_threads(&mut self, now: Millis) -> Option<Effect> {
        let own = &mut self.own;
        if !own.is_following || !own.is_due || own.list.is_some() || now < own.due_at {
            return None;
        }
        self.last_tag += 1;
        (own.is_due, own.due_at) = (false, now + PAUSE);
        let tag = self.last_tag;
        own.list = Some(List {
            tag,
            cursor: None,
            threads: Vec::new(),
            is_stale: false,
        });
        Some(Effect::Ask(Ask::Threads { cursor: None, tag }))
    }

    /// The user is in a room more: in it there may be threads that the list, also one that is being read, does not have.
    pub(super) fn threads_may_have_come(&mut self) {
        self.own.is_due = true;
        if let Some(list) = &mut self.own.list {
            list.is_stale = true;
        }
    }

    /// A socket has opened: what was asked for on the one before is asked for again.
    pub(super) fn begin_own(&mut self) {
        self.own.list = None;
        self.own.is_due = true;
        self.own.due_at = 0;
        // Another release may have others.
        self.own.wants_commands = self.own.is_following;
    }

    /// What was asked of the user's own is answered.
    pub(super) fn own_answered(
        &mut self,
        now: Millis,
        ask: &Ask,
        result: &Result<Answer, String>,
        outcome: &mut Outcome,
    ) {
        match (ask, result) {
            (Ask::Unread { room, tag }, Ok(Answer::Room(told))) => {
                if let Some(room) = self.rooms.get_mut(room)
                    && room.reading.takes(*tag)
                {
                    let unread = super::Unread {
                        messages: told.unread.unwrap_or_default(),
                        mentions: told.mentions.unwrap_or_default(),
                    };
                    let marker = told.read_seq.unwrap_or_default();
                    room.reading.told(marker, unread, told.seq);
                    room.count();
                }
            }
            (Ask::Threads { cursor, tag }, result) => {
                let effect = self.threads_listed(now, (cursor.as_ref(), *tag), result);
                outcome.effects.extend(effect);
                outcome.news.push(News::People);
            }
            (Ask::Follow { .. }, Ok(_)) => (self.own.is_due, self.own.due_at) = (true, 0),
            (Ask::Draft { room, .. } | Ask::PutDraft { room, .. }, Ok(Answer::Draft(draft))) => {
                self.draft_told(room, draft, outcome);
            }
            (Ask::Saved, Ok(Answer::Saved(saved, _))) => {
                let key = |message: &crate::protocol::message::Message| {
                    (message.room.clone(), message.id)
                };
                self.own.saved = saved.iter().map(|one| key(&one.message)).collect();
            }
            (Ask::Save { room, id, on }, Ok(_)) => {
                let key = (room.clone(), *id);
                if *on {
                    self.own.saved.insert(key);
                } else {
                    self.own.saved.remove(&key);
                }
            }
            _ => {}
        }
    }

    fn draft_told(&mut self, room: &str, draft: &Draft, outcome: &mut Outcome) {
        let thread = draft.thread;
        let known = self.rooms.get_mut(room);
        if known.is_some_and(|known| known.told_draft(draft.clone())) {
            let room = room.to_owned();
            outcome.news.push(News::Draft { room, thread });
        }
    }

    fn threads_listed(
        &mut self,
        now: Millis,
        asked: (Option<&String>, u64),
        result: &Result<Answer, String>,
    ) -> Option<Effect> {
        let is_awaited = |list: &&mut List| (list.cursor.as_ref(), list.tag) == asked;
        let list = self.own.list.as_mut().filter(is_awaited)?;
        let Ok(Answer::Threads(ThreadsPage { threads, next })) = result else {
            self.own.list = None;
            (self.own.is_due, self.own.due_at) = (true, now + PAUSE);
            return None;
        };
        list.threads.extend(threads.iter().cloned());
        list.cursor.clone_from(next);
        if next.is_some() {
            return Some(Effect::Ask(Ask::Threads {
                cursor: next.clone(),
                tag: list.tag,
            }));
        }
        let List {
            threads, is_stale, ..
        } = self.own.list.take()?;
        if is_stale {
            self.own.is_due = true;
            return None;
        }
        let mut by_room = BTreeMap::<String, Vec<Thread>>::new();
        for thread in threads {
            let room = thread.message.room.clone();
            by_room.entry(room).or_default().push(thread);
        }
        for (key, room) in &mut self.rooms {
            room.threads.follow(by_room.remove(key).unwrap_or_default());
            room.count();
        }
        None
    }

    /// What was saved, as far as it is known.
    #[must_use]
    pub fn is_saved(&self, room: &str, id: u64) -> bool {
        self.own.saved.contains(&(room.to_owned(), id))
    }

    /// Looks at a thread: what is at hand of it, and what it asks for.
    pub fn open_thread(&mut self, key: &str, first: u64) -> Option<Effect> {
        let room = self.rooms.get_mut(key)?;
        let is_new = room.threads.open(first);
        if room.is_gone || !is_new {
            return None;
        }
        self.fetch_thread(key, first)
    }

    fn fetch_thread(&mut self, key: &str, first: u64) -> Option<Effect> {
        let query = Query::Thread {
            first,
            before: None,
        };
        let fetch = fetch(&mut self.last_tag, key, query);
        let opened = self.rooms.get_mut(key)?.threads.opened(first)?;
        opened.page = Some(fetch.tag);
        Some(Effect::Fetch(fetch))
    }

    /// What is looked at and has not come is asked for again.
    pub(super) fn open_threads_again(&mut self, now: Millis) -> Vec<Effect> {
        let rooms = self.rooms.iter().filter(|(_, room)| !room.is_gone);
        let bare = rooms.flat_map(|(key, room)| {
            let bare = room.threads.bare(now).into_iter();
            bare.map(|first| (key.clone(), first))
        });
        let bare: Vec<_> = bare.collect();
        let fetches = bare.into_iter();
        fetches
            .filter_map(|(key, first)| self.fetch_thread(&key, first))
            .collect()
    }

    /// A page of a thread has come, or cannot be had.
    pub(super) fn thread_page(
        &mut self,
        now: Millis,
        (fetch, first, is_older): (&Fetch, u64, bool),
        result: Result<Page, String>,
    ) -> Outcome {
        let mut outcome = Outcome::default();
        let Some(room) = self.rooms.get_mut(&fetch.room) else {
            return outcome;
        };
        let is_awaited = |opened: &&mut super::threads::Opened| opened.page == Some(fetch.tag);
        let Some(opened) = room.threads.opened(first).filter(is_awaited) else {
            return outcome;
        };
        opened.page = None;
        match result {
            Ok(Page { messages, more }) => {
                let before = opened.timeline.first();
                let told = messages.clone();
                if is_older {
                    opened.timeline.loaded(messages, more);
                } else {
                    opened.timeline.begin_with(messages, more);
                }
                for message in &told {
                    room.take_of_threads(message);
                }
                room.count();
                outcome.news.push(News::Fetched);
                outcome.news.push(News::Thread {
                    room: fetch.room.clone(),
                    first,
                    before,
                });
            }
            Err(detail) => {
                opened.again_at = now + PAUSE;
                opened.timeline.loading_failed();
                outcome.news.push(News::FetchFailed(detail));
            }
        }
        outcome
    }
}
