//! The bytes of one connection: reading them into a bounded buffer, and writing with a bound on how long nothing is
//! taken. A connection that waits for its client holds no buffer at all.

use std::{
    cell::{Cell, RefCell},
    io,
    mem::MaybeUninit,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use actix_codec::{AsyncRead, AsyncWrite, ReadBuf};
use bytes::{Buf, Bytes, BytesMut};
use socket2::SockRef;
use tokio::{
    net::TcpStream,
    time::{Instant, timeout},
};
use tokio_rustls::server::TlsStream;

use crate::ws::Door;

/// Most bytes that are taken from the connection at once.
const READ: usize = 8 * 1024;
/// Reads in a turn; then what has been written meanwhile must go out.
const READS_IN_A_TURN: u8 = 4;
/// Most bytes that are read and thrown away after the last answer.
const MOST_DISCARDED: usize = 1024 * 1024;

/// A client that takes fewer bytes a second of an answer, on the whole, is given up.
const MIN_BYTES_PER_SECOND: u32 = 4 * 1024;

/// How long an answer may still wait for its client. A client that reads drop by drop is given up in the end, since what it
/// holds is not available to others.
#[derive(Debug, Clone, Copy)]
struct AnswerDeadline {
    /// In all.
    whole: Duration,
    left: Duration,
}

impl AnswerDeadline {
    /// Nothing is written yet. `patience` is there for any answer, however short.
    fn new(patience: Duration) -> Self {
        Self {
            whole: patience,
            left: patience,
        }
    }

    /// The client has this many more bytes to take.
    fn extend(&mut self, bytes: usize) {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let more = Duration::from_secs_f64(f64::from(bytes) / f64::from(MIN_BYTES_PER_SECOND));
        self.whole += more;
        self.left += more;
    }

    /// This much time has passed.
    fn elapse(&mut self, waited: Duration) {
        self.left = self.left.saturating_sub(waited);
    }
}

/// What a connection runs over.
pub trait Transport: AsyncRead + AsyncWrite + Unpin + 'static {
    /// The connection below.
    fn tcp(&self) -> &TcpStream;

    /// Writes what fits, without waiting, past whatever else is being written.
    ///
    /// # Errors
    /// `WouldBlock` when nothing fits at the moment, or where there is no such way.
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize>;
}

impl Transport for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }

    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        TcpStream::try_write(self, bytes)
    }
}

impl Transport for TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }

    fn try_write(&self, _: &[u8]) -> io::Result<usize> {
        // What is encrypted may have to be written in two parts, which the connection's own task does.
        Err(io::ErrorKind::WouldBlock.into())
    }
}

/// A connection, as all that happens on it within its one task shares it.
pub struct Wire<T> {
    io: RefCell<T>,
    /// What was read and is not used yet.
    ahead: RefCell<BytesMut>,
    /// Reads so far in this turn.
    reads: Cell<u8>,
    /// How long a client may take nothing of what waits for it.
    patience: Duration,
    /// How long the current answer may wait in all.
    deadline: Cell<AnswerDeadline>,
    /// Whether a part of a socket's frames is being written.
    is_writing: Cell<bool>,
}

impl<T: Transport> Door for Wire<T> {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.io.borrow().try_write(bytes)
    }

    fn is_writing(&self) -> bool {
        self.is_writing.get()
    }
}

impl<T: Transport> Wire<T> {
    pub fn new(io: T, patience: Duration) -> Self {
        Self {
            io: RefCell::new(io),
            ahead: RefCell::default(),
            reads: Cell::new(0),
            patience,
            deadline: Cell::new(AnswerDeadline::new(patience)),
            is_writing: Cell::new(false),
        }
    }

    /// Whether a part of a socket's frames is being written from now on.
    pub fn set_writing(&self, is_writing: bool) {
        self.is_writing.set(is_writing);
    }

    /// To be called before an answer is written: what the last one has waited does not count for it.
    pub fn begin_answer(&self) {
        self.deadline.set(AnswerDeadline::new(self.patience));
    }

    /// How long the kernel may take for the end of the answer under way: as long as for the whole of it, since it counts from
    /// when the client's window was last wide open, which may be the beginning.
    pub fn timeout_of_the_last(&self) -> Duration {
        self.deadline.get().whole
    }

    /// What was read ahead. It must not be borrowed across an await.
    pub fn ahead(&self) -> &RefCell<BytesMut> {
        &self.ahead
    }

    /// To be called before whatever may read is polled.
    pub fn begin_turn(&self) {
        self.reads.set(0);
    }

    /// Gives the memory of an emptied buffer back.
    pub fn let_buffer_go(&self) {
        let mut ahead = self.ahead.borrow_mut();
        if ahead.is_empty() {
            *ahead = BytesMut::new();
        }
    }

    /// Reads more behind what was read ahead; 0 at the end.
    pub async fn fill(&self) -> io::Result<usize> {
        std::future::poll_fn(|cx| {
            self.begin_turn();
            self.poll_fill(cx)
        })
        .await
    }

    /// Reads more behind what was read ahead; 0 at the end.
    pub fn poll_fill(&self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.poll_read_into(cx, |bytes| {
            self.ahead.borrow_mut().extend_from_slice(bytes);
            bytes.len()
        })
    }

    /// The next bytes, whatever they are; none at the end.
    pub fn poll_read(&self, cx: &mut Context<'_>) -> Poll<io::Result<Bytes>> {
        let ahead = std::mem::take(&mut *self.ahead.borrow_mut());
        if !ahead.is_empty() {
            // A copy, so that the buffer is free to go.
            return Poll::Ready(Ok(Bytes::copy_from_slice(&ahead)));
        }
        self.poll_read_into(cx, Bytes::copy_from_slice)
    }

    fn poll_read_into<R>(
        &self,
        cx: &mut Context<'_>,
        take: impl FnOnce(&[u8]) -> R,
    ) -> Poll<io::Result<R>> {
        if self.reads.get() == READS_IN_A_TURN {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.reads.set(self.reads.get() + 1);
        let mut space = [MaybeUninit::uninit(); READ];
        let mut read = ReadBuf::uninit(&mut space);
        ready!(Pin::new(&mut *self.io.borrow_mut()).poll_read(cx, &mut read))?;
        Poll::Ready(Ok(take(read.filled())))
    }

    /// Ready when all is written, and has left.
    pub fn poll_write(&self, cx: &mut Context<'_>, bytes: &mut Bytes) -> Poll<io::Result<()>> {
        while bytes.has_remaining() {
            ready!(self.poll_write_some(cx, bytes))?;
        }
        Pin::new(&mut *self.io.borrow_mut()).poll_flush(cx)
    }

    fn poll_write_some(&self, cx: &mut Context<'_>, bytes: &mut Bytes) -> Poll<io::Result<()>> {
        let written = ready!(Pin::new(&mut *self.io.borrow_mut()).poll_write(cx, bytes))?;
        if written == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        bytes.advance(written);
        Poll::Ready(Ok(()))
    }

    /// Writes all of it, and gives up when the client takes nothing for too long, or has taken too little of the whole
    /// answer.
    pub async fn write(&self, mut bytes: Bytes) -> io::Result<()> {
        let mut deadline = self.deadline.get();
        deadline.extend(bytes.len());
        self.deadline.set(deadline);
        while bytes.has_remaining() {
            let some = std::future::poll_fn(|cx| self.poll_write_some(cx, &mut bytes));
            self.in_time(some).await?;
        }
        let flush = std::future::poll_fn(|cx| Pin::new(&mut *self.io.borrow_mut()).poll_flush(cx));
        self.in_time(flush).await
    }

    async fn in_time(&self, work: impl Future<Output = io::Result<()>>) -> io::Result<()> {
        let mut deadline = self.deadline.get();
        let began = Instant::now();
        let done = timeout(self.patience.min(deadline.left), work).await;
        deadline.elapse(began.elapsed());
        self.deadline.set(deadline);
        done.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    /// Ends the connection. What the client still sends is taken for a moment and thrown away: a connection that is
    /// closed with bytes unread is reset, and the client might never see the last of the answer.
    ///
    /// What the kernel still holds may take `last`.
    pub async fn end(&self, patience: Duration, last: Option<Duration>) {
        let _gone_already = SockRef::from(self.io.borrow().tcp()).set_tcp_user_timeout(last);
        let end = Instant::now() + patience;
        let shutdown =
            std::future::poll_fn(|cx| Pin::new(&mut *self.io.borrow_mut()).poll_shutdown(cx));
        if !matches!(tokio::time::timeout_at(end, shutdown).await, Ok(Ok(()))) {
            return;
        }
        let mut discarded = 0;
        while discarded < MOST_DISCARDED {
            let more = std::future::poll_fn(|cx| {
                self.begin_turn();
                self.poll_read(cx)
            });
            match tokio::time::timeout_at(end, more).await {
                Ok(Ok(bytes)) if !bytes.is_empty() => discarded += bytes.len(),
                _ => return,
            }
        }
    }

    /// Has the kernel drop the connection, and what waits in it, as soon as it is closed.
    pub fn cut(&self) {
        let io = self.io.borrow();
        let _gone_already = SockRef::from(io.tcp()).set_linger(Some(Duration::ZERO));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether an answer of this size, written in parts, comes through to a client that takes so many bytes a second.
    fn comes_through(size: u32, a_second: u32) -> bool {
        let mut deadline = AnswerDeadline::new(Duration::from_secs(10));
        let mut taken = 0;
        while taken < size {
            let part = (size - taken).min(256 * 1024);
            deadline.extend(part as usize);
            deadline.elapse(Duration::from_secs_f64(
                f64::from(part) / f64::from(a_second),
            ));
            if deadline.left.is_zero() {
                return false;
            }
            taken += part;
        }
        true
    }

    #[test]
    fn a_slow_client_gets_its_page_and_one_that_takes_drops_is_given_up() {
        for size in [1, 1024, 512 * 1024, 20 * 1024 * 1024] {
            assert!(comes_through(size, 8 * 1024), "{size}");
            assert!(comes_through(size, 5 * 1024), "{size}");
        }
        assert!(comes_through(100, 50), "a short one");
        assert!(!comes_through(512 * 1024, 2 * 1024));
        assert!(!comes_through(20 * 1024 * 1024, 4_000));
    }
}
