//! The `ChatSession` actor, one for each socket: decode, call `chat`, reply. Its only exit is `stopped()`.
//!
//! It is polled as the body of a response: a client that stops reading freezes it, timers and all. Who is dead or too
//! slow is therefore judged by the hub.

mod commands;
mod people;
mod reading;
pub(super) mod rooms;
mod slash;
mod sync;
mod welcome;

use std::{
    cell::RefMut,
    collections::VecDeque,
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use actix::{Actor, ActorContext as _, AsyncContext as _, Handler, StreamHandler};
use actix_web_actors::HttpContext;

use super::{
    Dialect, LocalEnd,
    frames::{Inbound, Violation},
    inbound::Flow,
};
use crate::{
    app::App,
    chat::{Caller, authentication::Admitted, catch_up::Change, commands::Command as Act},
    error::{Code, Error, Kind, Result},
    hub::{
        Deliver, Place, Registration, frame,
        office::{KeptDesk, Office},
    },
    protocol::{
        close,
        command::{self, Command, Request},
        event::{ErrorFrame, Event},
    },
};
use commands::Unacked;
use people::People;
use reading::Marks;
use rooms::Rooms;
use sync::SyncUnderWay;

/// So many frames within [`MISUNDERSTOOD_WITHIN`] that were not understood end the socket.
const MOST_MISUNDERSTOOD: usize = 10;
const MISUNDERSTOOD_WITHIN: Duration = Duration::from_mins(1);
/// How long what was on its way when the farewell was sent is still answered.
const FAREWELL: Duration = Duration::from_millis(100);
/// How long a client may take to answer a close frame.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

type Context = HttpContext<ChatSession>;

/// One socket.
pub struct ChatSession {
    app: Arc<App>,
    caller: Caller,
    end: Rc<LocalEnd>,
    flow: Flow,
    office: Rc<Office>,
    /// Until it is registered.
    place: Option<Place>,
    desk: Option<KeptDesk>,
    registration: Option<Registration>,
    unacked: Unacked,
    marks: Marks,
    people: People,
    misunderstood: VecDeque<Instant>,
    sync: Option<SyncUnderWay>,
    /// How many there have been.
    syncs: u64,
    closing: Closing,
}

/// As soon as what was accepted has been acked or refused, or at once.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Closing {
    /// Open.
    No,
    /// Closes with this, because the hub says so; what still comes meanwhile is answered, with a refusal.
    AtOurWish(u16, &'static str),
    /// Closes with this, because of what the client sent; nothing more is heard.
    ForCause(u16, &'static str),
    /// Answers the close frame of the client, which may have given a code.
    Answering(Option<u16>),
    /// The client says nothing more, and may still listen.
    Unheard,
    /// The close frame has been sent.
    Said,
}

impl ChatSession {
    pub fn new(
        app: Arc<App>,
        (admitted, place): (Admitted, Place),
        end: Rc<LocalEnd>,
        flow: Flow,
        office: Rc<Office>,
    ) -> Self {
        Self {
            app,
            caller: admitted.caller,
            end,
            flow,
            office,
            place: Some(place),
            desk: None,
            registration: None,
            unacked: Unacked::default(),
            marks: Marks::default(),
            people: People::default(),
            misunderstood: VecDeque::new(),
            sync: None,
            syncs: 0,
            closing: Closing::No,
        }
    }

    /// The caller's rooms. They must not be borrowed while anything else of the session is called.
    fn rooms(&self) -> RefMut<'_, Rooms> {
        self.end.rooms.borrow_mut()
    }

    /// From now on what the hub has for this socket is for the session alone.
    fn start_closing(&mut self, closing: Closing) {
        self.closing = closing;
        self.end.is_open.set(false);
    }

    fn hear(&mut self, text: &str, ctx: &mut Context) {
        let Request { reference, command } = match command::parse(text) {
            Ok(request) => request,
            Err(error) => {
                let refused = Error::bad_request(error.code, error.detail);
                self.send_error(error.reference, &refused);
                return self.count_misunderstood(ctx);
            }
        };
        if self.closing != Closing::No {
            let refused = Error::unavailable(
                Code::ShuttingDown,
                "This connection is closing; send it again on the next.",
            );
            return self.send_error(reference, &refused);
        }
        match command {
            Command::Message(message) => self.perform(reference, Act::Post(message), ctx),
            Command::Edit(edit) => self.perform(reference, Act::Edit(edit), ctx),
            Command::Delete(delete) => self.perform(reference, Act::Delete(delete), ctx),
            Command::React(react) => self.perform(reference, Act::React(react), ctx),
            Command::Pin(pin) => self.perform(reference, Act::Pin(pin), ctx),
            Command::Command(sent) => self.run_command(reference, sent, ctx),
            Command::Create(new) => self.perform(reference, Act::Make(new), ctx),
            Command::Direct(new) => self.perform(reference, Act::Direct(new), ctx),
            Command::Join(room) => self.perform(reference, Act::Join(room), ctx),
            Command::Leave(room) => self.perform(reference, Act::Leave(room), ctx),
            Command::Invite(of) => self.perform(reference, Act::Invite(of), ctx),
            Command::Kick(of) => self.perform(reference, Act::Kick(of), ctx),
            Command::Member(set) => self.perform(reference, Act::Member(set), ctx),
            Command::Room(set) => self.perform(reference, Act::Room(set), ctx),
            Command::Read(read) => self.mark(reference, read, ctx),
            Command::Status(said) => self.set_status(reference, said, ctx),
            Command::Presence => self.ask_presence(reference, ctx),
            Command::Typing(said) => self.tell_typing(reference, said, ctx),
            Command::Sync(sync) => self.start_sync(reference, sync, ctx),
            Command::Ping => self.send(&Event::Pong { reference }),
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
            let reason = "too many frames that could not be understood";
            self.close_for_cause(close::POLICY, reason, ctx);
        }
    }

    fn send(&self, event: &Event) {
        self.end.outgoing.write(frame::event(event));
    }

    fn send_error(&self, reference: Option<String>, error: &Error) {
        // Only the code: the sentence may quote what the client sent.
        log::debug!(
            "a frame of {} was refused: {}",
            self.caller.username,
            error.code
        );
        self.send(&Event::Error(ErrorFrame {
            reference,
            code: error.code,
            detail: error.detail.clone().into_owned(),
            retry_after_ms: error
                .retry_after
                .map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).max(1)),
            room: error.room.as_ref().map(|(key, _)| key.clone()),
            kind: error.room.as_ref().map(|(_, kind)| *kind),
        }));
    }

    /// The login has ended, and the hub has not told us yet or never will: nothing more can come of this socket.
    fn close_when_logged_out(&mut self, error: &Error, ctx: &mut Context) {
        if error.kind == Kind::Unauthenticated {
            self.say_close(close::REVOKED, "this login was ended", ctx);
        }
    }

    /// Closes for something that the client has sent. What it sent before is still acked.
    fn close_for_cause(&mut self, code: u16, reason: &'static str, ctx: &mut Context) {
        if self.closing != Closing::Said {
            self.start_closing(Closing::ForCause(code, reason));
            self.flow.slow_down();
            self.close_when_acked(ctx);
        }
    }

    fn close_when_acked(&mut self, ctx: &mut Context) {
        if self.unacked.count() + self.marks.count() + self.people.count() > 0 {
            return;
        }
        match self.closing {
            Closing::No | Closing::Said => {}
            Closing::AtOurWish(code, reason) | Closing::ForCause(code, reason) => {
                self.say_close(code, reason, ctx);
            }
            Closing::Answering(code) => {
                self.end.outgoing.write(
                    code.map_or_else(frame::close_without_code, |code| frame::close(code, "")),
                );
                // What was written is still sent.
                ctx.stop();
            }
            Closing::Unheard => ctx.stop(),
        }
    }

    /// Sends the close frame, and gives the client a moment to answer it.
    fn say_close(&mut self, code: u16, reason: &str, ctx: &mut Context) {
        if self.closing != Closing::Said {
            self.start_closing(Closing::Said);
            self.flow.slow_down();
            self.end.outgoing.write(frame::close(code, reason));
            ctx.run_later(CLOSE_TIMEOUT, |_, ctx| ctx.stop());
        }
    }

    /// Whether frames are still taken for what they are.
    fn is_listening(&self) -> bool {
        matches!(self.closing, Closing::No | Closing::AtOurWish(..))
    }
}

impl Actor for ChatSession {
    type Context = Context;

    fn started(&mut self, ctx: &mut Context) {
        self.open(ctx);
    }

    fn stopped(&mut self, _: &mut Context) {
        self.registration = None;
        self.desk = None;
        self.end.close();
    }
}

impl Handler<Deliver> for ChatSession {
    type Result = ();

    fn handle(&mut self, delivery: Deliver, ctx: &mut Context) {
        self.end.note_handled();
        self.end.gauge.take(delivery.weight());
        if !self.is_listening() {
            return;
        }
        if delivery.room().is_some_and(|room| self.wake(room, ctx)) {
            return;
        }
        match delivery {
            Deliver::Change {
                room_id,
                seq,
                frame,
                is_post,
            } => {
                let change = Change { frame, is_post };
                self.feed(room_id, ctx, |feed, actions| {
                    feed.live(seq, change, actions);
                });
            }
            Deliver::Missed { room_id, seq } => {
                self.feed(room_id, ctx, |feed, actions| feed.missed(seq, actions));
            }
            Deliver::Reached { room_id, seq } => self.reached(room_id, seq, ctx),
            Deliver::Joined { room_id, seq } => self.come_in(room_id, seq, ctx),
            Deliver::Left { room_id, seq } => self.go_out(room_id, seq, ctx),
            Deliver::View { room_id, frame } | Deliver::Own { room_id, frame } => {
                self.own_changed(room_id, frame, ctx);
            }
            Deliver::Notice(frame) => self.end.outgoing.write(frame),
            Deliver::Aside(frame) if self.end.dialect.get() == Dialect::Full => {
                self.end.outgoing.write(frame);
            }
            Deliver::Aside(_) => {}
            Deliver::Ping => {
                self.end.outgoing.write(frame::ping());
                self.end.gauge.ping();
            }
            Deliver::Close {
                farewell,
                code,
                reason,
            } => {
                self.start_closing(Closing::AtOurWish(code, reason));
                if let Some(frame) = farewell {
                    self.end.outgoing.write(frame);
                    // What the client has sent before it could know is still answered, with a refusal.
                    ctx.run_later(FAREWELL, ChatSession::close_when_acked);
                } else {
                    self.close_when_acked(ctx);
                }
            }
        }
        if let Some(code) = self.end.gauge.undelivered_close() {
            self.say_close(code, "this socket was given up", ctx);
        }
    }
}

impl StreamHandler<Result<Inbound, Violation>> for ChatSession {
    fn handle(&mut self, heard: Result<Inbound, Violation>, ctx: &mut Context) {
        self.end.gauge.hear();
        if let Ok(Inbound::Close(reason)) = heard {
            if self.closing == Closing::Said {
                return ctx.stop();
            }
            self.start_closing(Closing::Answering(reason.map(|(code, _)| code)));
            return self.close_when_acked(ctx);
        }
        if !self.is_listening() {
            return;
        }
        let is_within_budget = (self.app.budgets).take_frame(self.caller.user_id, weight(&heard));
        if !is_within_budget {
            return self.close_for_cause(close::TOO_MANY, "too many frames", ctx);
        }
        match heard {
            Ok(Inbound::Text(text)) => self.hear(&text, ctx),
            Ok(Inbound::Binary(_)) => {
                self.close_for_cause(close::UNSUPPORTED, "only text frames are spoken here", ctx);
            }
            Ok(Inbound::Ping(payload)) => self.end.outgoing.write(frame::pong(&payload)),
            Ok(Inbound::Pong(_) | Inbound::Close(_)) => {}
            Err(violation) => self.close_for_cause(violation.code, violation.reason, ctx),
        }
    }

    /// The client says nothing more: it has closed, half-closed, or gone.
    fn finished(&mut self, ctx: &mut Context) {
        match self.closing {
            Closing::Said => ctx.stop(),
            Closing::No | Closing::AtOurWish(..) => {
                self.start_closing(Closing::Unheard);
                self.close_when_acked(ctx);
            }
            Closing::ForCause(..) | Closing::Answering(_) | Closing::Unheard => {
                self.close_when_acked(ctx);
            }
        }
    }
}

/// Bytes of what was heard.
fn weight(heard: &Result<Inbound, Violation>) -> usize {
    match heard {
        Ok(Inbound::Text(text)) => text.len(),
        Ok(Inbound::Binary(bytes) | Inbound::Ping(bytes) | Inbound::Pong(bytes)) => bytes.len(),
        Ok(Inbound::Close(_)) | Err(_) => 0,
    }
}
