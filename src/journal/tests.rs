//! The journal on a database of its own: what is announced is stored, and comes in order.

use std::{sync::mpsc, time::Duration};

use super::*;
use crate::{
    db::{
        conn,
        messages::{self, Cursor},
        migrate,
        rooms::GENERAL_ID,
        sessions,
        users::{self, NewUser},
    },
    protocol::time::now,
};

fn entry(user_id: i64, session_id: i64, number: usize) -> Entry {
    let text = format!("message {number}");
    Entry {
        room: GENERAL_ID,
        actor: Actor {
            user_id,
            username: "alice".into(),
            session_id,
        },
        change: Change::Post(Post {
            body: Body {
                sealed: text.clone(),
                text,
            },
            client_id: Some(format!("c{number}")),
            reply_to: None,
            thread: None,
            also_to_room: false,
            candidates: Vec::new(),
            later: None,
        }),
    }
}

/// Publish comes after the commit, and the ack after that; both in the order of the numbers. Sockets would make up for
/// announcements in another order by reading what they miss, so no one else would see that they are.
#[test]
fn what_is_announced_is_stored_and_comes_in_the_order_of_its_numbers() {
    const COUNT: usize = 300;
    let folder = tempfile::tempdir().expect("a folder");
    let url = DatabaseUrl::Sqlite(folder.path().join("parlour.db"));
    let storage = Storage {
        data_dir: folder.path().to_owned(),
        database_url: url.clone(),
        is_default: true,
        pool_size: 1,
        wait: Duration::ZERO,
    };
    let mut conn = conn::open(&url).expect("opens");
    migrate::run(&mut conn).expect("migrates");
    let alice = NewUser {
        username: "alice",
        password_hash: "",
        created_at: now(),
        deleted: &[],
    };
    let alice = users::insert(&mut conn, &alice)
        .expect("inserts")
        .expect("alice is new");
    let clock = Clock::start();
    let ends = clock.now() + chrono::TimeDelta::days(1);
    let session = sessions::insert(&mut conn, alice, "", now(), ends).expect("logs in");
    let vault = Arc::new(Vault::new("a key").expect("a key"));
    let (tell, announcements) = mpsc::channel();
    let announcer = || {
        let (tell, mut conn) = (tell.clone(), conn::open(&url).expect("opens"));
        move |news| {
            let News::Committed(committed) = news else {
                return;
            };
            let ids: Vec<_> = committed.iter().map(|change| change.id).collect();
            for Committed { room_id, id, .. } in committed {
                let before = i64::try_from(id).expect("small") - 1;
                let found = messages::list(&mut conn, room_id, Cursor::Since(before), 1);
                assert_eq!(
                    found.expect("reads").len(),
                    1,
                    "{id} is announced, not stored"
                );
            }
            tell.send(ids).expect("the test listens");
        }
    };
    let (journal, writers) = Journal::start(&storage, clock, &vault, announcer).expect("starts");
    let pending: Vec<_> = (1..=COUNT)
        .map(|number| {
            journal
                .append(entry(alice, session, number))
                .expect("is accepted")
        })
        .collect();
    let mut so_far = Vec::new();
    let mut largest = 0;
    for (pending, wanted) in pending.into_iter().zip(1..) {
        let receipt = pending.blocking_recv().expect("is answered");
        let Ok(Outcome::Applied { id, .. }) = receipt else {
            panic!("{wanted} was answered with {receipt:?}");
        };
        assert_eq!(id, wanted, "numbers are in the order of the sends");
        for ids in announcements.try_iter() {
            largest = largest.max(ids.len());
            so_far.extend(ids);
        }
        assert!(so_far.contains(&id), "{id} is acked, not announced");
    }
    assert!(largest > 1, "nothing was committed together");
    assert!(so_far.into_iter().eq(1..=COUNT as u64));
    drop(journal);
    writers.join();
}
