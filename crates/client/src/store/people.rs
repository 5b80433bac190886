//! What is known of people: how they are seen, who is writing, and what they say of themselves. It tells only of now: what a
//! socket has said of it is forgotten with the socket.

use std::collections::{BTreeMap, HashMap};

use super::{Store, TYPING};
use crate::{
    effect::Effect,
    link::Millis,
    protocol::{
        command::{Command, Request},
        message::Message,
        people::{About, Presence, PresenceNews, Seen, SetStatus, Typing, TypingNews, UserNews},
        room::Member,
    },
};

/// How long someone is taken to be writing who has said so.
const WRITES_FOR: Millis = 6_000;
/// How often is told that the user is writing, as long as they are.
const SAY_AGAIN: Millis = 3_000;

/// Who is writing: until when, and the name.
type Writing = BTreeMap<i64, (Millis, String)>;

/// What is known of people.
#[derive(Debug, Default)]
pub struct People {
    seen: HashMap<i64, Seen>,
    about: HashMap<i64, About>,
    /// Room and thread → who writes there.
    writing: BTreeMap<(String, Option<u64>), Writing>,
    /// Where the user was last told to be writing, and when.
    told: Option<(Typing, Millis)>,
    /// What was last said of the device.
    is_idle: bool,
    /// Whether it is asked who is here.
    is_followed: bool,
}

impl People {
    /// How someone is seen; who is not known to be here is offline.
    #[must_use]
    pub fn presence(&self, user_id: i64) -> Presence {
        self.seen(user_id)
            .map_or(Presence::Offline, |seen| seen.state)
    }

    /// All who are known to be seen somehow.
    pub fn all(&self) -> impl Iterator<Item = &Seen> {
        self.seen.values()
    }

    /// How someone is seen, and what they say of it.
    #[must_use]
    pub fn seen(&self, user_id: i64) -> Option<&Seen> {
        self.seen.get(&user_id)
    }

    /// What someone says of themselves, as far as it is known.
    #[must_use]
    pub fn about(&self, user_id: i64) -> Option<&About> {
        self.about.get(&user_id)
    }

    /// What people call someone, beside their username.
    #[must_use]
    pub fn display_name(&self, user_id: i64) -> Option<&str> {
        self.about(user_id)?.display_name.as_deref()
    }

    /// Who is writing in a room or a thread at this moment, by name.
    #[must_use]
    pub fn writing(&self, room: &str, thread: Option<u64>, now: Millis) -> Vec<&str> {
        let there = self.writing.get(&(room.to_owned(), thread));
        let there = there.into_iter().flat_map(BTreeMap::values);
        let mut names: Vec<&str> = there
            .filter(|(until, _)| *until > now)
            .map(|(_, name)| name.as_str())
            .collect();
        names.sort_unstable();
        names
    }

    /// What is known of someone was fetched.
    pub fn learn(&mut self, user_id: i64, about: About) {
        self.about.insert(user_id, about);
    }

    pub(super) fn told_presence(&mut self, news: PresenceNews) {
        if news.all {
            self.seen.clear();
        }
        for seen in news.users {
            self.seen.insert(seen.user_id, seen);
        }
    }

    pub(super) fn told_typing(&mut self, now: Millis, news: TypingNews) {
        let there = self.writing.entry((news.room, news.thread)).or_default();
        there.insert(news.user_id, (now + WRITES_FOR, news.username));
    }

    pub(super) fn told_profile(&mut self, news: UserNews) {
        self.about.insert(news.user_id, news.about);
    }

    /// Whoever has written writes no more.
    pub(super) fn has_written(&mut self, message: &Message) {
        for ((room, _), there) in &mut self.writing {
            if *room == message.room {
                there.remove(&message.user_id);
            }
        }
    }

    /// Forgets who has stopped writing; true when there was someone.
    pub(super) fn tick(&mut self, now: Millis) -> bool {
        let count =
            |writing: &BTreeMap<_, Writing>| -> usize { writing.values().map(BTreeMap::len).sum() };
        let before = count(&self.writing);
        for there in self.writing.values_mut() {
            there.retain(|_, (until, _)| *until > now);
        }
        self.writing.retain(|_, there| !there.is_empty());
        count(&self.writing) < before
    }

    /// A socket has ended: what it has told holds no more.
    pub(super) fn disconnected(&mut self) {
        self.seen.clear();
        self.writing.clear();
        self.told = None;
    }
}

impl Store {
    /// What is known of people.
    #[must_use]
    pub fn people(&self) -> &People {
        &self.people
    }

    /// Takes in what was fetched of someone.
    pub fn learn_about(&mut self, user_id: i64, about: About) {
        self.people.learn(user_id, about);
    }

    /// Takes in what a list of members tells of people.
    pub fn learn_members(&mut self, members: &[Member]) {
        for member in members {
            let about = self.people.about.entry(member.user_id).or_default();
            about.display_name.clone_from(&member.display_name);
        }
    }

    /// The user is writing in a room or a thread; told from time to time.
    pub fn write_in(&mut self, now: Millis, room: &str, thread: Option<u64>) -> Option<Effect> {
        let typing = Typing {
            room: room.to_owned(),
            thread,
        };
        let is_told = |(before, at): &(Typing, Millis)| *before == typing && now < at + SAY_AGAIN;
        if !self.is_connected || self.people.told.as_ref().is_some_and(is_told) {
            return None;
        }
        self.people.told = Some((typing.clone(), now));
        let request = Request::with_ref(TYPING, Command::Typing(typing));
        Some(Effect::Say(request))
    }

    /// The device is in use, or is not; told when that is new.
    pub fn set_idle(&mut self, is_idle: bool) -> Option<Effect> {
        if self.people.is_idle == is_idle {
            return None;
        }
        self.people.is_idle = is_idle;
        self.is_connected.then(|| idle(is_idle))
    }

    /// From now on each socket asks who is here. (Who does not ask is told of changes alone.)
    pub fn follow_people(&mut self) -> Vec<Effect> {
        self.people.is_followed = true;
        if self.is_connected {
            self.ask_for_people()
        } else {
            Vec::new()
        }
    }

    /// What is asked of the server about people as soon as there is a socket.
    pub(super) fn ask_for_people(&self) -> Vec<Effect> {
        let asked = self
            .people
            .is_followed
            .then(|| Effect::Say(Request::new(Command::Presence)));
        let device = self.people.is_idle.then(|| idle(true));
        asked.into_iter().chain(device).collect()
    }
}

fn idle(is_idle: bool) -> Effect {
    Effect::Say(Request::new(Command::Status(SetStatus {
        idle: Some(is_idle),
        ..SetStatus::default()
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typing(room: &str, user_id: i64) -> TypingNews {
        TypingNews {
            room: room.into(),
            user_id,
            username: format!("user{user_id}"),
            thread: None,
        }
    }

    fn seen(user_id: i64, state: Presence) -> Seen {
        Seen {
            user_id,
            state,
            ..Seen::default()
        }
    }

    #[test]
    fn whoever_writes_does_so_for_six_seconds_or_until_it_is_written() {
        let mut people = People::default();
        people.told_typing(1_000, typing("12", 7));
        people.told_typing(4_000, typing("12", 8));
        assert_eq!(people.writing("12", None, 6_999), ["user7", "user8"]);
        assert_eq!(people.writing("12", None, 7_000), ["user8"]);
        assert!(people.writing("12", Some(3), 4_000).is_empty());
        assert!(people.tick(7_000));
        assert!(!people.tick(7_001));
        people.has_written(&Message {
            room: "12".into(),
            user_id: 8,
            ..Message::default()
        });
        assert!(people.writing("12", None, 7_001).is_empty());
    }

    #[test]
    fn a_snapshot_takes_the_place_of_what_was_known() {
        let mut people = People::default();
        let news = |users, all| PresenceNews { users, all };
        people.told_presence(news(vec![seen(7, Presence::Dnd)], false));
        people.told_presence(news(vec![seen(8, Presence::Online)], true));
        assert_eq!(people.presence(7), Presence::Offline);
        assert_eq!(people.presence(8), Presence::Online);
        people.told_presence(news(vec![seen(8, Presence::Away)], false));
        assert_eq!(people.presence(8), Presence::Away);
        people.disconnected();
        assert_eq!(people.presence(8), Presence::Offline);
    }

    #[test]
    fn it_is_told_now_and_then_that_the_user_writes() {
        let mut store = Store::default();
        assert!(store.write_in(0, "12", None).is_none(), "to no one");
        store.is_connected = true;
        assert!(store.write_in(0, "12", None).is_some());
        assert!(store.write_in(2_999, "12", None).is_none());
        assert!(store.write_in(2_999, "12", Some(4)).is_some());
        assert!(store.write_in(6_000, "12", Some(4)).is_some());
        assert!(store.set_idle(true).is_some());
        assert!(store.set_idle(true).is_none());
        assert_eq!(store.ask_for_people().len(), 1);
        assert_eq!(store.follow_people().len(), 2);
    }
}
