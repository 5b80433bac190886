//! What was tried and what came of it: acked acts are there, refused ones are not, and each was made by someone who may.

use std::collections::{HashMap, HashSet};

use super::{Act, Answer, Deed, RoomEvidence, Shown, Tick, User, members::Members, truth::Truth};
use crate::{
    protocol::{message::Message, room::RoomEvent},
    verify::check::{Verdict, digest},
};

/// All texts that were sent, and what became of those that were taken back.
pub struct Words {
    /// True: it was refused, for sure.
    sent: HashMap<u64, bool>,
    /// When the deletion of a message was acked.
    deleted: HashMap<u64, Tick>,
}

impl Words {
    /// Reads them in.
    pub fn new(room: &RoomEvidence) -> Self {
        let mut words = Self {
            sent: HashMap::new(),
            deleted: HashMap::new(),
        };
        for deed in &room.deeds {
            match (&deed.act, deed.ack) {
                (Act::Post(content) | Act::Edit(_, content), _) => {
                    words.sent.insert(digest(content), deed.is_without_effect());
                }
                (Act::Delete(id), Some(ack)) => {
                    let first = words.deleted.entry(*id).or_insert(ack.at);
                    *first = ack.at.min(*first);
                }
                _ => {}
            }
        }
        words
    }

    /// Whether an answer that was asked for at this moment may say this.
    pub fn check(
        &self,
        shown: Shown,
        asked: Option<Tick>,
        who: &str,
        truth: &Truth<'_>,
        verdict: &mut Verdict,
    ) {
        let Some(words) = shown.words else { return };
        let Shown { id, seq, .. } = shown;
        if self.sent.get(&words) != Some(&false) {
            verdict.counts.phantom += 1;
            verdict.example(|| format!("{who} said in {id} what nobody wrote, or was refused"));
        }
        let end = truth.message(id).filter(|end| end.deleted_at.is_some());
        let deleted = self.deleted.get(&id);
        if end.is_some_and(|end| seq >= end.seq) {
            verdict.counts.phantom += 1;
            verdict.example(|| format!("{who} told of {id} as if it had not been deleted"));
        } else if asked > deleted.copied() && deleted.is_some() {
            verdict.counts.leaked += 1;
            verdict
                .example(|| format!("{who} told the words of {id} after its deletion was acked"));
        }
    }
}

/// Judges all acts.
pub fn check(
    room: &RoomEvidence,
    truth: &Truth<'_>,
    members: &Members,
    words: &Words,
    verdict: &mut Verdict,
) {
    for deed in &room.deeds {
        if let Some(ack) = deed.ack {
            check_acked(deed, ack, truth, verdict);
        }
        if let Some(ack) = deed.applied() {
            check_right(room, deed, ack, truth, members, verdict);
        }
        // Whoever is in the room all the time may always write.
        if matches!(deed.act, Act::Post(_))
            && let Some(code) = deed.refusal
            && members.is_always_in(deed.user)
        {
            verdict.counts.denied += 1;
            let (user, code) = (deed.user, code.as_str());
            verdict.example(|| format!("user {user} may write and was refused ({code})"));
        }
    }
    let posted = Posted::new(room);
    for message in &room.history {
        if let Some(event) = &message.event {
            check_event(room, message, event, verdict);
        } else {
            posted.check(message, verdict);
            words.check(Shown::of(message), None, "history", truth, verdict);
        }
        let comes_in = matches!(message.event, Some(RoomEvent::Joined { .. }));
        let goes = matches!(message.event, Some(RoomEvent::Left { .. }));
        if !comes_in && message.id > 1 {
            let id = message.id;
            let may = members.may_act(message.user_id, id)
                || goes && members.may_hear(message.user_id, id);
            if !may {
                verdict.counts.trespassed += 1;
                verdict.example(|| {
                    format!(
                        "{id} is by user {}, who is not in the room",
                        message.user_id
                    )
                });
            }
        }
    }
}

fn is_founding(room: &RoomEvidence, message: &Message) -> bool {
    matches!(message.event, Some(RoomEvent::Invited { user_id }) if room.founders.contains(&user_id))
}

fn check_acked(deed: &Deed, ack: Answer, truth: &Truth<'_>, verdict: &mut Verdict) {
    let Answer { id, seq, .. } = ack;
    let about = match &deed.act {
        Act::Edit(id, _) | Act::Delete(id) | Act::React(id, ..) | Act::Pin(id, _) => Some(*id),
        _ => None,
    };
    if about.is_some_and(|about| about != id) {
        verdict.counts.reordered += 1;
        verdict.example(|| format!("{} was acked as a change of {id}", deed.act));
    }
    // What changed nothing may be about nothing.
    let is_about_a_message = !ack.is_repeat || matches!(deed.act, Act::Post(_));
    let message = truth.message(id);
    if is_about_a_message && message.is_none_or(|message| message.seq < seq) {
        verdict.counts.lost += 1;
        verdict.example(|| format!("{} was acked as {seq} and is not in history", deed.act));
        return;
    }
    let Some(message) = message.filter(|_| is_about_a_message) else {
        return;
    };
    let is_there = match &deed.act {
        Act::Post(_) => message.user_id == deed.user && message.event.is_none(),
        Act::Join => message.event == Some(RoomEvent::Joined { user_id: deed.user }),
        Act::Leave => message.event == Some(RoomEvent::Left { user_id: deed.user }),
        Act::Invite(user) => message.event == Some(RoomEvent::Invited { user_id: *user }),
        Act::Kick(user) => message.event == Some(RoomEvent::Kicked { user_id: *user }),
        _ => true,
    };
    if !is_there {
        verdict.counts.lost += 1;
        verdict.example(|| format!("{} was acked as {id}, which is something else", deed.act));
    }
}

fn check_right(
    room: &RoomEvidence,
    deed: &Deed,
    ack: Answer,
    truth: &Truth<'_>,
    members: &Members,
    verdict: &mut Verdict,
) {
    let user = deed.user;
    let is_in = members.may_act(user, ack.seq);
    let author = |id: &u64| truth.message(*id).map(|message| message.user_id);
    let may = match &deed.act {
        Act::Post(_) | Act::React(..) | Act::Pin(..) | Act::Invite(_) => is_in,
        Act::Edit(id, _) => is_in && author(id) == Some(user),
        Act::Delete(id) => is_in && (author(id) == Some(user) || room.owner == Some(user)),
        Act::Join => room.is_public && members.may_join(user, ack.seq),
        Act::Leave => members.may_hear(user, ack.seq),
        Act::Kick(_) => is_in && room.owner == Some(user),
    };
    if !may {
        verdict.counts.trespassed += 1;
        verdict.example(|| format!("{} of user {user} was acked as {}", deed.act, ack.seq));
    }
}

/// A message of kind `system` tells of something that somebody tried.
fn check_event(room: &RoomEvidence, message: &Message, event: &RoomEvent, verdict: &mut Verdict) {
    let act = match event {
        RoomEvent::Joined { .. } => Act::Join,
        RoomEvent::Left { .. } => Act::Leave,
        RoomEvent::Invited { user_id } => Act::Invite(*user_id),
        RoomEvent::Kicked { user_id } => Act::Kick(*user_id),
        _ => return,
    };
    let was_tried = room
        .deeds
        .iter()
        .any(|deed| deed.user == message.user_id && deed.act == act && !deed.is_without_effect());
    if !was_tried && !is_founding(room, message) {
        verdict.counts.phantom += 1;
        verdict.example(|| format!("nobody did what history has as {}", message.id));
    }
}

/// Whether it says no more what was sent: a second copy of what was sent again is then known by its author alone.
fn is_changed(message: &Message) -> bool {
    message.deleted_at.is_some() || message.edited_at.is_some()
}

/// Which messages were acked, and which may be there all the same.
struct Posted {
    acked: HashMap<u64, u64>,
    /// Where each text was acked.
    places: HashMap<u64, u64>,
    /// Who sent something of which no one knows what became of it; and who sent something twice for that.
    unknown: HashSet<User>,
    retried: HashSet<User>,
}

impl Posted {
    fn new(room: &RoomEvidence) -> Self {
        let mut posted = Self {
            acked: HashMap::new(),
            places: HashMap::new(),
            unknown: HashSet::new(),
            retried: HashSet::new(),
        };
        for deed in &room.deeds {
            let Act::Post(content) = &deed.act else {
                continue;
            };
            let words = digest(content);
            if deed.is_unknown {
                posted.retried.insert(deed.user);
            }
            match deed.ack {
                Some(ack) => {
                    posted.acked.insert(ack.id, words);
                    posted.places.insert(words, ack.id);
                }
                None if deed.is_unknown => {
                    posted.unknown.insert(deed.user);
                }
                None => {}
            }
        }
        posted
    }

    fn check(&self, message: &Message, verdict: &mut Verdict) {
        let id = message.id;
        if self.acked.contains_key(&id) {
            return;
        }
        if let Some(other) = self.places.get(&digest(&message.content)) {
            verdict.counts.doubled += 1;
            verdict.example(|| format!("{id} says what was acked as {other}"));
        } else if self.unknown.contains(&message.user_id) {
            // It may be that one.
        } else if is_changed(message) && self.retried.contains(&message.user_id) {
            verdict.counts.doubled += 1;
            verdict.example(|| format!("{id} was never acked, and is there, and changed"));
        } else {
            verdict.counts.phantom += 1;
            verdict.example(|| format!("nobody sent what history has as {id}"));
        }
    }
}
