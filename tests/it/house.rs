//! The rules of the house, held up by reading the sources: who may know whom, who may name which crate, and how long a
//! file may get. Modules of unit tests are left out of the count: they may know what they need.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

mod source;

/// A room, and the rooms that it may know.
type Room = (&'static str, &'static [&'static str]);

/// Doors know `chat`; `chat` knows the stores; all know `protocol` and `error`. It never goes the other way.
const ROOMS: &[Room] = &[
    ("error", &["protocol"]),
    ("protocol", &[]),
    ("config", &["protocol", "error", "ownership"]),
    ("ownership", &[]),
    ("clock", &["protocol"]),
    ("logging", &["protocol", "config"]),
    ("gate", &["error"]),
    ("crypto", &["error"]),
    ("db", &["protocol", "error", "config", "gate", "ownership"]),
    (
        "journal",
        &["protocol", "error", "clock", "config", "gate", "db"],
    ),
    ("hub", &["protocol", "error", "config"]),
    // The bundle holds what `chat` keeps between calls (rates, tickets), so these two know each other.
    (
        "app",
        &[
            "protocol", "error", "clock", "config", "gate", "crypto", "db", "journal", "hub",
            "chat",
        ],
    ),
    (
        "chat",
        &[
            "protocol",
            "error",
            "config",
            "gate",
            "crypto",
            "db",
            "journal",
            "hub",
            "app",
            "ownership",
        ],
    ),
    ("ws", &["protocol", "error", "config", "app", "chat", "hub"]),
    (
        "http",
        &[
            "protocol", "error", "config", "logging", "app", "chat", "hub", "ws",
        ],
    ),
    ("printing", &[]),
    ("tui", &["protocol", "config", "printing"]),
    // The demo is people at a client, so it speaks to its server with the terminal client's network code.
    (
        "ops",
        &[
            "protocol",
            "error",
            "config",
            "gate",
            "crypto",
            "db",
            "journal",
            "app",
            "chat",
            "http",
            "tui",
            "printing",
            "ownership",
        ],
    ),
];

/// These put the rooms together, so they may know all of them.
const DOORSTEPS: &[&str] = &["main", "lib", "cli"];

/// A path that only some rooms may name.
const KEPT: &[Room] = &[
    ("diesel", &["db"]),
    ("diesel_migrations", &["db"]),
    ("r2d2", &["db"]),
    ("actix", &["hub", "ws"]),
    ("actix_web_actors", &["ws"]),
    ("actix_web", &["ws", "http"]),
    ("actix_server", &["http"]),
    ("actix_service", &["http", "tui"]),
    ("actix_http", &["http", "tui"]),
    ("actix_codec", &["http", "tui"]),
    ("std::env", &["config"]),
];

const MOST_LINES: usize = 450;
const UNFINISHED: [&str; 3] = ["todo", "unimplemented", "dbg"];
/// They panic when the reader of a pipe has gone or the disk is full; src/printing.rs does not.
const PANICKING: [&str; 4] = ["print", "println", "eprint", "eprintln"];
const SAYS_NOTHING: [&str; 8] = [
    "utils", "util", "helpers", "helper", "common", "manager", "service", "misc",
];

/// What a file of `src/` does against the rules; `path` is relative to `src/`.
fn faults(path: &str, text: &str) -> Vec<String> {
    let modules: Vec<&str> = path.trim_end_matches(".rs").split('/').collect();
    let room = modules[0];
    let code = source::without_tests(&source::code_only(text));
    let mut faults = Vec::new();

    let lines = code.lines().count();
    if lines > MOST_LINES {
        faults.push(format!(
            "{path} has {lines} lines besides its tests: split it, {MOST_LINES} are the most"
        ));
    }
    for word in modules.iter().filter(|name| SAYS_NOTHING.contains(name)) {
        faults.push(format!("{path}: `{word}` does not say what it is about"));
    }
    for name in source::macros(&code) {
        if UNFINISHED.contains(&name.as_str()) || PANICKING.contains(&name.as_str()) {
            faults.push(format!("{path} calls {name}!"));
        }
    }
    let may_know = ROOMS.iter().find(|(name, _)| *name == room);
    if may_know.is_none() && !DOORSTEPS.contains(&room) {
        faults.push(format!(
            "{path}: the room `{room}` stands in no rule; add it to ROOMS"
        ));
    }
    for named in source::paths(&code) {
        let named = absolute(&modules, named);
        if let (Some((_, may_know)), ["crate", other, ..]) = (may_know, parts(&named).as_slice())
            && *other != room
            && ROOMS.iter().any(|(name, _)| name == other)
            && !may_know.contains(other)
        {
            faults.push(format!(
                "{path} names crate::{other}, which {room} may not know"
            ));
        }
        let spelled = named.join("::");
        for (kept, by) in KEPT {
            if (spelled == *kept || spelled.starts_with(&format!("{kept}::")))
                && !by.contains(&room)
            {
                faults.push(format!("{path} names {kept}, which only {by:?} may"));
            }
        }
    }
    faults.sort();
    faults.dedup();
    faults
}

fn parts(path: &[String]) -> Vec<&str> {
    path.iter().map(String::as_str).collect()
}

/// `super::` and `self::` written out from the crate's root.
fn absolute(modules: &[&str], named: Vec<String>) -> Vec<String> {
    let mut at: Vec<&str> = modules
        .iter()
        .copied()
        .filter(|name| !["mod", "lib", "main"].contains(name))
        .collect();
    let steps = named.iter().take_while(|part| *part == "super").count();
    if steps == 0 && named[0] != "self" {
        return named;
    }
    at.truncate(at.len().saturating_sub(steps));
    let rest = named.iter().skip(steps.max(1)).map(String::as_str);
    ["crate"]
        .into_iter()
        .chain(at)
        .chain(rest)
        .map(str::to_owned)
        .collect()
}

/// What a committed file may tell of the machine it was made on: the address of a package registry.
fn registry_faults(name: &str, text: &str) -> Vec<String> {
    let telling: &[&str] = match name {
        "package-lock.json" | "npm-shrinkwrap.json" => &["\"resolved\""],
        ".npmrc" | "pip.conf" | "requirements.txt" => &["registry", "index-url", "://"],
        _ => &[],
    };
    telling
        .iter()
        .filter(|word| text.contains(**word))
        .map(|word| format!("{name} holds {word}, which names a registry: take it out"))
        .collect()
}

fn files(folder: &Path, skip: &[&str], found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(folder)
        .expect("a folder that can be read")
        .map(|entry| entry.expect("an entry that can be read").path())
        .collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_symlink() || skip.contains(&name.as_ref()) {
            continue;
        }
        if path.is_dir() {
            files(&path, skip, found);
        } else {
            found.push(path);
        }
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn imports_point_one_way_and_files_stay_short() {
    let src = root().join("src");
    let mut sources = Vec::new();
    files(&src, &[], &mut sources);
    sources.retain(|path| path.extension().is_some_and(|ext| ext == "rs"));
    assert!(sources.len() > 5, "the sources are not where they were");
    let faults: Vec<String> = sources
        .iter()
        .flat_map(|path| {
            let text = fs::read_to_string(path).expect("a source that can be read");
            let name = path.strip_prefix(&src).expect("a path under src");
            faults(&name.to_string_lossy(), &text)
        })
        .collect();
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn no_committed_file_names_a_package_registry() {
    let mut all = Vec::new();
    let not_ours = [".git", "target", "node_modules", "data"];
    files(root(), &not_ours, &mut all);
    let faults: Vec<String> = all
        .iter()
        .flat_map(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let text = fs::read_to_string(path).unwrap_or_default();
            registry_faults(&name, &text)
        })
        .collect();
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

/// scripts/controls takes the guards out with these, one at a time. Applying is cheap to see; the script sees the rest.
#[test]
fn every_control_still_fits_the_sources() {
    let mut patches = Vec::new();
    files(&root().join("tests/controls"), &[], &mut patches);
    assert!(patches.len() > 3, "the controls are not where they were");
    if Command::new("git").arg("--version").output().is_err() {
        println!("skipped: git is not installed");
        return;
    }
    for patch in patches {
        let output = Command::new("git")
            .args(["apply", "--check", "--include=src/*", "--verbose"])
            .arg(&patch)
            // Inside somebody else's repository, git would leave out what is not at its top.
            .env("GIT_CEILING_DIRECTORIES", root().parent().unwrap_or(root()))
            .current_dir(root())
            .output()
            .expect("git runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && said.contains("Checking patch src/"),
            "{} does not fit any more. Take that guard out by hand in a clean tree, and write it anew: \
             git diff -- src >{0}; git checkout -- src\n{said}",
            patch.strip_prefix(root()).unwrap_or(&patch).display()
        );
    }
}

/// The rules can fail: each of these breaks one.
#[test]
fn a_broken_rule_is_seen() {
    let long = "fn f() {}\n".repeat(MOST_LINES + 1);
    for (path, text, expected) in [
        ("http/routes.rs", "use crate::db::users;", "crate::db"),
        (
            "tui/net.rs",
            "use crate::{config, error::Error};",
            "crate::error",
        ),
        (
            "hub/registry.rs",
            "use super::super::chat::rooms;",
            "crate::chat",
        ),
        ("crypto/mod.rs", "use super::db;", "crate::db"),
        (
            "protocol/event.rs",
            "fn f() { crate::hub::publish(); }",
            "crate::hub",
        ),
        (
            "chat/mod.rs",
            "#[derive(diesel::Queryable)] struct A;",
            "diesel",
        ),
        ("chat/mod.rs", "use ::diesel::prelude::*;", "diesel"),
        ("journal/mod.rs", "use actix as a;", "actix"),
        (
            "chat/mod.rs",
            "pub use actix_web::{HttpRequest, web::Data};",
            "actix_web",
        ),
        (
            "hub/mod.rs",
            "use actix_web_actors::ws;",
            "actix_web_actors",
        ),
        ("db/conn.rs", "use std::{env, fs};", "std::env"),
        ("main.rs", "fn f() { std::env::var(X); }", "std::env"),
        ("chat/rooms.rs", "fn f() { todo!() }", "todo!"),
        ("ops/users.rs", "fn f() { println!(\"{x}\") }", "println!"),
        ("chat/helpers.rs", "", "`helpers`"),
        ("mail/mod.rs", "", "`mail` stands in no rule"),
        ("chat/long.rs", &long, "lines"),
    ] {
        let found = faults(path, text);
        assert!(
            found.len() == 1 && found[0].contains(expected),
            "{path}: {text:.60} gave {found:?}"
        );
    }
    assert_eq!(
        registry_faults("package-lock.json", "{\"resolved\": \"…\"}").len(),
        1
    );
    assert_eq!(registry_faults(".npmrc", "registry=…").len(), 1);
}

/// And they leave alone what only looks like a broken one.
#[test]
fn comments_strings_tests_and_like_names_break_no_rule() {
    for (path, text) in [
        (
            "tui/net.rs",
            "// use crate::db;\n/* crate::db /* a */ diesel::x */\nfn f() {}",
        ),
        (
            "tui/net.rs",
            "const A: &str = \"use crate::db; \\\" diesel::x\";",
        ),
        (
            "tui/net.rs",
            "const A: &str = r#\"\" diesel::x\"#; const B: char = '\"'; fn f<'a>(b: &'a u8) {}",
        ),
        (
            "tui/net.rs",
            "const A: char = '\\''; const B: &[u8] = b\"diesel::x\"; const C: &[u8] = br\"diesel::x\\\";",
        ),
        (
            "tui/net.rs",
            "#[cfg(test)]\nmod tests {\n use crate::db;\n fn f() { if true { diesel::x() } }\n}\n",
        ),
        (
            "chat/mod.rs",
            "use crate::{app::App, db, hub}; fn f() { let version = env!(\"X\"); }",
        ),
        ("chat/mod.rs", "fn f(diesel: u8) -> bool { diesel != 3 }"),
        (
            "ws/session.rs",
            "use super::frame; use crate::ws::guard; use actix_web::HttpRequest;",
        ),
    ] {
        assert_eq!(faults(path, text), Vec::<String>::new(), "{text}");
    }
    assert_eq!(
        faults("tui/a.rs", "#[cfg(test)]\nmod tests;\nuse crate::db;").len(),
        1,
        "what follows a test module counts again"
    );
}
