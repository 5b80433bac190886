//! What every frame and every request costs, whatever becomes of it. What is refused is work too: who goes on sending
//! it pays out of a purse that an honest client never empties. Counted in memory, per process.

use std::{
    net::IpAddr,
    num::NonZeroU32,
    sync::atomic::{AtomicU64, Ordering},
};

use governor::{DefaultKeyedRateLimiter, RateLimiter};

use super::rates::{check, network_of, quota};
use crate::{error::Result, protocol::limits::Limits};

/// A frame of so many bytes costs as much as two small ones.
const BYTES_A_FRAME: usize = 16 * 1024;
/// What a request costs more when it is refused.
const REFUSAL: u32 = 9;

/// The purses; none when `RATE_LIMITS=off`.
#[derive(Debug)]
pub struct Tolls(Option<Purses>);

#[derive(Debug)]
struct Purses {
    frames: DefaultKeyedRateLimiter<i64>,
    requests_by_user: DefaultKeyedRateLimiter<i64>,
    requests_by_address: DefaultKeyedRateLimiter<IpAddr>,
    arrivals_by_address: DefaultKeyedRateLimiter<IpAddr>,
    lines_by_user: DefaultKeyedRateLimiter<i64>,
    lines_by_address: DefaultKeyedRateLimiter<IpAddr>,
    failure_lines_by_user: DefaultKeyedRateLimiter<i64>,
    failure_lines_by_address: DefaultKeyedRateLimiter<IpAddr>,
    /// Requests with a login that were left out of the log since it was last said how many.
    unsaid_of_users: AtomicU64,
    /// The same of those without one.
    unsaid: AtomicU64,
}

/// Who pays for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payer {
    /// Whoever shows a token of a login that lives.
    User(i64),
    /// Everyone else.
    Address(IpAddr),
}

impl Tolls {
    /// Full purses. That of frames leaves room for as many messages as the limits allow, on all sockets of a user, with
    /// everything that goes with them.
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
            Purses {
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
                arrivals_by_address: RateLimiter::keyed(quota(200, 4_000)),
                lines_by_user: RateLimiter::keyed(quota(5, 2_000)),
                lines_by_address: RateLimiter::keyed(quota(2, 600)),
                failure_lines_by_user: RateLimiter::keyed(quota(5, 2_000)),
                failure_lines_by_address: RateLimiter::keyed(quota(2, 600)),
                unsaid_of_users: AtomicU64::new(0),
                unsaid: AtomicU64::new(0),
            }
        }))
    }

    /// Takes what a frame of a user costs; false when the user has sent too many.
    #[must_use]
    pub fn take_frame(&self, user_id: i64, bytes: usize) -> bool {
        let Some(purses) = &self.0 else { return true };
        let cost = u32::try_from(bytes / BYTES_A_FRAME).unwrap_or(u32::MAX);
        let cost = NonZeroU32::MIN.saturating_add(cost);
        matches!(purses.frames.check_key_n(&user_id, cost), Ok(Ok(())))
    }

    /// Takes what a connection of an address costs; false when it has opened too many.
    #[must_use]
    pub fn take_arrival(&self, address: IpAddr) -> bool {
        self.0.as_ref().is_none_or(|purses| {
            let network = network_of(address);
            purses.arrivals_by_address.check_key(&network).is_ok()
        })
    }

    /// Takes what a request costs.
    ///
    /// # Errors
    /// 429.
    pub fn take_request(&self, payer: Payer) -> Result<()> {
        const TOO_MANY: &str = "Too many requests; wait a moment before the next.";
        match (&self.0, payer) {
            (None, _) => Ok(()),
            (Some(purses), Payer::User(user_id)) => {
                check(&purses.requests_by_user, &user_id, TOO_MANY)
            }
            (Some(purses), Payer::Address(address)) => {
                let network = network_of(address);
                check(&purses.requests_by_address, &network, TOO_MANY)
            }
        }
    }

    /// Takes what a request costs more because it was refused; less when less is left.
    pub fn take_refusal(&self, payer: Payer) {
        let _emptied = (0..REFUSAL).try_for_each(|_| self.take_request(payer));
    }

    /// Whether a request that was answered with this status may have a line of the log; when it may not, it is counted.
    /// Failures of the server (5xx) have purses of their own: no flood hides them.
    #[must_use]
    pub fn take_line(&self, payer: Payer, status: u16) -> bool {
        let Some(purses) = &self.0 else { return true };
        let (by_user, by_address) = if status >= 500 {
            (
                &purses.failure_lines_by_user,
                &purses.failure_lines_by_address,
            )
        } else {
            (&purses.lines_by_user, &purses.lines_by_address)
        };
        let (may, unsaid) = match payer {
            Payer::User(user_id) => (by_user.check_key(&user_id).is_ok(), &purses.unsaid_of_users),
            Payer::Address(address) => (
                by_address.check_key(&network_of(address)).is_ok(),
                &purses.unsaid,
            ),
        };
        if !may {
            unsaid.fetch_add(1, Ordering::Relaxed);
        }
        may
    }

    /// Says how many requests were left out of the log since this was last said. To be called now and then.
    pub fn say_what_is_left_out(&self) {
        let Some(purses) = &self.0 else { return };
        let unsaid = purses.unsaid.swap(0, Ordering::Relaxed);
        if unsaid > 0 {
            log::warn!(
                "{unsaid} requests without a login are not in the log: some address sent more than two a second"
            );
        }
        let unsaid = purses.unsaid_of_users.swap(0, Ordering::Relaxed);
        if unsaid > 0 {
            log::warn!(
                "{unsaid} requests with a login are not in the log: some user sent more than five a second"
            );
        }
    }

    /// Forgets those whose purses are full again. To be called now and then.
    pub fn forget_the_quiet(&self) {
        if let Some(purses) = &self.0 {
            purses.frames.retain_recent();
            purses.requests_by_user.retain_recent();
            purses.requests_by_address.retain_recent();
            purses.arrivals_by_address.retain_recent();
            purses.lines_by_user.retain_recent();
            purses.lines_by_address.retain_recent();
            purses.failure_lines_by_user.retain_recent();
            purses.failure_lines_by_address.retain_recent();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tolls() -> Tolls {
        Tolls::new(true, &Limits::default())
    }

    #[test]
    fn an_honest_client_never_empties_its_purse_and_a_flood_does() {
        let tolls = tolls();
        assert!((0..1_000).all(|_| tolls.take_frame(1, 100)));
        assert!(!(0..1_000).all(|_| tolls.take_frame(1, 100)));
        assert!(tolls.take_frame(2, 100), "others are not concerned");
    }

    #[test]
    fn a_large_frame_costs_more_and_none_is_beyond_all_means() {
        let tolls = tolls();
        let count = (0..1_000)
            .filter(|_| tolls.take_frame(1, 10 * BYTES_A_FRAME))
            .count();
        assert!((50..200).contains(&count), "{count}");
        assert!(tolls.take_frame(2, 4 * 1024 * 1024));
    }

    #[test]
    fn refusals_cost_more_than_answers() {
        let tolls = tolls();
        let address = Payer::Address(IpAddr::from([192, 0, 2, 1]));
        let mut refused = 0;
        while tolls.take_request(address).is_ok() {
            tolls.take_refusal(address);
            refused += 1;
        }
        assert!((1_000..2_000).contains(&refused), "{refused}");
        assert!(tolls.take_request(Payer::User(1)).is_ok());
    }

    #[test]
    fn a_flood_hides_no_failure_of_the_server_and_failures_are_no_flood() {
        let tolls = tolls();
        for payer in [Payer::Address(IpAddr::from([192, 0, 2, 1])), Payer::User(1)] {
            while tolls.take_line(payer, 404) {}
            assert!(tolls.take_line(payer, 503));
            assert!(!(0..3_000).all(|_| tolls.take_line(payer, 500)));
        }
    }

    #[test]
    fn with_limits_off_nothing_is_taken() {
        let tolls = Tolls::new(false, &Limits::default());
        assert!((0..10_000).all(|_| tolls.take_frame(1, 100)));
    }
}
