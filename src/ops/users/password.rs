//! Where a new password comes from: typed without an echo, read from standard input, or made up. Never an argument, which
//! everybody on the machine can list.

use std::{
    fmt::Display,
    io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _},
};

use clap::Args;
use crossterm::{
    event::{self, Event, KeyCode, KeyEventKind, KeyModifiers},
    terminal,
};
use secrecy::{ExposeSecret as _, SecretString};
use unicode_segmentation::UnicodeSegmentation as _;

use super::Failure;
use crate::{crypto::random_bytes, printing, protocol::body};

/// Letters and digits that nobody takes for another.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// So many of them are 100 random bits.
const LENGTH: usize = 20;
/// Longest line that is read.
const LONGEST_LINE: u64 = 1_024;

/// How a new password is given.
#[derive(Debug, Args)]
pub struct PasswordOptions {
    /// Make a password up and print it; otherwise it is asked for, or read from standard input when that is no terminal
    #[arg(long, help_heading = "Password")]
    generate: bool,
    /// Work factor of password hashes; as the server has it
    #[arg(long, env = "BCRYPT_COST", value_name = "4-31", default_value_t = 12, help_heading = "Password", value_parser = clap::value_parser!(u32).range(4..=31))]
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

    /// It as a line, if nobody knows it yet.
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

/// While it lives, the terminal shows nothing of what is typed.
struct Unseen;

impl Unseen {
    fn begin() -> Result<Self, Failure> {
        terminal::enable_raw_mode().map_err(unread)?;
        Ok(Self)
    }
}

impl Drop for Unseen {
    fn drop(&mut self) {
        let _the_terminal_is_gone = terminal::disable_raw_mode();
    }
}

fn unread(error: impl Display) -> Failure {
    Failure::Wrong(format!(
        "The password was not read ({error}): type it, or give it on standard input."
    ))
}

fn typed_twice(name: &str) -> Result<String, Failure> {
    // Before the first question, so that nothing is shown of what is typed as soon as it is there.
    let unseen = Unseen::begin()?;
    let first = typed(&format!("New password for {name}: "))?;
    let second = typed("Once more: ")?;
    drop(unseen);
    if first == second {
        Ok(first)
    } else {
        Err(Failure::Wrong(
            "The two passwords differ; nothing was changed.".into(),
        ))
    }
}

/// What is typed after this question, up to Enter.
fn typed(question: &str) -> Result<String, Failure> {
    let mut err = io::stderr().lock();
    let mut show = |text: &str| {
        write!(err, "{text}")
            .and_then(|()| err.flush())
            .map_err(unread)
    };
    show(question)?;
    let mut text = String::new();
    loop {
        let key = match event::read().map_err(unread)? {
            Event::Key(key) if key.kind != KeyEventKind::Release => key,
            Event::Paste(pasted) => {
                text.push_str(&pasted);
                continue;
            }
            _ => continue,
        };
        let with_control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Enter => break,
            KeyCode::Char('j' | 'm') if with_control => break,
            KeyCode::Char('c' | 'd') if with_control => {
                show("\r\n")?;
                return Err(Failure::Wrong("Nothing was changed.".into()));
            }
            KeyCode::Char('u') if with_control => text.clear(),
            KeyCode::Char(letter) if !with_control => text.push(letter),
            KeyCode::Backspace => {
                let last = text.grapheme_indices(true).next_back();
                text.truncate(last.map_or(0, |(at, _)| at));
            }
            _ => {}
        }
    }
    show("\r\n")?;
    Ok(text)
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
