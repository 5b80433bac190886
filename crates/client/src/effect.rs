//! What a client asks of the network ([`Effect`]), and what comes of it ([`Event`]): plain data, so that the one who
//! decides and the one who does need not know each other.

use secrecy::SecretString;

use crate::{
    api::{Answer, Ask, Page, Query},
    link::Millis,
    protocol::{command::Request, event},
};

/// Something to do.
#[derive(Debug)]
pub enum Effect {
    /// Log in, after registering if asked to.
    LogIn {
        /// Make the account first.
        register: bool,
        /// The name.
        username: String,
        /// The password.
        password: SecretString,
    },
    /// End the login, here and on the server.
    LogOut,
    /// Open a socket under this number.
    Open {
        /// Which socket this will be.
        attempt: u64,
        /// Refresh the token first.
        fresh: bool,
    },
    /// Drop the socket.
    Drop,
    /// Send a frame.
    Say(Request),
    /// Fetch messages.
    Fetch(Fetch),
    /// Ask something about rooms.
    Ask(Ask),
}

/// Messages to fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetch {
    /// Of which room.
    pub room: String,
    /// Which.
    pub query: Query,
    /// Tells this fetch from all others.
    pub tag: u64,
}

/// What comes of it.
pub enum Event {
    /// We are logged in as this user.
    LoggedIn(String),
    /// Logging in or registering did not work.
    LoginFailed(String),
    /// The login is over: the server does not take it any more.
    LoginEnded(String),
    /// The login is forgotten here, but the server could not be told that it is over, and why.
    LogoutUntold(String),
    /// Socket number `attempt` brought a frame.
    Frame {
        /// Which socket.
        attempt: u64,
        /// What it said.
        frame: Box<event::Event>,
    },
    /// Socket number `attempt` gave a sign of life.
    Heard {
        /// Which socket.
        attempt: u64,
    },
    /// Socket number `attempt` has closed or could not be opened.
    Closed {
        /// Which socket.
        attempt: u64,
        /// The close code, if there was one.
        code: Option<u16>,
        /// What happened, for the user.
        why: String,
        /// When the server wants us back, if it said so.
        after: Option<Millis>,
    },
    /// The answer to what was asked about rooms.
    Answer {
        /// What was asked.
        ask: Ask,
        /// What came of it, or a sentence.
        result: Result<Answer, String>,
    },
    /// The answer to a fetch.
    Page {
        /// What was asked.
        fetch: Fetch,
        /// The messages, or a sentence.
        result: Result<Page, String>,
    },
}
