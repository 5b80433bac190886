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
    /// What comes of it.
    pub(super) marks: Marks,
    pub(super) is_frame: bool,
}

/// What each is answered, in the order of `stage::WHO`: without a token, a stranger, one who left, one who was taken out, one
/// who is muted, a member, a moderator, the owner. `_`: there is no such one in a room of this kind.
#[derive(Debug, Clone, Copy)]
pub(super) struct Marks {
    /// In a public room. In a private one, the three who are outside know of nothing.
    pub(super) open: &'static str,
    /// In a public room that is archived.
    pub(super) archived: &'static str,
    /// In a direct room: all who are in it are alike.
    pub(super) direct: &'static str,
    /// In the room that everyone is in, but for one whom whoever runs the server has taken out.
    pub(super) general: &'static str,
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
    /// Someone who was taken out of the room, where that can be.
    Outcast,
}

use Target::{Member, Moderator, Newcomer, NoMessage, Oneself, Others, Outcast, Own, Room};

/// A room that is not there.
pub(super) const ABSENT: &str = "987654321";

/// Rights that no door asks for yet.
pub(super) const UNUSED: &[&str] = &[];

/// Frames that are about no room, or change nothing in one.
pub(super) const NO_FRAME: &[&str] = &["create", "direct", "ping", "presence", "status", "sync"];

const ROOM: &str = "/api/rooms/{room}";
const MESSAGES: &str = "/api/rooms/{room}/messages";
const MESSAGE: &str = "/api/rooms/{room}/messages/{id}";
const VERSIONS: &str = "/api/rooms/{room}/messages/{id}/versions";
const REACTION: &str = "/api/rooms/{room}/messages/{id}/reactions/{emoji}";
const PIN: &str = "/api/rooms/{room}/messages/{id}/pin";
const FOLLOW: &str = "/api/rooms/{room}/messages/{id}/follow";
const DRAFT: &str = "/api/rooms/{room}/draft";
const SAVED: &str = "/api/saved/{room}/{id}";
const SCHEDULED: &str = "/api/scheduled";
const HIDDEN: &str = "/api/rooms/{room}/hidden";
const MARKER: &str = "/api/rooms/{room}/read";
const RECEIPTS: &str = "/api/rooms/{room}/reads";
const NOTIFY: &str = "/api/rooms/{room}/notify";
const COMMANDS: &str = "/api/rooms/{room}/commands";
const MEMBERS: &str = "/api/rooms/{room}/members";
const MEMBER: &str = "/api/rooms/{room}/members/{user}";

/// Everyone who may know of the room.
const SEES: Marks = Marks {
    open: "a++.++++",
    archived: "a++.++++",
    direct: "a.___+_+",
    general: "a_+_++++",
};
/// Whoever may come in by themselves, and who is in it already.
const JOINS: Marks = Marks {
    open: "a++.++++",
    archived: "arr.++++",
    direct: "a.___+_+",
    general: "a_+_++++",
};
/// Every member, muted ones too.
const READS: Marks = Marks {
    open: "ajj.++++",
    archived: "ajj.++++",
    direct: "a.___+_+",
    general: "a_._++++",
};
/// Every member who is not muted.
const WRITES: Marks = Marks {
    open: "ajj.m+++",
    archived: "ajj.rrrr",
    direct: "a.___+_+",
    general: "a_._m+++",
};
/// Every member, what is theirs.
const TAKES_BACK: Marks = Marks {
    open: "ajj.++++",
    archived: "ajj.rrrr",
    direct: "a.___+_+",
    general: "a_._++++",
};
/// Likewise, where others can be brought in.
const INVITES: Marks = Marks {
    open: "ajj.m+++",
    archived: "ajj.rrrr",
    direct: "a.___-_-",
    general: "a_._m+++",
};
/// Moderators and owners, where anyone can have been taken out. All find whoever was not taken out in `general`.
const BRINGS_BACK: Marks = Marks {
    open: "ajj.m-++",
    archived: "ajj.rrrr",
    direct: "a.___-_-",
    general: "a_._m+++",
};
/// Every member but the last owner, where one can.
const LEAVES: Marks = Marks {
    open: "ajj.+++l",
    archived: "ajj.+++l",
    direct: "a.___-_-",
    general: "a_._----",
};
/// Moderators and owners.
const KEEPS_ORDER: Marks = Marks {
    open: "ajj.--++",
    archived: "ajj.--rr",
    direct: "a.___-_-",
    general: "a_._--++",
};
/// Likewise, where anyone can be taken out.
const KICKS: Marks = Marks {
    open: "ajj.--++",
    archived: "ajj.--rr",
    direct: "a.___-_-",
    general: "a_._----",
};
/// Owners; that a moderator may not is found only where the room is not archived.
const KICKS_MODERATORS: Marks = Marks {
    open: "ajj.---+",
    archived: "ajj.--rr",
    direct: "a.___-_-",
    general: "a_._----",
};
/// The same, in `general` too.
const MUTES_MODERATORS: Marks = Marks {
    open: "ajj.---+",
    archived: "ajj.--rr",
    direct: "a.___-_-",
    general: "a_._---+",
};
/// Owners.
const SETS_ROLES: Marks = Marks {
    open: "ajj.---+",
    archived: "ajj.---r",
    direct: "a.___-_-",
    general: "a_._---+",
};
/// Owners, where a room is owned by anyone.
const OWNS: Marks = Marks {
    open: "ajj.---+",
    archived: "ajj.---r",
    direct: "a.___-_-",
    general: "a_._----",
};
/// Owners, also where it is archived already.
const ARCHIVES: Marks = Marks {
    open: "ajj.---+",
    archived: "ajj.---+",
    direct: "a.___-_-",
    general: "a_._----",
};
/// A message that is not there, for whoever reads.
const NOT_THERE: Marks = Marks {
    open: "ajj.????",
    archived: "ajj.????",
    direct: "a.___?_?",
    general: "a_._????",
};
/// The same, for whoever may write.
const NOT_THERE_TO_WRITE: Marks = Marks {
    open: "ajj.m???",
    archived: "ajj.rrrr",
    direct: "a.___?_?",
    general: "a_._m???",
};
/// A message that only its author may change.
const NOT_THEIRS: Marks = Marks {
    open: "ajj.m---",
    archived: "ajj.rrrr",
    direct: "a.___-_-",
    general: "a_._m---",
};
/// What there is in direct rooms alone.
const HIDES: Marks = Marks {
    open: "ajj.----",
    archived: "ajj.----",
    direct: "a.___+_+",
    general: "a_._----",
};

const MUTE: &str = r#"{"muted_until":"2100-01-01T00:00:00.000000+00:00"}"#;

const ME: &str = r#"{"text":"/me waves"}"#;
const SHRUG: &str = r#"{"text":"/shrug"}"#;
const TOPIC: &str = r#"{"text":"/topic what"}"#;
const INVITE: &str = r#"{"text":"/invite @USER"}"#;
const KICK: &str = r#"{"text":"/kick @USER"}"#;
const LEAVE: &str = r#"{"text":"/leave"}"#;
const STATUS: &str = r#"{"text":"/status away"}"#;

const fn route(
    right: &'static str,
    door: &'static str,
    path: &'static str,
    target: Target,
    body: &'static str,
    marks: Marks,
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
    marks: Marks,
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
    route("See", "GET", ROOM, Room, "", SEES),
    route("Read", "GET", MESSAGES, Room, "", READS),
    route("Read", "GET", MEMBERS, Room, "", READS),
    route("Read", "GET", MESSAGE, Own, "", READS),
    route("Read", "GET", MESSAGE, Others, "", READS),
    route("Read", "GET", MESSAGE, NoMessage, "", NOT_THERE),
    route("Read", "GET", VERSIONS, Others, "", READS),
    route("Read", "PUT", MARKER, Room, r#"{"seq":1}"#, READS),
    route("Read", "GET", RECEIPTS, Room, "", READS),
    route("Read", "PUT", NOTIFY, Room, r#"{"level":"all"}"#, READS),
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
    // The room and the moment are those of the stage.
    route(
        "Post",
        "POST",
        SCHEDULED,
        Room,
        r#"{"room":"ROOM","content":"hi","send_at":"SOON"}"#,
        WRITES,
    ),
    // It is said in any case; in a room of few it addresses all, whoever says it.
    route(
        "MentionAll",
        "POST",
        MESSAGES,
        Room,
        r#"{"content":"@room hi"}"#,
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
        NOT_THEIRS,
    ),
    route(
        "EditOwn",
        "PATCH",
        MESSAGE,
        NoMessage,
        r#"{"content":"better"}"#,
        NOT_THERE_TO_WRITE,
    ),
    route("DeleteOwn", "DELETE", MESSAGE, Own, "", TAKES_BACK),
    route("DeleteOthers", "DELETE", MESSAGE, Others, "", KEEPS_ORDER),
    route("DeleteOthers", "DELETE", MESSAGE, NoMessage, "", NOT_THERE),
    route("React", "PUT", REACTION, Others, "", WRITES),
    route("React", "DELETE", REACTION, Others, "", WRITES),
    route("Pin", "PUT", PIN, Others, "", WRITES),
    route("Pin", "DELETE", PIN, Others, "", WRITES),
    route("Read", "PUT", FOLLOW, Others, "", READS),
    route("Read", "PUT", FOLLOW, NoMessage, "", NOT_THERE),
    route("Read", "DELETE", FOLLOW, Others, "", READS),
    route("Read", "DELETE", FOLLOW, NoMessage, "", NOT_THERE),
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
    route(
        "Archive",
        "PATCH",
        ROOM,
        Room,
        r#"{"archived":true}"#,
        ARCHIVES,
    ),
    route("Join", "PUT", MEMBER, Oneself, "", JOINS),
    route("Read", "GET", DRAFT, Room, "", READS),
    route("Read", "PUT", DRAFT, Room, r#"{"content":"I"}"#, READS),
    route("Read", "DELETE", DRAFT, Room, "", READS),
    route("Read", "PUT", SAVED, Others, "", READS),
    route("Read", "PUT", SAVED, NoMessage, "", NOT_THERE),
    route("Read", "DELETE", SAVED, Others, "", READS),
    route("Read", "DELETE", SAVED, NoMessage, "", NOT_THERE),
    route("Read", "PUT", HIDDEN, Room, "", HIDES),
    route("Read", "DELETE", HIDDEN, Room, "", HIDES),
    route("Invite", "PUT", MEMBER, Newcomer, "", INVITES),
    route("BringBack", "PUT", MEMBER, Outcast, "", BRINGS_BACK),
    route(
        "SetRole",
        "PUT",
        MEMBER,
        Member,
        r#"{"role":"moderator"}"#,
        SETS_ROLES,
    ),
    route("Mute", "PUT", MEMBER, Member, MUTE, KEEPS_ORDER),
    route(
        "MuteModerator",
        "PUT",
        MEMBER,
        Moderator,
        MUTE,
        MUTES_MODERATORS,
    ),
    route("Leave", "DELETE", MEMBER, Oneself, "", LEAVES),
    route("Kick", "DELETE", MEMBER, Member, "", KICKS),
    route(
        "KickModerator",
        "DELETE",
        MEMBER,
        Moderator,
        "",
        KICKS_MODERATORS,
    ),
    route("Post", "POST", COMMANDS, Room, ME, WRITES),
    route("Post", "POST", COMMANDS, Room, SHRUG, WRITES),
    route("Topic", "POST", COMMANDS, Room, TOPIC, KEEPS_ORDER),
    route("Invite", "POST", COMMANDS, Newcomer, INVITE, INVITES),
    route("BringBack", "POST", COMMANDS, Outcast, INVITE, BRINGS_BACK),
    route("Kick", "POST", COMMANDS, Member, KICK, KICKS),
    route(
        "KickModerator",
        "POST",
        COMMANDS,
        Moderator,
        KICK,
        KICKS_MODERATORS,
    ),
    route("Leave", "POST", COMMANDS, Room, LEAVE, LEAVES),
    // What one is has nothing to do with the room, but that one is in it.
    route("Read", "POST", COMMANDS, Room, STATUS, READS),
];

pub(super) const FRAMES: &[Row] = &[
    frame("Post", "message", Room, r#"{"content":"hi"}"#, WRITES),
    frame("Post", "typing", Room, "{}", WRITES),
    frame("EditOwn", "edit", Own, r#"{"content":"better"}"#, WRITES),
    frame(
        "EditOwn",
        "edit",
        Others,
        r#"{"content":"better"}"#,
        NOT_THEIRS,
    ),
    frame(
        "EditOwn",
        "edit",
        NoMessage,
        r#"{"content":"better"}"#,
        NOT_THERE_TO_WRITE,
    ),
    frame("DeleteOwn", "delete", Own, "", TAKES_BACK),
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
        NOT_THERE_TO_WRITE,
    ),
    frame("Pin", "pin", Others, r#"{"on":true}"#, WRITES),
    frame(
        "Pin",
        "pin",
        NoMessage,
        r#"{"on":true}"#,
        NOT_THERE_TO_WRITE,
    ),
    frame("Read", "read", Room, r#"{"seq":1}"#, READS),
    frame("Join", "join", Room, "", JOINS),
    frame("Leave", "leave", Room, "", LEAVES),
    frame("Invite", "invite", Newcomer, "", INVITES),
    frame("BringBack", "invite", Outcast, "", BRINGS_BACK),
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
    frame("Archive", "room", Room, r#"{"archived":true}"#, ARCHIVES),
    frame(
        "SetRole",
        "member",
        Member,
        r#"{"role":"moderator"}"#,
        SETS_ROLES,
    ),
    frame("Mute", "member", Member, MUTE, KEEPS_ORDER),
    frame("MuteModerator", "member", Moderator, MUTE, MUTES_MODERATORS),
    frame("Kick", "kick", Member, "", KICKS),
    frame("KickModerator", "kick", Moderator, "", KICKS_MODERATORS),
    frame("Post", "command", Room, ME, WRITES),
    frame("Topic", "command", Room, TOPIC, KEEPS_ORDER),
    frame("Invite", "command", Newcomer, INVITE, INVITES),
    frame("BringBack", "command", Outcast, INVITE, BRINGS_BACK),
    frame("Kick", "command", Member, KICK, KICKS),
    frame(
        "KickModerator",
        "command",
        Moderator,
        KICK,
        KICKS_MODERATORS,
    ),
    frame("Leave", "command", Room, LEAVE, LEAVES),
    frame("Read", "command", Room, STATUS, READS),
];
