//! The network: does effects, and reports what comes of them as events. It decides nothing.

use std::{rc::Rc, time::Duration};

use secrecy::{ExposeSecret as _, SecretString};
use tokio::{
    sync::{
        Semaphore,
        mpsc::{self, UnboundedSender},
    },
    task::{JoinHandle, spawn_local},
    time::sleep,
};

use crate::{
    api::{Api, Ask, Failure},
    effect::{Effect, Event, Fetch},
    login::Account,
    protocol::{close, command::Request},
    socket::{self, End, Socket},
};

/// Most fetches at once: half of what the server lets one user have under way.
const MOST_FETCHES: usize = 4;
/// How often what is too much at the moment is asked for before that is said.
const MOST_TRIES: usize = 20;
/// Within this time after the end of a login its socket tells why it has ended; whoever asked for something meanwhile does not know.
const TOLD_WITHIN: Duration = Duration::from_secs(1);
/// How long to wait when the server does not say how long, and longest wait.
const TOO_MANY_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Does effects. Nothing here waits: each effect runs on its own and ends in an event.
pub struct Net {
    api: Api,
    account: Account,
    events: UnboundedSender<Event>,
    socket: Option<OpenSocket>,
    /// The fetches that may be under way: whoever is in hundreds of rooms would else ask for all of them at once, be
    /// refused, and take from other programs of the same user what they may ask for.
    fetching: Rc<Semaphore>,
}

struct OpenSocket {
    requests: UnboundedSender<Request>,
    task: JoinHandle<()>,
}

impl Drop for OpenSocket {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Net {
    /// Does effects for `account` and reports to `events`.
    #[must_use]
    pub fn new(api: Api, account: Account, events: UnboundedSender<Event>) -> Self {
        Self {
            api,
            account,
            events,
            socket: None,
            fetching: Rc::new(Semaphore::new(MOST_FETCHES)),
        }
    }

    /// Does one effect. The returned task is done when the effect is.
    pub fn perform(&mut self, effect: Effect) -> Option<JoinHandle<()>> {
        match effect {
            Effect::LogIn {
                register,
                username,
                password,
            } => Some(self.log_in(register, username, password)),
            Effect::LogOut => {
                let account = self.account.clone();
                let events = self.events.clone();
                Some(spawn_local(async move {
                    if let Err(failure) = account.log_out().await {
                        // Err: no one waits for it any more.
                        let _ = events.send(Event::LogoutUntold(sentence(&failure)));
                    }
                }))
            }
            Effect::Open { attempt, fresh } => {
                self.socket = Some(self.open(attempt, fresh));
                None
            }
            Effect::Drop => {
                self.socket = None;
                None
            }
            Effect::Say(request) => {
                if let Some(socket) = &self.socket {
                    // Err: the socket has closed, and its `Closed` event is on its way.
                    let _ = socket.requests.send(request);
                }
                None
            }
            Effect::Fetch(fetch) => Some(self.fetch(fetch)),
            Effect::Ask(ask) => Some(self.ask(ask)),
        }
    }

    fn log_in(&self, register: bool, username: String, password: SecretString) -> JoinHandle<()> {
        let (api, account, events) = (self.api.clone(), self.account.clone(), self.events.clone());
        spawn_local(async move {
            let log_in = async {
                let password = password.expose_secret();
                if register {
                    api.register(&username, password).await?;
                }
                account.log_in(&username, password).await
            };
            let event = match log_in.await {
                Ok(()) => Event::LoggedIn(username),
                Err(failure) => Event::LoginFailed(sentence(&failure)),
            };
            let _ = events.send(event);
        })
    }

    fn open(&self, attempt: u64, fresh: bool) -> OpenSocket {
        let (account, events) = (self.account.clone(), self.events.clone());
        let (requests, received) = mpsc::unbounded_channel();
        let task = spawn_local(async move {
            let event = match connect(&account, fresh).await {
                Ok(socket) => {
                    let End { code, why } = socket::serve(socket, attempt, received, &events).await;
                    Event::Closed {
                        attempt,
                        code,
                        why,
                        after: None,
                    }
                }
                Err(Failure::LoginEnded(detail)) => Event::LoginEnded(detail),
                Err(failure) => Event::Closed {
                    attempt,
                    code: close_code(&failure),
                    why: failure.sentence().to_owned(),
                    after: failure
                        .retry_after()
                        .and_then(|after| u64::try_from(after.as_millis()).ok()),
                },
            };
            let _ = events.send(event);
        });
        OpenSocket { requests, task }
    }

    fn ask(&self, ask: Ask) -> JoinHandle<()> {
        let (account, events) = (self.account.clone(), self.events.clone());
        spawn_local(async move {
            let asked = account
                .with_bearer(async |api, bearer| api.ask(bearer, &ask).await)
                .await;
            let event = match asked {
                Ok(answer) => Event::Answer {
                    ask,
                    result: Ok(answer),
                },
                Err(Failure::LoginEnded(detail)) => {
                    tokio::time::sleep(TOLD_WITHIN).await;
                    Event::LoginEnded(detail)
                }
                Err(failure) => Event::Answer {
                    ask,
                    result: Err(sentence(&failure)),
                },
            };
            let _ = events.send(event);
        })
    }

    fn fetch(&self, fetch: Fetch) -> JoinHandle<()> {
        let (account, events) = (self.account.clone(), self.events.clone());
        let fetching = Rc::clone(&self.fetching);
        spawn_local(async move {
            let Fetch { room, query, .. } = &fetch;
            // It is never closed.
            let _place = fetching.acquire().await;
            let mut tries = 1;
            let read = loop {
                let read = account
                    .with_bearer(async |api, bearer| api.messages(bearer, room, *query).await)
                    .await;
                match read {
                    // The others wait as well.
                    Err(Failure::Refused {
                        status: 429,
                        retry_after,
                        ..
                    }) if tries < MOST_TRIES => {
                        sleep(retry_after.unwrap_or(TOO_MANY_PAUSE).min(LONGEST_PAUSE)).await;
                        tries += 1;
                    }
                    read => break read,
                }
            };
            let result = match read {
                Ok(page) => Ok(page),
                Err(Failure::LoginEnded(detail)) => {
                    let _ = events.send(Event::LoginEnded(detail));
                    return;
                }
                Err(failure) => Err(sentence(&failure)),
            };
            let _ = events.send(Event::Page { fetch, result });
        })
    }
}

async fn connect(account: &Account, fresh: bool) -> Result<Socket, Failure> {
    if fresh {
        account.renew().await?;
    }
    account
        .with_bearer(async |api, bearer| api.open(bearer).await)
        .await
}

/// A refusal of the handshake as the close code that says the same.
fn close_code(failure: &Failure) -> Option<u16> {
    match failure {
        Failure::Refused { status: 401, .. } => Some(close::TOKEN_EXPIRED),
        Failure::Refused { status: 403, .. } => Some(close::POLICY),
        Failure::Refused { status: 429, .. } => Some(close::TOO_MANY),
        _ => None,
    }
}

/// The failure as a whole sentence.
#[must_use]
pub fn sentence(failure: &Failure) -> String {
    match failure {
        Failure::Unreachable(why) => format!("{why}: check that it runs, and the address."),
        Failure::Refused { .. }
        | Failure::Untrusted(_)
        | Failure::LoginEnded(_)
        | Failure::Unusable(_) => failure.sentence().to_owned(),
    }
}
