//! An administrator runs commands as root beside a service that has a user of its own: what they leave in its folder is
//! the service's, and `doctor` names what is not.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, chown},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::support::{Backend, Server, User, run};

/// The user and the group `no one`, of whom nothing more is wanted than that they are not root.
const SERVICE: u32 = 65_534;

/// A folder with a data folder of the service's in it.
fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    fs::create_dir(&data).expect("makes");
    chown(&data, Some(SERVICE), Some(SERVICE)).expect("gives it away");
    (folder, data)
}

/// The names of the files, all of which have to be the service's: a server that runs hands a file over right after it
/// has made it, and renames it then.
#[track_caller]
fn expect_ours(data: &Path) -> Vec<String> {
    let is_ours = |(_, found): &(String, [u32; 3])| *found == [SERVICE, SERVICE, 0o600];
    let mut all = files(data);
    let deadline = Instant::now() + Duration::from_secs(20);
    while !all.iter().all(is_ours) && Instant::now() < deadline {
        thread::yield_now();
        all = files(data);
    }
    assert!(all.iter().all(is_ours), "{all:?}");
    all.into_iter().map(|(name, _)| name).collect()
}

/// The files with their owner, group and mode.
fn files(data: &Path) -> Vec<(String, [u32; 3])> {
    let entries = fs::read_dir(data).expect("reads");
    entries
        .filter_map(|entry| {
            let entry = entry.expect("an entry");
            // What was renamed since the folder was read is in the next list by its name.
            let found = entry.metadata().ok()?;
            let name = entry.file_name().to_string_lossy().into_owned();
            Some((name, [found.uid(), found.gid(), found.mode() & 0o777]))
        })
        .collect()
}

#[test]
fn what_root_makes_in_the_folder_of_a_service_belongs_to_the_service() {
    let server = Server::start(Backend::Sqlite);
    if fs::metadata(server.folder()).expect("is there").uid() != 0 {
        assert!(std::env::var_os("CI").is_none(), "run this as root");
        println!("skipped: this takes root");
        return;
    }
    User::register(&server, "alice")
        .post("kept", None)
        .expect(201);
    let backup = server.folder().join("it.backup").display().to_string();
    let source = server.data_dir().display().to_string();
    let of_source = [
        ("DATA_DIR", source.as_str()),
        ("DATABASE_URL", &server.database.url),
    ];
    let made = run(&["backup", "--to", &backup], &of_source, server.folder());
    assert!(made.status.success(), "{made:?}");

    // Restored twice: the second time beside what was there.
    let (folder, data) = place();
    let dir = data.display().to_string();
    let here = [("DATA_DIR", dir.as_str())];
    for args in [
        &["restore", &backup][..],
        &["restore", "--replace", &backup],
    ] {
        let done = run(args, &here, folder.path());
        assert!(done.status.success(), "{done:?}");
        let names = expect_ours(&data);
        assert!(names.contains(&"parlour.db".to_owned()), "{names:?}");
    }

    // With a key that root has put there, as the manual had it.
    let (folder, data) = place();
    let dir = data.display().to_string();
    let key = data.join("encryption_key");
    fs::copy(server.data_dir().join("encryption_key"), &key).expect("copies");
    assert_eq!(fs::metadata(&key).expect("is there").uid(), 0);
    let restored = run(&["restore", &backup], &[("DATA_DIR", &dir)], folder.path());
    assert!(restored.status.success(), "{restored:?}");
    assert!(!restored.stdout.contains("another user"), "{restored:?}");
    expect_ours(&data);
    // A folder that is root's is pointed out.
    let dir = folder.path().join("of-root").display().to_string();
    let restored = run(&["restore", &backup], &[("DATA_DIR", &dir)], folder.path());
    assert!(restored.stdout.contains("belongs to root"), "{restored:?}");

    let (folder, data) = place();
    let dir = data.display().to_string();
    let done = run(&["migrate"], &[("DATA_DIR", &dir)], folder.path());
    assert!(done.status.success(), "{done:?}");
    expect_ours(&data);

    // A server that root starts once by mistake makes all the others.
    let (folder, data) = place();
    let mut by_root = Server::with(Backend::Sqlite).in_folder(folder).start();
    User::register(&by_root, "alice")
        .post("kept", None)
        .expect(201);
    expect_ours(&data);
    by_root.terminate();
    let names = expect_ours(&data);
    assert!(
        names.contains(&"encryption_key".to_owned()) && names.contains(&"history".to_owned()),
        "{names:?}"
    );

    let dir = data.display().to_string();
    let doctor = || run(&["doctor"], &[("DATA_DIR", &dir)], by_root.folder()).stdout;
    assert!(!doctor().contains("another user"), "{}", doctor());
    fs::write(data.join("parlour.env"), "").expect("writes");
    let ended = run(&["doctor"], &[("DATA_DIR", &dir)], by_root.folder());
    assert!(
        ended.status.success() && ended.stdout.contains("is none of Parlour's files"),
        "{ended:?}"
    );
    chown(data.join("secret_key"), Some(0), Some(0)).expect("takes it");
    let said = doctor();
    assert!(
        said.contains("secret_key belongs to another user than its folder")
            && said.contains("chown --reference="),
        "{said}"
    );
}
