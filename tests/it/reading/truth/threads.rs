//! The same in threads: where the markers of those are who have to do with a thread, and what is unread above them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{PAGE, Run, number, truth};
use crate::support::{User, eventually};

/// A room and the first message of a thread in it.
type Thread = (String, u64);

/// Where someone's markers are to be, and what was told of them.
#[derive(Debug, Default)]
pub(super) struct Markers {
    at: BTreeMap<Thread, u64>,
    /// Where those may be that are not seen yet, since nothing stands in their threads.
    perhaps: BTreeMap<Thread, Vec<u64>>,
    marked: BTreeSet<Thread>,
    /// By device.
    told: [BTreeMap<Thread, u64>; 2],
}

impl Markers {
    /// What a frame says of where a marker is.
    pub(super) fn note(&mut self, device: usize, frame: &Value, me: u64) {
        if frame["type"] == "read" && frame["user_id"] == me {
            let room = frame["room"].as_str().expect("a key").to_owned();
            if let Some(thread) = frame["thread"].as_u64() {
                self.told[device].insert((room, thread), number(&frame["seq"]));
            }
        }
    }
}

/// All messages of a room, threads too, as someone who is in it reads them; `None` for who is not.
pub(super) fn everything(user: &User, room: &str) -> Option<Vec<Value>> {
    let (mut all, mut since) = (BTreeMap::new(), 0);
    loop {
        let path = format!("/messages?since={since}&limit={PAGE}");
        let answer = user.in_room("GET", room, &path, &Value::Null);
        if answer.status != 200 {
            return None;
        }
        let page = answer.json();
        let page = page.as_array().expect("messages");
        let Some(last) = page.last() else {
            return Some(all.into_values().collect());
        };
        since = number(&last["seq"]);
        all.extend(page.iter().map(|one| (number(&one["id"]), one.clone())));
    }
}

/// The threads that someone follows.
fn listed(user: &User) -> Vec<Value> {
    let listed = user.http().get("/api/threads?limit=200").expect(200);
    listed.json().as_array().expect("threads").clone()
}

fn name_of(thread: &Value) -> Thread {
    let message = &thread["message"];
    let room = message["room"].as_str().expect("a key").to_owned();
    (room, number(&message["id"]))
}

impl Run {
    /// A message of a room under which there may be a thread.
    fn a_first(&mut self, who: usize, room: &str) -> Option<u64> {
        let all = everything(&self.readers[who].user, room)?;
        let firsts = all
            .iter()
            .filter(|message| message["thread"].is_null() && message["kind"] != "system");
        // The latest few, so that there are threads of many.
        let firsts: Vec<u64> = firsts.map(|message| number(&message["id"])).collect();
        let firsts = &firsts[firsts.len().saturating_sub(4)..];
        (!firsts.is_empty()).then(|| firsts[self.chance.below(firsts.len())])
    }

    pub(super) fn reply(&mut self, who: usize, room: &str, other: &str) {
        let Some(first) = self.a_first(who, room) else {
            return;
        };
        let mention = match self.chance.below(4) {
            0 | 1 => format!(" @{other}"),
            2 => " @room".to_owned(),
            _ => String::new(),
        };
        let body = json!({
            "content": format!("reply{mention}"),
            "thread": first,
            "also_to_room": self.chance.below(2) == 0,
        });
        let user = &self.readers[who].user;
        let answer = user.in_room("POST", room, "/messages", &body);
        assert!(answer.status < 500, "{answer:?}");
    }

    pub(super) fn follow(&mut self, who: usize, room: &str) {
        let Some(first) = self.a_first(who, room) else {
            return;
        };
        let method = ["PUT", "DELETE"][self.chance.below(2)];
        let path = format!("/messages/{first}/follow");
        let reader = &mut self.readers[who];
        let all = everything(&reader.user, room).expect("its first message was read");
        let answer = reader.user.in_room(method, room, &path, &Value::Null);
        answer.expect(204);
        // To follow it by hand, or not, is to have read what was there.
        let last = all.iter().map(|message| number(&message["seq"])).max();
        let perhaps = reader.threads.perhaps.entry((room.to_owned(), first));
        perhaps.or_default().extend(last);
    }

    /// A mark in a thread; its answer counts what is unread above it.
    pub(super) fn mark_thread(&mut self, who: usize, room: &str, unread: bool) {
        let Some(first) = self.a_first(who, room) else {
            return;
        };
        self.note_threads(who);
        let thread = (room.to_owned(), first);
        let reader = &mut self.readers[who];
        let all = everything(&reader.user, room).expect("its first message was read");
        let last = all.last().map_or(0, |message| number(&message["id"]));
        let seq = self.chance.below(usize::try_from(last).expect("small") + 2) as u64;
        let body = json!({"seq": seq, "thread": first, "unread": unread});
        let answer = reader.user.in_room("PUT", room, "/read", &body);
        let is_kept = answer.status == 200;
        if let Some(marker) = reader.threads.at.get_mut(&thread).filter(|_| is_kept) {
            *marker = if unread {
                seq.saturating_sub(1)
            } else {
                seq.max(*marker)
            };
            let counts = truth(&of_thread(&all, first), reader.user.id, *marker);
            let answer = answer.json();
            assert_eq!(
                (&answer["seq"], &answer["unread"], &answer["mentions"]),
                (&json!(*marker), &json!(counts.0), &json!(counts.1)),
                "{answer}"
            );
            reader.threads.marked.insert(thread);
        } else if is_kept {
            let perhaps = reader.threads.perhaps.entry(thread).or_default();
            perhaps.extend([seq, seq.saturating_sub(1)]);
        }
    }

    /// Notes where the markers of new threads are: whoever comes into one has read nothing of it, or all up to what brought them.
    pub(super) fn note_threads(&mut self, who: usize) {
        let reader = &mut self.readers[who];
        let me = reader.user.id;
        for thread in listed(&reader.user) {
            let name = name_of(&thread);
            if reader.threads.at.contains_key(&name) || !self.rooms.contains(&name.0) {
                continue;
            }
            let marker = number(&thread["read_seq"]);
            let all = everything(&reader.user, &name.0).expect("it is listed");
            // By what they have said in it themselves, or by what mentions them.
            let brought = all.iter().any(|message| {
                let id = number(&message["id"]);
                let is_own = id == marker && message["user_id"] == me;
                message["thread"] == name.1 && (is_own || id == marker + 1)
            });
            let perhaps = reader.threads.perhaps.get(&name);
            let is_right =
                marker == 0 || brought || perhaps.is_some_and(|perhaps| perhaps.contains(&marker));
            assert!(is_right, "{thread} of {}: {all:#?}", reader.user.name);
            reader.threads.at.insert(name, marker);
        }
    }

    #[track_caller]
    pub(super) fn check_threads(&mut self, who: usize) {
        self.note_threads(who);
        let reader = &mut self.readers[who];
        let mut read = BTreeMap::new();
        for thread in listed(&reader.user) {
            let name = name_of(&thread);
            if !self.rooms.contains(&name.0) {
                continue;
            }
            let marker = reader.threads.at[&name];
            let all = read
                .entry(name.0.clone())
                .or_insert_with(|| everything(&reader.user, &name.0).expect("it is listed"));
            let (unread, mentions) = truth(&of_thread(all, name.1), reader.user.id, marker);
            let told = (&thread["read_seq"], &thread["unread"], &thread["mentions"]);
            assert_eq!(
                told,
                (&json!(marker), &json!(unread), &json!(mentions)),
                "{} in thread {name:?}: {all:#?}",
                reader.user.name
            );
            self.compared += usize::from(unread > 0);
        }
        let set = reader.threads.marked.clone();
        for name in set {
            let what = format!("{} is told of {name:?}", reader.user.name);
            eventually(&what, || {
                reader.hear();
                let marker = reader.threads.at.get(&name);
                let mut told = reader.threads.told.iter();
                told.all(|told| told.get(&name) == marker).then_some(())
            });
        }
    }
}

/// The replies of a thread.
fn of_thread(all: &[Value], first: u64) -> Vec<Value> {
    let replies = all.iter().filter(|message| message["thread"] == first);
    replies.cloned().collect()
}
