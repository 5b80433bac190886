//! How accounts and logins are printed.

use std::io;

use chrono::NaiveDateTime;
use serde_json::{Value, json};

use crate::{
    db::{users::changes::Listed, utc},
    printing,
    protocol::time::format,
};

/// Prints a text that may quote names.
pub(super) fn say(text: &str) -> io::Result<()> {
    printing::line(printing::visible_lines(text))
}

/// `no logins`, `1 login`, `2 logins`, for "… ended".
pub(super) fn logins(count: usize) -> String {
    match count {
        0 => "no login".into(),
        1 => "1 login".into(),
        _ => format!("{count} logins"),
    }
}

fn state(account: &Listed) -> &'static str {
    match (account.deleted_at, account.disabled_at) {
        (Some(_), _) => "deleted",
        (None, Some(_)) => "disabled",
        (None, None) => "active",
    }
}

/// All accounts, with how many logins each has.
pub(super) fn accounts(found: &[Listed], logins: &[(i64, i64)], as_json: bool) -> io::Result<()> {
    let count = |id: i64| {
        let known = logins.iter().find(|(user_id, _)| *user_id == id);
        known.map_or(0, |(_, count)| *count)
    };
    if as_json {
        return array(found.iter().map(|account| {
            json!({
                "id": account.id,
                "username": account.username,
                "state": state(account),
                "sessions": count(account.id),
                "created_at": format(&utc(account.created_at)),
            })
        }));
    }
    if found.is_empty() {
        return say("There are no accounts yet: `parlour users add USERNAME` makes one.");
    }
    let rows = found.iter().map(|account| {
        [
            printing::visible(&account.username),
            state(account).into(),
            count(account.id).to_string(),
            short(account.created_at),
            account.id.to_string(),
        ]
    });
    table(["USERNAME", "STATE", "LOGINS", "MADE", "ID"], rows)
}

/// The logins of an account.
pub(super) fn sessions(
    name: &str,
    found: &[(i64, NaiveDateTime, NaiveDateTime)],
    as_json: bool,
) -> io::Result<()> {
    if as_json {
        return array(found.iter().map(|(id, created_at, expires_at)| {
            json!({
                "id": id,
                "created_at": format(&utc(*created_at)),
                "expires_at": format(&utc(*expires_at)),
            })
        }));
    }
    if found.is_empty() {
        return say(&format!("{name} is not logged in anywhere."));
    }
    let rows = found.iter().map(|(id, created_at, expires_at)| {
        [id.to_string(), short(*created_at), short(*expires_at)]
    });
    table(["ID", "SINCE", "ENDS UNLESS USED"], rows)
}

fn short(at: NaiveDateTime) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}

fn array(values: impl Iterator<Item = Value>) -> io::Result<()> {
    let all: Vec<Value> = values.collect();
    printing::line(Value::from(all))
}

fn table<const N: usize>(
    heads: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> io::Result<()> {
    let mut lines = vec![heads.map(str::to_owned)];
    lines.extend(rows);
    let mut widths = [0; N];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.len());
        }
    }
    let mut all = Vec::new();
    for line in &lines {
        let cells = line.iter().zip(widths);
        let text = cells.fold(String::new(), |text, (cell, width)| {
            text + &format!("{cell:width$}  ")
        });
        all.push(text.trim_end().to_owned());
    }
    say(&all.join("\n"))
}
