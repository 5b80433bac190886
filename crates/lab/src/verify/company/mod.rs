//! The company: people who do in rooms what can be done there. They write, edit, delete, react and pin, each on one socket
//! in several rooms, while the keeper of two of the rooms takes guests out and brings them back, and guests come and go by
//! themselves. All that is done to a room, and all that is told of it, is kept for the judge.
//!
//! Each act is sent again until it is known what became of it, in the same words.

mod book;
mod choice;
mod end;
mod hearing;
mod setup;
mod socket;
mod visits;

use std::{
    cell::{Cell, RefCell},
    collections::{HashMap, HashSet, VecDeque},
    net::SocketAddr,
    rc::Rc,
};

use tokio::task::{JoinHandle, spawn_local};

pub use self::book::{Book, Done};
use super::{
    Result,
    check::rooms::{RoomEvidence, User},
    crowd::{Identity, Record, enter},
    rng::Rng,
};

/// Who is in the rooms from the beginning and stays; the first keeps them.
const RESIDENTS: [&str; 3] = ["keeper", "ann", "ben"];
/// Who comes and goes, on a socket.
const GUESTS: [&str; 2] = ["guest-0", "guest-1"];
/// Who comes and goes, and reads pages only.
const PAGER: &str = "pager";
/// Acts that a person has under way or waiting at a time, at most.
const WINDOW: usize = 8;

/// What a person does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Stays, and takes others out and in.
    Keeper,
    /// Stays.
    Resident,
    /// Comes and goes.
    Guest,
}

/// One of the company, as the others see it.
struct Person {
    user: User,
    part: Part,
    /// Acts that are to be sent, by room and place in its book: new ones at the end, those to be sent again at the front.
    queue: RefCell<VecDeque<(usize, usize)>>,
    unanswered: Cell<usize>,
    acked: Cell<u64>,
    /// In the order of the rooms.
    places: RefCell<Vec<Place>>,
    /// What an act is under way about.
    busy: RefCell<HashSet<(usize, Target)>>,
}

impl Person {
    /// Acts that are not done yet.
    fn load(&self) -> usize {
        self.unanswered.get() + self.queue.borrow().len()
    }
}

/// What two acts of one person must not be about at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Target {
    Message(u64),
    Member(User),
}

/// Where a person is in a room.
#[derive(Default)]
struct Place {
    is_inside: bool,
    /// Everything up to here is known.
    cursor: u64,
    /// Where the live stream is.
    at: u64,
    /// The greatest number that was told while an answer was waited for.
    high: u64,
    /// Own messages that are there.
    own: VecDeque<u64>,
    /// Messages that are there, of anyone.
    recent: VecDeque<u64>,
    /// What was last done to a message: a reaction or a pin.
    marks: HashMap<(u64, &'static str), bool>,
    /// Who is here, as far as is known.
    present: HashSet<User>,
}

/// Enough messages to choose among.
const KNOWN: usize = 30;

impl Place {
    fn remember(list: &mut VecDeque<u64>, id: u64) {
        list.push_back(id);
        if list.len() > KNOWN {
            list.pop_front();
        }
    }

    fn forget(&mut self, id: u64) {
        self.own.retain(|known| *known != id);
        self.recent.retain(|known| *known != id);
    }
}

/// What all of the company share.
struct Shared {
    book: Book,
    /// Of all the crowd.
    record: Rc<Record>,
    phase: String,
    is_offering: Cell<bool>,
    guests: Vec<User>,
}

/// The company, at work as long as this value lives.
pub struct Company {
    shared: Rc<Shared>,
    people: Vec<Rc<Person>>,
    tasks: Vec<JoinHandle<()>>,
    ends: setup::Ends,
}

impl Drop for Company {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Where everyone was at some moment.
pub struct Mark {
    acked: Vec<u64>,
    last: Vec<u64>,
}

impl Company {
    /// Registers people at `direct`, makes the rooms, and sets the people to work through `addr`.
    ///
    /// # Errors
    /// When someone cannot be registered, or a room not be made.
    pub async fn gather(
        direct: SocketAddr,
        addr: SocketAddr,
        (phase, seed): (&str, u64),
        record: Rc<Record>,
    ) -> Result<Self> {
        let mut identities = Vec::new();
        for name in RESIDENTS.iter().chain(&GUESTS).chain([&PAGER]) {
            identities.push(enter(direct, addr, name).await?);
        }
        let users: Vec<User> = identities.iter().map(Identity::user).collect();
        let rooms = setup::make_rooms(direct, &identities).await?;
        let shared = Rc::new(Shared {
            book: Book::new(rooms),
            record,
            phase: phase.to_owned(),
            is_offering: Cell::new(false),
            guests: users.iter().skip(RESIDENTS.len()).copied().collect(),
        });
        let ends = setup::Ends::new(&identities);
        let mut company = Self {
            shared: Rc::clone(&shared),
            people: Vec::new(),
            tasks: Vec::new(),
            ends,
        };
        for (number, identity) in identities.into_iter().enumerate() {
            let rng = Rng::new(seed, &format!("{phase} company {number}"));
            let shared = Rc::clone(&shared);
            if number == RESIDENTS.len() + GUESTS.len() {
                let task = visits::read(shared, identity, rng);
                company.tasks.push(spawn_local(task));
                continue;
            }
            let person = Rc::new(person(number, identity.user(), shared.book.rooms.len()));
            company.people.push(Rc::clone(&person));
            let task = socket::live(shared, person, identity, rng);
            company.tasks.push(spawn_local(task));
        }
        Ok(company)
    }

    /// What was done so far.
    pub fn book(&self) -> &Book {
        &self.shared.book
    }

    /// Begins or ends the doing.
    pub fn offer(&self, on: bool) {
        self.shared.is_offering.set(on);
    }

    /// Ends their work.
    pub fn stop(&self) {
        for task in &self.tasks {
            task.abort();
        }
    }

    /// Where everyone is now.
    pub fn mark(&self) -> Mark {
        let acked = self.people.iter().map(|person| person.acked.get());
        Mark {
            acked: acked.collect(),
            last: self.shared.book.last_acks(),
        }
    }

    /// Everyone has had an ack since, and has all that had been acked in their rooms by then.
    pub fn has_recovered(&self, mark: &Mark) -> bool {
        let people = self.people.iter().zip(&mark.acked);
        people
            .clone()
            .all(|(person, acked)| person.acked.get() > *acked)
            && self.count_behind(&mark.last) == 0
    }

    /// All that was begun is done.
    pub fn has_drained(&self) -> bool {
        self.people.iter().all(|person| person.load() == 0)
    }

    /// How many do not have all that was acked.
    pub fn left_behind(&self) -> u64 {
        self.count_behind(&self.shared.book.last_acks())
    }

    fn count_behind(&self, last: &[u64]) -> u64 {
        let is_behind = |person: &&Rc<Person>| {
            let places = person.places.borrow();
            let mut places = places.iter().zip(last);
            places.any(|(place, last)| place.is_inside && place.cursor < *last)
        };
        self.people.iter().filter(is_behind).count() as u64
    }

    /// All that is known of the rooms. Nobody may be at work any more.
    ///
    /// # Errors
    /// When the server does not let those read who may.
    pub async fn evidence(&self, direct: SocketAddr) -> Result<Vec<RoomEvidence>> {
        end::collect(&self.shared.book, &self.ends, direct).await
    }
}

fn person(number: usize, user: User, rooms: usize) -> Person {
    let part = match number {
        0 => Part::Keeper,
        _ if number < RESIDENTS.len() => Part::Resident,
        _ => Part::Guest,
    };
    Person {
        user,
        part,
        queue: RefCell::default(),
        unanswered: Cell::new(0),
        acked: Cell::new(0),
        places: RefCell::new((0..rooms).map(|_| Place::default()).collect()),
        busy: RefCell::default(),
    }
}
