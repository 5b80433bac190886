//! New messages: what was stored before under their names, and inserting many at once, as each database likes it best.

// What the derived inserts make of borrowed texts that may be missing.
#![allow(clippy::ref_option_ref)]

use std::collections::{HashMap, HashSet};

use chrono::NaiveDateTime;
use diesel::{
    pg::{Pg, PgConnection},
    prelude::*,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::{Array, BigInt, Bool, Nullable, Text, Timestamp},
};

use crate::{
    db::{
        AnyConnection, log::later::Later, mentions::Candidate, schema::messages, text::StoredText,
        time::StoredTime,
    },
    protocol::time,
};

/// A message that is to be appended to its room's log.
#[derive(Debug, Clone, Copy)]
pub struct DraftRow<'a> {
    /// The room.
    pub room_id: i64,
    /// Who writes it.
    pub user_id: i64,
    /// Who, by name.
    pub username: &'a str,
    /// Through which login.
    pub session_id: i64,
    /// What the sender calls it.
    pub client_id: Option<&'a str>,
    /// Sealed.
    pub content: &'a str,
    /// The message that it answers.
    pub reply_to: Option<i64>,
    /// The first message of the thread in which it is a reply.
    pub thread: Option<i64>,
    /// Whether it stands in that alone.
    pub thread_only: bool,
    /// Where in it perhaps someone is mentioned.
    pub candidates: &'a [Candidate],
    /// The row of `scheduled` that it is, instead of what comes through a login.
    pub later: Option<&'a Later>,
}

/// A row of `messages` to be.
// With every column in it, the statement is always the same, and prepared once.
#[derive(Insertable)]
#[diesel(table_name = messages, treat_none_as_default_value = false)]
pub struct NewMessage<'a> {
    /// The room.
    pub room_id: i64,
    /// Its number.
    pub id: i64,
    /// The same: it is the change of its number.
    pub seq: i64,
    /// Who writes it.
    pub user_id: i64,
    /// No column: without this login, living, the row is not inserted; but for what was scheduled.
    #[diesel(skip_insertion)]
    pub session_id: i64,
    /// No column: the row of `scheduled` that it is, which is held.
    #[diesel(skip_insertion)]
    pub later: Option<&'a Later>,
    /// No column: who writes it, by name.
    #[diesel(skip_insertion)]
    pub username: &'a str,
    /// No column: where in it perhaps someone is mentioned.
    #[diesel(skip_insertion)]
    pub candidates: &'a [Candidate],
    /// What its sender calls it.
    pub client_id: Option<&'a str>,
    /// Sealed.
    pub content: &'a str,
    /// When.
    pub created_at: NaiveDateTime,
    /// What binds the text to its place.
    pub mac: String,
    /// The message before it in the room.
    pub previous: i64,
    /// `text` or `system`.
    pub kind: &'a str,
    /// The message that it answers.
    pub reply_to: Option<i64>,
    /// The first message of the thread in which it is a reply.
    pub thread: Option<i64>,
    /// Whether it stands in that alone.
    pub thread_only: bool,
    /// Whom it mentions, and where.
    pub mentions: Option<String>,
}

/// Room, sender and `client_id` → number, latest change, sealed content (`None` when it has another since) and time of what
/// was stored under it.
pub type Known<'a> = HashMap<(i64, i64, &'a str), (i64, i64, Option<String>, NaiveDateTime)>;

/// Inserts one message, whose author's login was seen to live.
///
/// # Errors
/// When the database fails.
pub fn insert_one(conn: &mut AnyConnection, row: &NewMessage<'_>) -> QueryResult<()> {
    match conn {
        AnyConnection::Postgres(conn) => diesel::insert_into(messages::table)
            .values(row)
            .execute(conn)?,
        AnyConnection::Sqlite(conn) => diesel::insert_into(messages::table)
            .values(row)
            .execute(conn)?,
    };
    Ok(())
}

/// Those of these messages, each by room and number, that are there and not deleted.
///
/// # Errors
/// When the database fails.
pub fn list_existing(
    conn: &mut AnyConnection,
    wanted: Vec<(i64, i64)>,
) -> QueryResult<HashSet<(i64, i64)>> {
    if wanted.is_empty() {
        return Ok(HashSet::new());
    }
    let (room_ids, ids): (HashSet<i64>, HashSet<i64>) = wanted.into_iter().unzip();
    let query = messages::table
        .filter(messages::room_id.eq_any(room_ids.into_iter().collect::<Vec<_>>()))
        .filter(messages::id.eq_any(ids.into_iter().collect::<Vec<_>>()))
        .filter(messages::deleted_at.is_null())
        .select((messages::room_id, messages::id));
    let found: Vec<(i64, i64)> = match conn {
        AnyConnection::Postgres(conn) => query.load(conn)?,
        AnyConnection::Sqlite(conn) => query.load(conn)?,
    };
    Ok(found.into_iter().collect())
}

/// Inserts new messages, and tells how many. On `PostgreSQL` it leaves out those whose login does not live `at` that
/// moment; on SQLite the caller has looked, and no one can have ended one since. What was scheduled needs no login: the caller
/// holds its row.
///
/// # Errors
/// When the database fails; a unique violation when one of them is not new.
pub fn insert(
    conn: &mut AnyConnection,
    rows: &[NewMessage<'_>],
    at: time::Timestamp,
) -> QueryResult<usize> {
    if rows.is_empty() {
        return Ok(0);
    }
    match conn {
        AnyConnection::Postgres(conn) => {
            let (scheduled, others): (Vec<_>, Vec<_>) =
                rows.iter().partition(|row| row.later.is_some());
            let mut inserted = 0;
            if !others.is_empty() {
                inserted += Columns::of(&others, at).execute(conn)?;
            }
            for row in scheduled {
                inserted += diesel::insert_into(messages::table)
                    .values(row)
                    .execute(conn)?;
            }
            Ok(inserted)
        }
        AnyConnection::Sqlite(conn) => match rows {
            // By itself it needs no savepoint around it, as several do.
            [row] => diesel::insert_into(messages::table)
                .values(row)
                .execute(conn),
            rows => diesel::insert_into(messages::table)
                .values(rows)
                .execute(conn),
        },
    }
}

/// New messages, column by column. A statement with a parameter for each value would be another one for each number of
/// rows, and `PostgreSQL` would have to parse and plan it every time; with one array for each column it is always the same.
struct Columns<'a> {
    room_ids: Vec<i64>,
    /// A new message is the change of its number.
    ids: Vec<i64>,
    user_ids: Vec<i64>,
    client_ids: Vec<Option<&'a str>>,
    contents: Vec<&'a str>,
    created_ats: Vec<NaiveDateTime>,
    macs: Vec<&'a str>,
    previous: Vec<i64>,
    replies_to: Vec<Option<i64>>,
    threads: Vec<Option<i64>>,
    threads_only: Vec<bool>,
    mentions: Vec<Option<&'a str>>,
    session_ids: Vec<i64>,
    /// When the logins have to live.
    at: NaiveDateTime,
}

impl<'a> Columns<'a> {
    fn of(rows: &[&'a NewMessage<'a>], at: time::Timestamp) -> Self {
        Self {
            room_ids: rows.iter().map(|row| row.room_id).collect(),
            ids: rows.iter().map(|row| row.id).collect(),
            user_ids: rows.iter().map(|row| row.user_id).collect(),
            client_ids: rows.iter().map(|row| row.client_id).collect(),
            contents: rows.iter().map(|row| row.content).collect(),
            created_ats: rows.iter().map(|row| row.created_at).collect(),
            macs: rows.iter().map(|row| row.mac.as_str()).collect(),
            previous: rows.iter().map(|row| row.previous).collect(),
            replies_to: rows.iter().map(|row| row.reply_to).collect(),
            threads: rows.iter().map(|row| row.thread).collect(),
            threads_only: rows.iter().map(|row| row.thread_only).collect(),
            mentions: rows.iter().map(|row| row.mentions.as_deref()).collect(),
            session_ids: rows.iter().map(|row| row.session_id).collect(),
            at: at.naive_utc(),
        }
    }
}

impl QueryFragment<Pg> for Columns<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "INSERT INTO messages (room_id, id, seq, user_id, client_id, content, created_at, mac, previous, reply_to, thread, thread_only, mentions) \
             SELECT new.room_id, new.id, new.id, new.user_id, new.client_id, new.content, new.created_at, new.mac, new.previous, new.reply_to, new.thread, new.thread_only, new.mentions \
             FROM unnest(",
        );
        out.push_bind_param::<Array<BigInt>, _>(&self.room_ids)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<BigInt>, _>(&self.ids)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<BigInt>, _>(&self.user_ids)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Text>>, _>(&self.client_ids)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.contents)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Timestamp>, _>(&self.created_ats)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.macs)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<BigInt>, _>(&self.previous)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<BigInt>>, _>(&self.replies_to)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<BigInt>>, _>(&self.threads)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Bool>, _>(&self.threads_only)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Text>>, _>(&self.mentions)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<BigInt>, _>(&self.session_ids)?;
        out.push_sql(
            ") AS new (room_id, id, user_id, client_id, content, created_at, mac, previous, reply_to, thread, thread_only, mentions, session_id) \
             JOIN sessions ON sessions.id = new.session_id AND sessions.user_id = new.user_id \
             AND sessions.expires_at > ",
        );
        out.push_bind_param::<Timestamp, _>(&self.at)?;
        Ok(())
    }
}

impl QueryId for Columns<'_> {
    // Always the same text, so that it is prepared once.
    type QueryId = Columns<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl RunQueryDsl<PgConnection> for Columns<'_> {}

/// Room, sender and `client_id`; what was stored under it; and whether it has changed since.
type Found = (i64, i64, String, (i64, i64, StoredText, StoredTime), bool);

/// Those of the drafts that were stored before, by room, sender and `client_id`.
///
/// # Errors
/// When the database fails.
pub fn list_known<'a>(conn: &mut AnyConnection, drafts: &[DraftRow<'a>]) -> QueryResult<Known<'a>> {
    let names: HashSet<(i64, i64, &'a str)> = drafts
        .iter()
        .filter_map(|draft| Some((draft.room_id, draft.user_id, draft.client_id?)))
        .collect();
    if names.is_empty() {
        return Ok(Known::new());
    }
    let found: Vec<Found> = match conn {
        AnyConnection::Postgres(conn) => KnownNames::of(&names).load(conn)?,
        // One by one: that statement is prepared once, and looks for nothing but what was asked for.
        AnyConnection::Sqlite(conn) => {
            let mut found = Vec::new();
            for (room_id, user_id, client_id) in &names {
                let one = messages::table
                    .filter(messages::room_id.eq(room_id))
                    .filter(messages::user_id.eq(user_id))
                    .filter(messages::client_id.eq(client_id))
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
                        messages::edited_at
                            .is_not_null()
                            .or(messages::deleted_at.is_not_null()),
                    ));
                found.extend(one.load::<Found>(conn)?);
            }
            found
        }
    };
    let mut found: HashMap<(i64, i64, String), _> = found
        .into_iter()
        .map(|(room_id, user_id, client_id, stored, is_changed)| {
            ((room_id, user_id, client_id), (stored, is_changed))
        })
        .collect();
    let known = names.into_iter().filter_map(|name| {
        let ((id, seq, content, at), is_changed) =
            found.remove(&(name.0, name.1, name.2.to_owned()))?;
        let content = (!is_changed).then(|| content.into());
        Some((name, (id, seq, content, at.get())))
    });
    Ok(known.collect())
}

/// Names under which messages may have been stored, column by column. Three lists side by side, and not three `= ANY`: those
/// would be looked up in all their combinations, of which many rooms with many senders have millions.
struct KnownNames<'a> {
    rooms: Vec<i64>,
    users: Vec<i64>,
    client_ids: Vec<&'a str>,
}

impl<'a> KnownNames<'a> {
    fn of(names: &HashSet<(i64, i64, &'a str)>) -> Self {
        Self {
            rooms: names.iter().map(|name| name.0).collect(),
            users: names.iter().map(|name| name.1).collect(),
            client_ids: names.iter().map(|name| name.2).collect(),
        }
    }
}

impl QueryFragment<Pg> for KnownNames<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "SELECT messages.room_id, messages.user_id, messages.client_id, messages.id, messages.seq, \
             messages.content, messages.created_at, \
             messages.edited_at IS NOT NULL OR messages.deleted_at IS NOT NULL FROM unnest(",
        );
        out.push_bind_param::<Array<BigInt>, _>(&self.rooms)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<BigInt>, _>(&self.users)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.client_ids)?;
        out.push_sql(
            ") AS known (room_id, user_id, client_id) \
             JOIN messages ON messages.room_id = known.room_id AND messages.user_id = known.user_id \
             AND messages.client_id = known.client_id",
        );
        Ok(())
    }
}

impl QueryId for KnownNames<'_> {
    // Always the same text, so that it is prepared once.
    type QueryId = KnownNames<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for KnownNames<'_> {
    type SqlType = (
        BigInt,
        BigInt,
        Text,
        (BigInt, BigInt, Text, Timestamp),
        Bool,
    );
}

impl RunQueryDsl<PgConnection> for KnownNames<'_> {}
