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
    api::Api,
    client::Client,
    link::Status,
    net::Net,
    store::{News, Past, Rooms, Store},
};

use super::{
    ClientError, block_on, local_time, log_in, revoked, seed,
    settings::ClientSettings,
    text::{is_harmless, visible, visible_lines},
};
use crate::{
    printing,
    protocol::{GENERAL, message::Message},
};

/// How often time passes.
const TICK: Duration = Duration::from_millis(250);

/// `parlour tail`: prints the latest `recent` messages of a room and then each new one, forever; comes back by itself
/// after a lost connection, and misses nothing. With `json`, one object of the REST shape a line; otherwise text in
/// which every character can be seen.
///
/// # Errors
/// A sentence, when no one is logged in, the room does not exist, or the output cannot be written. A reader that has
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
        let store = Store::new("", Past::Latest(recent), Rooms::These(vec![room]));
        let mut client = Client::new(store, seed);
        let mut printer = Printer {
            json,
            out: io::stdout(),
        };
        let start = Instant::now();
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut effects = client.connect();
        loop {
            for effect in effects {
                net.perform(effect);
            }
            let outcome = tokio::select! {
                Some(event) = received.recv() => client.take(event),
                _ = ticks.tick() => {
                    if printing::has_lost_reader() {
                        return Ok(());
                    }
                    let now = start.elapsed().as_millis();
                    client.tick(u64::try_from(now).unwrap_or(u64::MAX))
                }
            };
            for news in outcome.news {
                match printer.tell(&client, news) {
                    Ok(()) => {}
                    Err(Stop::ReaderGone) => return Ok(()),
                    Err(Stop::Failed(error)) => return Err(error),
                }
            }
            if let Status::Offline { why } = client.link().status() {
                let text = format!("The server does not want us back ({why}).");
                return Err(ClientError::failed(text));
            }
            effects = outcome.effects;
        }
    })
}

/// Why it ends.
enum Stop {
    /// No one reads on.
    ReaderGone,
    /// It cannot go on.
    Failed(ClientError),
}

impl From<ClientError> for Stop {
    fn from(error: ClientError) -> Self {
        Self::Failed(error)
    }
}

struct Printer<W> {
    json: bool,
    out: W,
}

impl<W: Write> Printer<W> {
    fn tell(&mut self, client: &Client, news: News) -> Result<(), Stop> {
        match news {
            News::Shown { messages, .. } => self.print(&messages)?,
            News::Forgotten { .. } => {
                printing::complain("the server's history was replaced; starting afresh");
            }
            News::FetchFailed(detail) => printing::complain(visible(&detail)),
            News::Disconnected => {
                if let Status::Waiting { until, why } = client.link().status() {
                    let seconds = until.saturating_sub(client.now()).div_ceil(1_000);
                    let why = visible(why);
                    printing::complain(format_args!("{why}; trying again in {seconds} s"));
                }
            }
            News::NotMember { room } => {
                let text = format!("There is no room {room} for you: check its name.");
                return Err(ClientError::usage(text).into());
            }
            News::Gone { room } => {
                let text = format!("You are not in the room {room} any more.");
                return Err(ClientError::failed(text).into());
            }
            News::LoginEnded(detail) => return Err(ClientError::failed(detail).into()),
            News::LoginRevoked(why) => {
                let text = revoked(&why, "log in again with `parlour tui`");
                return Err(ClientError::failed(text).into());
            }
            News::Older { .. } | News::Joined { .. } | News::Refused(_) | News::Fetched => {}
        }
        Ok(())
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
            io::ErrorKind::BrokenPipe => Stop::ReaderGone,
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
    let at = local_time(message.created_at).format("%Y-%m-%d %H:%M:%S");
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
