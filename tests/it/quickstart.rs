//! `quickstart.sh` writes a `.env` that only its owner can read, and leaves one alone that is there.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Output, Stdio},
};

use crate::support::{BINARY, root};

fn script(folder: &Path, binary: &str) -> Command {
    let mut command = Command::new("bash");
    command
        .args(["quickstart.sh", "--no-start"])
        .current_dir(folder)
        .env("PARLOUR_BINARY", binary)
        .env_remove("DATA_DIR")
        .stdin(Stdio::null());
    command
}

fn quickstart(folder: &Path, binary: &str) -> Output {
    script(folder, binary).output().expect("bash runs")
}

fn folder_with_script() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let script = root().join("quickstart.sh");
    fs::copy(script, folder.path().join("quickstart.sh")).expect("the script is copied");
    folder
}

fn value<'a>(env: &'a str, name: &str) -> &'a str {
    env.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
        .unwrap_or_else(|| panic!("no {name} in {env}"))
}

#[test]
fn the_first_run_makes_keys_and_the_second_keeps_them() {
    let folder = folder_with_script();
    let env_file = folder.path().join(".env");
    let output = quickstart(folder.path(), &BINARY);
    assert!(output.status.success(), "{output:?}");
    let first = fs::read_to_string(&env_file).expect("a .env");
    let mode = fs::metadata(&env_file)
        .expect("a .env")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600, "others can read .env");
    for name in ["SECRET_KEY", "ENCRYPTION_KEY"] {
        assert!(value(&first, name).len() >= 32, "{name} is short");
        let told = String::from_utf8_lossy(&output.stdout).contains(value(&first, name));
        assert!(!told, "{name} was printed");
    }
    let again = quickstart(folder.path(), &BINARY);
    assert!(again.status.success(), "{again:?}");
    assert_eq!(fs::read_to_string(&env_file).expect("a .env"), first);

    let other = folder_with_script();
    assert!(quickstart(other.path(), &BINARY).status.success());
    let second = fs::read_to_string(other.path().join(".env")).expect("a .env");
    assert_ne!(
        value(&first, "ENCRYPTION_KEY"),
        value(&second, "ENCRYPTION_KEY")
    );
}

/// With a second pair in `.env`, which comes first, nothing would start any more.
#[test]
fn the_keys_of_an_earlier_start_stay_the_keys() {
    for data in ["data", "elsewhere"] {
        let folder = folder_with_script();
        let (env_file, kept) = (folder.path().join(".env"), folder.path().join(data));
        fs::create_dir(&kept).expect("a folder");
        let start = || {
            let mut command = script(folder.path(), &BINARY);
            if data != "data" {
                command.env("DATA_DIR", format!("./{data}"));
            }
            let output = command.output().expect("bash runs");
            assert!(output.status.success(), "{output:?}");
            String::from_utf8(output.stdout).expect("text")
        };
        fs::write(kept.join("encryption_key"), "key").expect("writes");
        let said = start();
        assert!(said.contains(&format!("./{data} stays as it is")), "{said}");
        assert!(!env_file.exists(), "a second pair of keys");
        fs::remove_file(kept.join("encryption_key")).expect("removes");
        start();
        assert!(
            env_file.exists(),
            "an empty folder is none of an earlier start"
        );
    }
}

#[test]
fn no_half_written_file_is_left_when_keys_cannot_be_made() {
    let folder = folder_with_script();
    let output = quickstart(folder.path(), "false");
    assert!(!output.status.success());
    let left: Vec<_> = fs::read_dir(folder.path())
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    assert_eq!(left, ["quickstart.sh"]);
}
