//! REST as the bench asks: one kept connection, JSON in and out, and a sentence when it is refused.

use std::{
    net::SocketAddr,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde::de::DeserializeOwned;

use super::{Result, Trouble, progress::Progress};
use crate::raw::http::{Kept, Response};

/// Requests at once, of what is done many times.
const AT_ONCE: usize = 4;

/// A connection to the server.
pub struct Rest(Kept);

/// What the server answered.
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// Reads the body, if the status is one of success.
    ///
    /// # Errors
    /// When it is not, or the body is not what was expected.
    pub fn json<T: DeserializeOwned>(&self, asked: &str) -> Result<T> {
        if !(200..300).contains(&self.status) {
            let problem: serde_json::Value = serde_json::from_slice(&self.body).unwrap_or_default();
            let detail = problem["detail"].as_str().unwrap_or("no reason given");
            return Err(Trouble(format!(
                "The server refused {asked} with status {}: {detail}",
                self.status
            )));
        }
        serde_json::from_slice(&self.body).map_err(|error| {
            Trouble(format!(
                "The answer to {asked} is not as expected: {error}."
            ))
        })
    }
}

impl Rest {
    /// A client; connects at its first request.
    #[must_use]
    pub fn new(addr: SocketAddr) -> Self {
        Self(Kept::new(addr))
    }

    /// `GET`, with an access token or without.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn get(&mut self, path: &str, token: Option<&str>) -> Result<Answer> {
        let bearer = token.map(|token| format!("Bearer {token}"));
        let headers: Vec<_> = bearer
            .iter()
            .map(|it| ("authorization", it.as_str()))
            .collect();
        self.send("GET", path, &headers, &[])
    }

    /// `POST` of a JSON body.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn post(&mut self, path: &str, body: &serde_json::Value) -> Result<Answer> {
        self.send("POST", path, &[], body.to_string().as_bytes())
    }

    /// The same, with an access token.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn post_as(&mut self, token: &str, path: &str, body: &serde_json::Value) -> Result<Answer> {
        self.ask_as(token, "POST", path, body.to_string().as_bytes())
    }

    /// Any method, with an access token and a body.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn ask_as(&mut self, token: &str, method: &str, path: &str, body: &[u8]) -> Result<Answer> {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str())];
        self.send(method, path, &headers, body)
    }

    fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Answer> {
        let Response { status, body, .. } = self
            .0
            .request(method, path, headers, body)
            .map_err(|error| Trouble::io(&format!("get an answer to {path}"), &error))?;
        Ok(Answer { status, body })
    }
}

/// Does something `count` times, on some threads with a connection each, and tells how far it is.
///
/// # Errors
/// The first that there was.
pub fn each<T: Send>(
    addr: SocketAddr,
    count: usize,
    what: &'static str,
    work: impl Fn(&mut Rest, usize) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let progress = Progress::new(what, count as u64);
    let next = AtomicUsize::new(0);
    let made = Mutex::new(Vec::with_capacity(count));
    std::thread::scope(|scope| {
        let work_on = || {
            let mut rest = Rest::new(addr);
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                if at >= count {
                    return Ok(());
                }
                let one = work(&mut rest, at)?;
                if let Ok(mut made) = made.lock() {
                    made.push(one);
                }
                progress.at(at as u64);
            }
        };
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work_on)).collect();
        workers.into_iter().try_for_each(|worker| {
            worker
                .join()
                .unwrap_or_else(|_| Err(Trouble("A thread of the bench has failed.".into())))
        })
    })?;
    progress.done();
    Ok(made.into_inner().unwrap_or_default())
}
