//! The terminal client of Parlour, and its commands `send` and `tail`. It knows the client, and nothing of the server.
//!
//! Pure, so that a test can press keys and read the screen:
//! - [`state`]: everything that the screen shows; [`chat`]: of it, the pane of one room: what is being written, and where
//!   the reader looks. What is in the room the client's store knows
//! - [`update`]: what an event does to the state. It knows no key
//! - [`commands`]: the table of keys and of words after a slash; [`keys`]: what they do
//! - [`acts`]: what is done with a message that is there: choosing, editing, deleting, answering
//! - [`reading`]: what counts as read, and the way to what is not
//! - [`rooms`]: going from room to room, and what can be done about them
//! - [`threads`]: going into a thread and out of it
//! - [`typing`]: editing by what a reader takes for one character
//! - [`complete`]: completing names and commands; [`people`]: how people are seen, and what they say of themselves
//! - [`comings`]: who comes online and goes offline
//! - [`profile`]: what the user says of themselves
//! - [`pick`]: lists from which something is chosen
//! - [`later`]: what is to be said later, and reminders
//! - [`drafts`]: what is being written is kept on the server
//! - [`draw`]: what the state looks like; [`view`]: a room as rows, and moving through them. They change nothing
//! - [`markdown`]: what people write, as it looks in a terminal
//! - [`slash`]: the commands that the server carries out
//! - [`telling`]: what the bell rings for, and when it is to be quiet
//! - [`text`]: what others wrote, made safe to show
//! - [`unsent`]: what is lost when the program is ended from outside
//!
//! What touches the world:
//! - `screen`: the terminal and the network's events, for `parlour tui`. It decides nothing; its `input` waits for keys; `rows`: how it writes rows
//!   that terminals do not agree on
//! - `send`, `tail`: the pipes. They know no screen
//! - [`settings`]: what these programs can be told, and where they keep things: the only room that reads the environment
//! - [`prompt`]: questions whose answers are not shown

pub mod acts;
pub mod chat;
pub mod comings;
pub mod commands;
pub mod complete;
pub mod drafts;
pub mod draw;
pub mod keys;
pub mod later;
pub mod markdown;
pub mod people;
pub mod pick;
pub mod profile;
pub mod prompt;
pub mod reading;
mod room_word;
pub mod rooms;
mod rows;
mod said_by_room;
mod screen;
mod send;
pub mod settings;
pub mod slash;
pub mod state;
mod tail;
pub mod telling;
#[cfg(test)]
mod tests;
pub mod text;
pub mod threads;
pub mod typing;
pub mod unsent;
pub mod update;
pub mod view;

use std::{fmt, future::Future};

use chrono::{DateTime, Local, NaiveDateTime};
use tokio::task::LocalSet;

use parlour_client::{
    api::{Api, Failure},
    login::{Account, LoginFolder},
    net,
};
use parlour_output as printing;
use parlour_protocol::{self as protocol, time::Timestamp};

use self::settings::ClientSettings;

pub use self::{screen::run, send::send, tail::tail};

/// Why the client ended: one plain sentence that says what to do, and the exit code for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientError {
    /// 2: called in a way that cannot work; 1: it did not work this time.
    pub exit_code: u8,
    sentence: String,
}

impl ClientError {
    fn usage(sentence: impl Into<String>) -> Self {
        Self {
            exit_code: 2,
            sentence: sentence.into(),
        }
    }

    fn failed(sentence: impl Into<String>) -> Self {
        Self {
            exit_code: 1,
            sentence: sentence.into(),
        }
    }
}

impl From<Failure> for ClientError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unusable(sentence) => Self::usage(sentence),
            other => Self::failed(net::sentence(&other)),
        }
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The sentence may hold words of the server.
        f.write_str(&text::visible(&self.sentence))
    }
}

impl std::error::Error for ClientError {}

/// Runs a client's future: one thread, and tasks that stay on it.
fn block_on<T>(work: impl Future<Output = Result<T, ClientError>>) -> Result<T, ClientError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| ClientError::failed(format!("The program cannot start ({error}).")))?;
    LocalSet::new().block_on(&runtime, work)
}

fn account(settings: &ClientSettings, api: &Api) -> Account {
    let folder = settings::state_dir().map(|dir| LoginFolder::new(&dir, &api.label()));
    let name = settings.name().map(str::to_owned);
    Account::new(api.clone(), folder, name.zip(settings.password.clone()))
}

/// The login for a program without a screen: the one that was kept, or one with the password from the settings.
async fn log_in(settings: &ClientSettings, api: &Api) -> Result<Account, ClientError> {
    let account = account(settings, api);
    account.resume(settings.name()).await;
    match account.bearer(None).await {
        Ok(_) => Ok(account),
        Err(failure) => Err(no_login(settings, api, &failure).await),
    }
}

/// Why there is no login, for a program that cannot ask for one.
async fn no_login(settings: &ClientSettings, api: &Api, failure: &Failure) -> ClientError {
    let has_password = settings.name().is_some() && settings.password.is_some();
    if !matches!(failure, Failure::LoginEnded(_)) || has_password {
        return ClientError::failed(net::sentence(failure));
    }
    // Without a login nothing was asked of the server yet. Where there is none, a login would not help.
    if let Err(failure) = api.reach().await {
        return ClientError::failed(net::sentence(&failure));
    }
    ClientError::failed(format!(
        "You are not logged in to {}: log in with `parlour tui` first, or set PARLOUR_USERNAME and PARLOUR_PASSWORD.",
        api.label()
    ))
}

/// What a user is told whose login the server has ended, for the reason that it gave.
fn revoked(why: &str, advice: &str) -> String {
    match why {
        "the account was disabled" => {
            "Your account was disabled: ask whoever runs the server.".into()
        }
        "the account was deleted" => "Your account was deleted.".into(),
        "the password was changed" => {
            format!("Your password was changed, which ended this login: {advice}.")
        }
        _ => format!("Your login was ended: {advice}."),
    }
}

/// The local time at this instant.
fn local_time(at: Timestamp) -> NaiveDateTime {
    DateTime::<Local>::from(at).naive_local()
}

/// A number that no other run has, or only by a miracle.
fn seed() -> Result<u64, ClientError> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(|error| {
        ClientError::failed(format!("The system gives no random numbers ({error})."))
    })?;
    Ok(u64::from_ne_bytes(bytes))
}
