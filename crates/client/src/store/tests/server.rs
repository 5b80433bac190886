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

/// A room.
#[derive(Default)]
struct Log {
    last: u64,
    messages: BTreeMap<u64, Message>,
    /// How it was when the reader was removed from it.
    kept: Option<BTreeMap<u64, Message>>,
    /// How far the reader has read it.
    marker: u64,
    /// The threads that the reader follows, and how far they are read.
    follows: BTreeMap<u64, u64>,
    /// Those that were looked at.
    opened: BTreeSet<u64>,
    /// The last change of what is under a message.
    threads: BTreeMap<u64, u64>,
    /// The draft, if there was one since the socket opened.
    draft: Option<String>,
}

impl Log {
    fn unread(&self, thread: Option<u64>) -> Unread {
        let marker = match thread {
            None => self.marker,
            Some(first) => self.follows.get(&first).copied().unwrap_or(0),
        };
        let is_there = |message: &&Message| match thread {
            None => !message.is_in_thread_only(),
            Some(_) => message.thread == thread,
        };
        let mut unread = Unread::default();
        for message in self.messages.values().filter(is_there) {
            let is_text = message.kind == Kind::Text && message.deleted_at.is_none();
            if is_text && message.id > marker && message.user_id != 1 {
                unread.messages += 1;
                unread.mentions += u64::from(message.is_for(1));
            }
        }
        unread
    }

    fn state(&self, key: &str) -> RoomState {
        let unread = self.unread(None);
        RoomState {
            room: key.to_owned(),
            seq: self.last,
            read_seq: self.marker,
            unread: unread.messages,
            mentions: unread.mentions,
            ..RoomState::default()
        }
    }

    /// Sets a marker as the server does. Returns where it is.
    fn mark(&mut self, mark: MarkRead) -> Option<u64> {
        let marker = match mark.thread {
            None => &mut self.marker,
            Some(first) => self.follows.get_mut(&first)?,
        };
        *marker = if mark.unread {
            mark.seq.saturating_sub(1)
        } else {
            mark.seq.max(*marker)
        };
        Some(*marker)
    }

    /// The messages that people can reply to or read up to.
    fn nth_back(&self, back: usize, is_first: bool) -> Option<u64> {
        let messages = self.messages.values().rev();
        let own_pages = messages.filter(|message| !message.is_in_thread_only());
        let mut wanted = own_pages
            .filter(|message| !is_first || message.thread.is_none() && message.kind == Kind::Text);
        wanted.nth(back).map(|message| message.id)
    }
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

    fn say(&mut self, key: &'static str, voice: Voice, thread: Option<(u64, bool)>) {
        let mut new = self.write(key);
        let log = self.rooms.get_mut(key).expect("a room");
        match voice {
            Voice::Other => {}
            Voice::Mention | Voice::Everyone | Voice::Here => new.mentions.push(Mention {
                user_id: matches!(voice, Voice::Mention).then_some(1),
                room: matches!(voice, Voice::Everyone),
                here: matches!(voice, Voice::Here),
                ..Mention::default()
            }),
            Voice::Mine => (new.user_id, new.username) = (1, "alice".into()),
            Voice::Room => new.kind = Kind::System,
        }
        if let Some((first, also_to_room)) = thread {
            (new.thread, new.also_to_room) = (Some(first), also_to_room);
            log.threads.insert(first, new.seq);
            new.thread_replies = Some(Replies {
                seq: new.seq,
                ..Replies::default()
            });
            let starter = log.messages[&first].user_id;
            if [new.user_id, starter].contains(&1) || new.is_for(1) {
                log.follows.entry(first).or_insert(0);
            }
        }
        log.messages.insert(new.id, new.clone());
        self.tell(key, event::Event::Message(new));
    }

    /// The reader's marker moves, and the reader's sockets are told.
    fn mark(&mut self, key: &'static str, mark: MarkRead) -> Option<u64> {
        let log = self.rooms.get_mut(key).expect("a room");
        let seq = log.mark(mark)?;
        let unread = log.unread(mark.thread);
        let marker = Marker {
            room: key.to_owned(),
            user_id: 1,
            seq,
            thread: mark.thread,
            counts: Some(Counts {
                unread: unread.messages,
                mentions: unread.mentions,
                at: log.last,
            }),
        };
        self.tell(key, event::Event::Read(marker));
        Some(seq)
    }

    fn tell_of_own(&mut self) {
        if let Some(ask) = self.asks.pop_front() {
            if let Some(answer) = self.look_up(&ask) {
                self.told.push_back((ask, answer));
            }
        } else if let Some((ask, answer)) = self.told.pop_front() {
            self.tape.told(&ask, &answer);
            let outcome = self.store.answered(self.now, &ask, &Ok(answer));
            self.take(outcome);
        }
    }

    fn look_up(&self, ask: &Ask) -> Option<Answer> {
        match ask {
            Ask::Unread { room, .. } => {
                let log = self.rooms.get(&**room)?;
                let state = log.state(room);
                Some(Answer::Room(Box::new(room::Room {
                    read_seq: Some(state.read_seq),
                    unread: Some(state.unread),
                    mentions: Some(state.mentions),
                    ..super::listing::listed(room, state.seq)
                })))
            }
            Ask::Threads { .. } => {
                let mine = self.rooms.iter().filter(|(_, log)| log.kept.is_none());
                let threads = mine.flat_map(|(_, log)| {
                    log.follows.iter().map(|(first, marker)| {
                        let unread = log.unread(Some(*first));
                        let mut message = log.messages[first].clone();
                        message.replies = Some(Replies {
                            seq: log.threads[first],
                            ..Replies::default()
                        });
                        Thread {
                            last_at: message.created_at,
                            message,
                            read_seq: *marker,
                            unread: unread.messages,
                            mentions: unread.mentions,
                        }
                    })
                });
                Some(Answer::Threads(ThreadsPage {
                    threads: threads.collect(),
                    next: None,
                }))
            }
            _ => None,
        }
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

    fn write(&mut self, room: &'static str) -> Message {
        let log = self.rooms.get_mut(room).expect("a room");
        log.last += 1;
        let message = message(room, log.last);
        log.messages.insert(log.last, message.clone());
        message
    }

    fn change(&mut self, room: &'static str, back: usize, is_heard: bool) {
        let log = self.rooms.get_mut(room).expect("a room");
        let Some(message) = log.messages.values_mut().rev().nth(back) else {
            return;
        };
        log.last += 1;
        message.seq = log.last;
        if back.is_multiple_of(3) {
            message.deleted_at = Some(message.created_at);
            message.content.clear();
            message.mentions.clear();
            if let Some(first) = message.thread {
                log.threads.insert(first, log.last);
                message.thread_replies = Some(Replies {
                    seq: log.last,
                    ..Replies::default()
                });
            }
        } else if message.deleted_at.is_none() {
            message.edited_at = Some(message.created_at);
            message.content = format!("edited by {}", log.last);
            message.mentions.clear();
            if back.is_multiple_of(2) {
                message.mentions.push(Mention {
                    user_id: Some(1),
                    ..Mention::default()
                });
            }
        }
        if let (Some(first), true) = (message.thread, message.is_for(1)) {
            log.follows.entry(first).or_insert(0);
        }
        let message = message.clone();
        if !is_heard {
            self.lag(room, message.seq);
            return;
        }
        let changed = MessageChanged {
            message,
            by: None,
            change: None,
        };
        self.tell(room, event::Event::MessageChanged(changed));
    }

    fn kick(&mut self) {
        let message = self.write("garden");
        self.tell("garden", event::Event::Message(message));
        let log = self.rooms.get_mut("garden").expect("a room");
        if log.kept.is_some() {
            return;
        }
        self.socket
            .push_back(event::Event::Room(RoomNews::gone("garden".into())));
        // Nothing of it is on its way to a slow reader, and nothing is answered any more.
        while !self.socket.is_empty() {
            self.deliver();
        }
        let log = self.rooms.get_mut("garden").expect("a room");
        let held = self
            .store
            .room("garden")
            .map(|room| room.timeline().latest());
        let held = held.into_iter().flatten().map(|m| (m.id, m.clone()));
        log.kept = Some(held.collect());
        log.draft = None;
        for held in log.kept.iter().flat_map(BTreeMap::values) {
            assert!(held.seq <= log.last);
        }
    }

    fn invite(&mut self) {
        let log = self.rooms.get_mut("garden").expect("a room");
        if log.kept.take().is_none() {
            return;
        }
        log.marker = log.last;
        let state = log.state("garden");
        self.socket
            .push_back(event::Event::Room(RoomNews::Here(state)));
    }

    fn tell(&mut self, room: &str, frame: event::Event) {
        if self.rooms[room].kept.is_none() {
            self.socket.push_back(frame);
        }
    }

    fn lag(&mut self, room: &str, seq: u64) {
        let room = room.to_owned();
        self.tell(&room.clone(), event::Event::Lag { room, seq });
    }

    fn deliver(&mut self) {
        if let Some(frame) = self.socket.pop_front() {
            self.tape.frame(&frame);
            let outcome = self.store.frame(self.now, frame);
            self.take(outcome);
        }
    }

    /// Reads for the oldest fetch. Of two answers one is under way while the next is read.
    fn answer(&mut self) {
        if let Some(fetch) = self.fetches.pop_front() {
            let result = self.read(&fetch);
            self.answers.push_back((fetch, result));
        } else {
            self.arrive();
        }
        if self.answers.len() > 1 {
            self.arrive();
        }
    }

    fn arrive(&mut self) {
        if let Some((fetch, result)) = self.answers.pop_front() {
            if let (Query::Latest, Ok(page)) = (fetch.query, &result) {
                let first = page.messages.first().map(|message| message.id);
                self.first_page.insert(fetch.room.clone(), first);
            }
            self.tape.page(&fetch, &result);
            let outcome = self.store.page(self.now, &fetch, result);
            self.take(outcome);
        }
    }

    fn read(&self, fetch: &Fetch) -> Result<Page, String> {
        let log = &self.rooms[&*fetch.room];
        if log.kept.is_some() {
            return Err("There is no such room.".into());
        }
        let all = log.messages.values().cloned();
        let pages = all.clone().filter(|m| !m.is_in_thread_only());
        let mut wanted: Vec<_> = match fetch.query {
            Query::Latest => pages.collect(),
            Query::Before(id) => pages.filter(|m| m.id < id).collect(),
            Query::Since(seq) => all.filter(|m| m.seq > seq).collect(),
            Query::Thread { first, before } => all
                .filter(|m| m.id == first || m.thread == Some(first))
                .filter(|m| before.is_none_or(|before| m.id < before))
                .collect(),
        };
        let more = wanted.len() > PAGE_HOLDS;
        if matches!(fetch.query, Query::Since(_)) {
            wanted.sort_by_key(|message| message.seq);
            wanted.truncate(PAGE_HOLDS);
        } else {
            wanted.drain(..wanted.len().saturating_sub(PAGE_HOLDS));
        }
        Ok(Page {
            messages: wanted,
            more,
        })
    }

    /// Replays what each room's cursor has not seen, between whatever is sent live.
    fn answer_sync(&mut self) {
        let Some(sync) = self.sync.take() else {
            return;
        };
        let mut rooms = BTreeMap::new();
        for (room, since) in sync.rooms {
            let log = &self.rooms[&*room];
            if log.kept.is_some() {
                rooms.insert(room, SyncedRoom::gone());
                continue;
            }
            let mut missed: Vec<_> = log.messages.values().filter(|m| m.seq > since).collect();
            missed.sort_by_key(|message| message.seq);
            let complete = missed.len() <= SYNC_HOLDS;
            let reached = if complete { log.last } else { since };
            for message in missed.into_iter().filter(|_| complete) {
                let frame = event::Event::Message(message.clone());
                self.socket.push_back(frame);
            }
            rooms.insert(room, SyncedRoom::upto(reached, complete));
        }
        self.socket.push_back(event::Event::Synced {
            reference: Some(SYNC.into()),
            rooms,
        });
    }

    /// The client says how far it has read.
    fn marked(&mut self, room: &str, mark: MarkRead, reference: Option<String>) {
        let key = if room == "general" {
            "general"
        } else {
            "garden"
        };
        if self.is_removed_from(key) {
            let refused = refusal(reference.as_deref(), Code::RoomNotFound);
            return self.socket.push_back(refused);
        }
        let Some(seq) = self.mark(key, mark) else {
            return;
        };
        let ack = serde_json::json!({
            "ref": reference.expect("a ref"), "room": key, "id": seq, "seq": seq,
            "timestamp": "2026-11-27T00:00:00Z", "duplicate": false,
        });
        let ack = serde_json::from_value(ack).expect("an ack");
        self.socket.push_back(event::Event::Ack(ack));
    }

    fn take(&mut self, outcome: Outcome) {
        for news in outcome.news {
            if let News::Shown { messages, .. } = news {
                self.shown.extend(messages);
            }
        }
        self.perform(outcome.effects);
    }

    fn perform(&mut self, effects: impl IntoIterator<Item = Effect>) {
        for effect in effects {
            self.tape.wants(&effect);
            match effect {
                Effect::Say(Request {
                    command: Command::Sync(sync),
                    ..
                }) => {
                    self.syncs += 1;
                    let at_once = usize::from(self.sync.is_some()) + 1;
                    self.most_syncs_at_once = self.most_syncs_at_once.max(at_once);
                    self.sync = Some(sync);
                }
                Effect::Fetch(fetch) => self.fetches.push_back(fetch),
                Effect::Ask(ask) => self.asks.push_back(ask),
                Effect::Say(Request {
                    command: Command::Read(ReadUpTo { room, mark }),
                    reference,
                }) => self.marked(&room, mark, reference),
                _ => {}
            }
        }
    }
}
