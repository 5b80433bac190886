//! Appending to the logs of rooms: one transaction for all that waits, in as few round trips as can be.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use diesel::{prelude::*, result::Error as DieselError};

use super::{
    Appended, DraftRow,
    insert::insert,
    members::Members,
    messages,
    numbering::{Known, NewMessage, place},
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
    drafts: &[DraftRow<'_>],
    at: At,
    members: &mut Members,
) -> Result<Vec<Appended>, WriteError> {
    // Nearly all drafts are new and their logins live, so they are inserted as if all were. The unique index is what finds
    // the others, and the count of the rows; then all is begun again, with care.
    match write(conn, |conn| append_as_new(conn, drafts, at, members)) {
        Err(WriteError::Refused(error)) if is_unique_violation(&error) || error == BEGIN_AGAIN => {
            write(conn, |conn| append_checked(conn, drafts, at, members))
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

/// Takes a number for every draft, and gives those back that nobody may have.
fn append_as_new(
    conn: &mut AnyConnection,
    drafts: &[DraftRow<'_>],
    at: At,
    members: &mut Members,
) -> QueryResult<Vec<Appended>> {
    let rooms = take_numbers(conn, drafts)?;
    check_numbers(&rooms, drafts.len())?;
    members.learn(conn, drafts, &rooms)?;
    // On PostgreSQL that would be one more round trip: there the insert finds those whose login has ended.
    let live = match conn {
        AnyConnection::Postgres(_) => None,
        AnyConnection::Sqlite(_) => Some(list_live(conn, drafts, at)?),
    };
    let placed = place(drafts, None, at.stored, |draft| {
        allowed(draft, &rooms, members, live.as_ref())
    });
    insert_all(conn, &placed.rows, at)?;
    let is_refused =
        |outcome: &Appended| matches!(outcome, Appended::NoSuchRoom | Appended::LoginEnded);
    if placed.outcomes.iter().any(is_refused) {
        for room in rooms.values() {
            let last_seq = placed.last_seqs.get(&room.id).unwrap_or(&room.last_seq);
            update_last_seq(conn, room.id, *last_seq)?;
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
) -> QueryResult<Vec<Appended>> {
    let mut rooms = lock_rooms(conn, drafts)?;
    for room in rooms.values_mut() {
        // A count that was lowered by hand would have every message refused as one that is there already.
        let greatest = find_greatest(conn, room.id)?;
        if greatest > room.last_seq {
            say_healed(room.id, room.last_seq, greatest);
            room.last_seq = greatest;
        }
    }
    check_numbers(&rooms, drafts.len())?;
    members.learn(conn, drafts, &rooms)?;
    let live = list_live(conn, drafts, at)?;
    let known = list_known(conn, drafts, &rooms)?;
    let placed = place(drafts, Some(&known), at.stored, |draft| {
        allowed(draft, &rooms, members, Some(&live))
    });
    insert_all(conn, &placed.rows, at)?;
    for (room_id, last_seq) in placed.last_seqs {
        update_last_seq(conn, room_id, last_seq)?;
    }
    Ok(placed.outcomes)
}

/// Gives no number that JavaScript does not keep exact. No room comes that far by counting; one that was put there by hand
/// would give the same number twice in the end, or one below all others.
fn check_numbers(rooms: &Rooms<'_>, count: usize) -> QueryResult<()> {
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

fn update_last_seq(conn: &mut AnyConnection, room_id: i64, last_seq: i64) -> QueryResult<()> {
    diesel::update(rooms::table.find(room_id))
        .set(rooms::last_seq.eq(last_seq))
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

/// The room that a draft is for, with its latest change, if its sender is a member of it. With `live` logins, the
/// sender's has to be among them.
fn allowed(
    draft: &DraftRow<'_>,
    rooms: &Rooms<'_>,
    members: &Members,
    live: Option<&Logins>,
) -> Result<(i64, i64), Appended> {
    if live.is_some_and(|live| !live.contains(&(draft.session_id, draft.user_id))) {
        return Err(Appended::LoginEnded);
    }
    rooms
        .get(draft.room)
        .filter(|room| members.contains(room, draft.user_id))
        .map(|room| (room.id, room.last_seq))
        .ok_or(Appended::NoSuchRoom)
}

/// Locks each room and counts it up by its drafts, in one round trip for each.
fn take_numbers<'a>(conn: &mut AnyConnection, drafts: &[DraftRow<'a>]) -> QueryResult<Rooms<'a>> {
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

fn lock_rooms<'a>(conn: &mut AnyConnection, drafts: &[DraftRow<'a>]) -> QueryResult<Rooms<'a>> {
    // In the order of `take_numbers`. (The database's own order of texts may be another one.)
    let names: BTreeSet<&'a str> = drafts.iter().map(|draft| draft.room).collect();
    let mut found = HashMap::new();
    for name in names {
        let query = rooms::table.filter(rooms::name.eq(name)).select((
            rooms::id,
            rooms::last_seq,
            rooms::evictions,
        ));
        let row: Option<(i64, i64, i64)> = match conn {
            // Not `FOR UPDATE`: that would wait for everyone who becomes a member of the room, and they for us.
            AnyConnection::Postgres(conn) => query.for_no_key_update().first(conn).optional()?,
            // BEGIN IMMEDIATE has made us the only writer.
            AnyConnection::Sqlite(conn) => query.first(conn).optional()?,
        };
        if let Some((id, last_seq, evictions)) = row {
            let locked = Locked {
                id,
                last_seq,
                evictions,
            };
            found.insert(name, locked);
        }
    }
    Ok(found)
}

/// Room, sender and `client_id`; and what was stored under it.
type Found = (i64, i64, String, (i64, i64, String, StoredTime));

/// Those of the drafts that were stored before, by room, sender and `client_id`.
fn list_known<'a>(
    conn: &mut AnyConnection,
    drafts: &[DraftRow<'a>],
    rooms: &Rooms<'_>,
) -> QueryResult<Known<'a>> {
    let names: HashSet<(i64, i64, &'a str)> = drafts
        .iter()
        .filter_map(|draft| Some((rooms.get(draft.room)?.id, draft.user_id, draft.client_id?)))
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
