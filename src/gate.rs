//! Where blocking work goes: a few threads of its own and a bounded queue for each kind (database, passwords), so
//! that no blocking call ever runs on a serving thread and a storm of one kind never delays another.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use tokio::sync::oneshot;

use crate::error::{Code, Error, Result};

/// Runs something that may block forever on a thread of its own, since at the end the runtime would wait for its own threads
/// without limit. Returns when it is done, or, without doing it, when the system gives no thread.
pub async fn run_detached(work: impl FnOnce() + Send + 'static) {
    static IS_FAILING: AtomicBool = AtomicBool::new(false);
    let (done, ended) = oneshot::channel();
    let spawned = thread::Builder::new().name("aside".into()).spawn(move || {
        work();
        let _nobody_waits = done.send(());
    });
    match spawned {
        Ok(_) => {
            IS_FAILING.store(false, Ordering::Relaxed);
            let _whatever_became_of_it = ended.await;
        }
        Err(error) if !IS_FAILING.swap(true, Ordering::Relaxed) => {
            log::warn!("the system gives no thread, so something is left undone: {error}");
        }
        Err(_) => {}
    }
}

mod lanes;
mod places;
mod usage;

pub use lanes::Asker;
use lanes::Lanes;
pub use places::{Place, Places};

type Job = Box<dyn FnOnce() + Send>;

/// A bounded pool of threads for one kind of blocking work.
#[derive(Clone)]
pub struct Gate {
    queue: Arc<Queue>,
    waiting: Arc<AtomicUsize>,
    most_waiting: usize,
    limit: Duration,
    name: &'static str,
}

/// What the handles of a gate share; the threads end when the last of them is gone.
struct Queue(Arc<Lanes<Job>>);

impl Drop for Queue {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// How the threads of a gate share the cores with everyone else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// As all others.
    Even,
    /// They get what the others leave, as far as the system can tell threads apart: their work is long, and no one is to
    /// wait for it who did not ask for it.
    Leftover,
}

/// Lower by this than the others (`nice(2)`): about a tenth of a core's time beside a thread that always wants it.
const LEFTOVER: i32 = 10;

/// What is given up first when too much is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// Refused already when the queue is half full, so that what is urgent still gets its turn.
    CanWait,
    /// Refused only when the queue is full.
    Urgent,
}

/// How long a caller waits for what has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Patience {
    /// As long as for its turn.
    Limited,
    /// Until it has ended.
    ToTheEnd,
}

impl Gate {
    /// Starts `threads` threads with a queue of `waiting` jobs; a caller waits `limit` at most.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(
        name: &'static str,
        share: Share,
        threads: usize,
        waiting: usize,
        limit: Duration,
    ) -> std::io::Result<Self> {
        let jobs = Arc::new(Lanes::<Job>::new(waiting));
        let queue = Arc::new(Queue(Arc::clone(&jobs)));
        for number in 0..threads {
            let jobs = Arc::clone(&jobs);
            thread::Builder::new()
                .name(format!("{name}-{number}"))
                .spawn(move || {
                    if share == Share::Leftover
                        && let Err(error) = rustix::process::nice(LEFTOVER)
                    {
                        log::debug!("the {name} threads share the cores evenly: {error}");
                    }
                    work(&jobs);
                })?;
        }
        Ok(Self {
            queue,
            waiting: Arc::default(),
            most_waiting: waiting,
            limit,
            name,
        })
    }

    /// Runs `job` on one of the threads. A job that is still waiting when its caller gave up is not begun.
    ///
    /// # Errors
    /// 503 when the queue is too full or the time is over (`outcome_unknown` when the job had begun by then), 500 when
    /// the job panicked.
    pub async fn run<T: Send + 'static>(
        &self,
        urgency: Urgency,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        self.run_for(Asker::default(), urgency, job).await
    }

    /// The same for something urgent of which is to be known what came of it: once it has begun, its end is waited for,
    /// however long it takes.
    ///
    /// # Errors
    /// As [`Self::run`], but never `outcome_unknown`.
    pub async fn run_to_the_end<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let asked = (Asker::default(), Urgency::Urgent);
        self.ask(asked, Patience::ToTheEnd, job).await
    }

    /// The same for one of many who ask: whoever has used least of late is next. When the queue is full, whoever has the
    /// most waiting, or has used most of late, gives way to those who have less.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub async fn run_for<T: Send + 'static>(
        &self,
        asker: Asker,
        urgency: Urgency,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        self.ask((asker, urgency), Patience::Limited, job).await
    }

    async fn ask<T: Send + 'static>(
        &self,
        (asker, urgency): (Asker, Urgency),
        patience: Patience,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        if urgency == Urgency::CanWait
            && self.waiting.load(Ordering::Relaxed) > self.most_waiting / 2
        {
            return Err(self.busy());
        }
        let (answer, mut answered) = oneshot::channel();
        let deadline = Instant::now() + self.limit;
        let place = Waiting::begin(&self.waiting);
        let begun = Arc::new(AtomicBool::new(false));
        let begins = Arc::clone(&begun);
        let boxed: Job = Box::new(move || {
            drop(place);
            // First, so that no caller who gives up meanwhile takes a job that runs for one that was not begun.
            begins.store(true, Ordering::SeqCst);
            if Instant::now() < deadline && !answer.is_closed() {
                let _gone = answer.send(job());
            } else {
                begins.store(false, Ordering::SeqCst);
            }
        });
        // Dropping a job tells its caller, who may be another one.
        drop(self.queue.0.push(asker, boxed));
        let mut ended = tokio::time::timeout(self.limit, &mut answered).await;
        if ended.is_err() && patience == Patience::ToTheEnd && begun.load(Ordering::SeqCst) {
            ended = Ok(answered.await);
        }
        match ended {
            Ok(Ok(value)) => Ok(value),
            // It was late, or gave way.
            Ok(Err(_)) if !begun.load(Ordering::SeqCst) => Err(self.busy()),
            Ok(Err(_)) => Err(Error::internal(format_args!(
                "a {} job ended without an answer",
                self.name
            ))),
            // It goes on without us, and what it does is done.
            Err(_) if begun.load(Ordering::SeqCst) => {
                log::warn!("{} work did not end within {:?}", self.name, self.limit);
                Err(Error::unconfirmed())
            }
            Err(_) => Err(self.busy()),
        }
    }

    /// What is told to whoever does not get a turn.
    #[must_use]
    pub fn busy(&self) -> Error {
        log::warn!(
            "{} work did not get its turn: too much is waiting",
            self.name
        );
        Error::unavailable(
            Code::Busy,
            "The server is busy at the moment; try again shortly.",
        )
    }
}

/// One more in the queue, until it is dropped: begun, refused or forgotten.
struct Waiting(Arc<AtomicUsize>);

impl Waiting {
    fn begin(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(count))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn work(jobs: &Lanes<Job>) {
    while let Some(job) = jobs.pop() {
        if catch_unwind(AssertUnwindSafe(job)).is_err() {
            log::error!("a job panicked; its caller is told, the thread goes on");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    fn gate(limit: u64) -> Gate {
        Gate::start("test", Share::Even, 1, 1, Duration::from_millis(limit)).expect("a thread")
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_panicking_job_does_not_take_the_gate_with_it() {
        let gate = gate(5_000);
        let failed = gate
            .run(Urgency::Urgent, || {
                assert!(std::hint::black_box(false), "on purpose");
            })
            .await;
        assert_eq!(failed.expect_err("panicked").kind, Kind::Internal);
        assert_eq!(gate.run(Urgency::Urgent, || 7).await, Ok(7));
    }

    #[tokio::test(flavor = "current_thread")]
    async fn what_came_of_what_has_begun_is_known_however_long_it_takes() {
        let gate = gate(200);
        let (release, blocked) = std::sync::mpsc::channel::<()>();
        let first = gate.run_to_the_end(move || blocked.recv().is_err());
        let others = async {
            // It does not get its turn within the time that is given to both.
            let refused = gate.run(Urgency::Urgent, || ()).await;
            drop(release);
            refused
        };
        let (first, refused) = tokio::join!(first, others);
        assert_eq!(first, Ok(true));
        assert_eq!(refused.expect_err("too late").kind, Kind::Unavailable);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn what_can_wait_is_refused_before_what_is_urgent() {
        let gate =
            Gate::start("test", Share::Leftover, 1, 4, Duration::from_secs(5)).expect("a thread");
        let (release, blocked) = std::sync::mpsc::channel::<()>();
        let (begun, has_begun) = oneshot::channel();
        let first = gate.run(Urgency::Urgent, move || {
            let _nobody_waits = begun.send(());
            blocked.recv().is_ok()
        });
        let others = async {
            has_begun.await.expect("the first has begun");
            let urgent = || gate.run(Urgency::Urgent, || true);
            let refused = async {
                let refused = gate.run(Urgency::CanWait, || true).await;
                drop(release);
                refused
            };
            tokio::join!(urgent(), urgent(), urgent(), refused)
        };
        let (_, (a, b, c, refused)) = tokio::join!(first, others);
        assert_eq!((a, b, c), (Ok(true), Ok(true), Ok(true)));
        assert_eq!(refused.expect_err("half full").kind, Kind::Unavailable);
        assert_eq!(gate.run(Urgency::CanWait, || 7).await, Ok(7), "calm again");
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_full_gate_refuses_at_once_and_a_late_job_is_not_begun() {
        let gate = gate(50);
        let (release, blocked) = std::sync::mpsc::channel::<()>();
        let first = gate.run(Urgency::Urgent, move || blocked.recv().is_ok());
        let second = gate.run(Urgency::Urgent, || true);
        let (first, second, third) =
            tokio::join!(first, second, gate.run(Urgency::Urgent, || true));
        let kinds = [first, second, third].map(|answer| answer.expect_err("busy").kind);
        assert_eq!(kinds, [Kind::Unavailable; 3]);
        drop(release);
    }
}
