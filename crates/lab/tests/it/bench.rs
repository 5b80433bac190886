//! Anyone can measure what this server costs: `parlour-lab bench` prints numbers with their floors and targets, and every
//! line that it knows is described.

use std::{os::unix::fs::PermissionsExt as _, path::Path, process::Command};

use serde_json::Value;

use parlour_lab::rig::postgres::{Postgres, Programs};

use crate::{has_postgres, lab};

fn bench(args: &[&str]) -> Command {
    let mut command = lab("bench");
    command.args(args);
    command
}

/// The number that a run gave for what ends with `what`, and whether its target was met.
fn number(report: &Value, what: &str) -> (f64, String) {
    let rows = report["rows"].as_array().expect("rows");
    let row = rows
        .iter()
        .find(|row| {
            row["what"]
                .as_str()
                .is_some_and(|name| name.ends_with(what))
        })
        .unwrap_or_else(|| panic!("no row {what:?} in {report:#}"));
    let verdict = row["verdict"].as_str().expect("a verdict").to_owned();
    (row["measured"].as_f64().expect("a number"), verdict)
}

#[test]
fn everyone_who_was_cut_off_comes_back_without_a_password() {
    let folder = tempfile::tempdir().expect("a folder");
    come_back(folder.path(), &[]);
}

#[test]
fn everyone_who_was_cut_off_from_a_server_on_postgres_comes_back_without_a_password() {
    if !has_postgres() {
        println!("skipped: PARLOUR_TEST_POSTGRES_URL is not set, so PostgreSQL is left out");
        return;
    }
    let open_to_all = std::fs::Permissions::from_mode(0o755);
    let folder = tempfile::Builder::new()
        .permissions(open_to_all)
        .tempdir()
        .expect("a folder");
    let programs = Programs::find().expect("PostgreSQL is installed");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let cluster = Postgres::start(&programs, &folder.path().join("postgres"))
            .await
            .expect("starts");
        cluster.create("bench").await.expect("a database");
        let url = cluster.url(cluster.addr(), "bench");
        come_back(folder.path(), &["--database-url", &url]);
    });
}

fn come_back(folder: &Path, database: &[&str]) {
    let mut command = bench(&["reconnect", "durable", "--json"]);
    command
        .args(["--sockets", "45", "--seconds", "1", "--senders", "10"])
        .arg("--data-dir")
        .arg(folder)
        .args(database);
    let output = command.output().expect("runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    // How quickly the others' sends are acked is for the bench on a quiet machine, not for a test.
    for (what, wanted) in [("back and synced", 100.0), ("password threads woken", 0.0)] {
        assert_eq!(number(&report, what), (wanted, "met".into()), "{report:#}");
    }
    let (together, _) = number(&report, "messages in a commit");
    assert!((1.0..=10.0).contains(&together), "{together}");
}

#[test]
fn every_line_of_the_bench_is_described() {
    let help = bench(&["--help"]).output().expect("runs").stdout;
    let help = String::from_utf8(help).expect("text");
    let lines: Vec<&str> = help
        .lines()
        .skip_while(|line| !line.contains("Possible values:"))
        .map_while(|line| match line.trim().strip_prefix("- ") {
            Some(value) => Some(value.split_once(':').map(|(name, _)| name)),
            None => line.contains("Possible values:").then_some(None),
        })
        .flatten()
        .collect();
    assert!(lines.len() >= 9, "{lines:?}");
    let page = include_str!("../../../../docs/PERFORMANCE.md");
    for line in lines {
        assert!(
            page.contains(&format!("\n| `{line}` |")),
            "docs/PERFORMANCE.md says nothing of {line}"
        );
    }
}

#[test]
fn a_crowded_room_and_people_who_come_and_go_are_measured() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = bench(&["crowd", "presence", "--json"]);
    command
        .args(["--members", "30", "--sockets", "60", "--seconds", "4"])
        .arg("--data-dir")
        .arg(folder.path());
    let output = command.output().expect("runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    // What it costs is for the bench on a quiet machine, not for a test.
    for what in [
        "a message to 30 members",
        "a message with mentions to 30 members",
    ] {
        let cpu = format!("crowd, {what}: CPU of server and database");
        assert!(number(&report, &cpu).0 > 0.0, "{report:#}");
    }
    let strangers = number(&report, "strangers who were told of");
    assert_eq!(strangers, (0.0, "met".into()), "{report:#}");
    let (each, _) = number(&report, "frames to one socket, on average");
    assert!(each > 0.0, "{report:#}");
    let (_, most) = number(&report, "frames to one socket, at most");
    assert_eq!(most, "met", "{report:#}");
    assert!(number(&report, "came").0 > 0.0, "{report:#}");
}
