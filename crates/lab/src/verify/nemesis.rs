//! The nemesis: does one thing to the server, its database or its lines, undoes it, and waits until everyone is as
//! well as before.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::{
    Result, Trouble,
    crowd::{Crowd, Mark},
    fault::Fault,
    rng::Rng,
};
use crate::rig::{
    clock::Clock,
    disk::Disk,
    postgres::{Postgres, Stop},
    proxy::{Cut, Proxy, Way},
    server::Server,
    visitor::{Visit, Visitor},
};

/// How long the crowd may take to be as well as before.
const RECOVERY: Duration = Duration::from_secs(30);
/// What SIGTERM may take.
const POLITE: Duration = Duration::from_secs(15);
/// How long a full disk may take to be noticed.
const BITE: Duration = Duration::from_secs(15);
/// How long a cut may wait for its byte.
const FIRE: Duration = Duration::from_secs(2);
/// When nothing was acked for so long, whatever was on its way has arrived.
const ARRIVED: Duration = Duration::from_secs(1);
/// How long a reader takes nothing, at least: longer than the server has patience.
const STALL: Duration = Duration::from_millis(3_500);
/// How far the clock is set ahead or back, in minutes. (Before 2026 no server starts, so not a year back.)
const STEPS: [i64; 8] = [2, -2, 90, -90, 2_880, -2_880, 525_600, -300_000];
/// So many messages are acked after a visit before the server is killed.
const AFTER_VISIT: u64 = 20;

/// What a phase stands on.
pub struct Scene {
    /// The server.
    pub server: Server,
    /// Between the crowd and the server.
    pub lines: Proxy,
    /// PostgreSQL, and what is between it and the server.
    pub postgres: Option<(Postgres, Proxy)>,
    /// The small disk that the database is on.
    pub disk: Option<Disk>,
    /// Who comes to see the embedded database.
    pub visitor: Option<Visitor>,
    /// The server's clock, where it is not the machine's.
    pub clock: Option<Clock>,
}

/// What came of one fault.
pub struct Outcome {
    /// It took place: a line was really cut, a disk was really full.
    pub bit: bool,
    /// From its end until every writer was acked again and every reader had all that was acked before.
    pub recovery: Duration,
    /// Promises that were broken on the way, in words.
    pub broken: Vec<String>,
}

/// What one fault did, before recovery.
struct Done {
    bit: bool,
    /// When it was over.
    ended: Instant,
    mark: Mark,
    broken: Vec<String>,
}

impl Done {
    fn now(crowd: &Crowd) -> Self {
        crowd.set_reachable(true);
        Self {
            bit: true,
            ended: Instant::now(),
            mark: crowd.mark(),
            broken: Vec::new(),
        }
    }
}

impl Scene {
    /// Does it, undoes it, and waits.
    ///
    /// # Errors
    /// When it cannot be done.
    pub async fn inject(&mut self, fault: Fault, crowd: &Crowd, rng: &mut Rng) -> Result<Outcome> {
        let Done {
            bit,
            ended,
            mark,
            mut broken,
        } = match fault {
            Fault::Kill => self.kill(crowd, rng).await,
            Fault::Pause => self.pause(crowd, rng).await,
            Fault::Cut => Ok(self.cut(crowd, rng).await),
            Fault::Term => self.term(crowd).await,
            Fault::Stall => Ok(self.stall(crowd, rng).await),
            Fault::Disk => self.fill_disk(crowd, rng).await,
            Fault::Visitor => self.visit(crowd, rng).await,
            Fault::Clock => self.step_clock(crowd, rng).await,
            Fault::Restart => self.restart_postgres(crowd, rng).await,
            Fault::Blackhole => self.blackhole(crowd, rng).await,
        }?;
        if !crowd.recovers(&mark, RECOVERY).await {
            broken.push(format!(
                "the crowd was not well again within {RECOVERY:?} of `{fault}`"
            ));
        }
        if let Some(status) = self.server.ended() {
            broken.push(format!(
                "the server ended by itself after `{fault}`: {status}"
            ));
            self.server.start_again().await?;
        }
        Ok(Outcome {
            bit,
            recovery: ended.elapsed(),
            broken,
        })
    }

    async fn kill(&mut self, crowd: &Crowd, rng: &mut Rng) -> Result<Done> {
        crowd.set_reachable(false);
        self.server.kill();
        if rng.once_in(4) {
            // And once more, while it starts.
            let moment = rng.millis(5, 200);
            let _cut_short = tokio::time::timeout(moment, self.server.start_again()).await;
            self.server.kill();
        }
        let killed = Instant::now();
        self.server.start_again().await?;
        Ok(Done {
            // The start is part of what people wait for.
            ended: killed,
            ..Done::now(crowd)
        })
    }

    async fn pause(&mut self, crowd: &Crowd, rng: &mut Rng) -> Result<Done> {
        crowd.set_reachable(false);
        self.server.signal(Signal::STOP)?;
        tokio::time::sleep(rng.millis(300, 3_000)).await;
        self.server.signal(Signal::CONT)?;
        Ok(Done::now(crowd))
    }

    async fn term(&mut self, crowd: &Crowd) -> Result<Done> {
        crowd.set_reachable(false);
        let asked = Instant::now();
        self.server.signal(Signal::TERM)?;
        let mut broken = Vec::new();
        match self.server.end_within(POLITE).await {
            Some(status) if status.success() => {}
            Some(status) => broken.push(format!("after SIGTERM the server ended with {status}")),
            None => {
                broken.push(format!(
                    "after SIGTERM the server ran on for {:?}",
                    asked.elapsed()
                ));
                self.server.kill();
            }
        }
        let gone = Instant::now();
        self.server.start_again().await?;
        Ok(Done {
            ended: gone,
            broken,
            ..Done::now(crowd)
        })
    }

    /// Cuts a few lines, each at a byte of its own.
    async fn cut(&mut self, crowd: &Crowd, rng: &mut Rng) -> Done {
        let mut lines = self.lines.connections();
        lines.retain(|line| !line.is_idle());
        let mut cut = Vec::new();
        for _ in 0..=rng.below(3) {
            if lines.is_empty() {
                break;
            }
            let line = lines.swap_remove(rng.below(lines.len()));
            // No one answers who says nothing.
            let how = match rng.below(if line.is_talkative() { 4 } else { 2 }) {
                0 | 1 => Cut::After(Way::Down, rng.below(2_000)),
                2 => Cut::After(Way::Up, rng.below(400)),
                _ => Cut::BeforeAnswer,
            };
            line.cut(how, rng.once_in(2));
            cut.push(line);
        }
        let fired = crowd
            .comes_true(FIRE, || cut.iter().all(|line| line.is_gone()))
            .await;
        for line in &cut {
            line.pass();
        }
        Done {
            bit: fired && !cut.is_empty(),
            ..Done::now(crowd)
        }
    }

    /// A reader takes nothing for longer than the server has patience.
    async fn stall(&mut self, crowd: &Crowd, rng: &mut Rng) -> Done {
        let mut lines = self.lines.connections();
        lines.retain(|line| !line.is_idle());
        let record = crowd.record();
        let told = || record.lags.get() + record.closed.get();
        let before = told();
        let mut stalled = Vec::new();
        while stalled.len() < 2 && !lines.is_empty() {
            stalled.push(lines.swap_remove(rng.below(lines.len())));
        }
        for line in &stalled {
            line.stall();
        }
        tokio::time::sleep(STALL + rng.millis(0, 1_500)).await;
        for line in &stalled {
            line.pass();
        }
        let done = Done::now(crowd);
        // It has to have been told, or cut off; else it was not slow enough to mean anything.
        let bit = crowd.comes_true(FIRE, || told() > before).await;
        Done { bit, ..done }
    }

    async fn fill_disk(&mut self, crowd: &Crowd, rng: &mut Rng) -> Result<Done> {
        let Some(disk) = &self.disk else {
            return Err(Trouble("There is no small disk to fill.".into()));
        };
        crowd.set_reachable(false);
        disk.fill()?;
        let full = Instant::now();
        // What is allocated already is written to first; the bite comes when nothing was acked for a while.
        let (mut acked, mut since) = (crowd.acks(), Instant::now());
        while since.elapsed() < ARRIVED && full.elapsed() < BITE {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let now = crowd.acks();
            if now != acked {
                (acked, since) = (now, Instant::now());
            }
        }
        let bit = since.elapsed() >= ARRIVED;
        tokio::time::sleep(rng.millis(0, 1_000)).await;
        disk.free();
        if let Some((postgres, _)) = &mut self.postgres
            && postgres.has_ended()
        {
            postgres.start_again().await?;
        }
        Ok(Done {
            bit,
            ..Done::now(crowd)
        })
    }

    /// Some come and go while the crowd goes on, one may stay for longer; then the server is killed. What was acked after a
    /// visit must be there as what was acked before it.
    async fn visit(&mut self, crowd: &Crowd, rng: &mut Rng) -> Result<Done> {
        let Some(visitor) = &self.visitor else {
            return Err(Trouble("There is no one to visit the database.".into()));
        };
        let duration = rng.millis(500, 3_000);
        let stays = rng.once_in(2).then(|| visitor.stay(duration)).transpose()?;
        let (acked, mut broken, mut bit) = (&crowd.record().acked, Vec::new(), true);
        for _ in 0..=rng.below(3) {
            let visit = Visit::ALL[rng.below(Visit::ALL.len())];
            broken.extend(visitor.visit(visit, crowd.stored()).await);
            let enough = acked.get() + AFTER_VISIT;
            bit &= crowd.comes_true(FIRE, || acked.get() >= enough).await;
        }
        crowd.set_reachable(false);
        self.server.kill();
        let killed = Instant::now();
        self.server.start_again().await?;
        drop(stays);
        Ok(Done {
            bit,
            ended: killed,
            broken,
            ..Done::now(crowd)
        })
    }

    /// Sets the clock wrong while everyone goes on, every second time over a kill, too, and then right again.
    async fn step_clock(&mut self, crowd: &Crowd, rng: &mut Rng) -> Result<Done> {
        let Some(clock) = self.clock.clone() else {
            return Err(Trouble("There is no clock to set.".into()));
        };
        let minutes = STEPS.get(rng.below(STEPS.len())).copied().unwrap_or(5);
        let is_killed = rng.once_in(2);
        let mut broken = Vec::new();
        for minutes in [minutes, 0] {
            clock.step(minutes)?;
            if is_killed {
                crowd.set_reachable(false);
                self.server.kill();
                if let Err(Trouble(sentence)) = self.server.start_again().await {
                    broken.push(format!(
                        "with its clock {minutes} minutes ahead: {sentence}"
                    ));
                    clock.step(0)?;
                    self.server.start_again().await?;
                }
                crowd.set_reachable(true);
            }
            if minutes != 0 && !crowd.recovers(&crowd.mark(), RECOVERY).await {
                broken.push(format!("with the clock {minutes} minutes ahead, the crowd was not well within {RECOVERY:?}"));
            }
        }
        Ok(Done {
            broken,
            ..Done::now(crowd)
        })
    }

    async fn restart_postgres(&mut self, crowd: &Crowd, rng: &mut Rng) -> Result<Done> {
        let Some((postgres, _)) = &mut self.postgres else {
            return Err(Trouble("There is no PostgreSQL to restart.".into()));
        };
        crowd.set_reachable(false);
        let how = if rng.once_in(2) {
            Stop::Fast
        } else {
            Stop::Immediate
        };
        postgres.stop(how).await?;
        let broken = away(crowd, rng.millis(0, 3_000), "PostgreSQL was stopped").await;
        postgres.start_again().await?;
        Ok(Done {
            broken,
            ..Done::now(crowd)
        })
    }

    async fn blackhole(&mut self, crowd: &Crowd, rng: &mut Rng) -> Result<Done> {
        let Some((_, lines)) = &self.postgres else {
            return Err(Trouble("There is no PostgreSQL to cut off.".into()));
        };
        crowd.set_reachable(false);
        if rng.once_in(2) {
            lines.hold();
        } else {
            lines.swallow();
        }
        let broken = away(
            crowd,
            rng.millis(1_000, 12_000),
            "nothing got through to PostgreSQL",
        )
        .await;
        lines.heal();
        Ok(Done {
            broken,
            ..Done::now(crowd)
        })
    }
}

/// Waits while the database is away, and sees to it that nothing is acked that was sent meanwhile. (What was sent before
/// may have arrived in time, however late its ack is heard.)
async fn away(crowd: &Crowd, duration: Duration, why: &str) -> Vec<String> {
    let absence = &crowd.record().absence;
    absence.begin();
    tokio::time::sleep(duration).await;
    match absence.end() {
        0 => Vec::new(),
        count => vec![format!("{count} changes were sent and acked while {why}")],
    }
}
