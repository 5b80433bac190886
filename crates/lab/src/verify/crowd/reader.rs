//! A reader: keeps a cursor, comes back with `sync` whenever its line is gone, and reads pages when one answer does
//! not hold all that it missed.

use std::{
    collections::BTreeSet,
    rc::Rc,
    time::{Duration, Instant},
};

use parlour_client::{
    api::Query,
    socket::{Heard, Socket},
};

use super::{
    Identity, ReaderState, Shared,
    identity::{Over, say},
};
use crate::{
    protocol::{
        GENERAL,
        command::{Command, Request, Sync},
        event::{Event, SyncedRoom, Upto},
    },
    verify::{
        check::{Seen, digest},
        rng::Rng,
    },
};

const SYNC: &str = "sync";
/// A line over which nothing comes for so long, though we asked, is taken for dead.
const SILENCE: Duration = Duration::from_secs(6);
const ASK_EVERY: Duration = Duration::from_secs(2);
/// Once in so many messages a reader asks again.
const ASKS_AGAIN: usize = 20;
/// At most from so far back.
const FAR_BACK: u64 = 60;
/// Before a question that was refused is asked again.
const PAUSE: Duration = Duration::from_millis(200);

/// Reads forever.
pub async fn read(
    shared: Rc<Shared>,
    state: Rc<ReaderState>,
    mut identity: Identity,
    mut rng: Rng,
) {
    loop {
        let opened = identity.open().await;
        if let Err(failure) = &opened {
            identity.renew(failure).await;
        }
        if let Ok((socket, connected)) = opened {
            let floor = connected.rooms.iter().find(|room| room.room == GENERAL);
            let conversation = Conversation {
                view: shared.record.open_view(floor.map_or(0, |room| room.seq)),
                shared: &shared,
                state: &state,
                identity: &identity,
                epoch: connected.epoch,
                socket,
                ahead: BTreeSet::new(),
                asked: false,
                heard: Instant::now(),
            };
            conversation.run(&mut rng).await;
            shared.record.closed.set(shared.record.closed.get() + 1);
        }
        tokio::time::sleep(rng.millis(10, 60)).await;
    }
}

/// One connection of a reader.
struct Conversation<'a> {
    shared: &'a Shared,
    state: &'a ReaderState,
    identity: &'a Identity,
    epoch: String,
    socket: Socket,
    view: usize,
    /// Numbers above the cursor that came before those between.
    ahead: BTreeSet<u64>,
    /// A `sync` is not answered yet.
    asked: bool,
    heard: Instant,
}

impl Conversation<'_> {
    async fn run(mut self, rng: &mut Rng) {
        if self.ask().await.is_ok() {
            while self.step(rng).await.is_ok() {}
        }
    }

    async fn step(&mut self, rng: &mut Rng) -> Result<(), Over> {
        tokio::select! {
            heard = self.socket.next() => {
                self.heard = Instant::now();
                match heard.map_err(|_| Over)? {
                    Heard::Frame(event) => self.hear(*event, rng).await,
                    Heard::Sign => Ok(()),
                }
            }
            () = tokio::time::sleep(ASK_EVERY) => {
                if self.heard.elapsed() > SILENCE {
                    return Err(Over);
                }
                say(&mut self.socket, &Request::new(Command::Ping)).await
            }
        }
    }

    /// Asks for everything after the cursor.
    async fn ask(&mut self) -> Result<(), Over> {
        self.ask_after(self.state.cursor.get()).await
    }

    async fn ask_after(&mut self, seq: u64) -> Result<(), Over> {
        let sync = Sync {
            rooms: [(GENERAL.to_owned(), seq)].into(),
            epoch: Some(self.epoch.clone()),
        };
        self.asked = true;
        self.see(Seen::Asked(seq));
        let request = Request::with_ref(SYNC, Command::Sync(sync));
        say(&mut self.socket, &request).await
    }

    async fn hear(&mut self, event: Event, rng: &mut Rng) -> Result<(), Over> {
        match event {
            Event::Message(message) => {
                self.see(Seen::Message(message.seq, digest(&message.content)));
                self.take(message.seq);
                if !self.asked && !self.ahead.is_empty() {
                    // A gap without a word: the judge will say so. We go on as a client would.
                    return self.ask().await;
                }
                if !self.asked && rng.once_in(ASKS_AGAIN) {
                    // For no reason, and from some way back: every question makes a seam in the live stream.
                    let back = rng.next() % FAR_BACK;
                    return self
                        .ask_after(self.state.cursor.get().saturating_sub(back))
                        .await;
                }
            }
            Event::Lag { seq, .. } => {
                let lags = &self.shared.record.lags;
                lags.set(lags.get() + 1);
                self.see(Seen::Lag(seq));
                if self.asked {
                    // The answer may not reach so far; what follows will show it.
                } else if rng.once_in(2) {
                    return self.ask().await;
                } else {
                    self.read_pages(seq).await;
                }
            }
            Event::Synced { rooms, .. } => {
                self.asked = false;
                if let Some(SyncedRoom::Upto(Upto { seq, complete })) = rooms.get(GENERAL) {
                    self.see(Seen::Synced(*seq, *complete));
                    if !complete {
                        self.read_pages(*seq).await;
                    }
                }
            }
            Event::Error(error) if error.reference.as_deref() == Some(SYNC) => {
                self.see(Seen::SyncRefused);
                tokio::time::sleep(PAUSE).await;
                return self.ask().await;
            }
            _ => {}
        }
        Ok(())
    }

    /// Reads pages up to `goal` at least (what is above it comes on the socket), and on as long as there is more. Gives up
    /// when the server does not answer: what is missing then shows as a gap, and is asked for again.
    async fn read_pages(&mut self, goal: u64) {
        loop {
            let cursor = self.state.cursor.get();
            let Ok(page) = self.identity.page(Query::Since(cursor)).await else {
                tokio::time::sleep(PAUSE).await;
                if self.heard.elapsed() > SILENCE {
                    return;
                }
                continue;
            };
            let seen = page
                .messages
                .iter()
                .map(|message| (message.seq, digest(&message.content)));
            self.shared.record.pages.borrow_mut().push(seen.collect());
            for message in page.messages {
                self.take(message.seq);
            }
            if !page.more && self.state.cursor.get() >= goal || self.state.cursor.get() == cursor {
                return;
            }
        }
    }

    fn see(&self, seen: Seen) {
        self.shared.record.see(self.view, seen);
    }

    /// Moves the cursor as far as there is no gap.
    fn take(&mut self, seq: u64) {
        let mut cursor = self.state.cursor.get();
        if seq > cursor {
            self.ahead.insert(seq);
        }
        while self.ahead.remove(&(cursor + 1)) {
            cursor += 1;
        }
        self.ahead.retain(|ahead| *ahead > cursor);
        self.state.cursor.set(cursor);
    }
}
