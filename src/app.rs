//! The handles that everything works with: built once, at start, and shared. A bundle without rules.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use chrono::Datelike as _;
use secrecy::ExposeSecret as _;

use crate::{
    chat::{
        budgets::Budgets,
        connections::Connections,
        history::{self, History},
        known_logins::KnownLogins,
        messages::{self, Announcement},
        networks::Networks,
        pages_in_flight::PagesInFlight,
        passwords::Costs,
        rates::Rates,
        readiness::Readiness,
        tickets::Tickets,
    },
    clock::Clock,
    config::{Config, ConfigError, DatabaseUrl, Storage, passed_over},
    crypto::{keyed::DeletedNames, random_name, token::TokenKey, vault::Vault},
    db::{
        AnyConnection, Db, QueryError, WriteError, conn, disk, facts, file, fitness,
        intact::{self, Intact},
        lock::{self, LockError},
        migrate,
        reach::{Reach, one_line},
        users::{self, changes},
    },
    gate::{Gate, Share},
    hub::Hub,
    journal::Journal,
    protocol::time::{format, now},
};

pub use crate::{db::lock::SoleServer, gate::aside, journal::Writers};

/// How long to wait for another server on the same database to end, as in a restart.
const HANDOVER: Duration = Duration::from_secs(10);
/// Longest wait for a password's turn.
const PASSWORD_PATIENCE: Duration = Duration::from_secs(10);
/// Most logins that wait for their turn.
const PASSWORD_QUEUE: usize = 64;

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
    pub costs: Costs,
    /// How often one may do what.
    pub rates: Rates,
    /// What every frame and every request costs.
    pub budgets: Budgets,
    /// The answers with history that are being written.
    pub pages_in_flight: PagesInFlight,
    /// How many connections an address may hold.
    pub connections: Arc<Connections>,
    /// Tickets for sockets.
    pub tickets: Tickets,
    /// Names this run of the server; with a count it names a request.
    run: String,
    requests: AtomicU64,
    draining: AtomicBool,
}

impl App {
    /// Takes the database for this process, brings it up to date and starts everything that serving needs. Must run
    /// inside an actix system.
    ///
    /// # Errors
    /// One sentence about what is in the way.
    pub fn build(mut config: Config) -> Result<(Arc<Self>, Writers, SoleServer), ConfigError> {
        let no_threads = |error: std::io::Error| {
            ConfigError(format!("The system gives no more threads ({error})."))
        };
        let vault = Vault::new(config.keys.encryption_key.expose_secret())
            .ok_or_else(|| ConfigError("ENCRYPTION_KEY holds no key.".into()))?;
        // After 9999 the dates of HTTP have no form (RFC 9110, 5.6.7), and what writes them would panic.
        if !(2026..=9999).contains(&now().year()) {
            return Err(ConfigError(format!(
                "The clock of this machine says {}: set it first, or logins and messages would bear wrong times.",
                format(&now())
            )));
        }
        config.storage.database_url =
            file::real(&config.storage.database_url).map_err(ConfigError)?;
        let mut reach = Reach::new(&config.storage.database_url, config.storage.wait);
        refuse_unfit(&mut reach)?;
        refuse_foreign(&config, &mut reach, &vault)?;
        let sole = take_lock(&mut reach)?;
        refuse_lost(&config.storage)?;
        let history = Arc::new(prepare_database(&config, &mut reach, &vault)?);
        let db = Db::new(&config.storage).map_err(no_threads)?;
        let hub = Hub::start(config.patience, config.limits.sockets_per_user);
        let announcer = || {
            let (mut publisher, history) = (hub.publisher(), Arc::clone(&history));
            move |news| {
                history.note(&news);
                messages::announce(&mut publisher, news);
            }
        };
        let clock = Clock::start();
        let (journal, writers) =
            Journal::start(&config.storage, clock, announcer).map_err(no_threads)?;
        let threads = (config.workers / 2).clamp(1, 4);
        let passwords = Gate::start(
            "password",
            Share::Leftover,
            threads,
            PASSWORD_QUEUE,
            PASSWORD_PATIENCE,
        )
        .map_err(no_threads)?;
        let app = Self {
            history,
            readiness: Readiness::default(),
            db,
            journal,
            hub,
            vault: Arc::new(vault),
            deleted_names: DeletedNames::new(config.keys.encryption_key.expose_secret()),
            clock,
            known_logins: KnownLogins::default(),
            tokens: TokenKey::new(config.keys.secret_key.expose_secret()),
            passwords,
            networks: Networks::new(config.keys.secret_key.expose_secret()),
            costs: Costs::new(config.keys.secret_key.expose_secret()),
            rates: Rates::new(config.rate_limits, &config.limits),
            budgets: Budgets::new(config.rate_limits, &config.limits),
            pages_in_flight: PagesInFlight::new(config.rate_limits),
            connections: Connections::new(config.connections_per_address, &config.trusted_proxies),
            tickets: Tickets::default(),
            run: random_name()
                .map_err(|error| ConfigError(format!("Parlour cannot start: {error}.")))?,
            requests: AtomicU64::new(0),
            draining: AtomicBool::new(false),
            config,
        };
        Ok((Arc::new(app), writers, sole))
    }

    /// Watches the files of the embedded database.
    ///
    /// # Errors
    /// One sentence, when they cannot be watched.
    pub fn watch_files(&self) -> Result<Intact, ConfigError> {
        intact::watch(&self.config.storage.database_url).map_err(|error| {
            ConfigError(format!(
                "The files of the database cannot be watched ({error})."
            ))
        })
    }

    /// Comes back when this process may not go on writing, with a sentence that says why.
    pub async fn database_lost(&self, sole: &mut SoleServer, intact: &mut Intact) -> String {
        tokio::select! {
            () = sole.lost() => {
                "Another Parlour server has taken this database over, so this one has ended: run one of the two only.".into()
            }
            broken = intact.broken() => {
                let sentence = broken.to_string();
                log::error!("{sentence}");
                sentence
            }
        }
    }

    /// A name for a request that has brought none.
    pub fn next_request_id(&self) -> String {
        format!(
            "{}-{}",
            self.run,
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

/// Refuses a database that cannot be served, by what a connection to it shows.
///
/// # Errors
/// One sentence about what is in the way.
pub fn refuse_unfit(reach: &mut Reach<'_>) -> Result<(), ConfigError> {
    let url = reach.url();
    if matches!(url, DatabaseUrl::Sqlite(_)) {
        // It is opened, and made, only by whoever has its lock.
        return Ok(());
    }
    let unreachable = |error: &dyn std::fmt::Display| unreachable_database(url, error);
    let mut conn = reach.open().map_err(|error| unreachable(&error))?;
    let fault =
        fitness::find_connection_fault(&mut conn, url).map_err(|error| unreachable(&error))?;
    fault.map_or(Ok(()), |fault| Err(ConfigError(fault)))
}

/// Refuses tables and keys that do not belong to this program, before the lock is asked for: who could not go on must not
/// win it from a server that has lost it for a moment.
fn refuse_foreign(
    config: &Config,
    reach: &mut Reach<'_>,
    vault: &Vault,
) -> Result<(), ConfigError> {
    let url = reach.url();
    if matches!(url, DatabaseUrl::Sqlite(_)) {
        // It is opened only by whoever has its lock, which no one loses.
        return Ok(());
    }
    let mut conn = reach
        .open()
        .map_err(|error| unreachable_database(url, &error))?;
    refuse_unfit_tables(&mut conn, url)?;
    match migrate::look(&mut conn) {
        Ok(standing) if !standing.is_new => check_keys(config, &mut conn, url, vault).map(|_| ()),
        _ => Ok(()),
    }
}

/// Takes the database for this process. Waits a while for another one to end.
///
/// # Errors
/// One sentence about what is in the way.
pub fn take_lock(reach: &mut Reach<'_>) -> Result<SoleServer, ConfigError> {
    let url = reach.url();
    lock::take(reach, HANDOVER).map_err(|error| match error {
        LockError::Taken => ConfigError(format!(
            "Another Parlour server is using {url}: stop it first, or give this one a DATABASE_URL (and DATA_DIR) of its own."
        )),
        LockError::Refused(sentence) => ConfigError(sentence),
        LockError::Unreachable(cause) => unreachable_database(url, &cause),
    })
}

/// Refuses to make an embedded database where there was one with messages: it was taken away, and everything would seem to be
/// gone, with every name free to be taken by others.
///
/// # Errors
/// One sentence about what to do.
pub fn refuse_lost(storage: &Storage) -> Result<(), ConfigError> {
    let DatabaseUrl::Sqlite(path) = &storage.database_url else {
        return Ok(());
    };
    let Some(history) = history::find_traces(&storage.data_dir) else {
        return Ok(());
    };
    let is_lost = !path.exists()
        || conn::look(&storage.database_url)
            .ok()
            .and_then(|mut conn| migrate::look(&mut conn).ok())
            .is_some_and(|standing| standing.is_new);
    if !is_lost {
        return Ok(());
    }
    Err(ConfigError(format!(
        "The database {} is not there, or is empty, though {} knows of messages: put it back (with its -wal, if there is one), restore a backup with `parlour restore`, or, to begin without them, remove {}.",
        storage.database_url,
        history.display(),
        history.display()
    )))
}

/// Refuses a database whose tables this program cannot bring up to date or work with.
///
/// # Errors
/// One sentence about what is in the way.
pub fn refuse_unfit_tables(conn: &mut AnyConnection, url: &DatabaseUrl) -> Result<(), ConfigError> {
    let fault = fitness::find_table_fault(conn, url);
    fault
        .map_err(|error| unreachable_database(url, &error))?
        .map_or(Ok(()), |fault| Err(ConfigError(fault)))
}

fn unreachable_database(url: &DatabaseUrl, cause: &dyn std::fmt::Display) -> ConfigError {
    let cause = one_line(cause);
    ConfigError(
        if cause.contains("authentication failed") || cause.contains("no password") {
            format!(
                "The database {url} refuses the user or the password of DATABASE_URL ({cause})."
            )
        } else if cause.contains("FATAL: database") && cause.contains("does not exist") {
            format!(
                "The database {url} does not exist: make it (CREATE DATABASE), or check the name in DATABASE_URL ({cause})."
            )
        } else if let Some(sentence) = disk::find_trouble(url, &cause) {
            sentence
        } else {
            format!(
                "The database {url} cannot be reached: check DATABASE_URL and that the database is running ({cause})."
            )
        },
    )
}

/// Runs pending migrations, and sees to the facts that a database must have: a sealed text that tells whether the keys are
/// the right ones, and those of its history.
fn prepare_database(
    config: &Config,
    reach: &mut Reach<'_>,
    vault: &Vault,
) -> Result<History, ConfigError> {
    let url = reach.url();
    let unreachable = |error: &dyn std::fmt::Display| unreachable_database(url, error);
    let mut conn = reach.open().map_err(|error| unreachable(&error))?;
    refuse_unfit_tables(&mut conn, url)?;
    let ran = migrate::run(&mut conn).map_err(|error| {
        ConfigError(format!(
            "The database {url} could not be brought up to date: {error}."
        ))
    })?;
    if !ran.is_empty() {
        log::info!("ran {} pending migrations", ran.len());
    }
    let checks = check_keys(config, &mut conn, url, vault)?;
    config.keys.keep()?;
    // Every key that has sealed something here leaves a fact of its own.
    if !checks.iter().any(|sealed| vault.is_current(sealed)) {
        let name = format!("{}{}", facts::KEY_CHECK, checks.len() + 1);
        facts::insert(&mut conn, &name, &vault.seal(&name)).map_err(|error| unreachable(&error))?;
    }
    key_deleted_names(config, &mut conn).map_err(|error| unreachable(&error))?;
    History::begin(&mut conn, &config.storage.data_dir).map_err(|error| unreachable(&error))
}

/// Gives what an older release has kept of deleted names a key.
fn key_deleted_names(config: &Config, conn: &mut AnyConnection) -> Result<(), QueryError> {
    let names = DeletedNames::new(config.keys.encryption_key.expose_secret());
    changes::overwrite_what_is_deleted(conn)?;
    let keyed = |hash: &str| names.of(hash).into_iter().next();
    let written = conn::write(conn, |conn| users::key_deleted(conn, keyed));
    let count = written.map_err(|error| match error {
        WriteError::Refused(error) | WriteError::Unknown(error) => error,
    })?;
    if count > 0 {
        // What could be guessed back stands in the log, too. Somebody may be reading; then it is emptied later.
        let _later = changes::empty_log(conn);
    }
    Ok(())
}

/// What each key has sealed to be known by. With other keys, all would be unreadable, and new messages would be sealed
/// with a key that the old ones do not have.
fn check_keys(
    config: &Config,
    conn: &mut AnyConnection,
    url: &DatabaseUrl,
    vault: &Vault,
) -> Result<Vec<String>, ConfigError> {
    let checks = facts::list(conn, facts::KEY_CHECK);
    let checks = checks.map_err(|error| unreachable_database(url, &error))?;
    if vault.opens_all(&checks) {
        Ok(checks)
    } else {
        Err(wrong_keys(config, &checks))
    }
}

fn wrong_keys(config: &Config, checks: &[String]) -> ConfigError {
    let opens = |keys: &str| Vault::new(keys).is_some_and(|vault| vault.opens_all(checks));
    if let Some(advice) = passed_over(&config.storage.data_dir, opens) {
        return ConfigError(advice);
    }
    ConfigError(config.keys.new_encryption_key().map_or_else(
        || "ENCRYPTION_KEY does not open what is in this database: give the key it was sealed with (to change it, put the new key first and keep the old one behind a comma).".into(),
        |path| format!(
            "This database was sealed with a key that is not there: restore {} from your backup, or set ENCRYPTION_KEY to it.",
            path.display()
        ),
    ))
}
