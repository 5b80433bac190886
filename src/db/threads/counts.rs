//! What threads count, beside what they hold: the replies under a message, the last of them, and how many are whose. The
//! journal counts with each reply; who edits messages by hand does not.

use diesel::{
    connection::Connection as _,
    prelude::*,
    sql_query,
    sql_types::{BigInt, Nullable, Text},
};

use crate::db::AnyConnection;

/// A thread that does not count what it holds.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Miscounted {
    /// The room.
    #[diesel(sql_type = BigInt)]
    pub room_id: i64,
    /// What names the room on the wire; `None` when that room is not there.
    #[diesel(sql_type = Nullable<Text>)]
    pub key: Option<String>,
    /// Its first message.
    #[diesel(sql_type = BigInt)]
    pub thread: i64,
    /// How many replies it counts.
    #[diesel(sql_type = BigInt)]
    pub counted: i64,
    /// The last of them.
    #[diesel(sql_type = BigInt)]
    pub counted_last: i64,
    /// How many it holds.
    #[diesel(sql_type = BigInt)]
    pub found: i64,
    /// The last of those.
    #[diesel(sql_type = BigInt)]
    pub found_last: i64,
}

/// Replies that count.
const REPLIES: &str =
    "FROM messages AS reply WHERE reply.thread IS NOT NULL AND reply.deleted_at IS NULL";
/// A thread without a first message is none, and others look at that.
const HAS_FIRST: &str =
    "SELECT 1 FROM messages AS first WHERE first.room_id = held.room_id AND first.id = held.thread";

/// The threads that do not count what they hold; those that count it, but not whose it is, or by a change that has not come, come
/// with equal numbers.
///
/// # Errors
/// When the database fails.
pub fn list_miscounted(conn: &mut AnyConnection) -> QueryResult<Vec<Miscounted>> {
    let threads = format!(
        "SELECT COALESCE(threads.room_id, held.room_id) AS room_id, COALESCE(threads.id, held.thread) AS thread, \
           COALESCE(threads.replies, 0) AS counted, COALESCE(threads.last_id, 0) AS counted_last, \
           COALESCE(held.found, 0) AS found, COALESCE(held.last_id, 0) AS found_last \
         FROM threads FULL JOIN (SELECT reply.room_id, reply.thread, COUNT(*) AS found, MAX(reply.id) AS last_id \
           {REPLIES} GROUP BY reply.room_id, reply.thread) AS held \
           ON held.room_id = threads.room_id AND held.thread = threads.id \
         WHERE (COALESCE(threads.replies, 0) <> COALESCE(held.found, 0) \
           OR COALESCE(threads.last_id, 0) <> COALESCE(held.last_id, 0) \
           OR threads.seq > (SELECT rooms.last_seq FROM rooms WHERE rooms.id = threads.room_id)) \
           AND (threads.id IS NOT NULL OR EXISTS ({HAS_FIRST}))"
    );
    let people = format!(
        "SELECT DISTINCT COALESCE(people.room_id, held.room_id) AS room_id, COALESCE(people.thread, held.thread) AS thread \
         FROM thread_people AS people FULL JOIN (SELECT reply.room_id, reply.thread, reply.user_id, COUNT(*) AS found \
           {REPLIES} GROUP BY reply.room_id, reply.thread, reply.user_id) AS held \
           ON held.room_id = people.room_id AND held.thread = people.thread AND held.user_id = people.user_id \
         WHERE COALESCE(people.replies, 0) <> COALESCE(held.found, 0) AND (people.user_id IS NOT NULL OR EXISTS ({HAS_FIRST}) \
           AND EXISTS (SELECT 1 FROM users WHERE users.id = held.user_id))"
    );
    let mut found = load(
        conn,
        &format!(
            "SELECT wrong.*, rooms.key AS key FROM ({threads}) AS wrong LEFT JOIN rooms ON rooms.id = wrong.room_id"
        ),
    )?;
    let of_people = load(
        conn,
        &format!(
            "SELECT wrong.*, rooms.key AS key, COALESCE(threads.replies, 0) AS counted, \
               COALESCE(threads.last_id, 0) AS counted_last, COALESCE(threads.replies, 0) AS found, \
               COALESCE(threads.last_id, 0) AS found_last \
             FROM ({people}) AS wrong LEFT JOIN rooms ON rooms.id = wrong.room_id \
             LEFT JOIN threads ON threads.room_id = wrong.room_id AND threads.id = wrong.thread"
        ),
    )?;
    let is_new = |one: &Miscounted| {
        let place = (one.room_id, one.thread);
        !found
            .iter()
            .any(|known| (known.room_id, known.thread) == place)
    };
    let of_people: Vec<Miscounted> = of_people.into_iter().filter(is_new).collect();
    found.extend(of_people);
    found.sort_by_key(|one| (one.room_id, one.thread));
    Ok(found)
}

fn load(conn: &mut AnyConnection, query: &str) -> QueryResult<Vec<Miscounted>> {
    let query = sql_query(query);
    on_either!(conn, query.load())
}

/// Puts right what threads count, where messages or counts were changed by hand.
///
/// # Errors
/// When the database fails.
pub fn recount(conn: &mut AnyConnection) -> QueryResult<()> {
    for Miscounted {
        room_id,
        thread,
        counted,
        found,
        ..
    } in list_miscounted(conn)?
    {
        log::error!(
            "thread {thread} of room {room_id} counted {counted} replies and has {found}, or they are not whose it counted, or it counted by a change that has not come: messages or threads were changed by hand; it goes on from what it has"
        );
        conn.transaction(|conn| {
            for statement in statements(room_id, thread) {
                let query = sql_query(statement);
                on_either!(conn, query.execute())?;
            }
            QueryResult::Ok(())
        })?;
    }
    Ok(())
}

/// What counts a thread again. Nothing but numbers is put into the texts.
fn statements(room_id: i64, thread: i64) -> [String; 5] {
    let own = format!("{REPLIES} AND reply.room_id = {room_id} AND reply.thread = {thread}");
    let first =
        format!("EXISTS (SELECT 1 FROM messages WHERE room_id = {room_id} AND id = {thread})");
    [
        // That locks the row, so that whoever replies waits until they are counted.
        format!("UPDATE rooms SET last_seq = last_seq WHERE id = {room_id}"),
        format!(
            "UPDATE threads SET replies = (SELECT COUNT(*) {own}), last_id = COALESCE((SELECT MAX(reply.id) {own}), 0), \
               last_at = COALESCE((SELECT MAX(reply.created_at) {own}), last_at), \
               seq = CASE WHEN seq > (SELECT last_seq FROM rooms WHERE id = {room_id}) \
                 THEN (SELECT last_seq FROM rooms WHERE id = {room_id}) ELSE seq END \
             WHERE room_id = {room_id} AND id = {thread}"
        ),
        format!(
            "INSERT INTO threads (room_id, id, replies, last_id, last_at, seq) \
             SELECT reply.room_id, reply.thread, COUNT(*), MAX(reply.id), MAX(reply.created_at), MAX(reply.id) {own} \
               AND {first} AND NOT EXISTS (SELECT 1 FROM threads WHERE room_id = {room_id} AND id = {thread}) \
             GROUP BY reply.room_id, reply.thread"
        ),
        format!(
            "UPDATE thread_people SET replies = (SELECT COUNT(*) {own} AND reply.user_id = thread_people.user_id) \
             WHERE room_id = {room_id} AND thread = {thread}"
        ),
        format!(
            "INSERT INTO thread_people (room_id, thread, user_id, replies, read_seq) \
             SELECT reply.room_id, reply.thread, reply.user_id, COUNT(*), MAX(reply.id) {own} AND {first} \
               AND EXISTS (SELECT 1 FROM users WHERE users.id = reply.user_id) \
               AND NOT EXISTS (SELECT 1 FROM thread_people AS known WHERE known.room_id = {room_id} \
                 AND known.thread = {thread} AND known.user_id = reply.user_id) \
             GROUP BY reply.room_id, reply.thread, reply.user_id"
        ),
    ]
}
