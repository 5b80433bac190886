//! What is known of each number: which message it changed, and what the message was after it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{RoomEvidence, Shown};
use crate::{protocol::message::Message, verify::check::Verdict};

use super::Heard;

/// What is known of each number.
pub struct Truth<'a> {
    numbers: BTreeMap<u64, Known>,
    /// The numbers of each message.
    changes: HashMap<u64, BTreeSet<u64>>,
    by_id: HashMap<u64, &'a Message>,
}

/// What is known of one.
struct Known {
    id: u64,
    /// As whoever was told first was told of it.
    state: Option<u64>,
}

impl<'a> Truth<'a> {
    /// Reads everything in, and counts where two say different things.
    pub fn new(room: &'a RoomEvidence, verdict: &mut Verdict) -> Self {
        let mut truth = Self {
            numbers: BTreeMap::new(),
            changes: HashMap::new(),
            by_id: room.history.iter().map(|it| (it.id, it)).collect(),
        };
        check_order(room, verdict);
        for message in &room.history {
            truth.show(Shown::of(message), "history", verdict);
        }
        for deed in &room.deeds {
            if let Some(ack) = deed.applied() {
                truth.note(ack.seq, ack.id, None, "an ack", verdict);
            }
        }
        for heard in room.views.iter().flat_map(|view| &view.heard) {
            match heard {
                Heard::Told(shown) => truth.told(*shown, "a socket", verdict),
                Heard::Page(_, page) => {
                    for shown in page {
                        truth.told(*shown, "a page", verdict);
                    }
                }
                _ => {}
            }
        }
        truth.count_holes(room, verdict);
        truth
    }

    /// The message of this number, as it is in the end.
    pub fn message(&self, id: u64) -> Option<&'a Message> {
        self.by_id.get(&id).copied()
    }

    /// Whether this change must be in every answer that reaches as far as `until`: it is one, and the message that it is
    /// about has not been changed again by then.
    pub fn is_latest(&self, number: u64, until: u64) -> bool {
        let Some(known) = self.numbers.get(&number) else {
            return false;
        };
        let changes = self.changes.get(&known.id);
        let next = changes.and_then(|all| all.range(number + 1..).next());
        next.is_none_or(|next| *next > until)
    }

    fn told(&mut self, shown: Shown, who: &str, verdict: &mut Verdict) {
        self.show(shown, who, verdict);
        match self.message(shown.id) {
            Some(message) if message.seq >= shown.seq => {}
            _ => {
                verdict.counts.phantom += 1;
                let Shown { id, seq, .. } = shown;
                verdict.example(|| {
                    format!("{who} told of {seq}, a change of {id}, which is not in history")
                });
            }
        }
    }

    fn show(&mut self, shown: Shown, who: &str, verdict: &mut Verdict) {
        self.note(shown.id, shown.id, None, who, verdict);
        self.note(shown.seq, shown.id, Some(shown.state), who, verdict);
    }

    fn note(&mut self, number: u64, id: u64, state: Option<u64>, who: &str, verdict: &mut Verdict) {
        self.changes.entry(id).or_default().insert(number);
        let known = self.numbers.entry(number).or_insert(Known { id, state });
        let is_same_state = known.state.is_none() || state.is_none() || known.state == state;
        if known.id != id || !is_same_state {
            verdict.counts.reordered += 1;
            verdict.example(|| format!("{who} told of {number} otherwise than others"));
        }
        known.state = known.state.or(state);
    }

    /// No number of which nothing is known: but one that was acked to nobody, and whose message was changed again before
    /// anyone was told of it.
    fn count_holes(&self, room: &RoomEvidence, verdict: &mut Verdict) {
        let known = self.numbers.range(1..=room.last).count() as u64;
        let unknown = room.deeds.iter().filter(|deed| deed.is_unknown).count() as u64;
        let holes = room.last.saturating_sub(known).saturating_sub(unknown);
        if holes > 0 {
            verdict.counts.holes += holes;
            verdict.example(|| format!("of {} changes {holes} are of no message", room.last));
        }
        if let Some((above, _)) = self.numbers.range(room.last + 1..).next_back() {
            verdict.counts.phantom += 1;
            verdict.example(|| format!("{above} was told of, and the room ends at {}", room.last));
        }
    }
}

fn check_order(room: &RoomEvidence, verdict: &mut Verdict) {
    let in_order = |numbers: Vec<u64>| numbers.windows(2).all(|pair| pair[0] < pair[1]);
    let by_id = room.history.iter().map(|message| message.id).collect();
    let by_seq: Vec<u64> = room.changes.iter().map(|message| message.seq).collect();
    if !in_order(by_id) || !in_order(by_seq) {
        verdict.counts.nonmonotonic += 1;
        verdict.example(|| "history is not in the order of its numbers".into());
    }
    let mut by_change: Vec<_> = room.history.iter().map(Shown::of).collect();
    by_change.sort_by_key(|shown| shown.seq);
    let changes: Vec<_> = room.changes.iter().map(Shown::of).collect();
    if by_change != changes {
        verdict.counts.reordered += 1;
        verdict.example(|| "history is another read in the order of the changes".into());
    }
}
