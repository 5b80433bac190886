//! The handles that everything works with, made by [`start`](crate::start) and shared. A bundle without rules.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use crate::{
    chat::{
        budgets::Budgets, history::History, known_logins::KnownLogins, messages::Announcement,
        networks::Networks, pages_in_flight::PagesInFlight, passwords::HashCosts, rates::Rates,
        readiness::Readiness, tickets::Tickets,
    },
    clock::Clock,
    config::Config,
    crypto::{NoRandomness, keyed::DeletedNames, random_name, token::TokenKey, vault::Vault},
    db::Db,
    gate::Gate,
    hub::Hub,
    journal::Journal,
};

/// The handles.
pub struct App {
    /// The checked configuration.
    pub config: Config,
    /// Which history is served.
    pub history: Arc<History>,
    /// Whether it takes messages.
    pub readiness: Readiness,
    /// The database.
    pub db: Db,
    /// Where messages become durable.
    pub journal: Journal<Announcement>,
    /// Who is connected.
    pub hub: Hub,
    /// Seals and opens messages.
    pub vault: Arc<Vault>,
    /// What stands for the names of deleted accounts.
    pub deleted_names: DeletedNames,
    /// By it tokens and logins end.
    pub clock: Clock,
    /// Which logins were seen alive of late.
    pub known_logins: KnownLogins,
    /// Signs and checks access tokens.
    pub tokens: TokenKey,
    /// Where passwords are hashed.
    pub passwords: Gate,
    /// From where people have logged in.
    pub networks: Networks,
    /// What the hashes of passwords cost.
    pub hash_costs: HashCosts,
    /// How often one may do what.
    pub rates: Rates,
    /// What every frame and every request costs.
    pub budgets: Budgets,
    /// The answers with history that are being written.
    pub pages_in_flight: PagesInFlight,
    /// Tickets for sockets.
    pub tickets: Tickets,
    /// This run of the server.
    pub run: Run,
}

/// A run of the server: it names requests, and comes to an end.
#[derive(Debug)]
pub struct Run {
    /// With a count it names a request.
    name: String,
    requests: AtomicU64,
    draining: AtomicBool,
}

impl Run {
    /// A run that has a name of its own.
    ///
    /// # Errors
    /// When the system has no random bytes.
    pub fn begin() -> Result<Self, NoRandomness> {
        Ok(Self {
            name: random_name()?,
            requests: AtomicU64::new(0),
            draining: AtomicBool::new(false),
        })
    }

    /// A name for a request that has brought none.
    pub fn next_request_id(&self) -> String {
        format!(
            "{}-{}",
            self.name,
            self.requests.fetch_add(1, Ordering::Relaxed)
        )
    }

    /// From now on nobody new is let in.
    pub fn start_draining(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Whether the server is going down.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}
