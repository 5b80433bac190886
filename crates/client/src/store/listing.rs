//! Rooms that the first frame of a socket has left out: they are asked for page by page.

use std::collections::BTreeSet;

use super::{News, Outcome, Room, Rooms, Store};
use crate::{
    api::{Answer, Ask, RoomsPage},
    effect::Effect,
    link::Millis,
    protocol::{event::RoomState, room},
};

/// How long to wait before a page is asked for again that could not be had.
const PAUSE: Millis = 2_000;

/// A list of rooms that is being read.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// Rooms that were known before and not told of: those that are not on any page are gone.
    pub known: BTreeSet<String>,
    /// Rooms that are wanted and not found yet, by key or name.
    pub words: Vec<String>,
    /// Where it goes on.
    cursor: Option<String>,
    tag: u64,
    again_at: Option<Millis>,
}

impl Listing {
    fn ask(&self) -> Effect {
        Effect::Ask(Ask::Own {
            cursor: self.cursor.clone(),
            tag: self.tag,
        })
    }
}

impl Store {
    /// Asks for the rooms that the first frame has left out.
    pub(super) fn list(&mut self, known: BTreeSet<String>, words: Vec<String>) -> Option<Effect> {
        if self.wanted != Rooms::All && known.is_empty() && words.is_empty() {
            return None;
        }
        self.last_tag += 1;
        let listing = Listing {
            known,
            words,
            tag: self.last_tag,
            ..Listing::default()
        };
        let ask = listing.ask();
        self.listing = Some(listing);
        Some(ask)
    }

    /// What was asked about rooms is answered.
    pub fn answered(&mut self, now: Millis, ask: &Ask, result: &Result<Answer, String>) -> Outcome {
        let mut outcome = Outcome::default();
        match (ask, result) {
            (Ask::Own { cursor, tag }, result) => {
                self.listed(now, (cursor.as_ref(), *tag), result, &mut outcome);
            }
            // It may be one of those that were left out, and then nothing else tells of it.
            (Ask::Direct(_), Ok(Answer::Room(room))) if self.listing.is_some() => {
                self.found(now, room, &mut outcome);
            }
            _ => self.own_answered(now, ask, result, &mut outcome),
        }
        outcome.effects.extend(self.sync());
        outcome
    }

    fn listed(
        &mut self,
        now: Millis,
        asked: (Option<&String>, u64),
        result: &Result<Answer, String>,
        outcome: &mut Outcome,
    ) {
        let is_awaited = |listing: &&mut Listing| (listing.cursor.as_ref(), listing.tag) == asked;
        let Some(listing) = self.listing.as_mut().filter(is_awaited) else {
            // Asked for on an earlier socket.
            return;
        };
        let Ok(Answer::Page(RoomsPage { rooms, next })) = result else {
            listing.again_at = Some(now + PAUSE);
            return;
        };
        listing.cursor.clone_from(next);
        for room in rooms {
            self.found(now, room, outcome);
        }
        let ended = self.listing.take_if(|listing| listing.cursor.is_none());
        let Some(Listing { known, words, .. }) = ended else {
            return outcome
                .effects
                .extend(self.listing.as_ref().map(Listing::ask));
        };
        for key in known {
            self.gone(&key, outcome);
        }
        for room in words {
            outcome.news.push(News::NotMember { room });
        }
    }

    /// A room that the user is in, as a list has it.
    fn found(&mut self, now: Millis, room: &room::Room, outcome: &mut Outcome) {
        let Some(listing) = &mut self.listing else {
            return;
        };
        let about = RoomState::from(room.clone());
        let mut is_wanted = self.wanted == Rooms::All;
        listing.words.retain(|word| {
            // Those that are left out have no names; a name among them is another room's, which the first frame had.
            let is_meant = about.room == *word;
            is_wanted |= is_meant;
            !is_meant
        });
        let is_back = listing.known.remove(&about.room);
        let is_new = is_wanted && !self.rooms.contains_key(&about.room);
        if is_new {
            let room = Room::new(&about.room, self.past_of(&about.room));
            self.rooms.insert(about.room.clone(), room);
        }
        if is_new || is_back {
            self.here(now, about, true, outcome);
        }
    }

    /// A room that was left out of the first frame is told of: it need not be looked for any more. False for any other.
    pub(super) fn is_found(&mut self, key: &str) -> bool {
        let listing = self.listing.as_mut();
        listing.is_some_and(|listing| listing.known.remove(key))
    }

    /// Asks again for a page that could not be had.
    pub(super) fn list_again(&mut self, now: Millis) -> Option<Effect> {
        let listing = self.listing.as_mut()?;
        listing.again_at.take_if(|at| *at <= now)?;
        Some(listing.ask())
    }
}
