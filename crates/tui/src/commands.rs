//! The table of what the keys and the words after a slash do in a room. The keys are looked up in it, `/help` shows it,
//! and a test compares the README with it. How a thing is done is not its business: see `keys`.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

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
    /// Go to the next room with something unread.
    NextUnread,
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

use Action::{
    Archive, Create, CreatePrivate, Delete, DeleteToStart, Direct, Edit, Escape, Help, Hide,
    Invite, Join, Kick, Leave, LeaveRoom, LineDown, LineUp, LogOut, Members, Mute, NewLine, Newest,
    NextUnread, Oldest, PageDown, PageUp, PickDown, PickUp, Pin, React, Reconnect, Redraw, Rename,
    Reply, Role, Rooms, Send, Slow, Switch, Topic, Unarchive, Undo, Unmute,
};
use Held::{Alt, Anything, Ctrl, Nothing};
use Trigger::{Key, Phrase, Typed, Word};

const fn row(by: &'static [Trigger], what: &'static str) -> Row {
    Row {
        by,
        also: &[],
        what,
    }
}

/// The table. Of two triggers that fit, the first counts.
pub const TABLE: &[Row] = &[
    row(&[Key(KeyCode::Enter, Nothing, Send)], "send"),
    Row {
        by: &[
            Key(KeyCode::Enter, Alt, NewLine),
            Key(KeyCode::Char('j'), Ctrl, NewLine),
        ],
        also: &[Key(KeyCode::Enter, Anything, NewLine)],
        what: "new line",
    },
    row(
        &[
            Key(KeyCode::PageUp, Anything, PageUp),
            Key(KeyCode::PageDown, Anything, PageDown),
        ],
        "scroll",
    ),
    Row {
        by: &[
            Key(KeyCode::Home, Anything, Oldest),
            Key(KeyCode::End, Anything, Newest),
        ],
        also: &[Key(KeyCode::Esc, Anything, Escape)],
        what: "oldest loaded, newest (when nothing is written)",
    },
    row(
        &[
            Key(KeyCode::Up, Nothing, LineUp),
            Key(KeyCode::Down, Nothing, LineDown),
        ],
        "edit what you wrote last (at the end, when nothing is written); scroll by a line",
    ),
    row(
        &[Typed("Ctrl+A"), Typed("Ctrl+E")],
        "start, end of the line",
    ),
    row(
        &[
            Typed("Ctrl+W"),
            Key(KeyCode::Char('u'), Ctrl, DeleteToStart),
        ],
        "delete a word, to the start of the line",
    ),
    row(
        &[Key(KeyCode::Char('z'), Ctrl, Undo), Typed("Ctrl+Y")],
        "undo, bring back what was deleted",
    ),
    row(
        &[Key(KeyCode::Char('l'), Ctrl, Redraw)],
        "draw the screen again",
    ),
    row(
        &[Key(KeyCode::Char('k'), Ctrl, Switch)],
        "go to a room, a public room or a person, by a few letters",
    ),
    row(
        &[Word("rooms", Rooms)],
        "list your rooms with their keys, and the public ones that you can join",
    ),
    row(
        &[Key(KeyCode::Tab, Nothing, NextUnread)],
        "go to the next room with something unread",
    ),
    row(
        &[
            Phrase("create", "NAME", Create),
            Phrase("private", "NAME", CreatePrivate),
        ],
        "make a public room, a private one",
    ),
    Row {
        by: &[Phrase("direct", "NAMES", Direct), Word("hide", Hide)],
        also: &[Phrase("dm", "NAMES", Direct)],
        what: "write to these people alone, hide that until somebody writes again",
    },
    row(
        &[Phrase("join", "ROOM", Join), Word("leave", LeaveRoom)],
        "come into a public room, leave this one",
    ),
    row(
        &[
            Phrase("invite", "NAME", Invite),
            Phrase("kick", "NAME", Kick),
        ],
        "bring someone into this room, take someone out",
    ),
    row(
        &[Phrase("topic", "TEXT", Topic)],
        "say what this room is about (- for nothing)",
    ),
    row(
        &[Phrase("rename", "NAME", Rename)],
        "give this room another name",
    ),
    row(
        &[Word("archive", Archive), Word("unarchive", Unarchive)],
        "let nothing be written in this room any more, let it be written in again",
    ),
    row(
        &[Phrase("slow", "SECONDS", Slow)],
        "let members wait so long between two messages (0: not at all)",
    ),
    row(
        &[Word("members", Members)],
        "who is in this room, with roles and mutes, and who of them is online",
    ),
    row(
        &[Phrase("role", "NAME ROLE", Role)],
        "make a member an owner, a moderator or a member",
    ),
    row(
        &[
            Phrase("mute", "NAME [TIME]", Mute),
            Phrase("unmute", "NAME", Unmute),
        ],
        "let a member only read for a time (30m, 2h, 7d; an hour if none is given), let them write again",
    ),
    row(
        &[
            Key(KeyCode::Up, Alt, PickUp),
            Key(KeyCode::Down, Alt, PickDown),
        ],
        "choose a message, for the next five",
    ),
    row(
        &[Word("edit", Edit)],
        "correct what was refused or waits to be sent, else edit the chosen message or your last one",
    ),
    row(
        &[Word("delete", Delete)],
        "delete the chosen message or your last one, or take back what waits to be sent",
    ),
    row(
        &[Word("reply", Reply)],
        "answer the chosen message or the last one of another",
    ),
    row(
        &[Phrase("react", "EMOJI", React)],
        "react to the chosen message or the last one of another (👍 or :thumbsup:); again takes it back",
    ),
    row(
        &[Word("pin", Pin)],
        "pin the chosen message or the last one of another; again unpins it",
    ),
    row(&[Word("reconnect", Reconnect)], "try to connect now"),
    row(
        &[Word("logout", LogOut)],
        "end this login and forget it on this computer",
    ),
    Row {
        by: &[Word("quit", Leave), Key(KeyCode::Char('c'), Ctrl, Leave)],
        also: &[Word("exit", Leave), Word("q", Leave)],
        what: "leave",
    },
    row(&[Typed("//text")], "send a line that starts with /"),
    Row {
        by: &[Word("help", Help)],
        also: &[Word("?", Help)],
        what: "this list; arrows scroll it, Esc closes it",
    },
];

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

/// What this key asks for.
#[must_use]
pub fn of_key(key: KeyEvent) -> Option<Action> {
    triggers().find_map(|trigger| trigger.fits(key))
}

/// What this word after a slash asks for, and the name of what must stand behind it.
#[must_use]
pub fn of_word(word: &str) -> Option<(Action, Option<&'static str>)> {
    triggers().find_map(|trigger| match trigger {
        Word(known, action) if *known == word => Some((*action, None)),
        Phrase(known, behind, action) if *known == word => Some((*action, Some(*behind))),
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
