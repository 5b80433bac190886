//! `parlour doctor`: looks at everything that `parlour serve` will need, and says what to do about what is not right.
//! It changes nothing: no folder, no key, no table is made.

mod certificate;
mod data_dir;
mod database;
mod machine;
mod network;
mod people;
mod tables;
mod texts;

use std::{fmt, io, time::Duration};

use crate::{
    config::{Config, Settings, Storage, Switch, check_log_filter, doubts, weaknesses},
    ops::paint::Paint,
    printing,
};

/// How long a server may take to say whether it can take work.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(4);

/// What was found, printed as it is found.
struct Report {
    paint: Paint,
    warnings: u32,
    problems: u32,
    /// What became of printing it; after a failure nothing more is printed.
    printed: io::Result<()>,
}

impl Report {
    fn ok(&mut self, sentence: impl AsRef<str>) {
        let verdict = self.paint.green("ok      ");
        self.say(&verdict, sentence.as_ref());
    }

    /// It works, but not as well as it should.
    fn warning(&mut self, sentence: impl AsRef<str>) {
        self.warnings += 1;
        let verdict = self.paint.yellow("warning ");
        self.say(&verdict, sentence.as_ref());
    }

    /// It does not work, or must not be used like this.
    fn problem(&mut self, sentence: impl AsRef<str>) {
        self.problems += 1;
        let verdict = self.paint.red("problem ");
        self.say(&verdict, sentence.as_ref());
    }

    fn count_problems(&self) -> u32 {
        self.problems
    }

    fn say(&mut self, verdict: &str, sentence: &str) {
        // What a database or the system says may have several lines.
        let sentence = sentence.split_whitespace().collect::<Vec<_>>().join(" ");
        let sentence = printing::visible(&sentence);
        self.print(format_args!("{verdict} {sentence}"));
    }

    fn print(&mut self, line: impl fmt::Display) {
        if self.printed.is_ok() {
            self.printed = printing::line(line);
        }
    }

    /// Tells the exit code: 0 when there is no problem.
    fn close(mut self) -> i32 {
        let count = |number: u32, word: &str| match number {
            0 => format!("no {word}s"),
            1 => format!("1 {word}"),
            _ => format!("{number} {word}s"),
        };
        let sums = format!(
            "{}, {}",
            count(self.problems, "problem"),
            count(self.warnings, "warning")
        );
        let sums = self.paint.bold(&sums);
        self.print(format_args!("\n{sums}"));
        match printing::exit_code(self.printed) {
            0 => i32::from(self.problems > 0),
            code => code,
        }
    }
}

/// Checks everything and prints a line for each thing, first what was found doubtful before. Tells the exit code: 0 when there
/// is no problem.
#[must_use]
pub fn run(settings: &Settings, doubts: &[String]) -> i32 {
    let mut report = Report {
        paint: Paint::of_stdout(),
        warnings: 0,
        problems: 0,
        printed: Ok(()),
    };
    for doubt in doubts {
        report.warning(doubt);
    }
    check_settings(settings, &mut report);
    data_dir::check_data_dir(&settings.storage.data_dir, &mut report);
    let key = data_dir::check_keys(settings, &mut report);
    let storage = match Storage::look(&settings.storage) {
        Ok(storage) => {
            data_dir::check_owners(&storage, &mut report);
            data_dir::check_space(&storage, &mut report);
            database::check(&storage, key.as_ref(), &mut report);
            Some(storage)
        }
        Err(error) => {
            report.problem(error.0);
            None
        }
    };
    machine::check_clock(&mut report);
    machine::check_files(settings, &mut report);
    let answers = network::check_port(settings, &mut report);
    if let Some(storage) = storage {
        database::check_server(&storage, answers, &network::address(settings), &mut report);
    }
    report.close()
}

/// Asks the server that these settings describe whether it can take work. Tells the exit code: 0 when it can.
#[must_use]
pub fn health(settings: &Settings) -> i32 {
    let said = match network::ask(settings, "/ready", HEALTH_TIMEOUT) {
        Ok(answer) if answer.status == 200 => return 0,
        Ok(answer) => format!("answers /ready with {}", answer.status),
        Err(error) => format!("does not answer ({error})"),
    };
    printing::complain(format_args!("{} {said}.", network::address(settings)));
    1
}

fn check_settings(settings: &Settings, report: &mut Report) {
    match Config::look(settings) {
        Ok(tls) => {
            report.ok("The settings fit together.");
            if let Some(files) = tls {
                certificate::check(&files, report);
            }
        }
        Err(error) => report.problem(error.0),
    }
    if let Err(error) = check_log_filter(&settings.rust_log) {
        report.problem(error.0);
    }
    for doubt in doubts(settings) {
        report.warning(doubt);
    }
    for weakness in weaknesses(settings.bcrypt_cost, settings.rate_limits == Switch::On) {
        report.warning(weakness);
    }
}
