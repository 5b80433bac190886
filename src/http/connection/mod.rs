//! One connection, from its first byte to its last. Requests are read one at a time, and the next only when the answer
//! to the last was taken: so what waits on a connection is one answer, however much its client sends. Every wait has a
//! bound: for a head, for a body (the handler's), for the next request, and for a client that takes nothing.
//!
//! The parser and the encoder are those of `actix-http`. Its dispatcher is not used: it reads requests without bound
//! while no one reads the answers, decides by rules of its own what leaves HTTP, and answers what it cannot read
//! without a body (ADR 0005).

mod body;
mod head;
pub mod open_files;
pub mod per_address;
mod socket;
mod wire;

use std::{cell::RefCell, io, net::SocketAddr, rc::Rc, sync::Arc, task::Poll, time::Duration};

use actix_codec::{Decoder as _, Encoder as _};
use actix_http::{
    ConnectionType, HttpMessage as _, Payload, Request, RequestHead, Response, ServiceConfig,
    Version,
    body::{BodySize, BoxBody, MessageBody as _},
    h1::{Codec, Message, MessageType},
};
use actix_server::GracefulShutdownSignal;
use actix_service::{
    Service as _,
    boxed::{BoxService, BoxServiceFactory},
};
use actix_web::http::{Method, StatusCode, header};
use bytes::{Bytes, BytesMut};
use tokio::time::{Instant, sleep, timeout_at};

use super::{SOCKET, observe, problem};
use crate::{
    app::App,
    chat::pages_in_flight::PageInFlight,
    error::{Code, Error},
    hub::office::Office,
    ws,
};
use body::{Body, Progress};
use head::{Found, Scan};
use open_files::{OpenConnections, Seat, Waiting};
use per_address::{Connections, Place};
pub use wire::Transport;
use wire::Wire;

/// Everything that answers requests.
pub type Site = BoxServiceFactory<(), Request, Response<BoxBody>, Response<BoxBody>, ()>;

/// How long the head of a request may take to arrive.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a client may take nothing of an answer.
const TAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the end of a connection may take.
const END_TIMEOUT: Duration = Duration::from_secs(1);
/// Requests of a client that does not wait for its answers that are answered as fast as they can be.
const PIPELINED_AT_ONCE: u32 = 16;
/// How long each of those behind them waits, so that many such clients keep no one else waiting.
const PIPELINE_PACE: Duration = Duration::from_millis(5);
/// An answer's body of this size or less goes out in one write with its head.
const SMALL: usize = 16 * 1024;

/// What all connections of a worker share.
pub struct Endpoint {
    pub app: Arc<App>,
    pub connections: Arc<Connections>,
    pub open: Arc<OpenConnections>,
    pub site: BoxService<Request, Response<BoxBody>, Response<BoxBody>>,
    pub config: ServiceConfig,
    pub stop: GracefulShutdownSignal,
    pub office: Rc<Office>,
}

/// Speaks HTTP on a connection, and what follows on it, until it ends. `place` is held while it counts among those of
/// its address: until it has become a socket. `seat` is held to the end.
pub fn serve<T: Transport>(
    endpoint: Rc<Endpoint>,
    io: T,
    peer: SocketAddr,
    place: Place,
    seat: Seat,
) -> impl Future<Output = ()> {
    // Before the future, which would keep the place of what is moved into it for as long as it lives.
    let wire = Rc::new(Wire::new(io, TAKE_TIMEOUT));
    speak(endpoint, wire, peer, place, seat)
}

async fn speak<T: Transport>(
    endpoint: Rc<Endpoint>,
    wire: Rc<Wire<T>>,
    peer: SocketAddr,
    place: Place,
    seat: Seat,
) {
    let slow_reader = endpoint.app.config.socket_limits.slow_reader;
    let connection = HttpConnection {
        seat: &seat,
        codec: Rc::new(RefCell::new(Codec::new(endpoint.config.clone()))),
        wire: Rc::clone(&wire),
        endpoint,
        peer,
    };
    // In a box of its own, so that a socket, which may stay for days, does not keep the memory of what was before it.
    match Box::pin(connection.answer_requests()).await {
        Ok(Some(socket)) => {
            drop(place);
            if socket.relay(&wire, slow_reader).await.is_ok() {
                // The kernel gives up those who take nothing at all by itself, after some minutes; any time that it is told
                // counts from when a slow client began to be slow.
                wire.end(END_TIMEOUT, None).await;
            } else {
                wire.cut();
            }
        }
        Ok(None) => {
            let last = wire.timeout_of_the_last();
            wire.end(END_TIMEOUT, Some(last)).await;
        }
        Err(error) if error.kind() == io::ErrorKind::TimedOut => {
            log::debug!("a connection of {peer} is cut: it takes nothing of what waits for it");
            wire.cut();
        }
        // A connection that breaks off is no error of ours.
        Err(_) => {}
    }
}

/// A connection as long as it speaks HTTP.
struct HttpConnection<'a, T> {
    seat: &'a Seat,
    endpoint: Rc<Endpoint>,
    wire: Rc<Wire<T>>,
    codec: Rc<RefCell<Codec>>,
    peer: SocketAddr,
}

/// What came instead of a request.
enum NoRequest {
    /// The client has gone, or there is nothing more to wait for.
    Over,
    /// Its place is needed for others.
    GivenUp,
    /// Something that is refused.
    Refused(StatusCode, Error),
}

impl From<StatusCode> for NoRequest {
    fn from(status: StatusCode) -> Self {
        Self::Refused(status, problem::of_status(status))
    }
}

/// What is to become of the connection after an answer.
enum NextStep {
    NextRequest,
    End,
    Socket(socket::UpgradedConnection),
}

impl<T: Transport> HttpConnection<'_, T> {
    /// Answers requests until the connection ends or becomes a socket.
    async fn answer_requests(self) -> io::Result<Option<socket::UpgradedConnection>> {
        // The first request is expected at once.
        let mut patience = HEAD_TIMEOUT;
        let mut in_a_row = 0;
        loop {
            in_a_row = if self.has_more() { in_a_row + 1 } else { 0 };
            if in_a_row > PIPELINED_AT_ONCE {
                sleep(PIPELINE_PACE).await;
            }
            let request = match self.next_request(patience).await {
                Ok(request) => request,
                Err(NoRequest::Over) => return Ok(None),
                Err(NoRequest::GivenUp) => return Err(given_up()),
                Err(NoRequest::Refused(status, error)) => {
                    self.refuse(status, &error).await?;
                    return Ok(None);
                }
            };
            match self.answer(request).await? {
                NextStep::NextRequest => {
                    patience = self.seat.patience(self.endpoint.app.config.keep_alive);
                }
                NextStep::End => return Ok(None),
                NextStep::Socket(socket) => return Ok(Some(socket)),
            }
        }
    }

    /// Whether the client has sent more before it was answered.
    fn has_more(&self) -> bool {
        !self.wire.ahead().borrow().is_empty()
    }

    /// Waits for the next request, whose first byte must come within `patience`.
    async fn next_request(&self, patience: Duration) -> Result<Request, NoRequest> {
        let mut scan = Scan::default();
        let mut deadline = Instant::now() + patience;
        let mut has_begun = false;
        self.seat.wait_for(Waiting::Idle);
        loop {
            let found = scan.look(&self.wire.ahead().borrow());
            match found {
                Found::Partial => {}
                Found::Complete(length) => return self.decode(length),
                Found::Broken => return Err(StatusCode::BAD_REQUEST.into()),
                Found::TooLong => return Err(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE.into()),
            }
            if scan.has_begun() && !has_begun {
                has_begun = true;
                self.seat.wait_for(Waiting::Arriving);
                deadline = Instant::now() + HEAD_TIMEOUT;
            }
            if !has_begun {
                self.wire.let_buffer_go();
            }
            let filled = tokio::select! {
                // What has come is looked at first.
                biased;
                filled = timeout_at(deadline, self.wire.fill()) => filled,
                // Half a request is none: its client has to send it again, elsewhere.
                () = self.endpoint.stop.notified() => return Err(NoRequest::Over),
                () = self.seat.given_up() => return Err(NoRequest::GivenUp),
            };
            match filled {
                Ok(Ok(1..)) => {}
                Err(_) if has_begun => return Err(StatusCode::REQUEST_TIMEOUT.into()),
                _ => return Err(NoRequest::Over),
            }
        }
    }

    /// Reads the head of this length.
    fn decode(&self, length: usize) -> Result<Request, NoRequest> {
        let mut head = self.wire.ahead().borrow_mut().split_to(length);
        let decoded = self.codec.borrow_mut().decode(&mut head);
        match decoded {
            Ok(Some(Message::Item(mut request))) => {
                request.head_mut().peer_addr = Some(self.peer);
                Ok(request)
            }
            Err(actix_http::error::ParseError::TooLarge) => {
                Err(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE.into())
            }
            Ok(_) | Err(_) => Err(StatusCode::BAD_REQUEST.into()),
        }
    }

    async fn answer(&self, mut request: Request) -> io::Result<NextStep> {
        self.seat.work();
        let kind = self.codec.borrow().message_type();
        let is_head = request.method() == Method::HEAD;
        let is_old = request.version() < Version::HTTP_11;
        let becomes_socket =
            request.path() == SOCKET && ws::handshake::check(request.head()).is_ok();
        let leaves =
            becomes_socket || self.codec.borrow().upgrade() || asks_to_leave(request.head());
        if matches!(kind, MessageType::Stream) && request.path() != SOCKET {
            let error = Error::bad_request(
                Code::InvalidHandshake,
                "Only the address of the socket (/ws/chat) leaves HTTP.",
            );
            self.refuse(StatusCode::BAD_REQUEST, &error).await?;
            return Ok(NextStep::End);
        }
        if becomes_socket {
            let office = Rc::clone(&self.endpoint.office);
            request.extensions_mut().insert(office);
        }
        let body = match kind {
            MessageType::Payload => Body::new(&self.wire, &self.codec, Progress::UnderWay),
            MessageType::None | MessageType::Stream => {
                Body::new(&self.wire, &self.codec, Progress::Ended)
            }
        };
        *request.payload() = match kind {
            _ if becomes_socket => Payload::Stream {
                payload: Box::pin(socket::SocketInput(Rc::clone(&self.wire))),
            },
            MessageType::Payload => Payload::Stream {
                payload: Box::pin(body.incoming(request.head().expect())),
            },
            MessageType::None | MessageType::Stream => Payload::None,
        };
        let Some(answer) = self.handle(request, &body).await? else {
            let error = Error::shutting_down();
            self.refuse(StatusCode::SERVICE_UNAVAILABLE, &error).await?;
            return Ok(NextStep::End);
        };
        self.seat.work();
        if answer.head().upgrade() {
            return self.open_socket(answer, becomes_socket).await;
        }
        let ends = leaves || !body.is_over() || self.endpoint.app.run.is_draining();
        self.write_answer(answer, is_head, is_old, ends).await
    }

    /// What the site answers; `None` when the server is going down before the whole request has come.
    async fn handle(
        &self,
        request: Request,
        body: &Body<T>,
    ) -> io::Result<Option<Response<BoxBody>>> {
        let mut answering = self.endpoint.site.call(request);
        let mut stop = std::pin::pin!(self.endpoint.stop.notified());
        let mut gives_up = std::pin::pin!(self.seat.given_up());
        std::future::poll_fn(|cx| {
            body.begin_turn();
            if let Poll::Ready(answer) = answering.as_mut().poll(cx) {
                let answer = answer.unwrap_or_else(|refusal| refusal);
                return Poll::Ready(Ok(Some(answer)));
            }
            if !body.is_awaited() {
                self.seat.work();
                return Poll::Pending;
            }
            self.seat.wait_for(Waiting::Arriving);
            if stop.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Ok(None));
            }
            if gives_up.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Err(given_up()));
            }
            Poll::Pending
        })
        .await
    }

    async fn open_socket(
        &self,
        answer: Response<BoxBody>,
        is_wanted: bool,
    ) -> io::Result<NextStep> {
        if !is_wanted {
            // Nothing answers so; if it did, the bytes that follow would be no one's.
            return Err(io::Error::other("an upgrade that was not asked for"));
        }
        self.wire.begin_answer();
        let (head, body) = answer.into_parts();
        let socket = socket::UpgradedConnection::new(head.extensions().get().cloned(), body);
        let size = BodySize::Stream;
        self.wire
            .write(self.encode(Message::Item((head, size)))?)
            .await?;
        Ok(NextStep::Socket(socket))
    }

    async fn write_answer(
        &self,
        answer: Response<BoxBody>,
        is_head: bool,
        is_old: bool,
        ends: bool,
    ) -> io::Result<NextStep> {
        self.wire.begin_answer();
        let (mut head, body) = answer.into_parts();
        // Until all of it has been taken, it counts among what its user and its address have under way.
        let _in_flight = head.extensions().get::<Arc<PageInFlight>>().cloned();
        let size = body.size();
        let endless = is_old && size == BodySize::Stream;
        if endless {
            // HTTP/1.0 knows no chunks: the end of the connection is the end of the body.
            head.head_mut().no_chunking(true);
        }
        if ends || endless {
            head.head_mut().set_connection_type(ConnectionType::Close);
        }
        let mut out = BytesMut::from(self.encode(Message::Item((head, size)))?);
        let after = if self.codec.borrow().keep_alive() {
            NextStep::NextRequest
        } else {
            NextStep::End
        };
        if is_head || matches!(size, BodySize::None | BodySize::Sized(0)) {
            self.wire.write(out.freeze()).await?;
            return Ok(after);
        }
        match body.try_into_bytes() {
            // Without a copy, where one would count: many may be sent the same file.
            Ok(bytes) if bytes.len() > SMALL => {
                self.wire.write(out.freeze()).await?;
                self.wire.write(bytes).await?;
            }
            Ok(bytes) => {
                out.extend_from_slice(&bytes);
                self.wire.write(out.freeze()).await?;
            }
            Err(body) => {
                self.wire.write(out.freeze()).await?;
                self.write_stream(body).await?;
            }
        }
        Ok(after)
    }

    /// Writes a body as it is produced: its next part is asked for when the last was taken.
    async fn write_stream(&self, mut body: BoxBody) -> io::Result<()> {
        while let Some(chunk) = next_chunk(&self.wire, &mut body).await? {
            if !chunk.is_empty() {
                self.wire
                    .write(self.encode(Message::Chunk(Some(chunk)))?)
                    .await?;
            }
        }
        self.wire.write(self.encode(Message::Chunk(None))?).await
    }

    async fn refuse(&self, status: StatusCode, error: &Error) -> io::Result<()> {
        let answer = observe::refusal(&self.endpoint.app, self.peer, status, error);
        self.write_answer(answer, false, false, true)
            .await
            .map(drop)
    }

    fn encode(&self, message: Message<(Response<()>, BodySize)>) -> io::Result<Bytes> {
        let mut out = BytesMut::new();
        self.codec.borrow_mut().encode(message, &mut out)?;
        Ok(out.freeze())
    }
}

/// The end of a connection whose place is needed for others.
fn given_up() -> io::Error {
    io::ErrorKind::ConnectionAborted.into()
}

/// Whatever asks to leave HTTP is the last that is read here: what follows it may be of another protocol, and is never
/// read as a request.
fn asks_to_leave(head: &RequestHead) -> bool {
    head.headers().contains_key(header::UPGRADE) || head.method == Method::CONNECT
}

/// The next part of an answer's body.
async fn next_chunk<T: Transport>(wire: &Wire<T>, body: &mut BoxBody) -> io::Result<Option<Bytes>> {
    let chunk = std::future::poll_fn(|cx| {
        wire.begin_turn();
        std::pin::Pin::new(&mut *body).poll_next(cx)
    })
    .await;
    chunk
        .transpose()
        .map_err(|error| io::Error::other(error.to_string()))
}
