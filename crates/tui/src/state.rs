//! What the terminal client knows, what can happen to it, and what it can ask for. All of it is plain data.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crossterm::event::KeyEvent;
use parlour_client::{
    api::Ask,
    client::Client,
    effect,
    link::Millis,
    store::{Room, Store, Timeline},
};
use ratatui_textarea::TextArea;
use secrecy::SecretString;

use super::{
    chat::{Chat, Place},
    pick::Picker,
    rooms::{list::PublicRooms, switcher::Switcher},
    unsent::AtStake,
    view::LocalTime,
};
use crate::protocol::{
    room::Member,
    scheduled::Scheduled,
    slash::SlashCommand,
    time::{Timestamp, now},
};

/// Everything that the screen shows.
pub struct State {
    /// The server, as the user knows it.
    pub server: String,
    /// What is on the screen.
    pub screen: Screen,
    /// The connection, and what is known of the rooms.
    pub client: Client,
    /// The room on the screen; it outlives a login that has ended, for the same user.
    pub chat: Option<Chat>,
    /// The panes of other rooms and threads: what is written there, and where the reader was.
    pub others: BTreeMap<Place, Chat>,
    /// The room to go to as soon as it is known.
    pub awaited: Option<String>,
    /// The user is on the way to another room; whether something was written in this one before.
    pub way: Option<bool>,
    /// What Ctrl+K opens.
    pub switcher: Option<Switcher>,
    /// A list that is only read.
    pub sheet: Option<Sheet>,
    /// A list from which something is chosen.
    pub picker: Option<Picker>,
    /// The room whose members were asked for, to be listed.
    pub sheet_of: Option<String>,
    /// What was asked for to be shown.
    pub wanted: Option<Wanted>,
    /// What is to be said later, as it was listed last.
    pub later: Vec<Scheduled>,
    /// Who is in the rooms that were asked about.
    pub members: BTreeMap<String, Vec<Member>>,
    /// The rooms of which that was asked.
    pub members_asked: BTreeSet<String>,
    /// The commands that the server carries out.
    pub slash: Vec<SlashCommand>,
    /// When a key was pressed last.
    pub used_at: Millis,
    /// The public rooms, while they are asked for, to be listed.
    pub public: Option<PublicRooms>,
    /// Tells the lists that were asked for apart.
    pub last_list: u64,
    /// People who were seen to be members of a room.
    pub people: BTreeSet<String>,
    /// Whether the user looks at the terminal, as far as it tells.
    pub is_watched: bool,
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// Turns an instant into the local time.
    pub local_time: LocalTime,
    /// What time it is.
    pub clock: fn() -> Timestamp,
    /// A sentence for the user, until something else happens or it is no longer true.
    pub hint: Option<Hint>,
    /// What has happened in rooms while that stood there, by their keys: nobody has asked for it, so it does not take the place
    /// of an answer.
    pub news: VecDeque<(String, String)>,
    /// Until then it is not told who comes online and goes offline.
    pub quiet_until: Millis,
    /// The first row of the help on the screen, while it is open.
    pub help: Option<usize>,
    /// The user wanted to leave, and was told that this would be lost.
    pub warned: Option<AtStake>,
    /// The line that was asked about once more, since it cannot be taken back: the room that it was written in, and its text.
    pub doubted: Option<(String, String)>,
    /// A line like that, while it is asked who else is in the room.
    pub leaving: Option<(String, String)>,
    /// Lines that were asked of the server: where each was written, to be given back if it is refused.
    pub lines: Vec<Line>,
    /// Messages for which the bell has not rung yet.
    pub bells: usize,
    /// The user wants the whole screen drawn again.
    pub is_screen_in_doubt: bool,
    /// The program ends.
    pub is_over: bool,
}

/// A line that asks something of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What it asks; `None`: a change of a message.
    pub ask: Option<Ask>,
    /// The room or thread that it was written in.
    pub place: Place,
    /// As it was written.
    pub text: String,
}

/// What is asked for to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// What someone says of themselves.
    Card,
    /// What the user has saved.
    Saved,
    /// What is to be said later.
    Scheduled,
}

/// A list that is only read.
pub struct Sheet {
    /// What is listed.
    pub title: String,
    /// Made visible.
    pub lines: Vec<String>,
    /// The first row on the screen.
    pub row: usize,
}

/// A sentence for the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// The sentence.
    pub text: String,
    /// How long it is true.
    pub about: About,
    /// When it was said.
    pub since: Millis,
}

/// What a hint is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// What was typed, or what the server said to it; it is over when something else works, and after a while.
    Typed,
    /// What is written, as it is; it is over when that changes.
    Written,
    /// What is written, which is too long; it is over when it fits.
    TooLong,
    /// What is not stored yet; it is over when it is.
    Unstored,
    /// A fetch that failed; it is over when one works.
    Fetch,
    /// Something that was to come, and has come or could not; it stays until another sentence takes its place.
    Later,
    /// Leaving with messages that are not stored; it is over when they are.
    Leaving,
}

/// What is on the screen.
pub enum Screen {
    /// Who are you?
    Login(Box<LoginForm>),
    /// The conversation.
    Chat,
}

/// What the login form asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// An account exists.
    LogIn,
    /// Make one.
    Register,
}

/// Where the form's cursor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The name.
    Username,
    /// The password.
    Password,
}

/// The login form.
pub struct LoginForm {
    /// Log in or register.
    pub mode: Mode,
    /// The name.
    pub username: TextArea<'static>,
    /// The password; masked on the screen.
    pub password: TextArea<'static>,
    /// Where the cursor is.
    pub field: Field,
    /// An answer is awaited.
    pub is_busy: bool,
    /// What the server said.
    pub error: Option<String>,
}

impl LoginForm {
    /// An empty form, or one with the name filled in.
    #[must_use]
    pub fn new(username: &str, error: Option<String>) -> Self {
        let field = if username.is_empty() {
            Field::Username
        } else {
            Field::Password
        };
        Self {
            mode: Mode::LogIn,
            username: line(username),
            password: masked(),
            field,
            is_busy: false,
            error,
        }
    }

    /// The name as typed.
    #[must_use]
    pub fn name(&self) -> String {
        self.username.lines().concat().trim().to_owned()
    }

    /// Takes the password out of the form, which then holds none.
    pub fn take_password(&mut self) -> SecretString {
        std::mem::replace(&mut self.password, masked())
            .into_lines()
            .concat()
            .into()
    }
}

fn line(text: &str) -> TextArea<'static> {
    let mut area = TextArea::from([text]);
    area.set_cursor_line_style(ratatui::style::Style::default());
    area.move_cursor(ratatui_textarea::CursorMove::End);
    area
}

fn masked() -> TextArea<'static> {
    let mut area = line("");
    area.set_mask_char('•');
    // What was typed here is not kept in memory for an undo.
    area.set_max_histories(0);
    area
}

/// Something that happened.
pub enum Event {
    /// A key was pressed.
    Key(KeyEvent),
    /// Text was pasted.
    Paste(String),
    /// The terminal has this size now.
    Resize(u16, u16),
    /// Time has passed.
    Tick(Millis),
    /// The network brought something.
    Net(effect::Event),
    /// The screen was drawn as it is: what is on it was seen.
    Drawn,
    /// The terminal's window has the keyboard, or has it no more.
    Focus(bool),
}

impl State {
    /// What is known of the room on the screen.
    #[must_use]
    pub fn room(&self) -> Option<&Room> {
        self.client.store.room(&self.chat.as_ref()?.room)
    }

    /// What is at hand of the room or thread on the screen.
    #[must_use]
    pub fn timeline(&self) -> Option<&Timeline> {
        let room = self.room()?;
        match self.chat.as_ref()?.thread {
            None => Some(room.timeline()),
            Some(first) => room.threads().timeline(first),
        }
    }

    /// The pane of this room or of a thread of it, if it is on the screen.
    pub fn chat_of(&mut self, room: &str) -> Option<&mut Chat> {
        self.chat.as_mut().filter(|chat| chat.room == room)
    }

    /// Goes to the newest message of the room on the screen.
    pub fn to_end(&mut self) {
        if let Some(chat) = &mut self.chat {
            chat.to_end();
        }
    }

    /// Whether something lies over the conversation.
    #[must_use]
    pub fn is_covered(&self) -> bool {
        let is_popup = self.help.is_some() || self.sheet.is_some() || self.picker.is_some();
        is_popup || self.switcher.is_some()
    }

    /// Takes away what lies over the conversation.
    pub fn uncover(&mut self) {
        (self.help, self.sheet, self.public) = (None, None, None);
        (self.switcher, self.picker) = (None, None);
    }

    /// Shows a sentence.
    pub fn hint(&mut self, about: About, text: impl Into<String>) {
        let text = text.into();
        let since = self.client.now();
        self.hint = Some(Hint { text, about, since });
    }

    /// Says what has happened by itself, now or when what stands there is over: one after the other.
    pub fn tell(&mut self, room: &str, text: String) {
        self.news.push_back((room.to_owned(), text));
        self.tell_news();
    }

    fn tell_news(&mut self) {
        if self.hint.is_none()
            && let Some((_, text)) = self.news.pop_front()
        {
            self.hint(About::Typed, text);
        }
    }

    /// What was said to something that is done with is taken away when it was there for so long.
    pub fn outlived(&mut self, time: Millis) {
        let now = self.client.now();
        self.hint.take_if(|hint| {
            matches!(hint.about, About::Typed | About::Unstored | About::Fetch)
                && now >= hint.since + time
        });
        self.tell_news();
    }

    /// What was said about this is no longer true.
    pub fn settled(&mut self, about: About) {
        self.hint.take_if(|hint| hint.about == about);
    }

    /// The client at its start: it asks who the user is.
    #[must_use]
    pub fn new(server: &str, username: &str, seed: u64, local_time: LocalTime) -> Self {
        Self {
            server: server.to_owned(),
            screen: Screen::Login(Box::new(LoginForm::new(username, None))),
            client: Client::new(Store::default(), seed),
            chat: None,
            others: BTreeMap::new(),
            awaited: None,
            way: None,
            switcher: None,
            sheet: None,
            picker: None,
            sheet_of: None,
            wanted: None,
            later: Vec::new(),
            members: BTreeMap::new(),
            members_asked: BTreeSet::new(),
            slash: Vec::new(),
            used_at: 0,
            public: None,
            last_list: 0,
            people: BTreeSet::new(),
            is_watched: true,
            size: (80, 24),
            local_time,
            clock: now,
            hint: None,
            news: VecDeque::new(),
            quiet_until: 0,
            help: None,
            warned: None,
            doubted: None,
            leaving: None,
            lines: Vec::new(),
            bells: 0,
            is_screen_in_doubt: false,
            is_over: false,
        }
    }
}
