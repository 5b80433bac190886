//! A whole client but for its face: the connection and what is known, put together. Pure: what the network brings goes
//! in, what to do and what is new come out.

use crate::{
    effect::{Effect, Event},
    link::{Act, Link, Millis, Rng, Status},
    protocol::{
        command::{Command, Request},
        event::{self, Notice, System},
    },
    store::{Deed, News, Outcome, Store},
};

/// A client without a face.
pub struct Client {
    /// What it knows.
    pub store: Store,
    link: Link,
    /// Chance, for waits and ids.
    rng: Rng,
    now: Millis,
}

impl Client {
    /// A client that is not connected yet. With the same seed and events it does the same again.
    #[must_use]
    pub fn new(store: Store, seed: u64) -> Self {
        Self {
            store,
            link: Link::default(),
            rng: Rng::with_seed(seed),
            now: 0,
        }
    }

    /// Where the connection stands.
    #[must_use]
    pub fn link(&self) -> &Link {
        &self.link
    }

    /// The time of the last tick.
    #[must_use]
    pub fn now(&self) -> Millis {
        self.now
    }

    /// Opens a socket now, whatever the connection was about to do.
    pub fn connect(&mut self) -> Vec<Effect> {
        let act = self.link.open(self.now);
        self.perform(vec![act]).effects
    }

    /// Takes the connection down until [`Client::connect`] is called.
    pub fn stop(&mut self, why: &str) -> Vec<Effect> {
        self.link.stop(why);
        self.store.closed(None);
        vec![Effect::Drop]
    }

    /// Sends a message to a room, or a change of one: at once, or as soon as there is a connection.
    ///
    /// # Errors
    /// A sentence, when the server would not take it.
    pub fn post(&mut self, room: &str, deed: Deed, content: &str) -> Result<Vec<Effect>, String> {
        let client_id = client_id(&mut self.rng);
        self.store.post(room, deed, client_id, content)?;
        Ok(self.store.next_messages(self.now))
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Millis) -> Outcome {
        self.now = now;
        let acts = self.link.tick(now, &mut self.rng);
        let outcome = self.perform(acts).and(self.store.tick(now));
        self.and_send(outcome)
    }

    /// The network has brought something.
    pub fn take(&mut self, event: Event) -> Outcome {
        let outcome = match event {
            Event::Frame { attempt, frame } if self.link.is_current(attempt) => self.frame(*frame),
            Event::Heard { attempt } if self.link.is_current(attempt) => {
                self.link.heard(self.now);
                Outcome::default()
            }
            Event::Closed {
                attempt,
                code,
                why,
                after,
            } if self.link.is_current(attempt) => {
                if let Some(after) = after {
                    self.link.return_after(after);
                }
                self.store.closed(code);
                let acts = self.link.closed(self.now, code, why, &mut self.rng);
                Outcome::from(News::Disconnected).and(self.perform(acts))
            }
            Event::Page { fetch, result } => self.store.page(self.now, &fetch, result),
            Event::Answer { ask, result } => self.store.answered(self.now, &ask, &result),
            // The socket has told before, and has said why.
            Event::LoginEnded(_) if matches!(self.link.status(), Status::Offline { .. }) => {
                Outcome::default()
            }
            Event::LoginEnded(detail) => Outcome {
                effects: self.stop("logged out"),
                news: vec![News::LoginEnded(detail)],
            },
            // About an earlier socket, or for the one who asked for a login.
            Event::Frame { .. }
            | Event::Heard { .. }
            | Event::Closed { .. }
            | Event::LoggedIn(_)
            | Event::LoginFailed(_)
            | Event::LogoutUntold(_) => Outcome::default(),
        };
        self.and_send(outcome)
    }

    fn frame(&mut self, frame: event::Event) -> Outcome {
        self.link.heard(self.now);
        match &frame {
            event::Event::System(System {
                notice: Notice::Connected(hello),
                ..
            }) => self.link.connected(self.now, hello),
            event::Event::Reconnect { after_ms } => self.link.return_after(*after_ms),
            _ => {}
        }
        self.store.frame(self.now, frame)
    }

    fn perform(&mut self, acts: Vec<Act>) -> Outcome {
        let mut outcome = Outcome::default();
        for act in acts {
            match act {
                Act::Open { attempt, fresh } => {
                    outcome.effects.push(Effect::Open { attempt, fresh });
                }
                Act::Ping => {
                    let ping = Request::new(Command::Ping);
                    outcome.effects.push(Effect::Say(ping));
                }
                Act::Drop => {
                    self.store.closed(None);
                    outcome.effects.push(Effect::Drop);
                    outcome.news.push(News::Disconnected);
                }
                Act::LogIn => {
                    let why = match self.link.status() {
                        Status::Offline { why } => why.clone(),
                        _ => String::new(),
                    };
                    outcome.effects.extend(self.stop("logged out"));
                    outcome.news.push(News::LoginRevoked(why));
                }
            }
        }
        outcome
    }

    fn and_send(&mut self, mut outcome: Outcome) -> Outcome {
        outcome.effects.extend(self.store.next_messages(self.now));
        outcome
    }
}

/// An id for a message that no other message has, or only by a miracle.
#[must_use]
pub fn client_id(rng: &mut Rng) -> String {
    format!("{:032x}", rng.u128(..))
}
