//! A child process that does not outlive us.

use std::{
    process::{Child, Command, ExitStatus},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::ops::verify::{Result, Trouble};

const LOOK_EVERY: Duration = Duration::from_millis(5);

/// A process that ends with this value, however that goes.
#[derive(Debug)]
pub struct Process {
    child: Child,
    name: &'static str,
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already, and one that is stopped can be killed, too.
        let _ended = self.child.kill();
        let _waited = self.child.wait();
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
        Ok(Self { child, name })
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

    /// Ends it as a power cut would end a process: no line of it runs any more.
    pub fn kill(&mut self) {
        let _ended = self.child.kill();
        let _waited = self.child.wait();
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Waits for its end, but not for ever.
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
