//! The scoreboard: a row for each fault and database, and what it comes to.

use std::{fmt::Write as _, time::Duration};

use serde::{Serialize, Serializer};

use super::{
    check::Counts,
    company::Done,
    fault::{Database, Fault},
};

/// Less than so much of the offered load, in percent, proves nothing.
const LOAD: u64 = 80;
/// Less than so many of the planned faults, in percent, prove nothing.
const FAULTS: u64 = 80;

/// What a phase came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Nothing is wrong, and enough was tried.
    Passed,
    /// Something is wrong.
    Failed,
    /// Nothing was found to be wrong, but too little was tried to say so.
    Invalid,
    /// It cannot be tried here.
    Skipped,
}

impl Outcome {
    fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "FAILED",
            Self::Invalid => "invalid",
            Self::Skipped => "skipped",
        }
    }
}

/// One fault on one database.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// On what.
    pub database: Database,
    /// What was done.
    pub fault: Fault,
    /// Faults that were to be injected.
    pub planned: u64,
    /// Faults that took place.
    pub injected: u64,
    /// Messages that the crowd was to send.
    pub offered: u64,
    /// Those of them that were acked before the end of the phase.
    pub reached: u64,
    /// Messages that were acked in the end.
    pub acked: u64,
    /// Attempts whose outcome no one knew, and that were made again.
    pub unknown: u64,
    /// Attempts that were refused, and made again.
    pub refused: u64,
    /// Times that a socket was told that it was too slow.
    pub lags: u64,
    /// Sockets that were opened.
    pub sockets: usize,
    /// Messages and notices that they were sent.
    pub seen: usize,
    /// Pages that readers read to catch up.
    pub pages: usize,
    /// What was acked beside that in other rooms.
    #[serde(flatten)]
    pub done: Done,
    /// What is wrong.
    #[serde(flatten)]
    pub counts: Counts,
    /// The longest time from the end of a fault until everyone was as well as before.
    #[serde(rename = "worst_recovery_seconds", serialize_with = "seconds")]
    pub worst_recovery: Duration,
    /// The first few things that are wrong, in words.
    pub examples: Vec<String>,
    /// Other promises that were broken, in words.
    pub broken: Vec<String>,
    /// Why there is no result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// What it comes to; filled in when all is over.
    pub result: Option<Outcome>,
    /// It was not asked for by name, so that nothing is said about it by leaving it out.
    pub may_be_skipped: bool,
}

fn seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}

impl Row {
    /// A row in which nothing has happened yet.
    #[must_use]
    pub fn new(database: Database, fault: Fault) -> Self {
        Self {
            database,
            fault,
            planned: 0,
            injected: 0,
            offered: 0,
            reached: 0,
            acked: 0,
            unknown: 0,
            refused: 0,
            lags: 0,
            sockets: 0,
            seen: 0,
            pages: 0,
            done: Done::default(),
            counts: Counts::default(),
            worst_recovery: Duration::ZERO,
            examples: Vec::new(),
            broken: Vec::new(),
            trouble: None,
            result: None,
            may_be_skipped: false,
        }
    }

    /// A row of something that could not be done.
    #[must_use]
    pub fn without_result(
        database: Database,
        fault: Fault,
        why: String,
        may_be_skipped: bool,
    ) -> Self {
        Self {
            trouble: Some(why),
            may_be_skipped,
            ..Self::new(database, fault)
        }
    }

    /// What it comes to.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        if !self.counts.is_clean() || !self.broken.is_empty() {
            Outcome::Failed
        } else if self.trouble.is_some() {
            if self.may_be_skipped {
                Outcome::Skipped
            } else {
                Outcome::Invalid
            }
        } else if self.reached * 100 < self.offered * LOAD
            || self.offered == 0
            || self.injected * 100 < self.planned * FAULTS
        {
            Outcome::Invalid
        } else {
            Outcome::Passed
        }
    }
}

/// All rows, and how to get them again.
#[derive(Debug, Serialize)]
pub struct Scoreboard {
    /// What chance began with.
    pub seed: u64,
    /// What to call to see the same again.
    pub repeat: String,
    /// The guard that was taken out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub control: Option<String>,
    /// What the rows come to.
    pub outcome: Option<Outcome>,
    /// A row for each fault and database.
    pub rows: Vec<Row>,
    /// What else there is to know.
    pub notes: Vec<String>,
}

impl Scoreboard {
    /// Says in each row, and for all of them, what they come to.
    pub fn conclude(&mut self) -> Outcome {
        for row in &mut self.rows {
            row.result = Some(row.outcome());
        }
        let outcome = self.judge();
        self.outcome = Some(outcome);
        outcome
    }

    fn judge(&self) -> Outcome {
        let any = |outcome| self.rows.iter().any(|row| row.outcome() == outcome);
        if any(Outcome::Failed) {
            Outcome::Failed
        } else if any(Outcome::Invalid) || !any(Outcome::Passed) || !self.done().is_of_every_kind()
        {
            Outcome::Invalid
        } else {
            Outcome::Passed
        }
    }

    /// What was acked in the other rooms.
    fn done(&self) -> Done {
        let mut done = Done::default();
        self.rows.iter().for_each(|row| done.add(row.done));
        done
    }

    /// As text.
    #[must_use]
    pub fn to_table(&self) -> String {
        let mut text = String::new();
        let _ = writeln!(
            text,
            "{:<9} {:<10} {:>9} {:>8} {:>8} {:>6} {:>8} {:>10} {:>8} {:>12} {:>9} {:>15}  result",
            "database",
            "fault",
            "faults",
            "offered",
            "acked",
            "lost",
            "doubled",
            "reordered",
            "phantom",
            "silent gaps",
            "forbidden",
            "worst recovery"
        );
        for row in &self.rows {
            let _ = writeln!(
                text,
                "{:<9} {:<10} {:>9} {:>8} {:>8} {:>6} {:>8} {:>10} {:>8} {:>12} {:>9} {:>13.2} s  {}",
                row.database.to_string(),
                row.fault.to_string(),
                format!("{}/{}", row.injected, row.planned),
                row.offered,
                row.acked,
                row.counts.lost,
                row.counts.doubled,
                row.counts.reordered + row.counts.nonmonotonic,
                row.counts.phantom,
                row.counts.holes + row.counts.stale,
                row.counts.leaked + row.counts.trespassed + row.counts.denied,
                row.worst_recovery.as_secs_f64(),
                row.outcome().word()
            );
        }
        text.push('\n');
        for row in &self.rows {
            explain(row, &mut text);
        }
        for note in &self.notes {
            let _ = writeln!(text, "{note}");
        }
        let done = self.done();
        let _ = writeln!(text, "Beside that, in five other rooms: {done}.");
        let _ = writeln!(text, "{}", self.sentence());
        let _ = writeln!(text, "seed {}; the same again: {}", self.seed, self.repeat);
        text
    }

    fn sentence(&self) -> String {
        let sum = |count: fn(&Row) -> u64| self.rows.iter().map(count).sum::<u64>();
        let (faults, acked) = (sum(|row| row.injected), sum(|row| row.acked));
        match (self.judge(), &self.control) {
            (Outcome::Passed, None) => {
                format!(
                    "passed: {faults} faults, {acked} messages acked, every one of them kept, once and in order."
                )
            }
            (Outcome::Passed, Some(control)) => {
                format!(
                    "passed, though `{control}` was taken out: this run cannot see what that guard is for."
                )
            }
            (Outcome::Failed, None) => {
                "FAILED: a promise was broken; the lines above say which.".into()
            }
            (Outcome::Failed, Some(control)) => {
                format!("FAILED, as it should: `{control}` was taken out, and it was seen.")
            }
            (Outcome::Invalid | Outcome::Skipped, _) => {
                "invalid: too little was tried to say anything.".into()
            }
        }
    }
}

/// What there is to say of a row in words.
fn explain(row: &Row, text: &mut String) {
    let name = format!("{}, {}", row.database, row.fault);
    for what in row.examples.iter().chain(&row.broken).chain(&row.trouble) {
        let _ = writeln!(text, "{name}: {what}");
    }
    if row.trouble.is_some() || row.outcome() != Outcome::Invalid {
        return;
    }
    let _ = writeln!(
        text,
        "{name}: of {} offered messages {} were acked before the end, of {} faults {} took place; \
         that is too little to say anything (it takes {LOAD} % and {FAULTS} %).",
        row.offered, row.reached, row.planned, row.injected
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Row {
        Row {
            planned: 10,
            injected: 8,
            offered: 100,
            reached: 80,
            acked: 100,
            done: Done {
                posts: 1,
                edits: 1,
                deletions: 1,
                reactions: 1,
                kicks: 1,
                ..Done::default()
            },
            ..Row::new(Database::Sqlite, Fault::Kill)
        }
    }

    fn board(rows: Vec<Row>) -> Scoreboard {
        Scoreboard {
            seed: 1,
            repeat: String::new(),
            control: None,
            outcome: None,
            rows,
            notes: Vec::new(),
        }
    }

    #[test]
    fn too_little_load_or_too_few_faults_are_invalid_not_passed() {
        assert_eq!(row().outcome(), Outcome::Passed);
        let too_little = Row {
            reached: 79,
            ..row()
        };
        let too_few = Row {
            injected: 7,
            ..row()
        };
        let nothing = Row::new(Database::Sqlite, Fault::Kill);
        for row in [too_little, too_few, nothing] {
            assert_eq!(row.outcome(), Outcome::Invalid, "{row:?}");
            assert_eq!(board(vec![self::row(), row]).judge(), Outcome::Invalid);
        }
    }

    #[test]
    fn a_run_without_a_kick_is_invalid() {
        let mut no_kick = row();
        no_kick.done.kicks = 0;
        assert_eq!(board(vec![no_kick.clone()]).judge(), Outcome::Invalid);
        assert_eq!(board(vec![no_kick, row()]).judge(), Outcome::Passed);
    }

    #[test]
    fn one_thing_wrong_fails_the_run() {
        let mut lost = row();
        lost.counts.lost = 1;
        let mut broken = row();
        broken.broken.push("it panicked".into());
        // However little was tried.
        broken.injected = 0;
        for wrong in [lost, broken] {
            assert_eq!(wrong.outcome(), Outcome::Failed);
            assert_eq!(board(vec![row(), wrong]).judge(), Outcome::Failed);
        }
    }

    #[test]
    fn what_cannot_be_tried_here_is_left_out_only_when_nobody_asked_for_it() {
        let without = |may_be_skipped| {
            Row::without_result(
                Database::Sqlite,
                Fault::Disk,
                "no root".into(),
                may_be_skipped,
            )
        };
        assert_eq!(board(vec![row(), without(true)]).judge(), Outcome::Passed);
        assert_eq!(board(vec![row(), without(false)]).judge(), Outcome::Invalid);
        assert_eq!(board(vec![without(true)]).judge(), Outcome::Invalid);
    }
}
