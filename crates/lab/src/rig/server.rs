//! The server under test, as a process of its own.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    thread,
    time::Duration,
};

use rustix::process::Signal;
use tokio::{sync::oneshot, time::timeout};

use super::{clock::Clock, process::Process};
use crate::{Result, Trouble};

/// How long it may take to listen. The machine may be busy, and the server waits ten seconds for one before it.
const START: Duration = Duration::from_secs(30);
const GREETING: &str = "Parlour is listening on http://";

/// What a server needs to be started, and started again.
#[derive(Debug, Clone)]
pub struct Serving {
    /// The program.
    pub binary: PathBuf,
    /// Where its log goes.
    pub folder: PathBuf,
    /// Where it keeps its data.
    pub data: PathBuf,
    /// Its `DATABASE_URL`.
    pub url: String,
    /// A clock that is not the machine's.
    pub clock: Option<Clock>,
}

/// A server that runs, or has run.
pub struct Server {
    process: Process,
    serving: Serving,
    /// Where it listens, over all its lives.
    pub addr: SocketAddr,
}

impl Server {
    /// Starts one.
    ///
    /// # Errors
    /// When it does not listen in time.
    pub async fn start(serving: Serving) -> Result<Self> {
        let (process, addr) = launch(&serving, 0).await?;
        Ok(Self {
            process,
            serving,
            addr,
        })
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Stops its process where it stands, or lets it go on.
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

    /// Starts it again on the same port and the same data, after it has ended.
    ///
    /// # Errors
    /// When it does not listen in time.
    pub async fn start_again(&mut self) -> Result<()> {
        let port = self.addr.port();
        (self.process, self.addr) = launch(&self.serving, port).await?;
        Ok(())
    }

    /// Lines of its log that tell of a panic.
    #[must_use]
    pub fn panics(&self) -> Vec<String> {
        read_log(&self.serving.folder)
            .lines()
            .filter(|line| line.contains("panicked at"))
            .map(str::to_owned)
            .collect()
    }
}

fn read_log(folder: &Path) -> String {
    let bytes = fs::read(folder.join("log")).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

async fn launch(serving: &Serving, port: u16) -> Result<(Process, SocketAddr)> {
    let folder = &serving.folder;
    let log = File::options()
        .create(true)
        .append(true)
        .open(folder.join("log"))
        .map_err(|error| Trouble::io("open a log", &error))?;
    let mut command = Command::new(&serving.binary);
    command
        .arg("serve")
        // Nothing of what is set around us; and in that folder there is no .env.
        .env_clear()
        .current_dir(folder)
        .env("DATA_DIR", &serving.data)
        .env("DATABASE_URL", &serving.url)
        .env("HOST", "127.0.0.1")
        .env("PORT", port.to_string())
        .env("BCRYPT_COST", "4")
        .env("RATE_LIMITS", "off")
        .env("ACCESS_TOKEN_EXPIRE_MINUTES", "1440")
        // A reader who takes nothing is found out within seconds, so that it happens often.
        .env("QUEUE_FRAMES", "32")
        .env("QUEUE_BYTES", "65536")
        .env("SLOW_READER_SECONDS", "3")
        .env("RUST_LOG", "warn")
        .envs(serving.clock.iter().flat_map(Clock::environment))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log);
    let mut process = Process::start("The server", &mut command)?;
    let line = timeout(START, first_line(&mut process)).await;
    let addr = line
        .ok()
        .flatten()
        .and_then(|line| line.strip_prefix(GREETING)?.parse().ok());
    addr.map(|addr| (process, addr)).ok_or_else(|| {
        let log = read_log(folder);
        let last = log.lines().last().unwrap_or("it said nothing");
        Trouble(format!("The server did not start: {last}"))
    })
}

/// The first line that a process prints; `None` when it ends without one.
async fn first_line(process: &mut Process) -> Option<String> {
    let stdout = process.stdout()?;
    let (tell, told) = oneshot::channel();
    thread::spawn(move || {
        let mut line = String::new();
        if BufReader::new(stdout)
            .read_line(&mut line)
            .is_ok_and(|n| n > 0)
        {
            // Nobody waits any more when the run was interrupted.
            let _nobody = tell.send(line.trim_end().to_owned());
        }
    });
    told.await.ok()
}
