//! A client as it sees its connection: what it is sent, in which order, and who is here as far as it was told.

use super::*;

/// What a frame of less than 64 KiB carries.
pub fn payload(frame: &[u8]) -> &[u8] {
    &frame[if frame[1] < 126 { 2 } else { 4 }..]
}

/// A client, and what it knows of its connection.
pub struct Reader {
    pub id: SocketId,
    pub user: i64,
    pub login: i64,
    /// The rooms that its user is a member of.
    pub rooms: BTreeSet<i64>,
    pub habit: Habit,
    pub inbox: Inbox,
    /// Room → the last change that was sent or told, of those that it knows it is in.
    pub covered: HashMap<i64, u64>,
    /// Who is here, as far as this one was told.
    pub names: BTreeSet<String>,
    pub last_heard: Instant,
    pub last_taken: Option<Instant>,
    /// When a ping was taken that nothing was said after.
    pub ping_taken: Option<Instant>,
    /// Since when something is left out, or untold, and nothing was taken.
    pub behind_since: Option<Instant>,
    /// How it ended.
    pub closed: Option<u16>,
}

impl Reader {
    pub fn is_prompt(&self) -> bool {
        self.habit != Habit::Frozen
    }

    /// Takes so many of the deliveries that wait, as a session would.
    pub fn take(&mut self, count: usize, now: Instant) {
        let taken: Vec<Deliver> = {
            let mut held = self.inbox.held.borrow_mut();
            let count = count.min(held.len());
            held.drain(..count).collect()
        };
        for delivery in taken {
            self.inbox.gauge.take(delivery.weight());
            self.inbox.gauge.progress();
            self.last_taken = Some(now);
            self.behind_since = None;
            assert_eq!(self.closed, None, "{delivery:?} came after the end");
            self.read(delivery, now);
        }
    }

    pub fn read(&mut self, delivery: Deliver, now: Instant) {
        match delivery {
            Deliver::Change {
                room_id,
                seq,
                frame,
                ..
            } => {
                let covered = self.covered.get_mut(&room_id).expect("one of my rooms");
                assert_eq!(seq, *covered + 1, "a hole or a double in room {room_id}");
                *covered = seq;
                let text = String::from_utf8_lossy(payload(&frame)).into_owned();
                let own = format!("own of {}", self.user);
                assert!(
                    text == own || text.trim_end_matches('x').is_empty(),
                    "{text} is for somebody else"
                );
            }
            Deliver::Missed { room_id, seq } => {
                assert!(!self.is_prompt(), "he took everything and missed {seq}");
                self.cover(room_id, seq);
            }
            // Of a room that it is still to be told that it is in, it says nothing new.
            Deliver::Reached { room_id, seq } => {
                if self.covered.contains_key(&room_id) {
                    self.cover(room_id, seq);
                }
            }
            // Again, where it is a member already.
            Deliver::Joined { room_id, seq } => {
                self.covered.entry(room_id).or_insert(seq - 1);
            }
            Deliver::Left { room_id, seq } => {
                let covered = self.covered.remove(&room_id).unwrap_or(0);
                assert!(covered <= seq, "{covered} in room {room_id} after {seq}");
            }
            Deliver::View { room_id, .. } => panic!("no view of room {room_id} has changed"),
            Deliver::Notice(frame) => self.hear_notice(&frame),
            Deliver::Own { .. } | Deliver::Aside(_) => {}
            Deliver::Ping => {
                self.inbox.gauge.ping();
                self.ping_taken.get_or_insert(now);
            }
            Deliver::Close { code, .. } => self.closed = Some(code),
        }
    }

    pub fn cover(&mut self, room_id: i64, seq: u64) {
        let covered = self.covered.get_mut(&room_id).expect("one of my rooms");
        *covered = (*covered).max(seq);
    }

    pub fn hear_notice(&mut self, frame: &Bytes) {
        let event: Value = serde_json::from_slice(payload(frame)).expect("JSON");
        for name in event["usernames"].as_array().expect("names") {
            let name = name.as_str().expect("a name").to_owned();
            if event["event"] == "joined" {
                self.names.insert(name);
            } else {
                self.names.remove(&name);
            }
        }
    }

    pub fn hear(&mut self, now: Instant) {
        self.inbox.gauge.hear();
        self.last_heard = now;
        self.ping_taken = None;
    }
}
