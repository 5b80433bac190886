//! `parlour-lab bench`: what this server costs and how fast it is, each number beside the least that it can be on the same
//! machine in the same minute (a bare broadcaster, the disk's fsync), and beside what we promise.
//!
//! A file per line of measure; [`readers`] reads, [`senders`] sends, [`subject`] and [`floor`] are what is measured.
//! It only ever loads this machine.

// Measured numbers are shown with three digits; what a conversion to or from `f64` rounds off is far below that.
#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)]

mod absent;
mod accounts;
mod ack;
mod broadcast;
mod crowd;
mod durable;
mod fanout;
mod floods;
pub mod floor;
mod history;
mod idle;
mod logins;
mod noise;
mod opening;
mod presence;
mod proc;
mod progress;
mod readers;
mod reconnect;
mod report;
mod rest;
mod rooms;
mod senders;
mod slow;
mod start;
mod stats;
mod storm;
mod subject;

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};
use secrecy::SecretString;

use self::{readers::Stopwatch, report::Report};
use crate::{Result, Trouble, printing, rig::folder::Folder};

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Measure {
    /// CPU and delay of a delivery, many sockets in one room
    Fanout,
    /// The same in many rooms, of which each socket is in several
    Rooms,
    /// Memory of an idle server and of an idle socket
    Idle,
    /// Messages a second from senders that wait for their acks
    Durable,
    /// How long an ack takes at a moderate rate
    Ack,
    /// Time from the start to ready
    Start,
    /// Time for a page of history, in a small room and a large one
    History,
    /// How deliveries are slowed by many logins at once
    Logins,
    /// How the others are slowed by clients that have stopped reading
    Slow,
    /// How soon clients are back after their connections were cut, and what that costs the others
    Reconnect,
    /// What one address or account that floods the server costs everyone else
    Floods,
    /// What a message costs in a room of 10,000 members, beside one of 10
    Crowd,
    /// How people who come and go are told to those who share a room with them, and what that costs the others
    Presence,
    /// Whether the time of an answer tells a private room from one that is not there
    Absent,
}

/// What `parlour-lab bench` can be told.
#[derive(Debug, Clone, Args)]
pub struct BenchOptions {
    /// The server's program.
    #[arg(skip)]
    pub server: PathBuf,
    /// What to measure [default: everything]
    #[arg(value_enum, value_name = "LINE")]
    pub lines: Vec<Measure>,
    /// A running server on this machine to measure [default: one that is started on an empty temporary folder]
    #[arg(long, value_name = "URL", conflicts_with_all = ["database_url", "data_dir"])]
    pub url: Option<url::Url>,
    /// `postgres://…`: measure with this (empty, unimportant) database instead of the embedded one
    #[arg(long, value_name = "URL")]
    pub database_url: Option<SecretString>,
    /// Where to put the temporary folder; the fsync of its disk is what counts [default: the system's]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Sockets to open [default: 1000 for fanout, logins and slow; 2000 for rooms, and people for presence; 10000 for idle and reconnect]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(10..=60_000))]
    pub sockets: Option<u32>,
    /// Members of the large room of crowd [default: 10000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(11..=10_000))]
    pub members: Option<u32>,
    /// Messages a second for fanout, separated by commas
    #[arg(long, value_name = "N", value_delimiter = ',', default_values_t = [100, 400], value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub rate: Vec<u32>,
    /// Measure a server on uWebSockets that keeps nothing beside fanout, started by this program; needs node and npm
    #[arg(long, value_name = "PROGRAM", num_args = 0..=1, require_equals = true, default_missing_value = "scripts/uws")]
    pub uws: Option<PathBuf>,
    /// Numbers of senders for durable, separated by commas
    #[arg(long, value_name = "N", value_delimiter = ',', default_values_t = [10, 256], value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub senders: Vec<u32>,
    /// Messages in the database [default: 100000 for start, 1000000 for history]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2_000..=10_000_000))]
    pub messages: Option<u32>,
    /// Seconds of each measurement [default: 60 for logins, slow and presence, 30 for idle, otherwise 10]
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u32).range(1..=600))]
    pub seconds: Option<u32>,
    /// Print JSON instead of a table
    #[arg(long)]
    pub json: bool,
    /// Print the table as Markdown, as docs/PERFORMANCE.md has it
    #[arg(long, conflicts_with = "json")]
    pub markdown: bool,
}

impl BenchOptions {
    fn sockets_or(&self, default: usize) -> usize {
        self.sockets.map_or(default, |sockets| sockets as usize)
    }

    fn time(&self) -> Duration {
        self.time_or(10)
    }

    fn time_or(&self, seconds: u32) -> Duration {
        Duration::from_secs(self.seconds.unwrap_or(seconds).into())
    }
}

/// One run.
struct Bench<'a> {
    options: &'a BenchOptions,
    clock: Stopwatch,
    report: Report,
}

/// Measures what was asked for and prints it; progress goes to standard error. Tells the exit code.
///
/// # Errors
/// When a measurement could not be made. What was measured before is printed all the same.
pub fn run(options: &BenchOptions) -> Result<i32> {
    proc::raise_open_files_limit();
    let mut bench = Bench {
        options,
        clock: Stopwatch::start(),
        report: Report {
            about: about(options),
            ..Report::default()
        },
    };
    let lines = if options.lines.is_empty() {
        Measure::value_variants()
    } else {
        &options.lines
    };
    let outcome = lines.iter().try_for_each(|line| bench.measure(*line));
    let noise = bench.report.noise.notes();
    bench.report.notes.extend(noise);
    let text = if options.json {
        let text = serde_json::to_string_pretty(&bench.report)
            .map_err(|error| Trouble(format!("The report cannot be written: {error}.")))?;
        Some(text)
    } else if options.markdown {
        Some(bench.report.to_markdown())
    } else if !bench.report.rows.is_empty() {
        Some(bench.report.to_table())
    } else {
        None
    };
    let code = text.map_or(0, |text| printing::exit_code(printing::line(text)));
    outcome.map(|()| code)
}

impl Bench<'_> {
    /// An empty folder in `--data-dir`, or where the system keeps its temporary files.
    fn folder(&self) -> Result<Folder> {
        Folder::make_in(self.options.data_dir.as_deref(), "parlour-bench-")
    }

    fn measure(&mut self, line: Measure) -> Result<()> {
        match line {
            Measure::Fanout => fanout::measure(self),
            Measure::Rooms => rooms::measure(self),
            Measure::Idle => idle::measure(self),
            Measure::Durable => durable::measure(self),
            Measure::Ack => ack::measure(self),
            Measure::Start => start::measure(self),
            Measure::History => history::measure(self),
            Measure::Logins => logins::measure(self),
            Measure::Slow => slow::measure(self),
            Measure::Reconnect => reconnect::measure(self),
            Measure::Floods => floods::measure(self),
            Measure::Crowd => crowd::measure(self),
            Measure::Presence => presence::measure(self),
            Measure::Absent => absent::measure(self),
        }
    }
}

fn about(options: &BenchOptions) -> Vec<String> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let build = if cfg!(debug_assertions) {
        " (a debug build: numbers of a release build are several times better)"
    } else {
        ""
    };
    let database = match (&options.url, &options.database_url) {
        (Some(url), _) => format!("the server at {url}"),
        (None, Some(_)) => "PostgreSQL".into(),
        (None, None) => "the embedded database".into(),
    };
    vec![format!(
        "parlour {}{build}, {database}, {cores} cores shared by server and bench",
        env!("CARGO_PKG_VERSION")
    )]
}
