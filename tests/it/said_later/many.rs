//! Many that are due at about the same time, and a server that is killed meanwhile.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::{SOON, again, lateness, page};
use crate::{
    scheduled::{listed, soon, waits},
    support::{Backend, Server, User, eventually, eventually_within},
};

on_both![
    a_thousand_are_said_once_and_none_early_though_the_server_is_killed,
    many_that_are_due_at_once_keep_nobody_waiting,
];

/// How many, within how many seconds, under how many kills; `PARLOUR_TEST_SCHEDULED=1000` makes it the whole: within a minute
/// under five.
fn size() -> (usize, i64, usize) {
    match std::env::var("PARLOUR_TEST_SCHEDULED") {
        Ok(text) => (
            text.parse().expect("PARLOUR_TEST_SCHEDULED is a number"),
            60,
            5,
        ),
        Err(_) => (200, 15, 2),
    }
}

/// How long it takes at most to write so many, by how long it takes to write a few.
fn time_to_write(user: &User, count: usize) -> TimeDelta {
    const FEW: usize = 20;
    let begun = Instant::now();
    let few = (0..FEW).map(|_| waits(user, "general", "as a trial", soon(7_200)));
    let few: Vec<u64> = few.collect();
    let pace = begun.elapsed() / u32::try_from(FEW).expect("few");
    for id in few {
        user.ask("DELETE", &format!("/api/scheduled/{id}"), &[], &Value::Null)
            .expect(204);
    }
    let longest = pace * u32::try_from(3 * count).expect("few");
    TimeDelta::from_std(longest).expect("a while")
}

fn a_thousand_are_said_once_and_none_early_though_the_server_is_killed(backend: Backend) {
    let (count, seconds, kills) = size();
    let mut server = Server::start(backend);
    let mut people = User::register_all(&server, "per", count.div_ceil(50));
    let others: Vec<&User> = people[1..].iter().collect();
    let garden = people[0].make_room("garden", "public", &others);
    let rooms = ["general".to_owned(), garden];
    // Written long before, at times spread over so many seconds.
    let begin = Utc::now() + TimeDelta::seconds(10) + time_to_write(&people[0], count);
    let mut times = BTreeMap::new();
    for number in 0..count {
        let place = i64::try_from(number).expect("few");
        let share =
            TimeDelta::milliseconds(place * 1_000 * seconds / i64::try_from(count).expect("few"));
        let text = number.to_string();
        waits(
            &people[number % people.len()],
            &rooms[number % 2],
            &text,
            begin + share,
        );
        times.insert(text, begin + share);
    }
    assert!(Utc::now() < begin, "all that was in time");
    let mut away = Vec::new();
    for kill in 1..=kills {
        let at = begin
            + TimeDelta::milliseconds(1_000 * seconds) * i32::try_from(kill).expect("few")
                / i32::try_from(kills + 1).expect("few");
        std::thread::sleep((at - Utc::now()).to_std().unwrap_or_default());
        let down = Utc::now();
        server.restart();
        away.push((down, Utc::now()));
    }
    let worst_down = away.iter().map(|(down, up)| *up - *down).max();
    let worst_down = worst_down.unwrap_or_default();
    people = people
        .into_iter()
        .map(|user| again(user, &server))
        .collect();
    let limit = Duration::from_secs(30) + Duration::from_secs(seconds.unsigned_abs());
    eventually_within(limit, "nothing waits any more", || {
        let waiting = "SELECT CAST(count(*) AS TEXT) AS value FROM scheduled";
        (server.database.query(waiting) == [Some("0".to_owned())]).then_some(())
    });
    // Of all, and of those that were not due while the server was away, nor just before.
    let (mut worst, mut worst_apart) = (TimeDelta::zero(), TimeDelta::zero());
    let is_apart = |at: DateTime<Utc>| {
        let just_before = TimeDelta::seconds(1);
        let mut away = away.iter();
        !away.any(|(down, up)| (*down - just_before..=*up).contains(&at))
    };
    let mut said = BTreeMap::<String, usize>::new();
    for room in &rooms {
        for message in whole(&people[0], room) {
            let text = message["content"].as_str().expect("a text").to_owned();
            let late = lateness(&message, times[&text]);
            worst = worst.max(late);
            if is_apart(times[&text]) {
                worst_apart = worst_apart.max(late);
            }
            *said.entry(text).or_default() += 1;
        }
    }
    assert_eq!(said.len(), count, "each is said");
    assert!(said.values().all(|times| *times == 1), "{said:?}");
    println!(
        "{count} due within {seconds} s under {kills} kills: the latest was {} ms late, {} ms where it was not due while the server \
         was away, which was for up to {} ms",
        worst.num_milliseconds(),
        worst_apart.num_milliseconds(),
        worst_down.num_milliseconds()
    );
    assert!(worst < worst_down + SOON, "{worst} late");
    assert!(worst_apart < SOON, "{worst_apart} late");
}

/// All that people wrote in a room.
fn whole(user: &User, room: &str) -> Vec<Value> {
    let (mut all, mut next) = (
        Vec::new(),
        Some(format!("/api/rooms/{room}/messages?limit=200")),
    );
    while let Some(path) = next {
        let answer = user.http().get(&path).expect(200);
        let page = answer.json();
        all.extend(page.as_array().expect("an array").iter().cloned());
        next = answer.link("prev");
    }
    all.retain(|message| message["kind"] != "system");
    all
}

fn many_that_are_due_at_once_keep_nobody_waiting(backend: Backend) {
    let server = Server::start(backend);
    let people = User::register_all(&server, "per", 4);
    let bob = User::register(&server, "bob");
    let room = people[0].make_room("garden", "public", &[&people[1], &people[2], &people[3]]);
    for number in 0..400 {
        waits(&people[number % 4], &room, &number.to_string(), soon(3_600));
    }
    // All at one moment: not before the server looks for what it did not know of.
    let at = soon(12);
    let text = at.format("%Y-%m-%d %H:%M:%S%.6f");
    (server.database).execute(&format!(
        "UPDATE scheduled SET send_at = '{text}', try_at = '{text}'"
    ));
    std::thread::sleep((at - Utc::now()).to_std().unwrap_or_default());
    let mut worst = Duration::ZERO;
    let mut socket = bob.connect();
    let mut said = 0;
    eventually("all are said", || {
        let asked = Instant::now();
        socket.say(&format!("meanwhile {said}"));
        said += 1;
        worst = worst.max(asked.elapsed());
        people
            .iter()
            .all(|user| listed(user).is_empty())
            .then_some(())
    });
    println!("400 due at once: of {said} messages meanwhile the slowest took {worst:?}");
    assert!(worst < Duration::from_secs(2), "{worst:?}");
    assert_eq!(page(&people[0], &room).len(), 200);
    assert_eq!(whole(&people[0], &room).len(), 400);
}
