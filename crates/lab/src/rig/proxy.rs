//! A line that can be cut at any byte, stopped, or made to swallow what goes over it. Whatever the crowd says to a
//! server goes through one, and whatever a server says to PostgreSQL.

use std::{
    cell::{Cell, RefCell},
    io,
    net::SocketAddr,
    rc::Rc,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpSocket, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::Notify,
    task::{JoinHandle, spawn_local},
};

/// Small, so that a reader who takes nothing is soon noticed by who sends to it.
const BUFFER: u32 = 8 * 1024;
/// Segments as large as on a real network. The kernel measures its buffers by them, and those of the loopback are so
/// large that megabytes would have to be sent before a stalled reader is one.
const SEGMENT: u32 = 1_400;
/// How long a server goes on with a client that a cut has taken from it, once the network is back: until its keepalives
/// have found out.
const FOUND_OUT: Duration = Duration::from_secs(3);
/// Who only reads says less than this, with its handshake and all.
const TALKATIVE: usize = 1_500;
/// Over a line that is used, something comes within this time.
const IDLE: Duration = Duration::from_millis(500);

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From the client.
    Up,
    /// From the server.
    Down,
}

/// How a line is to be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// After so many more bytes that go this way.
    After(Way, usize),
    /// At the first byte that comes down after something has gone up: the server has done what it was asked, and the
    /// answer does not arrive.
    BeforeAnswer,
}

/// What a line does with the bytes it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Pass,
    Cutting(Cut),
    /// Takes nothing from the server.
    Stalled,
    /// Takes nothing from anyone.
    Held,
    /// Takes everything and hands nothing on.
    Swallowing,
    Gone,
}

/// One connection through the proxy.
pub struct Connection {
    state: Cell<State>,
    changed: Notify,
    /// Bytes that went up.
    carried: Cell<usize>,
    /// When something last came down.
    heard: Cell<Instant>,
    /// End with a reset, or in good order.
    reset: Cell<bool>,
    /// The network has been cut: only the client's end hears of it.
    is_cut: Cell<bool>,
}

impl Connection {
    fn set(&self, state: State) {
        if self.state.get() != State::Gone {
            self.state.set(state);
            self.changed.notify_waiters();
        }
    }

    /// Cuts, when its moment comes.
    pub fn cut(&self, cut: Cut, reset: bool) {
        self.reset.set(reset);
        self.set(State::Cutting(cut));
    }

    /// Takes nothing from the server until [`Connection::pass`].
    pub fn stall(&self) {
        self.set(State::Stalled);
    }

    /// Does what a line should.
    pub fn pass(&self) {
        self.set(State::Pass);
    }

    /// Whether it has ended.
    pub fn is_gone(&self) -> bool {
        self.state.get() == State::Gone
    }

    /// Whether the client says much, and so will again.
    pub fn is_talkative(&self) -> bool {
        self.carried.get() > TALKATIVE
    }

    /// Whether nothing comes over it any more: one on which a page was read, and that is kept for the next.
    pub fn is_idle(&self) -> bool {
        self.heard.get().elapsed() > IDLE
    }
}

/// What all lines share.
struct Exchange {
    target: SocketAddr,
    connections: RefCell<Vec<Rc<Connection>>>,
    /// What new lines begin as.
    initial: Cell<State>,
}

/// A proxy on a port of its own.
pub struct Proxy {
    addr: SocketAddr,
    exchange: Rc<Exchange>,
    accepting: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        for line in self.connections() {
            line.set(State::Gone);
        }
    }
}

impl Proxy {
    /// Listens, and hands on to `target`.
    ///
    /// # Errors
    /// When the system gives no port.
    pub async fn start(target: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let addr = listener.local_addr()?;
        let exchange = Rc::new(Exchange {
            target,
            connections: RefCell::default(),
            initial: Cell::new(State::Pass),
        });
        let accepting = spawn_local(accept(listener, Rc::clone(&exchange)));
        Ok(Self {
            addr,
            exchange,
            accepting,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The lines that are open, oldest first.
    #[must_use]
    pub fn connections(&self) -> Vec<Rc<Connection>> {
        let mut connections = self.exchange.connections.borrow_mut();
        connections.retain(|line| !line.is_gone());
        connections.clone()
    }

    fn all(&self, state: State) {
        self.exchange.initial.set(state);
        for line in self.connections() {
            line.set(state);
        }
    }

    /// Nothing gets through, and nothing is lost: it waits.
    pub fn hold(&self) {
        self.all(State::Held);
    }

    /// The network is cut: nothing gets through, all of it is lost, and neither end hears of it.
    pub fn swallow(&self) {
        self.all(State::Swallowing);
        for line in self.connections() {
            line.is_cut.set(true);
        }
    }

    /// New lines are as they should be, and so are those that were held. Of those that have swallowed something, the
    /// client's end is reset, and the server's end stays as it is for a while, as after a cut of a real network.
    pub fn heal(&self) {
        self.exchange.initial.set(State::Pass);
        for line in self.connections() {
            if line.state.get() == State::Swallowing {
                line.reset.set(true);
                line.set(State::Gone);
            } else {
                line.pass();
            }
        }
    }
}

async fn accept(listener: TcpListener, exchange: Rc<Exchange>) {
    loop {
        let Ok((client, _)) = listener.accept().await else {
            // Too many files are open, perhaps; some will close.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let line = Rc::new(Connection {
            state: exchange.initial.clone(),
            changed: Notify::new(),
            carried: Cell::new(0),
            heard: Cell::new(Instant::now()),
            reset: Cell::new(false),
            is_cut: Cell::new(exchange.initial.get() == State::Swallowing),
        });
        exchange.connections.borrow_mut().push(Rc::clone(&line));
        let target = exchange.target;
        spawn_local(async move {
            // An error is an end like any other.
            let _ended = carry(client, target, &line).await;
            line.set(State::Gone);
        });
    }
}

async fn carry(client: TcpStream, target: SocketAddr, line: &Connection) -> io::Result<()> {
    if line.is_cut.get() {
        // What asks for the connection is lost like all else.
        gone(line).await;
        return client.set_zero_linger();
    }
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(BUFFER)?;
    socket2::SockRef::from(&socket).set_tcp_mss(SEGMENT)?;
    let server = socket.connect(target).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let (mut up, mut down) = (
        Pump::new(Way::Up, from_client, to_server),
        Pump::new(Way::Down, from_server, to_client),
    );
    // The first to end ends both.
    let ended = tokio::select! {
        ended = up.run(line) => ended,
        ended = down.run(line) => ended,
        () = gone(line) => Ok(()),
    };
    if line.reset.get() {
        let _cannot = up.from.as_ref().set_zero_linger();
        let _cannot = down.from.as_ref().set_zero_linger();
    }
    if line.is_cut.get() {
        // While the network is cut, and until a keepalive has found out.
        drop((up.from, down.to));
        while !line.is_gone() {
            line.changed.notified().await;
        }
        tokio::time::sleep(FOUND_OUT).await;
    }
    ended
}

async fn gone(line: &Connection) {
    while !line.is_gone() {
        line.changed.notified().await;
    }
}

struct Pump {
    way: Way,
    from: OwnedReadHalf,
    to: OwnedWriteHalf,
}

impl Pump {
    fn new(way: Way, from: OwnedReadHalf, to: OwnedWriteHalf) -> Self {
        Self { way, from, to }
    }

    async fn run(&mut self, line: &Connection) -> io::Result<()> {
        let mut buffer = vec![0; BUFFER as usize];
        loop {
            self.wait_for_leave(line).await;
            let count = tokio::select! {
                count = self.from.read(&mut buffer) => count?,
                // What is to be done has changed while we waited for bytes.
                () = line.changed.notified() => continue,
            };
            if count == 0 {
                return Ok(());
            }
            // Bytes that were read just before a stall stay here until it is over.
            self.wait_for_leave(line).await;
            let bytes = buffer.get(..count).unwrap_or_default();
            let end = self.leave_for(bytes.len(), line);
            let pass = bytes.get(..end.unwrap_or(count)).unwrap_or_default();
            if line.state.get() != State::Swallowing {
                self.to.write_all(pass).await?;
            }
            if self.way == Way::Up {
                line.carried.set(line.carried.get() + pass.len());
            } else {
                line.heard.set(Instant::now());
            }
            if end.is_some() {
                return Ok(());
            }
        }
    }

    async fn wait_for_leave(&self, line: &Connection) {
        loop {
            let must_wait = match line.state.get() {
                State::Stalled => self.way == Way::Down,
                State::Held => true,
                _ => false,
            };
            if !must_wait {
                return;
            }
            line.changed.notified().await;
        }
    }

    /// The number of bytes after which the line ends, when it ends within these.
    fn leave_for(&self, count: usize, line: &Connection) -> Option<usize> {
        let State::Cutting(cut) = line.state.get() else {
            return None;
        };
        match cut {
            Cut::BeforeAnswer if self.way == Way::Up => {
                line.state.set(State::Cutting(Cut::After(Way::Down, 0)));
                None
            }
            Cut::After(way, left) if way == self.way => {
                if left <= count {
                    return Some(left);
                }
                line.state
                    .set(State::Cutting(Cut::After(way, left - count)));
                None
            }
            Cut::BeforeAnswer | Cut::After(..) => None,
        }
    }
}
