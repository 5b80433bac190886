//! The clock of the machine may step, ahead or back, while serving or between two lives: nothing is lost, hidden,
//! doubled, let in or locked out. Order is `seq`; a stored time is for people.

use crate::support::{Backend, Clock, Server, User};

on_both![what_was_written_while_the_clock_was_ahead_is_read];

fn contents(user: &User) -> Vec<String> {
    user.history()
        .iter()
        .map(|message| {
            assert_ne!(message["unreadable"], true, "{message}");
            message["content"].as_str().expect("text").to_owned()
        })
        .collect()
}

fn what_was_written_while_the_clock_was_ahead_is_read(backend: Backend) {
    let Some(clock) = Clock::find() else { return };
    clock.step("+5m");
    let mut server = Server::with(backend).clock(&clock).start();
    let mut alice = User::register(&server, "alice");
    alice.post("ahead", None).expect(201);
    // Put right while serving, and over a restart: the check of the keys was sealed ahead of time, too.
    clock.step("+0");
    assert_eq!(contents(&alice), ["ahead"]);
    server.restart();
    alice.log_in();
    assert_eq!(contents(&alice), ["ahead"]);
    for (offset, content) in [("+1y", "a year ahead"), ("-200d", "back")] {
        clock.step(offset);
        server.restart();
        alice.log_in();
        alice.post(content, None).expect(201);
    }
    assert_eq!(contents(&alice), ["ahead", "a year ahead", "back"]);
}
