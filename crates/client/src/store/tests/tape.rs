//! What a store was told and what it wanted then, in a form that the web client's store can be told again.

use serde_json::{Map, Value, json};

use super::*;
use crate::api::{Answer, Ask};

/// What the web client's store is not told: it makes no difference to what is held, and is the same everywhere.
const LEFT_OUT: [&str; 7] = [
    "username",
    "content",
    "created_at",
    "timestamp",
    "users",
    "last_id",
    "count",
];

#[derive(Default)]
pub struct Tape {
    pub is_running: bool,
    /// What happened, what was wanted then, and what is another than before.
    steps: Vec<(Value, Vec<Value>, Value)>,
    /// The tags of all fetches and of all questions for what is unread, in order.
    fetches: Vec<u64>,
    counts: Vec<u64>,
}

impl Tape {
    pub fn frame(&mut self, frame: &event::Event) {
        if !self.is_running {
            return;
        }
        let mut frame = serde_json::to_value(frame).expect("a frame");
        if frame["event"] == "connected" {
            frame = json!({"type": "system", "epoch": frame["epoch"], "rooms": frame["rooms"]});
        }
        thin(&mut frame);
        self.step(json!(["frame", frame]));
    }

    /// The answer to a fetch, by its place among all of them.
    pub fn page(&mut self, fetch: &Fetch, result: &Result<Page, String>) {
        if !self.is_running {
            return;
        }
        let place = self.fetches.iter().position(|tag| *tag == fetch.tag);
        let page = result.as_ref().ok().map(|page| {
            let mut page = json!([page.messages, page.more]);
            thin(&mut page);
            page
        });
        self.step(json!(["page", place, page]));
    }

    /// What is unread, by the place of the question among all of these.
    pub fn told(&mut self, ask: &Ask, answer: &Answer) {
        if let (Ask::Unread { tag, .. }, Answer::Room(room)) = (ask, answer) {
            let place = self.counts.iter().position(|one| one == tag);
            let told = json!({"seq": room.seq, "read_seq": room.read_seq, "unread": room.unread, "mentions": room.mentions});
            self.step(json!(["told", place, told]));
        }
    }

    pub fn tick(&mut self, now: Millis) {
        self.step(json!(["tick", now]));
    }

    pub fn older(&mut self, room: &str) {
        self.step(json!(["older", room]));
    }

    pub fn look(&mut self, room: &str) {
        self.step(json!(["look", room]));
    }

    pub fn closed(&mut self) {
        self.step(json!(["closed"]));
    }

    fn step(&mut self, what: Value) {
        if self.is_running {
            self.steps.push((what, Vec::new(), Value::Null));
        }
    }

    pub fn wants(&mut self, effect: &Effect) {
        if !self.is_running {
            return;
        }
        let wanted = match effect {
            Effect::Say(Request {
                command: Command::Sync(sync),
                ..
            }) => json!(["sync", sync.rooms]),
            Effect::Ask(Ask::Unread { room, tag }) => {
                self.counts.push(*tag);
                json!(["unread", room])
            }
            Effect::Fetch(fetch) => {
                self.fetches.push(fetch.tag);
                match fetch.query {
                    Query::Latest => json!(["latest", fetch.room]),
                    Query::Before(id) => json!(["before", fetch.room, id]),
                    Query::Since(seq) => json!(["since", fetch.room, seq]),
                    Query::Thread { .. } => unreachable!("no thread is opened"),
                }
            }
            _ => return,
        };
        if let Some((_, wants, _)) = self.steps.last_mut() {
            wants.push(wanted);
        }
    }

    pub fn is(&mut self, state: Value) {
        if let Some((.., is)) = self.steps.last_mut() {
            *is = state;
        }
    }

    pub fn len(&self) -> usize {
        self.steps.len()
    }

    pub fn steps(&self) -> Value {
        json!(self.steps)
    }
}

/// Takes out what makes no difference, and what everything is unless it is told otherwise.
fn thin(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            let fields: &mut Map<_, _> = fields;
            fields.retain(|name, value| {
                let is_usual = matches!((&**name, &*value), ("kind", Value::String(kind)) if kind == "public")
                    || matches!((&**name, &*value), ("notify", Value::String(level)) if level == "mentions")
                    || name == "user_id" && *value == json!(2)
                    || ["from", "to", "read_seq", "unread", "mentions"].contains(&&**name) && *value == json!(0);
                !is_usual && !LEFT_OUT.contains(&&**name)
            });
            for (name, value) in fields.iter_mut() {
                if ["edited_at", "deleted_at"].contains(&&**name) {
                    *value = json!(true);
                }
                thin(value);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(thin),
        _ => {}
    }
}
