//! Whoever reads much makes only itself wait.

use std::{sync::mpsc, time::Duration};

use crate::{
    config::{DatabaseUrl, Storage},
    db::{
        AnyConnection, Db, conn, migrate,
        sessions::{self, Claim},
        users::{self, NewUser},
    },
    gate::Urgency,
};

/// Someone with a login.
fn claim(conn: &mut AnyConnection, username: &str) -> Claim {
    let now = crate::protocol::time::now();
    let user = NewUser {
        username,
        password_hash: "",
        created_at: now,
        deleted: &[],
    };
    let user_id = users::insert(conn, &user).expect("inserts").expect("new");
    let ends = now + chrono::TimeDelta::days(1);
    Claim {
        id: sessions::insert(conn, user_id, "", now, ends).expect("logs in"),
        user_id,
        at: now,
    }
}

/// A reading goes on when nobody waits for it any more, and as long as it does, it has its place.
#[tokio::test(flavor = "current_thread")]
async fn whoever_asks_for_what_is_hard_to_find_makes_only_itself_wait() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = DatabaseUrl::Sqlite(folder.path().join("parlour.db"));
    let mut conn = conn::open(&url).expect("opens");
    migrate::run(&mut conn).expect("migrates");
    let [greedy, other] = ["greedy", "other"].map(|name| claim(&mut conn, name));
    let db = Db::new(&Storage {
        data_dir: folder.path().to_owned(),
        database_url: url,
        is_default: true,
        pool_size: 4,
        wait: Duration::ZERO,
    })
    .expect("starts");
    let (begun, begins) = mpsc::channel();
    let mut held = Vec::new();
    let hard = (0..8).map(|_| {
        let (release, released) = mpsc::channel::<()>();
        held.push(release);
        let (db, begun) = (db.clone(), begun.clone());
        async move {
            let query = move |_: &mut AnyConnection, _| {
                let _the_test_listens = begun.send(());
                let _until_then = released.recv();
                Ok(())
            };
            db.read_as(greedy, Urgency::Urgent, query).await
        }
    });
    let hard: Vec<_> = hard.collect();
    for refused in futures_util::future::join_all(hard).await {
        assert!(refused.is_err(), "none of them ends");
    }
    assert_eq!(begins.try_iter().count(), 2, "so many are at work");
    let easy = |claim| db.read_as(claim, Urgency::CanWait, |_, _| Ok(()));
    assert_eq!(easy(other).await, Ok(()), "someone else is served");
    assert!(easy(greedy).await.is_err(), "the threads are still at work");
    drop(held);
    assert_eq!(easy(greedy).await, Ok(()), "they have ended");
}
