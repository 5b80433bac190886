//! `parlour-lab verify`: tries to break the promises on delivery, and counts how often it succeeded. It starts real
//! servers, sets a crowd of writers and readers on them, and does to them what happens to servers: they
//! are killed, stopped, cut off, their disk is full, their database is gone. In the end everything that anyone was told
//! is laid beside what is stored.
//!
//! [`phase`] is one fault on one database, [`crowd`] are the people, [`company`] those of them who do in rooms what can be done there, [`nemesis`] does the faults to what stands in
//! [`rig`], [`check`] judges, [`scoreboard`] tells.

mod check;
mod company;
mod control;
mod crowd;
mod fault;
mod nemesis;
mod phase;
mod rng;
mod scoreboard;
mod status;

use std::{
    fmt,
    io::ErrorKind,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{Args, ValueEnum};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    task::LocalSet,
};

use self::{
    fault::{Database, Fault},
    phase::Plan,
    scoreboard::{Outcome, Row, Scoreboard},
    status::StatusLine,
};
use crate::{
    Result, Trouble, printing,
    rig::{folder::Folder, postgres::Programs},
};

/// Which databases to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Databases {
    /// The embedded one
    Sqlite,
    /// PostgreSQL, whose programs must be installed
    Postgres,
    /// Both; PostgreSQL only where its programs are found
    Both,
}

/// A guard that can be taken out, to see that its absence is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Control {
    /// The unique index that makes a retry safe
    NoIndex,
}

impl fmt::Display for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoIndex => "no-index",
        })
    }
}

/// What `parlour-lab verify` can be told.
#[derive(Debug, Clone, Args)]
pub struct VerifyOptions {
    /// The server's program.
    #[arg(skip)]
    pub server: PathBuf,
    /// Minutes of faults on each database; the databases are tried side by side
    #[arg(long, value_name = "N", default_value_t = 3.0, value_parser = minutes)]
    pub minutes: f64,
    /// Seed for the random choices: the same seed gives the same faults in the same order [default: a random one]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Which faults, separated by commas [default: all]
    #[arg(long, value_name = "FAULTS", value_enum, value_delimiter = ',')]
    pub faults: Vec<Fault>,
    /// On which database
    #[arg(long, value_name = "WHICH", value_enum, default_value_t = Databases::Both)]
    pub database: Databases,
    /// Remove a safeguard first, to see that the run then fails
    #[arg(long, value_name = "GUARD", value_enum)]
    pub control: Option<Control>,
    /// Keep the logs and databases, and print where they are
    #[arg(long)]
    pub keep: bool,
    /// Print JSON instead of a table
    #[arg(long)]
    pub json: bool,
}

fn minutes(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(minutes) if (0.01..=100_000.0).contains(&minutes) => Ok(minutes),
        _ => Err("it takes a number of minutes, at least 0.01".into()),
    }
}

/// Exit code for "something was lost, doubled, reordered, …".
const BROKEN: i32 = 1;
/// Exit code for "too little was tried to say anything".
const INVALID: i32 = 3;
/// Exit code after Ctrl-C, as shells have it.
const INTERRUPTED: i32 = 130;

/// Tries everything that was asked for and prints the scoreboard; progress goes to standard error. Tells the exit code.
#[must_use]
pub fn run(options: &VerifyOptions) -> i32 {
    let outcome = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Trouble::io("start", &error))
        .and_then(|runtime| LocalSet::new().block_on(&runtime, run_until_signal(options)));
    match outcome {
        Ok(Some(Outcome::Passed)) => 0,
        Ok(Some(Outcome::Failed)) => BROKEN,
        Ok(Some(Outcome::Invalid | Outcome::Skipped)) => INVALID,
        Ok(None) => {
            status::tell("\nparlour-lab: Stopped; all that was started for this run is gone.");
            INTERRUPTED
        }
        Err(trouble) => {
            status::tell(&format!("parlour-lab: {trouble}"));
            INVALID
        }
    }
}

/// `None` when a signal came first. Whatever had been started is gone when this returns.
async fn run_until_signal(options: &VerifyOptions) -> Result<Option<Outcome>> {
    let listen = |kind| signal(kind).map_err(|error| Trouble::io("hear signals", &error));
    let mut signals = [
        listen(SignalKind::interrupt())?,
        listen(SignalKind::terminate())?,
        listen(SignalKind::hangup())?,
    ];
    let [interrupt, terminate, hangup] = &mut signals;
    tokio::select! {
        biased;
        () = heard(interrupt) => Ok(None),
        () = heard(terminate) => Ok(None),
        () = heard(hangup) => Ok(None),
        outcome = verify(options) => outcome.map(Some),
    }
}

async fn heard(signal: &mut Signal) {
    signal.recv().await;
}

async fn verify(options: &VerifyOptions) -> Result<Outcome> {
    let seed = match options.seed {
        Some(seed) => seed,
        None => random_seed()?,
    };
    let folder = Folder::make_in(None, "parlour-verify-")?;
    let mut board = Scoreboard {
        seed,
        repeat: repeat(options, seed),
        control: options.control.map(|control| control.to_string()),
        outcome: None,
        rows: Vec::new(),
        notes: Vec::new(),
    };
    let programs = Programs::find();
    let with_sqlite = options.database != Databases::Postgres;
    let with_postgres = options.database != Databases::Sqlite;
    if with_postgres && programs.is_none() {
        let sentence = "PostgreSQL's programs (initdb, postgres, psql) were not found: install PostgreSQL (Debian: apt-get install postgresql).";
        if options.database == Databases::Postgres {
            return Err(Trouble(sentence.into()));
        }
        board
            .notes
            .push(format!("Only the embedded database was tried. {sentence}"));
    }
    let status = StatusLine::new();
    status.say(&format!(
        "seed {seed}; {} writers offer {} messages a second, {} readers follow",
        crowd::WRITERS,
        crowd::RATE,
        crowd::READERS
    ));
    let lane = |database, wanted: bool| {
        let (programs, status, folder) = (programs.as_ref(), &status, folder.path());
        async move {
            if !wanted {
                return Vec::new();
            }
            run_lane(options, seed, database, folder, programs, status).await
        }
    };
    let (sqlite, postgres) = tokio::join!(
        lane(Database::Sqlite, with_sqlite),
        lane(Database::Postgres, with_postgres && programs.is_some()),
    );
    board.rows.extend(sqlite);
    board.rows.extend(postgres);
    if options.keep {
        board
            .notes
            .push(format!("All of it is in {}.", folder.keep().display()));
    }
    tell(options, board)
}

fn tell(options: &VerifyOptions, mut board: Scoreboard) -> Result<Outcome> {
    let outcome = board.conclude();
    let text = if options.json {
        let text = serde_json::to_string_pretty(&board)
            .map_err(|error| Trouble(format!("The scoreboard cannot be written: {error}.")))?;
        text + "\n"
    } else {
        board.to_table()
    };
    match printing::print(text) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Trouble(printing::unwritten(&error)))
        }
        // The exit code tells the outcome to those who do not read.
        _ => Ok(outcome),
    }
}

/// All faults on one database, one after the other.
async fn run_lane(
    options: &VerifyOptions,
    seed: u64,
    database: Database,
    folder: &Path,
    programs: Option<&Programs>,
    status: &StatusLine,
) -> Vec<Row> {
    let faults: Vec<Fault> = faults(options)
        .into_iter()
        .filter(|fault| fault.concerns(database))
        .collect();
    let count = u32::try_from(faults.len()).unwrap_or(u32::MAX).max(1);
    let duration = Duration::from_secs_f64(options.minutes * 60.0) / count;
    let mut rows = Vec::new();
    // One cluster for all phases; only a small disk has one of its own.
    let mut cluster = None;
    let may_be_skipped = options.faults.is_empty();
    for fault in faults {
        let plan = Plan {
            database,
            fault,
            server: &options.server,
            seed,
            duration,
            control: options.control,
            folder,
            programs,
        };
        let row = phase::run(&plan, &mut cluster, status).await;
        let row = row.unwrap_or_else(|trouble| {
            let may_be_skipped = may_be_skipped && fault.may_be_left_out();
            Row::without_result(database, fault, trouble.0, may_be_skipped)
        });
        status.say(&format!(
            "{database}: {fault} done, {} faults, {} acked",
            row.injected, row.acked
        ));
        rows.push(row);
    }
    status.forget(database);
    rows
}

/// The faults that were asked for. The control is about retries, and nothing makes them as surely as a cut.
fn faults(options: &VerifyOptions) -> Vec<Fault> {
    if !options.faults.is_empty() {
        return options.faults.clone();
    }
    match options.control {
        Some(Control::NoIndex) => vec![Fault::Cut],
        None => Fault::value_variants().to_vec(),
    }
}

fn random_seed() -> Result<u64> {
    getrandom::u32()
        .map(Into::into)
        .map_err(|error| Trouble(format!("No seed can be drawn: {error}.")))
}

/// The command that does the same again.
fn repeat(options: &VerifyOptions, seed: u64) -> String {
    let mut words = vec![format!(
        "parlour-lab verify --minutes {} --seed {seed}",
        options.minutes
    )];
    if !options.faults.is_empty() {
        let faults: Vec<_> = options.faults.iter().map(ToString::to_string).collect();
        words.push(format!("--faults {}", faults.join(",")));
    }
    match options.database {
        Databases::Both => {}
        Databases::Sqlite => words.push("--database sqlite".into()),
        Databases::Postgres => words.push("--database postgres".into()),
    }
    if let Some(control) = options.control {
        words.push(format!("--control {control}"));
    }
    words.join(" ")
}
