//! Starting the server, and ending it politely.

use std::{io, sync::Arc, time::Duration};

use actix_web::rt;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use utoipa::OpenApi as _;

use super::{ApiDoc, docs::Documents, listen, signals, tls};
use crate::{
    app::App,
    chat::{account_changes, expired_logins::Sweep, statuses::Statuses},
    config::{Config, ConfigError, about_registration, weaknesses},
    logging,
    start::{self, Writers, run_detached},
};

/// Sockets come back spread over this time after a shutdown.
const COME_BACK_WITHIN: Duration = Duration::from_secs(5);
/// How long the journal may take to end after that.
const JOURNAL_TIMEOUT: Duration = Duration::from_secs(4);
/// How long noting how far the rooms have come may take after that.
const HISTORY_TIMEOUT: Duration = Duration::from_secs(1);
/// How long the watch of the database's files may take to end: all pages may be being looked at, and until then the log cannot
/// be put into the database.
const WATCH_TIMEOUT: Duration = Duration::from_secs(5);
/// A signal that comes so soon after the first says the same.
const ONE_WISH: Duration = Duration::from_millis(500);
/// How often is looked what only the database knows of people.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How often what has been quiet is forgotten.
const TIDY_EVERY: Duration = Duration::from_mins(1);

/// Serves until SIGTERM, SIGINT or SIGHUP.
///
/// # Errors
/// A sentence about what is in the way of starting.
pub async fn run(config: Config) -> Result<(), ConfigError> {
    let tls = config.tls.as_ref().map(tls::acceptor).transpose()?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    for weakness in weaknesses(config.bcrypt_cost, config.rate_limits) {
        log::warn!("{weakness}");
    }
    log::info!("{}", about_registration(&config));
    raise_open_files();
    let mut described = ApiDoc::openapi();
    if let Some(text) = &mut described.info.description {
        text.push(' ');
        text.push_str(about_registration(&config));
    }
    let documents = Documents::new(&described)
        .map_err(|error| ConfigError(format!("Parlour cannot start: {error}.")))?;
    let (host, port) = (config.host, config.port);
    let cannot_listen = |error: io::Error| {
        ConfigError(format!(
            "{host}:{port} cannot be listened on ({error}): choose another HOST or PORT, or stop what uses it."
        ))
    };
    // First, so that nothing has been made when the port is taken.
    let socket = listen::bind(&config).map_err(cannot_listen)?;
    let (app, writers, mut sole) = start::build(config)?;
    let mut intact = start::watch_files(&app)?;
    app.accounts.passwords.count_costs().await;
    if let Err(error) = app.statuses.bring_to_hub().await {
        log::warn!("what people have chosen to be is not known yet: {error}");
    }
    let seen = account_changes::find_latest(&app.logins).await.unwrap_or(0);
    let (server, address) = listen::start(&app, &documents, tls, socket).map_err(cannot_listen)?;
    let handle = server.handle();
    let serving = rt::spawn(server);
    // Heard before anyone can know that there is a server: a signal would otherwise kill it.
    let signal = signals::wait();
    announce(format!("Parlour is listening on {scheme}://{address}"));
    let tidying = rt::spawn(tidy(Arc::clone(&app)));
    let in_history = Arc::clone(&app);
    let with_people = Arc::clone(&app);
    let minding_people = rt::spawn(async move { mind_people(&with_people.statuses).await });
    let watching = rt::spawn(async move { in_history.history_watch.run().await });
    let binder = Arc::clone(&app);
    let binding = rt::spawn(async move { binder.unbound.bind_all().await });
    let sender = Arc::clone(&app);
    let sending = rt::spawn(async move { sender.scheduled.send_all().await });
    let watched = Arc::clone(&app);
    let minding = rt::spawn(async move {
        account_changes::watch(&watched.logins, &watched.heirs, seen).await;
    });
    let lost = tokio::select! {
        signal = signal => {
            log::info!("{signal}: shutting down");
            None
        }
        sentence = start::database_lost(&mut sole, &mut intact) => Some(sentence),
    };
    rt::spawn(async {
        // Some who end a process (`timeout`, a terminal) signal it and its group, which is one wish and not two.
        tokio::time::sleep(ONE_WISH).await;
        let signal = signals::wait().await;
        log::warn!("{signal} again: ending at once");
        logging::finish();
        std::process::exit(1);
    });
    app.run.start_draining();
    app.hub.drain(COME_BACK_WITHIN).await;
    handle.stop(true).await;
    if let Ok(Err(error)) = serving.await {
        log::error!("the server ended with an error: {error}");
    }
    app.budgets.log_omitted_lines();
    sending.abort();
    tidying.abort();
    minding_people.abort();
    watching.abort();
    binding.abort();
    minding.abort();
    let history = Arc::clone(&app.history);
    let database = app.config.storage.database_url.clone();
    // The last connection to close puts the log into the database, which is then one file.
    let unwatched = run_detached(move || drop(intact));
    let _a_disk_that_hangs = tokio::time::timeout(WATCH_TIMEOUT, unwatched).await;
    finish(app, writers).await;
    let keeping = run_detached(move || history.keep(true));
    let _a_disk_that_hangs = tokio::time::timeout(HISTORY_TIMEOUT, keeping).await;
    if let Some(sentence) = lost {
        return Err(ConfigError(sentence));
    }
    start::await_one_file(database).await;
    log::info!("bye");
    Ok(())
}

/// Runs what needs an actix system.
///
/// # Errors
/// What the future reports.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    actix_web::rt::System::new().block_on(future)
}

/// Every socket is an open file, and most systems begin with a limit of 1,024 that a process may raise by itself.
fn raise_open_files() {
    let limit = getrlimit(Resource::Nofile);
    let most = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, most) {
        log::debug!("the limit of open files stays as it is: {error}");
    }
}

/// The one line on standard output, by which scripts and people know where and that it listens.
fn announce(line: String) {
    let write = move || {
        use io::Write as _;
        let mut out = io::stdout().lock();
        // No one may be reading; that is no reason not to serve.
        let _no_one_reads = writeln!(out, "{line}").and_then(|()| out.flush());
    };
    // On a thread of its own: whoever should read may have stopped.
    let spawned = std::thread::Builder::new()
        .name("greeting".into())
        .spawn(write);
    if let Err(error) = spawned {
        log::warn!("nothing is said on standard output: {error}");
    }
}

/// Forgets, now and then, what has been quiet for long enough.
async fn tidy(app: Arc<App>) {
    let mut sweep = Sweep::default();
    loop {
        sweep.go_on(&app.logins).await;
        tokio::time::sleep(TIDY_EVERY).await;
        app.rates.forget_idle();
        app.budgets.forget_idle();
        app.logins.known.forget_idle();
        app.budgets.log_omitted_lines();
        app.authentication.tickets.forget_the_late();
        app.accounts.passwords.count_costs().await;
        if let Err(error) = app.statuses.clear_ended().await {
            log::debug!("statuses that have ended stay in the database for now: {error}");
        }
    }
}

/// Keeps the hub up to date in what only the database knows: accounts are also added and deleted beside the server.
async fn mind_people(statuses: &Statuses) {
    let mut have_words = false;
    loop {
        if !have_words {
            have_words = statuses.set_missing_words().await.is_ok();
        }
        tokio::time::sleep(LOOK_EVERY).await;
        if let Err(error) = statuses.bring_to_hub().await {
            log::debug!("what the database knows of people is not known yet: {error}");
        }
    }
}

/// Waits until the journal has answered all that it accepted.
async fn finish(app: Arc<App>, writers: Writers) {
    // The writers end when the last handle to the journal is gone.
    drop(app);
    let ending = run_detached(|| writers.join());
    if tokio::time::timeout(JOURNAL_TIMEOUT, ending).await.is_err() {
        log::warn!("the journal did not end in time");
    }
}
