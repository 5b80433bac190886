//! A server of two rooms as the store sees it, in a few lines: a log of each room, one socket, and fetches under way.

use std::collections::VecDeque;

use super::{tape::Tape, *};
use crate::{
    api::{Answer, Ask, ThreadsPage},
    protocol::{
        event::Connected,
        kept::Draft,
        mention::Mention,
        reading::{Counts, MarkRead, Marker, ReadUpTo},
        room::{self, RoomChanged, RoomField},
        thread::{Replies, Thread},
    },
};

mod line;
mod log;
mod rooms;

use log::Log;

/// Messages that one `sync` sends of a room before it says that there are more.
const SYNC_HOLDS: usize = 4;
/// Messages on a page.
const PAGE_HOLDS: usize = 3;

/// What may happen next.
#[derive(Debug, Clone, Copy)]
pub enum Act {
    /// Someone writes.
    Write(&'static str),
    /// Someone writes while the socket is too slow to be told.
    WriteUnheard(&'static str),
    /// Someone edits or deletes the message so many before the last, and the socket is told or too slow.
    Change(&'static str, usize, bool),
    /// The next frame arrives.
    Deliver,
    /// The oldest fetch is answered: with what is there now, and the answer arrives later.
    Answer,
    /// The oldest fetch fails.
    Fail,
    /// The database is away: the `sync` under way is refused.
    RefuseSync,
    /// The socket is cut, and the next one opens.
    Cut,
    /// Time passes.
    Wait,
    /// The reader scrolls up.
    Older(&'static str),
    /// The reader goes to this room.
    Look(&'static str),
    /// The reader is removed from the garden.
    Kick,
    /// And invited again.
    Invite,
    /// Someone says something, perhaps to the reader.
    Say(&'static str, Voice),
    /// Someone replies in the thread under the message so many before the last; also in the room, or in the thread alone.
    Reply(&'static str, usize, Voice, bool),
    /// Another device of the reader has read a room up to the message so many before the last, or marks it as unread.
    Read(&'static str, usize, bool),
    /// The same, of a thread.
    ReadThread(&'static str, usize, bool),
    /// The reader sees the message so many before the last of those that are at hand.
    See(&'static str, usize),
    /// The reader marks it as unread.
    Unsee(&'static str, usize),
    /// The reader sees a thread that is followed, up to its last reply.
    SeeThread(&'static str, usize),
    /// The reader looks at the thread under the message so many before the last.
    OpenThread(&'static str, usize),
    /// Too much is kept.
    Trim(&'static str),
    /// What was asked besides messages is read, or its answer arrives.
    Told,
    /// Another device writes a draft.
    Draft(&'static str, u8),
}

/// Who speaks, and to whom.
#[derive(Debug, Clone, Copy)]
pub enum Voice {
    /// Someone, to nobody.
    Other,
    /// Someone, to the reader.
    Mention,
    /// Someone, to all.
    Everyone,
    /// Someone, to those who are there: that counts as no mention.
    Here,
    /// The reader, on another device.
    Mine,
    /// The room itself.
    Room,
}

pub struct Server {
    pub store: Store,
    now: Millis,
    rooms: BTreeMap<&'static str, Log>,
    /// Frames on their way to the client.
    socket: VecDeque<event::Event>,
    fetches: VecDeque<Fetch>,
    answers: VecDeque<(Fetch, Result<Page, String>)>,
    asks: VecDeque<Ask>,
    told: VecDeque<(Ask, Answer)>,
    /// The `sync` that was said and is not answered yet.
    sync: Option<Sync>,
    /// All that was told.
    pub shown: Vec<Message>,
    /// Where the first page of each room began.
    pub first_page: BTreeMap<String, Option<u64>>,
    pub syncs: usize,
    pub most_syncs_at_once: usize,
    /// What the store was told and what it wanted then, for who wants to play it again.
    pub tape: Tape,
    /// How often history was replaced.
    restores: u64,
}

pub fn message(room: &str, seq: u64) -> Message {
    Message {
        room: room.into(),
        id: seq,
        seq,
        user_id: 2,
        username: "bob".into(),
        content: format!("message {seq}"),
        ..Message::default()
    }
}

pub fn hello(epoch: &str, rooms: &[(&str, u64)]) -> event::Event {
    let room = |(name, seq): &(&str, u64)| RoomState {
        room: (*name).to_owned(),
        seq: *seq,
        ..RoomState::default()
    };
    hello_of(epoch, rooms.iter().map(room).collect())
}

fn hello_of(epoch: &str, rooms: Vec<RoomState>) -> event::Event {
    let hello = Connected {
        user_id: 1,
        username: "alice".into(),
        session: 1,
        epoch: epoch.into(),
        heartbeat_ms: 25_000,
        limits: Limits::default(),
        rooms,
        more_rooms: 0,
        settings: crate::protocol::people::Settings::default(),
        online: vec!["alice".into()],
    };
    event::Event::System(System {
        message: "Connected as alice".into(),
        notice: Notice::Connected(Box::new(hello)),
    })
}

impl Server {
    /// Two rooms with so many messages each, and a socket that has just opened.
    pub fn new(past: Past, wanted: Rooms, before: u64) -> Self {
        let mut server = Self {
            store: Store::new("alice", past, wanted),
            now: 0,
            rooms: BTreeMap::from([("general", Log::default()), ("garden", Log::default())]),
            socket: VecDeque::new(),
            fetches: VecDeque::new(),
            answers: VecDeque::new(),
            asks: VecDeque::new(),
            told: VecDeque::new(),
            sync: None,
            shown: Vec::new(),
            first_page: BTreeMap::new(),
            syncs: 0,
            most_syncs_at_once: 0,
            tape: Tape::default(),
            restores: 0,
        };
        for _ in 0..before {
            server.write("general");
            server.write("garden");
        }
        server.open();
        server
    }

    /// What the reader may see of a room.
    pub fn messages(&self, room: &str) -> &BTreeMap<u64, Message> {
        let log = &self.rooms[room];
        log.kept.as_ref().unwrap_or(&log.messages)
    }

    pub fn is_removed_from(&self, room: &str) -> bool {
        self.rooms[room].kept.is_some()
    }

    /// What the store holds of a room.
    pub fn held(&self, room: &str) -> Vec<Message> {
        let timeline = self.store.room(room).expect("a room").timeline();
        let mut held: Vec<_> = timeline.latest().cloned().collect();
        held.reverse();
        held
    }

    pub fn act(&mut self, act: Act) {
        match act {
            Act::Write(room) => {
                let message = self.write(room);
                self.tell(room, event::Event::Message(message));
            }
            Act::WriteUnheard(room) => {
                let seq = self.write(room).seq;
                self.lag(room, seq);
            }
            Act::Change(room, back, is_heard) => self.change(room, back, is_heard),
            Act::Deliver => self.deliver(),
            Act::Answer => self.answer(),
            Act::Fail => {
                if let Some(fetch) = self.fetches.pop_front() {
                    self.answers.push_back((fetch, Err("It failed.".into())));
                    self.arrive();
                }
            }
            Act::RefuseSync => {
                if self.sync.take().is_some() {
                    self.socket
                        .push_back(refusal(Some(SYNC), Code::StoreUnavailable));
                }
            }
            Act::Cut => self.cut(),
            Act::Wait => {
                self.answer_sync();
                self.now += 2_000;
                self.tape.tick(self.now);
                let outcome = self.store.tick(self.now);
                self.take(outcome);
                let effects = self.store.next_messages(self.now);
                self.perform(effects);
            }
            Act::Older(room) => {
                self.tape.older(room);
                let effects = self.store.fetch_older(room, None);
                self.perform(effects);
            }
            Act::Look(room) => {
                self.tape.look(room);
                let effects = self.store.look_at(room);
                self.perform(effects);
            }
            Act::Kick => self.kick(),
            Act::Invite => self.invite(),
            other => self.act_on_own(other),
        }
    }

    fn act_on_own(&mut self, act: Act) {
        match act {
            Act::Say(room, voice) => self.say(room, voice, None),
            Act::Reply(room, back, voice, also) => {
                let first = self.rooms[room].nth_back(back, true);
                if let (Some(first), false) = (first, matches!(voice, Voice::Room)) {
                    self.say(room, voice, Some((first, also)));
                }
            }
            Act::Read(room, back, unread) => {
                let seq = self.rooms[room].nth_back(back, false);
                let thread = None;
                if let Some(seq) = seq {
                    self.mark(
                        room,
                        MarkRead {
                            seq,
                            thread,
                            unread,
                        },
                    );
                }
            }
            Act::ReadThread(room, back, unread) => {
                let log = &self.rooms[room];
                let first = log.follows.keys().rev().nth(back).copied();
                let replies = log.messages.values().rev();
                let last = replies.filter(|m| m.thread.is_some() && m.thread == first);
                if let (Some(seq), thread) = (last.map(|m| m.id).next(), first) {
                    self.mark(
                        room,
                        MarkRead {
                            seq,
                            thread,
                            unread,
                        },
                    );
                }
            }
            Act::See(room, back) | Act::Unsee(room, back) => {
                let known = self.store.room(room);
                let held = known.and_then(|room| room.timeline().latest().nth(back));
                let Some(id) = held.map(|message| message.id) else {
                    return;
                };
                if matches!(act, Act::See(..)) {
                    self.store.saw(room, None, id);
                } else {
                    self.store.unread_from(room, None, id);
                }
            }
            Act::SeeThread(room, back) => {
                let Some(known) = self.store.room(room) else {
                    return;
                };
                let first = known.threads().followed().map(|(first, _)| first).nth(back);
                let last = first.and_then(|first| known.threads().messages(first).last());
                if let Some((id, thread)) = last.map(|message| (message.id, message.thread)) {
                    self.store.saw(room, thread, id);
                }
            }
            Act::OpenThread(room, back) => {
                let first = self.rooms[room].nth_back(back, true);
                if let (Some(first), false) = (first, self.is_removed_from(room)) {
                    let known = self.rooms.get_mut(room).expect("a room");
                    let effect = self.store.open_thread(room, first);
                    if self.store.room(room).is_some() {
                        known.opened.insert(first);
                    }
                    self.perform(effect);
                }
            }
            Act::Trim(room) => self.store.trim(room),
            Act::Told => self.tell_of_own(),
            Act::Draft(room, _) if self.is_removed_from(room) => {}
            Act::Draft(room, n) => {
                let content = if n == 0 { String::new() } else { n.to_string() };
                self.now += 1;
                let at = i64::try_from(self.now).expect("small");
                let draft = Draft {
                    thread: None,
                    content: content.clone(),
                    unreadable: false,
                    updated_at: chrono::DateTime::from_timestamp_millis(at),
                };
                let changed = RoomChanged {
                    room: room.to_owned(),
                    changed: vec![RoomField::Draft],
                    draft: Some(draft),
                    ..RoomChanged::default()
                };
                self.rooms.get_mut(room).expect("a room").draft = Some(content);
                self.tell(room, event::Event::Room(RoomNews::Changed(changed)));
            }
            _ => {}
        }
    }

    pub fn unread(&self, room: &str, thread: Option<u64>) -> Unread {
        self.rooms[room].unread(thread)
    }

    pub fn marker(&self, room: &str) -> u64 {
        self.rooms[room].marker
    }

    pub fn thread_marker(&self, room: &str, first: u64) -> u64 {
        self.rooms[room].follows[&first]
    }

    pub fn followed(&self, room: &str) -> Vec<u64> {
        self.rooms[room].follows.keys().copied().collect()
    }

    pub fn opened(&self, room: &str) -> Vec<u64> {
        self.rooms[room].opened.iter().copied().collect()
    }

    /// A thread from this message on.
    pub fn thread(&self, room: &str, first: u64, start: Option<u64>) -> Vec<Message> {
        let all = self.rooms[room].messages.values();
        let of_it = all.filter(|m| m.id == first || m.thread == Some(first));
        of_it.filter(|m| Some(m.id) >= start).cloned().collect()
    }

    pub fn draft(&self, room: &str) -> Option<&str> {
        self.rooms[room].draft.as_deref()
    }

    /// Everything under way arrives.
    pub fn settle(&mut self) {
        for _ in 0..6 {
            for _ in 0..400 {
                self.answer();
                self.answer_sync();
                self.deliver();
                self.tell_of_own();
            }
            self.act(Act::Wait);
        }
    }

    fn cut(&mut self) {
        self.tape.closed();
        self.store.closed(None);
        self.open();
    }

    /// A backup is restored: from now on there is another history of each room, with so many messages.
    pub fn restore(&mut self, messages: u64) {
        self.restores += 1;
        for room in ["general", "garden"] {
            let kept = self.rooms.remove(room).and_then(|log| log.kept);
            let log = Log {
                kept,
                ..Log::default()
            };
            self.rooms.insert(room, log);
            for _ in 0..messages {
                self.write(room);
            }
        }
        self.cut();
    }

    fn open(&mut self) {
        self.socket.clear();
        self.sync = None;
        for log in self.rooms.values_mut() {
            log.draft = None;
        }
        let mine = self.rooms.iter().filter(|(_, log)| log.kept.is_none());
        let rooms = mine.map(|(room, log)| log.state(room)).collect();
        self.socket
            .push_back(hello_of(&format!("e{}", self.restores), rooms));
    }
}
