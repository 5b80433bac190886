//! The server of the demo: this very program, as a process of its own, in a folder of its own.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::oneshot;
use url::Url;

use super::{Broken, Result};
use crate::config;

/// How long it may take to listen, and to end. The machine may be busy.
const TIMEOUT: Duration = Duration::from_mins(1);
const GREETING: &str = "Parlour is listening on ";

/// A process that ends with this value, however that goes.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server, its folder and its address.
pub struct Server {
    process: Process,
    folder: PathBuf,
    /// Where it listens.
    pub url: Url,
    /// How long it took until it listened.
    pub start_took: Duration,
}

impl Server {
    /// Starts one that keeps everything in `folder`, and waits until it listens. Port 0 takes a free one.
    pub async fn start(folder: &Path, port: u16) -> Result<Self> {
        let began = Instant::now();
        let log = folder.join("log");
        let cannot =
            |error: std::io::Error| Broken::new(format!("The server cannot be started ({error})."));
        let stderr = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .map_err(cannot)?;
        let binary = config::current_binary().map_err(|error| Broken::new(error.0))?;
        let child = Command::new(binary)
            .arg("serve")
            // Nothing of what is set around us; and in that folder there is no .env.
            .env_clear()
            .current_dir(folder)
            .env("DATA_DIR", folder.join("data"))
            .env("HOST", "127.0.0.1")
            .env("PORT", port.to_string())
            // So that the last act can send as fast as it is acknowledged.
            .env("MESSAGES_PER_SECOND", "100000")
            .env("MESSAGE_BURST", "100000")
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .map_err(cannot)?;
        let mut process = Process(child);
        let line = tokio::time::timeout(TIMEOUT, first_line(&mut process.0)).await;
        let url = line
            .ok()
            .flatten()
            .and_then(|line| Url::parse(line.strip_prefix(GREETING)?).ok());
        let Some(url) = url else {
            let said = fs::read_to_string(&log).unwrap_or_default();
            let last = said.lines().last().unwrap_or("it said nothing");
            return Err(Broken::new(format!("The server did not start: {last}")));
        };
        Ok(Self {
            process,
            folder: folder.to_owned(),
            url,
            start_took: began.elapsed(),
        })
    }

    /// The number of its process.
    pub fn pid(&self) -> u32 {
        self.process.0.id()
    }

    /// The file of its database.
    pub fn database(&self) -> PathBuf {
        self.folder.join("data").join("parlour.db")
    }

    /// `kill -9`: from here on no line of it runs.
    pub fn kill(&mut self) -> Result<()> {
        let child = &mut self.process.0;
        child
            .kill()
            .and_then(|()| child.wait())
            .map(drop)
            .map_err(|error| Broken::new(format!("The server could not be killed ({error}).")))
    }

    /// Starts it again, at the same address and on the same data.
    pub async fn start_again(&mut self) -> Result<()> {
        *self = Self::start(&self.folder, self.url.port().unwrap_or_default()).await?;
        Ok(())
    }

    /// Asks it to end, with SIGTERM, and waits for that.
    pub async fn stop(&mut self) -> Result<ExitStatus> {
        let child = &mut self.process.0;
        kill_process(Pid::from_child(child), Signal::TERM)
            .map_err(|error| Broken::new(format!("The server could not be stopped ({error}).")))?;
        let deadline = Instant::now() + TIMEOUT;
        while Instant::now() < deadline {
            if let Ok(Some(status)) = child.try_wait() {
                return Ok(status);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Err(Broken::new("The server did not end when it was asked to."))
    }
}

/// The first line that a child prints; `None` when it ends without one.
async fn first_line(child: &mut Child) -> Option<String> {
    let stdout = child.stdout.take()?;
    let (tell, told) = oneshot::channel();
    thread::spawn(move || {
        let mut line = String::new();
        if BufReader::new(stdout)
            .read_line(&mut line)
            .is_ok_and(|n| n > 0)
        {
            // No one waits any more when the demo was interrupted.
            let _ = tell.send(line.trim_end().to_owned());
        }
    });
    told.await.ok()
}
