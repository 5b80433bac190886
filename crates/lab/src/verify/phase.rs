//! One phase: a fresh server, a crowd, one kind of fault again and again, and the judgement.

use std::{
    net::SocketAddr,
    path::Path,
    time::{Duration, Instant},
};

use parlour_client::api::{Failure, Query};

use super::{
    Control,
    check::{self, Evidence, Stored},
    control,
    crowd::{Crowd, Identity},
    fault::{Database, Fault},
    nemesis::Scene,
    rng::Rng,
    scoreboard::Row,
    status::StatusLine,
};
use crate::{
    Result, Trouble,
    protocol::message::Message,
    rig::{
        clock::Clock,
        disk::Disk,
        postgres::{Postgres, Programs},
        proxy::Proxy,
        server::{Launch, Server},
        visitor::Visitor,
    },
};

/// How long everyone may take to be at work.
const WARM_UP: Duration = Duration::from_secs(30);
/// How long all that was offered may take to be acked, once nothing is in the way.
const DRAIN: Duration = Duration::from_secs(20);
/// A phase does not end sooner after its last fault.
const CALM: Duration = Duration::from_secs(2);
/// How long readers may take to have all of it.
const CATCH_UP: Duration = Duration::from_secs(15);
/// What a small disk holds for each database, in kilobytes.
const SMALL: (u32, u32) = (16 * 1024, 160 * 1024);

/// What a phase is about.
pub struct Plan<'a> {
    /// What the server stands on.
    pub database: Database,
    /// What is done to it.
    pub fault: Fault,
    /// The server's program.
    pub server: &'a Path,
    /// What chance begins with.
    pub seed: u64,
    /// How long the faults go on.
    pub duration: Duration,
    /// The guard that is taken out.
    pub control: Option<Control>,
    /// Where it may put what it needs.
    pub folder: &'a Path,
    /// PostgreSQL's, where it was found.
    pub programs: Option<&'a Programs>,
}

impl Plan<'_> {
    fn name(&self) -> String {
        format!("{}-{}", self.database, self.fault)
    }
}

/// Runs one. `cluster` is a PostgreSQL that runs already; it is left there for the next phase.
///
/// # Errors
/// When it cannot be set up, or the server cannot be read in the end.
pub async fn run(
    plan: &Plan<'_>,
    cluster: &mut Option<Postgres>,
    status: &StatusLine,
) -> Result<Row> {
    let folder = plan.folder.join(plan.name());
    std::fs::create_dir_all(&folder).map_err(|error| Trouble::io("make a folder", &error))?;
    let mut scene = set_up(plan, &folder, cluster).await?;
    let crowd = Crowd::gather(
        scene.server.addr,
        scene.lines.addr(),
        &plan.name(),
        plan.seed,
        longest(plan.fault),
    )
    .await?;
    let start = crowd.mark();
    crowd.offer(true);
    if !crowd.recovers(&start, WARM_UP).await {
        return Err(Trouble("The crowd did not get to work.".into()));
    }
    let mut row = Row::new(plan.database, plan.fault);
    row.planned = plan.fault.planned(plan.duration);
    inject_faults(plan, &mut scene, &crowd, &mut row, status).await?;
    crowd.offer(false);
    let record = crowd.record();
    row.offered = record.offered.get();
    row.reached = record.reached.get();
    if !crowd.drains(DRAIN).await {
        row.broken.push(format!(
            "not everything was acked within {DRAIN:?} of the last fault"
        ));
    }
    let left_behind = crowd.left_behind(CATCH_UP).await;
    row.acked = record.acked.get();
    row.unknown = record.unknown.get();
    row.refused = record.refused.get();
    row.lags = record.lags.get();
    row.done = crowd.company().book().done.get();
    let evidence = collect(&mut scene, &crowd, left_behind).await?;
    row.sockets = evidence.views.len();
    row.seen = evidence.views.iter().map(Vec::len).sum();
    row.pages = evidence.pages.len();
    let verdict = check::check(&evidence);
    (row.counts, row.examples) = (verdict.counts, verdict.examples);
    row.broken.extend(scene.server.panics());
    if scene.disk.is_none() {
        // The server goes before what it stands on.
        let Scene {
            server, postgres, ..
        } = scene;
        drop(server);
        *cluster = postgres.map(|(postgres, _)| postgres);
    }
    Ok(row)
}

/// A reader is only slow when there is a lot to read.
fn longest(fault: Fault) -> usize {
    match fault {
        Fault::Stall => 4_000,
        _ => 400,
    }
}

async fn set_up(plan: &Plan<'_>, folder: &Path, cluster: &mut Option<Postgres>) -> Result<Scene> {
    let visitor = match plan.fault {
        Fault::Visitor => Some(Visitor::find(&folder.join("data/parlour.db"), folder)?),
        _ => None,
    };
    let clock = match plan.fault {
        Fault::Clock => Some(Clock::find(folder)?),
        _ => None,
    };
    let disk = match (plan.fault, plan.database) {
        (Fault::Disk, Database::Sqlite) => Some(Disk::mount(&folder.join("disk"), SMALL.0)?),
        (Fault::Disk, Database::Postgres) => Some(Disk::mount(&folder.join("disk"), SMALL.1)?),
        _ => None,
    };
    let place = disk.as_ref().map_or(folder, Disk::path);
    let data = place.join("data");
    let (url, postgres) = match plan.database {
        Database::Sqlite => {
            let url = format!("sqlite://{}", data.join("parlour.db").display());
            (url, None)
        }
        Database::Postgres => {
            let cluster = match cluster.take() {
                Some(cluster) if disk.is_none() => cluster,
                other => {
                    *cluster = other;
                    start_postgres(plan, place).await?
                }
            };
            let name = database_name(plan.fault);
            cluster.create(&name).await?;
            let lines = listen(cluster.addr()).await?;
            (cluster.url(lines.addr(), &name), Some((cluster, lines)))
        }
    };
    let mut launch = launch(plan.server, folder)
        .env("DATA_DIR", data.display())
        .env("DATABASE_URL", url);
    if let Some(clock) = &clock {
        launch = launch.clock(clock);
    }
    let server = Server::start(launch).await?;
    if plan.control == Some(Control::NoIndex) {
        match &postgres {
            Some((cluster, _)) => {
                control::drop_index_of_postgres(cluster, &database_name(plan.fault)).await?;
            }
            None => control::drop_index_of_sqlite(&data.join("parlour.db"), folder).await?,
        }
    }
    let lines = listen(server.addr).await?;
    Ok(Scene {
        server,
        lines,
        postgres,
        disk,
        visitor,
        clock,
    })
}

fn launch(program: &Path, folder: &Path) -> Launch {
    Launch::new(program, folder).envs([
        ("RATE_LIMITS", "off"),
        ("ACCESS_TOKEN_EXPIRE_MINUTES", "1440"),
        // A reader who takes nothing is found out within seconds, so that it happens often.
        ("QUEUE_FRAMES", "32"),
        ("QUEUE_BYTES", "65536"),
        ("SLOW_READER_SECONDS", "3"),
        ("RUST_LOG", "warn"),
    ])
}

fn database_name(fault: Fault) -> String {
    format!("parlour_{fault}")
}

async fn start_postgres(plan: &Plan<'_>, place: &Path) -> Result<Postgres> {
    let programs = plan
        .programs
        .ok_or_else(|| Trouble("PostgreSQL is not there.".into()))?;
    let folder = place.join("postgres");
    std::fs::create_dir_all(&folder).map_err(|error| Trouble::io("make a folder", &error))?;
    Postgres::start(programs, &folder).await
}

async fn listen(target: SocketAddr) -> Result<Proxy> {
    Proxy::start(target)
        .await
        .map_err(|error| Trouble::io("listen", &error))
}

/// Injects what is planned, spread over the phase at moments of no meaning.
async fn inject_faults(
    plan: &Plan<'_>,
    scene: &mut Scene,
    crowd: &Crowd,
    row: &mut Row,
    status: &StatusLine,
) -> Result<()> {
    let mut rng = Rng::new(plan.seed, &format!("{} nemesis", plan.name()));
    let begin = Instant::now();
    let planned = u32::try_from(row.planned).unwrap_or(u32::MAX);
    let share = plan.duration / planned.max(1);
    // A phase that cannot keep up ends all the same, and says so by the number of its faults.
    let deadline = begin + plan.duration * 2 + Duration::from_secs(20);
    for number in 0..planned {
        let millis = u64::try_from(share.as_millis()).unwrap_or(u64::MAX);
        let moment = begin + share * number + rng.millis(0, millis / 2);
        watch_until(moment, plan, crowd, row, status).await;
        if Instant::now() > deadline {
            break;
        }
        let outcome = scene.inject(plan.fault, crowd, &mut rng).await?;
        row.injected += u64::from(outcome.bit);
        row.worst_recovery = row.worst_recovery.max(outcome.recovery);
        row.broken.extend(outcome.broken);
        status.tell(plan.database, plan.fault, row.injected, crowd.record());
    }
    let end = (begin + plan.duration).max(Instant::now() + CALM);
    watch_until(end, plan, crowd, row, status).await;
    Ok(())
}

async fn watch_until(
    moment: Instant,
    plan: &Plan<'_>,
    crowd: &Crowd,
    row: &Row,
    status: &StatusLine,
) {
    while let Some(left) = moment.checked_duration_since(Instant::now()) {
        status.tell(plan.database, plan.fault, row.injected, crowd.record());
        tokio::time::sleep(left.min(Duration::from_millis(200))).await;
    }
}

/// Everything that is known. The server is killed once more before it is asked what it has stored.
async fn collect(scene: &mut Scene, crowd: &Crowd, left_behind: u64) -> Result<Evidence> {
    crowd.stop();
    scene.server.kill();
    scene.server.start_again().await?;
    let read = |failure: Failure| {
        let why = failure.sentence();
        Trouble(format!("What is stored could not be read: {why}."))
    };
    let judge = Identity::register(scene.server.addr, "judge").await;
    let judge = judge.map_err(read)?;
    let history = forwards(&judge).await.map_err(read)?;
    let backwards = backwards(&judge).await.map_err(read)?;
    let rooms = crowd.company().evidence(scene.server.addr).await?;
    let record = crowd.record();
    Ok(Evidence {
        sent: record.sent.take(),
        pipelines: record.pipelines.take(),
        views: record.views.take(),
        pages: record.pages.take(),
        history,
        backwards,
        left_behind,
        rooms,
    })
}

async fn forwards(judge: &Identity) -> Result<Vec<Stored>, Failure> {
    let mut all: Vec<Stored> = Vec::new();
    loop {
        let since = all.last().map_or(0, |stored| stored.seq);
        let page = judge.page(Query::Since(since)).await?.messages;
        // A page that does not go on would come again forever.
        let is_end = page.last().is_none_or(|last| last.seq <= since);
        all.extend(page.into_iter().map(stored));
        if is_end {
            return Ok(all);
        }
    }
}

async fn backwards(judge: &Identity) -> Result<Vec<Stored>, Failure> {
    let mut all: Vec<Stored> = Vec::new();
    loop {
        let before = all.last().map(|stored| stored.seq);
        let query = before.map_or(Query::Latest, Query::Before);
        let page = judge.page(query).await?.messages;
        let is_end = page
            .first()
            .is_none_or(|first| before.is_some_and(|before| first.seq >= before));
        all.extend(page.into_iter().rev().map(stored));
        if is_end {
            all.reverse();
            return Ok(all);
        }
    }
}

fn stored(message: Message) -> Stored {
    Stored {
        seq: message.seq,
        content: message.content,
    }
}
