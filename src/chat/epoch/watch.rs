//! Noticing, while serving, that another history has taken the place of the one that is served: what was announced is compared
//! with what is there, once a second and soon after every commit.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, atomic::Ordering},
    time::Duration,
};

use super::{History, first_behind, hold_overdue, lock};
use crate::{
    crypto::random_name,
    db::{Db, facts, file_watch, rooms},
    error::{Error, Result},
    gate,
    hub::Hub,
    journal::Journal,
    protocol::close,
};

/// How often it is looked whether this is still the same history: at least, and at most.
const LOOK: Duration = Duration::from_secs(1);
const LOOK_PAUSE: Duration = Duration::from_millis(200);

/// Watches over the history that is served.
pub struct Watch {
    /// What was announced of it.
    pub history: Arc<History>,
    /// Where it is stored.
    pub db: Db,
    /// Forgets what it knows of members when another one has come.
    pub journal: Journal,
    /// Who then has to begin again.
    pub hub: Hub,
}

impl Watch {
    /// Looks, as long as the server serves, whether its database still holds the history that was announced.
    pub async fn run(&self) {
        loop {
            let _whichever_is_first =
                tokio::time::timeout(LOOK, self.history.look.notified()).await;
            // A database that is away is nothing to be said about here.
            match self.is_another().await {
                Ok(false) => {
                    if self.history.is_to_be_kept() {
                        let history = Arc::clone(&self.history);
                        let keeping = gate::run_detached(move || history.keep(false));
                        let _a_disk_that_hangs = tokio::time::timeout(LOOK, keeping).await;
                    }
                }
                Ok(true) => {
                    if let Err(error) = self.replace().await {
                        log::error!("a new epoch could not be stored: {error}");
                    }
                }
                Err(_) => {}
            }
            tokio::time::sleep(LOOK_PAUSE).await;
        }
    }

    async fn is_another(&self) -> Result<bool> {
        if self.history.is_replaced.load(Ordering::SeqCst) {
            return Ok(true);
        }
        // Taken before the database is asked: what is announced meanwhile is stored already.
        let known = self.history.known();
        let epoch = self.history.epoch();
        let (found, numbers) = self
            .db
            .read(|conn| Ok((facts::find(conn, "epoch")?, rooms::list_all_numbers(conn)?)))
            .await?;
        if found.as_deref() != Some(&*epoch) {
            return Ok(true);
        }
        let mut numbers: BTreeMap<_, _> = numbers.into_iter().collect();
        if first_behind(&known, &numbers).is_some() {
            // Perhaps only the count was changed by hand, and all messages are there.
            let healed = self.db.write(|conn| {
                rooms::heal(conn)?;
                rooms::list_all_numbers(conn)
            });
            numbers = healed.await?.into_iter().collect();
            if first_behind(&known, &numbers).is_some() {
                return Ok(true);
            }
        }
        *lock(&self.history.seen) = numbers;
        Ok(false)
    }

    async fn replace(&self) -> Result<()> {
        // Or something was written over the file of the embedded one.
        file_watch::suspect();
        let epoch = random_name().map_err(Error::internal)?;
        let fact = epoch.clone();
        self.db
            .write(move |conn| {
                hold_overdue(conn)?;
                facts::set(conn, "epoch", &fact)
            })
            .await?;
        log::warn!(
            "the database holds another history (a backup was restored): every client starts afresh"
        );
        *self
            .history
            .epoch
            .write()
            .unwrap_or_else(PoisonError::into_inner) = epoch.into();
        // What is there now counts, from the next look on.
        lock(&self.history.announced).clear();
        lock(&self.history.seen).clear();
        self.history.is_replaced.store(false, Ordering::SeqCst);
        self.journal.forget_members();
        self.hub
            .close_all(close::UNKNOWN, "the history was replaced: start afresh");
        Ok(())
    }
}
