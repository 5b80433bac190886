//! The one error type that crosses rooms. It says what the *caller* can do about it, not where it arose; what the
//! operator must know is logged where it happens, under the same request id.

use std::{borrow::Cow, fmt, time::Duration};

use crate::protocol::{room::RoomKind, views::FieldError};

pub use crate::protocol::code::Code;

/// `Result` with the house's error.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What the caller can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The request's form is broken: send it differently (400).
    BadRequest,
    /// Log in first (401).
    Unauthenticated,
    /// Not for this caller (403).
    Forbidden,
    /// There is no such thing, or the caller may not know of it (404).
    NotFound,
    /// It contradicts what is there (409).
    Conflict,
    /// It was thought of before another change: look again (412).
    PreconditionFailed,
    /// It was sent too slowly (408).
    TooSlow,
    /// Too large: send less (413).
    TooLarge,
    /// Not in this form: send JSON (415).
    UnsupportedMediaType,
    /// Ask for a WebSocket of version 13 (426).
    UpgradeRequired,
    /// Meant for another server: ask under a name that this one has (421).
    Misdirected,
    /// Well formed, but a value is not allowed: change it (422).
    Invalid,
    /// Wait, then try again (429).
    TooMany,
    /// Our fault; trying again may help, asking the operator surely does (500).
    Internal,
    /// Not now: wait, then try again (503).
    Unavailable,
}

/// An error that a caller is told of. `detail` is one plain sentence and holds no stack, SQL, path or secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// What the caller can do.
    pub kind: Kind,
    /// What programs know it by.
    pub code: Code,
    /// One plain sentence for people.
    pub detail: Cow<'static, str>,
    /// For [`Kind::TooMany`] and [`Kind::Unavailable`]: when to try again.
    pub retry_after: Option<Duration>,
    /// For [`Kind::Invalid`]: what is wrong, field by field.
    pub fields: Vec<FieldError>,
    /// For [`Code::RoomExists`]: the key and the kind of the room that is there.
    pub room: Option<(String, RoomKind)>,
}

impl Error {
    /// An error of any kind.
    pub fn new(kind: Kind, code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            code,
            detail: detail.into(),
            retry_after: None,
            fields: Vec::new(),
            room: None,
        }
    }

    /// The request's form is broken.
    pub fn bad_request(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::BadRequest, code, detail)
    }

    /// No, no longer or not yet logged in.
    pub fn unauthenticated(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Unauthenticated, code, detail)
    }

    /// The one answer to a token of no login, or of one that has ended.
    #[must_use]
    pub fn invalid_token() -> Self {
        Self::unauthenticated(
            Code::InvalidToken,
            "The access token is not valid; log in again.",
        )
    }

    /// A value is not allowed. The sentence of the answer is that of the first field.
    #[must_use]
    pub fn invalid(fields: Vec<FieldError>) -> Self {
        let detail = fields.first().map_or_else(
            || "A value is not allowed.".into(),
            |field| field.msg.clone(),
        );
        Self {
            fields,
            ..Self::new(Kind::Invalid, Code::ValidationError, detail)
        }
    }

    /// One body field is not allowed.
    pub fn invalid_field(field: &str, msg: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError::body(field, msg)])
    }

    /// One query parameter is not allowed.
    pub fn invalid_query(field: &str, msg: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError::query(field, msg)])
    }

    /// Absent and forbidden look the same: the one answer for a room that the caller may not know of.
    #[must_use]
    pub fn no_such_room() -> Self {
        Self::new(Kind::NotFound, Code::RoomNotFound, "There is no such room.")
    }

    /// There is no such message in the room.
    #[must_use]
    pub fn no_such_message() -> Self {
        Self::new(
            Kind::NotFound,
            Code::MessageNotFound,
            "There is no such message.",
        )
    }

    /// There are no threads in threads, nor under what no person wrote.
    #[must_use]
    pub fn not_a_thread() -> Self {
        let detail =
            "This message can have no thread: it is a reply itself, or was said by the room.";
        Self::new(Kind::Conflict, Code::NotAThread, detail)
    }

    /// There is no such user, or none in the room.
    #[must_use]
    pub fn no_such_user() -> Self {
        Self::new(Kind::NotFound, Code::UserNotFound, "There is no such user.")
    }

    /// The user cannot log in, and so cannot be brought in.
    #[must_use]
    pub fn user_disabled(username: &str) -> Self {
        let detail = format!("The account of {username} is disabled at the moment.");
        Self::new(Kind::Conflict, Code::UserDisabled, detail)
    }

    /// Wait, then try again.
    pub fn too_many(
        code: Code,
        detail: impl Into<Cow<'static, str>>,
        retry_after: Duration,
    ) -> Self {
        Self {
            retry_after: Some(retry_after),
            ..Self::new(Kind::TooMany, code, detail)
        }
    }

    /// The store cannot be reached or cannot write at this moment. Nothing was stored.
    #[must_use]
    pub fn store_unavailable() -> Self {
        Self::unavailable(
            Code::StoreUnavailable,
            "The message store cannot be reached at the moment; try again shortly.",
        )
    }

    /// The store cannot write, since its disk is full. Nothing was stored.
    #[must_use]
    pub fn disk_full() -> Self {
        Self::unavailable(
            Code::StoreUnavailable,
            "The disk of the message store is full, so this was not stored; try again when whoever runs the server has made room.",
        )
    }

    /// Something was begun and not ended in time: it may come about or not.
    #[must_use]
    pub fn unconfirmed() -> Self {
        Self::unavailable(
            Code::OutcomeUnknown,
            "The server did not finish this in time, so it may be done or not; look before you try again.",
        )
    }

    /// A message was on its way to the disk when the store went away: it may be stored or not.
    #[must_use]
    pub fn outcome_unknown() -> Self {
        Self::unavailable(
            Code::OutcomeUnknown,
            "The store did not confirm this in time, so it may be stored or not; trying again with the same client_id is safe.",
        )
    }

    /// It does not go with what is there.
    pub fn conflict(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Conflict, code, detail)
    }

    /// Not now.
    pub fn unavailable(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            retry_after: Some(Duration::from_secs(2)),
            ..Self::new(Kind::Unavailable, code, detail)
        }
    }

    /// The server is going down, and begins nothing new.
    #[must_use]
    pub fn shutting_down() -> Self {
        Self::unavailable(
            Code::ShuttingDown,
            "The server is shutting down; come back in a moment.",
        )
    }

    /// Our fault. The cause goes to the log, never to the caller.
    pub fn internal(cause: impl fmt::Display) -> Self {
        log::error!("internal error: {cause}");
        Self::new(
            Kind::Internal,
            Code::InternalError,
            "Something went wrong on our side; the log of the server says more.",
        )
    }

    /// The HTTP status of this error.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self.kind {
            Kind::BadRequest => 400,
            Kind::Unauthenticated => 401,
            Kind::Forbidden => 403,
            Kind::NotFound => 404,
            Kind::TooSlow => 408,
            Kind::Conflict => 409,
            Kind::PreconditionFailed => 412,
            Kind::TooLarge => 413,
            Kind::UnsupportedMediaType => 415,
            Kind::Misdirected => 421,
            Kind::Invalid => 422,
            Kind::UpgradeRequired => 426,
            Kind::TooMany => 429,
            Kind::Internal => 500,
            Kind::Unavailable => 503,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.detail, self.code)
    }
}

impl std::error::Error for Error {}
