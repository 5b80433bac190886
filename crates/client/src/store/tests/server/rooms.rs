//! What people do in the rooms, and what the socket is told of it.

use super::*;

impl Server {
    pub(super) fn say(&mut self, key: &'static str, voice: Voice, thread: Option<(u64, bool)>) {
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
            let is_begun = log.threads.insert(first, new.seq).is_some();
            new.thread_replies = Some(Replies {
                seq: new.seq,
                ..Replies::default()
            });
            let begin = &log.messages[&first];
            let is_named = begin.mentions.iter().any(|one| one.user_id == Some(1));
            let concerns = begin.user_id == 1 || is_named && !is_begun;
            if concerns || new.user_id == 1 || new.is_for(1) {
                log.follows.entry(first).or_insert(0);
            }
        }
        log.messages.insert(new.id, new.clone());
        self.tell(key, event::Event::Message(new));
    }

    /// The reader's marker moves, and the reader's sockets are told.
    pub(super) fn mark(&mut self, key: &'static str, mark: MarkRead) -> Option<u64> {
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

    pub(super) fn write(&mut self, room: &'static str) -> Message {
        let log = self.rooms.get_mut(room).expect("a room");
        log.last += 1;
        let message = message(room, log.last);
        log.messages.insert(log.last, message.clone());
        message
    }

    pub(super) fn change(&mut self, room: &'static str, back: usize, is_heard: bool) {
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

    pub(super) fn kick(&mut self) {
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

    pub(super) fn invite(&mut self) {
        let log = self.rooms.get_mut("garden").expect("a room");
        if log.kept.take().is_none() {
            return;
        }
        log.marker = log.last;
        let state = log.state("garden");
        self.socket
            .push_back(event::Event::Room(RoomNews::Here(state)));
    }

    pub(super) fn tell(&mut self, room: &str, frame: event::Event) {
        if self.rooms[room].kept.is_none() {
            self.socket.push_back(frame);
        }
    }

    pub(super) fn lag(&mut self, room: &str, seq: u64) {
        let room = room.to_owned();
        self.tell(&room.clone(), event::Event::Lag { room, seq });
    }
}
