//! What is unread is what the history says: over random posts, replies in threads, edits, deletions, marks forward and back from
//! two devices, comings and goings, the counts of each member equal those that are made from the history by whoever counts it
//! through, in rooms and in threads.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::{Backend, Server, Socket, User, crash::Chance, eventually};

mod threads;

on_both![counts_are_what_the_history_says];

/// In CI; `PARLOUR_TEST_RUNS` makes it more.
const RUNS: u64 = 2;
const ACTS: usize = 100;
const PAGE: usize = 200;

/// Someone with two devices, and where their markers are to be.
struct Reader {
    user: User,
    devices: [Socket; 2],
    /// By room.
    markers: BTreeMap<String, u64>,
    /// As each device was told, by room.
    told: [BTreeMap<String, u64>; 2],
    /// The same of the threads that they have to do with.
    threads: threads::Markers,
}

/// What a frame says of where a marker is.
fn note(frame: &Value, me: u64, told: &mut BTreeMap<String, u64>) {
    let room = frame["room"].as_str().unwrap_or_default().to_owned();
    match (frame["type"].as_str(), &frame["read_seq"]) {
        (Some("read"), _) if frame["user_id"] == me && frame["thread"].is_null() => {
            told.insert(room, number(&frame["seq"]));
        }
        (Some("room"), _) if frame["gone"] == true => _ = told.remove(&room),
        (Some("room"), marker) if !marker.is_null() => {
            told.insert(room, number(marker));
        }
        _ => {}
    }
}

impl Reader {
    /// Hears all that was on its way.
    fn hear(&mut self) {
        let devices = self.devices.iter_mut().zip(&mut self.told);
        for (number, (device, told)) in devices.enumerate() {
            for frame in device.drain() {
                note(&frame, self.user.id, told);
                self.threads.note(number, &frame, self.user.id);
            }
        }
    }
}

struct Run {
    chance: Chance,
    readers: Vec<Reader>,
    rooms: Vec<String>,
    /// Counts of threads that were compared with something unread in them.
    compared: usize,
}

fn number(of: &Value) -> u64 {
    of.as_u64().unwrap_or_else(|| panic!("no number: {of}"))
}

/// All messages of a room, as someone who is in it reads them; `None` for who is not.
fn history(user: &User, room: &str) -> Option<Vec<Value>> {
    let mut all = Vec::<Value>::new();
    loop {
        let after = all.last().map_or(0, |last| number(&last["id"]));
        let path = format!("/messages?after={after}&limit={PAGE}");
        let answer = user.in_room("GET", room, &path, &Value::Null);
        if answer.status != 200 {
            return None;
        }
        let has_more = answer.link("next").is_some();
        all.extend(answer.json().as_array().expect("messages").iter().cloned());
        if !has_more {
            return Some(all);
        }
    }
}

/// What is unread above a marker, by the history alone.
fn truth(history: &[Value], me: u64, marker: u64) -> (u64, u64) {
    let is_unread = |message: &&Value| {
        number(&message["id"]) > marker
            && message["user_id"] != me
            && message["kind"] != "system"
            && message["deleted_at"].is_null()
    };
    let mentions_me = |message: &&Value| {
        let mentions = message["mentions"].as_array();
        let mut mentions = mentions.into_iter().flatten();
        mentions.any(|mention| mention["user_id"] == me || mention["room"] == true)
    };
    let unread = history.iter().filter(is_unread);
    let mentions = unread.clone().filter(mentions_me).count();
    (unread.count() as u64, mentions as u64)
}

impl Run {
    fn pick(&mut self) -> (usize, String) {
        let who = self.chance.below(self.readers.len());
        let room = self.chance.below(self.rooms.len());
        (who, self.rooms[room].clone())
    }

    fn act(&mut self) {
        let (who, room) = self.pick();
        let other = self.chance.below(self.readers.len());
        let other_name = self.readers[other].user.name.clone();
        match self.chance.below(24) {
            0..=4 => {
                let mention = match self.chance.below(4) {
                    0 => format!(" @{other_name}"),
                    1 => " @room".to_owned(),
                    _ => String::new(),
                };
                self.readers[who]
                    .user
                    .post_to(&room, &format!("text{mention}"));
            }
            5 => self.change(
                who,
                &room,
                "PATCH",
                &json!({"content": format!("edited @{other_name}")}),
            ),
            6 => self.change(who, &room, "PATCH", &json!({"content": "edited"})),
            7 => self.change(who, &room, "DELETE", &Value::Null),
            8..=11 => self.mark(who, &room, false),
            12 => self.mark(who, &room, true),
            13 => self.member("PUT", who, other, &room),
            14 => self.member("PUT", who, who, &room),
            15 => self.member("DELETE", who, other, &room),
            16..=19 => self.reply(who, &room, &other_name),
            20 => self.mark_thread(who, &room, false),
            21 | 22 => self.mark_thread(who, &room, true),
            _ => self.follow(who, &room),
        }
    }

    fn change(&mut self, who: usize, room: &str, method: &str, body: &Value) {
        let user = &self.readers[who].user;
        let Some(history) = threads::everything(user, room) else {
            return;
        };
        let own: Vec<u64> = history
            .iter()
            .filter(|message| message["user_id"] == user.id && message["kind"] != "system")
            .map(|message| number(&message["id"]))
            .collect();
        if !own.is_empty() {
            let id = own[self.chance.below(own.len())];
            user.in_room(method, room, &format!("/messages/{id}"), body);
        }
    }

    /// A mark by one of the devices, or beside them; also one that is above all there is.
    fn mark(&mut self, who: usize, room: &str, unread: bool) {
        let by = self.chance.below(3);
        let reader = &mut self.readers[who];
        let Some(last) = history(&reader.user, room) else {
            return;
        };
        let last = last.last().map_or(0, |message| number(&message["id"]));
        let seq = self.chance.below(usize::try_from(last).expect("small") + 2) as u64;
        let is_kept = if by == 2 {
            let body = json!({"seq": seq, "unread": unread});
            reader.user.in_room("PUT", room, "/read", &body).status == 200
        } else {
            let frame = json!({"type": "read", "room": room, "seq": seq, "unread": unread});
            let device = &mut reader.devices[by];
            let mut frame = frame;
            frame["ref"] = json!("mark");
            device.send_json(&frame);
            let (told, id) = (&mut reader.told[by], reader.user.id);
            loop {
                let answer = device.next_frame();
                note(&answer, id, told);
                reader.threads.note(by, &answer, id);
                if answer["ref"] == "mark" {
                    break answer["type"] == "ack";
                }
            }
        };
        if is_kept {
            let marker = reader.markers.entry(room.to_owned()).or_default();
            *marker = if unread {
                seq.saturating_sub(1)
            } else {
                seq.max(*marker)
            };
        }
    }

    fn member(&mut self, method: &str, who: usize, whom: usize, room: &str) {
        let name = self.readers[whom].user.name.clone();
        let is_in = |reader: &Reader| history(&reader.user, room).is_some();
        let before = is_in(&self.readers[whom]);
        let path = format!("/members/{name}");
        self.readers[who]
            .user
            .in_room(method, room, &path, &json!({}));
        let reader = &mut self.readers[whom];
        match history(&reader.user, room) {
            Some(history) if !before => {
                // The last that the room says of it is how they came in.
                let came = history.iter().rev().find(|message| {
                    let kind = &message["event"]["type"];
                    (kind == "joined" || kind == "invited")
                        && message["event"]["user_id"] == reader.user.id
                });
                let came = number(&came.expect("it is said")["id"]);
                reader.markers.insert(room.to_owned(), came);
            }
            Some(_) => {}
            None => _ = reader.markers.remove(room),
        }
    }

    #[track_caller]
    fn check(&mut self, who: usize) {
        let reader = &mut self.readers[who];
        let listed = reader.user.http().get("/api/rooms").expect(200).json();
        for room in listed.as_array().expect("rooms") {
            let key = room["room"].as_str().expect("a key");
            if !self.rooms.iter().any(|known| known == key) {
                continue;
            }
            let marker = reader.markers.get(key).copied().unwrap_or(0);
            let history = history(&reader.user, key).expect("it is listed");
            let (unread, mentions) = truth(&history, reader.user.id, marker);
            let told = (&room["read_seq"], &room["unread"], &room["mentions"]);
            assert_eq!(
                told,
                (&json!(marker), &json!(unread), &json!(mentions)),
                "{} in room {key}: {history:#?}",
                reader.user.name
            );
            // What is told of a mark may come after its ack.
            let what = format!("{} is told {marker} of {key}", reader.user.name);
            eventually(&what, || {
                reader.hear();
                let mut told = reader.told.iter();
                let is_told = told.all(|told| told.get(key).copied().unwrap_or(0) == marker);
                is_told.then_some(())
            });
        }
        self.check_threads(who);
    }
}

fn counts_are_what_the_history_says(backend: Backend) {
    let number = |name: &str| {
        let text = std::env::var(name).ok();
        text.map(|text| text.parse::<u64>().expect("a number"))
    };
    let mut random = [0; 4];
    getrandom::fill(&mut random).expect("random");
    let fresh = u64::from(u32::from_be_bytes(random));
    let (first, runs) = match number("PARLOUR_TEST_SEED") {
        Some(seed) => (seed, 1),
        None => (fresh, number("PARLOUR_TEST_RUNS").unwrap_or(RUNS)),
    };
    let server = Server::start(backend);
    let mut compared = 0;
    for seed in first..first + runs {
        println!("to repeat this run: PARLOUR_TEST_SEED={seed}");
        let people: Vec<User> = ["a", "b", "c", "d"]
            .map(|name| User::register(&server, &format!("{name}{seed:x}x")))
            .into();
        let others: Vec<&User> = people[1..].iter().collect();
        let rooms = vec![
            people[0].make_room(&format!("p{seed:x}"), "public", &others),
            people[0].make_room(&format!("q{seed:x}"), "private", &others[..2]),
        ];
        let reader = |user: &User| {
            let devices = [user.connect(), user.connect()];
            let first = |room: &Value| {
                let key = room["room"].as_str().expect("a key").to_owned();
                (key, number_of(room))
            };
            let listed = devices[0].connected["rooms"].as_array().expect("rooms");
            let markers: BTreeMap<String, u64> = listed.iter().map(first).collect();
            let told = [markers.clone(), markers.clone()];
            Reader {
                user: user.clone(),
                devices,
                markers,
                told,
                threads: threads::Markers::default(),
            }
        };
        let mut run = Run {
            chance: Chance(seed),
            readers: people.iter().map(reader).collect(),
            rooms,
            compared: 0,
        };
        for act in 0..ACTS {
            run.act();
            if act % 5 == 4 {
                let who = run.chance.below(run.readers.len());
                run.check(who);
            }
        }
        for who in 0..run.readers.len() {
            run.check(who);
        }
        compared += run.compared;
    }
    assert!(compared > 0, "nothing was ever unread in a thread");
}

fn number_of(room: &Value) -> u64 {
    number(&room["read_seq"])
}
