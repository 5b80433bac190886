//! Which day it was.

use super::*;
use crate::protocol::{message::Kind, room::RoomEvent};

/// The first day on the stage, and the one after it.
const DAYS: [&str; 2] = ["Wednesday, 18 November 2026", "Thursday, 19 November 2026"];

fn system(id: u64, content: &str) -> Message {
    Message {
        kind: Kind::System,
        ..message(id, "alice", content)
    }
}

/// A message so many days after the first one.
fn later(id: u64, days: u64, content: &str) -> Message {
    Message {
        created_at: at(id + days * 24 * 60),
        ..message(id, "bob", content)
    }
}

#[test]
fn a_day_is_named_above_its_first_item_whatever_that_is() {
    let mut stage = Stage::new();
    stage.arrive(effect::Event::LoggedIn("alice".into()));
    stage.hello("epoch", 4);
    let mut renamed = later(3, 1, "alice renamed the room");
    renamed.kind = Kind::System;
    stage.answer([
        system(1, "alice made the room"),
        message(2, "bob", "hi"),
        renamed,
        later(4, 1, "morning"),
    ]);
    let screen = stage.screen();
    let shown: Vec<_> = screen
        .lines()
        .filter_map(|row| {
            let texts = ["alice made", "hi ", "alice renamed", "morning"];
            let mut texts = texts.into_iter().chain(DAYS);
            texts.find(|text| row.contains(text))
        })
        .collect();
    let wanted = [
        DAYS[0],
        "alice made",
        "hi ",
        DAYS[1],
        "alice renamed",
        "morning",
    ];
    assert_eq!(shown, wanted, "{screen}");
}

#[test]
fn where_no_day_is_in_sight_the_screen_says_which_it_was_unless_it_is_today() {
    let mut stage = Stage::in_room(60);
    for _ in 0..2 {
        assert!(stage.shows(DAYS[0]), "{}", stage.screen());
        assert!(!stage.shows("── Wed"), "no such line is in sight");
        stage.press(KeyCode::PageUp);
    }
    stage.press(KeyCode::Home);
    assert_eq!(
        stage.screen().matches(DAYS[0]).count(),
        1,
        "the line says it"
    );
    stage.press(KeyCode::End);
    stage.state.clock = || at(70);
    assert!(!stage.shows(DAYS[0]), "{}", stage.screen());
}

#[test]
fn the_times_of_a_room_are_those_of_the_readers_clock() {
    let mut stage = Stage::new();
    stage.state.local_time = |at| at.naive_utc() + chrono::TimeDelta::minutes(330);
    stage.arrive(effect::Event::LoggedIn("alice".into()));
    stage.hello("epoch", 2);
    let until = "2026-11-19T22:15:00Z".parse().expect("a time");
    let mut muted = system(1, "alice muted bob until 2026-11-19 22:15 UTC");
    muted.event = Some(RoomEvent::Muted {
        user_id: 2,
        until: Some(until),
    });
    // Whatever a later release may say, it is shown.
    let mut other = system(2, "alice muted bob until tomorrow");
    other.event.clone_from(&muted.event);
    stage.answer([muted, other]);
    let screen = stage.screen();
    assert!(
        screen.contains("alice muted bob until 2026-11-20 03:45") && !screen.contains("UTC"),
        "{screen}"
    );
    assert!(screen.contains("until tomorrow"), "{screen}");
}
