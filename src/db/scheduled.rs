//! What is to be said later.

use diesel::{connection::Connection as _, dsl::max, prelude::*};

use super::{
    AnyConnection, ids, is_unique_violation,
    schema::{memberships, messages, rooms, scheduled, users},
    text::StoredText,
    time::StoredTime,
};
use crate::protocol::time::Timestamp;

/// What someone wants to have said later.
#[derive(Debug, Clone)]
pub struct New<'a> {
    /// Whose it is.
    pub user_id: i64,
    /// Where it is to be said.
    pub room_id: i64,
    /// The thread in which it is to stand.
    pub thread: Option<i64>,
    /// With that: in the room, too.
    pub also_to_room: bool,
    /// The message that it answers.
    pub reply_to: Option<i64>,
    /// `message` or `reminder`.
    pub kind: &'static str,
    /// What the message will be called.
    pub client_id: &'a str,
    /// When.
    pub send_at: Timestamp,
    /// Now.
    pub created_at: Timestamp,
}

/// What someone has waiting, as it is stored.
#[derive(Debug, Clone, Queryable)]
pub struct Waiting {
    /// Its number.
    pub id: i64,
    /// Where it is to be said.
    pub room_id: i64,
    /// The thread in which it is to stand.
    pub thread: Option<i64>,
    /// With that: in the room, too.
    pub also_to_room: bool,
    /// The message that it answers.
    pub reply_to: Option<i64>,
    /// `message` or `reminder`.
    pub kind: StoredText,
    /// Sealed.
    pub content: StoredText,
    /// What the message will be called.
    pub client_id: StoredText,
    /// When.
    pub send_at: StoredTime,
    /// When it was written.
    pub created_at: StoredTime,
    /// Why it could not be sent.
    pub failed: Option<StoredText>,
    /// What people call the room.
    pub name: Option<StoredText>,
    /// Set where its author is in the room.
    pub member: Option<i64>,
}

/// One whose time has come.
#[derive(Debug, Clone, Queryable)]
pub struct Due {
    /// Whose it is.
    pub user_id: i64,
    /// Whose it is, by name.
    pub username: String,
    /// What it is.
    pub what: Waiting,
}

/// What is read of one that waits, beside its room's name where its author may know it.
macro_rules! columns {
    () => {
        (
            scheduled::id,
            scheduled::room_id,
            scheduled::thread,
            scheduled::also_to_room,
            scheduled::reply_to,
            scheduled::kind,
            scheduled::content,
            scheduled::client_id,
            scheduled::send_at,
            scheduled::created_at,
            scheduled::failed,
            rooms::name,
            memberships::user_id.nullable(),
        )
    };
}

/// All that wait, with their rooms.
macro_rules! waiting {
    () => {
        scheduled::table
            .inner_join(rooms::table.on(rooms::id.eq(scheduled::room_id)))
            .left_join(
                memberships::table.on(memberships::room_id
                    .eq(scheduled::room_id)
                    .and(memberships::user_id.eq(scheduled::user_id))),
            )
    };
}

/// Where a list goes on: after the one of this time and number.
pub type After = (Timestamp, i64);

/// What a user has waiting, first of all what is sent first.
///
/// # Errors
/// When the database fails.
pub fn list(
    conn: &mut AnyConnection,
    user_id: i64,
    after: Option<After>,
    limit: i64,
) -> QueryResult<Vec<Waiting>> {
    let own = waiting!()
        .filter(scheduled::user_id.eq(user_id))
        .order((scheduled::send_at, scheduled::id))
        .limit(limit)
        .select(columns!());
    let Some((at, id)) = after else {
        return on_either!(conn, own.load());
    };
    let at = at.naive_utc();
    let rest = own.filter(
        scheduled::send_at
            .gt(at)
            .or(scheduled::send_at.eq(at).and(scheduled::id.gt(id))),
    );
    on_either!(conn, rest.load())
}

/// One that a user has waiting.
///
/// # Errors
/// When the database fails.
pub fn find(conn: &mut AnyConnection, user_id: i64, id: i64) -> QueryResult<Option<Waiting>> {
    waiting!()
        .filter(scheduled::id.eq(id))
        .filter(scheduled::user_id.eq(user_id))
        .select(columns!())
        .first(conn)
        .optional()
}

/// The one that a user has waiting in a room under this name.
///
/// # Errors
/// When the database fails.
pub fn find_named(
    conn: &mut AnyConnection,
    (user_id, room_id): (i64, i64),
    client_id: &str,
) -> QueryResult<Option<Waiting>> {
    waiting!()
        .filter(scheduled::user_id.eq(user_id))
        .filter(scheduled::room_id.eq(room_id))
        .filter(scheduled::client_id.eq(client_id))
        .order(scheduled::id)
        .select(columns!())
        .first(conn)
        .optional()
}

/// What a user has said in a room under this name.
///
/// # Errors
/// When the database fails.
pub fn find_said(
    conn: &mut AnyConnection,
    (user_id, room_id): (i64, i64),
    client_id: &str,
) -> QueryResult<Option<i64>> {
    messages::table
        .filter(messages::room_id.eq(room_id))
        .filter(messages::user_id.eq(user_id))
        .filter(messages::client_id.eq(client_id))
        .select(messages::id)
        .first(conn)
        .optional()
}

/// How many a user has waiting, those that could not be sent among them.
///
/// # Errors
/// When the database fails.
pub fn count(conn: &mut AnyConnection, user_id: i64) -> QueryResult<i64> {
    scheduled::table
        .filter(scheduled::user_id.eq(user_id))
        .count()
        .get_result(conn)
}

/// Keeps something to be said later, and returns its number, to which `seal` binds the text.
///
/// # Errors
/// When the database fails.
pub fn insert(
    conn: &mut AnyConnection,
    new: &New<'_>,
    seal: impl Fn(i64) -> String,
) -> QueryResult<i64> {
    let mut tries = 0;
    loop {
        let greatest = scheduled::table.select(max(scheduled::id)).first(conn)?;
        let id = ids::generate(greatest);
        // A savepoint, since on PostgreSQL a unique violation would end the whole transaction.
        let inserted = conn.transaction(|conn| insert_as(conn, id, new, &seal(id)));
        tries += 1;
        match inserted {
            Err(error) if is_unique_violation(&error) && tries < ids::TRIES => {}
            other => return other.map(|_| id),
        }
    }
}

fn insert_as(conn: &mut AnyConnection, id: i64, new: &New<'_>, sealed: &str) -> QueryResult<usize> {
    let send_at = new.send_at.naive_utc();
    diesel::insert_into(scheduled::table)
        .values((
            scheduled::id.eq(id),
            scheduled::user_id.eq(new.user_id),
            scheduled::room_id.eq(new.room_id),
            scheduled::thread.eq(new.thread),
            scheduled::also_to_room.eq(new.also_to_room),
            scheduled::reply_to.eq(new.reply_to),
            scheduled::kind.eq(new.kind),
            scheduled::content.eq(sealed),
            scheduled::client_id.eq(new.client_id),
            scheduled::send_at.eq(send_at),
            scheduled::try_at.eq(send_at),
            scheduled::created_at.eq(new.created_at.naive_utc()),
        ))
        .execute(conn)
}

/// Gives one another text. False when it is not there.
///
/// # Errors
/// When the database fails.
pub fn set_content(
    conn: &mut AnyConnection,
    (user_id, id): (i64, i64),
    sealed: &str,
) -> QueryResult<bool> {
    let own = scheduled::table
        .find(id)
        .filter(scheduled::user_id.eq(user_id));
    let updated = diesel::update(own)
        .set(scheduled::content.eq(sealed))
        .execute(conn)?;
    Ok(updated > 0)
}

/// Gives one another time; one that could not be sent waits again. False when it is not there.
///
/// # Errors
/// When the database fails.
pub fn set_time(
    conn: &mut AnyConnection,
    (user_id, id): (i64, i64),
    at: Timestamp,
) -> QueryResult<bool> {
    let own = scheduled::table
        .find(id)
        .filter(scheduled::user_id.eq(user_id));
    let at = at.naive_utc();
    let updated = diesel::update(own)
        .set((
            scheduled::send_at.eq(at),
            scheduled::try_at.eq(at),
            scheduled::failed.eq(None::<String>),
        ))
        .execute(conn)?;
    Ok(updated > 0)
}

/// Takes one back. False when it is not there.
///
/// # Errors
/// When the database fails.
pub fn delete(conn: &mut AnyConnection, user_id: i64, id: i64) -> QueryResult<bool> {
    let own = scheduled::table
        .find(id)
        .filter(scheduled::user_id.eq(user_id));
    Ok(diesel::delete(own).execute(conn)? > 0)
}

/// Those whose time has come, in the order in which they are to be tried.
///
/// # Errors
/// When the database fails.
pub fn list_due(conn: &mut AnyConnection, now: Timestamp, limit: i64) -> QueryResult<Vec<Due>> {
    let now = now.naive_utc();
    let due = waiting!()
        .inner_join(users::table.on(users::id.eq(scheduled::user_id)))
        .filter(scheduled::failed.is_null())
        .filter(scheduled::try_at.le(now))
        .filter(scheduled::send_at.le(now))
        .order((scheduled::try_at, scheduled::send_at, scheduled::id))
        .limit(limit)
        .select((scheduled::user_id, users::username, columns!()));
    on_either!(conn, due.load())
}

/// When the next one is to be tried.
///
/// # Errors
/// When the database fails.
pub fn find_next(conn: &mut AnyConnection) -> QueryResult<Option<StoredTime>> {
    let next = scheduled::table
        .filter(scheduled::failed.is_null())
        .order(scheduled::try_at)
        .limit(1)
        .select(scheduled::try_at);
    on_either!(conn, next.load()).map(|found| found.into_iter().next())
}

/// Has all that a user has waiting in a room by then wait until then, and in their order.
///
/// # Errors
/// When the database fails.
pub fn postpone(
    conn: &mut AnyConnection,
    (user_id, room_id): (i64, i64),
    until: Timestamp,
) -> QueryResult<()> {
    let until = until.naive_utc();
    let own = scheduled::table
        .filter(scheduled::user_id.eq(user_id))
        .filter(scheduled::room_id.eq(room_id))
        .filter(scheduled::failed.is_null())
        .filter(scheduled::try_at.lt(until));
    diesel::update(own)
        .set(scheduled::try_at.eq(until))
        .execute(conn)?;
    Ok(())
}

/// Has what was put off beyond this moment be tried at its time again.
///
/// # Errors
/// When the database fails.
pub fn take_up(conn: &mut AnyConnection, until: Timestamp) -> QueryResult<()> {
    let put_off = scheduled::table
        .filter(scheduled::failed.is_null())
        .filter(scheduled::try_at.gt(until.naive_utc()))
        .filter(scheduled::try_at.gt(scheduled::send_at));
    diesel::update(put_off)
        .set(scheduled::try_at.eq(scheduled::send_at))
        .execute(conn)?;
    Ok(())
}

/// Notes why one could not be sent, if it is still as it was tried. False when it is not.
///
/// # Errors
/// When the database fails.
pub fn set_failed(conn: &mut AnyConnection, tried: &Waiting, why: &str) -> QueryResult<bool> {
    let same = scheduled::table
        .find(tried.id)
        .filter(scheduled::content.eq(tried.content.as_str()))
        .filter(scheduled::send_at.eq(tried.send_at.get()))
        .filter(scheduled::failed.is_null());
    let updated = diesel::update(same)
        .set(scheduled::failed.eq(why))
        .execute(conn)?;
    Ok(updated > 0)
}

/// Lets nothing be said whose time was before this one, for this reason. Tells how many there are.
///
/// # Errors
/// When the database fails.
pub fn hold_overdue(conn: &mut AnyConnection, now: Timestamp, why: &str) -> QueryResult<usize> {
    let overdue = scheduled::table
        .filter(scheduled::failed.is_null())
        .filter(scheduled::try_at.le(now.naive_utc()));
    diesel::update(overdue)
        .set(scheduled::failed.eq(why))
        .execute(conn)
}

/// A sealed text, and where it belongs.
#[derive(Debug, Queryable)]
pub struct Sealed {
    /// Its number.
    pub id: i64,
    /// Whose it is.
    pub user_id: i64,
    /// Where it is to be said.
    pub room_id: i64,
    /// Sealed.
    pub content: StoredText,
}

/// The texts after this one, by their numbers.
///
/// # Errors
/// When the database fails.
pub fn list_sealed(conn: &mut AnyConnection, after: i64, limit: i64) -> QueryResult<Vec<Sealed>> {
    let mut found: Vec<Sealed> = scheduled::table
        .filter(scheduled::id.gt(after))
        .order(scheduled::id)
        .limit(limit)
        .select((
            scheduled::id,
            scheduled::user_id,
            scheduled::room_id,
            scheduled::content,
        ))
        .load(conn)?;
    // In SQLite a number may be a text, which is above all numbers and read as 0.
    found.retain(|row| row.id > after);
    Ok(found)
}
