//! Opening sockets, a few at a time, and handing them to the crowd.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use socket2::SockRef;

use super::{
    Result, Trouble,
    crowd::{Crowd, Seat},
    proc,
    progress::Progress,
};

/// Sockets that are being opened at once.
const OPENERS: usize = 4;
const PATIENCE: Duration = Duration::from_secs(30);

/// Bytes that the kernel keeps for a reader.
const RECEIVE_BUFFER: usize = 256 * 1024;

/// What is said when a connection opens.
#[derive(Clone, Copy)]
pub enum Door<'a> {
    /// Nothing: the floor.
    Bare,
    /// A WebSocket is asked for, each socket with the next of these access tokens.
    Chat(&'a [String]),
}

/// Opens `count` sockets and gives the first `mouths` of them back (as second handles) for sending.
///
/// # Errors
/// When one cannot be opened, or too few files may be open.
pub fn fill(
    crowd: &Crowd,
    addr: SocketAddr,
    door: Door<'_>,
    count: usize,
    mouths: usize,
) -> Result<Vec<TcpStream>> {
    check_limit(count)?;
    let progress = Progress::new("sockets opened", count as u64);
    let greeted = crowd.live.connected.load(Ordering::Relaxed);
    let mut senders = Vec::with_capacity(mouths);
    for at in 0..mouths.min(count) {
        let seat = open(addr, door, at)?;
        senders.push(
            seat.stream
                .try_clone()
                .map_err(|error| Trouble::io("open a second handle on a socket", &error))?,
        );
        crowd.add(seat)?;
    }
    let next = AtomicUsize::new(mouths.min(count));
    std::thread::scope(|scope| {
        let openers: Vec<_> = (0..OPENERS)
            .map(|_| {
                scope.spawn(|| {
                    loop {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        if at >= count {
                            return Ok(());
                        }
                        crowd.add(open(addr, door, at)?)?;
                        progress.at(at as u64);
                    }
                })
            })
            .collect();
        openers.into_iter().try_for_each(|opener| {
            opener
                .join()
                .unwrap_or_else(|_| Err(Trouble("A thread of the bench has failed.".into())))
        })
    })?;
    progress.done();
    if matches!(door, Door::Chat(_)) {
        wait_for_greetings(crowd, greeted + count as u64)?;
    }
    Ok(senders)
}

fn wait_for_greetings(crowd: &Crowd, wanted: u64) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let greeted = crowd.live.connected.load(Ordering::Relaxed);
        if greeted >= wanted {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(Trouble(format!(
                "{} of {wanted} sockets were not greeted within {} seconds.",
                wanted - greeted,
                PATIENCE.as_secs()
            )));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Both ends of every socket may be ours, but each in its own process: the limit is per process. The soft one was raised
/// to the hard one at the start, and the server that we start inherits that.
fn check_limit(count: usize) -> Result<()> {
    let needed = count as u64 + 200;
    match proc::open_files_limit() {
        Some(limit) if limit < needed => Err(Trouble(format!(
            "{count} sockets need {needed} open files, and this system allows no more than {limit} (`ulimit -Hn`): have that raised, or use --sockets {}.",
            limit.saturating_sub(200)
        ))),
        _ => Ok(()),
    }
}

fn open(addr: SocketAddr, door: Door<'_>, at: usize) -> Result<Seat> {
    let token = match door {
        Door::Bare => None,
        Door::Chat(tokens) => tokens.get(at % tokens.len().max(1)),
    };
    let opened = connect(addr).and_then(|mut stream| {
        let leftover = match token {
            Some(token) => shake_hands(&mut stream, addr, token)?,
            None => Vec::new(),
        };
        stream.set_nonblocking(true)?;
        Ok(Seat { stream, leftover })
    });
    opened.map_err(|error| Trouble::io(&format!("open socket {}", at + 1), &error))
}

fn connect(addr: SocketAddr) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&addr, PATIENCE)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    // Readers that stop are on this machine: their kernel's memory must not be what the others lack.
    SockRef::from(&stream).set_recv_buffer_size(RECEIVE_BUFFER)?;
    Ok(stream)
}

/// The request for a WebSocket.
pub fn request(addr: SocketAddr, token: &str) -> String {
    format!(
        "GET /ws/chat HTTP/1.1\r\nHost: {addr}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: cGFybG91ciBiZW5jaCBrZQ==\r\n\
         Authorization: Bearer {token}\r\n\r\n"
    )
}

/// Asks for a WebSocket; gives what came after the answer.
fn shake_hands(stream: &mut TcpStream, addr: SocketAddr, token: &str) -> std::io::Result<Vec<u8>> {
    const END: &[u8] = b"\r\n\r\n";
    stream.write_all(request(addr, token).as_bytes())?;
    let mut answer = Vec::with_capacity(1024);
    let mut buffer = [0; 4096];
    loop {
        let length = stream.read(&mut buffer)?;
        answer.extend_from_slice(buffer.get(..length).unwrap_or_default());
        let end = answer
            .windows(END.len())
            .position(|window| window == END)
            .map(|at| at + END.len());
        if let Some(end) = end {
            if answer.starts_with(b"HTTP/1.1 101") {
                return Ok(answer.split_off(end));
            }
            let text = String::from_utf8_lossy(&answer);
            let status = text.lines().next().unwrap_or_default();
            return Err(std::io::Error::other(format!(
                "the server answered `{status}`"
            )));
        }
        if length == 0 {
            return Err(std::io::Error::other(
                "the server closed the connection without an answer",
            ));
        }
    }
}
