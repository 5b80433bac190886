//! Giving messages of an older release what binds their texts to their places.

use diesel::{
    prelude::*,
    sql_query,
    sql_types::{Array, BigInt, Text},
};

use super::messages;
use crate::db::{AnyConnection, text::StoredText};

/// The next number of a room that a message has, after one number and up to another.
///
/// # Errors
/// When the database fails.
pub fn find_next(
    conn: &mut AnyConnection,
    room_id: i64,
    (after, until): (i64, i64),
) -> QueryResult<Option<i64>> {
    messages::table
        .filter(messages::room_id.eq(room_id))
        .filter(messages::id.gt(after))
        .filter(messages::id.le(until))
        .order(messages::id.asc())
        .select(messages::id)
        .first(conn)
        .optional()
}

/// Messages of a room after one number and up to another whose text nothing binds, with author and sealed text, oldest
/// first.
///
/// # Errors
/// When the database fails.
pub fn list_without_mac(
    conn: &mut AnyConnection,
    room_id: i64,
    (after, until): (i64, i64),
    limit: i64,
) -> QueryResult<Vec<(i64, i64, String)>> {
    let found: Vec<(i64, i64, StoredText)> = messages::table
        .filter(messages::room_id.eq(room_id))
        .filter(messages::id.gt(after))
        .filter(messages::id.le(until))
        .filter(messages::mac.is_null())
        .filter(messages::deleted_at.is_null())
        .order(messages::id.asc())
        .limit(limit)
        .select((messages::id, messages::user_id, messages::content))
        .load(conn)?;
    let found = found.into_iter();
    Ok(found
        .map(|(id, author, text)| (id, author, text.into()))
        .collect())
}

/// Gives messages of a room, by their numbers, what binds their texts; not those that have got it meanwhile.
///
/// # Errors
/// When the database fails.
pub fn set_macs(
    conn: &mut AnyConnection,
    room_id: i64,
    macs: Vec<(i64, String)>,
) -> QueryResult<()> {
    match conn {
        AnyConnection::Postgres(conn) => {
            let (ids, macs): (Vec<i64>, Vec<String>) = macs.into_iter().unzip();
            sql_query(
                "UPDATE messages SET mac = new.mac FROM unnest($2, $3) AS new (id, mac) \
                 WHERE messages.room_id = $1 AND messages.id = new.id AND messages.mac IS NULL",
            )
            .bind::<BigInt, _>(room_id)
            .bind::<Array<BigInt>, _>(ids)
            .bind::<Array<Text>, _>(macs)
            .execute(conn)?;
        }
        AnyConnection::Sqlite(conn) => {
            for (id, mac) in macs {
                let row = messages::table.find((room_id, id));
                diesel::update(row.filter(messages::mac.is_null()))
                    .set(messages::mac.eq(mac))
                    .execute(conn)?;
            }
        }
    }
    Ok(())
}
