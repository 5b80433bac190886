//! What the user is to be told of at once, by a sound or whatever a face has: what each room may tell of, and when nothing is to.

use chrono_tz::Tz;

use super::{Store, reading::counts};
use crate::protocol::{
    message::Message,
    people::{Presence, QuietHours, Settings},
    reading::Notify,
    time::Timestamp,
};

impl Store {
    /// What the user has set for themselves, as the server last told it.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Whether the user wants to be told of a message that has come: it is new and unread, its room may tell of it, and it is
    /// no time of quiet.
    #[must_use]
    pub fn is_to_be_told(&self, message: &Message, now: Timestamp) -> bool {
        let Some(room) = self.room(&message.room).filter(|room| !room.is_gone()) else {
            return false;
        };
        let is_new = counts(message, self.user_id) && message.id == message.seq;
        if !is_new || self.is_quiet(now) {
            return false;
        }
        let followed = message
            .thread
            .map(|first| room.threads().followed_at(first));
        let is_beside = message.thread.is_some() && !message.also_to_room;
        let read = match followed.flatten().filter(|_| is_beside) {
            Some(thread) => thread.marker(),
            None if is_beside => 0,
            None => room.marker(),
        };
        let is_for_me = message.is_for(self.user_id) || self.is_meant_by_here(message);
        let is_wanted = match room.about().notify {
            Notify::All => !is_beside || followed.flatten().is_some() || is_for_me,
            Notify::Mentions => is_for_me,
            Notify::Nothing => false,
        };
        is_wanted && message.id > read
    }

    /// Whether nothing is to disturb the user: they have said so for now, or for this time of day where they are.
    #[must_use]
    pub fn is_quiet(&self, now: Timestamp) -> bool {
        self.people.presence(self.user_id) == Presence::Dnd || is_quiet_by(&self.settings, now)
    }

    fn is_meant_by_here(&self, message: &Message) -> bool {
        let is_seen = self.people.presence(self.user_id) != Presence::Invisible;
        is_seen && message.mentions.iter().any(|mention| mention.here)
    }
}

/// Whether these are quiet hours: by the clocks of the user's time zone, or of UTC where they have told none.
fn is_quiet_by(settings: &Settings, now: Timestamp) -> bool {
    let Some(hours) = settings.quiet_hours.as_deref().and_then(QuietHours::read) else {
        return false;
    };
    let zone = settings.time_zone.as_deref();
    let zone: Tz = zone.and_then(|zone| zone.parse().ok()).unwrap_or(Tz::UTC);
    hours.hold_at(now.with_timezone(&zone).time())
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::{
        protocol::{
            event,
            mention::Mention,
            message::Kind,
            people::{PresenceNews, Seen},
            room::RoomKind,
        },
        store::{Past, Rooms},
    };

    fn at(text: &str) -> Timestamp {
        DateTime::parse_from_rfc3339(text).expect("a time").to_utc()
    }

    fn hours(hours: &str, zone: Option<&str>) -> Settings {
        Settings {
            quiet_hours: Some(hours.to_owned()),
            time_zone: zone.map(str::to_owned),
            ..Settings::default()
        }
    }

    #[test]
    fn quiet_hours_are_those_of_the_users_clock_also_when_it_is_put_back_or_on() {
        let berlin = Some("Europe/Berlin");
        for (set, zone, now, is_quiet) in [
            ("22:00-07:00", None, "2026-11-27T21:59:59Z", false),
            ("22:00-07:00", None, "2026-11-27T22:00:00Z", true),
            ("22:00-07:00", None, "2026-11-28T06:59:59Z", true),
            ("22:00-07:00", None, "2026-11-28T07:00:00Z", false),
            (
                "22:00-07:00",
                Some("Mars/Olympus"),
                "2026-11-27T22:00:00Z",
                true,
            ),
            (
                "22:00-07:00",
                Some("Asia/Kolkata"),
                "2026-11-27T16:30:00Z",
                true,
            ),
            (
                "22:00-07:00",
                Some("Asia/Kolkata"),
                "2026-11-27T01:30:00Z",
                false,
            ),
            // Summer and winter.
            ("22:00-07:00", berlin, "2026-07-01T20:00:00Z", true),
            ("22:00-07:00", berlin, "2026-12-01T20:00:00Z", false),
            ("22:00-07:00", berlin, "2026-12-01T21:00:00Z", true),
            // An hour comes twice: both times until a quarter to.
            ("22:00-02:45", berlin, "2026-10-25T00:30:00Z", true),
            ("22:00-02:45", berlin, "2026-10-25T00:50:00Z", false),
            ("22:00-02:45", berlin, "2026-10-25T01:30:00Z", true),
            ("22:00-02:45", berlin, "2026-10-25T01:50:00Z", false),
            // An hour is skipped, and with it the beginning.
            ("02:30-05:00", berlin, "2026-03-29T00:59:59Z", false),
            ("02:30-05:00", berlin, "2026-03-29T01:00:00Z", true),
            ("02:30-05:00", berlin, "2026-03-29T03:00:00Z", false),
            ("always", None, "2026-11-27T22:00:00Z", false),
        ] {
            let settings = hours(set, zone);
            assert_eq!(
                is_quiet_by(&settings, at(now)),
                is_quiet,
                "{set} {zone:?} {now}"
            );
        }
        assert!(!is_quiet_by(
            &Settings::default(),
            at("2026-11-27T22:00:00Z")
        ));
    }

    /// A store of alice, who is in a room and has read it up to 5.
    fn store(notify: Notify) -> Store {
        let mut store = Store::new("alice", Past::Pages, Rooms::All);
        let rooms = serde_json::json!([
            {"room": "general", "seq": 9, "read_seq": 5, "notify": notify.as_str()},
        ]);
        let hello = serde_json::json!({
            "type": "system", "message": "Connected as alice", "event": "connected", "user_id": 1,
            "username": "alice", "session": 1, "epoch": "epoch", "heartbeat_ms": 25_000,
            "limits": crate::protocol::limits::Limits::default(), "rooms": rooms, "online": [],
        });
        let hello: event::Event = serde_json::from_value(hello).expect("a frame");
        store.frame(0, hello);
        assert_eq!(
            store.room("general").map(|room| room.about().kind),
            Some(RoomKind::Public)
        );
        store
    }

    fn message(id: u64, mention: Option<Mention>) -> Message {
        Message {
            id,
            seq: id,
            room: "general".into(),
            user_id: 2,
            username: "bob".into(),
            content: "hi".into(),
            mentions: mention.into_iter().collect(),
            ..Message::default()
        }
    }

    #[test]
    fn a_room_tells_of_what_it_may_tell_and_nothing_is_told_when_all_is_to_be_quiet() {
        let noon = at("2026-11-27T12:00:00Z");
        let mention = |user_id: Option<i64>, room: bool, here: bool| {
            Some(Mention {
                user_id,
                room,
                here,
                from: 0,
                to: 1,
            })
        };
        let own = mention(Some(1), false, false);
        for (notify, plain, mine) in [
            (Notify::All, true, true),
            (Notify::Mentions, false, true),
            (Notify::Nothing, false, false),
        ] {
            let store = store(notify);
            let told = |message: &Message| store.is_to_be_told(message, noon);
            assert_eq!(told(&message(10, None)), plain, "{notify:?}");
            for mention in [
                own.clone(),
                mention(None, true, false),
                mention(None, false, true),
            ] {
                assert_eq!(
                    told(&message(10, mention.clone())),
                    mine,
                    "{notify:?} {mention:?}"
                );
            }
            assert_eq!(
                told(&message(10, mention(Some(3), false, false))),
                plain,
                "another's"
            );
            assert!(!told(&message(5, own.clone())), "it is read");
            let changed = Message {
                seq: 11,
                ..message(10, own.clone())
            };
            assert!(!told(&changed), "it is not new");
            let of_the_room = Message {
                kind: Kind::System,
                ..message(10, own.clone())
            };
            assert!(!told(&of_the_room));
            let by_alice = Message {
                user_id: 1,
                ..message(10, own.clone())
            };
            assert!(!told(&by_alice));
            let reply = Message {
                thread: Some(3),
                ..message(10, None)
            };
            assert!(!told(&reply), "a thread that she does not follow");
            let to_her = Message {
                thread: Some(3),
                ..message(10, own.clone())
            };
            assert_eq!(told(&to_her), mine);
            let elsewhere = Message {
                room: "12".into(),
                ..message(10, own.clone())
            };
            assert!(!told(&elsewhere), "a room that she is not in");
        }
        let mut store = store(Notify::All);
        store.frame(0, event::Event::Settings(hours("11:00-13:00", None)));
        assert!(!store.is_to_be_told(&message(10, own.clone()), noon));
        store.frame(0, event::Event::Settings(hours("13:00-11:00", None)));
        assert!(store.is_to_be_told(&message(10, own.clone()), noon));
        let seen = Seen {
            user_id: 1,
            username: "alice".into(),
            state: Presence::Dnd,
            ..Seen::default()
        };
        let users = vec![seen];
        store.frame(0, event::Event::Presence(PresenceNews { users, all: true }));
        assert!(
            !store.is_to_be_told(&message(10, own), noon),
            "she is not to be disturbed"
        );
    }
}
