//! What a client shows, and what each frame does to it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::support::{Socket, User};

/// A room as its member sees it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Room {
    pub(super) seq: u64,
    /// By id, in the shape of REST.
    pub(super) messages: BTreeMap<u64, Value>,
}

/// All that a client shows.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct State {
    pub(super) rooms: BTreeMap<String, Room>,
    pub(super) online: BTreeSet<String>,
}

impl State {
    /// As it is fetched: what the first frame of a socket tells, and the history up to there, from where the run began.
    pub(super) fn fetch(user: &User, socket: &Socket, begin: u64) -> Self {
        let mut state = Self::default();
        state.greet(&socket.connected);
        let page = user.page(&format!("?since={begin}&limit=200"));
        assert!(page.len() < 200, "a run fits into a page");
        let general = state.rooms.get_mut("general").expect("everyone is in it");
        for message in page {
            if seq_of(&message) <= general.seq {
                general.messages.insert(id_of(&message), message);
            }
        }
        state
    }

    /// What the first frame tells; of rooms that are known, the messages stay.
    pub(super) fn greet(&mut self, connected: &Value) {
        let online = connected["online"].as_array().expect("names");
        self.online = online.iter().map(|name| text(name).to_owned()).collect();
        for room in connected["rooms"].as_array().expect("rooms") {
            let known = self.rooms.entry(text(&room["name"]).to_owned());
            known.or_default().seq = seq_of(room);
        }
    }

    pub(super) fn apply(&mut self, frame: &Value) {
        match (text(&frame["type"]), frame["event"].as_str()) {
            ("system", Some(event @ ("joined" | "left"))) => {
                for name in frame["usernames"].as_array().expect("names") {
                    if event == "joined" {
                        self.online.insert(text(name).to_owned());
                    } else {
                        self.online.remove(text(name));
                    }
                }
            }
            ("message", _) => {
                let mut message = frame.clone();
                let fields = message.as_object_mut().expect("an object");
                fields.remove("type");
                let at = fields.remove("timestamp").expect("a timestamp");
                fields.insert("created_at".into(), at);
                let room = self.rooms.get_mut(text(&frame["room"])).expect("my room");
                room.seq = room.seq.max(seq_of(frame));
                room.messages.insert(id_of(frame), message);
            }
            // Presence has a run of its own.
            ("ack" | "error" | "pong" | "synced" | "presence", _) => {}
            _ => panic!("this run knows of no such frame: {frame}"),
        }
    }

    /// In what the two differ, in short.
    pub(super) fn differences(&self, other: &Self) -> String {
        let mut found = Vec::new();
        let online: Vec<_> = self.online.symmetric_difference(&other.online).collect();
        found.push(format!("online: {online:?}"));
        for (name, room) in &self.rooms {
            let theirs = other.rooms.get(name).cloned().unwrap_or_default();
            found.push(format!("{name}: {} and {}", room.seq, theirs.seq));
            let ids: BTreeSet<_> = room.messages.keys().chain(theirs.messages.keys()).collect();
            for id in ids {
                let both = (room.messages.get(id), theirs.messages.get(id));
                if both.0 != both.1 {
                    found.push(format!("{id}: {:?} and {:?}", both.0, both.1));
                }
            }
        }
        found.join("\n")
    }
}

pub(super) fn text(value: &Value) -> &str {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
}

pub(super) fn seq_of(value: &Value) -> u64 {
    value["seq"].as_u64().expect("a seq")
}

pub(super) fn id_of(value: &Value) -> u64 {
    value["id"].as_u64().expect("an id")
}
