//! The commands that make rooms, change them, and change who is in them.

use super::{About, Checked, Place, What};
use crate::{
    chat::Caller,
    db::rooms::new_id,
    error::{Error, Result},
    journal::{self, Change, NewRoom, UserId},
    protocol::{
        command::{OfUser, SetMember, SetRoom},
        limits::{Limits, MAX_FIRST_USERS, MAX_SLOW_SECONDS},
        room::{self, MemberPatch, NewDirect, Role, RoomKind},
        room_names,
        views::FieldError,
    },
};

/// What is wrong so far, field by field.
#[derive(Default)]
struct Faults(Vec<FieldError>);

impl Faults {
    fn add(&mut self, field: &str, msg: impl Into<String>) {
        self.0.push(FieldError::body(field, msg));
    }

    /// What was read of a field, if it could be.
    fn note<T>(&mut self, field: &str, read: Result<T, String>) -> Option<T> {
        read.map_err(|msg| self.add(field, msg)).ok()
    }

    fn check(self) -> Result<()> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Error::invalid(self.0))
        }
    }
}

/// A room that is to be made, by someone who may make so many an hour.
pub(super) fn make(
    caller: &Caller,
    new: room::NewRoom,
    most_an_hour: Option<u32>,
) -> Result<Checked> {
    let mut faults = Faults::default();
    let name = faults.note("name", room_names::read(&new.name));
    let topic = new.topic.as_deref().unwrap_or_default();
    let topic = faults.note("topic", room_names::read_topic(topic));
    if new.kind == RoomKind::Direct {
        let msg = "A room is made public or private; direct ones are made at /api/direct.";
        faults.add("kind", msg);
    }
    if new.users.len() > MAX_FIRST_USERS {
        let msg = format!(
            "At most {MAX_FIRST_USERS} users can be brought in at once; invite the others afterwards."
        );
        faults.add("users", msg);
    }
    faults.check()?;
    let begun = NewRoom {
        kind: new.kind,
        name,
        topic: topic.filter(|topic| !topic.is_empty()),
        users: Vec::new(),
        most_an_hour,
    };
    Ok(begin(caller, begun, new.users))
}

/// The direct room that is to be found or made.
pub(super) fn direct(
    caller: &Caller,
    new: NewDirect,
    most_an_hour: Option<u32>,
) -> Result<Checked> {
    let most = Limits::DEFAULT.people_per_direct as usize;
    if new.users.len() >= most {
        let msg = format!("A direct room has at most {most} people, you included.");
        return Err(Error::invalid_field("users", msg));
    }
    let begun = NewRoom {
        kind: RoomKind::Direct,
        name: None,
        topic: None,
        users: Vec::new(),
        most_an_hour,
    };
    Ok(begin(caller, begun, new.users))
}

fn begin(caller: &Caller, new: NewRoom, users: Vec<String>) -> Checked {
    let maker = caller.user_id;
    Checked {
        place: Place::New(new_id()),
        what: What::Of {
            users,
            make: Box::new(move |mut users| {
                // Whoever makes it is in it anyway.
                users.remove(&maker);
                let users = users.into_iter().collect();
                Change::Begin(NewRoom { users, ..new })
            }),
        },
        about: About::Room,
    }
}

/// Someone comes in by themselves.
pub(super) fn join(caller: &Caller, room: String) -> Checked {
    let (user, role) = (caller.user_id, Role::Member);
    of_room(room, Change::Join { user, role })
}

/// Someone goes.
pub(super) fn leave(caller: &Caller, room: String) -> Checked {
    let user = caller.user_id;
    of_room(room, Change::Leave { user })
}

/// Someone is brought in.
pub(super) fn invite(of: OfUser) -> Checked {
    of_user(of, |user| Change::Member {
        user,
        role: None,
        until: None,
    })
}

/// Someone is taken out; naming oneself is to leave.
pub(super) fn kick(of: OfUser) -> Checked {
    of_user(of, |user| Change::Leave { user })
}

/// Someone is brought in, or is to be something else.
pub(super) fn member(set: SetMember) -> Checked {
    let MemberPatch { role, muted_until } = set.patch;
    let of = OfUser {
        room: set.room,
        user: set.user,
    };
    of_user(of, move |user| Change::Member {
        user,
        role,
        until: muted_until,
    })
}

/// The room is to be something else.
pub(super) fn set_room(set: SetRoom) -> Result<Checked> {
    let room::RoomPatch {
        name,
        topic,
        kind,
        archived,
        slow_seconds,
    } = set.patch;
    let mut faults = Faults::default();
    let name = name.and_then(|name| faults.note("name", room_names::read(&name)));
    let topic = topic.and_then(|topic| faults.note("topic", room_names::read_topic(&topic)));
    if kind == Some(RoomKind::Direct) {
        faults.add("kind", "A room can be made public or private.");
    }
    if slow_seconds.is_some_and(|seconds| seconds > MAX_SLOW_SECONDS) {
        let msg = format!("Slow mode lasts {MAX_SLOW_SECONDS} seconds, a day, at most.");
        faults.add("slow_seconds", msg);
    }
    faults.check()?;
    let patch = journal::RoomPatch {
        name,
        topic,
        kind,
        archived,
        slow_seconds,
    };
    Ok(of_room(set.room, Change::Room(patch)))
}

fn of_room(room: String, change: Change) -> Checked {
    Checked {
        place: Place::Called(room),
        what: What::Change(change),
        about: About::Room,
    }
}

fn of_user(of: OfUser, make: impl FnOnce(UserId) -> Change + 'static) -> Checked {
    Checked {
        place: Place::Called(of.room),
        what: What::Of {
            users: vec![of.user],
            make: Box::new(|users| make(users.into_iter().next().unwrap_or_default())),
        },
        about: About::Room,
    }
}
