//! `parlour send`: one message from the command line or from a pipe.

use std::{
    io::{self, IsTerminal as _, Read as _},
    time::{Duration, Instant},
};

use parlour_client::{
    api::{Api, Failure},
    client::client_id,
    link::Rng,
    login::Account,
    net,
};

use super::{
    ClientError, account, block_on, no_login, room_word::RoomWord, seed, settings::ClientSettings,
    text::visible,
};
use crate::{
    printing,
    protocol::{GENERAL, views::NewMessage},
};

/// How long to go on trying.
const RETRY_TIME: Duration = Duration::from_secs(30);
/// Longest wait between two tries.
const MAX_WAIT: u64 = 5_000;

/// `parlour send`: writes one message and returns when it is stored. Without a text, or with `-`, the whole of
/// standard input is the message, line breaks included, without those at its end.
///
/// A server that cannot be reached is tried again for half a minute, under the same `client_id`: the message is
/// stored once, however often it is sent.
///
/// # Errors
/// A sentence, when the message is not known to be stored.
pub fn send(
    settings: &ClientSettings,
    text: Option<String>,
    room: Option<&str>,
) -> Result<(), ClientError> {
    let content = match text {
        Some(text) if text != "-" => text,
        None if io::stdin().is_terminal() => {
            return Err(ClientError::usage(
                "There is nothing to send: write `parlour send \"text\"`, or pipe the text into it.",
            ));
        }
        _ => from_stdin()?,
    };
    if content.trim().is_empty() {
        return Err(ClientError::usage(
            "The message is empty: there is nothing to send.",
        ));
    }
    let mut rng = Rng::with_seed(seed()?);
    let message = NewMessage {
        content,
        client_id: Some(client_id(&mut rng)),
        reply_to: None,
        thread: None,
        also_to_room: false,
    };
    let room = RoomWord::read(room.unwrap_or(GENERAL))?;
    block_on(async {
        let api = Api::new(&settings.server)?;
        let until = Instant::now() + RETRY_TIME;
        let account = log_in_within(settings, &api, until, &mut rng).await?;
        deliver(&account, &room, &message, until, &mut rng).await
    })
}

fn from_stdin() -> Result<String, ClientError> {
    let mut bytes = Vec::new();
    io::stdin()
        .read_to_end(&mut bytes)
        .map_err(|error| ClientError::failed(format!("The text cannot be read ({error}).")))?;
    let text = String::from_utf8(bytes).map_err(|_| {
        ClientError::usage("The text is not UTF-8: convert it first, for example with iconv.")
    })?;
    // What PowerShell and some editors put before a text is no part of it.
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    Ok(text.trim_end_matches(['\n', '\r']).to_owned())
}

/// The login; a server that is not there is waited for.
async fn log_in_within(
    settings: &ClientSettings,
    api: &Api,
    until: Instant,
    rng: &mut Rng,
) -> Result<Account, ClientError> {
    let account = account(settings, api);
    account.resume(settings.name()).await;
    let mut retries = Retries::new(until);
    while let Err(failure) = account.bearer(None).await {
        if !retries.wait(&failure, rng).await {
            return Err(no_login(settings, api, &failure).await);
        }
    }
    Ok(account)
}

/// How a call that failed is tried again.
struct Retries {
    until: Instant,
    bound: u64,
    told: bool,
}

impl Retries {
    fn new(until: Instant) -> Self {
        Self {
            until,
            bound: 250,
            told: false,
        }
    }

    /// Waits before the next try; `false`, at once: there is none.
    async fn wait(&mut self, failure: &Failure, rng: &mut Rng) -> bool {
        let wait = failure
            .retry_after()
            .unwrap_or_else(|| Duration::from_millis(rng.u64(0..=self.bound)));
        if !failure.is_passing() || Instant::now() + wait > self.until {
            return false;
        }
        if !std::mem::replace(&mut self.told, true) {
            let (why, seconds) = (visible(failure.sentence()), RETRY_TIME.as_secs());
            printing::complain(format_args!("{why}; trying again for {seconds} s"));
        }
        tokio::time::sleep(wait).await;
        self.bound = (self.bound * 2).min(MAX_WAIT);
        true
    }
}

async fn deliver(
    account: &Account,
    room: &RoomWord,
    message: &NewMessage,
    until: Instant,
    rng: &mut Rng,
) -> Result<(), ClientError> {
    let mut retries = Retries::new(until);
    loop {
        let post = async {
            let room = room.find(account).await?;
            let post = account.with_bearer(async |api, bearer| {
                let posted = api.post(bearer, &room, message).await;
                posted.map(|_| ())
            });
            post.await
        };
        let Err(failure) = post.await else {
            return Ok(());
        };
        if !retries.wait(&failure, rng).await {
            return Err(given_up(&failure));
        }
    }
}

fn given_up(failure: &Failure) -> ClientError {
    let sentence = net::sentence(failure);
    let known = match failure {
        // The server has looked at it and said no.
        Failure::Refused { .. }
        | Failure::LoginEnded(_)
        | Failure::Untrusted(_)
        | Failure::Unusable(_) => "The message was not sent.",
        Failure::Unreachable(_) => "The message is not known to be stored.",
    };
    let sentence = format!("{known} {sentence}");
    match failure {
        // Too long, no such room, several of the name: the same call would be refused again.
        Failure::Refused {
            status: 400 | 403 | 404 | 409 | 413 | 422,
            ..
        } => ClientError::usage(sentence),
        _ => ClientError::failed(sentence),
    }
}
