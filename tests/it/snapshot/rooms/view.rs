//! The rooms as a client shows them, and what each frame does to them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::super::state::{id_of, seq_of, text};
use super::own::Own;
use crate::support::{Socket, User};

/// What a first frame tells of a room, and what a client makes of the messages that it has.
const MADE: [&str; 3] = ["unread", "mentions", "last_at"];

/// A room that the client knows.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Room {
    /// What its first frame tells of it, but for what is [`MADE`] of its messages.
    facts: Value,
    /// What is [`MADE`] of them, as it was told last.
    told: Value,
    /// By id, in the shape of REST, but for what stands under them.
    pub(super) messages: BTreeMap<u64, Value>,
    /// What stands under first messages of threads, as a message or a reply has told it last.
    pub(super) threads: BTreeMap<u64, Value>,
}

/// All that a client shows.
#[derive(Debug, Clone, Default)]
pub(super) struct View {
    /// Whose it is.
    me: u64,
    /// Those that its user is in.
    pub(super) here: BTreeMap<String, Room>,
    /// Those that its user was in: what it held stays.
    pub(super) gone: BTreeMap<String, Room>,
    /// How far each room has come.
    pub(super) reached: BTreeMap<String, u64>,
    /// What its user has just come into, and what was in it before is not yet read.
    to_read: BTreeSet<String>,
    /// Of which something is missing. Only who goes from a room may be left so.
    pub(super) holes: BTreeSet<String>,
    /// What it is told of its user's own things, and of people.
    pub(super) own: Own,
    /// Every frame, and when it was taken: what a failure is understood by.
    heard: Vec<String>,
}

impl View {
    /// As it is fetched: what the first frame tells, and all that is in each room.
    pub(super) fn fetch(user: &User, socket: &Socket) -> Self {
        let mut view = Self::default();
        view.greet(&socket.connected);
        view.read_new(user);
        view
    }

    /// What the first frame tells; messages that are known stay.
    pub(super) fn greet(&mut self, connected: &Value) {
        self.note(connected);
        self.me = connected["user_id"].as_u64().expect("an id");
        let mut before = std::mem::take(&mut self.here);
        for told in connected["rooms"].as_array().expect("rooms") {
            let key = text(&told["room"]).to_owned();
            if let Some(mut room) = before.remove(&key) {
                room.greet(told);
                self.here.insert(key, room);
            } else {
                self.come_into(told);
            }
        }
        self.gone.append(&mut before);
    }

    fn come_into(&mut self, told: &Value) {
        let key = text(&told["room"]).to_owned();
        let mut room = self.gone.remove(&key).unwrap_or_default();
        room.greet(told);
        self.reached.insert(key.clone(), seq_of(told));
        self.to_read.insert(key.clone());
        self.here.insert(key, room);
    }

    /// Reads what was in a room before its user came.
    pub(super) fn read_new(&mut self, user: &User) {
        for key in std::mem::take(&mut self.to_read) {
            // Who has been taken out meanwhile hears so.
            let Some(messages) = read_all(user, &key) else {
                continue;
            };
            if let Some(room) = self.here.get_mut(&key) {
                for message in messages {
                    room.put(message);
                }
            }
        }
    }

    /// `is_again`: it may be one that came before, as an answer to a `sync` from before it.
    pub(super) fn apply(&mut self, frame: &Value, is_again: bool) {
        self.note(frame);
        self.own.apply(frame, self.me);
        match text(&frame["type"]) {
            "message" | "message_changed" => {
                let (key, seq) = (text(&frame["room"]), seq_of(frame));
                let room = self.here.get_mut(key);
                let room = room.unwrap_or_else(|| panic!("no room of mine: {frame}"));
                let reached = self.reached.get_mut(key).expect("it is a room");
                assert!(is_again || seq > *reached, "not above {reached}: {frame}");
                *reached = seq.max(*reached);
                if frame["kind"] != "system" {
                    // A message brings a hidden room back.
                    let facts = room.facts.as_object_mut().expect("an object");
                    facts.remove("hidden");
                }
                room.put(as_fetched(frame));
            }
            "room" if frame["gone"] == true => self.go_from(text(&frame["room"])),
            "room" => match self.here.get_mut(text(&frame["room"])) {
                Some(room) if frame["changed"].is_array() => room.change(frame),
                Some(room) => room.greet(frame),
                // One's own draft or setting, from another device: the frame by which one comes in may be on its way.
                None if frame["changed"].is_array() => {}
                None => self.come_into(frame),
            },
            "read" if frame["user_id"] == self.me && frame["thread"].is_null() => {
                // The last of them may come behind the frame by which its user went.
                if let Some(room) = self.here.get_mut(text(&frame["room"])) {
                    room.facts["read_seq"] = frame["seq"].clone();
                }
            }
            "synced" => {
                for (key, reached) in frame["rooms"].as_object().expect("rooms") {
                    if reached["gone"] == true {
                        self.go_from(key);
                    } else {
                        assert_eq!(reached["complete"], true, "{frame}");
                        let so_far = self.reached.entry(key.clone()).or_default();
                        *so_far = seq_of(reached).max(*so_far);
                    }
                }
            }
            // Something of it cannot be read any more: its user was taken out while it was being read, and is told so next.
            "lag" => {
                self.holes.insert(text(&frame["room"]).to_owned());
            }
            "ack" | "error" | "pong" | "system" | "presence" | "read" | "user" | "scheduled"
            | "settings" => {}
            _ => panic!("this run knows of no such frame: {frame}"),
        }
    }

    fn note(&mut self, frame: &Value) {
        let now = chrono::Utc::now().time();
        self.heard.push(format!("{now} {frame}"));
    }

    /// What was heard of the rooms that are named in a text.
    pub(super) fn heard_of(&self, differences: &str) -> String {
        let keys = self.reached.keys().filter(|key| differences.contains(*key));
        let keys: Vec<_> = keys.collect();
        let lines = self.heard.iter().map(String::as_str);
        let lines = lines.filter(|line| keys.iter().any(|key| line.contains(*key)));
        lines.collect::<Vec<_>>().join("\n")
    }

    fn go_from(&mut self, key: &str) {
        self.to_read.remove(key);
        self.holes.remove(key);
        if let Some(room) = self.here.remove(key) {
            self.gone.insert(key.to_owned(), room);
        }
    }

    /// In what the rooms of the two differ, in short; empty: in nothing.
    pub(super) fn differences(&self, other: &Self) -> String {
        let mut found = Vec::new();
        for key in &self.holes {
            found.push(format!(
                "room {key}: told of a hole, and not of being out of it"
            ));
        }
        let keys: BTreeSet<_> = self.here.keys().chain(other.here.keys()).collect();
        for key in keys {
            let (Some(ours), Some(theirs)) = (self.here.get(key), other.here.get(key)) else {
                let which = self.here.contains_key(key);
                found.push(format!("room {key}: here is {which} and {}", !which));
                continue;
            };
            if ours.facts != theirs.facts {
                found.push(format!("room {key}: {} and {}", ours.facts, theirs.facts));
            }
            let made = ours.made(self.me);
            if made != theirs.told {
                found.push(format!("room {key}: made {made}, told {}", theirs.told));
            }
            if ours.threads != theirs.threads {
                let both = (&ours.threads, &theirs.threads);
                found.push(format!(
                    "threads of {key}: {:?}\n  and {:?}",
                    both.0, both.1
                ));
            }
            let ids: BTreeSet<_> = ours.messages.keys().chain(theirs.messages.keys()).collect();
            for id in ids {
                let both = (ours.messages.get(id), theirs.messages.get(id));
                if both.0 != both.1 {
                    found.push(format!("{key}/{id}: {:?}\n  and {:?}", both.0, both.1));
                }
            }
        }
        found.join("\n")
    }
}

impl Room {
    /// All that is told of it when its user comes, or comes into it.
    fn greet(&mut self, told: &Value) {
        self.facts = told.clone();
        let fields = self.facts.as_object_mut().expect("an object");
        for other in ["type", "seq"] {
            fields.remove(other);
        }
        let made = MADE.map(|field| (field.to_owned(), fields.remove(field).unwrap_or_default()));
        self.told = made.into_iter().collect();
    }

    /// What is unread, and when something was written last, by the messages.
    fn made(&self, me: u64) -> Value {
        let marker = self.facts["read_seq"].as_u64().expect("a number");
        let own_pages = self
            .messages
            .values()
            .filter(|message| message["thread"].is_null() || message["also_to_room"] == true);
        let last_at = own_pages.clone().next_back();
        let last_at = last_at.map_or(Value::Null, |message| message["created_at"].clone());
        let unread = own_pages.filter(|message| {
            id_of(message) > marker
                && message["user_id"] != me
                && message["kind"] != "system"
                && message["deleted_at"].is_null()
        });
        let mentions_me = |message: &&Value| {
            let mentions = message["mentions"].as_array().into_iter().flatten();
            let mut of_me = mentions.filter(|one| one["user_id"] == me || one["room"] == true);
            of_me.next().is_some()
        };
        let mentions = unread.clone().filter(mentions_me).count();
        json!({"unread": unread.count(), "mentions": mentions, "last_at": last_at})
    }

    /// What is named is as it is told, and is not any more when it is not told.
    fn change(&mut self, told: &Value) {
        let known = self.facts.as_object_mut().expect("an object");
        for field in told["changed"].as_array().into_iter().flatten() {
            let field = text(field);
            if field == "draft" {
                // It is no fact of the room.
                continue;
            }
            match told.get(field) {
                // No slow mode is not told in the first frame.
                Some(value) if *value != 0 => known.insert(field.to_owned(), value.clone()),
                _ => known.remove(field),
            };
        }
    }

    /// The later state of a message is the one that counts.
    fn put(&mut self, mut message: Value) {
        let id = id_of(&message);
        let fields = message.as_object_mut().expect("an object");
        if let Some(replies) = fields.remove("replies") {
            self.put_replies(id, replies);
        }
        if let Some(replies) = fields.remove("thread_replies") {
            let first = fields["thread"].as_u64().expect("it is a reply");
            self.put_replies(first, replies);
        }
        let known = self.messages.get(&id).map_or(0, seq_of);
        if seq_of(&message) >= known {
            self.messages.insert(id, message);
        }
    }

    /// Of what was told of a thread, the later holds.
    fn put_replies(&mut self, first: u64, replies: Value) {
        let known = self.threads.get(&first).map_or(0, seq_of);
        if seq_of(&replies) >= known {
            self.threads.insert(first, replies);
        }
    }

    /// What stands under first messages, as their replies have it: how many, the last, and who.
    pub(super) fn count_replies(&self) -> BTreeMap<u64, (u64, u64, BTreeSet<u64>)> {
        let mut threads = BTreeMap::<u64, (u64, u64, BTreeSet<u64>)>::new();
        for (id, message) in &self.messages {
            let Some(first) = message["thread"].as_u64() else {
                continue;
            };
            let thread = threads.entry(first).or_default();
            if message["deleted_at"].is_null() {
                thread.0 += 1;
                thread.1 = thread.1.max(*id);
                thread.2.insert(message["user_id"].as_u64().expect("an id"));
            }
        }
        threads
    }

    /// The same, as it was told.
    pub(super) fn told_replies(&self) -> BTreeMap<u64, (u64, u64, BTreeSet<u64>)> {
        let told = self.threads.iter().map(|(first, replies)| {
            let number = |value: &Value| value.as_u64().expect("a number");
            let users = replies["users"].as_array().expect("users").iter();
            let users = users.map(|user| number(&user["user_id"])).collect();
            let counts = (number(&replies["count"]), number(&replies["last_id"]));
            (*first, (counts.0, counts.1, users))
        });
        told.collect()
    }

    /// The number of the latest change that the client knows of.
    pub(super) fn last(&self) -> u64 {
        self.messages.values().map(seq_of).max().unwrap_or(0)
    }

    /// When this user was taken out last, or went.
    pub(super) fn end_of(&self, user: &User) -> Option<u64> {
        let ends = self.messages.values().filter(|message| {
            let event = &message["event"];
            (event["type"] == "left" || event["type"] == "kicked") && event["user_id"] == user.id
        });
        ends.map(seq_of).max()
    }
}

/// A frame in the shape of REST.
fn as_fetched(frame: &Value) -> Value {
    let mut message = frame.clone();
    let fields = message.as_object_mut().expect("an object");
    for other in ["type", "by", "change", "ref"] {
        fields.remove(other);
    }
    let at = fields.remove("timestamp").expect("a timestamp");
    fields.insert("created_at".into(), at);
    message
}

/// All that is in a room; `None` for whom it is not.
pub(super) fn read_all(user: &User, key: &str) -> Option<Vec<Value>> {
    let (mut all, mut since) = (Vec::new(), 0);
    loop {
        let path = format!("/api/rooms/{key}/messages?since={since}&limit=200");
        let answer = user.http().get(&path);
        if [403, 404].contains(&answer.status) {
            return None;
        }
        let page = answer.expect(200).json();
        let page = page.as_array().expect("an array");
        let Some(last) = page.last() else {
            return Some(all);
        };
        since = seq_of(last);
        all.extend(page.iter().cloned().map(without_mine));
    }
}

/// Frames are the same for all who hear them, so they do not say what is one's own.
fn without_mine(mut message: Value) -> Value {
    if let Some(reactions) = message["reactions"].as_array_mut() {
        for reaction in reactions {
            reaction.as_object_mut().expect("an object").remove("mine");
        }
    }
    if message["reactions"] == json!(null) {
        message
            .as_object_mut()
            .expect("an object")
            .remove("reactions");
    }
    message
}
