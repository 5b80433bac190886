//! The statements that count what is unread.

use diesel::{
    backend::Backend,
    pg::{Pg, PgConnection},
    prelude::*,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    serialize::ToSql,
    sql_types::{Array, BigInt, HasSqlType, Nullable, Timestamp},
};

use super::{Of, Stretch};
use crate::protocol::reading::{MOST_COUNTED, MOST_LOOKED_AT};

/// A database in which numbers can be asked for.
trait Numbers: Backend + HasSqlType<BigInt> {}
impl<DB: Backend + HasSqlType<BigInt>> Numbers for DB {}

/// What stands for a number in a statement: a column, or a value.
enum Place<'a> {
    Column(&'static str),
    Value(&'a i64),
}

impl<'a> Place<'a> {
    fn push<'b, DB: Numbers>(&self, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()>
    where
        i64: ToSql<BigInt, DB>,
        'a: 'b,
    {
        match self {
            Self::Column(name) => out.push_sql(name),
            Self::Value(value) => out.push_bind_param::<BigInt, _>(*value)?,
        }
        Ok(())
    }
}

/// Where to count for whom.
struct Span<'a> {
    room: Place<'a>,
    thread: Option<Place<'a>>,
    user: &'a i64,
    above: Place<'a>,
    upto: Option<&'a i64>,
}

impl<'a> Span<'a> {
    /// What a message must be to count, as the partial index has it that is walked.
    fn push_kind<'b, DB: Numbers>(&self, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()>
    where
        i64: ToSql<BigInt, DB>,
        'a: 'b,
    {
        match &self.thread {
            None => out.push_sql(
                " AND messages.kind <> 'system' AND messages.deleted_at IS NULL AND NOT messages.thread_only",
            ),
            Some(thread) => {
                out.push_sql(" AND messages.thread = ");
                thread.push(out)?;
                out.push_sql(" AND messages.thread IS NOT NULL AND messages.deleted_at IS NULL");
            }
        }
        Ok(())
    }

    fn push_bounds<'b, DB: Numbers>(
        &self,
        column: &str,
        out: &mut AstPass<'_, 'b, DB>,
    ) -> QueryResult<()>
    where
        i64: ToSql<BigInt, DB>,
        'a: 'b,
    {
        out.push_sql(" AND ");
        out.push_sql(column);
        out.push_sql(" > ");
        self.above.push(out)?;
        if let Some(upto) = self.upto {
            out.push_sql(" AND ");
            out.push_sql(column);
            out.push_sql(" <= ");
            out.push_bind_param::<BigInt, _>(upto)?;
        }
        Ok(())
    }

    /// The number of unread messages.
    fn push_messages<'b, DB: Numbers>(&self, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()>
    where
        i64: ToSql<BigInt, DB>,
        'a: 'b,
    {
        out.push_sql(
            "(SELECT count(*) FROM (SELECT 1 FROM (SELECT messages.user_id FROM messages WHERE messages.room_id = ",
        );
        self.room.push(out)?;
        self.push_kind(out)?;
        self.push_bounds("messages.id", out)?;
        out.push_sql(&format!(
            " ORDER BY messages.id LIMIT {MOST_LOOKED_AT}) AS looked_at WHERE looked_at.user_id <> "
        ));
        out.push_bind_param::<BigInt, _>(self.user)?;
        out.push_sql(&format!(" LIMIT {MOST_COUNTED}) AS counted)"));
        Ok(())
    }

    /// The number of those that mention the reader, or everyone.
    fn push_mentions<'b, DB: Numbers>(&self, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()>
    where
        i64: ToSql<BigInt, DB>,
        'a: 'b,
    {
        if self.thread.is_some() {
            return self.push_mentions_of_thread(out);
        }
        out.push_sql("(SELECT count(*) FROM (SELECT 1 FROM (SELECT own.message_id FROM (");
        self.push_found(Some(self.user), out)?;
        out.push_sql(") AS own UNION SELECT every.message_id FROM (");
        self.push_found(None, out)?;
        // A join (and what is made into one) lets SQLite go through the room's messages first, and through all that was found
        // for each of them.
        out.push_sql(
            ") AS every) AS found WHERE (SELECT messages.user_id FROM messages WHERE messages.id = found.message_id \
             AND messages.room_id = ",
        );
        self.room.push(out)?;
        self.push_kind(out)?;
        out.push_sql(") <> ");
        out.push_bind_param::<BigInt, _>(self.user)?;
        out.push_sql(&format!(" LIMIT {MOST_COUNTED}) AS counted)"));
        Ok(())
    }

    /// The same of a thread: in whichever of its replies, also one that stands in the room, too.
    fn push_mentions_of_thread<'b, DB: Numbers>(
        &self,
        out: &mut AstPass<'_, 'b, DB>,
    ) -> QueryResult<()>
    where
        i64: ToSql<BigInt, DB>,
        'a: 'b,
    {
        out.push_sql(
            "(SELECT count(*) FROM (SELECT 1 FROM (SELECT messages.id, messages.user_id FROM messages WHERE messages.room_id = ",
        );
        self.room.push(out)?;
        self.push_kind(out)?;
        self.push_bounds("messages.id", out)?;
        out.push_sql(&format!(
            " ORDER BY messages.id LIMIT {MOST_LOOKED_AT}) AS looked_at WHERE looked_at.user_id <> "
        ));
        out.push_bind_param::<BigInt, _>(self.user)?;
        out.push_sql(
            " AND (SELECT count(*) FROM mentions WHERE mentions.message_id = looked_at.id AND mentions.user_id IN (0, ",
        );
        out.push_bind_param::<BigInt, _>(self.user)?;
        out.push_sql(") AND mentions.room_id = ");
        self.room.push(out)?;
        out.push_sql(&format!(") > 0 LIMIT {MOST_COUNTED}) AS counted)"));
        Ok(())
    }

    /// The messages that stand in the room and mention someone; or everyone.
    fn push_found<'b, DB: Numbers>(
        &self,
        whom: Option<&'a i64>,
        out: &mut AstPass<'_, 'b, DB>,
    ) -> QueryResult<()>
    where
        i64: ToSql<BigInt, DB>,
        'a: 'b,
    {
        out.push_sql("SELECT mentions.message_id FROM mentions WHERE mentions.room_id = ");
        self.room.push(out)?;
        out.push_sql(" AND mentions.user_id = ");
        match whom {
            Some(user) => out.push_bind_param::<BigInt, _>(user)?,
            None => out.push_sql("0"),
        }
        self.push_bounds("mentions.message_id", out)?;
        out.push_sql(" AND mentions.thread IS NULL");
        out.push_sql(&format!(
            " ORDER BY mentions.message_id LIMIT {MOST_LOOKED_AT}"
        ));
        Ok(())
    }
}

/// What is unread in rooms of a user. In those that are read, nothing is looked for.
pub struct NewsOfRooms {
    pub user_id: i64,
    pub of: Of,
}

impl<DB: Numbers> QueryFragment<DB> for NewsOfRooms
where
    i64: ToSql<BigInt, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        let span = Span {
            room: Place::Column("rooms.id"),
            thread: None,
            user: &self.user_id,
            above: Place::Column("memberships.read_seq"),
            upto: None,
        };
        let is_unread = "CASE WHEN memberships.read_seq < rooms.last_message_id THEN ";
        out.push_sql("SELECT rooms.id, ");
        out.push_sql(is_unread);
        span.push_messages(&mut out)?;
        out.push_sql(" ELSE 0 END, ");
        out.push_sql(is_unread);
        span.push_mentions(&mut out)?;
        out.push_sql(
            " ELSE 0 END, (SELECT messages.created_at FROM messages WHERE messages.room_id = rooms.id \
             AND NOT messages.thread_only ORDER BY messages.id DESC LIMIT 1) \
             FROM memberships JOIN rooms ON rooms.id = memberships.room_id WHERE memberships.user_id = ",
        );
        out.push_bind_param::<BigInt, _>(&self.user_id)?;
        match &self.of {
            Of::All => {}
            Of::Room(room_id) => {
                out.push_sql(" AND memberships.room_id = ");
                out.push_bind_param::<BigInt, _>(room_id)?;
            }
            Of::Stretch((first, last)) => {
                out.push_sql(" AND memberships.room_id >= ");
                out.push_bind_param::<BigInt, _>(first)?;
                out.push_sql(" AND memberships.room_id <= ");
                out.push_bind_param::<BigInt, _>(last)?;
            }
            Of::These(rooms) => {
                // Another text for another number of them.
                out.unsafe_to_cache_prepared();
                let rooms: Vec<String> = rooms.iter().map(ToString::to_string).collect();
                out.push_sql(&format!(
                    " AND memberships.room_id IN ({})",
                    rooms.join(", ")
                ));
            }
        }
        Ok(())
    }
}

/// A type for each text, since what is prepared is found by its type.
macro_rules! news_of {
    ($($name:ident: $what:literal),+ $(,)?) => {$(
        #[doc = $what]
        pub struct $name(pub NewsOfRooms);

        impl<DB: Numbers> QueryFragment<DB> for $name
        where
            i64: ToSql<BigInt, DB>,
        {
            fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
                self.0.walk_ast(out)
            }
        }
    )+};
}

news_of! {
    NewsOfRoom: "What is unread in one room of a user.",
    NewsOfStretch: "What is unread in rooms of a user that follow one another.",
    NewsOfThese: "What is unread in some rooms of a user.",
}

/// What is unread in a stretch of a room.
pub struct InRoom(pub Stretch);

impl<DB: Numbers> QueryFragment<DB> for InRoom
where
    i64: ToSql<BigInt, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        let span = Span {
            room: Place::Value(&self.0.room_id),
            thread: None,
            user: &self.0.user_id,
            above: Place::Value(&self.0.above),
            upto: Some(&self.0.upto),
        };
        push_both(&span, &mut out)
    }
}

/// What is unread in a stretch of a thread.
pub struct InThread(pub Stretch, pub i64);

impl<DB: Numbers> QueryFragment<DB> for InThread
where
    i64: ToSql<BigInt, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        let span = Span {
            room: Place::Value(&self.0.room_id),
            thread: Some(Place::Value(&self.1)),
            user: &self.0.user_id,
            above: Place::Value(&self.0.above),
            upto: Some(&self.0.upto),
        };
        push_both(&span, &mut out)
    }
}

fn push_both<'a: 'b, 'b, DB: Numbers>(
    span: &Span<'a>,
    out: &mut AstPass<'_, 'b, DB>,
) -> QueryResult<()>
where
    i64: ToSql<BigInt, DB>,
{
    out.push_sql("SELECT ");
    span.push_messages(out)?;
    out.push_sql(", ");
    span.push_mentions(out)
}

/// What is unread in a thread that someone has to do with.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "what is bound to a statement has to outlive it"
)]
fn push_of_threads<'b, DB: Numbers>(user: &'b i64, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()>
where
    i64: ToSql<BigInt, DB>,
{
    let span = Span {
        room: Place::Column("thread_people.room_id"),
        thread: Some(Place::Column("thread_people.thread")),
        user,
        above: Place::Column("thread_people.read_seq"),
        upto: None,
    };
    out.push_sql("SELECT thread_people.room_id, thread_people.thread, ");
    span.push_messages(out)?;
    out.push_sql(", ");
    span.push_mentions(out)?;
    out.push_sql(" FROM thread_people");
    Ok(())
}

/// What is unread in one thread of a user.
pub struct OfThread {
    pub user_id: i64,
    pub room_id: i64,
    pub thread: i64,
}

impl<DB: Numbers> QueryFragment<DB> for OfThread
where
    i64: ToSql<BigInt, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        push_of_threads(&self.user_id, &mut out)?;
        out.push_sql(" WHERE thread_people.user_id = ");
        out.push_bind_param::<BigInt, _>(&self.user_id)?;
        out.push_sql(" AND thread_people.room_id = ");
        out.push_bind_param::<BigInt, _>(&self.room_id)?;
        out.push_sql(" AND thread_people.thread = ");
        out.push_bind_param::<BigInt, _>(&self.thread)
    }
}

/// The same for several of them.
pub struct OfThreads {
    pub user_id: i64,
    pub rooms: Vec<i64>,
    pub threads: Vec<i64>,
}

impl QueryFragment<Pg> for OfThreads {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        push_of_threads(&self.user_id, &mut out)?;
        out.push_sql(" JOIN unnest(");
        out.push_bind_param::<Array<BigInt>, _>(&self.rooms)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<BigInt>, _>(&self.threads)?;
        out.push_sql(
            ") AS wanted (room_id, thread) ON wanted.room_id = thread_people.room_id \
             AND wanted.thread = thread_people.thread WHERE thread_people.user_id = ",
        );
        out.push_bind_param::<BigInt, _>(&self.user_id)
    }
}

/// Each of these is always the same text, so that it is prepared once.
macro_rules! prepared_once {
    ($($statement:ty => $row:ty),+ $(,)?) => {$(
        impl QueryId for $statement {
            type QueryId = Self;
            const HAS_STATIC_QUERY_ID: bool = true;
        }
        impl Query for $statement {
            type SqlType = $row;
        }
        impl<C> RunQueryDsl<C> for $statement {}
    )+};
}

type News = (BigInt, (BigInt, BigInt), Nullable<Timestamp>);
type OfOne = ((BigInt, BigInt), (BigInt, BigInt));

prepared_once! {
    NewsOfRooms => News,
    NewsOfRoom => News,
    NewsOfStretch => News,
    InRoom => (BigInt, BigInt),
    InThread => (BigInt, BigInt),
    OfThread => OfOne,
}

impl QueryId for NewsOfThese {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl Query for NewsOfThese {
    type SqlType = News;
}
impl<C> RunQueryDsl<C> for NewsOfThese {}

impl QueryId for OfThreads {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}
impl Query for OfThreads {
    type SqlType = OfOne;
}
impl RunQueryDsl<PgConnection> for OfThreads {}
