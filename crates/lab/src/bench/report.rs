//! What was measured, beside its floor and its target: as a table for people, as JSON for programs.

use std::fmt::Write as _;

use serde::Serialize;

use super::noise::Noise;
use crate::printing;

/// What a number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Microseconds.
    Micros,
    /// Milliseconds.
    Millis,
    /// Seconds.
    Seconds,
    /// Kilobytes (1,000 bytes).
    Kilobytes,
    /// Megabytes (1,000,000 bytes).
    Megabytes,
    /// Per second.
    PerSecond,
    /// A share of 100.
    Percent,
    /// How many.
    Count,
}

impl Unit {
    fn write(self, value: f64) -> String {
        let digits = match value.abs() {
            v if v >= 100.0 => 0,
            v if v >= 10.0 => 1,
            _ => 2,
        };
        let number = thousands(&format!("{value:.digits$}"));
        match self {
            Self::Micros => format!("{number} µs"),
            Self::Millis => format!("{number} ms"),
            Self::Seconds => format!("{number} s"),
            Self::Kilobytes => format!("{number} kB"),
            Self::Megabytes => format!("{number} MB"),
            Self::PerSecond => format!("{number} /s"),
            Self::Percent if value.fract() == 0.0 => format!("{value:.0} %"),
            Self::Percent if (99.0..100.0).contains(&value) => format!("{value:.4} %"),
            Self::Percent => format!("{number} %"),
            Self::Count if value.fract() == 0.0 => thousands(&format!("{value:.0}")),
            Self::Count => number,
        }
    }
}

fn thousands(number: &str) -> String {
    let whole = number.split('.').next().unwrap_or(number);
    let digits = whole.trim_start_matches('-').len();
    let mut text = String::with_capacity(number.len() + digits / 3);
    for (at, letter) in number.char_indices() {
        let left = whole.len().saturating_sub(at);
        if at > 0 && at < whole.len() && left.is_multiple_of(3) && !text.ends_with('-') {
            text.push(',');
        }
        text.push(letter);
    }
    text
}

/// What a line must reach.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// No more than this.
    AtMost(f64),
    /// No less than this.
    AtLeast(f64),
}

/// Whether it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It did.
    Met,
    /// It did not.
    Missed,
    /// There is no target, or this run was not made as the target asks.
    Told,
}

/// One measured number.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// What was measured.
    pub what: String,
    /// The number.
    pub measured: f64,
    /// Its unit, and that of floor and target.
    pub unit: Unit,
    /// The least that it can cost on this machine, measured in the same run.
    pub floor: Option<f64>,
    /// What the floor is.
    pub floor_is: Option<&'static str>,
    /// What is to be reached.
    pub target: Option<Target>,
    /// Whether it was.
    pub verdict: Verdict,
}

impl Row {
    /// A number without floor and target.
    pub fn new(what: impl Into<String>, measured: f64, unit: Unit) -> Self {
        Self {
            what: what.into(),
            measured,
            unit,
            floor: None,
            floor_is: None,
            target: None,
            verdict: Verdict::Told,
        }
    }

    /// Puts a floor beside it.
    #[must_use]
    pub fn above(mut self, floor: f64, what: &'static str) -> Self {
        self.floor = Some(floor);
        self.floor_is = Some(what);
        self
    }

    /// Puts a target beside it.
    #[must_use]
    pub fn aim(mut self, target: Target) -> Self {
        let reached = match target {
            Target::AtMost(limit) => self.measured <= limit,
            Target::AtLeast(limit) => self.measured >= limit,
        };
        self.target = Some(target);
        self.verdict = if reached {
            Verdict::Met
        } else {
            Verdict::Missed
        };
        self
    }

    fn cells(&self) -> [String; 6] {
        let ratio = match self.floor {
            Some(floor) if floor > 0.0 => format!("{:.2} ×", self.measured / floor),
            _ => "–".into(),
        };
        let target = match self.target {
            Some(Target::AtMost(limit)) => format!("≤ {}", self.unit.write(limit)),
            Some(Target::AtLeast(limit)) => format!("≥ {}", self.unit.write(limit)),
            None => "–".into(),
        };
        let verdict = match self.verdict {
            Verdict::Met => "met",
            Verdict::Missed => "MISSED",
            Verdict::Told => "",
        };
        [
            self.what.clone(),
            self.unit.write(self.measured),
            self.floor
                .map_or_else(|| "–".into(), |floor| self.unit.write(floor)),
            ratio,
            target,
            verdict.into(),
        ]
    }
}

/// Everything that a run has to tell.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// The machine and the build.
    pub about: Vec<String>,
    /// The numbers.
    pub rows: Vec<Row>,
    /// What a reader should know before believing them.
    pub notes: Vec<String>,
    /// What disturbed the run; becomes notes at its end.
    #[serde(skip)]
    pub noise: Noise,
}

impl Report {
    /// Adds a number.
    pub fn row(&mut self, row: Row) {
        printing::tell(format_args!(
            "  {}: {}",
            row.what,
            row.unit.write(row.measured)
        ));
        self.rows.push(row);
    }

    /// Adds a remark.
    pub fn note(&mut self, text: impl Into<String>) {
        let text = text.into();
        printing::tell(format_args!("  note: {text}"));
        self.notes.push(text);
    }

    /// The table.
    #[must_use]
    pub fn to_table(&self) -> String {
        let heads = ["what", "measured", "floor", "ratio", "target", ""].map(String::from);
        let rows: Vec<[String; 6]> = self.rows.iter().map(Row::cells).collect();
        let mut widths = [0; 6];
        for row in rows.iter().chain([&heads]) {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let mut text = String::new();
        for line in &self.about {
            let _ = writeln!(text, "{line}");
        }
        let _ = writeln!(text);
        for (at, row) in [&heads].into_iter().chain(&rows).enumerate() {
            if at == 1 {
                let line = widths.map(|width| "─".repeat(width)).join("  ");
                let _ = writeln!(text, "{line}");
            }
            let mut line = String::new();
            for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
                let _ = match column {
                    0 | 5 => write!(line, "{cell:<width$}  "),
                    _ => write!(line, "{cell:>width$}  "),
                };
            }
            let _ = writeln!(text, "{}", line.trim_end());
        }
        for note in &self.notes {
            let _ = write!(text, "\nNote: {note}");
        }
        text
    }

    /// The table as Markdown, for docs/PERFORMANCE.md.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let mut text = self.about.join("\n");
        text.push_str(
            "\n\n| what | measured | floor | ratio | target | |\n|---|---|---|---|---|---|\n",
        );
        for row in &self.rows {
            let cells = row.cells().map(|cell| match cell.as_str() {
                "MISSED" => "**missed**".into(),
                _ => cell,
            });
            let _ = writeln!(text, "| {} |", cells.join(" | "));
        }
        for note in &self.notes {
            let _ = write!(text, "\n- {note}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_misses_its_target_is_called_so() {
        let row = Row::new("x", 3.0, Unit::Micros).above(2.0, "write");
        assert_eq!(row.verdict, Verdict::Told);
        assert_eq!(row.clone().aim(Target::AtMost(3.0)).verdict, Verdict::Met);
        assert_eq!(row.aim(Target::AtLeast(3.1)).verdict, Verdict::Missed);
    }

    #[test]
    fn the_markdown_of_a_row_is_a_row_of_a_table() {
        let row = Row::new("x", 3.0, Unit::Micros).above(2.0, "write");
        let report = Report {
            rows: vec![row.aim(Target::AtMost(1.0))],
            notes: vec!["Noisy.".into()],
            ..Report::default()
        };
        let text = report.to_markdown();
        let line = "| x | 3.00 µs | 2.00 µs | 1.50 × | ≤ 1.00 µs | **missed** |\n";
        assert!(text.contains(line), "{text}");
        assert!(text.ends_with("\n- Noisy."), "{text}");
    }

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!(Unit::PerSecond.write(1_234_567.8), "1,234,568 /s");
        assert_eq!(Unit::Micros.write(2.345_6), "2.35 µs");
        assert_eq!(Unit::Millis.write(999.4), "999 ms");
        assert_eq!(Unit::Percent.write(99.9999), "99.9999 %");
        assert_eq!(Unit::Percent.write(100.0), "100 %");
        assert_eq!(Unit::Percent.write(99.0), "99 %");
        assert_eq!(Unit::Count.write(0.0), "0");
        assert_eq!(Unit::Count.write(17.25), "17.2");
    }
}
