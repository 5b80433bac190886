//! What handlers take out of a request: its caller, its JSON, its query.

use std::{borrow::Cow, future::Future, pin::Pin, time::Duration};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header};
use futures_util::StreamExt as _;
use serde::de::DeserializeOwned;
use url::form_urlencoded;

use super::{Shared, credentials};
use crate::{
    chat::{Caller, authentication::Claimed},
    error::{Code, Error, Kind, Result},
    protocol::body::{self, Unread},
};

/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(15);

type Extracted<T> = Pin<Box<dyn Future<Output = Result<T>>>>;

fn shared(request: &HttpRequest) -> Result<Shared> {
    request
        .app_data::<Shared>()
        .cloned()
        .ok_or_else(|| Error::internal("the application is not set up"))
}

/// The caller, by `Authorization: Bearer`.
#[derive(Debug)]
pub struct Authenticated(pub Caller);

impl FromRequest for Authenticated {
    type Error = Error;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let (app, shown) = (shared(request), credentials::shown(request, &[]));
        Box::pin(async move {
            let token = shown?.ok_or_else(not_authenticated)?.text;
            app?.authentication.authenticate(&token).await.map(Self)
        })
    }
}

/// Who the caller is said to be, by `Authorization: Bearer` or, as old clients do it, by `?token=`: for what is only read,
/// where the login is looked up with it.
#[derive(Debug)]
pub struct ClaimedByQuery(pub Claimed);

impl FromRequest for ClaimedByQuery {
    type Error = Error;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let parameters = [credentials::TOKEN];
        let (app, shown) = (shared(request), credentials::shown(request, &parameters));
        Box::pin(async move {
            let token = shown?.ok_or_else(not_authenticated)?.text;
            app?.authentication.recognize(&token).await.map(Self)
        })
    }
}

/// The answer to a request without a token.
pub fn not_authenticated() -> Error {
    Error::unauthenticated(
        Code::NotAuthenticated,
        "Log in first, and send the access token as `Authorization: Bearer`.",
    )
}

/// A parameter of the query string.
///
/// # Errors
/// 422 when it is given twice.
pub fn parameter(request: &HttpRequest, name: &str) -> Result<Option<String>> {
    let mut given = form_urlencoded::parse(request.query_string().as_bytes())
        .filter(|(given, _)| given == name)
        .map(|(_, value)| value);
    match (given.next(), given.next()) {
        (_, Some(_)) => Err(Error::invalid_query(name, format!("Give `{name}` once."))),
        (value, None) => Ok(value.map(Cow::into_owned)),
    }
}

/// A JSON body.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Json<T> {
    type Error = Error;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let read = json(request, payload);
        Box::pin(async move { body::parse(&read.await?).map(Json).map_err(refused) })
    }
}

/// A JSON body, or none, or `null`: that stands for an empty object.
#[derive(Debug)]
pub struct JsonOrNone<T>(pub T);

impl<T: DeserializeOwned + Default + 'static> FromRequest for JsonOrNone<T> {
    type Error = Error;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let headers = request.headers();
        if declared_length(request) == 0 && !headers.contains_key(header::TRANSFER_ENCODING) {
            return Box::pin(async { Ok(Self(T::default())) });
        }
        let read = json(request, payload);
        Box::pin(async move {
            let body = read.await?;
            if body.trim_ascii() == b"null" {
                return Ok(Self(T::default()));
            }
            body::parse(&body).map(Self).map_err(refused)
        })
    }
}

/// The bytes of a body that is declared as JSON.
fn json(request: &HttpRequest, payload: &mut Payload) -> Extracted<Vec<u8>> {
    let (app, is_json) = (shared(request), check_media_type(request));
    let declared = declared_length(request);
    let mut payload = payload.take();
    Box::pin(async move {
        is_json?;
        let most = app?.config.limits.frame_bytes;
        if declared > most {
            return Err(too_large(most));
        }
        let too_slow = || {
            Error::new(
                Kind::TooSlow,
                Code::RequestTimeout,
                "The request took too long to arrive.",
            )
        };
        let reading = tokio::time::timeout(BODY_TIMEOUT, read(&mut payload, most));
        reading.await.map_err(|_| too_slow())?
    })
}

fn check_media_type(request: &HttpRequest) -> Result<()> {
    let refused = |detail| {
        Err(Error::new(
            Kind::UnsupportedMediaType,
            Code::UnsupportedMediaType,
            detail,
        ))
    };
    let essence = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = essence.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return refused("Send the body as JSON, with `Content-Type: application/json`.");
    }
    if request.headers().contains_key(header::CONTENT_ENCODING) {
        return refused("Send the body as it is, without a `Content-Encoding`.");
    }
    Ok(())
}

/// A body that is said to be too large need not be waited for.
fn declared_length(request: &HttpRequest) -> usize {
    request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .unwrap_or_default()
}

fn too_large(most: usize) -> Error {
    let detail = format!("The body of the request may have at most {most} bytes.");
    Error::new(Kind::TooLarge, Code::TooLarge, detail)
}

async fn read(payload: &mut Payload, most: usize) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| {
            Error::bad_request(Code::BrokenBody, "The body of the request broke off.")
        })?;
        if body.len() + chunk.len() > most {
            return Err(too_large(most));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn refused(unread: Unread) -> Error {
    match unread {
        Unread::NotJson => Error::bad_request(
            Code::InvalidJson,
            "The body of the request is not valid JSON.",
        ),
        Unread::Misshapen(field) => Error::invalid(vec![field]),
    }
}
