//! Holding an account and the rooms that it is in, for whoever disables or deletes it: on `PostgreSQL`, someone may bring it
//! into another room at the same moment.

use diesel::{connection::Connection as _, prelude::*};

use super::changes::end_sessions;
use crate::db::{
    AnyConnection,
    log::{BEGIN_AGAIN, lock::lock_rooms},
    schema::{memberships, users},
};

/// How often it is begun again for someone who comes into rooms all the while.
const TRIES: usize = 20;

/// Keeps all that has to do with an account as it is until the transaction ends, and tells the rooms that it is in: no one
/// changes their members meanwhile, nor brings the account into another. With `ends_logins`, ends its logins.
///
/// # Errors
/// When the database fails.
pub(super) fn hold_with_rooms(
    conn: &mut AnyConnection,
    user_id: i64,
    ends_logins: bool,
) -> QueryResult<Vec<i64>> {
    if let AnyConnection::Sqlite(_) = conn {
        // BEGIN IMMEDIATE has made us the only writer.
        if ends_logins {
            end_sessions(conn, user_id, None)?;
        }
        return list_rooms(conn, user_id);
    }
    let mut tries = 0;
    loop {
        // A savepoint: when it is rolled back, its locks are free, and all rooms can be locked in their order again.
        match conn.transaction(|conn| try_to_hold(conn, user_id, ends_logins)) {
            Err(error) if error == BEGIN_AGAIN && tries < TRIES => tries += 1,
            outcome => return outcome,
        }
    }
}

/// Locks in the order of the journal and of whoever logs in, neither of whom then waits for us while we wait for them: the
/// rooms, then whatever changes the account, then its logins, and at last whatever refers to it. Only with that no one can
/// come into a room; whoever came into one before that has us begin again.
fn try_to_hold(conn: &mut AnyConnection, user_id: i64, ends_logins: bool) -> QueryResult<Vec<i64>> {
    let room_ids = list_rooms(conn, user_id)?;
    lock_rooms(conn, room_ids.iter().copied())?;
    let row = users::table.find(user_id).select(users::id);
    if let AnyConnection::Postgres(conn) = conn {
        row.for_no_key_update().execute(conn)?;
    }
    if ends_logins {
        end_sessions(conn, user_id, None)?;
    }
    if let AnyConnection::Postgres(conn) = conn {
        row.for_update().execute(conn)?;
    }
    let now = list_rooms(conn, user_id)?;
    if now.iter().any(|id| !room_ids.contains(id)) {
        return Err(BEGIN_AGAIN);
    }
    Ok(now)
}

/// The rooms that a user is in, in the order in which the journal locks them.
fn list_rooms(conn: &mut AnyConnection, user_id: i64) -> QueryResult<Vec<i64>> {
    memberships::table
        .filter(memberships::user_id.eq(user_id))
        .order(memberships::room_id)
        .select(memberships::room_id)
        .load(conn)
}
