//! How log lines look: text for people, or one JSON object a line for programs. They go to standard error, through a
//! queue: nothing that serves ever waits for whoever reads the log.

mod queue;

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    fmt::Display,
    io::{self, Write},
    os::fd::AsFd as _,
    panic,
    sync::{Arc, OnceLock},
    thread,
    time::Duration,
};

use env_logger::{Builder, Env, Target, WriteStyle, fmt::Formatter};
use log::{
    Level, Record,
    kv::{Error as KvError, Key, Value, VisitSource},
};

use self::queue::Queue;
use crate::{
    config::{self, LogFormat},
    protocol::time::{format, now},
};

/// How long the end of the program waits for what is still to be written.
const TIMEOUT: Duration = Duration::from_secs(1);

/// Where log lines wait, once logging has been started.
static QUEUE: OnceLock<Arc<Queue>> = OnceLock::new();

/// Starts logging; `filter` is what `RUST_LOG` has. A second call does nothing.
pub fn start(look: LogFormat, filter: &str) {
    let mut builder = Builder::new();
    match queue(look) {
        Ok(queue) => {
            builder.target(Target::Pipe(Box::new(Entrance(Arc::clone(&queue)))));
            report_panics(look, Arc::clone(&queue));
            // Fails only when logging has been started before.
            let _started_before = QUEUE.set(queue);
        }
        // Without a thread for it, whoever logs waits for whoever reads.
        Err(_) => {
            builder.target(Target::Stderr);
        }
    }
    if config::colour_is_wanted_in_log() {
        builder.write_style(WriteStyle::Always);
    }
    builder.parse_env(Env::default()).parse_filters(filter);
    match look {
        LogFormat::Text => builder.format(text),
        LogFormat::Json => builder.format(json),
    };
    let _started_before = builder.try_init();
}

/// Waits, for a moment, until what was logged is written. For the end of the program.
pub fn finish() {
    if let Some(queue) = QUEUE.get() {
        queue.finish(TIMEOUT);
    }
}

/// Says something that is no log line, such as why the program ends, in its turn among the log lines. Tells whether it did:
/// only when there is a log.
#[must_use]
pub fn say(sentence: &str) -> bool {
    let queue = QUEUE.get();
    if let Some(queue) = queue {
        queue.push(format!("{sentence}\n").into_bytes());
    }
    queue.is_some()
}

fn queue(look: LogFormat) -> io::Result<Arc<Queue>> {
    // A descriptor of its own: a thread that waits for whoever reads must not hold the lock of the standard library,
    // which others may want.
    let out = std::fs::File::from(io::stderr().as_fd().try_clone_to_owned()?);
    Queue::start(out, move |lost| {
        let sentence = format!(
            "{lost} log lines are missing here: no one took them, or they could not be written"
        );
        line(look, Level::Warn, module_path!(), &sentence)
    })
}

/// What the logger writes to.
struct Entrance(Arc<Queue>);

impl Write for Entrance {
    /// The logger hands over a whole line at once.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.push(line.to_vec());
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Panics go the way of the log lines: the usual report would wait for whoever reads.
fn report_panics(look: LogFormat, queue: Arc<Queue>) {
    panic::set_hook(Box::new(move |info| {
        let thread = thread::current();
        let name = thread.name().unwrap_or("without a name");
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let words = info.payload_as_str().unwrap_or("it did not say why");
        let mut report = format!("thread '{name}' panicked at {place}: {words}");
        let trace = Backtrace::capture();
        if trace.status() == BacktraceStatus::Captured {
            report = format!("{report}\n{trace}");
        }
        queue.push(line(look, Level::Error, "panic", &report));
        // It ends the program, if it is the first thread's.
        if name == "main" {
            queue.finish(TIMEOUT);
        }
    }));
}

/// A line that does not come from the logger.
fn line(look: LogFormat, level: Level, target: &str, message: &str) -> Vec<u8> {
    let line = match look {
        LogFormat::Text => format!(
            "{} {level:<5} {target}: {}\n",
            format(&now()),
            printable(&message)
        ),
        LogFormat::Json => {
            let line = object(level, target, message.to_owned());
            format!("{}\n", serde_json::Value::Object(line))
        }
    };
    line.into_bytes()
}

fn object(
    level: Level,
    target: &str,
    message: String,
) -> serde_json::Map<String, serde_json::Value> {
    let mut line = serde_json::Map::new();
    line.insert("time".into(), format(&now()).into());
    line.insert("level".into(), level.as_str().into());
    line.insert("target".into(), target.into());
    line.insert("message".into(), message.into());
    line
}

fn text(out: &mut Formatter, record: &Record<'_>) -> std::io::Result<()> {
    let level = record.level();
    let style = out.default_level_style(level);
    write!(
        out,
        "{} {style}{level:<5}{style:#} {}: {}",
        format(&now()),
        record.target(),
        printable(record.args())
    )?;
    let mut pairs = Pairs::default();
    let _infallible = record.key_values().visit(&mut pairs);
    for (key, value) in pairs.0 {
        write!(out, " {key}={}", printable(&value))?;
    }
    writeln!(out)
}

fn json(out: &mut Formatter, record: &Record<'_>) -> std::io::Result<()> {
    let mut line = object(record.level(), record.target(), record.args().to_string());
    let mut pairs = Pairs::default();
    let _infallible = record.key_values().visit(&mut pairs);
    for (key, value) in pairs.0 {
        line.insert(
            key,
            value
                .parse::<u64>()
                .map_or_else(|_| value.into(), Into::into),
        );
    }
    writeln!(out, "{}", serde_json::Value::Object(line))
}

/// What clients send may hold line breaks and terminal escapes; a log line is one line and harmless.
fn printable(text: &impl Display) -> String {
    text.to_string()
        .chars()
        .flat_map(|c| {
            if c.is_control() {
                c.escape_default().collect()
            } else {
                vec![c]
            }
        })
        .collect()
}

#[derive(Default)]
struct Pairs(Vec<(String, String)>);

impl<'kvs> VisitSource<'kvs> for Pairs {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), KvError> {
        self.0.push((key.to_string(), value.to_string()));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_line_is_one_line_and_harmless() {
        assert_eq!(printable(&"/a\nb\u{1b}[31m"), "/a\\nb\\u{1b}[31m");
    }
}
