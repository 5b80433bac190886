//! The machine: its clock, and how many files a process may have open.

use chrono::Datelike as _;
use rustix::process::{Resource, getrlimit};

use super::Report;
use crate::{config::Settings, protocol::time::now};

/// The first year in which a clock can be right.
const FIRST_YEAR: i32 = 2026;
const LAST_YEAR: i32 = 2094;
/// Fewer sockets than this are soon used up.
const FEW_SOCKETS: u64 = 2_000;
/// So few that it makes no sense to start.
const NO_SOCKETS: u64 = 16;

/// The year can be right. (Logins expire by the clock, and messages are dated by it.)
pub fn check_clock(report: &mut Report) {
    let year = now().year();
    if (FIRST_YEAR..=LAST_YEAR).contains(&year) {
        report.ok("The clock of this machine shows a year that can be.");
    } else {
        report.problem(format!(
            "The clock of this machine shows the year {year}: set it, and synchronise it (NTP)."
        ));
    }
}

/// Every socket is an open file. The server itself raises the soft limit to the hard one.
pub fn check_files(settings: &Settings, report: &mut Report) {
    let Some(files) = getrlimit(Resource::Nofile).maximum else {
        report.ok("A process may have any number of files open.");
        return;
    };
    let raise = "raise the hard limit (LimitNOFILE=65536 under systemd, `ulimits` in a container)";
    let sockets = files.saturating_sub(own_files(settings));
    if sockets < NO_SOCKETS {
        report.problem(format!(
            "A process may have {files} files open, which leaves {sockets} sockets: {raise}."
        ));
    } else if sockets < FEW_SOCKETS {
        report.warning(format!(
            "A process may have {files} files open, which is enough for about {sockets} sockets. If more will come: {raise}."
        ));
    } else {
        report.ok(format!(
            "A process may have {files} files open: enough for about {sockets} sockets."
        ));
    }
}

/// What the server has open besides its sockets: a database connection of SQLite is up to three files, a thread that
/// serves has a few of its own.
fn own_files(settings: &Settings) -> u64 {
    let threads = settings.workers.map_or_else(
        || std::thread::available_parallelism().map_or(2, |n| n.get() as u64),
        u64::from,
    );
    u64::from(settings.storage.database_pool_size) * 3 + threads * 4 + 64
}
