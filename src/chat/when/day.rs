//! Days: what words say, and which ones they may be.

use chrono::{Datelike as _, Days, Months, NaiveDate, NaiveTime, Weekday};

use super::{
    Fault,
    ahead::{Unit, unit},
    words::Word,
};

/// A day, or the next one that is so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Day {
    /// This one.
    On(NaiveDate),
    /// The one on which the words are said: a time of day has to be said as well.
    Today(NaiveDate),
    /// The next one of this name.
    Weekday(Weekday),
    /// The next one of this number, in this month if it is named.
    Number { month: Option<u32>, day: u32 },
}

/// How far to look for the next day of a number: February 29 is eight years away at most.
const MONTHS_AHEAD: u32 = 8 * 12 + 1;

/// The day of the week that a word names in full or as it is shortened.
pub fn weekday(word: &str) -> Option<Weekday> {
    Some(match word.trim_end_matches('.') {
        "monday" | "mon" => Weekday::Mon,
        "tuesday" | "tue" | "tues" => Weekday::Tue,
        "wednesday" | "wed" => Weekday::Wed,
        "thursday" | "thu" | "thur" | "thurs" => Weekday::Thu,
        "friday" | "fri" => Weekday::Fri,
        "saturday" | "sat" => Weekday::Sat,
        "sunday" | "sun" => Weekday::Sun,
        _ => return None,
    })
}

fn month(word: &str) -> Option<u32> {
    const NAMES: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let word = word.trim_end_matches('.');
    let found = NAMES.iter().position(|name| {
        *name == word || name[..3] == *word || word == "sept" && name.starts_with(word)
    });
    u32::try_from(found? + 1).ok()
}

/// `24`, `24th`, `1st`.
fn number_of_day(word: &str) -> Option<u32> {
    let digits = ["st", "nd", "rd", "th"]
        .iter()
        .find_map(|end| word.strip_suffix(end))
        .unwrap_or(word);
    let is_number =
        (1..=2).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten()
}

fn year(word: &str) -> Option<i32> {
    let is_year = word.len() == 4 && word.bytes().all(|byte| byte.is_ascii_digit());
    is_year.then(|| word.parse().ok()).flatten()
}

/// A day at the beginning of these words, and how many of them say it. `is_on`: `on` was said before.
pub fn read(
    words: &[Word<'_>],
    is_on: bool,
    today: NaiveDate,
) -> Result<Option<(usize, Day)>, Fault> {
    let says = |at: usize| words.get(at).map_or("", |word| word.said.as_str());
    let ahead = |days: u64| today.checked_add_days(Days::new(days)).ok_or(Fault::TooFar);
    let this_week = today.week(Weekday::Mon);
    let next_monday = || {
        let first = this_week.checked_first_day();
        let next = first.and_then(|first| first.checked_add_days(Days::new(7)));
        next.ok_or(Fault::TooFar)
    };
    let found = match (says(0), says(1)) {
        ("today", _) => Some((1, Day::Today(today))),
        ("tomorrow", _) => Some((1, Day::On(ahead(1)?))),
        ("the", "day") if (says(2), says(3)) == ("after", "tomorrow") => {
            Some((4, Day::On(ahead(2)?)))
        }
        ("day", "after") if says(2) == "tomorrow" => Some((3, Day::On(ahead(2)?))),
        ("next", name) => match (weekday(name), unit(name)) {
            (Some(weekday), _) => {
                let days = Days::new(weekday.num_days_from_monday().into());
                let day = next_monday()?.checked_add_days(days);
                Some((2, Day::On(day.ok_or(Fault::TooFar)?)))
            }
            (None, Some(Unit::Week)) => Some((2, Day::On(next_monday()?))),
            (None, Some(Unit::Month)) => Some((2, Day::On(first_of_next(today, 1)?))),
            (None, Some(Unit::Year)) => {
                let months = 13 - today.month();
                Some((2, Day::On(first_of_next(today, months)?)))
            }
            _ => None,
        },
        ("this", name) => weekday(name).map(|weekday| (2, Day::Weekday(weekday))),
        // A short name by itself may be another word: `sun`, `sat`.
        (name, _) if name.ends_with("day") || is_on => {
            weekday(name).map(|weekday| (1, Day::Weekday(weekday)))
        }
        (name, _) if is_followed_by_time(words) => {
            weekday(name).map(|weekday| (1, Day::Weekday(weekday)))
        }
        _ => None,
    };
    match found {
        Some(found) => Ok(Some(found)),
        None => read_date(words, is_on),
    }
}

fn is_followed_by_time(words: &[Word<'_>]) -> bool {
    let next = words.get(1).map_or("", |word| word.said.as_str());
    next == "at"
        || matches!(
            super::clock::read(words.get(1..).unwrap_or_default(), false),
            Ok(Some(_))
        )
}

fn first_of_next(today: NaiveDate, months: u32) -> Result<NaiveDate, Fault> {
    let first = today.with_day(1);
    let next = first.and_then(|first| first.checked_add_months(Months::new(months)));
    next.ok_or(Fault::TooFar)
}

/// `2026-12-24`, `24.12.2026`, `24 December`, `December 24th, 2026`, `the 24th`.
fn read_date(words: &[Word<'_>], is_on: bool) -> Result<Option<(usize, Day)>, Fault> {
    let says = |at: usize| words.get(at).map_or("", |word| word.said.as_str());
    let written = |count: usize| {
        let written = words.iter().take(count).map(|word| word.written);
        let written = written.collect::<Vec<_>>().join(" ");
        written.trim_end_matches([',', ';', ':']).to_owned()
    };
    if let Some(day) = in_digits(says(0)) {
        return match day? {
            Some((day, month, Some(year))) => match NaiveDate::from_ymd_opt(year, month, day) {
                Some(date) => Ok(Some((1, Day::On(date)))),
                None => Err(Fault::Impossible(written(1))),
            },
            Some((day, month, None)) => named(1, (day, Some(month)), || written(1)).map(Some),
            None => Ok(None),
        };
    }
    let the = usize::from(says(0) == "the");
    let of = |at: usize| usize::from(says(at) == "of");
    let (count, day, month) = match (number_of_day(says(the)), month(says(0))) {
        (Some(day), _) => {
            let at = the + 1 + of(the + 1);
            match month(says(at)) {
                Some(month) => (at + 1, day, Some(month)),
                // A number alone is a day only where it is said so: `on the 5th`.
                None if (the == 1 || is_on) && says(the).ends_with(char::is_alphabetic) => {
                    (the + 1, day, None)
                }
                None => return Ok(None),
            }
        }
        (None, Some(month)) => {
            let the = usize::from(says(1) == "the");
            match number_of_day(says(1 + the)) {
                Some(day) => (2 + the, day, Some(month)),
                None => return Ok(None),
            }
        }
        (None, None) => return Ok(None),
    };
    if let (Some(month), Some(year)) = (month, year(says(count))) {
        let date = NaiveDate::from_ymd_opt(year, month, day);
        let date = date.ok_or_else(|| Fault::Impossible(written(count + 1)))?;
        return Ok(Some((count + 1, Day::On(date))));
    }
    named(count, (day, month), || written(count)).map(Some)
}

/// The next day of this number, if there ever is one.
fn named(
    count: usize,
    (day, month): (u32, Option<u32>),
    written: impl Fn() -> String,
) -> Result<(usize, Day), Fault> {
    // Of a leap year.
    if NaiveDate::from_ymd_opt(2028, month.unwrap_or(1), day).is_none() {
        return Err(Fault::Impossible(written()));
    }
    Ok((count, Day::Number { month, day }))
}

/// Day, month and perhaps the year of a date in digits; `None` for what is none.
type InDigits = Result<Option<(u32, u32, Option<i32>)>, Fault>;

fn in_digits(word: &str) -> Option<InDigits> {
    let is_of =
        |sign: char| word.contains(sign) && word.chars().all(|c| c.is_ascii_digit() || c == sign);
    let sign = ['-', '.', '/'].into_iter().find(|sign| is_of(*sign))?;
    let parts: Vec<&str> = word.trim_end_matches('.').split(sign).collect();
    let small = |text: &str| number_of_day(text);
    Some(Ok(match (sign, parts.as_slice()) {
        ('-' | '/', [first, month, day]) if year(first).is_some() => small(day)
            .zip(small(month))
            .map(|(day, month)| (day, month, year(first))),
        ('.', [day, month, last]) if year(last).is_some() => small(day)
            .zip(small(month))
            .map(|(day, month)| (day, month, year(last))),
        // `24.12.`, and not the number 24.12.
        ('.', [day, month]) if word.ends_with('.') => small(day)
            .zip(small(month))
            .map(|(day, month)| (day, month, None)),
        ('/', [one, two]) | ('/' | '-', [one, two, _])
            if small(one).is_some() && small(two).is_some() =>
        {
            return Some(Err(Fault::Ambiguous(word.to_owned())));
        }
        _ => None,
    }))
}

impl Day {
    /// The days that may be meant, from now on.
    pub fn candidates(self, today: NaiveDate) -> Vec<NaiveDate> {
        match self {
            Self::On(day) | Self::Today(day) => vec![day],
            Self::Weekday(weekday) => {
                let first = (0..7).find_map(|days| {
                    let day = today.checked_add_days(Days::new(days))?;
                    (day.weekday() == weekday).then_some(day)
                });
                let second = first.and_then(|first| first.checked_add_days(Days::new(7)));
                first.into_iter().chain(second).collect()
            }
            Self::Number { month, day } => {
                let months = (0..=MONTHS_AHEAD).filter_map(|ahead| {
                    let first = today.with_day(1)?.checked_add_months(Months::new(ahead))?;
                    let is_meant = month.is_none_or(|month| month == first.month());
                    first.with_day(day).filter(|_| is_meant)
                });
                months.collect()
            }
        }
    }

    /// When it is, if nothing more is said; `None` where that has to be said.
    pub fn usual(self) -> Option<NaiveTime> {
        match self {
            Self::Today(_) => None,
            _ => Some(super::clock::hour(9)),
        }
    }
}
