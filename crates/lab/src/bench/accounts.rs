//! Users for the sockets: registered and logged in over REST, like anyone.

use std::{
    net::SocketAddr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::json;

use super::{
    Result,
    rest::{self, Answer, Rest},
};
use crate::protocol::views::{Tokens, User};

/// The password of every user of the bench; the servers it is used on are thrown away.
pub const PASSWORD: &str = "only for the bench";
const MOST_TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(200);

/// A user who is logged in.
#[derive(Clone)]
pub struct Account {
    /// The user's name.
    pub username: String,
    /// An access token.
    pub token: String,
}

/// Registers `count` users and logs each in.
///
/// # Errors
/// When the server refuses one.
pub fn make(addr: SocketAddr, count: usize) -> Result<Vec<Account>> {
    let enter = |rest: &mut Rest, username: String| {
        register_one(rest, &username)?;
        log_in(rest, username)
    };
    for_each(addr, count, ("users registered and logged in", ""), enter)
}

/// Registers `count` users who never log in, other ones than those of [`make`], and tells their names.
///
/// # Errors
/// When the server refuses one.
pub fn register(addr: SocketAddr, count: usize) -> Result<Vec<String>> {
    let enter = |rest: &mut Rest, username: String| {
        register_one(rest, &username)?;
        Ok(username)
    };
    for_each(addr, count, ("users registered", "r"), enter)
}

/// Does this with the names of `count` users.
fn for_each<T: Send>(
    addr: SocketAddr,
    count: usize,
    (what, mark): (&'static str, &str),
    enter: impl Fn(&mut Rest, String) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    // The same database may have seen a run before. The names are no longer than people's: they are part of frames.
    let run = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis() / 10)
        % (1 << 24);
    // Digits alone would be no name.
    rest::each(addr, count, what, |rest, at| {
        enter(rest, format!("u{run:06x}-{mark}{at:03}"))
    })
}

fn register_one(rest: &mut Rest, username: &str) -> Result<()> {
    let body = json!({"username": username, "password": PASSWORD});
    let _: User = patiently(rest, "/api/auth/register", &body)?.json("a registration")?;
    Ok(())
}

/// Logs a user of the bench in, with the password.
///
/// # Errors
/// When the server refuses.
pub fn log_in(rest: &mut Rest, username: String) -> Result<Account> {
    let body = json!({"username": username, "password": PASSWORD});
    let tokens: Tokens = patiently(rest, "/api/auth/login", &body)?.json("a login")?;
    Ok(Account {
        username,
        token: tokens.access_token,
    })
}

/// Asks again when the server is busy: hundreds of new users within seconds are not what is measured here.
fn patiently(rest: &mut Rest, path: &str, body: &serde_json::Value) -> Result<Answer> {
    let mut tries = 0;
    loop {
        let answer = rest.post(path, body)?;
        tries += 1;
        if !matches!(answer.status, 429 | 503) || tries >= MOST_TRIES {
            return Ok(answer);
        }
        std::thread::sleep(PAUSE);
    }
}

/// The access tokens alone.
#[must_use]
pub fn tokens(accounts: &[Account]) -> Vec<String> {
    accounts
        .iter()
        .map(|account| account.token.clone())
        .collect()
}
