//! Where a new password comes from: typed without an echo, read from standard input, or made up. Never an argument, which
//! everyone on the machine can see.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _};

use clap::Args;
use parlour_tui::prompt::ask_unseen;
use secrecy::{ExposeSecret as _, SecretString};

use super::Failure;
use crate::{crypto::random_bytes, printing, protocol::body};

/// Letters and digits that cannot be mistaken for another.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// So many of them are 100 random bits.
const LENGTH: usize = 20;
/// Longest line that is read.
const LONGEST_LINE: u64 = 1_024;

/// How a new password is given.
#[derive(Debug, Args)]
pub struct PasswordOptions {
    /// Make up a password and print it, instead of asking for one or reading it from standard input
    #[arg(long, help_heading = "Password")]
    generate: bool,
    /// Work factor of password hashes; the same as the server's
    #[arg(long, env = "BCRYPT_COST", value_name = "4-16", default_value_t = 12, help_heading = "Password", value_parser = clap::value_parser!(u32).range(4..=16))]
    pub(super) bcrypt_cost: u32,
}

/// A password that may be set.
pub(super) struct Password {
    text: SecretString,
    is_made_up: bool,
}

impl Password {
    pub(super) fn text(&self) -> &str {
        self.text.expose_secret()
    }

    /// The password as a line, if it was made up here.
    pub(super) fn shown(&self) -> String {
        if self.is_made_up {
            format!("{}\n", self.text())
        } else {
            String::new()
        }
    }
}

impl PasswordOptions {
    /// The password for this account.
    pub(super) fn ask(&self, name: &str) -> Result<Password, Failure> {
        let text = if self.generate {
            generate()?
        } else if io::stdin().is_terminal() {
            typed_twice(name)?
        } else {
            first_line()?
        };
        match body::password_fault("password", &text) {
            None => Ok(Password {
                text: text.into(),
                is_made_up: self.generate,
            }),
            Some(fault) => Err(Failure::Wrong(fault.msg)),
        }
    }
}

fn generate() -> Result<String, Failure> {
    let bytes = random_bytes::<LENGTH>()
        .map_err(|error| Failure::Wrong(format!("No password can be made: {error}.")))?;
    let letters = bytes
        .iter()
        .filter_map(|byte| ALPHABET.get(usize::from(byte % 32)).copied())
        .map(char::from);
    Ok(letters
        .enumerate()
        .flat_map(|(n, letter)| {
            (n > 0 && n % 5 == 0)
                .then_some('-')
                .into_iter()
                .chain([letter])
        })
        .collect())
}

fn typed_twice(name: &str) -> Result<String, Failure> {
    let question = format!("New password for {name}: ");
    let answers = ask_unseen([&question, "Once more: "]).map_err(|error| {
        Failure::Wrong(format!(
            "The password was not read ({error}): type it, or give it on standard input."
        ))
    })?;
    match answers {
        Some([first, second]) if first == second => Ok(first),
        Some(_) => Err(Failure::Wrong(
            "The two passwords differ; nothing was changed.".into(),
        )),
        None => Err(Failure::Wrong("Nothing was changed.".into())),
    }
}

fn first_line() -> Result<String, Failure> {
    let mut line = String::new();
    let read = io::stdin().lock().take(LONGEST_LINE).read_line(&mut line);
    read.map_err(|error| {
        Failure::Wrong(format!(
            "The password on standard input was not read ({error}): it must be a line of UTF-8."
        ))
    })?;
    let line = without_bom(&line);
    let line = line.strip_suffix('\n').unwrap_or(line);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() {
        return Err(Failure::Wrong(
            "There is no password: type it in a terminal, give it as a line on standard input, or use --generate.".into(),
        ));
    }
    Ok(line.to_owned())
}

/// What PowerShell and some editors put before a text is no part of it.
fn without_bom(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// Asks whether a deletion is meant.
pub(super) fn confirm(name: &str) -> Result<bool, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::Wrong(format!(
            "Deleting {name} cannot be taken back: add --yes if it is meant."
        )));
    }
    printing::tell(format_args!(
        "Delete {name}? This cannot be taken back. Type the name again:"
    ));
    let mut line = String::new();
    let read = io::stdin().lock().take(LONGEST_LINE).read_line(&mut line);
    Ok(read.is_ok() && line.trim().eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_that_is_made_up_may_be_set_and_is_not_made_up_twice() {
        let (Ok(one), Ok(other)) = (generate(), generate()) else {
            panic!("no random bytes");
        };
        assert_eq!(one.len(), LENGTH + 3);
        assert!(body::password_fault("password", &one).is_none());
        assert_ne!(one, other);
    }
}
