//! Reading a slash command. Pure: who is called so, which room that is, and who may, is found out on its road.

use strsim::osa_distance;

use super::{Deed, Note, emphasis::emphasise};
use crate::{
    chat::{commands::Command, scheduled::RemindIn, when},
    error::{Code, Error, Kind, Result},
    protocol::{
        command::{InRoom, OfUser, SendMessage, SetRoom},
        names,
        people::{SetStatus, State},
        room::{NewDirect, RoomPatch},
        slash::{NewCommand, Slash, TABLE},
        views::FieldError,
    },
};

mod status;

/// Somebody who shrugs, with what Markdown would take for marks escaped.
const SHRUG: &str = r"¯\\\_(ツ)\_/¯";
/// Longest word that is told back.
const MAX_WORD: usize = 32;

/// A command that was understood.
#[derive(Debug, Clone)]
pub struct Asked {
    /// What is to be done.
    pub meaning: Meaning,
    /// What is kept of it.
    pub note: Note,
}

/// What a command means.
#[derive(Debug, Clone)]
pub enum Meaning {
    /// Something in a room.
    Deed(Deed),
    /// What the caller is to be.
    Status(SetStatus),
    /// What somebody is to be reminded of.
    Remind(Reminder),
}

/// What somebody is to be reminded of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reminder {
    /// Where.
    pub place: RemindIn,
    /// When, and of what.
    pub text: String,
    /// Makes a retry safe.
    pub client_id: Option<String>,
}

/// Reads what was typed in a room.
///
/// # Errors
/// 422 when there is no such command, or it is written otherwise.
pub fn read(room: &str, new: NewCommand) -> Result<Asked> {
    let Some(rest) = new.text.strip_prefix('/') else {
        return Err(refused(Code::ValidationError, "A command begins with `/`."));
    };
    let (word, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let slash: Slash = match word.to_ascii_lowercase().parse() {
        Ok(slash) => slash,
        Err(_) => return Err(unknown(word)),
    };
    let rest = rest.trim();
    let note = |of: &str| Note {
        slash,
        of: of.to_owned(),
    };
    let act = |command: Command, of: &str| Asked {
        meaning: Meaning::Deed(command.into()),
        note: note(of),
    };
    let say = |content: String| SendMessage {
        content,
        room: Some(room.to_owned()),
        client_id: new.client_id.clone(),
        thread: new.thread,
        ..SendMessage::default()
    };
    match slash {
        Slash::Me | Slash::Topic if names::is_blank(rest) => Err(misused(slash)),
        Slash::Me => Ok(act(Command::Post(say(emphasise(rest))), "")),
        Slash::Shrug => {
            let text = if rest.is_empty() {
                SHRUG.to_owned()
            } else {
                format!("{rest} {SHRUG}")
            };
            Ok(act(Command::Post(say(text)), ""))
        }
        Slash::Topic => {
            let topic = if rest == "-" { "" } else { rest };
            let patch = RoomPatch {
                topic: Some(topic.to_owned()),
                ..RoomPatch::default()
            };
            let room = room.to_owned();
            Ok(act(Command::Room(SetRoom { room, patch }), topic))
        }
        Slash::Invite | Slash::Kick => {
            let (user, room) = someone(rest, room).ok_or_else(|| misused(slash))?;
            let of = user.clone();
            let of_user = OfUser { room, user };
            let command = match slash {
                Slash::Invite => Command::Invite(of_user),
                _ => Command::Kick(of_user),
            };
            Ok(act(command, &of))
        }
        Slash::Leave => {
            let room = match rest {
                "" => room.to_owned(),
                other => read_room(other).ok_or_else(|| misused(slash))?,
            };
            Ok(act(Command::Leave(InRoom { room }), ""))
        }
        Slash::Dm => {
            let (people, text) = split_people(rest);
            let users = read_people(&people).ok_or_else(|| misused(slash))?;
            let (of, people) = (users.join(", "), NewDirect { users });
            if text.trim().is_empty() {
                return Ok(act(Command::Direct(people), ""));
            }
            let message = SendMessage {
                content: text.trim().to_owned(),
                client_id: new.client_id,
                ..SendMessage::default()
            };
            let message = Box::new(message);
            Ok(Asked {
                meaning: Meaning::Deed(Deed::Tell { people, message }),
                note: note(&of),
            })
        }
        Slash::Remind => Ok(Asked {
            meaning: Meaning::Remind(read_reminder(rest, new.client_id)?),
            note: note(""),
        }),
        Slash::Status => Ok(Asked {
            meaning: Meaning::Status(status::read(rest)?),
            note: note(rest),
        }),
    }
}

/// Where, and what stands behind that. What begins with the time is for oneself.
fn read_reminder(rest: &str, client_id: Option<String>) -> Result<Reminder> {
    let (first, behind) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let (place, text) = match first {
        "me" => (Some(RemindIn::Notes), behind),
        // `to #garden` is meant for the room, perhaps.
        "to" if behind.trim_start().starts_with('#') => (None, behind),
        time if when::begins(time) => (Some(RemindIn::Notes), rest),
        other => (read_room(other).map(RemindIn::Room), behind),
    };
    let place = place.filter(|_| !text.trim().is_empty());
    Ok(Reminder {
        place: place.ok_or_else(|| misused(Slash::Remind))?,
        text: text.trim().to_owned(),
        client_id,
    })
}

/// A user, and the room if one is named, else the one in which it is typed.
fn someone(text: &str, room: &str) -> Option<(String, String)> {
    let mut words = text.split_whitespace();
    let user = read_user(words.next()?)?;
    let room = match words.next() {
        Some(word) => read_room(word)?,
        None => room.to_owned(),
    };
    words.next().is_none().then_some((user, room))
}

/// `@bob` or `bob`.
fn read_user(word: &str) -> Option<String> {
    let name = word.strip_prefix('@').unwrap_or(word);
    let is_name = !name.is_empty() && !name.contains(['@', '#', ',']);
    is_name.then(|| name.to_owned())
}

/// `#garden`, or `#12` by its key.
fn read_room(word: &str) -> Option<String> {
    let name = word.strip_prefix('#')?;
    (!name.is_empty() && !name.contains(char::is_whitespace)).then(|| name.to_owned())
}

/// The names at the beginning of a text, and what follows them. Behind a comma and a blank only an `@` begins one more, since
/// `@bob, hello` is said to bob alone.
fn split_people(text: &str) -> (String, &str) {
    let mut people = String::new();
    let mut rest = text;
    loop {
        let (word, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        people.push_str(word);
        rest = after.trim_start();
        if !(word.ends_with(',') && rest.starts_with('@')) {
            return (people, rest);
        }
    }
}

/// `@bob,@carol`, perhaps with a comma at its end.
fn read_people(word: &str) -> Option<Vec<String>> {
    let word = word.strip_suffix(',').unwrap_or(word);
    word.split(',').map(read_user).collect()
}

fn misused(slash: Slash) -> Error {
    let usage = slash.entry().map_or("", |entry| entry.usage);
    let detail = format!("It is written so: `{usage}`.");
    refused(Code::ValidationError, &detail)
}

fn refused(code: Code, detail: &str) -> Error {
    Error {
        fields: vec![FieldError::body("text", detail)],
        ..Error::new(Kind::Invalid, code, detail.to_owned())
    }
}

/// There is no such command. It is told back only where it can be one, and named are those that are near.
fn unknown(word: &str) -> Error {
    let all = || TABLE.iter().map(|entry| entry.slash.name());
    let list = |names: Vec<&str>| {
        let names: Vec<_> = names.iter().map(|name| format!("`/{name}`")).collect();
        names.join(", ")
    };
    let is_word = !word.is_empty()
        && word.len() <= MAX_WORD
        && word
            .chars()
            .all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    if !is_word {
        let detail = format!(
            "There is no such command; there are {}.",
            list(all().collect())
        );
        return refused(Code::UnknownCommand, &detail);
    }
    let lower = word.to_lowercase();
    // `/dm` is no misspelled `/me`.
    let most = if lower.chars().count() <= 3 { 1 } else { 2 };
    let is_near = |name: &&str| osa_distance(&lower, name) <= most || name.starts_with(&lower);
    let near: Vec<_> = all().filter(is_near).collect();
    let detail = if near.is_empty() {
        format!(
            "There is no command `/{word}`; there are {}.",
            list(all().collect())
        )
    } else {
        format!("There is no command `/{word}`; near it are {}.", list(near))
    };
    refused(Code::UnknownCommand, &detail)
}
