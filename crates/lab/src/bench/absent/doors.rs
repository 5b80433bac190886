//! The doors: every route and every frame that names a room, by its key, and some of them by its name.

/// How one asks for a room.
#[derive(Debug, Clone, Copy)]
pub struct Door {
    /// For people.
    pub what: &'static str,
    /// The method of a route; none for a frame.
    pub method: Option<&'static str>,
    /// What follows the room in the path of a route; `{me}` is who asks, `{other}` who is in the room.
    path: &'static str,
    /// The body of a route, or the frame without the room.
    body: &'static str,
    /// Whether the room is called by its name, and not by its key.
    pub is_named: bool,
}

/// Who asks, and who is in the room.
pub struct People<'a> {
    pub me: &'a str,
    pub other: &'a str,
}

impl Door {
    /// The path of a route.
    pub fn path(&self, room: &str, people: &People<'_>) -> String {
        format!("/api/rooms/{room}{}", filled(self.path, people))
    }

    /// The body of a route, or a frame.
    pub fn body(&self, room: &str, people: &People<'_>) -> String {
        filled(self.body, people).replace("{room}", room)
    }
}

fn filled(text: &str, people: &People<'_>) -> String {
    let text = text.replace("{me}", people.me);
    text.replace("{other}", people.other)
}

const fn route(
    what: &'static str,
    method: &'static str,
    path: &'static str,
    body: &'static str,
) -> Door {
    Door {
        what,
        method: Some(method),
        path,
        body,
        is_named: false,
    }
}

const fn frame(what: &'static str, body: &'static str) -> Door {
    Door {
        what,
        method: None,
        path: "",
        body,
        is_named: false,
    }
}

const fn named(door: Door) -> Door {
    Door {
        is_named: true,
        ..door
    }
}

const TEXT: &str = r#"{"content":"is anyone there?"}"#;

pub const DOORS: &[Door] = &[
    route("its description", "GET", "", ""),
    named(route("its description, by name", "GET", "", "")),
    route("a page", "GET", "/messages?limit=50", ""),
    route("its members", "GET", "/members", ""),
    route("a message", "GET", "/messages/2", ""),
    route("its versions", "GET", "/messages/2/versions", ""),
    route(
        "who has reacted",
        "GET",
        "/messages/2/reactions/%F0%9F%91%8D",
        "",
    ),
    route("a post", "POST", "/messages", TEXT),
    named(route("a post, by name", "POST", "/messages", TEXT)),
    route("an edit", "PATCH", "/messages/2", TEXT),
    route("a deletion", "DELETE", "/messages/2", ""),
    route(
        "a reaction",
        "PUT",
        "/messages/2/reactions/%F0%9F%91%8D",
        "",
    ),
    route(
        "a reaction taken back",
        "DELETE",
        "/messages/2/reactions/%F0%9F%91%8D",
        "",
    ),
    route("a pin", "PUT", "/messages/2/pin", ""),
    route("a pin taken off", "DELETE", "/messages/2/pin", ""),
    route("joining it", "PUT", "/members/{me}", ""),
    named(route("joining it, by name", "PUT", "/members/{me}", "")),
    route("leaving it", "DELETE", "/members/{me}", ""),
    route("an invitation", "PUT", "/members/{other}", ""),
    route(
        "a role",
        "PUT",
        "/members/{other}",
        r#"{"role":"moderator"}"#,
    ),
    route("a kick", "DELETE", "/members/{other}", ""),
    route("a topic", "PATCH", "", r#"{"topic":"what"}"#),
    route("a name", "PATCH", "", r#"{"name":"another"}"#),
    route("hiding it", "PUT", "/hidden", ""),
    route("showing it", "DELETE", "/hidden", ""),
    frame(
        "the frame message",
        r#"{"type":"message","room":"{room}","content":"is anyone there?"}"#,
    ),
    frame(
        "the frame edit",
        r#"{"type":"edit","room":"{room}","id":2,"content":"is anyone there?"}"#,
    ),
    frame(
        "the frame delete",
        r#"{"type":"delete","room":"{room}","id":2}"#,
    ),
    frame(
        "the frame react",
        r#"{"type":"react","room":"{room}","id":2,"emoji":"👍","on":true}"#,
    ),
    frame(
        "the frame pin",
        r#"{"type":"pin","room":"{room}","id":2,"on":true}"#,
    ),
    frame("the frame join", r#"{"type":"join","room":"{room}"}"#),
    frame("the frame leave", r#"{"type":"leave","room":"{room}"}"#),
    frame(
        "the frame invite",
        r#"{"type":"invite","room":"{room}","user":"{other}"}"#,
    ),
    frame(
        "the frame kick",
        r#"{"type":"kick","room":"{room}","user":"{other}"}"#,
    ),
    frame(
        "the frame member",
        r#"{"type":"member","room":"{room}","user":"{other}","role":"moderator"}"#,
    ),
    frame(
        "the frame room",
        r#"{"type":"room","room":"{room}","topic":"what"}"#,
    ),
    frame(
        "the frame sync",
        r#"{"type":"sync","rooms":{"general":0,"{room}":0}}"#,
    ),
];
