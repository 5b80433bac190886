//! Replies in threads: whether there may be one, what the thread comes to by it, and who has to do with it.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{Additions, At, Mentioned, mentions::users_in};
use crate::{
    db::{
        AnyConnection, QueryError,
        log::{
            posts::{DraftRow, NewMessage},
            threads::{self, First, Part, Summary},
        },
        mentions::read,
        text::StoredText,
        threads::{MOST_NAMED, list_replies},
    },
    error::{Code, Error, Kind},
    journal::entry::Added,
    protocol::{room::Person, thread::Replies},
};

/// A thread, by its room and its first message.
type Thread = (i64, i64);

/// The threads in which messages are to be written.
#[derive(Default)]
pub struct Threads {
    firsts: HashMap<Thread, First>,
    /// What is under those that have replies.
    replies: HashMap<Thread, Replies>,
}

impl Threads {
    /// Looks up the threads of these messages; as a rule there are none. The rooms must be locked.
    ///
    /// # Errors
    /// When the database fails.
    pub fn learn(conn: &mut AnyConnection, drafts: &[DraftRow<'_>]) -> Result<Self, QueryError> {
        let wanted: HashSet<Thread> = drafts.iter().filter_map(thread_of).collect();
        if wanted.is_empty() {
            return Ok(Self::default());
        }
        let (room_ids, ids): (HashSet<i64>, HashSet<i64>) = wanted.iter().copied().unzip();
        let (room_ids, ids) = (room_ids.into_iter().collect(), ids.into_iter().collect());
        let found = threads::list_firsts(conn, room_ids, ids)?;
        let firsts = found
            .into_iter()
            .map(|first| ((first.room_id, first.id), first));
        let mut by_room = BTreeMap::<i64, Vec<i64>>::new();
        for (room_id, id) in wanted {
            by_room.entry(room_id).or_default().push(id);
        }
        let firsts = firsts.collect();
        let mut replies = HashMap::new();
        for (room_id, ids) in by_room {
            let found = list_replies(conn, room_id, ids)?.into_iter();
            replies.extend(found.map(|(id, under)| ((room_id, id), under)));
        }
        Ok(Self { firsts, replies })
    }

    /// Whether someone may reply there: to what a person wrote, which is no reply itself.
    pub fn check(&self, draft: &DraftRow<'_>) -> Result<(), Error> {
        let Some(thread) = thread_of(draft) else {
            return Ok(());
        };
        let Some(first) = self.firsts.get(&thread) else {
            let detail = "The message that begins this thread is not there.";
            return Err(Error::new(Kind::NotFound, Code::MessageNotFound, detail));
        };
        if first.thread.is_some() || first.kind != "text" {
            return Err(Error::not_a_thread());
        }
        if first.is_deleted && !self.replies.contains_key(&thread) {
            let detail = "This message was deleted, and has no thread.";
            return Err(Error::new(Kind::Conflict, Code::MessageDeleted, detail));
        }
        Ok(())
    }

    /// Writes what the threads come to by these messages, and tells of each reply what is then under its first message.
    ///
    /// # Errors
    /// When the database fails.
    pub fn write(
        mut self,
        conn: &mut AnyConnection,
        (rows, mentioned): (&[NewMessage<'_>], &Mentioned),
        at: At,
    ) -> Result<Additions, QueryError> {
        let mut told = Additions::new();
        let mut changed = BTreeMap::new();
        let mut people = People::default();
        for row in rows {
            let Some(id) = row.thread else { continue };
            let thread = (row.room_id, id);
            if let (false, Some(first)) =
                (self.replies.contains_key(&thread), self.firsts.get(&thread))
            {
                people.note(thread, first.author, 0, 0);
                let stored = first.mentions.as_ref().map(StoredText::as_str);
                for user in users_in(&read(stored)) {
                    people.note(thread, user, 0, 0);
                }
            }
            let under = self.replies.entry(thread).or_default();
            add(under, row);
            people.note(thread, row.user_id, 1, row.id);
            let found = mentioned.get(&(row.room_id, row.id));
            for user in users_in(found.map_or(&[], Vec::as_slice)) {
                people.note(thread, user, 0, row.id - 1);
            }
            let added = Added {
                thread_replies: Some(under.clone()),
                ..Added::default()
            };
            told.insert((row.room_id, row.id), added);
            let summary = Summary {
                room_id: row.room_id,
                id,
                replies: number(under.count),
                last_id: row.id,
                seq: row.id,
            };
            changed.insert(thread, summary);
        }
        if !changed.is_empty() {
            let summaries: Vec<Summary> = changed.into_values().collect();
            threads::set_summaries(conn, &summaries, at.stored.naive_utc())?;
            people.write(conn)?;
        }
        Ok(told)
    }
}

/// Who has to do with which threads.
#[derive(Default)]
struct People(BTreeMap<(i64, i64, i64), Part>);

impl People {
    fn note(&mut self, (room_id, thread): Thread, user_id: i64, replies: i64, read_seq: i64) {
        let part = Part {
            room_id,
            thread,
            user_id,
            replies: 0,
            read_seq,
        };
        let part = self.0.entry((room_id, thread, user_id)).or_insert(part);
        part.replies += replies;
    }

    fn write(self, conn: &mut AnyConnection) -> Result<(), QueryError> {
        let people: Vec<Part> = self.0.into_values().collect();
        threads::add_people(conn, &people)
    }
}

/// A reply more.
fn add(under: &mut Replies, row: &NewMessage<'_>) {
    under.count += 1;
    under.last_id = row.id.unsigned_abs();
    under.seq = under.last_id;
    let place = under
        .users
        .binary_search_by_key(&row.user_id, |user| user.user_id);
    if let Err(place) = place {
        let person = Person {
            user_id: row.user_id,
            username: row.username.to_owned(),
        };
        under.users.insert(place, person);
        under.users.truncate(MOST_NAMED);
    }
}

fn thread_of(draft: &DraftRow<'_>) -> Option<Thread> {
    Some((draft.room_id, draft.thread?))
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
