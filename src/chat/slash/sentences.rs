//! What is said to whoever has typed a command.

use crate::protocol::{
    people::{State, Status},
    slash::Slash,
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
            (Slash::Invite, true) => format!("{of} was in the room before."),
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
    let state = match status.state.unwrap_or_default() {
        State::Online => "online",
        State::Away => "away",
        State::Dnd => "not to be disturbed",
        State::Invisible => "invisible",
    };
    let said = [&status.emoji, &status.text].map(|said| said.as_deref().unwrap_or_default());
    let said = said.join(" ");
    match said.trim() {
        "" => format!("You are {state}."),
        said => format!("You are {state}: {said}"),
    }
}
