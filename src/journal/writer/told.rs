//! What is told of an entry that was stored: to its sender, and to everyone else.

use std::sync::Arc;

use crate::{
    error::Result,
    journal::{
        News,
        entry::{Added, Change, Committed, Entry, Membership, Outcome, Told},
        road::Stored,
    },
    protocol::time::Timestamp,
};

/// What the sender of an entry is told.
pub fn answer(stored: &Stored, at: Timestamp) -> Result<Outcome> {
    Ok(match stored {
        Stored::Posted { id, added } => Outcome::Applied {
            id: id.unsigned_abs(),
            seq: id.unsigned_abs(),
            at,
            now: None,
            added: added.clone(),
        },
        Stored::Changed { id, told } => Outcome::Applied {
            id: id.unsigned_abs(),
            seq: told.last().map_or(*id, |(_, seq, _)| *seq).unsigned_abs(),
            at,
            now: told.last().and_then(|(_, _, told)| match told {
                Told::Changed { now, .. } => Some(Arc::clone(now)),
                Told::Posted(..) | Told::System { .. } => None,
            }),
            added: Added::default(),
        },
        Stored::Unchanged { seq } => Outcome::Unchanged {
            seq: seq.unsigned_abs(),
            now: None,
        },
        Stored::Same(now) => Outcome::Unchanged {
            seq: now.row.seq.unsigned_abs(),
            now: Some(Arc::clone(now)),
        },
        Stored::Exists { room_id, seq, .. } => Outcome::Exists {
            room: *room_id,
            seq: seq.unsigned_abs(),
        },
        Stored::Repeat {
            id,
            seq,
            content,
            at,
        } => Outcome::Repeat {
            id: id.unsigned_abs(),
            seq: seq.unsigned_abs(),
            at: *at,
            content: content.clone(),
        },
        Stored::Refused(error) => return Err(error.clone()),
    })
}

/// What is told of someone who is a member now, where no change says so: who comes into `general` takes no number there, and
/// whoever asks again for what was done before may not have heard of it then.
pub fn silent_coming(entry: &Entry, stored: &Stored) -> Option<News> {
    let seq = match stored {
        Stored::Unchanged { seq } => *seq,
        Stored::Changed { told, .. } => {
            let begins = |told: &Told| match told {
                Told::System { members, .. } => {
                    (members.iter()).any(|(_, what)| *what != Membership::Left)
                }
                Told::Posted(..) | Told::Changed { .. } => false,
            };
            let is_told = told.iter().any(|(_, _, told)| begins(told));
            told.last().filter(|_| !is_told).map(|(_, seq, _)| *seq)?
        }
        _ => return None,
    };
    let users = entry.change.newcomers(entry.actor.user_id);
    (!users.is_empty()).then(|| News::CameIn {
        room_id: entry.room,
        seq: seq.unsigned_abs(),
        users,
    })
}

/// What someone's other sockets are told who has asked for a room that they had hidden.
pub fn shown_again(entry: &Entry, stored: &Stored) -> Option<News> {
    let Stored::Exists { room_id, shown, .. } = stored else {
        return None;
    };
    shown.then_some(News::Shown {
        room_id: *room_id,
        user_id: entry.actor.user_id,
    })
}

/// What everyone else is told of it.
pub fn announcements(entry: Entry, stored: Stored, at: Timestamp) -> Vec<Committed> {
    let Entry {
        room,
        actor,
        change,
    } = entry;
    let told = match (stored, change) {
        (Stored::Posted { id, added }, Change::Post(post)) => {
            vec![(id, id, Told::Posted(post, added))]
        }
        (Stored::Changed { told, .. }, _) => told,
        _ => Vec::new(),
    };
    let told = told.into_iter().map(|(id, seq, news)| Committed {
        room_id: room,
        id: id.unsigned_abs(),
        seq: seq.unsigned_abs(),
        at,
        actor: actor.clone(),
        news,
    });
    told.collect()
}
