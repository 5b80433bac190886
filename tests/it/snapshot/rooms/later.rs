//! What people have said later, and how far they let others see that they have read: a device shows what it fetched when it was
//! opened and was told since, and that is what is fetched afterwards.

use std::{collections::BTreeMap, time::Instant};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{
    Person, Run, SETTLED,
    orders::Act,
    own::{Own, Place},
};
use crate::{
    scheduled::{schedule, soon, written},
    support::User,
};

/// What waits, by its number: its text, its time, and whether it could not be said.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Later(BTreeMap<u64, (Value, Value, bool)>);

impl Later {
    pub(super) fn fetch(user: &User) -> Self {
        let listed = user.http().get("/api/scheduled?limit=200").expect(200);
        let listed = listed.json();
        let mut later = Self::default();
        for one in listed.as_array().expect("an array") {
            later.keep(one);
        }
        later
    }

    fn keep(&mut self, one: &Value) {
        let what = (
            one["content"].clone(),
            one["send_at"].clone(),
            !one["failed"].is_null(),
        );
        self.0.insert(one["id"].as_u64().expect("a number"), what);
    }

    pub(super) fn apply(&mut self, frame: &Value) {
        let one = &frame["scheduled"];
        match frame["change"].as_str() {
            Some("cancelled" | "sent") => {
                self.0.remove(&one["id"].as_u64().expect("a number"));
            }
            Some("created" | "changed" | "failed") => self.keep(one),
            _ => panic!("this run knows of no such change: {frame}"),
        }
    }

    /// What another has otherwise, and what is due and still waits.
    pub(super) fn differences(&self, fetched: &Self) -> Vec<String> {
        let mut found = Vec::new();
        if self != fetched {
            found.push(format!("later: told {:?}, fetched {:?}", self.0, fetched.0));
        }
        for (id, (_, at, has_failed)) in &fetched.0 {
            let at = at.as_str().expect("a time");
            let at = DateTime::parse_from_rfc3339(at).expect("a time");
            if !has_failed && at <= Utc::now() {
                found.push(format!("later: {id} is due, and waits"));
            }
        }
        found
    }
}

impl Own {
    /// Those who were told to have read up to somewhere, and have not. Of who does not show it nothing is known.
    pub(super) fn wrong_reads(&self, user: &User) -> Vec<String> {
        let mut found = Vec::new();
        let mut listed = BTreeMap::<&String, BTreeMap<u64, Value>>::new();
        for ((room, reader), told) in &self.reads {
            let reads = listed.entry(room).or_insert_with(|| reads_of(user, room));
            if let Some(seq) = reads.get(reader).filter(|seq| *seq != told) {
                found.push(format!("{reader} in {room}: told {told}, has read {seq}"));
            }
        }
        found
    }
}

/// How far the others in a room have read, of those who show it.
fn reads_of(user: &User, room: &str) -> BTreeMap<u64, Value> {
    let answer = user.in_room("GET", room, "/reads", &Value::Null);
    let listed = answer.json();
    let listed = listed.as_array().into_iter().flatten();
    let one = |one: &Value| (one["user_id"].as_u64().expect("an id"), one["seq"].clone());
    listed.map(one).collect()
}

impl Run {
    /// Has something said later, in an hour or while the run goes on. Whether it is kept.
    pub(super) fn schedule(&mut self, act: Act, who: usize) -> bool {
        self.said += 1;
        let key = self.a_room_of(who);
        let id = self.a_message_of(&key, who, false);
        let first = self.a_first_message_of(&key, who, id);
        let more = match self.chance.below(3) {
            0 => json!({"thread": first, "also_to_room": self.chance.below(2) == 0}),
            1 => json!({"reply_to": id}),
            _ => json!({}),
        };
        let at = soon(if act == Act::Schedule { 3_600 } else { 1 });
        let text = format!("{} later", self.said);
        let person = &mut self.people[who];
        let answer = schedule(&person.user, &key, &text, at, &more);
        assert!(answer.status < 500, "{answer:?}");
        if answer.status != 201 {
            return false;
        }
        let id = answer.json()["id"].as_u64().expect("a number");
        person.kept.later.insert(id)
    }

    /// Changes or takes back what this one has waiting, or the next who has something. Whether it still waited.
    pub(super) fn reschedule(&mut self, act: Act, who: usize) -> bool {
        self.said += 1;
        let people = (who..who + self.people.len()).map(|who| who % self.people.len());
        let mut people = people.filter(|who| !self.people[*who].kept.later.is_empty());
        let Some(who) = people.next() else {
            return false;
        };
        let waiting: Vec<u64> = self.people[who].kept.later.iter().copied().collect();
        let id = waiting[self.chance.below(waiting.len())];
        let path = format!("/api/scheduled/{id}");
        let user = self.people[who].user.clone();
        let answer = match (act, self.chance.below(3)) {
            (Act::CancelScheduled, _) => {
                self.people[who].kept.later.remove(&id);
                user.ask("DELETE", &path, &[], &json!({}))
            }
            (_, 0) => user.ask("PATCH", &path, &[], &json!({"send_at": written(soon(1))})),
            _ => {
                let body = json!({"content": format!("{} later", self.said)});
                user.ask("PATCH", &path, &[], &body)
            }
        };
        assert!(answer.status < 500, "{answer:?}");
        answer.status < 300
    }

    /// Shows from now on how far they have read, or no more. Either way what was told of it before holds no more, and what
    /// is under way is heard before: nothing tells it from what comes after.
    pub(super) fn receipts(&mut self, who: usize) -> bool {
        self.hear_reads();
        let user = self.people[who].user.clone();
        let body = json!({"receipts": self.chance.below(3) != 0});
        user.ask("PATCH", "/api/users/me", &[], &body).expect(200);
        for (number, person) in self.people.iter_mut().enumerate() {
            for seat in &mut person.seats {
                seat.ask(&person.user, vec![json!({"type": "ping"})], false);
                let reads: &mut BTreeMap<Place, Value> = &mut seat.view.own.reads;
                reads.retain(|(_, reader), _| number != who && *reader != user.id);
            }
        }
        true
    }

    /// Until everyone was told how far the others have read.
    fn hear_reads(&mut self) {
        for Person { user, seats, .. } in &mut self.people {
            for seat in seats {
                let start = Instant::now();
                loop {
                    seat.ask(user, vec![json!({"type": "ping"})], false);
                    let wrong = seat.view.own.wrong_reads(user);
                    if wrong.is_empty() {
                        break;
                    }
                    assert!(start.elapsed() < SETTLED, "{}: {wrong:?}", user.name);
                }
            }
        }
    }
}
