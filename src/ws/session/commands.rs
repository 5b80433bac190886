//! What a socket changes in rooms: commands are handed over in the order in which they came, and acked in it.

use std::{collections::VecDeque, time::Duration};

use actix::{ActorFutureExt as _, AsyncContext as _, WrapFuture as _};

use super::{ChatSession, Context};
use crate::{
    chat::{
        commands::{Begun, Command, Done, Performing},
        rooms,
    },
    error::{Code, Error, Result},
    protocol::event::{Ack, Event},
};

/// Commands that wait for their ack, in the order in which they came.
#[derive(Default)]
pub struct Unacked {
    /// Those that wait until the room of the one before them is found.
    waiting: VecDeque<(Option<String>, Command)>,
    is_finding: bool,
    /// Those that are on their way to the disk.
    queued: VecDeque<(Option<String>, Performing)>,
    is_awaited: bool,
}

impl Unacked {
    /// How many there are.
    pub fn count(&self) -> usize {
        let under_way = usize::from(self.is_finding) + usize::from(self.is_awaited);
        self.waiting.len() + self.queued.len() + under_way
    }
}

impl ChatSession {
    /// Has a command carried out.
    pub(super) fn perform(
        &mut self,
        reference: Option<String>,
        command: Command,
        ctx: &mut Context,
    ) {
        if self.unacked.count() >= self.app.config.limits.unacked_per_socket {
            let detail =
                "Too many messages wait for their ack on this socket; wait for some of them.";
            let refused = Error::too_many(Code::TooManyUnacked, detail, Duration::from_millis(100));
            return self.send_error(reference, &refused);
        }
        self.unacked.waiting.push_back((reference, command));
        self.hand_over(ctx);
    }

    /// Hands over what waits, up to a command whose room has to be found first.
    fn hand_over(&mut self, ctx: &mut Context) {
        while !self.unacked.is_finding
            && let Some((reference, command)) = self.unacked.waiting.pop_front()
        {
            match self.app.commands.begin(&self.caller, command) {
                Ok(Begun::Queued(performing)) => {
                    self.unacked.queued.push_back((reference, performing));
                }
                Ok(Begun::Finding(finding)) => {
                    self.unacked.is_finding = true;
                    let found = finding.into_actor(self);
                    ctx.spawn(found.map(|found, session, ctx| {
                        session.unacked.is_finding = false;
                        session.go_on(reference, found, ctx);
                    }));
                }
                Err(error) => self.send_error(reference, &error),
            }
        }
        self.await_ack(ctx);
    }

    /// The room of a command was found, or not.
    fn go_on(&mut self, reference: Option<String>, found: Result<Performing>, ctx: &mut Context) {
        match found {
            Ok(performing) => self.unacked.queued.push_back((reference, performing)),
            Err(error) => {
                self.send_error(reference, &error);
                self.close_when_logged_out(&error, ctx);
            }
        }
        self.hand_over(ctx);
        self.close_when_acked(ctx);
    }

    /// Waits for the oldest receipt; one at a time, so that acks come in the order of the commands.
    fn await_ack(&mut self, ctx: &mut Context) {
        if self.unacked.is_awaited {
            return;
        }
        let Some((reference, performing)) = self.unacked.queued.pop_front() else {
            return;
        };
        self.unacked.is_awaited = true;
        let done = performing.done().into_actor(self);
        ctx.spawn(done.map(|done, session, ctx| session.acknowledge(reference, done, ctx)));
    }

    fn acknowledge(&mut self, reference: Option<String>, done: Result<Done>, ctx: &mut Context) {
        self.unacked.is_awaited = false;
        let room = done.as_ref().ok().map(|done| done.room_id);
        match (done, reference) {
            (Ok(done), Some(reference)) => self.send(&Event::Ack(Ack {
                reference,
                room: rooms::key_of(done.room_id),
                id: done.id,
                seq: done.seq,
                timestamp: done.at,
                duplicate: done.duplicate,
            })),
            (Ok(_), None) => {}
            (Err(error), reference) => {
                self.send_error(reference, &error);
                self.close_when_logged_out(&error, ctx);
            }
        }
        if let Some(room) = room {
            // A direct room that was there and that the client was not told of.
            self.wake(room, ctx);
        }
        self.await_ack(ctx);
        self.close_when_acked(ctx);
    }
}
