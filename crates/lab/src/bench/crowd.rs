//! `crowd`: a room of 10,000 members beside one of 10. What is sent should cost as much in either: no row is written for those
//! who could read it, whatever mentions them, and what is unread is counted when someone asks. Deliveries stand apart: the same
//! few sockets hear both rooms.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde::Deserialize;

use super::{
    Bench, Result, Trouble,
    accounts::{self, Account},
    durable::talk,
    noise::Watch,
    opening::{self, Greeting},
    progress::step,
    readers::{Place, Readers, Tally},
    report::{Row, Target, Unit},
    rest::{self, Rest},
    rooms,
    stats::Histogram,
    subject::Subject,
};

/// What the target is for.
const MEMBERS: usize = 10_000;
/// The members of the other room, who are in both: they send, and hear.
const FEW: usize = 10;
/// How often it is asked what is unread.
const ASKED: usize = 300;
/// How long each room is written to before anything is measured: what a database that has just been made costs is less.
const WARM_UP: Duration = Duration::from_secs(4);
/// In which turns the rooms are measured (0 is the small one): so that what grows meanwhile, faster and faster or ever slower
/// (the sequence of Thue and Morse), counts for both alike.
const TURNS: [usize; 8] = [0, 1, 1, 0, 1, 0, 0, 1];
const FLOOR: &str = "the same in a room of 10";

/// A room, and how many are in it.
struct Room {
    key: String,
    members: usize,
}

pub fn measure(bench: &mut Bench<'_>) -> Result<()> {
    let members = bench
        .options
        .members
        .map_or(MEMBERS, |members| members as usize);
    step(&format!(
        "crowd: a room of {members} members beside one of {FEW}, {FEW} senders"
    ));
    let folder = bench.folder()?;
    let server = Subject::get(bench.options, &folder, 4)?;
    let users = accounts::make(server.addr, FEW)?;
    let few = (0..FEW).collect::<Vec<_>>();
    // What is said in the last room stands at the end of its table, where writing costs less: neither is to have that
    // advantage.
    let keys = rooms::make(&server, &[few.clone(), few.clone(), few], &users)?;
    let [large, small, last] = keys.as_slice() else {
        return Err(Trouble("Three rooms were to be made.".into()));
    };
    fill(&server, &users, large, members.saturating_sub(FEW))?;
    let rooms = [
        Room {
            key: small.clone(),
            members: FEW,
        },
        Room {
            key: large.clone(),
            members,
        },
    ];
    let readers = Readers::gather(bench.clock, 0)?;
    let tokens = accounts::tokens(&users);
    opening::open_all(&readers, server.addr, Greeting::Chat(&tokens), FEW, FEW)?;
    for room in [last, small, large] {
        let place = place(room, "");
        talk(&readers, (1, &place), WARM_UP, u64::MAX)?;
    }
    let mentioned = users.first().map_or("", |user| &user.username);
    for (what, ending) in [
        ("a message", String::new()),
        ("a message with mentions", format!("@{mentioned} @room")),
    ] {
        compare(bench, (&server, &readers), &rooms, (what, &ending))?;
    }
    let asker = users.last().map_or("", |user| &user.token);
    compare_reading(bench, &server, &rooms, asker)?;
    if members != MEMBERS {
        bench.report.note(format!(
            "the target of crowd is for a room of {MEMBERS} members; this one had {members} (--members {MEMBERS})."
        ));
    }
    Ok(())
}

/// Brings as many others into a room, and lets all who send write to all of it.
fn fill(server: &Subject, users: &[Account], room: &str, others: usize) -> Result<()> {
    let names = accounts::register(server.addr, others)?;
    let owner = users.first().map_or("", |user| &user.token);
    let mut rest = Rest::new(server.addr);
    for user in users.iter().skip(1) {
        let path = format!("/api/rooms/{room}/members/{}", user.username);
        let body = br#"{"role":"moderator"}"#;
        let _: serde_json::Value = rest.ask_as(owner, "PUT", &path, body)?.json("a role")?;
    }
    rest::each(
        server.addr,
        names.len(),
        "members brought in",
        |rest, at| {
            let name = names.get(at).map_or("", String::as_str);
            let path = format!("/api/rooms/{room}/members/{name}");
            let answer = rest.ask_as(owner, "PUT", &path, &[])?;
            let _: serde_json::Value = answer.json("an invitation")?;
            Ok(())
        },
    )?;
    Ok(())
}

/// What was seen in one of the rooms, in all its turns.
#[derive(Default)]
struct Cost {
    acked: u64,
    spent: Duration,
    ack: Histogram,
    /// Microseconds for each message, turn by turn.
    turns: Vec<f64>,
}

impl Cost {
    fn add(&mut self, tally: &Tally, spent: Duration) {
        let acked = tally.ack.count();
        self.acked += acked;
        self.spent += spent;
        self.ack.merge(&tally.ack);
        self.turns.push(micros(spent, acked));
    }
}

fn micros(spent: Duration, messages: u64) -> f64 {
    spent.as_secs_f64() * 1e6 / messages.max(1) as f64
}

/// A room, by its key, in which all ten talk, each message with this at its end.
fn place(room: &str, ending: &str) -> Place {
    Place {
        rooms: Arc::from([room.to_owned()]),
        listeners: FEW,
        ending: ending.into(),
    }
}

/// Sends in one room and in the other, in [`TURNS`].
fn compare(
    bench: &mut Bench<'_>,
    (server, readers): (&Subject, &Readers),
    rooms: &[Room; 2],
    (what, ending): (&str, &str),
) -> Result<()> {
    let time = bench.options.time() * 2 / TURNS.len() as u32;
    let mut costs = [Cost::default(), Cost::default()];
    for room in rooms {
        let place = place(&room.key, ending);
        talk(readers, (1, &place), Duration::from_secs(1), u64::MAX)?;
    }
    let watch = Watch::begin(server.cpu()?.total())?;
    for turn in TURNS {
        let (Some(room), Some(cost)) = (rooms.get(turn), costs.get_mut(turn)) else {
            continue;
        };
        let before = server.cpu()?;
        let tally = talk(readers, (1, &place(&room.key, ending)), time, u64::MAX)?;
        cost.add(&tally, server.cpu()?.since(before).total());
        if tally.refused > 0 {
            let why = tally.refusal.unwrap_or_default();
            return Err(Trouble(format!(
                "A message of the crowd was refused: {why}"
            )));
        }
    }
    let others = watch.others(server.cpu()?.total())?;
    tell(bench, (what, rooms), &costs);
    bench.report.noise.others(&format!("crowd, {what}"), others);
    Ok(())
}

fn tell(bench: &mut Bench<'_>, (what, rooms): (&str, &[Room; 2]), costs: &[Cost; 2]) {
    let [small, large] = costs;
    let members = rooms.last().map_or(0, |room| room.members);
    let name = |number: &str| format!("crowd, {what} to {members} members: {number}");
    let floor = micros(small.spent, small.acked);
    let report = &mut bench.report;
    let row = Row::new(
        name("CPU of server and database"),
        micros(large.spent, large.acked),
        Unit::Micros,
    )
    .above(floor, FLOOR);
    report.row(if members == MEMBERS {
        row.aim(Target::AtMost(1.1 * floor))
    } else {
        row
    });
    for (share, quantile) in [("p50", 0.5), ("p99", 0.99)] {
        let [floor, millis] =
            [small, large].map(|cost| cost.ack.quantile(quantile).as_secs_f64() * 1e3);
        let row = Row::new(name(&format!("ack within, {share}")), millis, Unit::Millis);
        report.row(row.above(floor, FLOOR));
    }
    if let [one, .., other] = small.turns[..] {
        let what = format!("crowd, {what} to {FEW} members");
        report.noise.floor(&what, one, other);
    }
}

#[derive(Deserialize)]
struct Counted {
    unread: u64,
    mentions: u64,
}

/// What it costs to be told what is unread: counted when it is asked for, and no further than 1,000.
fn compare_reading(
    bench: &mut Bench<'_>,
    server: &Subject,
    rooms: &[Room; 2],
    token: &str,
) -> Result<()> {
    let mut rest = Rest::new(server.addr);
    let mut times = [Histogram::default(), Histogram::default()];
    for _ in 0..ASKED {
        for (room, times) in rooms.iter().zip(&mut times) {
            let begun = Instant::now();
            let answer = rest.get(&format!("/api/rooms/{}", room.key), Some(token))?;
            times.add(begun.elapsed().as_nanos() as u64);
            let Counted { unread, mentions } = answer.json("a room")?;
            if unread == 0 || mentions == 0 {
                return Err(Trouble(format!(
                    "{unread} messages and {mentions} mentions are unread in a room where hundreds were sent."
                )));
            }
        }
    }
    let [small, large] = times.map(|times| times.quantile(0.5).as_secs_f64() * 1e3);
    let members = rooms.last().map_or(0, |room| room.members);
    let what = format!("crowd, what is unread among {members} members: told within, p50");
    let row = Row::new(what, large, Unit::Millis).above(small, FLOOR);
    bench.report.row(row);
    Ok(())
}
