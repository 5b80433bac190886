//! Messages that were scheduled. Their authors need no login: what they have waiting is their word, which holds as long as
//! its row is there, unchanged, and their account can be used. All else is asked of them as of everyone.

use std::collections::{HashMap, HashSet};

use crate::{
    db::{
        self, AnyConnection, QueryError,
        log::{
            later::{self, Held, Later},
            members,
            posts::{DraftRow, NewMessage},
        },
    },
    error::{Code, Error, Kind},
    protocol::time::Timestamp,
};

/// The rows of what was scheduled and is to be stored now, held until the transaction ends.
#[derive(Debug, Default)]
pub struct Scheduled {
    rows: HashMap<i64, Held>,
    /// Whoever can log in.
    enabled: HashSet<i64>,
}

impl Scheduled {
    /// Holds the rows of these messages, as far as they were scheduled.
    pub fn hold(conn: &mut AnyConnection, drafts: &[DraftRow<'_>]) -> Result<Self, QueryError> {
        let scheduled = drafts
            .iter()
            .filter_map(|draft| Some((draft, draft.later?)));
        let (authors, ids): (HashSet<i64>, Vec<i64>) = scheduled
            .map(|(draft, later)| (draft.user_id, later.id))
            .unzip();
        if ids.is_empty() {
            return Ok(Self::default());
        }
        // The authors first, as whoever deletes an account does.
        let authors: Vec<i64> = authors.into_iter().collect();
        let people = members::list_people(conn, &authors)?;
        let enabled = people.into_iter().filter(|(.., is_disabled)| !is_disabled);
        let enabled = enabled.map(|(user_id, ..)| user_id).collect();
        let rows = later::hold(conn, &ids)?;
        Ok(Self {
            rows: rows.into_iter().map(|row| (row.id, row)).collect(),
            enabled,
        })
    }

    /// Whether this message is still to be said, at this moment by the clock that its time is told by. (Whoever sets that
    /// clock back while the message is on its way has it wait again: it bears no time before its own.)
    pub fn check(&self, draft: &DraftRow<'_>, later: &Later, at: Timestamp) -> Result<(), Error> {
        let row = self.rows.get(&later.id).filter(|row| {
            (row.user_id, row.room_id) == (draft.user_id, draft.room_id)
                && row.content.as_str() == later.sealed
                && db::utc(row.send_at.get()) == later.send_at
                && !row.has_failed
        });
        if row.is_none() || later.send_at > at {
            let detail = "What was scheduled was changed or taken back in the meantime.";
            return Err(Error::new(
                Kind::PreconditionFailed,
                Code::ChangedSince,
                detail,
            ));
        }
        if !self.enabled.contains(&draft.user_id) {
            let detail = "The account of its author is disabled.";
            return Err(Error::new(Kind::Forbidden, Code::AccountDisabled, detail));
        }
        Ok(())
    }
}

/// Deletes the rows of those messages that were scheduled and are stored now.
pub fn take(conn: &mut AnyConnection, rows: &[NewMessage<'_>]) -> Result<(), QueryError> {
    let said: Vec<i64> = rows.iter().filter_map(|row| Some(row.later?.id)).collect();
    if said.is_empty() {
        return Ok(());
    }
    later::delete(conn, &said)
}
