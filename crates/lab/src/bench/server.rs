//! The server that is measured: started on a temporary folder, or one that runs already.

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    net::{SocketAddr, ToSocketAddrs as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use secrecy::ExposeSecret as _;

use super::{BenchOptions, Result, Trouble, proc, rest::Rest};
use crate::printing;

const START: Duration = Duration::from_mins(1);
const STOP: Duration = Duration::from_mins(1);
/// A server refuses a database that was sealed with another key, and a PostgreSQL database outlives our folder.
const ENCRYPTION_KEY: &str = "only for the bench: what it seals is thrown away";
const GREETING: &str = "Parlour is listening on ";

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
pub struct Server {
    /// Where it listens.
    pub addr: SocketAddr,
    pid: Option<u32>,
    postmaster: Option<u32>,
    child: Option<Child>,
    log: Option<PathBuf>,
}

/// The temporary folder of one line of the bench.
pub struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    /// An empty folder in `--data-dir`, or where the system keeps its temporary files.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn make(options: &BenchOptions) -> Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("parlour-bench-");
        match &options.data_dir {
            Some(parent) => builder.tempdir_in(parent),
            None => builder.tempdir(),
        }
        .map(|dir| Self { dir })
        .map_err(|error| Trouble::io("make a temporary folder", &error))
    }

    /// The folder's path.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.dir.path()
    }
}

impl Server {
    /// The server that `--url` names, or a new one in `place`.
    ///
    /// # Errors
    /// When it cannot be reached or does not start.
    pub fn get(options: &BenchOptions, place: &Place, bcrypt_cost: u32) -> Result<Self> {
        match &options.url {
            Some(url) => Self::at(url),
            None => Self::start(options, place.path(), bcrypt_cost),
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
            child: None,
            log: None,
        })
    }

    /// Starts a server whose data lie in `folder`.
    ///
    /// # Errors
    /// When it does not listen within a minute.
    pub fn start(options: &BenchOptions, folder: &Path, bcrypt_cost: u32) -> Result<Self> {
        let log = folder.join("bench-server.log");
        let stderr = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .map_err(|error| Trouble::io("write the server's log", &error))?;
        let mut command = Command::new(&options.server);
        // Nothing from around us, no .env of this folder: the same settings everywhere.
        command
            .arg("serve")
            .env_clear()
            .envs([
                ("HOST", "127.0.0.1"),
                ("PORT", "0"),
                ("RATE_LIMITS", "off"),
                ("MESSAGES_PER_SECOND", "100000"),
                ("MESSAGE_BURST", "100000"),
                ("ENCRYPTION_KEY", ENCRYPTION_KEY),
                // Senders that ask for no ack cannot know how many wait for one.
                ("UNACKED_PER_SOCKET", "10000"),
                ("ACCESS_TOKEN_EXPIRE_MINUTES", "600"),
                ("RUST_LOG", "warn,parlour::journal=info"),
            ])
            .env("BCRYPT_COST", bcrypt_cost.to_string())
            // A few users log in again and again, and their sockets are to stay.
            .env("SESSIONS_PER_USER", "10000")
            .env("DATA_DIR", folder)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr);
        if let Some(url) = &options.database_url {
            command.env("DATABASE_URL", url.expose_secret());
        }
        let mut child = command
            .spawn()
            .map_err(|error| Trouble::io("start the server", &error))?;
        let addr = greeting(&mut child, &log);
        let postmaster = options
            .database_url
            .as_ref()
            .and_then(|url| proc::postmaster(url.expose_secret()));
        if options.database_url.is_some() && postmaster.is_none() {
            printing::tell(
                "PostgreSQL's processes cannot be seen from here: its CPU time is missing below.",
            );
        }
        let mut server = Self {
            addr: ([127, 0, 0, 1], 0).into(),
            pid: Some(child.id()),
            postmaster,
            child: Some(child),
            log: Some(log),
        };
        server.addr = addr?;
        Ok(server)
    }

    /// Asks the server to end, and waits for it.
    ///
    /// # Errors
    /// When it does not end within a minute.
    pub fn stop(mut self) -> Result<()> {
        let Some(mut child) = self.child.take() else {
            return Ok(());
        };
        let told = i32::try_from(child.id())
            .ok()
            .and_then(Pid::from_raw)
            .is_some_and(|pid| kill_process(pid, Signal::TERM).is_ok());
        if !told {
            let _ = child.kill();
        }
        let deadline = Instant::now() + STOP;
        while Instant::now() < deadline {
            if matches!(child.try_wait(), Ok(Some(_))) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = child.kill();
        let _ = child.wait();
        Err(Trouble(
            "The server did not end within a minute of being asked to.".into(),
        ))
    }

    /// Ends the server, and gives how many messages it says to have stored in how many commits; `None` for one that the
    /// bench did not start.
    ///
    /// # Errors
    /// When it does not end within a minute.
    pub fn stop_and_count_commits(mut self) -> Result<Option<(u64, u64)>> {
        let log = self.log.take();
        self.stop()?;
        let text = log.and_then(|log| std::fs::read_to_string(log).ok());
        Ok(text.and_then(|text| commits(&text)))
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

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn greeting(child: &mut Child, log: &Path) -> Result<SocketAddr> {
    let line = first_line(child);
    let addr = line.as_deref().and_then(|line| {
        let url = line.strip_prefix(GREETING)?.trim();
        let place = url.strip_prefix("http://")?;
        place.to_socket_addrs().ok()?.next()
    });
    addr.ok_or_else(|| {
        let _ = child.kill();
        let _ = child.wait();
        let text = std::fs::read_to_string(log).unwrap_or_default();
        let last = text.lines().last().unwrap_or("it said nothing");
        Trouble(format!("The server did not start: {last}"))
    })
}

/// The first line that a child prints, within a minute.
pub fn first_line(child: &mut Child) -> Option<String> {
    let stdout = child.stdout.take()?;
    let (sender, lines) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout)
            .lines()
            .map_while(std::result::Result::ok)
        {
            // Only the first is waited for; the rest is read so that the child never blocks on its output.
            let _ = sender.send(line);
        }
    });
    lines.recv_timeout(START).ok()
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
