//! The real binary in a process of its own: the rig's server, with what the tests take as usual and want to know.

use std::{
    fs,
    io::{Read, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Output, Stdio},
    sync::LazyLock,
    thread,
    time::{Duration, Instant},
};

use parlour_lab::rig::{self, process::bare, server::Launch, wait_for};
use tempfile::TempDir;

use super::{Backend, Clock, Database, Http, TIMEOUT, eventually, signal_named};

/// The program under test. `PARLOUR_TEST_BINARY` names another one, such as an older release, to see a test fail on it.
pub static BINARY: LazyLock<String> = LazyLock::new(|| {
    let features: &[&str] = if cfg!(feature = "pg-tls") {
        &["parlour/pg-tls"]
    } else {
        &[]
    };
    let program = rig::binary::under_test(features).unwrap_or_else(|trouble| panic!("{trouble}"));
    program.to_string_lossy().into_owned()
});

/// A server under test. Killed when dropped; a panic in its log fails the test.
pub struct Server {
    /// Where it listens.
    pub addr: SocketAddr,
    /// Its database.
    pub database: Database,
    inner: rig::server::Server,
    folder: TempDir,
    panics_allowed: bool,
}

/// What a server is started with.
pub struct Builder {
    backend: Backend,
    env: Vec<(String, String)>,
    folder: Option<TempDir>,
    wrapper: Vec<String>,
}

/// A program that has ended.
#[derive(Debug)]
pub struct Finished {
    /// How.
    pub status: ExitStatus,
    /// What it printed.
    pub stdout: String,
    /// What it complained of.
    pub stderr: String,
}

/// Runs a command to its end, with this on standard input.
pub fn fed(command: &mut Command, input: &str) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("parlour starts");
    let mut stdin = child.stdin.take().expect("piped");
    // It need not read what it does not want.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().expect("it ends")
}

/// Runs `parlour ARGS` to its end, which must come within the deadline.
pub fn run(args: &[&str], env: &[(&str, &str)], folder: &Path) -> Finished {
    let mut command = bare(BINARY.as_str(), folder);
    command
        .args(args)
        .envs(env.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("parlour starts");
    let mut out = child.stdout.take().expect("piped");
    let mut err = child.stderr.take().expect("piped");
    let read_out = thread::spawn(move || {
        let mut text = String::new();
        out.read_to_string(&mut text).map(|_| text)
    });
    let read_err = thread::spawn(move || {
        let mut text = String::new();
        err.read_to_string(&mut text).map(|_| text)
    });
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("waits") {
            break status;
        }
        if start.elapsed() > TIMEOUT {
            let _ = child.kill();
            let _ = child.wait();
            panic!("`parlour {}` did not end", args.join(" "));
        }
        thread::sleep(Duration::from_millis(10));
    };
    Finished {
        status,
        stdout: read_out.join().expect("joins").expect("text"),
        stderr: read_err.join().expect("joins").expect("text"),
    }
}

impl Builder {
    /// Sets one more variable.
    pub fn env(mut self, name: &str, value: impl ToString) -> Self {
        self.env.retain(|(known, _)| known != name);
        self.env.push((name.into(), value.to_string()));
        self
    }

    /// Lets it read this clock, in all its lives.
    pub fn clock(mut self, clock: &Clock) -> Self {
        for (name, value) in clock.environment() {
            self = self.env(&name, value);
        }
        self
    }

    /// Runs it, in all its lives, under another program, such as `ip netns exec NAME`.
    pub fn wrapped(mut self, wrapper: &[&str]) -> Self {
        self.wrapper = wrapper.iter().map(ToString::to_string).collect();
        self
    }

    /// Starts in a folder that was prepared (its `data/` holds keys, perhaps a database).
    pub fn in_folder(mut self, folder: TempDir) -> Self {
        self.folder = Some(folder);
        self
    }

    /// Starts, and waits until it listens.
    pub fn start(self) -> Server {
        let folder = self
            .folder
            .unwrap_or_else(|| tempfile::tempdir().expect("a folder"));
        fs::create_dir_all(folder.path().join("data")).expect("a data folder");
        let database = Database::make(self.backend, &folder.path().join("data"));
        let mut launch = Launch::new(BINARY.as_str(), folder.path()).envs([
            ("DATABASE_URL", database.url.as_str()),
            ("RATE_LIMITS", "off"),
            ("RUST_LOG", "info"),
            // Requests that are written by hand call it so.
            ("ALLOWED_HOSTS", "x"),
        ]);
        for (name, value) in self.env {
            launch.set_env(&name, value);
        }
        launch.set_wrapper(&words(&self.wrapper));
        let inner = wait_for(rig::server::Server::start(launch)).unwrap_or_else(|trouble| {
            let log = fs::read_to_string(folder.path().join("log")).unwrap_or_default();
            panic!("{trouble}\n{log}")
        });
        Server {
            addr: inner.addr,
            database,
            inner,
            folder,
            panics_allowed: false,
        }
    }
}

fn words(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

impl Server {
    /// A server with what the tests take as usual: bcrypt at its cheapest, no rate limits.
    pub fn start(backend: Backend) -> Self {
        Self::with(backend).start()
    }

    /// A server that is to be told more.
    pub fn with(backend: Backend) -> Builder {
        Builder {
            backend,
            env: Vec::new(),
            folder: None,
            wrapper: Vec::new(),
        }
    }

    /// The base of all its URLs.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// A client without a login.
    pub fn http(&self) -> Http {
        Http::new(self.addr)
    }

    /// The folder it runs in.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its `DATA_DIR`.
    pub fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// What it logged so far, over all its lives.
    pub fn log(&self) -> String {
        self.inner.log()
    }

    /// What it printed so far.
    pub fn stdout(&self) -> String {
        self.inner.stdout()
    }

    /// Its process (under a wrapper: the wrapper's).
    pub fn pid(&self) -> u32 {
        self.inner.pid()
    }

    /// How many network connections (and the like) it has open.
    pub fn open_sockets(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.pid()))
            .expect("its files")
            .filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
            .filter(|link| link.to_string_lossy().starts_with("socket:"))
            .count()
    }

    /// A line of `/proc/PID/status`, in kilobytes.
    pub fn memory_kb(&self, field: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("status");
        status
            .lines()
            .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))
            .and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse().ok())
            .expect("a number of kB")
    }

    /// Sends a signal by name, such as `TERM` or `STOP`.
    pub fn signal(&self, name: &str) {
        self.inner.signal(signal_named(name)).expect("it runs");
    }

    /// Kills it as a power cut would kill a process: no handler runs.
    pub fn kill9(&mut self) {
        assert!(self.inner.ended().is_none(), "it has ended by itself");
        self.inner.kill();
    }

    /// Asks it to stop, and tells how it ended and how long that took.
    pub fn terminate(&mut self) -> (ExitStatus, Duration) {
        let start = Instant::now();
        self.signal("TERM");
        let status = self.wait();
        (status, start.elapsed())
    }

    /// Whether its process, the one that was started last, has not ended.
    pub fn is_running(&mut self) -> bool {
        self.inner.ended().is_none()
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        eventually("the server ends", || self.inner.ended())
    }

    /// Changes a variable for the next life.
    pub fn set_env(&mut self, name: &str, value: impl ToString) {
        self.inner.launch.set_env(name, value);
    }

    /// Runs the next life under another program, such as strace.
    pub fn set_wrapper(&mut self, wrapper: &[&str]) {
        self.inner.launch.set_wrapper(wrapper);
    }

    /// Starts again on the same port and data, after it has ended.
    pub fn start_again(&mut self) {
        self.try_start_again()
            .unwrap_or_else(|log| panic!("the server did not start again:\n{log}"));
    }

    /// Starts again; the error is what it said.
    pub fn try_start_again(&mut self) -> Result<(), String> {
        wait_for(self.inner.start_again())
            .map_err(|trouble| format!("{trouble}\n{}", self.log()))?;
        self.addr = self.inner.addr;
        Ok(())
    }

    /// `kill -9`, then a new life.
    pub fn restart(&mut self) {
        self.kill9();
        self.start_again();
    }

    /// Waits until the log holds `words`.
    pub fn await_log(&self, words: &str) {
        eventually(&format!("the log says {words:?}"), || {
            self.log().contains(words).then_some(())
        });
    }

    /// For a test that provokes a panic on purpose.
    pub fn allow_panics(&mut self) {
        self.panics_allowed = true;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.inner.kill();
        let log = self.log();
        if thread::panicking() {
            let lines: Vec<&str> = log.lines().collect();
            let from = lines.len().saturating_sub(60);
            eprintln!(
                "--- the server's log, its end ---\n{}",
                lines[from..].join("\n")
            );
            if let Ok(keep) = std::env::var("PARLOUR_TEST_KEEP_LOGS") {
                let _ = fs::copy(
                    self.folder.path().join("log"),
                    Path::new(&keep).join(format!("{}.log", self.addr.port())),
                );
            }
        } else {
            assert!(
                self.panics_allowed || !log.contains("panicked at"),
                "the server panicked:\n{log}"
            );
        }
    }
}
