//! What members set for themselves in their rooms: many at once, as each database likes it best.

use std::collections::HashMap;

use diesel::{
    backend::Backend,
    pg::{Pg, PgConnection},
    prelude::*,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    serialize::ToSql,
    sql_types::{Array, BigInt, Bool, HasSqlType, Nullable, Text, Timestamp as SqlTimestamp},
};

use crate::{
    db::{
        AnyConnection,
        schema::{memberships, rooms, thread_people, threads, users},
        text::StoredText,
        time::StoredTime,
        utc,
    },
    protocol::{
        people::{State, Status},
        time::Timestamp,
    },
};

/// A member of a room, by both.
pub type Own = (i64, i64);
/// Someone who has to do with a thread: room, thread, user.
pub type OwnThread = (i64, i64, i64);

/// A member as their markers need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// How far they have read.
    pub read_seq: i64,
    /// How far others are told that they have.
    pub shown_seq: i64,
    /// The room's latest change.
    pub last_seq: i64,
    /// Whether they let others see how far they read, and are to be seen at all.
    pub shows: bool,
}

/// A marker to be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewMarker {
    /// Whose.
    pub own: Own,
    /// How far they have read.
    pub seq: i64,
    /// How far others are told that they have.
    pub shown_seq: i64,
}

type Chosen = (Option<StoredText>, Option<StoredTime>, Option<StoredText>);
type MemberRow = (Own, (i64, i64, i64), bool, Chosen);

/// Those of these that are memberships.
///
/// # Errors
/// When the database fails.
pub fn list_members(
    conn: &mut AnyConnection,
    wanted: &[Own],
    now: Timestamp,
) -> QueryResult<HashMap<Own, Member>> {
    let found: Vec<MemberRow> = match conn {
        AnyConnection::Postgres(conn) => Markers::of(wanted).load(conn)?,
        // One by one: that statement is prepared once.
        AnyConnection::Sqlite(conn) => {
            let mut found = Vec::new();
            for own in wanted {
                let one = memberships::table
                    .inner_join(rooms::table)
                    .inner_join(users::table)
                    .filter(memberships::room_id.eq(own.0))
                    .filter(memberships::user_id.eq(own.1))
                    .select((
                        (memberships::room_id, memberships::user_id),
                        (
                            memberships::read_seq,
                            memberships::shown_seq,
                            rooms::last_seq,
                        ),
                        users::receipts,
                        (users::status_state, users::status_until, users::status_then),
                    ));
                found.extend(one.load::<MemberRow>(conn)?);
            }
            found
        }
    };
    let by_own = |(own, (read_seq, shown_seq, last_seq), receipts, chosen): MemberRow| {
        let member = Member {
            read_seq,
            shown_seq,
            last_seq,
            shows: receipts && !is_invisible(&chosen, now),
        };
        (own, member)
    };
    Ok(found.into_iter().map(by_own).collect())
}

/// Whether that is what someone is now, who has chosen a state, perhaps until some time, and perhaps another for then.
fn is_invisible((state, until, then): &Chosen, now: Timestamp) -> bool {
    let state_of = |stored: &Option<StoredText>| stored.as_ref()?.as_str().parse().ok();
    let status = Status {
        state: state_of(state),
        until: until.map(|until| utc(until.get())),
        then_state: state_of(then),
        ..Status::default()
    };
    status.at(now).state == Some(State::Invisible)
}

/// How far someone has read a thread; `None` when they have nothing to do with it.
///
/// # Errors
/// When the database fails.
pub fn find_thread_marker(conn: &mut AnyConnection, own: OwnThread) -> QueryResult<Option<i64>> {
    thread_people::table
        .find(own)
        .select(thread_people::read_seq)
        .get_result(conn)
        .optional()
}

/// Whether there is a thread under a message.
///
/// # Errors
/// When the database fails.
pub fn is_thread(conn: &mut AnyConnection, room_id: i64, id: i64) -> QueryResult<bool> {
    let found: Option<i64> = threads::table
        .find((room_id, id))
        .select(threads::id)
        .get_result(conn)
        .optional()?;
    Ok(found.is_some())
}

/// Sets how far these members have read.
///
/// # Errors
/// When the database fails.
pub fn set_markers(conn: &mut AnyConnection, new: &[NewMarker]) -> QueryResult<()> {
    match conn {
        AnyConnection::Postgres(_) if new.is_empty() => {}
        AnyConnection::Postgres(conn) => {
            SetMarkers::of(new).execute(conn)?;
        }
        AnyConnection::Sqlite(conn) => {
            for one in new {
                SetMarker(*one).execute(conn)?;
            }
        }
    }
    Ok(())
}

/// Sets how far someone has read a thread.
///
/// # Errors
/// When the database fails.
pub fn set_thread_marker(conn: &mut AnyConnection, own: OwnThread, seq: i64) -> QueryResult<()> {
    diesel::update(thread_people::table.find(own))
        .set(thread_people::read_seq.eq(seq))
        .execute(conn)?;
    Ok(())
}

/// Sets what a member wants to be told of a room.
///
/// # Errors
/// When the database fails.
pub fn set_notify(conn: &mut AnyConnection, own: Own, level: &str) -> QueryResult<()> {
    diesel::update(memberships::table.find(own))
        .set(memberships::notify.eq(level))
        .execute(conn)?;
    Ok(())
}

/// Memberships, column by column.
struct Markers {
    rooms: Vec<i64>,
    users: Vec<i64>,
}

impl Markers {
    fn of(wanted: &[Own]) -> Self {
        let (rooms, users) = wanted.iter().copied().unzip();
        Self { rooms, users }
    }
}

impl QueryFragment<Pg> for Markers {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "SELECT memberships.room_id, memberships.user_id, memberships.read_seq, memberships.shown_seq, \
             rooms.last_seq, users.receipts, users.status_state, users.status_until, users.status_then FROM unnest(",
        );
        out.push_bind_param::<Array<BigInt>, _>(&self.rooms)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<BigInt>, _>(&self.users)?;
        out.push_sql(
            ") AS wanted (room_id, user_id) JOIN memberships ON memberships.room_id = wanted.room_id \
             AND memberships.user_id = wanted.user_id JOIN rooms ON rooms.id = memberships.room_id \
             JOIN users ON users.id = memberships.user_id",
        );
        Ok(())
    }
}

impl QueryId for Markers {
    // Always the same text, so that it is prepared once.
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for Markers {
    type SqlType = (
        (BigInt, BigInt),
        (BigInt, BigInt, BigInt),
        Bool,
        (Nullable<Text>, Nullable<SqlTimestamp>, Nullable<Text>),
    );
}

impl RunQueryDsl<PgConnection> for Markers {}

/// New markers, column by column.
struct SetMarkers {
    rooms: Vec<i64>,
    users: Vec<i64>,
    seqs: Vec<i64>,
    shown: Vec<i64>,
}

impl SetMarkers {
    fn of(new: &[NewMarker]) -> Self {
        Self {
            rooms: new.iter().map(|one| one.own.0).collect(),
            users: new.iter().map(|one| one.own.1).collect(),
            seqs: new.iter().map(|one| one.seq).collect(),
            shown: new.iter().map(|one| one.shown_seq).collect(),
        }
    }
}

impl QueryFragment<Pg> for SetMarkers {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "UPDATE memberships SET read_seq = new.seq, shown_seq = new.shown FROM unnest(",
        );
        out.push_bind_param::<Array<BigInt>, _>(&self.rooms)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<BigInt>, _>(&self.users)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<BigInt>, _>(&self.seqs)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<BigInt>, _>(&self.shown)?;
        out.push_sql(
            ") AS new (room_id, user_id, seq, shown) \
             WHERE memberships.room_id = new.room_id AND memberships.user_id = new.user_id",
        );
        Ok(())
    }
}

impl QueryId for SetMarkers {
    // Always the same text, so that it is prepared once.
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl RunQueryDsl<PgConnection> for SetMarkers {}

/// A new marker. Written by hand, because Diesel has its own updates compiled anew each time.
struct SetMarker(NewMarker);

impl<DB> QueryFragment<DB> for SetMarker
where
    DB: Backend + HasSqlType<BigInt>,
    i64: ToSql<BigInt, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("UPDATE memberships SET read_seq = ");
        out.push_bind_param::<BigInt, _>(&self.0.seq)?;
        out.push_sql(", shown_seq = ");
        out.push_bind_param::<BigInt, _>(&self.0.shown_seq)?;
        out.push_sql(" WHERE room_id = ");
        out.push_bind_param::<BigInt, _>(&self.0.own.0)?;
        out.push_sql(" AND user_id = ");
        out.push_bind_param::<BigInt, _>(&self.0.own.1)
    }
}

impl QueryId for SetMarker {
    // Always the same text, so that it is prepared once.
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<C> RunQueryDsl<C> for SetMarker {}
