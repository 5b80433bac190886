//! Starting: what must be so before anything is served, and the building of all handles. What is in the way is told as one
//! sentence that says what to do.

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use chrono::Datelike as _;
use secrecy::ExposeSecret as _;
use tokio::sync::Notify;

use crate::{
    app::{App, Run},
    chat::{
        access::Access,
        accounts::Accounts,
        announce,
        authentication::Authentication,
        commands::Commands,
        drafts::Drafts,
        epoch::{self, History},
        flood_budgets::Budgets,
        heirs::Heirs,
        known_logins::KnownLogins,
        lanes::Lanes,
        logins::Logins,
        messages::Messages,
        networks::Networks,
        pages::Pages,
        pages_in_flight::PagesInFlight,
        passwords::{HashCosts, Passwords},
        profiles::Profiles,
        rates::Rates,
        readiness::Readiness,
        reading::Reading,
        rooms::Rooms,
        saved::Saved,
        scheduled::Scheduled,
        slash::SlashCommands,
        statuses::Statuses,
        threads::Threads,
        tickets::Tickets,
        typing::Typing,
        unbound::Unbound,
        views::Views,
    },
    clock::Clock,
    config::{Config, ConfigError, DatabaseUrl},
    crypto::{keyed::DeletedNames, token::TokenKey, vault::Vault},
    db::{
        Db, conn,
        file_watch::{self, FileWatch},
    },
    gate::{Gate, Share},
    hub::Hub,
    journal::Journal,
    protocol::time::{format, now},
};

pub mod database;
mod keys;

pub use crate::{db::lock::SoleServer, gate::run_detached, journal::Writers};

/// Longest wait for a password's turn.
const PASSWORD_TIMEOUT: Duration = Duration::from_secs(10);
/// Most logins that wait for their turn.
const PASSWORD_QUEUE: usize = 64;
/// How long what still uses an embedded database may keep it from being one file at the end.
const ONE_FILE_TIMEOUT: Duration = Duration::from_millis(500);

/// Waits, when all else has ended, until an embedded database is one file again.
pub async fn await_one_file(database: DatabaseUrl) {
    let closing = run_detached(move || conn::await_one_file(&database, ONE_FILE_TIMEOUT));
    let _a_disk_that_hangs = tokio::time::timeout(2 * ONE_FILE_TIMEOUT, closing).await;
}

/// Takes the database for this process, brings it up to date and starts everything that serving needs. Must run inside an
/// actix system.
///
/// # Errors
/// One sentence about what is in the way.
pub fn build(mut config: Config) -> Result<(Arc<App>, Writers, SoleServer), ConfigError> {
    let vault = Vault::new(config.keys.encryption_key.expose_secret())
        .ok_or_else(|| ConfigError("ENCRYPTION_KEY holds no key.".into()))?;
    refuse_impossible_time()?;
    let (history, sole) = database::take(&mut config, &vault)?;
    let (history, vault) = (Arc::new(history), Arc::new(vault));
    let db = Db::new(&config.storage).map_err(|error| no_threads(&error))?;
    let hub = Hub::start(config.socket_limits, config.limits.sockets_per_user);
    let views = Views::start(db.clone(), hub.clone());
    let announcer = || {
        let (mut publisher, history) = (hub.publisher(), Arc::clone(&history));
        let (vault, views) = (Arc::clone(&vault), views.clone());
        move |news| {
            history.note(&news);
            announce::announce(&mut publisher, &vault, &views, news);
        }
    };
    let clock = Clock::start();
    let (journal, writers) = Journal::start(&config.storage, clock, &vault, announcer)
        .map_err(|error| no_threads(&error))?;
    let parts = Parts {
        db,
        journal,
        hub,
        views,
        history,
        vault,
        clock,
        rates: Rates::new(config.rate_limits, &config.limits),
    };
    Ok((Arc::new(bundle(config, parts)?), writers, sole))
}

/// What the nouns of `chat` are made of.
struct Parts {
    db: Db,
    journal: Journal,
    hub: Hub,
    views: Views,
    history: Arc<History>,
    vault: Arc<Vault>,
    clock: Clock,
    rates: Rates,
}

fn bundle(config: Config, parts: Parts) -> Result<App, ConfigError> {
    let authentication = authentication(&config, &parts);
    let access = Arc::new(Access {
        db: parts.db.clone(),
        clock: parts.clock,
    });
    let (profiles, statuses, typing) = people(&parts, &access);
    let (commands, scheduled, slash) = saying(&config, &parts, (&access, &statuses));
    let heirs = Arc::new(Heirs {
        db: parts.db.clone(),
        journal: parts.journal.clone(),
        // Also what was done while no server ran.
        may_have: AtomicBool::new(true),
    });
    let accounts = accounts(&config, &parts, (&authentication, &statuses, &heirs))?;
    let Parts {
        db,
        journal,
        hub,
        views,
        history,
        vault,
        clock: _,
        rates,
    } = parts;
    let unbound = Unbound {
        db: db.clone(),
        vault: Arc::clone(&vault),
        history: Arc::clone(&history),
    };
    Ok(App {
        readiness: Readiness::new(db.clone(), journal.clone()),
        history_watch: epoch::Watch {
            history: Arc::clone(&history),
            db: db.clone(),
            journal: journal.clone(),
            hub: hub.clone(),
        },
        history,
        pages: Pages {
            access: Arc::clone(&access),
            vault: Arc::clone(&vault),
            rates: rates.clone(),
        },
        rooms: Rooms {
            access: Arc::clone(&access),
            vault: Arc::clone(&vault),
            rates: rates.clone(),
            views,
        },
        heirs,
        reading: Reading {
            access: Arc::clone(&access),
            journal,
            rates: rates.clone(),
        },
        profiles,
        statuses,
        typing,
        messages: Messages {
            access: Arc::clone(&access),
            vault: Arc::clone(&vault),
            rates: rates.clone(),
        },
        threads: Threads {
            access: Arc::clone(&access),
            vault: Arc::clone(&vault),
            rates: rates.clone(),
        },
        drafts: Drafts {
            access: Arc::clone(&access),
            vault: Arc::clone(&vault),
            hub: hub.clone(),
            rates: rates.clone(),
            content_bytes: config.limits.content_bytes,
            lanes: Arc::default(),
        },
        saved: Saved {
            access: Arc::clone(&access),
            vault: Arc::clone(&vault),
            rates: rates.clone(),
        },
        scheduled,
        commands,
        slash,
        access,
        unbound,
        logins: Arc::clone(&authentication.logins),
        authentication,
        accounts,
        hub,
        budgets: Budgets::new(config.rate_limits, &config.limits),
        pages_in_flight: PagesInFlight::new(config.rate_limits),
        rates,
        run: Run::begin()
            .map_err(|error| ConfigError(format!("Parlour cannot start: {error}.")))?,
        config,
    })
}

/// What people are told of each other.
fn people(parts: &Parts, access: &Arc<Access>) -> (Arc<Profiles>, Arc<Statuses>, Typing) {
    let profiles = Arc::new(Profiles {
        access: Arc::clone(access),
        vault: Arc::clone(&parts.vault),
        rates: parts.rates.clone(),
        hub: parts.hub.clone(),
        lanes: Lanes::default(),
    });
    let statuses = Statuses {
        db: parts.db.clone(),
        access: Arc::clone(access),
        vault: Arc::clone(&parts.vault),
        hub: parts.hub.clone(),
        rates: parts.rates.clone(),
        lanes: Lanes::default(),
        is_loaded: AtomicBool::new(false),
    };
    let typing = Typing {
        access: Arc::clone(access),
        hub: parts.hub.clone(),
        rates: parts.rates.clone(),
    };
    (profiles, Arc::new(statuses), typing)
}

/// What is said, now and later.
fn saying(
    config: &Config,
    parts: &Parts,
    (access, statuses): (&Arc<Access>, &Arc<Statuses>),
) -> (Arc<Commands>, Arc<Scheduled>, SlashCommands) {
    let commands = Arc::new(Commands {
        journal: parts.journal.clone(),
        access: Arc::clone(access),
        vault: Arc::clone(&parts.vault),
        rates: parts.rates.clone(),
        content_bytes: config.limits.content_bytes,
    });
    let scheduled = Arc::new(Scheduled {
        access: Arc::clone(access),
        commands: Arc::clone(&commands),
        vault: Arc::clone(&parts.vault),
        hub: parts.hub.clone(),
        rates: parts.rates.clone(),
        lanes: Lanes::default(),
        sooner: Notify::new(),
    });
    let slash = SlashCommands {
        commands: Arc::clone(&commands),
        access: Arc::clone(access),
        statuses: Arc::clone(statuses),
        scheduled: Arc::clone(&scheduled),
    };
    (commands, scheduled, slash)
}

fn authentication(config: &Config, parts: &Parts) -> Arc<Authentication> {
    Arc::new(Authentication {
        tokens: TokenKey::new(config.keys.secret_key.expose_secret()),
        access_token_life: config.access_token_life,
        tickets: Tickets::default(),
        logins: Arc::new(Logins {
            db: parts.db.clone(),
            hub: parts.hub.clone(),
            clock: parts.clock,
            known: KnownLogins::default(),
            life: config.session_life,
        }),
        rates: parts.rates.clone(),
    })
}

fn accounts(
    config: &Config,
    parts: &Parts,
    (authentication, statuses, heirs): (&Arc<Authentication>, &Arc<Statuses>, &Arc<Heirs>),
) -> Result<Accounts, ConfigError> {
    let secret = config.keys.secret_key.expose_secret();
    Ok(Accounts {
        db: parts.db.clone(),
        passwords: Passwords {
            db: parts.db.clone(),
            gate: start_passwords(config)?,
            costs: HashCosts::new(secret),
            cost: config.bcrypt_cost,
        },
        authentication: Arc::clone(authentication),
        statuses: Arc::clone(statuses),
        most_logins: config.sessions_per_user,
        networks: Networks::new(secret),
        deleted_names: DeletedNames::new(config.keys.encryption_key.expose_secret()),
        vault: Arc::clone(&parts.vault),
        rates: parts.rates.clone(),
        heirs: Arc::clone(heirs),
    })
}

fn no_threads(error: &std::io::Error) -> ConfigError {
    ConfigError(format!("The system gives no more threads ({error})."))
}

/// After 9999 the dates of HTTP have no form (RFC 9110, 5.6.7), and what writes them would panic.
fn refuse_impossible_time() -> Result<(), ConfigError> {
    if (2026..=9999).contains(&now().year()) {
        return Ok(());
    }
    Err(ConfigError(format!(
        "The clock of this machine says {}: set it first, or logins and messages would bear wrong times.",
        format(&now())
    )))
}

fn start_passwords(config: &Config) -> Result<Gate, ConfigError> {
    let threads = (config.workers / 2).clamp(1, 4);
    Gate::start(
        "password",
        Share::Leftover,
        threads,
        PASSWORD_QUEUE,
        PASSWORD_TIMEOUT,
    )
    .map_err(|error| no_threads(&error))
}

/// Watches the files of the embedded database.
///
/// # Errors
/// One sentence, when they cannot be watched.
pub fn watch_files(app: &App) -> Result<FileWatch, ConfigError> {
    file_watch::watch(&app.config.storage.database_url).map_err(|error| {
        ConfigError(format!(
            "The files of the database cannot be watched ({error})."
        ))
    })
}

/// Comes back when this process may not go on writing, with a sentence that says why.
pub async fn database_lost(sole: &mut SoleServer, watch: &mut FileWatch) -> String {
    tokio::select! {
        () = sole.lost() => {
            "Another Parlour server has taken this database over, so this one has ended: run one of the two only.".into()
        }
        broken = watch.lost_file() => {
            let sentence = broken.to_string();
            log::error!("{sentence}");
            sentence
        }
    }
}
