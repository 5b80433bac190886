//! Traces made by hand, and what a disk may hold after them.

use super::*;

fn played(lines: &[&str]) -> (Vec<u8>, Vec<Vec<u8>>) {
    let folder = tempfile::tempdir().expect("a folder");
    let database = folder.path().join("d");
    fs::write(&database, b"base").expect("writes");
    let mut disk = Disk::new(&database);
    let path = database.display().to_string();
    let told = lines
        .iter()
        .filter_map(|line| disk.play(&line.replace("DB", &path)))
        .collect();
    (disk.files[&path].safe.clone(), told)
}

#[test]
fn only_what_was_flushed_is_left() {
    let write = r#"7 pwrite64(3<DB>, "\x41\x42", 2, 4) = 2"#;
    assert_eq!(played(&[write]).0, b"base");
    assert_eq!(played(&[write, "7 fdatasync(3<DB>) = 0"]).0, b"baseAB");
    assert_eq!(
        played(&[write, "7 fdatasync(3<DB>) = 0 (INJECTED)"]).0,
        b"base"
    );
    assert_eq!(
        played(&[write, "7 fdatasync(3<DB>) = -1 EIO (Input/output error)"]).0,
        b"base"
    );
    assert_eq!(played(&[write, "7 fdatasync(3<DB-wal>) = 0"]).0, b"base");
    assert_eq!(
        played(&["7 ftruncate(3<DB>, 2) = 0", "7 fsync(3<DB>)   = 0"]).0,
        b"ba"
    );
}

#[test]
fn of_what_was_not_flushed_any_part_may_be_left_and_no_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = folder.path().join("d");
    fs::write(&database, [b'a'; 2 * PAGE]).expect("writes");
    let mut disk = Disk::new(&database);
    let file = disk.files.values_mut().next().expect("the database");
    for byte in *b"bc" {
        file.unsafe_changes.push(Change::Write {
            at: PAGE - SECTOR,
            bytes: vec![byte; PAGE],
        });
    }
    file.unsafe_changes.push(Change::Write {
        at: 2 * PAGE,
        bytes: vec![b'd'; PAGE],
    });
    let file = disk.files.values().next().expect("the database");
    let (mut chance, mut seen) = (Chance(7), [[false; 4]; 3]);
    for _ in 0..200 {
        let left = file.torn(&mut chance);
        assert!(left.len() == 2 * PAGE || left.len() == 3 * PAGE);
        for (page, bytes) in left.chunks(PAGE).enumerate() {
            for (known, seen) in b"abcd".iter().zip(&mut seen[page]) {
                *seen |= bytes.contains(known);
            }
        }
        assert!(left[..PAGE - SECTOR].iter().all(|byte| *byte == b'a'));
        assert!(
            left.chunks(SECTOR)
                .all(|sector| sector.iter().all(|b| *b == sector[0]))
        );
    }
    assert_eq!(seen[0], [true, true, true, false]);
    assert_eq!(seen[1], [true, true, true, false]);
    assert_eq!(seen[2], [false, false, false, true]);
}

#[test]
fn a_flush_covers_what_was_written_before_it_began() {
    let lines = [
        r#"7 pwrite64(3<DB>, "\x41", 1, 4) = 1"#,
        "7 fdatasync(3<DB> <unfinished ...>",
        r#"8 pwrite64(3<DB>, "\x42", 1, 5 <unfinished ...>"#,
        "8 <... pwrite64 resumed>) = 1",
        "7 <... fdatasync resumed>) = 0",
    ];
    assert_eq!(played(&lines[..4]).0, b"base");
    assert_eq!(played(&lines).0, b"baseA");
}

#[test]
fn what_is_sent_is_told_when_it_leaves() {
    let lines =
        [r#"9 sendto(12<socket:[77]>, "\x68\x69", 2, MSG_NOSIGNAL, NULL, 0 <unfinished ...>"#];
    assert_eq!(played(&lines).1, [b"hi".to_vec()]);
    let other = [r#"9 write(2</tmp/log>, "\x68\x69", 2) = 2"#];
    assert!(played(&other).1.is_empty());
}
