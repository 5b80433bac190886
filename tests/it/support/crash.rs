//! The disk as a power cut would leave it: at its worst with only those writes that were followed by a finished fsync of
//! their file, or with any of the others too, in any order and torn. Made from what strace saw of a server, so that
//! nothing in the server needs to know of it.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::Path,
};

/// What a file system writes at once, and what a disk writes at once.
const PAGE: usize = 4096;
const SECTOR: usize = 512;

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

/// Chance that can be repeated (`SplitMix64`).
#[derive(Debug)]
pub struct Chance(pub u64);

impl Chance {
    /// One of the numbers below this one.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        usize::try_from(bits % u64::try_from(end).expect("small")).expect("small")
    }
}

/// A part of a write that falls into one page: where in the page, and what.
type Piece<'a> = (usize, &'a [u8]);

impl File {
    /// What may be left: each page in any of the states it went through since the flush, or with sectors of two of them;
    /// and any of the lengths that the file had.
    fn torn(&self, chance: &mut Chance) -> Vec<u8> {
        let mut lengths = vec![self.safe.len()];
        let mut pages: BTreeMap<usize, Vec<Piece<'_>>> = BTreeMap::new();
        for change in &self.unsafe_changes {
            let length = lengths[lengths.len() - 1];
            match change {
                Change::Truncate(length) => lengths.push(*length),
                Change::Write { at, bytes } => {
                    lengths.push(length.max(at + bytes.len()));
                    let (mut at, mut rest) = (*at, bytes.as_slice());
                    while !rest.is_empty() {
                        let room = PAGE - at % PAGE;
                        let (piece, after) = rest.split_at(room.min(rest.len()));
                        pages.entry(at / PAGE).or_default().push((at % PAGE, piece));
                        at += piece.len();
                        rest = after;
                    }
                }
            }
        }
        let mut left = self.safe.clone();
        left.resize(lengths[chance.below(lengths.len())], 0);
        for (page, pieces) in pages {
            let begin = page * PAGE;
            if begin >= left.len() {
                continue;
            }
            let state = |count: usize| {
                let mut bytes = [0; PAGE];
                let safe = self.safe.get(begin..).unwrap_or_default();
                let safe = &safe[..safe.len().min(PAGE)];
                bytes[..safe.len()].copy_from_slice(safe);
                for (at, piece) in &pieces[..count] {
                    bytes[*at..at + piece.len()].copy_from_slice(piece);
                }
                bytes
            };
            let one = state(chance.below(pieces.len() + 1));
            let other = match chance.below(2) {
                0 => one,
                _ => state(chance.below(pieces.len() + 1)),
            };
            let end = left.len().min(begin + PAGE);
            for (number, sector) in left[begin..end].chunks_mut(SECTOR).enumerate() {
                let from = if chance.below(2) == 0 { &one } else { &other };
                let at = number * SECTOR;
                sector.copy_from_slice(&from[at..at + sector.len()]);
            }
        }
        left
    }

    fn make_safe(&mut self, count: usize, mut written: impl FnMut(&[u8])) {
        let count = count.min(self.unsafe_changes.len());
        for change in self.unsafe_changes.drain(..count) {
            match change {
                Change::Write { at, bytes } => {
                    written(&bytes);
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
    /// How many of them were of the database itself, at the end of a checkpoint.
    pub checkpoints: usize,
    /// How many lines were played.
    pub lines: usize,
    /// The sealed texts that were flushed, and the line that told of the end of the first flush that covers each.
    pub safe_since: HashMap<String, usize>,
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
            checkpoints: 0,
            lines: 0,
            safe_since: HashMap::new(),
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
        self.lines += 1;
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
        let of_database = path == self.database;
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
                self.checkpoints += usize::from(of_database);
                let (line, since) = (self.lines, &mut self.safe_since);
                file.make_safe(before, |bytes| {
                    for text in sealed_texts(bytes) {
                        since.entry(text).or_insert(line);
                    }
                });
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

    /// Writes what would be left at the worst into a folder.
    pub fn write_image(&self, folder: &Path) {
        self.write(folder, |file| file.safe.clone());
    }

    /// Writes what may be left into a folder.
    pub fn write_torn_image(&self, folder: &Path, chance: &mut Chance) {
        self.write(folder, |file| file.torn(chance));
    }

    /// Whether there is anything that a power cut may or may not take.
    pub fn is_in_doubt(&self) -> bool {
        self.files
            .values()
            .any(|file| !file.unsafe_changes.is_empty())
    }

    fn write(&self, folder: &Path, mut left: impl FnMut(&File) -> Vec<u8>) {
        for (path, file) in &self.files {
            let name = Path::new(path).file_name().expect("a name");
            let bytes = left(file);
            if !bytes.is_empty() {
                fs::write(folder.join(name), bytes).expect("writes");
            }
        }
    }
}

/// The Fernet tokens in what was written.
fn sealed_texts(bytes: &[u8]) -> Vec<String> {
    let (mut found, mut rest) = (Vec::new(), bytes);
    while let Some(at) = rest.iter().position(|byte| *byte == b'g') {
        rest = &rest[at..];
        let ends = |byte: &u8| !byte.is_ascii_alphanumeric() && !b"-_=".contains(byte);
        let length = if rest.starts_with(b"gAAAA") {
            rest.iter().position(ends).unwrap_or(rest.len())
        } else {
            1
        };
        // A token ends where the next column begins, which may begin with anything: its own length says where.
        if length >= TOKEN {
            found.push(String::from_utf8_lossy(&rest[..TOKEN]).into_owned());
        }
        rest = &rest[length.max(1)..];
    }
    found
}

/// As much of a token as makes it unique: its time, and all of its random bytes.
pub const TOKEN: usize = 60;

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
}
