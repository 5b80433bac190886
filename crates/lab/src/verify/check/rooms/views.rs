//! What one socket was told of a room: every number once and in order, or a word about it; and nothing while its owner is
//! not in the room. Where a client catches up, a change that another one of the same message has followed may be left out.

use std::collections::HashSet;

use super::{Heard, Shown, Tick, User, View, acts::Words, members::Members, truth::Truth};
use crate::verify::check::Verdict;

/// Where a socket is.
struct Place<'a> {
    user: User,
    members: &'a Members,
    truth: &'a Truth<'a>,
    words: &'a Words,
    /// Everything up to here was sent, or the client was told that it was not.
    at: u64,
    /// The greatest number that is known to have come to be.
    horizon: u64,
    is_inside: bool,
    question: Option<Question>,
    /// The client knows that it was not sent everything: what comes next may be any later number.
    open_end: bool,
}

/// A question that is not answered yet.
struct Question {
    since: u64,
    asked: Tick,
    /// The numbers have stepped back: once for each question they may.
    stepped: bool,
    told: HashSet<u64>,
}

/// Replays one socket.
pub fn check(
    view: &View,
    (truth, members, words): (&Truth<'_>, &Members, &Words),
    verdict: &mut Verdict,
) {
    let mut place = Place {
        user: view.user,
        members,
        truth,
        words,
        at: 0,
        horizon: 0,
        is_inside: false,
        question: None,
        open_end: false,
    };
    for heard in &view.heard {
        match heard {
            Heard::Connected(None) | Heard::SyncedGone => {
                place.is_inside = false;
                place.question = None;
            }
            // It may not have been sent all that came before.
            Heard::Gone => place.is_inside = false,
            Heard::Connected(Some(seq)) | Heard::Here(seq) => place.come(*seq, verdict),
            Heard::Asked(since, asked) => {
                place.question = Some(Question {
                    since: *since,
                    asked: *asked,
                    stepped: false,
                    told: HashSet::new(),
                });
            }
            Heard::Told(shown) => place.told(*shown, verdict),
            Heard::Synced(seq, complete) => place.synced(*seq, *complete, verdict),
            Heard::SyncRefused => place.question = None,
            Heard::Lag(seq) => {
                place.at = place.at.max(*seq);
                place.know(*seq, "was told of a lag", verdict);
            }
            Heard::Page(asked, page) => place.read(*asked, page, verdict),
        }
    }
}

impl Place<'_> {
    fn come(&mut self, seq: u64, verdict: &mut Verdict) {
        self.is_inside = true;
        self.open_end = false;
        self.at = seq;
        match self.members.admitted(self.user, seq) {
            Some(horizon) => self.horizon = self.horizon.max(horizon),
            None => self.leak(seq, "was let in", verdict),
        }
    }

    fn told(&mut self, shown: Shown, verdict: &mut Verdict) {
        let seq = shown.seq;
        let asked = self.question.as_ref();
        let asked = asked.filter(|question| question.stepped);
        let asked = asked.map(|question| question.asked);
        self.words
            .check(shown, asked, "a socket", self.truth, verdict);
        if !self.is_inside {
            self.leak(seq, "was sent, outside,", verdict);
            return;
        }
        self.know(seq, "was sent", verdict);
        let (is_next, is_above) = (seq == self.at + 1, seq > self.at);
        if let Some(question) = &mut self.question {
            question.told.insert(seq);
            if !is_above && seq > question.since && !question.stepped {
                question.stepped = true;
                self.at = seq;
                return;
            }
        } else if is_above && !is_next && !self.open_end {
            self.jump(seq, verdict);
        }
        if !is_above {
            verdict.counts.nonmonotonic += 1;
            let at = self.at;
            verdict.example(|| format!("a socket was sent {seq} after {at}"));
            return;
        }
        self.at = seq;
        self.open_end = false;
    }

    /// What the server has read again may leave out what was changed again.
    fn jump(&self, seq: u64, verdict: &mut Verdict) {
        let missing = (self.at + 1..seq).filter(|number| self.truth.is_latest(*number, u64::MAX));
        let missing: Vec<u64> = missing.collect();
        if !missing.is_empty() {
            verdict.counts.stale += 1;
            let at = self.at;
            verdict.example(|| format!("a socket was sent {seq} after {at}, without {missing:?}"));
        }
    }

    fn synced(&mut self, seq: u64, complete: bool, verdict: &mut Verdict) {
        self.know(seq, "was told `synced`", verdict);
        if let Some(question) = self.question.take() {
            let end = if complete { seq } else { u64::MAX };
            let missing: Vec<u64> = (question.since + 1..=seq)
                .filter(|number| !question.told.contains(number))
                .filter(|number| self.truth.is_latest(*number, end))
                .collect();
            if !missing.is_empty() {
                verdict.counts.stale += 1;
                verdict.example(|| {
                    format!("a socket was told `synced` {seq} and not sent {missing:?}")
                });
            }
        }
        // It answers for several rooms at once: where this one was ready first, it has gone on.
        self.at = self.at.max(seq);
        self.open_end = !complete;
    }

    fn read(&mut self, asked: Tick, page: &[Shown], verdict: &mut Verdict) {
        for shown in page {
            self.words
                .check(*shown, Some(asked), "a page", self.truth, verdict);
        }
        if let Some(last) = page.iter().map(|shown| shown.seq).max() {
            self.know(last, "read", verdict);
        }
    }

    /// Someone knows of this number, so it has come to be.
    fn know(&mut self, seq: u64, how: &str, verdict: &mut Verdict) {
        self.horizon = self.horizon.max(seq);
        if !self.members.may_hear(self.user, self.horizon) {
            self.leak(seq, how, verdict);
        }
    }

    fn leak(&self, seq: u64, how: &str, verdict: &mut Verdict) {
        verdict.counts.leaked += 1;
        let user = self.user;
        verdict.example(|| format!("user {user} {how} {seq}, and is not in the room"));
    }
}
