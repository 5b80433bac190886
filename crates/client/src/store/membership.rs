//! Which rooms the user is in: as the first frame of a socket lists them, and as they come and go after it.

use std::collections::BTreeSet;

use super::{News, Outcome, Past, Room, Rooms, Store, sortable};
use crate::{
    effect::Effect,
    link::Millis,
    protocol::{
        GENERAL,
        event::{Connected, Gone, RoomNews, RoomState},
    },
};

impl Store {
    /// Shows this room: what is at hand of it, and what lies before that.
    pub fn look_at(&mut self, key: &str) -> Option<Effect> {
        self.looked_at = Some(key.to_owned());
        let past = self.past_of(key);
        let room = self.rooms.get_mut(key)?;
        room.want(past);
        self.fetch_older(key, None)
    }

    /// The key of one of the user's rooms, by its key or name. Of two with one name, the public one is meant.
    #[must_use]
    pub fn resolve(&self, word: &str) -> Option<&str> {
        let mine = self.rooms.iter().filter(|(_, room)| !room.is_gone);
        resolve(mine.map(|(_, room)| &room.about), word)
    }

    pub(super) fn past_of(&self, key: &str) -> Past {
        let looked_at = self.looked_at.as_deref().unwrap_or(GENERAL);
        match self.past {
            Past::Pages if self.wanted == Rooms::All && looked_at != key => Past::Later,
            past => past,
        }
    }

    pub(super) fn connected(&mut self, now: Millis, hello: &Connected, outcome: &mut Outcome) {
        self.is_connected = true;
        self.me.clone_from(&hello.username);
        self.user_id = hello.user_id;
        self.limits = hello.limits;
        self.settings = hello.settings.clone();
        self.online = hello.online.iter().map(|name| sortable(name)).collect();
        self.to_sync.clear();
        self.syncing.clear();
        self.begin_own();
        self.epoch = Some(hello.epoch.clone());
        let mut missing = self.begin_to_follow(&hello.rooms);
        let mut left_out = BTreeSet::new();
        let keys: Vec<String> = self.rooms.keys().cloned().collect();
        for key in keys {
            match hello.rooms.iter().find(|room| room.room == key) {
                Some(listed) => self.here(now, listed.clone(), true, outcome),
                None if hello.more_rooms > 0 && !self.is_gone(&key) => _ = left_out.insert(key),
                None => self.gone(&key, outcome),
            }
        }
        self.listing = None;
        if hello.more_rooms > 0 {
            let words = std::mem::take(&mut missing);
            outcome.effects.extend(self.list(left_out, words));
        }
        let missing = missing.into_iter();
        outcome
            .news
            .extend(missing.map(|room| News::NotMember { room }));
    }

    pub(super) fn room_news(&mut self, now: Millis, news: RoomNews, outcome: &mut Outcome) {
        match news {
            RoomNews::Here(about) => {
                if self.wanted == Rooms::All && !self.rooms.contains_key(&about.room) {
                    let room = Room::new(&about.room, self.past_of(&about.room));
                    self.rooms.insert(about.room.clone(), room);
                }
                let is_first = self.is_found(&about.room);
                self.here(now, about, is_first, outcome);
            }
            RoomNews::Changed(changed) => {
                let key = changed.room.clone();
                let room = self.rooms.get_mut(&key);
                if let Some(draft) = room.and_then(|room| room.view_changed(changed)) {
                    let thread = draft.thread;
                    outcome.news.push(News::Draft { room: key, thread });
                }
            }
            RoomNews::Gone(Gone { room, .. }) => self.gone(&room, outcome),
        }
    }

    /// The user is in this room, and hears what comes after its `seq`.
    pub(super) fn here(
        &mut self,
        now: Millis,
        about: RoomState,
        is_first: bool,
        outcome: &mut Outcome,
    ) {
        let key = about.room.clone();
        let past = self.past_of(&key);
        let epoch = self.epoch.clone();
        let Some(room) = self.rooms.get_mut(&key) else {
            return;
        };
        let (seq, is_new) = (about.seq, room.epoch.is_none());
        let has_come = is_new || room.is_gone;
        // A list that was read meanwhile knew more than the socket has told yet: what is in between is still to come, and new.
        let is_ahead = past == Past::Later && !has_come && seq < room.about.seq;
        room.about = about;
        (room.is_gone, room.me) = (false, self.user_id);
        if !is_first && !has_come && !is_ahead {
            // It has heard of the room all the while.
            return room.told_unread_of_about();
        }
        let is_same = is_new || room.epoch == epoch;
        room.epoch = epoch;
        room.want(past);
        if has_come && !is_first {
            outcome.news.push(News::Joined { room: key.clone() });
        }
        self.follow(now, &key, outcome, |room| {
            room.next_page = None;
            room.again_at = None;
            room.follower.connected(seq, is_same)
        });
        if let Some(room) = self.rooms.get_mut(&key) {
            room.told_unread_of_about();
        }
        if has_come && !is_first {
            self.threads_may_have_come();
        }
    }

    fn is_gone(&self, key: &str) -> bool {
        self.rooms.get(key).is_none_or(|room| room.is_gone)
    }

    /// The user is not in this room any more.
    pub(super) fn gone(&mut self, key: &str, outcome: &mut Outcome) {
        self.to_sync.remove(key);
        let Some(room) = self.rooms.get_mut(key).filter(|room| !room.is_gone) else {
            return;
        };
        room.leave();
        let room = key.to_owned();
        outcome.news.push(News::Gone { room });
    }

    /// Makes the rooms that are wanted and were not there before. Returns what was asked for and is not there.
    fn begin_to_follow(&mut self, listed: &[RoomState]) -> Vec<String> {
        let mut missing = Vec::new();
        let keys: Vec<String> = match &mut self.wanted {
            Rooms::All => listed.iter().map(|room| room.room.clone()).collect(),
            Rooms::These(words) => {
                let found = std::mem::take(words).into_iter().filter_map(|word| {
                    let key = resolve(listed.iter(), &word).map(str::to_owned);
                    if key.is_none() {
                        missing.push(word);
                    }
                    key
                });
                found.collect()
            }
        };
        for key in keys {
            let past = self.past_of(&key);
            let room = self.rooms.entry(key.clone());
            room.or_insert_with(|| Room::new(&key, past));
        }
        missing
    }
}

/// The key of the room that is meant by a key, or by a name that no other of these rooms has.
fn resolve<'a>(rooms: impl Iterator<Item = &'a RoomState>, word: &str) -> Option<&'a str> {
    let is_named = |room: &RoomState| {
        let name = room.name.as_deref();
        name.is_some_and(|name| name.eq_ignore_ascii_case(word))
    };
    let mut named = Vec::new();
    for room in rooms {
        if room.room == word {
            return Some(&room.room);
        }
        if is_named(room) {
            named.push(room.room.as_str());
        }
    }
    named.pop().filter(|_| named.is_empty())
}
