//! The cases in `tests/fixtures/parsing.tsv`, tried on the real server: whom a text mentions, as the message tells it and as
//! it is counted, before and after an edit; and that no message is ever read as a command.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::{Backend, Server, User, root};

on_both![
    each_case_of_a_mention_is_told_and_counted,
    each_case_of_a_command_is_a_message_where_it_is_sent_as_one,
];

/// The fields of all lines of these kinds.
fn cases(kinds: &[&str]) -> Vec<Vec<String>> {
    let path = root().join("tests/fixtures/parsing.tsv");
    let text = std::fs::read_to_string(path).expect("reads");
    let lines = text.lines().map(|line| line.split('\t'));
    let wanted = lines.filter_map(|mut fields| {
        let is_wanted = fields.next().is_some_and(|kind| kinds.contains(&kind));
        is_wanted.then(|| fields.map(unescape).collect())
    });
    wanted.collect()
}

fn unescape(text: &str) -> String {
    let (mut plain, mut chars) = (String::new(), text.chars());
    while let Some(c) = chars.next() {
        match c {
            '\\' => plain.push(match chars.next() {
                Some('n') => '\n',
                Some('r') => '\r',
                Some('t') => '\t',
                Some('u') => {
                    let digits: String = chars.by_ref().take_while(|c| *c != '}').collect();
                    let number = u32::from_str_radix(&digits[1..], 16).expect("a number");
                    char::from_u32(number).expect("a character")
                }
                Some(other) => other,
                None => panic!("it breaks off: {text}"),
            }),
            c => plain.push(c),
        }
    }
    plain
}

/// Everyone who is mentioned in a case, by name.
struct People(BTreeMap<String, User>);

impl People {
    fn gather(server: &Server) -> (User, Self) {
        let author = User::register(server, "author");
        let names = [
            "alice", "bob", "carol", "Alice-B", "a1_b-2", "7of9", "ann", "anna", "ann-b", "ann_",
        ];
        let people = names.map(|name| (name.to_lowercase(), User::register(server, name)));
        (author, Self(people.into()))
    }

    /// A text, and whom it mentions: who, and from where to where.
    fn read(&self, marked: &str) -> (String, Vec<(Value, usize, usize)>) {
        let (mut text, mut mentions, mut open) = (String::new(), Vec::new(), 0);
        for c in marked.chars() {
            match c {
                '⟦' => open = text.chars().count(),
                '⟧' => {
                    let end = text.chars().count();
                    let word: String = text.chars().skip(open + 1).collect();
                    let who = match word.to_lowercase().as_str() {
                        "room" => Some(json!({"room": true})),
                        "here" => Some(json!({"here": true})),
                        name => self.0.get(name).map(|user| json!({"user_id": user.id})),
                    };
                    mentions.extend(who.map(|who| (who, open, end)));
                }
                c => text.push(c),
            }
        }
        (text, mentions)
    }
}

/// The same of a message.
fn told(message: &Value) -> Vec<(Value, usize, usize)> {
    let mentions = message["mentions"].as_array().cloned().unwrap_or_default();
    let told = mentions.into_iter().map(|mut mention| {
        let fields = mention.as_object_mut().expect("an object");
        let mut place = |name: &str| {
            let number = fields.remove(name).and_then(|number| number.as_u64());
            usize::try_from(number.expect("a number")).expect("small")
        };
        let (from, to) = (place("from"), place("to"));
        (mention, from, to)
    });
    told.collect()
}

/// For whom it is counted; 0 stands for all.
fn counted(server: &Server, id: &Value) -> Vec<String> {
    let rows = server.database.query(&format!(
        "SELECT '' || user_id AS value FROM mentions WHERE message_id = {id} ORDER BY user_id"
    ));
    rows.into_iter().flatten().collect()
}

fn to_count(mentions: &[(Value, usize, usize)]) -> Vec<String> {
    let ids = mentions.iter().filter_map(|(who, ..)| match who["room"] {
        Value::Bool(true) => Some(0),
        _ => who["user_id"].as_u64(),
    });
    let mut ids: Vec<u64> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    ids.iter().map(u64::to_string).collect()
}

fn each_case_of_a_mention_is_told_and_counted(backend: Backend) {
    let server = Server::start(backend);
    let (author, people) = People::gather(&server);
    let (mut wrong, mut count) = (Vec::new(), 0);
    for case in cases(&["mention", "name", "edit"]) {
        count += 1;
        let (text, _) = people.read(&case[0]);
        if text.trim().is_empty() {
            continue;
        }
        let mut said = author.post(&text, None).expect(201).json();
        let id = said["id"].clone();
        for marked in &case {
            let (text, mentions) = people.read(marked);
            if said["content"] != *text {
                let path = format!("/messages/{id}");
                let edit = author.in_room("PATCH", "general", &path, &json!({"content": text}));
                said = edit.expect(200).json();
            }
            let seen = (told(&said), counted(&server, &id));
            let wanted = to_count(&mentions);
            if seen != (mentions, wanted) {
                wrong.push(format!("{marked:?}: {seen:?}"));
            }
        }
    }
    assert!(count > 200, "{count}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn each_case_of_a_command_is_a_message_where_it_is_sent_as_one(backend: Backend) {
    let server = Server::start(backend);
    let author = User::register(&server, "author");
    let before = author
        .in_room("GET", "general", "", &Value::Null)
        .expect(200)
        .json();
    for case in cases(&["command"]) {
        if case[0].trim().is_empty() {
            continue;
        }
        let said = author.post(&case[0], None).expect(201).json();
        assert_eq!(said["content"], *case[0]);
    }
    let after = author
        .in_room("GET", "general", "", &Value::Null)
        .expect(200)
        .json();
    for field in ["topic", "members", "role"] {
        assert_eq!(before[field], after[field], "{field}");
    }
}
