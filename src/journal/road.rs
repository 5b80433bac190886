//! One transaction of the road: whatever waits becomes durable, in the order in which it came. The rooms' rows are locked
//! while their numbers are taken, so that the order of commits and the order of numbers are one; and under that lock it is
//! decided who may do what.
//!
//! Nearly always all that waits are new messages, which are stored together in four round trips. Anything else is done one
//! after another, each in a savepoint, so that what cannot be stored costs no one else anything.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    entry::{Added, Change, Current, Entry, Told},
    members::{Member, Members},
    numbering::{self, Position, place},
    own::Setting,
};
use crate::{
    crypto::{binding::Place, vault::Vault},
    db::{
        self, AnyConnection, QueryError, WriteError,
        conn::write,
        log::{
            BEGIN_AGAIN, is_constraint_violation,
            lock::{self, Locked},
            posts::{self, DraftRow, NewMessage},
        },
        row_checks::GREATEST,
        sessions::{self, Logins},
    },
    error::{Code, Error, Kind},
    protocol::{room::RoomKind, time::Timestamp},
    rights::{Right, RoomFacts, Standing, allows},
};

/// More than one transaction takes.
const MOST_ENTRIES: i64 = 1_000;

mod begin;
mod changes;
mod context;
mod inherit;
mod later;
mod membership;
mod mentions;
mod opened;
mod own;
mod pass;
mod room;
mod say;
mod slow_mode;
mod threads;
mod unseen;

pub use own::Settlement;

use context::{Additions, Context, Mentioned};
use mentions::Called;
use pass::Pass;
use slow_mode::SlowMode;
use threads::Threads;

/// The moments that a transaction needs.
#[derive(Debug, Clone, Copy)]
pub struct At {
    /// What its changes bear, for people.
    pub stored: Timestamp,
    /// By the clock that no one can set: what has to live has to live now.
    pub clock: Timestamp,
}

/// What became of an entry.
#[derive(Debug)]
pub enum Stored {
    /// It is the room's change and message of this number.
    Posted {
        /// The number.
        id: i64,
        /// What there is to be told of it beside what was written.
        added: Added,
    },
    /// It is this change, or these.
    Changed {
        /// The message that was written or changed.
        id: i64,
        /// Each change with its message and its number.
        told: Vec<(i64, i64, Told)>,
    },
    /// All was so already, or it takes no number.
    Unchanged {
        /// The latest change.
        seq: i64,
    },
    /// The room that was to begin is there.
    Exists {
        /// Which it is.
        room_id: i64,
        /// Its latest change.
        seq: i64,
        /// Whoever asked for it had hidden it, and sees it again.
        shown: bool,
    },
    /// The message was so already.
    Same(Arc<Current>),
    /// The same sender had stored a message of this `client_id` before.
    Repeat {
        /// Its number.
        id: i64,
        /// The latest change to it.
        seq: i64,
        /// Its content, sealed; `None` when it has another since.
        content: Option<String>,
        /// When it was stored.
        at: Timestamp,
    },
    /// It may not be, or cannot be.
    Refused(Error),
}

/// What a transaction is to store.
#[derive(Debug, Clone, Copy, Default)]
pub struct Work<'a> {
    /// Changes of rooms, in their order.
    pub entries: &'a [&'a Entry],
    /// What members set for themselves; after the changes.
    pub settings: &'a [&'a Setting],
}

/// What a transaction has stored.
#[derive(Debug, Default)]
pub struct Done {
    /// What became of each entry.
    pub stored: Vec<Stored>,
    /// What became of the settings.
    pub settlement: Settlement,
}

impl Stored {
    /// This and what was done behind it in the same room: its message is this one's.
    fn and(self, next: Self) -> Self {
        match (self, next) {
            (Self::Changed { id, mut told }, Self::Changed { told: more, .. }) => {
                told.extend(more);
                Self::Changed { id, told }
            }
            (one, _) => one,
        }
    }
}

/// What a writer keeps between its transactions.
pub struct Road {
    members: Members,
    slow: SlowMode,
    vault: Arc<Vault>,
}

impl Road {
    pub fn new(vault: Arc<Vault>) -> Self {
        Self {
            members: Members::default(),
            slow: SlowMode::default(),
            vault,
        }
    }

    /// What is remembered of members does not hold any more.
    pub fn forget_members(&mut self) {
        self.members = Members::default();
    }

    /// Stores all entries in one transaction, in their order; the numbers of each room run on without a hole.
    ///
    /// # Errors
    /// [`WriteError`], for all of them together.
    pub fn store(
        &mut self,
        conn: &mut AnyConnection,
        Work { entries, settings }: Work<'_>,
        at: At,
    ) -> Result<Done, WriteError> {
        self.slow.forget();
        let drafts: Vec<DraftRow<'_>> = entries.iter().filter_map(|entry| draft(entry)).collect();
        let is_scheduled = |draft: &DraftRow<'_>| draft.later.is_some();
        if drafts.len() == entries.len() && !drafts.iter().any(is_scheduled) {
            let stored = write(conn, |conn| {
                let stored = self.store_as_new(conn, &drafts, at)?;
                let settlement = own::settle(conn, settings, at)?;
                Ok(Done { stored, settlement })
            });
            match stored {
                Err(WriteError::Refused(error))
                    if is_constraint_violation(&error) || error == BEGIN_AGAIN =>
                {
                    self.slow.take_back(at.clock);
                }
                outcome => return self.settled(outcome, at),
            }
        }
        let stored = write(conn, |conn| {
            let (vault, slow) = (&*self.vault, &self.slow);
            let pairs = entries.iter().filter_map(|entry| unseen::pair(entry));
            let unseen = unseen::list(conn, pairs, &self.members)?;
            let stored =
                Pass::begin(conn, (entries, &unseen), at, vault, slow)?.run(conn, entries)?;
            let settlement = own::settle(conn, settings, at)?;
            Ok(Done { stored, settlement })
        });
        self.settled(stored, at)
    }

    fn settled<T>(&self, outcome: Result<T, WriteError>, at: At) -> Result<T, WriteError> {
        if outcome.is_err() {
            self.slow.take_back(at.clock);
        }
        outcome
    }

    /// Nearly all messages are new and their senders' logins live, so they are inserted as if all were. The unique index is
    /// what finds the others, and the count of the rows; then all is begun again, with care.
    fn store_as_new(
        &mut self,
        conn: &mut AnyConnection,
        drafts: &[DraftRow<'_>],
        at: At,
    ) -> Result<Vec<Stored>, QueryError> {
        if drafts.is_empty() {
            return Ok(Vec::new());
        }
        let pairs = drafts.iter().map(|draft| (draft.room_id, draft.user_id));
        if !unseen::list(conn, pairs, &self.members)?.is_empty() {
            return Err(BEGIN_AGAIN);
        }
        let mut counts: BTreeMap<i64, i64> = BTreeMap::new();
        for draft in drafts {
            *counts.entry(draft.room_id).or_default() += 1;
        }
        let (rooms, are_taken) = match conn {
            AnyConnection::Postgres(conn) => (lock::take_numbers(conn, &counts)?, true),
            // There a round trip costs nothing, so the numbers that are really used are written afterwards.
            AnyConnection::Sqlite(_) => (lock::lock_rooms(conn, counts.into_keys())?, false),
        };
        let wanted = drafts.iter().map(|draft| (draft.room_id, draft.user_id));
        self.members.learn(conn, wanted, &rooms)?;
        // On PostgreSQL that would be one more round trip: there the insert finds those whose login has ended.
        let live = match conn {
            AnyConnection::Postgres(_) => None,
            AnyConnection::Sqlite(_) => Some(list_live(conn, drafts.iter().map(login), at)?),
        };
        // What a stranger is told takes a look, and so does whether a message in slow mode is a repeat. Who writes in a
        // direct room that they had hidden sees it from then on.
        let takes_a_look = |draft: &DraftRow<'_>| {
            let room = rooms.get(&draft.room_id);
            room.is_some_and(|room| {
                let member = self.members.find(room, draft.user_id);
                let is_stranger = member.is_none() && !room.is_general();
                room.slow_seconds > 0 || is_stranger || member.is_some_and(|who| who.has_hidden)
            })
        };
        if drafts.iter().any(takes_a_look) {
            return Err(BEGIN_AGAIN);
        }
        let context = Context::learn(conn, drafts)?;
        let bind = binder(&self.vault);
        let mut placed = place(drafts, None, at.stored, &bind, |draft, _| {
            check_live(draft, live.as_ref())?;
            let room = rooms.get(&draft.room_id).ok_or_else(Error::no_such_room)?;
            let member = self.members.find(room, draft.user_id);
            check_post(room, member, draft, &context, at)
        });
        let is_refused =
            |outcome: &numbering::Stored| matches!(outcome, numbering::Stored::Refused(_));
        // What may not be written now may have been stored before.
        let mut outcomes = drafts.iter().zip(&placed.outcomes);
        if outcomes.any(|(draft, outcome)| draft.client_id.is_some() && is_refused(outcome)) {
            return Err(BEGIN_AGAIN);
        }
        let mentioned = context.mention(&mut placed.rows, |room_id, user_id| {
            let room = rooms.get(&room_id)?;
            let member = self.members.find(room, user_id)?;
            Some((member.standing(at.clock), facts(room)))
        });
        insert_all(conn, &placed.rows, at)?;
        let told = context.write(conn, (&placed.rows, mentioned), at)?;
        if !are_taken || placed.outcomes.iter().any(is_refused) {
            let mut rooms = rooms;
            for (room_id, last) in &placed.last_ids {
                if let Some(room) = rooms.get_mut(room_id) {
                    (room.last_seq, room.last_id) = (*last, *last);
                }
            }
            let is_other = |room: &&Locked| are_taken || placed.last_ids.contains_key(&room.id);
            let others: Vec<&Locked> = rooms.values().filter(is_other).collect();
            lock::write_back(conn, &others)?;
        }
        Ok(stored(drafts, placed.outcomes, told))
    }
}

/// What became of these drafts.
fn stored(
    drafts: &[DraftRow<'_>],
    outcomes: Vec<numbering::Stored>,
    mut told: Additions,
) -> Vec<Stored> {
    let outcomes = drafts.iter().zip(outcomes);
    let whole = outcomes.map(|(draft, outcome)| match outcome {
        numbering::Stored::New { id } => Stored::Posted {
            id,
            added: told.remove(&(draft.room_id, id)).unwrap_or_default(),
        },
        outcome => Stored::from(outcome),
    });
    whole.collect()
}

impl From<numbering::Stored> for Stored {
    fn from(outcome: numbering::Stored) -> Self {
        match outcome {
            numbering::Stored::New { id } => Self::Posted {
                id,
                added: Added::default(),
            },
            numbering::Stored::Before {
                id,
                seq,
                content,
                created_at,
            } => Self::Repeat {
                id,
                seq,
                content,
                at: db::utc(created_at),
            },
            numbering::Stored::Refused(error) => Self::Refused(error),
        }
    }
}

/// The message that an entry is, if it is one.
fn draft(entry: &Entry) -> Option<DraftRow<'_>> {
    let Change::Post(post) = &entry.change else {
        return None;
    };
    Some(DraftRow {
        room_id: entry.room,
        user_id: entry.actor.user_id,
        session_id: entry.actor.session_id,
        client_id: post.client_id.as_deref(),
        content: &post.body.sealed,
        reply_to: post
            .reply_to
            .map(|id| i64::try_from(id).unwrap_or(i64::MAX)),
        username: &entry.actor.username,
        thread: post.thread.map(|id| i64::try_from(id).unwrap_or(i64::MAX)),
        thread_only: post.thread.is_some() && !post.also_to_room,
        candidates: &post.candidates,
        later: post.later.as_ref(),
    })
}

fn binder(vault: &Vault) -> impl Fn(Place, &str) -> String + '_ {
    |place, sealed| vault.bind(place, sealed)
}

fn login(draft: &DraftRow<'_>) -> (i64, i64) {
    (draft.session_id, draft.user_id)
}

fn list_live(
    conn: &mut AnyConnection,
    logins: impl Iterator<Item = (i64, i64)>,
    at: At,
) -> Result<Logins, QueryError> {
    sessions::list_live(conn, logins.collect(), at.clock)
}

fn check_live(draft: &DraftRow<'_>, live: Option<&Logins>) -> Result<(), Error> {
    if live.is_some_and(|live| !live.contains(&login(draft))) {
        return Err(Error::invalid_token());
    }
    Ok(())
}

/// Whether a member may write this; and where it then comes.
fn check_post(
    room: &Locked,
    member: Option<Member>,
    draft: &DraftRow<'_>,
    context: &Context,
    at: At,
) -> Result<Position, Error> {
    let standing = member.map_or(Standing::Stranger, |member| member.standing(at.clock));
    allows(standing, Right::Post, facts(room))?;
    check_numbers(room)?;
    if let Some(id) = draft.reply_to
        && !context.answered.contains(&(draft.room_id, id))
    {
        return Err(Error::new(
            Kind::NotFound,
            Code::MessageNotFound,
            "The message that this answers is not there, or was deleted.",
        ));
    }
    context.threads.check(draft)?;
    Ok(position(room))
}

fn facts(room: &Locked) -> RoomFacts {
    RoomFacts {
        // What no release has written is no one's to find.
        kind: room.kind.parse().unwrap_or(RoomKind::Private),
        is_archived: room.is_archived,
        is_general: room.is_general(),
    }
}

fn position(room: &Locked) -> Position {
    Position {
        last_seq: room.last_seq,
        last_id: room.last_id,
    }
}

/// Gives no number that JavaScript does not keep exact. No room comes that far by counting; one that was put there by hand
/// would give the same number twice in the end, or one below all others.
fn check_numbers(room: &Locked) -> Result<(), Error> {
    if room.last_seq <= GREATEST - MOST_ENTRIES {
        return Ok(());
    }
    let Locked { id, last_seq, .. } = room;
    log::error!(
        "room {id} has counted {last_seq} changes, which leaves no numbers: rooms.last_seq, or a number of a message, was changed by hand and has to be put right (`parlour doctor` says more)"
    );
    Err(Error::store_unavailable())
}

/// Inserts all rows. Fails with [`BEGIN_AGAIN`] when a login has ended.
fn insert_all(conn: &mut AnyConnection, rows: &[NewMessage<'_>], at: At) -> Result<(), QueryError> {
    if posts::insert(conn, rows, at.clock)? == rows.len() {
        Ok(())
    } else {
        Err(BEGIN_AGAIN)
    }
}

#[cfg(test)]
mod tests;
