//! The one place where messages become durable. Drafts wait in a queue while the last commit is on its way to the
//! disk; then the writer takes all that waits and commits it as one transaction. Only then are the messages announced,
//! in the order of their numbers, and after that acked. So nothing is ever told that a crash could take back.
//!
//! A commit costs a flush of the disk, whatever is in it: grouping is what lets durable be fast.
//!
//! SQLite has one writer. On `PostgreSQL` there are a few, and a room always goes to the same one, so that the messages
//! of a room are announced in the order of their numbers.

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    thread,
    time::{Duration, Instant},
};

use tokio::sync::{mpsc, oneshot};

use crate::{
    config::{DatabaseUrl, Storage},
    db::{
        self, Pool, WriteError,
        conn::{PATIENCE, pool},
        messages::{self, Appended},
        rooms,
    },
    error::{Error, Result},
    protocol::time::{Timestamp, now},
};

/// Most drafts that may wait for one writer. More are refused: the disk is not keeping up.
const QUEUE: usize = 8_192;
/// Most drafts in one transaction. Enough to make the flush cheap, and half of what fits into a socket's mailbox: a
/// commit must not be more than its readers can be handed at once.
const BATCH: usize = 128;
/// Longest wait in the queue. What waits for longer is refused, so that its sender hears of it in time.
const QUEUE_PATIENCE: Duration = Duration::from_millis(1_500);
/// How often a room whose last commit was not confirmed is looked at.
const DOUBT_PAUSE: Duration = Duration::from_millis(50);
/// Writers on `PostgreSQL`.
const POSTGRES_WRITERS: u32 = 2;

/// A message on its way to the disk. `A` is what the announcement will need; the journal does not look into it.
#[derive(Debug)]
pub struct Draft<A> {
    /// The room's name.
    pub room: String,
    /// Who writes it.
    pub user_id: i64,
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
}

impl<A> Clone for Journal<A> {
    fn clone(&self) -> Self {
        Self {
            writers: self.writers.clone(),
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
        announcer: impl Fn() -> F,
    ) -> std::io::Result<(Self, Writers)>
    where
        F: FnMut(News<A>) + Send + 'static,
    {
        let count = match storage.database_url {
            DatabaseUrl::Sqlite(_) => 1,
            DatabaseUrl::Postgres(_) => POSTGRES_WRITERS,
        };
        let pool = pool(&storage.database_url, count);
        let (mut writers, mut threads) = (Vec::new(), Vec::new());
        for number in 0..count {
            let (sender, queue) = mpsc::channel(QUEUE);
            let (pool, announce) = (pool.clone(), announcer());
            threads.push(
                thread::Builder::new()
                    .name(format!("journal-{number}"))
                    .spawn(move || {
                        Writer {
                            pool,
                            queue,
                            announce,
                            doubtful: HashSet::new(),
                        }
                        .run();
                    })?,
            );
            writers.push(sender);
        }
        Ok((Self { writers }, Writers(threads)))
    }

    /// Whether every writer is at work. One that is not has panicked, and its rooms take no more messages.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.writers.iter().all(|writer| !writer.is_closed())
    }

    /// Puts a draft into the queue. Drafts of one caller for one room are stored in the order of these calls.
    ///
    /// # Errors
    /// 503 when too much is waiting already.
    pub fn append(&self, draft: Draft<A>) -> Result<Pending> {
        let mut hasher = DefaultHasher::new();
        draft.room.hash(&mut hasher);
        let writer = usize::try_from(hasher.finish() % self.writers.len() as u64).unwrap_or(0);
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
                "busy",
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

struct Writer<A, F> {
    pool: Pool,
    queue: mpsc::Receiver<Waiting<A>>,
    announce: F,
    /// Rooms of which it is not known whether their last changes were stored.
    doubtful: HashSet<String>,
}

impl<A, F: FnMut(News<A>)> Writer<A, F> {
    fn run(mut self) {
        let mut batch = Vec::new();
        loop {
            self.settle_doubts();
            if !self.receive(&mut batch) {
                return;
            }
            if !batch.is_empty() {
                self.commit(std::mem::take(&mut batch));
            }
        }
    }

    /// Takes all that waits. Waits for something, but not for long while a doubt is left. False when all is done.
    fn receive(&mut self, batch: &mut Vec<Waiting<A>>) -> bool {
        if self.doubtful.is_empty() {
            return self.queue.blocking_recv_many(batch, BATCH) > 0;
        }
        loop {
            match self.queue.try_recv() {
                Ok(waiting) if batch.len() + 1 < BATCH => batch.push(waiting),
                Ok(waiting) => {
                    batch.push(waiting);
                    return true;
                }
                Err(mpsc::error::TryRecvError::Disconnected) => return !batch.is_empty(),
                Err(mpsc::error::TryRecvError::Empty) => {
                    if batch.is_empty() {
                        thread::sleep(DOUBT_PAUSE);
                    }
                    return true;
                }
            }
        }
    }

    /// Looks how far the rooms have come whose last commit was not confirmed, and has their members told.
    fn settle_doubts(&mut self) {
        if self.doubtful.is_empty() {
            return;
        }
        let names: Vec<&str> = self.doubtful.iter().map(String::as_str).collect();
        let found = db::connection(&self.pool)
            .ok()
            .and_then(|mut conn| rooms::list_numbers(&mut conn, &names).ok());
        let Some(found) = found else { return };
        self.doubtful.clear();
        for (room_id, seq) in found {
            (self.announce)(News::Reached {
                room_id,
                seq: seq.unsigned_abs(),
            });
        }
    }

    fn commit(&mut self, batch: Vec<Waiting<A>>) {
        // Whoever waited for longer was told that the outcome is not known; storing it now would surprise nobody but
        // would delay those who still wait.
        let (batch, late): (Vec<_>, Vec<_>) = batch
            .into_iter()
            .partition(|waiting| waiting.since.elapsed() < QUEUE_PATIENCE);
        refuse(late, &Error::store_unavailable());
        if batch.is_empty() {
            return;
        }
        let at = now();
        match self.append(&batch, at) {
            Ok(outcomes) => self.tell(batch, outcomes, at),
            Err(error) => {
                if error.code == Error::outcome_unknown().code {
                    self.doubtful
                        .extend(batch.iter().map(|waiting| waiting.draft.room.clone()));
                }
                refuse(batch, &error);
            }
        }
    }

    fn append(&self, batch: &[Waiting<A>], at: Timestamp) -> Result<Vec<Appended>> {
        let drafts: Vec<_> = batch
            .iter()
            .map(|Waiting { draft, .. }| messages::Draft {
                room: &draft.room,
                user_id: draft.user_id,
                client_id: draft.client_id.as_deref(),
                content: &draft.content,
            })
            .collect();
        let mut connection = db::connection(&self.pool)?;
        messages::append(&mut connection, &drafts, at).map_err(|error| {
            log::error!(
                "{} messages could not be stored: {}",
                batch.len(),
                error.cause()
            );
            match error {
                WriteError::Refused(_) => Error::store_unavailable(),
                WriteError::Unknown(_) => Error::outcome_unknown(),
            }
        })
    }

    fn tell(&mut self, batch: Vec<Waiting<A>>, outcomes: Vec<Appended>, at: Timestamp) {
        let mut committed = Vec::with_capacity(batch.len());
        let mut receipts = Vec::with_capacity(batch.len());
        for (Waiting { draft, receipt, .. }, outcome) in batch.into_iter().zip(outcomes) {
            let answer = match outcome {
                Appended::Stored { room_id, id } => {
                    let id = id.unsigned_abs();
                    committed.push(Committed {
                        room_id,
                        id,
                        at,
                        draft,
                    });
                    Ok(Receipt::Stored { id, at })
                }
                Appended::Before {
                    id,
                    seq,
                    content,
                    created_at,
                } => Ok(Receipt::Before {
                    id: id.unsigned_abs(),
                    seq: seq.unsigned_abs(),
                    at: db::utc(created_at),
                    content,
                }),
                Appended::NoSuchRoom => Err(Error::no_such_room()),
            };
            receipts.push((receipt, answer));
        }
        if !committed.is_empty() {
            (self.announce)(News::Committed(committed));
        }
        for (receipt, answer) in receipts {
            // The sender may have gone; what is stored stays stored.
            let _gone = receipt.send(answer);
        }
    }
}

fn refuse<A>(batch: Vec<Waiting<A>>, error: &Error) {
    for waiting in batch {
        let _gone = waiting.receipt.send(Err(error.clone()));
    }
}

/// Waits for a receipt, but not for ever.
///
/// # Errors
/// What the writer answered; or that the outcome is not known, when it did not answer in time.
pub async fn receipt(pending: Pending, since: Instant) -> Result<Receipt> {
    let deadline = since + PATIENCE;
    match tokio::time::timeout_at(deadline.into(), pending).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) | Err(_) => Err(Error::outcome_unknown()),
    }
}

#[cfg(test)]
mod tests;
