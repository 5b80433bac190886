//! The web client and the documents in a real browser: what a person sees, what hostile text does (nothing), what is left
//! after the server was killed. The steps are in `tests/browser`; this starts the server, does to it what the steps ask for,
//! and judges the end.

use std::{
    env,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::support::{Backend, Server, root, run};

/// The program that is missing on this machine, if one is. In CI none may be.
fn missing() -> Option<&'static str> {
    let chromium = env::var("CHROMIUM").unwrap_or_else(|_| "/usr/bin/chromium".into());
    let has_node = Command::new("node")
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success());
    match (has_node, Path::new(&chromium).exists()) {
        (true, true) => None,
        (false, _) => Some("Node.js"),
        (_, false) => Some("Chromium"),
    }
}

/// The folder of the steps, with what they need installed.
fn folder() -> PathBuf {
    let folder = root().join("tests/browser");
    let has = |name| folder.join("node_modules").join(name).exists();
    if !has("playwright-core/package.json") || !has("axe-core/package.json") {
        let status = Command::new("npm")
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            .current_dir(&folder)
            .status()
            .expect("npm runs");
        assert!(status.success(), "npm ci failed in tests/browser");
    }
    folder
}

/// A value that is set where a person types hides a page that no one can type into.
#[test]
fn the_browser_is_driven_by_keys_and_a_pointer_alone() {
    for name in [
        "hands.mjs",
        "web-story.mjs",
        "web-sending.mjs",
        "web-places.mjs",
        "web-edges.mjs",
        "web-hands.mjs",
        "web-keys.mjs",
        "web-pictures.mjs",
    ] {
        let path = root().join("tests/browser");
        let steps = std::fs::read_to_string(path.join(name)).expect("a text");
        for way_around in [
            ".fill(",
            ".setInputFiles(",
            ".insertText(",
            ".pressSequentially(",
            ".dispatchEvent(",
            ".selectOption(",
            ".check(",
            ".focus(",
            ".value =",
            "setItem(",
            "$eval(",
        ] {
            assert!(!steps.contains(way_around), "{name} uses {way_around}");
        }
    }
}

fn disable(server: &Server, name: &str) {
    let data_dir = server.data_dir().display().to_string();
    let env = [
        ("DATA_DIR", data_dir.as_str()),
        ("DATABASE_URL", server.database.url.as_str()),
    ];
    let ended = run(&["users", "disable", name], &env, server.folder());
    assert!(ended.status.success(), "{}", ended.stderr);
}

// The pages do not know which database is behind the server, so one is enough.
#[test]
fn people_live_with_the_web_client() {
    drive("web-story.mjs");
}

/// They are in `docs/img`, and made anew with `PARLOUR_WRITE_PICTURES`: what the documents show is what one gets.
#[test]
fn the_pictures_of_the_documents_can_be_made() {
    drive("web-pictures.mjs");
}

/// Runs steps in a browser against two servers, and does to the first what they ask for.
fn drive(steps: &str) {
    if let Some(program) = missing() {
        assert!(env::var_os("CI").is_none(), "{program} is missing here");
        println!("The test in a browser was skipped, because {program} is not installed.");
        return;
    }
    let mut server = Server::start(Backend::Sqlite);
    let hurried = Server::with(Backend::Sqlite)
        .env("RATE_LIMITS", "on")
        .env("MESSAGES_PER_SECOND", 1)
        .env("MESSAGE_BURST", 3)
        .env("MAX_CONTENT_BYTES", 1_000)
        .env("MAX_FRAME_BYTES", 1_512)
        .start();
    let mut steps = Command::new("node")
        .arg(steps)
        .args([server.url(), hurried.url()])
        .current_dir(folder())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node runs");
    let mut answer = steps.stdin.take().expect("piped");
    let told = BufReader::new(steps.stdout.take().expect("piped"));
    for line in told.lines() {
        let line = line.expect("text");
        println!("{line}");
        match line.as_str() {
            "server: kill" => server.kill9(),
            "server: start" => server.start_again(),
            "server: pause" => server.signal("STOP"),
            "server: resume" => server.signal("CONT"),
            _ => match line.strip_prefix("server: disable ") {
                Some(name) => disable(&server, name),
                None => continue,
            },
        }
        writeln!(answer, "done").expect("the steps listen");
    }
    let status = steps.wait().expect("node ends");
    assert!(status.success(), "a step failed; see above");
}
