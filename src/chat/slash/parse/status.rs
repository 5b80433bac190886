//! Reading what somebody says of themselves with `/status`.

use chrono::TimeDelta;

use super::{SetStatus, State, refused};
use crate::{
    chat::{statuses::MOST_DAYS, when},
    error::{Code, Result},
    protocol::time::now,
};

/// `[online:|away:|dnd:|invisible:] [emoji] [text] [for <time>]`; `clear` takes all of it back, and nothing asks for it. What
/// is said replaces what was said before; what one has chosen to be stays, unless it is named.
///
/// # Errors
/// 422 for a time that is none to come within a year.
pub(super) fn read(text: &str) -> Result<SetStatus> {
    if text.is_empty() {
        return Ok(SetStatus::default());
    }
    if text.eq_ignore_ascii_case("clear") {
        return Ok(SetStatus {
            state: Some(State::Online),
            text: Some(String::new()),
            emoji: Some(String::new()),
            ..SetStatus::default()
        });
    }
    let (length, text) = ending(text)?;
    let until = length.map(|length| now() + length);
    let (first, rest) = first_word(text);
    let named = first.strip_suffix(':').unwrap_or(first);
    let state: Option<State> = named.to_ascii_lowercase().parse().ok();
    let is_marked = first.ends_with(':');
    let is_timed = |word: &str| first_word(rest).0.eq_ignore_ascii_case(word);
    if length.is_none() && is_marked && is_timed("for") || state.is_some() && is_timed("until") {
        let detail = "Say for how long, such as `for 30m`, `for 2 hours` or `for 3 days`.";
        return Err(refused(Code::ValidationError, detail));
    }
    if length.is_some() && text.eq_ignore_ascii_case("clear") {
        let detail = "`/status clear` takes back all at once, and for good: leave out the time.";
        return Err(refused(Code::ValidationError, detail));
    }
    // `online shopping` is no state.
    let state = state.filter(|_| is_marked || rest.is_empty());
    let text = if state.is_some() { rest } else { text };
    if text.is_empty() {
        // A text that ends in half an hour would lose its end to a state that has none, and one without an end to `for 30m`.
        let nothing = state.is_some().then(String::new);
        return Ok(SetStatus {
            state,
            text: nothing.clone(),
            emoji: nothing,
            until,
            idle: None,
        });
    }
    let (first, rest) = first_word(text);
    let emoji = read_emoji(first);
    let text = if emoji.is_some() { rest } else { text };
    Ok(SetStatus {
        state,
        text: Some(text.to_owned()),
        emoji: Some(emoji.unwrap_or_default().to_owned()),
        until,
        idle: None,
    })
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
fn ending(text: &str) -> Result<(Option<TimeDelta>, &str)> {
    let at = match text.rfind(" for ") {
        Some(at) => at + 1,
        None if text.starts_with("for ") => 0,
        None => return Ok((None, text)),
    };
    let said = text[at + 4..].trim();
    let refuse = |detail: &str| Err(refused(Code::ValidationError, detail));
    match when::read_length(said, now()) {
        // `waiting for bob`, `hang on for a second`
        None => Ok((None, text)),
        Some(length) if TimeDelta::zero() < length && length < TimeDelta::minutes(1) => {
            Ok((None, text))
        }
        Some(length) if length <= TimeDelta::zero() => refuse(
            "A status holds for a while that is still to come, such as `for 30m` or `for 2 hours`.",
        ),
        Some(length) if length > TimeDelta::days(MOST_DAYS) => refuse(
            "A status holds for at most a year; leave out the time, and it stays until you change it.",
        ),
        Some(length) => Ok((Some(length), text[..at].trim_end())),
    }
}
