//! `parlour tail`: the room's messages as lines, the latest first and then as they come.

use std::{
    fmt::Write as _,
    io::{self, Write},
    time::{Duration, Instant},
};

use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval},
};

use parlour_client::{
    api::{Api, Page, Query},
    follow::{Follower, Step},
    link::{Act, Dice, Link, Status},
    net::{Effect, Event, Net},
};

use super::{
    ClientError, block_on, log_in, seed,
    settings::ClientSettings,
    text::{is_harmless, visible, visible_lines},
    wall,
};
use crate::{
    printing,
    protocol::{
        GENERAL,
        command::{Command, Request},
        event::{self, Notice},
        views::Message,
    },
};

/// How often time passes.
const TICK: Duration = Duration::from_millis(250);
/// How soon a failed fetch is tried again.
const FETCH_AGAIN: u64 = 2_000;

/// `parlour tail`: prints the latest `recent` messages of a room and then each new one, for ever; comes back by itself
/// after a lost connection, and misses nothing. With `json`, one object of the REST shape a line; otherwise text in
/// which every character can be seen.
///
/// # Errors
/// A sentence, when nobody is logged in, the room does not exist, or the output cannot be written. A reader that has
/// enough (a closed pipe) is no error.
pub fn tail(
    settings: &ClientSettings,
    json: bool,
    room: Option<String>,
    recent: usize,
) -> Result<(), ClientError> {
    let seed = seed()?;
    block_on(async {
        let api = Api::new(&settings.server)?;
        let account = log_in(settings, &api).await?;
        let (events, mut received) = mpsc::unbounded_channel();
        let mut net = Net::new(api, account, events);
        let room = room.unwrap_or_else(|| GENERAL.to_owned());
        let mut tail = Tail {
            follower: Follower::new(&room),
            room,
            link: Link::default(),
            dice: Dice::new(seed),
            now: 0,
            recent,
            latest: Vec::new(),
            fetch_again: None,
            json,
            out: io::stdout(),
        };
        let start = Instant::now();
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let open = tail.link.open(0);
        let mut effects = tail.act(vec![open])?;
        loop {
            for effect in effects {
                net.perform(effect);
            }
            let taken = tokio::select! {
                Some(event) = received.recv() => tail.take(event),
                _ = ticks.tick() => {
                    if printing::has_lost_reader() {
                        return Ok(());
                    }
                    let now = start.elapsed().as_millis();
                    tail.tick(u64::try_from(now).unwrap_or(u64::MAX))
                }
            };
            effects = match taken {
                Ok(effects) => effects,
                Err(Stop::Satisfied) => return Ok(()),
                Err(Stop::Failed(error)) => return Err(error),
            };
        }
    })
}

/// Why it ends.
enum Stop {
    /// Nobody reads on.
    Satisfied,
    /// It cannot go on.
    Failed(ClientError),
}

impl From<ClientError> for Stop {
    fn from(error: ClientError) -> Self {
        Self::Failed(error)
    }
}

struct Tail<W> {
    room: String,
    follower: Follower,
    link: Link,
    dice: Dice,
    now: u64,
    recent: usize,
    /// The latest messages so far, while those before them are fetched: the first page holds fewer than wanted.
    latest: Vec<Message>,
    fetch_again: Option<u64>,
    json: bool,
    out: W,
}

impl<W: Write> Tail<W> {
    fn tick(&mut self, now: u64) -> Result<Vec<Effect>, Stop> {
        self.now = now;
        let acts = self.link.tick(now, &mut self.dice);
        let mut effects = self.act(acts)?;
        if self.link.is_connected() && self.fetch_again.is_some_and(|at| at <= now) {
            self.fetch_again = None;
            if let Some(first) = self.latest.first() {
                effects.push(self.fetch(Query::Before(first.id)));
            } else {
                let steps = self.follower.again();
                effects.extend(self.follow(steps)?);
            }
        }
        Ok(effects)
    }

    fn take(&mut self, event: Event) -> Result<Vec<Effect>, Stop> {
        match event {
            Event::Frame { attempt, frame } if self.link.is_current(attempt) => self.frame(*frame),
            Event::Heard { attempt } if self.link.is_current(attempt) => {
                self.link.heard(self.now);
                Ok(Vec::new())
            }
            Event::Closed {
                attempt,
                code,
                why,
                after,
            } if self.link.is_current(attempt) => {
                if let Some(after) = after {
                    self.link.told_to_return(after);
                }
                let acts = self.link.closed(self.now, code, why, &mut self.dice);
                self.tell();
                Ok(self.act(acts)?)
            }
            Event::LoginEnded(detail) => Err(ClientError::failed(detail).into()),
            Event::Page { query, tag, result } if tag == self.follower.visit() => match result {
                Ok(page) => self.page(query, page),
                Err(detail) => {
                    printing::complain(visible(&detail));
                    self.fetch_again = Some(self.now + FETCH_AGAIN);
                    Ok(Vec::new())
                }
            },
            _ => Ok(Vec::new()),
        }
    }

    fn frame(&mut self, frame: event::Event) -> Result<Vec<Effect>, Stop> {
        self.link.heard(self.now);
        let steps = match frame {
            event::Event::System(event::System {
                notice: Notice::Connected(hello),
                ..
            }) => {
                if !hello.rooms.iter().any(|room| room.name == self.room) {
                    let room = &self.room;
                    let text = format!("There is no room {room} for you: check its name.");
                    return Err(ClientError::failed(text).into());
                }
                self.link.connected(self.now, &hello);
                self.fetch_again = None;
                self.latest.clear();
                self.follower.connected(&hello)
            }
            event::Event::Message(message) => self.follower.message(message),
            event::Event::Synced { rooms, .. } => match rooms.get(&self.room) {
                Some(room) => self.follower.synced(*room),
                None => Vec::new(),
            },
            event::Event::Lag { room, seq } => self.follower.lag(&room, seq),
            event::Event::Error(error) => self.follower.refused(&error).unwrap_or_default(),
            event::Event::Reconnect { after_ms } => {
                self.link.told_to_return(after_ms);
                Vec::new()
            }
            _ => Vec::new(),
        };
        self.follow(steps)
    }

    fn page(&mut self, query: Query, page: Page) -> Result<Vec<Effect>, Stop> {
        let Page { messages, more } = page;
        let steps = match query {
            Query::Since(_) => self.follower.page(messages, more),
            Query::Latest | Query::Before(_) => {
                let later = std::mem::replace(&mut self.latest, messages);
                self.latest.extend(later);
                if let Some(first) = self.latest.first()
                    && more
                    && self.latest.len() < self.recent
                {
                    return Ok(vec![self.fetch(Query::Before(first.id))]);
                }
                // Asked for in pages, shown as far as wanted.
                let mut latest = std::mem::take(&mut self.latest);
                latest.drain(..latest.len().saturating_sub(self.recent));
                self.follower.latest(latest)
            }
        };
        self.follow(steps)
    }

    fn follow(&mut self, steps: Vec<Step>) -> Result<Vec<Effect>, Stop> {
        let mut effects = Vec::new();
        for step in steps {
            match step {
                Step::FetchLatest => effects.push(self.fetch(Query::Latest)),
                Step::FetchSince(seq) => effects.push(self.fetch(Query::Since(seq))),
                Step::Say(request) => effects.push(Effect::Say(request)),
                Step::Pause => self.fetch_again = Some(self.now + FETCH_AGAIN),
                Step::Show(messages) => self.print(&messages)?,
                Step::Forget => {
                    printing::complain("the server's history was replaced; starting afresh");
                }
            }
        }
        Ok(effects)
    }

    fn act(&mut self, acts: Vec<Act>) -> Result<Vec<Effect>, ClientError> {
        let mut effects = Vec::new();
        for act in acts {
            effects.push(match act {
                Act::Open { attempt, fresh } => Effect::Open { attempt, fresh },
                Act::Drop => Effect::Drop,
                Act::Ping => Effect::Say(Request::new(Command::Ping)),
                Act::LogIn => {
                    return Err(ClientError::failed(
                        "Your login was ended: log in again with `parlour tui`.",
                    ));
                }
            });
        }
        if let Status::Offline { why } = self.link.status() {
            return Err(ClientError::failed(format!(
                "The server does not want us back ({why})."
            )));
        }
        Ok(effects)
    }

    fn fetch(&self, query: Query) -> Effect {
        Effect::Fetch {
            room: self.room.clone(),
            query,
            tag: self.follower.visit(),
        }
    }

    /// Tells about the connection where the messages do not go.
    fn tell(&self) {
        if let Status::Waiting { until, why } = self.link.status() {
            let seconds = until.saturating_sub(self.now).div_ceil(1_000);
            printing::complain(format_args!(
                "{}; trying again in {seconds} s",
                visible(why)
            ));
        }
    }

    fn print(&mut self, messages: &[Message]) -> Result<(), Stop> {
        let printed = messages
            .iter()
            .try_for_each(|message| {
                let line = if self.json {
                    escaped(&serde_json::to_string(message)?) + "\n"
                } else {
                    text_of(message)
                };
                self.out.write_all(line.as_bytes())
            })
            .and_then(|()| self.out.flush());
        printed.map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => Stop::Satisfied,
            _ => ClientError::failed(printing::unwritten(&error)).into(),
        })
    }
}

/// JSON in which a terminal finds nothing to obey and an editor nothing that is hidden or reordered. It means the same.
fn escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if is_harmless(c) {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out
}

/// One message as text. Its further lines are indented, so that none can pass for another message.
fn text_of(message: &Message) -> String {
    let at = wall(message.created_at).format("%Y-%m-%d %H:%M:%S");
    let mut out = format!("{at} {}: ", visible(&message.username));
    if message.unreadable {
        out.push_str("(stored, but the server could not decrypt it)");
    }
    for (n, line) in visible_lines(&message.content).enumerate() {
        if n > 0 {
            out.push_str("\n    ");
        }
        out.push_str(&line);
    }
    out.push('\n');
    out
}
