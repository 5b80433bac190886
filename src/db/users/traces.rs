//! What an account has left in rooms, beside its messages.

use diesel::{dsl::count_star, prelude::*};

use crate::{
    db::{
        AnyConnection,
        schema::{
            drafts, memberships, mentions, messages, reactions, removals, restraints, rooms, saved,
            scheduled, thread_people, users,
        },
        text::StoredText,
        time::StoredTime,
    },
    protocol::room::RoomKind,
};

/// A room that someone is in.
#[derive(Debug, Queryable)]
pub struct Membership {
    /// What names it on the wire.
    pub room: String,
    /// What people call it.
    pub name: Option<StoredText>,
    /// Since when.
    pub since: StoredTime,
    /// In which role.
    pub role: StoredText,
    /// Until when they only read.
    pub muted_until: Option<StoredTime>,
    /// The room is hidden as long as it has no message after this one.
    pub hidden_seq: Option<i64>,
    /// When they last wrote in slow mode.
    pub spoke_at: Option<StoredTime>,
    /// Who has brought them in.
    pub invited_by: Option<i64>,
    /// Up to here they have read it.
    pub read_seq: i64,
    /// What of it they want to be told of.
    pub notify: Option<StoredText>,
    /// Up to here others are told that they have read it.
    pub shown_seq: i64,
}

/// A thread that someone has to do with.
#[derive(Debug, Queryable)]
pub struct Thread {
    /// Its room.
    pub room: String,
    /// Its first message.
    pub thread: i64,
    /// How many replies of theirs stand in it.
    pub replies: i64,
    /// Whether they want to be told of it.
    pub follows: bool,
    /// Up to here they have read it.
    pub read_seq: i64,
}

/// A text that someone has begun to write.
#[derive(Debug, Queryable)]
pub struct Draft {
    /// The room.
    pub room_id: i64,
    /// The room, by its key.
    pub room: String,
    /// The thread; 0: the room itself.
    pub thread: i64,
    /// Sealed.
    pub content: StoredText,
    /// When it was changed last.
    pub updated_at: StoredTime,
}

/// A text that is to be said later.
#[derive(Debug, Queryable)]
pub struct Scheduled {
    /// Its number.
    pub id: i64,
    /// The room.
    pub room_id: i64,
    /// The room, by its key.
    pub room: String,
    /// The thread in which it is to stand.
    pub thread: Option<i64>,
    /// Whether it is to stand in the room, too.
    pub also_to_room: bool,
    /// `message` or `reminder`.
    pub what: StoredText,
    /// Sealed.
    pub content: StoredText,
    /// What it is called when it is sent.
    pub client_id: StoredText,
    /// When.
    pub send_at: StoredTime,
    /// When it was written.
    pub created_at: StoredTime,
    /// Why it could not be sent.
    pub failed: Option<StoredText>,
    /// The message that it answers.
    pub reply_to: Option<i64>,
    /// When it is tried.
    pub try_at: StoredTime,
}

/// What an account has left in rooms. Rooms are named by their keys.
#[derive(Debug)]
pub struct Traces {
    /// The rooms that they are in.
    pub memberships: Vec<Membership>,
    /// With whom they are in direct rooms: the room, and a name.
    pub directs: Vec<(String, StoredText)>,
    /// How many members of a room they have brought in.
    pub invitations: Vec<(String, i64)>,
    /// Rooms that they have made, with their names, and when.
    pub made: Vec<(String, Option<StoredText>, StoredTime)>,
    /// Rooms that they were taken out of, by which change, and when.
    pub removals: Vec<(String, i64, StoredTime)>,
    /// Rooms that they have left, until when they are muted there, and when they last wrote in slow mode.
    pub restraints: Vec<(String, Option<StoredTime>, Option<StoredTime>)>,
    /// How often they have reacted in a room with an emoji.
    pub reactions: Vec<(String, StoredText, i64)>,
    /// Messages that they have pinned, and when.
    pub pins: Vec<(String, i64, Option<StoredTime>)>,
    /// Threads that they have to do with.
    pub threads: Vec<Thread>,
    /// How many messages of a room mention them.
    pub mentions: Vec<(String, i64)>,
    /// What they have begun to write.
    pub drafts: Vec<Draft>,
    /// What they say later.
    pub scheduled: Vec<Scheduled>,
    /// Messages that they want to find again, and since when.
    pub saved: Vec<(String, i64, StoredTime)>,
}

fn list_directs(conn: &mut AnyConnection, user_id: i64) -> QueryResult<Vec<(String, StoredText)>> {
    let own = diesel::alias!(memberships as own);
    let own = own
        .filter(own.field(memberships::user_id).eq(user_id))
        .select(own.field(memberships::room_id));
    memberships::table
        .inner_join(rooms::table)
        .inner_join(users::table.on(users::id.eq(memberships::user_id)))
        .filter(rooms::kind.eq(RoomKind::Direct.as_str()))
        .filter(memberships::room_id.eq_any(own))
        .filter(memberships::user_id.ne(user_id))
        .order((rooms::id, users::id))
        .select((rooms::key, users::username))
        .load(conn)
}

/// What an account has left in rooms.
///
/// # Errors
/// When the database fails.
pub fn find(conn: &mut AnyConnection, user_id: i64) -> QueryResult<Traces> {
    let invitations = memberships::table
        .inner_join(rooms::table)
        .filter(memberships::invited_by.eq(user_id))
        .group_by(rooms::key)
        .order(rooms::key)
        .select((rooms::key, count_star()));
    let reacted = reactions::table
        .inner_join(rooms::table.on(rooms::id.eq(reactions::room_id)))
        .filter(reactions::user_id.eq(user_id))
        .group_by((rooms::key, reactions::emoji))
        .order((rooms::key, reactions::emoji))
        .select((rooms::key, reactions::emoji, count_star()));
    let mentioned = mentions::table
        .inner_join(rooms::table.on(rooms::id.eq(mentions::room_id)))
        .filter(mentions::user_id.eq(user_id))
        .group_by(rooms::key)
        .order(rooms::key)
        .select((rooms::key, count_star()));
    Ok(Traces {
        threads: thread_people::table
            .inner_join(rooms::table.on(rooms::id.eq(thread_people::room_id)))
            .filter(thread_people::user_id.eq(user_id))
            .order((rooms::id, thread_people::thread))
            .select((
                rooms::key,
                thread_people::thread,
                thread_people::replies,
                thread_people::follows,
                thread_people::read_seq,
            ))
            .load(conn)?,
        mentions: on_either!(conn, mentioned.load())?,
        drafts: list_drafts(conn, user_id)?,
        scheduled: list_scheduled(conn, user_id)?,
        saved: saved::table
            .inner_join(rooms::table.on(rooms::id.eq(saved::room_id)))
            .filter(saved::user_id.eq(user_id))
            .order((rooms::id, saved::message_id))
            .select((rooms::key, saved::message_id, saved::created_at))
            .load(conn)?,
        memberships: memberships::table
            .inner_join(rooms::table)
            .filter(memberships::user_id.eq(user_id))
            .order(rooms::id)
            .select((
                rooms::key,
                rooms::name,
                memberships::created_at,
                memberships::role,
                memberships::muted_until,
                memberships::hidden_seq,
                memberships::spoke_at,
                memberships::invited_by,
                memberships::read_seq,
                memberships::notify,
                memberships::shown_seq,
            ))
            .load(conn)?,
        directs: list_directs(conn, user_id)?,
        invitations: on_either!(conn, invitations.load())?,
        made: rooms::table
            .filter(rooms::created_by.eq(user_id))
            .order(rooms::id)
            .select((rooms::key, rooms::name, rooms::created_at))
            .load(conn)?,
        removals: removals::table
            .inner_join(rooms::table.on(rooms::id.eq(removals::room_id)))
            .filter(removals::user_id.eq(user_id))
            .order(rooms::id)
            .select((rooms::key, removals::seq, removals::created_at))
            .load(conn)?,
        restraints: restraints::table
            .inner_join(rooms::table.on(rooms::id.eq(restraints::room_id)))
            .filter(restraints::user_id.eq(user_id))
            .order(rooms::id)
            .select((rooms::key, restraints::muted_until, restraints::spoke_at))
            .load(conn)?,
        reactions: on_either!(conn, reacted.load())?,
        pins: messages::table
            .inner_join(rooms::table)
            .filter(messages::pinned_by.eq(user_id))
            .order((rooms::id, messages::id))
            .select((rooms::key, messages::id, messages::pinned_at))
            .load(conn)?,
    })
}

fn list_drafts(conn: &mut AnyConnection, user_id: i64) -> QueryResult<Vec<Draft>> {
    drafts::table
        .inner_join(rooms::table)
        .filter(drafts::user_id.eq(user_id))
        .order((rooms::id, drafts::thread))
        .select((
            rooms::id,
            rooms::key,
            drafts::thread,
            drafts::content,
            drafts::updated_at,
        ))
        .load(conn)
}

fn list_scheduled(conn: &mut AnyConnection, user_id: i64) -> QueryResult<Vec<Scheduled>> {
    scheduled::table
        .inner_join(rooms::table)
        .filter(scheduled::user_id.eq(user_id))
        .order(scheduled::id)
        .select((
            scheduled::id,
            rooms::id,
            rooms::key,
            scheduled::thread,
            scheduled::also_to_room,
            scheduled::kind,
            scheduled::content,
            scheduled::client_id,
            scheduled::send_at,
            scheduled::created_at,
            scheduled::failed,
            scheduled::reply_to,
            scheduled::try_at,
        ))
        .load(conn)
}

/// Deletes what an account kept for itself alone: what it began to write, what it was to say later, and what it wanted
/// to find again.
///
/// # Errors
/// When the database fails.
pub(super) fn delete_private(conn: &mut AnyConnection, user_id: i64) -> QueryResult<()> {
    diesel::delete(drafts::table.filter(drafts::user_id.eq(user_id))).execute(conn)?;
    diesel::delete(scheduled::table.filter(scheduled::user_id.eq(user_id))).execute(conn)?;
    diesel::delete(saved::table.filter(saved::user_id.eq(user_id))).execute(conn)?;
    // Direct rooms and replies stay, and nothing of how they were read.
    diesel::update(memberships::table.filter(memberships::user_id.eq(user_id)))
        .set((
            memberships::read_seq.eq(0),
            memberships::shown_seq.eq(0),
            memberships::notify.eq(None::<String>),
        ))
        .execute(conn)?;
    let own = thread_people::table.filter(thread_people::user_id.eq(user_id));
    diesel::delete(own.filter(thread_people::replies.eq(0))).execute(conn)?;
    diesel::update(own)
        .set((
            thread_people::follows.eq(false),
            thread_people::read_seq.eq(0),
        ))
        .execute(conn)?;
    Ok(())
}
