//! The rules of the house, held up by reading the sources: who may know whom, who may name which crate, and how long a
//! file may get. Modules of unit tests are left out of the count: they may know what they need.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

mod migrations;
mod rooms;
mod source;

use rooms::{DOORSTEPS, KEPT, PACKAGES, ROOMS};
use source::Named;

use crate::support::root;

const MOST_LINES: usize = 450;
const UNFINISHED: [&str; 3] = ["todo", "unimplemented", "dbg"];
/// They panic when the reader of a pipe has gone or the disk is full; crates/output does not.
const PANICKING: [&str; 4] = ["print", "println", "eprint", "eprintln"];
const SAYS_NOTHING: [&str; 8] = [
    "utils", "util", "helpers", "helper", "common", "manager", "service", "misc",
];

/// What a file does against the rules; `path` is relative to `src/`, or to `crates/` of a package beside the server.
fn faults(path: &str, text: &str) -> Vec<String> {
    let (package, path) = match path.split_once("/src/") {
        Some((package, path)) => (Some(package), path),
        None => (None, path),
    };
    let modules: Vec<&str> = path.trim_end_matches(".rs").split('/').collect();
    let room = package.unwrap_or(modules[0]);
    let place = [package.unwrap_or_default(), "/", &modules.join("/")].concat();
    let place = place.trim_start_matches('/');
    let named = match Named::read(text) {
        Ok(named) => named,
        Err(error) => return vec![format!("{place} cannot be read: {error}")],
    };
    let mut faults = Vec::new();

    let lines = named.lines(text);
    if lines > MOST_LINES {
        faults.push(format!(
            "{place} has {lines} lines besides its tests: split it, {MOST_LINES} are the most"
        ));
    }
    for word in modules.iter().filter(|name| SAYS_NOTHING.contains(name)) {
        faults.push(format!("{place}: `{word}` does not say what it is about"));
    }
    for name in &named.macros {
        if UNFINISHED.contains(&name.as_str()) || PANICKING.contains(&name.as_str()) {
            faults.push(format!("{place} calls {name}!"));
        }
    }
    match package {
        Some(package) => foreign_packages(package, place, &named, &mut faults),
        None => foreign_rooms(&modules, place, &named, &mut faults),
    }
    for path in &named.paths {
        let spelled = path.join("::");
        for (kept, by) in KEPT {
            let is_named = spelled == *kept || spelled.starts_with(&format!("{kept}::"));
            if is_named && !by.contains(&room) && !by.contains(&place) {
                faults.push(format!("{place} names {kept}, which only {by:?} may"));
            }
        }
    }
    faults.sort();
    faults.dedup();
    faults
}

/// Rooms of the server that a file may not know.
fn foreign_rooms(modules: &[&str], place: &str, named: &Named, faults: &mut Vec<String>) {
    let room = modules[0];
    let may_know = ROOMS.iter().find(|(name, _)| *name == room);
    if may_know.is_none() && !DOORSTEPS.contains(&room) {
        faults.push(format!(
            "{place}: the room `{room}` stands in no rule; add it to ROOMS"
        ));
    }
    for path in &named.paths {
        let path = absolute(modules, path.clone());
        if let (Some((_, may_know)), ["crate", other, ..]) = (may_know, parts(&path).as_slice())
            && *other != room
            && ROOMS.iter().any(|(name, _)| name == other)
            && !may_know.contains(other)
        {
            faults.push(format!(
                "{place} names crate::{other}, which {room} may not know"
            ));
        }
    }
}

/// Packages of ours that a file beside the server may not know.
fn foreign_packages(package: &str, place: &str, named: &Named, faults: &mut Vec<String>) {
    let may_know = PACKAGES.iter().find(|(name, _)| *name == package);
    if may_know.is_none() {
        faults.push(format!(
            "{place}: the package `{package}` stands in no rule; add it to PACKAGES"
        ));
    }
    for first in named.paths.iter().filter_map(|path| path.first()) {
        let other = match first.strip_prefix("parlour_") {
            Some(other) => other,
            None if first == "parlour" => first,
            None => continue,
        };
        let is_own = other == package;
        if !is_own && may_know.is_none_or(|(_, may_know)| !may_know.contains(&other)) {
            faults.push(format!(
                "{place} names {first}, which {package} may not know"
            ));
        }
    }
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

#[test]
fn imports_point_one_way_and_files_stay_short() {
    let mut all = Vec::new();
    for (folder, least) in [("src", 100), ("crates", 50)] {
        let folder = root().join(folder);
        let mut sources = Vec::new();
        // A package's own tests know what they need.
        files(&folder, &["tests"], &mut sources);
        sources.retain(|path| path.extension().is_some_and(|ext| ext == "rs"));
        assert!(sources.len() > least, "the sources are not where they were");
        all.extend(sources.iter().flat_map(|path| {
            let text = fs::read_to_string(path).expect("a source that can be read");
            let name = path.strip_prefix(&folder).expect("a path under it");
            faults(&name.to_string_lossy(), &text)
        }));
    }
    assert!(all.is_empty(), "\n{}\n", all.join("\n"));
}

/// So a change in the server makes no test be compiled again, and one in the lab nothing of the server.
#[test]
fn the_tests_know_the_server_from_outside_alone() {
    let folder = root().join("tests/it");
    let mut sources = Vec::new();
    files(&folder, &[], &mut sources);
    sources.retain(|path| path.extension().is_some_and(|ext| ext == "rs"));
    assert!(sources.len() > 50, "the tests are not where they were");
    let mut faults = Vec::new();
    for path in sources {
        let text = fs::read_to_string(&path).expect("a source that can be read");
        let named = Named::read(&text).expect("a source that can be parsed");
        let place = path.strip_prefix(&folder).expect("a path under it");
        foreign_packages("tests", &place.to_string_lossy(), &named, &mut faults);
    }
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
            // Inside someone else's repository, git would leave out what is not at its top.
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
        ("chat/rooms.rs", "use crate::app::App;", "crate::app"),
        (
            "logging/queue.rs",
            "use crate::{config, error::Error};",
            "crate::error",
        ),
        ("tui/src/net.rs", "use parlour_lab::rig;", "parlour_lab"),
        ("lab/src/rig/a.rs", "use parlour::config;", "names parlour,"),
        (
            "client/src/a.rs",
            "fn f() { std::env::var(X); }",
            "std::env",
        ),
        ("tests/src/a.rs", "use parlour::hub;", "names parlour,"),
        ("web/src/a.rs", "", "`web` stands in no rule"),
        (
            "chat/mod.rs",
            "fn f() { select!(a => diesel::x()) }",
            "diesel",
        ),
        ("chat/mod.rs", "fn f( {", "cannot be read"),
        (
            "hub/registry.rs",
            "use super::super::chat::rooms;",
            "crate::chat",
        ),
        ("crypto/mod.rs", "use super::db;", "crate::db"),
        (
            "gate/lanes.rs",
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
            "gate/lanes.rs",
            "// use crate::db;\n/* crate::db /* a */ diesel::x */\nfn f() {}",
        ),
        (
            "gate/lanes.rs",
            "const A: &str = \"use crate::db; \\\" diesel::x\";",
        ),
        (
            "gate/lanes.rs",
            "const A: &str = r#\"\" diesel::x\"#; const B: char = '\"'; fn f<'a>(b: &'a u8) {}",
        ),
        (
            "gate/lanes.rs",
            "const A: char = '\\''; const B: &[u8] = b\"diesel::x\"; const C: &[u8] = br\"diesel::x\\\";",
        ),
        (
            "gate/lanes.rs",
            "#[cfg(test)]\nmod tests {\n use crate::db;\n fn f() { if true { diesel::x() } }\n}\n",
        ),
        (
            "chat/mod.rs",
            "use crate::{clock::Clock, db, hub}; fn f() { let version = env!(\"X\"); }",
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
        faults("gate/a.rs", "#[cfg(test)]\nmod tests;\nuse crate::db;").len(),
        1,
        "what follows a test module counts again"
    );
}
