//! A road on tables of its own, with a few people and two rooms.

use std::sync::{Arc, atomic::Ordering};

use crate::{
    clock::Clock,
    crypto::{
        binding::{Place, Purpose},
        vault::{Bound, Vault},
    },
    db::{
        AnyConnection,
        by_hand::{self, Tables, run},
        conn,
        messages::{self, Cursor, Message},
        rooms, sessions, threads,
        users::{self, NewUser},
    },
    error::Code,
    journal::{
        entry::{Actor, Body, Change, Entry, Post},
        road::{At, Road, Stored, Work},
        writer::Log,
    },
    protocol::time::now,
};

pub const GENERAL: i64 = 1;
/// A public room whose owner is the first user.
pub const ROOM: i64 = 5;

pub struct Stage {
    pub conn: AnyConnection,
    road: Road,
    vault: Arc<Vault>,
    pub clock: Clock,
    pub people: Vec<Actor>,
    tables: Tables,
}

pub fn on_both(test: impl Fn(Stage)) {
    Tables::on_both(|tables| test(stage(tables)));
}

fn stage(tables: Tables) -> Stage {
    let mut conn = tables.open();
    let clock = Clock::start();
    let ends = clock.now() + chrono::TimeDelta::days(1);
    let names = ["alice", "bob", "carol", "dave"];
    let people = names.map(|username| {
        let new = NewUser {
            username,
            password_hash: "",
            created_at: now(),
            deleted: &[],
        };
        let user_id = users::insert(&mut conn, &new)
            .expect("inserts")
            .expect("new");
        let session_id = sessions::insert(&mut conn, user_id, "", now(), ends).expect("logs in");
        Actor {
            user_id,
            username: username.into(),
            session_id,
        }
    });
    run(
        &mut conn,
        &format!(
            "INSERT INTO rooms (id, key, name, name_key, last_seq, members, created_at) \
               VALUES ({ROOM}, '{ROOM}', 'tea', 'tea', 0, 1, '2026-11-26 00:00:00'); \
             INSERT INTO memberships (room_id, user_id, created_at, role) \
               VALUES ({ROOM}, {}, '2026-11-26 00:00:00', 'owner')",
            people[0].user_id
        ),
    );
    let vault = Arc::new(Vault::new("a key of the test").expect("a key"));
    Stage {
        conn,
        road: Road::new(Arc::clone(&vault)),
        vault,
        clock,
        people: people.into(),
        tables,
    }
}

/// What became of an entry, in short.
#[derive(Debug, PartialEq, Eq)]
pub enum Became {
    /// This message, by this change.
    Done(i64, i64),
    Unchanged,
    Repeat(i64),
    Refused(Code),
}

impl Stage {
    pub fn post(&self, who: usize, room: i64, text: &str) -> Entry {
        self.named(who, room, text, None)
    }

    pub fn named(&self, who: usize, room: i64, text: &str, client_id: Option<&str>) -> Entry {
        let body = self.body(text);
        let client_id = client_id.map(Into::into);
        let post = Post {
            body,
            client_id,
            reply_to: None,
            thread: None,
            also_to_room: false,
            candidates: Vec::new(),
            later: None,
        };
        self.entry(who, room, Change::Post(post))
    }

    pub fn body(&self, text: &str) -> Body {
        Body {
            text: text.into(),
            sealed: self.vault.seal(text),
        }
    }

    pub fn entry(&self, who: usize, room: i64, change: Change) -> Entry {
        Entry {
            room,
            actor: self.people[who].clone(),
            change,
        }
    }

    pub fn at(&self) -> At {
        At {
            stored: now(),
            clock: self.clock.now(),
        }
    }

    /// Another writer on the same tables, where there are several.
    pub fn beside(&self) -> Option<(AnyConnection, Road)> {
        self.tables.is_postgres().then_some(())?;
        Some((self.another(), Road::new(Arc::clone(&self.vault))))
    }

    /// How many statements it takes to store these.
    pub fn statements(&mut self, entries: &[Entry]) -> usize {
        let count = by_hand::count_statements(&mut self.conn);
        let at = self.at();
        let entries: Vec<&Entry> = entries.iter().collect();
        let work = Work {
            entries: &entries,
            settings: &[],
        };
        let done = self.road.store(&mut self.conn, work, at);
        let count = count.load(Ordering::Relaxed);
        for stored in done.expect("the transaction is committed").stored {
            assert!(!matches!(stored, Stored::Refused(_)), "{stored:?}");
        }
        self.check();
        count
    }

    /// The same tables, as a writer of the journal has them.
    pub fn log(&self) -> Log {
        Log::new(
            conn::unseen_pool(&self.tables.url, 1),
            self.clock,
            Arc::clone(&self.vault),
        )
    }

    /// Another connection to the same tables.
    pub fn another(&self) -> AnyConnection {
        self.tables.open()
    }

    pub fn store(&mut self, entries: &[Entry]) -> Vec<Stored> {
        let at = self.at();
        let entries: Vec<&Entry> = entries.iter().collect();
        let work = Work {
            entries: &entries,
            settings: &[],
        };
        let done = self.road.store(&mut self.conn, work, at);
        let done = done.expect("the transaction is committed");
        self.check();
        done.stored
    }

    pub fn became(&mut self, entries: &[Entry]) -> Vec<Became> {
        let stored = self.store(entries);
        stored.iter().map(short).collect()
    }

    pub fn one(&mut self, who: usize, change: Change) -> Became {
        let entry = self.entry(who, ROOM, change);
        self.became(&[entry]).remove(0)
    }

    pub fn rows(&mut self, room: i64) -> Vec<Message> {
        messages::list(&mut self.conn, room, Cursor::After(0), 1_000).expect("reads")
    }

    pub fn count(&mut self, what: &str) -> i64 {
        by_hand::count(&mut self.conn, what)
    }

    /// Numbers have no hole, each message knows the one before it, every text reads in its place, and members and replies are counted.
    pub fn check(&mut self) {
        let miscounted = rooms::list_miscounted(&mut self.conn).expect("reads");
        assert!(miscounted.is_empty(), "{miscounted:?}");
        let miscounted = threads::counts::list_miscounted(&mut self.conn).expect("reads");
        assert!(miscounted.is_empty(), "{miscounted:?}");
        for room in rooms::list_all(&mut self.conn).expect("reads") {
            let rows = self.rows(room.id);
            let (mut last, mut covered) = (0, 0);
            for row in &rows {
                assert_eq!(
                    row.previous,
                    Some(last),
                    "message {} of {}",
                    row.id,
                    room.key
                );
                assert!(row.id <= covered + 1, "a hole before {}", row.id);
                (last, covered) = (row.id, row.seq.max(covered));
                let bound = Bound {
                    place: Place {
                        room_id: room.id,
                        id: row.id,
                        author: row.user_id,
                        purpose: Purpose::of_kind(&row.kind),
                    },
                    sealed: &row.content,
                    mac: row.mac.as_ref().map(crate::db::text::StoredText::as_str),
                };
                let is_deleted = row.deleted_at.is_some();
                assert!(
                    is_deleted || self.vault.open_bound(bound).is_ok(),
                    "{}",
                    row.id
                );
            }
            assert_eq!((room.last_seq, room.last_message_id), (covered, last));
        }
    }
}

pub fn short(stored: &Stored) -> Became {
    match stored {
        Stored::Posted { id, .. } => Became::Done(*id, *id),
        Stored::Changed { id, told } => Became::Done(*id, told.last().expect("told").1),
        Stored::Unchanged { .. } | Stored::Exists { .. } | Stored::Same(_) => Became::Unchanged,
        Stored::Repeat { id, .. } => Became::Repeat(*id),
        Stored::Refused(error) => Became::Refused(error.code),
    }
}
