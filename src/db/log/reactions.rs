//! Reactions to messages.

use diesel::{
    prelude::*,
    sql_query,
    sql_types::{BigInt, Nullable, Text},
};

use super::edits::Numbered;
use crate::db::{
    AnyConnection,
    row_checks::GREATEST,
    schema::{reactions, users},
};

/// Most who are named under an emoji.
const MOST_NAMED: i64 = 20;

/// Whether this person has reacted with this emoji.
///
/// # Errors
/// When the database fails.
pub fn is_there(
    conn: &mut AnyConnection,
    change: Numbered,
    emoji: &str,
    user_id: i64,
) -> QueryResult<bool> {
    let found: Option<i64> = reactions::table
        .find((change.room_id, change.id, emoji, user_id))
        .select(reactions::seq)
        .get_result(conn)
        .optional()?;
    Ok(found.is_some())
}

/// How many kinds of emoji a message has, whether this is one of them, and how many this person has put there.
///
/// # Errors
/// When the database fails.
pub fn count(
    conn: &mut AnyConnection,
    change: Numbered,
    emoji: &str,
    user_id: i64,
) -> QueryResult<(i64, bool, i64)> {
    let of_message = reactions::table
        .filter(reactions::room_id.eq(change.room_id))
        .filter(reactions::message_id.eq(change.id));
    let kinds: Vec<String> = of_message.select(reactions::emoji).distinct().load(conn)?;
    let own = of_message
        .filter(reactions::user_id.eq(user_id))
        .count()
        .get_result(conn)?;
    let is_known = kinds.iter().any(|kind| kind == emoji);
    Ok((
        i64::try_from(kinds.len()).unwrap_or(i64::MAX),
        is_known,
        own,
    ))
}

/// Notes a reaction.
///
/// # Errors
/// When the database fails.
pub fn insert(
    conn: &mut AnyConnection,
    change: Numbered,
    emoji: &str,
    user_id: i64,
) -> QueryResult<()> {
    diesel::insert_into(reactions::table)
        .values((
            reactions::room_id.eq(change.room_id),
            reactions::message_id.eq(change.id),
            reactions::emoji.eq(emoji),
            reactions::user_id.eq(user_id),
            reactions::seq.eq(change.seq),
            reactions::created_at.eq(change.at),
        ))
        .execute(conn)?;
    Ok(())
}

/// Takes a reaction back.
///
/// # Errors
/// When the database fails.
pub fn delete(
    conn: &mut AnyConnection,
    change: Numbered,
    emoji: &str,
    user_id: i64,
) -> QueryResult<()> {
    diesel::delete(reactions::table.find((change.room_id, change.id, emoji, user_id)))
        .execute(conn)?;
    Ok(())
}

/// Those who have reacted to a message with this emoji, after this change, in the order in which they did: change, id, name.
///
/// # Errors
/// When the database fails.
pub fn list_of_emoji(
    conn: &mut AnyConnection,
    (room_id, id): (i64, i64),
    emoji: &str,
    after: i64,
    limit: i64,
) -> QueryResult<Vec<(i64, i64, String)>> {
    reactions::table
        .inner_join(users::table)
        .filter(reactions::room_id.eq(room_id))
        .filter(reactions::message_id.eq(id))
        .filter(reactions::emoji.eq(emoji))
        .filter(reactions::seq.gt(after))
        .order(reactions::seq)
        .limit(limit)
        .select((reactions::seq, users::id, users::username))
        .load(conn)
}

/// One who has reacted to a message, with how many have done so alike.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Reacted {
    /// The message.
    #[diesel(sql_type = BigInt)]
    pub message_id: i64,
    /// How.
    #[diesel(sql_type = Text)]
    pub emoji: String,
    /// How many have.
    #[diesel(sql_type = BigInt)]
    pub count: i64,
    /// Who.
    #[diesel(sql_type = BigInt)]
    pub user_id: i64,
    /// Who, by name; `None` when that account is not there.
    #[diesel(sql_type = Nullable<Text>)]
    pub username: Option<String>,
    /// 1 when the reader is one of those who have, named or not, else 0.
    #[diesel(sql_type = BigInt)]
    pub mine: i64,
}

/// The reactions to these messages of a room: of each emoji, in the order of their first use, the
/// first who have reacted so, and whether the reader is among all who have.
///
/// # Errors
/// When the database fails.
pub fn list(
    conn: &mut AnyConnection,
    room_id: i64,
    ids: &[i64],
    reader: i64,
) -> QueryResult<Vec<Reacted>> {
    let ids: Vec<String> = ids.iter().map(i64::to_string).collect();
    // Counting walks an index, and the first are found in another: a message with ten thousand reactions is not sorted.
    let query = sql_query(format!(
        "SELECT groups.message_id AS message_id, groups.emoji AS emoji, groups.count AS count, \
                named.user_id AS user_id, users.username AS username, groups.mine AS mine \
         FROM (SELECT room_id, message_id, emoji, COUNT(*) AS count, MIN(seq) AS first, \
                 CAST(MAX(CASE WHEN user_id = $1 THEN 1 ELSE 0 END) AS BIGINT) AS mine \
               FROM reactions WHERE room_id = $2 AND message_id IN ({}) \
               GROUP BY room_id, message_id, emoji) AS groups \
         JOIN reactions AS named ON named.room_id = groups.room_id \
           AND named.message_id = groups.message_id AND named.emoji = groups.emoji \
           AND named.seq <= COALESCE((SELECT latest.seq FROM reactions AS latest \
                 WHERE latest.room_id = groups.room_id AND latest.message_id = groups.message_id \
                   AND latest.emoji = groups.emoji \
                 ORDER BY latest.seq LIMIT 1 OFFSET $3), groups.first + {GREATEST}) \
         LEFT JOIN users ON users.id = named.user_id \
         ORDER BY groups.message_id, groups.first, named.seq",
        ids.join(", ")
    ))
    // In the order in which the text names them: SQLite counts by that.
    .bind::<BigInt, _>(reader)
    .bind::<BigInt, _>(room_id)
    .bind::<BigInt, _>(MOST_NAMED - 1);
    match conn {
        AnyConnection::Postgres(conn) => query.load(conn),
        AnyConnection::Sqlite(conn) => query.load(conn),
    }
}
