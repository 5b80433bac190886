//! Many clients that were cut off at once and come back: each waits, tries again and catches up as the terminal client
//! does. The very same [`Link`] decides when.

use std::{
    io::{ErrorKind, Read as _},
    net::SocketAddr,
    time::{Duration, Instant},
};

use mio::{Events, Interest, Poll, Token, net::TcpStream};

use self::client::{Client, Fact, Stage};
use super::{Result, Trouble, progress::Progress};
use parlour_client::link::{Act, Millis, Rng};

mod client;

/// How often the clients look at the clock.
const TICK: Duration = Duration::from_millis(5);
const SCRATCH: usize = 256 * 1024;

/// When a client is back.
#[derive(Debug, Clone, Copy)]
pub enum Goal<'a> {
    /// Its request for a WebSocket was answered: the floor.
    Upgraded,
    /// It was let in with the next of these access tokens, and everything since this number was sent to it.
    Synced {
        /// The access tokens, taken in turn.
        tokens: &'a [String],
        /// The last change in the room `general` that was seen before the cut.
        since: u64,
    },
}

/// What coming back took.
#[derive(Debug, Default, Clone)]
pub struct Outcome {
    /// From the cut until the last was back.
    pub took: Duration,
    /// How many were back at the end.
    pub back: usize,
    /// Connections that were opened for it.
    pub tries: u64,
    /// Answers that said to come later (429 or 503).
    pub told_to_wait: u64,
    /// Connections that broke off, or were answered with something else.
    pub failed: u64,
    /// Clients that were told to read the rest page by page, because one answer could not hold it.
    pub incomplete: u64,
    /// `lag` frames.
    pub lags: u64,
    /// The first refusal, as the server worded it.
    pub refusal: Option<String>,
}

/// The clients. Their sockets stay open as long as this value.
pub struct Storm<'a> {
    addr: SocketAddr,
    goal: Goal<'a>,
    clients: Vec<Client>,
    poll: Poll,
    rng: Rng,
    scratch: Vec<u8>,
    begun: Instant,
    outcome: Outcome,
}

impl<'a> Storm<'a> {
    /// This many clients, all just cut off.
    ///
    /// # Errors
    /// When the system gives no poll.
    pub fn gather(addr: SocketAddr, goal: Goal<'a>, count: usize) -> Result<Self> {
        let poll = Poll::new().map_err(|error| Trouble::io("prepare for reading", &error))?;
        let mut rng = Rng::with_seed(count as u64);
        let clients = (0..count).map(|_| Client::cut(&mut rng)).collect();
        Ok(Self {
            addr,
            goal,
            clients,
            poll,
            rng,
            scratch: vec![0; SCRATCH],
            begun: Instant::now(),
            outcome: Outcome::default(),
        })
    }

    /// Lets them come back, for as long as `patience`.
    ///
    /// # Errors
    /// When the server sends one away for good.
    pub fn come_back(&mut self, patience: Duration) -> Result<Outcome> {
        let count = self.clients.len();
        let progress = Progress::new("clients back", count as u64);
        let mut events = Events::with_capacity(1024);
        self.begun = Instant::now();
        let mut looked = None::<Instant>;
        while self.outcome.back < count && self.begun.elapsed() < patience {
            let _ = self.poll.poll(&mut events, Some(TICK));
            for event in &events {
                let Token(at) = event.token();
                if event.is_writable() {
                    self.ask(at);
                }
                self.read(at);
            }
            if looked.is_none_or(|looked| looked.elapsed() >= TICK) {
                looked = Some(Instant::now());
                self.tick()?;
            }
            progress.at(self.outcome.back as u64);
        }
        progress.at(self.outcome.back as u64);
        self.outcome.took = self.begun.elapsed();
        Ok(self.outcome.clone())
    }

    fn now(&self) -> Millis {
        self.begun.elapsed().as_millis() as Millis
    }

    fn tick(&mut self) -> Result<()> {
        let now = self.now();
        for at in 0..self.clients.len() {
            let Some(client) = self.clients.get_mut(at) else {
                continue;
            };
            if client.stage == Stage::Back {
                continue;
            }
            if client.is_sent_away() {
                let why = self.outcome.refusal.as_deref().unwrap_or("no reason given");
                return Err(Trouble(format!(
                    "The server sent a client away for good: {why}"
                )));
            }
            for act in client.tick(now, &mut self.rng) {
                match act {
                    Act::Open { .. } => self.open(at),
                    Act::Drop => {
                        if let Some(client) = self.clients.get_mut(at) {
                            client.drop_line();
                            self.outcome.failed += 1;
                        }
                    }
                    Act::Ping | Act::LogIn => {}
                }
            }
        }
        Ok(())
    }

    fn open(&mut self, at: usize) {
        self.outcome.tries += 1;
        let interest = Interest::READABLE | Interest::WRITABLE;
        let opened = TcpStream::connect(self.addr).and_then(|mut stream| {
            self.poll
                .registry()
                .register(&mut stream, Token(at), interest)?;
            Ok(stream)
        });
        match (opened, self.clients.get_mut(at)) {
            (Ok(stream), Some(client)) => client.connecting(stream),
            _ => self.lost(at, None),
        }
    }

    /// Sends the request once the connection stands.
    fn ask(&mut self, at: usize) {
        let token = match self.goal {
            Goal::Upgraded => None,
            Goal::Synced { tokens, .. } => tokens.get(at % tokens.len().max(1)),
        };
        let Some(client) = self.clients.get_mut(at) else {
            return;
        };
        if client.stage == Stage::Connecting
            && !client.ask(self.addr, token.map_or("", String::as_str))
        {
            self.lost(at, None);
        }
    }

    fn read(&mut self, at: usize) {
        loop {
            let Some(client) = self.clients.get_mut(at) else {
                return;
            };
            if client.stage == Stage::Connecting {
                return;
            }
            let Some(stream) = &mut client.line else {
                return;
            };
            match stream.read(&mut self.scratch) {
                Ok(0) => return self.lost(at, None),
                Ok(length) => {
                    self.take_in(at, length);
                    // A read that did not fill the buffer took all there was; the next arrival wakes us again.
                    if length < SCRATCH {
                        return;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return self.lost(at, None),
            }
        }
    }

    fn take_in(&mut self, at: usize, length: usize) {
        let now = self.now();
        let Some(client) = self.clients.get_mut(at) else {
            return;
        };
        let arrived = self.scratch.get(..length).unwrap_or_default();
        for fact in client.hear(arrived, now) {
            match fact {
                Fact::Upgraded => {
                    if matches!(self.goal, Goal::Upgraded) {
                        client.stage = Stage::Back;
                        self.outcome.back += 1;
                    }
                }
                Fact::Greeted(epoch) => {
                    if let Goal::Synced { since, .. } = self.goal {
                        client.sync(since, epoch);
                    }
                }
                Fact::Synced { complete } => {
                    self.outcome.back += 1;
                    self.outcome.incomplete += u64::from(!complete);
                }
                Fact::Lag => self.outcome.lags += 1,
                Fact::Refused(words) => {
                    self.outcome.refusal.get_or_insert(words);
                }
                Fact::ToldToWait { code, words } => {
                    self.outcome.told_to_wait += 1;
                    self.outcome.refusal.get_or_insert(words);
                    return self.lost(at, code);
                }
                Fact::Ended(code) => return self.lost(at, code),
            }
        }
    }

    fn lost(&mut self, at: usize, code: Option<u16>) {
        let now = self.now();
        let Some(client) = self.clients.get_mut(at) else {
            return;
        };
        if client.stage == Stage::Back {
            self.outcome.back -= 1;
        }
        self.outcome.failed += 1;
        let acts = client.lost(now, code, &mut self.rng);
        if acts.iter().any(|act| matches!(act, Act::Open { .. })) {
            self.open(at);
        }
    }
}
