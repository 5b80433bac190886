//! How much of a gate each network and each account has used of late.

use std::{collections::HashMap, net::IpAddr, time::Instant};

use super::lanes::Asker;

/// After this many seconds, what was used counts half.
const HALF_LIFE: f64 = 30.0;
/// Most networks and accounts that are remembered at once.
const MOST: usize = 8_192;
/// Use of less than this is forgotten when there are too many.
const LITTLE: f64 = 0.1;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum User {
    Network(IpAddr),
    Account(i64),
}

#[derive(Debug, Clone, Copy)]
struct Used {
    jobs: f64,
    at: Instant,
}

impl Used {
    fn now(self, now: Instant) -> f64 {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.jobs * (-passed / HALF_LIFE).exp2()
    }
}

/// The jobs that were begun for each network and account; old ones count less and less.
#[derive(Debug, Default)]
pub(super) struct Usage(HashMap<User, Used>);

impl Usage {
    /// What the network of this asker has used, or its account, whichever is more.
    pub(super) fn of(&self, asker: &Asker, now: Instant) -> f64 {
        users(asker)
            .filter_map(|user| self.0.get(&user))
            .map(|used| used.now(now))
            .fold(0.0, f64::max)
    }

    /// A job of this asker begins.
    pub(super) fn add(&mut self, asker: &Asker, now: Instant) {
        for user in users(asker) {
            let jobs = 1.0 + self.0.get(&user).map_or(0.0, |used| used.now(now));
            self.0.insert(user, Used { jobs, at: now });
        }
        // Who has used much is remembered in any case.
        let mut little = LITTLE;
        while self.0.len() > MOST {
            self.0.retain(|_, used| used.now(now) > little);
            little *= 2.0;
        }
    }
}

fn users(asker: &Asker) -> impl Iterator<Item = User> {
    let network = asker.network.map(User::Network);
    network
        .into_iter()
        .chain(asker.known_account.map(User::Account))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn asker(network: u32, known_account: Option<i64>) -> Asker {
        Asker {
            network: Some(IpAddr::from(network.to_be_bytes())),
            known_account,
        }
    }

    #[test]
    fn use_is_that_of_the_network_or_the_account_and_fades() {
        let (mut usage, start) = (Usage::default(), Instant::now());
        for network in 0..3 {
            usage.add(&asker(network, Some(7)), start);
        }
        let used = |asker: &Asker, after: u64| usage.of(asker, start + Duration::from_secs(after));
        assert!(used(&asker(9, Some(7)), 0) > 2.9);
        assert!(used(&asker(0, Some(8)), 0) < 1.1);
        assert!(used(&asker(9, Some(8)), 0) <= 0.0);
        assert!(used(&asker(9, Some(7)), 60) < 0.8);
    }

    #[test]
    fn of_many_only_those_who_used_much_are_remembered() {
        let (mut usage, now) = (Usage::default(), Instant::now());
        for _ in 0..50 {
            usage.add(&asker(u32::MAX, None), now);
        }
        for network in 0..100_000 {
            usage.add(&asker(network, None), now);
        }
        assert!(usage.0.len() <= MOST);
        assert!(usage.of(&asker(u32::MAX, None), now) > 49.0);
    }
}
