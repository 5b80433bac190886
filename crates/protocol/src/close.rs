//! Close codes. The first two digits tell a client what to do: `40xx` come back and `sync`, `44xx` change something
//! first. The 1000s are those of RFC 6455, section 7.4.1.

/// Ordinary end.
pub const NORMAL: u16 = 1000;
/// Ordinary end: one side goes away.
pub const GOING_AWAY: u16 = 1001;
/// The frame breaks RFC 6455.
pub const PROTOCOL_ERROR: u16 = 1002;
/// Binary data, where only text is spoken.
pub const UNSUPPORTED: u16 = 1003;
/// A text frame that is not UTF-8.
pub const INVALID_UTF8: u16 = 1007;
/// Ten frames within a minute that were not understood.
pub const POLICY: u16 = 1008;
/// A frame or message over the limit; refused from the frame's header, before its body is read.
pub const TOO_LARGE: u16 = 1009;

/// Come back: the reason is not known.
pub const UNKNOWN: u16 = 4000;
/// Come back: the server is shutting down.
pub const SHUTTING_DOWN: u16 = 4001;
/// Come back: no sign of life within the heartbeat's time.
pub const HEARTBEAT_MISSED: u16 = 4002;
/// Come back: too slow to take what was waiting.
pub const TOO_SLOW: u16 = 4008;
/// Refresh the token first.
pub const TOKEN_EXPIRED: u16 = 4401;
/// Stop: the session was ended or the account closed.
pub const REVOKED: u16 = 4403;
/// Wait: too many frames or sockets.
pub const TOO_MANY: u16 = 4429;

/// Every code, and what it says to a client.
pub const MEANINGS: [(u16, &str); 14] = [
    (NORMAL, "Ordinary end."),
    (GOING_AWAY, "Ordinary end: one side goes away."),
    (PROTOCOL_ERROR, "A frame breaks RFC 6455."),
    (UNSUPPORTED, "Binary data; only text is spoken here."),
    (INVALID_UTF8, "A text frame that is not UTF-8."),
    (
        POLICY,
        "Ten frames within a minute that were not understood. Do not come back by yourself.",
    ),
    (
        TOO_LARGE,
        "A frame over the limit; refused from its header, before its body is read.",
    ),
    (UNKNOWN, "Come back and `sync`."),
    (
        SHUTTING_DOWN,
        "The server is shutting down: come back and `sync`.",
    ),
    (
        HEARTBEAT_MISSED,
        "No sign of life within the heartbeat's time: come back and `sync`.",
    ),
    (
        TOO_SLOW,
        "Too slow to take what was waiting: come back and `sync`.",
    ),
    (
        TOKEN_EXPIRED,
        "The token has expired: refresh it, then come back and `sync`.",
    ),
    (REVOKED, "The login was ended or the account closed: stop."),
    (
        TOO_MANY,
        "Too many frames or sockets: wait, then come back and `sync`.",
    ),
];

/// Whether a client should connect again by itself after this code. `44xx` and [`POLICY`] need a change first.
#[must_use]
pub fn is_worth_returning(code: u16) -> bool {
    !matches!(code, 4400..=4499 | POLICY)
}
