//! Where blocking work goes: a few threads of its own and a bounded queue for each kind (database, passwords), so
//! that no blocking call ever runs on a serving thread and a storm of one kind never delays another.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use tokio::sync::oneshot;

use crate::error::{Error, Result};

type Job = Box<dyn FnOnce() + Send>;

/// A bounded pool of threads for one kind of blocking work.
#[derive(Clone)]
pub struct Gate {
    queue: SyncSender<Job>,
    limit: Duration,
    name: &'static str,
}

impl Gate {
    /// Starts `threads` threads with a queue of `waiting` jobs; a caller waits `limit` at most.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(
        name: &'static str,
        threads: usize,
        waiting: usize,
        limit: Duration,
    ) -> std::io::Result<Self> {
        let (queue, jobs) = sync_channel::<Job>(waiting);
        let jobs = Arc::new(Mutex::new(jobs));
        for number in 0..threads {
            let jobs = Arc::clone(&jobs);
            thread::Builder::new()
                .name(format!("{name}-{number}"))
                .spawn(move || work(&jobs))?;
        }
        Ok(Self { queue, limit, name })
    }

    /// Runs `job` on one of the threads. A job that is still waiting when its caller gave up is not begun.
    ///
    /// # Errors
    /// 503 when the queue is full or the time is over, 500 when the job panicked.
    pub async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let (answer, answered) = oneshot::channel();
        let deadline = Instant::now() + self.limit;
        let boxed: Job = Box::new(move || {
            if Instant::now() < deadline && !answer.is_closed() {
                let _gone = answer.send(job());
            }
        });
        match self.queue.try_send(boxed) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => return Err(self.busy()),
            Err(TrySendError::Disconnected(_)) => {
                return Err(Error::internal(format_args!(
                    "the {} threads are gone",
                    self.name
                )));
            }
        }
        match tokio::time::timeout(self.limit, answered).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(_)) if Instant::now() >= deadline => Err(self.busy()),
            Ok(Err(_)) => Err(Error::internal(format_args!(
                "a {} job ended without an answer",
                self.name
            ))),
            Err(_) => Err(self.busy()),
        }
    }

    fn busy(&self) -> Error {
        log::warn!(
            "{} work did not get its turn within {:?}",
            self.name,
            self.limit
        );
        Error::unavailable(
            "busy",
            "The server is busy at the moment; try again shortly.",
        )
    }
}

fn work(jobs: &Mutex<Receiver<Job>>) {
    loop {
        // Held only while taking a job, never while doing it.
        let next = match jobs.lock() {
            Ok(receiver) => receiver.recv(),
            Err(poisoned) => poisoned.into_inner().recv(),
        };
        let Ok(job) = next else { return };
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
        Gate::start("test", 1, 1, Duration::from_millis(limit)).expect("a thread")
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_panicking_job_does_not_take_the_gate_with_it() {
        let gate = gate(5_000);
        let failed = gate
            .run(|| assert!(std::hint::black_box(false), "on purpose"))
            .await;
        assert_eq!(failed.expect_err("panicked").kind, Kind::Internal);
        assert_eq!(gate.run(|| 7).await, Ok(7));
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_full_gate_refuses_at_once_and_a_late_job_is_not_begun() {
        let gate = gate(50);
        let (release, blocked) = std::sync::mpsc::channel::<()>();
        let first = gate.run(move || blocked.recv().is_ok());
        let second = gate.run(|| true);
        let (first, second, third) = tokio::join!(first, second, gate.run(|| true));
        let kinds = [first, second, third].map(|answer| answer.expect_err("busy").kind);
        assert_eq!(kinds, [Kind::Unavailable; 3]);
        drop(release);
    }
}
