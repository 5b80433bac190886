//! The table: each right with the doors that ask for it.

/// A way to use a right, and what comes of it.
#[derive(Debug)]
pub(super) struct Row {
    /// The right, as `src/rights.rs` names it.
    pub(super) right: &'static str,
    /// The method of a route, or the type of a frame.
    pub(super) door: &'static str,
    /// The route, as the documents write it.
    pub(super) path: &'static str,
    /// Which message or whom it is about.
    pub(super) target: Target,
    /// What it carries, as JSON.
    pub(super) body: &'static str,
    /// What each is answered in a public room: without a token, a stranger, one who left, one who was taken out, one who is
    /// muted, a member, a moderator, the owner. In a private one, the three who are outside know of nothing.
    pub(super) marks: &'static str,
    pub(super) is_frame: bool,
}

/// What it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// The room.
    Room,
    /// A message of whoever asks.
    Own,
    /// A message of another member.
    Others,
    /// A message that is not there.
    NoMessage,
    /// Whoever asks.
    Oneself,
    /// A member.
    Member,
    /// A moderator.
    Moderator,
    /// Someone who was never in the room.
    Newcomer,
}

use Target::{Member, Moderator, Newcomer, NoMessage, Oneself, Others, Own, Room};

/// A room that is not there.
pub(super) const ABSENT: &str = "987654321";

/// Rights that no door asks for yet: there are no mentions so far.
pub(super) const UNUSED: &[&str] = &["MentionAll"];

/// Frames that are about no room, or change nothing in one.
pub(super) const NO_FRAME: &[&str] = &["create", "direct", "ping", "sync"];

const ROOM: &str = "/api/rooms/{room}";
const MESSAGES: &str = "/api/rooms/{room}/messages";
const MESSAGE: &str = "/api/rooms/{room}/messages/{id}";
const VERSIONS: &str = "/api/rooms/{room}/messages/{id}/versions";
const REACTION: &str = "/api/rooms/{room}/messages/{id}/reactions/{emoji}";
const PIN: &str = "/api/rooms/{room}/messages/{id}/pin";
const HIDDEN: &str = "/api/rooms/{room}/hidden";
const MEMBERS: &str = "/api/rooms/{room}/members";
const MEMBER: &str = "/api/rooms/{room}/members/{user}";

const READS: &str = "ajj.++++";
const WRITES: &str = "ajj.m+++";
const KEEPS_ORDER: &str = "ajj.--++";
const OWNS: &str = "ajj.---+";
const NOT_THERE: &str = "ajj.????";

/// What there is in direct rooms alone.
const NOT_HERE: &str = "ajj.----";

const MUTE: &str = r#"{"muted_until":"2100-01-01T00:00:00.000000+00:00"}"#;

const fn route(
    right: &'static str,
    door: &'static str,
    path: &'static str,
    target: Target,
    body: &'static str,
    marks: &'static str,
) -> Row {
    Row {
        right,
        door,
        path,
        target,
        body,
        marks,
        is_frame: false,
    }
}

const fn frame(
    right: &'static str,
    door: &'static str,
    target: Target,
    body: &'static str,
    marks: &'static str,
) -> Row {
    Row {
        right,
        door,
        path: "",
        target,
        body,
        marks,
        is_frame: true,
    }
}

pub(super) const ROUTES: &[Row] = &[
    route("See", "GET", ROOM, Room, "", "a++.++++"),
    route("Read", "GET", MESSAGES, Room, "", READS),
    route("Read", "GET", MEMBERS, Room, "", READS),
    route("Read", "GET", MESSAGE, Own, "", READS),
    route("Read", "GET", MESSAGE, Others, "", READS),
    route("Read", "GET", MESSAGE, NoMessage, "", NOT_THERE),
    route("Read", "GET", VERSIONS, Others, "", READS),
    route("Read", "GET", VERSIONS, NoMessage, "", NOT_THERE),
    route("Read", "GET", REACTION, Others, "", READS),
    route("Read", "GET", REACTION, NoMessage, "", NOT_THERE),
    route(
        "Post",
        "POST",
        MESSAGES,
        Room,
        r#"{"content":"hi"}"#,
        WRITES,
    ),
    route(
        "EditOwn",
        "PATCH",
        MESSAGE,
        Own,
        r#"{"content":"better"}"#,
        WRITES,
    ),
    route(
        "EditOwn",
        "PATCH",
        MESSAGE,
        Others,
        r#"{"content":"better"}"#,
        "ajj.m---",
    ),
    route(
        "EditOwn",
        "PATCH",
        MESSAGE,
        NoMessage,
        r#"{"content":"better"}"#,
        "ajj.m???",
    ),
    route("DeleteOwn", "DELETE", MESSAGE, Own, "", READS),
    route("DeleteOthers", "DELETE", MESSAGE, Others, "", KEEPS_ORDER),
    route("DeleteOthers", "DELETE", MESSAGE, NoMessage, "", NOT_THERE),
    route("React", "PUT", REACTION, Others, "", WRITES),
    route("React", "DELETE", REACTION, Others, "", WRITES),
    route("Pin", "PUT", PIN, Others, "", WRITES),
    route("Pin", "DELETE", PIN, Others, "", WRITES),
    route(
        "Topic",
        "PATCH",
        ROOM,
        Room,
        r#"{"topic":"what"}"#,
        KEEPS_ORDER,
    ),
    route(
        "SlowMode",
        "PATCH",
        ROOM,
        Room,
        r#"{"slow_seconds":5}"#,
        KEEPS_ORDER,
    ),
    route("Rename", "PATCH", ROOM, Room, r#"{"name":"NEW"}"#, OWNS),
    route("SetKind", "PATCH", ROOM, Room, r#"{"kind":"KIND"}"#, OWNS),
    route("Archive", "PATCH", ROOM, Room, r#"{"archived":true}"#, OWNS),
    route("Join", "PUT", MEMBER, Oneself, "", "a++.++++"),
    route("Read", "PUT", HIDDEN, Room, "", NOT_HERE),
    route("Read", "DELETE", HIDDEN, Room, "", NOT_HERE),
    route("Invite", "PUT", MEMBER, Newcomer, "", WRITES),
    route(
        "SetRole",
        "PUT",
        MEMBER,
        Member,
        r#"{"role":"moderator"}"#,
        OWNS,
    ),
    route("Mute", "PUT", MEMBER, Member, MUTE, KEEPS_ORDER),
    route("MuteModerator", "PUT", MEMBER, Moderator, MUTE, OWNS),
    route("Leave", "DELETE", MEMBER, Oneself, "", "ajj.+++l"),
    route("Kick", "DELETE", MEMBER, Member, "", KEEPS_ORDER),
    route("KickModerator", "DELETE", MEMBER, Moderator, "", OWNS),
];

pub(super) const FRAMES: &[Row] = &[
    frame("Post", "message", Room, r#"{"content":"hi"}"#, WRITES),
    frame("EditOwn", "edit", Own, r#"{"content":"better"}"#, WRITES),
    frame(
        "EditOwn",
        "edit",
        Others,
        r#"{"content":"better"}"#,
        "ajj.m---",
    ),
    frame(
        "EditOwn",
        "edit",
        NoMessage,
        r#"{"content":"better"}"#,
        "ajj.m???",
    ),
    frame("DeleteOwn", "delete", Own, "", READS),
    frame("DeleteOthers", "delete", Others, "", KEEPS_ORDER),
    frame("DeleteOthers", "delete", NoMessage, "", NOT_THERE),
    frame(
        "React",
        "react",
        Others,
        r#"{"emoji":"👍","on":true}"#,
        WRITES,
    ),
    frame(
        "React",
        "react",
        NoMessage,
        r#"{"emoji":"👍","on":true}"#,
        "ajj.m???",
    ),
    frame("Pin", "pin", Others, r#"{"on":true}"#, WRITES),
    frame("Pin", "pin", NoMessage, r#"{"on":true}"#, "ajj.m???"),
    frame("Join", "join", Room, "", "a++.++++"),
    frame("Leave", "leave", Room, "", "ajj.+++l"),
    frame("Invite", "invite", Newcomer, "", WRITES),
    frame("Topic", "room", Room, r#"{"topic":"what"}"#, KEEPS_ORDER),
    frame(
        "SlowMode",
        "room",
        Room,
        r#"{"slow_seconds":5}"#,
        KEEPS_ORDER,
    ),
    frame("Rename", "room", Room, r#"{"name":"NEW"}"#, OWNS),
    frame("SetKind", "room", Room, r#"{"kind":"KIND"}"#, OWNS),
    frame("Archive", "room", Room, r#"{"archived":true}"#, OWNS),
    frame("SetRole", "member", Member, r#"{"role":"moderator"}"#, OWNS),
    frame("Mute", "member", Member, MUTE, KEEPS_ORDER),
    frame("MuteModerator", "member", Moderator, MUTE, OWNS),
    frame("Kick", "kick", Member, "", KEEPS_ORDER),
    frame("KickModerator", "kick", Moderator, "", OWNS),
];
