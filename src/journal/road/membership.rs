//! Changes of who is in a room, and as what. Each is a message of kind `system`, but for who comes into `general`.

use std::borrow::Cow;

use super::{
    Stored, check_numbers,
    pass::{Fail, Pass},
};
use crate::{
    crypto::binding::{Place, Purpose},
    db::{
        AnyConnection,
        log::{
            members,
            posts::{self, NewMessage},
        },
        members::ensure_owner,
    },
    error::{Code, Error, Kind},
    journal::entry::{Actor, Membership, SystemText, Told},
    protocol::{
        limits::Limits,
        room::{Role, RoomEvent},
        time::Timestamp,
    },
    rights::{Denied, Right},
};

/// Most members of a room, but for `general`.
const MOST_MEMBERS: i64 = Limits::DEFAULT.members_per_room as i64;
/// Most rooms of a user that they chose, and most that others brought them into. No one chooses direct ones that others open,
/// and no one can leave them, so they count for neither.
const MOST_ROOMS: i64 = Limits::DEFAULT.rooms_per_user as i64;

impl Pass<'_> {
    /// Brings someone in who is no member, and makes a member something else.
    pub(super) fn put_member(
        &mut self,
        conn: &mut AnyConnection,
        room_id: i64,
        actor: &Actor,
        user_id: i64,
        (role, until): (Option<Role>, Option<Timestamp>),
    ) -> Result<Stored, Fail> {
        let mut all = Vec::new();
        let mut keep = |stored| {
            if let Stored::Changed { told, .. } = stored {
                all.extend(told);
            }
        };
        let is_member = self.member(conn, room_id, user_id)?.is_some();
        match role {
            Some(role) if is_member => {
                keep(self.set_role(conn, room_id, actor, user_id, role)?);
            }
            None if is_member && until.is_some() => {}
            _ => keep(self.join(conn, room_id, actor, user_id, role.unwrap_or_default())?),
        }
        if until.is_some() {
            keep(self.mute(conn, room_id, actor, user_id, until)?);
        }
        if let Some((id, ..)) = all.last() {
            return Ok(Stored::Changed { id: *id, told: all });
        }
        let seq = self.room(room_id)?.last_seq;
        Ok(Stored::Unchanged { seq })
    }

    pub(super) fn join(
        &mut self,
        conn: &mut AnyConnection,
        room_id: i64,
        actor: &Actor,
        user_id: i64,
        role: Role,
    ) -> Result<Stored, Fail> {
        let is_invited = user_id != actor.user_id;
        self.check_entry(conn, room_id, actor.user_id, user_id)?;
        if role > Role::Member {
            self.check(conn, room_id, actor.user_id, Right::SetRole)?;
        }
        let last_seq = self.room(room_id)?.last_seq;
        if self.member(conn, room_id, user_id)?.is_some() {
            return Ok(Stored::Unchanged { seq: last_seq });
        }
        let name = hold_person(conn, user_id)?;
        let is_general = self.room(room_id)?.is_general();
        if !is_general {
            let members = self.room(room_id)?.members;
            check_limits(conn, members, (user_id, &name), is_invited)?;
        }
        let at = self.at.stored.naive_utc();
        let by = is_invited.then_some(actor.user_id);
        members::insert(conn, room_id, user_id, (role, by), at).map_err(Fail::Database)?;
        // No one else may be there who could own it.
        let heir = ensure_owner(conn, room_id).map_err(Fail::Database)?;
        self.count_in(room_id, 1)?;
        if is_general {
            return match heir {
                Some(heir) => self.say_heir(conn, room_id, heir),
                None => Ok(Stored::Unchanged { seq: last_seq }),
            };
        }
        let by = &actor.username;
        let (text, event) = if is_invited {
            let text = format!("{by} added {name} to the room");
            (text, RoomEvent::Invited { user_id })
        } else {
            (
                format!("{by} joined the room"),
                RoomEvent::Joined { user_id },
            )
        };
        let joined = Some((user_id, Membership::Joined));
        let stored = self.said(conn, room_id, actor, (text, event), joined)?;
        match heir {
            Some(heir) => Ok(stored.and(self.say_heir(conn, room_id, heir)?)),
            None => Ok(stored),
        }
    }

    pub(super) fn leave(
        &mut self,
        conn: &mut AnyConnection,
        room_id: i64,
        actor: &Actor,
    ) -> Result<Stored, Fail> {
        let user_id = actor.user_id;
        self.check(conn, room_id, user_id, Right::Leave)?;
        // Where no one is left who could have the room, it keeps no one.
        if members::has_others(conn, room_id, user_id).map_err(Fail::Database)? {
            self.keep_an_owner(conn, room_id, user_id)?;
        }
        let mut news = Vec::new();
        if members::count(conn, room_id).map_err(Fail::Database)? == 1 {
            self.give_up(conn, room_id, actor, &mut news)?;
        }
        members::delete(conn, room_id, user_id, self.at.clock).map_err(Fail::Database)?;
        self.count_in(room_id, -1)?;
        // Those who cannot log in may be there still. Told first, so that whoever leaves hears that as the last.
        if let Some(heir) = ensure_owner(conn, room_id).map_err(Fail::Database)?
            && let Stored::Changed { told, .. } = self.say_heir(conn, room_id, heir)?
        {
            news.extend(told);
        }
        let text = format!("{} left the room", actor.username);
        let said = (text, RoomEvent::Left { user_id });
        let left = vec![(user_id, Membership::Left)];
        let (id, told) = self.say(conn, room_id, actor, said, left)?;
        news.push((id, id, told));
        Ok(Stored::Changed { id, told: news })
    }

    pub(super) fn kick(
        &mut self,
        conn: &mut AnyConnection,
        room_id: i64,
        actor: &Actor,
        user_id: i64,
    ) -> Result<Stored, Fail> {
        let rights = (Right::Kick, Right::KickModerator);
        self.check_over(conn, room_id, actor, user_id, rights)?;
        let name = find_name(conn, user_id)?;
        members::delete(conn, room_id, user_id, self.at.clock).map_err(Fail::Database)?;
        self.count_in(room_id, -1)?;
        let text = format!("{} removed {name} from the room", actor.username);
        let said = (text, RoomEvent::Kicked { user_id });
        let stored = self.said(
            conn,
            room_id,
            actor,
            said,
            Some((user_id, Membership::Left)),
        )?;
        let (seq, at) = (self.room(room_id)?.last_seq, self.at.stored.naive_utc());
        members::insert_removal(conn, room_id, user_id, seq, at).map_err(Fail::Database)?;
        Ok(stored)
    }

    pub(super) fn set_role(
        &mut self,
        conn: &mut AnyConnection,
        room_id: i64,
        actor: &Actor,
        user_id: i64,
        role: Role,
    ) -> Result<Stored, Fail> {
        self.check(conn, room_id, actor.user_id, Right::SetRole)?;
        let member = self.member(conn, room_id, user_id)?;
        let member = member.ok_or_else(|| Fail::Refused(Error::no_such_user()))?;
        if member.role == role {
            let seq = self.room(room_id)?.last_seq;
            return Ok(Stored::Unchanged { seq });
        }
        // Who was made an owner by another must not be able to put them out, in two steps either.
        if member.role == Role::Owner && user_id != actor.user_id {
            return Err(Fail::Refused(Error::new(
                Kind::Forbidden,
                Code::Forbidden,
                "Owners give up being one only by themselves.",
            )));
        }
        self.keep_an_owner(conn, room_id, user_id)?;
        let name = find_name(conn, user_id)?;
        members::set_role(conn, room_id, user_id, role.as_str()).map_err(Fail::Database)?;
        self.room(room_id)?.members_version += 1;
        let article = if role == Role::Owner { "an" } else { "a" };
        let (by, role_name) = (&actor.username, role.as_str());
        let text = format!("{by} made {name} {article} {role_name} of the room");
        self.said(
            conn,
            room_id,
            actor,
            (text, RoomEvent::Role { user_id, role }),
            None,
        )
    }

    pub(super) fn mute(
        &mut self,
        conn: &mut AnyConnection,
        room_id: i64,
        actor: &Actor,
        user_id: i64,
        until: Option<Timestamp>,
    ) -> Result<Stored, Fail> {
        let rights = (Right::Mute, Right::MuteModerator);
        self.check_over(conn, room_id, actor, user_id, rights)?;
        let until = until.filter(|until| *until > self.at.clock);
        let member = self.member(conn, room_id, user_id)?;
        let before = member.and_then(|member| member.muted_until);
        if before.filter(|before| *before > self.at.clock) == until {
            let seq = self.room(room_id)?.last_seq;
            return Ok(Stored::Unchanged { seq });
        }
        let name = find_name(conn, user_id)?;
        let stored_until = until.map(|until| until.naive_utc());
        members::set_muted(conn, room_id, user_id, stored_until).map_err(Fail::Database)?;
        self.room(room_id)?.members_version += 1;
        let by = &actor.username;
        let text = match until {
            Some(until) => {
                let until = until.format("%Y-%m-%d %H:%M UTC");
                format!("{by} muted {name} until {until}")
            }
            None => format!("{by} unmuted {name}"),
        };
        self.said(
            conn,
            room_id,
            actor,
            (text, RoomEvent::Muted { user_id, until }),
            None,
        )
    }

    /// So many more are members of a room now.
    fn count_in(&mut self, room_id: i64, more: i64) -> Result<(), Fail> {
        let room = self.room(room_id)?;
        room.members_version += 1;
        room.members += more;
        Ok(())
    }

    /// Whether someone may do this to a member: moderators are the owners' matter, and over an owner there is no one.
    fn check_over(
        &mut self,
        conn: &mut AnyConnection,
        room_id: i64,
        actor: &Actor,
        user_id: i64,
        (over_members, over_moderators): (Right, Right),
    ) -> Result<(), Fail> {
        self.check(conn, room_id, actor.user_id, over_members)?;
        let member = self.member(conn, room_id, user_id)?;
        match member.map(|member| member.role) {
            None => Err(not_here(conn, user_id)),
            Some(Role::Member) => Ok(()),
            Some(Role::Moderator) => self.check(conn, room_id, actor.user_id, over_moderators),
            Some(Role::Owner) => Err(Denied::Forbidden.into()),
        }
    }

    /// Refuses to take a room's last owner away.
    fn keep_an_owner(
        &mut self,
        conn: &mut AnyConnection,
        room_id: i64,
        user_id: i64,
    ) -> Result<(), Fail> {
        let member = self.member(conn, room_id, user_id)?;
        let is_owner = member.is_some_and(|member| member.role == Role::Owner);
        if is_owner && !members::has_other_owner(conn, room_id, user_id).map_err(Fail::Database)? {
            return Err(Fail::Refused(Error::new(
                Kind::Conflict,
                Code::LastOwner,
                "A room always has an owner: make someone else an owner first.",
            )));
        }
        Ok(())
    }

    /// Stores a message of kind `system`, which is all of a change.
    pub(super) fn said(
        &mut self,
        conn: &mut AnyConnection,
        room_id: i64,
        actor: &Actor,
        said: (String, RoomEvent),
        member: Option<(i64, Membership)>,
    ) -> Result<Stored, Fail> {
        let members = member.into_iter().collect();
        let (id, told) = self.say(conn, room_id, actor, said, members)?;
        Ok(Stored::Changed {
            id,
            told: vec![(id, id, told)],
        })
    }

    /// Stores a message of kind `system`: its number, and what is told of it.
    pub(super) fn say(
        &mut self,
        conn: &mut AnyConnection,
        room_id: i64,
        actor: &Actor,
        (text, event): (String, RoomEvent),
        members: Vec<(i64, Membership)>,
    ) -> Result<(i64, Told), Fail> {
        let said = SystemText {
            text: text.clone(),
            event: event.clone(),
        };
        let json = serde_json::to_string(&said).map_err(Error::internal)?;
        let sealed = self.vault.seal(&json);
        let (vault, at) = (self.vault, self.at.stored.naive_utc());
        let room = self.room(room_id)?;
        check_numbers(room)?;
        let (previous, id) = (room.last_id.min(room.last_seq), room.last_seq + 1);
        (room.last_seq, room.last_id) = (id, id);
        let place = Place {
            room_id,
            id,
            author: actor.user_id,
            purpose: Purpose::System,
        };
        let row = NewMessage {
            room_id,
            id,
            seq: id,
            user_id: actor.user_id,
            session_id: actor.session_id,
            client_id: None,
            mac: vault.bind(place, &sealed),
            content: &sealed,
            created_at: at,
            previous,
            kind: "system",
            reply_to: None,
        };
        posts::insert_one(conn, &row).map_err(Fail::Database)?;
        Ok((
            id,
            Told::System {
                text,
                event,
                author: actor.clone(),
                members,
            },
        ))
    }
}

fn check_limits(
    conn: &mut AnyConnection,
    members: i64,
    (user_id, name): (i64, &str),
    is_invited: bool,
) -> Result<(), Fail> {
    if members >= MOST_MEMBERS {
        return Err(full("This room has as many members as a room can have."));
    }
    if is_invited {
        check_brought_in(conn, &[(user_id, name)])
    } else {
        check_chosen(conn, user_id)
    }
}

/// Whether someone may come into one more room, or make it. What others do does not count.
pub(super) fn check_chosen(conn: &mut AnyConnection, user_id: i64) -> Result<(), Fail> {
    if members::count_chosen(conn, user_id).map_err(Fail::Database)? < MOST_ROOMS {
        return Ok(());
    }
    Err(full(
        "You are in as many rooms as anyone can be; leave one first.",
    ))
}

/// Whether these can be brought into one more room.
pub(super) fn check_brought_in(
    conn: &mut AnyConnection,
    people: &[(i64, &str)],
) -> Result<(), Fail> {
    let ids: Vec<i64> = people.iter().map(|(id, _)| *id).collect();
    let counts = members::count_brought_in(conn, &ids).map_err(Fail::Database)?;
    let mut too_many = counts.iter().filter(|(_, count)| *count >= MOST_ROOMS);
    let Some((id, _)) = too_many.next() else {
        return Ok(());
    };
    let name = people.iter().find(|(known, _)| known == id);
    let name = name.map_or("This user", |(_, name)| *name);
    Err(full(format!(
        "{name} was brought into as many rooms as anyone can be; they have to leave one first, or come in by themselves."
    )))
}

/// Why nothing can be done to someone who is no member.
fn not_here(conn: &mut AnyConnection, user_id: i64) -> Fail {
    match members::find_person(conn, user_id) {
        Err(error) => Fail::Database(error),
        Ok(None) => Fail::Refused(Error::no_such_user()),
        Ok(Some((name, _))) => {
            let detail = format!("{name} is not in this room.");
            Fail::Refused(Error::new(Kind::NotFound, Code::UserNotFound, detail))
        }
    }
}

fn full(detail: impl Into<Cow<'static, str>>) -> Fail {
    Fail::Refused(Error::new(Kind::Conflict, Code::RoomFull, detail))
}

/// The name of someone who can be brought in.
fn hold_person(conn: &mut AnyConnection, user_id: i64) -> Result<String, Fail> {
    match members::hold_person(conn, user_id).map_err(Fail::Database)? {
        None => Err(Fail::Refused(Error::no_such_user())),
        Some((name, true)) => Err(Fail::Refused(Error::user_disabled(&name))),
        Some((name, false)) => Ok(name),
    }
}

/// The name of a member, whatever became of the account.
pub(super) fn find_name(conn: &mut AnyConnection, user_id: i64) -> Result<String, Fail> {
    let found = members::find_person(conn, user_id).map_err(Fail::Database)?;
    Ok(found.map_or_else(|| format!("user {user_id}"), |(name, _)| name))
}
