//! Asking for a WebSocket.

use std::{
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
};

/// The request for a WebSocket.
#[must_use]
pub fn request(addr: SocketAddr, token: &str) -> String {
    format!(
        "GET /ws/chat HTTP/1.1\r\nHost: {addr}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: cGFybG91ciBiZW5jaCBrZQ==\r\n\
         Authorization: Bearer {token}\r\n\r\n"
    )
}

/// Where the head of an answer ends, once it is whole.
#[must_use]
pub fn head_end(answer: &[u8]) -> Option<usize> {
    const END: &[u8] = b"\r\n\r\n";
    answer
        .windows(END.len())
        .position(|window| window == END)
        .map(|at| at + END.len())
}

/// Asks for a WebSocket on a connection; gives what came after the answer.
///
/// # Errors
/// When it is refused, or there is no answer.
pub fn upgrade(stream: &mut TcpStream, addr: SocketAddr, token: &str) -> io::Result<Vec<u8>> {
    stream.write_all(request(addr, token).as_bytes())?;
    let mut answer = Vec::with_capacity(1024);
    let mut buffer = [0; 4096];
    loop {
        let length = stream.read(&mut buffer)?;
        answer.extend_from_slice(buffer.get(..length).unwrap_or_default());
        if let Some(end) = head_end(&answer) {
            if answer.starts_with(b"HTTP/1.1 101") {
                return Ok(answer.split_off(end));
            }
            let text = String::from_utf8_lossy(&answer);
            let status = text.lines().next().unwrap_or_default();
            return Err(io::Error::other(format!("the server answered `{status}`")));
        }
        if length == 0 {
            return Err(io::Error::other(
                "the server closed the connection without an answer",
            ));
        }
    }
}
