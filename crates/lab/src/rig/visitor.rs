//! Another program of this machine that opens the embedded database beside the server: the real `sqlite3`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use super::{
    binary,
    process::{Process, finish},
};
use crate::{Result, Trouble};

/// How long a visit may take. It waits for its turn behind the server.
const TIMEOUT: Duration = Duration::from_secs(30);

/// What a visitor does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visit {
    /// A backup while the server runs, which is then looked at.
    Backup,
    /// A look at the messages.
    Select,
    /// A look at the tables.
    Schema,
    /// A change, held for a moment before it is committed.
    Write,
    /// All of the database written again.
    Vacuum,
    /// The log brought into the database, and cut to nothing.
    Checkpoint,
}

impl Visit {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Backup,
        Self::Select,
        Self::Schema,
        Self::Write,
        Self::Vacuum,
        Self::Checkpoint,
    ];

    fn statements(self) -> &'static [&'static str] {
        match self {
            Self::Backup => &[".backup copy.db"],
            Self::Select => &["SELECT count(*), max(id) FROM messages"],
            Self::Schema => &[".schema"],
            Self::Write => &[
                "BEGIN IMMEDIATE",
                "UPDATE rooms SET key = key",
                ".shell sleep 0.2",
                "COMMIT",
            ],
            Self::Vacuum => &["VACUUM"],
            Self::Checkpoint => &["PRAGMA wal_checkpoint(TRUNCATE)"],
        }
    }
}

/// Someone who can run `sqlite3` as the database's owner.
#[derive(Debug)]
pub struct Visitor {
    program: PathBuf,
    database: PathBuf,
    /// Where copies go.
    folder: PathBuf,
}

impl Visitor {
    /// Someone who visits this database, and keeps copies in `folder`.
    ///
    /// # Errors
    /// When there is no such program.
    pub fn find(database: &Path, folder: &Path) -> Result<Self> {
        let program = binary::program_folders()
            .into_iter()
            .map(|folder| folder.join("sqlite3"))
            .find(|program| program.is_file())
            .ok_or_else(|| {
                Trouble(
                    "The program sqlite3 was not found: install it (Debian: apt-get install sqlite3)."
                        .into(),
                )
            })?;
        Ok(Self {
            program,
            database: database.to_owned(),
            folder: folder.to_owned(),
        })
    }

    /// Does it, and tells what was not as it should be. At least so many messages must be in a backup.
    pub async fn visit(&self, visit: Visit, stored: u64) -> Vec<String> {
        if let Err(Trouble(sentence)) = self.run(&self.database, visit.statements()).await {
            return vec![format!("a visitor was turned away ({visit:?}): {sentence}")];
        }
        if visit != Visit::Backup {
            return Vec::new();
        }
        let copy = self.folder.join("copy.db");
        let look = ["PRAGMA integrity_check", "SELECT count(*) FROM messages"];
        let found = self.run(&copy, &look).await;
        let _gone = fs::remove_file(&copy);
        match found {
            Ok(found) if is_whole(&found, stored) => Vec::new(),
            Ok(found) => vec![format!(
                "{stored} messages were acked before a backup by sqlite3, which holds: {}",
                found.split_whitespace().collect::<Vec<_>>().join(" ")
            )],
            Err(Trouble(sentence)) => vec![format!("a backup by sqlite3 is no good: {sentence}")],
        }
    }

    /// Changes something.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn execute(&self, statement: &str) -> Result<()> {
        self.run(&self.database, &[statement]).await.map(drop)
    }

    /// Someone who goes on reading one moment of the database for so long.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn stay(&self, duration: Duration) -> Result<Process> {
        let sleep = format!(".shell sleep {:.1}", duration.as_secs_f64());
        let statements = ["BEGIN", "SELECT count(*) FROM messages", &sleep, "COMMIT"];
        Process::start_group(
            "sqlite3",
            self.command(&self.database, &statements)
                .stdout(Stdio::null())
                .stderr(Stdio::null()),
        )
    }

    async fn run(&self, database: &Path, statements: &[&str]) -> Result<String> {
        finish("sqlite3", self.command(database, statements), TIMEOUT).await
    }

    fn command(&self, database: &Path, statements: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(["-batch", "-bail", "-cmd", ".timeout 20000"])
            .arg(database)
            .args(statements)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .current_dir(&self.folder)
            .stdin(Stdio::null());
        command
    }
}

/// `ok`, and a count that is high enough.
fn is_whole(found: &str, stored: u64) -> bool {
    let mut lines = found.lines();
    lines.next() == Some("ok")
        && lines
            .next()
            .and_then(|count| count.parse::<u64>().ok())
            .is_some_and(|count| count >= stored)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_that_lacks_something_is_seen() {
        assert!(is_whole("ok\n7\n", 7) && is_whole("ok\n8\n", 7));
        assert!(!is_whole("ok\n6\n", 7));
        assert!(!is_whole("row 3 missing from index\n7\n", 7));
        assert!(!is_whole("", 0));
    }
}
