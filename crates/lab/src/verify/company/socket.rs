//! One of the company on a socket: does things in several rooms, hears what is done there, and catches up with `sync` and
//! with pages.

use std::{
    collections::HashMap,
    rc::Rc,
    time::{Duration, Instant},
};

use parlour_client::socket::{Heard as Came, Socket};

use super::{Person, Place, Shared, WINDOW, choice};
use crate::{
    protocol::command::{
        Command, Delete, Edit, InRoom, OfUser, Pin, React, Request, SendMessage, Sync,
    },
    verify::{
        check::rooms::{Act, Heard, Shown},
        crowd::{Identity, Over, say},
        rng::Rng,
    },
};

/// The `ref` of a `sync`.
pub const SYNC: &str = "sync";
/// Between two acts of one person.
const BEAT: (u64, u64) = (80, 180);
/// How long an ack may take before the line is taken for dead.
const TIMEOUT: Duration = Duration::from_secs(5);
/// A line over which nothing comes for so long, though we asked, is taken for dead.
const SILENCE: Duration = Duration::from_secs(6);
const ASK_EVERY: Duration = Duration::from_secs(2);

/// Lives forever.
pub async fn live(shared: Rc<Shared>, person: Rc<Person>, mut identity: Identity, mut rng: Rng) {
    loop {
        let opened = identity.open().await;
        if let Err(failure) = &opened {
            identity.renew(failure).await;
        }
        if let Ok((socket, connected)) = opened {
            let mut views = Vec::new();
            for (number, room) in shared.book.rooms.iter().enumerate() {
                let known = connected.rooms.iter().find(|known| known.room == room.key);
                let seq = known.map(|known| known.seq);
                if let Some(place) = person.places.borrow_mut().get_mut(number) {
                    place.is_inside = seq.is_some();
                    place.at = seq.unwrap_or(place.at);
                }
                views.push(shared.book.open(number, person.user, Heard::Connected(seq)));
            }
            let conversation = Conversation {
                views,
                shared: &shared,
                person: &person,
                identity: &identity,
                epoch: connected.epoch,
                socket,
                waiting: HashMap::new(),
                asked: None,
                ask_again: false,
                heard: Instant::now(),
                next_act: Instant::now(),
                not_before: Instant::now(),
            };
            conversation.run(&mut rng).await;
            let closed = &shared.record.closed;
            closed.set(closed.get() + 1);
        }
        tokio::time::sleep(rng.millis(10, 60)).await;
    }
}

/// One connection.
pub struct Conversation<'a> {
    pub shared: &'a Shared,
    pub person: &'a Person,
    pub identity: &'a Identity,
    pub epoch: String,
    pub socket: Socket,
    /// Of each room.
    pub views: Vec<usize>,
    /// Acts that wait for their answer, by their room and place, and since when.
    pub waiting: HashMap<(usize, usize), Instant>,
    /// A `sync` is not answered yet: about these rooms.
    pub asked: Option<Vec<usize>>,
    /// There is more to ask for when it is.
    pub ask_again: bool,
    pub heard: Instant,
    pub next_act: Instant,
    /// Something was refused: nothing is sent before this moment.
    pub not_before: Instant,
}

/// Also when people are stopped before all is answered.
impl Drop for Conversation<'_> {
    fn drop(&mut self) {
        // Whatever was not answered may be done or not. It is sent again, in its order.
        let mut unanswered: Vec<_> = self.waiting.keys().copied().collect();
        unanswered.sort_unstable();
        for at in unanswered.into_iter().rev() {
            self.shared.book.unknown(at);
            self.person.queue.borrow_mut().push_front(at);
        }
        self.person.unanswered.set(0);
    }
}

impl Conversation<'_> {
    async fn run(mut self, rng: &mut Rng) {
        if self.ask(0).await.is_ok() {
            while self.step(rng).await.is_ok() {}
        }
    }

    async fn step(&mut self, rng: &mut Rng) -> Result<(), Over> {
        let now = Instant::now();
        if now >= self.next_act {
            self.next_act = now + rng.millis(BEAT.0, BEAT.1);
            if self.shared.is_offering.get() && self.person.load() < WINDOW {
                let begun = choice::begin(self.shared, self.person, rng);
                self.person.queue.borrow_mut().extend(begun);
            }
        }
        while now >= self.not_before {
            let Some(at) = self.person.queue.borrow_mut().pop_front() else {
                break;
            };
            self.send(at).await?;
        }
        let oldest = self.waiting.values().min();
        if oldest.is_some_and(|oldest| oldest.elapsed() > TIMEOUT) {
            return Err(Over);
        }
        if self.heard.elapsed() > ASK_EVERY {
            if self.heard.elapsed() > SILENCE {
                return Err(Over);
            }
            say(&mut self.socket, &Request::new(Command::Ping)).await?;
        }
        let pause = self.next_act.saturating_duration_since(now);
        tokio::select! {
            came = self.socket.next() => {
                self.heard = Instant::now();
                match came.map_err(|_| Over)? {
                    Came::Frame(event) => self.hear(*event, rng).await,
                    Came::Sign => Ok(()),
                }
            }
            () = tokio::time::sleep(pause) => Ok(()),
        }
    }

    async fn send(&mut self, at: (usize, usize)) -> Result<(), Over> {
        let (Some(room), Some(deed)) =
            (self.shared.book.rooms.get(at.0), self.shared.book.deed(at))
        else {
            return Ok(());
        };
        let client_id = format!("{}-{}-{}", self.person.user, at.0, at.1);
        self.waiting.insert(at, Instant::now());
        self.person.unanswered.set(self.waiting.len());
        let command = command(room.key.clone(), deed.act, client_id);
        let request = Request::with_ref(format!("{} {}", at.0, at.1), command);
        say(&mut self.socket, &request).await
    }

    /// Asks for everything after the cursors, from as far back.
    pub async fn ask(&mut self, back: u64) -> Result<(), Over> {
        if self.asked.is_some() {
            self.ask_again = true;
            return Ok(());
        }
        self.ask_again = false;
        let tick = self.shared.book.now();
        let (mut rooms, mut asked) = (std::collections::BTreeMap::new(), Vec::new());
        for (number, place) in self.person.places.borrow().iter().enumerate() {
            let Some(room) = self.shared.book.rooms.get(number) else {
                continue;
            };
            let since = place.cursor.saturating_sub(back);
            rooms.insert(room.key.clone(), since);
            asked.push(number);
            self.see(number, Heard::Asked(since, tick));
        }
        self.asked = Some(asked);
        let epoch = Some(self.epoch.clone());
        let request = Request::with_ref(SYNC, Command::Sync(Sync { rooms, epoch }));
        say(&mut self.socket, &request).await
    }

    /// Notes what was heard of a room.
    pub fn see(&self, room: usize, heard: Heard) {
        if let Some(view) = self.views.get(room) {
            self.shared.book.hear(room, *view, heard);
        }
    }

    /// Changes what is known of a room.
    pub fn with_place(&self, room: usize, change: impl FnOnce(&mut Place)) {
        if let Some(place) = self.person.places.borrow_mut().get_mut(room) {
            change(place);
        }
    }

    /// Reads pages from here to the end.
    pub async fn read_on(&mut self, room: usize, since: u64) {
        let Some(known) = self.shared.book.rooms.get(room) else {
            return;
        };
        let asked = self.shared.book.now();
        if let Some(page) = self.identity.changes(&known.key, since).await {
            let last = page.iter().map(|message| message.seq).max().unwrap_or(0);
            self.see(
                room,
                Heard::Page(asked, page.iter().map(Shown::of).collect()),
            );
            self.with_place(room, |place| {
                if place.cursor >= since {
                    place.cursor = place.cursor.max(last);
                }
            });
        } else {
            self.ask_again = true;
        }
    }

    /// Whether there is anything to be read from outside.
    pub async fn look(&mut self, room: usize) {
        let Some(known) = self.shared.book.rooms.get(room) else {
            return;
        };
        let asked = self.shared.book.now();
        if let Some(page) = self.identity.latest(&known.key).await {
            self.see(
                room,
                Heard::Page(asked, page.iter().map(Shown::of).collect()),
            );
        }
    }
}

fn command(room: String, act: Act, client_id: String) -> Command {
    match act {
        Act::Post(content) => Command::Message(SendMessage {
            content,
            room: Some(room),
            client_id: Some(client_id),
            ..SendMessage::default()
        }),
        Act::Edit(id, content) => Command::Edit(Edit {
            room,
            id,
            content,
            if_seq: None,
        }),
        Act::Delete(id) => Command::Delete(Delete {
            room,
            id,
            if_seq: None,
        }),
        Act::Join => Command::Join(InRoom { room }),
        Act::Leave => Command::Leave(InRoom { room }),
        Act::Invite(user) => Command::Invite(OfUser {
            room,
            user: user.to_string(),
        }),
        Act::Kick(user) => Command::Kick(OfUser {
            room,
            user: user.to_string(),
        }),
        Act::React(id, emoji, on) => Command::React(React {
            room,
            id,
            emoji,
            on,
        }),
        Act::Pin(id, on) => Command::Pin(Pin { room, id, on }),
    }
}
