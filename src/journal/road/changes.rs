//! Changes of messages that are there: edits, deletions, reactions, pins.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    At, Called, Stored,
    mentions::{counted, users_in},
    pass::{Fail, Pass},
};
use crate::{
    crypto::{
        binding::{Place, Purpose},
        vault::Bound,
    },
    db::{
        AnyConnection,
        log::{
            edits::{self, Numbered, Target},
            reactions,
            threads::{self, Part},
        },
        mentions, messages,
        text::StoredText,
        threads::list_replies,
    },
    error::{Code, Error, Kind},
    journal::entry::{Actor, Body, Candidate, Current, How, Told},
    protocol::{
        limits::{MAX_EDITS, MAX_KINDS_OF_REACTIONS, MAX_REACTIONS_OF_USER},
        mention::Mention,
    },
    rights::{Denied, Right},
};

/// Whether someone is called now who was not before.
fn calls_others(before: &[Mention], now: &[Mention]) -> bool {
    let whom = |one: &Mention| (one.user_id, one.room, one.here);
    let before: BTreeSet<_> = before.iter().map(whom).collect();
    now.iter().any(|one| !before.contains(&whom(one)))
}

/// Stores whom an edited message mentions now: who is mentioned anew is counted, and who is not any more is not.
fn mention_again(
    conn: &mut AnyConnection,
    change: Numbered,
    target: &Target,
    found: &[Mention],
) -> Result<(), Fail> {
    let (room_id, id) = (change.room_id, change.id);
    let now = mentions::write(found);
    let thread = target.thread.filter(|_| target.thread_only);
    let rows = counted((room_id, id), thread, target.author, found);
    mentions::set(conn, room_id, id, now.as_deref())
        .and_then(|()| mentions::delete(conn, room_id, id))
        .and_then(|()| mentions::insert(conn, &rows))
        .map_err(Fail::Database)?;
    if let Some(thread) = target.thread {
        let part = |user_id| Part {
            room_id,
            thread,
            user_id,
            replies: 0,
            read_seq: id - 1,
        };
        let people: BTreeSet<i64> = users_in(found).collect();
        let people: Vec<Part> = people.into_iter().map(part).collect();
        threads::add_people(conn, &people).map_err(Fail::Database)?;
    }
    Ok(())
}

fn numbered(room_id: i64, id: i64, seq: i64, at: At) -> Numbered {
    Numbered {
        room_id,
        id,
        seq,
        at: at.stored.naive_utc(),
    }
}

impl Pass<'_> {
    pub(super) fn edit(
        &mut self,
        conn: &mut AnyConnection,
        room_id: i64,
        actor: &Actor,
        (id, if_seq): (i64, Option<i64>),
        (body, candidates): (&Body, &[Candidate]),
    ) -> Result<Stored, Fail> {
        self.check(conn, room_id, actor.user_id, Right::EditOwn)?;
        let target = find(conn, room_id, id)?;
        if target.author != actor.user_id || target.kind != "text" {
            return Err(Denied::Forbidden.into());
        }
        let place = Place {
            room_id,
            id,
            author: target.author,
            purpose: Purpose::Text,
        };
        // Whoever does not know whether an edit came through may send it again, also with the condition that it had.
        if self.says(place, &target, &body.text) {
            return same(conn, room_id, id, actor);
        }
        check_unedited(conn, room_id, (id, if_seq), &target)?;
        if target.deleted_at.is_some() {
            return Err(deleted().into());
        }
        if edits::count_versions(conn, room_id, id).map_err(Fail::Database)? >= i64::from(MAX_EDITS)
        {
            return Err(Fail::Refused(Error::conflict(
                Code::TooManyEdits,
                format!(
                    "A message can be edited {MAX_EDITS} times; delete it, or write a new one."
                ),
            )));
        }
        // What is believed without a MAC is bound now: as an older text it would be believed no more.
        let before = target.mac.as_ref().map(StoredText::as_str);
        let is_believed = self.vault.is_in_place(Bound {
            place,
            sealed: &target.content,
            mac: before,
        });
        let bound = is_believed.then(|| self.vault.bind(place, &target.content));
        let mac_before = before.or(bound.as_deref());
        let mac = self.vault.bind(place, &body.sealed);
        let mentioned = self.mentioned_again(conn, room_id, actor, (&target, candidates))?;
        let change = numbered(room_id, id, self.next(room_id)?, self.at);
        let now = (body.sealed.as_str(), mac.as_str());
        edits::set_content(conn, change, (&target, mac_before), now).map_err(Fail::Database)?;
        if let Some(mentioned) = mentioned {
            mention_again(conn, change, &target, &mentioned)?;
        }
        told(conn, change, actor, How::Edited)
    }

    /// Whom an edited message mentions now, where that is another than before. Whoever calls others by it has to wait as if
    /// they wrote a message, in a room where one waits.
    fn mentioned_again(
        &mut self,
        conn: &mut AnyConnection,
        room_id: i64,
        actor: &Actor,
        (target, candidates): (&Target, &[Candidate]),
    ) -> Result<Option<Vec<Mention>>, Fail> {
        if candidates.is_empty() && target.mentions.is_none() {
            return Ok(None);
        }
        let texts = std::iter::once((room_id, candidates));
        let called = Called::learn(conn, texts).map_err(Fail::Database)?;
        let may_all = self.check(conn, room_id, actor.user_id, Right::MentionAll);
        let may_all = match may_all {
            Ok(()) => true,
            Err(Fail::Refused(_)) => false,
            Err(fail) => return Err(fail),
        };
        let found = called.resolve(room_id, candidates, may_all);
        let before = target.mentions.as_ref().map(StoredText::as_str);
        if mentions::write(&found).as_deref() == before {
            return Ok(None);
        }
        if calls_others(&mentions::read(before), &found) {
            self.wait_if_slow(conn, room_id, actor.user_id)?;
        }
        Ok(Some(found))
    }

    /// Whether a message that is there says this.
    fn says(&self, place: Place, target: &Target, text: &str) -> bool {
        let bound = Bound {
            place,
            sealed: &target.content,
            mac: target.mac.as_ref().map(StoredText::as_str),
        };
        target.deleted_at.is_none() && self.vault.open_bound(bound).is_ok_and(|said| said == text)
    }

    pub(super) fn delete(
        &mut self,
        conn: &mut AnyConnection,
        room_id: i64,
        actor: &Actor,
        (id, if_seq): (i64, Option<i64>),
    ) -> Result<Stored, Fail> {
        self.check(conn, room_id, actor.user_id, Right::Read)?;
        let target = find(conn, room_id, id)?;
        let is_own = target.author == actor.user_id;
        let right = if is_own {
            Right::DeleteOwn
        } else {
            Right::DeleteOthers
        };
        self.check(conn, room_id, actor.user_id, right)?;
        if target.kind != "text" {
            return Err(Denied::Forbidden.into());
        }
        if target.deleted_at.is_some() {
            return same(conn, room_id, id, actor);
        }
        check_unedited(conn, room_id, (id, if_seq), &target)?;
        let change = numbered(room_id, id, self.next(room_id)?, self.at);
        edits::delete(conn, change).map_err(Fail::Database)?;
        if target.mentions.is_some() {
            mentions::delete(conn, room_id, id).map_err(Fail::Database)?;
        }
        if let Some(thread) = target.thread {
            threads::take_back(conn, change, thread, target.author).map_err(Fail::Database)?;
        }
        told(conn, change, actor, How::Deleted)
    }

    pub(super) fn react(
        &mut self,
        conn: &mut AnyConnection,
        room_id: i64,
        actor: &Actor,
        id: i64,
        (emoji, on): (&str, bool),
    ) -> Result<Stored, Fail> {
        self.check(conn, room_id, actor.user_id, Right::React)?;
        let target = find(conn, room_id, id)?;
        if target.deleted_at.is_some() {
            return Err(deleted().into());
        }
        let mut change = numbered(room_id, id, 0, self.at);
        let user_id = actor.user_id;
        let is_there = reactions::is_there(conn, change, emoji, user_id).map_err(Fail::Database)?;
        if is_there == on {
            return same(conn, room_id, id, actor);
        }
        if on {
            let (kinds, is_known, own) =
                reactions::count(conn, change, emoji, user_id).map_err(Fail::Database)?;
            if !is_known && kinds >= i64::from(MAX_KINDS_OF_REACTIONS)
                || own >= i64::from(MAX_REACTIONS_OF_USER)
            {
                return Err(Fail::Refused(Error::new(
                    Kind::Conflict,
                    Code::TooManyReactions,
                    format!(
                        "A message has at most {MAX_KINDS_OF_REACTIONS} different reactions, and {MAX_REACTIONS_OF_USER} by one person."
                    ),
                )));
            }
        }
        change.seq = self.next(room_id)?;
        let written = if on {
            reactions::insert(conn, change, emoji, user_id)
        } else {
            reactions::delete(conn, change, emoji, user_id)
        };
        written
            .and_then(|()| edits::set_seq(conn, change))
            .map_err(Fail::Database)?;
        let emoji = emoji.to_owned();
        told(conn, change, actor, How::Reacted { emoji, on })
    }

    pub(super) fn pin(
        &mut self,
        conn: &mut AnyConnection,
        room_id: i64,
        actor: &Actor,
        id: i64,
        on: bool,
    ) -> Result<Stored, Fail> {
        self.check(conn, room_id, actor.user_id, Right::Pin)?;
        let target = find(conn, room_id, id)?;
        if target.deleted_at.is_some() {
            return Err(deleted().into());
        }
        if target.pinned_by.is_some() == on {
            return same(conn, room_id, id, actor);
        }
        let change = numbered(room_id, id, self.next(room_id)?, self.at);
        let by = on.then_some(actor.user_id);
        edits::set_pinned(conn, change, by).map_err(Fail::Database)?;
        told(conn, change, actor, How::Pinned { on })
    }
}

fn find(conn: &mut AnyConnection, room_id: i64, id: i64) -> Result<Target, Fail> {
    let found = edits::find(conn, room_id, id).map_err(Fail::Database)?;
    found.ok_or_else(|| Fail::Refused(Error::no_such_message()))
}

fn deleted() -> Error {
    Error::new(
        Kind::Conflict,
        Code::MessageDeleted,
        "This message was deleted.",
    )
}

/// Refuses a change that was thought of before another one.
fn check_unedited(
    conn: &mut AnyConnection,
    room_id: i64,
    (id, if_seq): (i64, Option<i64>),
    target: &Target,
) -> Result<(), Fail> {
    let Some(if_seq) = if_seq else {
        return Ok(());
    };
    // Nothing comes after a deletion, which has taken the versions along.
    let latest = if target.deleted_at.is_some() {
        target.seq
    } else {
        edits::find_latest_edit(conn, room_id, id).map_err(Fail::Database)?
    };
    // A number that the message has not come to is of another history: one from before a restore.
    if latest > if_seq || if_seq > target.seq {
        return Err(Fail::Refused(Error::new(
            Kind::PreconditionFailed,
            Code::ChangedSince,
            "This message was edited or deleted in the meantime; look at it again first.",
        )));
    }
    Ok(())
}

/// The message as it is, with the reactions as who asks for the change sees them.
fn read(
    conn: &mut AnyConnection,
    room_id: i64,
    id: i64,
    actor: &Actor,
) -> Result<Arc<Current>, Fail> {
    let row = messages::find(conn, room_id, id).map_err(Fail::Database)?;
    let row = row.ok_or_else(|| Fail::Refused(Error::no_such_message()))?;
    let reactions = reactions::list(conn, room_id, &[id], actor.user_id);
    let reactions = reactions.map_err(Fail::Database)?;
    let under = list_replies(conn, room_id, vec![row.thread.unwrap_or(id)]);
    let under = under.map_err(Fail::Database)?.pop();
    Ok(Arc::new(Current {
        row,
        reactions,
        replies: under.map(|(_, replies)| replies),
    }))
}

/// There is nothing to change.
fn same(conn: &mut AnyConnection, room_id: i64, id: i64, actor: &Actor) -> Result<Stored, Fail> {
    read(conn, room_id, id, actor).map(Stored::Same)
}

/// The message as it is after a change of it.
fn told(
    conn: &mut AnyConnection,
    change: Numbered,
    actor: &Actor,
    how: How,
) -> Result<Stored, Fail> {
    let Numbered {
        room_id, id, seq, ..
    } = change;
    let now = read(conn, room_id, id, actor)?;
    Ok(Stored::Changed {
        id,
        told: vec![(id, seq, Told::Changed { now, how })],
    })
}
