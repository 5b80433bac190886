//! `reconnect`: a great many sockets are cut at once, as when a proxy is restarted. Everyone comes back as our own
//! clients do, with the token that they have and `sync`; those who were not cut must not notice.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use super::{
    Bench, Result, Trouble, accounts,
    accounts::Account,
    broadcast::SENDERS,
    floor::Broadcaster,
    history,
    noise::Watch,
    opening::{self, Greeting},
    progress::step,
    readers::{Readers, Tally},
    report::{Row, Target, Unit},
    rest::Rest,
    senders::{Framing, Senders, Sent},
    storm::{Goal, Outcome, Storm},
    subject::{Spent, Subject},
};

/// What the target is for.
const SOCKETS: usize = 10_000;
/// As many as a user may have.
const SOCKETS_PER_USER: usize = 20;
/// Messages a second of those who were not cut, together. Everyone is in one room, so this makes 50,000 deliveries a
/// second: a quarter of what a machine of two cores can do at all.
const RATE: u32 = 5;
/// An ack that comes later counts as none.
const ACK_LIMIT: Duration = Duration::from_secs(3);
/// Who is not back by then is given up.
const TIMEOUT: Duration = Duration::from_mins(2);

/// What was seen of those who were not cut.
struct Others {
    sent: Sent,
    tally: Tally,
}

pub fn measure(bench: &mut Bench<'_>) -> Result<()> {
    let sockets = bench.options.sockets_or(SOCKETS);
    let users = sockets.div_ceil(SOCKETS_PER_USER);
    step(&format!(
        "reconnect: {sockets} sockets of {users} users are cut at once, {SENDERS} others go on sending"
    ));
    let folder = bench.folder()?;
    let server = Subject::get(bench.options, &folder, 4)?;
    let cut = accounts::make(server.addr, users)?;
    let spared = accounts::make(server.addr, SENDERS)?;
    let readers = Readers::gather(bench.clock, 0)?;
    let greeting = Greeting::Chat(&accounts::tokens(&spared));
    let streams = opening::open_all(&readers, server.addr, greeting, SENDERS, SENDERS)?;
    let tokens = accounts::tokens(&cut);
    opening::open_all(&readers, server.addr, Greeting::Chat(&tokens), sockets, 0)?;
    let mut senders = Senders::new(streams, Framing::AckedCommand, bench.clock);

    let calm = bench.options.time();
    readers.take()?;
    let before = send_until_acked(&readers, || senders.send(RATE, calm))?;
    let since = history::newest(&server, tokens.first().map_or("", String::as_str))?;
    let goal = Goal::Synced {
        tokens: &tokens,
        since,
    };
    let mut storm = Storm::gather(server.addr, goal, sockets)?;
    let hashed = server.password_work();
    let spent = server.cpu()?;
    let watch = Watch::begin(spent.total())?;
    let over = AtomicBool::new(false);
    readers.cut_last(sockets)?;
    let (during, returned) = std::thread::scope(|scope| {
        let returning = scope.spawn(|| {
            let outcome = storm.come_back(TIMEOUT);
            let spent = server.cpu();
            over.store(true, Ordering::Relaxed);
            outcome.and_then(|outcome| Ok((outcome, spent?)))
        });
        let during = send_until_acked(&readers, || {
            senders.send_while(RATE, |_| !over.load(Ordering::Relaxed))
        });
        let returned = returning
            .join()
            .unwrap_or_else(|_| Err(Trouble("A thread of the bench has failed.".into())));
        (during, returned)
    });
    let (during, (outcome, now)) = (during?, returned?);
    let others = watch.others(server.cpu()?.total())?;
    let hashed = hashing(&server, hashed, &cut)?;
    drop(storm);
    let floor = floor(sockets)?;
    let what = format!("reconnect, {sockets} sockets");
    bench.report.noise.others(&what, others);
    tell_return(bench, (&what, sockets), &outcome, now.since(spent), &floor);
    tell_others(bench, &what, &before, &during);
    tell_hashing(bench, &what, hashed);
    Ok(())
}

/// Lets the senders send, and waits until everything is acked or will be too late.
fn send_until_acked(readers: &Readers, speak: impl FnOnce() -> Result<Sent>) -> Result<Others> {
    let acks = || readers.live.acks.load(Ordering::Relaxed);
    let before = acks();
    let sent = speak()?;
    let deadline = Instant::now() + ACK_LIMIT;
    while acks() - before < sent.count && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
    }
    let tally = readers.take()?;
    Ok(Others { sent, tally })
}

/// How often a password was worked on since `before`. A login at the end shows that it would have been seen.
fn hashing(server: &Subject, before: Option<u64>, users: &[Account]) -> Result<Option<u64>> {
    let (Some(before), Some(after), Some(user)) = (before, server.password_work(), users.first())
    else {
        return Ok(None);
    };
    accounts::log_in(&mut Rest::new(server.addr), user.username.clone())?;
    let is_seen = server.password_work().is_some_and(|now| now > after);
    Ok(is_seen.then(|| after.saturating_sub(before)))
}

/// The same clients at a server that only accepts, answers the request, and has nothing to tell.
fn floor(sockets: usize) -> Result<(Outcome, Duration)> {
    step("  the same at the bare epoll server");
    let broadcaster = Broadcaster::start_with_upgrades()?;
    let mut storm = Storm::gather(broadcaster.addr, Goal::Upgraded, sockets)?;
    let before = broadcaster.cpu()?;
    let outcome = storm.come_back(TIMEOUT)?;
    Ok((outcome, broadcaster.cpu()?.saturating_sub(before)))
}

fn tell_return(
    bench: &mut Bench<'_>,
    (what, sockets): (&str, usize),
    outcome: &Outcome,
    spent: Spent,
    (bare, bare_cpu): &(Outcome, Duration),
) {
    let report = &mut bench.report;
    let share = |back: usize| back as f64 / sockets as f64 * 100.0;
    report.row(
        Row::new(
            format!("{what}: back and synced"),
            share(outcome.back),
            Unit::Percent,
        )
        .aim(Target::AtLeast(100.0)),
    );
    report.row(
        Row::new(
            format!("{what}: until the last is back"),
            outcome.took.as_secs_f64(),
            Unit::Seconds,
        )
        .above(
            bare.took.as_secs_f64(),
            "connect and upgrade at a bare epoll server",
        )
        .aim(Target::AtMost(5.0)),
    );
    let each = |cpu: Duration| cpu.as_secs_f64() * 1e6 / sockets as f64;
    report.row(
        Row::new(
            format!("{what}: CPU for each that came back"),
            each(spent.total()),
            Unit::Micros,
        )
        .above(
            each(*bare_cpu),
            "connect and upgrade at a bare epoll server",
        )
        .aim(Target::AtMost(550.0)),
    );
    let Outcome {
        tries,
        told_to_wait,
        failed,
        incomplete,
        lags,
        refusal,
        ..
    } = outcome;
    let first = refusal
        .as_ref()
        .map_or_else(String::new, |words| format!(" The first refusal: {words}"));
    report.note(format!(
        "{what}: {tries} connections were opened; {told_to_wait} were told to come later (429 or 503), {failed} broke off or were refused; {incomplete} had missed more than one answer holds; {lags} times `lag` was told.{first}"
    ));
    if sockets < SOCKETS {
        report.note(format!(
            "reconnect: the targets are for {SOCKETS} sockets, these were {sockets}."
        ));
    }
}

fn tell_others(bench: &mut Bench<'_>, what: &str, before: &Others, during: &Others) {
    let report = &mut bench.report;
    let in_time = |others: &Others| {
        others.tally.ack.within(ACK_LIMIT) as f64 / others.sent.count.max(1) as f64 * 100.0
    };
    let millis = |others: &Others| others.tally.ack.quantile(0.99).as_secs_f64() * 1e3;
    report.row(
        Row::new(
            format!(
                "{what}: the others' sends acked within {} s",
                ACK_LIMIT.as_secs()
            ),
            in_time(during),
            Unit::Percent,
        )
        .above(in_time(before), "the same before the cut")
        .aim(Target::AtLeast(99.0)),
    );
    report.row(
        Row::new(
            format!("{what}: the others' acks, p99"),
            millis(during),
            Unit::Millis,
        )
        .above(millis(before), "the same before the cut"),
    );
    let Tally {
        refused,
        refusal,
        closed,
        ..
    } = &during.tally;
    if let (1.., Some(refusal)) = (*refused, refusal) {
        report.note(format!(
            "{what}: {refused} of the others' {} messages were refused, the first with {refusal}",
            during.sent.count
        ));
    }
    for (code, count) in closed {
        report.note(format!(
            "{what}: {count} of the others' sockets were closed (code {code})."
        ));
    }
    report.noise.late(what, during.sent.late.quantile(0.99));
}

fn tell_hashing(bench: &mut Bench<'_>, what: &str, hashed: Option<u64>) {
    match hashed {
        Some(times) => bench.report.row(
            Row::new(
                format!("{what}: password threads woken"),
                times as f64,
                Unit::Count,
            )
            .above(0.0, "nobody logs in")
            .aim(Target::AtMost(0.0)),
        ),
        None => bench.report.note(format!(
            "{what}: whether passwords were hashed cannot be seen: the server's threads are not visible from here."
        )),
    }
}
