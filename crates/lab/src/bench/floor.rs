//! The floors: the least that the same thing can cost on this machine. A bare epoll broadcaster (a process of its own,
//! so that its CPU is measured like the server's), and the disk's fsync.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _},
    net::SocketAddr,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use clap::Args;
use mio::{
    Events, Interest, Poll, Token,
    net::{TcpListener, TcpStream},
};

use super::{Result, Trouble, proc, stats::Histogram};
use crate::{
    printing,
    rig::{binary::this_program, process::Process},
};

/// What `parlour-lab bench-floor` can be told (it is started by `parlour-lab bench`, not by people).
#[derive(Debug, Clone, Args)]
pub struct FloorOptions {
    /// Bytes of each message, its frame header included
    #[arg(long)]
    pub bytes: usize,
    /// Answer each connection's request for a WebSocket first
    #[arg(long)]
    pub upgrade: bool,
}

/// The answer to the request that the bench sends.
const UPGRADED: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Accept: bf1LtH6iEs0DC/lbH7ghp3hIRKI=\r\n\r\n";

const LISTENER: Token = Token(usize::MAX);

struct Peer {
    stream: TcpStream,
    /// The part of a message that has arrived.
    partial: Vec<u8>,
    /// What the kernel did not take yet.
    waiting: Vec<u8>,
    /// Whether its request for a WebSocket is still to be answered.
    asks: bool,
}

/// The bare broadcaster: whatever message arrives on a connection is written to all of them, one `write` each, from one
/// thread. Prints its address, ends when its standard input does.
///
/// # Errors
/// When the system gives no socket.
pub fn run(options: &FloorOptions) -> Result<()> {
    let failed = |error: std::io::Error| Trouble::io("run the floor", &error);
    let mut poll = Poll::new().map_err(failed)?;
    let mut listener = TcpListener::bind(([127, 0, 0, 1], 0).into()).map_err(failed)?;
    poll.registry()
        .register(&mut listener, LISTENER, Interest::READABLE)
        .map_err(failed)?;
    printing::line(listener.local_addr().map_err(failed)?).map_err(failed)?;
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        std::process::exit(0);
    });
    let mut events = Events::with_capacity(1024);
    let mut peers: Vec<Option<Peer>> = Vec::new();
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(failed(error)),
            _ => {}
        }
        for event in &events {
            match event.token() {
                LISTENER => accept(&listener, &poll, &mut peers, options).map_err(failed)?,
                Token(at) => {
                    if event.is_writable() {
                        write_on(peers.get_mut(at), &[]);
                    }
                    if event.is_readable() {
                        read_on(&mut peers, at, options.bytes);
                    }
                }
            }
        }
    }
}

fn accept(
    listener: &TcpListener,
    poll: &Poll,
    peers: &mut Vec<Option<Peer>>,
    options: &FloorOptions,
) -> std::io::Result<()> {
    loop {
        match listener.accept() {
            Ok((mut stream, _)) => {
                stream.set_nodelay(true)?;
                let token = Token(peers.len());
                let interest = Interest::READABLE | Interest::WRITABLE;
                poll.registry().register(&mut stream, token, interest)?;
                peers.push(Some(Peer {
                    stream,
                    partial: Vec::new(),
                    waiting: Vec::new(),
                    asks: options.upgrade,
                }));
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn read_on(peers: &mut [Option<Peer>], at: usize, bytes: usize) {
    let mut buffer = [0; 16 * 1024];
    loop {
        let Some(Some(peer)) = peers.get_mut(at) else {
            return;
        };
        match peer.stream.read(&mut buffer) {
            Ok(length) if length > 0 => {
                peer.partial
                    .extend_from_slice(buffer.get(..length).unwrap_or_default());
                let arrived = std::mem::take(&mut peer.partial);
                if peer.asks {
                    if arrived.ends_with(b"\r\n\r\n") {
                        peer.asks = false;
                        write_on(peers.get_mut(at), UPGRADED);
                    } else {
                        peer.partial = arrived;
                    }
                    continue;
                }
                let mut messages = arrived.chunks_exact(bytes.max(1));
                for message in &mut messages {
                    for peer in &mut *peers {
                        write_on(Some(peer), message);
                    }
                }
                if let Some(Some(peer)) = peers.get_mut(at) {
                    peer.partial.extend_from_slice(messages.remainder());
                }
                if length < buffer.len() {
                    return;
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            _ => {
                if let Some(slot) = peers.get_mut(at) {
                    *slot = None;
                }
                return;
            }
        }
    }
}

fn write_on(slot: Option<&mut Option<Peer>>, message: &[u8]) {
    let Some(slot) = slot else { return };
    let Some(peer) = slot else { return };
    if !peer.waiting.is_empty() {
        peer.waiting.extend_from_slice(message);
    }
    let kept = std::mem::take(&mut peer.waiting);
    let due = if kept.is_empty() { message } else { &kept };
    if due.is_empty() {
        return;
    }
    match peer.stream.write(due) {
        Ok(length) => peer
            .waiting
            .extend_from_slice(due.get(length..).unwrap_or_default()),
        Err(error) if error.kind() == ErrorKind::WouldBlock => {
            peer.waiting.extend_from_slice(due);
        }
        Err(_) => *slot = None,
    }
}

/// A running broadcaster.
pub struct Broadcaster {
    process: Process,
    /// Where it listens.
    pub addr: SocketAddr,
}

impl Broadcaster {
    /// Starts one for messages of `bytes` bytes.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(bytes: usize) -> Result<Self> {
        Self::start_with(&["--bytes", &bytes.to_string()])
    }

    /// Starts one that answers each connection's request for a WebSocket.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_with_upgrades() -> Result<Self> {
        Self::start_with(&["--bytes", "256", "--upgrade"])
    }

    fn start_with(arguments: &[&str]) -> Result<Self> {
        let mut command = Command::new(this_program()?);
        command
            .arg("bench-floor")
            .args(arguments)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        Self::found(Process::start("The floor", &mut command)?)
            .ok_or_else(|| Trouble("The floor did not start.".into()))
    }

    /// Starts a chat server on uWebSockets, which keeps nothing, with this program.
    ///
    /// # Errors
    /// When it does not start; it has said why.
    pub fn start_uws(program: &Path) -> Result<Self> {
        if !program.is_file() {
            return Err(Trouble(format!(
                "--uws starts {}, which is not there: begin the bench in the folder of the sources, or name the program.",
                program.display()
            )));
        }
        let mut command = Command::new(program);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        Self::found(Process::start("uWebSockets", &mut command)?)
            .ok_or_else(|| Trouble("uWebSockets did not start; it says above why.".into()))
    }

    /// The program says where it listens.
    fn found(mut process: Process) -> Option<Self> {
        let mut line = String::new();
        BufReader::new(process.stdout()?)
            .read_line(&mut line)
            .ok()?;
        let addr = line.trim_end().parse().ok()?;
        Some(Self { process, addr })
    }

    /// The CPU time it has taken so far.
    ///
    /// # Errors
    /// When its process cannot be read.
    pub fn cpu(&self) -> Result<Duration> {
        proc::cpu(self.process.pid())
    }

    /// The memory it holds, in bytes.
    ///
    /// # Errors
    /// When its process cannot be read.
    pub fn rss(&self) -> Result<u64> {
        proc::rss(self.process.pid())
    }
}

/// How long the disk under `folder` takes to make 4 KiB durable (`fdatasync`), measured for `time`: overwriting the
/// blocks of a file of fixed size, as a write-ahead log does once it has grown.
///
/// # Errors
/// When the file cannot be written.
pub fn fsync(folder: &Path, time: Duration) -> Result<Histogram> {
    const PAGE: usize = 4096;
    const PAGES: u64 = 256;
    let measure = || -> std::io::Result<Histogram> {
        let path = folder.join("bench-fsync");
        let mut file = File::create(&path)?;
        let page = [0x5a; PAGE];
        for _ in 0..PAGES {
            file.write_all(&page)?;
        }
        file.sync_all()?;
        let mut histogram = Histogram::default();
        let end = Instant::now() + time;
        let mut at = 0;
        while Instant::now() < end {
            file.seek(SeekFrom::Start(at % PAGES * PAGE as u64))?;
            let begun = Instant::now();
            file.write_all(&page)?;
            file.sync_data()?;
            histogram.add(begun.elapsed().as_nanos() as u64);
            at += 1;
        }
        std::fs::remove_file(path)?;
        Ok(histogram)
    };
    measure().map_err(|error| Trouble::io("measure the disk's fsync", &error))
}
