//! What a session does for its rooms: coming into them and going out, and carrying out what their feeds ask for.

mod feeds;
mod leaving;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;

use actix::{ActorFutureExt as _, AsyncContext as _, WrapFuture as _};

use super::{ChatSession, Context};
use crate::{
    chat::{
        authentication::Admitted,
        catch_up::{Change, Missed},
        feed::{Action, Feed, Page},
        rooms::{Room, id_of, key_of},
    },
    error::{Code, Error, Result},
    protocol::{
        close,
        event::{Event, RoomNews, SyncedRoom},
        room::RoomChanged,
    },
    ws::Dialect,
};
use feeds::Feeds;

/// Changes that are held while a room is being caught up with.
const MOST_HELD: usize = 256;
/// Readings of one socket that are under way at once.
const MOST_READINGS: usize = 8;
/// Pause before reading again what could not be read.
const READ_AGAIN: Duration = Duration::from_millis(500);
/// The caller's rooms, and where this socket is in their logs.
#[derive(Default)]
pub(in crate::ws) struct Rooms {
    /// Those that the caller was a member of before this socket was registered.
    expected: Vec<i64>,
    /// Those of them that others have begun, and that the caller had not opened.
    unopened: Vec<i64>,
    /// Those that the client was not told of at first, and how far they were then: nothing has happened in them since that it
    /// could be told.
    quiet: BTreeMap<i64, u64>,
    /// What a client is to be told that can show only `general` as yet: rooms that the user has come into, and after which change
    /// their logs are to be read; and rooms that the user has gone out of.
    come_into: BTreeMap<i64, u64>,
    gone: BTreeSet<i64>,
    by_id: Feeds,
    last_entry: u64,
    /// Readings that are under way, and those that wait for their turn.
    under_way: usize,
    waiting: VecDeque<Reading>,
}

/// One of the caller's rooms, and where this socket is in its log. There is one for each room of each socket, so what is seldom
/// there has a place of its own.
struct RoomFeed {
    /// Whether the client has been told that it is in it.
    is_told: bool,
    /// Tells apart a room that was left and come into again.
    entry: u64,
    /// How far the room had come when it was last read that the user is in it.
    read_at: u64,
    /// The change by which the user is no member any more: what was being read before is still awaited.
    left: Option<u64>,
    /// Whether a reading was refused: then the hub is about to tell by which change.
    is_refused: bool,
    feed: Feed<Change>,
}

/// What has become of a change that goes past the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ws) enum Passed {
    /// It is to be sent.
    Shown,
    /// The client has it already, or is not shown such a thing.
    Unseen,
    /// It is for the session.
    No,
}

/// A reading of what changed in a room.
#[derive(Debug, Clone, Copy)]
struct Reading {
    room_id: i64,
    entry: u64,
    since: u64,
}

impl Rooms {
    /// Rooms that the caller is expected to be a member of.
    pub(in crate::ws) fn expected(admitted: &Admitted) -> Self {
        Self {
            expected: admitted.rooms.clone(),
            unopened: admitted.unopened.clone(),
            ..Self::default()
        }
    }

    /// Lets a change past the session, if there is nothing else to do for it.
    pub(in crate::ws) fn pass(
        &mut self,
        room_id: i64,
        seq: u64,
        (dialect, is_post): (Dialect, bool),
    ) -> Passed {
        let Some(room) = self.by_id.get_mut(room_id).filter(|room| room.is_told) else {
            return Passed::No;
        };
        let is_shown = dialect.shows(room_id, is_post);
        match room.feed.pass(seq) {
            Some(is_next) if is_next && is_shown => Passed::Shown,
            Some(_) => Passed::Unseen,
            None => Passed::No,
        }
    }

    /// Those rooms, once; and those of them that the caller had not opened.
    pub(super) fn take_expected(&mut self) -> (BTreeSet<i64>, BTreeSet<i64>) {
        let [rooms, unopened] = [&mut self.expected, &mut self.unopened].map(std::mem::take);
        (rooms.into_iter().collect(), unopened.into_iter().collect())
    }

    /// These rooms, whose changes are sent from where they are, and others that the client is told of when something happens.
    pub(in crate::ws) fn new(rooms: impl IntoIterator<Item = Room>, quiet: Vec<Room>) -> Self {
        let (rooms, quiet) = (rooms.into_iter(), quiet.into_iter());
        let mut new = Self {
            by_id: Feeds::for_some(rooms.size_hint().0),
            quiet: quiet
                .map(|room| (room.id, room.last_seq.unsigned_abs()))
                .collect(),
            ..Self::default()
        };
        for room in rooms {
            let seq = room.last_seq.unsigned_abs();
            new.insert(room.id, true, seq, Feed::new(seq, MOST_HELD));
        }
        new
    }

    fn insert(&mut self, room_id: i64, is_told: bool, read_at: u64, feed: Feed<Change>) {
        self.last_entry += 1;
        let entry = self.last_entry;
        let room = RoomFeed {
            is_told,
            entry,
            read_at,
            left: None,
            is_refused: false,
            feed,
        };
        self.by_id.insert(room_id, room);
    }

    /// A room that the client asks for. One that it was not told of at first is as any other from now on; one that it is about to
    /// be told of is there, too. `None`: there is no such room for the user.
    pub(super) fn asked_for(&mut self, key: &str) -> Option<i64> {
        let id = id_of(key).ok()?;
        if let Some(seq) = self.quiet.remove(&id) {
            let feed = Feed::new(seq, MOST_HELD);
            self.insert(id, true, seq, feed);
        }
        let room = self.by_id.get(id)?;
        (room.is_told || !room.is_ending()).then_some(id)
    }

    /// Whether something about a room that has no number must wait until the room has been read.
    pub(in crate::ws) fn is_being_read(&self, room_id: i64) -> bool {
        (self.by_id.get(room_id)).is_some_and(|room| room.feed.is_catching_up())
    }

    #[cfg(test)]
    pub(in crate::ws) fn begin_reading(&mut self, room_id: i64) {
        if let Some(room) = self.by_id.get_mut(room_id) {
            let seq = room.feed.sent();
            room.feed.sync(seq, &mut Vec::new());
        }
    }

    /// A room was read: whether the client has not been told yet that it is in it.
    fn note_read(&mut self, reading: Reading, page: &Page<Change>) -> Option<bool> {
        let room = self.of(reading)?;
        room.read_at = room.read_at.max(page.last_seq);
        // Who was a member at a later change has come back.
        room.left.take_if(|left| *left <= page.last_seq);
        Some(!std::mem::replace(&mut room.is_told, true))
    }

    /// The room of this reading, if it has not been left since.
    fn of(&mut self, reading: Reading) -> Option<&mut RoomFeed> {
        let room = self.by_id.get_mut(reading.room_id)?;
        (room.entry == reading.entry).then_some(room)
    }
}

impl ChatSession {
    /// Has the feed of a room take something in, and carries out what it asks for.
    pub(super) fn feed(
        &mut self,
        room_id: i64,
        ctx: &mut Context,
        take_in: impl FnOnce(&mut Feed<Change>, &mut Vec<Action<Change>>),
    ) {
        let mut actions = Vec::new();
        if let Some(room) = self.rooms().by_id.get_mut(room_id) {
            take_in(&mut room.feed, &mut actions);
        }
        self.carry_out(room_id, actions, ctx);
    }

    /// Something happens in a room: when the client was not told of it at first, it is told now, with all that has happened in
    /// it since. False for any other room.
    pub(super) fn wake(&mut self, room_id: i64, ctx: &mut Context) -> bool {
        let before = self.rooms().quiet.remove(&room_id);
        if let Some(before) = before {
            self.begin_or_note(room_id, before, ctx);
        }
        before.is_some()
    }

    /// A room has come this far by changes that were not announced. By one of them the user may have become a member: that is
    /// found out by reading it.
    pub(super) fn reached(&mut self, room_id: i64, seq: u64, ctx: &mut Context) {
        let ending = self.rooms().by_id.get(room_id).map(RoomFeed::is_ending);
        if ending == Some(true) {
            self.forget_room(room_id, ctx);
        }
        if ending == Some(false) {
            self.feed(room_id, ctx, |feed, actions| feed.reached(seq, actions));
        } else {
            self.begin_or_note(room_id, seq, ctx);
        }
    }

    /// The user has become a member of a room.
    pub(super) fn come_in(&mut self, room_id: i64, seq: u64, ctx: &mut Context) {
        let known = self.rooms().by_id.get(room_id).map(|room| room.read_at);
        if let Some(read_at) = known {
            if read_at >= seq {
                return;
            }
            // It was left meanwhile.
            self.forget_room(room_id, ctx);
        }
        self.begin_or_note(room_id, seq.saturating_sub(1), ctx);
    }

    /// Has everything sent that follows a number in a room which the client has not been told yet that it is in: now, or when it
    /// can show other rooms than `general`.
    fn begin_or_note(&mut self, room_id: i64, before: u64, ctx: &mut Context) {
        if self.end.dialect.get() == Dialect::Full {
            return self.begin_feed(room_id, before, ctx);
        }
        self.rooms().come_into.entry(room_id).or_insert(before);
    }

    /// The client shows all rooms from now on: tells it of those that the user has come into and gone out of meanwhile.
    pub(super) fn show_all(&mut self, ctx: &mut Context) {
        if self.end.dialect.replace(Dialect::Full) == Dialect::Full {
            return;
        }
        let mut rooms = self.rooms();
        let come_into = std::mem::take(&mut rooms.come_into);
        let gone = std::mem::take(&mut rooms.gone);
        drop(rooms);
        for room_id in gone {
            self.send(&Event::Room(RoomNews::gone(key_of(room_id))));
        }
        for (room_id, before) in come_into {
            self.begin_feed(room_id, before, ctx);
        }
    }

    /// Something about a room, for its user alone, has changed by nothing that is numbered. While the room is being read that
    /// waits: what is read may be older, and would undo it if it came behind it.
    pub(super) fn own_changed(&mut self, room_id: i64, frame: Bytes, ctx: &mut Context) {
        let is_post = false;
        let change = Change { frame, is_post };
        let is_known = self.rooms().by_id.get(room_id).is_some();
        if is_known {
            self.feed(room_id, ctx, |feed, actions| feed.aside(change, actions));
        } else {
            self.send_change(room_id, change);
        }
    }

    /// Has everything sent that follows a number in a room which the client has not been told yet that it is in.
    fn begin_feed(&mut self, room_id: i64, before: u64, ctx: &mut Context) {
        let mut actions = Vec::new();
        let feed = Feed::come_in(before, MOST_HELD, &mut actions);
        self.rooms().insert(room_id, false, before, feed);
        self.carry_out(room_id, actions, ctx);
    }

    fn carry_out(&mut self, room_id: i64, actions: Vec<Action<Change>>, ctx: &mut Context) {
        for action in actions {
            let Some(entry) = self.rooms().by_id.get(room_id).map(|room| room.entry) else {
                return;
            };
            let room = key_of(room_id);
            let reading = |since| Reading {
                room_id,
                entry,
                since,
            };
            match action {
                Action::Send(change) => self.send_change(room_id, change),
                Action::Read(since) => self.read(reading(since), ctx),
                Action::ReadLater(since) => {
                    let reading = reading(since);
                    ctx.run_later(READ_AGAIN, move |session, ctx| session.read(reading, ctx));
                }
                Action::Lag(seq) if self.shows(room_id) => self.send(&Event::Lag { room, seq }),
                Action::Lag(_) => {}
                Action::Synced { seq, complete } => {
                    self.room_synced(room, Ok(SyncedRoom::upto(seq, complete)));
                }
                Action::CursorAhead => {
                    let detail = "A cursor lies beyond the room's latest change: start afresh.";
                    let refused = Error::conflict(Code::CursorAhead, detail);
                    self.room_synced(room, Err(refused));
                }
                Action::SyncFailed => self.room_synced(room, Err(Error::store_unavailable())),
                Action::Overrun => {
                    let reason = "too much has changed while a room was being read";
                    return self.say_close(close::TOO_SLOW, reason, ctx);
                }
            }
        }
    }

    fn send_change(&self, room_id: i64, change: Change) {
        if self.end.dialect.get().shows(room_id, change.is_post) {
            self.end.outgoing.write(change.frame);
        }
    }

    /// Whether this client is told of what happens in a room.
    fn shows(&self, room_id: i64) -> bool {
        self.end.dialect.get().shows(room_id, true)
    }

    fn read(&mut self, reading: Reading, ctx: &mut Context) {
        if self.is_looking() || self.rooms().under_way >= MOST_READINGS {
            self.rooms().waiting.push_back(reading);
        } else if self.rooms().of(reading).is_some() {
            self.start_reading(reading, ctx);
        }
    }

    /// Starts what waits. `found`: how far the rooms are that the user is in, read after these readings were asked for.
    pub(super) fn start_readings(&mut self, found: Option<&HashMap<i64, u64>>, ctx: &mut Context) {
        let waiting = std::mem::take(&mut self.rooms().waiting);
        for reading in waiting {
            let Reading { room_id, since, .. } = reading;
            // One that the client has not been told of yet is read in any case.
            let is_known = self.rooms().of(reading).is_some_and(|room| room.is_told);
            match found.filter(|_| is_known).map(|found| found.get(&room_id)) {
                Some(None) => self.refused(reading, ctx),
                Some(Some(&last_seq)) if last_seq <= since => {
                    let page = Page {
                        since,
                        changes: Vec::new(),
                        last_seq,
                        complete: true,
                    };
                    self.feed(room_id, ctx, |feed, actions| feed.page(page, actions));
                    self.end_when_read(reading, ctx);
                }
                _ => self.read(reading, ctx),
            }
        }
    }

    fn start_reading(&mut self, reading: Reading, ctx: &mut Context) {
        self.rooms().under_way += 1;
        let Reading { room_id, since, .. } = reading;
        let is_new = (self.rooms().of(reading)).is_some_and(|room| !room.is_told);
        let bytes = self.budget_of(&key_of(room_id));
        let (app, caller) = (Arc::clone(&self.app), self.caller.clone());
        let missed = async move {
            let pages = &app.pages;
            let missed = pages.changes_since(&caller, room_id, (since, is_new), bytes);
            missed.await
        };
        ctx.spawn(missed.into_actor(self).map(move |read, session, ctx| {
            session.rooms().under_way -= 1;
            session.take_reading(reading, read, ctx);
            while let Some(next) = session.next_reading() {
                session.read(next, ctx);
            }
        }));
    }

    /// The next of those that wait, if it may begin.
    fn next_reading(&self) -> Option<Reading> {
        let mut rooms = self.rooms();
        let may_begin = rooms.under_way < MOST_READINGS && !self.is_looking();
        rooms.waiting.pop_front_if(|_| may_begin)
    }

    fn take_reading(&mut self, reading: Reading, read: Result<Missed>, ctx: &mut Context) {
        let room_id = reading.room_id;
        if self.rooms().of(reading).is_none() {
            return;
        }
        match read {
            Ok(Missed {
                mut page,
                state,
                has_changed,
            }) => {
                let Some(is_new) = self.rooms().note_read(reading, &page) else {
                    return;
                };
                let room = key_of(room_id);
                if is_new && self.end.dialect.get() == Dialect::Full {
                    // What follows it starts where the page starts.
                    let state = RoomNews::here(state, page.since);
                    self.send(&Event::Room(state));
                    self.room_here(&room);
                } else if has_changed && self.end.dialect.get() == Dialect::Full {
                    // The changes themselves follow, or those of them that fit.
                    let changed = RoomChanged::whole(state);
                    self.send(&Event::Room(RoomNews::Changed(changed)));
                }
                self.cut_to_budget(&room, &mut page);
                self.feed(room_id, ctx, |feed, actions| feed.page(page, actions));
            }
            Err(error) if matches!(error.code, Code::RoomNotFound | Code::JoinFirst) => {
                return self.refused(reading, ctx);
            }
            Err(error) => {
                self.close_when_logged_out(&error, ctx);
                self.feed(room_id, ctx, Feed::failed);
            }
        }
        self.end_when_read(reading, ctx);
    }
}
