//! What a client may say on the socket: one JSON object a frame, with a `type`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use strum::VariantNames;

use super::{
    code::Code,
    limits::MAX_REF,
    people::{SetStatus, Typing},
    reading::ReadUpTo,
    room::{NewDirect, NewRoom},
    shape,
    slash::SendCommand,
};

mod rooms;

pub use rooms::{InRoom, OfUser, SetMember, SetRoom};

/// A frame from a client. Fields that are not listed are ignored, so a forged `username` or `timestamp` does nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, VariantNames)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Command {
    /// Say something in a room. With a `ref`, an `ack` follows once it is on disk.
    Message(SendMessage),
    /// Give your own message another text.
    Edit(Edit),
    /// Leave no more than a tombstone of a message.
    Delete(Delete),
    /// React to a message, or take that back.
    React(React),
    /// Pin a message, or unpin it.
    Pin(Pin),
    /// Have a slash command carried out. Its `ack` says what was done.
    Command(SendCommand),
    /// Make a room. Its `ack` says which it is.
    Create(NewRoom),
    /// Find the direct room of these people and you, or make it. Its `ack` says which it is.
    Direct(NewDirect),
    /// Become a member of a public room.
    Join(InRoom),
    /// Be a member of a room no longer.
    Leave(InRoom),
    /// Bring someone into a room.
    Invite(OfUser),
    /// Take someone out of a room.
    Kick(OfUser),
    /// Give a member another role, or have them read only for a while; bring them in first, if they are not in the room.
    Member(SetMember),
    /// Change a room's name, topic or kind, its slow mode, or whether it is archived.
    Room(SetRoom),
    /// Say how far you have read a room or a thread.
    Read(ReadUpTo),
    /// Say what you are: do not disturb, invisible, away, with a few words; or whether this device is in use.
    Status(SetStatus),
    /// Tell me who is here of the people in my rooms: a `presence` frame with `all` follows.
    Presence,
    /// You are writing something. Say so every 3 seconds as long as you do; it is forgotten after 6.
    Typing(Typing),
    /// Bring me up to date in these rooms, then keep me live. Answered with the missed messages and `synced`.
    Sync(Sync),
    /// Answered with `pong`: browsers cannot see control frames.
    Ping,
}

/// The names of the frames in [`Command`], for error texts.
pub const COMMAND_TYPES: &[&str] = Command::VARIANTS;

/// `{"type":"message","content":"hi"}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema))]
pub struct SendMessage {
    /// What to say.
    pub content: String,
    /// The room's key or name; `general` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<String>,
    /// Makes a retry safe for ever: the same sender, room and `client_id` is the same message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The message that it answers, of the same room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<u64>,
    /// The first message of the thread in which it is a reply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<u64>,
    /// With `thread`: it stands in the room itself, too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub also_to_room: bool,
}

/// `{"type":"edit","room":"general","id":413,"content":"hi, all"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema))]
pub struct Edit {
    /// The room's key or name.
    pub room: String,
    /// The message.
    pub id: u64,
    /// What it is to say.
    pub content: String,
    /// Only when it was neither edited nor deleted after this change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_seq: Option<u64>,
}

/// `{"type":"delete","room":"general","id":413}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema))]
pub struct Delete {
    /// The room's key or name.
    pub room: String,
    /// The message.
    pub id: u64,
    /// Only when it was not edited after this change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_seq: Option<u64>,
}

/// `{"type":"react","room":"general","id":413,"emoji":"👍","on":true}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema))]
pub struct React {
    /// The room's key or name.
    pub room: String,
    /// The message.
    pub id: u64,
    /// One emoji.
    pub emoji: String,
    /// False: take it back.
    pub on: bool,
}

/// `{"type":"pin","room":"general","id":413,"on":true}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema))]
pub struct Pin {
    /// The room's key or name.
    pub room: String,
    /// The message.
    pub id: u64,
    /// False: unpin it.
    pub on: bool,
}

/// `{"type":"sync","rooms":{"general":412},"epoch":"…"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema))]
pub struct Sync {
    /// The room's key (no name) → the last `seq` that this client has seen (0 for none).
    pub rooms: BTreeMap<String, u64>,
    /// The history that those numbers belong to. Another one than the server's: the numbers mean nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<String>,
}

/// A frame together with the `ref` that its answer carries back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema))]
pub struct Request {
    /// Echoed in the `ack` or `error`. Without one there is no `ack`.
    #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "documents", schemars(length(max = MAX_REF)))]
    pub reference: Option<String>,
    /// The command itself.
    #[serde(flatten)]
    pub command: Command,
}

impl Request {
    /// A command that asks for no answer.
    #[must_use]
    pub fn new(command: Command) -> Self {
        Self {
            reference: None,
            command,
        }
    }

    /// Are you there?
    #[must_use]
    pub fn ping() -> Self {
        Self::new(Command::Ping)
    }

    /// A command whose answer shall carry `reference`.
    #[must_use]
    pub fn with_ref(reference: impl Into<String>, command: Command) -> Self {
        Self {
            reference: Some(reference.into()),
            command,
        }
    }
}

/// Why a frame was not understood. Carries the `ref`, if that much could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misunderstood {
    /// The frame's `ref`, when it had a usable one.
    pub reference: Option<String>,
    /// What is wrong: [`Code::InvalidJson`], [`Code::NotAnObject`], [`Code::MissingType`], [`Code::UnknownType`],
    /// [`Code::InvalidRef`] or [`Code::InvalidFrame`].
    pub code: Code,
    /// One plain sentence.
    pub detail: String,
}

/// Reads one text frame.
///
/// # Errors
/// [`Misunderstood`], whatever the input: this never panics, and nesting is bounded by `serde_json` (128 levels).
pub fn parse(text: &str) -> Result<Request, Misunderstood> {
    let fail = |reference: Option<String>, code, detail: String| Misunderstood {
        reference,
        code,
        detail,
    };
    let value: Value = serde_json::from_str(text).map_err(|error| {
        let (code, detail) = if shape::is_out_of_range(&error) {
            (Code::InvalidFrame, "A number in the frame is too large.")
        } else {
            (Code::InvalidJson, "The frame is not valid JSON.")
        };
        fail(None, code, detail.into())
    })?;
    let Value::Object(mut object) = value else {
        return Err(fail(
            None,
            Code::NotAnObject,
            "A frame must be a JSON object with a `type`.".into(),
        ));
    };
    let reference = match object.remove("ref") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) if text.chars().count() <= MAX_REF => Some(text),
        Some(_) => {
            let detail = format!("`ref` must be a string of at most {MAX_REF} characters.");
            return Err(fail(None, Code::InvalidRef, detail));
        }
    };
    match object.get("type") {
        Some(Value::String(kind)) if COMMAND_TYPES.contains(&kind.as_str()) => {}
        Some(Value::String(_)) => {
            let detail = format!(
                "This `type` is not known; known are {}.",
                COMMAND_TYPES.join(", ")
            );
            return Err(fail(reference, Code::UnknownType, detail));
        }
        _ => {
            return Err(fail(
                reference,
                Code::MissingType,
                "A frame needs a `type`, a string.".into(),
            ));
        }
    }
    match Command::deserialize(Value::Object(object)) {
        Ok(command) => Ok(Request { reference, command }),
        Err(error) => Err(fail(
            reference,
            Code::InvalidFrame,
            format!(
                "A field of the frame is not right: {}.",
                shape::sentence(&error)
            ),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> Option<Code> {
        parse(text).err().map(|error| error.code)
    }

    #[test]
    fn what_is_not_a_command_is_refused_with_its_own_code() {
        for (text, expected) in [
            ("", Code::InvalidJson),
            ("{\"type\":", Code::InvalidJson),
            ("[1]", Code::NotAnObject),
            ("null", Code::NotAnObject),
            ("{}", Code::MissingType),
            ("{\"type\":7}", Code::MissingType),
            ("{\"type\":\"dance\"}", Code::UnknownType),
            ("{\"type\":\"message\"}", Code::InvalidFrame),
            ("{\"type\":\"message\",\"content\":7}", Code::InvalidFrame),
            (
                "{\"type\":\"sync\",\"rooms\":{\"general\":-1}}",
                Code::InvalidFrame,
            ),
            (
                "{\"type\":\"sync\",\"rooms\":{\"general\":1e999}}",
                Code::InvalidFrame,
            ),
            (
                "{\"type\":\"create\",\"name\":\"tea\",\"kind\":5}",
                Code::InvalidFrame,
            ),
            (
                "{\"type\":\"member\",\"room\":\"tea\",\"user\":\"bob\",\"role\":{}}",
                Code::InvalidFrame,
            ),
            ("{\"type\":\"ping\",\"ref\":7}", Code::InvalidRef),
        ] {
            assert_eq!(code(text), Some(expected), "{text}");
        }
        assert_eq!(code(&"[".repeat(100_000)), Some(Code::InvalidJson));
    }

    #[test]
    fn a_misunderstood_frame_still_gets_its_ref_back() {
        let error = parse(r#"{"type":"message","ref":"a1"}"#).expect_err("has no content");
        assert_eq!(error.reference.as_deref(), Some("a1"));
    }

    #[test]
    fn unknown_fields_are_ignored() {
        let request = parse(r#"{"type":"message","content":"hi","username":"root","seq":9}"#)
            .expect("a message");
        let expected = SendMessage {
            content: "hi".into(),
            ..SendMessage::default()
        };
        assert_eq!(request, Request::new(Command::Message(expected)));
    }
}
