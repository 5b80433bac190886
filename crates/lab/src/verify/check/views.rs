//! What one socket was told, held against the promise: after `synced` every number once and in order, or a `lag`.

use super::{History, Seen, Verdict};

/// Where a socket is.
#[derive(Default)]
struct Place {
    /// Everything up to here was sent, or the client was told that it was not.
    at: u64,
    question: Option<Question>,
    /// The last answer was incomplete: what comes live next may be any later number, and the client knows it.
    open_end: bool,
}

/// A question that is not answered yet.
struct Question {
    since: u64,
    /// The first number after `since` was seen.
    begun: bool,
    /// The numbers have stepped back to it: once for each question they may.
    stepped: bool,
}

/// Replays one socket.
pub fn check(view: &[Seen], history: &History, verdict: &mut Verdict) {
    let mut place = Place::default();
    for seen in view {
        match *seen {
            Seen::Connected(floor) => place.at = floor,
            Seen::Asked(since) => {
                place.question = Some(Question {
                    since,
                    begun: false,
                    stepped: false,
                });
            }
            Seen::SyncRefused => place.question = None,
            Seen::Lag(seq) => place.at = place.at.max(seq),
            Seen::Synced(seq, complete) => place.synced(seq, complete, verdict),
            Seen::Message(seq, content) => {
                place.message(seq, verdict);
                history.compare(seq, content, "a socket", verdict);
            }
        }
    }
}

impl Place {
    fn message(&mut self, seq: u64, verdict: &mut Verdict) {
        let at = self.at;
        let is_next = seq == at + 1 || (self.open_end && seq > at);
        let mut steps_back = false;
        if let Some(question) = &mut self.question
            && seq == question.since + 1
        {
            question.begun = true;
            if !is_next && !question.stepped {
                question.stepped = true;
                steps_back = true;
            }
        }
        if is_next || steps_back {
            self.at = seq;
            self.open_end = false;
        } else if seq > at {
            verdict.counts.stale += 1;
            verdict.example(|| format!("a socket was sent {seq} after {at}, without a word"));
            self.at = seq;
        } else {
            verdict.counts.nonmonotonic += 1;
            verdict.example(|| format!("a socket was sent {seq} after {at}"));
        }
    }

    fn synced(&mut self, seq: u64, complete: bool, verdict: &mut Verdict) {
        let reached = match &self.question {
            Some(question) if !question.begun => question.since,
            _ => self.at,
        };
        if reached < seq {
            verdict.counts.stale += 1;
            verdict
                .example(|| format!("a socket was told `synced` {seq} but sent up to {reached}"));
        } else if reached.max(self.at) > seq {
            verdict.counts.nonmonotonic += 1;
            let at = self.at;
            verdict.example(|| format!("a socket was told `synced` {seq} after {at}"));
        }
        self.question = None;
        self.at = seq;
        self.open_end = !complete;
    }
}
