//! `idle`: the memory of a server that does nothing, and of each socket that says nothing.

use super::{
    Bench, Result, accounts,
    floor::Broadcaster,
    opening::{self, Greeting},
    progress::step,
    readers::Readers,
    report::{Row, Target, Unit},
    subject::Subject,
};

const USERS: usize = 500;
/// What the target is for.
const SOCKETS: usize = 10_000;
/// Long enough for every socket to have been pinged once.
const SETTLE: u32 = 30;

pub fn measure(bench: &mut Bench<'_>) -> Result<()> {
    let sockets = bench.options.sockets_or(SOCKETS);
    // A user may have 20 sockets.
    let users = USERS.max(sockets.div_ceil(20)).min(sockets);
    step(&format!("idle: {sockets} sockets of {users} users"));
    let folder = bench.folder()?;
    let server = Subject::get(bench.options, &folder, 4)?;
    server.wait_ready()?;
    let empty = server.rss()?;
    let row = Row::new(
        "idle: memory of the server, no socket",
        mega(empty),
        Unit::Megabytes,
    );
    bench.report.row(row.aim(Target::AtMost(40.0)));
    let accounts = accounts::make(server.addr, users)?;
    let readers = Readers::gather(bench.clock, 0)?;
    let greeting = Greeting::Chat(&accounts::tokens(&accounts));
    opening::open_all(&readers, server.addr, greeting, sockets, 0)?;
    step("  waiting until every socket has been pinged");
    std::thread::sleep(bench.options.time_or(SETTLE));
    let full = server.rss()?;
    let closed: u64 = readers.take()?.closed.values().sum();
    // The floor needs as many open files again.
    drop((readers, server));
    let floor = floor(bench, sockets)?;
    // All growth is put down to the sockets, that of the users' logins included.
    let each = full.saturating_sub(empty) as f64 / sockets as f64 / 1e3;
    let row = Row::new(
        format!("idle: memory per socket, {sockets} of {users} users"),
        each,
        Unit::Kilobytes,
    );
    bench.report.row(
        row.above(floor, "a bare epoll server")
            .aim(Target::AtMost(12.0)),
    );
    bench.report.row(Row::new(
        format!("idle: memory of the server, {sockets} sockets"),
        mega(full),
        Unit::Megabytes,
    ));
    if sockets < SOCKETS {
        bench.report.note(format!(
            "idle: the target is for {SOCKETS} sockets, these were {sockets}."
        ));
    }
    if closed > 0 {
        bench.report.note(format!(
            "idle: {closed} of {sockets} sockets were closed meanwhile."
        ));
    }
    Ok(())
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
