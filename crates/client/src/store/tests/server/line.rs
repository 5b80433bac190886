//! What goes between the server and the store: frames, pages, and what is asked.

use super::*;

impl Server {
    pub(super) fn tell_of_own(&mut self) {
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

    pub(super) fn look_up(&self, ask: &Ask) -> Option<Answer> {
        match ask {
            Ask::Unread { room, .. } => {
                let log = self.rooms.get(&**room)?;
                let state = log.state(room);
                Some(Answer::Room(Box::new(room::Room {
                    read_seq: Some(state.read_seq),
                    unread: Some(state.unread),
                    mentions: Some(state.mentions),
                    ..super::super::listing::listed(room, state.seq)
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

    pub(super) fn deliver(&mut self) {
        if let Some(frame) = self.socket.pop_front() {
            self.tape.frame(&frame);
            let outcome = self.store.frame(self.now, frame);
            self.take(outcome);
        }
    }

    /// Reads for the oldest fetch. Of two answers one is under way while the next is read.
    pub(super) fn answer(&mut self) {
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

    pub(super) fn arrive(&mut self) {
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

    pub(super) fn read(&self, fetch: &Fetch) -> Result<Page, String> {
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
    pub(super) fn answer_sync(&mut self) {
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
    pub(super) fn marked(&mut self, room: &str, mark: MarkRead, reference: Option<String>) {
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

    pub(super) fn take(&mut self, outcome: Outcome) {
        for news in outcome.news {
            if let News::Shown { messages, .. } = news {
                self.shown.extend(messages);
            }
        }
        self.perform(outcome.effects);
    }

    pub(super) fn perform(&mut self, effects: impl IntoIterator<Item = Effect>) {
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
