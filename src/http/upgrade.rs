//! What becomes of a connection whose client asks to leave HTTP: the site answers as it answers everything else, and
//! when the answer is "101 Switching Protocols", the connection goes on here instead of in the server's own dispatcher.
//!
//! The dispatcher keeps two buffers of 8 KiB for each connection, for as long as it lives: more than all else that an
//! idle socket needs. Here a socket that says nothing holds no buffer at all.

use std::{
    cell::{Cell, RefCell},
    io,
    mem::MaybeUninit,
    pin::{Pin, pin},
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use actix_codec::{AsyncRead, AsyncWrite, Encoder as _, Framed, ReadBuf};
use actix_http::{
    ConnectionType, Payload, Request, Response,
    body::{BodySize, BoxBody, MessageBody as _},
    error::PayloadError,
    h1::{Codec, Message},
};
use actix_service::{
    Service, ServiceFactory,
    boxed::{self, BoxService, BoxServiceFactory},
    fn_factory, fn_service,
};
use actix_web::Error as ActixError;
use bytes::{Buf, Bytes, BytesMut};
use futures_util::Stream;
use tokio::time::timeout;

use super::line::Line;
use crate::hub::Gauge;

/// Everything that answers requests.
pub type Site = BoxServiceFactory<(), Request, Response<BoxBody>, Response<BoxBody>, ()>;

/// What a connection is handed to when its client asks for another protocol.
pub type Upgrade<T> = BoxServiceFactory<(), (Request, Framed<T, Codec>), (), ActixError, ()>;

/// How often a connection that takes nothing is looked at, whether its socket was told to close: it then has as long
/// again.
const LAST_MOMENT: Duration = Duration::from_millis(400);
/// Most bytes that are taken from the connection at once.
const READ: usize = 8 * 1024;
/// So often is read before what has been written meanwhile must go out.
const READS_IN_A_TURN: u8 = 4;

/// Takes over, from the dispatcher, the connections of clients that ask for another protocol. Their ends are awaited
/// for `disconnect` at most.
pub fn upgrade<T>(site: Site, disconnect: Duration) -> Upgrade<T>
where
    T: AsyncRead + AsyncWrite + Unpin + 'static,
{
    boxed::factory(fn_factory(move || {
        let site = site.new_service(());
        async move {
            let site = Rc::new(site.await?);
            Ok(fn_service(move |(request, framed)| {
                let site = Rc::clone(&site);
                async move {
                    // A connection that breaks off is no error of ours.
                    let _broken = carry(&site, request, framed, disconnect).await;
                    Ok(())
                }
            }))
        }
    }))
}

/// Answers `request`, and carries the bytes of the answer's body until it ends.
async fn carry<T>(
    site: &BoxService<Request, Response<BoxBody>, Response<BoxBody>>,
    mut request: Request,
    framed: Framed<T, Codec>,
    disconnect: Duration,
) -> io::Result<()>
where
    T: AsyncRead + AsyncWrite + Unpin + 'static,
{
    // As long as the answer is on its way, the connection counts and is watched as any other.
    let _line = request.conn_data::<Rc<Line>>().cloned();
    let parts = framed.into_parts();
    let wire = Rc::new(Wire {
        io: RefCell::new(parts.io),
        // A copy, so that the dispatcher's buffer is free to go.
        ahead: Cell::new(Bytes::copy_from_slice(&parts.read_buf)),
        reads: Cell::new(0),
    });
    drop(parts.read_buf);
    *request.payload() = Payload::Stream {
        payload: Box::pin(Heard(Rc::clone(&wire))),
    };
    let mut answering = site.call(request);
    let answer = std::future::poll_fn(|cx| {
        wire.begin_turn();
        answering.as_mut().poll(cx)
    })
    .await;
    drop(answering);
    let answer = answer.unwrap_or_else(|refusal| refusal);
    write_answer(&wire, parts.codec, parts.write_buf, answer).await?;
    // A connection that is closed with bytes unread is reset, and the client might never see the last of the answer.
    let _late = timeout(disconnect, async {
        std::future::poll_fn(|cx| wire.poll_shutdown(cx)).await?;
        while !wire.read().await?.is_empty() {}
        Ok::<_, io::Error>(())
    })
    .await;
    Ok(())
}

async fn write_answer<T>(
    wire: &Wire<T>,
    mut codec: Codec,
    unsent: BytesMut,
    answer: Response<BoxBody>,
) -> io::Result<()>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    let (mut head, body) = answer.into_parts();
    if !head.upgrade() {
        head.head_mut().set_connection_type(ConnectionType::Close);
    }
    let upgraded = head.upgrade();
    let gauge = head.extensions().get::<Arc<Gauge>>().cloned();
    let size = body.size();
    let mut out = BytesMut::from(&unsent[..]);
    drop(unsent);
    codec.encode(Message::Item((head, size)), &mut out)?;
    wire.write(out.freeze()).await?;
    if matches!(size, BodySize::None | BodySize::Sized(0)) {
        return Ok(());
    }
    if upgraded {
        drop(codec);
        return converse(wire, body, gauge.as_deref()).await;
    }
    let mut body = pin!(body);
    while let Some(chunk) = wire.next_chunk(body.as_mut()).await? {
        let mut out = BytesMut::new();
        codec.encode(Message::Chunk(Some(chunk)), &mut out)?;
        wire.write(out.freeze()).await?;
    }
    let mut out = BytesMut::new();
    codec.encode(Message::Chunk(None), &mut out)?;
    wire.write(out.freeze()).await
}

/// Writes what the body yields, as it is. The body is asked for more only when nothing waits to be written; so a socket
/// whose client does not read cannot hear that it is to close, and is cut when it has been told so and still does not.
async fn converse<T>(wire: &Wire<T>, body: BoxBody, gauge: Option<&Gauge>) -> io::Result<()>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    let mut body = pin!(body);
    while let Some(chunk) = wire.next_chunk(body.as_mut()).await? {
        let mut writing = pin!(wire.write(chunk));
        let mut was_closed = false;
        loop {
            match timeout(LAST_MOMENT, &mut writing).await {
                Ok(written) => break written?,
                Err(_) if was_closed => return Err(io::ErrorKind::TimedOut.into()),
                Err(_) => was_closed = gauge.is_some_and(Gauge::is_closed),
            }
        }
    }
    Ok(())
}

/// A connection, as both ends of its one task share it.
struct Wire<T> {
    io: RefCell<T>,
    /// What the dispatcher had already read.
    ahead: Cell<Bytes>,
    /// How often has been read in this turn.
    reads: Cell<u8>,
}

impl<T> Wire<T>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    fn begin_turn(&self) {
        self.reads.set(0);
    }

    async fn next_chunk(&self, mut body: Pin<&mut BoxBody>) -> io::Result<Option<Bytes>> {
        let chunk = std::future::poll_fn(|cx| {
            self.begin_turn();
            body.as_mut().poll_next(cx)
        })
        .await;
        chunk
            .transpose()
            .map_err(|error| io::Error::other(error.to_string()))
    }

    async fn read(&self) -> io::Result<Bytes> {
        std::future::poll_fn(|cx| {
            self.begin_turn();
            self.poll_read(cx)
        })
        .await
    }

    async fn write(&self, mut bytes: Bytes) -> io::Result<()> {
        std::future::poll_fn(|cx| self.poll_write(cx, &mut bytes)).await
    }

    /// The next bytes; none at the end.
    fn poll_read(&self, cx: &mut Context<'_>) -> Poll<io::Result<Bytes>> {
        let ahead = self.ahead.take();
        if !ahead.is_empty() {
            return Poll::Ready(Ok(ahead));
        }
        if self.reads.get() == READS_IN_A_TURN {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.reads.set(self.reads.get() + 1);
        let mut space = [MaybeUninit::uninit(); READ];
        let mut read = ReadBuf::uninit(&mut space);
        ready!(Pin::new(&mut *self.io.borrow_mut()).poll_read(cx, &mut read))?;
        Poll::Ready(Ok(Bytes::copy_from_slice(read.filled())))
    }

    /// Ready when all is written, and has left.
    fn poll_write(&self, cx: &mut Context<'_>, bytes: &mut Bytes) -> Poll<io::Result<()>> {
        let mut io = self.io.borrow_mut();
        let mut io = Pin::new(&mut *io);
        while bytes.has_remaining() {
            let written = ready!(io.as_mut().poll_write(cx, bytes))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            bytes.advance(written);
        }
        io.poll_flush(cx)
    }

    fn poll_shutdown(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.io.borrow_mut()).poll_shutdown(cx)
    }
}

/// What a client sends, as the body of its request.
struct Heard<T>(Rc<Wire<T>>);

impl<T> Stream for Heard<T>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let bytes = ready!(self.0.poll_read(cx)).map_err(PayloadError::Io)?;
        Poll::Ready((!bytes.is_empty()).then_some(Ok(bytes)))
    }
}
