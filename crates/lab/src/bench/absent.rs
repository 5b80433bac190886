//! `absent`: whether the time of an answer tells a room that one may not know of from one that is not there. The answers
//! are the same bytes; here the same person asks for both in turns, by several roads, and the times are compared pair by pair.

use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Bench, Result, Trouble, accounts,
    progress::{Progress, step},
    report::{Row, Target, Unit},
    rest::{Answer, Rest},
    stats::Histogram,
    subject::Subject,
};

const PAIRS: usize = 400;
const WARM_UP: usize = 50;
/// How far from a half the share of pairs may be in which the forbidden one took longer: 400 tosses of a coin are farther
/// off once in a thousand times (normal approximation: 3.29 standard deviations of 2.5 points).
const MOST_OFF: f64 = 8.2;

/// How one asks for a room.
#[derive(Debug, Clone, Copy)]
struct Road {
    what: &'static str,
    method: &'static str,
    /// What follows the room; `{me}` is who asks.
    rest: &'static str,
    /// Whether the room is called by its name, and not by its key.
    is_named: bool,
}

const ROADS: [Road; 5] = [
    Road {
        what: "its description",
        method: "GET",
        rest: "",
        is_named: false,
    },
    Road {
        what: "its description, by name",
        method: "GET",
        rest: "",
        is_named: true,
    },
    Road {
        what: "a page",
        method: "GET",
        rest: "/messages?limit=50",
        is_named: false,
    },
    Road {
        what: "a post",
        method: "POST",
        rest: "/messages",
        is_named: false,
    },
    Road {
        what: "joining it",
        method: "PUT",
        rest: "/members/{me}",
        is_named: false,
    },
];

#[derive(Deserialize)]
struct Made {
    room: String,
}

pub fn measure(bench: &mut Bench<'_>) -> Result<()> {
    step(&format!(
        "absent: {PAIRS} pairs of a room that is not there and one that is private, by {} roads",
        ROADS.len()
    ));
    let folder = bench.folder()?;
    let server = Subject::get(bench.options, &folder, 4)?;
    let users = accounts::make(server.addr, 2)?;
    let [owner, stranger] = users.as_slice() else {
        return Err(Trouble("Two users are needed for `absent`.".into()));
    };
    let mut rest = Rest::new(server.addr);
    let new = json!({"name": "forbidden", "kind": "private"});
    let made: Made = rest
        .post_as(&owner.token, "/api/rooms", &new)?
        .json("a private room")?;
    let number: u64 = made.room.parse().unwrap_or(0);
    let keys = [(number + 1).to_string(), made.room];
    let names = ["forbidder".to_owned(), "forbidden".to_owned()];
    for road in ROADS {
        let rooms = if road.is_named { &names } else { &keys };
        let paths = rooms.each_ref().map(|room| {
            let rest = road.rest.replace("{me}", &stranger.username);
            format!("/api/rooms/{room}{rest}")
        });
        let progress = Progress::new("pairs", PAIRS as u64);
        let found = compare(&mut rest, road, &stranger.token, &paths, &progress)?;
        progress.done();
        tell(bench, road, &found);
    }
    Ok(())
}

/// The times of both, and the pairs in which the forbidden one took longer.
struct Found {
    times: [Histogram; 2],
    longer: usize,
}

fn compare(
    rest: &mut Rest,
    road: Road,
    token: &str,
    paths: &[String; 2],
    progress: &Progress,
) -> Result<Found> {
    let body = match road.method {
        "GET" => String::new(),
        _ => json!({"content": "is anyone there?"}).to_string(),
    };
    let mut found = Found {
        times: [Histogram::default(), Histogram::default()],
        longer: 0,
    };
    for pair in 0..WARM_UP + PAIRS {
        let mut took = [Duration::ZERO; 2];
        let mut said = [Value::Null, Value::Null];
        // Whoever comes second finds everything warm: each is second in every other pair.
        for turn in 0..2 {
            let which = (pair + turn) % 2;
            let begun = Instant::now();
            let answer = rest.ask_as(token, road.method, &paths[which], body.as_bytes())?;
            took[which] = begun.elapsed();
            said[which] = without_request(&answer)?;
        }
        if said[0] != said[1] || said[0]["status"] != 404 {
            return Err(Trouble(format!(
                "A room that is not there and one that is private are told apart by {}: {} and {}",
                road.what, said[0], said[1]
            )));
        }
        if pair >= WARM_UP {
            for (times, took) in found.times.iter_mut().zip(took) {
                times.add(took.as_nanos() as u64);
            }
            found.longer += usize::from(took[1] > took[0]);
            progress.at((pair - WARM_UP) as u64);
        }
    }
    Ok(found)
}

/// The answer without what is another one each time.
fn without_request(answer: &Answer) -> Result<Value> {
    let mut said: Value = serde_json::from_slice(&answer.body).map_err(|error| {
        Trouble(format!(
            "The answer with status {} is no JSON: {error}.",
            answer.status
        ))
    })?;
    if let Some(fields) = said.as_object_mut() {
        fields.remove("request_id");
    }
    Ok(said)
}

fn tell(bench: &mut Bench<'_>, road: Road, found: &Found) {
    let what = road.what;
    let [absent, forbidden] = found
        .times
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
    let share = found.longer as f64 * 100.0 / PAIRS as f64;
    bench.report.row(
        Row::new(
            format!("absent, {what}: pairs in which it took longer, off a half"),
            (share - 50.0).abs(),
            Unit::Percent,
        )
        .aim(Target::AtMost(MOST_OFF)),
    );
}
