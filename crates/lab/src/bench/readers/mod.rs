//! Many sockets read by one thread: it counts what arrives, how long that took, and (for the lines that ask for it)
//! lets each socket say the next thing when the last one was acked.

use std::{
    collections::BTreeMap,
    net::TcpStream,
    sync::{Arc, atomic::AtomicU64, mpsc},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use mio::{Poll, Token, Waker};

use self::reader::Reader;
use super::{Result, Trouble, stats::Histogram};

mod reader;

const WAKE: Token = Token(usize::MAX);

/// Nanoseconds since the bench began: what the contents carry.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// A clock that starts now.
    #[must_use]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Nanoseconds since the start.
    #[must_use]
    pub fn now(self) -> u64 {
        self.0.elapsed().as_nanos() as u64
    }
}

/// An open socket, and what was read from it beyond the answer to its opening.
pub struct OpenSocket {
    /// The connection, not blocking.
    pub stream: TcpStream,
    /// Frames (or parts of frames) that came with the answer.
    pub leftover: Vec<u8>,
}

/// What the readers saw since they were last asked.
#[derive(Debug, Default, Clone)]
pub struct Tally {
    /// Messages of the bench that arrived.
    pub deliveries: u64,
    /// Bytes of the frames that carried them, headers included.
    pub delivery_bytes: u64,
    /// From the sender's write to the reader's read.
    pub delivery: Histogram,
    /// Messages that were overtaken by a later one of the same sender.
    pub skipped: u64,
    /// Messages that came again, or late.
    pub repeated: u64,
    /// From a sender's write to its ack.
    pub ack: Histogram,
    /// Requests that were refused.
    pub refused: u64,
    /// The first refusal's text.
    pub refusal: Option<String>,
    /// `lag` frames.
    pub lags: u64,
    /// Sockets that ended, by close code (0 for none).
    pub closed: BTreeMap<u16, u64>,
    /// How long a [`Talk`] took, from its first message to its last ack.
    pub talked: Duration,
}

/// Every socket sends, each waiting for its acks.
#[derive(Debug, Clone)]
pub struct Talk {
    /// Messages that each socket has under way at once.
    pub depth: usize,
    /// When to stop beginning new ones.
    pub until: Instant,
    /// How many to send in all.
    pub budget: u64,
    /// Where.
    pub place: Place,
}

/// The rooms of a [`Talk`].
#[derive(Debug, Clone)]
pub struct Place {
    /// Each socket speaks in one of these, in turn; in `general` when there are none.
    pub rooms: Arc<[String]>,
    /// How many sockets hear a message.
    pub listeners: usize,
    /// What every message ends with, after a space; nothing when that is empty.
    pub ending: Arc<str>,
}

/// Looks at a text that the readers have no use for: the place of its socket among all that were added, and the text.
pub type Heed = Box<dyn FnMut(usize, &[u8]) + Send>;

enum Order {
    Add(OpenSocket),
    Take(mpsc::Sender<Tally>),
    Talk(Talk, mpsc::Sender<Tally>),
    Ignore(usize),
    Cut(usize),
    Quit,
}

/// Counts that others may look at while the readers read.
#[derive(Debug, Default)]
pub struct Live {
    /// Sockets that were greeted.
    pub connected: AtomicU64,
    /// Messages of the bench that arrived.
    pub deliveries: AtomicU64,
    /// Acks that arrived.
    pub acks: AtomicU64,
}

/// The handle of the reading thread.
pub struct Readers {
    orders: mpsc::Sender<Order>,
    waker: Waker,
    /// What can be watched.
    pub live: Arc<Live>,
    thread: Option<JoinHandle<()>>,
}

impl Readers {
    /// No sockets yet; will check the order of the messages of that many senders.
    ///
    /// # Errors
    /// When the system gives no poll or no thread.
    pub fn gather(clock: Stopwatch, senders: usize) -> Result<Self> {
        Self::gather_with(clock, senders, None)
    }

    /// The same, with someone who looks at what else comes.
    ///
    /// # Errors
    /// As [`Self::gather`].
    pub fn gather_with(clock: Stopwatch, senders: usize, heed: Option<Heed>) -> Result<Self> {
        let poll = Poll::new().map_err(|error| Trouble::io("prepare for reading", &error))?;
        let waker = Waker::new(poll.registry(), WAKE)
            .map_err(|error| Trouble::io("prepare for reading", &error))?;
        let (orders, inbox) = mpsc::channel();
        let live = Arc::new(Live::default());
        let reader = Reader::new(poll, inbox, clock, senders, Arc::clone(&live)).heeding(heed);
        let thread = std::thread::Builder::new()
            .name("bench-readers".into())
            .spawn(move || reader.run())
            .map_err(|error| Trouble::io("start a thread", &error))?;
        Ok(Self {
            orders,
            waker,
            live,
            thread: Some(thread),
        })
    }

    fn order(&self, order: Order) -> Result<()> {
        self.orders
            .send(order)
            .ok()
            .and_then(|()| self.waker.wake().ok())
            .ok_or_else(|| Trouble("The bench's own reading thread has ended.".into()))
    }

    /// Reads this socket too from now on.
    ///
    /// # Errors
    /// When the reading thread has ended.
    pub fn add(&self, socket: OpenSocket) -> Result<()> {
        self.order(Order::Add(socket))
    }

    /// Stops reading the last `count` sockets; they stay open.
    ///
    /// # Errors
    /// When the reading thread has ended.
    pub fn ignore_last(&self, count: usize) -> Result<()> {
        self.order(Order::Ignore(count))
    }

    /// Cuts the last `count` sockets off, without a word to the server (a reset).
    ///
    /// # Errors
    /// When the reading thread has ended.
    pub fn cut_last(&self, count: usize) -> Result<()> {
        self.order(Order::Cut(count))
    }

    /// What was seen since the last time.
    ///
    /// # Errors
    /// When the reading thread has ended.
    pub fn take(&self) -> Result<Tally> {
        let (answer, tally) = mpsc::channel();
        self.order(Order::Take(answer))?;
        tally
            .recv_timeout(Duration::from_secs(30))
            .map_err(|_| Trouble("The bench's own reading thread does not answer.".into()))
    }

    /// Lets every socket send, and gives what was seen when all acks are in; what was seen before is dropped.
    ///
    /// # Errors
    /// When the reading thread has ended.
    pub fn talk(&self, talk: Talk) -> Result<mpsc::Receiver<Tally>> {
        let (answer, tally) = mpsc::channel();
        self.order(Order::Talk(talk, answer))?;
        Ok(tally)
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        if self.order(Order::Quit).is_ok()
            && let Some(thread) = self.thread.take()
        {
            let _ = thread.join();
        }
    }
}
