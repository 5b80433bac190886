//! The one place where changes of rooms become durable: messages, edits, deletions, reactions, memberships. Entries wait in
//! a queue while the last commit is on its way to the disk; then the writer takes all that waits and commits it as one
//! transaction ([`road`]). Only then are the changes announced, in the order of their numbers, and after that acked. So nothing is ever told that a crash could take back.
//!
//! A commit costs a flush of the disk, whatever is in it: grouping is what lets durable be fast.
//!
//! SQLite has one writer. On `PostgreSQL` there are a few, and a room always goes to the same one, so that the messages
//! of a room are announced in the order of their numbers.

mod entry;
mod health;
mod members;
mod numbering;
mod own;
mod road;
mod writer;

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use tokio::sync::{mpsc, oneshot};

use crate::{
    clock::Clock,
    config::{DatabaseUrl, Storage},
    crypto::vault::Vault,
    db::conn::{Pool, TIMEOUT, unseen_pool},
    error::{Code, Error, Result},
};
pub use entry::{
    Actor, Added, Body, Candidate, Change, Committed, Current, Entry, How, Later, Membership,
    NO_LOGIN, NewRoom, Outcome, Post, RoomId, RoomPatch, SystemText, Told, UserId,
};
use health::WriterHealth;
use own::Inbox;
pub use own::{Mark, Noted, NotedSet, PendingSetting, Set, Setting, Settled};
use writer::{Log, Writer};

/// Most entries that may wait for one writer. More are refused: the disk is not keeping up.
const QUEUE: usize = 8_192;
/// Writers on `PostgreSQL`.
const POSTGRES_WRITERS: u32 = 2;

/// The receipt, when it comes.
pub type Pending = oneshot::Receiver<Result<Outcome>>;

struct Waiting {
    entry: Entry,
    since: Instant,
    receipt: oneshot::Sender<Result<Outcome>>,
}

/// What a writer finds in its queue.
enum Queued {
    /// A change of a room.
    Entry(Box<Waiting>),
    /// There is something in its inbox.
    Settings,
}

/// The way into the journal.
#[derive(Clone)]
pub struct Journal {
    writers: Vec<(mpsc::Sender<Queued>, Arc<Inbox>)>,
    health: Vec<Arc<WriterHealth>>,
    pool: Pool,
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Journal({} writers)", self.writers.len())
    }
}

/// The writers' threads. They end when every [`Journal`] is gone and what had been accepted is answered.
#[derive(Debug)]
pub struct Writers(Vec<thread::JoinHandle<()>>);

impl Writers {
    /// Waits until all that was accepted is stored or refused.
    pub fn join(self) {
        for writer in self.0 {
            if writer.join().is_err() {
                log::error!("a journal writer panicked");
            }
        }
    }
}

impl Journal {
    /// Starts the writers. Each has an announcer of its own, which is called after each commit with what was stored, in
    /// order; it may block, and then slows the writing down.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start<F>(
        storage: &Storage,
        clock: Clock,
        vault: &Arc<Vault>,
        announcer: impl Fn() -> F,
    ) -> std::io::Result<(Self, Writers)>
    where
        F: FnMut(News) + Send + 'static,
    {
        let count = match storage.database_url {
            DatabaseUrl::Sqlite(_) => 1,
            DatabaseUrl::Postgres(_) => POSTGRES_WRITERS,
        };
        let pool = unseen_pool(&storage.database_url, count);
        let (mut writers, mut threads, mut all_health) = (Vec::new(), Vec::new(), Vec::new());
        for number in 0..count {
            let (sender, queue) = mpsc::channel(QUEUE);
            let (log, announce) = (
                Log::new(pool.clone(), clock, Arc::clone(vault)),
                announcer(),
            );
            let health = Arc::new(WriterHealth::default());
            let inbox = Arc::new(Inbox::default());
            let settings = Arc::clone(&inbox);
            all_health.push(Arc::clone(&health));
            threads.push(
                thread::Builder::new()
                    .name(format!("journal-{number}"))
                    .spawn(move || {
                        Writer::new(log, (queue, settings), announce, health).run();
                    })?,
            );
            writers.push((sender, inbox));
        }
        Ok((
            Self {
                writers,
                health: all_health,
                pool,
            },
            Writers(threads),
        ))
    }

    /// Whether every writer is at work. One that is not has panicked, and its rooms take no more messages.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.writers.iter().all(|(writer, _)| !writer.is_closed())
    }

    /// Whether a writer has been storing the same for so long.
    #[must_use]
    pub fn is_stuck(&self, limit: Duration) -> bool {
        self.health.iter().any(|health| health.is_stuck(limit))
    }

    /// Whether a writer could not store what it tried last.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.health.iter().any(|health| health.has_failed())
    }

    /// The writers' connections, when they have none: the database may give others some, and them none.
    #[must_use]
    pub fn find_empty_pool(&self) -> Option<&Pool> {
        (self.pool.state().connections == 0).then_some(&self.pool)
    }

    /// What the writers remember of members does not hold any more: another history has taken the place of this one.
    pub fn forget_members(&self) {
        for health in &self.health {
            health.forget();
        }
    }

    /// Puts an entry into the queue. Entries of one caller for one room are stored in the order of these calls.
    ///
    /// # Errors
    /// 503 when too much is waiting already.
    pub fn append(&self, entry: Entry) -> Result<Pending> {
        let writer = self.writer_of(entry.room);
        let (receipt, pending) = oneshot::channel();
        let waiting = Waiting {
            entry,
            since: Instant::now(),
            receipt,
        };
        // All rooms are begun by the same one, so that of two who ask for the same conversation the second finds it.
        let is_begin = matches!(waiting.entry.change, Change::Begin(_));
        let Some((writer, _)) = self.writers.get(if is_begin { 0 } else { writer }) else {
            return Err(Error::internal("the journal has no writers"));
        };
        match writer.try_send(Queued::Entry(Box::new(waiting))) {
            Ok(()) => Ok(pending),
            Err(mpsc::error::TrySendError::Full(_)) => Err(Error::unavailable(
                Code::Busy,
                "More messages are waiting than the disk can take; try again shortly.",
            )),
            Err(mpsc::error::TrySendError::Closed(_)) => {
                Err(Error::internal("the journal is gone"))
            }
        }
    }

    /// Which of the writers has a room.
    fn writer_of(&self, room: RoomId) -> usize {
        let writers = self.writers.len() as u64;
        usize::try_from(room.unsigned_abs() % writers).unwrap_or(0)
    }

    /// Has something stored that a member sets for themselves. Of one caller and one room, what is set last holds.
    ///
    /// # Errors
    /// 503 when too much is waiting already.
    pub fn set(&self, setting: Setting) -> Result<PendingSetting> {
        let Some((writer, inbox)) = self.writers.get(self.writer_of(setting.room)) else {
            return Err(Error::internal("the journal has no writers"));
        };
        let (pending, is_first) = inbox.put(setting)?;
        if is_first {
            // A queue that is full is being worked off, and the inbox with it.
            let _woken = writer.try_send(Queued::Settings);
        }
        Ok(pending)
    }
}

/// What a writer has to tell after a transaction.
#[derive(Debug)]
pub enum News {
    /// These were committed, in this order.
    Committed(Vec<Committed>),
    /// These settings were stored, after what was committed before.
    Noted(Vec<Noted>),
    /// The room has come this far. Changes up to there may have been stored without being announced, because their
    /// commit was not confirmed.
    Reached {
        /// The room.
        room_id: i64,
        /// Its latest change.
        seq: u64,
    },
    /// These users are members of the room, and perhaps none of the changes that were announced has said so.
    CameIn {
        /// The room.
        room_id: i64,
        /// Its latest change when they were.
        seq: u64,
        /// Who.
        users: Vec<UserId>,
    },
    /// This user had hidden a direct room, and sees it again.
    Shown {
        /// The room.
        room_id: RoomId,
        /// Who.
        user_id: UserId,
    },
}

/// Waits for a receipt, but not for ever.
///
/// # Errors
/// What the writer answered; or that the outcome is not known, when it did not answer in time.
pub async fn receipt<T>(pending: oneshot::Receiver<Result<T>>, since: Instant) -> Result<T> {
    let deadline = since + TIMEOUT;
    match tokio::time::timeout_at(deadline.into(), pending).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) | Err(_) => Err(Error::outcome_unknown()),
    }
}

/// The same, however long it takes: for what nobody is told of who could ask again.
///
/// # Errors
/// What the writer answered.
pub async fn receipt_at_last<T>(pending: oneshot::Receiver<Result<T>>) -> Result<T> {
    pending
        .await
        .unwrap_or_else(|_| Err(Error::outcome_unknown()))
}

#[cfg(test)]
mod tests;
