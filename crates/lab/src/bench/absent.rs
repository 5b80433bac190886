//! `absent`: whether the time of an answer tells a room that one may not know of from one that is not there. The answers
//! are the same bytes; here the same person asks for both in turns, at every door, and the times are compared pair by pair.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use serde::Deserialize;
use serde_json::{Value, json};

use self::{
    doors::{DOORS, Door, People},
    ranks::{CHANCE, Told},
};
use super::{
    Bench, Result, Trouble,
    accounts::{self, Account},
    progress::{Progress, step},
    report::{Row, Target, Unit},
    rest::Rest,
    stats::Histogram,
    subject::Subject,
};
use crate::raw::{
    http::TIMEOUT,
    socket::{Incoming, Socket},
};

mod doors;
mod ranks;

const PAIRS: usize = 400;
const WARM_UP: usize = 50;
/// What the frames carry, for their answers.
const REFERENCE: &str = "absent";

#[derive(Deserialize)]
struct Made {
    room: String,
}

pub fn measure(bench: &mut Bench<'_>) -> Result<()> {
    step(&format!(
        "absent: {PAIRS} pairs of a room that is not there and one that is private, at {} doors",
        DOORS.len()
    ));
    let folder = bench.folder()?;
    let server = Subject::get(bench.options, &folder, 4)?;
    let users = accounts::make(server.addr, 2)?;
    let [owner, stranger] = users.as_slice() else {
        return Err(Trouble("Two users are needed for `absent`.".into()));
    };
    let mut visitor = Visitor::enter(server.addr, stranger)?;
    let new = json!({"name": "forbidden", "kind": "private"});
    let made: Made = visitor
        .rest
        .post_as(&owner.token, "/api/rooms", &new)?
        .json("a private room")?;
    let said = format!("/api/rooms/{}/messages", made.room);
    let said = visitor.rest.post_as(
        &owner.token,
        &said,
        &json!({"content": "no one is to know"}),
    )?;
    let _: Value = said.json("a message")?;
    // Two further on: it is for the same writer of the journal.
    let number: u64 = made.room.parse().unwrap_or(0);
    let keys = [(number + 2).to_string(), made.room];
    let names = ["forbidder".to_owned(), "forbidden".to_owned()];
    let people = People {
        me: &stranger.username,
        other: &owner.username,
    };
    for door in DOORS {
        let rooms = if door.is_named { &names } else { &keys };
        let progress = Progress::new("pairs", PAIRS as u64);
        let found = compare(&mut visitor, door, (rooms, &people), &progress)?;
        progress.done();
        tell(bench, door, &found);
    }
    Ok(())
}

/// Who asks: on a kept connection, and on a socket.
struct Visitor {
    token: String,
    rest: Rest,
    socket: Socket,
}

impl Visitor {
    fn enter(addr: SocketAddr, account: &Account) -> Result<Self> {
        let bearer = format!("Bearer {}", account.token);
        let socket = Socket::open(addr, "", &[("authorization", &bearer)]);
        let refused = |status| Trouble(format!("The socket was refused with status {status}."));
        Ok(Self {
            token: account.token.clone(),
            rest: Rest::new(addr),
            socket: socket.map_err(refused)?,
        })
    }

    /// What is answered, and how long that took. What names the room or the request is taken out.
    fn ask(&mut self, door: &Door, room: &str, people: &People<'_>) -> Result<(Duration, Value)> {
        let body = door.body(room, people);
        let Some(method) = door.method else {
            return self.say(&body, room);
        };
        let path = door.path(room, people);
        let begun = Instant::now();
        let answer = (self.rest).ask_as(&self.token, method, &path, body.as_bytes())?;
        let took = begun.elapsed();
        let status = answer.status;
        let mut said: Value = serde_json::from_slice(&answer.body).map_err(|error| {
            Trouble(format!(
                "The answer with status {status} is no JSON: {error}."
            ))
        })?;
        if let Some(fields) = said.as_object_mut() {
            fields.remove("request_id");
        }
        if said["status"] != 404 {
            return Err(Trouble(format!(
                "{}: a room that one may not know of was answered {said}",
                door.what
            )));
        }
        Ok((took, said))
    }

    fn say(&mut self, frame: &str, room: &str) -> Result<(Duration, Value)> {
        let mut frame: Value = serde_json::from_str(frame)
            .map_err(|error| Trouble(format!("The frame {frame} is no JSON: {error}.")))?;
        frame["ref"] = REFERENCE.into();
        let begun = Instant::now();
        if !self.socket.try_send(&frame) {
            return Err(Trouble("The socket was closed.".into()));
        }
        loop {
            match self.socket.next(TIMEOUT) {
                Incoming::Frame(said) if said["ref"] == REFERENCE => {
                    let took = begun.elapsed();
                    let said = said.to_string().replace(room, "ROOM");
                    let is_refused = said.contains("room_not_found") || said.contains("gone");
                    if !is_refused {
                        return Err(Trouble(format!("{frame} was answered {said}")));
                    }
                    return Ok((took, said.into()));
                }
                Incoming::Frame(_) => {}
                other => {
                    return Err(Trouble(format!(
                        "{other:?} instead of an answer to {frame}"
                    )));
                }
            }
        }
    }
}

/// The times of both, and what the pairs tell.
struct Found {
    times: [Histogram; 2],
    told: Told,
}

fn compare(
    visitor: &mut Visitor,
    door: &Door,
    (rooms, people): (&[String; 2], &People<'_>),
    progress: &Progress,
) -> Result<Found> {
    let mut times = [Histogram::default(), Histogram::default()];
    let mut differences = Vec::with_capacity(PAIRS);
    let mut coin = fastrand::Rng::with_seed(PAIRS as u64);
    for pair in 0..WARM_UP + PAIRS {
        let mut took = [Duration::ZERO; 2];
        let mut said = [Value::Null, Value::Null];
        // Whoever comes second finds everything warm. A coin says who does: what a machine does in turns, such as moving a
        // thread to the other core and back, would fall in with any order that has a pattern.
        let first = usize::from(coin.bool());
        for which in [first, 1 - first] {
            (took[which], said[which]) = visitor.ask(door, &rooms[which], people)?;
        }
        if said[0] != said[1] {
            return Err(Trouble(format!(
                "A room that is not there and one that is private are told apart by {}: {} and {}",
                door.what, said[0], said[1]
            )));
        }
        if pair >= WARM_UP {
            let [absent, forbidden] = took.map(|took| took.as_nanos() as i64);
            differences.push(forbidden - absent);
            for (times, took) in times.iter_mut().zip(took) {
                times.add(took.as_nanos() as u64);
            }
            progress.at((pair - WARM_UP) as u64);
        }
    }
    Ok(Found {
        times,
        told: ranks::tell(differences),
    })
}

fn tell(bench: &mut Bench<'_>, door: &Door, Found { times, told }: &Found) {
    let what = door.what;
    let [absent, forbidden] = times
        .each_ref()
        .map(|times| times.quantile(0.5).as_secs_f64() * 1e6);
    bench.report.row(
        Row::new(
            format!("absent, {what}: a room that one may not know of, p50"),
            forbidden,
            Unit::Micros,
        )
        .above(absent, "a room that is not there"),
    );
    bench.report.row(
        Row::new(
            format!("absent, {what}: rank test of the pairs, standard deviations off chance"),
            told.z.abs(),
            Unit::Count,
        )
        .aim(Target::AtMost(CHANCE)),
    );
    bench.report.row(Row::new(
        format!("absent, {what}: most that the two may differ by (99.9 %)"),
        told.most() / 1e3,
        Unit::Micros,
    ));
}
