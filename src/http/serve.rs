//! Starting the server, and ending it politely.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use actix_cors::Cors;
use actix_web::{App as ActixApp, HttpServer, dev::Server, http::header, middleware, rt, web};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::oneshot,
};
use utoipa::OpenApi as _;

use super::{docs::Documents, observe, openapi::ApiDoc, routes};
use crate::{
    app::{App, Writers},
    config::{Config, ConfigError, TlsFiles, weaknesses},
};

/// Sockets come back spread over this time after a shutdown.
const COME_BACK_WITHIN: Duration = Duration::from_secs(5);
/// How long connections may take to end at shutdown.
const GRACE: u64 = 8;
/// How long the journal may take to end after that.
const JOURNAL_PATIENCE: Duration = Duration::from_secs(4);
/// How long the head of a request may take to arrive.
const HEAD_PATIENCE: Duration = Duration::from_secs(10);
/// How long a connection may idle between two requests.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// How often what has been quiet is forgotten.
const TIDY_EVERY: Duration = Duration::from_mins(1);

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
/// A sentence about what is in the way of starting.
pub async fn run(config: Config) -> Result<(), ConfigError> {
    let tls = config.tls.as_ref().map(tls_config).transpose()?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    for weakness in weaknesses(config.bcrypt_cost, config.rate_limits) {
        log::warn!("{weakness}");
    }
    let documents = Documents::new(&ApiDoc::openapi())
        .map_err(|error| ConfigError(format!("Parlour cannot start: {error}.")))?;
    let (app, writers, mut sole) = App::build(config)?;
    let (server, address) = start(&app, &documents, tls).map_err(|error| {
        let (host, port) = (app.config.host, app.config.port);
        ConfigError(format!("{host}:{port} cannot be listened on ({error}): choose another HOST or PORT, or stop what uses it."))
    })?;
    let handle = server.handle();
    let serving = rt::spawn(server);
    announce(&format!("Parlour is listening on {scheme}://{address}"));
    let tidying = rt::spawn(tidy(Arc::clone(&app)));
    let taken_over = tokio::select! {
        signal = wait_for_signal() => {
            log::info!("{signal}: shutting down");
            false
        }
        () = sole.lost() => true,
    };
    rt::spawn(async {
        let signal = wait_for_signal().await;
        log::warn!("{signal} again: ending at once");
        std::process::exit(1);
    });
    app.start_draining();
    app.hub.drain(COME_BACK_WITHIN).await;
    handle.stop(true).await;
    if let Ok(Err(error)) = serving.await {
        log::error!("the server ended with an error: {error}");
    }
    tidying.abort();
    finish(app, writers).await;
    if taken_over {
        return Err(ConfigError(
            "Another Parlour server has taken this database over, so this one has ended: run one of the two only.".into(),
        ));
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

/// The one line on standard output, by which scripts and people know where and that it listens.
fn announce(line: &str) {
    use io::Write as _;
    let mut out = io::stdout().lock();
    // Nobody may be reading; that is no reason not to serve.
    let _nobody_reads = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// A listening socket whose connections send at once (Nagle's algorithm against delayed acknowledgements costs 40 ms a
/// frame) and are cut by the kernel when a client takes nothing for too long. Linux hands both settings down to what
/// is accepted.
fn listener(config: &Config) -> io::Result<TcpListener> {
    let address = SocketAddr::new(config.host, config.port);
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    socket.set_tcp_nodelay(true)?;
    socket.set_tcp_user_timeout(Some(config.patience.slow_reader))?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(1_024)?;
    Ok(socket.into())
}

fn start(
    app: &Arc<App>,
    documents: &Documents,
    tls: Option<ServerConfig>,
) -> io::Result<(Server, SocketAddr)> {
    let listener = listener(&app.config)?;
    let address = listener.local_addr()?;
    let shared = web::Data::new(Arc::clone(app));
    let documents = documents.clone();
    let server = HttpServer::new(move || {
        ActixApp::new()
            .app_data(shared.clone())
            .wrap(cors(&shared.config.cors_origins))
            .wrap(middleware::from_fn(observe::observe))
            .configure(routes)
            .configure(|service| documents.routes(service))
    })
    .workers(app.config.workers)
    .keep_alive(KEEP_ALIVE)
    .client_request_timeout(HEAD_PATIENCE)
    // Not less than half a second: the clock of actix lags by as much, and a connection would never be closed.
    .client_disconnect_timeout(Duration::from_secs(1))
    .shutdown_timeout(GRACE)
    .disable_signals();
    let server = match tls {
        Some(tls) => server.listen_rustls_0_23(listener, tls)?,
        None => server.listen(listener)?,
    };
    Ok((server.run(), address))
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

/// Checks that certificate and key can be used, and that they belong together.
///
/// # Errors
/// A sentence about what is not right.
pub fn check_tls(files: &TlsFiles) -> Result<(), ConfigError> {
    tls_config(files).map(drop)
}

fn tls_config(files: &TlsFiles) -> Result<ServerConfig, ConfigError> {
    let wrong = |name: &str, error: &dyn std::fmt::Display| {
        ConfigError(format!("{name} does not hold what it should ({error})."))
    };
    let chain = CertificateDer::pem_file_iter(&files.cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| wrong("TLS_CERT", &error))?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| wrong("TLS_KEY", &error))?;
    ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| wrong("TLS_CERT and TLS_KEY", &error))
}

/// Waits for SIGTERM or SIGINT, and tells which it was.
async fn wait_for_signal() -> &'static str {
    let Ok(mut term) = signal(SignalKind::terminate()) else {
        log::error!("signals cannot be heard: end this process with SIGKILL");
        return std::future::pending().await;
    };
    tokio::select! {
        _ = term.recv() => "SIGTERM",
        _ = tokio::signal::ctrl_c() => "SIGINT",
    }
}

/// Forgets, now and then, what has been quiet for long enough.
async fn tidy(app: Arc<App>) {
    loop {
        tokio::time::sleep(TIDY_EVERY).await;
        app.rates.forget_the_quiet();
        app.tickets.forget_the_late();
    }
}

/// Waits until the journal has answered all that it accepted.
async fn finish(app: Arc<App>, writers: Writers) {
    // The writers end when the last handle to the journal is gone.
    drop(app);
    // A thread of its own: the runtime would wait for one of its own without limit, and a disk may hang for ever.
    let (done, ended) = oneshot::channel();
    std::thread::spawn(move || {
        writers.join();
        let _nobody_waits = done.send(());
    });
    if tokio::time::timeout(JOURNAL_PATIENCE, ended).await.is_err() {
        log::warn!("the journal did not end in time");
    }
}
