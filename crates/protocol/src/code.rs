//! The codes of errors, on the socket and in answers: what programs decide by. Nothing compares their text.

use std::fmt;

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

/// What is in the way, as a stable `snake_case` word on the wire. `docs/API.md` says what to do about each.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray,
)]
#[cfg_attr(feature = "documents", derive(schemars::JsonSchema, utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Code {
    /// The account may not be used at the moment.
    AccountDisabled,
    /// Two tokens or tickets, or one in two places.
    AmbiguousLogin,
    /// The caller is in several rooms of this name.
    AmbiguousRoom,
    /// The request is not understood.
    BadRequest,
    /// The body broke off.
    BrokenBody,
    /// Too much waits already.
    Busy,
    /// The message was edited or deleted in the meantime.
    ChangedSince,
    /// The `client_id` belongs to another message.
    ClientIdReused,
    /// The cursor is beyond the end of the room.
    CursorAhead,
    /// The history was replaced.
    EpochChanged,
    /// Not in this role, or not in this kind of room.
    Forbidden,
    /// The head of the request is too large.
    HeadTooLarge,
    /// The server does not answer to this name.
    HostNotAllowed,
    /// Our fault.
    InternalError,
    /// A field of the frame is not right.
    InvalidFrame,
    /// The request opens no WebSocket.
    InvalidHandshake,
    /// The server is not named in one `Host`.
    InvalidHost,
    /// Not JSON.
    InvalidJson,
    /// The frame's `ref` cannot be carried back.
    InvalidRef,
    /// The refresh token is of no login.
    InvalidRefreshToken,
    /// The ticket is of no login, late, or used.
    InvalidTicket,
    /// The access token is of no login.
    InvalidToken,
    /// Only members may.
    JoinFirst,
    /// The room would be without an owner.
    LastOwner,
    /// Only a tombstone of the message is left.
    MessageDeleted,
    /// There is no such message.
    MessageNotFound,
    /// The address does not know the method.
    MethodNotAllowed,
    /// The frame has no `type`.
    MissingType,
    /// The caller may only read, for now.
    Muted,
    /// The answer has no form that the client takes.
    NotAcceptable,
    /// The frame is no JSON object.
    NotAnObject,
    /// The message can have no thread: it is a reply itself, or was said by the room.
    NotAThread,
    /// No token was shown.
    NotAuthenticated,
    /// There is nothing at the address.
    NotFound,
    /// The page may not speak to this server.
    OriginNotAllowed,
    /// It may be done or not.
    OutcomeUnknown,
    /// Too often.
    RateLimited,
    /// Another request has just used the refresh token.
    RefreshConflict,
    /// People are added by whoever runs the server.
    RegistrationClosed,
    /// The request took too long to arrive.
    RequestTimeout,
    /// Nothing can be changed in the room.
    RoomArchived,
    /// The caller is in a room of this name already.
    RoomExists,
    /// The room, or the user's list of rooms, is full.
    RoomFull,
    /// Another room has the name.
    RoomNameTaken,
    /// There is no such room for the caller.
    RoomNotFound,
    /// Nothing of the kind is waiting to be said later.
    ScheduledNotFound,
    /// The server is going down.
    ShuttingDown,
    /// Too soon after the caller's last message in the room.
    SlowMode,
    /// The store cannot be reached, or cannot write.
    StoreUnavailable,
    /// An earlier `sync` is still being answered.
    SyncInProgress,
    /// The access token's time is over.
    TokenExpired,
    /// Too large.
    TooLarge,
    /// The room has more members than this is for.
    TooManyMembers,
    /// The message was edited as often as it can be.
    TooManyEdits,
    /// The message has as many reactions as it can have.
    TooManyReactions,
    /// The user has as much waiting to be said later as anyone can have.
    TooManyScheduled,
    /// The user has too many sockets open.
    TooManySockets,
    /// Too many messages of the socket wait for their ack.
    TooManyUnacked,
    /// Too many answers of the user have not been read.
    TooManyUnread,
    /// There is no such slash command.
    UnknownCommand,
    /// The frame's `type` is not known.
    UnknownType,
    /// The body is not JSON.
    UnsupportedMediaType,
    /// Another version of WebSocket than 13.
    UnsupportedVersion,
    /// The address speaks WebSocket.
    UpgradeRequired,
    /// The account of the user may not be used at the moment.
    UserDisabled,
    /// There is no such user.
    UserNotFound,
    /// The name is taken.
    UsernameTaken,
    /// A value is not allowed.
    ValidationError,
    /// The name or the password is wrong.
    WrongCredentials,
    /// The current password is wrong.
    WrongPassword,
    /// One that this program does not know (for clients; the server never sends it).
    #[serde(other, skip_serializing)]
    #[cfg_attr(feature = "documents", schemars(skip))]
    Unknown,
}

impl Code {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_is_one_word_on_the_wire_and_an_unknown_one_is_read() {
        for code in Code::VARIANTS {
            if *code != Code::Unknown {
                let json = serde_json::to_string(code).expect("is JSON");
                assert_eq!(json, format!("\"{code}\""));
            }
            let read: Code = serde_json::from_str(&format!("\"{code}\"")).expect("reads");
            assert_eq!(read, *code);
        }
        let read: Code = serde_json::from_str("\"of_next_year\"").expect("reads");
        assert_eq!(read, Code::Unknown);
    }
}
