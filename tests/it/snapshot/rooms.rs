//! The same over many rooms: what was fetched before, plus the frames received, is what is fetched after, for owners and
//! members, for who came late, for who went and for who was taken out, over random runs of everything that people can do in
//! rooms. Who is not in a room any more keeps what was in it up to the last number of their own, and reads nothing above it
//! by any road.
//!
//! Whoever adds something that people can do in a room adds it to [`Act`], and to [`Run::order`].

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::support::{Backend, Server, Socket, User, crash::Chance, unique};

mod later;
mod orders;
mod own;
mod view;

use orders::{Act, Order};
use own::{Kept, Own};
use view::{View, read_all};

/// In CI; `PARLOUR_TEST_RUNS` makes it more.
const RUNS: u64 = 50;
/// So many of them share a server: everyone is in `general`, and whoever comes reads all of it.
const RUNS_OF_A_SERVER: u64 = 20;
const ACTS: usize = 50;
const PEOPLE: usize = 6;
/// Most sockets of one person; the first has one more.
const MOST_SEATS: usize = 2;
const SETTLED: Duration = Duration::from_secs(20);

/// An open socket, and what its client shows.
struct Seat {
    socket: Socket,
    view: View,
}

impl Seat {
    /// A client opens its first socket, or comes back with what it had shown.
    fn take(user: &User, left: Option<View>) -> Self {
        let socket = user.connect();
        let came_back = left.is_some();
        let mut view = left.unwrap_or_default();
        view.greet(&socket.connected);
        view.own = Own::fetch(user);
        let mut seat = Self { socket, view };
        if came_back {
            seat.sync(user, 0);
        }
        seat.view.read_new(user);
        seat
    }

    /// Sends frames, and hears everything up to the last of their answers.
    fn ask(&mut self, user: &User, frames: Vec<Value>, is_again: bool) -> Vec<Value> {
        let mut open = Vec::new();
        for mut frame in frames {
            let reference = unique();
            frame["ref"] = json!(reference);
            self.socket.send_json(&frame);
            open.push(reference);
        }
        let mut answers = Vec::new();
        while !open.is_empty() {
            let frame = self.socket.next_frame();
            self.view.apply(&frame, is_again);
            if let Some(at) = open.iter().position(|asked| frame["ref"] == **asked) {
                open.remove(at);
                answers.push(frame);
            }
        }
        self.view.read_new(user);
        answers
    }

    /// From so many changes before what it has.
    fn sync(&mut self, user: &User, back: u64) {
        let reached = self.view.reached.iter();
        let rooms: BTreeMap<_, _> = reached
            .map(|(key, seq)| (key, seq.saturating_sub(back)))
            .collect();
        let synced = self.ask(user, vec![json!({"type": "sync", "rooms": rooms})], true);
        assert_eq!(synced[0]["type"], "synced", "{synced:?}");
    }
}

/// Someone, all sockets of theirs, and what their client showed when the last was closed.
struct Person {
    user: User,
    seats: Vec<Seat>,
    left: Option<View>,
    /// What they keep for themselves, and say of themselves.
    kept: Kept,
}

impl Person {
    fn connect(&mut self) {
        let left = self.left.take();
        self.seats.push(Seat::take(&self.user, left));
    }

    /// Does something by either road; whether it was done.
    fn give(&mut self, order: &Order, chance: &mut Chance) -> bool {
        if !self.seats.is_empty() && chance.below(2) == 0 {
            let seat = chance.below(self.seats.len());
            let frames = vec![order.frame.clone()];
            let answer = self.seats[seat].ask(&self.user, frames, false);
            return answer[0]["type"] == "ack";
        }
        let (method, path, body) = &order.request;
        let body = body.to_string();
        let http = self.user.http();
        let answer = http.request(method, path, &[], body.as_bytes());
        assert!(answer.status < 500, "{order:?}: {answer:?}");
        answer.status < 300
    }
}

/// One run: some people, their rooms, and chance.
struct Run {
    chance: Chance,
    people: Vec<Person>,
    rooms: Vec<String>,
    said: usize,
}

impl Run {
    fn begin(server: &Server, seed: u64) -> Self {
        let people = User::register_all(server, &format!("s{seed:x}n"), PEOPLE);
        let people = people.into_iter().map(|user| Person {
            user,
            seats: Vec::new(),
            left: None,
            kept: Kept::default(),
        });
        let mut run = Self {
            chance: Chance(seed),
            people: people.collect(),
            rooms: Vec::new(),
            said: 0,
        };
        // The last two come later.
        run.people[..PEOPLE - 2]
            .iter_mut()
            .for_each(Person::connect);
        // One of them has three devices.
        (0..2).for_each(|_| run.people[0].connect());
        for (number, (owner, kind, others)) in [
            (0, "public", &[1, 2, 5][..]),
            (1, "public", &[3, 4]),
            (2, "public", &[0]),
            (0, "private", &[1, 2, 3, 5]),
            (3, "private", &[0, 4]),
        ]
        .into_iter()
        .enumerate()
        {
            let name = format!("r{seed:x}n{number}");
            let body = json!({"name": name, "kind": kind, "topic": "what for", "users": run.names(others)});
            run.make(owner, "/api/rooms", &body);
        }
        for (owner, others) in [(0, &[1][..]), (4, &[0, 1, 5])] {
            let body = json!({"users": run.names(others)});
            run.make(owner, "/api/direct", &body);
        }
        run
    }

    fn names(&self, people: &[usize]) -> Vec<&str> {
        let names = people
            .iter()
            .map(|who| self.people[*who].user.name.as_str());
        names.collect()
    }

    fn make(&mut self, owner: usize, path: &str, body: &Value) {
        let made = self.people[owner].user.http().post(path, body).expect(201);
        let key = made.json()["room"].as_str().expect("a key").to_owned();
        // Something to begin with: a message, and a thread.
        let user = &self.people[owner].user;
        let first = user.post_to(&key, "first").expect(201).json()["id"].clone();
        let body = json!({"content": "second", "thread": first});
        user.in_room("POST", &key, "/messages", &body).expect(201);
        self.rooms.push(key);
    }

    /// Does something; whether it was done.
    fn act(&mut self, act: Act) -> bool {
        let who = self.chance.below(PEOPLE);
        let person = &mut self.people[who];
        match act {
            Act::Connect if person.seats.len() < MOST_SEATS + usize::from(who == 0) => {
                person.connect();
            }
            Act::Disconnect if !person.seats.is_empty() => {
                let seat = self.chance.below(person.seats.len());
                let Seat { socket, view } = person.seats.remove(seat);
                socket.close();
                person.left = Some(view);
            }
            Act::SyncFromBefore if !person.seats.is_empty() => {
                let seat = self.chance.below(person.seats.len());
                let back = self.chance.below(20) as u64;
                person.seats[seat].sync(&person.user, back);
            }
            Act::Burst if !person.seats.is_empty() => return self.burst(who),
            Act::Follow | Act::Unfollow => return self.follow(who, act == Act::Follow),
            Act::Notify => return self.notify(who),
            Act::ReadThread
            | Act::Draft
            | Act::DraftInThread
            | Act::DropDraft
            | Act::Save
            | Act::Unsave
            | Act::Status
            | Act::Settings
            | Act::Profile => return self.own(act, who),
            Act::Schedule | Act::ScheduleSoon => return self.schedule(act, who),
            Act::Reschedule | Act::CancelScheduled => return self.reschedule(act, who),
            Act::Receipts => return self.receipts(who),
            Act::Connect | Act::Disconnect | Act::SyncFromBefore | Act::Burst => return false,
            _ => {
                let order = self.order(act, who);
                return self.people[who].give(&order, &mut self.chance);
            }
        }
        true
    }

    /// One socket sends several things without waiting, while others do what they do by REST.
    fn burst(&mut self, who: usize) -> bool {
        let kinds = [
            Act::Say,
            Act::ReplyInThread,
            Act::ReplyInThread,
            Act::Edit,
            Act::Delete,
            Act::React,
            Act::Pin,
        ];
        let orders = |run: &mut Self, who| -> Vec<Order> {
            let acts = (0..6).map(|_| kinds[run.chance.below(kinds.len())]);
            let acts: Vec<_> = acts.collect();
            acts.into_iter().map(|act| run.order(act, who)).collect()
        };
        let frames = orders(self, who).into_iter().map(|order| order.frame);
        let frames = frames.collect();
        let other = (who + 1) % PEOPLE;
        let requests = orders(self, other);
        let other = self.people[other].user.clone();
        let Person { user, seats, .. } = &mut self.people[who];
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for Order { request, .. } in &requests {
                    let (method, path, body) = request;
                    let body = body.to_string();
                    let answer = other.http().request(method, path, &[], body.as_bytes());
                    assert!(answer.status < 500, "{request:?}: {answer:?}");
                }
            });
            seats[0].ask(user, frames, false);
        });
        true
    }

    /// Who was away comes back, and everyone shows what a new client of theirs would show.
    fn check(&mut self) {
        for person in &mut self.people {
            if person.seats.is_empty() {
                person.connect();
            }
            let Person { user, seats, .. } = person;
            for seat in seats {
                let start = Instant::now();
                loop {
                    seat.ask(user, vec![json!({"type": "ping"})], false);
                    let fetched = View::fetch(user, &user.connect());
                    let differences = seat.view.differences(&fetched);
                    if differences.is_empty() {
                        for (key, room) in &fetched.here {
                            let (told, counted) = (room.told_replies(), room.count_replies());
                            assert_eq!(told, counted, "threads of {key}");
                        }
                        break;
                    }
                    let name = &user.name;
                    assert!(
                        start.elapsed() < SETTLED,
                        "{name}:\n{differences}\nheard:\n{}",
                        seat.view.heard_of(&differences)
                    );
                }
            }
        }
        self.check_own();
        self.check_the_gone();
    }

    /// Whoever is not in a room any more holds nothing above the number at which that was so, and reads nothing.
    fn check_the_gone(&self) {
        for Person { user, seats, .. } in &self.people {
            for (key, held) in seats.iter().flat_map(|seat| &seat.view.gone) {
                let (name, last) = (&user.name, held.last());
                assert_eq!(read_all(user, key), None, "{name} in {key}");
                let insiders = self.people.iter().filter_map(|person| {
                    let seat = person.seats.first()?;
                    seat.view.here.get(key)
                });
                let mut insiders = insiders.peekable();
                if insiders.peek().is_none() {
                    // All have gone, and no one can look when.
                    continue;
                }
                let end = insiders.filter_map(|room| room.end_of(user)).max();
                let end = end.unwrap_or_else(|| panic!("no one saw {name} go from {key}"));
                assert!(
                    last <= end,
                    "{name} holds {last} of {key}, and went at {end}"
                );
            }
        }
    }
}

/// Says how to repeat a run that failed.
struct Repeat(u64);

impl Drop for Repeat {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("to repeat this run: PARLOUR_TEST_SEED={}", self.0);
        }
    }
}

pub(super) fn rooms_are_what_their_frames_made_of_them(backend: Backend) {
    let number = |name| {
        let text = std::env::var(name).ok()?;
        Some(text.parse::<u64>().expect("a number"))
    };
    let fresh = u64::from_str_radix(&unique()[..8], 16).expect("a number");
    let (first, runs) = match number("PARLOUR_TEST_SEED") {
        Some(seed) => (seed, 1),
        None => (fresh, number("PARLOUR_TEST_RUNS").unwrap_or(RUNS)),
    };
    let mut server = start(backend);
    let mut done = BTreeMap::<Act, usize>::new();
    let is_missing = |done: &BTreeMap<Act, usize>| {
        let missing = Act::ALL.iter().find(|act| !done.contains_key(act));
        missing.filter(|_| runs > 1).copied()
    };
    // Some more, when chance has left something out.
    for seed in first..first + 4 * runs {
        if seed >= first + runs && is_missing(&done).is_none() {
            break;
        }
        if seed > first && (seed - first).is_multiple_of(RUNS_OF_A_SERVER) {
            check_members(&server);
            server = start(backend);
        }
        let repeat = Repeat(seed);
        let mut run = Run::begin(&server, seed);
        for _ in 0..ACTS {
            let act = Act::ALL[run.chance.below(Act::ALL.len())];
            if run.act(act) {
                *done.entry(act).or_default() += 1;
            }
        }
        run.check();
        for seat in run.people.into_iter().flat_map(|person| person.seats) {
            seat.socket.close();
        }
        drop(repeat);
    }
    assert_eq!(is_missing(&done), None, "was never done: {done:?}");
    check_members(&server);
}

fn start(backend: Backend) -> Server {
    // Sockets are read when their frames are looked at, and not in between.
    let server = Server::with(backend);
    server.env("PING_TIMEOUT_SECONDS", 3_600).start()
}

/// Of each room as many members are counted as it has.
fn check_members(server: &Server) {
    let miscounted = server.database.query(
        "SELECT key AS value FROM rooms WHERE members <> \
         (SELECT count(*) FROM memberships WHERE room_id = rooms.id)",
    );
    assert!(miscounted.is_empty(), "of {miscounted:?}");
}
