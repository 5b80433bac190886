//! Changes of what a room is. Each field that changes is a message of kind `system`.

use super::{
    Stored,
    pass::{Fail, Pass},
};
use crate::{
    crypto::binding::Place,
    db::{
        AnyConnection, is_unique_violation,
        log::rooms::{self, Description},
    },
    error::{Code, Error, Kind},
    journal::entry::{Actor, RoomPatch, Told},
    protocol::{
        room::{RoomEvent, RoomKind},
        room_names,
    },
    rights::Right,
};

/// What is told of the changes so far, each with its message and its number.
pub(super) type News = Vec<(i64, i64, Told)>;

/// A public room has the name, or one that looks like it.
/// Whether a public room may have this name: one that speaks for whoever runs the server is for no one, and one that looks like
/// that of another public room is taken.
pub(super) fn check_public_name(
    conn: &mut AnyConnection,
    name: &str,
    room_id: i64,
) -> Result<(), Fail> {
    if room_names::is_official(name) {
        let msg =
            "This name is reserved in public rooms, or looks like one that is; choose another one.";
        return Err(Fail::Refused(Error::invalid_field("name", msg)));
    }
    if rooms::has_alike(conn, name, room_id).map_err(Fail::Database)? {
        return Err(name_taken());
    }
    Ok(())
}

pub(super) fn name_taken() -> Fail {
    Fail::Refused(Error::new(
        Kind::Conflict,
        Code::RoomNameTaken,
        "Another room has this name, or one that looks like it; choose another one.",
    ))
}

impl Pass<'_> {
    pub(super) fn patch(
        &mut self,
        conn: &mut AnyConnection,
        room_id: i64,
        actor: &Actor,
        patch: &RoomPatch,
    ) -> Result<Stored, Fail> {
        self.check(conn, room_id, actor.user_id, Right::Read)?;
        let mut news = Vec::new();
        // Bringing it back comes first, and archiving it last: in between it can be changed.
        if patch.archived == Some(false) {
            self.archive(conn, room_id, actor, false, &mut news)?;
        }
        let before = rooms::find(conn, room_id).map_err(Fail::Database)?;
        self.rename(conn, room_id, actor, (patch, &before), &mut news)?;
        if let Some(topic) = &patch.topic {
            self.set_topic(conn, room_id, actor, (topic, &before), &mut news)?;
        }
        if let Some(seconds) = patch.slow_seconds {
            self.set_slow(conn, room_id, actor, (seconds, &before), &mut news)?;
        }
        if patch.archived == Some(true) {
            self.archive(conn, room_id, actor, true, &mut news)?;
        }
        let Some((id, ..)) = news.last() else {
            let seq = self.room(room_id)?.last_seq;
            return Ok(Stored::Unchanged { seq });
        };
        Ok(Stored::Changed {
            id: *id,
            told: news,
        })
    }

    /// Says what has changed.
    fn note(
        &mut self,
        conn: &mut AnyConnection,
        room_id: i64,
        actor: &Actor,
        (what, event): (&str, RoomEvent),
        news: &mut News,
    ) -> Result<(), Fail> {
        let text = format!("{} {what}", actor.username);
        let (id, told) = self.say(conn, room_id, actor, (text, event), Vec::new())?;
        news.push((id, id, told));
        Ok(())
    }

    /// Gives it another name, another kind, or both: a public room has its name for itself.
    fn rename(
        &mut self,
        conn: &mut AnyConnection,
        room_id: i64,
        actor: &Actor,
        (patch, before): (&RoomPatch, &Description),
        news: &mut News,
    ) -> Result<(), Fail> {
        if patch.name.is_some() {
            self.check(conn, room_id, actor.user_id, Right::Rename)?;
        }
        if patch.kind.is_some() {
            self.check(conn, room_id, actor.user_id, Right::SetKind)?;
        }
        if patch.kind == Some(RoomKind::Direct) {
            let detail = "A room can be made public or private.";
            return Err(Fail::Refused(Error::invalid_field("kind", detail)));
        }
        let kind_before: RoomKind = before.kind.parse().unwrap_or_default();
        let name = patch.name.as_ref().or(before.name.as_ref());
        let kind = patch.kind.unwrap_or(kind_before);
        let has_new_name = name != before.name.as_ref();
        if !has_new_name && kind == kind_before {
            return Ok(());
        }
        if let Some(name) = name.filter(|_| kind == RoomKind::Public) {
            check_public_name(conn, name, room_id)?;
        }
        let written = rooms::set_name(conn, room_id, name.map(String::as_str), kind.as_str());
        written.map_err(|error| {
            if is_unique_violation(&error) {
                name_taken()
            } else {
                Fail::Database(error)
            }
        })?;
        kind.as_str().clone_into(&mut self.room(room_id)?.kind);
        if let Some(name) = name.filter(|_| has_new_name) {
            let (what, name) = (format!("renamed the room to {name}"), name.clone());
            self.note(
                conn,
                room_id,
                actor,
                (&what, RoomEvent::Renamed { name }),
                news,
            )?;
        }
        if kind != kind_before {
            let what = format!("made the room {}", kind.as_str());
            self.note(
                conn,
                room_id,
                actor,
                (&what, RoomEvent::Kind { kind }),
                news,
            )?;
        }
        Ok(())
    }

    /// Frees the name of a room whose last member goes. A private room without members is seen by no one.
    pub(super) fn give_up(
        &mut self,
        conn: &mut AnyConnection,
        room_id: i64,
        actor: &Actor,
        news: &mut News,
    ) -> Result<(), Fail> {
        let before = rooms::find(conn, room_id).map_err(Fail::Database)?;
        let kind = RoomKind::Private;
        if before.kind == kind.as_str() {
            return Ok(());
        }
        let name = before.name.as_deref();
        rooms::set_name(conn, room_id, name, kind.as_str()).map_err(Fail::Database)?;
        kind.as_str().clone_into(&mut self.room(room_id)?.kind);
        let said = ("made the room private", RoomEvent::Kind { kind });
        self.note(conn, room_id, actor, said, news)
    }

    fn set_topic(
        &mut self,
        conn: &mut AnyConnection,
        room_id: i64,
        actor: &Actor,
        (topic, before): (&str, &Description),
        news: &mut News,
    ) -> Result<(), Fail> {
        self.check(conn, room_id, actor.user_id, Right::Topic)?;
        let (place, opened) = (Place::of_topic(room_id), before.topic.as_deref());
        let opened = opened.and_then(|sealed| self.vault.open_at(place, sealed).ok());
        if opened.as_deref().unwrap_or_default() == topic
            && (before.topic.is_none() == topic.is_empty())
        {
            return Ok(());
        }
        let sealed = (!topic.is_empty()).then(|| self.vault.seal_at(place, topic));
        rooms::set_topic(conn, room_id, sealed.as_deref()).map_err(Fail::Database)?;
        let what = if topic.is_empty() {
            "cleared the topic".to_owned()
        } else {
            format!("set the topic to: {topic}")
        };
        let topic = topic.to_owned();
        self.note(
            conn,
            room_id,
            actor,
            (&what, RoomEvent::Topic { topic }),
            news,
        )
    }

    fn set_slow(
        &mut self,
        conn: &mut AnyConnection,
        room_id: i64,
        actor: &Actor,
        (seconds, before): (u32, &Description),
        news: &mut News,
    ) -> Result<(), Fail> {
        self.check(conn, room_id, actor.user_id, Right::SlowMode)?;
        if before.slow_seconds == i64::from(seconds) {
            return Ok(());
        }
        rooms::set_slow(conn, room_id, seconds.into()).map_err(Fail::Database)?;
        self.room(room_id)?.slow_seconds = seconds.into();
        let what = match seconds {
            0 => "turned slow mode off".to_owned(),
            seconds => format!("turned slow mode on: one message in {seconds} seconds"),
        };
        self.note(
            conn,
            room_id,
            actor,
            (&what, RoomEvent::SlowMode { seconds }),
            news,
        )
    }

    fn archive(
        &mut self,
        conn: &mut AnyConnection,
        room_id: i64,
        actor: &Actor,
        on: bool,
        news: &mut News,
    ) -> Result<(), Fail> {
        self.check(conn, room_id, actor.user_id, Right::Archive)?;
        if self.room(room_id)?.is_archived == on {
            return Ok(());
        }
        let at = on.then(|| self.at.stored.naive_utc());
        rooms::set_archived(conn, room_id, at).map_err(Fail::Database)?;
        self.room(room_id)?.is_archived = on;
        let said = if on {
            ("archived the room", RoomEvent::Archived)
        } else {
            (
                "brought the room back from the archive",
                RoomEvent::Unarchived,
            )
        };
        self.note(conn, room_id, actor, said, news)
    }
}
