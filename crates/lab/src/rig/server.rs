//! A server as a process of its own: the one way in which the laboratory and the black-box tests start one.

// `.env("WORKERS", 2)` reads better than `.env("WORKERS", &2)`.
#![allow(clippy::needless_pass_by_value)]

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, Write as _},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    thread,
    time::Duration,
};

use rustix::process::Signal;
use tokio::{sync::oneshot, time::timeout};

use super::{
    clock::Clock,
    process::{Process, bare},
};
use crate::{Result, Trouble};

/// How long it may take to listen. The machine may be busy, and the server waits ten seconds for one before it.
const START: Duration = Duration::from_mins(1);
const GREETING: &str = "Parlour is listening on ";

/// What a server is started with, in each of its lives.
#[derive(Debug, Clone)]
pub struct Launch {
    program: PathBuf,
    /// Where it runs, and where `log` (standard error) and `stdout` are kept.
    folder: PathBuf,
    env: Vec<(String, String)>,
    /// Another program that runs it, with its arguments.
    wrapper: Vec<String>,
}

impl Launch {
    /// This program in this folder, on a free port of 127.0.0.1, with its data in `data` below that. Nothing of what is set
    /// around us counts.
    #[must_use]
    pub fn new(program: impl Into<PathBuf>, folder: &Path) -> Self {
        let launch = Self {
            program: program.into(),
            folder: folder.to_owned(),
            env: Vec::new(),
            wrapper: Vec::new(),
        };
        let data = folder.join("data").display().to_string();
        launch.env("DATA_DIR", data).env("BCRYPT_COST", 4)
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl ToString) -> Self {
        self.set_env(name, value);
        self
    }

    /// Sets several.
    #[must_use]
    pub fn envs<V: ToString>(self, all: impl IntoIterator<Item = (&'static str, V)>) -> Self {
        all.into_iter()
            .fold(self, |launch, (name, value)| launch.env(name, value))
    }

    /// Sets a variable, instead of what it was.
    pub fn set_env(&mut self, name: &str, value: impl ToString) {
        self.env.retain(|(known, _)| known != name);
        self.env.push((name.into(), value.to_string()));
    }

    /// Lets it read this clock.
    #[must_use]
    pub fn clock(self, clock: &Clock) -> Self {
        let variables = clock.environment();
        self.envs(variables.map(|(name, value)| (name, value.display().to_string())))
    }

    /// Runs it under another program, such as `ip netns exec NAME`; none when there are no words.
    pub fn set_wrapper(&mut self, words: &[&str]) {
        self.wrapper = words.iter().map(ToString::to_string).collect();
    }

    /// The command itself, for who minds where its words go; everyone else takes [`Server::start`].
    #[must_use]
    pub fn command(&self, port: u16) -> Command {
        let mut command = match self.wrapper.split_first() {
            None => bare(&self.program, &self.folder),
            Some((wrapper, words)) => {
                let mut command = bare(wrapper, &self.folder);
                command.args(words).arg(&self.program);
                command
            }
        };
        command
            .arg("serve")
            .env("PORT", port.to_string())
            .envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    async fn run(&self, port: u16) -> Result<(Process, SocketAddr)> {
        let append = |name: &str| {
            File::options()
                .create(true)
                .append(true)
                .open(self.folder.join(name))
                .map_err(|error| Trouble::io("open a log", &error))
        };
        let mut command = self.command(port);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(append("log")?);
        let mut process = Process::start("The server", &mut command)?;
        let listens = listens(&mut process, append("stdout")?);
        if let Ok(Some(addr)) = timeout(START, listens).await {
            return Ok((process, addr));
        }
        let log = read(&self.folder.join("log"));
        let last = log.lines().last().unwrap_or("it said nothing");
        Err(Trouble(format!("The server did not start: {last}")))
    }
}

/// Where a process says that it listens; `None` when it ends without saying so. All that it prints is kept in `record`.
async fn listens(process: &mut Process, mut record: File) -> Option<SocketAddr> {
    let stdout = process.stdout()?;
    let (tell, told) = oneshot::channel();
    thread::spawn(move || {
        let mut tell = Some(tell);
        // To its end, so that the process is never in the way of its own words.
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            // What cannot be kept was said all the same.
            let _kept = writeln!(record, "{line}");
            let url = line.strip_prefix(GREETING);
            if let Some((_, addr)) = url.and_then(|url| url.split_once("://"))
                && let Ok(addr) = addr.trim().parse()
                && let Some(tell) = tell.take()
            {
                // No one waits any more when the run was interrupted.
                let _no_one = tell.send(addr);
            }
        }
    });
    told.await.ok()
}

fn read(path: &Path) -> String {
    let bytes = fs::read(path).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A server that runs, or has run.
pub struct Server {
    process: Process,
    /// What its next life is started with.
    pub launch: Launch,
    /// Where it listens, over all its lives.
    pub addr: SocketAddr,
}

impl Server {
    /// Starts one on a free port, or on the one that `PORT` names.
    ///
    /// # Errors
    /// When it does not listen in time.
    pub async fn start(launch: Launch) -> Result<Self> {
        let (process, addr) = launch.run(0).await?;
        Ok(Self {
            process,
            launch,
            addr,
        })
    }

    /// Starts it again on the same port and the same data, after it has ended.
    ///
    /// # Errors
    /// When it does not listen in time.
    pub async fn start_again(&mut self) -> Result<()> {
        (self.process, self.addr) = self.launch.run(self.addr.port()).await?;
        Ok(())
    }

    /// Its process (under a wrapper: the wrapper's).
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Stops its process where it stands, lets it go on, or asks it to end.
    ///
    /// # Errors
    /// When it is gone.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        self.process.signal(signal)
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.process.ended()
    }

    /// Waits for its end.
    pub async fn end_within(&mut self, patience: Duration) -> Option<ExitStatus> {
        self.process.end_within(patience).await
    }

    /// The folder it runs in.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.launch.folder
    }

    /// What it logged, over all its lives.
    #[must_use]
    pub fn log(&self) -> String {
        read(&self.launch.folder.join("log"))
    }

    /// What it printed, over all its lives.
    #[must_use]
    pub fn stdout(&self) -> String {
        read(&self.launch.folder.join("stdout"))
    }

    /// Lines of its log that tell of a panic.
    #[must_use]
    pub fn panics(&self) -> Vec<String> {
        self.log()
            .lines()
            .filter(|line| line.contains("panicked at"))
            .map(str::to_owned)
            .collect()
    }
}
