//! The calls to the server's REST door, and the opening of its socket.

mod own;
mod rooms;
mod slash;

use std::{rc::Rc, time::Duration};

use actix_service::ServiceExt as _;
use awc::{
    Client, ClientRequest,
    error::{ConnectError, SendRequestError, WsClientError},
    http::{Method, header},
};
use chrono::Datelike as _;
use serde::de::DeserializeOwned;
use url::{Host, Url};

use crate::{
    protocol::{
        limits::MAX_PAGE,
        message::Message,
        time::{format, now},
        views::{Login, NewMessage, Problem, Refresh, Register, Tokens, User},
    },
    socket::Socket,
    trust,
};

pub use rooms::{Answer, Ask, RoomsPage, ThreadsPage};

/// Messages fetched at once, at most, going back: enough for any screen, few enough to come at once.
const HISTORY_PAGE: i64 = 100;
/// Longest answer that is read, and longest frame: a page of the longest messages, every character escaped.
const MAX_ANSWER: usize = 256 * 1024 * 1024;
const MAX_FRAME: usize = 8 * 1024 * 1024;
/// How long the server may take to answer; a login waits for its turn at the password gate.
const ANSWER_TIME: Duration = Duration::from_secs(15);

/// Which messages to fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Query {
    /// The latest ones.
    Latest,
    /// Those before this message.
    Before(u64),
    /// Those changed after this number.
    Since(u64),
    /// Those of a thread: the latest ones, or those before this message.
    Thread {
        /// Its first message.
        first: u64,
        /// Before which.
        before: Option<u64>,
    },
}

/// Messages that were fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Oldest first.
    pub messages: Vec<Message>,
    /// There is more in the direction that was asked for.
    pub more: bool,
}

/// Why a call did not give what was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The server said no.
    Refused {
        /// The HTTP status.
        status: u16,
        /// The server's sentence.
        detail: String,
        /// When to try again, if the server said so.
        retry_after: Option<Duration>,
    },
    /// No answer, or none that can be understood. One sentence.
    Unreachable(String),
    /// There is no secure way to it. One sentence.
    Untrusted(String),
    /// The login is over. One sentence.
    LoginEnded(String),
    /// What the client was told cannot work. One sentence.
    Unusable(String),
}

impl Failure {
    /// The sentence for the user.
    #[must_use]
    pub fn sentence(&self) -> &str {
        match self {
            Self::Refused { detail, .. } => detail,
            Self::Unreachable(sentence)
            | Self::Untrusted(sentence)
            | Self::LoginEnded(sentence)
            | Self::Unusable(sentence) => sentence,
        }
    }

    /// Whether the same call may work later, with nothing changed.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Refused { status, .. } => *status == 429 || *status >= 500,
            Self::Unreachable(_) => true,
            Self::Untrusted(_) | Self::LoginEnded(_) | Self::Unusable(_) => false,
        }
    }

    /// When to try again, if the server said so.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

/// The server.
#[derive(Clone)]
pub struct Api {
    client: Client,
    base: Rc<Url>,
}

impl Api {
    /// A client of the server at `base`.
    ///
    /// # Errors
    /// [`Failure::Unusable`] when `base` is not the address of a web server, there is no authority to trust, or the clock
    /// shows no time that HTTP has a form for.
    pub fn new(base: &Url) -> Result<Self, Failure> {
        // What writes the dates of HTTP would panic (RFC 9110, 5.6.7).
        if !(1970..=9999).contains(&now().year()) {
            return Err(Failure::Unusable(format!(
                "The clock of this machine says {}: set it first.",
                format(&now())
            )));
        }
        if !matches!(base.scheme(), "http" | "https") || base.host_str().is_none() {
            return Err(Failure::Unusable(
                "The server's address must start with http:// or https://, like https://chat.example.org.".into(),
            ));
        }
        // Err only says that the program has installed one already.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let tcp = actix_tls::connect::ConnectorService::default().map(
            |stream: actix_tls::connect::Connection<awc::http::Uri, tokio::net::TcpStream>| {
                // A chat writes little and often: waiting for more to send only delays it.
                if let Err(error) = stream.io_ref().set_nodelay(true) {
                    log::debug!("TCP_NODELAY could not be set: {error}");
                }
                stream
            },
        );
        let mut connector = awc::Connector::new().connector(tcp);
        if base.scheme() == "https" {
            connector = connector.rustls_0_23(trust::tls()?);
        }
        let client = Client::builder()
            .connector(connector)
            .timeout(ANSWER_TIME)
            .disable_redirects()
            .add_default_header((
                header::USER_AGENT,
                concat!("parlour/", env!("CARGO_PKG_VERSION")),
            ))
            .finish();
        let mut base = base.clone();
        // Neither is for us to send, and the address is shown on the screen.
        let _ = base.set_username("");
        let _ = base.set_password(None);
        base.set_query(None);
        base.set_fragment(None);
        Ok(Self {
            client,
            base: Rc::new(base),
        })
    }

    /// The server, as the user knows it: host, port if it is a special one, path if there is one.
    #[must_use]
    pub fn label(&self) -> String {
        let text = self.base.as_str();
        let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
        rest.trim_end_matches('/').to_owned()
    }

    /// Whether what is sent leaves this computer unencrypted.
    #[must_use]
    pub fn is_readable_by_others(&self) -> bool {
        let is_here = match self.base.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        self.base.scheme() == "http" && !is_here
    }

    /// Makes an account.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn register(&self, username: &str, password: &str) -> Result<User, Failure> {
        let body = Register {
            username: username.into(),
            password: password.into(),
            email: None,
        };
        let request = self.request(Method::POST, &["api", "auth", "register"]);
        read(self, request.send_json(&body)).await
    }

    /// Logs in.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn log_in(&self, username: &str, password: &str) -> Result<Tokens, Failure> {
        let body = Login {
            username: username.into(),
            password: password.into(),
        };
        let request = self.request(Method::POST, &["api", "auth", "login"]);
        read(self, request.send_json(&body)).await
    }

    /// Changes a refresh token into the next pair of tokens.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn refresh(&self, refresh_token: &str) -> Result<Tokens, Failure> {
        let body = Refresh {
            refresh_token: refresh_token.into(),
        };
        let request = self.request(Method::POST, &["api", "auth", "refresh"]);
        read(self, request.send_json(&body)).await
    }

    /// Ends the login on the server.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn log_out(&self, bearer: &str) -> Result<(), Failure> {
        let request = self.request(Method::POST, &["api", "auth", "logout"]);
        let response = request.bearer_auth(bearer).send().await;
        let response = response.map_err(|error| self.unreachable(&error))?;
        refusal(response).await.map(drop)
    }

    /// Whether there is a server at all, whatever it says.
    ///
    /// # Errors
    /// [`Failure::Unreachable`] or [`Failure::Untrusted`].
    pub async fn reach(&self) -> Result<(), Failure> {
        let request = self.request(Method::GET, &["health"]);
        let response = request.send().await;
        response.map(drop).map_err(|error| self.unreachable(&error))
    }

    /// Reads messages of a room.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn messages(&self, bearer: &str, room: &str, query: Query) -> Result<Page, Failure> {
        let (pairs, limit, on) = match query {
            Query::Latest => (vec![], HISTORY_PAGE, "prev"),
            Query::Before(id) => (vec![("before", id)], HISTORY_PAGE, "prev"),
            Query::Since(seq) => (vec![("since", seq)], MAX_PAGE, "next"),
            Query::Thread { first, before } => {
                let before = before.map(|id| ("before", id)).into_iter();
                let pairs = [("thread", first)].into_iter().chain(before);
                (pairs.collect(), HISTORY_PAGE, "prev")
            }
        };
        let mut url = self.url(&["api", "rooms", room, "messages"]);
        url.query_pairs_mut()
            .append_pair("limit", &limit.to_string());
        for (name, number) in pairs {
            url.query_pairs_mut().append_pair(name, &number.to_string());
        }
        let request = self.client.get(url.as_str()).bearer_auth(bearer);
        let response = request.send().await;
        let response = response.map_err(|error| self.unreachable(&error))?;
        // A page may end before its limit is reached; the server says whether there is more.
        let more = leads_on(response.headers(), on);
        let messages = parse(self, &refusal(response).await?)?;
        Ok(Page { messages, more })
    }

    /// Writes a message.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn post(
        &self,
        bearer: &str,
        room: &str,
        message: &NewMessage,
    ) -> Result<Message, Failure> {
        let request = self.request(Method::POST, &["api", "rooms", room, "messages"]);
        read(self, request.bearer_auth(bearer).send_json(message)).await
    }

    /// Opens the socket.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn open(&self, bearer: &str) -> Result<Socket, Failure> {
        let url = self.url(&["ws", "chat"]);
        let request = self
            .client
            .ws(url.as_str())
            .bearer_auth(bearer)
            .max_frame_size(MAX_FRAME);
        match request.connect().await {
            Ok((_, framed)) => Ok(Socket::new(framed)),
            Err(WsClientError::InvalidResponseStatus(status)) => Err(Failure::Refused {
                status: status.as_u16(),
                detail: format!("the server answered {status}"),
                retry_after: None,
            }),
            Err(WsClientError::SendRequest(error)) => Err(self.unreachable(&error)),
            Err(error) => Err(Failure::Unreachable(format!(
                "{} does not speak Parlour's protocol ({error})",
                self.label()
            ))),
        }
    }

    fn url(&self, path: &[&str]) -> Url {
        let mut url = Url::clone(&self.base);
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url
    }

    fn request(&self, method: Method, path: &[&str]) -> ClientRequest {
        self.client.request(method, self.url(path).as_str())
    }

    fn unreachable(&self, error: &SendRequestError) -> Failure {
        if let SendRequestError::Connect(ConnectError::Io(error)) | SendRequestError::Send(error) =
            error
            && let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref())
        {
            let advice = trust::advice(tls);
            return Failure::Untrusted(format!("{} {advice}.", self.label()));
        }
        let why = match error {
            SendRequestError::Connect(ConnectError::Io(error)) | SendRequestError::Send(error) => {
                io_reason(error)
            }
            SendRequestError::Connect(ConnectError::Resolver(_) | ConnectError::NoRecords) => {
                "no such host".to_owned()
            }
            SendRequestError::Connect(ConnectError::Timeout) | SendRequestError::Timeout => {
                "no answer in time".to_owned()
            }
            SendRequestError::Response(_) => {
                "its answer is not HTTP; is it https:// and not http://?".to_owned()
            }
            other => other.to_string(),
        };
        Failure::Unreachable(format!("{} cannot be reached ({why})", self.label()))
    }
}

/// Without the number that the operating system puts behind its words.
fn io_reason(error: &std::io::Error) -> String {
    let text = error.to_string().to_lowercase();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

async fn read<T: DeserializeOwned>(
    api: &Api,
    request: awc::SendClientRequest,
) -> Result<T, Failure> {
    let response = request.await.map_err(|error| api.unreachable(&error))?;
    parse(api, &refusal(response).await?)
}

fn parse<T: DeserializeOwned>(api: &Api, body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|_| {
        Failure::Unreachable(format!(
            "{} answered something that is not Parlour's",
            api.label()
        ))
    })
}

/// Whether an answer says that there is more in this direction.
fn leads_on(headers: &header::HeaderMap, direction: &str) -> bool {
    let link = format!("rel=\"{direction}\"");
    let links = headers.get_all(header::LINK);
    links
        .filter_map(|value| value.to_str().ok())
        .any(|links| links.contains(&link))
}

/// The cursor of the next page, if an answer names one (RFC 8288).
fn next_cursor(headers: &header::HeaderMap) -> Option<String> {
    let links = headers.get_all(header::LINK);
    links
        .filter_map(|value| value.to_str().ok()?.split_once(">; rel=\"next\""))
        .find_map(|(before, _)| {
            let (_, query) = before.rsplit_once('?')?;
            let mut pairs = url::form_urlencoded::parse(query.as_bytes());
            pairs.find_map(|(name, value)| (name == "cursor").then(|| value.into_owned()))
        })
}

/// The body of a good answer, or what the server said instead.
async fn refusal<S>(mut response: awc::ClientResponse<S>) -> Result<bytes::Bytes, Failure>
where
    S: futures_util::Stream<Item = Result<bytes::Bytes, awc::error::PayloadError>>,
{
    let status = response.status();
    let retry_after = response
        .headers()
        .get(header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .map(Duration::from_secs);
    let body = response.body().limit(MAX_ANSWER).await;
    if status.is_success() {
        return body.map_err(|_| Failure::Unreachable("the answer broke off".into()));
    }
    let problem = body
        .ok()
        .and_then(|body| serde_json::from_slice::<Problem>(&body).ok());
    Err(Failure::Refused {
        status: status.as_u16(),
        detail: problem.map_or_else(
            || format!("The server answered {status}: check the address."),
            |problem| problem.detail,
        ),
        retry_after,
    })
}
