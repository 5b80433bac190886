//! A moment: a day, a time of day, or both, in either order; or so long from now.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, SubsecRound as _};
use chrono_tz::Tz;

use super::{
    Fault,
    ahead::Ahead,
    clock::{self, Part, Time},
    day::{self, Day},
    words::{Word, words},
};
use crate::protocol::time::{self, Timestamp};

/// Reads one at the beginning of some words.
pub struct Reader<'a> {
    words: &'a [Word<'a>],
    at: usize,
    now: Timestamp,
    zone: Tz,
    local: NaiveDateTime,
}

/// What was said of the time of day.
#[derive(Debug, Clone, Copy, Default)]
struct Said {
    time: Option<Time>,
    part: Option<Part>,
    /// `tonight`, `this evening`: no other day is meant.
    is_today: bool,
}

impl Said {
    fn time(self, usual: Option<NaiveTime>) -> Option<NaiveTime> {
        match (self.time, self.part) {
            (Some(time), Some(part)) => Some(part.within(time)),
            (Some(time), None) => Some(time.time),
            (None, Some(part)) => Some(part.usual()),
            (None, None) => usual,
        }
    }
}

impl<'a> Reader<'a> {
    pub fn new(words: &'a [Word<'a>], now: Timestamp, zone: Tz) -> Self {
        Self {
            words,
            at: 0,
            now,
            zone,
            local: now.with_timezone(&zone).naive_local(),
        }
    }

    /// How many words say it, and when it is; `None` where they say something else.
    pub fn read(mut self) -> Result<Option<(usize, Timestamp)>, Fault> {
        if let Some(at) = self.whole()? {
            return Ok(Some((self.at, self.checked(at)?)));
        }
        if let Some(ahead) = self.ahead() {
            let at = self.from(ahead)?;
            return Ok(Some((self.at, self.checked(at)?)));
        }
        let mut said = Said::default();
        let mut day = self.day()?;
        self.time_of_day(&mut said)?;
        if day.is_none() && self.at > 0 {
            day = self.day()?;
            self.time_of_day(&mut said)?;
        }
        if self.at == 0 {
            return Ok(None);
        }
        let at = self.resolve(day, said)?;
        Ok(Some((self.at, at)))
    }

    fn says(&self, ahead: usize) -> &str {
        let word = self.words.get(self.at + ahead);
        word.map_or("", |word| word.said.as_str())
    }

    fn rest(&self, skip: usize) -> &'a [Word<'a>] {
        self.words.get(self.at + skip..).unwrap_or_default()
    }

    fn checked(&self, at: Timestamp) -> Result<Timestamp, Fault> {
        if at > self.now {
            Ok(at.trunc_subsecs(6))
        } else {
            Err(Fault::Over)
        }
    }

    /// `2026-12-24T18:00`, perhaps with an offset.
    fn whole(&mut self) -> Result<Option<Timestamp>, Fault> {
        let on = usize::from(matches!(self.says(0), "on" | "at"));
        let said = self.says(on);
        let Some((date, time)) = said.split_once('t') else {
            return Ok(None);
        };
        let looks_so = !date.is_empty()
            && date
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'-');
        if !looks_so || !time.starts_with(|c: char| c.is_ascii_digit()) {
            return Ok(None);
        }
        let impossible = || Fault::Impossible(self.words[self.at + on].written.to_owned());
        let at = if let Some(at) = time::read(said) {
            at
        } else {
            let parts = [date, time].map(words);
            let day = day::read(&parts[0], true, self.local.date())?;
            let time = clock::read(&parts[1], false)?;
            let (Some((_, Day::On(day))), Some((_, time))) = (day, time) else {
                return Err(impossible());
            };
            self.instant(day, time.time)?
        };
        self.at += on + 1;
        Ok(Some(at))
    }

    /// `in 10 minutes`, `10 minutes from now`.
    fn ahead(&mut self) -> Option<Ahead> {
        let is_in = matches!(self.says(0), "in" | "after");
        let skip = usize::from(is_in);
        let (count, ahead) = Ahead::read(self.rest(skip))?;
        if is_in {
            self.at += skip + count;
            return Some(ahead);
        }
        let end = count;
        ((self.says(end), self.says(end + 1)) == ("from", "now")).then(|| {
            self.at += end + 2;
            ahead
        })
    }

    /// That moment; where days were said, perhaps at another time of day.
    fn from(&mut self, ahead: Ahead) -> Result<Timestamp, Fault> {
        let mut said = Said::default();
        if ahead.is_of_days() {
            self.time_of_day(&mut said)?;
        }
        let Some(time) = said.time(None) else {
            return ahead.from(self.now, self.zone);
        };
        let day = ahead.day(self.local).ok_or(Fault::TooFar)?;
        self.instant(day.date(), time)
    }

    fn day(&mut self) -> Result<Option<Day>, Fault> {
        let on = usize::from(self.says(0) == "on");
        let found = day::read(self.rest(on), on == 1, self.local.date())?;
        Ok(found.map(|(count, day)| {
            self.at += on + count;
            day
        }))
    }

    /// A time, a part of the day, or both.
    fn time_of_day(&mut self, said: &mut Said) -> Result<(), Fault> {
        for _ in 0..2 {
            if said.part.is_none() {
                self.part(said);
            }
            if said.time.is_none() {
                let at = usize::from(self.says(0) == "at");
                if let Some((count, time)) = clock::read(self.rest(at), at == 1)? {
                    self.at += at + count;
                    said.time = Some(time);
                }
            }
        }
        Ok(())
    }

    fn part(&mut self, said: &mut Said) {
        let (count, part) = match (self.says(0), self.says(1), self.says(2)) {
            ("tonight", ..) => (1, Some(Part::Night)),
            ("this" | "in", "morning" | "afternoon" | "evening", _) => (2, Part::of(self.says(1))),
            ("in", "the", name) => (3, Part::of(name).filter(|part| *part != Part::Night)),
            ("at", "night", _) => (2, Some(Part::Night)),
            // `tomorrow morning`
            (name, ..) if self.at > 0 && said.time.is_none() => (1, Part::of(name)),
            _ => (0, None),
        };
        if let Some(part) = part {
            said.is_today = matches!(self.says(0), "tonight" | "this");
            said.part = Some(part);
            self.at += count;
        }
    }

    fn instant(&self, day: NaiveDate, time: NaiveTime) -> Result<Timestamp, Fault> {
        clock::instant(day.and_time(time), self.zone, self.now).ok_or(Fault::TooFar)
    }

    /// The first moment to come that was meant.
    fn resolve(&self, day: Option<Day>, said: Said) -> Result<Timestamp, Fault> {
        let today = self.local.date();
        let days = match day {
            Some(day) => day.candidates(today),
            None if said.is_today => vec![today],
            // Of a zone whose clocks are set by a whole day, one of these is none.
            None => today.iter_days().take(3).collect(),
        };
        let usual = day.and_then(Day::usual);
        let time = said.time(usual).ok_or(Fault::NoTimeOfDay)?;
        for day in days {
            let at = self.instant(day, time)?;
            if at > self.now {
                return self.checked(at);
            }
        }
        Err(Fault::Over)
    }
}
