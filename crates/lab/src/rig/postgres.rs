//! A private PostgreSQL: its own folder, a random password, a free port on 127.0.0.1. Its postmaster is our child, so
//! that it can be stopped at once as well as in good order, and does not outlive us.

use std::{
    fs::{self, File},
    io::Write as _,
    net::{SocketAddr, TcpListener},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _, chown},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::Signal;

use super::process::{Process, finish};
use crate::{Result, Trouble};

const TIMEOUT: Duration = Duration::from_mins(1);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// How PostgreSQL is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Ends all connections, and shuts down in good order.
    Fast,
    /// At once, without writing anything more: it recovers from its log at the next start.
    Immediate,
}

/// The programs of PostgreSQL's server.
#[derive(Debug, Clone)]
pub struct Programs(PathBuf);

impl Programs {
    /// Finds them. Debian keeps them off the PATH; elsewhere they are on it. The newest wins.
    #[must_use]
    pub fn find() -> Option<Self> {
        let mut folders: Vec<PathBuf> = ["/usr/lib/postgresql", "/opt/homebrew/opt"]
            .iter()
            .filter_map(|folder| fs::read_dir(folder).ok())
            .flatten()
            .flatten()
            .map(|entry| entry.path().join("bin"))
            .collect();
        folders.sort_by_key(|path| std::cmp::Reverse(version_in(path)));
        folders.extend(super::binary::program_folders());
        folders
            .into_iter()
            .find(|folder| {
                ["initdb", "postgres", "psql", "pg_isready"]
                    .iter()
                    .all(|name| folder.join(name).exists())
            })
            .map(Self)
    }

    /// Where they lie.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.0
    }

    fn command(&self, name: &str, owner: Option<&Owner>) -> Command {
        let program = self.0.join(name);
        let mut command = match owner {
            None => Command::new(program),
            Some(owner) => {
                let mut command = Command::new("setpriv");
                command
                    .args(["--reuid", &owner.uid.to_string()])
                    .args(["--regid", &owner.gid.to_string()])
                    .args(["--clear-groups", "--inh-caps=-all", "--"])
                    .arg(program);
                command
            }
        };
        command.current_dir("/").stdin(Stdio::null());
        command
    }
}

/// The number in `/usr/lib/postgresql/15/bin`.
fn version_in(path: &Path) -> u32 {
    path.parent()
        .and_then(Path::file_name)
        .and_then(|name| name.to_str())
        .map(|name| name.trim_start_matches(|c: char| !c.is_ascii_digit()))
        .and_then(|digits| digits.parse().ok())
        .unwrap_or(0)
}

/// Who PostgreSQL runs as, when we are root: it refuses to run as root itself.
#[derive(Debug, Clone, Copy)]
struct Owner {
    uid: u32,
    gid: u32,
}

impl Owner {
    fn find() -> Option<Self> {
        rustix::process::geteuid().is_root().then(|| {
            let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
            ["postgres", "nobody"]
                .iter()
                .find_map(|name| {
                    let line = users
                        .lines()
                        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
                    let mut fields = line.split(':').skip(1);
                    let uid = fields.next()?.parse().ok()?;
                    let gid = fields.next()?.parse().ok()?;
                    Some(Self { uid, gid })
                })
                .unwrap_or(Self {
                    uid: 65_534,
                    gid: 65_534,
                })
        })
    }
}

/// A cluster that runs.
pub struct Postgres {
    programs: Programs,
    owner: Option<Owner>,
    folder: PathBuf,
    password: String,
    port: u16,
    /// Settings of `postgres` that its owner asked for, such as `fsync=off`.
    settings: Vec<String>,
    process: Option<Process>,
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // At once, but so that its own children end too; then `Process` makes sure.
        if let Some(mut process) = self.process.take()
            && process.signal(Signal::QUIT).is_ok()
        {
            let deadline = Instant::now() + Duration::from_secs(5);
            while process.ended().is_none() && Instant::now() < deadline {
                std::thread::sleep(LOOK_EVERY);
            }
        }
    }
}

impl Postgres {
    /// Makes a cluster in `folder`, whose parent must be reachable for other users, and starts it.
    ///
    /// # Errors
    /// When it cannot be made or does not start.
    pub async fn start(programs: &Programs, folder: &Path) -> Result<Self> {
        Self::start_with(programs, folder, &[]).await
    }

    /// The same with settings of its own, in this and all its later lives, such as `listen_addresses=*`.
    ///
    /// # Errors
    /// When it cannot be made or does not start.
    pub async fn start_with(programs: &Programs, folder: &Path, settings: &[&str]) -> Result<Self> {
        let owner = Owner::find();
        let mut random = [0; 16];
        getrandom::fill(&mut random)
            .map_err(|error| Trouble(format!("No password can be made: {error}.")))?;
        let password = format!("{:032x}", u128::from_be_bytes(random));
        let mut postgres = Self {
            programs: programs.clone(),
            owner,
            folder: folder.to_owned(),
            password,
            port: free_port()?,
            settings: settings.iter().map(ToString::to_string).collect(),
            process: None,
        };
        postgres
            .prepare()
            .map_err(|error| Trouble::io("prepare a folder for PostgreSQL", &error))?;
        let mut initdb = postgres.programs.command("initdb", owner.as_ref());
        initdb
            .arg("-D")
            .arg(postgres.data())
            .arg("--pwfile")
            .arg(folder.join("password"))
            .args(["-U", "parlour", "-A", "scram-sha-256", "-E", "UTF8"])
            // Small segments of its log, so that a small disk is filled soon.
            .args(["--locale", "C", "--no-sync", "--wal-segsize=1"]);
        finish("initdb", initdb, TIMEOUT).await?;
        postgres.start_again().await?;
        Ok(postgres)
    }

    fn prepare(&self) -> std::io::Result<()> {
        let run = self.folder.join("run");
        fs::create_dir_all(&run)?;
        let password = self.folder.join("password");
        let mut options = File::options();
        options.create(true).write(true).mode(0o600);
        options
            .open(&password)?
            .write_all(self.password.as_bytes())?;
        fs::set_permissions(&self.folder, fs::Permissions::from_mode(0o755))?;
        if let Some(Owner { uid, gid }) = self.owner {
            for path in [&self.folder, &run, &password] {
                chown(path, Some(uid), Some(gid))?;
            }
        }
        Ok(())
    }

    /// The folder of its own files.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    /// The URL of one of its databases, as seen through `addr`.
    #[must_use]
    pub fn url(&self, addr: SocketAddr, database: &str) -> String {
        format!("postgres://parlour:{}@{addr}/{database}", self.password)
    }

    /// Makes a database.
    ///
    /// # Errors
    /// When PostgreSQL refuses.
    pub async fn create(&self, database: &str) -> Result<()> {
        let statement = format!("CREATE DATABASE {database} TEMPLATE template0");
        self.execute("postgres", &statement).await
    }

    /// Runs a statement in a database.
    ///
    /// # Errors
    /// When PostgreSQL refuses.
    pub async fn execute(&self, database: &str, statement: &str) -> Result<()> {
        let mut psql = self.programs.command("psql", None);
        psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-c"])
            .arg(statement)
            .arg(self.url(self.addr(), database));
        finish("psql", psql, TIMEOUT).await.map(drop)
    }

    /// Sends a signal to the process that accepts connections.
    ///
    /// # Errors
    /// When it is gone.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        let process = self.process.as_ref();
        process.map_or_else(
            || Err(Trouble("PostgreSQL does not run.".into())),
            |process| process.signal(signal),
        )
    }

    /// Stops it, and waits until it is gone.
    ///
    /// # Errors
    /// When it does not go.
    pub async fn stop(&mut self, how: Stop) -> Result<()> {
        let Some(mut process) = self.process.take() else {
            return Ok(());
        };
        let signal = match how {
            Stop::Fast => Signal::INT,
            Stop::Immediate => Signal::QUIT,
        };
        // It may be gone by itself: on a full disk it gives up.
        let _gone = process.signal(signal);
        match process.end_within(TIMEOUT).await {
            Some(_) => Ok(()),
            None => Err(Trouble("PostgreSQL did not stop within a minute.".into())),
        }
    }

    /// Whether it has gone by itself.
    pub fn has_ended(&mut self) -> bool {
        self.process
            .as_mut()
            .is_none_or(|process| process.ended().is_some())
    }

    /// Starts it, and waits until it takes connections.
    ///
    /// # Errors
    /// When it does not within a minute.
    pub async fn start_again(&mut self) -> Result<()> {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.folder.join("log"))
            .map_err(|error| Trouble::io("open a log", &error))?;
        let mut command = self.programs.command("postgres", self.owner.as_ref());
        command
            .arg("-D")
            .arg(self.data())
            .args(self.all_settings().flat_map(|it| ["-c".to_owned(), it]))
            .stdout(Stdio::null())
            .stderr(log);
        self.process = Some(Process::start("PostgreSQL", &mut command)?);
        let deadline = Instant::now() + TIMEOUT;
        while !self.is_ready().await {
            if self.has_ended() || Instant::now() > deadline {
                let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                let last = log.lines().last().unwrap_or("it said nothing");
                return Err(Trouble(format!("PostgreSQL did not start: {last}")));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// Of settings with the same name the last counts.
    fn all_settings(&self) -> impl Iterator<Item = String> {
        let run = self.folder.join("run");
        [
            "listen_addresses=127.0.0.1".to_owned(),
            format!("port={}", self.port),
            format!("unix_socket_directories={}", run.display()),
            "max_connections=300".to_owned(),
            "min_wal_size=4MB".to_owned(),
            "max_wal_size=16MB".to_owned(),
        ]
        .into_iter()
        .chain(self.settings.iter().cloned())
    }

    async fn is_ready(&self) -> bool {
        let mut ask = self.programs.command("pg_isready", None);
        ask.args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()]);
        finish("pg_isready", ask, TIMEOUT).await.is_ok()
    }
}

/// Below 32768, so that no outgoing connection is ever given this port while PostgreSQL is away.
fn free_port() -> Result<u16> {
    let random =
        getrandom::u32().map_err(|error| Trouble(format!("No port can be chosen: {error}.")))?;
    let start = u16::try_from(random % 12_000).unwrap_or_default();
    (0..200)
        .map(|step| 20_000 + (start + step) % 12_000)
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .ok_or_else(|| Trouble("No port is free for PostgreSQL.".into()))
}
