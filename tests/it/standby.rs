//! PostgreSQL with a standby that every commit waits for: what a fail-over to it could lose is never acknowledged, also
//! when someone cancels the wait, which PostgreSQL reports as a success. (The names of the tests let a run without
//! PostgreSQL leave them out.)

use std::thread;

use serde_json::{Value, json};

use crate::support::{Cluster, PASSWORD, Response, User, eventually};

/// Slower than a commit that is believed, and sooner than Parlour gives it up by itself.
const TOO_SLOW: &str = "1200 ms";

/// The sessions of Parlour that have been waiting for the standby for so long.
fn waiting(cluster: &Cluster, age: &str) -> Vec<Option<String>> {
    cluster.query(&format!(
        "SELECT pid::text AS value FROM pg_stat_activity WHERE wait_event = 'SyncRep' \
         AND application_name LIKE 'parlour%' AND clock_timestamp() - query_start > '{age}'"
    ))
}

/// A standby that is not there is waited for, from now on.
fn want_standby(cluster: &Cluster) {
    cluster.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    cluster.execute("SELECT pg_reload_conf()");
    eventually("a standby is waited for", || {
        let now = "SELECT current_setting('synchronous_standby_names') AS value";
        (cluster.query(now) == [Some("nobody".to_owned())]).then_some(())
    });
    // It is the process of the check-points that tells the others.
    cluster.execute("CHECKPOINT");
}

fn want_no_standby(cluster: &Cluster) {
    // Not a change that waits itself.
    cluster.execute("ALTER SYSTEM RESET synchronous_standby_names");
    cluster.execute("SELECT pg_reload_conf()");
}

/// Ends the waits that are so old, and says how many that were.
fn cancel_waiting(cluster: &Cluster, age: &str) -> usize {
    let found = waiting(cluster, age);
    for pid in found.iter().flatten() {
        cluster.query(&format!("SELECT pg_cancel_backend({pid})::text AS value"));
        // Cancelled once: a second signal would meet what comes next, at its very beginning.
        eventually("the wait has ended", || {
            (!waiting(cluster, age).contains(&Some(pid.clone()))).then_some(())
        });
    }
    found.len()
}

/// A login, which is a change as well.
fn log_in(user: &User) -> Response {
    let body = json!({"username": user.name, "password": PASSWORD});
    user.http().post("/api/auth/login", &body)
}

mod a_commit_whose_wait_was_cancelled_is_not_acknowledged {
    use super::*;

    #[test]
    fn postgres() {
        let cluster = Cluster::start();
        let server = cluster.serve_as_owner();
        let alice = User::register(&server, "alice");
        let mut socket = alice.connect();
        assert_eq!(socket.say("before")["type"], "ack");
        want_standby(&cluster);
        let answer = thread::scope(|scope| {
            let post = scope.spawn(|| alice.post("kept?", Some("kept")));
            eventually("its wait is cancelled", || {
                (cancel_waiting(&cluster, TOO_SLOW) > 0).then_some(())
            });
            post.join().expect("posts")
        });
        assert_eq!(answer.status, 503, "{answer:?}");
        assert_eq!(answer.json()["code"], "outcome_unknown", "{answer:?}");
        // Nor is the retry, which finds it stored, nor any other change.
        for round in 0..3 {
            let answers = thread::scope(|scope| {
                let post = scope.spawn(|| alice.post("kept?", Some("kept")));
                let login = scope.spawn(|| log_in(&alice));
                while !(post.is_finished() && login.is_finished()) {
                    cancel_waiting(&cluster, TOO_SLOW);
                }
                [post.join().expect("posts"), login.join().expect("tries")]
            });
            for answer in answers {
                assert_eq!(answer.status, 503, "{round}: {answer:?}");
            }
        }
        want_no_standby(&cluster);
        let seq = eventually("the retry is answered", || {
            let answer = alice.post("kept?", Some("kept"));
            matches!(answer.status, 200 | 201).then(|| answer.json()["id"].clone())
        });
        assert_eq!(seq, 2);
        assert_eq!(alice.history().len(), 2);
        let heard = socket.expect(|frame| frame["id"] == 2 && frame["type"] == "message");
        assert_eq!(heard["content"], "kept?");
    }
}

/// A standby on another continent, or one with a slow disk, is slow at every commit. (The waits are ended from outside, which
/// is to Parlour as if the standby had confirmed then.)
mod a_commit_that_is_merely_slow_is_acknowledged {
    use super::*;

    #[test]
    fn postgres() {
        let cluster = Cluster::start();
        let server = cluster.serve_as_owner();
        let alice = User::register(&server, "alice");
        want_standby(&cluster);
        // On a loaded machine one may take too long; none of them may be quick.
        eventually("a slow commit is acknowledged", || {
            thread::scope(|scope| {
                let post = scope.spawn(|| alice.post("slow", Some("slow")));
                while !post.is_finished() {
                    cancel_waiting(&cluster, "500 ms");
                }
                matches!(post.join().expect("posts").status, 200 | 201).then_some(())
            })
        });
        want_no_standby(&cluster);
    }
}

/// Whoever becomes a member by a change that is stored and was not confirmed hears the room from then on all the same.
mod a_membership_whose_commit_was_not_confirmed_reaches_open_sockets {
    use super::*;

    #[test]
    fn postgres() {
        let cluster = Cluster::start();
        let server = cluster.serve_as_owner();
        let [alice, bob] = ["alice", "bob"].map(|name| User::register(&server, name));
        let garden = alice.make_room("garden", "public", &[]);
        let secret = alice.make_room("secret", "private", &[]);
        let (mut hers, mut his) = (alice.connect(), bob.connect());
        let join = || {
            let path = format!("/members/{}", bob.name);
            bob.in_room("PUT", &garden, &path, &json!({}))
        };
        let invite = || {
            let path = format!("/members/{}", bob.name);
            alice.in_room("PUT", &secret, &path, &json!({}))
        };
        let begin = || {
            let new = json!({"name": "orchard", "kind": "private", "users": [bob.name]});
            alice.http().post("/api/rooms", &new)
        };
        let direct = || {
            let new = json!({"users": [alice.name]});
            bob.http().post("/api/direct", &new)
        };
        want_standby(&cluster);
        let acts: [&(dyn Fn() -> Response + Sync); 4] = [&join, &invite, &begin, &direct];
        for (number, act) in acts.into_iter().enumerate() {
            let answer = thread::scope(|scope| {
                let act = scope.spawn(act);
                while !act.is_finished() {
                    cancel_waiting(&cluster, TOO_SLOW);
                }
                act.join().expect("acts")
            });
            assert_eq!(answer.status, 503, "{number}: {answer:?}");
            assert_eq!(answer.json()["code"], "outcome_unknown", "{answer:?}");
        }
        want_no_standby(&cluster);
        // What is unknown may not have come about. No one asks again: he hears of whatever has, of each room with all that its
        // first members are told.
        let rooms = bob.http().get("/api/rooms").expect(200).json();
        let rooms = rooms.as_array().expect("rooms").iter();
        let mut listed: Vec<_> = rooms
            .filter(|room| room["room"] != "general")
            .map(|room| (room["kind"].clone(), room["name"].clone()))
            .collect();
        listed.sort_by_key(|(_, name)| name.to_string());
        assert!(!listed.is_empty(), "the first one is stored");
        let mut heard = Vec::new();
        while heard.len() < listed.len() {
            let room = his.expect(|frame| frame["type"] == "room");
            assert!(room["gone"].is_null(), "{room}");
            heard.push((room["kind"].clone(), room["name"].clone()));
            if room["kind"] == "direct" {
                assert_eq!(room["users"].as_array().map(Vec::len), Some(2), "{room}");
            }
        }
        heard.sort_by_key(|(_, name)| name.to_string());
        assert_eq!(heard, listed);
        // So does she, of those that were is_new.
        let is_new = |(kind, name): &&(Value, Value)| kind == "direct" || name == "orchard";
        for _ in listed.iter().filter(is_new) {
            let room = hers.expect(|frame| frame["type"] == "room");
            assert!(
                room["kind"] == "direct" || room["name"] == "orchard",
                "{room}"
            );
        }
        for room in [&garden, &secret] {
            let path = format!("/members/{}", bob.name);
            let again = if room == &garden { &bob } else { &alice };
            let answer = again.in_room("PUT", room, &path, &json!({}));
            assert_eq!(answer.status / 100, 2, "{answer:?}");
            his.send_json(&json!({"type": "message", "room": room, "content": "here"}));
            // The ack and the message itself come in any order: he hears the room.
            his.expect(|frame| frame["type"] == "message" && frame["room"] == **room);
        }
        his.send_json(&json!({"type": "sync", "rooms": {garden.clone(): 0, secret.clone(): 0}}));
        let synced = his.expect(|frame| frame["type"] == "synced");
        for room in [&garden, &secret] {
            assert_eq!(synced["rooms"][room]["complete"], true, "{synced}");
        }
    }
}
