//! `parlour tail`: the messages of rooms as lines, the latest first and then as they come.

mod line;

use std::{
    collections::BTreeMap,
    io::{self, Write},
    time::{Duration, Instant},
};

use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval},
};

use parlour_client::{
    api::{Api, Failure},
    client::Client,
    link::Status,
    login::Account,
    net::Net,
    store::{News, Past, Room, Rooms, Store},
};

use self::line::{Told, escaped, text_of};
use super::{
    ClientError, block_on, log_in, revoked, room_word::RoomWord, seed, settings::ClientSettings,
    text::visible,
};
use crate::{printing, protocol::message::Message};

/// How often time passes.
const TICK: Duration = Duration::from_millis(250);

/// `parlour tail`: prints the latest `recent` messages of each of these rooms, or of all that the user is in, and then each new one and each change,
/// forever; comes back by itself after a lost connection, and misses nothing. With `json`, one object of the REST shape a
/// line; otherwise text in which every character can be seen.
///
/// # Errors
/// A sentence, when no one is logged in, one of the rooms does not exist, the user is in none of them any more, or the
/// output cannot be written. A reader that has enough (a closed pipe) is no error.
pub fn tail(
    settings: &ClientSettings,
    json: bool,
    rooms: Option<Vec<String>>,
    recent: usize,
) -> Result<(), ClientError> {
    let seed = seed()?;
    let words = rooms.map(|words| words.iter().map(|word| RoomWord::read(word)).collect());
    let words: Option<Vec<RoomWord>> = words.transpose()?;
    block_on(async {
        let api = Api::new(&settings.server)?;
        let account = log_in(settings, &api).await?;
        let rooms = match &words {
            Some(words) => Some(find_all(&account, words).await?),
            None => None,
        };
        let (events, mut received) = mpsc::unbounded_channel();
        let mut net = Net::new(api, account, events);
        let is_one = rooms.as_ref().is_some_and(|words| words.len() == 1);
        let rooms = rooms.map_or(Rooms::All, Rooms::These);
        let store = Store::new("", Past::Latest(recent), rooms);
        let mut client = Client::new(store, seed);
        let mut printer = Printer {
            json,
            names: !is_one,
            told: BTreeMap::new(),
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

/// What to follow. Someone with whom there can be no direct room is no one that trying again would find.
async fn find_all(account: &Account, words: &[RoomWord]) -> Result<Vec<String>, ClientError> {
    let mut found = Vec::new();
    for word in words {
        found.push(word.find(account).await.map_err(|failure| match failure {
            Failure::Refused {
                status: 403 | 404 | 409 | 422,
                ref detail,
                ..
            } => ClientError::usage(detail.clone()),
            other => other.into(),
        })?);
    }
    Ok(found)
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
    /// Whether a line says which room it is of.
    names: bool,
    /// What was printed of each room, by key.
    told: BTreeMap<String, Told>,
    out: W,
}

impl<W: Write> Printer<W> {
    fn tell(&mut self, client: &Client, news: News) -> Result<(), Stop> {
        match news {
            News::Shown { room, messages, .. } => self.print(client, &room, messages)?,
            News::Forgotten { room } => {
                self.told.remove(&room);
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
                let text = format!(
                    "There is no room {room} for you, or you are in several of this name: check it, or give the room's key."
                );
                return Err(ClientError::usage(text).into());
            }
            News::Gone { room } => {
                let text = format!("You are not in {} any more.", name_of(client, &room));
                if client.store.rooms().all(|(_, room)| room.is_gone()) {
                    return Err(ClientError::failed(text).into());
                }
                printing::complain(visible(&text));
            }
            News::LoginEnded(detail) => return Err(ClientError::failed(detail).into()),
            News::LoginRevoked(why) => {
                let text = revoked(&why, "log in again with `parlour tui`");
                return Err(ClientError::failed(text).into());
            }
            News::Older { .. }
            | News::Thread { .. }
            | News::Draft { .. }
            | News::Scheduled(_)
            | News::Carried { .. }
            | News::Joined { .. }
            | News::Refused(_)
            | News::People
            | News::Fetched => {}
        }
        Ok(())
    }

    fn print(
        &mut self,
        client: &Client,
        room: &str,
        mut messages: Vec<Message>,
    ) -> Result<(), Stop> {
        let told = self.told.entry(room.to_owned()).or_default();
        // A message that was changed before it came is told under the number of its change.
        messages.sort_by_key(|message| {
            let is_known = told.knows(message);
            (is_known, if is_known { message.seq } else { message.id })
        });
        let name = self.names.then(|| name_of(client, room));
        let printed = messages
            .iter()
            .try_for_each(|message| {
                let event = told.take(message);
                let line = if self.json {
                    escaped(&serde_json::to_string(message)?) + "\n"
                } else {
                    text_of(message, event, name.as_deref())
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

fn name_of(client: &Client, key: &str) -> String {
    let room = client.store.room(key);
    let label = |room: &Room| match &room.about().name {
        // One mark for all that have a name, whatever their kind: programs read this.
        Some(name) => format!("#{name}"),
        None => room.label(client.store.user_id()),
    };
    room.map_or_else(|| key.to_owned(), label)
}
