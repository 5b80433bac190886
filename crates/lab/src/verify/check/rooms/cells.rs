//! What each message is in the end follows from what was acked: its text, that it is deleted, who reacted how, that it is
//! pinned. Each of these has one hand that changes it, one act after the other; where it is not known what became of an
//! act, both are right.

use std::collections::{HashMap, HashSet};

use super::{Act, Deed, RoomEvidence, User, people, truth::Truth};
use crate::{
    protocol::message::Message,
    verify::check::{Verdict, digest},
};

/// Something of a message, in what it can be in the end.
struct Cell<T> {
    possible: Vec<T>,
    last: u64,
}

impl<T> Cell<T> {
    fn new(first: T) -> Self {
        Self {
            possible: vec![first],
            last: 0,
        }
    }

    fn take(&mut self, deed: &Deed, value: T, verdict: &mut Verdict) {
        if deed.ack.is_some() {
            self.possible = vec![value];
        } else if deed.is_unknown {
            self.possible.push(value);
        }
        if let Some(ack) = deed.applied() {
            if ack.seq < self.last {
                verdict.counts.reordered += 1;
                let (last, seq) = (self.last, ack.seq);
                verdict.example(|| {
                    format!(
                        "{} is {seq}, but what was done before it is {last}",
                        deed.act
                    )
                });
            }
            self.last = ack.seq;
        }
    }
}

/// What each message can be in the end.
#[derive(Default)]
struct Cells<'a> {
    words: HashMap<u64, Cell<u64>>,
    pins: HashMap<u64, Cell<Option<User>>>,
    reactions: HashMap<u64, HashMap<(&'a str, User), Cell<bool>>>,
    deleted: HashSet<u64>,
    perhaps_deleted: HashSet<u64>,
}

/// Judges all messages.
pub fn check(room: &RoomEvidence, truth: &Truth<'_>, verdict: &mut Verdict) {
    let mut cells = Cells::default();
    for deed in &room.deeds {
        cells.take(deed, truth, verdict);
    }
    for message in room.history.iter().filter(|it| it.event.is_none()) {
        cells.check(message, verdict);
    }
}

impl<'a> Cells<'a> {
    fn take(&mut self, deed: &'a Deed, truth: &Truth<'_>, verdict: &mut Verdict) {
        match &deed.act {
            Act::Post(content) => {
                if let Some(ack) = deed.ack {
                    self.words.insert(ack.id, Cell::new(digest(content)));
                }
            }
            Act::Edit(id, content) => {
                let author = truth.message(*id).map(|message| message.user_id);
                if author == Some(deed.user)
                    && let Some(cell) = self.words.get_mut(id)
                {
                    cell.take(deed, digest(content), verdict);
                }
            }
            Act::Delete(id) => {
                if deed.ack.is_some() {
                    self.deleted.insert(*id);
                }
                if deed.is_unknown {
                    self.perhaps_deleted.insert(*id);
                }
            }
            Act::React(id, emoji, on) => {
                let cells = self.reactions.entry(*id).or_default();
                let cell = cells.entry((emoji, deed.user));
                let cell = cell.or_insert_with(|| Cell::new(false));
                cell.take(deed, *on, verdict);
            }
            Act::Pin(id, on) => {
                let cell = self.pins.entry(*id).or_insert_with(|| Cell::new(None));
                cell.take(deed, on.then_some(deed.user), verdict);
            }
            _ => {}
        }
    }

    fn check(&self, message: &Message, verdict: &mut Verdict) {
        let id = message.id;
        let wrong = |what: &str, verdict: &mut Verdict| {
            verdict.counts.lost += 1;
            verdict.example(|| format!("{id} {what}"));
        };
        if message.deleted_at.is_some() {
            if !self.deleted.contains(&id) && !self.perhaps_deleted.contains(&id) {
                wrong("is deleted, and nobody deleted it", verdict);
            }
            if !message.content.is_empty()
                || !message.reactions.is_empty()
                || message.pinned.is_some()
            {
                verdict.counts.leaked += 1;
                verdict.example(|| format!("{id} is deleted, and more than a tombstone"));
            }
            return;
        }
        if self.deleted.contains(&id) {
            wrong("is there, and its deletion was acked", verdict);
        }
        let words = digest(&message.content);
        let cell = self.words.get(&id);
        if cell.is_some_and(|cell| !cell.possible.contains(&words)) {
            wrong("does not say what was acked last", verdict);
        }
        let pinned = message.pinned.as_ref().map(|pinned| pinned.by);
        let cell = self.pins.get(&id);
        if !cell.map_or(pinned.is_none(), |cell| cell.possible.contains(&pinned)) {
            wrong("is not pinned as was acked last", verdict);
        }
        self.check_reactions(message, verdict);
    }

    fn check_reactions(&self, message: &Message, verdict: &mut Verdict) {
        let id = message.id;
        let mut found = HashSet::new();
        for reaction in &message.reactions {
            let users = people(reaction);
            if reaction.count != users.len() as u64 {
                verdict.counts.lost += 1;
                verdict.example(|| format!("{id} counts {} wrong", reaction.emoji));
            }
            found.extend(
                users
                    .into_iter()
                    .map(|user| (reaction.emoji.as_str(), user)),
            );
        }
        let empty = HashMap::new();
        let cells = self.reactions.get(&id).unwrap_or(&empty);
        for (key, cell) in cells {
            if !cell.possible.contains(&found.contains(key)) {
                verdict.counts.lost += 1;
                let (emoji, user) = key;
                verdict
                    .example(|| format!("{id}: {emoji} of user {user} is not as was acked last"));
            }
        }
        for (emoji, user) in found.iter().filter(|key| !cells.contains_key(*key)) {
            verdict.counts.phantom += 1;
            verdict.example(|| format!("{id} has a {emoji} that user {user} never gave"));
        }
    }
}
