//! One socket of the crowd: the handshake, frames out, events in.

use std::{io, net::SocketAddr, time::Duration};

use bytes::{Bytes, BytesMut};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::{
    frame::{self, Frame},
    rest::Account,
};
use crate::protocol::{
    command::Request,
    event::{Connected, Event, Notice, System},
};

/// How long the handshake, and the first frame after it, may take.
const OPENING: Duration = Duration::from_secs(5);
/// How long a frame of ours may wait for room on the line.
const SENDING: Duration = Duration::from_secs(5);
const LONGEST_HEAD: usize = 16 * 1024;

/// An open socket.
pub struct Socket {
    stream: TcpStream,
    buffer: BytesMut,
    mask: u32,
}

/// What came.
pub enum Heard {
    /// Something to know.
    Event(Box<Event>),
    /// Something to answer with [`Socket::pong`].
    Ping(Bytes),
    /// Nothing to do.
    Noise,
    /// The server closes.
    Close,
}

impl Socket {
    /// Opens one and waits for its first frame.
    ///
    /// # Errors
    /// When there is no server, or it refuses.
    pub async fn open(
        addr: SocketAddr,
        account: &Account,
        mask: u32,
    ) -> io::Result<(Self, Connected)> {
        timeout(OPENING, Self::shake_hands(addr, account, mask)).await?
    }

    async fn shake_hands(
        addr: SocketAddr,
        account: &Account,
        mask: u32,
    ) -> io::Result<(Self, Connected)> {
        let mut stream = TcpStream::connect(addr).await?;
        stream.set_nodelay(true)?;
        let request = format!(
            "GET /ws/chat HTTP/1.1\r\nHost: {addr}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Authorization: Bearer {}\r\n\r\n",
            account.token
        );
        stream.write_all(request.as_bytes()).await?;
        let mut buffer = BytesMut::new();
        let head = loop {
            if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break buffer.split_to(end + 4);
            }
            if buffer.len() > LONGEST_HEAD || stream.read_buf(&mut buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        };
        if !head.starts_with(b"HTTP/1.1 101 ") {
            let line = String::from_utf8_lossy(&head);
            let line = line.lines().next().unwrap_or_default().to_owned();
            return Err(io::Error::other(line));
        }
        let mut socket = Self {
            stream,
            buffer,
            mask,
        };
        match socket.next().await? {
            Heard::Event(event) => match *event {
                Event::System(System {
                    notice: Notice::Connected(connected),
                    ..
                }) => Ok((socket, *connected)),
                other => Err(io::Error::other(format!("the first frame is {other:?}"))),
            },
            _ => Err(io::Error::other("the socket was closed at once")),
        }
    }

    /// The next thing that comes. May be dropped while it waits, without losing anything.
    ///
    /// # Errors
    /// When the line is cut, or the server breaks the rules.
    pub async fn next(&mut self) -> io::Result<Heard> {
        let Frame { opcode, payload } = loop {
            if let Some(frame) = frame::decode(&mut self.buffer).map_err(io::Error::other)? {
                break frame;
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        };
        Ok(match opcode {
            frame::TEXT => Heard::Event(Box::new(
                serde_json::from_slice(&payload).map_err(io::Error::other)?,
            )),
            frame::PING => Heard::Ping(payload),
            frame::CLOSE => Heard::Close,
            _ => Heard::Noise,
        })
    }

    /// Sends a command.
    ///
    /// # Errors
    /// When the line is cut.
    pub async fn say(&mut self, request: &Request) -> io::Result<()> {
        let text = serde_json::to_vec(request)?;
        self.send(frame::TEXT, &text).await
    }

    /// Answers a ping.
    ///
    /// # Errors
    /// When the line is cut.
    pub async fn pong(&mut self, payload: &[u8]) -> io::Result<()> {
        self.send(frame::PONG, payload).await
    }

    async fn send(&mut self, opcode: u8, payload: &[u8]) -> io::Result<()> {
        self.mask = self.mask.wrapping_mul(747_796_405).wrapping_add(1);
        let frame = frame::encode(opcode, payload, self.mask);
        timeout(SENDING, self.stream.write_all(&frame)).await?
    }
}
