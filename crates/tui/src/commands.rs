//! The table of what the keys and the words after a slash do in a room. The keys are looked up in it, `/help` shows it,
//! and a test compares the README with it. How a thing is done is not its business: see `keys`.

mod table;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

pub use table::TABLE;

use Held::{Alt, Anything, Ctrl, Nothing};
use Trigger::{Key, Phrase, Typed, Word};

/// What can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Send what is written.
    Send,
    /// Begin a new line.
    NewLine,
    /// Scroll up by a screen.
    PageUp,
    /// Scroll down by a screen.
    PageDown,
    /// Go to the oldest message at hand.
    Oldest,
    /// Go to the newest message.
    Newest,
    /// Scroll up by a line.
    LineUp,
    /// Scroll down by a line.
    LineDown,
    /// Delete what stands before the cursor in its line.
    DeleteToStart,
    /// Undo the last change to what is written.
    Undo,
    /// Go back to the newest message, and take the hint away.
    Escape,
    /// Correct what was refused, or edit a message.
    Edit,
    /// Connect now.
    Reconnect,
    /// End the login.
    LogOut,
    /// End the program.
    Leave,
    /// Show the table.
    Help,
    /// Draw the whole screen again.
    Redraw,
    /// Open the list of rooms and people to go to.
    Switch,
    /// List the rooms.
    Rooms,
    /// Go to the next room or thread with something unread.
    NextUnread,
    /// Go to the first unread message of the room.
    FirstUnread,
    /// Mark what follows as unread.
    MarkUnread,
    /// Open the thread under a message, or go back to the room.
    Thread,
    /// List the threads that are followed.
    Threads,
    /// Tell of someone.
    WhoIs,
    /// Say what others are to call the user.
    Name,
    /// Say how to speak of the user.
    Pronouns,
    /// Say something of the user.
    Bio,
    /// Save a message, or save it no longer.
    Save,
    /// List what is saved.
    Saved,
    /// List what is to be said later.
    Scheduled,
    /// Give what is to be said later another time.
    Reschedule,
    /// What of this room to ring the bell for.
    Notify,
    /// When the bell is to be quiet.
    Quiet,
    /// In which time zone the user is.
    Zone,
    /// Let what is written in a thread stand in the room, too, or not.
    AlsoToRoom,
    /// Make a public room.
    Create,
    /// Make a private room.
    CreatePrivate,
    /// Write to people alone.
    Direct,
    /// Come into a public room.
    Join,
    /// Leave the room.
    LeaveRoom,
    /// Say what the room is about.
    Topic,
    /// Bring someone into the room.
    Invite,
    /// Take someone out of the room.
    Kick,
    /// Show who is in the room.
    Members,
    /// Make a member something else.
    Role,
    /// Let a member read only, for a time.
    Mute,
    /// Let a member write again.
    Unmute,
    /// Give the room another name.
    Rename,
    /// Let nothing be written in the room any more.
    Archive,
    /// Let the room be written in again.
    Unarchive,
    /// Let members wait between two messages.
    Slow,
    /// Leave a direct room out of the list until a message comes.
    Hide,
    /// Choose the message before.
    PickUp,
    /// Choose the message after.
    PickDown,
    /// Answer a message.
    Reply,
    /// Delete a message.
    Delete,
    /// React to a message, or take that back.
    React,
    /// Pin a message, or unpin it.
    Pin,
}

/// Which modifiers are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// None.
    Nothing,
    /// Ctrl.
    Ctrl,
    /// Alt.
    Alt,
    /// Any or none.
    Anything,
}

/// How something is asked for.
#[derive(Debug, Clone, Copy)]
pub enum Trigger {
    /// A key.
    Key(KeyCode, Held, Action),
    /// A word after a slash.
    Word(&'static str, Action),
    /// A word after a slash, and what stands behind it.
    Phrase(&'static str, &'static str, Action),
    /// Something that the text field does by itself.
    Typed(&'static str),
}

/// A row of the table.
pub struct Row {
    /// What to press or to write.
    pub by: &'static [Trigger],
    /// Other ways, which are not mentioned.
    also: &'static [Trigger],
    /// What it does.
    pub what: &'static str,
}

impl Row {
    /// What to press or to write, as people read it.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.by.iter().map(Trigger::name).collect()
    }
}

impl Trigger {
    fn name(&self) -> String {
        match self {
            Key(code, held, _) => {
                let held = match held {
                    Ctrl => "Ctrl+",
                    Alt => "Alt+",
                    Nothing | Anything => "",
                };
                match code {
                    KeyCode::Char(letter) => format!("{held}{}", letter.to_ascii_uppercase()),
                    KeyCode::PageUp => format!("{held}PageUp"),
                    KeyCode::PageDown => format!("{held}PageDown"),
                    other => format!("{held}{other}"),
                }
            }
            Word(word, _) => format!("/{word}"),
            Phrase(word, behind, _) => format!("/{word} {behind}"),
            Typed(name) => (*name).to_owned(),
        }
    }

    fn fits(&self, key: KeyEvent) -> Option<Action> {
        let &Key(code, held, action) = self else {
            return None;
        };
        let is_held = match held {
            Nothing => key.modifiers.is_empty(),
            Ctrl => key.modifiers.contains(KeyModifiers::CONTROL),
            Alt => key.modifiers.contains(KeyModifiers::ALT),
            Anything => true,
        };
        (key.code == code && is_held).then_some(action)
    }
}

fn triggers() -> impl Iterator<Item = &'static Trigger> {
    TABLE.iter().flat_map(|row| row.by.iter().chain(row.also))
}

/// All words that can stand after a slash and are told of.
pub fn words() -> impl Iterator<Item = &'static str> {
    let by = TABLE.iter().flat_map(|row| row.by);
    by.filter_map(|trigger| match trigger {
        Word(word, _) | Phrase(word, ..) => Some(*word),
        Key(..) | Typed(_) => None,
    })
}

/// What this key asks for.
#[must_use]
pub fn of_key(key: KeyEvent) -> Option<Action> {
    triggers().find_map(|trigger| trigger.fits(key))
}

/// What this word after a slash asks for, in capitals or not, and the name of what must stand behind it.
#[must_use]
pub fn of_word(word: &str) -> Option<(Action, Option<&'static str>)> {
    triggers().find_map(|trigger| match trigger {
        Word(known, action) if known.eq_ignore_ascii_case(word) => Some((*action, None)),
        Phrase(known, behind, action) if known.eq_ignore_ascii_case(word) => {
            Some((*action, Some(*behind)))
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_lists_the_keys_and_commands_as_they_are() {
        let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");
        let readme = std::fs::read_to_string(readme).expect("a README");
        let listed = readme.lines().skip_while(|line| *line != "| in a room | |");
        let listed: Vec<_> = listed
            .skip(2)
            .take_while(|line| line.starts_with('|'))
            .collect();
        let line = |row: &Row| format!("| `{}` | {} |", row.names().join("`, `"), row.what);
        let wanted: Vec<_> = TABLE.iter().map(line).collect();
        assert_eq!(listed, wanted, "\n{}\n", wanted.join("\n"));
    }

    #[test]
    fn the_document_of_the_clients_names_all_of_the_table_and_nothing_else() {
        let document = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/CLIENTS.md");
        let document = std::fs::read_to_string(document).expect("a document");
        let rows = document.lines().filter(|line| line.starts_with("| "));
        let told = rows.filter_map(|row| row.trim_end_matches('|').rsplit('|').next());
        let told = told.flat_map(|cell| cell.split('`').skip(1).step_by(2));
        let told: std::collections::BTreeSet<&str> =
            told.filter(|name| *name != "NO_COLOR").collect();
        let names: Vec<String> = TABLE.iter().flat_map(Row::names).collect();
        let names: std::collections::BTreeSet<&str> = names.iter().map(String::as_str).collect();
        let missing: Vec<_> = names.difference(&told).collect();
        let unknown: Vec<_> = told.difference(&names).collect();
        assert!(
            missing.is_empty() && unknown.is_empty(),
            "not told: {missing:?}; not there: {unknown:?}"
        );
    }

    #[test]
    fn each_key_and_word_of_the_table_does_what_its_row_says() {
        let mut names = Vec::new();
        for trigger in TABLE.iter().flat_map(|row| row.by) {
            names.push(trigger.name());
            match *trigger {
                Key(code, held, action) => {
                    let modifiers = match held {
                        Nothing | Anything => KeyModifiers::NONE,
                        Ctrl => KeyModifiers::CONTROL,
                        Alt => KeyModifiers::ALT,
                    };
                    assert_eq!(of_key(KeyEvent::new(code, modifiers)), Some(action));
                }
                Word(word, action) => assert_eq!(of_word(word), Some((action, None))),
                Phrase(word, behind, action) => {
                    assert_eq!(of_word(word), Some((action, Some(behind))));
                }
                Typed(_) => {}
            }
        }
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count, "each has one row: {names:?}");
    }
}
