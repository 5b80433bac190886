//! The command line.

use clap::{Parser, Subcommand};

use crate::{
    Result, bench, printing,
    rig::binary::{self, ServerOption},
    verify,
};

/// Tries to break a Parlour server, and measures what it costs.
#[derive(Debug, Parser)]
#[command(name = "parlour-lab", version, max_term_width = 100)]
pub struct Cli {
    /// Which server.
    #[command(flatten)]
    pub server: ServerOption,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Try to break a server with kills, cuts, full disks and more, and count the messages that are lost
    Verify(verify::VerifyOptions),
    /// Measure how fast a server is and what it costs, each number beside the best possible on this machine
    Bench(Box<bench::BenchOptions>),
    /// The floor that `bench` measures against, and starts by itself
    #[command(hide = true)]
    BenchFloor(bench::floor::FloorOptions),
}

/// Runs the program; returns its exit code.
#[must_use]
pub fn run() -> i32 {
    let cli = Cli::parse();
    let server = || binary::find(&cli.server);
    match cli.command {
        Command::Verify(mut options) => ended(server().map(|server| {
            options.server = server;
            verify::run(&options)
        })),
        Command::Bench(mut options) => ended(server().and_then(|server| {
            options.server = server;
            bench::run(&options)
        })),
        Command::BenchFloor(options) => ended(bench::floor::run(&options).map(|()| 0)),
    }
}

/// The exit code; what was in the way is told.
fn ended(outcome: Result<i32>) -> i32 {
    outcome.unwrap_or_else(|trouble| {
        printing::tell(format_args!("parlour-lab: {trouble}"));
        1
    })
}
