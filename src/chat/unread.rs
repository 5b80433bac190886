//! How many answers with history may be under way: from the moment their rows are looked up until the client has taken
//! the last byte. Who asks for pages and reads none of them keeps no one else waiting.

use std::{
    collections::HashMap,
    hash::Hash,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

use super::rates::network_of;
use crate::error::{Code, Error, Result};

/// Most pages of one user, and of one address, that are under way.
const MOST_OF_USER: usize = 8;
const MOST_OF_ADDRESS: usize = 16;
/// So many of those of an address hold one page of a user at most: whoever shares it with readers that fill all other places
/// is still served.
const KEPT: usize = 4;
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
    /// The places of addresses that are kept, and the one of them that a user may hold.
    kept: Places<IpAddr>,
    kept_of_users: Places<i64>,
}

/// A page that is under way, until this is dropped.
#[derive(Debug)]
pub struct UnderWay {
    _places: Vec<OwnedSemaphorePermit>,
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
                _places: Vec::new(),
            });
        }
        let mut places = vec![in_time(self.users.enter(user_id, MOST_OF_USER)).await?];
        if let Some(address) = address {
            let network = network_of(address);
            places.append(&mut in_time(self.enter_address(user_id, network)).await?);
        }
        Ok(UnderWay { _places: places })
    }

    async fn enter_address(
        &self,
        user_id: i64,
        network: IpAddr,
    ) -> Result<Vec<OwnedSemaphorePermit>, AcquireError> {
        let kept = async {
            let own = self.kept_of_users.enter(user_id, 1).await?;
            Ok(vec![own, self.kept.enter(network, KEPT).await?])
        };
        tokio::select! {
            // As long as there are others, these are kept.
            biased;
            place = self.addresses.enter(network, MOST_OF_ADDRESS - KEPT) => Ok(vec![place?]),
            places = kept => places,
        }
    }
}

async fn in_time<T>(entering: impl Future<Output = Result<T, AcquireError>>) -> Result<T> {
    match tokio::time::timeout(PATIENCE, entering).await {
        Ok(Ok(places)) => Ok(places),
        _ => Err(Error::too_many(
            Code::TooManyUnread,
            "Too many answers wait for you to read them; read those first.",
            PATIENCE,
        )),
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
    async fn enter(&self, key: K, most: usize) -> Result<OwnedSemaphorePermit, AcquireError> {
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
    #[tokio::test(flavor = "current_thread")]
    async fn two_users_of_an_address_leave_places_for_others() {
        let unread = Unread::new(true);
        let shared = Some(IpAddr::from([192, 0, 2, 1]));
        let mut held = Vec::new();
        for n in 0..MOST_OF_ADDRESS - KEPT + 2 {
            let user = if n % 2 == 0 { 1 } else { 2 };
            held.push(unread.begin(user, shared).await.expect("a place"));
        }
        assert!(unread.begin(2, shared).await.is_err());
        let third = unread.begin(3, shared).await;
        let fourth = unread.begin(4, shared).await;
        assert!(third.is_ok() && fourth.is_ok());
        assert!(unread.begin(5, shared).await.is_err(), "all are taken");
        drop(third);
        assert!(unread.begin(5, shared).await.is_ok());
    }
}
