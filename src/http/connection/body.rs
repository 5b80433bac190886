//! The body of a request, as a handler reads it: from the connection, and no faster than the handler.

use std::{
    cell::{Cell, RefCell},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
};

use actix_codec::Decoder as _;
use actix_http::{
    error::PayloadError,
    h1::{Codec, Message},
};
use bytes::Bytes;
use futures_util::Stream;

use super::wire::{Transport, Wire};

/// Bytes of a body in chunks that may be something else than the body: extensions, trailers, zeros before a size.
const MOST_FRAMING: usize = 4 * 1024;
/// How many more there may be for each part that comes: a size and the ends of two lines.
const FRAMING_OF_A_PART: usize = 16;

const CONTINUE: Bytes = Bytes::from_static(b"HTTP/1.1 100 Continue\r\n\r\n");

/// How much of a request's body has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// More is to come.
    UnderWay,
    /// All of it was read.
    Ended,
    /// It broke off, or is not framed as it should be.
    Broken,
}

/// What the connection keeps of a body, whatever its handler does with it.
pub struct Body<T> {
    wire: Rc<Wire<T>>,
    codec: Rc<RefCell<Codec>>,
    progress: Cell<Progress>,
    /// How many more bytes may come that are not part of it.
    framing_left: Cell<usize>,
    /// Whether the handler waits for more of it to come.
    is_awaited: Cell<bool>,
}

impl<T: Transport> Body<T> {
    /// The body that follows the head which `codec` has read.
    pub fn new(wire: &Rc<Wire<T>>, codec: &Rc<RefCell<Codec>>, progress: Progress) -> Rc<Self> {
        Rc::new(Self {
            wire: Rc::clone(wire),
            codec: Rc::clone(codec),
            progress: Cell::new(progress),
            framing_left: Cell::new(MOST_FRAMING),
            is_awaited: Cell::new(false),
        })
    }

    /// For the handler. `expected`: the client waits to be told to go on before it sends the body.
    pub fn incoming(self: &Rc<Self>, expected: bool) -> Incoming<T> {
        Incoming {
            body: Rc::clone(self),
            interim: if expected { CONTINUE } else { Bytes::new() },
        }
    }

    /// To be called before the handler is polled.
    pub fn begin_turn(&self) {
        self.wire.begin_turn();
        self.is_awaited.set(false);
    }

    /// Whether the handler, when it was polled last, wanted more than has come.
    pub fn is_awaited(&self) -> bool {
        self.is_awaited.get()
    }

    /// Throws away what has come and was not read, and tells whether another request may follow.
    pub fn is_over(&self) -> bool {
        while self.progress.get() == Progress::UnderWay && self.next_part().is_some() {}
        self.progress.get() == Progress::Ended
    }

    /// The next part of what has come; `None` when more must come first, or nothing comes any more.
    fn next_part(&self) -> Option<Result<Bytes, PayloadError>> {
        let (decoded, used) = {
            let mut ahead = self.wire.ahead().borrow_mut();
            let before = ahead.len();
            let decoded = self.codec.borrow_mut().decode(&mut ahead);
            (decoded, before - ahead.len())
        };
        let (part, has_ended) = match decoded {
            Ok(Some(Message::Chunk(Some(part)))) => (Some(part), false),
            Ok(Some(Message::Chunk(None))) => (None, true),
            Ok(None) => (None, false),
            Ok(Some(Message::Item(_))) | Err(_) => return Some(self.break_off()),
        };
        let (length, more) = part
            .as_ref()
            .map_or((0, 0), |bytes| (bytes.len(), FRAMING_OF_A_PART));
        let framing = used.saturating_sub(length);
        let Some(left) = (self.framing_left.get() + more).checked_sub(framing) else {
            return Some(self.break_off());
        };
        self.framing_left.set(left);
        if has_ended {
            self.progress.set(Progress::Ended);
        }
        part.map(Ok)
    }

    fn break_off(&self) -> Result<Bytes, PayloadError> {
        self.progress.set(Progress::Broken);
        Err(PayloadError::EncodingCorrupted)
    }
}

/// A body as a stream of bytes.
pub struct Incoming<T> {
    body: Rc<Body<T>>,
    interim: Bytes,
}

impl<T: Transport> Stream for Incoming<T> {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let Body { wire, progress, .. } = &*this.body;
        if !this.interim.is_empty() {
            ready!(wire.poll_write(cx, &mut this.interim)).map_err(PayloadError::Io)?;
        }
        loop {
            if progress.get() != Progress::UnderWay {
                return Poll::Ready(None);
            }
            if let Some(part) = this.body.next_part() {
                return Poll::Ready(Some(part));
            }
            if progress.get() != Progress::UnderWay {
                continue;
            }
            this.body.is_awaited.set(true);
            let filled = ready!(wire.poll_fill(cx)).map_err(PayloadError::Io)?;
            this.body.is_awaited.set(false);
            if filled == 0 {
                progress.set(Progress::Broken);
                return Poll::Ready(Some(Err(PayloadError::Incomplete(None))));
            }
        }
    }
}
