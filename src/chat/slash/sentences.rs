//! What is said to whoever has typed a command.

use chrono::TimeDelta;

use crate::protocol::{
    people::{State, Status},
    slash::Slash,
    time::now,
};

/// What is kept of a command until it is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Which it was.
    pub slash: Slash,
    /// Whom or what it was about, as it was written.
    pub of: String,
}

impl Note {
    /// What was done, in one plain sentence. `duplicate`: all was so before.
    #[must_use]
    pub fn sentence(&self, duplicate: bool) -> String {
        let of = &self.of;
        match (self.slash, duplicate) {
            (Slash::Me | Slash::Shrug, false) => "Said.".into(),
            (Slash::Me | Slash::Shrug, true) => "It had been said before.".into(),
            (Slash::Topic, false) if of.is_empty() => "The room has no topic now.".into(),
            (Slash::Topic, false) => "The topic is set.".into(),
            (Slash::Topic, true) => "The topic was so before.".into(),
            (Slash::Invite, false) => format!("{of} is in the room now."),
            (Slash::Invite, true) => format!("{of} is in the room already."),
            (Slash::Kick, _) => format!("{of} was taken out of the room."),
            (Slash::Leave, _) => "You have left the room.".into(),
            (Slash::Dm, _) if of.is_empty() => "The conversation is open.".into(),
            (Slash::Dm, false) => format!("Sent to {of}."),
            (Slash::Dm, true) => format!("It had been sent to {of} before."),
            (Slash::Remind, _) => "The reminder is kept.".into(),
            (Slash::Status, _) => "Your status is set.".into(),
        }
    }
}

/// What somebody is, in one plain sentence for themselves.
#[must_use]
pub fn status_sentence(status: &Status) -> String {
    let word = |state: Option<State>| match state.unwrap_or_default() {
        State::Online => "online",
        State::Away => "away",
        State::Dnd => "not to be disturbed",
        State::Invisible => "invisible",
    };
    let state = word(status.state);
    let said = [&status.emoji, &status.text].map(|said| said.as_deref().unwrap_or_default());
    let said = said.join(" ");
    let until = status.until.map(|until| length(until - now()));
    let then = word(status.then_state);
    let until = until.map(|length| match (status.then_state, status.state) {
        (None | Some(State::Online), None | Some(State::Online)) => format!(" (for {length})"),
        (after, now) if after == now => format!(" (for {length}, and still {then} then)"),
        _ => format!(" (for {length}, and {then} then)"),
    });
    let until = until.unwrap_or_default();
    match said.trim() {
        "" => format!("You are {state}{until}."),
        said => format!("You are {state}: {said}{until}"),
    }
}

/// A length of time, about.
fn length(left: TimeDelta) -> String {
    let minutes = (left.num_seconds().max(0) + 59) / 60;
    let (count, unit) = match minutes {
        0..=119 => (minutes, "minute"),
        120..=2_879 => ((minutes + 30) / 60, "hour"),
        _ => ((minutes + 720) / 1_440, "day"),
    };
    let many = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{many}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_sets_a_status_is_told_for_how_long_and_what_comes_then() {
        let said = |state, text: &str, minutes| {
            status_sentence(&Status {
                state: Some(state),
                text: Some(text.to_owned()).filter(|text| !text.is_empty()),
                emoji: None,
                until: Some(now() + TimeDelta::minutes(minutes)),
                then_state: None,
            })
        };
        let lunch = said(State::Invisible, "lunch", 30);
        assert_eq!(
            lunch,
            "You are invisible: lunch (for 30 minutes, and online then)"
        );
        assert_eq!(
            said(State::Online, "tea", 120),
            "You are online: tea (for 2 hours)"
        );
        assert_eq!(
            said(State::Away, "", 1),
            "You are away (for 1 minute, and online then)."
        );
        let week = said(State::Dnd, "holidays", 7 * 1_440);
        assert!(week.ends_with("(for 7 days, and online then)"), "{week}");
        for (state, said) in [
            (State::Invisible, "(for 1 minute, and still invisible then)"),
            (State::Dnd, "(for 1 minute, and invisible then)"),
        ] {
            let sentence = status_sentence(&Status {
                state: Some(state),
                until: Some(now() + TimeDelta::minutes(1)),
                then_state: Some(State::Invisible),
                ..Status::default()
            });
            assert!(sentence.contains(said), "{sentence}");
        }
    }
}
