//! Rooms: what can be the name of one, and what is told of them to whom.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bytes::Bytes;

pub use crate::db::rooms::{Room, views::RoomView};
pub use keys::{check_name, id_of, is_general, key_of};

mod keys;

use super::{
    Caller,
    access::{Access, Which},
    cursors::{List, Listed, Wanted, begin, cut},
    people, profiles,
    rates::Rates,
    views::Views,
};
use crate::{
    crypto::{binding::Place, vault::Vault},
    db::{
        self, AnyConnection, QueryError,
        log::hidden as hiding,
        reading::{self, Of, RoomNews},
        rooms::views::{self, MemberRow},
        text::StoredText,
        time::StoredTime,
        users::people as rows_of_people,
    },
    error::{Code, Error, Kind, Result},
    gate::Urgency,
    hub::frame,
    protocol::{
        event::{self, Event, RoomState},
        limits::{FIRST_DIRECTS, MAX_ROOM_NAME},
        people::Settings,
        reading::Notify,
        room::{self, Member, Person, Role, RoomChanged, RoomKind},
        time::Timestamp,
    },
};

/// Tells of rooms.
pub struct Rooms {
    /// Who may see what.
    pub access: Arc<Access>,
    /// Opens topics.
    pub vault: Arc<Vault>,
    /// How often one may read.
    pub rates: Rates,
    /// Tells the caller's sockets.
    pub views: Views,
}

/// The rooms of a socket when it opens, and what its user has set for themselves.
#[derive(Debug, Default)]
pub struct FirstRooms {
    /// Those that it is told of.
    pub told: Vec<(Room, RoomState)>,
    /// Those that it is told of when something happens in them.
    pub quiet: Vec<Room>,
    /// What its user has set.
    pub settings: Settings,
}

impl FirstRooms {
    /// All of them.
    #[must_use]
    pub fn ids(&self) -> BTreeSet<i64> {
        let told = self.told.iter().map(|(room, _)| room);
        told.chain(&self.quiet).map(|room| room.id).collect()
    }
}

impl Rooms {
    /// The caller's rooms, oldest first.
    ///
    /// # Errors
    /// 401 when the login has ended, 422, 429, 503.
    pub async fn list(&self, caller: &Caller, wanted: &Wanted) -> Result<Listed<room::Room>> {
        let list = List::new("rooms", "");
        let after = begin(&self.rates, caller, &list, wanted)?;
        let after = after.map_or(Ok(0), |key| id_of(&key))?;
        let (user_id, vault, limit) = (caller.user_id, Arc::clone(&self.vault), wanted.limit);
        let read = move |conn: &mut _| {
            let found = views::list_page_of_member(conn, user_id, after, limit + 1)?;
            let ends = found.first().zip(found.last());
            let ends = ends.map(|(first, last)| (first.room.id, last.room.id));
            let news = match ends {
                Some(ends) => reading::list_news(conn, user_id, Of::Stretch(ends))?,
                None => Vec::new(),
            };
            describe(conn, &vault, found, news)
        };
        let found = self.access.for_caller(caller, Urgency::CanWait, read);
        Ok(cut(found.await?, limit, &list, |room| room.room.clone()))
    }

    /// The caller's rooms as a socket is told of them, oldest first, and when the login ends unless it is used. Of the direct
    /// ones it is told the [`FIRST_DIRECTS`] in which something happened last.
    ///
    /// # Errors
    /// 401 when the login has ended, 503.
    pub async fn list_states(&self, caller: &Caller) -> Result<(FirstRooms, Timestamp)> {
        let (user_id, vault) = (caller.user_id, Arc::clone(&self.vault));
        let list = move |conn: &mut _| {
            let mut found = views::list_of_member(conn, user_id)?;
            let quiet = take_quiet(conn, user_id, &mut found)?;
            let mut people = people_of(conn, &found)?;
            let of = if quiet.is_empty() {
                Of::All
            } else {
                Of::These(found.iter().map(|view| view.room.id).collect())
            };
            let news = by_room(reading::list_news(conn, user_id, of)?);
            let told = found.into_iter().map(|view| {
                let users = people.remove(&view.room.id).unwrap_or_default();
                let state = state(&vault, &view);
                let state = with_news(state, news.get(&view.room.id));
                (view.room, RoomState { users, ..state })
            });
            let own = rows_of_people::list(conn, &[user_id])?;
            Ok(FirstRooms {
                told: told.collect(),
                quiet,
                settings: own.first().map(profiles::settings).unwrap_or_default(),
            })
        };
        let found = self.access.for_caller_until(caller, Urgency::Urgent, list);
        found.await
    }

    /// The public rooms whose names have `part` in them, by name.
    ///
    /// # Errors
    /// 401 when the login has ended, 422, 429, 503.
    pub async fn list_public(
        &self,
        caller: &Caller,
        part: &str,
        wanted: &Wanted,
    ) -> Result<Listed<room::Room>> {
        let part = part.trim().to_ascii_lowercase();
        let list = List::new("directory", &part);
        let after = begin(&self.rates, caller, &list, wanted)?.unwrap_or_default();
        if part.len() > MAX_ROOM_NAME || part.contains('\0') {
            // No name has that in it.
            return Ok(Listed {
                items: Vec::new(),
                next: None,
            });
        }
        let (user_id, vault, limit) = (caller.user_id, Arc::clone(&self.vault), wanted.limit);
        let read = move |conn: &mut _| {
            let found = views::list_public(conn, user_id, &part, &after, limit + 1)?;
            // What is unread is told of one's own rooms, in their own list.
            describe(conn, &vault, found, Vec::new())
        };
        let found = self.access.for_caller(caller, Urgency::CanWait, read);
        let place = |room: &room::Room| room.name.clone().unwrap_or_default();
        Ok(cut(found.await?, limit, &list, place))
    }

    /// A room that the caller may see.
    ///
    /// # Errors
    /// 401 when the login has ended, 404, 429, 503.
    pub async fn find(&self, caller: &Caller, room: &str) -> Result<room::Room> {
        self.rates.check_read(caller.user_id)?;
        check_name(room)?;
        let vault = Arc::clone(&self.vault);
        let user_id = caller.user_id;
        let find = move |conn: &mut _, view: &RoomView| {
            let news = reading::find_news(conn, view.room.id, user_id)?;
            describe(conn, &vault, vec![view.clone()], news.into_iter().collect())
        };
        let which = Which::Named(room.to_owned());
        let found = self.access.of_room(caller, which, find).await?;
        found.into_iter().next().ok_or_else(Error::no_such_room)
    }

    /// Who is in a room, by the ids of users.
    ///
    /// # Errors
    /// 401 when the login has ended, 403, 404, 422, 429, 503.
    pub async fn list_members(
        &self,
        caller: &Caller,
        room: &str,
        wanted: &Wanted,
    ) -> Result<Listed<Member>> {
        check_name(room)?;
        let list = List::new("members", room);
        let after = begin(&self.rates, caller, &list, wanted)?;
        let after = after.and_then(|id| id.parse().ok()).unwrap_or(0);
        let limit = wanted.limit;
        let read = move |conn: &mut _, view: &RoomView| {
            views::list_members(conn, view.room.id, after, limit + 1)
        };
        let which = Which::Named(room.to_owned());
        let found = self.access.in_room(caller, which, Urgency::CanWait, read);
        let members = found.await?.into_iter().map(member).collect();
        Ok(cut(members, limit, &list, |member: &Member| {
            member.user_id.to_string()
        }))
    }

    /// A member of a room, as who brought them in or changed them sees it.
    ///
    /// # Errors
    /// 401 when the login has ended, 403, 404, 503.
    pub async fn find_member(&self, caller: &Caller, room_id: i64, user: &str) -> Result<Member> {
        let user_id = people::find_one(&self.access, caller, user.to_owned()).await?;
        let read = move |conn: &mut _, view: &RoomView| {
            views::list_members(conn, view.room.id, user_id - 1, 1)
        };
        let which = Which::Id(room_id);
        let found = self.access.in_room(caller, which, Urgency::CanWait, read);
        let mut found = found.await?.into_iter();
        let row = found.find(|row| row.user_id == user_id);
        row.map(member).ok_or_else(Error::no_such_user)
    }

    /// Leaves a direct room out of the caller's list until someone writes in it, or shows it again.
    ///
    /// # Errors
    /// 401 when the login has ended, 403 for another kind of room, 404, 429, 503.
    pub async fn set_hidden(&self, caller: &Caller, room: &str, hidden: bool) -> Result<()> {
        self.rates.check_read(caller.user_id)?;
        check_name(room)?;
        let which = Which::Named(room.to_owned());
        let look = |_: &mut _, view: &RoomView| Ok((view.room.id, kind(view)));
        let found = self.access.in_room(caller, which, Urgency::CanWait, look);
        let (room_id, kind) = found.await?;
        if kind != RoomKind::Direct {
            let detail = "Only a direct room can be hidden; leave another one.";
            return Err(Error::new(Kind::Forbidden, Code::Forbidden, detail));
        }
        let user_id = caller.user_id;
        let keep = move |conn: &mut _, _: &RoomView| {
            if hidden {
                hiding::hide(conn, room_id, user_id)
            } else {
                hiding::unhide(conn, room_id, user_id).map(drop)
            }
        };
        let (access, views, caller) =
            (Arc::clone(&self.access), self.views.clone(), caller.clone());
        let writing = async move {
            let kept = access.keep_in_room(&caller, Which::Id(room_id), keep).await;
            // Also where it is not known whether it was stored.
            views.tell(room_id, user_id);
            kept
        };
        super::to_the_end(writing).await
    }
}

/// Takes the direct rooms out of these that a socket is not told of at first.
fn take_quiet(
    conn: &mut AnyConnection,
    user_id: i64,
    found: &mut Vec<RoomView>,
) -> std::result::Result<Vec<Room>, QueryError> {
    let direct = |view: &&RoomView| kind(view) == RoomKind::Direct;
    if (found.iter().filter(direct).count() as u64) <= FIRST_DIRECTS.unsigned_abs() {
        return Ok(Vec::new());
    }
    let told = views::list_latest_directs(conn, user_id, FIRST_DIRECTS)?;
    let told: BTreeSet<i64> = told.into_iter().collect();
    let is_quiet =
        |view: &mut RoomView| kind(view) == RoomKind::Direct && !told.contains(&view.room.id);
    let quiet = found.extract_if(.., is_quiet);
    Ok(quiet.map(|view| view.room).collect())
}

/// Rooms with all that is told of them.
fn describe(
    conn: &mut AnyConnection,
    vault: &Vault,
    found: Vec<RoomView>,
    news: Vec<RoomNews>,
) -> std::result::Result<Vec<room::Room>, QueryError> {
    let mut people = people_of(conn, &found)?;
    let news = by_room(news);
    let whole = found.into_iter().map(|view| {
        let (state, told) = (state(vault, &view), news.get(&view.room.id));
        let state = with_news(state, told);
        room::Room {
            room: state.room,
            name: state.name,
            kind: state.kind,
            topic: state.topic,
            role: state.role,
            muted_until: state.muted_until,
            seq: state.seq,
            read_seq: told.map(|_| state.read_seq),
            unread: told.map(|_| state.unread),
            mentions: told.map(|_| state.mentions),
            notify: told.map(|_| state.notify),
            last_at: state.last_at,
            members: view.members.unsigned_abs(),
            slow_seconds: state.slow_seconds,
            archived_at: state.archived_at,
            created_at: utc(view.created_at),
            users: people.remove(&view.room.id).unwrap_or_default(),
            hidden: state.hidden,
        }
    });
    Ok(whole.collect())
}

fn by_room(news: Vec<RoomNews>) -> BTreeMap<i64, RoomNews> {
    news.into_iter().map(|news| (news.room_id, news)).collect()
}

/// A view of a room with what its member is told of it beside its row.
pub(super) fn with_news(state: RoomState, news: Option<&RoomNews>) -> RoomState {
    let Some(news) = news else { return state };
    RoomState {
        unread: news.unread.messages.unsigned_abs(),
        mentions: news.unread.mentions.unsigned_abs(),
        last_at: news.last_at.map(utc),
        ..state
    }
}

/// Who is in those of these rooms that are direct ones.
pub(super) fn people_of(
    conn: &mut AnyConnection,
    found: &[RoomView],
) -> std::result::Result<BTreeMap<i64, Vec<Person>>, QueryError> {
    let direct = found.iter().filter(|view| kind(view) == RoomKind::Direct);
    let direct: Vec<i64> = direct.map(|view| view.room.id).collect();
    let mut people = BTreeMap::<i64, Vec<Person>>::new();
    if !direct.is_empty() {
        for (room_id, user_id, username) in views::list_people(conn, &direct)? {
            let person = Person { user_id, username };
            people.entry(room_id).or_default().push(person);
        }
    }
    Ok(people)
}

/// A room as its member is told of it on a socket; but for who is in a direct room.
#[must_use]
pub fn state(vault: &Vault, view: &RoomView) -> RoomState {
    let text = |text: &Option<StoredText>| text.as_ref().map(|text| text.as_str().to_owned());
    let kind = kind(view);
    let role = view
        .membership
        .as_ref()
        .map(|(role, _)| read_role(role.as_str()));
    RoomState {
        room: view.room.key.clone(),
        name: text(&view.name).filter(|_| kind != RoomKind::Direct),
        kind,
        topic: text(&view.topic)
            .and_then(|sealed| vault.open_at(Place::of_topic(view.room.id), &sealed).ok()),
        // In a direct room all are alike.
        role: role.filter(|_| kind != RoomKind::Direct),
        muted_until: view
            .membership
            .as_ref()
            .and_then(|(_, until)| *until)
            .map(utc),
        slow_seconds: view.slow_seconds.try_into().unwrap_or(0),
        archived_at: view.archived_at.map(utc),
        users: Vec::new(),
        hidden: view
            .hidden_seq
            .is_some_and(|upto| upto >= view.room.last_message_id),
        seq: view.room.last_seq.unsigned_abs(),
        read_seq: view.read_seq.map_or(0, i64::unsigned_abs),
        unread: 0,
        mentions: 0,
        notify: view
            .notify
            .as_ref()
            .and_then(|level| level.as_str().parse().ok())
            .unwrap_or_else(|| Notify::usual_in(kind)),
        last_at: None,
    }
}

/// What the sockets of a user are told who has hidden a direct room, or shows it again. `newest`: its newest message.
#[must_use]
pub fn hidden_frame(room_id: i64, newest: u64, hidden: bool) -> Bytes {
    let changed = RoomChanged::hidden(key_of(room_id), newest, hidden);
    frame::event(&Event::Room(event::RoomNews::Changed(changed)))
}

/// Its kind. What was made of it by hand is shown to no one but its members.
#[must_use]
pub fn kind(view: &RoomView) -> RoomKind {
    view.kind.parse().unwrap_or(RoomKind::Private)
}

fn read_role(role: &str) -> Role {
    role.parse().unwrap_or_default()
}

fn utc(at: StoredTime) -> Timestamp {
    db::utc(at.get())
}

fn member(row: MemberRow) -> Member {
    Member {
        user_id: row.user_id,
        username: row.username,
        display_name: row.display_name.map(String::from),
        role: read_role(&row.role),
        muted_until: row.muted_until.map(utc),
        joined_at: utc(row.created_at),
    }
}
