//! What a socket says of how far it has read: one mark at a time, so that the last holds.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use actix::{ActorFutureExt as _, AsyncContext as _, WrapFuture as _};

use super::{ChatSession, Context};
use crate::{
    error::{Code, Error, Result},
    protocol::{
        event::{Ack, Event},
        reading::{Marker, ReadUpTo},
        time::now,
    },
};

/// Marks that wait.
#[derive(Default)]
pub struct Marks {
    waiting: VecDeque<(Option<String>, ReadUpTo)>,
    is_under_way: bool,
}

impl Marks {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.waiting.len() + usize::from(self.is_under_way)
    }
}

impl ChatSession {
    /// Has it kept how far the caller has read.
    pub(super) fn mark(&mut self, reference: Option<String>, read: ReadUpTo, ctx: &mut Context) {
        if self.marks.count() >= self.app.config.limits.unacked_per_socket {
            let detail = "Too many marks wait on this socket; wait for some of them.";
            let refused = Error::too_many(Code::TooManyUnacked, detail, Duration::from_millis(100));
            return self.send_error(reference, &refused);
        }
        self.marks.waiting.push_back((reference, read));
        self.mark_next(ctx);
    }

    fn mark_next(&mut self, ctx: &mut Context) {
        if self.marks.is_under_way {
            return;
        }
        let Some((reference, ReadUpTo { room, mark })) = self.marks.waiting.pop_front() else {
            return;
        };
        self.marks.is_under_way = true;
        let (app, caller) = (Arc::clone(&self.app), self.caller.clone());
        let marking = async move { app.reading.mark(&caller, &room, mark).await };
        ctx.spawn(marking.into_actor(self).map(|done, session, ctx| {
            session.marks.is_under_way = false;
            session.answer_mark(reference, done, ctx);
            session.mark_next(ctx);
            session.close_when_acked(ctx);
        }));
    }

    fn answer_mark(&mut self, reference: Option<String>, done: Result<Marker>, ctx: &mut Context) {
        match (done, reference) {
            (Ok(marker), Some(reference)) => self.send(&Event::Ack(Ack {
                reference,
                room: marker.room,
                id: marker.seq,
                seq: marker.seq,
                timestamp: now(),
                duplicate: false,
                done: None,
            })),
            (Ok(_), None) => {}
            (Err(error), reference) => {
                self.send_error(reference, &error);
                self.close_when_logged_out(&error, ctx);
            }
        }
    }
}
