//! The `ChatSession` actor, one for each socket: decode, call `chat`, reply. Its only exit is `stopped()`.
//!
//! It is polled as the body of a response: a client that stops reading freezes it, timers and all. Who is dead or too
//! slow is therefore judged by the hub.

mod rooms;

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use actix::{
    Actor, ActorContext as _, ActorFutureExt as _, AsyncContext as _, Handler, StreamHandler,
    WrapFuture as _, dev::AsyncContextParts as _,
};
use actix_web_actors::HttpContext;

use super::frames::{Inbound, Violation};
use crate::{
    app::App,
    chat::{
        Caller,
        messages::{self, Post, Posted, Posting},
        rooms::{self as chat_rooms, Room},
    },
    error::{Error, Kind, Result},
    hub::{Deliver, Gauge, Registration, frame, registry::Newcomer},
    protocol::{
        close,
        command::{self, Command, Request, SendMessage},
        event::{Ack, Connected, ErrorFrame, Event, Notice, RoomState, System},
    },
};
use rooms::{RoomFeed, SyncUnderWay};

/// So many frames within [`MISUNDERSTOOD_WITHIN`] that were not understood end the socket.
const MOST_MISUNDERSTOOD: usize = 10;
const MISUNDERSTOOD_WITHIN: Duration = Duration::from_mins(1);
/// How long a client may take to answer a close frame.
const CLOSE_PATIENCE: Duration = Duration::from_secs(2);

type Context = HttpContext<ChatSession>;

/// One socket.
pub struct ChatSession {
    app: Arc<App>,
    caller: Caller,
    gauge: Arc<Gauge>,
    registration: Option<Registration>,
    rooms: Vec<RoomFeed>,
    /// Posts that wait for their ack, in the order in which they came.
    unacked: VecDeque<(Option<String>, Posting)>,
    awaiting_ack: bool,
    misunderstood: VecDeque<Instant>,
    sync: Option<SyncUnderWay>,
    closing: Closing,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Closing {
    /// Open.
    No,
    /// Closes with this as soon as what was accepted has been acked or refused.
    WhenAcked(u16, &'static str),
    /// The close frame has been sent.
    Said,
}

/// What a newcomer's first frame is made of.
struct Welcome {
    registration: Registration,
    online: Vec<String>,
    rooms: Vec<Room>,
}

impl ChatSession {
    pub fn new(app: Arc<App>, caller: Caller) -> Self {
        Self {
            app,
            caller,
            gauge: Arc::default(),
            registration: None,
            rooms: Vec::new(),
            unacked: VecDeque::new(),
            awaiting_ack: false,
            misunderstood: VecDeque::new(),
            sync: None,
            closing: Closing::No,
        }
    }

    fn welcome(&mut self, welcome: Result<Welcome>, ctx: &mut Context) {
        let Welcome {
            registration,
            online,
            rooms,
        } = match welcome {
            Ok(welcome) => welcome,
            Err(error) => {
                let code = if error.kind == Kind::TooMany {
                    close::TOO_MANY
                } else {
                    close::UNKNOWN
                };
                self.send_error(None, &error, ctx);
                return self.say_close(code, "the socket could not be opened", ctx);
            }
        };
        self.registration = Some(registration);
        let config = &self.app.config;
        let connected = Connected {
            user_id: self.caller.user_id,
            username: self.caller.username.clone(),
            session: self.caller.session_id,
            epoch: self.app.epoch.clone(),
            heartbeat_ms: u64::try_from(config.patience.ping_interval.as_millis())
                .unwrap_or(u64::MAX),
            limits: config.limits,
            rooms: rooms
                .iter()
                .map(|room| RoomState {
                    name: room.name.clone(),
                    seq: room.last_seq.unsigned_abs(),
                })
                .collect(),
            online,
        };
        let message = format!("Connected as {}", self.caller.username);
        send(
            &Event::System(System {
                message,
                notice: Notice::Connected(Box::new(connected)),
            }),
            ctx,
        );
        self.rooms = rooms.into_iter().map(RoomFeed::new).collect();
    }

    fn hear(&mut self, text: &str, ctx: &mut Context) {
        let Request { reference, command } = match command::parse(text) {
            Ok(request) => request,
            Err(error) => {
                let refused = Error::bad_request(error.code, error.detail);
                self.send_error(error.reference, &refused, ctx);
                return self.count_misunderstood(ctx);
            }
        };
        if self.closing != Closing::No {
            let refused = Error::unavailable(
                "shutting_down",
                "This connection is closing; send it again on the next.",
            );
            return self.send_error(reference, &refused, ctx);
        }
        match command {
            Command::Message(message) => self.post(reference, message, ctx),
            Command::Sync(sync) => self.start_sync(reference, sync, ctx),
            Command::Ping => send(&Event::Pong { reference }, ctx),
        }
    }

    fn count_misunderstood(&mut self, ctx: &mut Context) {
        let now = Instant::now();
        self.misunderstood.push_back(now);
        while self
            .misunderstood
            .front()
            .is_some_and(|at| now.duration_since(*at) > MISUNDERSTOOD_WITHIN)
        {
            self.misunderstood.pop_front();
        }
        if self.misunderstood.len() >= MOST_MISUNDERSTOOD {
            self.say_close(
                close::POLICY,
                "too many frames that could not be understood",
                ctx,
            );
        }
    }

    fn post(&mut self, reference: Option<String>, message: SendMessage, ctx: &mut Context) {
        if self.count_unacked() >= self.app.config.limits.unacked_per_socket {
            let detail =
                "Too many messages wait for their ack on this socket; wait for some of them.";
            let refused = Error::too_many("too_many_unacked", detail, Duration::from_millis(100));
            return self.send_error(reference, &refused, ctx);
        }
        let SendMessage {
            content,
            room,
            client_id,
        } = message;
        match messages::post(
            &self.app,
            &self.caller,
            Post {
                room,
                content,
                client_id,
            },
        ) {
            Ok(posting) => self.unacked.push_back((reference, posting)),
            Err(error) => return self.send_error(reference, &error, ctx),
        }
        self.await_ack(ctx);
    }

    fn count_unacked(&self) -> usize {
        self.unacked.len() + usize::from(self.awaiting_ack)
    }

    /// Waits for the oldest receipt; one at a time, so that acks come in the order of the sends.
    fn await_ack(&mut self, ctx: &mut Context) {
        if self.awaiting_ack {
            return;
        }
        let Some((reference, posting)) = self.unacked.pop_front() else {
            return;
        };
        self.awaiting_ack = true;
        let app = Arc::clone(&self.app);
        let posted = async move { posting.posted(&app.vault).await };
        ctx.spawn(
            posted
                .into_actor(self)
                .map(|posted, session, ctx| session.acknowledge(reference, posted, ctx)),
        );
    }

    fn acknowledge(
        &mut self,
        reference: Option<String>,
        posted: Result<Posted>,
        ctx: &mut Context,
    ) {
        self.awaiting_ack = false;
        match (posted, reference) {
            (
                Ok(Posted {
                    room,
                    id,
                    seq,
                    at,
                    duplicate,
                    ..
                }),
                Some(reference),
            ) => {
                send(
                    &Event::Ack(Ack {
                        reference,
                        room,
                        id,
                        seq,
                        timestamp: at,
                        duplicate,
                    }),
                    ctx,
                );
            }
            (Ok(_), None) => {}
            (Err(error), reference) => self.send_error(reference, &error, ctx),
        }
        self.await_ack(ctx);
        self.close_when_acked(ctx);
    }

    fn send_error(&self, reference: Option<String>, error: &Error, ctx: &mut Context) {
        log::debug!("a frame of {} was refused: {error}", self.caller.username);
        send(
            &Event::Error(ErrorFrame {
                reference,
                code: error.code.into(),
                detail: error.detail.clone().into_owned(),
                retry_after_ms: error
                    .retry_after
                    .map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).max(1)),
            }),
            ctx,
        );
    }

    fn close_when_acked(&mut self, ctx: &mut Context) {
        if let (Closing::WhenAcked(code, reason), 0) = (self.closing, self.count_unacked()) {
            self.say_close(code, reason, ctx);
        }
    }

    /// Sends the close frame, and gives the client a moment to answer it.
    fn say_close(&mut self, code: u16, reason: &str, ctx: &mut Context) {
        if self.closing != Closing::Said {
            self.closing = Closing::Said;
            ctx.write(frame::close(code, reason));
            ctx.run_later(CLOSE_PATIENCE, |_, ctx| ctx.stop());
        }
    }
}

fn send(event: &Event, ctx: &mut Context) {
    ctx.write(frame::event(event));
}

impl Actor for ChatSession {
    type Context = Context;

    fn started(&mut self, ctx: &mut Context) {
        ctx.parts()
            .set_mailbox_capacity(self.app.config.patience.queue_frames);
        let (app, caller, gauge) = (
            Arc::clone(&self.app),
            self.caller.clone(),
            Arc::clone(&self.gauge),
        );
        let outbox = ctx.address().recipient();
        let welcome = async move {
            let rooms = chat_rooms::list(&app, &caller)
                .await?
                .into_iter()
                .map(|room| room.id)
                .collect();
            let newcomer = Newcomer {
                user_id: caller.user_id,
                username: caller.username.clone(),
                session_id: caller.session_id,
                rooms,
                gauge,
            };
            let (registration, online) = app.hub.connect(newcomer, outbox).await?;
            // Read again now that the hub sends us what is new: what is above these numbers will come, what is not
            // above them was there. Between the two there is no gap.
            Ok(Welcome {
                registration,
                online,
                rooms: chat_rooms::list(&app, &caller).await?,
            })
        };
        // Waiting: nothing else is handled before the first frame has been sent.
        ctx.wait(
            welcome
                .into_actor(self)
                .map(|welcome, session, ctx| session.welcome(welcome, ctx)),
        );
    }

    fn stopped(&mut self, _: &mut Context) {
        self.registration = None;
    }
}

impl Handler<Deliver> for ChatSession {
    type Result = ();

    fn handle(&mut self, delivery: Deliver, ctx: &mut Context) {
        self.gauge.take(delivery.weight());
        if self.closing == Closing::Said {
            return;
        }
        match delivery {
            Deliver::Change {
                room_id,
                seq,
                frame,
            } => self.hear_change(room_id, seq, frame, ctx),
            Deliver::Missed { room_id, seq } => self.hear_missed(room_id, seq, ctx),
            Deliver::Notice(frame) => ctx.write(frame),
            Deliver::Ping => ctx.write(frame::ping()),
            Deliver::Close {
                farewell,
                code,
                reason,
            } => {
                if let Some(frame) = farewell {
                    ctx.write(frame);
                }
                self.closing = Closing::WhenAcked(code, reason);
                self.close_when_acked(ctx);
            }
        }
        if let Some(code) = self.gauge.doom() {
            self.say_close(code, "this socket was given up", ctx);
        }
    }
}

impl StreamHandler<Result<Inbound, Violation>> for ChatSession {
    fn handle(&mut self, heard: Result<Inbound, Violation>, ctx: &mut Context) {
        self.gauge.hear();
        match heard {
            Ok(Inbound::Text(text)) if self.closing != Closing::Said => self.hear(&text, ctx),
            Ok(Inbound::Binary(_)) => {
                self.say_close(close::UNSUPPORTED, "only text frames are spoken here", ctx);
            }
            Ok(Inbound::Ping(payload)) if self.closing != Closing::Said => {
                ctx.write(frame::pong(&payload));
            }
            Ok(Inbound::Text(_) | Inbound::Ping(_) | Inbound::Pong(_)) => {}
            Ok(Inbound::Close(reason)) => {
                if self.closing != Closing::Said {
                    ctx.write(reason.map_or_else(frame::close_without_code, |(code, _)| {
                        frame::close(code, "")
                    }));
                }
                // What was written is still sent.
                ctx.stop();
            }
            Err(violation) => self.say_close(violation.code, violation.reason, ctx),
        }
    }

    fn finished(&mut self, ctx: &mut Context) {
        ctx.stop();
    }
}
