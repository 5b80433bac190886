//! Times of day: what words say, and the moment at which a zone's clocks show it.

use chrono::{Datelike as _, NaiveDateTime, NaiveTime, Offset as _, TimeDelta, TimeZone as _};
use chrono_tz::Tz;

use super::{Fault, words::Word};
use crate::protocol::time::Timestamp;

/// A time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time {
    /// On a 24-hour clock.
    pub time: NaiveTime,
    /// Perhaps it is one of the afternoon: nothing has said so yet.
    pub is_open: bool,
}

/// A part of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Morning,
    Afternoon,
    Evening,
    Night,
}

impl Part {
    /// The part that a word names.
    pub fn of(word: &str) -> Option<Self> {
        Some(match word {
            "morning" => Self::Morning,
            "afternoon" => Self::Afternoon,
            "evening" => Self::Evening,
            "night" => Self::Night,
            _ => return None,
        })
    }

    /// When it is, if nothing more is said.
    pub fn usual(self) -> NaiveTime {
        hour(match self {
            Self::Morning => 9,
            Self::Afternoon => 14,
            Self::Evening => 18,
            Self::Night => 20,
        })
    }

    /// The time that is meant in this part of the day.
    pub fn within(self, time: Time) -> NaiveTime {
        if !time.is_open || self == Self::Morning {
            return time.time;
        }
        let noon = TimeDelta::hours(12);
        time.time.overflowing_add_signed(noon).0
    }
}

/// A full hour.
pub fn hour(hour: u32) -> NaiveTime {
    NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or_default()
}

/// A time of day at the beginning of these words, and how many of them say it. A number alone is one only where `at` was said.
pub fn read(words: &[Word<'_>], is_at: bool) -> Result<Option<(usize, Time)>, Fault> {
    let Some(first) = words.first() else {
        return Ok(None);
    };
    match first.said.as_str() {
        "noon" | "midday" => return Ok(Some((1, fixed(hour(12))))),
        "midnight" => return Ok(Some((1, fixed(hour(0))))),
        _ => {}
    }
    let said = first.said.replace("p.m.", "pm").replace("a.m.", "am");
    let (digits, half) = split_half(&said);
    let next = words.get(1).map_or("", |word| word.said.as_str());
    let (half, count) = match (half, next) {
        (None, "am" | "a.m." | "a.m") => (Some(false), 2),
        (None, "pm" | "p.m." | "p.m") => (Some(true), 2),
        (None, "o'clock" | "o’clock") => (None, 2),
        (half, _) => (half, 1),
    };
    if is_at && half.is_none() && is_too_long(digits) {
        return Err(Fault::Impossible(digits.to_owned()));
    }
    let mut numbers = digits.split(':').map(number);
    let (Some(Some(hours)), rest) = (numbers.next(), numbers.collect::<Option<Vec<u32>>>()) else {
        return Ok(None);
    };
    let Some(rest) = rest.filter(|rest| rest.len() <= 2) else {
        return Ok(None);
    };
    let is_bare = rest.is_empty() && half.is_none() && count == 1;
    if is_bare && !is_at {
        return Ok(None);
    }
    let impossible = || {
        let written = words.iter().take(count).map(|word| word.written);
        let written = written.collect::<Vec<_>>().join(" ");
        Fault::Impossible(written.trim_end_matches([',', ';', '.']).to_owned())
    };
    let hours = match half {
        Some(_) if !(1..=12).contains(&hours) => return Err(impossible()),
        Some(is_pm) => hours % 12 + if is_pm { 12 } else { 0 },
        None => hours,
    };
    let (minutes, seconds) = (
        rest.first().copied().unwrap_or(0),
        rest.get(1).copied().unwrap_or(0),
    );
    let time = NaiveTime::from_hms_opt(hours, minutes, seconds).ok_or_else(impossible)?;
    let is_open = half.is_none() && (1..12).contains(&hours);
    Ok(Some((count, Time { time, is_open })))
}

fn fixed(time: NaiveTime) -> Time {
    Time {
        time,
        is_open: false,
    }
}

fn number(text: &str) -> Option<u32> {
    let is_number = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

/// `at 999`, `at 1430`: no clock shows it so, and it is not to be taken for what there is to say.
fn is_too_long(text: &str) -> bool {
    text.len() > 2 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `5pm`: what stands before it, and whether it is the second half of the day.
fn split_half(said: &str) -> (&str, Option<bool>) {
    if let Some(digits) = said.strip_suffix("am") {
        (digits, Some(false))
    } else if let Some(digits) = said.strip_suffix("pm") {
        (digits, Some(true))
    } else {
        (said, None)
    }
}

/// The moment at which the clocks of a zone show this. What they skip (in spring) is later by what they skip, as RFC 5545 has
/// it; of what they show twice (in autumn) it is the first time that is to come, or the second when both are over.
pub fn instant(local: NaiveDateTime, zone: Tz, now: Timestamp) -> Option<Timestamp> {
    if !(1..=9_999).contains(&local.year()) {
        return None;
    }
    let shown = zone.from_local_datetime(&local);
    if let (Some(first), Some(second)) = (shown.earliest(), shown.latest()) {
        let (first, second) = (first.to_utc(), second.to_utc());
        return Some(if first > now { first } else { second });
    }
    // By the offset that held before the clocks were set.
    let before = local.checked_sub_signed(TimeDelta::days(1))?;
    let offset = zone.from_local_datetime(&before).latest()?.offset().fix();
    let seconds = TimeDelta::seconds(offset.local_minus_utc().into());
    Some(local.checked_sub_signed(seconds)?.and_utc())
}
