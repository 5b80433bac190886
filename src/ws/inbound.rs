//! What a client says, as a stream: the bytes of its request's body, through the [frame guard](super::frames).

use std::{
    cell::Cell,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use actix_web::{error::PayloadError, web};
use bytes::Bytes;
use futures_util::Stream;

use super::frames::{FrameDecoder, Inbound, Violation};

/// Bytes that are still taken from a client that is about to be cut. One that is polite needs few; one that floods us
/// waits until it is.
const LAST_BYTES: usize = 256 * 1024;

/// The end of an [`InboundStream`] that its reader keeps.
#[derive(Debug, Clone, Default)]
pub struct Flow {
    /// Bytes that are still taken; `None`: as many as come.
    left: Rc<Cell<Option<usize>>>,
}

impl Flow {
    /// Nothing that comes from now on counts, but for a close frame.
    pub fn slow_down(&self) {
        if self.left.get().is_none() {
            self.left.set(Some(LAST_BYTES));
        }
    }
}

/// Yields whole messages, and nothing more after a close or a violation. It ends when the bytes end or break off.
#[derive(Debug)]
pub struct InboundStream<S = web::Payload> {
    payload: S,
    decoder: FrameDecoder,
    chunk: Bytes,
    payload_ended: bool,
    flow: Flow,
}

impl<S> InboundStream<S> {
    /// Reads the frames in `payload`, and refuses messages of more than `max_message` bytes.
    pub fn new(payload: S, max_message: usize) -> Self {
        Self {
            payload,
            decoder: FrameDecoder::new(max_message),
            chunk: Bytes::new(),
            payload_ended: false,
            flow: Flow::default(),
        }
    }

    /// What its reader keeps of it.
    pub fn flow(&self) -> Flow {
        self.flow.clone()
    }
}

impl<S> Stream for InboundStream<S>
where
    S: Stream<Item = Result<Bytes, PayloadError>> + Unpin,
{
    type Item = Result<Inbound, Violation>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some(item) = this.decoder.decode(&mut this.chunk).transpose() {
                return Poll::Ready(Some(item));
            }
            // An emptied chunk still keeps the block alive that it was cut from.
            this.chunk = Bytes::new();
            if this.payload_ended {
                return Poll::Ready(None);
            }
            // After a close or a violation the decoder yields nothing more, and what still comes is read and thrown
            // away: a connection that is closed with bytes unread is reset, and the client might never see why.
            if this.flow.left.get() == Some(0) {
                // Nothing wakes it again: its reader has set itself an end.
                return Poll::Pending;
            }
            match Pin::new(&mut this.payload).poll_next(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Ok(chunk))) => {
                    let left = this.flow.left.get();
                    (this.flow.left).set(left.map(|left| left.saturating_sub(chunk.len())));
                    this.chunk = chunk;
                }
                // A connection that breaks off is no violation, just an end.
                Poll::Ready(Some(Err(_)) | None) => this.payload_ended = true,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt, StreamExt, stream};

    use super::*;

    fn hear(chunks: Vec<Result<&'static [u8], PayloadError>>) -> Vec<Result<Inbound, Violation>> {
        let payload = stream::iter(chunks).map(|chunk| chunk.map(Bytes::from_static));
        let heard = InboundStream::new(payload, 100).collect().now_or_never();
        heard.unwrap_or_default()
    }

    const HI: &[u8] = b"\x81\x82\0\0\0\0hi";

    fn hi() -> Inbound {
        Inbound::Text("hi".into())
    }

    #[test]
    fn several_messages_in_one_chunk_and_one_message_in_several_chunks_are_heard() {
        let twice = b"\x81\x82\0\0\0\0hi\x81\x82\0\0\0\0hi";
        assert_eq!(
            hear(vec![Ok(twice), Ok(&HI[..3]), Ok(b""), Ok(&HI[3..])]),
            [Ok(hi()), Ok(hi()), Ok(hi())]
        );
    }

    #[test]
    fn a_connection_that_breaks_off_ends_the_stream_without_a_violation() {
        let broken = Err(PayloadError::Incomplete(None));
        assert_eq!(hear(vec![Ok(HI), Ok(&HI[..3]), broken, Ok(HI)]), [Ok(hi())]);
        assert_eq!(hear(vec![Ok(HI), Ok(&HI[..3])]), [Ok(hi())]);
    }

    #[test]
    fn the_stream_ends_after_a_close_and_after_a_violation() {
        let close = b"\x88\x80\0\0\0\0";
        assert_eq!(hear(vec![Ok(close), Ok(HI)]), [Ok(Inbound::Close(None))]);
        let unmasked = b"\x81\x02hi";
        let heard = hear(vec![Ok(HI), Ok(unmasked), Ok(HI)]);
        assert_eq!(heard.len(), 2);
        assert_eq!(
            heard[1].as_ref().map_err(|violation| violation.code),
            Err(1002)
        );
    }
}
