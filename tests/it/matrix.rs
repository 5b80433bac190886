//! Who may do what, tried from outside: every route and frame that names a room, by everyone that there is to a room, in
//! rooms of each kind and archived ones and in `general`, on messages of one's own, of others, and on those that are not there. A route, a frame or a
//! right that has no row here fails; and what one may not know of is answered like what is not there, to the byte.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{Backend, Response, Server, root};

mod rows;
mod stage;

use rows::{ABSENT, FRAMES, NO_FRAME, ROUTES, Row, UNUSED};
use stage::{Cast, Kind, Someone, Stage, WHO};

on_both![
    everyone_may_what_the_table_says,
    everyone_may_what_the_table_says_when_a_room_is_archived,
    everyone_may_what_the_table_says_in_a_direct_room,
    everyone_may_what_the_table_says_in_general,
    absent_and_forbidden_are_the_same_to_the_byte,
];

/// What a mark of the table stands for: the status and the code of a route, the code of a frame.
fn meaning(mark: u8) -> (u16, &'static str) {
    match mark {
        b'+' => (200, ""),
        b'a' => (401, "not_authenticated"),
        b'j' => (403, "join_first"),
        b'-' => (403, "forbidden"),
        b'm' => (403, "muted"),
        b'.' => (404, "room_not_found"),
        b'?' => (404, "message_not_found"),
        b'l' => (409, "last_owner"),
        b'r' => (409, "room_archived"),
        _ => panic!("no such mark: {}", char::from(mark)),
    }
}

fn everyone_may_what_the_table_says(backend: Backend) {
    try_all(backend, &[Kind::Public, Kind::Private]);
}

fn everyone_may_what_the_table_says_when_a_room_is_archived(backend: Backend) {
    try_all(backend, &[Kind::Archived]);
}

fn everyone_may_what_the_table_says_in_a_direct_room(backend: Backend) {
    try_all(backend, &[Kind::Direct]);
}

fn everyone_may_what_the_table_says_in_general(backend: Backend) {
    try_all(backend, &[Kind::General]);
}

/// Tries every row by everyone in rooms of these kinds.
fn try_all(backend: Backend, kinds: &[Kind]) {
    let server = Server::start(backend);
    let mut wrong = Vec::new();
    let mut cast = Cast::gather(&server);
    for (number, row) in ROUTES.iter().chain(FRAMES).enumerate() {
        // Else they would be in hundreds of rooms; but `general` belongs to the first of all.
        if number > 0 && !kinds.contains(&Kind::General) {
            cast = Cast::gather(&server);
        }
        for kind in kinds {
            wrong.extend(try_row(&cast, row, *kind));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is not as this row says.
fn try_row(cast: &Cast, row: &Row, kind: Kind) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut stage = None;
    for (at, who) in WHO.iter().enumerate() {
        let mark = row.mark(at, kind);
        if mark == b'_' || row.is_frame && mark == b'a' {
            continue;
        }
        let (status, code) = meaning(mark);
        let seen = (stage.get_or_insert_with(|| Stage::set(cast, kind))).act(row, *who);
        let is_right = match (mark, &seen) {
            (b'+', (200..=299, None)) => true,
            (_, (seen, Some(told))) => told == code && (row.is_frame || *seen == status),
            _ => false,
        };
        if !is_right {
            wrong.push(format!(
                "{row:?} by {who:?}, {kind:?}: {seen:?}, not {status} {code}"
            ));
        }
        if matches!(seen, (200..=299, None)) && row.can_be_done_once() {
            stage = None;
        }
    }
    wrong
}

/// What differs between any two answers.
fn plain(answer: &Response) -> (u16, Vec<(String, String)>, Value) {
    let mut body: Value = answer.json();
    body.as_object_mut()
        .expect("a problem")
        .remove("request_id");
    // The order of headers, and of those that may be read by a page, is that of a table with random seeds.
    let headers = answer.headers.iter().map(|(name, value)| {
        let mut words: Vec<_> = value.split(", ").collect();
        words.sort_unstable();
        (name.to_lowercase(), words.join(", "))
    });
    // The length, because the request's id is in the body.
    let differing = ["date", "x-request-id", "content-length"];
    let mut headers: Vec<_> = headers
        .filter(|(name, _)| !differing.contains(&name.as_str()))
        .collect();
    headers.sort_unstable();
    (answer.status, headers, body)
}

fn absent_and_forbidden_are_the_same_to_the_byte(backend: Backend) {
    let server = Server::start(backend);
    let cast = Cast::gather(&server);
    let outside = [Someone::Stranger, Someone::Former, Someone::Kicked];
    for (kind, strangers) in [(Kind::Private, &outside[..]), (Kind::Direct, &outside[..1])] {
        let stage = Stage::set(&cast, kind);
        for (row, who) in pairs(ROUTES, strangers) {
            let there = stage.request(row, who);
            let absent = stage.request_at(row, who, ABSENT);
            // The name of a room is told back as it was asked for nowhere.
            assert_eq!(plain(&there), plain(&absent), "{row:?} by {who:?}");
            assert_eq!(there.status, 404, "{row:?} by {who:?}");
        }
        for (row, who) in pairs(FRAMES, strangers) {
            let there = stage.send(row, who);
            let absent = stage.send_at(row, who, ABSENT);
            assert_eq!(there, absent, "{row:?} by {who:?}");
        }
    }
}

fn pairs<'a>(rows: &'a [Row], people: &'a [Someone]) -> impl Iterator<Item = (&'a Row, Someone)> {
    let of_row = move |row| people.iter().map(move |who| (row, *who));
    rows.iter().flat_map(of_row)
}

#[test]
fn every_route_frame_and_right_has_a_row() {
    let server = Server::start(Backend::Sqlite);
    let routes: BTreeSet<_> = ROUTES.iter().map(|row| (row.door, row.path)).collect();
    let documents = server.http().get("/openapi.json").expect(200).json();
    for (path, item) in documents["paths"].as_object().expect("paths") {
        let methods = item.as_object().expect("methods").keys();
        for method in methods.filter(|_| path.contains("{room}")) {
            let method = method.to_uppercase();
            let known = routes.contains(&(method.as_str(), path.as_str()));
            assert!(known, "{method} {path} has no row in matrix/rows.rs");
        }
    }
    let frames: BTreeSet<_> = FRAMES.iter().map(|row| row.door).collect();
    for name in client_frames(&server) {
        let known = frames.contains(name.as_str()) || NO_FRAME.contains(&name.as_str());
        assert!(known, "the frame {name} has no row in matrix/rows.rs");
    }
    let rights: BTreeSet<_> = ROUTES.iter().chain(FRAMES).map(|row| row.right).collect();
    for right in rights_of_the_house() {
        let known = rights.contains(right.as_str()) || UNUSED.contains(&right.as_str());
        assert!(known, "the right {right} has no row in matrix/rows.rs");
    }
}

/// The types of all that a client may send.
fn client_frames(server: &Server) -> BTreeSet<String> {
    let documents = server.http().get("/asyncapi.json").expect(200).json();
    let messages = documents["components"]["messages"].as_object();
    let names = messages.expect("messages").keys();
    let found: BTreeSet<_> = names
        .filter_map(|name| Some(name.strip_prefix("say.")?.to_owned()))
        .collect();
    assert!(found.contains("message"), "{found:?}");
    found
}

/// The variants of `Right`.
fn rights_of_the_house() -> Vec<String> {
    let source = std::fs::read_to_string(root().join("src/rights.rs")).expect("reads");
    let file = syn::parse_file(&source).expect("is Rust");
    let rights = file.items.iter().find_map(|item| match item {
        syn::Item::Enum(item) if item.ident == "Right" => Some(item),
        _ => None,
    });
    let rights = rights.expect("there are rights").variants.iter();
    rights.map(|right| right.ident.to_string()).collect()
}

/// The fields of a row that are set in the answer to nothing else.
fn with(mut body: Value, more: &Value) -> Value {
    for (name, value) in more.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    body
}

impl Row {
    /// What this one is answered.
    fn mark(&self, at: usize, kind: Kind) -> u8 {
        let marks = match kind {
            Kind::Public | Kind::Private => self.marks.open,
            Kind::Archived => self.marks.archived,
            Kind::Direct => self.marks.direct,
            Kind::General => self.marks.general,
        };
        let marks = marks.as_bytes();
        assert_eq!(marks.len(), WHO.len(), "{self:?}");
        let is_outside = (1..=3).contains(&at);
        if is_outside && kind == Kind::Private {
            b'.'
        } else {
            marks[at]
        }
    }

    /// Whether whoever comes next finds it done, and would show nothing by doing it again in the same room.
    fn can_be_done_once(&self) -> bool {
        let once = [
            "DeleteOthers",
            "Invite",
            "BringBack",
            "Kick",
            "KickModerator",
            "Mute",
            "MuteModerator",
            "SetRole",
            "Topic",
            "SlowMode",
            "Pin",
            "Rename",
            "SetKind",
            "Archive",
        ];
        self.door != "GET" && once.contains(&self.right)
    }

    fn body(&self) -> Value {
        if self.body.is_empty() {
            return json!({});
        }
        serde_json::from_str(self.body).expect("JSON")
    }
}
