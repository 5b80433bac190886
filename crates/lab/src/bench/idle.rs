//! `idle`: the memory of a server that does nothing, and of each socket that says nothing.

use super::{
    Bench, Result, accounts,
    floor::Broadcaster,
    opening::{self, Greeting},
    progress::step,
    readers::Readers,
    report::{Row, Target, Unit},
    rooms,
    subject::Subject,
};

const USERS: usize = 500;
/// What the target is for.
const SOCKETS: usize = 10_000;
/// Long enough for every socket to have been pinged once.
const SETTLE: u32 = 30;

/// Rooms of each user in the second run, `general` among them, and the members of each.
const ROOMS: usize = 10;
const MEMBERS: usize = 50;

pub fn measure(bench: &mut Bench<'_>) -> Result<()> {
    let sockets = bench.options.sockets_or(SOCKETS);
    let floor = floor(bench, sockets)?;
    for rooms in [1, ROOMS] {
        run(bench, sockets, rooms, floor)?;
    }
    if sockets < SOCKETS {
        bench.report.note(format!(
            "idle: the target is for {SOCKETS} sockets, these were {sockets}."
        ));
    }
    Ok(())
}

fn run(bench: &mut Bench<'_>, sockets: usize, rooms: usize, floor: f64) -> Result<()> {
    // A user may have 20 sockets.
    let users = USERS.max(sockets.div_ceil(20)).min(sockets);
    let of_whom = if rooms > 1 {
        format!("{sockets} of {users} users, each in {rooms} rooms")
    } else {
        format!("{sockets} of {users} users")
    };
    step(&format!("idle: sockets, {of_whom}"));
    let folder = bench.folder()?;
    let server = Subject::get(bench.options, &folder, 4)?;
    server.wait_ready()?;
    let empty = server.rss()?;
    if rooms == 1 {
        let row = Row::new(
            "idle: memory of the server, no socket",
            mega(empty),
            Unit::Megabytes,
        );
        bench.report.row(row.aim(Target::AtMost(24.0)));
    }
    let accounts = accounts::make(server.addr, users)?;
    rooms::make(&server, &members(users, rooms - 1), &accounts)?;
    let readers = Readers::gather(bench.clock, 0)?;
    let greeting = Greeting::Chat(&accounts::tokens(&accounts));
    opening::open_all(&readers, server.addr, greeting, sockets, 0)?;
    step("  waiting until every socket has been pinged");
    std::thread::sleep(bench.options.time_or(SETTLE));
    let full = server.rss()?;
    let closed: u64 = readers.take()?.closed.values().sum();
    // All growth is put down to the sockets, that of the users' logins and rooms included.
    let each = full.saturating_sub(empty) as f64 / sockets as f64 / 1e3;
    let row = Row::new(
        format!("idle: memory per socket, {of_whom}"),
        each,
        Unit::Kilobytes,
    );
    let aim = if rooms > 1 { 9.0 } else { 8.0 };
    bench.report.row(
        row.above(floor, "a bare epoll server")
            .aim(Target::AtMost(aim)),
    );
    bench.report.row(Row::new(
        format!("idle: memory of the server, {of_whom}"),
        mega(full),
        Unit::Megabytes,
    ));
    if closed > 0 {
        bench.report.note(format!(
            "idle: {closed} of {sockets} sockets were closed meanwhile."
        ));
    }
    Ok(())
}

/// Rooms of about [`MEMBERS`], so that each user is in `rooms` of them, with others in each.
fn members(users: usize, rooms: usize) -> Vec<Vec<usize>> {
    let blocks = users.div_ceil(MEMBERS).max(1);
    let mut all = Vec::new();
    for round in 0..rooms {
        let mut of_round = vec![Vec::new(); blocks];
        for user in 0..users {
            let block = (user + user / blocks * round) % blocks;
            if let Some(room) = of_round.get_mut(block) {
                room.push(user);
            }
        }
        all.extend(of_round.into_iter().filter(|room| !room.is_empty()));
    }
    all
}

fn mega(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

fn floor(bench: &Bench<'_>, sockets: usize) -> Result<f64> {
    let broadcaster = Broadcaster::start(256)?;
    let empty = broadcaster.rss()?;
    let readers = Readers::gather(bench.clock, 0)?;
    opening::open_all(&readers, broadcaster.addr, Greeting::Bare, sockets, 0)?;
    let full = broadcaster.rss()?;
    Ok(full.saturating_sub(empty) as f64 / sockets as f64 / 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_user_is_in_as_many_rooms_as_asked_for() {
        for users in [10, 77, USERS] {
            let rooms = members(users, ROOMS - 1);
            for user in 0..users {
                let own = rooms.iter().filter(|room| room.contains(&user)).count();
                assert_eq!(own, ROOMS - 1, "user {user} of {users}");
            }
        }
        assert!(members(USERS, 9).iter().all(|room| room.len() == MEMBERS));
    }
}
