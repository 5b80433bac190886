//! Parlour: team chat that one person can host. This is the map; `docs/ARCHITECTURE.md` tells more.
//!
//! How a message travels, whichever door it comes through:
//!
//! 1. [`ws`] (a frame) or [`http`] (a request) reads what a client said, in the words of [`protocol`].
//! 2. [`chat`] holds the rules: who may, how often, how long. It seals the text with the vault of [`crypto`];
//! 3. [`journal`] gathers what waits and commits it as one transaction, through the queries of [`db`]: numbers without
//!    holes, and then a flush to the disk;
//! 4. [`hub`] sends what was committed to the sockets of the room's members, in the order of the numbers;
//! 5. and the sender gets the ack.
//!
//! Nothing is told before it is on the disk. Imports point one way, from the doors inwards; a test holds that up.
//!
//! Where to look:
//!
//! | room | what is found there |
//! |---|---|
//! | [`cli`], [`ops`] | the command line, and what each command does for whoever runs the server |
//! | [`config`] | every setting: read from flags, the environment and `.env`, and checked once |
//! | [`start`], [`app`] | what must be so before anything is served; the handles that the doors then have |
//! | [`ws`] | the socket: handshake, what a client sends, one session for each socket |
//! | [`http`] | everything else that is served: routes, connections, TLS, documents, the page |
//! | [`chat`] | the rules, a file for each noun: accounts, logins, messages, pages of history, limits |
//! | [`hub`] | who is connected where: presence, slow and dead readers, what is sent to whom |
//! | [`journal`] | the queue and the transaction through which messages, and all other changes of rooms, become durable |
//! | [`rights`] | who may do what in a room, and nothing else |
//! | [`db`] | connections to either database, its lock, migrations, and the queries, a file for each noun |
//! | [`crypto`] | passwords, tokens, sealing of texts; no I/O |
//! | [`protocol`] | the words on the wire, a package of its own that clients share |
//! | [`error`] | the one error type; its codes are in [`protocol`] |
//! | [`gate`] | threads and bounded queues for work that blocks |
//! | [`logging`], [`clock`], [`address`], [`ownership`], [`printing`] | small things that several rooms need |

pub mod address;
pub mod app;
pub mod chat;
pub mod cli;
pub mod clock;
pub mod config;
pub mod crypto;
pub mod db;
pub mod error;
pub mod gate;
pub mod http;
pub mod hub;
pub mod journal;
pub mod logging;
pub mod ops;
pub mod ownership;
pub mod rights;
pub mod start;
pub mod ws;

pub use parlour_output as printing;
pub use parlour_protocol as protocol;
