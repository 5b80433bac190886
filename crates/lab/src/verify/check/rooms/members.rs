//! Who was in a room from which number to which, as the messages of kind `system` in it tell.

use std::collections::{BTreeSet, HashMap};

use super::{RoomEvidence, User};
use crate::{protocol::room::RoomEvent, verify::check::Verdict};

/// Who was in a room when.
#[derive(Default)]
pub struct Members {
    stays: HashMap<User, Vec<Stay>>,
}

/// From the number by which someone came in to the one by which they went.
#[derive(Debug, Clone, Copy)]
struct Stay {
    from: u64,
    to: Option<u64>,
    was_kicked: bool,
}

impl Members {
    /// Reads the log.
    pub fn new(room: &RoomEvidence, verdict: &mut Verdict) -> Self {
        let mut members = Self::default();
        for founder in &room.founders {
            members.come(*founder, 1);
        }
        for message in &room.history {
            match message.event {
                Some(RoomEvent::Joined { user_id } | RoomEvent::Invited { user_id }) => {
                    members.come(user_id, message.id);
                }
                Some(RoomEvent::Left { user_id }) => members.go(user_id, message.id, false),
                Some(RoomEvent::Kicked { user_id }) => members.go(user_id, message.id, true),
                _ => {}
            }
        }
        members.check_end(room, verdict);
        members
    }

    fn come(&mut self, user: User, number: u64) {
        let stays = self.stays.entry(user).or_default();
        if stays.last().is_none_or(|last| last.to.is_some()) {
            stays.push(Stay {
                from: number,
                to: None,
                was_kicked: false,
            });
        }
    }

    fn go(&mut self, user: User, number: u64, was_kicked: bool) {
        let stay = self.stays.get_mut(&user).and_then(|stays| stays.last_mut());
        if let Some(stay) = stay.filter(|stay| stay.to.is_none()) {
            (stay.to, stay.was_kicked) = (Some(number), was_kicked);
        }
    }

    fn check_end(&self, room: &RoomEvidence, verdict: &mut Verdict) {
        let expected: BTreeSet<User> = self
            .stays
            .iter()
            .filter(|(_, stays)| stays.last().is_some_and(|last| last.to.is_none()))
            .map(|(user, _)| *user)
            .collect();
        let found: BTreeSet<User> = room.members.iter().copied().collect();
        for user in expected.difference(&found) {
            verdict.counts.lost += 1;
            verdict.example(|| format!("user {user} came in and is no member"));
        }
        for user in found.difference(&expected) {
            verdict.counts.phantom += 1;
            verdict.example(|| format!("user {user} is a member and never came in, or went"));
        }
        for user in &room.let_in {
            verdict.counts.leaked += 1;
            verdict.example(|| format!("user {user} is no member and was let read"));
        }
    }

    /// Whether someone may be told of this number when nothing above it has come to be.
    pub fn may_hear(&self, user: User, number: u64) -> bool {
        self.stay(user, number).is_some()
    }

    /// Whether someone may have made this change.
    pub fn may_act(&self, user: User, number: u64) -> bool {
        let stay = self.stay(user, number);
        stay.is_some_and(|stay| stay.from < number && stay.to != Some(number))
    }

    /// The number up to which someone who is in the room after this number, or comes in by the next, knows at least.
    pub fn admitted(&self, user: User, number: u64) -> Option<u64> {
        [number, number + 1]
            .into_iter()
            .find(|number| self.may_hear(user, *number))
    }

    /// Whether someone may come in by this number unasked.
    pub fn may_join(&self, user: User, number: u64) -> bool {
        let before = self.before(user, number);
        before.is_none_or(|stay| !stay.was_kicked && stay.to.is_some_and(|to| to < number))
    }

    /// In it from the first number to the last.
    pub fn is_always_in(&self, user: User) -> bool {
        let stays = self.stays.get(&user).map_or(&[][..], Vec::as_slice);
        matches!(stays, [stay] if stay.from == 1 && stay.to.is_none())
    }

    fn stay(&self, user: User, number: u64) -> Option<Stay> {
        let stays = self.stays.get(&user)?.iter();
        stays
            .copied()
            .find(|stay| stay.from <= number && stay.to.is_none_or(|to| number <= to))
    }

    fn before(&self, user: User, number: u64) -> Option<Stay> {
        let stays = self.stays.get(&user)?.iter();
        stays.copied().rfind(|stay| stay.from < number)
    }
}
