//! The configuration as the rest of the program sees it: settings that were checked and fit together.

use std::{
    fs,
    net::IpAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use ipnet::IpNet;

use super::{
    ConfigError, DatabaseUrl, Keys, LogFormat, Registration, Settings, StorageSettings, Switch,
    keys::loose_files,
    lists::{doubts, parse_each, parse_host, parse_net, parse_origin},
    wrong,
};
use crate::protocol::limits::Limits;

/// The certificate and key files for HTTPS.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// Certificate chain, PEM.
    pub cert: PathBuf,
    /// Private key, PEM.
    pub key: PathBuf,
}

/// How much may wait for a socket, and how slow or silent its client may be.
#[derive(Debug, Clone, Copy)]
pub struct SocketLimits {
    /// Frames that may wait for one socket.
    pub queue_frames: usize,
    /// Bytes that may wait for one socket.
    pub queue_bytes: usize,
    /// Time without a byte taken before the socket is cut.
    pub slow_reader: Duration,
    /// Time between two pings.
    pub ping_interval: Duration,
    /// Time to answer a ping.
    pub ping_timeout: Duration,
}

/// Where the database is and how many connections it gets.
#[derive(Debug, Clone)]
pub struct Storage {
    /// Folder for the embedded database and generated keys.
    pub data_dir: PathBuf,
    /// The database.
    pub database_url: DatabaseUrl,
    /// It is the embedded one of the data folder since no other was named.
    pub is_default: bool,
    /// Connections in the pool.
    pub pool_size: u32,
    /// How long a start waits for the database.
    pub wait: Duration,
}

impl Storage {
    /// Checks the storage settings and makes the data folder.
    ///
    /// # Errors
    /// A sentence about the setting that is not right.
    pub fn check(settings: &StorageSettings) -> Result<Self, ConfigError> {
        let storage = Self::look(settings)?;
        make_private_dir(&storage.data_dir)?;
        if let DatabaseUrl::Sqlite(file) = &storage.database_url {
            check_writable(file, &storage.data_dir)?;
        }
        Ok(storage)
    }

    /// Checks the storage settings and makes nothing.
    ///
    /// # Errors
    /// A sentence about the setting that is not right.
    pub fn look(settings: &StorageSettings) -> Result<Self, ConfigError> {
        let data_dir = path("DATA_DIR", &settings.data_dir)?;
        let database_url = match &settings.database_url {
            Some(text) => DatabaseUrl::parse(text.trim())?,
            None => DatabaseUrl::Sqlite(data_dir.join("parlour.db")),
        };
        Ok(Self {
            data_dir,
            database_url,
            is_default: settings.database_url.is_none(),
            pool_size: settings.database_pool_size,
            wait: Duration::from_secs(settings.database_wait_seconds.into()),
        })
    }
}

/// The checked configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// Address to listen on.
    pub host: IpAddr,
    /// Port to listen on.
    pub port: u16,
    /// Serving threads.
    pub workers: usize,
    /// HTTPS, when configured.
    pub tls: Option<TlsFiles>,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Exact origins that may use the API from other hosts.
    pub cors_origins: Vec<String>,
    /// Names under which the server may be asked, besides addresses and those of loopback; `None` for any.
    pub allowed_hosts: Option<Vec<url::Host>>,
    /// The database.
    pub storage: Storage,
    /// The keys.
    pub keys: Keys,
    /// Who may make an account; `None` for who comes from this very machine.
    pub registration: Option<Registration>,
    /// Life of an access token.
    pub access_token_life: Duration,
    /// Life of a login that is not used.
    pub session_life: Duration,
    /// Logins that a user may have.
    pub sessions_per_user: i64,
    /// Work factor of bcrypt.
    pub bcrypt_cost: u32,
    /// Look of the log.
    pub log_format: LogFormat,
    /// What is logged.
    pub log_filter: String,
    /// Whether rates are limited.
    pub rate_limits: bool,
    /// What clients may do.
    pub limits: Limits,
    /// How slow and silent clients may be.
    pub socket_limits: SocketLimits,
    /// How long an HTTP connection may idle between two requests.
    pub keep_alive: Duration,
    /// How many connections without a socket an address may hold; `None` for any number.
    pub connections_per_address: Option<usize>,
}

/// How others reach the server.
struct Doors {
    tls: Option<TlsFiles>,
    trusted_proxies: Vec<IpNet>,
    cors_origins: Vec<String>,
    allowed_hosts: Option<Vec<url::Host>>,
}

impl Doors {
    fn check(settings: &Settings) -> Result<Self, ConfigError> {
        let tls = tls_files(settings)?;
        let trusted_proxies = parse_each(&settings.trusted_proxies, parse_net)?;
        if !settings.host.is_loopback() && tls.is_none() && trusted_proxies.is_empty() {
            return wrong(format!(
                "HOST is {}, which others can connect to, but there is no TLS: set TLS_CERT and TLS_KEY, or, behind a reverse proxy that does TLS, set TRUSTED_PROXIES to its address.",
                settings.host
            ));
        }
        let cors_origins = parse_each(&settings.cors_origins, parse_origin)?;
        let allowed_hosts = parse_each(&settings.allowed_hosts, parse_host)?;
        // Behind a proxy, and where a browser has checked a certificate, no page of another name gets here.
        let is_guarded =
            !settings.host.is_loopback() || tls.is_some() || !trusted_proxies.is_empty();
        let allowed_hosts = (!allowed_hosts.is_empty() || !is_guarded).then_some(allowed_hosts);
        if settings.max_frame_bytes < settings.max_content_bytes.saturating_add(512) {
            return wrong(
                "MAX_FRAME_BYTES must exceed MAX_CONTENT_BYTES by at least 512, or the longest message would fit no frame.",
            );
        }
        if settings.queue_bytes < settings.max_frame_bytes {
            return wrong(
                "QUEUE_BYTES must be at least MAX_FRAME_BYTES, or the longest message could never be delivered.",
            );
        }
        Ok(Self {
            tls,
            trusted_proxies,
            cors_origins,
            allowed_hosts,
        })
    }
}

impl Config {
    /// Checks that the settings fit together, without the data folder and the keys; makes nothing. Tells the files
    /// for HTTPS.
    ///
    /// # Errors
    /// One sentence about the first setting that is not right.
    pub fn look(settings: &Settings) -> Result<Option<TlsFiles>, ConfigError> {
        Doors::check(settings).map(|doors| doors.tls)
    }

    /// Checks the settings, makes the data folder, and finds the keys, or generates them.
    ///
    /// # Errors
    /// One sentence about the first setting that is not right.
    pub fn check(settings: &Settings) -> Result<Self, ConfigError> {
        let Doors {
            tls,
            trusted_proxies,
            cors_origins,
            allowed_hosts,
        } = Doors::check(settings)?;
        let storage = Storage::check(&settings.storage)?;
        let keys = Keys::find_or_generate(&settings.keys, &storage.data_dir)?;
        for doubt in doubts(settings)
            .into_iter()
            .chain(keys.doubts())
            .chain(loose_files(&settings.keys, &storage.data_dir))
        {
            log::warn!("{doubt}");
        }
        Ok(Self {
            host: settings.host,
            port: settings.port,
            workers: settings.workers.map_or_else(
                || std::thread::available_parallelism().map_or(2, std::num::NonZero::get),
                usize::from,
            ),
            tls,
            trusted_proxies,
            cors_origins,
            allowed_hosts,
            storage,
            keys,
            registration: settings.registration,
            access_token_life: Duration::from_secs(
                u64::from(settings.access_token_expire_minutes) * 60,
            ),
            session_life: Duration::from_secs(u64::from(settings.session_expire_days) * 86_400),
            sessions_per_user: settings.sessions_per_user.into(),
            bcrypt_cost: settings.bcrypt_cost,
            log_format: settings.log_format,
            log_filter: settings.rust_log.clone(),
            rate_limits: settings.rate_limits == Switch::On,
            limits: Limits {
                content_bytes: settings.max_content_bytes,
                frame_bytes: settings.max_frame_bytes,
                messages_per_second: settings.messages_per_second,
                message_burst: settings.message_burst,
                sockets_per_user: settings.sockets_per_user,
                unacked_per_socket: settings.unacked_per_socket,
                queue_frames: settings.queue_frames,
                queue_bytes: settings.queue_bytes,
                slow_reader_ms: settings.slow_reader_seconds * 1_000,
                ping_timeout_ms: settings.ping_timeout_seconds * 1_000,
                ..Limits::DEFAULT
            },
            socket_limits: SocketLimits {
                queue_frames: settings.queue_frames,
                queue_bytes: settings.queue_bytes,
                slow_reader: Duration::from_secs(settings.slow_reader_seconds),
                ping_interval: Duration::from_secs(settings.ping_interval_seconds.into()),
                ping_timeout: Duration::from_secs(settings.ping_timeout_seconds),
            },
            keep_alive: Duration::from_secs(settings.keep_alive_seconds.into()),
            connections_per_address: (settings.rate_limits == Switch::On)
                .then_some(settings.connections_per_address as usize),
        })
    }
}

/// Who may make an account, and how others get one, in a sentence.
#[must_use]
pub fn about_registration(config: &Config) -> &'static str {
    match config.registration {
        Some(Registration::Open) => {
            "Registration is open: anyone who reaches this server may make an account (REGISTRATION=closed ends that)."
        }
        None if config.host.is_loopback() && config.trusted_proxies.is_empty() => {
            "Registration is open for who comes from this very machine, and closed for all others (REGISTRATION changes that)."
        }
        Some(Registration::Closed) | None => {
            "Registration is closed: add people with `parlour users add NAME`, or set REGISTRATION=open."
        }
    }
}

/// What can be set but should not stay so where others come in: a sentence for each.
#[must_use]
pub fn weaknesses(bcrypt_cost: u32, rate_limits: bool) -> Vec<String> {
    let mut found = Vec::new();
    if bcrypt_cost < 10 {
        found.push(format!(
            "BCRYPT_COST is {bcrypt_cost}: below 10, stolen password hashes are guessed quickly."
        ));
    }
    if !rate_limits {
        found.push(
            "RATE_LIMITS is off: anyone may guess passwords and send as fast as the line allows."
                .into(),
        );
    }
    found
}

fn make_private_dir(path: &Path) -> Result<(), ConfigError> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| {
            ConfigError(format!(
                "DATA_DIR {} cannot be made ({error}): choose a folder that can be written.",
                path.display()
            ))
        })
}

/// SQLite makes files of its own beside the database. A disk that is full heals, and does not keep a server from starting.
fn check_writable(file: &Path, data_dir: &Path) -> Result<(), ConfigError> {
    let file = fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let error = match tempfile::tempfile_in(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::StorageFull => error,
        _ => return Ok(()),
    };
    let is_data_dir = fs::canonicalize(data_dir).ok() == fs::canonicalize(folder).ok();
    let name = if is_data_dir {
        "DATA_DIR"
    } else {
        "The folder of DATABASE_URL,"
    };
    wrong(format!(
        "{name} {} cannot be written ({}): give it to the user that Parlour runs as (chown), or choose another.",
        folder.display(),
        cause(&error)
    ))
}

/// tempfile adds the path that it has tried, which means nothing to anyone.
fn cause(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" at path ")
        .next()
        .unwrap_or_default()
        .to_owned()
}

/// A path as it was set. Only shells know what `~` and `$NAME` stand for; taken as they are, they would name a new folder here.
pub(super) fn path(name: &str, set: &Path) -> Result<PathBuf, ConfigError> {
    let first = set
        .components()
        .next()
        .map(|part| part.as_os_str().to_string_lossy());
    match first.as_deref() {
        Some(first) if first == "~" || first.starts_with('$') => wrong(format!(
            "{name} is {}, and only shells know what {first} stands for: write the path out, like /home/me/parlour.",
            set.display()
        )),
        _ => Ok(set.to_owned()),
    }
}

fn tls_files(settings: &Settings) -> Result<Option<TlsFiles>, ConfigError> {
    let (cert, key) = match (&settings.tls_cert, &settings.tls_key) {
        (Some(cert), Some(key)) => (cert, key),
        (None, None) => return Ok(None),
        (Some(_), None) => {
            return wrong(
                "TLS_CERT is set, but TLS_KEY is not: set it to the file with the certificate's private key.",
            );
        }
        (None, Some(_)) => {
            return wrong(
                "TLS_KEY is set, but TLS_CERT is not: set it to the file with the certificate chain.",
            );
        }
    };
    for (name, file) in [("TLS_CERT", cert), ("TLS_KEY", key)] {
        let path = path(name, file)?;
        if let Err(error) = fs::File::open(&path) {
            return wrong(format!(
                "{name} {} cannot be read ({error}).",
                path.display()
            ));
        }
    }
    Ok(Some(TlsFiles {
        cert: cert.clone(),
        key: key.clone(),
    }))
}

#[cfg(test)]
impl Settings {
    /// What these flags of `serve` say, for tests.
    pub(super) fn of_flags(flags: &[&str]) -> Self {
        use clap::{Args as _, FromArgMatches as _};
        let command = Self::augment_args(clap::Command::new("serve"));
        let matches = command
            .try_get_matches_from(["serve"].iter().chain(flags))
            .expect("good flags");
        Self::from_arg_matches(&matches).expect("good flags")
    }
}

#[cfg(test)]
impl Config {
    /// What these flags of `serve` say, for tests.
    pub(crate) fn of_flags(flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let data_dir = folder.path().display().to_string();
        let flags = [&["--data-dir", &data_dir], flags].concat();
        let settings = Settings::of_flags(&flags);
        Self::check(&settings).expect("good settings")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_only_a_shell_understands_is_refused() {
        for set in ["~", "~/chat", "$HOME/chat", "${HOME}/chat"] {
            let said = path("DATA_DIR", set.as_ref()).expect_err(set).0;
            assert!(said.starts_with("DATA_DIR"), "{said}");
        }
        for set in ["./data", "/srv/~/x", "a~", "/a$b", "~x/y"] {
            assert_eq!(path("DATA_DIR", set.as_ref()), Ok(set.into()));
        }
    }
}
