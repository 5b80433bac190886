//! REST as the crowd speaks it: one request, one connection, an answer that must be whole.

use std::{io, net::SocketAddr, time::Duration};

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use crate::protocol::{
    GENERAL,
    views::{Message, Tokens},
};

/// How long an answer may take; the server's own patience is shorter.
const PATIENCE: Duration = Duration::from_secs(6);
const PASSWORD: &str = "only for this run";
/// Most messages of a page.
pub const PAGE: usize = 200;

/// Somebody who is logged in.
#[derive(Debug, Clone)]
pub struct Account {
    username: String,
    /// An access token.
    pub token: String,
}

/// Registers somebody and logs in.
///
/// # Errors
/// When the server does not answer, or refuses.
pub async fn register(addr: SocketAddr, username: &str) -> io::Result<Account> {
    let body = json!({"username": username, "password": PASSWORD}).to_string();
    let _: Value = request(addr, "POST", "/api/auth/register", None, &body).await?;
    log_in(addr, username.to_owned()).await
}

/// Logs somebody in who is registered.
///
/// # Errors
/// When the server does not answer, or refuses.
async fn log_in(addr: SocketAddr, username: String) -> io::Result<Account> {
    let body = json!({"username": username, "password": PASSWORD}).to_string();
    let tokens: Tokens = request(addr, "POST", "/api/auth/login", None, &body).await?;
    Ok(Account {
        username,
        token: tokens.access_token,
    })
}

impl Account {
    /// Logs in again when that is what an error asks for: with another clock, a token may be refused.
    pub async fn renew(&mut self, addr: SocketAddr, error: &io::Error) {
        if error.to_string().contains(" 401")
            && let Ok(account) = log_in(addr, self.username.clone()).await
        {
            *self = account;
        }
    }
}

/// A page of the room's messages; `query` is like `since=4`.
///
/// # Errors
/// When the server does not answer, or refuses.
pub async fn page(addr: SocketAddr, account: &Account, query: &str) -> io::Result<Vec<Message>> {
    let path = format!("/api/rooms/{GENERAL}/messages?limit={PAGE}&{query}");
    request(addr, "GET", &path, Some(&account.token), "").await
}

async fn request<T: DeserializeOwned>(
    addr: SocketAddr,
    method: &str,
    path: &str,
    token: Option<&str>,
    body: &str,
) -> io::Result<T> {
    let bearer = token
        .map(|token| format!("Authorization: Bearer {token}\r\n"))
        .unwrap_or_default();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n{bearer}\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let exchange = async {
        let mut stream = TcpStream::connect(addr).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        Ok::<_, io::Error>(answer)
    };
    let answer = timeout(PATIENCE, exchange).await??;
    let (status, body) = whole(&answer).ok_or(io::ErrorKind::UnexpectedEof)?;
    if !(200..300).contains(&status) {
        let problem: Value = serde_json::from_slice(body).unwrap_or_default();
        let detail = problem["detail"].as_str().unwrap_or("no reason given");
        return Err(io::Error::other(format!("{status}: {detail}")));
    }
    serde_json::from_slice(body).map_err(io::Error::other)
}

/// Status and body of an answer, if it holds as much as it says. One that was cut off must not pass for a short one.
fn whole(answer: &[u8]) -> Option<(u16, &[u8])> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(answer.get(..end)?).ok()?;
    let body = answer.get(end + 4..)?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>().ok())?
    })?;
    (body.len() == length).then_some((status, body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_was_cut_off_is_no_answer() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: y\r\n\r\n[]";
        assert_eq!(whole(answer), Some((200, &b"[]"[..])));
        for end in 0..answer.len() {
            assert_eq!(whole(&answer[..end]), None);
        }
    }
}
