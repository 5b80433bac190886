//! An echo server with the socket of Parlour and nothing behind it, for `scripts/autobahn` to measure against RFC 6455.
//! It listens on a free loopback port, or on the one given as its argument, and prints its address.

use std::{env, io, time::Duration};

use actix::{Actor, ActorContext, AsyncContext, StreamHandler};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use actix_web_actors::HttpContext;
use parlour::{
    error::Error,
    hub::frame,
    ws::{
        self,
        frames::{Inbound, Violation},
        inbound::InboundStream,
    },
};

/// The suite sends messages of up to 16 MiB.
const MAX_MESSAGE: usize = 16 << 20;

struct Echo;

impl Actor for Echo {
    type Context = HttpContext<Self>;
}

impl StreamHandler<Result<Inbound, Violation>> for Echo {
    fn handle(&mut self, item: Result<Inbound, Violation>, ctx: &mut Self::Context) {
        match item {
            Ok(Inbound::Text(text)) => ctx.write(frame::text(&text)),
            Ok(Inbound::Binary(body)) => ctx.write(frame::encode(frame::FINAL_BINARY, &body)),
            Ok(Inbound::Ping(body)) => ctx.write(frame::pong(&body)),
            Ok(Inbound::Pong(_)) => {}
            Ok(Inbound::Close(said)) => {
                ctx.write(said.map_or_else(frame::close_without_code, |(code, _)| {
                    frame::close(code, "")
                }));
                ctx.stop();
            }
            Err(violation) => {
                ctx.write(frame::close(violation.code, violation.reason));
                ctx.stop();
            }
        }
    }

    fn finished(&mut self, ctx: &mut Self::Context) {
        ctx.stop();
    }
}

async fn echo(request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, Error> {
    let frames = HttpContext::with_factory(|ctx| {
        ctx.add_stream(InboundStream::new(payload, MAX_MESSAGE));
        Echo
    });
    Ok(ws::handshake::accept(&request)?.streaming(frames))
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
