//! The client as its user meets it, without a network: keys and frames go in, the screen is read. This is the stage;
//! what is played on it stands in [`scenes`] and [`sizes`].

mod acts;
mod days;
mod drafts;
mod hints;
mod later;
mod leaving;
mod orders;
mod people;
mod popups;
mod reading;
mod rooms;
mod scenes;
mod sizes;
mod slash;
mod telling;
mod threads;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use parlour_client::{
    api::{Answer, Ask, Page, Query},
    effect::{self, Effect, Fetch},
};
use ratatui::{Terminal, backend::TestBackend};

use super::{
    commands, draw,
    state::{Event, State},
    text::{is_fit_for_a_cell, tests::nasty},
    update::update,
};
use crate::protocol::{
    close,
    command::{Command, Request},
    event::{self, Ack, Connected, ErrorFrame, Notice, RoomNews, RoomState, SyncedRoom, System},
    limits::Limits,
    message::Message,
    people::Settings,
    reading::ReadUpTo,
    time::Timestamp,
};

const SIZE: (u16, u16) = (80, 20);

/// The client and a stage around it.
struct Stage {
    state: State,
    attempt: u64,
    /// Frames sent and not yet looked at, but for what is said of reading and writing.
    said: Vec<Request>,
    /// How far the user is said to have read.
    marks: Vec<ReadUpTo>,
    /// What was asked about drafts, and about threads and what is unread.
    drafts: Vec<Ask>,
    listed: Vec<Ask>,
    /// Fetches not yet answered.
    asked: Vec<Fetch>,
    /// Other effects.
    done: Vec<Effect>,
}

impl Stage {
    fn new() -> Self {
        let mut state = State::new("chat.example.org", "", 7, |at| at.naive_utc());
        state.size = SIZE;
        Self {
            state,
            attempt: 0,
            said: Vec::new(),
            marks: Vec::new(),
            drafts: Vec::new(),
            listed: Vec::new(),
            asked: Vec::new(),
            done: Vec::new(),
        }
    }

    /// Alice in a room with `count` messages by bob, the last of which are on the screen.
    fn in_room(count: u64) -> Self {
        let mut stage = Self::new();
        stage.arrive(effect::Event::LoggedIn("alice".into()));
        stage.hello("epoch", count);
        let first = count.saturating_sub(99).max(1);
        stage.answer((first..=count).map(|id| message(id, "bob", &format!("line {id}"))));
        stage
    }

    fn arrive(&mut self, event: effect::Event) {
        self.happen(Event::Net(event));
    }

    fn happen(&mut self, event: Event) {
        let mut acks = Vec::new();
        for effect in update(&mut self.state, event) {
            match effect {
                Effect::Open { attempt, .. } => {
                    self.attempt = attempt;
                    self.said.clear();
                    self.done.push(effect);
                }
                Effect::Say(Request {
                    command: Command::Read(read),
                    reference,
                }) => {
                    acks.extend(reference.zip(Some(read.clone())));
                    self.marks.push(read);
                }
                Effect::Say(Request {
                    command: Command::Typing(_) | Command::Presence | Command::Status(_),
                    ..
                }) => {}
                Effect::Ask(ask @ (Ask::Draft { .. } | Ask::PutDraft { .. })) => {
                    self.drafts.push(ask);
                }
                Effect::Ask(ask @ (Ask::Threads { .. } | Ask::Unread { .. } | Ask::Commands)) => {
                    self.listed.push(ask);
                }
                Effect::Say(request) => self.said.push(request),
                Effect::Fetch(fetch) => self.asked.push(fetch),
                other => self.done.push(other),
            }
        }
        update(&mut self.state, Event::Drawn);
        for (reference, read) in acks {
            let marker = read.mark.seq - u64::from(read.mark.unread);
            let ack = serde_json::json!({
                "ref": reference, "room": read.room, "id": marker, "seq": marker,
                "timestamp": at(marker), "duplicate": false,
            });
            let ack = serde_json::from_value(ack).expect("an ack");
            self.frame(event::Event::Ack(ack));
        }
    }

    fn frame(&mut self, frame: event::Event) {
        let attempt = self.attempt;
        let frame = Box::new(frame);
        self.arrive(effect::Event::Frame { attempt, frame });
    }

    fn hello(&mut self, epoch: &str, seq: u64) {
        let general = RoomState {
            room: "general".into(),
            seq,
            read_seq: seq,
            ..RoomState::default()
        };
        self.first_frame(epoch, general);
    }

    fn hello_with(&mut self, general: RoomState) {
        self.first_frame("epoch", general);
    }

    fn first_frame(&mut self, epoch: &str, general: RoomState) {
        let hello = Connected {
            user_id: 1,
            username: "alice".into(),
            session: 1,
            epoch: epoch.into(),
            heartbeat_ms: 25_000,
            limits: Limits::default(),
            rooms: vec![general],
            more_rooms: 0,
            settings: Settings::default(),
            online: vec!["alice".into(), "bob".into()],
        };
        self.frame(event::Event::System(System {
            message: "Connected as alice".into(),
            notice: Notice::Connected(Box::new(hello)),
        }));
    }

    fn live(&mut self, message: Message) {
        self.frame(event::Event::Message(message));
    }

    fn answer(&mut self, page: impl IntoIterator<Item = Message>) {
        let fetch = self.asked.remove(0);
        let messages: Vec<_> = page.into_iter().collect();
        // All of these histories begin with 1.
        let more = messages.first().is_some_and(|first| first.id > 1);
        let result = Ok(Page { messages, more });
        self.arrive(effect::Event::Page { fetch, result });
    }

    fn closed(&mut self, code: Option<u16>) {
        self.arrive(effect::Event::Closed {
            attempt: self.attempt,
            code,
            why: "the connection was lost".into(),
            after: None,
        });
    }

    fn synced(&mut self, seq: u64) {
        let room = SyncedRoom::upto(seq, true);
        self.frame(event::Event::Synced {
            reference: None,
            rooms: [("general".to_owned(), room)].into(),
        });
    }

    fn press(&mut self, code: KeyCode) {
        self.happen(Event::Key(KeyEvent::new(code, KeyModifiers::NONE)));
    }

    fn ctrl(&mut self, letter: char) {
        let key = KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL);
        self.happen(Event::Key(key));
    }

    fn type_text(&mut self, text: &str) {
        for letter in text.chars() {
            self.press(KeyCode::Char(letter));
        }
    }

    fn write(&mut self, text: &str) {
        self.type_text(text);
        self.press(KeyCode::Enter);
    }

    /// The `client_id` and text of the messages sent since the last look.
    fn sent(&mut self) -> Vec<(String, String)> {
        std::mem::take(&mut self.said)
            .into_iter()
            .filter_map(|request| match request.command {
                Command::Message(sent) => Some((request.reference?, sent.content)),
                _ => None,
            })
            .collect()
    }

    fn ack(&mut self, reference: &str, id: u64) {
        self.frame(event::Event::Ack(Ack {
            reference: reference.into(),
            room: "general".into(),
            id,
            seq: id,
            timestamp: at(id),
            duplicate: false,
            done: None,
        }));
    }

    /// The room frame of a room that alice has come into.
    fn come_into(&mut self, key: &str, name: &str, seq: u64) {
        let about = RoomState {
            room: key.into(),
            name: Some(name.into()),
            seq,
            read_seq: seq,
            ..RoomState::default()
        };
        self.frame(event::Event::Room(RoomNews::Here(about)));
    }

    /// What was asked about rooms since the last look.
    fn asks(&mut self) -> Vec<Ask> {
        let done = std::mem::take(&mut self.done).into_iter();
        done.filter_map(|effect| match effect {
            Effect::Ask(ask) => Some(ask),
            _ => None,
        })
        .collect()
    }

    fn answer_ask(&mut self, ask: Ask, result: Result<Answer, String>) {
        self.arrive(effect::Event::Answer { ask, result });
    }

    fn screen(&self) -> String {
        let (columns, rows) = self.state.size;
        let mut terminal = Terminal::new(TestBackend::new(columns, rows)).expect("a terminal");
        terminal
            .draw(|frame| draw::draw(frame, &self.state))
            .expect("draws");
        let buffer = terminal.backend().buffer();
        let mut text = String::new();
        for row in buffer.content.chunks(columns.into()) {
            text.extend(row.iter().map(|cell| cell.symbol().to_owned()));
            text.push('\n');
        }
        text
    }

    fn shows(&self, text: &str) -> bool {
        self.screen().contains(text)
    }
}

fn at(id: u64) -> Timestamp {
    let seconds = i64::try_from(id).expect("small") * 60;
    chrono::DateTime::from_timestamp(1_795_000_000 + seconds, 0).expect("a time")
}

fn message(id: u64, username: &str, content: &str) -> Message {
    Message {
        id,
        seq: id,
        room: "general".into(),
        user_id: if username == "alice" { 1 } else { 2 },
        username: username.into(),
        content: content.into(),
        created_at: at(id),
        client_id: None,
        unreadable: false,
        ..Message::default()
    }
}
