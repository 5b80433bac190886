//! The shapes that the REST door answers with and asks for. How long their texts may be is said in [`super::limits`].

use serde::{Deserialize, Serialize};

use super::{
    code::Code,
    room::RoomKind,
    time::{self, Timestamp},
};

/// `POST /api/auth/register`.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(utoipa::ToSchema))]
pub struct Register {
    /// Of `[A-Za-z0-9_-]`, beginning with a letter or a digit, with at least one letter; unique without regard to
    /// case. Some names are reserved, such as `admin` and `everyone`.
    #[cfg_attr(
        feature = "documents",
        schema(
            pattern = "^([A-Za-z]|[0-9][0-9_-]*[A-Za-z])[A-Za-z0-9_-]*$",
            example = "alice"
        )
    )]
    pub username: String,
    /// The least length is in characters, the greatest in bytes; every byte counts.
    #[cfg_attr(
        feature = "documents",
        schema(pattern = r"^[^\x00]*$", example = "correct horse battery")
    )]
    pub password: String,
    /// Never shown to others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "documents",
        schema(
            pattern = r"^[^\s\x00-\x1f\x7f-\x9f]+@[^\s\x00-\x1f\x7f-\x9f@.][^\s\x00-\x1f\x7f-\x9f@]*\.[^\s\x00-\x1f\x7f-\x9f@]*$",
            example = "alice@example.org"
        )
    )]
    pub email: Option<String>,
}

/// `POST /api/auth/login`.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(utoipa::ToSchema))]
pub struct Login {
    /// The name, in any case.
    #[cfg_attr(feature = "documents", schema(example = "alice"))]
    pub username: String,
    /// The password.
    #[cfg_attr(feature = "documents", schema(example = "correct horse battery"))]
    pub password: String,
}

/// `PUT /api/users/me/password`.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(utoipa::ToSchema))]
pub struct ChangePassword {
    /// The password until now.
    #[cfg_attr(feature = "documents", schema(example = "the one before"))]
    pub current: String,
    /// The least length is in characters, the greatest in bytes; every byte counts.
    #[cfg_attr(
        feature = "documents",
        schema(pattern = r"^[^\x00]*$", example = "staple battery horse")
    )]
    pub new: String,
}

/// The account that `register` made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(utoipa::ToSchema))]
pub struct User {
    /// The user's id.
    pub id: i64,
    /// The name as its owner writes it.
    pub username: String,
    /// When the account was made.
    #[serde(with = "time")]
    #[cfg_attr(feature = "documents", schema(value_type = String, format = DateTime, example = "2026-11-22T14:07:45.123456+00:00"))]
    pub created_at: Timestamp,
}

/// What a login or a refresh gives.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(utoipa::ToSchema))]
pub struct Tokens {
    /// A JWT for `Authorization: Bearer`.
    pub access_token: String,
    /// Always `bearer`.
    #[cfg_attr(feature = "documents", schema(example = "bearer"))]
    pub token_type: String,
    /// Seconds until the access token expires.
    pub expires_in: u64,
    /// Good for one `POST /api/auth/refresh`, which gives the next.
    pub refresh_token: String,
}

/// What a page of the server is told of its login: the refresh token is in a cookie.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(utoipa::ToSchema))]
pub struct KeptLogin {
    /// A JWT for `Authorization: Bearer`.
    pub access_token: String,
    /// Always `bearer`.
    #[cfg_attr(feature = "documents", schema(example = "bearer"))]
    pub token_type: String,
    /// Seconds until the access token expires.
    pub expires_in: u64,
    /// Who is logged in.
    pub user_id: i64,
    /// And how they are called.
    pub username: String,
}

/// `POST /api/auth/refresh`.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(utoipa::ToSchema))]
pub struct Refresh {
    /// The newest refresh token of this login.
    pub refresh_token: String,
}

/// `POST /api/auth/ws-ticket`.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(utoipa::ToSchema))]
pub struct Ticket {
    /// For `GET /ws/chat?ticket=…`; good once.
    pub ticket: String,
    /// Seconds until it is worthless.
    pub expires_in: u64,
}

/// `POST /api/rooms/{room}/messages`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(utoipa::ToSchema))]
pub struct NewMessage {
    /// What to say: 1 byte to the limit told at connect (16 KiB unless configured). A text that shows nothing is refused.
    #[cfg_attr(
        feature = "documents",
        schema(
            pattern = "^[^\\x00]*[^\\s\\x00-\\x1f\\x7f-\\x9f\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u206f\\u2800\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufffb\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}][^\\x00]*$",
            example = "hello"
        )
    )]
    pub content: String,
    /// Makes a retry safe for ever: the same `client_id` in the same room is the same message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "documents", schema(pattern = r"^[^\x00-\x1f\x7f-\x9f]+$"))]
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

/// `PATCH /api/rooms/{room}/messages/{id}`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(utoipa::ToSchema))]
pub struct EditedMessage {
    /// What the message is to say, within the limits of a new one.
    #[cfg_attr(
        feature = "documents",
        schema(
            pattern = "^[^\\x00]*[^\\s\\x00-\\x1f\\x7f-\\x9f\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u206f\\u2800\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufffb\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}][^\\x00]*$",
            example = "hello, all"
        )
    )]
    pub content: String,
}

/// An error, as RFC 9457 has it (`application/problem+json`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(utoipa::ToSchema))]
pub struct Problem {
    /// Always `about:blank`: what there is to say is in `code` and `detail`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The status in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// One plain sentence.
    pub detail: String,
    /// A stable word for programs.
    pub code: Code,
    /// The same as the answer's `x-request-id`: quote it when asking for help.
    pub request_id: String,
    /// For 422: what is wrong, field by field.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// With `room_exists`: the key of the room that is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<String>,
    /// With `room_exists`: the kind of that room.
    #[serde(default, rename = "kind", skip_serializing_if = "Option::is_none")]
    pub room_kind: Option<RoomKind>,
}

/// One field that is not right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "documents", derive(utoipa::ToSchema))]
pub struct FieldError {
    /// Where: `["body", "username"]` or `["query", "limit"]`.
    pub loc: Vec<String>,
    /// What is wrong with it.
    pub msg: String,
}

impl FieldError {
    /// What is wrong with a field of the request's body.
    #[must_use]
    pub fn body(field: &str, msg: impl Into<String>) -> Self {
        Self {
            loc: vec!["body".into(), field.into()],
            msg: msg.into(),
        }
    }

    /// What is wrong with a part of the path.
    #[must_use]
    pub fn path(field: &str, msg: impl Into<String>) -> Self {
        Self {
            loc: vec!["path".into(), field.into()],
            msg: msg.into(),
        }
    }

    /// What is wrong with a header of the request.
    #[must_use]
    pub fn header(field: &str, msg: impl Into<String>) -> Self {
        Self {
            loc: vec!["header".into(), field.into()],
            msg: msg.into(),
        }
    }

    /// What is wrong with a parameter of the query string.
    #[must_use]
    pub fn query(field: &str, msg: impl Into<String>) -> Self {
        Self {
            loc: vec!["query".into(), field.into()],
            msg: msg.into(),
        }
    }
}
