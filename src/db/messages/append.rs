//! Appending to the logs of rooms: one transaction for all that waits, in as few round trips as can be.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use diesel::{prelude::*, result::Error as DieselError};

use super::{
    Appended, DraftRow,
    insert::insert,
    lock::{Locked, Rooms, lock_rooms, take_numbers},
    members::Members,
    messages,
    numbering::{Bind, Known, NewMessage, place},
};
use crate::{
    db::{
        AnyConnection,
        conn::{WriteError, write},
        is_unique_violation,
        rooms::{find_greatest, say_healed},
        row_checks::GREATEST,
        schema::rooms,
        sessions::{self, Logins},
        time::StoredTime,
    },
    protocol::time::Timestamp,
};

/// Appends all drafts in one transaction, in their order; the numbers of each room run on without a hole. The room's
/// row is locked while its numbers are taken, so that the order of commits and the order of numbers are one.
///
/// # Errors
/// [`WriteError`], for all of them together.
pub fn append(
    conn: &mut AnyConnection,
    drafts: &[DraftRow<'_>],
    at: At,
    members: &mut Members,
    bind: &Bind,
) -> Result<Vec<Appended>, WriteError> {
    // Nearly all drafts are new and their logins live, so they are inserted as if all were. The unique index is what finds
    // the others, and the count of the rows; then all is begun again, with care.
    match write(conn, |conn| append_as_new(conn, drafts, at, members, bind)) {
        Err(WriteError::Refused(error)) if is_unique_violation(&error) || error == BEGIN_AGAIN => {
            write(conn, |conn| append_checked(conn, drafts, at, members, bind))
        }
        outcome => outcome,
    }
}

/// Fewer rows were inserted than there are: a login has ended.
const BEGIN_AGAIN: DieselError = DieselError::RollbackTransaction;

/// The moments that an append needs.
#[derive(Debug, Clone, Copy)]
pub struct At {
    /// What the messages bear, for people.
    pub stored: Timestamp,
    /// When the logins have to live, by the clock that no one can set.
    pub logins: Timestamp,
}

/// Takes a number for every draft, and gives those back that no one may have.
fn append_as_new(
    conn: &mut AnyConnection,
    drafts: &[DraftRow<'_>],
    at: At,
    members: &mut Members,
    bind: &Bind,
) -> QueryResult<Vec<Appended>> {
    let mut counts: BTreeMap<i64, i64> = BTreeMap::new();
    for draft in drafts {
        *counts.entry(draft.room_id).or_default() += 1;
    }
    let (rooms, are_taken) = match conn {
        AnyConnection::Postgres(conn) => (take_numbers(conn, &counts)?, true),
        // There a round trip costs nothing, so the numbers that are really used are written afterwards.
        AnyConnection::Sqlite(_) => (lock_rooms(conn, counts.into_keys())?, false),
    };
    check_numbers(&rooms, drafts.len())?;
    members.learn(conn, drafts, &rooms)?;
    // On PostgreSQL that would be one more round trip: there the insert finds those whose login has ended.
    let live = match conn {
        AnyConnection::Postgres(_) => None,
        AnyConnection::Sqlite(_) => Some(list_live(conn, drafts, at)?),
    };
    let placed = place(drafts, None, at.stored, bind, |draft| {
        allowed(draft, &rooms, members, live.as_ref())
    });
    insert_all(conn, &placed.rows, at)?;
    let is_refused =
        |outcome: &Appended| matches!(outcome, Appended::NoSuchRoom | Appended::LoginEnded);
    if !are_taken || placed.outcomes.iter().any(is_refused) {
        for room in rooms.values() {
            let last = placed.last_ids.get(&room.id).copied();
            if are_taken || last.is_some() {
                let (seq, id) = last.map_or((room.last_seq, room.last_id), |id| (id, id));
                update_last(conn, room.id, seq, id)?;
            }
        }
    }
    Ok(placed.outcomes)
}

/// Looks whose login lives, who is a member and what was stored before, and takes no number that is not needed.
fn append_checked(
    conn: &mut AnyConnection,
    drafts: &[DraftRow<'_>],
    at: At,
    members: &mut Members,
    bind: &Bind,
) -> QueryResult<Vec<Appended>> {
    let ids: BTreeSet<i64> = drafts.iter().map(|draft| draft.room_id).collect();
    let mut rooms = lock_rooms(conn, ids.into_iter())?;
    for room in rooms.values_mut() {
        // A count that was lowered by hand would have every message refused as one that is there already.
        let (id, seq) = find_greatest(conn, room.id)?;
        room.last_id = room.last_id.max(id);
        if seq > room.last_seq {
            say_healed(room.id, room.last_seq, seq);
            room.last_seq = seq;
        }
    }
    check_numbers(&rooms, drafts.len())?;
    members.learn(conn, drafts, &rooms)?;
    let live = list_live(conn, drafts, at)?;
    let known = list_known(conn, drafts, &rooms)?;
    let placed = place(drafts, Some(&known), at.stored, bind, |draft| {
        allowed(draft, &rooms, members, Some(&live))
    });
    insert_all(conn, &placed.rows, at)?;
    for (room_id, last) in placed.last_ids {
        update_last(conn, room_id, last, last)?;
    }
    Ok(placed.outcomes)
}

/// Gives no number that JavaScript does not keep exact. No room comes that far by counting; one that was put there by hand
/// would give the same number twice in the end, or one below all others.
fn check_numbers(rooms: &Rooms, count: usize) -> QueryResult<()> {
    let most = i64::try_from(count).map_or(0, |count| GREATEST - count);
    match rooms.values().find(|room| room.last_seq > most) {
        None => Ok(()),
        Some(Locked { id, last_seq, .. }) => Err(DieselError::QueryBuilderError(
            format!(
                "room {id} has counted {last_seq} changes, which leaves no numbers: rooms.last_seq, or a number of a message, was changed by hand and has to be put right (`parlour doctor` says more)"
            )
            .into(),
        )),
    }
}

fn update_last(conn: &mut AnyConnection, room_id: i64, seq: i64, id: i64) -> QueryResult<()> {
    diesel::update(rooms::table.find(room_id))
        .set((rooms::last_seq.eq(seq), rooms::last_message_id.eq(id)))
        .execute(conn)?;
    Ok(())
}

/// Inserts all rows. Fails with [`BEGIN_AGAIN`] when a login has ended.
fn insert_all(conn: &mut AnyConnection, rows: &[NewMessage<'_>], at: At) -> QueryResult<()> {
    if insert(conn, rows, at.logins)? == rows.len() {
        Ok(())
    } else {
        Err(BEGIN_AGAIN)
    }
}

fn list_live(conn: &mut AnyConnection, drafts: &[DraftRow<'_>], at: At) -> QueryResult<Logins> {
    let logins = drafts
        .iter()
        .map(|draft| (draft.session_id, draft.user_id))
        .collect();
    sessions::list_live(conn, logins, at.logins)
}

/// The room that a draft is for, if its sender is a member of it. With `live` logins, the sender's has to be among them.
fn allowed(
    draft: &DraftRow<'_>,
    rooms: &Rooms,
    members: &Members,
    live: Option<&Logins>,
) -> Result<Locked, Appended> {
    if live.is_some_and(|live| !live.contains(&(draft.session_id, draft.user_id))) {
        return Err(Appended::LoginEnded);
    }
    rooms
        .get(&draft.room_id)
        .filter(|room| members.contains(room, draft.user_id))
        .copied()
        .ok_or(Appended::NoSuchRoom)
}

/// Room, sender and `client_id`; and what was stored under it.
type Found = (i64, i64, String, (i64, i64, String, StoredTime));

/// Those of the drafts that were stored before, by room, sender and `client_id`.
fn list_known<'a>(
    conn: &mut AnyConnection,
    drafts: &[DraftRow<'a>],
    rooms: &Rooms,
) -> QueryResult<Known<'a>> {
    let names: HashSet<(i64, i64, &'a str)> = drafts
        .iter()
        .filter_map(|draft| {
            Some((
                rooms.get(&draft.room_id)?.id,
                draft.user_id,
                draft.client_id?,
            ))
        })
        .collect();
    if names.is_empty() {
        return Ok(Known::new());
    }
    let one_of = |id: fn(&(i64, i64, &'a str)) -> i64| -> Vec<i64> {
        names
            .iter()
            .map(id)
            .collect::<HashSet<_>>()
            .into_iter()
            .collect()
    };
    // It may find more than was asked for, of the same people in the same rooms.
    let query = messages::table
        .filter(messages::room_id.eq_any(one_of(|name| name.0)))
        .filter(messages::user_id.eq_any(one_of(|name| name.1)))
        .filter(messages::client_id.eq_any(names.iter().map(|name| name.2).collect::<Vec<_>>()))
        .select((
            messages::room_id,
            messages::user_id,
            messages::client_id.assume_not_null(),
            (
                messages::id,
                messages::seq,
                messages::content,
                messages::created_at,
            ),
        ));
    let found: Vec<Found> = match conn {
        AnyConnection::Postgres(conn) => query.load(conn)?,
        AnyConnection::Sqlite(conn) => query.load(conn)?,
    };
    let mut found: HashMap<(i64, i64, String), _> = found
        .into_iter()
        .map(|(room_id, user_id, client_id, stored)| ((room_id, user_id, client_id), stored))
        .collect();
    let known = names.into_iter().filter_map(|name| {
        let (id, seq, content, at) = found.remove(&(name.0, name.1, name.2.to_owned()))?;
        Some((name, (id, seq, content, at.get())))
    });
    Ok(known.collect())
}
