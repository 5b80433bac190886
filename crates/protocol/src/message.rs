//! A message, as the socket and REST tell of it.

use serde::{Deserialize, Serialize, Serializer, ser::SerializeStruct as _};

use super::time::{self, Timestamp};

/// A message. When it was stored is called `created_at` on a page of history and `timestamp` in a frame of the socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema, utoipa::ToSchema))]
pub struct Message {
    /// The message's number in its room, for ever.
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
    } = message;
    let mut frame = out.serialize_struct("Message", 9)?;
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
