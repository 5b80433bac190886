//! Reading what somebody says of themselves with `/status`.

use chrono::TimeDelta;

use super::{SetStatus, State};
use crate::protocol::time::now;

/// `[online:|away:|dnd:|invisible:] [emoji] [text] [for <time>]`; `clear` takes all of it back, and nothing asks for it. What
/// is said replaces what was said before; what one has chosen to be stays, unless it is named.
pub(super) fn read(text: &str) -> SetStatus {
    if text.is_empty() {
        return SetStatus::default();
    }
    if text.eq_ignore_ascii_case("clear") {
        return SetStatus {
            state: Some(State::Online),
            text: Some(String::new()),
            emoji: Some(String::new()),
            ..SetStatus::default()
        };
    }
    let (length, text) = ending(text);
    let until = length.map(|length| now() + length);
    let (first, rest) = first_word(text);
    // `online shopping` is no state.
    let named = first.strip_suffix(':').or(rest.is_empty().then_some(first));
    let state: Option<State> = named.and_then(|word| word.to_ascii_lowercase().parse().ok());
    let text = if state.is_some() { rest } else { text };
    if text.is_empty() {
        // A text that ends in half an hour would lose its end to a state that has none, and one without an end to `for 30m`.
        let nothing = state.is_some().then(String::new);
        return SetStatus {
            state,
            text: nothing.clone(),
            emoji: nothing,
            until,
            idle: None,
        };
    }
    let (first, rest) = first_word(text);
    let emoji = read_emoji(first);
    let text = if emoji.is_some() { rest } else { text };
    SetStatus {
        state,
        text: Some(text.to_owned()),
        emoji: Some(emoji.unwrap_or_default().to_owned()),
        until,
        idle: None,
    }
}

fn first_word(text: &str) -> (&str, &str) {
    let (first, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (first, rest.trim_start())
}

/// An emoji, or the name of one between colons.
fn read_emoji(word: &str) -> Option<&'static str> {
    let name = word
        .strip_prefix(':')
        .and_then(|word| word.strip_suffix(':'));
    let found = match name {
        Some(name) => emojis::get_by_shortcode(name),
        None => emojis::get(word),
    };
    found.map(emojis::Emoji::as_str)
}

/// How long it is to hold, where its end says so, and what stands before that.
fn ending(text: &str) -> (Option<TimeDelta>, &str) {
    let at = match text.rfind(" for ") {
        Some(at) => at + 1,
        None if text.starts_with("for ") => 0,
        None => return (None, text),
    };
    let length = read_length(text[at + 4..].trim());
    match length {
        Some(length) => (Some(length), text[..at].trim_end()),
        None => (None, text),
    }
}

/// `30m`, `2 hours`, `a day`.
fn read_length(text: &str) -> Option<TimeDelta> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (count, unit) = match text.split_at(digits) {
        ("", rest) => {
            let (word, unit) = rest.split_once(' ')?;
            (matches!(word, "a" | "an" | "one").then_some(1)?, unit)
        }
        (count, unit) => (count.parse().ok()?, unit),
    };
    let seconds: i64 = match unit.trim() {
        "m" | "min" | "mins" | "minute" | "minutes" => 60,
        "h" | "hour" | "hours" => 3_600,
        "d" | "day" | "days" => 86_400,
        "w" | "week" | "weeks" => 604_800,
        _ => return None,
    };
    // A status of more than a year is one without an end.
    let is_a_length = (1..=31_622_400).contains(&seconds.saturating_mul(count));
    is_a_length.then(|| TimeDelta::seconds(seconds * count))
}
