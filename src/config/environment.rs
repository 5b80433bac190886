//! What the process is told besides its settings: its arguments, its own file, where programs are, whether colours are wanted.

use std::path::PathBuf;

use super::ConfigError;

/// What the program was called with.
pub fn arguments() -> std::env::ArgsOs {
    std::env::args_os()
}

/// Where this very program lies, for what it starts again as a process of its own.
///
/// # Errors
/// When the system does not say.
pub fn current_binary() -> Result<PathBuf, ConfigError> {
    std::env::current_exe().map_err(|error| {
        ConfigError(format!(
            "This program cannot find its own file ({error}): is /proc mounted?"
        ))
    })
}

/// The folders in which programs are looked for.
#[must_use]
pub fn program_folders() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).collect()
}

/// Whether standard output may be coloured: it is a terminal, and colour was not turned off
/// (<https://no-color.org>).
#[must_use]
pub fn colour_is_wanted() -> bool {
    takes_colour(&std::io::stdout())
}

/// The same for the log, which goes to standard error.
#[must_use]
pub fn colour_is_wanted_in_log() -> bool {
    takes_colour(&std::io::stderr())
}

fn takes_colour(out: &impl std::io::IsTerminal) -> bool {
    out.is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|value| value != "dumb")
}
