//! Connections that keep a place and ask for nothing: an address may hold only so many, and none for ever. The framework times the first request of a connection only, and
//! reads on without end after it has refused a chunked body: a client that drips bytes would never have to leave.

use std::{
    any::Any,
    cell::{Cell, RefCell},
    net::Shutdown,
    os::fd::AsFd as _,
    rc::{Rc, Weak},
    sync::Arc,
    time::{Duration, Instant},
};

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::{
    dev::{Extensions, ServiceRequest},
    rt,
};
use socket2::{SockRef, Socket};
use tokio::net::TcpStream;

use crate::chat::connections::{Connections, Place};

/// Bytes that the kernel may hold for a socket whose client reads slowly (Linux takes it twice, for its own needs). Left
/// alone, it would take some megabytes for each, and a few hundred of them would use up what it has for all connections.
const SEND_BUFFER: usize = 128 * 1024;

/// A connection, as its requests see it.
#[derive(Debug)]
pub struct Line {
    /// The same connection once more, so that it can be cut from outside. `None` when nobody needs to.
    handle: RefCell<Option<Socket>>,
    /// It counts among those of its address.
    place: RefCell<Option<Place>>,
    /// Requests that are being answered.
    working: Cell<usize>,
    /// When the last of them was done.
    since: Cell<Instant>,
}

/// A request that is being answered.
#[derive(Debug)]
pub struct Working(Rc<Line>);

impl Line {
    /// Watches a new connection: it is cut when it has had no whole request for this time, or at once when its address
    /// holds too many.
    pub fn watch(
        connection: &dyn Any,
        data: &mut Extensions,
        connections: &Arc<Connections>,
        patience: Duration,
    ) {
        let plain = connection.downcast_ref::<TcpStream>().or_else(|| {
            let tls = connection.downcast_ref::<TlsStream<TcpStream>>()?;
            Some(tls.get_ref().0)
        });
        let place = match plain.and_then(|stream| stream.peer_addr().ok()) {
            Some(peer) => {
                let place = connections.enter(peer.ip());
                if place.is_none() {
                    log::debug!("a connection is cut: {} holds too many", peer.ip());
                    let _gone_already =
                        plain.map(|stream| SockRef::from(stream).shutdown(Shutdown::Both));
                }
                place
            }
            None => None,
        };
        // Without another descriptor to spare there is nothing to cut it by.
        let handle = plain.and_then(|stream| stream.as_fd().try_clone_to_owned().ok());
        let line = Rc::new(Self {
            handle: RefCell::new(handle.map(Socket::from)),
            place: RefCell::new(place),
            working: Cell::new(0),
            since: Cell::new(Instant::now()),
        });
        rt::spawn(cut_when_idle(Rc::downgrade(&line), patience));
        data.insert(line);
    }

    /// Marks that a request is being answered, until what this returns is dropped.
    pub fn begin(request: &ServiceRequest) -> Option<Working> {
        let line = Rc::clone(request.conn_data::<Rc<Self>>()?);
        line.working.set(line.working.get() + 1);
        Some(Working(line))
    }

    fn is_idle(&self, patience: Duration) -> bool {
        self.working.get() == 0 && self.since.get().elapsed() >= patience
    }
}

impl Working {
    /// From now on it is a WebSocket, which has a heartbeat of its own.
    pub fn upgraded(&self) {
        if let Some(handle) = self.0.handle.take()
            && let Err(error) = handle.set_send_buffer_size(SEND_BUFFER)
        {
            log::debug!("the kernel's buffer for a socket stays as it is: {error}");
        }
        self.0.place.take();
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        self.0.working.set(self.0.working.get() - 1);
        self.0.since.set(Instant::now());
    }
}

async fn cut_when_idle(line: Weak<Line>, patience: Duration) {
    loop {
        tokio::time::sleep(patience / 2).await;
        let Some(line) = line.upgrade() else { return };
        let handle = line.handle.borrow();
        let Some(handle) = handle.as_ref() else {
            return;
        };
        if line.is_idle(patience) {
            log::debug!("a connection is cut that sends, but asks for nothing");
            let _gone_already = handle.shutdown(Shutdown::Both);
            return;
        }
    }
}
