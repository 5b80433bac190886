//! Saying what was scheduled when its time has come: by the one road, as if its author had said it at that moment.
//!
//! **Once.** The transaction that stores the message deletes its row, so there is no moment at which it is said and still
//! waits; and what was changed or taken back after it was read here is not said, since the transaction looks whether the row is
//! as it was ([`Later`]). Its `client_id` is the second guard, for a database that was restored.
//!
//! **When.** A time is one of the machine's clock, which people read and which a message bears; so that clock alone decides, and
//! not the one that goes on undisturbed ([`crate::clock`]): a machine that came up with a wrong time and is then set
//! right sends at the right time. No wait is computed into the future and slept through: a few times a second it is
//! compared again, so a clock that is set ahead sends what is due by it within a moment, and one that is set back has it
//! wait. The transaction compares once more with the time that the message will bear, which is never before its own.
//!
//! **In order, and behind others.** What is due is read and queued a few at a time, first of all what was due first, and the next
//! few when these are stored: so in the queue of the journal there is never more of it than that.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use chrono::TimeDelta;

use super::{Scheduled, ScheduledChange, Shown, failed, rows, shown};
use crate::{
    chat::commands::{Done, Performing},
    crypto::binding::Place,
    db::{
        self,
        scheduled::{Due, Waiting},
    },
    error::{Code, Error, Kind, Result},
    journal::Later,
    protocol::{
        command::SendMessage,
        time::{Timestamp, now},
    },
};

/// Most that are queued at once.
const BATCH: i64 = 32;
/// The pause when there is more.
const PAUSE: Duration = Duration::from_millis(5);
/// How often the clock is looked at: someone may have set it.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How often the database is asked when nothing is due that is known of.
const ASK_EVERY: Duration = Duration::from_secs(10);
/// The pause when the store does not take it.
const AFTER_FAILURE: Duration = Duration::from_millis(500);

/// The shortest pause when the next one is due already and was not among those that are.
const LEAST: Duration = Duration::from_millis(50);
/// Longest that what is refused for now waits until it is tried again: what kept it may have ended before it said, such as
/// slow mode.
const MOST_PUT_OFF: Duration = Duration::from_secs(15);
/// A clock that is behind by so much was set back.
const SET_BACK: TimeDelta = TimeDelta::seconds(5);
/// How long one waits that was not said by a fault of our own: it keeps nobody else's waiting meanwhile.
const AFTER_FAULT: Duration = Duration::from_secs(10);

/// Those of which it is not known whether they were said.
type Doubts = BTreeMap<i64, Due>;

/// What was done.
enum Round {
    /// There may be more.
    More,
    /// The next one is due then.
    Until(Option<Timestamp>),
}

/// What becomes of one.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// It was changed or taken back: looked at again.
    Skip,
    /// What its author has waiting in this room waits for so long.
    Postpone(Duration),
    /// It is tried again, when the store answers.
    Again,
    /// It will not be said.
    Fail,
}

impl Scheduled {
    /// Says what is due, until it is dropped. Whatever fails is tried again.
    pub async fn send_all(&self) {
        let mut is_failing = false;
        // What was put off by a clock that was ahead, before this process or in it, is not left to wait for that time.
        let mut put_off_by = None;
        let mut doubts = Doubts::new();
        loop {
            if put_off_by.is_none_or(was_set_back) {
                let until = now() + TimeDelta::from_std(MOST_PUT_OFF).unwrap_or_default();
                let taken = self.access.db.write(move |conn| rows::take_up(conn, until));
                if taken.await.is_ok() {
                    put_off_by = Some((Instant::now(), now()));
                }
            }
            match self.round(&mut doubts).await {
                Ok(Round::More) => {
                    is_failing = false;
                    tokio::time::sleep(PAUSE).await;
                }
                Ok(Round::Until(next)) => {
                    is_failing = false;
                    self.wait_until(next).await;
                }
                Err(error) => {
                    if !is_failing {
                        log::warn!("what was scheduled waits: {error}");
                    }
                    is_failing = true;
                    tokio::time::sleep(AFTER_FAILURE).await;
                }
            }
        }
    }

    async fn wait_until(&self, next: Option<Timestamp>) {
        let asked = Instant::now();
        while asked.elapsed() < ASK_EVERY {
            let left = next.map_or(LOOK_EVERY, |next| {
                (next - now()).to_std().unwrap_or(Duration::ZERO)
            });
            if left.is_zero() {
                return tokio::time::sleep(LEAST).await;
            }
            tokio::select! {
                () = tokio::time::sleep(left.min(LOOK_EVERY)) => {}
                () = self.sooner.notified() => return,
            }
        }
    }

    async fn round(&self, doubts: &mut Doubts) -> Result<Round> {
        self.settle(doubts).await?;
        let vault = std::sync::Arc::clone(&self.vault);
        let look = move |conn: &mut db::AnyConnection| {
            let due = rows::list_due(conn, now(), BATCH)?;
            if due.is_empty() {
                let next = rows::find_next(conn)?;
                return Ok(Err(next.map(|at| db::utc(at.get()))));
            }
            // Opened here and not on the threads that serve.
            let opened = due.into_iter().map(|due| {
                let place = Place::of_scheduled(due.user_id, due.what.room_id, due.what.id);
                let text = vault.open_at(place, due.what.content.as_str()).ok();
                (due, text)
            });
            Ok(Ok(opened.collect::<Vec<_>>()))
        };
        let due = match self.access.db.read(look).await? {
            Ok(due) => due,
            Err(next) => return Ok(Round::Until(next)),
        };
        let mut queued = Vec::new();
        let mut all = Ok(());
        for (due, text) in due {
            let refused = match text.map(|text| self.begin(&due, text)) {
                Some(Ok(performing)) => {
                    queued.push((due, performing));
                    // Others wait for this thread, too.
                    tokio::task::yield_now().await;
                    continue;
                }
                Some(Err(error)) => self.refused(&due, error).await,
                None => self.fail(&due, &unreadable()).await,
            };
            if refused.is_err() {
                // What is due after it does not overtake it.
                all = refused;
                break;
            }
        }
        for (due, performing) in queued {
            // Whether it was said is to be known, however long it takes: nobody else tells of it.
            let settled = match performing.done_at_last().await {
                Ok(done) => {
                    doubts.remove(&due.what.id);
                    self.said(&due, &done).await
                }
                Err(error) => {
                    if error.code == Code::OutcomeUnknown {
                        doubts.insert(due.what.id, due.clone());
                    }
                    self.refused(&due, error).await
                }
            };
            all = all.and(settled);
        }
        all.map(|()| Round::More)
    }

    /// Tells of those that were said although it was not confirmed: they do not wait any more, and nothing else does.
    async fn settle(&self, doubts: &mut Doubts) -> Result<()> {
        let all: Vec<Due> = doubts.values().cloned().collect();
        for due in all {
            let (of, what) = ((due.user_id, due.what.room_id), due.what.clone());
            let look = move |conn: &mut db::AnyConnection| {
                let waits = rows::find(conn, of.0, what.id)?.is_some();
                Ok((waits, rows::find_said(conn, of, what.client_id.as_str())?))
            };
            let (waits, said) = self.access.db.read(look).await?;
            if waits {
                // It is said again, under the same name.
                continue;
            }
            doubts.remove(&due.what.id);
            // Without a message it was taken back.
            if let Some(id) = said {
                self.tell_said(&due, id.unsigned_abs()).await?;
            }
        }
        Ok(())
    }

    /// Puts one into the journal's queue.
    fn begin(&self, due: &Due, content: String) -> Result<Performing> {
        let what = &due.what;
        let unsigned = |id: i64| id.unsigned_abs();
        let message = SendMessage {
            content,
            room: None,
            client_id: Some(what.client_id.as_str().to_owned()),
            reply_to: what.reply_to.map(unsigned),
            thread: what.thread.map(unsigned),
            also_to_room: what.also_to_room,
        };
        let later = Later {
            id: what.id,
            sealed: what.content.as_str().to_owned(),
            send_at: db::utc(what.send_at.get()),
        };
        let author = (due.user_id, due.username.clone());
        self.commands
            .begin_later(author, what.room_id, message, later)
    }

    /// It is said.
    async fn said(&self, due: &Due, done: &Done) -> Result<()> {
        if done.duplicate {
            // It had been said before, and its row did not go with this.
            let (user_id, id) = (due.user_id, due.what.id);
            let delete = move |conn: &mut _| rows::delete(conn, user_id, id);
            self.access.db.write(delete).await?;
        }
        self.tell_said(due, done.id).await
    }

    async fn tell_said(&self, due: &Due, message: u64) -> Result<()> {
        let shown = self.shown(due.user_id, due.what.clone());
        // Not before it was told that it waits.
        let _one_after_the_other = self.lanes.turn_at_last(due.user_id).await?;
        self.tell(due.user_id, ScheduledChange::Sent, shown, Some(message));
        Ok(())
    }

    /// It was not said. An error when it is to be tried again and nothing else meanwhile.
    async fn refused(&self, due: &Due, error: Error) -> Result<()> {
        let (user_id, room_id) = (due.user_id, due.what.room_id);
        match judge(&error) {
            Verdict::Skip => Ok(()),
            Verdict::Again => Err(error),
            Verdict::Postpone(left) => {
                let left = TimeDelta::from_std(left.min(MOST_PUT_OFF)).unwrap_or_default();
                let until = now() + left + TimeDelta::microseconds(1);
                let of = (user_id, room_id);
                let postpone = move |conn: &mut _| rows::postpone(conn, of, until);
                self.access.db.write(postpone).await
            }
            Verdict::Fail => self.fail(due, &error).await,
        }
    }

    /// It will not be said: that is noted, and its author is told.
    async fn fail(&self, due: &Due, error: &Error) -> Result<()> {
        let (user_id, tried, why) = (due.user_id, due.what.clone(), failed::write(error));
        let note = move |conn: &mut db::AnyConnection| {
            let is_noted = rows::set_failed(conn, &tried, &why)?;
            let row = rows::find(conn, user_id, tried.id)?;
            Ok(row.filter(|_| is_noted))
        };
        let _one_after_the_other = self.lanes.turn(user_id).await?;
        if let Some(row) = self.access.db.write_to_the_end(note).await? {
            let shown = self.shown(user_id, row);
            self.tell(user_id, ScheduledChange::Failed, shown, None);
        }
        Ok(())
    }

    fn shown(&self, user_id: i64, row: Waiting) -> Shown {
        shown(&self.vault, user_id, row)
    }
}

/// Whether the clock stands behind what has gone by since.
fn was_set_back((since, at): (Instant, Timestamp)) -> bool {
    let gone_by = TimeDelta::from_std(since.elapsed()).unwrap_or_default();
    now() < at + gone_by - SET_BACK
}

/// It was changed in the database, or the key is missing.
fn unreadable() -> Error {
    Error::new(
        Kind::Internal,
        Code::InternalError,
        "Its text cannot be read any more; whoever runs the server can find out why (`parlour doctor`).",
    )
}

/// What becomes of one that was refused with this.
fn judge(error: &Error) -> Verdict {
    match (error.code, error.kind) {
        (Code::ChangedSince, _) => Verdict::Skip,
        (Code::SlowMode, _) => Verdict::Postpone(error.retry_after.unwrap_or(AFTER_FAILURE)),
        (_, Kind::Internal) => Verdict::Postpone(AFTER_FAULT),
        (_, Kind::Unavailable | Kind::TooMany) => Verdict::Again,
        _ => Verdict::Fail,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rights::Denied;

    #[test]
    fn what_will_never_be_said_fails_and_all_else_waits() {
        let slow = Error::too_many(Code::SlowMode, "Wait.", Duration::from_secs(7));
        for (error, verdict) in [
            (slow, Verdict::Postpone(Duration::from_secs(7))),
            (Error::internal("a fault"), Verdict::Postpone(AFTER_FAULT)),
            (Error::store_unavailable(), Verdict::Again),
            (Error::outcome_unknown(), Verdict::Again),
            (Error::disk_full(), Verdict::Again),
            (Error::no_such_room(), Verdict::Fail),
            (Error::no_such_message(), Verdict::Fail),
            (Denied::Muted.into(), Verdict::Fail),
            (Denied::JoinFirst.into(), Verdict::Fail),
            (Denied::Archived.into(), Verdict::Fail),
        ] {
            assert_eq!(judge(&error), verdict, "{error}");
        }
    }
}
