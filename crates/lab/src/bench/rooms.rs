//! `rooms`: many rooms instead of one, and sockets that are in several of them. A delivery should cost what it costs in one
//! large room.

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;
use serde_json::json;

use super::{
    Bench, Result, accounts,
    accounts::Account,
    broadcast::{self, Outcome},
    opening::{self, Greeting},
    progress::step,
    readers::Readers,
    report::{Row, Target, Unit},
    rest::Rest,
    senders::{Framing, Senders},
    subject::{Spent, Subject},
};

/// What the target is for.
const SOCKETS: usize = 2_000;
const ROOMS: usize = 100;
/// Rooms of a user.
const ROOMS_OF_EACH: usize = 5;
const SOCKETS_OF_EACH: usize = 2;
/// Deliveries a second to each socket.
const RATE: usize = 50;
/// The room that it is compared with: half as many sockets, each of which gets twice as many.
const ONE_ROOM_RATE: u32 = 100;
/// Rooms of a user who is in many, and sockets that hear them.
const MANY: usize = 300;
const HEARING: usize = 20;

/// Who is in which rooms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Plan {
    rooms: usize,
    members: usize,
}

impl Plan {
    fn for_sockets(sockets: usize) -> Self {
        let users = sockets / SOCKETS_OF_EACH;
        let rooms = ROOMS.min(users).max(ROOMS_OF_EACH);
        let members = (users / rooms).max(1) * ROOMS_OF_EACH;
        Self { rooms, members }
    }

    fn users(self) -> usize {
        self.rooms * self.members / ROOMS_OF_EACH
    }

    fn sockets(self) -> usize {
        self.users() * SOCKETS_OF_EACH
    }

    /// The rooms of a user. The user of a room's own number is in it.
    fn rooms_of(self, user: usize) -> impl Iterator<Item = usize> {
        let steps = ((self.rooms - 1) / (ROOMS_OF_EACH - 1)).max(1);
        let step = 1 + (user / self.rooms) % steps;
        (0..ROOMS_OF_EACH).map(move |at| (user + at * step) % self.rooms)
    }

    /// The members of each room, first the one who has its number.
    fn members(self) -> Vec<Vec<usize>> {
        let mut members = BTreeMap::<usize, Vec<usize>>::new();
        for user in 0..self.users() {
            for room in self.rooms_of(user) {
                members.entry(room).or_default().push(user);
            }
        }
        let first = |(room, users): (usize, Vec<usize>)| {
            let others = users.into_iter().filter(|user| *user != room);
            std::iter::once(room).chain(others).collect()
        };
        members.into_iter().map(first).collect()
    }
}

pub fn measure(bench: &mut Bench<'_>) -> Result<()> {
    let plan = Plan::for_sockets(bench.options.sockets_or(SOCKETS));
    let (sockets, receivers) = (plan.sockets(), plan.members * SOCKETS_OF_EACH);
    step(&format!(
        "rooms: {} rooms of {}, {sockets} sockets in {ROOMS_OF_EACH} of them each",
        plan.rooms, plan.members
    ));
    let one = one_room(bench, sockets / SOCKETS_OF_EACH)?;
    let folder = bench.folder()?;
    let server = Subject::get(bench.options, &folder, 4)?;
    let users = accounts::make(server.addr, plan.users())?;
    let keys = make(&server, &plan.members(), &users)?;
    let readers = Readers::gather(bench.clock, plan.rooms)?;
    let greeting = Greeting::Chat(&accounts::tokens(&users));
    let streams = opening::open_all(&readers, server.addr, greeting, sockets, plan.rooms)?;
    let mut senders = Senders::new(streams, Framing::Command, bench.clock).in_rooms(keys);
    let rate = u32::try_from(RATE * sockets / receivers).unwrap_or(1);
    let cpu = || server.cpu().map(Spent::total);
    let warm_up = (rate, Duration::from_secs(2));
    broadcast::run(&readers, &mut senders, warm_up, receivers, &cpu)?;
    let full = (rate, bench.options.time());
    let outcome = broadcast::run(&readers, &mut senders, full, receivers, &cpu)?;
    tell(bench, plan, rate, &outcome, &one);
    drop((readers, server));
    many_rooms_of_one(bench)
}

/// As many deliveries a second in one large room.
fn one_room(bench: &Bench<'_>, sockets: usize) -> Result<Outcome> {
    let rate = ONE_ROOM_RATE;
    step(&format!("  first {sockets} sockets in one room"));
    let folder = bench.folder()?;
    let server = Subject::get(bench.options, &folder, 4)?;
    let users = accounts::make(server.addr, sockets.div_ceil(SOCKETS_OF_EACH))?;
    let readers = Readers::gather(bench.clock, broadcast::SENDERS)?;
    let greeting = Greeting::Chat(&accounts::tokens(&users));
    let count = broadcast::SENDERS.min(sockets);
    let streams = opening::open_all(&readers, server.addr, greeting, sockets, count)?;
    let mut senders = Senders::new(streams, Framing::Command, bench.clock);
    let cpu = || server.cpu().map(Spent::total);
    let warm_up = (rate, Duration::from_secs(2));
    broadcast::run(&readers, &mut senders, warm_up, sockets, &cpu)?;
    let full = (rate, bench.options.time());
    broadcast::run(&readers, &mut senders, full, sockets, &cpu)
}

#[derive(Deserialize)]
struct Made {
    room: String,
}

/// Makes rooms of these users, of whom the first is the owner, and gives their keys.
///
/// # Errors
/// When the server refuses one.
pub fn make(server: &Subject, rooms: &[Vec<usize>], users: &[Account]) -> Result<Vec<String>> {
    let mut rest = Rest::new(server.addr);
    let mut keys = Vec::new();
    for (room, members) in rooms.iter().enumerate() {
        let mut accounts = members.iter().filter_map(|user| users.get(*user));
        let owner = accounts.next().map_or("", |account| &account.token);
        let names: Vec<&str> = accounts.map(|account| account.username.as_str()).collect();
        let name = format!(
            "bench-{room}-{}",
            users.first().map_or("", |one| &one.username)
        );
        let wanted = json!({"name": name, "kind": "private", "users": names});
        let made: Made = rest
            .post_as(owner, "/api/rooms", &wanted)?
            .json("a new room")?;
        keys.push(made.room);
    }
    Ok(keys)
}

/// One message a second in each room of a user who is in 300: the cost of many rooms to those who hear them all.
fn many_rooms_of_one(bench: &mut Bench<'_>) -> Result<()> {
    let (rooms, owners) = (MANY, broadcast::SENDERS);
    let what = format!("a user in {rooms} rooms with {HEARING} sockets, 1 msg/s in each");
    step(&format!("rooms: {what}"));
    let folder = bench.folder()?;
    let server = Subject::get(bench.options, &folder, 4)?;
    // The last one hears all rooms, and says nothing.
    let users = accounts::make(server.addr, owners + 1)?;
    let members: Vec<_> = (0..rooms).map(|room| vec![room % owners, owners]).collect();
    let keys = make(&server, &members, &users)?;
    let readers = Readers::gather(bench.clock, owners)?;
    let tokens = accounts::tokens(&users);
    let (speaking, hearing) = tokens.split_at(owners);
    let streams = opening::open_all(
        &readers,
        server.addr,
        Greeting::Chat(speaking),
        owners,
        owners,
    )?;
    let before = server.cpu()?.total();
    opening::open_all(&readers, server.addr, Greeting::Chat(hearing), HEARING, 0)?;
    let opened = server.cpu()?.total().saturating_sub(before);
    let mut senders = Senders::new(streams, Framing::Command, bench.clock).in_rooms(keys);
    let cpu = || server.cpu().map(Spent::total);
    let rate = u32::try_from(rooms).unwrap_or(1);
    let warm_up = (rate, Duration::from_secs(2));
    broadcast::run(&readers, &mut senders, warm_up, HEARING + 1, &cpu)?;
    let full = (rate, bench.options.time());
    let outcome = broadcast::run(&readers, &mut senders, full, HEARING + 1, &cpu)?;
    let report = &mut bench.report;
    report.row(outcome.arrived(&what));
    report.row(Row::new(
        format!("{what}: CPU per delivery"),
        outcome.micros_per_delivery(),
        Unit::Micros,
    ));
    report.row(Row::new(
        format!("{what}: CPU to open a socket"),
        opened.as_secs_f64() * 1e6 / HEARING as f64,
        Unit::Micros,
    ));
    for (name, share) in [("p50", 0.5), ("p99", 0.99)] {
        report.row(Row::new(
            format!("{what}: delivered within, {name}"),
            outcome.millis(share),
            Unit::Millis,
        ));
    }
    outcome.tell(&what, report);
    Ok(())
}

fn tell(bench: &mut Bench<'_>, plan: Plan, rate: u32, outcome: &Outcome, one: &Outcome) {
    let what = format!(
        "{} rooms of {}, {} sockets, {rate} msg/s",
        plan.rooms,
        plan.members,
        plan.sockets()
    );
    let report = &mut bench.report;
    report.row(outcome.arrived(&what));
    let floor = one.micros_per_delivery();
    let beside = "as many deliveries in one room";
    let row = Row::new(
        format!("{what}: CPU per delivery"),
        outcome.micros_per_delivery(),
        Unit::Micros,
    )
    .above(floor, beside);
    report.row(if plan == Plan::for_sockets(SOCKETS) {
        row.aim(Target::AtMost(1.3 * floor))
    } else {
        row
    });
    for (name, share) in [("p50", 0.5), ("p99", 0.99)] {
        let row = Row::new(
            format!("{what}: delivered within, {name}"),
            outcome.millis(share),
            Unit::Millis,
        );
        report.row(row.above(one.millis(share), beside));
    }
    outcome.tell(&what, report);
    one.tell(beside, report);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_rooms_are_of_one_size_and_each_has_its_sender() {
        for sockets in [10, 60, 400, SOCKETS] {
            let plan = Plan::for_sockets(sockets);
            let members = plan.members();
            assert_eq!(members.len(), plan.rooms);
            for (room, users) in members.iter().enumerate() {
                assert_eq!(users.len(), plan.members, "room {room} of {sockets}");
                assert_eq!(users.first(), Some(&room), "room {room} of {sockets}");
            }
            for user in 0..plan.users() {
                let rooms: std::collections::BTreeSet<_> = plan.rooms_of(user).collect();
                assert_eq!(rooms.len(), ROOMS_OF_EACH, "user {user} of {sockets}");
            }
        }
        let plan = Plan::for_sockets(SOCKETS);
        assert_eq!((plan.rooms, plan.members, plan.sockets()), (100, 50, 2_000));
    }
}
