//! A connection that has left HTTP: what a session writes goes out as it is, and what the client sends comes in. A
//! socket that says nothing holds no buffer.

use std::{
    io,
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use actix_http::{body::BoxBody, error::PayloadError};
use bytes::Bytes;
use futures_util::Stream;
use tokio::time::{Instant, timeout};

use super::{
    next_chunk,
    wire::{Transport, Wire},
};
use crate::hub::Gauge;

/// How often a connection that takes nothing is looked at, whether its socket was told to close: it then has as long
/// again.
const LAST_MOMENT: Duration = Duration::from_millis(400);

/// What a session says.
pub struct Conversation {
    gauge: Option<Arc<Gauge>>,
    body: BoxBody,
}

impl Conversation {
    pub fn new(gauge: Option<Arc<Gauge>>, body: BoxBody) -> Self {
        Self { gauge, body }
    }

    /// Writes what the session says. It is asked for more only when nothing waits to be written; so a socket whose
    /// client does not read cannot hear that it is to close, and is cut when it has been told so and still does not. So is
    /// one that takes nothing for `patience`.
    pub async fn converse<T: Transport>(
        mut self,
        wire: &Wire<T>,
        patience: Duration,
    ) -> io::Result<()> {
        while let Some(mut chunk) = next_chunk(wire, &mut self.body).await? {
            let (mut left, mut since) = (chunk.len(), Instant::now());
            let mut was_closed = false;
            loop {
                let writing = std::future::poll_fn(|cx| wire.poll_write(cx, &mut chunk));
                if let Ok(written) = timeout(LAST_MOMENT, writing).await {
                    break written?;
                }
                if chunk.len() != left {
                    (left, since) = (chunk.len(), Instant::now());
                }
                if was_closed || since.elapsed() >= patience {
                    return Err(io::ErrorKind::TimedOut.into());
                }
                was_closed = self.gauge.as_deref().is_some_and(Gauge::is_closed);
            }
        }
        Ok(())
    }
}

/// What a client sends, as the body of its request.
pub struct Heard<T>(pub Rc<Wire<T>>);

impl<T: Transport> Stream for Heard<T> {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let bytes = ready!(self.0.poll_read(cx)).map_err(PayloadError::Io)?;
        Poll::Ready((!bytes.is_empty()).then_some(Ok(bytes)))
    }
}
