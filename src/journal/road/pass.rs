//! A transaction that looks before it writes, and goes entry by entry where that is needed.

use std::collections::BTreeSet;

use super::{
    Additions, At, Context, SlowMode, Stored, binder, check_live, check_numbers, check_post, draft,
    facts, insert_all, later, list_live, position, stored as outcomes_of, unseen,
};
use later::Scheduled;

use crate::{
    crypto::vault::Vault,
    db::{
        AnyConnection, QueryError,
        log::{
            BEGIN_AGAIN, is_cancelled, is_constraint_violation,
            lock::{self, Locked, Rooms},
            members::{is_removed, list_removed, set_spoke_at},
            posts::{self, DraftRow},
            savepoint,
        },
        rooms::{list_greatest, say_healed, seen::Pair},
        sessions::Logins,
    },
    error::Error,
    journal::{
        entry::{Change, Entry, How, Told},
        members::{Member, Members},
        numbering::{self, Known, Placed, place},
    },
    protocol::room::Role,
    rights::{Denied, Right, Standing, allows},
};

mod slow;

/// Why an entry is not stored.
pub enum Fail {
    /// It may not be.
    Refused(Error),
    /// The database refuses it, or fails.
    Database(QueryError),
}

impl From<Error> for Fail {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

impl From<Denied> for Fail {
    fn from(denied: Denied) -> Self {
        Self::Refused(denied.into())
    }
}

/// A transaction that looks before it writes, and goes entry by entry where that is needed.
pub struct Pass<'a> {
    pub rooms: Rooms,
    /// Rooms whose rows are to be written.
    touched: BTreeSet<i64>,
    /// Of this transaction alone, which changes them and may not come to be.
    pub members: Members,
    live: Logins,
    known: Known<'a>,
    pub at: At,
    pub vault: &'a Vault,
    slow: &'a SlowMode,
    /// Whose entries are refused as if there were no such room.
    unseen: &'a BTreeSet<Pair>,
}

impl<'a> Pass<'a> {
    pub fn begin(
        conn: &mut AnyConnection,
        (entries, unseen): (&[&'a Entry], &'a BTreeSet<Pair>),
        at: At,
        vault: &'a Vault,
        slow: &'a SlowMode,
    ) -> Result<Self, QueryError> {
        let seen = entries.iter().filter(|entry| !unseen::holds(unseen, entry));
        if seen.clone().any(|entry| entry.change.takes_a_name()) {
            lock::lock_names(conn)?;
        }
        let ids: BTreeSet<i64> = seen.clone().map(|entry| entry.room).collect();
        let mut rooms = lock::lock_rooms(conn, ids.into_iter())?;
        let mut touched = BTreeSet::new();
        let ids: Vec<i64> = rooms.keys().copied().collect();
        // A count that was lowered by hand would have every message refused as one that is there already.
        for (room_id, id, seq) in list_greatest(conn, &ids)? {
            let Some(room) = rooms.get_mut(&room_id) else {
                continue;
            };
            room.last_id = room.last_id.max(id);
            if seq > room.last_seq {
                say_healed(room.id, room.last_seq, seq);
                room.last_seq = seq;
                touched.insert(room.id);
            }
        }
        let actors = entries.iter().map(|entry| &entry.actor);
        let logins = actors.map(|actor| (actor.session_id, actor.user_id));
        let live = list_live(conn, logins, at)?;
        let drafts: Vec<DraftRow<'a>> = seen.clone().filter_map(|entry| draft(entry)).collect();
        let known = posts::list_known(conn, &drafts)?;
        let mut members = Members::default();
        let wanted = seen.map(|entry| (entry.room, entry.actor.user_id));
        members.learn(conn, wanted, &rooms)?;
        Ok(Self {
            rooms,
            touched,
            members,
            live,
            known,
            at,
            vault,
            slow,
            unseen,
        })
    }

    pub fn run(
        mut self,
        conn: &mut AnyConnection,
        entries: &[&'a Entry],
    ) -> Result<Vec<Stored>, QueryError> {
        let unseen = self.unseen;
        let is_post = |entry: &Entry| {
            matches!(entry.change, Change::Post(_)) && !unseen::holds(unseen, entry)
        };
        let mut stored = Vec::with_capacity(entries.len());
        for run in entries.chunk_by(|one, next| is_post(one) && is_post(next)) {
            let posts = run.iter().filter(|entry| is_post(entry));
            let drafts: Vec<_> = posts.filter_map(|entry| draft(entry)).collect();
            if drafts.is_empty() {
                for entry in run {
                    stored.push(self.one(conn, entry)?);
                }
            } else {
                self.posts(conn, &drafts, &mut stored)?;
            }
        }
        let touched = self.touched.iter().filter_map(|id| self.rooms.get(id));
        lock::write_back(conn, &touched.collect::<Vec<_>>())?;
        Ok(stored)
    }

    /// Messages that follow one another: all of them at once, or, where the tables refuse one, each by itself.
    fn posts(
        &mut self,
        conn: &mut AnyConnection,
        drafts: &[DraftRow<'a>],
        stored: &mut Vec<Stored>,
    ) -> Result<(), QueryError> {
        let is_of_one =
            |error: &QueryError| is_constraint_violation(error) || *error == BEGIN_AGAIN;
        match savepoint(conn, |conn| self.insert_posts(conn, drafts)) {
            Ok((placed, told)) => self.keep(drafts, (placed, told), stored),
            Err(error) if is_of_one(&error) && drafts.len() > 1 => {
                self.slow.take_back(self.at.clock);
                for draft in drafts {
                    self.posts(conn, std::slice::from_ref(draft), stored)?;
                }
            }
            // Its sender is not there any more, or not let in.
            Err(error) if is_of_one(&error) => {
                log::warn!("a message was refused by the tables: {error}");
                stored.push(Stored::Refused(Error::invalid_token()));
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn insert_posts<'d>(
        &mut self,
        conn: &mut AnyConnection,
        drafts: &[DraftRow<'d>],
    ) -> Result<(Placed<'d>, Additions), QueryError> {
        let wanted = drafts.iter().map(|draft| (draft.room_id, draft.user_id));
        self.members.learn(conn, wanted, &self.rooms)?;
        let strangers = drafts.iter().filter(|draft| {
            let room = self.rooms.get(&draft.room_id);
            room.is_some_and(|room| self.members.find(room, draft.user_id).is_none())
        });
        let strangers = strangers.map(|draft| (draft.room_id, draft.user_id));
        let removed = list_removed(conn, &strangers.collect::<Vec<_>>())?;
        self.learn_who_spoke(conn, drafts)?;
        let context = Context::learn(conn, drafts)?;
        let scheduled = Scheduled::hold(conn, drafts)?;
        let bind = binder(self.vault);
        let allowed = |draft: &DraftRow<'_>, is_repeat: bool| {
            match draft.later {
                Some(later) => scheduled.check(draft, later, self.at.stored)?,
                None => check_live(draft, Some(&self.live))?,
            }
            let room = self.rooms.get(&draft.room_id);
            let room = room.ok_or_else(Error::no_such_room)?;
            if removed.contains(&(draft.room_id, draft.user_id)) {
                return Err(Error::no_such_room());
            }
            let member = self.members.find(room, draft.user_id);
            let standing = member.map_or(Standing::Stranger, |who| who.standing(self.at.clock));
            if is_repeat {
                // It is stored, whatever may be written since.
                allows(standing, Right::Read, facts(room))?;
                return Ok(position(room));
            }
            let position = check_post(room, member, draft, &context, self.at)?;
            let role = member.map_or(Role::Member, |member| member.role);
            self.slow
                .check(room, draft.user_id, role, self.at.clock)
                .map(|()| position)
        };
        let mut placed = place(drafts, Some(&self.known), self.at.stored, &bind, allowed);
        let mentioned = context.mention(&mut placed.rows, |room_id, user_id| {
            let room = self.rooms.get(&room_id)?;
            let member = self.members.find(room, user_id)?;
            Some((member.standing(self.at.clock), facts(room)))
        });
        insert_all(conn, &placed.rows, self.at)?;
        later::take(conn, &placed.rows)?;
        let told = context.write(conn, (&placed.rows, mentioned), self.at)?;
        for row in &placed.rows {
            if !row.thread_only {
                self.show_to_author(conn, row.room_id, row.user_id)?;
            }
            if self.is_slow(row.room_id) {
                let at = self.at.clock.naive_utc();
                set_spoke_at(conn, row.room_id, row.user_id, at)?;
            }
        }
        Ok((placed, told))
    }

    /// Notes what was inserted.
    fn keep(
        &mut self,
        drafts: &[DraftRow<'a>],
        (placed, told): (Placed<'_>, Additions),
        stored: &mut Vec<Stored>,
    ) {
        for (room_id, last) in placed.last_ids {
            if let Some(room) = self.rooms.get_mut(&room_id) {
                (room.last_seq, room.last_id) = (last, last);
            }
            self.touched.insert(room_id);
        }
        for (draft, outcome) in drafts.iter().zip(&placed.outcomes) {
            if let (numbering::Stored::New { id }, Some(client_id)) = (outcome, draft.client_id) {
                let name = (draft.room_id, draft.user_id, client_id);
                let at = self.at.stored.naive_utc();
                let content = Some(draft.content.to_owned());
                self.known.insert(name, (*id, *id, content, at));
            }
        }
        stored.extend(outcomes_of(drafts, placed.outcomes, told));
    }

    /// Anything but a message, in a savepoint of its own.
    fn one(&mut self, conn: &mut AnyConnection, entry: &Entry) -> Result<Stored, QueryError> {
        let actor = &entry.actor;
        let is_live =
            entry.change.needs_no_login() || self.live.contains(&(actor.session_id, actor.user_id));
        if !is_live {
            return Ok(Stored::Refused(Error::invalid_token()));
        }
        if unseen::holds(self.unseen, entry) {
            return Ok(Stored::Refused(Error::no_such_room()));
        }
        let before = self.rooms.get(&entry.room).cloned();
        match (&before, &entry.change) {
            (Some(room), Change::Begin(_)) => {
                let (room_id, seq) = (room.id, room.last_seq);
                return Ok(Stored::Exists {
                    room_id,
                    seq,
                    shown: false,
                });
            }
            (None, Change::Begin(_)) | (Some(_), _) => {}
            (None, _) => return Ok(Stored::Refused(Error::no_such_room())),
        }
        let done = savepoint(conn, |conn| self.apply(conn, entry).map_err(Undone));
        let fail = match done {
            Ok(stored) => {
                self.touched.insert(entry.room);
                self.note_change(entry.room, &stored);
                return Ok(stored);
            }
            Err(Undone(fail)) => fail,
        };
        // Whoever had begun to wait by it has not; who did by what is stored is found again in their row.
        self.slow.take_back(self.at.clock);
        match before {
            Some(before) => self.rooms.insert(entry.room, before),
            None => self.rooms.remove(&entry.room),
        };
        match fail {
            Fail::Refused(error) => Ok(Stored::Refused(error)),
            Fail::Database(error) if is_constraint_violation(&error) => {
                log::warn!("a change was refused by the tables: {error}");
                Ok(Stored::Refused(Error::store_unavailable()))
            }
            Fail::Database(error) if is_cancelled(&error) => {
                log::warn!("a change took too long and was given up: {error}");
                Ok(Stored::Refused(Error::store_unavailable()))
            }
            Fail::Database(error) => Err(error),
        }
    }

    /// A message has changed that may be sent again behind it.
    fn note_change(&mut self, room_id: i64, stored: &Stored) {
        let Stored::Changed { told, .. } = stored else {
            return;
        };
        for (id, seq, told) in told {
            let Told::Changed { how, .. } = told else {
                continue;
            };
            let has_other_text = matches!(how, How::Edited | How::Deleted);
            for (name, (known_id, last, content, _)) in &mut self.known {
                if name.0 == room_id && known_id == id {
                    *last = *seq;
                    content.take_if(|_| has_other_text);
                }
            }
        }
    }

    fn apply(&mut self, conn: &mut AnyConnection, entry: &Entry) -> Result<Stored, Fail> {
        let room_id = entry.room;
        let actor = &entry.actor;
        let number = |id: u64| i64::try_from(id).unwrap_or(i64::MAX);
        match &entry.change {
            // These go by `posts`.
            Change::Post(_) => Err(Fail::Refused(Error::internal("a message went astray"))),
            Change::Edit {
                id,
                if_seq,
                body,
                candidates,
            } => self.edit(
                conn,
                room_id,
                actor,
                (number(*id), if_seq.map(number)),
                (body, candidates),
            ),
            Change::Delete { id, if_seq } => {
                self.delete(conn, room_id, actor, (number(*id), if_seq.map(number)))
            }
            Change::React { id, emoji, on } => {
                self.react(conn, room_id, actor, number(*id), (emoji, *on))
            }
            Change::Pin { id, on } => self.pin(conn, room_id, actor, number(*id), *on),
            Change::Join { user, role } => self.join(conn, room_id, actor, *user, *role),
            Change::Leave { user } if *user == actor.user_id => self.leave(conn, room_id, actor),
            Change::Leave { user } => self.kick(conn, room_id, actor, *user),
            Change::Member { user, role, until } => {
                self.put_member(conn, room_id, actor, *user, (*role, *until))
            }
            Change::Inherit => self.inherit(conn, room_id, actor),
            Change::Room(patch) => self.patch(conn, room_id, actor, patch),
            Change::Begin(new) => self.begin_room(conn, room_id, actor, new),
        }
    }

    /// The room, which is locked and there.
    pub fn room(&mut self, room_id: i64) -> Result<&mut Locked, Fail> {
        let room = self.rooms.get_mut(&room_id);
        room.ok_or_else(|| Fail::Refused(Error::no_such_room()))
    }

    /// The room's next number.
    pub fn next(&mut self, room_id: i64) -> Result<i64, Fail> {
        let room = self.room(room_id)?;
        check_numbers(room)?;
        room.last_seq += 1;
        Ok(room.last_seq)
    }

    /// The member that someone is, if any.
    pub fn member(
        &mut self,
        conn: &mut AnyConnection,
        room_id: i64,
        user_id: i64,
    ) -> Result<Option<Member>, Fail> {
        let wanted = std::iter::once((room_id, user_id));
        self.members
            .learn(conn, wanted, &self.rooms)
            .map_err(Fail::Database)?;
        let room = self.rooms.get(&room_id);
        Ok(room.and_then(|room| self.members.find(room, user_id)))
    }

    /// Whether someone may do something.
    pub fn check(
        &mut self,
        conn: &mut AnyConnection,
        room_id: i64,
        user_id: i64,
        right: Right,
    ) -> Result<(), Fail> {
        let standing = match self.member(conn, room_id, user_id)? {
            Some(member) => member.standing(self.at.clock),
            None if is_removed(conn, room_id, user_id).map_err(Fail::Database)? => {
                Standing::Removed
            }
            None => Standing::Stranger,
        };
        let facts = facts(self.room(room_id)?);
        allows(standing, right, facts).map_err(Fail::from)
    }
}

/// Why a savepoint is rolled back.
struct Undone(Fail);

impl From<QueryError> for Undone {
    fn from(error: QueryError) -> Self {
        Self(Fail::Database(error))
    }
}
