//! How many answers with history may be under way: from the moment their rows are looked up until the client has taken
//! the last byte. Who asks for pages and reads none of them keeps no one else waiting.

use std::{
    collections::HashMap,
    hash::Hash,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::rates::network_of;
use crate::error::{Code, Error, Result};

/// Most pages of one user, and of one address, that are under way.
const MOST_OF_USER: usize = 8;
const MOST_OF_ADDRESS: usize = 16;
/// How long a page waits for those before it.
const PATIENCE: Duration = Duration::from_secs(3);
/// So many are remembered before those who have none under way are forgotten.
const REMEMBERED: usize = 1_024;

/// The pages that are under way.
#[derive(Debug, Default)]
pub struct Unread {
    is_bounded: bool,
    users: Places<i64>,
    addresses: Places<IpAddr>,
}

/// A page that is under way, until this is dropped.
#[derive(Debug)]
pub struct UnderWay {
    _places: [Option<OwnedSemaphorePermit>; 2],
}

impl Unread {
    /// None yet. With rate limits off there may be any number.
    #[must_use]
    pub fn new(is_bounded: bool) -> Self {
        Self {
            is_bounded,
            ..Self::default()
        }
    }

    /// Waits for a place for one more page.
    ///
    /// # Errors
    /// 429 when those before it are not taken.
    pub async fn begin(&self, user_id: i64, address: Option<IpAddr>) -> Result<UnderWay> {
        if !self.is_bounded {
            return Ok(UnderWay {
                _places: [None, None],
            });
        }
        let user = self.users.enter(user_id, MOST_OF_USER).await?;
        let address = match address {
            Some(address) => {
                let network = network_of(address);
                Some(self.addresses.enter(network, MOST_OF_ADDRESS).await?)
            }
            None => None,
        };
        Ok(UnderWay {
            _places: [Some(user), address],
        })
    }
}

#[derive(Debug)]
struct Places<K>(Mutex<HashMap<K, Arc<Semaphore>>>);

impl<K> Default for Places<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash> Places<K> {
    async fn enter(&self, key: K, most: usize) -> Result<OwnedSemaphorePermit> {
        let places = {
            let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if known.len() > REMEMBERED {
                // Whoever holds or awaits a place holds the semaphore too.
                known.retain(|_, places| Arc::strong_count(places) > 1);
            }
            let places = known.entry(key);
            Arc::clone(places.or_insert_with(|| Arc::new(Semaphore::new(most))))
        };
        match tokio::time::timeout(PATIENCE, places.acquire_owned()).await {
            Ok(Ok(place)) => Ok(place),
            _ => Err(Error::too_many(
                Code::TooManyUnread,
                "Too many answers wait for you to read them; read those first.",
                PATIENCE,
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "current_thread")]
    async fn who_takes_nothing_waits_for_itself_only() {
        let unread = Unread::new(true);
        let mut held = Vec::new();
        for _ in 0..MOST_OF_USER {
            held.push(unread.begin(1, None).await.expect("a place"));
        }
        let refused = unread.begin(1, None).await.expect_err("one too many");
        assert_eq!(refused.code, Code::TooManyUnread);
        assert!(unread.begin(2, None).await.is_ok());
        held.pop();
        assert!(unread.begin(1, None).await.is_ok());
    }
}
