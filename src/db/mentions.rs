//! Mentions: who is mentioned where, as it is stored, and who is called so in a room.

use diesel::{
    prelude::*,
    sql_query,
    sql_types::{Array, BigInt, Nullable},
};

use super::{
    AnyConnection,
    schema::{memberships, mentions, messages, users},
};
use crate::protocol::mention::Mention;

/// In the place of a user: all in the room.
pub const ALL: i64 = 0;
/// In the place of a user: those in the room who are there.
const THERE: i64 = -1;

/// A place in a text where perhaps someone is mentioned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Where, in code points: at the `@`.
    pub from: u32,
    /// What follows that, in lower case: all characters that names can have. The name may be shorter by what marks up.
    pub word: String,
}

/// Mentions as they are stored with their message; `None` for none.
#[must_use]
pub fn write(mentions: &[Mention]) -> Option<String> {
    let triple = |one: &Mention| {
        let everyone = if one.room { ALL } else { THERE };
        (one.user_id.unwrap_or(everyone), one.from, one.to)
    };
    let triples: Vec<(i64, u32, u32)> = mentions.iter().map(triple).collect();
    (!triples.is_empty())
        .then(|| serde_json::to_string(&triples).ok())
        .flatten()
}

/// Mentions as they were stored with their message. What no one has written so is none.
#[must_use]
pub fn read(stored: Option<&str>) -> Vec<Mention> {
    let triples = stored.and_then(|json| serde_json::from_str(json).ok());
    let triples: Vec<(i64, u32, u32)> = triples.unwrap_or_default();
    let mention = |(user, from, to): (i64, u32, u32)| Mention {
        user_id: (user > ALL).then_some(user),
        room: user == ALL,
        here: user < ALL,
        from,
        to,
    };
    triples.into_iter().map(mention).collect()
}

/// A mention that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// The room.
    pub room_id: i64,
    /// Who; [`ALL`] for all.
    pub user_id: i64,
    /// Where.
    pub message_id: i64,
    /// The thread in which alone that stands.
    pub thread: Option<i64>,
}

/// Those of these names, in lower case, that members of a room have: number and name.
///
/// # Errors
/// When the database fails.
pub fn list_called(
    conn: &mut AnyConnection,
    room_id: i64,
    names: Vec<String>,
) -> QueryResult<Vec<(i64, String)>> {
    let called = memberships::table
        .inner_join(users::table)
        .filter(memberships::room_id.eq(room_id))
        .filter(users::username_key.eq_any(names))
        .filter(users::deleted_at.is_null())
        .select((users::id, users::username_key));
    on_either!(conn, called.load())
}

/// Notes mentions.
///
/// # Errors
/// When the database fails.
pub fn insert(conn: &mut AnyConnection, rows: &[Counted]) -> QueryResult<()> {
    if rows.is_empty() {
        return Ok(());
    }
    match conn {
        AnyConnection::Postgres(conn) => {
            let column = |get: fn(&Counted) -> i64| rows.iter().map(get).collect::<Vec<i64>>();
            let threads: Vec<Option<i64>> = rows.iter().map(|row| row.thread).collect();
            sql_query(
                "INSERT INTO mentions (room_id, user_id, message_id, thread) SELECT * FROM unnest($1, $2, $3, $4)",
            )
            .bind::<Array<BigInt>, _>(column(|row| row.room_id))
            .bind::<Array<BigInt>, _>(column(|row| row.user_id))
            .bind::<Array<BigInt>, _>(column(|row| row.message_id))
            .bind::<Array<Nullable<BigInt>>, _>(threads)
            .execute(conn)?;
        }
        AnyConnection::Sqlite(conn) => {
            for row in rows {
                diesel::insert_into(mentions::table)
                    .values((
                        mentions::room_id.eq(row.room_id),
                        mentions::user_id.eq(row.user_id),
                        mentions::message_id.eq(row.message_id),
                        mentions::thread.eq(row.thread),
                    ))
                    .execute(conn)?;
            }
        }
    }
    Ok(())
}

/// Takes back all mentions of a message.
///
/// # Errors
/// When the database fails.
pub fn delete(conn: &mut AnyConnection, room_id: i64, message_id: i64) -> QueryResult<()> {
    let of_message = mentions::table
        .filter(mentions::room_id.eq(room_id))
        .filter(mentions::message_id.eq(message_id));
    diesel::delete(of_message).execute(conn).map(|_| ())
}

/// Gives a message other mentions, as they are stored with it.
///
/// # Errors
/// When the database fails.
pub fn set(
    conn: &mut AnyConnection,
    room_id: i64,
    message_id: i64,
    written: Option<&str>,
) -> QueryResult<()> {
    diesel::update(messages::table.find((room_id, message_id)))
        .set(messages::mentions.eq(written))
        .execute(conn)
        .map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mentions_are_read_as_they_were_written() {
        let one = |user_id: Option<i64>, room, here| Mention {
            user_id,
            room,
            here,
            from: 3,
            to: 9,
        };
        let all = vec![
            one(Some(7), false, false),
            one(None, true, false),
            one(None, false, true),
        ];
        let written = write(&all).expect("there are some");
        assert_eq!(read(Some(&written)), all);
        assert_eq!(write(&[]), None);
        for odd in [None, Some(""), Some("[[1]]"), Some("{}")] {
            assert_eq!(read(odd), []);
        }
    }
}
