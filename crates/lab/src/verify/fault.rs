//! What can go wrong, where, and how often it is made to.

use std::{fmt, time::Duration};

use clap::ValueEnum;
use serde::{Serialize, Serializer};

/// Something that is done to a server, its database or its clients' lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum)]
pub enum Fault {
    /// kill -9 the server at any moment, and start it again
    Kill,
    /// Stop the server's process for a while (SIGSTOP), and continue it
    Pause,
    /// Cut connections at any byte, also between the commit and the ack
    Cut,
    /// SIGTERM under load, and a new start
    Term,
    /// Let readers take nothing for a while
    Stall,
    /// Fill the disk of the database, and free it
    Disk,
    /// Let another program (sqlite3) read, write and back up the embedded database, and then kill -9 the server
    Visitor,
    /// Set the server's clock ahead or back, by minutes or by months, also over a kill -9, and then right again
    Clock,
    /// Restart PostgreSQL, orderly or at once
    Restart,
    /// Swallow or hold back all that goes between server and PostgreSQL
    Blackhole,
}

/// Which database a server stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Database {
    /// The embedded one.
    Sqlite,
    /// A real one, started for the run.
    Postgres,
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        })
    }
}

impl Serialize for Database {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kill => "kill",
            Self::Pause => "pause",
            Self::Cut => "cut",
            Self::Term => "term",
            Self::Stall => "stall",
            Self::Disk => "disk",
            Self::Visitor => "visitor",
            Self::Clock => "clock",
            Self::Restart => "restart",
            Self::Blackhole => "blackhole",
        })
    }
}

impl Serialize for Fault {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Fault {
    /// Whether there is anything to do it to.
    #[must_use]
    pub fn concerns(self, database: Database) -> bool {
        match self {
            Self::Restart | Self::Blackhole => database == Database::Postgres,
            Self::Visitor => database == Database::Sqlite,
            _ => true,
        }
    }

    /// Whether it may be left out where this machine does not allow it: mounting a small disk, running sqlite3, libfaketime.
    #[must_use]
    pub fn may_be_left_out(self) -> bool {
        matches!(self, Self::Disk | Self::Visitor | Self::Clock)
    }

    /// How many are planned for a phase of this length: at least one.
    #[must_use]
    pub fn planned(self, phase: Duration) -> u64 {
        let every = Duration::from_millis(match self {
            Self::Kill => 2_000,
            Self::Pause | Self::Term | Self::Visitor | Self::Clock => 4_000,
            Self::Cut => 250,
            Self::Stall => 7_000,
            Self::Disk | Self::Restart => 8_000,
            Self::Blackhole => 16_000,
        });
        u64::try_from(phase.as_millis() / every.as_millis())
            .unwrap_or(u64::MAX)
            .max(1)
    }
}
