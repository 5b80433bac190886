//! The file of a backup: lines of text, so that it can be looked at with ordinary tools and read by a program of any
//! later day. The first line says what it is, then each table has a line with its name and a line for each row (a JSON
//! array, as the database wrote it), and the last line has the counts and the SHA-256 of everything before it.

use std::{
    fmt,
    io::{self, BufRead, BufReader, BufWriter, Read, Write},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::db::copy::CopyError;

/// The form that is written here, and the latest that is understood.
const FORM: u64 = 1;
/// Longest line: far more than the longest message takes, sealed.
const LONGEST_LINE: u64 = 32 << 20;
/// Bytes that are collected for one write or read.
const BUFFER: usize = 1 << 18;

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Always [`FORM`].
    pub parlour_backup: u64,
    /// Everything that was stored before this moment is in it.
    pub made_at: String,
    /// The version of the program.
    pub made_by: String,
    /// The kind of database, for people.
    pub made_from: String,
    /// The migrations that had been run: the tables are those of this release.
    pub migrations: Vec<String>,
    /// The tables, in the order in which they follow.
    pub tables: Vec<HeadTable>,
}

/// A table, as the first line names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadTable {
    /// Its name.
    pub name: String,
    /// The names of its columns, in the order of a row's values.
    pub columns: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Begin {
    table: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    rows: Vec<u64>,
    sha256: String,
}

/// Why a file is no backup that can be restored.
#[derive(Debug)]
pub enum Fault {
    /// Something else: how it begins may tell what.
    Foreign(Option<&'static str>),
    /// Of a form that only a newer program knows.
    Newer,
    /// It ends too early.
    CutShort,
    /// It is not what was written.
    Damaged,
    /// It cannot be read, or what is made of it fails.
    Other(CopyError),
}

impl<E: Into<CopyError>> From<E> for Fault {
    fn from(error: E) -> Self {
        Self::Other(error.into())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign(None) => f.write_str("it is not a backup that `parlour backup` made"),
            Self::Foreign(Some(what)) => {
                write!(
                    f,
                    "it is not a backup that `parlour backup` made, but {what}"
                )
            }
            Self::Newer => {
                f.write_str("a newer version of Parlour made it: restore it with that version")
            }
            Self::CutShort => {
                f.write_str("its end is missing: fetch it again, or take another backup")
            }
            Self::Damaged => f.write_str(
                "it is damaged, its checksum does not fit: fetch it again, or take another backup",
            ),
            Self::Other(error) => error.fmt(f),
        }
    }
}

/// What people hand over instead of a backup, by how it begins.
const FOREIGN: [(&[u8], &str); 5] = [
    (
        b"SQLite format 3\0",
        "an SQLite database: with the server stopped, put it where DATABASE_URL says (docs/OPERATIONS.md)",
    ),
    (b"PGDMP", "a dump of PostgreSQL: that is for pg_restore"),
    (b"-- PostgreSQL", "a dump of PostgreSQL: that is for psql"),
    (
        b"--\n-- PostgreSQL",
        "a dump of PostgreSQL: that is for psql",
    ),
    (b"\x1f\x8b", "packed by gzip: unpack it first"),
];

/// Writes a backup.
pub struct Writer<W: Write> {
    out: BufWriter<W>,
    hash: Sha256,
    rows: Vec<u64>,
}

impl<W: Write> Writer<W> {
    /// Writes the first line.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn begin(out: W, head: &Head) -> io::Result<Self> {
        let mut writer = Self {
            out: BufWriter::with_capacity(BUFFER, out),
            hash: Sha256::new(),
            rows: Vec::new(),
        };
        writer.line(&serde_json::to_string(head)?)?;
        Ok(writer)
    }

    /// Begins the next table.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn table(&mut self, name: &str) -> io::Result<()> {
        self.rows.push(0);
        let table = name.to_owned();
        self.line(&serde_json::to_string(&Begin { table })?)
    }

    /// Writes a row of the table that was begun last.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn row(&mut self, row: &str) -> io::Result<()> {
        if let Some(count) = self.rows.last_mut() {
            *count += 1;
        }
        self.line(row)
    }

    /// Writes the last line, and tells how many rows each table has.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn end(mut self) -> io::Result<Vec<u64>> {
        let end = End {
            rows: self.rows.clone(),
            sha256: in_hex(self.hash.clone()),
        };
        self.line(&serde_json::to_string(&end)?)?;
        self.out.flush()?;
        Ok(self.rows)
    }

    fn line(&mut self, text: &str) -> io::Result<()> {
        for bytes in [text.as_bytes(), b"\n"] {
            self.hash.update(bytes);
            self.out.write_all(bytes)?;
        }
        Ok(())
    }
}

fn in_hex(hash: Sha256) -> String {
    use fmt::Write as _;
    let mut text = String::new();
    for byte in hash.finalize() {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Reads a backup.
pub struct Reader<R> {
    input: BufReader<R>,
    hash: Sha256,
    line: Vec<u8>,
    /// What the first line says.
    pub head: Head,
}

impl<R: Read> Reader<R> {
    /// Reads the first line.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn open(input: R) -> Result<Self, Fault> {
        let mut input = BufReader::with_capacity(BUFFER, input);
        let begin = input.fill_buf()?;
        if let Some((_, what)) = FOREIGN.iter().find(|(known, _)| begin.starts_with(known)) {
            return Err(Fault::Foreign(Some(what)));
        }
        if !begin.starts_with(b"{\"parlour_backup\":") {
            return Err(Fault::Foreign(None));
        }
        let mut reader = Self {
            input,
            hash: Sha256::new(),
            line: Vec::new(),
            head: Head {
                parlour_backup: FORM,
                made_at: String::new(),
                made_by: String::new(),
                made_from: String::new(),
                migrations: Vec::new(),
                tables: Vec::new(),
            },
        };
        reader.next_line()?;
        let found: serde_json::Value =
            serde_json::from_slice(&reader.line).map_err(|_| Fault::Damaged)?;
        if found["parlour_backup"].as_u64().is_some_and(|n| n > FORM) {
            return Err(Fault::Newer);
        }
        reader.head = serde_json::from_value(found).map_err(|_| Fault::Damaged)?;
        reader.hash.update(&reader.line);
        Ok(reader)
    }

    /// Hands out every row with the number of its table, and checks at the end that all of it is what was written. Tells
    /// how many rows each table has.
    ///
    /// # Errors
    /// [`Fault`], or what `take` reports.
    pub fn each_row(
        mut self,
        mut take: impl FnMut(usize, &str) -> Result<(), CopyError>,
    ) -> Result<Vec<u64>, Fault> {
        let mut rows: Vec<u64> = Vec::new();
        loop {
            self.next_line()?;
            let line = self.line.trim_ascii_end();
            if line.starts_with(b"[") {
                let row = str::from_utf8(line).map_err(|_| Fault::Damaged)?;
                let table = rows.len().checked_sub(1).ok_or(Fault::Damaged)?;
                rows[table] += 1;
                take(table, row)?;
            } else if let Ok(begin) = serde_json::from_slice::<Begin>(line) {
                let wanted = self.head.tables.get(rows.len()).ok_or(Fault::Damaged)?;
                if begin.table != wanted.name {
                    return Err(Fault::Damaged);
                }
                rows.push(0);
            } else {
                let end: End = serde_json::from_slice(line).map_err(|_| Fault::Damaged)?;
                let is_whole = end.sha256 == in_hex(self.hash.clone())
                    && end.rows == rows
                    && rows.len() == self.head.tables.len()
                    && self.input.fill_buf()?.is_empty();
                return if is_whole {
                    Ok(rows)
                } else {
                    Err(Fault::Damaged)
                };
            }
            self.hash.update(&self.line);
        }
    }

    /// Reads a line, its end included.
    fn next_line(&mut self) -> Result<(), Fault> {
        self.line.clear();
        let read = (&mut self.input)
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut self.line)?;
        match self.line.last() {
            Some(b'\n') => Ok(()),
            Some(_) if read as u64 >= LONGEST_LINE => Err(Fault::Damaged),
            _ => Err(Fault::CutShort),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written() -> Vec<u8> {
        let table = |name: &str| HeadTable {
            name: name.into(),
            columns: vec!["a".into()],
        };
        let head = Head {
            parlour_backup: FORM,
            made_at: "2026-11-26T15:00:00Z".into(),
            made_by: "0.1.0".into(),
            made_from: "SQLite".into(),
            migrations: vec!["1".into()],
            tables: vec![table("facts"), table("users")],
        };
        let mut bytes = Vec::new();
        let mut writer = Writer::begin(&mut bytes, &head).expect("writes");
        writer.table("facts").expect("writes");
        writer.row("[1]").expect("writes");
        writer.table("users").expect("writes");
        writer.row("[\"\u{e9}\"]").expect("writes");
        writer.row("[null]").expect("writes");
        assert_eq!(writer.end().expect("writes"), [1, 2]);
        bytes
    }

    fn read(bytes: &[u8]) -> Result<Vec<(usize, String)>, Fault> {
        let mut found = Vec::new();
        let rows = Reader::open(bytes)?.each_row(|table, row| {
            found.push((table, row.to_owned()));
            Ok(())
        })?;
        assert_eq!(rows, [1, 2]);
        Ok(found)
    }

    #[test]
    fn what_was_written_is_read() {
        let found = read(&written()).expect("a backup");
        let wanted = [(0, "[1]"), (1, "[\"\u{e9}\"]"), (1, "[null]")];
        assert_eq!(found, wanted.map(|(table, row)| (table, row.to_owned())));
    }

    #[test]
    fn one_cut_short_anywhere_or_changed_anywhere_is_refused() {
        let whole = written();
        for length in 0..whole.len() {
            let fault = read(&whole[..length]).expect_err("cut short");
            assert!(
                matches!(fault, Fault::CutShort | Fault::Foreign(None)),
                "{length}: {fault}"
            );
        }
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            assert!(read(&bytes).is_err(), "byte {at}");
        }
        let mut longer = whole.clone();
        longer.extend_from_slice(&whole);
        assert!(matches!(read(&longer), Err(Fault::Damaged)));
    }

    #[test]
    fn what_is_no_backup_is_named_if_it_can_be() {
        for (begin, words) in [
            (&b"SQLite format 3\0 and so on"[..], "SQLite database"),
            (b"PGDMP\x01", "pg_restore"),
            (b"\x1f\x8b\x08", "gzip"),
            (b"{\"id\": 1}\n", "is not a backup"),
            (b"", "is not a backup"),
            (b"{\"parlour_backup\":2}\n", "newer"),
        ] {
            let fault = Reader::open(begin).err().map(|fault| fault.to_string());
            assert!(
                fault.as_ref().is_some_and(|fault| fault.contains(words)),
                "{fault:?}"
            );
        }
    }
}
