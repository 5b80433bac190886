//! A very small HTTP client: one kept connection, one request at a time, JSON in and out.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use serde::de::DeserializeOwned;

use super::{Result, Trouble};

const PATIENCE: Duration = Duration::from_mins(1);
/// No answer that the bench asks for is longer.
const LONGEST_BODY: usize = 8 << 20;

/// A connection to the server.
pub struct Rest {
    addr: SocketAddr,
    stream: Option<BufReader<TcpStream>>,
}

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
    pub const fn new(addr: SocketAddr) -> Self {
        Self { addr, stream: None }
    }

    /// `GET`, with an access token or without.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn get(&mut self, path: &str, token: Option<&str>) -> Result<Answer> {
        let bearer = token
            .map(|token| format!("Authorization: Bearer {token}\r\n"))
            .unwrap_or_default();
        let head = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n{bearer}\r\n", self.addr);
        self.send(path, head.as_bytes())
    }

    /// `POST` of a JSON body.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn post(&mut self, path: &str, body: &serde_json::Value) -> Result<Answer> {
        let body = body.to_string();
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.addr,
            body.len()
        );
        self.send(path, request.as_bytes())
    }

    fn send(&mut self, path: &str, request: &[u8]) -> Result<Answer> {
        let answer = match self.try_send(request) {
            // A kept connection may have been closed meanwhile, without any answer: ask once more on a new one.
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                self.stream = None;
                self.try_send(request)
            }
            answer => answer,
        };
        if answer.is_err() {
            self.stream = None;
        }
        answer.map_err(|error| Trouble::io(&format!("get an answer to {path}"), &error))
    }

    fn try_send(&mut self, request: &[u8]) -> std::io::Result<Answer> {
        let mut stream = if let Some(stream) = self.stream.take() {
            stream
        } else {
            let stream = TcpStream::connect_timeout(&self.addr, PATIENCE)?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            BufReader::new(stream)
        };
        stream.get_mut().write_all(request)?;
        let (answer, keep) = read_answer(&mut stream)?;
        self.stream = keep.then_some(stream);
        Ok(answer)
    }
}

fn read_answer(stream: &mut BufReader<TcpStream>) -> std::io::Result<(Answer, bool)> {
    let status = line(stream)?
        .split_ascii_whitespace()
        .nth(1)
        .and_then(|status| status.parse().ok())
        .ok_or_else(|| std::io::Error::other("the answer is not HTTP"))?;
    let (mut length, mut chunked, mut keep) = (0, false, true);
    loop {
        let header = line(stream)?.to_ascii_lowercase();
        match header
            .split_once(':')
            .map(|(name, value)| (name, value.trim()))
        {
            None => break,
            Some(("content-length", value)) => {
                length = value.parse().unwrap_or(usize::MAX);
            }
            Some(("transfer-encoding", _)) => chunked = true,
            Some(("connection", "close")) => keep = false,
            Some(_) => {}
        }
    }
    let mut body = Vec::new();
    if chunked {
        loop {
            let size = usize::from_str_radix(line(stream)?.trim(), 16).unwrap_or(usize::MAX);
            read_exactly(stream, size, &mut body)?;
            line(stream)?;
            if size == 0 {
                break;
            }
        }
    } else {
        read_exactly(stream, length, &mut body)?;
    }
    Ok((Answer { status, body }, keep))
}

fn read_exactly(
    stream: &mut BufReader<TcpStream>,
    length: usize,
    body: &mut Vec<u8>,
) -> std::io::Result<()> {
    let start = body.len();
    if start.saturating_add(length) > LONGEST_BODY {
        return Err(std::io::Error::other("the answer is too long"));
    }
    body.resize(start + length, 0);
    stream.read_exact(body.get_mut(start..).unwrap_or_default())
}

fn line(stream: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end().to_owned())
}
