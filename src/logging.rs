//! How log lines look: text for people, or one JSON object a line for programs. They go to standard error.

use std::{fmt::Display, io::Write as _};

use env_logger::{Builder, Env, Target, fmt::Formatter};
use log::{
    Record,
    kv::{Error as KvError, Key, Value, VisitSource},
};

use crate::{
    config::LogFormat,
    protocol::time::{format, now},
};

/// Starts logging; `filter` is what `RUST_LOG` has. A second call does nothing.
pub fn start(look: LogFormat, filter: &str) {
    let mut builder = Builder::from_env(Env::default());
    builder.parse_filters(filter).target(Target::Stderr);
    match look {
        LogFormat::Text => builder.format(text),
        LogFormat::Json => builder.format(json),
    };
    // Fails only when logging has been started before.
    let _started_before = builder.try_init();
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
    let mut line = serde_json::Map::new();
    line.insert("time".into(), format(&now()).into());
    line.insert("level".into(), record.level().as_str().into());
    line.insert("target".into(), record.target().into());
    line.insert("message".into(), record.args().to_string().into());
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
