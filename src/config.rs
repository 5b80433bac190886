//! The settings: flags, then environment, then `.env`, read and checked once, at start. This is the only room that
//! reads the environment. Secrets are wrapped, so that printing a configuration never shows them.

use std::{
    fmt, fs,
    net::IpAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{Args, ValueEnum};
use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};

use crate::protocol::limits::Limits;

/// A setting that is not right, as one sentence that says what to do. The program prints it and exits with 2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError(pub String);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

fn wrong<T>(sentence: impl Into<String>) -> Result<T, ConfigError> {
    Err(ConfigError(sentence.into()))
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for programs.
    Json,
}

/// A switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// In force.
    On,
    /// Not in force.
    Off,
}

/// Where messages live.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Storage")]
pub struct StorageSettings {
    /// Folder for the embedded database and for generated keys; made when missing
    #[arg(long, env = "DATA_DIR", value_name = "DIR", default_value = "./data")]
    pub data_dir: PathBuf,
    /// `sqlite://PATH` or `postgres://USER:PASSWORD@HOST/NAME` [default: sqlite://$DATA_DIR/parlour.db]
    #[arg(long, env = "DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// Connections kept for reading and for everything but messages (messages have their own)
    #[arg(long, env = "DATABASE_POOL_SIZE", value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub database_pool_size: u32,
}

/// The keys. None given: made on the first run and kept in the data folder.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Keys (made on the first run when not given)")]
pub struct KeySettings {
    /// Signs access tokens; at least 32 characters
    #[arg(long, env = "SECRET_KEY", value_name = "TEXT", hide_env_values = true)]
    pub secret_key: Option<SecretString>,
    /// Encrypts messages at rest: Fernet keys, separated by commas; the first seals, all of them open
    #[arg(
        long,
        env = "ENCRYPTION_KEY",
        value_name = "KEYS",
        hide_env_values = true
    )]
    pub encryption_key: Option<SecretString>,
}

/// Everything that `parlour serve` can be told.
#[derive(Debug, Clone, Args)]
pub struct Settings {
    /// Address to listen on
    #[arg(
        long,
        env = "HOST",
        value_name = "ADDRESS",
        default_value = "127.0.0.1",
        help_heading = "Network"
    )]
    pub host: IpAddr,
    /// Port to listen on; 0 takes a free one and says which
    #[arg(
        long,
        env = "PORT",
        value_name = "PORT",
        default_value_t = 8000,
        help_heading = "Network"
    )]
    pub port: u16,
    /// Threads that serve requests [default: one per core]
    #[arg(long, env = "WORKERS", value_name = "N", help_heading = "Network", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub workers: Option<u16>,
    /// Certificate chain (PEM) for HTTPS; needs TLS_KEY too
    #[arg(
        long,
        env = "TLS_CERT",
        value_name = "FILE",
        help_heading = "Network",
        requires = "tls_key"
    )]
    pub tls_cert: Option<PathBuf>,
    /// Private key (PEM) for HTTPS; needs TLS_CERT too
    #[arg(
        long,
        env = "TLS_KEY",
        value_name = "FILE",
        help_heading = "Network",
        requires = "tls_cert"
    )]
    pub tls_key: Option<PathBuf>,
    /// Addresses or networks of reverse proxies whose X-Forwarded-For is believed, separated by commas.
    /// Off loopback, Parlour listens without TLS only when this is set
    #[arg(
        long,
        env = "TRUSTED_PROXIES",
        value_name = "NETS",
        value_delimiter = ',',
        help_heading = "Network"
    )]
    pub trusted_proxies: Vec<String>,
    /// Origins of web pages on other hosts that may use the API, separated by commas, each like https://chat.example.org
    #[arg(
        long,
        env = "CORS_ORIGINS",
        value_name = "ORIGINS",
        value_delimiter = ',',
        help_heading = "Network"
    )]
    pub cors_origins: Vec<String>,

    /// Where messages live.
    #[command(flatten)]
    pub storage: StorageSettings,
    /// The keys.
    #[command(flatten)]
    pub keys: KeySettings,

    /// Minutes until an access token expires
    #[arg(long, env = "ACCESS_TOKEN_EXPIRE_MINUTES", value_name = "MINUTES", default_value_t = 30, help_heading = "Accounts", value_parser = clap::value_parser!(u32).range(1..=1440))]
    pub access_token_expire_minutes: u32,
    /// Days until a login that is not used ends
    #[arg(long, env = "SESSION_EXPIRE_DAYS", value_name = "DAYS", default_value_t = 30, help_heading = "Accounts", value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub session_expire_days: u32,
    /// Work factor of password hashes; each step doubles the time
    #[arg(long, env = "BCRYPT_COST", value_name = "4-31", default_value_t = 12, help_heading = "Accounts", value_parser = clap::value_parser!(u32).range(4..=31))]
    pub bcrypt_cost: u32,

    /// Look of the log: text for people, json for programs. How much is logged is RUST_LOG's matter
    #[arg(
        long,
        env = "LOG_FORMAT",
        value_name = "FORMAT",
        default_value = "text",
        help_heading = "Log"
    )]
    pub log_format: LogFormat,
    /// What is logged: a level (error, warn, info, debug, trace), or levels per module as env_logger has it
    #[arg(
        long,
        env = "RUST_LOG",
        value_name = "FILTER",
        default_value = "info",
        help_heading = "Log"
    )]
    pub rust_log: String,

    /// Rate limits; off is for load tests only
    #[arg(
        long,
        env = "RATE_LIMITS",
        value_name = "on|off",
        default_value = "on",
        help_heading = "Limits"
    )]
    pub rate_limits: Switch,
    /// Longest content of a message, in bytes
    #[arg(long, env = "MAX_CONTENT_BYTES", value_name = "BYTES", default_value_t = 16_384, help_heading = "Limits", value_parser = clap::value_parser!(u32).range(1..=1_048_576))]
    pub max_content_bytes: u32,
    /// Longest WebSocket message and JSON body, in bytes
    #[arg(long, env = "MAX_FRAME_BYTES", value_name = "BYTES", default_value_t = 65_536, help_heading = "Limits", value_parser = clap::value_parser!(u32).range(1_024..=4_194_304))]
    pub max_frame_bytes: u32,
    /// Messages a second that a user may send, on average
    #[arg(long, env = "MESSAGES_PER_SECOND", value_name = "N", default_value_t = 10, help_heading = "Limits", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub messages_per_second: u32,
    /// Messages that a user may send at once
    #[arg(long, env = "MESSAGE_BURST", value_name = "N", default_value_t = 30, help_heading = "Limits", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub message_burst: u32,
    /// Sockets that a user may have open
    #[arg(long, env = "SOCKETS_PER_USER", value_name = "N", default_value_t = 20, help_heading = "Limits", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub sockets_per_user: u32,
    /// Messages that may wait for their ack on one socket
    #[arg(long, env = "UNACKED_PER_SOCKET", value_name = "N", default_value_t = 32, help_heading = "Limits", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub unacked_per_socket: u32,
    /// Frames that may wait for a slow reader before it is told `lag`
    #[arg(long, env = "QUEUE_FRAMES", value_name = "N", default_value_t = 256, help_heading = "Limits", value_parser = clap::value_parser!(u32).range(8..=65_536))]
    pub queue_frames: u32,
    /// Bytes that may wait for a slow reader before it is told `lag`
    #[arg(long, env = "QUEUE_BYTES", value_name = "BYTES", default_value_t = 262_144, help_heading = "Limits", value_parser = clap::value_parser!(u32).range(65_536..=67_108_864))]
    pub queue_bytes: u32,
    /// Seconds without a byte taken before a reader is cut off (4008)
    #[arg(long, env = "SLOW_READER_SECONDS", value_name = "S", default_value_t = 10, help_heading = "Limits", value_parser = clap::value_parser!(u32).range(1..=600))]
    pub slow_reader_seconds: u32,
    /// Seconds between two pings
    #[arg(long, env = "PING_INTERVAL_SECONDS", value_name = "S", default_value_t = 25, help_heading = "Limits", value_parser = clap::value_parser!(u32).range(1..=3_600))]
    pub ping_interval_seconds: u32,
    /// Seconds to answer a ping
    #[arg(long, env = "PING_TIMEOUT_SECONDS", value_name = "S", default_value_t = 10, help_heading = "Limits", value_parser = clap::value_parser!(u32).range(1..=3_600))]
    pub ping_timeout_seconds: u32,
}

/// What the terminal client, `send` and `tail` can be told.
#[derive(Debug, Clone, Args)]
pub struct ClientSettings {
    /// The server to talk to
    #[arg(
        long,
        env = "PARLOUR_SERVER",
        value_name = "URL",
        default_value = "http://127.0.0.1:8000"
    )]
    pub server: url::Url,
    /// Who to log in as
    #[arg(long, short, env = "PARLOUR_USERNAME", value_name = "NAME")]
    pub username: Option<String>,
    /// The password; better given in the environment than on a command line that others can list
    #[arg(
        long,
        env = "PARLOUR_PASSWORD",
        value_name = "TEXT",
        hide_env_values = true
    )]
    pub password: Option<SecretString>,
}

/// A database URL that was understood. The password in it is never printed.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// The embedded database: a file.
    Sqlite(PathBuf),
    /// A libpq connection URL.
    Postgres(String),
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite://{}", path.display()),
            Self::Postgres(text) => {
                let parsed = url::Url::parse(text).ok();
                let host = parsed
                    .as_ref()
                    .and_then(url::Url::host_str)
                    .unwrap_or("localhost");
                let name = parsed
                    .as_ref()
                    .map_or("", |url| url.path().trim_start_matches('/'));
                write!(f, "postgres://{host}/{name}")
            }
        }
    }
}

impl DatabaseUrl {
    fn parse(text: &str) -> Result<Self, ConfigError> {
        match text.split_once(':') {
            Some(("sqlite", rest)) => {
                let path = rest.strip_prefix("//").unwrap_or(rest);
                let path = path.split_once('?').map_or(path, |(path, _)| path);
                if path.is_empty() || path == ":memory:" {
                    return wrong(
                        "DATABASE_URL names no file: write it like sqlite://./data/parlour.db.",
                    );
                }
                Ok(Self::Sqlite(path.into()))
            }
            Some(("postgres" | "postgresql", _)) if url::Url::parse(text).is_ok() => {
                Ok(Self::Postgres(text.into()))
            }
            Some(("postgres" | "postgresql", _)) => wrong(
                "DATABASE_URL is not a valid URL: write it like postgres://user:password@host:5432/parlour, with special characters percent-encoded.",
            ),
            Some((scheme, _))
                if scheme
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c)) =>
            {
                wrong(format!(
                    "DATABASE_URL starts with `{scheme}:`, which is not known here: it must start with sqlite:// or postgres://."
                ))
            }
            _ => wrong("DATABASE_URL must start with sqlite:// or postgres://."),
        }
    }
}

/// The certificate and key files for HTTPS.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// Certificate chain, PEM.
    pub cert: PathBuf,
    /// Private key, PEM.
    pub key: PathBuf,
}

/// How slow a reader, and how silent a client, may be.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
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
    /// Connections in the pool.
    pub pool_size: u32,
}

impl Storage {
    /// Checks the storage settings and makes the data folder.
    ///
    /// # Errors
    /// A sentence about the setting that is not right.
    pub fn check(settings: &StorageSettings) -> Result<Self, ConfigError> {
        let data_dir = settings.data_dir.clone();
        make_private_dir(&data_dir)?;
        let database_url = match &settings.database_url {
            Some(text) => DatabaseUrl::parse(text.trim())?,
            None => DatabaseUrl::Sqlite(data_dir.join("parlour.db")),
        };
        Ok(Self {
            data_dir,
            database_url,
            pool_size: settings.database_pool_size,
        })
    }
}

/// The keys, as given or as made on the first run.
#[derive(Debug, Clone)]
pub struct Keys {
    /// Signs access tokens.
    pub secret_key: SecretString,
    /// Seals and opens messages: as written, separated by commas.
    pub encryption_key: SecretString,
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
    /// The database.
    pub storage: Storage,
    /// The keys.
    pub keys: Keys,
    /// Life of an access token.
    pub access_token_life: Duration,
    /// Life of a login that is not used.
    pub session_life: Duration,
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
    pub patience: Patience,
}

/// Words that stand in samples and tutorials: a key that holds one was not made by chance.
const SAMPLE_WORDS: [&str; 9] = [
    "change",
    "your-",
    "your_",
    "secret-key",
    "secret_key",
    "example",
    "default",
    "password",
    "sample",
];

/// Fewest characters of a given key.
const MIN_KEY: usize = 32;

impl Config {
    /// Checks the settings, makes the data folder, and reads or makes the keys.
    ///
    /// # Errors
    /// One sentence about the first setting that is not right.
    pub fn check(settings: &Settings) -> Result<Self, ConfigError> {
        let tls = tls_files(settings)?;
        let trusted_proxies = settings
            .trusted_proxies
            .iter()
            .map(|text| parse_net(text))
            .collect::<Result<Vec<_>, _>>()?;
        if !settings.host.is_loopback() && tls.is_none() && trusted_proxies.is_empty() {
            return wrong(format!(
                "HOST is {}, which others can reach, but there is no TLS: set TLS_CERT and TLS_KEY, or, behind a reverse proxy that does TLS, set TRUSTED_PROXIES to its address.",
                settings.host
            ));
        }
        let cors_origins = settings
            .cors_origins
            .iter()
            .map(|text| parse_origin(text))
            .collect::<Result<Vec<_>, _>>()?;
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
        let storage = Storage::check(&settings.storage)?;
        let keys = Keys::read_or_make(&settings.keys, &storage.data_dir)?;
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
            storage,
            keys,
            access_token_life: Duration::from_secs(
                u64::from(settings.access_token_expire_minutes) * 60,
            ),
            session_life: Duration::from_secs(u64::from(settings.session_expire_days) * 86_400),
            bcrypt_cost: settings.bcrypt_cost,
            log_format: settings.log_format,
            log_filter: settings.rust_log.clone(),
            rate_limits: settings.rate_limits == Switch::On,
            limits: Limits {
                content_bytes: settings.max_content_bytes as usize,
                frame_bytes: settings.max_frame_bytes as usize,
                messages_per_second: settings.messages_per_second,
                message_burst: settings.message_burst,
                sockets_per_user: settings.sockets_per_user as usize,
                unacked_per_socket: settings.unacked_per_socket as usize,
            },
            patience: Patience {
                queue_frames: settings.queue_frames as usize,
                queue_bytes: settings.queue_bytes as usize,
                slow_reader: Duration::from_secs(settings.slow_reader_seconds.into()),
                ping_interval: Duration::from_secs(settings.ping_interval_seconds.into()),
                ping_timeout: Duration::from_secs(settings.ping_timeout_seconds.into()),
            },
        })
    }
}

impl Keys {
    /// The given keys; for each that is not given, the one kept in the data folder, made on the first run.
    ///
    /// # Errors
    /// When a key is a sample or too short, or when its file cannot be read or written.
    pub fn read_or_make(settings: &KeySettings, data_dir: &Path) -> Result<Self, ConfigError> {
        let secret_key = match &settings.secret_key {
            Some(key) => check_key("SECRET_KEY", key.expose_secret()).map(|()| key.clone())?,
            None => kept_key(&data_dir.join("secret_key"), "SECRET_KEY")?,
        };
        let encryption_key = match &settings.encryption_key {
            Some(keys) => {
                for key in keys.expose_secret().split(',').map(str::trim) {
                    check_key("ENCRYPTION_KEY", key)?;
                }
                keys.clone()
            }
            None => kept_key(&data_dir.join("encryption_key"), "ENCRYPTION_KEY")?,
        };
        Ok(Self {
            secret_key,
            encryption_key,
        })
    }
}

fn check_key(name: &str, key: &str) -> Result<(), ConfigError> {
    let advice = "make a good one with `parlour keys generate`, or leave it out to have one made on the first run";
    if key.len() < MIN_KEY {
        return wrong(format!(
            "{name} is too short ({} characters, at least {MIN_KEY} are needed): {advice}.",
            key.len()
        ));
    }
    let lower = key.to_lowercase();
    if SAMPLE_WORDS.iter().any(|word| lower.contains(word))
        || key.chars().all(|c| key.starts_with(c))
    {
        return wrong(format!(
            "{name} looks like a sample from a tutorial, which everyone knows: {advice}."
        ));
    }
    Ok(())
}

/// Reads a key from its file, or makes one. The file is written whole, with mode 0600, before it gets its name, so
/// that neither a crash nor a second process can leave half a key.
fn kept_key(path: &Path, name: &str) -> Result<SecretString, ConfigError> {
    match fs::read_to_string(path) {
        Ok(text) if !text.trim().is_empty() => return Ok(text.trim().into()),
        Ok(_) => {
            return wrong(format!(
                "{} is empty: restore it from a backup, or, if nothing was stored yet, delete it.",
                path.display()
            ));
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => {
            return wrong(format!(
                "{} cannot be read ({error}): check its owner and mode.",
                path.display()
            ));
        }
    }
    let key = fernet::Fernet::generate_key();
    match write_private(path, &key) {
        Ok(()) => {
            log::info!(
                "made a new {name} and wrote it to {} (mode 0600): back it up, without it messages cannot be read",
                path.display()
            );
            Ok(key.into())
        }
        // Another process made it between our look and our write: take that one.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => kept_key(path, name),
        Err(error) => wrong(format!(
            "{} cannot be written ({error}): make the folder writable, or set {name}.",
            path.display()
        )),
    }
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    // tempfile makes its files with mode 0600.
    let mut file =
        tempfile::NamedTempFile::new_in(path.parent().unwrap_or_else(|| Path::new(".")))?;
    writeln!(file, "{text}")?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path).map_err(|error| error.error)?;
    Ok(())
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

fn tls_files(settings: &Settings) -> Result<Option<TlsFiles>, ConfigError> {
    let (Some(cert), Some(key)) = (&settings.tls_cert, &settings.tls_key) else {
        return Ok(None);
    };
    for (name, path) in [("TLS_CERT", cert), ("TLS_KEY", key)] {
        if let Err(error) = fs::File::open(path) {
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

fn parse_net(text: &str) -> Result<IpNet, ConfigError> {
    let text = text.trim();
    text.parse::<IpNet>()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .map_err(|_| {
            ConfigError(format!(
                "TRUSTED_PROXIES holds `{text}`, which is neither an address (10.0.0.7) nor a network (10.0.0.0/8)."
            ))
        })
}

fn parse_origin(text: &str) -> Result<String, ConfigError> {
    let text = text.trim();
    let url = url::Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"));
    match url.map(|url| url.origin().ascii_serialization()) {
        Some(origin) if origin == text.trim_end_matches('/') => Ok(origin),
        _ => wrong(format!(
            "CORS_ORIGINS holds `{text}`, which is not an origin: write each like https://chat.example.org, without a path; `*` is not allowed."
        )),
    }
}

/// Reads `.env` in the working folder, if there is one, into the environment; what is set already stays.
///
/// # Errors
/// When the file is there but cannot be read.
pub fn load_dotenv() -> Result<(), ConfigError> {
    match dotenvy::dotenv() {
        Ok(_) => Ok(()),
        Err(error) if error.not_found() => Ok(()),
        // The error of dotenvy quotes the line, which may hold a key.
        Err(dotenvy::Error::LineParse(_, column)) => wrong(format!(
            "A line of .env is not of the form NAME=value (around column {column}): put values with spaces or # in quotes."
        )),
        Err(_) => wrong("There is a .env file, but it cannot be read: check its owner and mode."),
    }
}

/// Where the terminal client keeps what must outlive it (its login): `$XDG_STATE_HOME/parlour` or `~/.local/state/parlour`.
#[must_use]
pub fn client_state_dir() -> Option<PathBuf> {
    let from = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    from("XDG_STATE_HOME")
        .or_else(|| from("HOME").map(|home| home.join(".local/state")))
        .map(|dir| dir.join("parlour"))
}

/// Where this very program lies, for what it starts again as a process of its own.
///
/// # Errors
/// When the system does not say.
pub fn current_binary() -> Result<PathBuf, ConfigError> {
    std::env::current_exe().map_err(|error| {
        ConfigError(format!(
            "This program cannot find its own file ({error}): is /proc mounted?"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_url_is_understood_or_refused_with_a_sentence() {
        assert_eq!(
            DatabaseUrl::parse("sqlite://./x.db"),
            Ok(DatabaseUrl::Sqlite("./x.db".into()))
        );
        assert_eq!(
            DatabaseUrl::parse("sqlite:///var/x.db"),
            Ok(DatabaseUrl::Sqlite("/var/x.db".into()))
        );
        assert!(matches!(
            DatabaseUrl::parse("postgres://u:p@h/db"),
            Ok(DatabaseUrl::Postgres(_))
        ));
        for text in [
            "mysql://h/db",
            "",
            "parlour.db",
            "sqlite://",
            "postgres:// bad host",
        ] {
            assert!(DatabaseUrl::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_password_of_a_database_url_is_never_printed() {
        let url =
            DatabaseUrl::parse("postgres://parlour:hunter2@db.example/chat").expect("a good URL");
        assert_eq!(
            format!("{url} {url:?}"),
            "postgres://db.example/chat postgres://db.example/chat"
        );
    }

    #[test]
    fn sample_and_short_keys_are_refused() {
        for key in [
            "short",
            "your-secret-key-here-change-in-production",
            &"a".repeat(40),
        ] {
            assert!(check_key("SECRET_KEY", key).is_err(), "{key}");
        }
        assert_eq!(
            check_key("SECRET_KEY", &fernet::Fernet::generate_key()),
            Ok(())
        );
    }

    #[test]
    fn an_origin_is_exact() {
        assert_eq!(
            parse_origin("https://chat.example.org/"),
            Ok("https://chat.example.org".into())
        );
        for text in [
            "*",
            "chat.example.org",
            "https://chat.example.org/app",
            "ftp://x",
            "null",
        ] {
            assert!(parse_origin(text).is_err(), "{text}");
        }
    }
}
