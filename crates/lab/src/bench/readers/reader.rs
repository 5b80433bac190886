//! The reading thread: it polls, reads, counts, and says the next thing for those who wait for their acks.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    sync::{Arc, atomic::Ordering, mpsc},
    time::{Duration, Instant},
};

use mio::{Events, Interest, Poll, Token};
use socket2::SockRef;

use super::{Heed, Live, OpenSocket, Order, Place, Stopwatch, Talk, Tally, WAKE};
use crate::protocol::command::SendMessage;
use crate::raw::{
    frame,
    scan::{self, Said, Stamp},
};

/// Room for what one read brings; a frame must fit into it.
const SCRATCH: usize = 1 << 20;
/// How long deliveries may come after the last ack.
const STRAGGLERS: Duration = Duration::from_secs(2);

struct Conn {
    stream: mio::net::TcpStream,
    /// The beginning of a frame that is not whole yet.
    partial: Vec<u8>,
    /// The last number seen of each sender.
    last: Box<[u32]>,
    /// How many this socket has said itself.
    said: u32,
    /// Where the content stood in the last frame.
    hint: usize,
}

#[derive(Default)]
struct Totals {
    connected: u64,
    deliveries: u64,
    acks: u64,
}

struct Talking {
    talk: Talk,
    begun: Instant,
    /// When the last ack was in; others may still be waiting for what was acked.
    ended: Option<Instant>,
    waiting: u64,
    answer: mpsc::Sender<Tally>,
}

pub struct Reader {
    poll: Poll,
    inbox: mpsc::Receiver<Order>,
    clock: Stopwatch,
    senders: usize,
    live: Arc<Live>,
    conns: Vec<Option<Conn>>,
    scratch: Vec<u8>,
    tally: Tally,
    totals: Totals,
    talk: Option<Talking>,
    out: Vec<u8>,
    heed: Option<Heed>,
}

impl Reader {
    /// A reader without sockets.
    pub fn new(
        poll: Poll,
        inbox: mpsc::Receiver<Order>,
        clock: Stopwatch,
        senders: usize,
        live: Arc<Live>,
    ) -> Self {
        Self {
            poll,
            inbox,
            clock,
            senders,
            live,
            conns: Vec::new(),
            scratch: vec![0; SCRATCH],
            tally: Tally::default(),
            totals: Totals::default(),
            talk: None,
            out: Vec::with_capacity(512),
            heed: None,
        }
    }

    /// Has someone look at what else comes.
    pub fn heeding(self, heed: Option<Heed>) -> Self {
        Self { heed, ..self }
    }

    /// Reads until it is told to quit.
    pub fn run(mut self) {
        let mut events = Events::with_capacity(1024);
        loop {
            let _ = self.poll.poll(&mut events, Some(Duration::from_millis(50)));
            for event in &events {
                match event.token() {
                    WAKE => {
                        if self.obey() {
                            return;
                        }
                    }
                    Token(at) => self.read(at),
                }
            }
            let live = &self.live;
            live.connected
                .store(self.totals.connected, Ordering::Relaxed);
            live.deliveries
                .store(self.totals.deliveries, Ordering::Relaxed);
            live.acks.store(self.totals.acks, Ordering::Relaxed);
            self.finish_talk();
        }
    }

    /// Does what was ordered; true when the order is to quit.
    fn obey(&mut self) -> bool {
        while let Ok(order) = self.inbox.try_recv() {
            match order {
                Order::Add(socket) => self.take_over(socket),
                Order::Take(answer) => {
                    let _ = answer.send(std::mem::take(&mut self.tally));
                }
                Order::Talk(talk, answer) => self.begin(talk, answer),
                Order::Ignore(count) => {
                    for conn in self.conns.iter_mut().rev().take(count).flatten() {
                        let _ = self.poll.registry().deregister(&mut conn.stream);
                    }
                }
                Order::Cut(count) => {
                    for conn in self.conns.iter_mut().rev().take(count) {
                        if let Some(conn) = conn.take() {
                            // Nothing is waited for: the kernel sends a reset in place of an orderly end.
                            let _ = SockRef::from(&conn.stream).set_linger(Some(Duration::ZERO));
                        }
                    }
                }
                Order::Quit => return true,
            }
        }
        false
    }

    fn take_over(&mut self, socket: OpenSocket) {
        let at = self.conns.len();
        let mut stream = mio::net::TcpStream::from_std(socket.stream);
        let registered = self
            .poll
            .registry()
            .register(&mut stream, Token(at), Interest::READABLE);
        self.conns.push(registered.is_ok().then(|| Conn {
            stream,
            partial: Vec::new(),
            last: vec![0; self.senders].into(),
            said: 0,
            hint: 0,
        }));
        if registered.is_err() {
            self.ended(at, 0);
            return;
        }
        let length = socket.leftover.len().min(SCRATCH);
        if let Some(start) = self.scratch.get_mut(..length) {
            start.copy_from_slice(&socket.leftover[..length]);
            self.consume(at, length);
        }
    }

    fn read(&mut self, at: usize) {
        loop {
            let Some(Some(conn)) = self.conns.get_mut(at) else {
                return;
            };
            let kept = conn.partial.len();
            let (Some(start), true) = (self.scratch.get_mut(..kept), kept < SCRATCH) else {
                return self.ended(at, 0);
            };
            start.copy_from_slice(&conn.partial);
            conn.partial.clear();
            let space = self.scratch.get_mut(kept..).unwrap_or_default();
            let room = space.len();
            match conn.stream.read(space) {
                Ok(0) => return self.ended(at, 0),
                Ok(length) => {
                    self.consume(at, kept + length);
                    // A read that did not fill the buffer took all there was; the next arrival wakes us again.
                    if length < room {
                        return;
                    }
                }
                Err(error) => {
                    conn.partial
                        .extend_from_slice(self.scratch.get(..kept).unwrap_or_default());
                    match error.kind() {
                        ErrorKind::WouldBlock => return,
                        ErrorKind::Interrupted => {}
                        _ => return self.ended(at, 0),
                    }
                }
            }
        }
    }

    /// Takes the whole frames from the scratch buffer, and keeps what is left of the last one.
    fn consume(&mut self, at: usize, length: usize) {
        let scratch = std::mem::take(&mut self.scratch);
        let mut rest = scratch.get(..length).unwrap_or_default();
        let now = self.clock.now();
        while let Some(found) = frame::first(rest) {
            rest = rest.get(found.taken..).unwrap_or_default();
            self.take_in(at, &found, now);
        }
        if let (false, Some(Some(conn))) = (rest.is_empty(), self.conns.get_mut(at)) {
            conn.partial.extend_from_slice(rest);
        }
        self.scratch = scratch;
    }

    fn take_in(&mut self, at: usize, found: &frame::Frame<'_>, now: u64) {
        let Some(Some(conn)) = self.conns.get_mut(at) else {
            return;
        };
        match found.opcode {
            0x1 => {}
            0x9 => {
                self.out.clear();
                frame::push_masked(&mut self.out, 0xa, found.payload);
                let _ = conn.stream.write(&self.out);
                return;
            }
            0x8 => {
                let code = found.payload.first_chunk::<2>();
                return self.ended(at, code.map_or(0, |code| u16::from_be_bytes(*code)));
            }
            _ => return,
        }
        match scan::read(found.payload, &mut conn.hint) {
            Said::Delivery(stamp) => {
                self.totals.deliveries += 1;
                self.tally.deliveries += 1;
                self.tally.delivery_bytes += found.taken as u64;
                self.tally.delivery.add(now.saturating_sub(stamp.sent_at));
                if let Some(last) = conn.last.get_mut(stamp.sender) {
                    if stamp.number > *last {
                        self.tally.skipped += u64::from(stamp.number - *last - 1);
                        *last = stamp.number;
                    } else {
                        self.tally.repeated += 1;
                    }
                }
            }
            Said::Ack(sent_at) => {
                self.totals.acks += 1;
                self.tally.ack.add(now.saturating_sub(sent_at));
                self.answered(at, true);
            }
            Said::Refused => {
                self.tally.refused += 1;
                self.tally
                    .refusal
                    .get_or_insert_with(|| String::from_utf8_lossy(found.payload).into_owned());
                self.answered(at, false);
            }
            Said::Lag => self.tally.lags += 1,
            Said::Connected => self.totals.connected += 1,
            Said::Other => {
                if let Some(heed) = &mut self.heed {
                    heed(at, found.payload);
                }
            }
        }
    }

    fn begin(&mut self, talk: Talk, answer: mpsc::Sender<Tally>) {
        let depth = talk.depth;
        self.tally = Tally::default();
        self.talk = Some(Talking {
            talk,
            begun: Instant::now(),
            ended: None,
            waiting: 0,
            answer,
        });
        for _ in 0..depth {
            for at in 0..self.conns.len() {
                self.say(at);
            }
        }
    }

    /// Ends the talk when all acks are in, and every reader has got what was acked (or seems never to get it).
    fn finish_talk(&mut self) {
        let acked = self.tally.ack.count();
        let arrived = self.tally.deliveries;
        let done = self.talk.take_if(|talking| {
            let everywhere = arrived >= acked * talking.talk.place.listeners as u64;
            let over = talking.talk.budget == 0 || talking.talk.until <= Instant::now();
            if talking.waiting > 0 || !over {
                return false;
            }
            let ended = *talking.ended.get_or_insert_with(Instant::now);
            everywhere || ended.elapsed() > STRAGGLERS
        });
        if let Some(Talking {
            begun,
            ended: Some(ended),
            answer,
            ..
        }) = done
        {
            self.tally.talked = ended - begun;
            let _ = answer.send(std::mem::take(&mut self.tally));
        }
    }

    /// One request of this socket was answered. A refused one is not followed by another: that would only spin.
    fn answered(&mut self, at: usize, well: bool) {
        let Some(talking) = &mut self.talk else {
            return;
        };
        talking.waiting = talking.waiting.saturating_sub(1);
        if well && Instant::now() < talking.talk.until {
            self.say(at);
        }
    }

    fn say(&mut self, at: usize) {
        let (Some(talking), Some(Some(conn))) = (&mut self.talk, self.conns.get_mut(at)) else {
            return;
        };
        if talking.talk.budget == 0 {
            return;
        }
        conn.said += 1;
        let stamp = Stamp {
            sender: at % 100_000,
            number: conn.said,
            sent_at: self.clock.now(),
        };
        let reference = stamp.sent_at.to_string();
        // As a careful client does: with a `client_id`, so that a retry would be safe.
        let client_id = format!("{at}-{reference}");
        let Place { rooms, ending, .. } = &talking.talk.place;
        let mut content = stamp.to_content(scan::CONTENT);
        if !ending.is_empty() {
            content.push(' ');
            content.push_str(ending);
        }
        let message = SendMessage {
            content,
            room: rooms.get(at % rooms.len().max(1)).cloned(),
            client_id: Some(client_id),
            ..SendMessage::default()
        };
        let text = scan::message(message, Some(reference));
        self.out.clear();
        frame::push_masked(&mut self.out, 0x1, text.as_bytes());
        match conn.stream.write(&self.out) {
            Ok(length) if length == self.out.len() => {
                talking.waiting += 1;
                talking.talk.budget -= 1;
            }
            // The server takes nothing more, which no sender that waits for its acks should see.
            _ => self.ended(at, 0),
        }
    }

    fn ended(&mut self, at: usize, code: u16) {
        if let Some(slot) = self.conns.get_mut(at) {
            *slot = None;
        }
        *self.tally.closed.entry(code).or_default() += 1;
    }
}
