//! What new messages refer to, and what they do beside themselves: the messages that they answer, the threads in which they
//! stand, and whom they mention.

use std::collections::{HashMap, HashSet};

use super::{At, Called, Threads, mentions};
use crate::{
    db::{
        self, AnyConnection, QueryError,
        log::posts::{self, DraftRow, NewMessage},
    },
    journal::entry::Added,
    protocol::mention::Mention,
    rights::{Right, RoomFacts, Standing, allows},
};

/// By room and number, what there is to be told of new messages beside what was written.
pub type Additions = HashMap<(i64, i64), Added>;

/// What new messages refer to. As a rule that is nothing, and costs nothing.
pub struct Context {
    /// The messages that are there of those that are answered.
    pub answered: HashSet<(i64, i64)>,
    pub threads: Threads,
    called: Called,
}

/// By room and number, whom messages mention.
pub type Mentioned = HashMap<(i64, i64), Vec<Mention>>;

impl Context {
    pub fn learn(conn: &mut AnyConnection, drafts: &[DraftRow<'_>]) -> Result<Self, QueryError> {
        let answered: Vec<(i64, i64)> = drafts
            .iter()
            .filter_map(|draft| Some((draft.room_id, draft.reply_to?)))
            .collect();
        Ok(Self {
            answered: posts::list_existing(conn, answered)?,
            threads: Threads::learn(conn, drafts)?,
            called: Called::learn(
                conn,
                drafts.iter().map(|draft| (draft.room_id, draft.candidates)),
            )?,
        })
    }

    /// Whom the messages mention, which are not inserted yet. `who` knows what their authors are to their rooms.
    pub fn mention(
        &self,
        rows: &mut [NewMessage<'_>],
        who: impl Fn(i64, i64) -> Option<(Standing, RoomFacts)>,
    ) -> Mentioned {
        let mut mentioned = Mentioned::new();
        for row in rows.iter_mut().filter(|row| !row.candidates.is_empty()) {
            let may_all = who(row.room_id, row.user_id).is_some_and(|(standing, facts)| {
                allows(standing, Right::MentionAll, facts).is_ok()
            });
            let found = self.called.resolve(row.room_id, row.candidates, may_all);
            row.mentions = db::mentions::write(&found);
            if !found.is_empty() {
                mentioned.insert((row.room_id, row.id), found);
            }
        }
        mentioned
    }

    /// Writes what the messages do beside themselves, which are inserted.
    pub fn write(
        self,
        conn: &mut AnyConnection,
        (rows, mentioned): (&[NewMessage<'_>], Mentioned),
        at: At,
    ) -> Result<Additions, QueryError> {
        let mut told = self.threads.write(conn, (rows, &mentioned), at)?;
        let mut counted = Vec::new();
        for row in rows {
            if let Some(found) = mentioned.get(&(row.room_id, row.id)) {
                let thread = row.thread.filter(|_| row.thread_only);
                let of = (row.room_id, row.id);
                counted.extend(mentions::counted(of, thread, row.user_id, found));
            }
        }
        db::mentions::insert(conn, &counted)?;
        for (of, mentions) in mentioned {
            told.entry(of).or_default().mentions = mentions;
        }
        Ok(told)
    }
}
