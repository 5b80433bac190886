//! Beginning a room: its row, its first members and its first messages are one change of the road.

use std::collections::BTreeSet;

use super::{
    Stored,
    membership::{check_brought_in, check_chosen},
    pass::{Fail, Pass},
    room::{check_public_name, name_taken},
};
use crate::{
    crypto::{binding::Place, name_of_set},
    db::{
        AnyConnection, is_unique_violation,
        log::{
            hidden,
            lock::Locked,
            members,
            rooms::{self, NewRow, OwnRoom, key_of_name},
        },
    },
    error::{Code, Error, Kind},
    journal::entry::{Actor, Membership, NewRoom},
    protocol::room::{Role, RoomEvent, RoomKind},
};

/// A user's number and name.
type Named = (i64, String);

impl Pass<'_> {
    pub(super) fn begin_room(
        &mut self,
        conn: &mut AnyConnection,
        room_id: i64,
        actor: &Actor,
        new: &NewRoom,
    ) -> Result<Stored, Fail> {
        let mut ids: BTreeSet<i64> = new.users.iter().copied().collect();
        ids.insert(actor.user_id);
        let people = (new.kind == RoomKind::Direct).then(|| name_of_set(&ids));
        if let Some(people) = &people
            && let Some((room_id, seq)) =
                rooms::find_of_people(conn, people).map_err(Fail::Database)?
        {
            // Whoever asks for it wants to see it.
            let shown = hidden::unhide(conn, room_id, actor.user_id).map_err(Fail::Database)?;
            return Ok(Stored::Exists {
                room_id,
                seq,
                shown,
            });
        }
        if let Some(name) = &new.name {
            let own = rooms::list_own(conn, name, actor.user_id).map_err(Fail::Database)?;
            check_own(&own, actor.user_id)?;
        }
        let is_direct = people.is_some();
        self.check_made(conn, actor.user_id, is_direct, new.most_an_hour)?;
        let ids: Vec<i64> = ids.into_iter().collect();
        let others = list_others(conn, &ids, actor.user_id)?;
        if !is_direct {
            check_chosen(conn, actor.user_id)?;
            let named: Vec<_> = others.iter().map(|(id, name)| (*id, &**name)).collect();
            check_brought_in(conn, &named)?;
        }
        let members = i64::try_from(ids.len()).unwrap_or(i64::MAX);
        self.insert_room(conn, room_id, actor, (new, people.as_deref(), members))?;
        let roles = |id: &i64| {
            let is_owner = people.is_none() && *id == actor.user_id;
            let role = if is_owner { Role::Owner } else { Role::Member };
            (*id, role.as_str())
        };
        let first: Vec<(i64, &str)> = ids.iter().map(roles).collect();
        let at = self.at.stored.naive_utc();
        // No one is disturbed by a conversation in which nothing is said: only the room's own first message is there.
        let hidden_seq = is_direct.then_some(1);
        members::insert_first(conn, room_id, &first, (actor.user_id, hidden_seq, at))
            .map_err(Fail::Database)?;
        self.say_beginning(conn, room_id, actor, (new.kind, &ids, others))
    }

    fn check_made(
        &self,
        conn: &mut AnyConnection,
        user_id: i64,
        is_direct: bool,
        most: Option<u32>,
    ) -> Result<(), Fail> {
        let Some(most) = most else { return Ok(()) };
        let now = self.at.stored;
        let hour = chrono::TimeDelta::hours(1);
        let within = ((now - hour).naive_utc(), now.naive_utc());
        let made = rooms::count_made(conn, user_id, is_direct, within).map_err(Fail::Database)?;
        if made < i64::from(most) {
            return Ok(());
        }
        let what = if is_direct { "direct rooms" } else { "rooms" };
        Err(Fail::Refused(Error::too_many(
            Code::RateLimited,
            format!("You have made {most} {what} within an hour; wait a while before the next."),
            std::time::Duration::from_mins(10),
        )))
    }

    fn insert_room(
        &mut self,
        conn: &mut AnyConnection,
        room_id: i64,
        actor: &Actor,
        (new, people, members): (&NewRoom, Option<&str>, i64),
    ) -> Result<(), Fail> {
        let name = new.name.as_deref();
        let public = name.filter(|_| new.kind == RoomKind::Public);
        if let Some(name) = public {
            check_public_name(conn, name, room_id)?;
        }
        let topic = new.topic.as_deref();
        let row = NewRow {
            id: room_id,
            key: room_id.to_string(),
            last_seq: 0,
            created_at: self.at.stored.naive_utc(),
            kind: new.kind.as_str(),
            name,
            name_key: public.map(key_of_name),
            topic: topic.map(|topic| self.vault.seal_at(Place::of_topic(room_id), topic)),
            people,
            created_by: actor.user_id,
            members,
        };
        rooms::insert(conn, &row).map_err(|error| match new.kind {
            RoomKind::Public if is_unique_violation(&error) => name_taken(),
            _ => Fail::Database(error),
        })?;
        let room = Locked {
            id: room_id,
            last_seq: 0,
            last_id: 0,
            members_version: 0,
            kind: new.kind.as_str().to_owned(),
            is_archived: false,
            slow_seconds: 0,
            members,
        };
        self.rooms.insert(room_id, room);
        Ok(())
    }

    /// The first messages. By the very first of them all come in, so that each hears the room from its beginning.
    fn say_beginning(
        &mut self,
        conn: &mut AnyConnection,
        room_id: i64,
        actor: &Actor,
        (kind, ids, others): (RoomKind, &[i64], Vec<Named>),
    ) -> Result<Stored, Fail> {
        let by = &actor.username;
        let is_direct = kind == RoomKind::Direct;
        let text = match kind {
            RoomKind::Direct => format!("{by} began this conversation"),
            _ => format!("{by} made the room"),
        };
        let coming = |id: &i64| {
            if is_direct && *id != actor.user_id {
                (*id, Membership::BroughtIn)
            } else {
                (*id, Membership::Joined)
            }
        };
        let members = ids.iter().map(coming).collect();
        let (id, said) = self.say(conn, room_id, actor, (text, RoomEvent::Created), members)?;
        let mut told = vec![(id, id, said)];
        for (user_id, name) in others.into_iter().filter(|_| !is_direct) {
            let text = format!("{by} added {name} to the room");
            let said = (text, RoomEvent::Invited { user_id });
            let (id, said) = self.say(conn, room_id, actor, said, Vec::new())?;
            told.push((id, id, said));
        }
        let id = told.last().map_or(id, |(id, ..)| *id);
        Ok(Stored::Changed { id, told })
    }
}

/// Those of these users who are not the maker; all of them can come in.
fn list_others(conn: &mut AnyConnection, ids: &[i64], maker: i64) -> Result<Vec<Named>, Fail> {
    let people = members::list_people(conn, ids).map_err(Fail::Database)?;
    if people.len() < ids.len() {
        return Err(Fail::Refused(Error::no_such_user()));
    }
    let mut others = Vec::new();
    for (id, name, is_disabled) in people {
        if is_disabled {
            return Err(Fail::Refused(Error::user_disabled(&name)));
        }
        if id != maker {
            others.push((id, name));
        }
    }
    Ok(others)
}

/// Refuses a name that one of the maker's rooms has. One that the maker has made is named: perhaps the answer that told
/// so was lost. One that someone else has made is not what was asked for, whatever its name.
fn check_own(own: &[OwnRoom], maker: i64) -> Result<(), Fail> {
    let is_made = |room: &&OwnRoom| room.created_by == Some(maker);
    if let Some(made) = own.iter().find(is_made) {
        let detail = "You have made a room of this name already.";
        let kind = made.kind.parse().unwrap_or_default();
        return Err(Fail::Refused(Error {
            room: Some((made.key.clone(), kind)),
            ..Error::new(Kind::Conflict, Code::RoomExists, detail)
        }));
    }
    if own.is_empty() {
        return Ok(());
    }
    let detail = "You are in a room of this name that someone else has made; choose another name.";
    Err(Error::new(Kind::Conflict, Code::RoomNameTaken, detail).into())
}
