//! What was done in the rooms, and what was told of them.

use std::{
    cell::{Cell, RefCell},
    fmt::{self, Write as _},
};

use serde::Serialize;

use crate::{
    protocol::code::Code,
    verify::check::rooms::{Act, Answer, Deed, Heard, Tick, User, View},
};

/// How many acts of each kind were acked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Done {
    /// Messages in other rooms than the one of all.
    pub posts: u64,
    /// Edits.
    pub edits: u64,
    /// Deletions.
    pub deletions: u64,
    /// Reactions, and reactions taken back.
    pub reactions: u64,
    /// Pins, and pins taken off.
    pub pins: u64,
    /// People who came in by themselves.
    pub joins: u64,
    /// People who went.
    pub leaves: u64,
    /// People who were brought in.
    pub invites: u64,
    /// People who were taken out.
    pub kicks: u64,
    /// Acts that were refused, as most of them should be.
    pub refusals: u64,
}

impl Done {
    fn count(&mut self, act: &Act) {
        *match act {
            Act::Post(_) => &mut self.posts,
            Act::Edit(..) => &mut self.edits,
            Act::Delete(_) => &mut self.deletions,
            Act::React(..) => &mut self.reactions,
            Act::Pin(..) => &mut self.pins,
            Act::Join => &mut self.joins,
            Act::Leave => &mut self.leaves,
            Act::Invite(_) => &mut self.invites,
            Act::Kick(_) => &mut self.kicks,
        } += 1;
    }

    /// Adds what was done elsewhere.
    pub fn add(&mut self, other: Self) {
        self.posts += other.posts;
        self.edits += other.edits;
        self.deletions += other.deletions;
        self.reactions += other.reactions;
        self.pins += other.pins;
        self.joins += other.joins;
        self.leaves += other.leaves;
        self.invites += other.invites;
        self.kicks += other.kicks;
        self.refusals += other.refusals;
    }

    /// Something of all that means something was done.
    #[must_use]
    pub fn is_of_every_kind(&self) -> bool {
        let needed = [
            self.posts,
            self.edits,
            self.deletions,
            self.reactions,
            self.kicks,
        ];
        needed.iter().all(|count| *count > 0)
    }
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        for (count, what) in [
            (self.posts, "messages"),
            (self.edits, "edits"),
            (self.deletions, "deletions"),
            (self.reactions, "reactions"),
            (self.pins, "pins"),
            (self.joins, "joins"),
            (self.leaves, "leaves"),
            (self.invites, "invites"),
        ] {
            let _written = write!(text, "{count} {what}, ");
        }
        write!(
            f,
            "{text}{} kicks acked, {} acts refused",
            self.kicks, self.refusals
        )
    }
}

/// A room of the company.
pub struct Room {
    /// What names it on the wire.
    pub key: String,
    /// What it is called.
    pub name: &'static str,
    /// Whoever wants may come in.
    pub is_public: bool,
    /// Who may take others out.
    pub owner: Option<User>,
    /// Who is in it from the beginning.
    pub founders: Vec<User>,
    /// All that was begun.
    pub deeds: RefCell<Vec<Deed>>,
    /// What each socket heard.
    pub views: RefCell<Vec<View>>,
    /// The greatest number in an ack.
    pub last_ack: Cell<u64>,
}

/// What was done and told in all rooms.
pub struct Book {
    /// The rooms.
    pub rooms: Vec<Room>,
    /// Acts that were acked and that stored something.
    pub acked: Cell<u64>,
    /// The same by their kind.
    pub done: Cell<Done>,
    tick: Cell<Tick>,
    count: Cell<u64>,
}

impl Book {
    /// An empty one.
    pub fn new(rooms: Vec<Room>) -> Self {
        Self {
            rooms,
            acked: Cell::new(0),
            done: Cell::default(),
            tick: Cell::new(0),
            count: Cell::new(0),
        }
    }

    /// The moment. Each is later than the one before.
    pub fn now(&self) -> Tick {
        self.tick.set(self.tick.get() + 1);
        self.tick.get()
    }

    /// A number that no one else gets.
    pub fn number(&self) -> u64 {
        self.count.set(self.count.get() + 1);
        self.count.get()
    }

    /// The room of this key.
    pub fn find(&self, key: &str) -> Option<usize> {
        self.rooms.iter().position(|room| room.key == key)
    }

    /// Begins an act: its place.
    pub fn begin(&self, room: usize, deed: Deed) -> usize {
        let Some(room) = self.rooms.get(room) else {
            return 0;
        };
        let mut deeds = room.deeds.borrow_mut();
        deeds.push(deed);
        deeds.len() - 1
    }

    /// The deed at this place.
    pub fn deed(&self, (room, place): (usize, usize)) -> Option<Deed> {
        self.rooms.get(room)?.deeds.borrow().get(place).cloned()
    }

    fn change(&self, (room, place): (usize, usize), change: impl FnOnce(&mut Deed)) {
        let room = self.rooms.get(room);
        let deeds = room.map(|room| room.deeds.borrow_mut());
        if let Some(mut deeds) = deeds
            && let Some(deed) = deeds.get_mut(place)
        {
            change(deed);
        }
    }

    /// An act was acked.
    pub fn ack(&self, at: (usize, usize), ack: Answer) {
        let mut done = self.done.get();
        self.change(at, |deed| {
            deed.ack = Some(ack);
            if !ack.is_repeat || deed.is_unknown {
                done.count(&deed.act);
            }
        });
        self.done.set(done);
        let is_new = u64::from(!ack.is_repeat);
        self.acked.set(self.acked.get() + is_new);
        if let Some(room) = self.rooms.get(at.0).filter(|_| !ack.is_repeat) {
            room.last_ack.set(room.last_ack.get().max(ack.seq));
        }
    }

    /// An act was refused, and that is the last word.
    pub fn refuse(&self, at: (usize, usize), code: Code) {
        self.change(at, |deed| deed.refusal = Some(code));
        let mut done = self.done.get();
        done.refusals += 1;
        self.done.set(done);
    }

    /// No one knows what became of an act.
    pub fn unknown(&self, at: (usize, usize)) {
        self.change(at, |deed| deed.is_unknown = true);
    }

    /// Begins a view of a room: its place.
    pub fn open(&self, room: usize, user: User, heard: Heard) -> usize {
        let Some(room) = self.rooms.get(room) else {
            return 0;
        };
        let mut views = room.views.borrow_mut();
        let heard = vec![heard];
        views.push(View { user, heard });
        views.len() - 1
    }

    /// Something was told on the socket of this view.
    pub fn hear(&self, room: usize, view: usize, heard: Heard) {
        let views = self.rooms.get(room).map(|room| room.views.borrow_mut());
        if let Some(mut views) = views
            && let Some(view) = views.get_mut(view)
        {
            view.heard.push(heard);
        }
    }

    /// The greatest number in an ack, of each room.
    pub fn last_acks(&self) -> Vec<u64> {
        self.rooms.iter().map(|room| room.last_ack.get()).collect()
    }
}
