//! Budgets for requests, frames, connections and lines of the log. Each user and each address has its own, and an honest
//! client never uses one up. A refused request costs work too, so it is charged as well. Counted in memory, per process.

use std::{
    net::IpAddr,
    num::NonZeroU32,
    sync::atomic::{AtomicU64, Ordering},
};

use governor::{DefaultKeyedRateLimiter, RateLimiter};

use super::rates::{check, quota};
use crate::{address::network_of, error::Result, protocol::limits::Limits};

/// A frame of this many bytes costs as much as two small ones.
const BYTES_A_FRAME: usize = 16 * 1024;
/// What a request costs in addition when it is refused.
const REFUSAL: u32 = 9;

/// The token buckets; none when `RATE_LIMITS=off`.
#[derive(Debug)]
pub struct Budgets(Option<Buckets>);

#[derive(Debug)]
struct Buckets {
    frames: DefaultKeyedRateLimiter<i64>,
    requests_by_user: DefaultKeyedRateLimiter<i64>,
    requests_by_address: DefaultKeyedRateLimiter<IpAddr>,
    requests_of_foreign_pages: DefaultKeyedRateLimiter<IpAddr>,
    refusals_of_foreign_pages: DefaultKeyedRateLimiter<IpAddr>,
    connections_by_address: DefaultKeyedRateLimiter<IpAddr>,
    lines_by_user: DefaultKeyedRateLimiter<i64>,
    lines_by_address: DefaultKeyedRateLimiter<IpAddr>,
    failure_lines_by_user: DefaultKeyedRateLimiter<i64>,
    failure_lines_by_address: DefaultKeyedRateLimiter<IpAddr>,
    /// Requests with a login that were left out of the log since their number was last logged.
    omitted_of_users: AtomicU64,
    /// The same for requests without a login.
    omitted: AtomicU64,
}

/// Whose budget a request is charged to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChargedTo {
    /// A user: the request has a token of a live login.
    User(i64),
    /// An address: all other requests.
    Address(IpAddr),
    /// The pages of other sites in the browsers of an address: requests that those who use the browsers know nothing of.
    ForeignPage(IpAddr),
}

impl Budgets {
    /// Full budgets. The one for frames leaves room for as many messages as the limits allow, on all sockets of a user,
    /// with everything that goes with them.
    #[must_use]
    pub fn new(on: bool, limits: &Limits) -> Self {
        let frames = quota(
            limits
                .messages_per_second
                .saturating_mul(5)
                .saturating_add(50),
            limits.message_burst.saturating_mul(10).saturating_add(700),
        );
        Self(on.then(|| {
            Buckets {
                frames: RateLimiter::keyed(frames),
                requests_by_user: RateLimiter::keyed(quota(
                    limits
                        .messages_per_second
                        .saturating_mul(5)
                        .saturating_add(150),
                    limits
                        .message_burst
                        .saturating_mul(10)
                        .saturating_add(3_000),
                )),
                requests_by_address: RateLimiter::keyed(quota(500, 10_000)),
                requests_of_foreign_pages: RateLimiter::keyed(quota(20, 400)),
                refusals_of_foreign_pages: RateLimiter::keyed(quota(100, 1_000)),
                connections_by_address: RateLimiter::keyed(quota(200, 4_000)),
                lines_by_user: RateLimiter::keyed(quota(5, 2_000)),
                lines_by_address: RateLimiter::keyed(quota(2, 600)),
                failure_lines_by_user: RateLimiter::keyed(quota(5, 2_000)),
                failure_lines_by_address: RateLimiter::keyed(quota(2, 600)),
                omitted_of_users: AtomicU64::new(0),
                omitted: AtomicU64::new(0),
            }
        }))
    }

    /// Charges a frame to its user; false when the user has sent too many.
    #[must_use]
    pub fn take_frame(&self, user_id: i64, bytes: usize) -> bool {
        let Some(buckets) = &self.0 else { return true };
        let cost = u32::try_from(bytes / BYTES_A_FRAME).unwrap_or(u32::MAX);
        let cost = NonZeroU32::MIN.saturating_add(cost);
        matches!(buckets.frames.check_key_n(&user_id, cost), Ok(Ok(())))
    }

    /// Charges a new connection to its address; false when the address has opened too many.
    #[must_use]
    pub fn take_connection(&self, address: IpAddr) -> bool {
        self.0.as_ref().is_none_or(|buckets| {
            let network = network_of(address);
            buckets.connections_by_address.check_key(&network).is_ok()
        })
    }

    /// Charges a request.
    ///
    /// # Errors
    /// 429.
    pub fn take_request(&self, owner: ChargedTo) -> Result<()> {
        const TOO_MANY: &str = "Too many requests; wait a moment before the next.";
        match (&self.0, owner) {
            (None, _) => Ok(()),
            (Some(buckets), ChargedTo::User(user_id)) => {
                check(&buckets.requests_by_user, &user_id, TOO_MANY)
            }
            (Some(buckets), ChargedTo::Address(address)) => {
                let network = network_of(address);
                check(&buckets.requests_by_address, &network, TOO_MANY)
            }
            (Some(buckets), ChargedTo::ForeignPage(address)) => {
                let network = network_of(address);
                check(&buckets.requests_of_foreign_pages, &network, TOO_MANY)
            }
        }
    }

    /// Charges what a refused request costs in addition, or all that is left.
    pub fn take_refusal(&self, owner: ChargedTo) {
        let _emptied = (0..REFUSAL).try_for_each(|_| self.take_request(owner));
    }

    /// Whether a connection stays open after a request on it was refused for being one too many. That of a browser does,
    /// though a page of another site may use up what its pages have: its user may need the connections of the address.
    #[must_use]
    pub fn may_stay(&self, owner: ChargedTo) -> bool {
        match (&self.0, owner) {
            (Some(buckets), ChargedTo::ForeignPage(address)) => {
                let network = network_of(address);
                buckets
                    .refusals_of_foreign_pages
                    .check_key(&network)
                    .is_ok()
            }
            _ => false,
        }
    }

    /// Whether a request that was answered with this status may have a line in the log; if not, it is counted. Failures of
    /// the server (5xx) have budgets of their own, so that no flood hides them.
    #[must_use]
    pub fn take_line(&self, owner: ChargedTo, status: u16) -> bool {
        let Some(buckets) = &self.0 else { return true };
        let (by_user, by_address) = if status >= 500 {
            (
                &buckets.failure_lines_by_user,
                &buckets.failure_lines_by_address,
            )
        } else {
            (&buckets.lines_by_user, &buckets.lines_by_address)
        };
        let (may, omitted) = match owner {
            ChargedTo::User(user_id) => (
                by_user.check_key(&user_id).is_ok(),
                &buckets.omitted_of_users,
            ),
            ChargedTo::Address(address) | ChargedTo::ForeignPage(address) => (
                by_address.check_key(&network_of(address)).is_ok(),
                &buckets.omitted,
            ),
        };
        if !may {
            omitted.fetch_add(1, Ordering::Relaxed);
        }
        may
    }

    /// Logs how many requests were left out of the log since the last call. To be called regularly.
    pub fn log_omitted_lines(&self) {
        let Some(buckets) = &self.0 else { return };
        let omitted = buckets.omitted.swap(0, Ordering::Relaxed);
        if omitted > 0 {
            log::warn!(
                "{omitted} requests without a login are not in the log: some address sent more than two a second"
            );
        }
        let omitted = buckets.omitted_of_users.swap(0, Ordering::Relaxed);
        if omitted > 0 {
            log::warn!(
                "{omitted} requests with a login are not in the log: some user sent more than five a second"
            );
        }
    }

    /// Forgets the users and addresses whose budgets are full again. To be called regularly.
    pub fn forget_idle(&self) {
        if let Some(buckets) = &self.0 {
            buckets.frames.retain_recent();
            buckets.requests_by_user.retain_recent();
            buckets.requests_by_address.retain_recent();
            buckets.requests_of_foreign_pages.retain_recent();
            buckets.refusals_of_foreign_pages.retain_recent();
            buckets.connections_by_address.retain_recent();
            buckets.lines_by_user.retain_recent();
            buckets.lines_by_address.retain_recent();
            buckets.failure_lines_by_user.retain_recent();
            buckets.failure_lines_by_address.retain_recent();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budgets() -> Budgets {
        Budgets::new(true, &Limits::default())
    }

    #[test]
    fn an_honest_client_never_uses_up_its_budget_and_a_flood_does() {
        let budgets = budgets();
        assert!((0..1_000).all(|_| budgets.take_frame(1, 100)));
        assert!(!(0..1_000).all(|_| budgets.take_frame(1, 100)));
        assert!(budgets.take_frame(2, 100), "others are not concerned");
    }

    #[test]
    fn a_large_frame_costs_more_and_none_costs_more_than_a_full_budget() {
        let budgets = budgets();
        let count = (0..1_000)
            .filter(|_| budgets.take_frame(1, 10 * BYTES_A_FRAME))
            .count();
        assert!((50..200).contains(&count), "{count}");
        assert!(budgets.take_frame(2, 4 * 1024 * 1024));
    }

    #[test]
    fn refusals_cost_more_than_answers() {
        let budgets = budgets();
        let address = ChargedTo::Address(IpAddr::from([192, 0, 2, 1]));
        let mut refused = 0;
        while budgets.take_request(address).is_ok() {
            budgets.take_refusal(address);
            refused += 1;
        }
        assert!((1_000..2_000).contains(&refused), "{refused}");
        assert!(budgets.take_request(ChargedTo::User(1)).is_ok());
    }

    #[test]
    fn a_page_of_another_site_spends_nothing_of_the_address() {
        let budgets = budgets();
        let address = IpAddr::from([192, 0, 2, 1]);
        let page = ChargedTo::ForeignPage(address);
        assert!((0..1_000).any(|_| budgets.take_request(page).is_err()));
        assert!((0..9_000).all(|_| budgets.take_request(ChargedTo::Address(address)).is_ok()));
        // Not for ever: whoever is no browser may call itself one.
        assert!((0..500).all(|_| budgets.may_stay(page)));
        assert!((0..2_000).any(|_| !budgets.may_stay(page)));
        assert!(!budgets.may_stay(ChargedTo::Address(address)));
    }

    #[test]
    fn a_flood_hides_no_failure_of_the_server_and_failures_are_no_flood() {
        let budgets = budgets();
        for owner in [
            ChargedTo::Address(IpAddr::from([192, 0, 2, 1])),
            ChargedTo::User(1),
        ] {
            while budgets.take_line(owner, 404) {}
            assert!(budgets.take_line(owner, 503));
            assert!(!(0..3_000).all(|_| budgets.take_line(owner, 500)));
        }
    }

    #[test]
    fn with_limits_off_nothing_is_taken() {
        let budgets = Budgets::new(false, &Limits::default());
        assert!((0..10_000).all(|_| budgets.take_frame(1, 100)));
    }
}
