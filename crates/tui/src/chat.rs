//! The pane of one room: what is being written there, and where the reader looks. What is in the room, the store knows.

use parlour_client::store::Key;
use ratatui_textarea::{TextArea, WrapMode};

use super::{
    complete::Turn,
    drafts::Draft,
    view::{Anchor, Part},
};

/// What becomes of what is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// A message.
    Write,
    /// The new text of this message, as it was under this number.
    Edit(u64, u64),
    /// An answer to this message.
    Answer(u64),
    /// The new text of this message that is to be said later.
    Later(u64),
}

/// A room, or a thread of it by its first message.
pub type Place = (String, Option<u64>);

/// The pane of one room, or of a thread of it.
pub struct Chat {
    /// The room's key.
    pub room: String,
    /// The thread, by its first message; `None`: the room itself.
    pub thread: Option<u64>,
    /// The line or lines being written.
    pub input: TextArea<'static>,
    /// What will become of it.
    pub task: Task,
    /// The message that was chosen with the keys.
    pub picked: Option<u64>,
    /// The first row on the screen; `None`: the end is on the screen and stays there.
    pub top: Option<Anchor>,
    /// Where the user's marker was when the pane was opened, if something was unread then.
    pub new_after: Option<u64>,
    /// The pane was just opened: as soon as it is known where, it goes to the first message that is unread.
    pub is_seeking: bool,
    /// What is on the screen does not count as read: the user has marked it as unread.
    pub is_held: bool,
    /// In a thread: what is written is to stand in the room itself, too.
    pub is_also_to_room: bool,
    /// What is known of its draft.
    pub draft: Draft,
    /// What was completed last.
    pub turn: Option<Turn>,
}

impl Chat {
    /// The pane of this room or thread, with nothing written, and its end on the screen.
    #[must_use]
    pub fn new(room: &str, thread: Option<u64>) -> Self {
        Self {
            room: room.to_owned(),
            thread,
            input: new_input(""),
            task: Task::Write,
            picked: None,
            top: None,
            new_after: None,
            is_seeking: true,
            is_held: false,
            is_also_to_room: false,
            draft: Draft::default(),
            turn: None,
        }
    }

    /// Where it is.
    #[must_use]
    pub fn place(&self) -> Place {
        (self.room.clone(), self.thread)
    }

    /// The user comes back to it.
    pub fn reopen(&mut self) {
        (self.new_after, self.is_seeking, self.is_held) = (None, true, false);
    }

    /// Replaces what is being written.
    pub fn set_input(&mut self, text: &str) {
        self.input = new_input(text);
    }

    /// Begins something else: what was written for the task before goes with it.
    pub fn begin(&mut self, task: Task, text: &str) {
        self.task = task;
        self.set_input(text);
    }

    /// Goes to the newest message, and stays there.
    pub fn to_end(&mut self) {
        (self.top, self.picked) = (None, None);
        (self.is_seeking, self.is_held) = (false, false);
    }

    /// Older rows have come above what was the first item. What the reader looks at stays where it is.
    pub fn keep_place(&mut self, first: Option<Key>) {
        if let (Some(anchor), Some(first)) = (&mut self.top, first)
            && anchor.part == Part::Head
        {
            anchor.part = Part::Item(first);
        }
    }
}

fn new_input(text: &str) -> TextArea<'static> {
    let mut input = TextArea::from(text.split('\n'));
    input.set_wrap_mode(WrapMode::WordOrGlyph);
    input.set_cursor_line_style(ratatui::style::Style::default());
    input.set_placeholder_text("Write a message, or /help");
    input.move_cursor(ratatui_textarea::CursorMove::Bottom);
    input.move_cursor(ratatui_textarea::CursorMove::End);
    input
}
