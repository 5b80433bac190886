//! Someone at a client. What speaks to the server here is the client's own code.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use parlour_client::{
    api::{Api, Failure, Query},
    socket::{Heard, Socket},
};
use url::Url;

use super::{Broken, Result, demand};
use crate::protocol::{
    GENERAL,
    command::{Command, Request, SendMessage, Sync},
    event::{Ack, Event, Notice},
    message::Message,
};

/// How long the server may take for anything. The machine may be busy.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A person with an account.
pub struct Person {
    /// The name.
    pub name: &'static str,
    /// The id.
    pub id: i64,
    /// What came in on the socket since it was looked at last.
    pub inbox: Vec<Message>,
    api: Api,
    password: &'static str,
    bearer: String,
    socket: Option<Socket>,
    /// The latest change that this person knows of.
    seq: u64,
    requests: u32,
}

impl Person {
    /// Makes an account.
    pub async fn register(
        server: &Url,
        name: &'static str,
        password: &'static str,
    ) -> Result<Self> {
        let api = Api::new(server).map_err(|failure| Broken::new(failure.sentence()))?;
        let user = api.register(name, password).await.map_err(|failure| {
            Broken::new(format!(
                "{name} could not register: {}.",
                failure.sentence().trim_end_matches('.')
            ))
        })?;
        Ok(Self {
            name,
            id: user.id,
            inbox: Vec::new(),
            api,
            password,
            bearer: String::new(),
            socket: None,
            seq: 0,
            requests: 0,
        })
    }

    /// Tries a password that is not the right one; tells what the server answered.
    pub async fn mistype(&self) -> Result<String> {
        match self.api.log_in(self.name, "correct house battery").await {
            Err(Failure::Refused {
                status: 401,
                detail,
                ..
            }) => Ok(detail),
            Ok(_) => Err(Broken::new("A wrong password was taken for the right one.")),
            Err(failure) => Err(self.failed("be told that the password is wrong", &failure)),
        }
    }

    /// Logs in.
    pub async fn log_in(&mut self) -> Result<()> {
        let tokens = self.api.log_in(self.name, self.password).await;
        self.bearer = tokens
            .map_err(|failure| self.failed("log in", &failure))?
            .access_token;
        Ok(())
    }

    /// Forgets connections that ended with the server.
    pub fn come_back(&mut self, server: &Url) -> Result<()> {
        self.socket = None;
        self.api = Api::new(server).map_err(|failure| Broken::new(failure.sentence()))?;
        Ok(())
    }

    /// Opens a socket, and waits for its first frame.
    pub async fn connect(&mut self) -> Result<()> {
        let socket = self.api.open(&self.bearer).await;
        self.socket = Some(socket.map_err(|failure| self.failed("open a socket", &failure))?);
        let connected = self
            .await_event("was not greeted", |event| match event {
                Event::System(system) => match system.notice {
                    Notice::Connected(connected) => Some(connected),
                    _ => None,
                },
                _ => None,
            })
            .await?;
        demand(
            connected.username.eq_ignore_ascii_case(self.name),
            "A socket was opened for somebody else.",
        )
    }

    /// Closes the socket without a word, as a closed laptop does.
    pub fn disconnect(&mut self) {
        self.socket = None;
    }

    /// Says something and waits until the server has acknowledged that it is stored. Tells how long that took, too.
    pub async fn say(&mut self, text: &str, client_id: Option<&str>) -> Result<(Ack, Duration)> {
        self.requests += 1;
        let reference = self.requests.to_string();
        let command = Command::Message(SendMessage {
            content: text.into(),
            client_id: client_id.map(Into::into),
            ..SendMessage::default()
        });
        let began = Instant::now();
        self.send(&Request::with_ref(&reference, command)).await?;
        let acked = self
            .await_event("was not told that it is stored", |event| match event {
                Event::Ack(ack) if ack.reference == reference => Some(Ok(ack)),
                Event::Error(error) => Some(Err(error.detail)),
                _ => None,
            })
            .await?;
        let took = began.elapsed();
        match acked {
            Ok(ack) => Ok((ack, took)),
            Err(detail) => Err(Broken::new(format!("{}: {detail}", self.name))),
        }
    }

    /// Asks for what was missed while away, and waits until it is there.
    pub async fn catch_up(&mut self) -> Result<()> {
        let rooms = BTreeMap::from([(GENERAL.to_owned(), self.seq)]);
        self.send(&Request::new(Command::Sync(Sync { rooms, epoch: None })))
            .await?;
        self.await_event("was not brought up to date", |event| {
            matches!(event, Event::Synced { .. }).then_some(())
        })
        .await
    }

    /// Waits until everything that was sent before has come in.
    pub async fn settle(&mut self) -> Result<()> {
        self.send(&Request::ping()).await?;
        self.await_event("got no answer", |event| {
            matches!(event, Event::Pong { .. }).then_some(())
        })
        .await
    }

    /// Waits for a message.
    pub async fn hear(&mut self, id: u64) -> Result<Message> {
        if let Some(message) = self.inbox.iter().find(|message| message.id == id) {
            return Ok(message.clone());
        }
        self.await_event("did not get a message", |event| match event {
            Event::Message(message) if message.id == id => Some(message),
            _ => None,
        })
        .await
    }

    /// The latest messages, as the server reads them to this person.
    pub async fn history(&self) -> Result<Vec<Message>> {
        let page = self.api.messages(&self.bearer, GENERAL, Query::Latest);
        page.await
            .map(|page| page.messages)
            .map_err(|failure| self.failed("read the history", &failure))
    }

    /// One message of the history.
    pub async fn read(&self, id: u64) -> Result<Message> {
        let page = self.history().await?;
        page.into_iter()
            .find(|message| message.id == id)
            .ok_or_else(|| Broken::new(format!("Message {id} is not in the history.")))
    }

    async fn send(&mut self, request: &Request) -> Result<()> {
        let name = self.name;
        let sent = self.socket()?.send(request).await;
        sent.map_err(|end| Broken::new(format!("{name} could not send ({}).", end.why)))
    }

    fn socket(&mut self) -> Result<&mut Socket> {
        self.socket
            .as_mut()
            .ok_or_else(|| Broken::new("A socket is missing."))
    }

    /// Reads until an event is the wanted one; messages go into the inbox on the way.
    async fn await_event<T>(
        &mut self,
        what_if_not: &str,
        mut wanted: impl FnMut(Event) -> Option<T>,
    ) -> Result<T> {
        let deadline = tokio::time::Instant::now() + TIMEOUT;
        let name = self.name;
        loop {
            let heard = tokio::time::timeout_at(deadline, self.socket()?.next()).await;
            let event = match heard {
                Ok(Ok(Heard::Frame(event))) => *event,
                Ok(Ok(Heard::Sign)) => continue,
                Ok(Err(end)) => {
                    return Err(Broken::new(format!("{name}'s socket broke ({}).", end.why)));
                }
                Err(_) => return Err(Broken::new(format!("{name} {what_if_not} in time."))),
            };
            if let Event::Message(message) = &event {
                self.seq = self.seq.max(message.seq);
                self.inbox.push(message.clone());
            }
            if let Some(found) = wanted(event) {
                return Ok(found);
            }
        }
    }

    fn failed(&self, what: &str, failure: &Failure) -> Broken {
        Broken::new(format!(
            "{} could not {what}: {}.",
            self.name,
            failure.sentence().trim_end_matches('.')
        ))
    }
}
