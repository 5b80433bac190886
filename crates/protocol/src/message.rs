//! A message, as the socket and REST tell of it.

use serde::{Deserialize, Serialize, Serializer, ser::SerializeStruct as _};

use super::{
    mention::Mention,
    room::{Person, RoomEvent},
    thread::Replies,
    time::{self, Timestamp},
};

/// A message. When it was stored is called `created_at` on a page of history and `timestamp` in a frame of the socket.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema, utoipa::ToSchema))]
pub struct Message {
    /// The message's number in its room, which never changes.
    pub id: u64,
    /// The number of the room's latest change to it.
    pub seq: u64,
    /// The room's name.
    pub room: String,
    /// Who wrote it.
    pub user_id: i64,
    /// Who wrote it, by name.
    pub username: String,
    /// What was written; empty when `unreadable`.
    pub content: String,
    /// When it was stored.
    #[serde(with = "time", alias = "timestamp")]
    #[cfg_attr(
        feature = "documents",
        schemars(rename = "timestamp", with = "chrono::DateTime<chrono::Utc>"),
        schema(value_type = String, format = DateTime, example = "2026-11-22T14:07:45.123456+00:00")
    )]
    pub created_at: Timestamp,
    /// Only to the sender: the `client_id` it was sent with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Present and true when the stored text could not be decrypted: shown as such, never skipped.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unreadable: bool,
    /// `system` for what no one wrote; absent for what people write.
    #[serde(default, skip_serializing_if = "Kind::is_text")]
    pub kind: Kind,
    /// With kind `system`: what happened to the room. `content` says it for people, `user_id` is who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<RoomEvent>,
    /// The message that it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<u64>,
    /// The first message of the thread that it is a reply in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<u64>,
    /// With `thread`: present and true when it stands in the room itself, too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub also_to_room: bool,
    /// On the first message of a thread: the replies to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replies: Option<Replies>,
    /// On a reply in a frame, and on a page of changes: what the `replies` of the thread's first message are by now. (That
    /// message itself takes no number for it.)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread_replies: Option<Replies>,
    /// Whom it mentions, in the order of the text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<Mention>,
    /// When its author last changed it.
    #[serde(
        default,
        with = "time::optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(
        feature = "documents",
        schemars(with = "Option<chrono::DateTime<chrono::Utc>>"),
        schema(value_type = Option<String>, format = DateTime)
    )]
    pub edited_at: Option<Timestamp>,
    /// Since when it is a tombstone, without a text.
    #[serde(
        default,
        with = "time::optional",
        skip_serializing_if = "Option::is_none"
    )]
    #[cfg_attr(
        feature = "documents",
        schemars(with = "Option<chrono::DateTime<chrono::Utc>>"),
        schema(value_type = Option<String>, format = DateTime)
    )]
    pub deleted_at: Option<Timestamp>,
    /// Who reacted to it, by emoji, in the order of their first use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reactions: Vec<Reaction>,
    /// Who pinned it, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned: Option<Pinned>,
}

/// Whether people wrote a message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema, utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Somebody wrote it.
    #[default]
    Text,
    /// It tells what happened to the room.
    System,
}

impl Message {
    /// Whether it stands in its thread alone, and not in the room's own pages.
    #[must_use]
    pub fn is_in_thread_only(&self) -> bool {
        self.thread.is_some() && !self.also_to_room
    }

    /// Whether it mentions this user, or all in the room.
    #[must_use]
    pub fn is_for(&self, user_id: i64) -> bool {
        let mut mentions = self.mentions.iter();
        mentions.any(|mention| mention.room || mention.user_id == Some(user_id))
    }
}

impl Kind {
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde hands over a reference"
    )]
    fn is_text(&self) -> bool {
        *self == Self::Text
    }
}

/// In what a message has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum MessageChange {
    /// It has another text.
    Edited,
    /// Only a tombstone is left.
    Deleted,
    /// Someone has reacted, or taken that back.
    Reacted {
        /// How.
        emoji: String,
        /// Or taken back.
        on: bool,
    },
    /// It was pinned, or unpinned.
    Pinned {
        /// Or unpinned.
        on: bool,
    },
    /// One that this program does not know (for clients; the server never sends it).
    #[serde(other, skip_serializing)]
    #[cfg_attr(feature = "documents", schemars(skip))]
    Unknown,
}

/// One emoji under a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema, utoipa::ToSchema))]
pub struct Reaction {
    /// Which.
    pub emoji: String,
    /// How many reacted so.
    pub count: u64,
    /// The first 20 of them.
    pub users: Vec<Person>,
    /// On a page of history: whether the caller is among them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mine: Option<bool>,
}

/// What a message said before it was edited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema, utoipa::ToSchema))]
pub struct Version {
    /// The text; empty when `unreadable`.
    pub content: String,
    /// Since when it said so.
    #[serde(with = "time")]
    #[cfg_attr(
        feature = "documents",
        schemars(with = "chrono::DateTime<chrono::Utc>"),
        schema(value_type = String, format = DateTime)
    )]
    pub at: Timestamp,
    /// Present and true when the stored text could not be decrypted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unreadable: bool,
}

/// That a message is pinned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema, utoipa::ToSchema))]
pub struct Pinned {
    /// By whom.
    pub by: i64,
    /// When.
    #[serde(with = "time")]
    #[cfg_attr(
        feature = "documents",
        schemars(with = "chrono::DateTime<chrono::Utc>"),
        schema(value_type = String, format = DateTime)
    )]
    pub at: Timestamp,
}

/// The form of a frame, for `#[serde(serialize_with = "in_frame")]`; the derived one is that of a page.
pub(super) fn in_frame<S: Serializer>(message: &Message, out: S) -> Result<S::Ok, S::Error> {
    // All of them by name, so that a new field is not forgotten here.
    let Message {
        id,
        seq,
        room,
        user_id,
        username,
        content,
        created_at,
        client_id,
        unreadable,
        kind,
        event,
        reply_to,
        thread,
        also_to_room,
        replies,
        thread_replies,
        mentions,
        edited_at,
        deleted_at,
        reactions,
        pinned,
    } = message;
    let mut frame = out.serialize_struct("Message", 21)?;
    frame.serialize_field("room", room)?;
    frame.serialize_field("id", id)?;
    frame.serialize_field("seq", seq)?;
    frame.serialize_field("user_id", user_id)?;
    frame.serialize_field("username", username)?;
    frame.serialize_field("content", content)?;
    frame.serialize_field("timestamp", &time::format(created_at))?;
    if let Some(client_id) = client_id {
        frame.serialize_field("client_id", client_id)?;
    }
    if *unreadable {
        frame.serialize_field("unreadable", unreadable)?;
    }
    if !kind.is_text() {
        frame.serialize_field("kind", kind)?;
    }
    if let Some(event) = event {
        frame.serialize_field("event", event)?;
    }
    if let Some(reply_to) = reply_to {
        frame.serialize_field("reply_to", reply_to)?;
    }
    if let Some(thread) = thread {
        frame.serialize_field("thread", thread)?;
    }
    if *also_to_room {
        frame.serialize_field("also_to_room", also_to_room)?;
    }
    for (name, replies) in [("replies", replies), ("thread_replies", thread_replies)] {
        if let Some(replies) = replies {
            frame.serialize_field(name, replies)?;
        }
    }
    if !mentions.is_empty() {
        frame.serialize_field("mentions", mentions)?;
    }
    for (name, at) in [("edited_at", edited_at), ("deleted_at", deleted_at)] {
        if let Some(at) = at {
            frame.serialize_field(name, &time::format(at))?;
        }
    }
    if !reactions.is_empty() {
        frame.serialize_field("reactions", reactions)?;
    }
    if let Some(pinned) = pinned {
        frame.serialize_field("pinned", pinned)?;
    }
    frame.end()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;

    const FRAME: &str = r#"{"type":"message","room":"general","id":7,"seq":9,"user_id":3,"username":"alice","content":"hi","timestamp":"2023-11-14T22:13:20.120000+00:00""#;
    const PAGE: &str = r#"{"id":7,"seq":9,"room":"general","user_id":3,"username":"alice","content":"hi","created_at":"2023-11-14T22:13:20.120000+00:00""#;

    #[test]
    fn a_frame_and_a_page_tell_the_same_message_each_in_its_form() {
        let plain = Message {
            id: 7,
            seq: 9,
            room: "general".into(),
            user_id: 3,
            username: "alice".into(),
            content: "hi".into(),
            created_at: chrono::DateTime::from_timestamp(1_700_000_000, 120_000_000)
                .expect("a time"),
            client_id: None,
            unreadable: false,
            ..Message::default()
        };
        let full = Message {
            client_id: Some("a".into()),
            unreadable: true,
            ..plain.clone()
        };
        for (message, end) in [
            (plain, "}"),
            (full, r#","client_id":"a","unreadable":true}"#),
        ] {
            let (frame, page) = (format!("{FRAME}{end}"), format!("{PAGE}{end}"));
            let event = Event::Message(message.clone());
            assert_eq!(event.to_json(), frame);
            assert_eq!(serde_json::to_string(&message).expect("JSON"), page);
            assert_eq!(serde_json::from_str::<Event>(&frame).expect("reads"), event);
            assert_eq!(
                serde_json::from_str::<Message>(&page).expect("reads"),
                message
            );
        }
    }
}
