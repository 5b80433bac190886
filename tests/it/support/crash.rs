//! The disk as a power cut would leave it: at its worst with only those writes that were followed by a finished fsync of
//! their file, or with any of the others too, in any order and torn. Made from what strace saw of a server, so that
//! nothing in the server needs to know of it.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::Path,
};

#[cfg(test)]
mod tests;
mod trace;

pub use trace::TOKEN;
use trace::{path_of_descriptor, sealed_texts, sent, strings};

/// What a file system writes at once, and what a disk writes at once.
const PAGE: usize = 4096;
const SECTOR: usize = 512;

/// The calls that change files, make them durable, or tell someone something.
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

    /// The index of the log in shared memory is made again after a crash, and locks hold no data.
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
