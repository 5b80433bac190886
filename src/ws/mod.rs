//! Door 1: the socket. It turns frames into commands and events into frames, and holds no rules.

pub mod frames;
pub mod handshake;
pub mod inbound;
mod local_end;
mod outgoing;
mod session;

use std::{rc::Rc, sync::Arc};

use actix::AsyncContext as _;
use actix_web::{HttpResponse, web};
use actix_web_actors::HttpContext;

use crate::{
    app::App,
    chat::{authentication::Admitted, rooms::is_general},
    hub::{Place, office::Office},
};
use inbound::InboundStream;
pub use local_end::{Door, LocalEnd};
use outgoing::OutgoingStream;
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

impl Dialect {
    /// Whether a client that speaks it is told of a change in this room.
    fn shows(self, room_id: i64, is_post: bool) -> bool {
        self == Self::Full || (is_post && is_general(room_id))
    }
}

/// Starts the session of a caller whose handshake was right.
#[must_use]
pub fn start(
    mut response: actix_web::HttpResponseBuilder,
    payload: web::Payload,
    app: Arc<App>,
    admitted: Admitted,
    place: Place,
    dialect: Dialect,
    office: Rc<Office>,
) -> HttpResponse {
    let end = Rc::new(LocalEnd::new(dialect, &admitted));
    let own = Rc::clone(&end);
    // Unlike `WebsocketContext`, `HttpContext` brings no codec: our frames are encoded once, for all who get them, and
    // what clients send is read by our own decoder.
    let session = HttpContext::with_factory(move |ctx| {
        let inbound = InboundStream::new(payload, app.config.limits.frame_bytes);
        let flow = inbound.flow();
        ctx.add_stream(inbound);
        ChatSession::new(app, (admitted, place), own, flow, office)
    });
    // Whoever carries the bytes is to see when the hub has given this socket up, and lets the office write by itself.
    response.extensions_mut().insert(Rc::clone(&end));
    response.streaming(OutgoingStream::new(
        session,
        end.outgoing.clone(),
        Arc::clone(&end.gauge),
    ))
}
