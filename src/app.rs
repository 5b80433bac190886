//! The handles that everything works with, made by [`start`](crate::start) and shared. A bundle without rules.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use crate::{
    chat::{
        access::Access, accounts::Accounts, authentication::Authentication, commands::Commands,
        drafts::Drafts, epoch, flood_budgets::Budgets, heirs::Heirs, logins::Logins,
        messages::Messages, pages::Pages, pages_in_flight::PagesInFlight, profiles::Profiles,
        rates::Rates, readiness::Readiness, reading::Reading, rooms::Rooms, saved::Saved,
        scheduled::Scheduled, slash::SlashCommands, statuses::Statuses, threads::Threads,
        typing::Typing, unbound::Unbound,
    },
    config::Config,
    crypto::{NoRandomness, random_name},
    hub::Hub,
};

/// The handles.
pub struct App {
    /// The checked configuration.
    pub config: Config,
    /// Which history is served.
    pub history: Arc<epoch::History>,
    /// Notices when another one has taken its place.
    pub history_watch: epoch::Watch,
    /// Whether it takes messages.
    pub readiness: Readiness,
    /// Who is connected.
    pub hub: Hub,
    /// Who may read what.
    pub access: Arc<Access>,
    /// Tells of rooms.
    pub rooms: Rooms,
    /// Reads history.
    pub pages: Pages,
    /// Messages of a release that did not bind texts to their places.
    pub unbound: Unbound,
    /// Keeps how far people have read.
    pub reading: Reading,
    /// Has rooms say that they were inherited.
    pub heirs: Arc<Heirs>,
    /// Takes what people do.
    pub commands: Arc<Commands>,
    /// Carries slash commands out.
    pub slash: SlashCommands,
    /// What people say of themselves.
    pub profiles: Arc<Profiles>,
    /// What people have chosen to be.
    pub statuses: Arc<Statuses>,
    /// Tells who is writing.
    pub typing: Typing,
    /// Shows messages.
    pub messages: Messages,
    /// Tells of threads.
    pub threads: Threads,
    /// Keeps what people have begun to write.
    pub drafts: Drafts,
    /// Knows which messages people have saved.
    pub saved: Saved,
    /// Has said what people want to have said later.
    pub scheduled: Arc<Scheduled>,
    /// Which logins are live.
    pub logins: Arc<Logins>,
    /// Knows who speaks.
    pub authentication: Arc<Authentication>,
    /// The accounts of everyone.
    pub accounts: Accounts,
    /// How often one may do what.
    pub rates: Rates,
    /// What every frame and every request costs.
    pub budgets: Budgets,
    /// The answers with history that are being written.
    pub pages_in_flight: PagesInFlight,
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

    /// From now on no one new is let in.
    pub fn start_draining(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Whether the server is going down.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}
