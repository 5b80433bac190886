//! How much of something each of many may have under way at once.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

/// This many are remembered before those with nothing under way are forgotten.
const REMEMBERED: usize = 1_024;

/// A place, until it is dropped.
pub type Place = OwnedSemaphorePermit;

/// Places of those who have a key, so many for each.
#[derive(Debug)]
pub struct Places<K>(Mutex<HashMap<K, Arc<Semaphore>>>);

impl<K> Default for Places<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash> Places<K> {
    /// Waits for a place, of which this key has `most`; those who wait are served in the order in which they came.
    ///
    /// # Errors
    /// Never: no place is ever closed.
    pub async fn enter(&self, key: K, most: usize) -> Result<Place, AcquireError> {
        let places = {
            let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if known.len() > REMEMBERED {
                // Whoever holds or awaits a place holds the semaphore too.
                known.retain(|_, places| Arc::strong_count(places) > 1);
            }
            let places = known.entry(key);
            Arc::clone(places.or_insert_with(|| Arc::new(Semaphore::new(most))))
        };
        places.acquire_owned().await
    }
}
