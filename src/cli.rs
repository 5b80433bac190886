//! The command line.

use std::{ffi::OsString, io::Write as _, path::PathBuf};

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use parlour_tui::{
    self as tui, ClientError,
    settings::{self, ClientSettings},
};

use crate::{
    config::{self, Config, ConfigError, KeySettings, Settings, StorageSettings, misspelled},
    http, logging, ops, printing,
    protocol::GENERAL,
};

/// Team chat that one person can host: one binary, encrypted at rest, and no message lost.
#[derive(Debug, Parser)]
#[command(
    name = "parlour",
    version,
    max_term_width = 100,
    after_help = "Without a command, Parlour serves: `parlour` is `parlour serve`.\n\
                  Settings come from flags, then the environment, then a .env file in this folder; `parlour serve --help` lists them.\n\
                  The clients (tui, send, tail) read ~/.config/parlour/client.env instead of that .env.",
    arg_required_else_help = false
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the chat (this is what happens without a command)
    Serve(Box<Settings>),
    /// Chat in the terminal
    Tui(ClientSettings),
    /// Send a message and wait until it is stored: parlour send "text", or text on standard input
    ///
    /// When the message is stored, nothing is printed and the exit code is 0. Otherwise a sentence says why, and the exit
    /// code is 1 when the message may not be stored (no login, no answer within half a minute), or 2 when trying again will
    /// not help (too long, no such room).
    Send {
        /// Where and as whom.
        #[command(flatten)]
        client: ClientSettings,
        /// The room to send it to, by name or key; `@bob`: the direct room with bob
        #[arg(long, default_value = GENERAL)]
        room: String,
        /// The message; `-` or nothing reads standard input
        text: Option<String>,
    },
    /// Print the latest messages and then each new one, and what is edited or deleted
    Tail {
        /// Where and as whom.
        #[command(flatten)]
        client: ClientSettings,
        /// A room to follow, by name or key (`@bob`: the direct room with bob); give it again for each further one
        #[arg(long = "room", value_name = "ROOM", default_value = GENERAL)]
        rooms: Vec<String>,
        /// Follow all rooms that you are in, now and later
        #[arg(long, conflicts_with = "rooms")]
        all: bool,
        /// Print one JSON object a line
        #[arg(long)]
        json: bool,
        /// How many of the latest messages of each room to begin with
        #[arg(long, short = 'n', value_name = "N", default_value = "10", value_parser = settings::count)]
        lines: usize,
    },
    /// Show what Parlour does: a server, two people, a crash, and nothing lost. Leaves nothing behind
    Demo {
        /// Do not pause for reading
        #[arg(long)]
        fast: bool,
    },
    /// Bring the database up to date and stop; `serve` does this by itself
    Migrate(StorageSettings),
    /// Back up everything that is stored into one file, while the server runs; the keys are not in it
    Backup {
        /// The file to make, or a folder for a file named after the date and time; nothing is ever overwritten
        /// [default: parlour-DATE.backup here]
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
        /// Those of the server.
        #[command(flatten)]
        storage: StorageSettings,
        /// Those of the server.
        #[command(flatten)]
        keys: KeySettings,
    },
    /// Restore a backup into an empty database, SQLite or PostgreSQL; stop the server first
    Restore {
        /// The file that `parlour backup` made
        file: PathBuf,
        /// Restore even if the database is not empty: what it holds is moved to a file, whose name is printed
        #[arg(long)]
        replace: bool,
        /// Where it goes.
        #[command(flatten)]
        storage: StorageSettings,
        /// Those of the server that was backed up.
        #[command(flatten)]
        keys: KeySettings,
    },
    /// Add people and manage their accounts, while the server runs or not
    #[command(subcommand)]
    Users(ops::users::UsersCommand),
    /// Make keys
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Check settings, keys, database, clock and limits, and say what to do; changes nothing
    Doctor {
        /// Those of `serve`.
        #[command(flatten)]
        settings: Box<Settings>,
        /// Only ask the running server whether it can take work; exit with 0 if so
        #[arg(long)]
        health: bool,
    },
    /// Print completions for a shell; save them where that shell looks for them
    Completions {
        /// bash, zsh, fish, elvish or powershell
        shell: clap_complete::Shell,
    },
}

/// What can be done with keys.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Print a fresh `SECRET_KEY` and `ENCRYPTION_KEY`, as lines for .env
    Generate,
}

/// Exit code for a setting that is not right.
const MISCONFIGURED: i32 = 2;

/// Runs the program; returns its exit code.
#[must_use]
pub fn run() -> i32 {
    // Fails only when a provider has been chosen before.
    let _chosen_before = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let arguments = with_default_command(config::arguments());
    let known = misspelled::of_command(&Cli::command());
    // Asked before the file is in there, too.
    let strange = misspelled::suspects_in_environment(&known);
    // The file must be in the environment before the command line is read, which looks there.
    let loaded = if is_client(&arguments) {
        settings::file().map_or(Ok(Vec::new()), |file| config::load_env_file(&file, &[]))
    } else {
        config::load_dotenv(&known)
    };
    let outcome = loaded.and_then(|mut doubts| {
        doubts.extend(strange);
        let mut command = misspelled::without_empty(Cli::command());
        let matches = command.try_get_matches_from_mut(arguments);
        match matches.and_then(|matches| Cli::from_arg_matches(&matches)) {
            Ok(cli) => execute(cli.command, &doubts),
            Err(error) => match misspelled::wrong_value(&command, &error) {
                Some(sentence) => Err(sentence),
                None => Ok(explain(&error)),
            },
        }
    });
    let code = outcome.unwrap_or_else(|error| {
        let sentence = format!("parlour: {error}");
        if !logging::say(&sentence) {
            printing::tell(sentence);
        }
        MISCONFIGURED
    });
    logging::finish();
    code
}

/// Whether this is a command of people, who send their password to a server. A stranger may have written the `.env` of
/// the folder in which they happen to be: it must not say which server that is.
fn is_client(arguments: &[OsString]) -> bool {
    let command = arguments.get(1).and_then(|argument| argument.to_str());
    matches!(command, Some("tui" | "send" | "tail"))
}

/// Prints clap's help, or its error about the command line. Returns the exit code.
fn explain(error: &clap::Error) -> i32 {
    let printed = error.print().and_then(|()| std::io::stdout().flush());
    if error.use_stderr() || printed.is_ok() {
        error.exit_code()
    } else {
        printing::exit_code(printed)
    }
}

/// Puts `serve` where no command is named, so that `parlour --port 9000` serves on port 9000.
fn with_default_command(args: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut args: Vec<_> = args.collect();
    let first = args.get(1).map(|arg| arg.to_string_lossy().into_owned());
    let is_for_all = matches!(first.as_deref(), Some("-h" | "--help" | "-V" | "--version"));
    let names_command = first.as_deref().is_some_and(|arg| !arg.starts_with('-'));
    if !is_for_all && !names_command {
        args.insert(args.len().min(1), "serve".into());
    }
    args
}

fn execute(command: Command, doubts: &[String]) -> Result<i32, ConfigError> {
    match command {
        Command::Serve(settings) => serve(&settings, doubts),
        Command::Tui(settings) => Ok(client(tui::run(&settings))),
        Command::Send {
            client: settings,
            room,
            text,
        } => Ok(client(tui::send(&settings, text, Some(&room)))),
        Command::Tail {
            client: settings,
            rooms,
            all,
            json,
            lines,
        } => {
            let rooms = (!all).then_some(rooms);
            Ok(client(tui::tail(&settings, json, rooms, lines)))
        }
        Command::Demo { fast } => Ok(ops::demo::run(fast)),
        Command::Migrate(settings) => ops::migrate::run(&settings),
        Command::Backup { to, storage, keys } => ops::backup::run(&storage, &keys, to.as_deref()),
        Command::Restore {
            file,
            replace,
            storage,
            keys,
        } => ops::restore::run(&storage, &keys, &file, replace),
        Command::Users(command) => Ok(ops::users::run(command)),
        Command::Doctor { settings, health } => Ok(if health {
            ops::doctor::health(&settings)
        } else {
            ops::doctor::run(&settings, doubts)
        }),
        Command::Keys(KeysCommand::Generate) => ops::keys::generate(),
        Command::Completions { shell } => {
            let mut command = Cli::command();
            // Generating it into a closed pipe would panic.
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut command, "parlour", &mut script);
            let printed = printing::print(String::from_utf8_lossy(&script));
            Ok(printing::exit_code(printed))
        }
    }
}

/// The exit code for what a client did; prints its error.
fn client(outcome: Result<(), ClientError>) -> i32 {
    match outcome {
        Ok(()) => 0,
        Err(error) => {
            printing::complain(&error);
            error.exit_code.into()
        }
    }
}

fn serve(settings: &Settings, doubts: &[String]) -> Result<i32, ConfigError> {
    config::check_log_filter(&settings.rust_log)?;
    logging::start(settings.log_format, &settings.rust_log);
    for doubt in doubts {
        log::warn!("{doubt}");
    }
    let config = Config::check(settings)?;
    http::serve::block_on(http::serve::run(config)).map(|()| 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn without_a_command_it_serves() {
        let args = |list: &[&str]| -> Vec<String> {
            let list = list.iter().map(OsString::from);
            with_default_command(list)
                .into_iter()
                .map(|arg| arg.to_string_lossy().into_owned())
                .collect()
        };
        assert_eq!(args(&["parlour"]), ["parlour", "serve"]);
        assert_eq!(
            args(&["parlour", "--port", "9000"]),
            ["parlour", "serve", "--port", "9000"]
        );
        assert_eq!(args(&["parlour", "--help"]), ["parlour", "--help"]);
        assert_eq!(args(&["parlour", "migrate"]), ["parlour", "migrate"]);
    }
}
