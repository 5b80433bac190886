//! Listening: the address, what each connection passes before it is served, and what all of them are answered by.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    rc::Rc,
    sync::Arc,
};

use actix_cors::Cors;
use actix_http::{Response, ServiceConfig};
use actix_server::Server;
use actix_service::{
    IntoServiceFactory as _, ServiceFactory as _, ServiceFactoryExt as _, boxed, fn_factory,
    fn_service, map_config,
};
use actix_web::{
    App as ActixApp, Error as ActixError, dev::AppConfig, http::header, middleware, web,
};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::{
    connection::{
        self, Endpoint, Site,
        open_files::{OpenConnections, Seat},
        per_address::{Connections, Place},
    },
    docs::Documents,
    observe, routes, tls,
};
use crate::{app::App, config::Config, hub::office::Office};

/// How long connections may take to end at shutdown.
const GRACE: u64 = 8;
/// Bytes that the kernel may hold for a client that reads slowly (Linux takes it twice, for its own needs). Left alone,
/// it would take some megabytes for each, and a few hundred of them would use up what it has for all connections.
const SEND_BUFFER: usize = 128 * 1024;
/// Bytes of these that need not have left for more to be wanted. Otherwise the kernel would ask for more only when a third
/// of its buffer is free again, and a slow client that takes steadily would seem to take nothing for long.
const MOST_NOT_SENT: u32 = 16 * 1024;
/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1_024;

/// A socket that has its address, and refuses connections until it listens. They will send at once (Nagle's algorithm
/// against delayed acknowledgements costs 40 ms a frame). Linux hands these settings down to what is accepted.
pub(super) fn bind(config: &Config) -> io::Result<Socket> {
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

/// Listens, and starts the workers. Also the address that it listens on, whose port the system may have chosen.
pub(super) fn start(
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
    let open = OpenConnections::within_limit(&app.config);
    let (app, documents) = (Arc::clone(app), documents.clone());
    let builder = builder.listen("parlour", listener, move || {
        let (app, connections) = (Arc::clone(&app), Arc::clone(&connections));
        let (open, stop, tls) = (Arc::clone(&open), stop.clone(), tls.clone());
        let site = site(&app, &documents);
        fn_factory(move || {
            let (app, connections) = (Arc::clone(&app), Arc::clone(&connections));
            let (open, stop, tls) = (Arc::clone(&open), stop.clone(), tls.clone());
            let site = site.new_service(());
            async move {
                let endpoint = Rc::new(Endpoint {
                    config: ServiceConfig::default(),
                    app,
                    connections,
                    open,
                    site: site.await?,
                    stop,
                    office: Office::open(),
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
    let Some(seat) = endpoint.open.enter() else {
        log::debug!("a connection of {} is cut: too many are in use", peer.ip());
        return Ok(());
    };
    let Some(tls) = tls else {
        connection::serve(endpoint, stream, peer, place, seat).await;
        return Ok(());
    };
    // In a box, so that a connection without TLS keeps no room for it: there may be ten thousand that say nothing.
    Box::pin(serve_tls(endpoint, tls, stream, peer, place, seat)).await;
    Ok(())
}

async fn serve_tls(
    endpoint: Rc<Endpoint>,
    tls: TlsAcceptor,
    stream: TcpStream,
    peer: SocketAddr,
    place: Place,
    seat: Seat,
) {
    // In a box of its own: it is over soon, and the connection may stay for days.
    let shaken = tokio::select! {
        biased;
        shaken = Box::pin(tls::shake_hands(&tls, stream)) => shaken,
        () = endpoint.stop.notified() => None,
        () = seat.given_up() => None,
    };
    match shaken {
        Some(stream) => connection::serve(endpoint, stream, peer, place, seat).await,
        None => log::debug!("a connection of {peer} is cut: no TLS came about"),
    }
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
        .allowed_methods(["GET", "POST", "PUT", "PATCH", "DELETE"])
        .allowed_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::IF_MATCH,
        ])
        .expose_headers([header::LINK, header::RETRY_AFTER, header::ETAG])
        .expose_headers(["x-request-id"])
        .max_age(3_600);
    // A request of another origin is answered, without the header that would let its page read the answer.
    origins
        .iter()
        .fold(cors, |cors, origin| cors.allowed_origin(origin))
        .block_on_origin_mismatch(false)
}
