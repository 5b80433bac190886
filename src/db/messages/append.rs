//! Appending to the logs of rooms: one transaction for all that waits, in as few round trips as can be.

use std::collections::{BTreeMap, HashMap, HashSet};

use diesel::{prelude::*, result::Error as DieselError};

use super::{
    Appended, Draft,
    insert::insert,
    members::Members,
    messages,
    numbering::{Known, Placed, place},
};
use crate::{
    db::{
        AnyConnection,
        conn::{WriteError, write},
        is_unique_violation,
        schema::rooms,
    },
    protocol::time::Timestamp,
};

/// A room whose row is locked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Locked {
    pub id: i64,
    /// Its latest change before this transaction.
    pub last_seq: i64,
    /// How often somebody was taken out of it.
    pub evictions: i64,
}

/// The rooms of a transaction, by name.
pub(super) type Rooms<'a> = HashMap<&'a str, Locked>;

/// Appends all drafts in one transaction, in their order; the numbers of each room run on without a hole. The room's
/// row is locked while its numbers are taken, so that the order of commits and the order of numbers are one.
///
/// # Errors
/// [`WriteError`], for all of them together.
pub fn append(
    conn: &mut AnyConnection,
    drafts: &[Draft<'_>],
    now: Timestamp,
    members: &mut Members,
) -> Result<Vec<Appended>, WriteError> {
    // Nearly all drafts are new and their senders members, so they are inserted as if all were. The unique index and the
    // members tell of the others; then all is begun anew, with care.
    match write(conn, |conn| hope(conn, drafts, now, members)) {
        Err(WriteError::Refused(error))
            if is_unique_violation(&error) || error == DieselError::RollbackTransaction =>
        {
            write(conn, |conn| look_first(conn, drafts, now, members))
        }
        outcome => outcome,
    }
}

/// Takes a number for every draft. [`DieselError::RollbackTransaction`] when one of them may not have any.
fn hope(
    conn: &mut AnyConnection,
    drafts: &[Draft<'_>],
    now: Timestamp,
    members: &mut Members,
) -> QueryResult<Vec<Appended>> {
    let rooms = take_numbers(conn, drafts)?;
    members.learn(conn, drafts, &rooms)?;
    let allowed = |draft: &Draft<'_>| allowed(draft, &rooms, members);
    if !drafts.iter().all(|draft| allowed(draft).is_some()) {
        return Err(DieselError::RollbackTransaction);
    }
    let Placed { rows, outcomes, .. } = place(drafts, None, now, allowed);
    insert(conn, &rows)?;
    Ok(outcomes)
}

/// Looks who is a member and what was stored before, and takes no number that is not needed.
fn look_first(
    conn: &mut AnyConnection,
    drafts: &[Draft<'_>],
    now: Timestamp,
    members: &mut Members,
) -> QueryResult<Vec<Appended>> {
    let rooms = lock_rooms(conn, drafts)?;
    members.learn(conn, drafts, &rooms)?;
    let known = list_known(conn, drafts, &rooms)?;
    let placed = place(drafts, Some(&known), now, |draft| {
        allowed(draft, &rooms, members)
    });
    insert(conn, &placed.rows)?;
    for (room_id, last_seq) in placed.last_seqs {
        diesel::update(rooms::table.find(room_id))
            .set(rooms::last_seq.eq(last_seq))
            .execute(conn)?;
    }
    Ok(placed.outcomes)
}

/// The room that a draft is for, with its latest change, if its sender is a member of it.
fn allowed(draft: &Draft<'_>, rooms: &Rooms<'_>, members: &Members) -> Option<(i64, i64)> {
    let room = rooms.get(draft.room)?;
    members
        .contains(room, draft.user_id)
        .then_some((room.id, room.last_seq))
}

/// Locks each room and counts it up by its drafts, in one round trip for each.
fn take_numbers<'a>(conn: &mut AnyConnection, drafts: &[Draft<'a>]) -> QueryResult<Rooms<'a>> {
    // Always in the same order, so that two writers cannot wait for each other.
    let mut counts: BTreeMap<&'a str, i64> = BTreeMap::new();
    for draft in drafts {
        *counts.entry(draft.room).or_default() += 1;
    }
    let mut found = HashMap::new();
    for (name, count) in counts {
        let query = diesel::update(rooms::table.filter(rooms::name.eq(name)))
            .set(rooms::last_seq.eq(rooms::last_seq + count))
            .returning((rooms::id, rooms::last_seq, rooms::evictions));
        let row: Option<(i64, i64, i64)> = match conn {
            AnyConnection::Postgres(conn) => query.get_result(conn).optional()?,
            AnyConnection::Sqlite(conn) => query.get_result(conn).optional()?,
        };
        if let Some((id, last_seq, evictions)) = row {
            let last_seq = last_seq - count;
            found.insert(
                name,
                Locked {
                    id,
                    last_seq,
                    evictions,
                },
            );
        }
    }
    Ok(found)
}

fn lock_rooms<'a>(conn: &mut AnyConnection, drafts: &[Draft<'a>]) -> QueryResult<Rooms<'a>> {
    let names: HashSet<&'a str> = drafts.iter().map(|draft| draft.room).collect();
    let query = rooms::table
        .filter(rooms::name.eq_any(names.iter().copied().collect::<Vec<_>>()))
        // As in `take_numbers`.
        .order(rooms::name)
        .select((rooms::name, rooms::id, rooms::last_seq, rooms::evictions));
    let found: Vec<(String, i64, i64, i64)> = match conn {
        // Not `FOR UPDATE`: that would wait for everyone who becomes a member of the room, and they for us.
        AnyConnection::Postgres(conn) => query.for_no_key_update().load(conn)?,
        // BEGIN IMMEDIATE has made us the only writer.
        AnyConnection::Sqlite(conn) => query.load(conn)?,
    };
    let locked = |(name, id, last_seq, evictions): (String, _, _, _)| {
        let locked = Locked {
            id,
            last_seq,
            evictions,
        };
        Some((*names.get(name.as_str())?, locked))
    };
    Ok(found.into_iter().filter_map(locked).collect())
}

/// Those of the drafts that were stored before, by room, sender and `client_id`.
fn list_known<'a>(
    conn: &mut AnyConnection,
    drafts: &[Draft<'a>],
    rooms: &Rooms<'_>,
) -> QueryResult<Known<'a>> {
    let mut known = HashMap::new();
    for draft in drafts {
        let (Some(Locked { id: room_id, .. }), Some(client_id)) =
            (rooms.get(draft.room), draft.client_id)
        else {
            continue;
        };
        let found = messages::table
            .filter(messages::room_id.eq(room_id))
            .filter(messages::user_id.eq(draft.user_id))
            .filter(messages::client_id.eq(client_id))
            .select((
                messages::id,
                messages::seq,
                messages::content,
                messages::created_at,
            ))
            .first(conn)
            .optional()?;
        if let Some(found) = found {
            known.insert((*room_id, draft.user_id, client_id), found);
        }
    }
    Ok(known)
}
