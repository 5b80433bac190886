//! A small blocking HTTP client on a bare connection: it sends exactly what it is told, never retries, and shows the
//! answer as it came, which is what tests of bad input and of lost answers need. [`Kept`] asks again and again on one
//! connection, for the bench.

// A failed expectation is how a test speaks, and what it says is in the signature of none of these.
#![allow(
    clippy::panic,
    clippy::missing_panics_doc,
    clippy::missing_errors_doc,
    clippy::must_use_candidate,
    clippy::return_self_not_must_use
)]

use std::{
    io::{self, Read, Write},
    net::{IpAddr, Shutdown, SocketAddr, TcpStream},
    time::Duration,
};

use serde_json::Value;
use socket2::{Domain, Protocol, Socket, Type};

pub use super::response::Response;

/// How long anything may take that must happen. Long, since the machine may be busy.
pub const TIMEOUT: Duration = Duration::from_secs(20);

/// A client, perhaps with a login.
#[derive(Debug, Clone)]
pub struct Http {
    /// The server.
    pub addr: SocketAddr,
    /// Sent as `Authorization: Bearer`.
    pub token: Option<String>,
    /// The address it comes from, when it is not to be the usual one.
    pub source: Option<IpAddr>,
}

impl Http {
    /// A client without a login.
    pub fn new(addr: SocketAddr) -> Self {
        Self {
            addr,
            token: None,
            source: None,
        }
    }

    /// The same with a login.
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            addr: self.addr,
            token: Some(token.into()),
            source: self.source,
        }
    }

    /// The same from another address of this machine: all of 127.0.0.0/8 is.
    pub fn at_address(&self, last: u8) -> Self {
        Self {
            source: Some(IpAddr::from([127, 0, 0, last])),
            ..self.clone()
        }
    }

    /// A connection with deadlines on all it does.
    pub fn open(&self) -> io::Result<TcpStream> {
        let stream = match self.source {
            None => TcpStream::connect_timeout(&self.addr, TIMEOUT)?,
            Some(source) => {
                let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
                socket.bind(&SocketAddr::new(source, 0).into())?;
                socket.connect_timeout(&self.addr.into(), TIMEOUT)?;
                socket.into()
            }
        };
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// Sends bytes as they are and reads one answer.
    pub fn raw(&self, bytes: &[u8]) -> io::Result<Response> {
        let mut stream = self.open()?;
        // The server may answer and close before it has taken everything: the answer still counts.
        let sent = stream.write_all(bytes);
        read_response(&mut stream).or_else(|error| sent.and(Err(error)))
    }

    /// Sends bytes as they are, then says that nothing follows, and reads everything that comes.
    pub fn raw_to_end(&self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut stream = self.open()?;
        stream.write_all(bytes)?;
        stream.shutdown(Shutdown::Write)?;
        let mut all = Vec::new();
        stream.read_to_end(&mut all)?;
        Ok(all)
    }

    /// A request that may fail, as one does when the server is killed under it.
    pub fn try_request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<Response> {
        self.raw(&self.compose(method, path, headers, body))
    }

    /// A request whose answer must come within this time.
    pub fn request_within(
        &self,
        limit: Duration,
        method: &str,
        path: &str,
        body: &[u8],
    ) -> io::Result<Response> {
        let mut stream = self.open()?;
        stream.set_read_timeout(Some(limit))?;
        stream.write_all(&self.compose(method, path, &[], body))?;
        read_response(&mut stream)
    }

    /// The bytes of a request, with all that it needs and these headers.
    pub fn compose(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Vec<u8> {
        use std::fmt::Write as _;
        let mut head = format!("{method} {path} HTTP/1.1\r\n");
        let given = |name: &str| {
            headers
                .iter()
                .any(|(known, _)| known.eq_ignore_ascii_case(name))
        };
        if !given("host") {
            let _ = write!(head, "host: {}\r\n", self.addr);
        }
        if !given("connection") {
            head.push_str("connection: close\r\n");
        }
        if let Some(token) = &self.token
            && !given("authorization")
        {
            let _ = write!(head, "authorization: Bearer {token}\r\n");
        }
        if !body.is_empty() || matches!(method, "POST" | "PUT" | "PATCH") {
            if !given("content-length") && !given("transfer-encoding") {
                let _ = write!(head, "content-length: {}\r\n", body.len());
            }
            if !given("content-type") {
                head.push_str("content-type: application/json\r\n");
            }
        }
        for (name, value) in headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        head.push_str("\r\n");
        [head.as_bytes(), body].concat()
    }

    /// A request that must be answered.
    #[track_caller]
    pub fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Response {
        self.try_request(method, path, headers, body)
            .unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// GET.
    #[track_caller]
    pub fn get(&self, path: &str) -> Response {
        self.request("GET", path, &[], &[])
    }

    /// POST of JSON.
    #[track_caller]
    pub fn post(&self, path: &str, body: &Value) -> Response {
        self.request("POST", path, &[], body.to_string().as_bytes())
    }
}

fn bad(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

/// A connection that is kept: one request at a time, each answered before the next.
pub struct Kept {
    http: Http,
    stream: Option<TcpStream>,
    /// What came after the last answer.
    ahead: Vec<u8>,
}

impl Kept {
    /// A client; connects at its first request.
    pub fn new(addr: SocketAddr) -> Self {
        Self {
            http: Http::new(addr),
            stream: None,
            ahead: Vec::new(),
        }
    }

    /// A request, with these headers besides those that are needed.
    pub fn request(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<Response> {
        let headers = [&[("connection", "keep-alive")], headers].concat();
        let bytes = self.http.compose(method, path, &headers, body);
        let answer = match self.exchange(&bytes) {
            // A kept connection may have been closed meanwhile, without any answer: ask once more on a new one.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => self.exchange(&bytes),
            answer => answer,
        };
        if answer.is_err() {
            self.stream = None;
        }
        answer
    }

    fn exchange(&mut self, bytes: &[u8]) -> io::Result<Response> {
        let mut stream = if let Some(stream) = self.stream.take() {
            stream
        } else {
            self.ahead.clear();
            let stream = self.http.open()?;
            // A login waits for its turn behind all others of a storm.
            stream.set_read_timeout(Some(3 * TIMEOUT))?;
            stream
        };
        stream.write_all(bytes)?;
        let answer = read_after(&mut stream, &mut self.ahead)?;
        self.stream = (answer.header("connection") != Some("close")).then_some(stream);
        Ok(answer)
    }
}

/// Reads one answer; the end of the stream in its midst is an error.
pub fn read_response(stream: &mut impl Read) -> io::Result<Response> {
    read_after(stream, &mut Vec::new())
}

/// The same, when these bytes of it have come already; what comes after it is left in their place.
fn read_after(stream: &mut impl Read, ahead: &mut Vec<u8>) -> io::Result<Response> {
    let mut seen = std::mem::take(ahead);
    let (mut response, used) = loop {
        if let Some(parsed) = parse_head(&seen)? {
            break parsed;
        }
        more(stream, &mut seen)?;
    };
    let mut rest = seen.split_off(used);
    if response
        .header("transfer-encoding")
        .is_some_and(|value| value.contains("chunked"))
    {
        (response.body, *ahead) = read_chunks(stream, rest)?;
    } else if let Some(length) = response.header("content-length") {
        let length: usize = length.parse().map_err(|_| bad("content-length"))?;
        while rest.len() < length {
            more(stream, &mut rest)?;
        }
        *ahead = rest.split_off(length);
        response.body = rest;
    } else if response.status != 204 && response.status >= 200 {
        while more(stream, &mut rest).is_ok() {}
        response.body = rest;
    }
    Ok(response)
}

fn parse_head(seen: &[u8]) -> io::Result<Option<(Response, usize)>> {
    let Some(end) = seen.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = String::from_utf8_lossy(&seen[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let first = lines.next().unwrap_or_default();
    let status = first
        .strip_prefix("HTTP/1.")
        .and_then(|rest| rest.get(2..5)?.parse().ok())
        .ok_or_else(|| bad(first))?;
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let response = Response {
        status,
        headers,
        body: Vec::new(),
    };
    Ok(Some((response, end + 4)))
}

fn more(stream: &mut impl Read, into: &mut Vec<u8>) -> io::Result<()> {
    let mut chunk = [0; 16 * 1024];
    match stream.read(&mut chunk)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        count => {
            into.extend_from_slice(&chunk[..count]);
            Ok(())
        }
    }
}

/// The chunks joined, and what came after them.
fn read_chunks(stream: &mut impl Read, mut rest: Vec<u8>) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let mut body = Vec::new();
    loop {
        let line = loop {
            if let Some(end) = rest.windows(2).position(|window| window == b"\r\n") {
                break end;
            }
            more(stream, &mut rest)?;
        };
        let size = String::from_utf8_lossy(&rest[..line]).into_owned();
        let size = usize::from_str_radix(size.trim(), 16).map_err(|_| bad("chunk size"))?;
        rest.drain(..line + 2);
        while rest.len() < size + 2 {
            more(stream, &mut rest)?;
        }
        body.extend(rest.drain(..size + 2).take(size));
        if size == 0 {
            return Ok((body, rest));
        }
    }
}
