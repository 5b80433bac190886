//! The server that is measured: started on a temporary folder, or one that runs already.

use std::{
    net::SocketAddr,
    path::Path,
    time::{Duration, Instant},
};

use rustix::process::Signal;
use secrecy::ExposeSecret as _;

use super::{BenchOptions, Result, Trouble, proc, rest::Rest};
use crate::{
    printing,
    rig::{
        certificate::Certificate,
        folder::Folder,
        server::{self, Launch},
        wait_for,
    },
};

const START: Duration = Duration::from_mins(1);
const STOP: Duration = Duration::from_mins(1);
/// A server refuses a database that was sealed with another key, and a PostgreSQL database outlives our folder.
const ENCRYPTION_KEY: &str = "only for the bench: what it seals is thrown away";

/// CPU time taken so far.
#[derive(Debug, Clone, Copy)]
pub struct Spent {
    /// By the server.
    pub server: Duration,
    /// By all processes of the database server, if there is one.
    pub database: Duration,
}

impl Spent {
    /// Server and database together.
    #[must_use]
    pub fn total(self) -> Duration {
        self.server + self.database
    }

    /// What was taken since `before`.
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        Self {
            server: self.server.saturating_sub(before.server),
            database: self.database.saturating_sub(before.database),
        }
    }
}

/// A server under measurement. One that the bench started ends with this value.
pub struct Subject {
    /// Where it listens.
    pub addr: SocketAddr,
    pid: Option<u32>,
    postmaster: Option<u32>,
    /// `None` for one that ran already.
    ours: Option<server::Server>,
}

impl Subject {
    /// The server that `--url` names, or a new one in `folder`.
    ///
    /// # Errors
    /// When it cannot be reached or does not start.
    pub fn get(options: &BenchOptions, folder: &Folder, bcrypt_cost: u32) -> Result<Self> {
        match &options.url {
            Some(url) => Self::at(url),
            None => Self::start(options, folder.path(), bcrypt_cost),
        }
    }

    fn at(url: &url::Url) -> Result<Self> {
        let addr = url
            .socket_addrs(|| None)
            .ok()
            .into_iter()
            .flatten()
            .find(|addr| addr.ip().is_loopback());
        let Some(addr) = addr.filter(|_| url.scheme() == "http") else {
            return Err(Trouble(format!(
                "{url} is not a server on this machine: the bench only loads http://127.0.0.1:PORT."
            )));
        };
        let pid = proc::listener(addr.port());
        if pid.is_none() {
            printing::tell(format_args!(
                "The process behind {url} cannot be seen (it belongs to another user): CPU and memory will be missing."
            ));
        }
        Ok(Self {
            addr,
            pid,
            postmaster: None,
            ours: None,
        })
    }

    /// Starts a server whose data lie in `folder`.
    ///
    /// # Errors
    /// When it does not listen within a minute.
    pub fn start(options: &BenchOptions, folder: &Path, bcrypt_cost: u32) -> Result<Self> {
        let launch = Launch::new(&options.server, folder)
            .env("DATA_DIR", folder.display())
            .env("BCRYPT_COST", bcrypt_cost)
            .envs([
                ("RATE_LIMITS", "off"),
                ("MESSAGES_PER_SECOND", "100000"),
                ("MESSAGE_BURST", "100000"),
                ("ENCRYPTION_KEY", ENCRYPTION_KEY),
                // Senders that ask for no ack cannot know how many wait for one.
                ("UNACKED_PER_SOCKET", "10000"),
                ("ACCESS_TOKEN_EXPIRE_MINUTES", "600"),
                // A few users log in again and again, and their sockets are to stay.
                ("SESSIONS_PER_USER", "10000"),
                ("RUST_LOG", "warn,parlour::journal=info"),
            ]);
        Self::launch(options, launch)
    }

    /// Starts one as people do, with its limits on, but for how much a user may say: beside a database that is ours alone, if
    /// there is one, another would be refused, so it stands on the embedded one.
    ///
    /// # Errors
    /// When it does not listen within a minute.
    pub fn start_as_people_do(
        options: &BenchOptions,
        folder: &Path,
        certificate: Option<&Certificate>,
    ) -> Result<Self> {
        let mut launch = Launch::new(&options.server, folder).envs([
            ("BCRYPT_COST", "12"),
            ("RATE_LIMITS", "on"),
            ("REGISTRATION", "open"),
            // The witness says more than people do. How many frames a user may send goes by it: not so many that no flood is
            // one.
            ("MESSAGES_PER_SECOND", "200"),
            ("MESSAGE_BURST", "400"),
            ("RUST_LOG", "error"),
        ]);
        if let Some(Certificate { file, key, .. }) = certificate {
            launch.set_env("TLS_CERT", file.display());
            launch.set_env("TLS_KEY", key.display());
        }
        Self::run(launch, None)
    }

    fn launch(options: &BenchOptions, mut launch: Launch) -> Result<Self> {
        let mut postmaster = None;
        if let Some(url) = &options.database_url {
            launch.set_env("DATABASE_URL", url.expose_secret());
            postmaster = proc::postmaster(url.expose_secret());
            if postmaster.is_none() {
                printing::tell(
                    "PostgreSQL's processes cannot be seen from here: its CPU time is missing below.",
                );
            }
        }
        Self::run(launch, postmaster)
    }

    fn run(launch: Launch, postmaster: Option<u32>) -> Result<Self> {
        let ours = wait_for(server::Server::start(launch))?;
        Ok(Self {
            addr: ours.addr,
            pid: Some(ours.pid()),
            postmaster,
            ours: Some(ours),
        })
    }

    /// Asks the server to end, and waits for it.
    ///
    /// # Errors
    /// When it does not end within a minute.
    pub fn stop(&mut self) -> Result<()> {
        let Some(ours) = &mut self.ours else {
            return Ok(());
        };
        ours.signal(Signal::TERM)?;
        wait_for(async {
            let ended = ours.end_within(STOP).await;
            ended.map(drop).ok_or_else(|| {
                Trouble("The server did not end within a minute of being asked to.".into())
            })
        })
    }

    /// Ends the server, and gives how many messages it says to have stored in how many commits; `None` for one that the
    /// bench did not start.
    ///
    /// # Errors
    /// When it does not end within a minute.
    pub fn stop_and_count_commits(mut self) -> Result<Option<(u64, u64)>> {
        self.stop()?;
        Ok(self.ours.and_then(|ours| commits(&ours.log())))
    }

    /// How often the threads that hash passwords have been at work, if they can be seen.
    #[must_use]
    pub fn password_work(&self) -> Option<u64> {
        proc::wake_ups(self.pid?, "password-")
    }

    /// The CPU time that server and database have taken so far.
    ///
    /// # Errors
    /// When the server's process cannot be read.
    pub fn cpu(&self) -> Result<Spent> {
        Ok(Spent {
            server: self.pid.map_or(Ok(Duration::ZERO), proc::cpu)?,
            database: self.postmaster.map_or(Duration::ZERO, proc::cpu_of_tree),
        })
    }

    /// The memory that the server holds, in bytes.
    ///
    /// # Errors
    /// When the server's process cannot be read.
    pub fn rss(&self) -> Result<u64> {
        let pid = self.pid.ok_or_else(|| {
            Trouble("The server's process cannot be seen, so its memory is not known.".into())
        })?;
        proc::rss(pid)
    }

    /// Waits until the server says that it can take work.
    ///
    /// # Errors
    /// When it does not say so within a minute.
    pub fn wait_ready(&self) -> Result<()> {
        let deadline = Instant::now() + START;
        let mut rest = Rest::new(self.addr);
        while Instant::now() < deadline {
            if rest
                .get("/ready", None)
                .is_ok_and(|answer| answer.status == 200)
            {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Err(Trouble(
            "The server did not become ready within a minute.".into(),
        ))
    }
}

/// What the journal's writers say when they end, all together.
fn commits(log: &str) -> Option<(u64, u64)> {
    log.lines()
        .filter_map(|line| {
            let (messages, rest) = line.split_once("stored ")?.1.split_once(" messages in ")?;
            let commits = rest.strip_suffix(" commits")?;
            Some((messages.parse::<u64>().ok()?, commits.parse::<u64>().ok()?))
        })
        .reduce(|all, one| (all.0 + one.0, all.1 + one.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commits_of_all_writers_are_counted_together() {
        let log = "x INFO  parlour::journal: stored 100 messages in 4 commits\n\
                   x WARN  parlour: something else\n\
                   x INFO  parlour::journal: stored 0 messages in 0 commits\n\
                   x INFO  parlour::journal: stored 20 messages in 1 commits\n";
        assert_eq!(commits(log), Some((120, 5)));
        assert_eq!(commits("nothing of the kind"), None);
    }
}
