//! The disk as a power cut would leave it at its worst: only those writes that were followed by a finished fsync of
//! their file. Made from what strace saw of a server, so that nothing in the server needs to know of it.

use std::{collections::BTreeMap, fs, path::Path};

/// The calls that change files, make them durable, or tell somebody something.
pub const CALLS: &str =
    "trace=pwrite64,write,writev,sendto,sendmsg,fsync,fdatasync,ftruncate,unlink,rename";

/// How strace is run: in the background (`-D`, so that the server is our own child), following threads, naming files, and
/// writing every byte as hexadecimal. [`CALLS`] and where to write come after it.
pub const STRACE: [&str; 8] = [
    "strace",
    "-D",
    "-f",
    "--seccomp-bpf",
    "-y",
    "-xx",
    "-s",
    "1000000",
];

#[derive(Debug)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Truncate(usize),
}

/// One file: what is safe, and what has been written since.
#[derive(Debug, Default)]
struct File {
    safe: Vec<u8>,
    unsafe_changes: Vec<Change>,
}

impl File {
    fn make_safe(&mut self, count: usize) {
        let count = count.min(self.unsafe_changes.len());
        for change in self.unsafe_changes.drain(..count) {
            match change {
                Change::Write { at, bytes } => {
                    let end = at + bytes.len();
                    if self.safe.len() < end {
                        self.safe.resize(end, 0);
                    }
                    self.safe[at..end].copy_from_slice(&bytes);
                }
                Change::Truncate(length) => self.safe.resize(length, 0),
            }
        }
    }
}

/// The files of a database while its server's calls are played back.
#[derive(Debug)]
pub struct Disk {
    database: String,
    files: BTreeMap<String, File>,
    /// A thread's call that has begun, and how many changes to its file came before it.
    begun: BTreeMap<String, (String, usize)>,
    /// How many flushes were done.
    pub flushes: usize,
}

impl Disk {
    /// The disk before the first call: the database as a server that ended in order has left it.
    pub fn new(database: &Path) -> Self {
        let name = database.display().to_string();
        let safe = fs::read(database).expect("the database");
        let file = File {
            safe,
            unsafe_changes: Vec::new(),
        };
        Self {
            files: BTreeMap::from([(name.clone(), file)]),
            database: name,
            begun: BTreeMap::new(),
            flushes: 0,
        }
    }

    /// The database goes by another name in the trace than where it was read from.
    pub fn rename(&mut self, database: &Path) {
        let name = database.display().to_string();
        if let Some(file) = self.files.remove(&self.database) {
            self.files.insert(name.clone(), file);
        }
        self.database = name;
    }

    /// Plays one line of the trace. Returns the bytes that left towards a client, when the line is the beginning of
    /// such a call.
    pub fn play(&mut self, line: &str) -> Option<Vec<u8>> {
        let (thread, call) = line.split_once(' ')?;
        let call = call.trim_start();
        if call.starts_with("+++") || call.starts_with("---") {
            return None;
        }
        if let Some(beginning) = call.strip_suffix("<unfinished ...>") {
            let before = self.count_before(beginning);
            self.begun
                .insert(thread.to_owned(), (beginning.to_owned(), before));
            return sent(beginning);
        }
        if call.starts_with("<... ") {
            let (_, rest) = call.split_once("resumed>")?;
            let (beginning, before) = self.begun.remove(thread)?;
            self.finish(&(beginning + rest), before);
            return None;
        }
        let before = self.count_before(call);
        self.finish(call, before);
        sent(call)
    }

    fn count_before(&self, call: &str) -> usize {
        path_of_descriptor(call)
            .and_then(|path| self.files.get(&path))
            .map_or(0, |file| file.unsafe_changes.len())
    }

    /// A call that has returned; `before` changes of its file had been made when it began.
    fn finish(&mut self, call: &str, before: usize) {
        let Some((name, _)) = call.split_once('(') else {
            return;
        };
        // `= 0 (INJECTED)` is a flush that strace told the server of and the kernel never saw.
        let Some((arguments, result)) = call.rsplit_once(") = ").or_else(|| call.rsplit_once(") "))
        else {
            return;
        };
        let done = result.trim_start_matches([' ', '=']).trim();
        if done.starts_with('-') || done.starts_with('?') || done.contains("INJECTED") {
            return;
        }
        if name == "unlink" {
            if let Some(path) = strings(arguments).first() {
                self.files
                    .remove(&String::from_utf8_lossy(path).into_owned());
            }
            return;
        }
        let Some(path) = path_of_descriptor(call).filter(|path| self.is_database(path)) else {
            return;
        };
        let last_number = || arguments.rsplit_once(", ")?.1.trim().parse::<usize>().ok();
        let file = self.files.entry(path).or_default();
        match name {
            "pwrite64" => {
                let (Some(at), Some(mut bytes)) =
                    (last_number(), strings(arguments).into_iter().next())
                else {
                    panic!("this cannot be read: {call:.200}");
                };
                bytes.truncate(done.parse().expect("a count of bytes"));
                file.unsafe_changes.push(Change::Write { at, bytes });
            }
            "ftruncate" => {
                let length = last_number().expect("a length");
                file.unsafe_changes.push(Change::Truncate(length));
            }
            "fsync" | "fdatasync" => {
                file.make_safe(before);
                self.flushes += 1;
            }
            other => panic!("{other} on a database file is not understood here: {call:.200}"),
        }
    }

    /// The index of the log in shared memory is made anew after a crash, and locks hold no data.
    fn is_database(&self, path: &str) -> bool {
        path.strip_prefix(&self.database)
            .is_some_and(|rest| matches!(rest, "" | "-wal" | "-journal"))
    }

    /// Writes what would be left into a folder.
    pub fn write_image(&self, folder: &Path) {
        for (path, file) in &self.files {
            let name = Path::new(path).file_name().expect("a name");
            if !file.safe.is_empty() {
                fs::write(folder.join(name), &file.safe).expect("writes");
            }
        }
    }
}

/// `pwrite64(11</a/b>, …` names `/a/b`.
fn path_of_descriptor(call: &str) -> Option<String> {
    let (_, rest) = call.split_once('(')?;
    let (number, rest) = rest.split_once('<')?;
    number.parse::<u32>().ok()?;
    let (path, _) = rest.split_once('>')?;
    Some(String::from_utf8_lossy(&unhex(path)).into_owned())
}

/// What a call hands to the network.
fn sent(call: &str) -> Option<Vec<u8>> {
    let (name, _) = call.split_once('(')?;
    let to_network = matches!(name, "sendto" | "sendmsg" | "write" | "writev")
        && path_of_descriptor(call)
            .is_some_and(|path| path.starts_with("socket:") || path.starts_with("TCP"));
    to_network.then(|| strings(call).concat())
}

/// The bytes of everything between quotes.
fn strings(text: &str) -> Vec<Vec<u8>> {
    text.split('"').skip(1).step_by(2).map(unhex).collect()
}

/// `\x41b` is `Ab`.
fn unhex(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() / 4);
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let escaped = rest
            .strip_prefix("\\x")
            .and_then(|hex| u8::from_str_radix(hex.get(..2)?, 16).ok());
        if let Some(byte) = escaped {
            bytes.push(byte);
            rest = &rest[4..];
        } else {
            let mut buffer = [0; 4];
            bytes.extend(next.encode_utf8(&mut buffer).bytes());
            rest = &rest[next.len_utf8()..];
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
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
}
