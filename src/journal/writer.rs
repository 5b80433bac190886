//! A writer of the journal: what it stores, whom it tells of it, and of which rooms it is in doubt. What it needs of a
//! database is a [`Store`], so that random runs can drive it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use tokio::sync::mpsc;

mod told;

use super::{
    Entry, News, Queued, RoomId, UserId, Waiting,
    health::WriterHealth,
    own::{Inbox, Setting, WaitingSetting},
    road::{At, Done, Road, Settlement, Stored, Work},
};
use crate::{
    clock::Clock,
    crypto::vault::Vault,
    db::{
        self, AnyConnection, Pool, QueryError, WriteError, conn,
        connector::one_line,
        log::{lock, members},
        outage::STORING,
        rooms,
    },
    error::{Code, Error, Result},
    protocol::time::{Timestamp, now},
};
use told::{announcements, answer, shown_again, silent_coming};

/// Most entries in one transaction. Enough to make the flush cheap, and half of what fits into a socket's mailbox: a
/// commit must not be more than its readers can be handed at once.
const BATCH: usize = 128;
/// Most settings in one transaction: the messages in it wait for them.
const SETTINGS: usize = 512;
/// Longest wait in the queue. What waits for longer is refused, so that its sender hears of it in time.
const QUEUE_TIMEOUT: Duration = Duration::from_millis(1_500);
/// A connection that broke was told so by its other end: that takes no time. One that was waited for is not tried again:
/// the senders would wait for too long.
const RETRY_WITHIN: Duration = Duration::from_millis(300);
/// Most times that entries are stored again which the database gave up so that another transaction could go on.
const MOST_CONFLICTS: u32 = 3;
/// How soon rooms whose last commit was not confirmed are looked at, and looked at again; while that fails, the pause is
/// doubled until it is the longest.
const DOUBT_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_DOUBT_PAUSE: Duration = Duration::from_secs(1);

/// Rooms of which it is not known whether their last changes were stored, each with those who became members by them if they
/// were.
pub type Doubts = BTreeMap<RoomId, BTreeSet<UserId>>;

/// How far a room in doubt has come.
#[derive(Debug)]
pub struct Seen {
    pub room_id: RoomId,
    /// Its latest change.
    pub seq: u64,
    /// Those of whom it was in doubt whether they are members who are.
    pub members: Vec<UserId>,
}

/// Where entries become durable.
pub trait Store {
    /// Stores all entries in their order and then all settings, or none of them.
    ///
    /// # Errors
    /// 503: nothing was stored; or with [`Error::outcome_unknown`], all or nothing was.
    fn store(&mut self, work: Work<'_>, at: Timestamp) -> Result<Done>;

    /// Those of these rooms that are there; a commit that was still on its way is in what is seen, or will never be. `None`
    /// when the store does not answer.
    fn look_at(&mut self, doubts: &Doubts) -> Option<Vec<Seen>>;

    /// What is remembered of members does not hold any more.
    fn forget_members(&mut self) {}
}

/// The logs of the rooms in the database.
pub struct Log {
    pool: Pool,
    clock: Clock,
    road: Road,
}

impl Log {
    pub fn new(pool: Pool, clock: Clock, vault: Arc<Vault>) -> Self {
        Self {
            pool,
            clock,
            road: Road::new(vault),
        }
    }

    /// Stores on whatever connection is at hand; again, when the database gave it up for another transaction; on another one, as long as those at hand had broken while no one looked
    /// (after a restart of the database that are all of them).
    fn store_somewhere(
        &mut self,
        work: Work<'_>,
        at: Timestamp,
    ) -> Result<Result<Done, WriteError>> {
        let mut others = self.pool.max_size();
        let (since, mut conflicts) = (Instant::now(), 0);
        loop {
            let mut connection = db::connection(&self.pool)?;
            let begun = Instant::now();
            let at = At {
                stored: at,
                clock: self.clock.now(),
            };
            let outcome = self.road.store(&mut connection, work, at);
            if let Err(error) = &outcome {
                connection.note(error.cause());
            }
            if let Err(WriteError::Refused(error)) = &outcome
                && conn::is_conflict(error)
                && conflicts < MOST_CONFLICTS
                && since.elapsed() < QUEUE_TIMEOUT
            {
                conflicts += 1;
                log::warn!(
                    "a commit was given up so that another transaction could go on, and is tried again: {}",
                    one_line(error)
                );
                continue;
            }
            let again = others > 0
                && matches!(outcome, Err(WriteError::Refused(_)))
                && connection.is_broken()
                && begun.elapsed() < RETRY_WITHIN;
            if !again {
                return Ok(outcome);
            }
            others -= 1;
        }
    }
}

impl Store for Log {
    fn store(&mut self, work: Work<'_>, at: Timestamp) -> Result<Done> {
        let stored = self.store_somewhere(work, at)?;
        match &stored {
            Ok(_) => STORING.note_success(),
            Err(error) => STORING.note(&format!(
                "messages could not be stored: {}",
                one_line(error.cause())
            )),
        }
        stored.map_err(|error| match error {
            WriteError::Refused(cause) => db::refused(&cause),
            WriteError::Unknown(_) => Error::outcome_unknown(),
        })
    }

    fn forget_members(&mut self) {
        self.road.forget_members();
    }

    fn look_at(&mut self, doubts: &Doubts) -> Option<Vec<Seen>> {
        let mut connection = db::connection(&self.pool).ok()?;
        // As a change: what is told has to be where a commit has to be.
        conn::write(&mut connection, |conn| look_at(conn, doubts)).ok()
    }
}

fn look_at(conn: &mut AnyConnection, doubts: &Doubts) -> Result<Vec<Seen>, QueryError> {
    let ids: Vec<i64> = doubts.keys().copied().collect();
    let users: BTreeSet<i64> = doubts.values().flatten().copied().collect();
    // A room that was being begun has no row to wait for.
    lock::lock_names(conn)?;
    let numbers = rooms::list_numbers(conn, &ids)?;
    let members = if users.is_empty() {
        Vec::new()
    } else {
        members::list(conn, ids, users.into_iter().collect())?
    };
    let seen = numbers.into_iter().map(|(room_id, seq)| {
        let here = members.iter().filter(|member| member.room_id == room_id);
        let here = here.map(|member| member.user_id);
        let in_doubt = |user_id: &i64| doubts.get(&room_id).is_some_and(|of| of.contains(user_id));
        Seen {
            room_id,
            seq: seq.unsigned_abs(),
            members: here.filter(in_doubt).collect(),
        }
    });
    Ok(seen.collect())
}

/// One writer, which has its rooms to itself.
pub struct Writer<S, F> {
    store: S,
    queue: mpsc::Receiver<Queued>,
    inbox: Arc<Inbox>,
    announce: F,
    doubts: Doubts,
    /// When they are looked at again, and how long the pause after that is.
    next_look: Instant,
    doubt_pause: Duration,
    health: Arc<WriterHealth>,
    stored: u64,
    commits: u64,
}

impl<S: Store, F: FnMut(News)> Writer<S, F> {
    pub fn new(
        store: S,
        (queue, inbox): (mpsc::Receiver<Queued>, Arc<Inbox>),
        announce: F,
        health: Arc<WriterHealth>,
    ) -> Self {
        Self {
            store,
            queue,
            inbox,
            announce,
            doubts: Doubts::new(),
            next_look: Instant::now(),
            doubt_pause: DOUBT_PAUSE,
            health,
            stored: 0,
            commits: 0,
        }
    }

    /// Works until no one is left who could put something into the queue, and it is empty.
    pub fn run(mut self) {
        let mut batch = Vec::new();
        loop {
            if Instant::now() >= self.next_look {
                self.settle_doubts();
            }
            if !self.receive(&mut batch) {
                let (stored, commits) = (self.stored, self.commits);
                log::info!("stored {stored} messages in {commits} commits");
                return;
            }
            let settings = self.inbox.take(SETTINGS);
            let entries = batch.drain(..).filter_map(|queued| match queued {
                Queued::Entry(waiting) => Some(*waiting),
                Queued::Settings => None,
            });
            self.commit(entries.collect(), settings);
        }
    }

    /// Takes all that waits. Waits for something, but not for long while a doubt is left. False when all is done.
    fn receive(&mut self, batch: &mut Vec<Queued>) -> bool {
        let has_settings = !self.inbox.is_empty();
        if self.doubts.is_empty() && !has_settings {
            return self.queue.blocking_recv_many(batch, BATCH) > 0;
        }
        loop {
            match self.queue.try_recv() {
                Ok(waiting) if batch.len() + 1 < BATCH => batch.push(waiting),
                Ok(waiting) => {
                    batch.push(waiting);
                    return true;
                }
                Err(mpsc::error::TryRecvError::Disconnected) => {
                    return !batch.is_empty() || has_settings;
                }
                Err(mpsc::error::TryRecvError::Empty) => {
                    if batch.is_empty() && !has_settings {
                        thread::sleep(DOUBT_PAUSE);
                    }
                    return true;
                }
            }
        }
    }

    /// Looks how far the rooms have come whose last commit was not confirmed, and has their members told.
    fn settle_doubts(&mut self) {
        if self.doubts.is_empty() {
            return;
        }
        let Some(found) = self.store.look_at(&self.doubts) else {
            // Each look has the database do something, which is perhaps slow because it has too much to do.
            self.next_look = Instant::now() + self.doubt_pause;
            self.doubt_pause = (self.doubt_pause * 2).min(LONGEST_DOUBT_PAUSE);
            return;
        };
        self.look_soon();
        self.doubts.clear();
        for Seen {
            room_id,
            seq,
            members: users,
        } in found
        {
            if !users.is_empty() {
                (self.announce)(News::CameIn {
                    room_id,
                    seq,
                    users,
                });
            }
            (self.announce)(News::Reached { room_id, seq });
        }
    }

    fn look_soon(&mut self) {
        self.next_look = Instant::now();
        self.doubt_pause = DOUBT_PAUSE;
    }

    fn commit(&mut self, batch: Vec<Waiting>, settings: Vec<WaitingSetting>) {
        // Whoever waited for longer was told that the outcome is not known; storing it now would surprise no one but
        // would delay those who still wait.
        let (batch, late): (Vec<_>, Vec<_>) = batch
            .into_iter()
            .partition(|waiting| waiting.since.elapsed() < QUEUE_TIMEOUT);
        refuse(late, &Error::store_unavailable());
        let (settings, late): (Vec<_>, Vec<_>) = settings
            .into_iter()
            .partition(|waiting| waiting.since.elapsed() < QUEUE_TIMEOUT);
        refuse_settings(late, &Error::store_unavailable());
        if batch.is_empty() && settings.is_empty() {
            return;
        }
        let at = now();
        let entries: Vec<&Entry> = batch.iter().map(|waiting| &waiting.entry).collect();
        if self.health.begin() {
            self.store.forget_members();
        }
        let set: Vec<&Setting> = settings.iter().map(|waiting| &waiting.setting).collect();
        let work = Work {
            entries: &entries,
            settings: &set,
        };
        let stored = self.store.store(work, at);
        self.health.end(stored.is_ok());
        match stored {
            Ok(Done { stored, settlement }) => {
                // It answers again.
                self.look_soon();
                self.tell(batch, stored, at);
                self.tell_settings(settings, settlement);
            }
            Err(error) => {
                if error.code == Code::OutcomeUnknown {
                    for Waiting { entry, .. } in &batch {
                        let newcomers = entry.change.newcomers(entry.actor.user_id);
                        self.doubts.entry(entry.room).or_default().extend(newcomers);
                    }
                }
                refuse(batch, &error);
                refuse_settings(settings, &error);
            }
        }
    }

    fn tell(&mut self, batch: Vec<Waiting>, stored: Vec<Stored>, at: Timestamp) {
        let mut committed = Vec::with_capacity(batch.len());
        let mut receipts = Vec::with_capacity(batch.len());
        let mut others = Vec::new();
        for (Waiting { entry, receipt, .. }, stored) in batch.into_iter().zip(stored) {
            let answer = answer(&stored, at);
            others.extend(silent_coming(&entry, &stored));
            others.extend(shown_again(&entry, &stored));
            committed.extend(announcements(entry, stored, at));
            receipts.push((receipt, answer));
        }
        if !committed.is_empty() {
            self.stored += committed.len() as u64;
            self.commits += 1;
            (self.announce)(News::Committed(committed));
        }
        for news in others {
            (self.announce)(news);
        }
        for (receipt, answer) in receipts {
            // The sender may have gone; what is stored stays stored.
            let _gone = receipt.send(answer);
        }
    }

    fn tell_settings(&mut self, settings: Vec<WaitingSetting>, settlement: Settlement) {
        if !settlement.noted.is_empty() {
            (self.announce)(News::Noted(settlement.noted));
        }
        for (waiting, settled) in settings.into_iter().zip(settlement.settled) {
            let _gone = waiting.receipt.send(settled);
        }
    }
}

fn refuse_settings(settings: Vec<WaitingSetting>, error: &Error) {
    for waiting in settings {
        let _gone = waiting.receipt.send(Err(error.clone()));
    }
}

fn refuse(batch: Vec<Waiting>, error: &Error) {
    for waiting in batch {
        let _gone = waiting.receipt.send(Err(error.clone()));
    }
}

#[cfg(test)]
mod tests;
