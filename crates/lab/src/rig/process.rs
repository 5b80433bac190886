//! A child process that does not outlive us.

use std::{
    ffi::OsStr,
    fs::File,
    io::{Read as _, Seek as _},
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process_group};

use crate::{Result, Trouble};

const LOOK_EVERY: Duration = Duration::from_millis(5);
/// How long those whom a process has started may take to be gone after they were killed.
const GONE: Duration = Duration::from_secs(2);

/// A command with nothing in its environment but what a program needs to run, in a folder with no `.env`.
#[must_use]
pub fn bare(program: impl AsRef<OsStr>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().current_dir(folder).env("HOME", folder);
    for (name, value) in super::binary::inherited() {
        command.env(name, value);
    }
    command
}

/// A process that ends with this value, however that goes.
#[derive(Debug)]
pub struct Process {
    child: Child,
    name: &'static str,
    /// Whom it starts is ended with it.
    leads_group: bool,
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.leads_group {
            self.end_group();
        }
        self.kill();
    }
}

impl Process {
    /// Starts it.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(name: &'static str, command: &mut Command) -> Result<Self> {
        let child = command
            .spawn()
            .map_err(|error| Trouble(format!("{name} cannot be started ({error}).")))?;
        Ok(Self {
            child,
            name,
            leads_group: false,
        })
    }

    /// Its number.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it prints, once.
    pub fn stdout(&mut self) -> Option<std::process::ChildStdout> {
        self.child.stdout.take()
    }

    /// Sends it a signal.
    ///
    /// # Errors
    /// When it is gone.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        kill_process(Pid::from_child(&self.child), signal)
            .map_err(|error| Trouble(format!("{} takes no signal ({error}).", self.name)))
    }

    /// Starts it, to be ended with all that it will have started.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_group(name: &'static str, command: &mut Command) -> Result<Self> {
        let mut process = Self::start(name, command.process_group(0))?;
        process.leads_group = true;
        Ok(process)
    }

    /// Ends it with all that it has started, unless it is over.
    fn end_group(&mut self) {
        let group = Pid::from_child(&self.child);
        if self.ended().is_some() || kill_process_group(group, Signal::KILL).is_err() {
            return;
        }
        self.kill();
        let deadline = Instant::now() + GONE;
        while test_kill_process_group(group).is_ok() && Instant::now() < deadline {
            thread::sleep(LOOK_EVERY);
        }
    }

    /// Ends it as a power cut would end a process: no line of it runs any more.
    pub fn kill(&mut self) {
        // It may have ended already, and one that is stopped can be killed, too.
        let _ended = self.child.kill();
        let _waited = self.child.wait();
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Waits for its end, but not forever.
    pub async fn end_within(&mut self, patience: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(status) = self.ended() {
                return Some(status);
            }
            if Instant::now() > deadline {
                return None;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

/// Runs a program to its end, and tells what it printed. Whoever waits no longer ends it, with all that it has started: a
/// program that lived on would write into a folder that is being removed.
///
/// # Errors
/// When it cannot be started, fails, or takes longer than it may.
pub async fn finish(
    name: &'static str,
    mut command: Command,
    patience: Duration,
) -> Result<String> {
    let no_file = |error| Trouble::io("make a temporary file", &error);
    let (mut out, mut err) = (
        tempfile::tempfile().map_err(no_file)?,
        tempfile::tempfile().map_err(no_file)?,
    );
    command
        .stdin(Stdio::null())
        .stdout(out.try_clone().map_err(no_file)?)
        .stderr(err.try_clone().map_err(no_file)?);
    let mut process = Process::start_group(name, &mut command)?;
    let status = process.end_within(patience).await;
    let read = |file: &mut File| {
        let mut bytes = Vec::new();
        // What cannot be read was not said.
        let _read = file.rewind().and_then(|()| file.read_to_end(&mut bytes));
        String::from_utf8_lossy(&bytes).into_owned()
    };
    match status {
        Some(status) if status.success() => Ok(read(&mut out)),
        Some(_) => {
            let said = read(&mut err);
            let last = said.lines().last().unwrap_or("it did not say why");
            Err(Trouble(format!("{name} failed: {last}")))
        }
        None => Err(Trouble(format!(
            "{name} did not end within {} s.",
            patience.as_secs()
        ))),
    }
}
