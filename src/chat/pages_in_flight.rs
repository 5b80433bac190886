//! How many pages of history may be in flight: from the moment their rows are looked up until the client has read the
//! last byte. A client that asks for pages and does not read them keeps no one else waiting.

use std::{net::IpAddr, time::Duration};

use tokio::sync::AcquireError;

use crate::{
    address::network_of,
    error::{Code, Error, Result},
    gate::{Place, Places},
};

/// Most pages in flight of one user, and of one address.
const MOST_OF_USER: usize = 8;
const MOST_OF_ADDRESS: usize = 16;
/// This many places of an address are reserved, each for a different user: a user who shares the address with readers
/// that fill all other places is still served.
const RESERVED: usize = 4;
/// How long a page waits for a place.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Counts the pages in flight.
#[derive(Debug, Default)]
pub struct PagesInFlight {
    is_bounded: bool,
    users: Places<i64>,
    addresses: Places<IpAddr>,
    /// The reserved places of addresses, and the one of them that each user may hold.
    reserved: Places<IpAddr>,
    reserved_of_users: Places<i64>,
}

/// A page in flight, until this is dropped.
#[derive(Debug)]
pub struct PageInFlight {
    _places: Vec<Place>,
}

impl PagesInFlight {
    /// No page yet. With rate limits off there may be any number.
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
    /// 429 when the pages before it are not read.
    pub async fn begin(&self, user_id: i64, address: Option<IpAddr>) -> Result<PageInFlight> {
        if !self.is_bounded {
            return Ok(PageInFlight {
                _places: Vec::new(),
            });
        }
        let mut places = vec![in_time(self.users.enter(user_id, MOST_OF_USER)).await?];
        if let Some(address) = address {
            let network = network_of(address);
            places.append(&mut in_time(self.enter_address(user_id, network)).await?);
        }
        Ok(PageInFlight { _places: places })
    }

    async fn enter_address(
        &self,
        user_id: i64,
        network: IpAddr,
    ) -> Result<Vec<Place>, AcquireError> {
        let reserved = async {
            let own = self.reserved_of_users.enter(user_id, 1).await?;
            Ok(vec![own, self.reserved.enter(network, RESERVED).await?])
        };
        tokio::select! {
            // The reserved ones are used only when there are no others.
            biased;
            place = self.addresses.enter(network, MOST_OF_ADDRESS - RESERVED) => Ok(vec![place?]),
            places = reserved => places,
        }
    }
}

async fn in_time<T>(entering: impl Future<Output = Result<T, AcquireError>>) -> Result<T> {
    match tokio::time::timeout(TIMEOUT, entering).await {
        Ok(Ok(places)) => Ok(places),
        _ => Err(Error::too_many(
            Code::TooManyUnread,
            "Too many answers wait for you to read them; read those first.",
            TIMEOUT,
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "current_thread")]
    async fn who_takes_nothing_waits_for_itself_only() {
        let pages = PagesInFlight::new(true);
        let mut held = Vec::new();
        for _ in 0..MOST_OF_USER {
            held.push(pages.begin(1, None).await.expect("a place"));
        }
        let refused = pages.begin(1, None).await.expect_err("one too many");
        assert_eq!(refused.code, Code::TooManyUnread);
        assert!(pages.begin(2, None).await.is_ok());
        held.pop();
        assert!(pages.begin(1, None).await.is_ok());
    }

    #[tokio::test(flavor = "current_thread")]
    async fn two_users_of_an_address_leave_places_for_others() {
        let pages = PagesInFlight::new(true);
        let shared = Some(IpAddr::from([192, 0, 2, 1]));
        let mut held = Vec::new();
        for n in 0..MOST_OF_ADDRESS - RESERVED + 2 {
            let user = if n % 2 == 0 { 1 } else { 2 };
            held.push(pages.begin(user, shared).await.expect("a place"));
        }
        assert!(pages.begin(2, shared).await.is_err());
        let third = pages.begin(3, shared).await;
        let fourth = pages.begin(4, shared).await;
        assert!(third.is_ok() && fourth.is_ok());
        assert!(pages.begin(5, shared).await.is_err(), "all are taken");
        drop(third);
        assert!(pages.begin(5, shared).await.is_ok());
    }
}
