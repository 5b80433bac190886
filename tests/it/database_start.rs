//! A start on a PostgreSQL that is not ready: it is waited for when it is only late, and named when waiting would not
//! help.

use std::{fs, path::Path, thread};

use crate::support::{Cluster, Finished, eventually, run};

/// Starts a server while the cluster cannot answer, has it answer once the server has said that it waits, and sees it
/// serve.
fn expect_wait(cluster: &Cluster, stop: impl Fn(), go_on: impl Fn()) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_owned();
    let builder = cluster.server().in_folder(folder);
    stop();
    let server = thread::scope(|scope| {
        let starting = scope.spawn(|| builder.start());
        let has_said = |words: &str| {
            let log = fs::read_to_string(path.join("log")).unwrap_or_default();
            log.contains(words) || starting.is_finished()
        };
        eventually("it says that it waits", || {
            has_said("waiting up to 60 s").then_some(())
        });
        go_on();
        starting.join().expect("it starts")
    });
    assert_eq!(
        server.log().matches("waiting up to").count(),
        1,
        "{}",
        server.log()
    );
    assert!(server.log().contains("is there after"), "{}", server.log());
    server.http().get("/ready").expect(200);
}

/// Their names let a run without PostgreSQL leave them out.
mod one_that_is_not_started_yet_is_waited_for {
    use super::*;

    #[test]
    fn postgres() {
        let cluster = Cluster::start();
        expect_wait(&cluster, || cluster.halt(), || cluster.resume());
    }
}

/// As on a machine that has just booted, or has too much to do: connections are made and not answered.
mod one_that_is_slow_to_answer_is_waited_for {
    use super::*;

    #[test]
    fn postgres() {
        let cluster = Cluster::start();
        expect_wait(
            &cluster,
            || cluster.signal("STOP"),
            || cluster.signal("CONT"),
        );
    }
}

fn serve(folder: &Path, url: &str, more: &[(&str, &str)]) -> Finished {
    let mut env = vec![("PORT", "0"), ("DATABASE_URL", url)];
    env.extend(more);
    run(&["serve"], &env, folder)
}

fn expect_refusal(ended: &Finished, words: &[&str]) {
    assert_eq!(ended.status.code(), Some(2), "{ended:?}");
    for words in words {
        assert!(
            ended.stderr.contains(words),
            "not {words:?}: {}",
            ended.stderr
        );
    }
    assert!(!ended.stderr.contains("waiting up to"), "{ended:?}");
}

mod a_wrong_password_or_name_ends_the_start_at_once {
    use super::*;

    #[test]
    fn postgres() {
        let folder = tempfile::tempdir().expect("a folder");
        let cluster = Cluster::start();
        let base = url::Url::parse(&cluster.url()).expect("a URL");
        let changed = |change: &dyn Fn(&mut url::Url)| {
            let mut url = base.clone();
            change(&mut url);
            serve(folder.path(), url.as_str(), &[])
        };
        let ended = changed(&|url| url.set_password(Some("hunter2")).expect("sets"));
        expect_refusal(
            &ended,
            &["refuses the user or the password", "DATABASE_URL"],
        );
        assert!(!ended.stderr.contains("hunter2"), "{ended:?}");
        expect_refusal(
            &changed(&|url| url.set_username("nobody").expect("sets")),
            &["refuses the user or the password", "nobody"],
        );
        expect_refusal(
            &changed(&|url| url.set_path("nowhere")),
            &["does not exist", "CREATE DATABASE", "nowhere"],
        );
    }
}

#[test]
fn one_that_does_not_come_is_given_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let ended = serve(
        folder.path(),
        "postgres://u:hunter2@127.0.0.1:1/x",
        &[("DATABASE_WAIT_SECONDS", "1")],
    );
    assert_eq!(ended.status.code(), Some(2), "{ended:?}");
    assert!(ended.stderr.contains("waiting up to 1 s"), "{ended:?}");
    assert!(ended.stderr.contains("cannot be reached"), "{ended:?}");
    assert!(!ended.stderr.contains("hunter2"), "{ended:?}");
}
