//! The places of a user's sockets: there are only so many. When a network has cut all of them, the clients are back a little
//! sooner than the ends of the old ones are noticed, so a newcomer waits a moment for its turn, first come first served.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use actix::{Addr, AsyncContext as _, Context, Handler, Message};
use tokio::sync::oneshot;

use super::server::ChatServer;
use crate::error::{Code, Error, Result};

/// So long a newcomer waits.
const MOMENT: Duration = Duration::from_secs(2);

/// A place for one more socket of a user, until it is dropped or a socket has taken it.
#[derive(Debug)]
pub struct Place {
    user_id: i64,
    was_awaited: bool,
    server: Option<Addr<ChatServer>>,
}

impl Place {
    /// Whether it was not there at once: what was read before may have changed.
    #[must_use]
    pub fn was_awaited(&self) -> bool {
        self.was_awaited
    }

    /// A socket takes it, and is counted from now on.
    pub(super) fn take(mut self, places: &mut Places) {
        self.server = None;
        places.release(self.user_id);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            // Never too many: one for each place that was given.
            server.do_send(GiveUp(self.user_id));
        }
    }
}

/// Who has a place and has not come in yet, and who waits for one.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// User → how many have one. None of them is 0.
    kept: HashMap<i64, usize>,
    /// User → those who wait, the first first.
    waiting: HashMap<i64, VecDeque<oneshot::Sender<Place>>>,
}

impl Places {
    /// Puts one more behind those who wait.
    ///
    /// # Errors
    /// 429 when as many wait as may have a place.
    fn queue(&mut self, user_id: i64, most: usize) -> Result<oneshot::Receiver<Place>> {
        let waiting = self.waiting.entry(user_id).or_default();
        waiting.retain(|one| !one.is_closed());
        if waiting.len() >= most {
            return Err(too_many_sockets());
        }
        let (sender, place) = oneshot::channel();
        waiting.push_back(sender);
        Ok(place)
    }

    /// Gives those who wait what is free. `count`: how many sockets a user has.
    fn serve(&mut self, most: usize, count: impl Fn(i64) -> usize, server: &Addr<ChatServer>) {
        let kept = &mut self.kept;
        self.waiting.retain(|&user_id, waiting| {
            while count(user_id) + kept.get(&user_id).copied().unwrap_or(0) < most {
                let Some(next) = waiting.pop_front() else {
                    return false;
                };
                let place = Place {
                    user_id,
                    was_awaited: true,
                    server: Some(server.clone()),
                };
                *kept.entry(user_id).or_default() += 1;
                // Who has gone gives it back by not taking it.
                let _taken_or_given_up = next.send(place);
            }
            !waiting.is_empty()
        });
    }

    /// One who had a place has it no more, or is counted among the sockets.
    fn release(&mut self, user_id: i64) {
        if let Some(kept) = self.kept.get_mut(&user_id) {
            *kept -= 1;
            if *kept == 0 {
                self.kept.remove(&user_id);
            }
        }
    }
}

impl ChatServer {
    /// Gives places that are free to those who wait for them.
    pub(super) fn serve_places(&mut self, server: &Addr<Self>) {
        let registry = &self.registry;
        let count = |user_id| registry.count_of_user(user_id);
        self.places.serve(self.sockets_per_user, count, server);
    }
}

/// Asks for a place.
#[derive(Message)]
#[rtype(result = "Result<oneshot::Receiver<Place>>")]
pub(super) struct AskPlace(pub i64);

impl Handler<AskPlace> for ChatServer {
    type Result = Result<oneshot::Receiver<Place>>;

    fn handle(&mut self, AskPlace(user_id): AskPlace, ctx: &mut Context<Self>) -> Self::Result {
        if self.draining {
            return Err(Error::shutting_down());
        }
        let place = self.places.queue(user_id, self.sockets_per_user)?;
        self.serve_places(&ctx.address());
        Ok(place)
    }
}

/// A place is not taken.
#[derive(Message)]
#[rtype(result = "()")]
struct GiveUp(i64);

impl Handler<GiveUp> for ChatServer {
    type Result = ();

    fn handle(&mut self, GiveUp(user_id): GiveUp, ctx: &mut Context<Self>) {
        self.places.release(user_id);
        self.serve_places(&ctx.address());
    }
}

/// Waits a moment for a place.
///
/// # Errors
/// 429 when there is none, 503 when the server is going down, 500 when the hub is gone.
pub(super) async fn await_place(server: &Addr<ChatServer>, user_id: i64) -> Result<Place> {
    let mut place = server
        .send(AskPlace(user_id))
        .await
        .map_err(Error::internal)??;
    if let Ok(mut place) = place.try_recv() {
        place.was_awaited = false;
        return Ok(place);
    }
    match tokio::time::timeout(MOMENT, place).await {
        Ok(Ok(place)) => Ok(place),
        Ok(Err(_)) => Err(Error::shutting_down()),
        Err(_) => Err(too_many_sockets()),
    }
}

/// The answer to one socket too many.
fn too_many_sockets() -> Error {
    Error::too_many(
        Code::TooManySockets,
        "You have too many connections open; close one of them first.",
        Duration::from_secs(10),
    )
}
