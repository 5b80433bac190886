//! A connection that has left HTTP: what a session writes goes out as it is, and what the client sends comes in. A
//! socket that says nothing holds no buffer.

use std::{
    io,
    pin::Pin,
    rc::Rc,
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
use crate::{protocol::close, ws::LocalEnd};

/// How often a connection that has not taken all is looked at.
const CHECK_EVERY: Duration = Duration::from_millis(400);
/// A client that has taken nothing for this long does not read steadily. The kernel asks for more in steps of some kilobytes, between
/// which a slow client seems to take nothing.
const STALLED_AFTER: Duration = Duration::from_secs(3);
/// How long a socket that was told to close, and takes steadily, may take what is on its way to it.
const CLOSING_TIMEOUT: Duration = Duration::from_secs(15);

/// A connection that is a socket now, and what its session writes.
pub struct UpgradedConnection {
    end: Option<Rc<LocalEnd>>,
    body: BoxBody,
}

impl UpgradedConnection {
    pub fn new(end: Option<Rc<LocalEnd>>, body: BoxBody) -> Self {
        Self { end, body }
    }

    /// Writes what the session says, and gives an error when the rest of it is not worth keeping. The session is asked for
    /// more only when nothing waits to be written; so a socket whose client reads too slowly cannot hear that it is to
    /// close. See [`judge`] for what becomes of it.
    pub async fn relay<T: Transport>(
        mut self,
        wire: &Rc<Wire<T>>,
        patience: Duration,
    ) -> io::Result<()> {
        let waker = std::future::poll_fn(|cx| Poll::Ready(cx.waker().clone())).await;
        let _open = (self.end.as_ref()).map(|end| end.open_door(Rc::<Wire<T>>::clone(wire), waker));
        let mut told_at = None;
        while let Some(mut chunk) = next_chunk(wire, &mut self.body).await? {
            wire.set_writing(true);
            let (mut left, mut since) = (chunk.len(), Instant::now());
            loop {
                let writing = std::future::poll_fn(|cx| wire.poll_write(cx, &mut chunk));
                if let Ok(written) = timeout(CHECK_EVERY, writing).await {
                    written?;
                    wire.set_writing(false);
                    break;
                }
                if chunk.len() != left {
                    (left, since) = (chunk.len(), Instant::now());
                }
                let code = self.end.as_ref().and_then(|end| end.gauge.close_code());
                let told =
                    code.map(|code| (code, told_at.get_or_insert_with(Instant::now).elapsed()));
                match judge(told, since.elapsed(), patience) {
                    Verdict::Wait => {}
                    Verdict::End => return Ok(()),
                    Verdict::Cut => return Err(io::ErrorKind::TimedOut.into()),
                }
            }
        }
        Ok(())
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Wait,
    /// Nothing more is written; what the kernel holds still arrives.
    End,
    /// What the kernel holds is dropped, too.
    Cut,
}

/// What becomes of a socket that has not taken all yet. `told` is the code with which it was told to close and how long ago
/// that was seen, `still` for how long it has taken nothing.
fn judge(told: Option<(u16, Duration)>, still: Duration, patience: Duration) -> Verdict {
    let takes = still < STALLED_AFTER;
    match told {
        _ if still >= patience => Verdict::Cut,
        None => Verdict::Wait,
        // A moment for a client that happens to read just now.
        Some((_, ago)) if ago < CHECK_EVERY => Verdict::Wait,
        Some((code, ago)) if takes && ago < CLOSING_TIMEOUT && close::is_worth_returning(code) => {
            Verdict::Wait
        }
        // A login that has ended gets nothing more, but an ack that was sent before may still arrive.
        Some(_) if takes => Verdict::End,
        Some(_) => Verdict::Cut,
    }
}

/// What a client sends, as the body of its request.
pub struct SocketInput<T>(pub Rc<Wire<T>>);

impl<T: Transport> Stream for SocketInput<T> {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let bytes = ready!(self.0.poll_read(cx)).map_err(PayloadError::Io)?;
        Poll::Ready((!bytes.is_empty()).then_some(Ok(bytes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_takes_steadily_is_told_and_who_does_not_is_cut() {
        let ms = Duration::from_millis;
        let patience = Duration::from_secs(10);
        for (told, still, verdict) in [
            (None, ms(9_999), Verdict::Wait),
            (None, ms(10_000), Verdict::Cut),
            (
                Some((close::SHUTTING_DOWN, ms(0))),
                ms(9_999),
                Verdict::Wait,
            ),
            (
                Some((close::SHUTTING_DOWN, ms(400))),
                ms(2_999),
                Verdict::Wait,
            ),
            (
                Some((close::SHUTTING_DOWN, ms(400))),
                ms(3_000),
                Verdict::Cut,
            ),
            (Some((close::TOO_SLOW, ms(14_999))), ms(0), Verdict::Wait),
            (Some((close::TOO_SLOW, ms(15_000))), ms(0), Verdict::End),
            (Some((close::REVOKED, ms(399))), ms(0), Verdict::Wait),
            (Some((close::REVOKED, ms(400))), ms(0), Verdict::End),
            (Some((close::REVOKED, ms(400))), ms(3_000), Verdict::Cut),
        ] {
            assert_eq!(judge(told, still, patience), verdict, "{told:?} {still:?}");
        }
    }
}
