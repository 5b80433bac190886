//! An office on each worker thread. All that the hub has for the sockets of one thread comes to its office in one parcel, in
//! the order in which the hub has decided it. A socket that waits for nothing is written to at once, without waking its
//! session; whatever else it is, the session gets it, in the same order.
//!
//! The hub bounds what waits for each socket before it sends anything here, so that a parcel is never too large.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use tokio::sync::mpsc;

use super::{Deliver, registry::Outbox};

/// Parcels that are taken in together: what is in them for one socket leaves in one write.
const PARCELS_AT_ONCE: usize = 16;
/// So many sockets are written to before the other tasks of the thread have their turn.
const SLICE: usize = 64;

/// A socket of this thread.
pub trait LocalSocket {
    /// Takes in what can be sent at once: it goes out with the next [`flush`](Self::flush). False when it is for the session:
    /// then nothing has happened.
    fn take_in(&self, delivery: &Deliver) -> bool;

    /// Hands a delivery to the session, behind those that it has not handled yet.
    fn hand_over(&self, delivery: Deliver);

    /// Writes what was taken in.
    fn flush(&self);
}

/// A socket's place in its office. No number is used twice, so that what was on its way to one that has gone never comes
/// to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Desk {
    at: usize,
    number: u64,
}

/// What the hub sends to an office.
type Parcel = Vec<(Desk, Deliver)>;

/// The office of a thread.
pub struct Office {
    desks: Rc<Desks>,
    mail: mpsc::UnboundedSender<Parcel>,
}

/// Where a socket is reached from any thread.
#[derive(Debug, Clone)]
pub struct Address {
    desk: Desk,
    mail: mpsc::UnboundedSender<Parcel>,
}

impl Office {
    /// Opens an office on this thread. It works until all who could send it something are gone.
    #[must_use]
    pub fn open() -> Rc<Self> {
        let (mail, parcels) = mpsc::unbounded_channel();
        let desks = Rc::<Desks>::default();
        // Without tokio's own bound on what a task does in one turn: it gives way by itself.
        let work = tokio::task::unconstrained(work(Rc::clone(&desks), parcels));
        actix::spawn(work);
        Rc::new(Self { desks, mail })
    }

    /// Gives a socket a desk, as long as what this returns is kept.
    #[must_use]
    pub fn enter(&self, socket: Rc<dyn LocalSocket>) -> (KeptDesk, Address) {
        let desk = self.desks.add(socket);
        let kept = KeptDesk {
            desk,
            desks: Rc::clone(&self.desks),
        };
        let mail = self.mail.clone();
        (kept, Address { desk, mail })
    }
}

async fn work(desks: Rc<Desks>, mut mail: mpsc::UnboundedReceiver<Parcel>) {
    let mut parcels = Vec::new();
    while mail.recv_many(&mut parcels, PARCELS_AT_ONCE).await > 0 {
        let waiting = desks.sort(parcels.drain(..).flatten());
        for some in waiting.chunks(SLICE) {
            for entry in some {
                entry.flush();
            }
            tokio::task::yield_now().await;
        }
    }
}

/// The sockets of a thread.
#[derive(Default)]
struct Desks {
    entries: RefCell<Vec<Option<Rc<Entry>>>>,
    free: RefCell<Vec<usize>>,
    last_number: Cell<u64>,
}

struct Entry {
    number: u64,
    socket: Rc<dyn LocalSocket>,
    /// Whether it has taken something in since it was flushed.
    waits: Cell<bool>,
}

impl Entry {
    fn flush(&self) {
        self.waits.set(false);
        self.socket.flush();
    }
}

impl Desks {
    fn add(&self, socket: Rc<dyn LocalSocket>) -> Desk {
        let number = self.last_number.get() + 1;
        self.last_number.set(number);
        let mut entries = self.entries.borrow_mut();
        let at = self.free.borrow_mut().pop().unwrap_or_else(|| {
            entries.push(None);
            entries.len() - 1
        });
        entries[at] = Some(Rc::new(Entry {
            number,
            socket,
            waits: Cell::new(false),
        }));
        Desk { at, number }
    }

    fn remove(&self, desk: Desk) {
        let removed = self
            .entries
            .borrow_mut()
            .get_mut(desk.at)
            .and_then(|entry| {
                let is_its = entry.as_ref().is_some_and(|it| it.number == desk.number);
                entry.take_if(|_| is_its)
            });
        if removed.is_some() {
            self.free.borrow_mut().push(desk.at);
        }
    }

    fn find(&self, desk: Desk) -> Option<Rc<Entry>> {
        let entries = self.entries.borrow();
        let entry = entries.get(desk.at)?.as_ref()?;
        (entry.number == desk.number).then(|| Rc::clone(entry))
    }

    /// Has each socket take in what is for it, or hands it to its session. Returns those that are to be flushed.
    fn sort(&self, mail: impl Iterator<Item = (Desk, Deliver)>) -> Vec<Rc<Entry>> {
        let mut waiting = Vec::new();
        for (desk, delivery) in mail {
            let Some(entry) = self.find(desk) else {
                continue;
            };
            if !entry.socket.take_in(&delivery) {
                entry.socket.hand_over(delivery);
            } else if !entry.waits.replace(true) {
                waiting.push(entry);
            }
        }
        waiting
    }
}

/// Keeps a socket's desk. Dropping it gives it up.
pub struct KeptDesk {
    desk: Desk,
    desks: Rc<Desks>,
}

impl Drop for KeptDesk {
    fn drop(&mut self) {
        self.desks.remove(self.desk);
    }
}

/// The hub's end of all offices: what it has for their sockets is gathered, and goes out when it has decided everything that
/// it has to decide at that moment.
#[derive(Default)]
pub struct Mailroom {
    offices: Vec<Rc<Bag>>,
}

/// What waits to be sent to an office.
struct Bag {
    mail: mpsc::UnboundedSender<Parcel>,
    parcel: RefCell<Parcel>,
}

/// What the hub has for one socket goes in here.
pub struct Slot {
    desk: Desk,
    bag: Rc<Bag>,
}

impl Outbox for Slot {
    fn offer(&self, delivery: Deliver) -> bool {
        self.bag.parcel.borrow_mut().push((self.desk, delivery));
        true
    }
}

impl Mailroom {
    /// The slot of a socket.
    pub fn slot(&mut self, address: Address) -> Slot {
        let Address { desk, mail } = address;
        let known = (self.offices.iter()).find(|bag| bag.mail.same_channel(&mail));
        let bag = known.cloned().unwrap_or_else(|| {
            let parcel = RefCell::default();
            let bag = Rc::new(Bag { mail, parcel });
            self.offices.push(Rc::clone(&bag));
            bag
        });
        Slot { desk, bag }
    }

    /// Sends what was gathered.
    pub fn send_out(&mut self) {
        for bag in &self.offices {
            if !bag.parcel.borrow().is_empty() {
                let _gone_with_its_sockets = bag.mail.send(bag.parcel.take());
            }
        }
        self.offices.retain(|bag| !bag.mail.is_closed());
    }
}

#[cfg(test)]
mod tests;
