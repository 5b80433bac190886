//! Door 1: the socket. It turns frames into commands and events into frames, and holds no rules.

pub mod frames;
pub mod inbound;
mod outgoing;
mod session;

use std::sync::Arc;

use actix::AsyncContext as _;
use actix_web::{HttpRequest, HttpResponse, http::header::SEC_WEBSOCKET_VERSION, web};
use actix_web_actors::{HttpContext, ws::HandshakeError};

use crate::{
    app::App,
    chat::Caller,
    error::{Error, Kind, Result},
    hub::Gauge,
};
use inbound::InboundStream;
use outgoing::{Outgoing, OutgoingStream};
use session::ChatSession;

/// Checks that the request asks for a WebSocket as RFC 6455, section 4.2.1 has it, and gives the answer's head.
///
/// # Errors
/// 405, 426 or 400.
pub fn handshake(request: &HttpRequest) -> Result<actix_web::HttpResponseBuilder> {
    let response = actix_web_actors::ws::handshake(request).map_err(|error| match error {
        HandshakeError::NoWebsocketUpgrade | HandshakeError::NoConnectionUpgrade => {
            upgrade_required()
        }
        HandshakeError::UnsupportedVersion | HandshakeError::NoVersionHeader => {
            unsupported_version()
        }
        HandshakeError::BadWebsocketKey => Error::bad_request(
            "invalid_handshake",
            "The Sec-WebSocket-Key header is missing or not right.",
        ),
        HandshakeError::GetMethodRequired => Error::bad_request(
            "invalid_handshake",
            "This is not the handshake of a WebSocket.",
        ),
    })?;
    // The handshake lets the drafts 7 and 8 pass as well, whose frames may mean other things.
    let version = request.headers().get(SEC_WEBSOCKET_VERSION);
    if version.is_none_or(|version| version != "13") {
        return Err(unsupported_version());
    }
    Ok(response)
}

fn upgrade_required() -> Error {
    Error::new(
        Kind::UpgradeRequired,
        "upgrade_required",
        "This address speaks WebSocket: connect with ws:// or wss://.",
    )
}

fn unsupported_version() -> Error {
    Error::new(
        Kind::UpgradeRequired,
        "unsupported_version",
        "Only version 13 of WebSocket is spoken here.",
    )
}

/// Starts the session of a caller whose handshake was right.
#[must_use]
pub fn start(
    mut response: actix_web::HttpResponseBuilder,
    payload: web::Payload,
    app: Arc<App>,
    caller: Caller,
) -> HttpResponse {
    let (outgoing, gauge) = (Outgoing::default(), Arc::<Gauge>::default());
    let (written, measured) = (outgoing.clone(), Arc::clone(&gauge));
    // Unlike `WebsocketContext`, `HttpContext` brings no codec: our frames are encoded once, for all who get them, and
    // what clients send is read by our own decoder.
    let session = HttpContext::with_factory(move |ctx| {
        ctx.add_stream(InboundStream::new(payload, app.config.limits.frame_bytes));
        ChatSession::new(app, caller, written, measured)
    });
    // Whoever carries the bytes is to see when the hub has given this socket up.
    response.extensions_mut().insert(Arc::clone(&gauge));
    response.streaming(OutgoingStream::new(session, outgoing, gauge))
}
