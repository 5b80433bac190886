//! Opens a socket: from the upgrade request to a running session actor.

use actix::{Actor, AsyncContext, StreamHandler};
use actix_web::{HttpRequest, HttpResponse, http::header::SEC_WEBSOCKET_VERSION, web};
use actix_web_actors::ws::{self, HandshakeError, Message, ProtocolError, WebsocketContext};
use futures_util::stream;

use super::{
    frames::{Inbound, Violation},
    inbound::InboundStream,
};

/// Answers the handshake, and starts `session` on what the client says. When the stream of that ends, the session is
/// stopped, and what it has written by then (such as a close frame) is still sent.
///
/// `actix-web-actors` insists on reading the client's bytes with its own codec, which is not to see any: it is given a
/// stream that never yields and never ends (its end would stop the session). So the session's handler for
/// [`Message`]s, which the bounds ask for, is never called.
///
/// # Errors
/// [`HandshakeError`], when the request asks for no WebSocket of version 13.
pub fn open<A, F>(
    request: &HttpRequest,
    payload: web::Payload,
    max_message: usize,
    session: F,
) -> Result<HttpResponse, HandshakeError>
where
    A: Actor<Context = WebsocketContext<A>>
        + StreamHandler<Result<Inbound, Violation>>
        + StreamHandler<Result<Message, ProtocolError>>,
    F: FnOnce(&mut WebsocketContext<A>) -> A + 'static,
{
    let mut response = ws::handshake(request)?;
    // The handshake lets the drafts 7 and 8 pass as well, whose frames may mean other things.
    let version = request.headers().get(SEC_WEBSOCKET_VERSION);
    if version.is_none_or(|version| version != "13") {
        return Err(HandshakeError::UnsupportedVersion);
    }
    let body = WebsocketContext::with_factory(stream::pending(), move |ctx| {
        ctx.add_stream(InboundStream::new(payload, max_message));
        session(ctx)
    });
    Ok(response.streaming(body))
}

#[cfg(test)]
mod tests {
    use actix_web::{FromRequest, http::StatusCode, test::TestRequest};

    use super::*;

    struct Silent;

    impl Actor for Silent {
        type Context = WebsocketContext<Self>;
    }

    impl StreamHandler<Result<Inbound, Violation>> for Silent {
        fn handle(&mut self, _: Result<Inbound, Violation>, _: &mut Self::Context) {}
    }

    impl StreamHandler<Result<Message, ProtocolError>> for Silent {
        fn handle(&mut self, _: Result<Message, ProtocolError>, _: &mut Self::Context) {}
    }

    async fn open_with_version(version: &'static str) -> Result<StatusCode, HandshakeError> {
        let (request, mut payload) = TestRequest::get()
            .insert_header(("upgrade", "websocket"))
            .insert_header(("connection", "upgrade"))
            .insert_header(("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="))
            .insert_header((SEC_WEBSOCKET_VERSION, version))
            .to_http_parts();
        let payload = web::Payload::from_request(&request, &mut payload).await;
        let Ok(payload) = payload else {
            unreachable!("a payload is there for the taking")
        };
        open(&request, payload, 100, |_| Silent).map(|response| response.status())
    }

    #[actix_web::test]
    async fn only_version_13_of_the_protocol_is_spoken() {
        for draft in ["7", "8"] {
            let answer = open_with_version(draft).await;
            assert_eq!(answer, Err(HandshakeError::UnsupportedVersion), "{draft}");
        }
        let answer = open_with_version("13").await;
        assert_eq!(answer, Ok(StatusCode::SWITCHING_PROTOCOLS));
    }
}
