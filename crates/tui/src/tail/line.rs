//! What `parlour tail` prints of a message: as a line of text, or as one of JSON.

use std::{collections::BTreeMap, fmt::Write as _};

use crate::{
    local_time,
    protocol::{
        message::{Kind, Message},
        time::Timestamp,
    },
    said_by_room::said_by_room,
    text::{is_harmless, visible, visible_lines},
};

/// Printed messages of a room whose state is remembered.
const REMEMBERED: usize = 10_000;

/// What was printed of a room: enough to tell a change of a text from a reaction.
#[derive(Default)]
pub(super) struct Told {
    /// The latest message.
    last: u64,
    /// The latest time that was told.
    latest: Timestamp,
    /// When these were edited, and whether they were deleted.
    messages: BTreeMap<u64, (Option<Timestamp>, bool)>,
}

/// What is new about a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum New {
    /// All of it.
    Message,
    /// Its text.
    Text,
    /// That it is deleted.
    Deletion,
    /// Who reacted to it, or pinned it.
    Rest,
}

impl Told {
    /// Whether it was printed before.
    pub(super) fn knows(&self, message: &Message) -> bool {
        message.id <= self.last
    }

    /// What is new about a message, which counts as printed from now on.
    pub(super) fn take(&mut self, message: &Message) -> New {
        let now = (message.edited_at, message.deleted_at.is_some());
        let is_known = self.knows(message);
        let before = self.messages.insert(message.id, now);
        // Of one from long ago: what is later than all that was told.
        let since = |at: Option<Timestamp>| at.filter(|at| *at <= self.latest);
        let before = before.unwrap_or((
            since(message.edited_at),
            since(message.deleted_at).is_some(),
        ));
        if self.messages.len() > REMEMBERED {
            self.messages.pop_first();
        }
        let times = [
            Some(message.created_at),
            message.edited_at,
            message.deleted_at,
        ];
        self.latest = times
            .into_iter()
            .flatten()
            .fold(self.latest, Timestamp::max);
        self.last = self.last.max(message.id);
        match (is_known, now) {
            (false, _) => New::Message,
            (true, (_, true)) if !before.1 => New::Deletion,
            (true, (edited_at, false)) if before.0 != edited_at => New::Text,
            (true, _) => New::Rest,
        }
    }
}

/// JSON in which a terminal finds nothing to obey and an editor nothing that is hidden or reordered. It means the same.
pub(super) fn escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if is_harmless(c) {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out
}

/// One message as text, or what is new about it. Its further lines are indented, so that none can pass for another
/// message; what is said about it stands before the colon, where no one can write. Of reactions and pins nothing is said.
pub(super) fn text_of(message: &Message, new: New, room: Option<&str>) -> String {
    let (at, state) = match new {
        New::Rest => return String::new(),
        New::Message if message.deleted_at.is_some() => (message.created_at, " (deleted)".into()),
        New::Message if message.edited_at.is_some() => (message.created_at, " (edited)".into()),
        New::Message => (message.created_at, String::new()),
        New::Text => {
            let state = format!(" (written at {}, edited)", clock(message.created_at));
            (message.edited_at.unwrap_or(message.created_at), state)
        }
        New::Deletion => {
            let state = format!(" (written at {}, deleted)", clock(message.created_at));
            (message.deleted_at.unwrap_or(message.created_at), state)
        }
    };
    let mut out = format!("{} {} ", local_time(at).format("%Y-%m-%d"), clock(at));
    if let Some(room) = room {
        out.push_str(&visible(room));
        out.push(' ');
    }
    if message.kind == Kind::System {
        let said = said_by_room(message, local_time);
        let _ = writeln!(out, "* {}", visible(&said));
        return out;
    }
    let _ = write!(out, "{}{state}", visible(&message.username));
    if message.deleted_at.is_some() {
        out.push('\n');
        return out;
    }
    out.push_str(": ");
    if message.unreadable {
        out.push_str("(stored, but the server could not decrypt it)");
    }
    for (n, line) in visible_lines(&message.content).enumerate() {
        if n > 0 {
            out.push_str("\n    ");
        }
        out.push_str(&line);
    }
    out.push('\n');
    out
}

fn clock(at: Timestamp) -> impl std::fmt::Display {
    local_time(at).format("%H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        chrono::DateTime::from_timestamp(1_795_000_000 + seconds, 0).expect("a time")
    }

    fn message(id: u64) -> Message {
        Message {
            id,
            seq: id,
            username: "alice".into(),
            content: "hi".into(),
            created_at: at(0),
            ..Message::default()
        }
    }

    #[test]
    fn an_edit_and_a_deletion_are_told_once_and_a_reaction_is_neither() {
        let mut told = Told::default();
        let edited = Message {
            edited_at: Some(at(5)),
            ..message(1)
        };
        let deleted = Message {
            deleted_at: Some(at(9)),
            content: String::new(),
            ..edited.clone()
        };
        for (message, new) in [
            (&message(1), New::Message),
            (&message(1), New::Rest),
            (&edited, New::Text),
            (&edited, New::Rest),
            (&deleted, New::Deletion),
            (&deleted, New::Rest),
        ] {
            assert_eq!(told.take(message), new, "{message:?}");
        }
    }

    #[test]
    fn a_reaction_to_what_was_edited_before_the_first_line_is_no_edit() {
        let mut told = Told::default();
        told.take(&message(7));
        let long_ago = Message {
            edited_at: Some(at(-60)),
            ..message(2)
        };
        assert_eq!(told.take(&long_ago), New::Rest);
        let now = Message {
            edited_at: Some(at(60)),
            ..message(3)
        };
        assert_eq!(told.take(&now), New::Text);
    }

    #[test]
    fn no_content_can_pass_for_what_is_said_about_a_message() {
        let forged = Message {
            content: "(deleted)\nbob (deleted)".into(),
            ..message(1)
        };
        let text = text_of(&forged, New::Message, Some("#garden"));
        assert!(
            text.contains(" #garden alice: (deleted)\n    bob (deleted)\n"),
            "{text}"
        );
        let deleted = Message {
            deleted_at: Some(at(0)),
            ..message(1)
        };
        let text = text_of(&deleted, New::Message, None);
        assert!(text.ends_with(" alice (deleted)\n"), "{text}");
    }
}
