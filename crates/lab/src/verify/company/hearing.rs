//! What one of the company hears on a socket, and what follows from it.

use std::time::Instant;

use super::{
    Place, choice,
    socket::{Conversation, SYNC},
};
use crate::{
    protocol::{
        code::Code,
        event::{Ack, ErrorFrame, Event, RoomNews, SyncedRoom},
        message::Message,
        room::RoomEvent,
    },
    verify::{
        check::rooms::{Act, Answer, Heard, Shown},
        crowd::Over,
        rng::Rng,
    },
};

/// Once in so many frames of the rooms someone asks again, from at most so far back.
const ASKS_AGAIN: usize = 60;
const FAR_BACK: u64 = 60;
/// Refusals that say that nothing was stored by this attempt, and that another one may be.
const LATER: [Code; 6] = [
    Code::StoreUnavailable,
    Code::Busy,
    Code::ShuttingDown,
    Code::TooManyUnacked,
    Code::RateLimited,
    Code::SlowMode,
];
/// Refusals that are the last word.
const NEVER: [Code; 13] = [
    Code::Forbidden,
    Code::JoinFirst,
    Code::RoomNotFound,
    Code::MessageNotFound,
    Code::MessageDeleted,
    Code::UserNotFound,
    Code::TooManyEdits,
    Code::TooManyReactions,
    Code::LastOwner,
    Code::RoomFull,
    Code::Muted,
    Code::ValidationError,
    Code::InvalidFrame,
];

impl Conversation<'_> {
    /// Takes in a frame.
    pub async fn hear(&mut self, event: Event, rng: &mut Rng) -> Result<(), Over> {
        match event {
            Event::Message(message) => self.hear_message(&message, rng).await?,
            Event::MessageChanged(changed) => self.hear_message(&changed.message, rng).await?,
            Event::Ack(ack) => self.hear_ack(&ack),
            Event::Error(error) if error.reference.as_deref() == Some(SYNC) => {
                for room in self.asked.take().unwrap_or_default() {
                    self.see(room, Heard::SyncRefused);
                }
                tokio::time::sleep(rng.millis(100, 300)).await;
                self.ask(0).await?;
            }
            Event::Error(error) => self.hear_error(&error, rng),
            Event::Room(news) => self.hear_news(news, rng).await?,
            Event::Lag { room, seq } => {
                let lags = &self.shared.record.lags;
                lags.set(lags.get() + 1);
                if let Some(room) = self.shared.book.find(&room) {
                    self.see(room, Heard::Lag(seq));
                    self.with_place(room, |place| place.at = place.at.max(seq));
                    self.ask(0).await?;
                }
            }
            Event::Synced { rooms, .. } => {
                self.asked = None;
                for (key, synced) in rooms {
                    if let Some(room) = self.shared.book.find(&key) {
                        self.hear_synced(room, synced).await;
                    }
                }
                if self.ask_again {
                    self.ask(0).await?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    async fn hear_news(&mut self, news: RoomNews, rng: &mut Rng) -> Result<(), Over> {
        match news {
            RoomNews::Here(state) => {
                let Some(room) = self.shared.book.find(&state.room) else {
                    return Ok(());
                };
                self.see(room, Heard::Here(state.seq));
                self.with_place(room, |place| {
                    place.is_inside = true;
                    place.at = state.seq;
                });
                // What was said meanwhile is for the one who has come back, too.
                self.ask(0).await?;
            }
            RoomNews::Gone(gone) => {
                let Some(room) = self.shared.book.find(&gone.room) else {
                    return Ok(());
                };
                self.see(room, Heard::Gone);
                self.with_place(room, |place| place.is_inside = false);
                if self.shared.is_offering.get() {
                    let insisting = choice::insist(self.shared, self.person, room, rng);
                    self.person.queue.borrow_mut().push_front(insisting);
                }
                if rng.once_in(3) {
                    self.look(room).await;
                }
            }
            RoomNews::Changed(_) => {}
        }
        Ok(())
    }

    async fn hear_synced(&mut self, room: usize, synced: SyncedRoom) {
        match synced {
            SyncedRoom::Upto(upto) => {
                self.see(room, Heard::Synced(upto.seq, upto.complete));
                self.with_place(room, |place| {
                    let high = std::mem::take(&mut place.high);
                    place.at = upto.seq.max(high);
                    let reached = if upto.complete { place.at } else { upto.seq };
                    place.cursor = place.cursor.max(reached);
                });
                if !upto.complete {
                    self.read_on(room, upto.seq).await;
                }
            }
            SyncedRoom::Gone { .. } => {
                self.see(room, Heard::SyncedGone);
                self.with_place(room, |place| place.is_inside = false);
            }
        }
    }

    async fn hear_message(&mut self, message: &Message, rng: &mut Rng) -> Result<(), Over> {
        let Some(room) = self.shared.book.find(&message.room) else {
            return Ok(());
        };
        let shown = Shown::of(message);
        self.see(room, Heard::Told(shown));
        let is_asked = self.asked.is_some();
        self.with_place(room, |place| {
            learn(place, message);
            // While an answer comes, only its end says how far it is.
            if is_asked {
                place.high = place.high.max(shown.seq);
            } else {
                if place.at <= place.cursor {
                    place.cursor = place.cursor.max(shown.seq);
                }
                place.at = shown.seq;
            }
        });
        if !is_asked && rng.once_in(ASKS_AGAIN) {
            if rng.once_in(2) {
                return self.ask(rng.next() % FAR_BACK).await;
            }
            let cursor = self.person.places.borrow().get(room).map(|it| it.cursor);
            let back = cursor.unwrap_or(0).saturating_sub(rng.next() % FAR_BACK);
            self.read_on(room, back).await;
        }
        Ok(())
    }

    fn hear_ack(&mut self, ack: &Ack) {
        let Some((at, sent)) = self.answered(&ack.reference) else {
            return;
        };
        self.shared.record.absence.hear_ack(sent);
        let book = &self.shared.book;
        let answer = Answer {
            id: ack.id,
            seq: ack.seq,
            is_repeat: ack.duplicate,
            at: book.now(),
        };
        book.ack(at, answer);
        self.person.acked.set(self.person.acked.get() + 1);
        let act = book.deed(at).map(|deed| deed.act);
        self.with_place(at.0, |place| match act {
            Some(Act::Post(_)) => Place::remember(&mut place.own, ack.id),
            Some(Act::Delete(id)) => place.forget(id),
            Some(Act::Invite(user)) => {
                place.present.insert(user);
            }
            Some(Act::Kick(user)) => {
                place.present.remove(&user);
            }
            _ => {}
        });
    }

    fn hear_error(&mut self, error: &ErrorFrame, rng: &mut Rng) {
        let reference = error.reference.as_deref().unwrap_or_default();
        let Some(at) = parse(reference).filter(|at| self.waiting.contains_key(at)) else {
            return;
        };
        if NEVER.contains(&error.code) {
            self.answered(reference);
            self.shared.book.refuse(at, error.code);
            let act = self.shared.book.deed(at).map(|deed| deed.act);
            self.with_place(at.0, |place| match act {
                Some(Act::Edit(id, _) | Act::React(id, ..) | Act::Pin(id, _))
                    if error.code == Code::MessageDeleted =>
                {
                    place.forget(id);
                }
                Some(Act::Kick(user)) if error.code == Code::UserNotFound => {
                    place.present.remove(&user);
                }
                _ => {}
            });
            return;
        }
        self.waiting.remove(&at);
        self.person.unanswered.set(self.waiting.len());
        if LATER.contains(&error.code) {
            let refused = &self.shared.record.refused;
            refused.set(refused.get() + 1);
        } else {
            self.shared.book.unknown(at);
        }
        self.person.queue.borrow_mut().push_front(at);
        self.not_before = Instant::now() + rng.millis(50, 150);
    }

    /// An act is done: what it was about is free. Its place, and when it was sent.
    fn answered(&mut self, reference: &str) -> Option<((usize, usize), Instant)> {
        let at = parse(reference)?;
        let sent = self.waiting.remove(&at)?;
        self.person.unanswered.set(self.waiting.len());
        let act = self.shared.book.deed(at)?.act;
        if let Some(target) = choice::target(&act, self.person.user) {
            self.person.busy.borrow_mut().remove(&(at.0, target));
        }
        Some((at, sent))
    }
}

fn parse(reference: &str) -> Option<(usize, usize)> {
    let (room, place) = reference.split_once(' ')?;
    Some((room.parse().ok()?, place.parse().ok()?))
}

/// What a message says of what can be done next.
fn learn(place: &mut Place, message: &Message) {
    match message.event {
        Some(RoomEvent::Joined { user_id } | RoomEvent::Invited { user_id }) => {
            place.present.insert(user_id);
        }
        Some(RoomEvent::Left { user_id } | RoomEvent::Kicked { user_id }) => {
            place.present.remove(&user_id);
        }
        None if message.deleted_at.is_some() => place.forget(message.id),
        None if message.id == message.seq => Place::remember(&mut place.recent, message.id),
        _ => {}
    }
}
