//! The settings: flags, then environment, then `.env`, read and checked once, at start. This is the only room that
//! reads the environment. Secrets are wrapped, so that printing a configuration never shows them.

#![allow(
    clippy::doc_markdown,
    reason = "the comments on settings are the text of --help, where backticks would be in the way"
)]

mod authority;
mod checked;
mod database_url;
mod dotenv;
mod environment;
mod keys;
mod lists;
mod log_filter;
pub mod misspelled;
mod postgres_url;

use std::{fmt, net::IpAddr, ops::RangeInclusive, path::PathBuf};

use clap::{Args, ValueEnum, builder::RangedI64ValueParser};
use secrecy::SecretString;

use crate::protocol::limits::Limits;

pub use self::{
    authority::{Authority, Origin},
    checked::{Config, SocketLimits, Storage, TlsFiles, about_registration, weaknesses},
    database_url::DatabaseUrl,
    dotenv::{load_dotenv, load_env_file},
    environment::{
        arguments, colour_is_wanted, colour_is_wanted_in_log, current_binary, program_folders,
    },
    keys::{FoundKey, Keys, doubts as doubts_of_keys, passed_over},
    lists::doubts,
    log_filter::check_log_filter,
};

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

/// Who may make an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Registration {
    /// Everyone who reaches the server.
    Open,
    /// No one: the people who run the server add others.
    Closed,
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
    /// Database connections for everything except storing messages, which has its own
    #[arg(long, env = "DATABASE_POOL_SIZE", value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub database_pool_size: u32,
    /// Seconds to wait at start until PostgreSQL is up; a wrong password or name is not waited for
    #[arg(long, env = "DATABASE_WAIT_SECONDS", value_name = "S", default_value_t = 60, value_parser = clap::value_parser!(u32).range(0..=86_400))]
    pub database_wait_seconds: u32,
}

/// The keys. None given: made on the first run and kept in the data folder.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Keys (made on the first run when not given)")]
pub struct KeySettings {
    /// Signs access tokens; at least 32 characters
    #[arg(long, env = "SECRET_KEY", value_name = "TEXT", hide_env_values = true)]
    pub secret_key: Option<SecretString>,
    /// Encrypts messages at rest: Fernet keys, separated by commas; the first encrypts, all of them decrypt
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
    /// Port to listen on; 0 picks a free one and prints it
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
    #[arg(long, env = "TLS_CERT", value_name = "FILE", help_heading = "Network")]
    pub tls_cert: Option<PathBuf>,
    /// Private key (PEM) for HTTPS; needs TLS_CERT too
    #[arg(long, env = "TLS_KEY", value_name = "FILE", help_heading = "Network")]
    pub tls_key: Option<PathBuf>,
    /// Addresses or networks of reverse proxies whose X-Forwarded-For is trusted, separated by commas.
    /// Without TLS, Parlour listens for other machines only when this is set
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

    /// Host names of this server, separated by commas; requests for other names are refused. Addresses and localhost need no
    /// entry. If not set: any name behind TRUSTED_PROXIES or with TLS_CERT, no name when it listens for this machine alone
    #[arg(
        long,
        env = "ALLOWED_HOSTS",
        value_name = "NAMES",
        value_delimiter = ',',
        help_heading = "Network"
    )]
    pub allowed_hosts: Vec<String>,

    /// Where messages live.
    #[command(flatten)]
    pub storage: StorageSettings,
    /// The keys.
    #[command(flatten)]
    pub keys: KeySettings,

    /// Who may register: everyone (open), or no one, so that you add people with `parlour users add` (closed). If not set:
    /// only people on this machine, as long as Parlour listens on loopback and TRUSTED_PROXIES is empty
    #[arg(
        long,
        env = "REGISTRATION",
        value_name = "open|closed",
        help_heading = "Accounts"
    )]
    pub registration: Option<Registration>,
    /// Minutes until an access token expires
    #[arg(long, env = "ACCESS_TOKEN_EXPIRE_MINUTES", value_name = "MINUTES", default_value_t = 30, help_heading = "Accounts", value_parser = clap::value_parser!(u32).range(1..=1440))]
    pub access_token_expire_minutes: u32,
    /// Days after which an unused login ends
    #[arg(long, env = "SESSION_EXPIRE_DAYS", value_name = "DAYS", default_value_t = 30, help_heading = "Accounts", value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub session_expire_days: u32,
    /// Work factor of password hashes; each step doubles the time
    #[arg(long, env = "BCRYPT_COST", value_name = "4-16", default_value_t = 12, help_heading = "Accounts", value_parser = clap::value_parser!(u32).range(4..=16))]
    pub bcrypt_cost: u32,

    /// Format of the log: text for people, json for programs. RUST_LOG says how much is logged
    #[arg(
        long,
        env = "LOG_FORMAT",
        value_name = "FORMAT",
        default_value = "text",
        help_heading = "Log"
    )]
    pub log_format: LogFormat,
    /// What is logged: a level (error, warn, info, debug, trace), or levels for modules, as env_logger takes them
    #[arg(
        long,
        env = "RUST_LOG",
        value_name = "FILTER",
        default_value = "info",
        help_heading = "Log"
    )]
    pub rust_log: String,

    /// Rate limits; turn them off for load tests only
    #[arg(
        long,
        env = "RATE_LIMITS",
        value_name = "on|off",
        default_value = "on",
        help_heading = "Limits"
    )]
    pub rate_limits: Switch,
    /// Longest content of a message, in bytes
    #[arg(long, env = "MAX_CONTENT_BYTES", value_name = "BYTES", default_value_t = Limits::DEFAULT.content_bytes, help_heading = "Limits", value_parser = between::<usize>(1..=1_048_576))]
    pub max_content_bytes: usize,
    /// Longest WebSocket message and JSON body, in bytes
    #[arg(long, env = "MAX_FRAME_BYTES", value_name = "BYTES", default_value_t = Limits::DEFAULT.frame_bytes, help_heading = "Limits", value_parser = between::<usize>(1_024..=4_194_304))]
    pub max_frame_bytes: usize,
    /// Messages a second that a user may send, on average
    #[arg(long, env = "MESSAGES_PER_SECOND", value_name = "N", default_value_t = Limits::DEFAULT.messages_per_second, help_heading = "Limits", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub messages_per_second: u32,
    /// Messages that a user may send at once
    #[arg(long, env = "MESSAGE_BURST", value_name = "N", default_value_t = Limits::DEFAULT.message_burst, help_heading = "Limits", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub message_burst: u32,
    /// Sockets that a user may have open
    #[arg(long, env = "SOCKETS_PER_USER", value_name = "N", default_value_t = Limits::DEFAULT.sockets_per_user, help_heading = "Limits", value_parser = between::<usize>(1..=100_000))]
    pub sockets_per_user: usize,
    /// Logins that a user may have; one more ends the one that has been unused for longest
    #[arg(long, env = "SESSIONS_PER_USER", value_name = "N", default_value_t = 50, help_heading = "Limits", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub sessions_per_user: u32,
    /// Messages that may wait for their ack on one socket
    #[arg(long, env = "UNACKED_PER_SOCKET", value_name = "N", default_value_t = Limits::DEFAULT.unacked_per_socket, help_heading = "Limits", value_parser = between::<usize>(1..=10_000))]
    pub unacked_per_socket: usize,
    /// Frames that may wait for a slow reader before it is sent `lag`
    #[arg(long, env = "QUEUE_FRAMES", value_name = "N", default_value_t = Limits::DEFAULT.queue_frames, help_heading = "Limits", value_parser = between::<usize>(8..=65_536))]
    pub queue_frames: usize,
    /// Bytes that may wait for a slow reader before it is sent `lag`
    #[arg(long, env = "QUEUE_BYTES", value_name = "BYTES", default_value_t = Limits::DEFAULT.queue_bytes, help_heading = "Limits", value_parser = between::<usize>(65_536..=67_108_864))]
    pub queue_bytes: usize,
    /// Seconds after which a reader that takes no byte is cut off (4008)
    #[arg(long, env = "SLOW_READER_SECONDS", value_name = "S", default_value_t = Limits::DEFAULT.slow_reader_ms / 1_000, help_heading = "Limits", value_parser = between::<u64>(1..=600))]
    pub slow_reader_seconds: u64,
    /// Seconds that an HTTP connection may idle between two requests
    #[arg(long, env = "KEEP_ALIVE_SECONDS", value_name = "S", default_value_t = 75, help_heading = "Limits", value_parser = clap::value_parser!(u32).range(1..=3_600))]
    pub keep_alive_seconds: u32,
    /// Connections without a WebSocket that one address may hold (TRUSTED_PROXIES are not counted)
    #[arg(long, env = "CONNECTIONS_PER_ADDRESS", value_name = "N", default_value_t = 1_024, help_heading = "Limits", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub connections_per_address: u32,
    /// Seconds between two pings
    #[arg(long, env = "PING_INTERVAL_SECONDS", value_name = "S", default_value_t = 25, help_heading = "Limits", value_parser = clap::value_parser!(u32).range(1..=3_600))]
    pub ping_interval_seconds: u32,
    /// Seconds to answer a ping
    #[arg(long, env = "PING_TIMEOUT_SECONDS", value_name = "S", default_value_t = Limits::DEFAULT.ping_timeout_ms / 1_000, help_heading = "Limits", value_parser = between::<u64>(1..=3_600))]
    pub ping_timeout_seconds: u64,
}

/// A whole number of this range, of the type that the setting has.
fn between<T>(range: RangeInclusive<i64>) -> RangedI64ValueParser<T>
where
    T: TryFrom<i64> + Clone + Send + Sync,
{
    RangedI64ValueParser::new().range(range)
}
