//! What those of the company who stay set for themselves, over REST: how far they have read rooms and threads, drafts, what
//! they have saved and follow, their status. One thing after the other, each sent again until it is known what became of it.
//! And what those who come and go try to read of threads, of what they have saved, and of what they follow.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{Part, Shared, choice, setup::answer, socket::Conversation};
use crate::{
    protocol::{kept, message::Message, thread::Thread},
    raw::http::Response,
    verify::{
        check::{
            own::{self, Step},
            rooms::{Heard, Shown, User},
        },
        rng::Rng,
    },
};

/// Between two of these acts.
const BEAT: (u64, u64) = (250, 600);
/// How long an answer may take. The socket is not read meanwhile, and the server closes one that takes nothing for three seconds.
const ANSWERING: Duration = Duration::from_secs(2);
/// After an act, so many times as long as it took belongs to the socket.
const REST: u32 = 4;
/// Answers that say that nothing was stored by this attempt, and that another one may be.
const LATER: [u16; 3] = [401, 429, 503];
/// Most messages on a page.
const PAGE: usize = 200;

/// One thing that someone sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Thing {
    /// How far they have read a room, or a thread in it.
    Marker(usize, Option<u64>),
    /// What they have begun to write there.
    Draft(usize, Option<u64>),
    /// Whether a message is saved.
    Saved(usize, u64),
    /// Whether they follow a thread.
    Follows(usize, u64),
    /// What they say of themselves.
    Status,
}

impl Thing {
    fn describe(self, shared: &Shared, user: User) -> String {
        let place = |room: usize, thread: Option<u64>| {
            let name = shared.book.rooms.get(room).map_or("", |room| room.name);
            thread.map_or_else(
                || name.to_owned(),
                |thread| format!("thread {thread} of {name}"),
            )
        };
        match self {
            Self::Marker(room, thread) => {
                format!("how far user {user} has read {}", place(room, thread))
            }
            Self::Draft(room, thread) => {
                format!("the draft of user {user} in {}", place(room, thread))
            }
            Self::Saved(room, id) => {
                format!(
                    "whether user {user} has saved {id} of {}",
                    place(room, None)
                )
            }
            Self::Follows(room, thread) => {
                format!("whether user {user} follows {}", place(room, Some(thread)))
            }
            Self::Status => format!("the status of user {user}"),
        }
    }
}

/// What someone is setting.
struct Wish {
    thing: Thing,
    value: own::Value,
    method: &'static str,
    path: String,
    body: Option<Value>,
}

/// What someone has set, and is setting.
#[derive(Default)]
pub struct Desk {
    wish: RefCell<Option<Wish>>,
    registers: RefCell<HashMap<Thing, usize>>,
    /// What each is, as far as that is known.
    values: RefCell<HashMap<Thing, own::Value>>,
    /// Threads in which they have replied, and where their marker moves therefore.
    replied: RefCell<Vec<(usize, u64)>>,
    next: Cell<Option<Instant>>,
}

impl Desk {
    /// What is not done yet.
    pub fn load(&self) -> usize {
        usize::from(self.wish.borrow().is_some())
    }

    /// The place in the book of what happens to this.
    pub fn register(&self, shared: &Shared, user: User, thing: Thing) -> usize {
        let mut registers = self.registers.borrow_mut();
        let watch = || shared.book.watch(thing.describe(shared, user));
        *registers.entry(thing).or_insert_with(watch)
    }

    /// All that is watched.
    pub fn things(&self) -> Vec<Thing> {
        self.registers.borrow().keys().copied().collect()
    }

    /// Threads in which they have replied.
    pub fn replied(&self) -> Vec<(usize, u64)> {
        self.replied.borrow().clone()
    }

    /// They have replied in a thread.
    pub fn note_reply(&self, room: usize, thread: u64) {
        let mut replied = self.replied.borrow_mut();
        if !replied.contains(&(room, thread)) {
            replied.push((room, thread));
        }
    }

    /// It was told to be this.
    pub fn see(
        &self,
        shared: &Shared,
        user: User,
        (thing, road): (Thing, &'static str),
        value: own::Value,
    ) {
        let register = self.register(shared, user, thing);
        shared.book.set(register, Step::Seen(road, value.clone()));
        if self.wish.borrow().is_none() {
            self.values.borrow_mut().insert(thing, value);
        }
    }
}

/// In these threads someone does not reply, so that whether they follow them is up to what they say of that alone.
pub fn follows_by_hand(user: User, thread: u64) -> bool {
    (thread + user.unsigned_abs()).is_multiple_of(3)
}

/// The path of a room.
pub fn path_of(shared: &Shared, room: usize) -> String {
    let room = shared.book.rooms.get(room);
    format!("/api/rooms/{}", room.map_or("", |room| &room.key))
}

/// The query that names a thread.
pub fn of_thread(thread: Option<u64>) -> String {
    thread.map_or_else(String::new, |thread| format!("?thread={thread}"))
}

impl Conversation<'_> {
    /// Does the next of these acts, when its time has come.
    pub async fn tend(&mut self, rng: &mut Rng) {
        let desk = &self.person.desk;
        let now = Instant::now();
        if desk.next.get().is_some_and(|next| now < next) {
            return;
        }
        self.act(rng).await;
        let pause = rng.millis(BEAT.0, BEAT.1).max(now.elapsed() * REST);
        desk.next.set(Some(Instant::now() + pause));
    }

    async fn act(&mut self, rng: &mut Rng) {
        let desk = &self.person.desk;
        if self.person.part == Part::Guest {
            if rng.once_in(4) {
                self.pry(rng).await;
            }
            return;
        }
        if desk.wish.borrow().is_none() && self.shared.is_offering.get() {
            let wish = self.choose(rng);
            if let Some(wish) = wish {
                let register = desk.register(self.shared, self.person.user, wish.thing);
                let begun = Step::Begun(wish.value.clone());
                self.shared.book.set(register, begun);
                *desk.wish.borrow_mut() = Some(wish);
            }
        }
        self.grant().await;
    }

    /// Sends what is wished for, and notes what came of it.
    async fn grant(&self) {
        let desk = &self.person.desk;
        let Some((method, path, body, thing)) = desk.wish.borrow().as_ref().map(|wish| {
            let Wish {
                method,
                path,
                body,
                thing,
                ..
            } = wish;
            (*method, path.clone(), body.clone(), *thing)
        }) else {
            return;
        };
        let answer = self.ask_for(method, &path, body).await;
        let register = desk.register(self.shared, self.person.user, thing);
        let book = &self.shared.book;
        match answer {
            Some(answer) if (200..300).contains(&answer.status) => {
                book.set(register, Step::Acked);
                let wish = desk.wish.borrow_mut().take();
                if let Some(wish) = wish {
                    desk.values.borrow_mut().insert(thing, wish.value);
                }
                book.count_done(|done| match thing {
                    Thing::Marker(..) => done.marks += 1,
                    Thing::Draft(..) => done.drafts += 1,
                    Thing::Saved(..) | Thing::Follows(..) | Thing::Status => done.settings += 1,
                });
                if let (Thing::Marker(..), Some(seq)) = (thing, seq_of(&answer)) {
                    let road = (thing, "the answer to a mark");
                    desk.see(self.shared, self.person.user, road, Some(seq));
                }
            }
            Some(answer) if LATER.contains(&answer.status) => {}
            Some(answer) if (400..500).contains(&answer.status) => {
                book.set(register, Step::Refused);
                desk.wish.borrow_mut().take();
            }
            _ => book.set(register, Step::Unknown),
        }
    }

    async fn ask_for(
        &self,
        method: &'static str,
        path: &str,
        body: Option<Value>,
    ) -> Option<Response> {
        let http = self.identity.http(self.shared.addr);
        let asked = tokio::time::timeout(ANSWERING, answer(http, method, path, body));
        asked.await.ok()?.ok()
    }

    fn choose(&self, rng: &mut Rng) -> Option<Wish> {
        let room = choice::inside(self.person, rng)?;
        match rng.below(12) {
            0..4 => self.mark(room, None, rng),
            4..6 => {
                let replied = self.person.desk.replied();
                let (room, thread) = replied.get(rng.below(replied.len())).copied()?;
                self.mark(room, Some(thread), rng)
            }
            6..9 => {
                let thread = self.pick_thread(room, rng).filter(|_| rng.once_in(3));
                Some(self.draft(room, thread, rng))
            }
            9 => {
                let places = self.person.places.borrow();
                let recent = &places.get(room)?.recent;
                let id = *recent.get(rng.below(recent.len()))?;
                let path = self.shared.book.rooms.get(room)?.key.clone();
                Some(self.switch(Thing::Saved(room, id), format!("/api/saved/{path}/{id}")))
            }
            10 => {
                let thread = self.pick_thread(room, rng)?;
                let path = format!("{}/messages/{thread}/follow", path_of(self.shared, room));
                follows_by_hand(self.person.user, thread)
                    .then(|| self.switch(Thing::Follows(room, thread), path))
            }
            _ => {
                let text = format!("busy with {}", self.shared.book.number());
                Some(Wish {
                    thing: Thing::Status,
                    value: Some(text.clone()),
                    method: "PUT",
                    path: "/api/users/me/status".into(),
                    body: Some(json!({ "text": text })),
                })
            }
        }
    }

    fn pick_thread(&self, room: usize, rng: &mut Rng) -> Option<u64> {
        let threads = self.shared.book.rooms.get(room)?.threads.borrow();
        // The latest of them are those in which something happens.
        let from = threads.len().saturating_sub(8);
        let place = from + rng.below(threads.len() - from);
        threads.iter().nth(place).copied()
    }

    /// On and off in turn.
    fn switch(&self, thing: Thing, path: String) -> Wish {
        let values = self.person.desk.values.borrow();
        let is_on = values.get(&thing).is_some_and(Option::is_some);
        Wish {
            thing,
            value: (!is_on).then(|| "on".to_owned()),
            method: if is_on { "DELETE" } else { "PUT" },
            path,
            body: None,
        }
    }

    /// Forward as a rule, sometimes to where the marker has been already; now and then back on purpose.
    fn mark(&self, room: usize, thread: Option<u64>, rng: &mut Rng) -> Option<Wish> {
        let cursor = self.person.places.borrow().get(room)?.cursor;
        let thing = Thing::Marker(room, thread);
        let known = self.person.desk.values.borrow().get(&thing).cloned();
        let known: Option<u64> = known.flatten().and_then(|seq| seq.parse().ok());
        let seq = cursor.saturating_sub(rng.next() % 40).max(1);
        let is_back = known.is_none() || rng.once_in(5);
        let value = if is_back {
            seq - 1
        } else {
            seq.max(known.unwrap_or(0))
        };
        let mut body = json!({ "seq": seq, "unread": is_back });
        if let Some(thread) = thread {
            body["thread"] = thread.into();
        }
        Some(Wish {
            thing,
            value: Some(value.to_string()),
            method: "PUT",
            path: format!("{}/read", path_of(self.shared, room)),
            body: Some(body),
        })
    }

    fn draft(&self, room: usize, thread: Option<u64>, rng: &mut Rng) -> Wish {
        let path = format!("{}/draft{}", path_of(self.shared, room), of_thread(thread));
        let text = (!rng.once_in(4)).then(|| choice::text(self.shared, room, rng));
        Wish {
            thing: Thing::Draft(room, thread),
            method: if text.is_some() { "PUT" } else { "DELETE" },
            body: text.as_ref().map(|text| json!({ "content": text })),
            value: text,
            path,
        }
    }

    /// Tries to read threads of rooms, also from outside, what was saved in them, and what is followed there. Saves
    /// something where that may be done.
    pub async fn pry(&mut self, rng: &mut Rng) {
        if let Some(room) = choice::inside(self.person, rng) {
            let recent = self.person.places.borrow().get(room).and_then(|place| {
                let recent = &place.recent;
                recent.get(rng.below(recent.len())).copied()
            });
            let key = self.shared.book.rooms.get(room).map(|room| &room.key);
            if let (Some(id), Some(key)) = (recent, key) {
                self.ask_for("PUT", &format!("/api/saved/{key}/{id}"), None)
                    .await;
            }
        }
        let user = self.person.user;
        let views = self.views.clone();
        let shared = self.shared;
        let ask = async |path: String| {
            let answer = self.ask_for("GET", &path, None).await?;
            (answer.status == 200).then_some(answer.body)
        };
        spy(shared, (user, &views), rng, ask).await;
    }
}

/// Asks for what is told of threads and of saved messages, and notes it.
pub async fn spy(
    shared: &Shared,
    (user, views): (User, &[usize]),
    rng: &mut Rng,
    ask: impl AsyncFn(String) -> Option<Vec<u8>>,
) {
    let rooms = &shared.book.rooms;
    let outside = || -> Vec<Option<u64>> {
        let rooms = rooms.iter();
        rooms.map(|room| room.is_surely_without(user)).collect()
    };
    let (before, asked) = (outside(), shared.book.now());
    let room = rng.below(rooms.len());
    let thread = rooms.get(room).and_then(|room| {
        let threads = room.threads.borrow();
        threads.iter().nth(rng.below(threads.len())).copied()
    });
    let (road, messages) = match (rng.below(3), thread) {
        (0, Some(thread)) => {
            let path = path_of(shared, room);
            let path = format!("{path}/messages?thread={thread}&limit={PAGE}");
            let page = ask(path).await;
            ("reads in a page of a thread", read::<Vec<Message>>(page))
        }
        (1, _) => {
            let page = ask(format!("/api/threads?limit={PAGE}")).await;
            let threads = read::<Vec<Thread>>(page);
            let firsts = threads.map(|all| all.into_iter().map(|one| one.message).collect());
            ("reads in the list of threads", firsts)
        }
        _ => {
            let page = ask(format!("/api/saved?limit={PAGE}")).await;
            let saved = read::<Vec<kept::Saved>>(page);
            let messages = saved.map(|all| all.into_iter().map(|one| one.message).collect());
            ("reads among what was saved", messages)
        }
    };
    let after = outside();
    for (number, room) in rooms.iter().enumerate() {
        let of_room = messages.iter().flatten();
        let of_room: Vec<Shown> = of_room
            .filter(|message| message.room == room.key)
            .inspect(|message| room.learn(message))
            .map(Shown::of)
            .collect();
        let Some(view) = views.get(number).filter(|_| !of_room.is_empty()) else {
            continue;
        };
        let was_out = before.get(number).copied().flatten();
        let heard = if was_out.is_some() && after.get(number).copied().flatten() == was_out {
            Heard::Outside(road, of_room)
        } else {
            Heard::Part(road, asked, of_room)
        };
        shared.book.hear(number, *view, heard);
    }
}

fn read<T: for<'de> serde::Deserialize<'de>>(body: Option<Vec<u8>>) -> Option<T> {
    serde_json::from_slice(&body?).ok()
}

fn seq_of(answer: &Response) -> Option<String> {
    let body: Value = serde_json::from_slice(&answer.body).ok()?;
    body["seq"].as_u64().map(|seq| seq.to_string())
}
