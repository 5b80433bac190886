//! The connection, as a pure machine: when to open a socket, when to take it for dead, how long to wait before the
//! next try, and what to tell the user about it.

/// Chance. It is given a seed, so that a run can be repeated.
pub use fastrand::Rng;

use crate::protocol::{close, event::Connected};

/// Milliseconds since the program started.
pub type Millis = u64;

/// Longest wait between two tries.
const MAX_WAIT: Millis = 30_000;
/// The first wait is somewhere between nothing and this; each failure doubles it.
const FIRST_WAIT: Millis = 500;
/// A socket that lived this long was a good one: the next wait starts small again.
const GOOD_LIFE: Millis = 5_000;
/// How long a new socket may take to say hello.
const HELLO_TIME: Millis = 20_000;
/// The wait after "too many sockets": others of ours must go first.
const CROWDED_WAIT: Millis = 20_000;

/// Where the connection stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// A socket is being opened.
    Connecting {
        /// Since when.
        since: Millis,
    },
    /// A socket is open and has said hello.
    Connected {
        /// Since when.
        since: Millis,
        /// When something was last heard.
        heard: Millis,
        /// When the last ping was sent.
        pinged: Millis,
        /// How often the server gives a sign of life.
        heartbeat: Millis,
    },
    /// The next try comes by itself.
    Waiting {
        /// When.
        until: Millis,
        /// What happened.
        why: String,
    },
    /// No further try until the user asks for one.
    Offline {
        /// What happened.
        why: String,
    },
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Open a socket under this number; with a fresh token, if the last one was refused.
    Open {
        /// Tells this socket's frames from those of earlier ones.
        attempt: u64,
        /// Whether to refresh the token first.
        fresh: bool,
    },
    /// Drop the socket: it is dead.
    Drop,
    /// Ask for a sign of life.
    Ping,
    /// The login has ended: log in again.
    LogIn,
}

/// The connection.
#[derive(Debug, Clone)]
pub struct Link {
    status: Status,
    attempt: u64,
    failures: u32,
    fresh: bool,
    /// The server said when to come back.
    return_after: Option<Millis>,
}

impl Default for Link {
    fn default() -> Self {
        Self {
            status: Status::Offline {
                why: "not connected yet".into(),
            },
            attempt: 0,
            failures: 0,
            fresh: false,
            return_after: None,
        }
    }
}

impl Link {
    /// Where the connection stands.
    #[must_use]
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// Whether a socket is open and has said hello.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        matches!(self.status, Status::Connected { .. })
    }

    /// Whether a frame or closing of socket number `attempt` is about the socket of now.
    #[must_use]
    pub fn is_current(&self, attempt: u64) -> bool {
        attempt == self.attempt
            && matches!(
                self.status,
                Status::Connecting { .. } | Status::Connected { .. }
            )
    }

    /// Opens a socket now.
    pub fn open(&mut self, now: Millis) -> Act {
        self.attempt += 1;
        self.return_after = None;
        self.status = Status::Connecting { since: now };
        Act::Open {
            attempt: self.attempt,
            fresh: std::mem::take(&mut self.fresh),
        }
    }

    /// The socket has said hello.
    pub fn connected(&mut self, now: Millis, hello: &Connected) {
        self.status = Status::Connected {
            since: now,
            heard: now,
            pinged: now,
            heartbeat: hello.heartbeat_ms.max(1_000),
        };
    }

    /// Something came on the socket.
    pub fn heard(&mut self, now: Millis) {
        if let Status::Connected { heard, .. } = &mut self.status {
            *heard = now;
        }
    }

    /// The server asked to come back after this time.
    pub fn return_after(&mut self, after: Millis) {
        self.return_after = Some(after.min(MAX_WAIT));
    }

    /// The socket has closed, or could not be opened.
    pub fn closed(
        &mut self,
        now: Millis,
        code: Option<u16>,
        why: String,
        rng: &mut Rng,
    ) -> Vec<Act> {
        if let Status::Connected { since, .. } = self.status
            && now.saturating_sub(since) >= GOOD_LIFE
        {
            self.failures = 0;
        }
        match code {
            Some(close::REVOKED) => {
                self.status = Status::Offline { why };
                return vec![Act::LogIn];
            }
            Some(close::TOKEN_EXPIRED) => {
                self.fresh = true;
                if self.failures == 0 {
                    self.failures = 1;
                    return vec![self.open(now)];
                }
                self.wait(now, why, rng);
            }
            Some(close::TOO_MANY) => {
                self.return_after.get_or_insert(CROWDED_WAIT);
                self.wait(now, why, rng);
            }
            Some(code) if !close::is_worth_returning(code) => {
                self.status = Status::Offline { why };
            }
            _ => self.wait(now, why, rng),
        }
        Vec::new()
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Millis, rng: &mut Rng) -> Vec<Act> {
        match &mut self.status {
            Status::Waiting { until, .. } if *until <= now => vec![self.open(now)],
            Status::Connecting { since } if now.saturating_sub(*since) > HELLO_TIME => {
                self.wait(now, "the server does not answer".into(), rng);
                vec![Act::Drop]
            }
            Status::Connected {
                heard,
                pinged,
                heartbeat,
                ..
            } => {
                if now.saturating_sub(*heard) > 2 * *heartbeat {
                    self.wait(now, "the line went silent".into(), rng);
                    vec![Act::Drop]
                } else if now.saturating_sub(*pinged) >= *heartbeat {
                    *pinged = now;
                    vec![Act::Ping]
                } else {
                    Vec::new()
                }
            }
            _ => Vec::new(),
        }
    }

    /// Takes the connection down; no further try comes by itself.
    pub fn stop(&mut self, why: &str) {
        self.status = Status::Offline { why: why.into() };
    }

    /// Full jitter: anything between nothing and a bound that doubles with each failure, so that the clients of a
    /// server that went down do not all come back in the same moment. What the server asked for comes on top: it may
    /// have asked many for the same.
    fn wait(&mut self, now: Millis, why: String, rng: &mut Rng) {
        let bound = FIRST_WAIT
            .saturating_mul(1 << self.failures.min(10))
            .min(MAX_WAIT);
        let wait = self.return_after.take().unwrap_or_default() + rng.u64(0..=bound);
        self.failures = self.failures.saturating_add(1);
        self.status = Status::Waiting {
            until: now + wait,
            why,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::limits::Limits;

    fn hello() -> Connected {
        Connected {
            user_id: 1,
            username: "alice".into(),
            session: 1,
            epoch: "e".into(),
            heartbeat_ms: 25_000,
            limits: Limits::default(),
            rooms: Vec::new(),
            more_rooms: 0,
            settings: crate::protocol::people::Settings::default(),
            online: Vec::new(),
        }
    }

    fn connected(now: Millis) -> (Link, Rng) {
        let mut link = Link::default();
        link.open(now);
        link.connected(now, &hello());
        (link, Rng::with_seed(7))
    }

    fn wait_of(link: &Link, now: Millis) -> Millis {
        match link.status() {
            Status::Waiting { until, .. } => until - now,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn waits_grow_with_each_failure_and_differ() {
        let mut waits = Vec::new();
        let mut link = Link::default();
        let mut rng = Rng::with_seed(7);
        for failure in 0..20 {
            link.open(0);
            link.closed(0, None, "refused".into(), &mut rng);
            let wait = wait_of(&link, 0);
            assert!(wait <= (FIRST_WAIT << failure).min(MAX_WAIT));
            waits.push(wait);
        }
        assert!(waits[10..].iter().any(|wait| *wait > 5_000), "{waits:?}");
        waits.dedup();
        assert!(waits.len() > 15, "{waits:?}");
    }

    #[test]
    fn a_server_that_says_when_to_return_is_obeyed() {
        let (mut link, mut rng) = connected(0);
        link.return_after(1_234);
        link.closed(
            0,
            Some(close::SHUTTING_DOWN),
            "shutting down".into(),
            &mut rng,
        );
        let wait = wait_of(&link, 0);
        assert!(
            (1_234..=1_234 + FIRST_WAIT).contains(&wait),
            "not before, and not much later: {wait}"
        );
        assert_eq!(link.tick(1_233, &mut rng), []);
        assert!(matches!(
            link.tick(wait, &mut rng)[..],
            [Act::Open { fresh: false, .. }]
        ));
    }

    #[test]
    fn many_that_were_told_the_same_do_not_return_in_the_same_moment() {
        let mut waits: Vec<_> = (0..20)
            .map(|seed| {
                let (mut link, _) = connected(0);
                link.return_after(1_000);
                link.closed(0, None, "busy".into(), &mut Rng::with_seed(seed));
                wait_of(&link, 0)
            })
            .collect();
        waits.sort_unstable();
        waits.dedup();
        assert!(waits.len() > 10, "{waits:?}");
    }

    #[test]
    fn an_expired_token_is_refreshed_at_once_but_not_in_a_circle() {
        let (mut link, mut rng) = connected(0);
        let acts = link.closed(0, Some(close::TOKEN_EXPIRED), "expired".into(), &mut rng);
        assert!(matches!(acts[..], [Act::Open { fresh: true, .. }]));
        let acts = link.closed(0, Some(close::TOKEN_EXPIRED), "expired".into(), &mut rng);
        assert_eq!(acts, []);
        assert!(matches!(link.status(), Status::Waiting { .. }));
    }

    #[test]
    fn codes_that_need_a_change_first_end_the_tries() {
        let (mut link, mut rng) = connected(0);
        let acts = link.closed(0, Some(close::REVOKED), "ended".into(), &mut rng);
        assert_eq!(acts, [Act::LogIn]);
        let (mut link, mut rng) = connected(0);
        assert_eq!(
            link.closed(0, Some(close::POLICY), "policy".into(), &mut rng),
            []
        );
        assert!(matches!(link.status(), Status::Offline { .. }));
        let (mut link, mut rng) = connected(0);
        link.closed(0, Some(close::TOO_MANY), "crowded".into(), &mut rng);
        assert!(wait_of(&link, 0) >= CROWDED_WAIT);
    }

    #[test]
    fn silence_is_taken_for_death_after_two_heartbeats() {
        let (mut link, mut rng) = connected(0);
        assert_eq!(link.tick(24_999, &mut rng), []);
        assert_eq!(link.tick(25_000, &mut rng), [Act::Ping]);
        link.heard(25_100);
        assert_eq!(link.tick(50_000, &mut rng), [Act::Ping]);
        assert_eq!(link.tick(75_100, &mut rng), [Act::Ping]);
        assert_eq!(link.tick(75_101, &mut rng), [Act::Drop]);
        assert!(matches!(link.status(), Status::Waiting { .. }));
    }

    #[test]
    fn a_socket_that_never_says_hello_is_given_up() {
        let mut link = Link::default();
        let mut rng = Rng::with_seed(7);
        link.open(0);
        assert_eq!(link.tick(HELLO_TIME, &mut rng), []);
        assert_eq!(link.tick(HELLO_TIME + 1, &mut rng), [Act::Drop]);
    }
}
