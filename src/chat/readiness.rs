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
    app::App,
    error::{Error, Result},
    protocol::GENERAL,
};

/// How long an answer is good for.
const GOOD_FOR: Duration = Duration::from_secs(1);
/// A commit that takes this long keeps everyone waiting.
const STUCK: Duration = Duration::from_millis(1_500);

/// The last answer, and whether a trial is still under way.
#[derive(Debug, Default)]
pub struct Readiness {
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

/// Whether the server can take work. Those who ask while somebody else's answer is on its way wait for that.
///
/// # Errors
/// 503, and 500 when a writer of the journal has ended.
pub async fn check(app: &App) -> Result<()> {
    let mut last = app.readiness.last.lock().await;
    if let Some((at, outcome)) = &*last
        && at.elapsed() < GOOD_FOR
    {
        return outcome.clone();
    }
    let outcome = look(app).await;
    *last = Some((Instant::now(), outcome.clone()));
    outcome
}

async fn look(app: &App) -> Result<()> {
    if !app.journal.is_alive() {
        return Err(Error::internal(
            "a journal writer has ended: restart the server",
        ));
    }
    if app.journal.is_stuck(STUCK) {
        return Err(Error::store_unavailable());
    }
    let trial = Trial::begin(&app.readiness.trying).ok_or_else(Error::store_unavailable)?;
    // What fails at the commit alone (a full disk) is not met by what is rolled back.
    let commit = app.journal.has_failed();
    app.db.try_post(GENERAL, commit, trial).await
}
