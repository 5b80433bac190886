//! How often one may do what (log in, register, send, read), for each user and address. Counted in memory, per process.

use std::{net::IpAddr, num::NonZeroU32, sync::Arc, time::Duration};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock as _};

use crate::{
    address::network_of,
    error::{Code, Error, Result},
    protocol::limits::Limits,
};

/// The limiters; none when `RATE_LIMITS=off`.
#[derive(Debug, Clone)]
pub struct Rates(Option<Arc<Limiters>>);

#[derive(Debug)]
struct Limiters {
    /// That is counted in the database: it is long enough for a restart.
    rooms_an_hour: u32,
    direct_rooms_an_hour: u32,
    messages: DefaultKeyedRateLimiter<i64>,
    reads: DefaultKeyedRateLimiter<i64>,
    typing: DefaultKeyedRateLimiter<i64>,
    notes: DefaultKeyedRateLimiter<i64>,
    states: DefaultKeyedRateLimiter<i64>,
    guesses_by_account: DefaultKeyedRateLimiter<String>,
    guesses_by_pair: DefaultKeyedRateLimiter<(String, IpAddr)>,
    guesses_by_address: DefaultKeyedRateLimiter<IpAddr>,
    guesses_by_user: DefaultKeyedRateLimiter<i64>,
    registrations_by_address: DefaultKeyedRateLimiter<IpAddr>,
    sockets_by_user: DefaultKeyedRateLimiter<i64>,
    handshakes_by_login: DefaultKeyedRateLimiter<i64>,
    refreshes_by_login: DefaultKeyedRateLimiter<i64>,
    junk_by_address: DefaultKeyedRateLimiter<IpAddr>,
}

const ONE: NonZeroU32 = NonZeroU32::MIN;
const TOO_MANY_ATTEMPTS: &str = "Too many attempts; wait a moment before the next.";

const TOO_MANY_SOCKETS: &str = "You are opening connections too fast; wait a moment.";

pub(super) fn quota(per_second: u32, burst: u32) -> Quota {
    let at_least_one = |number| NonZeroU32::new(number).unwrap_or(ONE);
    Quota::per_second(at_least_one(per_second)).allow_burst(at_least_one(burst))
}

impl Rates {
    /// Limiters by the configured limits.
    #[must_use]
    pub fn new(on: bool, limits: &Limits) -> Self {
        // Guessing one account's password from one address: 10 tries at once, then one in 6 seconds. From all addresses
        // that have never logged in to it, the account bears ten times that. From one address, for all accounts, 60 at
        // once, then two a second: an office logs in on a Monday morning.
        let by_pair = Quota::with_period(Duration::from_secs(6)).unwrap_or(Quota::per_second(ONE));
        let by_pair = by_pair.allow_burst(NonZeroU32::new(10).unwrap_or(ONE));
        Self(on.then(|| {
            Arc::new(Limiters {
                rooms_an_hour: limits.rooms_per_hour,
                direct_rooms_an_hour: limits.direct_rooms_per_hour,
                messages: RateLimiter::keyed(quota(
                    limits.messages_per_second,
                    limits.message_burst,
                )),
                reads: RateLimiter::keyed(quota(20, 120)),
                // A client says it every 3 seconds, in one room or another, and some have several.
                typing: RateLimiter::keyed(quota(2, 10)),
                // Each is a transaction of its own. A client keeps a draft once a second or so.
                notes: RateLimiter::keyed(quota(5, 100)),
                // Who becomes invisible and is seen again comes and goes before all, as by a socket.
                states: RateLimiter::keyed(quota(1, 20)),
                guesses_by_account: RateLimiter::keyed(quota(1, 100)),
                guesses_by_pair: RateLimiter::keyed(by_pair),
                guesses_by_address: RateLimiter::keyed(quota(2, 60)),
                guesses_by_user: RateLimiter::keyed(by_pair),
                registrations_by_address: RateLimiter::keyed(quota(2, 60)),
                // All of a user's sockets may come back twice in a row, and then one a second: a client that is turned away
                // and comes again at once is no use to anybody.
                sockets_by_user: RateLimiter::keyed(quota(
                    1,
                    u32::try_from(2 * limits.sockets_per_user).unwrap_or(u32::MAX),
                )),
                handshakes_by_login: RateLimiter::keyed(quota(
                    1,
                    u32::try_from(2 * limits.sockets_per_user).unwrap_or(u32::MAX),
                )),
                // Many tabs of a browser share a login.
                refreshes_by_login: RateLimiter::keyed(quota(1, 60)),
                // An office whose logins have all expired comes back at once.
                junk_by_address: RateLimiter::keyed(quota(50, 1_000)),
            })
        }))
    }

    /// One message of a user.
    ///
    /// # Errors
    /// 429.
    pub fn check_message(&self, user_id: i64) -> Result<()> {
        let Some(limiters) = &self.0 else {
            return Ok(());
        };
        check(
            &limiters.messages,
            &user_id,
            "You are sending messages too fast; wait a moment.",
        )
    }

    /// How many rooms someone may make within an hour, if that is limited.
    #[must_use]
    pub fn most_rooms_an_hour(&self) -> Option<u32> {
        self.0.as_ref().map(|limiters| limiters.rooms_an_hour)
    }

    /// How many direct rooms someone may open within an hour, if that is limited.
    #[must_use]
    pub fn most_direct_rooms_an_hour(&self) -> Option<u32> {
        let limiters = self.0.as_ref();
        limiters.map(|limiters| limiters.direct_rooms_an_hour)
    }

    /// One page of history, one `sync` or one ticket of a user.
    ///
    /// # Errors
    /// 429.
    pub fn check_read(&self, user_id: i64) -> Result<()> {
        let Some(limiters) = &self.0 else {
            return Ok(());
        };
        check(
            &limiters.reads,
            &user_id,
            "You are asking for too much at once; wait a moment.",
        )
    }

    /// One thing that a user keeps for themselves: a draft, a saved message, a thread that is followed.
    ///
    /// # Errors
    /// 429.
    pub fn check_note(&self, user_id: i64) -> Result<()> {
        let Some(limiters) = &self.0 else {
            return Ok(());
        };
        let detail = "You are changing things too fast; wait a moment.";
        check(&limiters.notes, &user_id, detail)
    }

    /// One time that a user chooses another state.
    ///
    /// # Errors
    /// 429.
    pub fn check_state(&self, user_id: i64) -> Result<()> {
        let Some(limiters) = &self.0 else {
            return Ok(());
        };
        let detail = "You are changing your state too fast; wait a moment.";
        check(&limiters.states, &user_id, detail)
    }

    /// One time that a user says to be writing.
    ///
    /// # Errors
    /// 429.
    pub fn check_typing(&self, user_id: i64) -> Result<()> {
        let Some(limiters) = &self.0 else {
            return Ok(());
        };
        let detail = "Say less often that you are writing: every 3 seconds will do.";
        check(&limiters.typing, &user_id, detail)
    }

    /// Something of an address that was to show a login and shows none that we have signed. It costs nothing that honest
    /// clients of the same address need.
    ///
    /// # Errors
    /// 429.
    pub fn check_junk(&self, address: Option<IpAddr>) -> Result<()> {
        let (Some(limiters), Some(address)) = (&self.0, address) else {
            return Ok(());
        };
        check(
            &limiters.junk_by_address,
            &network_of(address),
            TOO_MANY_ATTEMPTS,
        )
    }

    /// One try to open a socket with a token of this login, before it is looked up.
    ///
    /// # Errors
    /// 429.
    pub fn check_handshake(&self, session_id: i64) -> Result<()> {
        let Some(limiters) = &self.0 else {
            return Ok(());
        };
        check(&limiters.handshakes_by_login, &session_id, TOO_MANY_SOCKETS)
    }

    /// One use of a refresh token of this login, before it is looked up.
    ///
    /// # Errors
    /// 429.
    pub fn check_refresh(&self, session_id: i64) -> Result<()> {
        let Some(limiters) = &self.0 else {
            return Ok(());
        };
        check(&limiters.refreshes_by_login, &session_id, TOO_MANY_ATTEMPTS)
    }

    /// One socket of a user.
    ///
    /// # Errors
    /// 429.
    pub fn check_socket(&self, user_id: i64) -> Result<()> {
        let Some(limiters) = &self.0 else {
            return Ok(());
        };
        check(&limiters.sockets_by_user, &user_id, TOO_MANY_SOCKETS)
    }

    /// One try at an account's password from this address. `account` must be short: it is remembered.
    ///
    /// # Errors
    /// 429.
    pub fn check_guess(&self, account: &str, address: Option<IpAddr>) -> Result<()> {
        // The address first: what is refused for it leaves no trace of the accounts that it tried.
        self.check_address(address)?;
        let (Some(limiters), Some(address)) = (&self.0, address) else {
            return Ok(());
        };
        check(
            &limiters.guesses_by_pair,
            &(account.to_owned(), network_of(address)),
            TOO_MANY_ATTEMPTS,
        )
    }

    /// One try at an account's password from an address that has never logged in to it, beside [`Self::check_guess`].
    /// Those that have are not asked: however many strangers guess, they do not keep the owner out of where he comes from.
    ///
    /// # Errors
    /// 429.
    pub fn check_stranger(&self, account: &str) -> Result<()> {
        let Some(limiters) = &self.0 else {
            return Ok(());
        };
        check(
            &limiters.guesses_by_account,
            &account.to_owned(),
            TOO_MANY_ATTEMPTS,
        )
    }

    /// One try at the password of a user who is logged in already.
    ///
    /// # Errors
    /// 429.
    pub fn check_own_guess(&self, user_id: i64) -> Result<()> {
        let Some(limiters) = &self.0 else {
            return Ok(());
        };
        check(&limiters.guesses_by_user, &user_id, TOO_MANY_ATTEMPTS)
    }

    /// One registration from this address. It costs nothing that belongs to an account: whoever registers a name that is
    /// taken must not keep its owner out.
    ///
    /// # Errors
    /// 429.
    pub fn check_registration(&self, address: Option<IpAddr>) -> Result<()> {
        let (Some(limiters), Some(address)) = (&self.0, address) else {
            return Ok(());
        };
        check(
            &limiters.registrations_by_address,
            &network_of(address),
            TOO_MANY_ATTEMPTS,
        )
    }

    /// One try of an address at anything that it could guess.
    ///
    /// # Errors
    /// 429.
    pub fn check_address(&self, address: Option<IpAddr>) -> Result<()> {
        let (Some(limiters), Some(address)) = (&self.0, address) else {
            return Ok(());
        };
        check(
            &limiters.guesses_by_address,
            &network_of(address),
            TOO_MANY_ATTEMPTS,
        )
    }

    /// Forgets those who have been quiet for long enough to start afresh. To be called regularly.
    pub fn forget_idle(&self) {
        if let Some(limiters) = &self.0 {
            limiters.messages.retain_recent();
            limiters.reads.retain_recent();
            limiters.typing.retain_recent();
            limiters.guesses_by_account.retain_recent();
            limiters.guesses_by_pair.retain_recent();
            limiters.guesses_by_address.retain_recent();
            limiters.guesses_by_user.retain_recent();
            limiters.registrations_by_address.retain_recent();
            limiters.sockets_by_user.retain_recent();
            limiters.handshakes_by_login.retain_recent();
            limiters.refreshes_by_login.retain_recent();
            limiters.junk_by_address.retain_recent();
        }
    }
}

pub(super) fn check<K: Clone + Eq + std::hash::Hash>(
    limiter: &DefaultKeyedRateLimiter<K>,
    key: &K,
    detail: &'static str,
) -> Result<()> {
    limiter.check_key(key).map_err(|until| {
        let wait = until.wait_time_from(limiter.clock().now());
        Error::too_many(Code::RateLimited, detail, wait)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_may_send_a_burst_and_then_has_to_wait() {
        let rates = Rates::new(true, &Limits::default());
        assert!((0..30).all(|_| rates.check_message(1).is_ok()));
        let refused = rates.check_message(1).expect_err("the 31st");
        assert!(
            refused
                .retry_after
                .is_some_and(|wait| wait <= Duration::from_millis(100))
        );
        assert!(rates.check_message(2).is_ok(), "others are not concerned");
    }

    #[test]
    fn guessing_keeps_nobody_out_of_where_he_has_logged_in_before() {
        let rates = Rates::new(true, &Limits::default());
        let owner = Some(IpAddr::from([198, 51, 100, 7]));
        // Each within its own allowance, together more than the account bears from strangers.
        let mut refused = 0;
        for last in 1..=20 {
            let thief = Some(IpAddr::from([192, 0, 2, last]));
            for _ in 0..10 {
                let guess = rates.check_guess("alice", thief);
                refused += usize::from(guess.and_then(|()| rates.check_stranger("alice")).is_err());
            }
        }
        assert!(refused > 90, "{refused} of 200 were refused");
        assert!(rates.check_guess("alice", owner).is_ok());
        assert!(rates.check_stranger("alice").is_err());
    }

    #[test]
    fn registering_costs_nothing_that_belongs_to_an_account() {
        let rates = Rates::new(true, &Limits::default());
        let address = Some(IpAddr::from([192, 0, 2, 1]));
        assert!((0..100).any(|_| rates.check_registration(address).is_err()));
        assert!(rates.check_guess("alice", address).is_ok());
    }

    #[test]
    fn with_limits_off_nobody_waits() {
        let rates = Rates::new(false, &Limits::default());
        assert!((0..1_000).all(|_| rates.check_guess("alice", None).is_ok()));
    }
}
