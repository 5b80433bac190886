//! `presence`: 2,000 people in 50 rooms come and go for a minute. Whoever stays is told of it once in two seconds, of those
//! alone who share a room with them, and does not wait longer for the acks of what they send.

use std::{
    collections::{HashMap, VecDeque},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use super::{
    Bench, Result, Trouble,
    accounts::{self, Account},
    broadcast::{self, Outcome},
    opening::{self, Greeting},
    progress::step,
    readers::Readers,
    report::{Row, Target, Unit},
    rooms,
    senders::{Framing, Senders},
    subject::{Spent, Subject},
};
use crate::{
    protocol::{event::Event, limits::MOST_WHO_SHARE_GENERAL},
    raw::handshake,
};

/// What the target is for.
const PEOPLE: usize = 2_000;
const ROOMS: usize = 50;
/// Of those in a room, one in so many stays.
const STAYS: usize = 4;
/// So many come a second, and as many go.
const COMINGS: u32 = 50;
/// Who comes stays for so long.
const STAY: Duration = Duration::from_secs(8);
const SENDERS: usize = 10;
const RATE: u32 = 100;
/// What the target is for.
const SECONDS: u32 = 60;
/// A frame for each socket in so long, at most.
const PAUSE: Duration = Duration::from_secs(2);
const TIMEOUT: Duration = Duration::from_secs(30);

/// Who is in which room, and who stays: people and rooms by their numbers.
#[derive(Debug, Clone, Copy)]
struct Plan {
    rooms: usize,
    /// Of each room.
    members: usize,
}

impl Plan {
    fn for_people(people: usize) -> Self {
        let rooms = ROOMS.min(people / STAYS).max(1);
        Self {
            rooms,
            members: people / rooms,
        }
    }

    fn people(self) -> usize {
        self.rooms * self.members
    }

    fn room_of(self, person: usize) -> usize {
        person % self.rooms
    }

    /// Those who stay, room by room in turn, so that the first of them are in rooms of their own.
    fn staying(self) -> usize {
        self.rooms * (self.members / STAYS).max(1)
    }

    fn members_of_each(self) -> Vec<Vec<usize>> {
        let of = |room| (room..self.people()).step_by(self.rooms).collect();
        (0..self.rooms).map(of).collect()
    }
}

/// What one socket was told of people.
#[derive(Debug, Default, Clone)]
struct Told {
    frames: u64,
    strangers: u64,
}

/// What all of them were told.
#[derive(Debug, Default)]
struct Ear {
    /// The rooms of people, by their names.
    rooms: HashMap<String, usize>,
    told: Vec<Told>,
}

impl Ear {
    /// Takes in a text that came to a socket, whose user is in this room.
    fn hear(&mut self, socket: usize, room: usize, text: &[u8]) {
        if !text.starts_with(br#"{"type":"presence""#) {
            return;
        }
        let Some(told) = self.told.get_mut(socket) else {
            return;
        };
        told.frames += 1;
        let Ok(Event::Presence(news)) = serde_json::from_slice(text) else {
            told.strangers += 1;
            return;
        };
        let is_strange = |name: &str| self.rooms.get(name) != Some(&room);
        let strangers = news.users.iter().filter(|one| is_strange(&one.username));
        told.strangers += strangers.count() as u64;
    }
}

pub fn measure(bench: &mut Bench<'_>) -> Result<()> {
    let plan = Plan::for_people(bench.options.sockets_or(PEOPLE));
    let (people, staying) = (plan.people(), plan.staying());
    step(&format!(
        "presence: {people} people in {} rooms, {staying} stay, {COMINGS} others come and as many go each second",
        plan.rooms
    ));
    let folder = bench.folder()?;
    let server = Subject::get(bench.options, &folder, 4)?;
    let users = accounts::make(server.addr, people)?;
    // In a small house everyone shares the room of all.
    let least = usize::try_from(MOST_WHO_SHARE_GENERAL).unwrap_or(usize::MAX) + 1;
    accounts::register(server.addr, least.saturating_sub(people))?;
    let keys = rooms::make(&server, &plan.members_of_each(), &users)?;
    let ear = Arc::new(Mutex::new(Ear {
        rooms: (users.iter().enumerate())
            .map(|(at, user)| (user.username.clone(), plan.room_of(at)))
            .collect(),
        told: vec![Told::default(); staying],
    }));
    let listening = Arc::clone(&ear);
    let heed = move |socket: usize, text: &[u8]| {
        let mut ear = listening.lock().unwrap_or_else(PoisonError::into_inner);
        ear.hear(socket, plan.room_of(socket), text);
    };
    let senders = SENDERS.min(plan.rooms).min(staying);
    let readers = Readers::gather_with(bench.clock, senders, Some(Box::new(heed)))?;
    let tokens = accounts::tokens(&users);
    // All as senders: those are opened in their order, so that a socket's number is its user's.
    let greeting = Greeting::Chat(&tokens);
    let mut streams = opening::open_all(&readers, server.addr, greeting, staying, staying)?;
    streams.truncate(senders);
    let mut senders = Senders::new(streams, Framing::AckedCommand, bench.clock)
        .in_rooms(keys.into_iter().take(senders).collect());
    let receivers = staying / plan.rooms;
    let mut say = |time: Duration| {
        let cpu = || server.cpu().map(Spent::total);
        broadcast::run(&readers, &mut senders, (RATE, time), receivers, &cpu)
    };
    let time = bench.options.time_or(SECONDS);
    say(Duration::from_secs(2))?;
    let before = say(time / 4)?;
    let others = users.get(staying..).unwrap_or_default();
    let (during, came, (took, told)) = while_they_come(server.addr, others, || {
        // Until as many go as come.
        say(STAY.min(time))?;
        let begun = Instant::now();
        reset(&ear);
        let outcome = say(time)?;
        Ok((outcome, (begun.elapsed(), reset(&ear))))
    })?;
    let after = say(time / 4)?;
    tell(bench, plan, [&before, &after], &during, (took, &told));
    bench.report.row(Row::new(
        format!("presence, {people} people: came"),
        came as f64,
        Unit::Count,
    ));
    Ok(())
}

/// What was told until now, of which nothing is told again.
fn reset(ear: &Mutex<Ear>) -> Vec<Told> {
    let mut ear = ear.lock().unwrap_or_else(PoisonError::into_inner);
    let fresh = vec![Told::default(); ear.told.len()];
    std::mem::replace(&mut ear.told, fresh)
}

/// Has people come and go while something is done; tells how many have come, too.
fn while_they_come<T>(
    addr: SocketAddr,
    people: &[Account],
    act: impl FnOnce() -> Result<(Outcome, T)>,
) -> Result<(Outcome, u64, T)> {
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let coming = scope.spawn(|| come_and_go(addr, people, &is_over));
        let done = act();
        is_over.store(true, Ordering::Relaxed);
        let came = coming
            .join()
            .unwrap_or_else(|_| Err(Trouble("A thread of the bench has failed.".into())))?;
        let (outcome, more) = done?;
        Ok((outcome, came, more))
    })
}

/// One after the other, at an even pace; whoever has been there for long enough goes.
fn come_and_go(addr: SocketAddr, people: &[Account], is_over: &AtomicBool) -> Result<u64> {
    let mut here = VecDeque::new();
    let begun = Instant::now();
    let mut came = 0_u32;
    let pause = Duration::from_secs(1) / COMINGS;
    // No one is to be there twice.
    let stay = STAY.min(pause * u32::try_from(people.len() / 2).unwrap_or(u32::MAX));
    while !is_over.load(Ordering::Relaxed) && !people.is_empty() {
        std::thread::sleep((begun + pause * came).saturating_duration_since(Instant::now()));
        let who = people.get(came as usize % people.len());
        let token = who.map_or("", |user| &user.token);
        here.push_back((Instant::now(), open(addr, token)?));
        came += 1;
        while here
            .front()
            .is_some_and(|(since, _)| since.elapsed() > stay)
        {
            here.pop_front();
        }
    }
    Ok(came.into())
}

fn open(addr: SocketAddr, token: &str) -> Result<TcpStream> {
    let open = || {
        let mut stream = TcpStream::connect_timeout(&addr, TIMEOUT)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        handshake::upgrade(&mut stream, addr, token)?;
        std::io::Result::Ok(stream)
    };
    open().map_err(|error| Trouble::io("open the socket of someone who comes", &error))
}

fn tell(
    bench: &mut Bench<'_>,
    plan: Plan,
    [before, after]: [&Outcome; 2],
    during: &Outcome,
    (took, told): (Duration, &[Told]),
) {
    let what = format!("presence, {} people in {} rooms", plan.people(), plan.rooms);
    let report = &mut bench.report;
    let most = told.iter().map(|one| one.frames).max().unwrap_or(0);
    let all: u64 = told.iter().map(|one| one.frames).sum();
    let strangers: u64 = told.iter().map(|one| one.strangers).sum();
    // One may have waited when the count began.
    let limit = (took.as_secs_f64() / PAUSE.as_secs_f64()).ceil() + 1.0;
    let name = format!("{what}: frames to one socket, at most");
    let row = Row::new(name, most as f64, Unit::Count);
    report.row(row.aim(Target::AtMost(limit)));
    let name = format!("{what}: frames to one socket, on average");
    let each = all as f64 / told.len().max(1) as f64;
    report.row(Row::new(name, each, Unit::Count));
    let name = format!("{what}: strangers who were told of");
    let row = Row::new(name, strangers as f64, Unit::Count);
    report.row(row.aim(Target::AtMost(0.0)));
    if all == 0 {
        report.note(format!(
            "{what}: no one was told of anyone: nothing was measured."
        ));
    }
    let beside = "the same while no one comes or goes";
    let millis = |outcome: &Outcome, share| outcome.tally.ack.quantile(share).as_secs_f64() * 1e3;
    for (share, quantile) in [("p50", 0.5), ("p99", 0.99)] {
        let floor = f64::midpoint(millis(before, quantile), millis(after, quantile));
        let name = format!("{what}: the senders' ack, {share}");
        let row = Row::new(name, millis(during, quantile), Unit::Millis).above(floor, beside);
        let is_aim = quantile > 0.9 && plan.people() == PEOPLE;
        report.row(if is_aim {
            row.aim(Target::AtMost(1.2 * floor))
        } else {
            row
        });
    }
    let load = |outcome: &Outcome| {
        let acked = outcome.tally.ack.count().max(1);
        outcome.cpu.as_secs_f64() * f64::from(RATE) / acked as f64 * 1e3
    };
    let floor = f64::midpoint(load(before), load(after));
    let name = format!("{what}: CPU each second");
    let row = Row::new(name, load(during), Unit::Millis).above(floor, beside);
    report.row(row);
    report.noise.floor(
        &format!("the ack's p99 before and after {what}"),
        millis(before, 0.99),
        millis(after, 0.99),
    );
    during.tell(&what, report);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::people::{PresenceNews, Seen};

    #[test]
    fn everyone_is_in_one_room_and_some_of_each_stay() {
        for people in [10, 77, PEOPLE] {
            let plan = Plan::for_people(people);
            let rooms = plan.members_of_each();
            assert_eq!(rooms.len(), plan.rooms);
            for (room, members) in rooms.iter().enumerate() {
                assert_eq!(members.len(), plan.members, "room {room} of {people}");
                assert!(members.iter().all(|one| plan.room_of(*one) == room));
                let stay = members.iter().filter(|one| **one < plan.staying());
                assert_eq!(stay.count(), plan.staying() / plan.rooms);
            }
        }
        let plan = Plan::for_people(PEOPLE);
        assert_eq!((plan.rooms, plan.members, plan.staying()), (50, 40, 500));
    }

    #[test]
    fn whoever_shares_no_room_is_counted_as_a_stranger() {
        let rooms = [("ann", 0), ("ben", 0), ("eve", 1)];
        let mut ear = Ear {
            rooms: rooms.map(|(name, room)| (name.to_owned(), room)).into(),
            told: vec![Told::default(); 2],
        };
        let news = |names: &[&str]| {
            let seen = |name: &&str| Seen {
                username: (*name).into(),
                ..Seen::default()
            };
            let users = names.iter().map(seen).collect();
            let news = PresenceNews { users, all: false };
            Event::Presence(news).to_json()
        };
        ear.hear(0, 0, news(&["ann", "ben"]).as_bytes());
        ear.hear(1, 1, news(&["eve"]).as_bytes());
        ear.hear(1, 1, news(&["ben", "eve", "unheard of"]).as_bytes());
        ear.hear(1, 1, br#"{"type":"typing"}"#);
        let found = ear.told.iter().map(|one| (one.frames, one.strangers));
        assert_eq!(found.collect::<Vec<_>>(), [(1, 0), (2, 2)]);
    }
}
