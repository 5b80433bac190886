//! Accounts that end while someone changes a room that they are in, or are about to be in. On `PostgreSQL` two transactions
//! run side by side: one is stopped half way by a trigger that waits for a lock of ours. On SQLite one comes after the other.

use std::{
    thread,
    time::{Duration, Instant},
};

use super::stage::{Became, Became::Done, ROOM, Stage, on_both};
use crate::{
    db::{AnyConnection, by_hand, by_hand::run, conn, users, users::changes},
    error::Code,
    journal::{
        entry::Change,
        road::{Stored, Work},
        writer::Store as _,
    },
    protocol::{room::Role, time::now},
};

/// Names the lock that the triggers wait for.
const GATE: i64 = 77;

/// What [`close`] stops: someone has come into a room; an account has changed.
const COMING: &str = "INSERT ON memberships FOR EACH ROW";
const ENDING: &str = "UPDATE ON users FOR EACH ROW";

/// Stops whoever does this to a table, until [`open`].
fn close(conn: &mut AnyConnection, event: &str) {
    if let AnyConnection::Postgres(_) = conn {
        run(
            conn,
            &format!(
                "CREATE FUNCTION gate() RETURNS trigger LANGUAGE plpgsql AS \
                 $$ BEGIN PERFORM pg_advisory_xact_lock({GATE}); RETURN NULL; END $$; \
                 CREATE TRIGGER wait AFTER {event} EXECUTE FUNCTION gate(); \
                 SELECT pg_advisory_lock({GATE})"
            ),
        );
    }
}

fn open(conn: &mut AnyConnection) {
    if let AnyConnection::Postgres(_) = conn {
        run(conn, &format!("SELECT pg_advisory_unlock({GATE})"));
    }
}

/// Waits until so many wait for a lock, or have come to their end.
fn until_waiting(conn: &mut AnyConnection, count: i64, is_over: impl Fn() -> bool) {
    if let AnyConnection::Sqlite(_) = conn {
        return;
    }
    let waiting =
        "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let begun = Instant::now();
    while by_hand::count(conn, waiting) < count && !is_over() {
        assert!(begun.elapsed() < Duration::from_secs(20), "no one waits");
        thread::sleep(Duration::from_millis(5));
    }
}

enum End {
    Disabled,
    Deleted,
}

/// Ends the account of someone, on a connection of its own.
fn end(mut conn: AnyConnection, name: &str, how: &End) {
    let ended = conn::write(&mut conn, |conn| match how {
        End::Disabled => {
            let user = users::find_by_name(conn, name)?.expect("is there");
            changes::disable(conn, user.id, now()).map(|_| ())
        }
        End::Deleted => {
            let user = users::find_by_name(conn, name)?.expect("is there");
            changes::delete(conn, &user, "kept", now())
        }
    });
    ended.expect("the account is ended");
}

/// Stores these while the account of bob is ended: `first` is stopped at the gate, and the other comes then.
fn race(
    stage: &mut Stage,
    entries: Vec<(usize, Change)>,
    how: &End,
    (event, is_end_first): (&str, bool),
) -> Vec<Became> {
    let mut by_hand = stage.another();
    let ending = stage.another();
    close(&mut by_hand, event);
    let entries: Vec<_> = entries
        .into_iter()
        .map(|(who, change)| stage.entry(who, ROOM, change))
        .collect();
    thread::scope(|scope| {
        if is_end_first {
            let ended = scope.spawn(move || end(ending, "bob", how));
            until_waiting(&mut by_hand, 1, || ended.is_finished());
            let stored = scope.spawn(|| stage.became(&entries));
            until_waiting(&mut by_hand, 2, || stored.is_finished());
            open(&mut by_hand);
            ended.join().expect("ends");
            stored.join().expect("is stored")
        } else {
            let stored = scope.spawn(|| stage.became(&entries));
            until_waiting(&mut by_hand, 1, || stored.is_finished());
            let ended = scope.spawn(move || end(ending, "bob", how));
            until_waiting(&mut by_hand, 2, || ended.is_finished());
            open(&mut by_hand);
            ended.join().expect("ends");
            stored.join().expect("is stored")
        }
    })
}

fn join(stage: &Stage, who: usize) -> (usize, Change) {
    let (user, role) = (stage.people[who].user_id, Role::Member);
    (who, Change::Join { user, role })
}

#[test]
fn whoever_joins_a_room_while_the_account_is_deleted_is_no_member_afterwards() {
    on_both(|mut stage| {
        let bob = stage.people[1].user_id;
        let (user, role) = (bob, Role::Member);
        // Someone else's login: to end his own, one would wait for the join anyway.
        let entries = vec![(0, Change::Join { user, role })];
        race(&mut stage, entries, &End::Deleted, (COMING, false));
        let left = format!("memberships WHERE user_id = {bob}");
        assert_eq!(stage.count(&left), 0);
        stage.check();
    });
}

#[test]
fn whoever_is_deleted_is_not_brought_into_a_room_by_someone_who_saw_the_account() {
    on_both(|mut stage| {
        let bob = stage.people[1].user_id;
        let (user, role) = (bob, Role::Member);
        let entries = vec![(0, Change::Join { user, role })];
        let became = race(&mut stage, entries, &End::Deleted, (ENDING, true));
        if let AnyConnection::Postgres(_) = &stage.conn {
            assert_eq!(became, [Became::Refused(Code::UserNotFound)]);
        }
        let left = format!("memberships WHERE user_id = {bob}");
        assert_eq!(stage.count(&left), 0);
        stage.check();
    });
}

#[test]
fn a_room_that_is_given_to_someone_whose_account_is_disabled_meanwhile_has_another_owner() {
    on_both(|mut stage| {
        let members = [join(&stage, 1), join(&stage, 2)];
        for (who, change) in members {
            assert!(matches!(stage.one(who, change), Done(..)));
        }
        let [alice, bob] = [0, 1].map(|who: usize| stage.people[who].user_id);
        let give = Change::Member {
            user: bob,
            role: Some(Role::Owner),
            until: None,
        };
        let entries = vec![(0, give), (0, Change::Leave { user: alice })];
        // She has gone, by the fourth message, and an owner is there.
        let going = "INSERT ON messages FOR EACH ROW WHEN (NEW.id = 4)";
        race(&mut stage, entries, &End::Disabled, (going, false));
        let able = format!(
            "memberships JOIN users ON users.id = user_id \
             WHERE room_id = {ROOM} AND role = 'owner' AND disabled_at IS NULL"
        );
        assert_eq!(stage.count(&able), 1);
    });
}

/// Two transactions that wait for each other: `PostgreSQL` gives up the one that has waited for a second.
#[test]
fn what_the_database_gave_up_for_another_transaction_is_stored_all_the_same() {
    on_both(|stage| {
        let mut by_hand = stage.another();
        if let AnyConnection::Sqlite(_) = &by_hand {
            // There is one writer at a time.
            return;
        }
        // Whoever is in a transaction sees the others as they were at its beginning.
        let mut watch = stage.another();
        let (alice, mut log) = (stage.people[0].user_id, stage.log());
        run(
            &mut by_hand,
            &format!(
                "SET deadlock_timeout = '1min'; SET lock_timeout = 0; SET statement_timeout = 0; BEGIN; \
                 SELECT FROM users WHERE id = {alice} FOR UPDATE"
            ),
        );
        let entry = stage.post(0, ROOM, "words");
        let stored = thread::scope(|scope| {
            let entries = [&entry];
            let stored = scope.spawn(move || {
                let work = Work {
                    entries: &entries,
                    settings: &[],
                };
                log.store(work, now())
            });
            until_waiting(&mut watch, 1, || stored.is_finished());
            let room = format!("SELECT FROM rooms WHERE id = {ROOM} FOR UPDATE");
            run(&mut by_hand, &room);
            run(&mut by_hand, "COMMIT");
            stored.join().expect("no panic")
        });
        let stored = stored.expect("the message is stored").stored;
        assert!(
            matches!(stored[..], [Stored::Posted { id: 1, .. }]),
            "{stored:?}"
        );
    });
}
