//! Whether a post would be stored now. It is tried, once a second for all who ask.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::Mutex;

use crate::{
    db::Db,
    error::{Error, Result},
    journal::Journal,
    protocol::GENERAL,
};

/// How long an answer is good for.
const GOOD_FOR: Duration = Duration::from_secs(1);
/// A commit that takes this long keeps everyone waiting.
const STUCK: Duration = Duration::from_millis(1_500);

/// The last answer, and whether a trial is still under way.
pub struct Readiness {
    db: Db,
    journal: Journal,
    last: Mutex<Option<(Instant, Result<()>)>>,
    trying: Arc<AtomicBool>,
}

/// Ends a trial, however it ends.
struct Trial(Arc<AtomicBool>);

impl Trial {
    /// `None` while another one is under way: it hangs, and a second one would hang beside it.
    fn begin(trying: &Arc<AtomicBool>) -> Option<Self> {
        let is_free = !trying.swap(true, Ordering::SeqCst);
        is_free.then(|| Self(Arc::clone(trying)))
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

impl Readiness {
    /// Nothing was tried yet.
    #[must_use]
    pub fn new(db: Db, journal: Journal) -> Self {
        Self {
            db,
            journal,
            last: Mutex::default(),
            trying: Arc::default(),
        }
    }

    /// Whether the server can take work. Those who ask while someone else's answer is on its way wait for that.
    ///
    /// # Errors
    /// 503, and 500 when a writer of the journal has ended.
    pub async fn check(&self) -> Result<()> {
        let mut last = self.last.lock().await;
        if let Some((at, outcome)) = &*last
            && at.elapsed() < GOOD_FOR
        {
            return outcome.clone();
        }
        let outcome = self.look().await;
        *last = Some((Instant::now(), outcome.clone()));
        outcome
    }

    async fn look(&self) -> Result<()> {
        if !self.journal.is_alive() {
            return Err(Error::internal(
                "a journal writer has ended: restart the server",
            ));
        }
        if self.journal.is_stuck(STUCK) {
            return Err(Error::store_unavailable());
        }
        let trial = Trial::begin(&self.trying).ok_or_else(Error::store_unavailable)?;
        // What fails at the commit alone (a full disk) is not met by what is rolled back.
        let commit = self.journal.has_failed();
        let pool = self.journal.find_empty_pool().cloned();
        self.db.try_post(GENERAL, commit, pool, trial).await
    }
}
