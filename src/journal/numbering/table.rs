//! The tables of rooms and messages as memory holds them, with their unique index: what the random runs of the log stand
//! on, here and in the journal.

use std::collections::{BTreeMap, HashSet};

use super::*;

/// A stored message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub room_id: i64,
    pub id: i64,
    pub user_id: i64,
    pub client_id: Option<String>,
    pub content: String,
    pub created_at: NaiveDateTime,
}

/// Rooms, their members, and their messages.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// Room → latest change.
    pub rooms: BTreeMap<i64, i64>,
    /// Room and user.
    pub members: HashSet<(i64, i64)>,
    /// Logins that have ended.
    pub ended: HashSet<i64>,
    pub rows: Vec<Row>,
}

impl Table {
    /// These rooms, where these users are members of all.
    pub fn new(rooms: &[i64], users: &[i64]) -> Self {
        let mut table = Self::default();
        for id in rooms {
            table.rooms.insert(*id, 0);
            table.members.extend(users.iter().map(|user| (*id, *user)));
        }
        table
    }

    /// The row under a `client_id`.
    pub fn find(&self, room_id: i64, user_id: i64, client_id: &str) -> Option<&Row> {
        self.rows.iter().find(|row| {
            (row.room_id, row.user_id, row.client_id.as_deref())
                == (room_id, user_id, Some(client_id))
        })
    }

    /// One transaction, as the database runs it: all as if new, and with a look first when the index refuses that.
    pub fn append(&mut self, drafts: &[DraftRow<'_>], now: Timestamp) -> Vec<Stored> {
        if let Some(outcomes) = self.try_append(drafts, None, now) {
            return outcomes;
        }
        let known = drafts.iter().filter_map(|draft| {
            let room_id = draft.room_id;
            let row = self.find(room_id, draft.user_id, draft.client_id?)?;
            let found = (row.id, row.id, Some(row.content.clone()), row.created_at);
            Some(((room_id, draft.user_id, draft.client_id?), found))
        });
        let known = known.collect();
        self.try_append(drafts, Some(&known), now)
            .expect("whoever looks first writes nothing twice")
    }

    /// `None` when the index refuses a row; then nothing has changed.
    fn try_append(
        &mut self,
        drafts: &[DraftRow<'_>],
        known: Option<&Known<'_>>,
        now: Timestamp,
    ) -> Option<Vec<Stored>> {
        let allowed = |draft: &DraftRow<'_>, _: bool| {
            if self.ended.contains(&draft.session_id) {
                return Err(Error::invalid_token());
            }
            let room = self.rooms.get(&draft.room_id);
            room.filter(|_| self.members.contains(&(draft.room_id, draft.user_id)))
                .map(|last| Position {
                    last_seq: *last,
                    last_id: *last,
                })
                .ok_or_else(Error::no_such_room)
        };
        let placed = place(drafts, known, now, &|_, _| String::new(), allowed);
        let mut after = self.clone();
        for row in placed.rows {
            if let Some(client_id) = row.client_id
                && after.find(row.room_id, row.user_id, client_id).is_some()
            {
                return None;
            }
            let key = (row.room_id, row.id);
            let is_free = after.rows.iter().all(|old| (old.room_id, old.id) != key);
            assert!(is_free, "the number {key:?} is given twice");
            assert_eq!(row.seq, row.id, "a new message is a change of its number");
            assert_eq!(row.previous, row.id - 1, "every change is a message here");
            after.rows.push(Row {
                room_id: row.room_id,
                id: row.id,
                user_id: row.user_id,
                client_id: row.client_id.map(str::to_owned),
                content: row.content.to_owned(),
                created_at: row.created_at,
            });
        }
        for (id, last_seq) in &mut after.rooms {
            *last_seq = placed.last_ids.get(id).copied().unwrap_or(*last_seq);
        }
        *self = after;
        Some(placed.outcomes)
    }

    /// Fails unless the numbers of each room run 1, 2, 3 … up to its latest change.
    pub fn check_numbers(&self) {
        for (room_id, last_seq) in &self.rooms {
            let rows = self.rows.iter().filter(|row| row.room_id == *room_id);
            let ids: Vec<i64> = rows.map(|row| row.id).collect();
            assert_eq!(ids, (1..=*last_seq).collect::<Vec<_>>(), "room {room_id}");
        }
    }
}
