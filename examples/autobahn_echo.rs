//! An echo server with the socket of Parlour and nothing behind it, for `scripts/autobahn` to measure against RFC 6455.
//! It listens on a free loopback port, or on the one given as its argument, and prints its address.

use std::{env, io, time::Duration};

use actix::{Actor, ActorContext, StreamHandler};
use actix_web::{App, HttpRequest, HttpServer, Responder, web};
use actix_web_actors::ws::{CloseReason, Message, ProtocolError, WebsocketContext};
use parlour::ws::{
    frames::{Inbound, Violation},
    open::open,
};

/// The suite sends messages of up to 16 MiB.
const MAX_MESSAGE: usize = 16 << 20;

struct Echo;

impl Actor for Echo {
    type Context = WebsocketContext<Self>;
}

impl StreamHandler<Result<Inbound, Violation>> for Echo {
    fn handle(&mut self, item: Result<Inbound, Violation>, ctx: &mut Self::Context) {
        match item {
            Ok(Inbound::Text(text)) => ctx.text(text),
            Ok(Inbound::Binary(body)) => ctx.binary(body),
            Ok(Inbound::Ping(body)) => ctx.pong(&body),
            Ok(Inbound::Pong(_)) => {}
            Ok(Inbound::Close(said)) => ctx.close(said.map(|(code, _)| CloseReason {
                code: code.into(),
                description: None,
            })),
            Err(violation) => ctx.close(Some(CloseReason {
                code: violation.code.into(),
                description: Some(violation.reason.to_owned()),
            })),
        }
    }
}

/// Asked for by `actix-web-actors`; never called.
impl StreamHandler<Result<Message, ProtocolError>> for Echo {
    fn handle(&mut self, _: Result<Message, ProtocolError>, ctx: &mut Self::Context) {
        ctx.stop();
    }
}

async fn echo(request: HttpRequest, payload: web::Payload) -> impl Responder {
    open(&request, payload, MAX_MESSAGE, |_| Echo)
}

#[actix_web::main]
async fn main() -> io::Result<()> {
    let port = env::args().nth(1).unwrap_or_else(|| "0".to_owned());
    let server = HttpServer::new(|| App::new().default_service(web::to(echo)))
        .workers(1)
        // Otherwise actix goes on reading after a close for up to a second, and the suite gives it no longer.
        .client_disconnect_timeout(Duration::ZERO)
        .bind(format!("127.0.0.1:{port}"))?;
    for address in server.addrs() {
        println!("Echoing on ws://{address}");
    }
    server.run().await
}
