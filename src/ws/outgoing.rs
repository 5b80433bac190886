//! What is on its way to a client: frames that wait until the connection takes them.
//!
//! The context of `actix-web-actors` runs the actor before each chunk that it gives to the connection, and the actor
//! then takes in all that waits for it: a client that reads too slowly would make the queue behind it grow without
//! bound. Here the actor runs only when nothing waits any more. What comes meanwhile stays in its mailbox, whose content
//! the hub bounds; and all that waits goes out in one write.

use std::{
    cell::RefCell,
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use futures_util::Stream;

use crate::hub::Gauge;

/// Most bytes that are put together into one chunk. What is larger goes as it is, without a copy.
const CHUNK: usize = 32 * 1024;

/// Where a session writes. Cheap to clone; both ends live on the thread of their socket.
#[derive(Debug, Clone, Default)]
pub struct Outgoing(Rc<RefCell<Vec<Bytes>>>);

impl Outgoing {
    /// Puts a frame behind those that wait.
    pub fn write(&self, frame: Bytes) {
        self.0.borrow_mut().push(frame);
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    /// Puts what was taken, or the rest of it, before those that wait.
    pub fn put_back(&self, rest: Bytes) {
        self.0.borrow_mut().insert(0, rest);
    }

    /// Takes what waits, up to a chunk.
    pub fn take(&self) -> Option<Bytes> {
        let mut waiting = self.0.borrow_mut();
        let mut size = 0;
        let fitting = waiting
            .iter()
            .take_while(|frame| {
                size += frame.len();
                size <= CHUNK
            })
            .count();
        match (waiting.len(), fitting) {
            (0, _) => None,
            (1, _) => waiting.pop().inspect(|_| *waiting = Vec::new()),
            (_, 0 | 1) => Some(waiting.remove(0)),
            _ => {
                let mut chunk = BytesMut::with_capacity(size.min(CHUNK));
                for frame in waiting.drain(..fitting) {
                    chunk.extend_from_slice(&frame);
                }
                if waiting.is_empty() {
                    // An idle socket keeps no memory for a queue.
                    *waiting = Vec::new();
                }
                Some(chunk.freeze())
            }
        }
    }
}

/// The body of a socket's response: what its session writes. `session` is the context that runs the actor; it yields
/// nothing itself, and ends when the actor has stopped.
#[derive(Debug)]
pub struct OutgoingStream<S> {
    session: Pin<Box<S>>,
    outgoing: Outgoing,
    gauge: Arc<Gauge>,
}

impl<S> OutgoingStream<S> {
    /// Joins the two ends.
    pub fn new(session: S, outgoing: Outgoing, gauge: Arc<Gauge>) -> Self {
        Self {
            session: Box::pin(session),
            outgoing,
            gauge,
        }
    }

    fn next_chunk(&self) -> Option<Bytes> {
        self.outgoing.take().inspect(|_| self.gauge.progress())
    }
}

impl<S, E> Stream for OutgoingStream<S>
where
    S: Stream<Item = Result<Bytes, E>>,
{
    type Item = Result<Bytes, E>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(chunk) = self.next_chunk() {
            return Poll::Ready(Some(Ok(chunk)));
        }
        let session = self.session.as_mut().poll_next(cx);
        match self.next_chunk() {
            Some(chunk) => Poll::Ready(Some(Ok(chunk))),
            None => session,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_goes_out_together_and_in_order() {
        let outgoing = Outgoing::default();
        for text in ["a", "bc", "d"] {
            outgoing.write(Bytes::from(text));
        }
        assert_eq!(outgoing.take(), Some(Bytes::from("abcd")));
        assert_eq!(outgoing.take(), None);
    }

    #[test]
    fn a_chunk_is_bounded_and_nothing_is_lost_at_its_edge() {
        let outgoing = Outgoing::default();
        let sizes = [CHUNK - 1, 1, 1, CHUNK + 5, 7];
        for size in sizes {
            outgoing.write(Bytes::from(vec![b'x'; size]));
        }
        let chunks: Vec<usize> = std::iter::from_fn(|| outgoing.take())
            .map(|chunk| chunk.len())
            .collect();
        assert_eq!(chunks, [CHUNK, 1, CHUNK + 5, 7]);
    }
}
