//! Who may know whom, and who may name which crate.

/// A room, and the rooms that it may know.
pub type Room = (&'static str, &'static [&'static str]);

/// The packages beside the server, and those of ours that each may know. None knows the server's library.
pub const PACKAGES: &[Room] = &[
    ("protocol", &[]),
    ("output", &[]),
    ("client", &["protocol"]),
    ("tui", &["client", "output", "protocol"]),
    ("lab", &["client", "output", "protocol"]),
    ("tests", &["client", "lab", "protocol"]),
];

/// Doors know `chat`; `chat` knows the stores; all know `protocol` and `error`. It never goes the other way.
pub const ROOMS: &[Room] = &[
    ("error", &["protocol"]),
    ("protocol", &[]),
    ("config", &["protocol", "error", "ownership"]),
    ("ownership", &[]),
    ("address", &[]),
    ("clock", &["protocol"]),
    ("logging", &["protocol", "config"]),
    ("gate", &["error"]),
    ("crypto", &["error"]),
    ("rights", &["protocol", "error"]),
    ("db", &["protocol", "error", "config", "gate", "ownership"]),
    (
        "journal",
        &[
            "protocol", "error", "clock", "config", "gate", "crypto", "rights", "db",
        ],
    ),
    ("hub", &["protocol", "error", "config"]),
    // The bundle is for the doors: a noun of `chat` takes the handles that it needs, and does not know it.
    ("app", &["config", "crypto", "hub", "chat"]),
    (
        "start",
        &[
            "protocol", "clock", "config", "gate", "crypto", "db", "journal", "hub", "chat", "app",
        ],
    ),
    (
        "chat",
        &[
            "protocol",
            "error",
            "config",
            "gate",
            "crypto",
            "rights",
            "db",
            "journal",
            "hub",
            "clock",
            "ownership",
            "address",
        ],
    ),
    ("ws", &["protocol", "error", "config", "app", "chat", "hub"]),
    (
        "http",
        &[
            "protocol", "error", "config", "logging", "address", "start", "app", "chat", "hub",
            "ws",
        ],
    ),
    // The demo is people at a client, so it speaks to its server with the client's code.
    (
        "ops",
        &[
            "protocol",
            "error",
            "config",
            "gate",
            "crypto",
            "db",
            "logging",
            "start",
            "chat",
            "http",
            "printing",
            "ownership",
        ],
    ),
];

/// These put the rooms together, so they may know all of them.
pub const DOORSTEPS: &[&str] = &["main", "lib", "cli"];

/// A path that only some rooms may name.
pub const KEPT: &[Room] = &[
    ("diesel", &["db"]),
    ("diesel_migrations", &["db"]),
    ("r2d2", &["db"]),
    ("actix", &["hub", "ws"]),
    ("actix_web_actors", &["ws"]),
    ("actix_web", &["ws", "http"]),
    ("actix_server", &["http"]),
    ("actix_service", &["http", "client"]),
    ("actix_http", &["http", "client"]),
    ("actix_codec", &["http", "client"]),
    ("awc", &["client"]),
    ("tungstenite", &["lab/raw/socket"]),
    ("ratatui", &["tui"]),
    ("crossterm", &["tui"]),
    ("parlour_client", &["tui", "lab", "ops"]),
    ("parlour_tui", &["cli", "ops"]),
    (
        "std::env",
        &["config", "tui/settings", "client/trust", "lab/rig/binary"],
    ),
];
