//! Starting the server, and ending it politely.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use actix_cors::Cors;
use actix_http::{Response, ServiceConfig};
use actix_server::Server;
use actix_service::{
    IntoServiceFactory as _, ServiceFactory as _, ServiceFactoryExt as _, boxed, fn_factory,
    fn_service, map_config,
};
use actix_web::{
    App as ActixApp, Error as ActixError, dev::AppConfig, http::header, middleware, rt, web,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use utoipa::OpenApi as _;

use super::{
    connection::{self, Endpoint, Site, per_address::Connections},
    docs::Documents,
    observe,
    openapi::ApiDoc,
    routes, signals, tls,
};
use crate::{
    app::App,
    chat::{account_changes, expired_logins::Sweep},
    config::{Config, ConfigError, about_registration, weaknesses},
    logging,
    start::{self, Writers, run_detached},
};

/// Sockets come back spread over this time after a shutdown.
const COME_BACK_WITHIN: Duration = Duration::from_secs(5);
/// How long connections may take to end at shutdown.
const GRACE: u64 = 8;
/// How long the journal may take to end after that.
const JOURNAL_TIMEOUT: Duration = Duration::from_secs(4);
/// How long noting how far the rooms have come may take after that.
const HISTORY_TIMEOUT: Duration = Duration::from_secs(1);
/// How long the watch of the database's files may take to end.
const WATCH_TIMEOUT: Duration = Duration::from_secs(1);
/// A signal that comes so soon after the first says the same.
const ONE_WISH: Duration = Duration::from_millis(500);
/// Bytes that the kernel may hold for a client that reads slowly (Linux takes it twice, for its own needs). Left alone,
/// it would take some megabytes for each, and a few hundred of them would use up what it has for all connections.
const SEND_BUFFER: usize = 128 * 1024;
/// Bytes of these that need not have left for more to be wanted. Otherwise the kernel would ask for more only when a third
/// of its buffer is free again, and a slow client that takes steadily would seem to take nothing for long.
const MOST_NOT_SENT: u32 = 16 * 1024;
/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1_024;
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
    let socket = bind(&config).map_err(cannot_listen)?;
    let (app, writers, mut sole) = start::build(config)?;
    let mut intact = start::watch_files(&app)?;
    app.accounts.passwords.count_costs().await;
    let seen = account_changes::find_latest(&app.logins).await.unwrap_or(0);
    let (server, address) = listen(&app, &documents, tls, socket).map_err(cannot_listen)?;
    let handle = server.handle();
    let serving = rt::spawn(server);
    announce(format!("Parlour is listening on {scheme}://{address}"));
    let tidying = rt::spawn(tidy(Arc::clone(&app)));
    let served = Arc::clone(&app);
    let watching = rt::spawn(async move { served.history_watch.run().await });
    let watched = Arc::clone(&app);
    let minding = rt::spawn(async move { account_changes::watch(&watched.logins, seen).await });
    let lost = tokio::select! {
        signal = signals::wait() => {
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
    tidying.abort();
    watching.abort();
    minding.abort();
    let history = Arc::clone(&app.history);
    // The last connection to close puts the log into the database, which is then one file.
    let unwatched = run_detached(move || drop(intact));
    let _a_disk_that_hangs = tokio::time::timeout(WATCH_TIMEOUT, unwatched).await;
    finish(app, writers).await;
    let keeping = run_detached(move || history.keep(true));
    let _a_disk_that_hangs = tokio::time::timeout(HISTORY_TIMEOUT, keeping).await;
    if let Some(sentence) = lost {
        return Err(ConfigError(sentence));
    }
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

/// A socket that has its address, and refuses connections until it listens. They will send at once (Nagle's algorithm
/// against delayed acknowledgements costs 40 ms a frame). Linux hands these settings down to what is accepted.
fn bind(config: &Config) -> io::Result<Socket> {
    let address = SocketAddr::new(config.host, config.port);
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    socket.set_tcp_nodelay(true)?;
    socket.set_send_buffer_size(SEND_BUFFER)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_notsent_lowat(MOST_NOT_SENT)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

fn listen(
    app: &Arc<App>,
    documents: &Documents,
    tls: Option<TlsAcceptor>,
    socket: Socket,
) -> io::Result<(Server, SocketAddr)> {
    socket.listen(BACKLOG)?;
    let listener = TcpListener::from(socket);
    let address = listener.local_addr()?;
    let builder = Server::build()
        .workers(app.config.workers)
        .shutdown_timeout(GRACE)
        .disable_signals();
    let stop = builder.graceful_shutdown_signal();
    let connections = Connections::new(
        app.config.connections_per_address,
        &app.config.trusted_proxies,
    );
    let (app, documents) = (Arc::clone(app), documents.clone());
    let builder = builder.listen("parlour", listener, move || {
        let (app, connections) = (Arc::clone(&app), Arc::clone(&connections));
        let (stop, tls) = (stop.clone(), tls.clone());
        let site = site(&app, &documents);
        fn_factory(move || {
            let (app, connections) = (Arc::clone(&app), Arc::clone(&connections));
            let (stop, tls) = (stop.clone(), tls.clone());
            let site = site.new_service(());
            async move {
                let endpoint = Rc::new(Endpoint {
                    config: ServiceConfig::default(),
                    app,
                    connections,
                    site: site.await?,
                    stop,
                });
                Ok::<_, ()>(fn_service(move |stream| {
                    accept(Rc::clone(&endpoint), tls.clone(), stream)
                }))
            }
        })
    })?;
    Ok((builder.run(), address))
}

/// Lets a connection in, or not: it counts for its address from here on, before anything is done for it.
async fn accept(
    endpoint: Rc<Endpoint>,
    tls: Option<TlsAcceptor>,
    stream: TcpStream,
) -> Result<(), ()> {
    let Ok(peer) = stream.peer_addr() else {
        return Ok(());
    };
    let is_proxy = (endpoint.app.config.trusted_proxies.iter())
        .any(|net| net.contains(&peer.ip().to_canonical()));
    if !is_proxy && !endpoint.app.budgets.take_connection(peer.ip()) {
        log::debug!("a connection is cut: {} opens too many", peer.ip());
        return Ok(());
    }
    let Some(place) = endpoint.connections.enter(peer.ip()) else {
        log::debug!("a connection is cut: {} holds too many", peer.ip());
        return Ok(());
    };
    let Some(tls) = tls else {
        connection::serve(endpoint, stream, peer, place).await;
        return Ok(());
    };
    // In a box of its own: it is over soon, and the connection may stay for days.
    let shaken = tokio::select! {
        biased;
        shaken = Box::pin(tls::shake_hands(&tls, stream)) => shaken,
        () = endpoint.stop.notified() => None,
    };
    match shaken {
        Some(stream) => connection::serve(endpoint, stream, peer, place).await,
        None => log::debug!("a connection of {peer} is cut: no TLS came about"),
    }
    Ok(())
}

fn site(app: &Arc<App>, documents: &Documents) -> Site {
    let shared = web::Data::new(Arc::clone(app));
    let site = ActixApp::new()
        .app_data(shared.clone())
        .wrap(cors(&shared.config.cors_origins))
        .wrap(middleware::from_fn(observe::observe))
        .configure(routes)
        .configure(|service| documents.routes(service))
        .into_factory()
        .map(|answer| Response::from(answer.map_into_boxed_body()))
        .map_err(|error: ActixError| Response::from(error));
    // Nobody asks for the server's own name: every address that is given out is relative.
    boxed::factory(map_config(site, |()| AppConfig::default()))
}

/// Pages of the configured origins may use the API; the list is exact and never reflects what was asked.
fn cors(origins: &[String]) -> Cors {
    let cors = Cors::default()
        .allowed_methods(["GET", "POST", "PUT", "DELETE"])
        .allowed_headers([header::AUTHORIZATION, header::CONTENT_TYPE])
        .expose_headers([header::LINK, header::RETRY_AFTER])
        .expose_headers(["x-request-id"])
        .max_age(3_600);
    // A request of another origin is answered, without the header that would let its page read the answer.
    origins
        .iter()
        .fold(cors, |cors, origin| cors.allowed_origin(origin))
        .block_on_origin_mismatch(false)
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
