//! Times as people say them, in English: `in 10 minutes`, `tomorrow at 9`, `on friday at 14:00`, `24 December at 18:00`; and
//! what is said beside them. Pure: the present and the time zone are given.
//!
//! ```text
//! when::read(text, now, zone) -> Result<Spoken { at, what }, Fault>
//! when::read_alone(text, now, zone) -> Result<at, Fault>      for a time with nothing beside it
//! when::read_length(text, now) -> Option<TimeDelta>           for how long something is to hold
//!
//! in 10 minutes to look at the oven        what comes behind the time
//! look at the oven in 10 minutes           or before it
//! "look at the oven" in 10 minutes         or in quotes
//! ```
//!
//! `now` is the machine's clock ([`now`](crate::protocol::time::now)), `zone` that of whoever speaks (UTC where they have told
//! none). A [`Fault`] is one plain sentence. That a time lies too far ahead is for the caller to say.
//!
//! What is decided where English is not:
//! - A time without am or pm is one of the 24-hour clock: `at 9` is 09:00.
//! - What names no day is the next such moment, what names no time is 09:00 (`afternoon` 14:00, `evening` 18:00, `tonight` 20:00).
//! - `friday` is the next one that is still to come, today or later; `next friday` is the one of next week, which begins on Monday.
//! - Minutes and hours are counted as they pass; days, weeks, months and years by the calendar, at the same time of day.
//! - A time of day that the clocks skip is later by what they skip; of one that comes twice the first counts that is to come.

use std::fmt;

use chrono::TimeDelta;
use chrono_tz::Tz;

use crate::protocol::time::Timestamp;

mod ahead;
mod clock;
mod day;
mod moment;
mod words;

use ahead::Ahead;
use moment::Reader;
use words::{Word, words};

/// A time, and what was said beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spoken {
    /// When: later than the present.
    pub at: Timestamp,
    /// What; it shows something.
    pub what: String,
}

/// Why a text names no time to be reminded at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// No time was found in it.
    NoTime,
    /// It is no time, or not only one.
    NotOneTime,
    /// There is a time, and nothing beside it.
    NothingToSay,
    /// It is to come again and again.
    Repeats,
    /// Of today, and nothing more is said.
    NoTimeOfDay,
    /// It is over.
    Over,
    /// No clock or calendar shows it.
    Impossible(String),
    /// The day and the month may be either.
    Ambiguous(String),
    /// No calendar goes that far.
    TooFar,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTime => f.write_str(
                "Say when, such as `in 10 minutes`, `tomorrow at 9`, `on friday at 14:00` or `2026-12-24 18:00`, and what.",
            ),
            Self::NotOneTime => f.write_str(
                "Say when, and nothing else, such as `in 10 minutes`, `tomorrow at 9`, `on friday at 14:00` or `2026-12-24 18:00`.",
            ),
            Self::NothingToSay => f.write_str("Say what to be reminded of, beside when."),
            Self::Repeats => f.write_str(
                "Reminders come once: say one time, such as `tomorrow at 9`, and not `every` or `daily`.",
            ),
            Self::NoTimeOfDay => f.write_str("Say at what time today, such as `today at 17:30`."),
            Self::Over => f.write_str("That time is over: say one that is to come."),
            Self::Impossible(what) => write!(f, "There is no such time as {what}."),
            Self::Ambiguous(what) => write!(
                f,
                "In {what}, the day and the month may be either: write a date like 2026-12-24 or 24 December."
            ),
            Self::TooFar => f.write_str("That time is too far ahead."),
        }
    }
}

impl std::error::Error for Fault {}

/// Most words at the end of a text that are read as a time: a long text is read in a time that grows as its length.
const MOST_WORDS: usize = 24;

/// Whether what [`read`] takes may begin with this word: a time, or what is said beside one.
#[must_use]
pub fn begins(word: &str) -> bool {
    const WORDS: [&str; 11] = [
        "in", "at", "on", "to", "this", "next", "today", "tonight", "tomorrow", "noon", "midnight",
    ];
    let said = word.to_lowercase();
    WORDS.contains(&said.as_str())
        || day::weekday(&said).is_some()
        || word.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '"' | '“'))
}

/// Reads when and what.
///
/// # Errors
/// [`Fault`].
pub fn read(text: &str, now: Timestamp, zone: Tz) -> Result<Spoken, Fault> {
    let text = text.trim();
    let read_time = |words: &[Word<'_>]| Reader::new(words, now, zone).read();
    if let Some((quoted, rest)) = quoted(text) {
        let words = words(rest);
        match read_time(&words)? {
            Some((count, at)) if count == words.len() => return spoken(at, quoted),
            _ if repeats(&words) => return Err(Fault::Repeats),
            _ => {}
        }
    }
    let words = words(text);
    if repeats(&words) {
        return Err(Fault::Repeats);
    }
    let mut fault = Fault::NoTime;
    match read_time(&words) {
        Ok(Some((count, at))) => {
            let what = words.get(count).map_or("", |word| &text[word.from..]);
            return spoken(at, what);
        }
        Ok(None) => {}
        // What begins like a time may be what there is to say.
        Err(found) => fault = found,
    }
    // The longest end that is a time.
    for first in words.len().saturating_sub(MOST_WORDS).max(1)..words.len() {
        let end = &words[first..];
        if repeats(end) && end.iter().skip(1).all(is_of_times) {
            return Err(Fault::Repeats);
        }
        match read_time(end) {
            Ok(Some((count, at))) if count == end.len() => {
                return spoken(at, &text[..words[first - 1].to]);
            }
            Err(found) if fault == Fault::NoTime => fault = found,
            Ok(_) | Err(_) => {}
        }
    }
    Err(fault)
}

/// Reads a time with nothing beside it.
///
/// # Errors
/// [`Fault`].
pub fn read_alone(text: &str, now: Timestamp, zone: Tz) -> Result<Timestamp, Fault> {
    let words = words(text.trim());
    if repeats(&words) {
        return Err(Fault::Repeats);
    }
    match Reader::new(&words, now, zone).read()? {
        Some((count, at)) if count == words.len() => Ok(at),
        _ => Err(Fault::NotOneTime),
    }
}

/// How long something takes, said with nothing beside it: `30m`, `2 hours`, `an hour and a half`. `None` where that says something
/// else. It may be longer than any calendar, and less than nothing: `-1 hours`.
#[must_use]
pub fn read_length(text: &str, now: Timestamp) -> Option<TimeDelta> {
    let (is_less, text) = match text.strip_prefix(['-', '−']) {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let words = words(text);
    let Some((count, ahead)) = Ahead::read(&words) else {
        // More than can be counted.
        let is_number = |said: &str| said.bytes().all(|byte| byte.is_ascii_digit());
        let [count, unit] = words.as_slice() else {
            return None;
        };
        let is_length = is_number(&count.said) && ahead::unit(&unit.said).is_some();
        return is_length.then_some(TimeDelta::MAX);
    };
    if count < words.len() {
        return None;
    }
    let length = ahead
        .from(now, Tz::UTC)
        .map_or(TimeDelta::MAX, |at| at - now);
    Some(if is_less { -length } else { length })
}

/// A text in quotes, and what comes behind it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let inside = ["to ", "that ", "about ", ""]
        .iter()
        .find_map(|word| text.strip_prefix(word)?.strip_prefix(['"', '“', '„']));
    let (quoted, rest) = inside?.split_once(['"', '”', '“'])?;
    Some((quoted, rest.trim_start_matches([',', ' '])))
}

fn spoken(at: Timestamp, what: &str) -> Result<Spoken, Fault> {
    let mut what = what.trim().trim_start_matches([',', ':']).trim();
    for joint in ["to", "that", "about"] {
        let (head, tail) = what.split_at_checked(joint.len()).unwrap_or(("", what));
        let ends = tail.is_empty() || tail.starts_with(char::is_whitespace);
        if ends && head.eq_ignore_ascii_case(joint) {
            what = tail.trim_start();
            break;
        }
    }
    if let Some((inside, "")) = quoted(what) {
        what = inside.trim();
    }
    let what = what.trim_end_matches([',', ' ']);
    if crate::protocol::names::is_blank(what) {
        return Err(Fault::NothingToSay);
    }
    Ok(Spoken {
        at,
        what: what.to_owned(),
    })
}

/// Whether it begins like `every day` or `daily at 9`. (`every tap` is no time.)
fn repeats(words: &[Word<'_>]) -> bool {
    let Some((first, rest)) = words.split_first() else {
        return false;
    };
    match first.said.as_str() {
        "every" | "each" => rest.first().is_some_and(is_of_times),
        "hourly" | "daily" | "weekly" | "monthly" | "yearly" | "weekdays" => rest
            .first()
            .is_none_or(|next| matches!(next.said.as_str(), "at" | "on")),
        _ => false,
    }
}

/// Whether a word is used to say when something comes again.
fn is_of_times(word: &Word<'_>) -> bool {
    const OTHERS: [&str; 12] = [
        "at",
        "on",
        "and",
        "other",
        "second",
        "weekday",
        "morning",
        "afternoon",
        "evening",
        "night",
        "noon",
        "midnight",
    ];
    let said = word.said.as_str();
    OTHERS.contains(&said)
        || ahead::unit(said).is_some()
        || day::weekday(said).is_some()
        || said.starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests;
