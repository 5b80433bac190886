//! What a socket changes in rooms: commands are handed over in the order in which they came, and acked in it.

use std::{collections::VecDeque, time::Duration};

use actix::{ActorFutureExt as _, AsyncContext as _, WrapFuture as _};

use super::{ChatSession, Context};
use crate::{
    chat::{
        commands::{Begun, Command, Done, Performing},
        rooms,
        slash::{Deed, Note},
    },
    error::{Code, Error, Result},
    protocol::event::{Ack, Event},
};

/// What is kept of a command until it is acked.
pub struct Owed {
    /// What its answer carries back.
    pub reference: Option<String>,
    /// What it was, if it was typed with a slash.
    pub note: Option<Note>,
}

/// Commands that wait for their ack, in the order in which they came.
#[derive(Default)]
pub struct Unacked {
    /// Those that wait until the room of the one before them is found.
    waiting: VecDeque<(Owed, Deed)>,
    is_finding: bool,
    /// Those that are on their way to the disk.
    queued: VecDeque<(Owed, Performing)>,
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
        let owed = Owed {
            reference,
            note: None,
        };
        self.perform_owed(owed, command.into(), ctx);
    }

    /// Has something carried out that is acked with what is kept of it.
    pub(super) fn perform_owed(&mut self, owed: Owed, deed: Deed, ctx: &mut Context) {
        if self.unacked.count() >= self.app.config.limits.unacked_per_socket {
            let detail =
                "Too many messages wait for their ack on this socket; wait for some of them.";
            let refused = Error::too_many(Code::TooManyUnacked, detail, Duration::from_millis(100));
            return self.send_error(owed.reference, &refused);
        }
        self.unacked.waiting.push_back((owed, deed));
        self.hand_over(ctx);
    }

    /// Hands over what waits, up to a command whose room has to be found first.
    fn hand_over(&mut self, ctx: &mut Context) {
        while !self.unacked.is_finding
            && let Some((owed, deed)) = self.unacked.waiting.pop_front()
        {
            match self.app.slash.begin(&self.caller, deed) {
                Ok(Begun::Queued(performing)) => {
                    self.unacked.queued.push_back((owed, performing));
                }
                Ok(Begun::Finding(finding)) => {
                    self.unacked.is_finding = true;
                    let found = finding.into_actor(self);
                    ctx.spawn(found.map(|found, session, ctx| {
                        session.unacked.is_finding = false;
                        session.go_on(owed, found, ctx);
                    }));
                }
                Err(error) => self.send_error(owed.reference, &error),
            }
        }
        self.await_ack(ctx);
    }

    /// The room of a command was found, or not.
    fn go_on(&mut self, owed: Owed, found: Result<Performing>, ctx: &mut Context) {
        match found {
            Ok(performing) => self.unacked.queued.push_back((owed, performing)),
            Err(error) => {
                self.send_error(owed.reference, &error);
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
        let Some((owed, performing)) = self.unacked.queued.pop_front() else {
            return;
        };
        self.unacked.is_awaited = true;
        let done = performing.done().into_actor(self);
        ctx.spawn(done.map(|done, session, ctx| session.acknowledge(owed, done, ctx)));
    }

    fn acknowledge(&mut self, owed: Owed, done: Result<Done>, ctx: &mut Context) {
        self.unacked.is_awaited = false;
        let Owed { reference, note } = owed;
        let room = done.as_ref().ok().map(|done| done.room_id);
        match (done, reference) {
            (Ok(done), Some(reference)) => self.send(&Event::Ack(Ack {
                reference,
                room: rooms::key_of(done.room_id),
                id: done.id,
                seq: done.seq,
                timestamp: done.at,
                duplicate: done.duplicate,
                done: note.map(|note| note.sentence(done.duplicate)),
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
