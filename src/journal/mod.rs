//! The one place where messages become durable. Drafts wait in a queue while the last commit is on its way to the
//! disk; then the writer takes all that waits and commits it as one transaction. Only then are the messages announced,
//! in the order of their numbers, and after that acked. So nothing is ever told that a crash could take back.
//!
//! A commit costs a flush of the disk, whatever is in it: grouping is what lets durable be fast.
//!
//! SQLite has one writer. On `PostgreSQL` there are a few, and a room always goes to the same one, so that the messages
//! of a room are announced in the order of their numbers.

mod health;
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
    db::conn::{TIMEOUT, unseen_pool},
    error::{Code, Error, Result},
    protocol::time::Timestamp,
};
use health::WriterHealth;
use writer::{Log, Writer};

/// Most drafts that may wait for one writer. More are refused: the disk is not keeping up.
const QUEUE: usize = 8_192;
/// Writers on `PostgreSQL`.
const POSTGRES_WRITERS: u32 = 2;

/// A message on its way to the disk. `A` is what the announcement will need; the journal does not look into it.
#[derive(Debug)]
pub struct Draft<A> {
    /// The room.
    pub room_id: i64,
    /// Who writes it.
    pub user_id: i64,
    /// Through which login. It has to live when the message is stored.
    pub session_id: i64,
    /// What the sender calls it.
    pub client_id: Option<String>,
    /// Sealed.
    pub content: String,
    /// For the announcement.
    pub announcement: A,
}

/// A draft that has become a message.
#[derive(Debug)]
pub struct Committed<A> {
    /// The room.
    pub room_id: i64,
    /// The number of the message, and of the change that made it.
    pub id: u64,
    /// When it was stored.
    pub at: Timestamp,
    /// The draft it was.
    pub draft: Draft<A>,
}

/// What the sender is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Receipt {
    /// Stored now.
    Stored {
        /// The message's number.
        id: u64,
        /// When.
        at: Timestamp,
    },
    /// Stored before, under the same `client_id`.
    Before {
        /// The message's number.
        id: u64,
        /// The number of the latest change to it.
        seq: u64,
        /// When it was stored.
        at: Timestamp,
        /// What was stored then, sealed: the caller compares.
        content: String,
    },
}

/// The receipt, when it comes.
pub type Pending = oneshot::Receiver<Result<Receipt>>;

struct Waiting<A> {
    draft: Draft<A>,
    since: Instant,
    receipt: oneshot::Sender<Result<Receipt>>,
}

/// The way into the journal.
pub struct Journal<A> {
    writers: Vec<mpsc::Sender<Waiting<A>>>,
    health: Vec<Arc<WriterHealth>>,
}

impl<A> Clone for Journal<A> {
    fn clone(&self) -> Self {
        Self {
            writers: self.writers.clone(),
            health: self.health.clone(),
        }
    }
}

impl<A> std::fmt::Debug for Journal<A> {
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

impl<A: Send + 'static> Journal<A> {
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
        F: FnMut(News<A>) + Send + 'static,
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
            all_health.push(Arc::clone(&health));
            threads.push(
                thread::Builder::new()
                    .name(format!("journal-{number}"))
                    .spawn(move || {
                        Writer::new(log, queue, announce, health).run();
                    })?,
            );
            writers.push(sender);
        }
        Ok((
            Self {
                writers,
                health: all_health,
            },
            Writers(threads),
        ))
    }

    /// Whether every writer is at work. One that is not has panicked, and its rooms take no more messages.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.writers.iter().all(|writer| !writer.is_closed())
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

    /// What the writers remember of members does not hold any more: another history has taken the place of this one.
    pub fn forget_members(&self) {
        for health in &self.health {
            health.forget();
        }
    }

    /// Puts a draft into the queue. Drafts of one caller for one room are stored in the order of these calls.
    ///
    /// # Errors
    /// 503 when too much is waiting already.
    pub fn append(&self, draft: Draft<A>) -> Result<Pending> {
        let writers = self.writers.len() as u64;
        let writer = usize::try_from(draft.room_id.unsigned_abs() % writers).unwrap_or(0);
        let (receipt, pending) = oneshot::channel();
        let waiting = Waiting {
            draft,
            since: Instant::now(),
            receipt,
        };
        match self
            .writers
            .get(writer)
            .map(|writer| writer.try_send(waiting))
        {
            Some(Ok(())) => Ok(pending),
            Some(Err(mpsc::error::TrySendError::Full(_))) => Err(Error::unavailable(
                Code::Busy,
                "More messages are waiting than the disk can take; try again shortly.",
            )),
            Some(Err(mpsc::error::TrySendError::Closed(_))) | None => {
                Err(Error::internal("the journal is gone"))
            }
        }
    }
}

/// What a writer has to tell after a transaction.
#[derive(Debug)]
pub enum News<A> {
    /// These were committed, in this order.
    Committed(Vec<Committed<A>>),
    /// The room has come this far. Changes up to there may have been stored without being announced, because their
    /// commit was not confirmed.
    Reached {
        /// The room.
        room_id: i64,
        /// Its latest change.
        seq: u64,
    },
}

/// Waits for a receipt, but not for ever.
///
/// # Errors
/// What the writer answered; or that the outcome is not known, when it did not answer in time.
pub async fn receipt(pending: Pending, since: Instant) -> Result<Receipt> {
    let deadline = since + TIMEOUT;
    match tokio::time::timeout_at(deadline.into(), pending).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) | Err(_) => Err(Error::outcome_unknown()),
    }
}

#[cfg(test)]
mod tests;
