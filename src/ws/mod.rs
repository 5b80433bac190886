//! Door 1: the socket. It turns frames into commands and events into frames, and holds no rules.

pub mod frames;
pub mod handshake;
pub mod inbound;
mod outgoing;
mod session;

use std::sync::Arc;

use actix::AsyncContext as _;
use actix_web::{HttpResponse, web};
use actix_web_actors::HttpContext;

use crate::{app::App, chat::authentication::Admitted, hub::Gauge};
use inbound::InboundStream;
use outgoing::{Outgoing, OutgoingStream};
use session::ChatSession;

/// What a client may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// What the oldest clients can show: what people say in `general`, and the notices. Such a client would show a message
    /// of another room as if it had been said there. Until it sends `sync`.
    Core,
    /// Everything.
    Full,
}

/// Starts the session of a caller whose handshake was right.
#[must_use]
pub fn start(
    mut response: actix_web::HttpResponseBuilder,
    payload: web::Payload,
    app: Arc<App>,
    admitted: Admitted,
    dialect: Dialect,
) -> HttpResponse {
    let (outgoing, gauge) = (Outgoing::default(), Arc::<Gauge>::default());
    let (written, measured) = (outgoing.clone(), Arc::clone(&gauge));
    // Unlike `WebsocketContext`, `HttpContext` brings no codec: our frames are encoded once, for all who get them, and
    // what clients send is read by our own decoder.
    let session = HttpContext::with_factory(move |ctx| {
        let inbound = InboundStream::new(payload, app.config.limits.frame_bytes);
        let flow = inbound.flow();
        ctx.add_stream(inbound);
        ChatSession::new(app, admitted, dialect, written, flow, measured)
    });
    // Whoever carries the bytes is to see when the hub has given this socket up.
    response.extensions_mut().insert(Arc::clone(&gauge));
    response.streaming(OutgoingStream::new(session, outgoing, gauge))
}
