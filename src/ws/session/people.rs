//! What a socket says of its user: what they are, that they write, and that it wants to know who is here.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use actix::{ActorFutureExt as _, AsyncContext as _, WrapFuture as _};

use super::{ChatSession, Context};
use crate::{
    chat::statuses,
    error::{Code, Error, Result},
    protocol::{
        event::{Ack, Event},
        people::{SetStatus, Typing},
        time::now,
    },
};

/// Within this time after it was told that someone writes in a room, it need not be told again.
const TOLD_FOR: Duration = Duration::from_secs(2);
/// Statuses and notes of typing of one socket that are under way at once.
const MOST_UNDER_WAY: usize = 8;

/// What is under way.
#[derive(Default)]
pub struct People {
    under_way: usize,
    typed: Option<(Typing, Instant)>,
}

impl People {
    /// How much there is.
    pub fn count(&self) -> usize {
        self.under_way
    }
}

impl ChatSession {
    /// Sets what the user is, or whether the device is in use.
    pub(super) fn set_status(
        &mut self,
        reference: Option<String>,
        said: SetStatus,
        ctx: &mut Context,
    ) {
        if let (Some(is_idle), Some(registration)) =
            (statuses::of_device(&said), &self.registration)
        {
            registration.set_idle(is_idle);
        }
        let Some(wish) = statuses::of_user(said) else {
            return self.done_with_people(reference, Ok(None), ctx);
        };
        let (app, caller) = (Arc::clone(&self.app), self.caller.clone());
        let setting = async move { app.statuses.set(&caller, wish).await.map(|_| None) };
        self.run_for_people(reference, setting, ctx);
    }

    /// Has the socket told who is here.
    pub(super) fn ask_presence(&mut self, reference: Option<String>, ctx: &mut Context) {
        if let Err(error) = self.app.rates.check_read(self.caller.user_id) {
            return self.send_error(reference, &error);
        }
        if let Some(registration) = &self.registration {
            registration.ask_presence();
        }
        self.done_with_people(reference, Ok(None), ctx);
    }

    /// Tells the others in a room that the user is writing.
    pub(super) fn tell_typing(
        &mut self,
        reference: Option<String>,
        said: Typing,
        ctx: &mut Context,
    ) {
        let now = Instant::now();
        let is_told = |(before, at): &(Typing, Instant)| {
            *before == said && now.duration_since(*at) < TOLD_FOR
        };
        if self.people.typed.as_ref().is_some_and(is_told) {
            return self.done_with_people(reference, Ok(None), ctx);
        }
        self.people.typed = Some((said.clone(), now));
        let (app, caller) = (Arc::clone(&self.app), self.caller.clone());
        let telling = async move { app.typing.tell(&caller, said).await.map(|()| None) };
        self.run_for_people(reference, telling, ctx);
    }

    /// Has something done that belongs to no room; what comes of it may be a sentence for the user.
    pub(super) fn run_for_people(
        &mut self,
        reference: Option<String>,
        work: impl Future<Output = Result<Option<String>>> + 'static,
        ctx: &mut Context,
    ) {
        if self.people.under_way >= MOST_UNDER_WAY {
            let detail = "Too much of this waits on this socket; wait a moment.";
            let refused = Error::too_many(Code::RateLimited, detail, Duration::from_millis(500));
            return self.send_error(reference, &refused);
        }
        self.people.under_way += 1;
        ctx.spawn(work.into_actor(self).map(|done, session, ctx| {
            session.people.under_way -= 1;
            session.done_with_people(reference, done, ctx);
        }));
    }

    fn done_with_people(
        &mut self,
        reference: Option<String>,
        done: Result<Option<String>>,
        ctx: &mut Context,
    ) {
        match (done, reference) {
            // It belongs to no room, and has no number.
            (Ok(done), Some(reference)) => self.send(&Event::Ack(Ack {
                reference,
                room: String::new(),
                id: 0,
                seq: 0,
                timestamp: now(),
                duplicate: false,
                done,
            })),
            (Ok(_), None) => {}
            (Err(error), reference) => {
                // What was refused is not told: the next is looked at.
                self.people.typed = None;
                self.send_error(reference, &error);
                self.close_when_logged_out(&error, ctx);
            }
        }
        self.close_when_acked(ctx);
    }
}
