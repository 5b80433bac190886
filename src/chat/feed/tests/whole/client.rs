//! A client that believes what it is sent, and notices when that is not true.

use super::*;

/// What a client may expect next of a room.
#[derive(Debug, Clone)]
pub enum Expect {
    /// This number, or a `lag`.
    Exactly(u64),
    /// This number or, as it reads pages itself, one before.
    AtMost(u64),
    /// It has asked for a `sync`, expecting this before, and was sent these numbers (true) and lags (false) since.
    Anything(Box<Expect>, Vec<(u64, bool)>),
}

/// What a client has of a room.
#[derive(Debug)]
pub struct View {
    pub start: u64,
    pub has: BTreeSet<u64>,
    pub expect: Expect,
}

impl View {
    /// Up to here it has all.
    pub fn cursor(&self) -> u64 {
        let mut cursor = self.start;
        while self.has.contains(&(cursor + 1)) {
            cursor += 1;
        }
        cursor
    }

    pub fn hear(&mut self, seq: u64, is_message: bool) {
        if is_message {
            self.has.insert(seq);
        }
        match &mut self.expect {
            Expect::Anything(_, heard) => heard.push((seq, is_message)),
            Expect::Exactly(next) => {
                assert!(!is_message || seq == *next, "{seq} instead of {next}");
                assert!(seq >= *next, "a lag of what was sent");
                *next = seq + 1;
            }
            Expect::AtMost(next) => {
                assert!(!is_message || seq <= *next, "{seq} after less than {next}");
                self.expect = Expect::Exactly(seq + 1);
            }
        }
    }

    /// It asks for a `sync`.
    pub fn ask(&mut self) {
        if !matches!(self.expect, Expect::Anything(..)) {
            let before = std::mem::replace(&mut self.expect, Expect::Exactly(0));
            self.expect = Expect::Anything(Box::new(before), Vec::new());
        }
    }

    /// The answer to its `sync` has come: all up to this number, or a refusal. What it heard since it asked belongs to
    /// what came before, or to the answer, or follows it.
    pub fn resume(&mut self, synced: Option<u64>) {
        let expect = std::mem::replace(&mut self.expect, Expect::Exactly(0));
        let Expect::Anything(before, heard) = expect else {
            panic!("it has asked for nothing");
        };
        self.expect = synced.map_or(*before, |seq| Expect::Exactly(seq + 1));
        for (seq, is_message) in heard {
            if synced.is_none_or(|synced| seq > synced) {
                self.hear(seq, is_message);
            }
        }
    }
}

/// Someone who comes and goes.
#[derive(Default)]
pub struct Client {
    pub views: BTreeMap<i64, View>,
    pub session: Option<Session>,
    /// The cursors of the `sync` that is not answered yet.
    pub asked: Option<Cursors>,
}

impl Client {
    pub fn hear(&mut self, who: usize, sent: Vec<Sent>, store: &Store) {
        for sent in sent {
            match sent {
                Sent::Message(frame) => {
                    let text = String::from_utf8_lossy(&frame).into_owned();
                    let (room, seq) = text.split_once(':').expect("room and number");
                    let (room, seq) = (room.parse().expect("a room"), seq.parse().expect("one"));
                    let end = store.ends.get(&(who, room)).copied().unwrap_or(0);
                    let may_read = store.members[&room].contains(&who) || seq <= end;
                    assert!(may_read, "{seq} of room {room} after its end, {end}");
                    let view: &mut View = self.views.get_mut(&room).expect("a room");
                    view.hear(seq, true);
                }
                Sent::Lag(room, seq) => {
                    self.views.get_mut(&room).expect("a room").hear(seq, false);
                }
                Sent::Here(room, seq) => {
                    let mut view = View {
                        start: seq,
                        has: BTreeSet::new(),
                        expect: Expect::Exactly(seq + 1),
                    };
                    let asked = self.asked.as_ref().and_then(|asked| asked.get(&room));
                    if let Some(since) = asked {
                        // Perhaps the server hears that only now.
                        view.start = seq.min(*since);
                        view.ask();
                    }
                    let before = self.views.insert(room, view);
                    assert!(before.is_none(), "it was in room {room}");
                }
                Sent::Gone(room) => {
                    self.views.remove(&room).expect("one of its rooms");
                }
                Sent::Synced(rooms) => self.hear_synced(&rooms, store),
                Sent::Error => {
                    let cursors = self.asked.take().expect("it has asked");
                    // With more than one room it cannot know which was served, and stays in doubt until it asks again.
                    if let (1, Some(room)) = (cursors.len(), cursors.keys().next())
                        && let Some(view) = self.views.get_mut(room)
                    {
                        view.resume(None);
                    }
                }
            }
        }
    }

    pub fn hear_synced(&mut self, rooms: &BTreeMap<i64, Option<(u64, bool)>>, store: &Store) {
        let cursors = self.asked.take().expect("it has asked");
        for (room, since) in cursors {
            let Some(outcome) = rooms.get(&room) else {
                // It has come into it since, as it was told; and perhaps gone out again.
                if let Some(view) = self.views.get_mut(&room) {
                    view.resume(None);
                }
                continue;
            };
            let &Some((seq, complete)) = outcome else {
                assert!(!self.views.contains_key(&room), "it is not in it");
                continue;
            };
            let view = self.views.get_mut(&room).expect("a room");
            let missing = (since + 1..=seq).find(|seq| !view.has.contains(seq));
            assert_eq!(missing, None, "synced from {since} to {seq}");
            if complete {
                view.resume(Some(seq));
            } else {
                // It reads the rest by `since`.
                let end = store.last(room);
                view.has.extend(seq + 1..=end);
                view.expect = Expect::AtMost(end + 1);
            }
        }
    }
}
