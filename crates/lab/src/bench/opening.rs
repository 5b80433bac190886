//! Opening sockets, a few at a time, and handing them to the readers.

use std::{
    net::{SocketAddr, TcpStream},
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use socket2::SockRef;

use super::{
    Result, Trouble, proc,
    progress::Progress,
    readers::{OpenSocket, Readers},
};
use crate::raw::handshake;

/// Sockets that are being opened at once.
const OPENERS: usize = 4;
const TIMEOUT: Duration = Duration::from_secs(30);

/// Bytes that the kernel keeps for a reader.
const RECEIVE_BUFFER: usize = 256 * 1024;

/// What is said when a connection opens.
#[derive(Clone, Copy)]
pub enum Greeting<'a> {
    /// Nothing: the floor.
    Bare,
    /// A WebSocket is asked for, each socket with the next of these access tokens.
    Chat(&'a [String]),
}

/// Opens `count` sockets and gives the first `sending` of them back (as second handles) for sending.
///
/// # Errors
/// When one cannot be opened, or too few files may be open.
pub fn open_all(
    readers: &Readers,
    addr: SocketAddr,
    greeting: Greeting<'_>,
    count: usize,
    sending: usize,
) -> Result<Vec<TcpStream>> {
    check_limit(count)?;
    let progress = Progress::new("sockets opened", count as u64);
    let greeted = readers.live.connected.load(Ordering::Relaxed);
    let mut second_handles = Vec::with_capacity(sending);
    for at in 0..sending.min(count) {
        let socket = open(addr, greeting, at)?;
        second_handles.push(
            socket
                .stream
                .try_clone()
                .map_err(|error| Trouble::io("open a second handle on a socket", &error))?,
        );
        readers.add(socket)?;
    }
    let next = AtomicUsize::new(sending.min(count));
    std::thread::scope(|scope| {
        let openers: Vec<_> = (0..OPENERS)
            .map(|_| {
                scope.spawn(|| {
                    loop {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        if at >= count {
                            return Ok(());
                        }
                        readers.add(open(addr, greeting, at)?)?;
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
    if matches!(greeting, Greeting::Chat(_)) {
        wait_for_greetings(readers, greeted + count as u64)?;
    }
    Ok(second_handles)
}

fn wait_for_greetings(readers: &Readers, wanted: u64) -> Result<()> {
    let deadline = Instant::now() + TIMEOUT;
    loop {
        let greeted = readers.live.connected.load(Ordering::Relaxed);
        if greeted >= wanted {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(Trouble(format!(
                "{} of {wanted} sockets were not greeted within {} seconds.",
                wanted - greeted,
                TIMEOUT.as_secs()
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

fn open(addr: SocketAddr, greeting: Greeting<'_>, at: usize) -> Result<OpenSocket> {
    let token = match greeting {
        Greeting::Bare => None,
        Greeting::Chat(tokens) => tokens.get(at % tokens.len().max(1)),
    };
    let opened = connect(addr).and_then(|mut stream| {
        let leftover = match token {
            Some(token) => handshake::upgrade(&mut stream, addr, token)?,
            None => Vec::new(),
        };
        stream.set_nonblocking(true)?;
        Ok(OpenSocket { stream, leftover })
    });
    opened.map_err(|error| Trouble::io(&format!("open socket {}", at + 1), &error))
}

fn connect(addr: SocketAddr) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&addr, TIMEOUT)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    // Readers that stop are on this machine: their kernel's memory must not be what the others lack.
    SockRef::from(&stream).set_recv_buffer_size(RECEIVE_BUFFER)?;
    Ok(stream)
}
