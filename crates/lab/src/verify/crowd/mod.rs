//! The crowd: writers that say a message on a fixed beat and send it again until it is acked, and readers that come
//! back and catch up. All they see is kept, for the judge.
//!
//! **Offered load.** The beat gives the writers [`RATE`] messages a second in all, whether they get rid of them or not:
//! what cannot be sent waits, and what is refused is sent again. Those that come while the nemesis itself keeps the
//! server away (it is killed, stopped, without its database) are sent, too, but not counted as offered; from the moment
//! it could work again they are, so that a slow recovery counts against the server. A phase has *reached* those
//! that were acked before its end.

mod identity;
mod reader;
mod writer;

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    fmt::Write as _,
    net::SocketAddr,
    rc::Rc,
    time::{Duration, Instant},
};

use tokio::{
    sync::Notify,
    task::{JoinHandle, spawn_local},
};

pub use self::identity::{Identity, Over, say};
use super::{
    Result, Trouble,
    check::{Seen, Sending},
    company::{self, Company},
    rng::Rng,
};

/// Messages a second that the crowd offers.
pub const RATE: u32 = 100;
/// Who writes.
pub const WRITERS: usize = 8;
/// Who reads.
pub const READERS: usize = 4;
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// A registration is tried so often.
const TRIES: u32 = 50;

/// Where everything that happens is kept.
#[derive(Default)]
pub struct Record {
    /// Every message that was offered and tried.
    pub sent: RefCell<Vec<Sending>>,
    /// What else there is to know of each of them.
    offers: RefCell<Vec<Offer>>,
    /// What was first sent on each socket of a writer.
    pub pipelines: RefCell<Vec<Vec<usize>>>,
    /// What each socket saw.
    pub views: RefCell<Vec<Vec<Seen>>>,
    /// Pages that were read.
    pub pages: RefCell<Vec<Vec<(u64, u64)>>>,
    /// Messages that were acked.
    pub acked: Cell<u64>,
    /// The greatest number in an ack.
    pub last_ack: Cell<u64>,
    /// Messages that were offered while the server was meant to be reachable.
    pub offered: Cell<u64>,
    /// Those of them that were acked.
    pub reached: Cell<u64>,
    /// Attempts whose outcome no one knew.
    pub unknown: Cell<u64>,
    /// Attempts that were refused.
    pub refused: Cell<u64>,
    /// Times that a reader was told `lag`.
    pub lags: Cell<u64>,
    /// Sockets that ended, however.
    pub closed: Cell<u64>,
    /// What was acked though nothing could be stored.
    pub absence: Absence,
}

/// A time in which the server is without its database: nothing that is sent in it may be acked in it.
#[derive(Default)]
pub struct Absence {
    begun: Cell<Option<Instant>>,
    acked: Cell<u64>,
}

impl Absence {
    /// From now on nothing that is sent can be stored.
    pub fn begin(&self) {
        self.acked.set(0);
        self.begun.set(Some(Instant::now()));
    }

    /// Takes in the ack of something that was sent at this moment.
    pub fn hear_ack(&self, sent: Instant) {
        if self.begun.get().is_some_and(|begun| sent > begun) {
            self.acked.set(self.acked.get() + 1);
        }
    }

    /// How much was sent and acked since the begin. From now on it may be.
    pub fn end(&self) -> u64 {
        self.begun.set(None);
        self.acked.get()
    }
}

impl Record {
    fn open_view(&self, floor: u64) -> usize {
        let mut views = self.views.borrow_mut();
        views.push(vec![Seen::Connected(floor)]);
        views.len() - 1
    }

    fn see(&self, view: usize, seen: Seen) {
        if let Some(view) = self.views.borrow_mut().get_mut(view) {
            view.push(seen);
        }
    }
}

/// A message that is offered to the server.
struct Offer {
    /// It was sent at least once.
    is_tried: bool,
    /// The server was meant to be reachable when it was offered.
    counts: bool,
}

/// One writer, as the others see it.
#[derive(Default)]
struct WriterState {
    /// Messages to send, places in `Record::sent`: new ones at the end, those to be sent again at the front.
    queue: RefCell<VecDeque<usize>>,
    more: Notify,
    acked: Cell<u64>,
    unanswered: Cell<usize>,
}

/// How far a reader is.
#[derive(Default)]
struct ReaderState {
    cursor: Cell<u64>,
}

/// What all of the crowd share.
struct Shared {
    record: Rc<Record>,
    is_offering: Cell<bool>,
    is_reachable: Cell<bool>,
    /// Longest content, about.
    longest: usize,
}

/// Writers and readers, at work as long as this value lives.
pub struct Crowd {
    shared: Rc<Shared>,
    writers: Vec<Rc<WriterState>>,
    readers: Vec<Rc<ReaderState>>,
    company: Company,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Where writers and readers were at some moment.
pub struct Mark {
    acked: Vec<u64>,
    last_ack: u64,
    company: company::Mark,
}

impl Crowd {
    /// Registers users at `direct` and sets them to work through `addr`. `phase` makes contents unlike any others.
    ///
    /// # Errors
    /// When a user cannot be registered.
    pub async fn gather(
        direct: SocketAddr,
        addr: SocketAddr,
        phase: &str,
        seed: u64,
        longest: usize,
    ) -> Result<Self> {
        let shared = Rc::new(Shared {
            record: Rc::default(),
            is_offering: Cell::new(false),
            is_reachable: Cell::new(true),
            longest,
        });
        let record = Rc::clone(&shared.record);
        let company = Company::gather(direct, addr, (phase, seed), record).await?;
        let mut crowd = Self {
            shared: Rc::clone(&shared),
            company,
            writers: Vec::new(),
            readers: Vec::new(),
            tasks: Vec::new(),
        };
        for number in 0..WRITERS {
            let identity = enter(direct, addr, &format!("writer-{number}")).await?;
            let state = Rc::<WriterState>::default();
            let rng = Rng::new(seed, &format!("{phase} writer {number}"));
            crowd.writers.push(Rc::clone(&state));
            crowd.tasks.push(spawn_local(writer::write(
                Rc::clone(&shared),
                state,
                identity,
                rng,
            )));
        }
        for number in 0..READERS {
            let identity = enter(direct, addr, &format!("reader-{number}")).await?;
            let state = Rc::<ReaderState>::default();
            let rng = Rng::new(seed, &format!("{phase} reader {number}"));
            crowd.readers.push(Rc::clone(&state));
            crowd.tasks.push(spawn_local(reader::read(
                Rc::clone(&shared),
                state,
                identity,
                rng,
            )));
        }
        let rng = Rng::new(seed, &format!("{phase} beat"));
        let beat = beat(shared, crowd.writers.clone(), phase.to_owned(), rng);
        crowd.tasks.push(spawn_local(beat));
        Ok(crowd)
    }

    /// What happened so far.
    pub fn record(&self) -> &Record {
        &self.shared.record
    }

    /// Begins or ends the offering of messages.
    pub fn offer(&self, on: bool) {
        self.shared.is_offering.set(on);
        self.company.offer(on);
    }

    /// The nemesis takes the server away, or gives it back.
    pub fn set_reachable(&self, reachable: bool) {
        self.shared.is_reachable.set(reachable);
    }

    /// Ends their work.
    pub fn stop(&self) {
        for task in &self.tasks {
            task.abort();
        }
        self.company.stop();
    }

    /// Those who do things in other rooms.
    pub fn company(&self) -> &Company {
        &self.company
    }

    /// All acks that say that something was stored.
    pub fn acks(&self) -> u64 {
        self.record().acked.get() + self.company.book().acked.get()
    }

    /// Messages that were acked, in all rooms.
    pub fn stored(&self) -> u64 {
        self.record().acked.get() + self.company.book().done.get().posts
    }

    /// Where everyone is now.
    pub fn mark(&self) -> Mark {
        Mark {
            acked: self.writers.iter().map(|state| state.acked.get()).collect(),
            last_ack: self.record().last_ack.get(),
            company: self.company.mark(),
        }
    }

    /// Waits until every writer has had an ack since `mark`, and every reader has everything that had been acked by
    /// then. False when that does not happen.
    pub async fn recovers(&self, mark: &Mark, patience: Duration) -> bool {
        self.comes_true(patience, || {
            let writers = self.writers.iter().zip(&mark.acked);
            writers
                .clone()
                .all(|(state, acked)| state.acked.get() > *acked)
                && self.have_read(mark.last_ack)
                && self.company.has_recovered(&mark.company)
        })
        .await
    }

    /// Waits until all that was offered is acked. False when that does not happen.
    pub async fn drains(&self, patience: Duration) -> bool {
        self.comes_true(patience, || {
            self.writers
                .iter()
                .all(|state| state.unanswered.get() == 0 && state.queue.borrow().is_empty())
                && self.company.has_drained()
        })
        .await
    }

    /// Waits until the readers have everything that was acked; counts those that do not get there.
    pub async fn left_behind(&self, patience: Duration) -> u64 {
        let last = self.record().last_ack.get();
        let have_all = || self.have_read(last) && self.company.left_behind() == 0;
        if self.comes_true(patience, have_all).await {
            return 0;
        }
        let behind = |state: &&Rc<ReaderState>| state.cursor.get() < last;
        self.readers.iter().filter(behind).count() as u64 + self.company.left_behind()
    }

    /// Waits until something is so.
    pub async fn comes_true(&self, patience: Duration, is_so: impl Fn() -> bool) -> bool {
        let deadline = Instant::now() + patience;
        while !is_so() {
            if Instant::now() > deadline {
                return false;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        true
    }

    fn have_read(&self, last: u64) -> bool {
        self.readers.iter().all(|state| state.cursor.get() >= last)
    }
}

/// Registers someone at `direct`, to go through `addr` from then on.
///
/// # Errors
/// When that does not work however often it is tried.
pub async fn enter(direct: SocketAddr, addr: SocketAddr, username: &str) -> Result<Identity> {
    let mut tries = 0;
    loop {
        let registered = Identity::register(direct, username).await;
        match registered.and_then(|identity| identity.through(addr)) {
            Ok(identity) => return Ok(identity),
            Err(failure) if tries >= TRIES => {
                let why = failure.sentence();
                return Err(Trouble(format!("{username} cannot register ({why}).")));
            }
            Err(_) => tries += 1,
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Gives each writer its messages, in turn, on a fixed beat.
async fn beat(shared: Rc<Shared>, writers: Vec<Rc<WriterState>>, phase: String, mut rng: Rng) {
    let mut clock = tokio::time::interval(Duration::from_secs(1) / RATE);
    // Beats that came late, because the machine was busy, are made up for.
    clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Burst);
    let mut count = 0;
    loop {
        clock.tick().await;
        if !shared.is_offering.get() {
            continue;
        }
        count += 1;
        let Some(state) = writers.get(count % writers.len()) else {
            return;
        };
        let client_id = format!("{phase}-{count}");
        let content = content(&client_id, shared.longest, &mut rng);
        let place = {
            let mut sent = shared.record.sent.borrow_mut();
            sent.push(Sending {
                client_id,
                content,
                ..Sending::default()
            });
            sent.len() - 1
        };
        let counts = shared.is_reachable.get();
        shared.record.offers.borrow_mut().push(Offer {
            is_tried: false,
            counts,
        });
        let offered = &shared.record.offered;
        offered.set(offered.get() + u64::from(counts));
        state.queue.borrow_mut().push_back(place);
        state.more.notify_one();
    }
}

/// Unlike any other, of many lengths, and with bytes that a careless hand would change.
pub fn content(client_id: &str, longest: usize, rng: &mut Rng) -> String {
    const PIECES: [&str; 8] = ["a", "\u{1f310}", "\"", "\\", "\n", "é", "</b>", "\u{202e}"];
    let length = rng.below(longest);
    let mut content = format!("{client_id} ");
    while content.len() < length {
        let piece = PIECES.get(rng.below(PIECES.len())).unwrap_or(&"a");
        let _written = write!(content, "{piece}");
    }
    content
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ack_says_nothing_of_an_absence_that_began_after_its_message_was_sent() {
        let absence = Absence::default();
        let before = Instant::now();
        absence.hear_ack(before);
        absence.begin();
        absence.hear_ack(before);
        let later = before + Duration::from_hours(1);
        assert_eq!(absence.end(), 0);
        absence.begin();
        absence.hear_ack(later);
        assert_eq!(absence.end(), 1);
        absence.hear_ack(later);
        absence.begin();
        assert_eq!(absence.end(), 0);
    }
}
