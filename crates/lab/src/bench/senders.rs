//! Sending at a steady rate, whatever comes back: a slow server does not slow the senders down, so its delays are seen.

use std::{
    io::{ErrorKind, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

use super::{Result, Trouble, progress::Progress, readers::Stopwatch, stats::Histogram};
use crate::{
    protocol::{command::SendMessage, event::Event, message::Message},
    raw::{
        frame,
        scan::{self, Stamp},
    },
};

/// What each message is wrapped in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// A `message` command.
    Command,
    /// A `message` command that asks for an ack.
    AckedCommand,
    /// The frame as readers get it, this many bytes long: for the floor, which passes on what it is given.
    Delivery(usize),
    /// The same masked, as a WebSocket server takes it.
    MaskedDelivery(usize),
}

/// Sockets that send in turn.
pub struct Senders {
    streams: Vec<TcpStream>,
    said: Vec<u32>,
    framing: Framing,
    /// Bytes of each content.
    content: usize,
    clock: Stopwatch,
    /// The room of each message, in turn; `general` when there is none. As many as there are sockets, or a multiple.
    rooms: Vec<String>,
}

/// What was sent.
pub struct Sent {
    /// Messages.
    pub count: u64,
    /// How much later than due they went out, which is the bench's own fault.
    pub late: Histogram,
}

impl Senders {
    /// Sockets that are open already.
    #[must_use]
    pub fn new(streams: Vec<TcpStream>, framing: Framing, clock: Stopwatch) -> Self {
        Self {
            said: vec![0; streams.len()],
            streams,
            framing,
            content: scan::CONTENT,
            clock,
            rooms: Vec::new(),
        }
    }

    /// Has the messages go to these rooms, in turn.
    #[must_use]
    pub fn in_rooms(self, rooms: Vec<String>) -> Self {
        Self { rooms, ..self }
    }

    /// Says things of this length instead.
    #[must_use]
    pub fn with_contents_of(self, bytes: usize) -> Self {
        Self {
            content: bytes,
            ..self
        }
    }

    /// Sends `rate` messages a second for `time`, in even steps, the sockets in turn.
    ///
    /// # Errors
    /// When a socket is closed.
    pub fn send(&mut self, rate: u32, time: Duration) -> Result<Sent> {
        let count = (f64::from(rate) * time.as_secs_f64()).round() as u64;
        let progress = Progress::new(format!("messages sent at {rate} a second"), count);
        let sent = self.send_while(rate, |at| {
            progress.at(at);
            at < count
        })?;
        progress.done();
        Ok(sent)
    }

    /// Sends `rate` messages a second for as long as `more` says so of the number of those sent before.
    ///
    /// # Errors
    /// When a socket is closed.
    pub fn send_while(&mut self, rate: u32, mut more: impl FnMut(u64) -> bool) -> Result<Sent> {
        let mut late = Histogram::default();
        let start = Instant::now();
        let mut at = 0;
        while more(at) {
            let due = start + Duration::from_secs_f64(at as f64 / f64::from(rate));
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            late.add(due.elapsed().as_nanos() as u64);
            self.say(at as usize)
                .map_err(|error| Trouble::io("send a message", &error))?;
            at += 1;
        }
        Ok(Sent { count: at, late })
    }

    fn say(&mut self, at: usize) -> std::io::Result<()> {
        let sender = at % self.streams.len().max(1);
        let (Some(stream), Some(said)) = (self.streams.get_mut(sender), self.said.get_mut(sender))
        else {
            return Ok(());
        };
        *said += 1;
        let stamp = Stamp {
            sender,
            number: *said,
            sent_at: self.clock.now(),
        };
        let mut out = Vec::with_capacity(512);
        match self.framing {
            Framing::Delivery(bytes) => frame::push_plain(&mut out, &delivery(stamp, bytes)),
            Framing::MaskedDelivery(bytes) => {
                frame::push_masked(&mut out, 0x1, &delivery(stamp, bytes));
            }
            framing => {
                let reference =
                    (framing == Framing::AckedCommand).then(|| stamp.sent_at.to_string());
                let client_id = reference.as_ref().map(|at| format!("{sender}-{at}"));
                let message = SendMessage {
                    content: stamp.to_content(self.content),
                    room: self.rooms.get(at % self.rooms.len().max(1)).cloned(),
                    client_id,
                    ..SendMessage::default()
                };
                let text = scan::message(message, reference);
                frame::push_masked(&mut out, 0x1, text.as_bytes());
            }
        }
        let mut rest = out.as_slice();
        while !rest.is_empty() {
            match stream.write(rest) {
                Ok(length) => rest = rest.get(length..).unwrap_or_default(),
                // The server does not take it at the moment; waiting here shows up as lateness.
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    std::thread::sleep(Duration::from_micros(200));
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// The text of a delivery whose frame is exactly `bytes` long (if it is not shorter than one can be).
fn delivery(stamp: Stamp, bytes: usize) -> Vec<u8> {
    // Four bytes of frame header: every delivery of the bench is between 126 and 65,535 bytes long.
    const HEADER: usize = 4;
    let text = |name: usize| {
        Event::Message(Message {
            room: crate::protocol::GENERAL.into(),
            id: 100_000,
            seq: 100_000,
            user_id: 100,
            username: "u".repeat(name),
            content: stamp.to_content(scan::CONTENT),
            created_at: crate::protocol::time::Timestamp::UNIX_EPOCH,
            client_id: None,
            unreadable: false,
            ..Message::default()
        })
        .to_json()
    };
    let shortest = text(0).len() + HEADER;
    text(bytes.saturating_sub(shortest)).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_floor_is_given_messages_as_long_as_those_of_the_server() {
        for sent_at in [0, 5_000_000_000] {
            let stamp = Stamp {
                sender: 3,
                number: 9,
                sent_at,
            };
            let mut out = Vec::new();
            frame::push_plain(&mut out, &delivery(stamp, 260));
            assert_eq!(out.len(), 260);
        }
    }
}
