//! Misspelled settings: names that are almost those of a setting.

use std::{error::Error, ffi::OsStr};

use strsim::osa_distance;

use super::ConfigError;

/// The setting that a name in `.env` was meant to be, if it is none but close to one. (Other programs read the same file.)
pub(super) fn meant_in_file<'a>(name: &str, known: &'a [String]) -> Option<&'a str> {
    // The compose file's own.
    if name == "PARLOUR_PORT" {
        return None;
    }
    let upper = name.to_ascii_uppercase();
    let bare = upper.strip_prefix("PARLOUR_").unwrap_or(&upper);
    let exact = known.iter().find(|known| *known == bare && *known != name);
    exact.map(String::as_str).or_else(|| nearest(name, known))
}

/// The same for a name in the environment, which is full of names that are not meant for us: of short ones only those
/// count that have two neighbouring letters the wrong way round, which no word of another program is likely to be.
fn meant_in_environment<'a>(name: &str, known: &'a [String]) -> Option<&'a str> {
    let meant = nearest(name, known)?;
    (name.len() >= 8 || is_transposed(name, meant)).then_some(meant)
}

fn is_transposed(name: &str, meant: &str) -> bool {
    let sorted = |text: &str| {
        let mut letters = text.as_bytes().to_vec();
        letters.sort_unstable();
        letters
    };
    osa_distance(name, meant) == 1 && sorted(name) == sorted(meant)
}

fn nearest<'a>(name: &str, known: &'a [String]) -> Option<&'a str> {
    if known.iter().any(|known| known == name) {
        return None;
    }
    let upper = name.to_ascii_uppercase();
    let near = known
        .iter()
        .map(|known| (osa_distance(&upper, known), known));
    // HOME is not HOST.
    let most = if name.len() <= 5 { 1 } else { 2 };
    near.filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, known)| known.as_str())
}

/// What in the environment looks like a misspelled setting.
#[must_use]
pub fn suspects_in_environment(known: &[String]) -> Vec<String> {
    std::env::vars_os()
        .filter_map(|(name, _)| {
            let name = name.into_string().ok()?;
            let meant = meant_in_environment(&name, known)?;
            Some(format!(
                "The environment sets {name}, which is no setting of Parlour: {meant} is."
            ))
        })
        .collect()
}

/// Every name by which this command and those below it can be set.
#[must_use]
pub fn of_command(command: &clap::Command) -> Vec<String> {
    let own = command
        .get_arguments()
        .filter_map(|arg| Some(arg.get_env()?.to_string_lossy().into_owned()));
    let mut names: Vec<_> = own
        .chain(command.get_subcommands().flat_map(of_command))
        .collect();
    names.sort();
    names.dedup();
    names
}

/// Whether a variable that is set says nothing.
pub(super) fn is_blank(value: &OsStr) -> bool {
    value.to_str().is_some_and(|text| text.trim().is_empty())
}

/// The command without the variables that are set but empty, as compose files set them: those are not set. (clap takes
/// an empty one for a value.)
#[must_use]
pub fn without_empty(command: clap::Command) -> clap::Command {
    let is_empty = |name: &OsStr| std::env::var_os(name).is_some_and(|value| is_blank(&value));
    command
        .mut_args(|arg| {
            if arg.get_env().is_some_and(is_empty) {
                arg.env(clap::builder::Resettable::Reset)
            } else {
                arg
            }
        })
        .mut_subcommands(without_empty)
}

/// One sentence about a value that is not right. It may come from the environment, where no flag was given, so it names
/// the setting both ways. `None` when the error is not about a value.
#[must_use]
pub fn wrong_value(command: &clap::Command, error: &clap::Error) -> Option<ConfigError> {
    use clap::error::{ContextKind, ContextValue, ErrorKind};
    matches!(
        error.kind(),
        ErrorKind::ValueValidation | ErrorKind::InvalidValue
    )
    .then_some(())?;
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    let shown = text(ContextKind::InvalidArg)?;
    let long = shown
        .strip_prefix("--")
        .and_then(|long| long.split(' ').next());
    let arg = long.and_then(|long| argument(command, long));
    let name = match arg.and_then(clap::Arg::get_env) {
        Some(env) => format!("{} (or {shown})", env.to_string_lossy()),
        None => shown,
    };
    let given = text(ContextKind::InvalidValue)?;
    let is_empty = given.trim().is_empty();
    let value = match given {
        _ if is_empty => "empty".to_owned(),
        // An address with a password in it.
        value if value.contains('@') => "that".to_owned(),
        value => format!("`{value}`"),
    };
    let may_be = match error.get(ContextKind::ValidValue) {
        Some(ContextValue::Strings(values)) if !values.is_empty() => {
            format!("it may be {}", values.join(" or "))
        }
        _ => arg.map_or_else(String::new, |arg| what_it_may_be(arg, error)),
    };
    let may_be = match arg {
        _ if !may_be.is_empty() => may_be,
        Some(arg) if !arg.is_required_set() => "give a value, or leave it out".to_owned(),
        _ => "give a value".to_owned(),
    };
    Some(ConfigError(format!("{name} may not be {value}: {may_be}.")))
}

fn argument<'a>(command: &'a clap::Command, long: &str) -> Option<&'a clap::Arg> {
    let here = command
        .get_arguments()
        .find(|arg| arg.get_long() == Some(long));
    here.or_else(|| {
        command
            .get_subcommands()
            .find_map(|below| argument(below, long))
    })
}

/// The parser's own words are about Rust's types.
fn what_it_may_be(arg: &clap::Arg, error: &clap::Error) -> String {
    let cause = Error::source(error);
    if cause.is_some_and(<dyn Error>::is::<std::net::AddrParseError>) {
        return "it is an IP address, like 127.0.0.1, 0.0.0.0 or ::".into();
    }
    let said = cause.map(ToString::to_string).unwrap_or_default();
    let range = range_in(&said).or_else(|| range_of(arg));
    match range {
        Some((least, most)) => format!("it is a whole number from {least} to {most}"),
        None => said.trim_end_matches('.').to_owned(),
    }
}

/// clap tells the range of a number only when a number is beyond it.
fn range_of(arg: &clap::Arg) -> Option<(String, String)> {
    let long = arg.get_long()?;
    let arg = arg
        .clone()
        .env(clap::builder::Resettable::Reset)
        .required(false);
    let beyond = format!("--{long}={}", i64::MAX);
    let error = clap::Command::new("probe")
        .arg(arg)
        .try_get_matches_from(["probe", &beyond])
        .err()?;
    range_in(&Error::source(&error)?.to_string())
}

fn range_in(said: &str) -> Option<(String, String)> {
    let (_, range) = said.split_once(" is not in ")?;
    let (least, most) = range.split_once("..")?;
    let most = most.strip_prefix('=').unwrap_or(most);
    Some((least.to_owned(), most.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_nearly_ours_is_told_and_others_are_not() {
        let known: Vec<String> = [
            "SECRET_KEY",
            "PORT",
            "HOST",
            "DATA_DIR",
            "DATABASE_URL",
            "WORKERS",
            "PARLOUR_SERVER",
        ]
        .map(str::to_owned)
        .to_vec();
        for (name, in_file, in_environment) in [
            ("SECERT_KEY", Some("SECRET_KEY"), Some("SECRET_KEY")),
            ("SECRETKEY", Some("SECRET_KEY"), Some("SECRET_KEY")),
            ("DATABASE_URI", Some("DATABASE_URL"), Some("DATABASE_URL")),
            ("PROT", Some("PORT"), Some("PORT")),
            ("port", Some("PORT"), None),
            ("HSOT", Some("HOST"), Some("HOST")),
            ("WOKRERS", Some("WORKERS"), Some("WORKERS")),
            ("HOSTS", Some("HOST"), None),
            ("PORTS", Some("PORT"), None),
            ("WORKER", Some("WORKERS"), None),
            ("PARLOUR_HOST", Some("HOST"), None),
            ("PARLOUR_DATA_DIR", Some("DATA_DIR"), None),
            ("DATADIR", Some("DATA_DIR"), None),
            // Ours, or none of our business.
            ("PORT", None, None),
            ("SECRET_KEY", None, None),
            ("PARLOUR_SERVER", None, None),
            ("PARLOUR_PORT", None, None),
            ("POSTGRES_PASSWORD", None, None),
            ("HOME", None, None),
            ("PATH", None, None),
            ("HOSTNAME", None, None),
            ("USER", None, None),
        ] {
            assert_eq!(meant_in_file(name, &known), in_file, "{name}");
            assert_eq!(meant_in_environment(name, &known), in_environment, "{name}");
        }
    }
}
