//! What the commands print, when no one reads it or it cannot be written: no panic, and never a silent success.

use std::{
    fs::File,
    process::{Command, Stdio},
};

use tempfile::TempDir;

use crate::support::BINARY;

/// Commands that print, each with the settings of an empty folder.
const COMMANDS: [&[&str]; 9] = [
    &["doctor"],
    &["migrate"],
    &["keys", "generate"],
    &["completions", "bash"],
    &["--help"],
    &["--version"],
    &["serve", "--help"],
    &["help", "send"],
    &["demo", "--fast"],
];

/// How `parlour ARGS` ends and what it complains of, with this as its standard output.
fn run(args: &[&str], stdout: Stdio, stderr: Option<Stdio>) -> (Option<i32>, String) {
    let folder = TempDir::new().expect("a folder");
    let output = Command::new(&*BINARY)
        .env_clear()
        .env("HOME", folder.path())
        .env("PORT", "0")
        .current_dir(folder.path())
        .args(args)
        .stdin(Stdio::null())
        .stdout(stdout)
        .stderr(stderr.unwrap_or_else(Stdio::piped))
        .spawn()
        .and_then(std::process::Child::wait_with_output)
        .expect("parlour runs");
    let said = String::from_utf8(output.stderr).expect("text");
    (output.status.code(), said)
}

/// The end of a pipe that no one reads.
fn closed_pipe() -> Stdio {
    let (_reader, writer) = std::io::pipe().expect("a pipe");
    writer.into()
}

#[test]
fn a_reader_that_has_gone_ends_any_command_quietly() {
    for args in COMMANDS {
        let (code, said) = run(args, closed_pipe(), None);
        assert_eq!((code, said.as_str()), (Some(141), ""), "{args:?}");
    }
}

#[test]
fn a_full_disk_is_said_in_a_sentence() {
    for args in COMMANDS {
        let full = File::options().write(true).open("/dev/full");
        let (code, said) = run(args, full.expect("opens").into(), None);
        assert_eq!(
            (code, said.as_str()),
            (
                Some(1),
                "parlour: The output cannot be written (No space left on device).\n"
            ),
            "{args:?}"
        );
    }
}

/// What is wrong cannot be said either, but the exit code can.
#[test]
fn complaints_that_nobody_reads_leave_the_exit_code_as_it_is() {
    for args in [
        &["--nonsense"][..],
        &["send", "--server", "nowhere", "text"],
        &["migrate", "--database-url", "oracle://x"],
        &["tui"],
    ] {
        let (code, _) = run(args, Stdio::null(), Some(closed_pipe()));
        assert_eq!(code, Some(2), "{args:?}");
    }
    for args in [&["send", "text"][..], &["doctor", "--health"]] {
        let (code, _) = run(args, Stdio::null(), Some(closed_pipe()));
        assert_eq!(code, Some(1), "{args:?}");
    }
}
