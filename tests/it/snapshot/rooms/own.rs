//! What people keep for themselves (drafts, saved messages, how far they have read threads, what is to be said later), and what
//! they say of themselves: it takes no number in a room. Whatever is set is told to each device that was there, and is what is
//! fetched afterwards.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use serde_json::{Value, json};

use super::{Run, SETTLED, later::Later, orders::Act};
use crate::support::User;

/// A room, and the first message of a thread in it; 0: the room itself.
pub(super) type Place = (String, u64);

/// What someone has set.
#[derive(Debug, Default)]
pub(super) struct Kept {
    drafts: BTreeMap<Place, String>,
    saved: BTreeSet<Place>,
    status: Option<String>,
    /// What they wanted to have said later, and have not taken back.
    pub(super) later: BTreeSet<u64>,
}

/// What a device was told, and what it was to be told, since it was opened.
#[derive(Debug, Clone, Default)]
pub(super) struct Own {
    /// By when they were changed.
    drafts: BTreeMap<Place, (String, Value)>,
    markers: BTreeMap<Place, Value>,
    names: BTreeMap<u64, Value>,
    due_drafts: BTreeMap<Place, Value>,
    due_markers: BTreeMap<Place, Value>,
    due_names: BTreeMap<u64, Value>,
    /// What waits, as it was fetched at first and told since.
    pub(super) later: Later,
    /// How far others have read a room, as was told last: by room and reader.
    pub(super) reads: BTreeMap<Place, Value>,
    /// What they have set for themselves, as it was fetched at first and told since.
    settings: Settings,
}

/// Whether one shows how far one has read, when one wants to be left in peace, and by which clock.
#[derive(Debug, Clone, Default, PartialEq)]
struct Settings([Value; 3]);

impl Settings {
    fn of(told: &Value) -> Self {
        Self(["receipts", "quiet_hours", "time_zone"].map(|field| told[field].clone()))
    }

    fn fetch(user: &User) -> Self {
        Self::of(&user.http().get("/api/users/me").expect(200).json())
    }
}

impl Own {
    /// What a device knows when it is opened.
    pub(super) fn fetch(user: &User) -> Self {
        Self {
            later: Later::fetch(user),
            settings: Settings::fetch(user),
            ..Self::default()
        }
    }

    pub(super) fn apply(&mut self, frame: &Value, me: u64) {
        let place = |thread: &Value| {
            let room = frame["room"].as_str().unwrap_or_default().to_owned();
            (room, thread.as_u64().unwrap_or(0))
        };
        match frame["type"].as_str() {
            Some("room") if frame["changed"] == json!(["draft"]) => {
                let draft = &frame["draft"];
                let at = draft["updated_at"].as_str().expect("a time").to_owned();
                let known = self.drafts.entry(place(&draft["thread"])).or_default();
                if at >= known.0 {
                    *known = (at, draft["content"].clone());
                }
            }
            Some("read") if frame["user_id"] == me && !frame["thread"].is_null() => {
                let place = place(&frame["thread"]);
                self.markers.insert(place, frame["seq"].clone());
            }
            Some("read") if frame["thread"].is_null() && frame["user_id"] != me => {
                let reader = place(&frame["user_id"]);
                self.reads.insert(reader, frame["seq"].clone());
            }
            // Who comes back begins to read there; and whoever is not in a room is told nothing of it.
            Some("message") if frame["kind"] == "system" => {
                let comer = place(&frame["event"]["user_id"]);
                self.reads.remove(&comer);
            }
            Some("room") if frame["gone"] == true => {
                let (room, _) = place(&Value::Null);
                self.reads.retain(|(other, _), _| *other != room);
            }
            Some("scheduled") => self.later.apply(frame),
            Some("settings") => self.settings = Settings::of(frame),
            Some("user") => {
                let user = frame["user_id"].as_u64().expect("an id");
                self.names.insert(user, frame["display_name"].clone());
            }
            _ => {}
        }
    }

    /// What it was to be told otherwise.
    fn differences(&self, user: &User) -> String {
        let mut found = self.later.differences(&Later::fetch(user));
        found.extend(self.wrong_reads(user));
        let settings = Settings::fetch(user);
        if self.settings != settings {
            found.push(format!("{:?}, fetched {settings:?}", self.settings));
        }
        for (place, due) in &self.due_drafts {
            let told = self.drafts.get(place).map(|(_, content)| content);
            if told != Some(due) {
                found.push(format!("draft of {place:?}: {told:?}, not {due}"));
            }
        }
        for (place, due) in &self.due_markers {
            let told = self.markers.get(place);
            if told != Some(due) {
                found.push(format!("marker of {place:?}: {told:?}, not {due}"));
            }
        }
        for (user, due) in &self.due_names {
            let told = self.names.get(user);
            if told != Some(due) {
                found.push(format!("name of {user}: {told:?}, not {due}"));
            }
        }
        found.join("\n")
    }
}

fn draft_path(thread: u64) -> String {
    match thread {
        0 => "/draft".to_owned(),
        first => format!("/draft?thread={first}"),
    }
}

impl Run {
    /// Sets something of one's own; whether it was set.
    pub(super) fn own(&mut self, act: Act, who: usize) -> bool {
        self.said += 1;
        let key = self.a_room_of(who);
        let id = self.a_message_of(&key, who, false);
        let first = self.a_first_message_of(&key, who, id);
        let user = self.people[who].user.clone();
        match act {
            Act::Draft | Act::DraftInThread | Act::DropDraft => {
                let known: Vec<Place> = self.people[who].kept.drafts.keys().cloned().collect();
                let place = match act {
                    Act::DropDraft if known.is_empty() => return false,
                    Act::DropDraft => known[self.chance.below(known.len())].clone(),
                    Act::Draft => (key, 0),
                    _ => (key, first),
                };
                let content = match act {
                    Act::DropDraft => String::new(),
                    _ => format!("I thin{}", self.said),
                };
                self.draft(who, place, content)
            }
            Act::Save | Act::Unsave => {
                let known: Vec<Place> = self.people[who].kept.saved.iter().cloned().collect();
                let (key, id) = match act {
                    Act::Unsave if !known.is_empty() => {
                        known[self.chance.below(known.len())].clone()
                    }
                    _ => (key, id),
                };
                let method = if act == Act::Save { "PUT" } else { "DELETE" };
                let path = format!("/api/saved/{key}/{id}");
                let answer = user.ask(method, &path, &[], &json!({}));
                assert!(answer.status < 500, "{answer:?}");
                let kept = &mut self.people[who].kept;
                match (answer.status, act) {
                    (204, Act::Save) => kept.saved.insert((key, id)),
                    (204, _) => kept.saved.remove(&(key, id)),
                    _ => false,
                }
            }
            Act::ReadThread => self.read_thread(&user, who, (key, first)),
            Act::Settings => {
                let hours = ["", "22:00-07:00", "12:30-13:30"][self.chance.below(3)];
                let zone = ["", "Asia/Kolkata", "America/New_York"][self.chance.below(3)];
                let body = match self.chance.below(3) {
                    0 => json!({"quiet_hours": hours}),
                    1 => json!({"time_zone": zone}),
                    _ => json!({"quiet_hours": hours, "time_zone": zone}),
                };
                user.ask("PATCH", "/api/users/me", &[], &body).expect(200);
                true
            }
            Act::Status => {
                let text = format!("status {}", self.said);
                let body = json!({"text": text, "state": "dnd"});
                user.ask("PUT", "/api/users/me/status", &[], &body)
                    .expect(200);
                self.people[who].kept.status = Some(text);
                true
            }
            _ => {
                let name = json!(format!("Name {}", self.said));
                let body = json!({"display_name": name});
                user.ask("PATCH", "/api/users/me", &[], &body).expect(200);
                // In a room of all that is too large to count, strangers are told nothing.
                let general = user.in_room("GET", "general", "", &Value::Null).expect(200);
                if general.json()["members"].as_u64() <= Some(500) {
                    let seats = self.people.iter_mut().flat_map(|person| &mut person.seats);
                    for seat in seats {
                        seat.view.own.due_names.insert(user.id, name.clone());
                    }
                }
                true
            }
        }
    }

    fn draft(&mut self, who: usize, place: Place, content: String) -> bool {
        let person = &mut self.people[who];
        let body = json!({"content": content});
        let path = draft_path(place.1);
        let answer = person.user.in_room("PUT", &place.0, &path, &body);
        assert!(answer.status < 500, "{answer:?}");
        if answer.status != 200 {
            return false;
        }
        let before = person.kept.drafts.insert(place.clone(), content.clone());
        // That nothing has become nothing is told to no one.
        if !(content.is_empty() && before.is_none_or(|before| before.is_empty())) {
            for seat in &mut person.seats {
                seat.view
                    .own
                    .due_drafts
                    .insert(place.clone(), json!(content));
            }
        }
        true
    }

    /// Marks a thread by REST, mostly one that this one follows; of those that one has nothing to do with nothing is kept.
    fn read_thread(&mut self, user: &User, who: usize, mut place: Place) -> bool {
        let followed: Vec<Place> = list_markers(user).into_keys().collect();
        if !followed.is_empty() && self.chance.below(4) != 0 {
            place = followed[self.chance.below(followed.len())].clone();
        }
        let reached = self.people[who].seats.first();
        let reached = reached.and_then(|seat| seat.view.reached.get(&place.0));
        let last = usize::try_from(reached.copied().unwrap_or(0)).expect("few");
        let seq = self.chance.below(last + 2) as u64;
        let body = json!({"seq": seq, "thread": place.1, "unread": self.chance.below(3) == 0});
        let answer = user.in_room("PUT", &place.0, "/read", &body);
        assert!(answer.status < 500, "{answer:?}");
        let listed = list_markers(user).remove(&place);
        if answer.status != 200 || listed.is_none() {
            return false;
        }
        for seat in &mut self.people[who].seats {
            let due = &mut seat.view.own.due_markers;
            due.insert(place.clone(), listed.clone().unwrap_or_default());
        }
        true
    }

    /// Each device was told all that was due, and what is fetched is what was set last.
    pub(super) fn check_own(&mut self) {
        for person in &mut self.people {
            let user = person.user.clone();
            for seat in &mut person.seats {
                let start = Instant::now();
                loop {
                    seat.ask(&user, vec![json!({"type": "ping"})], false);
                    let differences = seat.view.own.differences(&user);
                    if differences.is_empty() {
                        break;
                    }
                    assert!(start.elapsed() < SETTLED, "{}:\n{differences}", user.name);
                }
            }
            let here: BTreeSet<&String> = person.seats[0].view.here.keys().collect();
            for (place, content) in &person.kept.drafts {
                let answer = user.in_room("GET", &place.0, &draft_path(place.1), &Value::Null);
                if here.contains(&place.0) {
                    assert_eq!(answer.expect(200).json()["content"], **content, "{place:?}");
                }
            }
            let saved = user.http().get("/api/saved?limit=200").expect(200).json();
            let saved = saved.as_array().expect("messages").iter();
            let saved = saved.map(|one| {
                let room = one["message"]["room"].as_str().expect("a key").to_owned();
                (room, one["message"]["id"].as_u64().expect("an id"))
            });
            let wanted = person.kept.saved.iter();
            let wanted: BTreeSet<_> = wanted.filter(|place| here.contains(&place.0)).collect();
            let saved: BTreeSet<Place> = saved.collect();
            assert_eq!(
                saved.iter().collect::<BTreeSet<_>>(),
                wanted,
                "{}",
                user.name
            );
            if let Some(text) = &person.kept.status {
                let own = user.http().get("/api/users/me").expect(200).json();
                let told = own["status"]["text"].as_str().unwrap_or_default();
                assert!(told == text || told.starts_with("busy "), "{own}");
            }
        }
    }
}

/// How far one has read the threads that one follows.
fn list_markers(user: &User) -> BTreeMap<Place, Value> {
    let threads = user.http().get("/api/threads?limit=200").expect(200).json();
    let threads = threads.as_array().expect("threads").iter();
    let marker = |thread: &Value| {
        let message = &thread["message"];
        let room = message["room"].as_str().expect("a key").to_owned();
        let place = (room, message["id"].as_u64().expect("an id"));
        (place, thread["read_seq"].clone())
    };
    threads.map(marker).collect()
}
