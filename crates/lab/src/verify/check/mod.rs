//! The judge: what was sent, what was seen and what is stored, laid side by side. Pure, so that it can be given
//! histories that are wrong on purpose.
//!
//! A send is *ok* (acked), *refused* (an error that says that nothing was stored) or *unknown* (cut off, timed out, or
//! said to be unknown). Every content is unlike every other, so a content names its message.

pub mod rooms;
mod views;

use std::{
    collections::{HashMap, HashSet, hash_map::DefaultHasher},
    fmt,
    hash::{Hash as _, Hasher as _},
};

use serde::Serialize;

use self::rooms::RoomEvidence;

/// A message that someone tried to send, and what came of it.
#[derive(Debug, Clone, Default)]
pub struct Sending {
    /// The name under which it was sent, again and again.
    pub client_id: String,
    /// What was said.
    pub content: String,
    /// The numbers in its acks.
    pub acks: Vec<u64>,
    /// Some attempt ended without anyone knowing how.
    pub unknown: bool,
    /// Its first attempt was acked, as new.
    pub at_once: bool,
}

/// What one socket was told, in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// The socket opened: what comes live is above this number.
    Connected(u64),
    /// We asked for everything after this number.
    Asked(u64),
    /// A message.
    Message(u64, u64),
    /// The answer to the question is complete up to this number, or (`false`) has to be read page by page.
    Synced(u64, bool),
    /// The question was refused.
    SyncRefused,
    /// Not everything up to this number was sent.
    Lag(u64),
}

/// A message in history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its number.
    pub seq: u64,
    /// What it says.
    pub content: String,
}

/// All that is known of a run.
#[derive(Debug, Default)]
pub struct Evidence {
    /// Every message that was tried.
    pub sent: Vec<Sending>,
    /// For each socket, what was first sent on it, in its order; places in `sent`.
    pub pipelines: Vec<Vec<usize>>,
    /// What each socket saw.
    pub views: Vec<Vec<Seen>>,
    /// Pages that were read meanwhile: number and digest of the content.
    pub pages: Vec<Vec<(u64, u64)>>,
    /// Everything that is stored in the end, read forwards.
    pub history: Vec<Stored>,
    /// The same, read backwards, turned round.
    pub backwards: Vec<Stored>,
    /// Readers that never got to the end though nothing was in their way any more.
    pub left_behind: u64,
    /// The rooms in which everything is done.
    pub rooms: Vec<RoomEvidence>,
}

/// What was found to be wrong, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Acked, but not in history, or not as it was sent.
    pub lost: u64,
    /// In history more often than once, or acked under two numbers.
    pub doubled: u64,
    /// Two truths about one number, or two sends of one socket in the wrong order.
    pub reordered: u64,
    /// In history or seen, though no one sent it, or though it was refused.
    pub phantom: u64,
    /// Numbers that history leaves out.
    pub holes: u64,
    /// A number that was sent again, or after a greater one, to a socket that had not asked.
    pub nonmonotonic: u64,
    /// Silent gaps: n + 2 after n without a word, or a reader left waiting.
    pub stale: u64,
    /// Told to someone who is not in the room (any more, or yet), or after its deletion was acked.
    pub leaked: u64,
    /// Done by someone who may not.
    pub trespassed: u64,
    /// Refused to someone who may.
    pub denied: u64,
}

impl Counts {
    /// Nothing is wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        *self == Self::default()
    }

    /// Adds what was found elsewhere.
    fn add(&mut self, other: Self) {
        let Self {
            lost,
            doubled,
            reordered,
            phantom,
            holes,
            nonmonotonic,
            stale,
            leaked,
            trespassed,
            denied,
        } = other;
        self.lost += lost;
        self.doubled += doubled;
        self.reordered += reordered;
        self.phantom += phantom;
        self.holes += holes;
        self.nonmonotonic += nonmonotonic;
        self.stale += stale;
        self.leaked += leaked;
        self.trespassed += trespassed;
        self.denied += denied;
    }
}

/// What is wrong, and the first few cases of it in words.
#[derive(Debug, Default)]
pub struct Verdict {
    /// How often.
    pub counts: Counts,
    /// The first few cases.
    pub examples: Vec<String>,
}

/// As many cases are told in words.
const MOST_EXAMPLES: usize = 12;

impl Verdict {
    fn example(&mut self, text: impl FnOnce() -> String) {
        if self.examples.len() < MOST_EXAMPLES {
            self.examples.push(text());
        }
    }
}

/// Stands for a content where keeping it would take too much room.
#[must_use]
pub fn digest(content: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    hasher.finish()
}

/// Judges.
#[must_use]
pub fn check(evidence: &Evidence) -> Verdict {
    let mut verdict = Verdict::default();
    let history = History::new(evidence, &mut verdict);
    check_sent(evidence, &history, &mut verdict);
    check_pipelines(evidence, &history, &mut verdict);
    for view in &evidence.views {
        views::check(view, &history, &mut verdict);
    }
    for page in &evidence.pages {
        for (seq, content) in page {
            history.compare(*seq, *content, "a page", &mut verdict);
        }
    }
    if evidence.left_behind > 0 {
        verdict.counts.stale += evidence.left_behind;
        verdict.example(|| format!("{} readers never got to the end", evidence.left_behind));
    }
    for room in &evidence.rooms {
        rooms::check(room, &mut verdict);
    }
    verdict
}

/// History, by number and by content.
struct History {
    by_seq: HashMap<u64, u64>,
    by_content: HashMap<u64, Vec<u64>>,
}

impl History {
    /// Reads it in, and counts what is wrong with it by itself.
    fn new(evidence: &Evidence, verdict: &mut Verdict) -> Self {
        let mut history = Self {
            by_seq: HashMap::new(),
            by_content: HashMap::new(),
        };
        let mut last = 0;
        for Stored { seq, content } in &evidence.history {
            if *seq > last + 1 {
                verdict.counts.holes += seq - last - 1;
                verdict.example(|| format!("history jumps from {last} to {seq}"));
            } else if *seq <= last {
                verdict.counts.nonmonotonic += 1;
                verdict.example(|| format!("history has {seq} after {last}"));
            }
            last = last.max(*seq);
            let content = digest(content);
            history.by_seq.insert(*seq, content);
            history.by_content.entry(content).or_default().push(*seq);
        }
        if evidence.history != evidence.backwards {
            let differ = evidence
                .history
                .iter()
                .zip(&evidence.backwards)
                .filter(|(one, other)| one != other)
                .count() as u64;
            let longer = evidence.history.len().abs_diff(evidence.backwards.len()) as u64;
            verdict.counts.reordered += differ + longer;
            verdict.example(|| "history is another read backwards".into());
        }
        history
    }

    /// Someone was told that the message of this number says this.
    fn compare(&self, seq: u64, content: u64, who: impl fmt::Display, verdict: &mut Verdict) {
        if self.by_seq.get(&seq) == Some(&content) {
            return;
        }
        if self.by_content.contains_key(&content) {
            verdict.counts.reordered += 1;
            verdict.example(|| format!("{who} told of {seq} otherwise than history does"));
        } else {
            verdict.counts.phantom += 1;
            verdict.example(|| format!("{who} told of {seq}, which is not in history"));
        }
    }
}

fn check_sent(evidence: &Evidence, history: &History, verdict: &mut Verdict) {
    let mut known = HashSet::new();
    for sending in &evidence.sent {
        let Sending {
            client_id,
            content,
            acks,
            unknown,
            ..
        } = sending;
        let digest = digest(content);
        known.insert(digest);
        let places = history
            .by_content
            .get(&digest)
            .map_or(&[][..], Vec::as_slice);
        if places.len() > 1 {
            verdict.counts.doubled += places.len() as u64 - 1;
            verdict.example(|| format!("{client_id} is in history as {places:?}"));
        }
        let Some(first) = acks.first() else {
            if !places.is_empty() && !unknown {
                verdict.counts.phantom += 1;
                verdict.example(|| format!("{client_id} was refused and is in history"));
            }
            continue;
        };
        if let Some(other) = acks.iter().find(|ack| *ack != first) {
            verdict.counts.doubled += 1;
            verdict.example(|| format!("{client_id} was acked as {first} and as {other}"));
        }
        if places.is_empty() {
            verdict.counts.lost += 1;
            verdict.example(|| format!("{client_id} was acked as {first} and is not in history"));
        } else if !acks.iter().all(|ack| places.contains(ack)) {
            verdict.counts.reordered += 1;
            verdict.example(|| format!("{client_id} was acked as {acks:?} and is {places:?}"));
        }
    }
    for stored in &evidence.history {
        if !known.contains(&digest(&stored.content)) {
            verdict.counts.phantom += 1;
            verdict.example(|| format!("nobody sent what history has as {}", stored.seq));
        }
    }
}

/// What was sent on one socket one after the other, and acked at once, stands in history in that order.
fn check_pipelines(evidence: &Evidence, history: &History, verdict: &mut Verdict) {
    for pipeline in &evidence.pipelines {
        let mut last = 0;
        for sending in pipeline
            .iter()
            .filter_map(|place| evidence.sent.get(*place))
        {
            let place = history
                .by_content
                .get(&digest(&sending.content))
                .and_then(|places| places.first());
            let (true, Some(place)) = (sending.at_once, place) else {
                continue;
            };
            if *place < last {
                verdict.counts.reordered += 1;
                let client_id = &sending.client_id;
                verdict.example(|| {
                    format!("{client_id} is {place}, but what its socket sent before is {last}")
                });
            }
            last = last.max(*place);
        }
    }
}

#[cfg(test)]
mod tests;
