//! docs/OPERATIONS.md does what it says: its blocks marked `tested` run, in order, as an operator would run them, and every
//! other block is one of those that are listed here with the reason.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use parlour_lab::rig::postgres::Programs;

use crate::{
    readme::{announced, missing, run, tested_blocks},
    support::{self, BINARY, Backend, Database, Server, User, root, unique},
};

/// How a block begins that is not run as it stands, and why.
const NOT_RUN: [(&str, &str); 4] = [
    (
        "CREATE ROLE parlour",
        "run by the test below, under another name",
    ),
    (
        "chat.example.org {",
        "Caddy comes with no distribution that the tests run on",
    ),
    (
        "map $http_upgrade",
        "the tests of proxies run nginx with it",
    ),
    (
        "[Unit]",
        "checked by systemd-analyze below, where that is installed",
    ),
];

fn manual() -> String {
    let path = root().join("docs/OPERATIONS.md");
    fs::read_to_string(path).expect("a manual")
}

/// All blocks of code, fenced or indented: what stands behind the fence, and the text.
fn blocks(markdown: &str) -> Vec<(String, String)> {
    let mut blocks: Vec<(String, String)> = Vec::new();
    let (mut is_fenced, mut is_indented, mut was_blank) = (false, false, true);
    for line in markdown.lines() {
        if let Some(info) = line.strip_prefix("```") {
            is_fenced = !is_fenced;
            if is_fenced {
                blocks.push((info.trim().to_owned(), String::new()));
            }
            continue;
        }
        let code = if is_fenced {
            Some(line)
        } else if line.trim().is_empty() {
            is_indented.then_some("")
        } else {
            let begins = is_indented || was_blank;
            let code = line.strip_prefix("    ").filter(|_| begins);
            if code.is_some() && !is_indented {
                blocks.push((String::new(), String::new()));
            }
            is_indented = code.is_some();
            code
        };
        if let (Some(code), Some((_, text))) = (code, blocks.last_mut()) {
            text.push_str(code);
            text.push('\n');
        }
        was_blank = line.trim().is_empty();
    }
    blocks
}

fn has(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok();
    if !found {
        assert!(std::env::var_os("CI").is_none(), "{program} is missing");
        eprintln!("skipped in part: {program} is missing");
    }
    found
}

fn has_postgres() -> bool {
    std::env::var_os("PARLOUR_TEST_POSTGRES_URL").is_some()
}

/// The folder of PostgreSQL's own programs.
fn postgres_programs() -> Option<PathBuf> {
    let folder = Programs::find()?.folder().to_owned();
    Some(folder).filter(|folder| folder.join("pg_dump").exists())
}

#[test]
fn the_commands_of_the_operations_manual_do_what_they_say() {
    let server = Server::start(Backend::Sqlite);
    let alice = User::register(&server, "alice");
    alice.post("first", None).expect(201);
    alice.post("second", None).expect(201);
    let databases = has_postgres()
        .then(|| [(); 2].map(|()| Database::make(Backend::Postgres, server.folder())));
    let programs = postgres_programs();
    let place = |name: &str| server.folder().join(name).display().to_string();
    for name in ["backups", "stick", "bin"] {
        fs::create_dir(place(name)).expect("a folder");
    }
    symlink(&*BINARY, Path::new(&place("bin")).join("parlour")).expect("a link");

    let mut path = vec![PathBuf::from(place("bin"))];
    path.extend(programs.clone());
    path.extend(std::env::split_paths(
        &std::env::var_os("PATH").unwrap_or_default(),
    ));
    let path = std::env::join_paths(path).expect("a PATH");
    let mut here = vec![
        ("/var/backups/parlour", place("backups")),
        ("/media/stick", place("stick")),
        ("/var/lib/parlour", server.data_dir().display().to_string()),
        ("/srv/parlour", place("srv")),
        ("/tmp/rehearsal", place("rehearsal")),
        ("--port 8001", "--port 0".into()),
        // Whoever runs the tests is the user that Parlour runs as.
        (" -o parlour", String::new()),
    ];
    if let Some([first, second]) = &databases {
        here.push((
            "postgres://parlour:PASSWORD@db.example:5432/parlour",
            first.url.clone(),
        ));
        here.push((
            "postgres://parlour:PASSWORD@db.example:5432/scratch",
            second.url.clone(),
        ));
    }
    let mut shell = format!(
        "set -euo pipefail\nexport PATH={} DATA_DIR={}\nunset DATABASE_URL\n",
        path.to_string_lossy(),
        server.data_dir().display()
    );
    let mut wanted = Vec::new();
    let blocks = tested_blocks(&manual());
    for block in &blocks {
        let text = &block.text;
        let runs = (!text.contains("postgres://") || databases.is_some())
            && (!text.contains("sqlite3 ") || has("sqlite3"))
            && (!text.contains("pg_dump") || programs.is_some());
        if !runs {
            continue;
        }
        match block.language.as_str() {
            "sh" => shell.push_str(text),
            // Its command; cron runs it with sh.
            "cron" => {
                let command = text.splitn(6, ' ').nth(5).expect("a command");
                shell.extend(["sh -c \"", command.trim_end(), "\"\n"]);
            }
            other => panic!("a block is marked tested in a language that is not run: {other}"),
        }
        wanted.extend(announced(text));
    }
    assert!(wanted.len() > 10, "the commands are not where they were");
    for (there, here) in here {
        shell = shell.replace(there, &here);
    }
    let output = run(Path::new("bash"), "-c", &shell, server.folder());
    assert_eq!(missing(&wanted, &output), None, "{output}");
}

#[test]
fn every_other_block_of_the_manual_has_a_reason_not_to_be_run() {
    let manual = manual();
    let blocks = blocks(&manual);
    assert!(blocks.len() > 8, "the blocks are not where they were");
    for (info, text) in &blocks {
        let is_known = NOT_RUN.iter().any(|(begin, _)| text.starts_with(begin));
        assert!(
            info.ends_with(" tested") || is_known,
            "this block of docs/OPERATIONS.md is not run by any test. Write ```sh tested before it \
             (paths that are replaced stand in tests/it/operations.rs), or list it in NOT_RUN with the reason:\n{text}"
        );
    }
    for (begin, why) in NOT_RUN {
        let is_there = blocks.iter().any(|(_, text)| text.starts_with(begin));
        assert!(
            is_there,
            "no block begins with {begin:?} any more ({why}): take it from NOT_RUN"
        );
    }
}

/// What stands in running text is at least understood.
#[test]
fn the_program_knows_every_command_that_the_manual_names() {
    let manual = manual();
    let folder = tempfile::tempdir().expect("a folder");
    let mut count = 0;
    for line in manual.lines() {
        for named in line.split('`').skip(1).step_by(2) {
            let Some(arguments) = named.strip_prefix("parlour ") else {
                continue;
            };
            let mut arguments: Vec<&str> = arguments.split(' ').collect();
            arguments.push("--help");
            let finished = support::run(&arguments, &[], folder.path());
            assert!(finished.status.success(), "{named}: {finished:?}");
            count += 1;
        }
    }
    assert!(count > 5, "the commands are not where they were");
}

#[test]
fn the_units_of_the_manual_are_such_as_systemd_takes() {
    if !has("systemd-analyze") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let manual = manual();
    let units: Vec<String> = blocks(&manual)
        .into_iter()
        .filter(|(_, text)| text.starts_with("[Unit]"))
        .map(|(_, text)| text.replace("/usr/local/bin/parlour", "/bin/true"))
        .collect();
    let names = [
        "parlour-backup.service",
        "parlour-backup.timer",
        "parlour.service",
    ];
    assert_eq!(units.len(), names.len(), "name the new unit here");
    for (name, text) in names.iter().zip(&units) {
        fs::write(folder.path().join(name), text).expect("writes");
    }
    for name in names {
        let output = Command::new("systemd-analyze")
            .args(["verify", "--man=no", "--recursive-errors=no"])
            .arg(folder.path().join(name))
            .output()
            .expect("runs");
        let said = String::from_utf8_lossy(&output.stderr);
        let about_it: Vec<&str> = said.lines().filter(|line| line.contains(name)).collect();
        assert!(about_it.is_empty(), "{name}: {said}");
    }
}

/// On PostgreSQL: the role and the database of the manual are enough for Parlour.
mod the_role_of_the_manual_is_all_that_parlour_needs {
    use super::{Backend, Database, blocks, manual, support, unique};

    #[test]
    fn postgres() {
        let manual = manual();
        let (_, sql) = blocks(&manual)
            .into_iter()
            .find(|(_, text)| text.starts_with("CREATE ROLE parlour"))
            .expect("the role");
        let folder = tempfile::tempdir().expect("a folder");
        let cluster = Database::make(Backend::Postgres, folder.path());
        let name = format!("parlour_manual_{}", unique());
        let sql = sql.replace("parlour", &name).replace('…', "secret");
        for statement in sql.lines().filter(|line| line.starts_with("CREATE ")) {
            cluster.execute(statement);
        }
        let mut url = url::Url::parse(&cluster.url).expect("a URL");
        url.set_username(&name).expect("a name");
        url.set_password(Some("secret")).expect("a password");
        url.set_path(&name);
        let finished = support::run(
            &["migrate"],
            &[("DATABASE_URL", url.as_str())],
            folder.path(),
        );
        cluster.execute(&format!("DROP DATABASE {name} WITH (FORCE)"));
        cluster.execute(&format!("DROP ROLE {name}"));
        assert!(finished.status.success(), "{finished:?}");
    }
}

#[test]
fn a_block_that_is_not_run_is_seen() {
    let found = blocks("a\n\n    one\n\n    two\n\nb\n```sh\nthree\n```\n- c\n    no\n");
    let wanted = [("", "one\n\ntwo\n\n"), ("sh", "three\n")];
    assert_eq!(
        found,
        wanted.map(|(info, text)| (info.to_owned(), text.to_owned()))
    );
}
