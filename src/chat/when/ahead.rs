//! So long from now: `in 2 hours`, `in 1h30m`, `3 days from now`.

use chrono::{Days, Months, NaiveDateTime, TimeDelta};
use chrono_tz::Tz;

use super::{Fault, clock, words::Word};
use crate::protocol::time::Timestamp;

/// What time is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
}

/// The unit that a word names.
pub fn unit(word: &str) -> Option<Unit> {
    Some(match word.trim_end_matches('.') {
        "second" | "seconds" | "sec" | "secs" | "s" => Unit::Second,
        "minute" | "minutes" | "min" | "mins" | "m" => Unit::Minute,
        "hour" | "hours" | "hr" | "hrs" | "h" => Unit::Hour,
        "day" | "days" | "d" => Unit::Day,
        "week" | "weeks" | "wk" | "wks" | "w" => Unit::Week,
        "month" | "months" | "mo" => Unit::Month,
        "year" | "years" | "yr" | "yrs" | "y" => Unit::Year,
        _ => return None,
    })
}

/// A length of time, by the calendar and by the clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ahead {
    months: i64,
    days: i64,
    seconds: i64,
}

/// A number in hundredths, so that `1.5 hours` can be said.
fn hundredths(word: &str) -> Option<i64> {
    let whole = match word {
        "a" | "an" | "one" => 1,
        "two" => 2,
        "three" => 3,
        "four" => 4,
        "five" => 5,
        "six" => 6,
        "seven" => 7,
        "eight" => 8,
        "nine" => 9,
        "ten" => 10,
        "eleven" => 11,
        "twelve" => 12,
        "fifteen" => 15,
        "twenty" => 20,
        "thirty" => 30,
        "forty" => 40,
        "fifty" => 50,
        "sixty" => 60,
        "ninety" => 90,
        _ => {
            let (whole, part) = word.split_once('.').unwrap_or((word, ""));
            let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
            if whole.is_empty() || !is_number(whole) || !is_number(part) || part.len() > 2 {
                return None;
            }
            let part: i64 = format!("{part:0<2}").parse().ok()?;
            return whole
                .parse::<i64>()
                .ok()?
                .checked_mul(100)?
                .checked_add(part);
        }
    };
    Some(whole * 100)
}

/// A number and what it counts, which may be written in one: `10m`, `1h30m`.
fn compact(word: &str) -> Option<Ahead> {
    let (mut sum, mut rest) = (Ahead::default(), word);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(digits);
        let letters = tail
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(tail.len());
        let (name, after) = tail.split_at(letters);
        sum = sum.and(hundredths(number)?, unit(name)?)?;
        rest = after;
    }
    (sum != Ahead::default() || word.starts_with('0')).then_some(sum)
}

impl Ahead {
    fn and(mut self, hundredths: i64, unit: Unit) -> Option<Self> {
        let (is_whole, whole) = (hundredths % 100 == 0, hundredths / 100);
        let seconds = |of_one: i64| Some(hundredths.checked_mul(of_one)? / 100);
        let (months, days, seconds) = match unit {
            Unit::Second => (0, 0, seconds(1)?),
            Unit::Minute => (0, 0, seconds(60)?),
            Unit::Hour => (0, 0, seconds(3_600)?),
            Unit::Day if is_whole => (0, whole, 0),
            Unit::Day => (0, 0, seconds(86_400)?),
            Unit::Week if is_whole => (0, whole.checked_mul(7)?, 0),
            Unit::Week => (0, 0, seconds(7 * 86_400)?),
            Unit::Month if is_whole => (whole, 0, 0),
            Unit::Year if is_whole => (whole.checked_mul(12)?, 0, 0),
            Unit::Month | Unit::Year => return None,
        };
        self.months = self.months.checked_add(months)?;
        self.days = self.days.checked_add(days)?;
        self.seconds = self.seconds.checked_add(seconds)?;
        Some(self)
    }

    fn plus(self, other: Self) -> Option<Self> {
        Some(Self {
            months: self.months.checked_add(other.months)?,
            days: self.days.checked_add(other.days)?,
            seconds: self.seconds.checked_add(other.seconds)?,
        })
    }

    /// A length of time at the beginning of these words, and how many of them say it.
    pub fn read(words: &[Word<'_>]) -> Option<(usize, Self)> {
        let says = |at: usize| words.get(at).map(|word| word.said.as_str());
        let (mut sum, mut at) = (None::<Self>, 0);
        loop {
            let from = match says(at) {
                Some("and") if sum.is_some() => at + 1,
                _ => at,
            };
            // `an hour and a half`
            if from > at
                && (says(from), says(from + 1)) == (Some("a"), Some("half"))
                && says(from + 2).and_then(unit).is_none()
                && let (Some(so_far), Some(unit)) = (sum, says(at - 1).and_then(unit))
            {
                return Some((from + 2, so_far.and(50, unit)?));
            }
            // `an hour 30 minutes`, but not `an hour a minute`.
            let is_joined = sum.is_none()
                || from > at
                || says(at).is_some_and(|word| word.starts_with(|c: char| c.is_ascii_digit()));
            let rest = words.get(from..).unwrap_or_default();
            let Some((count, one)) = Self::read_one(rest).filter(|_| is_joined) else {
                return sum.map(|sum| (at, sum));
            };
            sum = Some(match sum {
                Some(sum) => sum.plus(one)?,
                None => one,
            });
            at = from + count;
        }
    }

    fn read_one(words: &[Word<'_>]) -> Option<(usize, Self)> {
        let says = |at: usize| words.get(at).map_or("", |word| word.said.as_str());
        let none = Self::default();
        match (says(0), says(1), says(2)) {
            ("half", "an" | "a", name) | ("a", "half", name) => {
                Some((3, none.and(50, unit(name)?)?))
            }
            ("a", "quarter", _) | ("quarter", "of", _) => {
                let rest = words.get(2..)?.iter().map(|word| word.said.as_str());
                let rest: Vec<&str> = rest.take(3).collect();
                let skipped = match rest.as_slice() {
                    ["of", "an", "hour"] => 3,
                    ["an", "hour", ..] => 2,
                    _ => return None,
                };
                Some((2 + skipped, none.and(25, Unit::Hour)?))
            }
            ("a", "couple", "of") => Some((4, none.and(200, unit(says(3))?)?)),
            (number, name, _) => {
                if let (Some(number), Some(unit)) = (hundredths(number), unit(name)) {
                    return Some((2, none.and(number, unit)?));
                }
                Some((1, compact(number)?))
            }
        }
    }

    /// Whether it names days and no time of day.
    pub fn is_of_days(self) -> bool {
        self.seconds == 0
    }

    /// The day that it leads to.
    pub fn day(self, today: NaiveDateTime) -> Option<NaiveDateTime> {
        let months = Months::new(u32::try_from(self.months).ok()?);
        let days = Days::new(u64::try_from(self.days).ok()?);
        today.checked_add_months(months)?.checked_add_days(days)
    }

    /// The moment that it leads to: days by the calendar, hours as they pass.
    pub fn from(self, now: Timestamp, zone: Tz) -> Result<Timestamp, Fault> {
        let start = if self.months == 0 && self.days == 0 {
            Some(now)
        } else {
            let local = now.with_timezone(&zone).naive_local();
            let day = self.day(local).ok_or(Fault::TooFar)?;
            clock::instant(day, zone, now)
        };
        let seconds = TimeDelta::try_seconds(self.seconds).ok_or(Fault::TooFar)?;
        start
            .and_then(|start| start.checked_add_signed(seconds))
            .ok_or(Fault::TooFar)
    }
}
