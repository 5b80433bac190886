//! What one socket is sent of one room, as a machine without I/O: live changes, catching up, and the seam between the
//! two. It holds the promise that a socket never sees n + 2 after n without having been told.
//!
//! Events go in ([`Feed::live`], [`Feed::aside`], [`Feed::missed`], [`Feed::sync`], [`Feed::page`], [`Feed::failed`],
//! [`Feed::end`]), [`Action`]s come out, and the session carries them out in their order.

use std::collections::VecDeque;

/// What the session is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action<F> {
    /// Send this frame.
    Send(F),
    /// Read what changed after this number, and come back with [`Feed::page`] or [`Feed::failed`].
    Read(u64),
    /// The same, after a pause: the last reading failed.
    ReadLater(u64),
    /// Tell the client that it was not sent everything up to this number.
    Lag(u64),
    /// The `sync` is done: everything up to `seq` has been sent.
    Synced {
        /// How far.
        seq: u64,
        /// False: there is more than one answer holds.
        complete: bool,
    },
    /// The `sync` could not be done: its cursor lies in the future.
    CursorAhead,
    /// The `sync` could not be done: the store does not answer.
    SyncFailed,
    /// More that has no number came during a reading than can be held, and nothing else tells of it: the client has to begin
    /// anew.
    Overrun,
}

/// What was read from the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<F> {
    /// The number that was asked for.
    pub since: u64,
    /// The changes after it, in order, perhaps not all.
    pub changes: Vec<(u64, F)>,
    /// The room's latest change at the time of reading.
    pub last_seq: u64,
    /// Whether `changes` holds all of them.
    pub complete: bool,
}

/// Where one socket is in one room's log.
#[derive(Debug)]
pub struct Feed<F> {
    /// Everything up to here was sent, or the client was told that it was not.
    sent: u64,
    /// In a place of its own: nearly all are live, and there is one for each room of each socket.
    catching: Option<Box<Catching<F>>>,
    most_held: usize,
}

#[derive(Debug)]
struct Catching<F> {
    /// Where a client that asked for `sync` was before.
    asked: Option<u64>,
    /// Live changes that came meanwhile.
    held: VecDeque<(u64, F)>,
    /// What has no number and came meanwhile, in its order: it is told behind what is being read, which may be older.
    asides: Vec<F>,
    /// The latest change that is known to exist: more were held than fit, or the hub left some out.
    known: u64,
}

impl<F> Feed<F> {
    /// A socket that is to be sent everything after `sent`; it holds at most `most_held` changes while catching up.
    #[must_use]
    pub fn new(sent: u64, most_held: usize) -> Self {
        Self {
            sent,
            catching: None,
            most_held,
        }
    }

    /// A socket that is to be sent everything after `sent` of a room that it has just come into: that is read first.
    pub fn come_in(sent: u64, most_held: usize, actions: &mut Vec<Action<F>>) -> Self {
        actions.push(Action::Read(sent));
        let mut feed = Self::new(sent, most_held);
        feed.catch_up(None, VecDeque::new(), sent);
        feed
    }

    fn catch_up(&mut self, asked: Option<u64>, held: VecDeque<(u64, F)>, known: u64) {
        self.catching = Some(Box::new(Catching {
            asked,
            held,
            asides: Vec::new(),
            known,
        }));
    }

    /// Everything up to here was sent or told.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// Whether what the room's log holds is being read.
    #[must_use]
    pub fn is_catching_up(&self) -> bool {
        self.catching.is_some()
    }

    /// Takes in a change that has just been committed, if that is all there is to do: it is the next one, which is to be sent
    /// (true), or was part of what was read. `None` when it is for [`Feed::live`]; then nothing has happened.
    pub fn pass(&mut self, seq: u64) -> Option<bool> {
        if self.catching.is_some() || seq > self.sent.saturating_add(1) {
            return None;
        }
        let is_next = seq > self.sent;
        self.sent = self.sent.max(seq);
        Some(is_next)
    }

    /// Something about the room that has no number, which the client is to be told of behind all that was read before it.
    pub fn aside(&mut self, frame: F, actions: &mut Vec<Action<F>>) {
        match &mut self.catching {
            Some(catching) if catching.asides.len() < self.most_held => catching.asides.push(frame),
            Some(_) => actions.push(Action::Overrun),
            None => actions.push(Action::Send(frame)),
        }
    }

    /// A change that has just been committed.
    pub fn live(&mut self, seq: u64, frame: F, actions: &mut Vec<Action<F>>) {
        match &mut self.catching {
            Some(catching) if catching.held.len() < self.most_held => {
                catching.held.push_back((seq, frame));
            }
            Some(catching) => catching.known = catching.known.max(seq),
            None => self.advance(seq, frame, actions),
        }
    }

    fn advance(&mut self, seq: u64, frame: F, actions: &mut Vec<Action<F>>) {
        if seq <= self.sent {
            // It was part of what was read.
        } else if seq == self.sent.saturating_add(1) {
            self.sent = seq;
            actions.push(Action::Send(frame));
        } else {
            // A hole: something was committed and not announced. What is missing is read.
            self.catch_up(None, VecDeque::from([(seq, frame)]), seq);
            actions.push(Action::Read(self.sent));
        }
    }

    /// The hub left out everything up to `seq`, because too much was waiting.
    pub fn missed(&mut self, seq: u64, actions: &mut Vec<Action<F>>) {
        if let Some(catching) = &mut self.catching {
            // It is going to be read anyway.
            catching.known = catching.known.max(seq);
        } else if seq > self.sent {
            self.sent = seq;
            actions.push(Action::Lag(seq));
        }
    }

    /// The room has come this far: what was not sent of it was committed and never announced.
    pub fn reached(&mut self, seq: u64, actions: &mut Vec<Action<F>>) {
        if let Some(catching) = &mut self.catching {
            catching.known = catching.known.max(seq);
        } else if seq > self.sent {
            self.catch_up(None, VecDeque::new(), seq);
            actions.push(Action::Read(self.sent));
        }
    }

    /// The client asks for everything after `since`. False when it has asked already and is not served yet.
    pub fn sync(&mut self, since: u64, actions: &mut Vec<Action<F>>) -> bool {
        let before = self.sent;
        match &mut self.catching {
            Some(catching) if catching.asked.is_some() => return false,
            Some(catching) => {
                // A reading is under way for a hole that was found. Its page will not fit and be read again.
                catching.asked = Some(before);
                catching.known = catching.known.max(before);
            }
            None => {
                self.catch_up(Some(before), VecDeque::new(), 0);
                actions.push(Action::Read(since));
            }
        }
        self.sent = since;
        true
    }

    /// What was read.
    pub fn page(&mut self, page: Page<F>, actions: &mut Vec<Action<F>>) {
        let Some(catching) = &mut self.catching else {
            return;
        };
        if page.since != self.sent {
            // A `sync` has moved the cursor since.
            return actions.push(Action::Read(self.sent));
        }
        if page.last_seq < self.sent {
            if let Some(before) = catching.asked.take() {
                self.sent = before;
                actions.push(Action::CursorAhead);
            }
            return self.go_live(actions);
        }
        let mut upto = self.sent;
        for (seq, frame) in page.changes {
            upto = seq;
            actions.push(Action::Send(frame));
        }
        let last_seq = page.last_seq.max(upto);
        self.sent = last_seq;
        let asked = catching.asked.take().is_some();
        match (asked, page.complete) {
            (true, true) => {
                // Announced only when the held changes, too, have been sent: what follows is then live.
                self.go_live(actions);
                actions.push(Action::Synced {
                    seq: self.sent,
                    complete: true,
                });
            }
            (true, false) => {
                actions.push(Action::Synced {
                    seq: upto,
                    complete: false,
                });
                self.go_live(actions);
            }
            (false, true) => self.go_live(actions),
            (false, false) => {
                actions.push(Action::Lag(last_seq));
                self.go_live(actions);
            }
        }
    }

    /// The reading failed.
    pub fn failed(&mut self, actions: &mut Vec<Action<F>>) {
        let Some(catching) = &mut self.catching else {
            return;
        };
        if let Some(before) = catching.asked.take() {
            self.sent = before;
            actions.push(Action::SyncFailed);
            let holds_hole = catching.known > before || !catching.held.is_empty();
            if !holds_hole {
                return self.go_live(actions);
            }
        }
        actions.push(Action::ReadLater(self.sent));
    }

    /// The user is no member any more since the change `last`, and can read nothing more: sends what is held up to it, and
    /// tells where something is missing.
    pub fn end(&mut self, last: u64, actions: &mut Vec<Action<F>>) {
        let mut held = VecDeque::new();
        if let Some(catching) = self.catching.take() {
            // A cursor in the future was about to be refused.
            let before = catching.asked.filter(|_| self.sent > last);
            self.sent = before.unwrap_or(self.sent);
            held = catching.held;
        }
        for (seq, frame) in held {
            if seq <= self.sent || seq > last {
                continue;
            }
            if seq > self.sent.saturating_add(1) {
                actions.push(Action::Lag(seq - 1));
            }
            self.sent = seq;
            actions.push(Action::Send(frame));
        }
        if self.sent < last {
            self.sent = last;
            actions.push(Action::Lag(last));
        }
    }

    /// Sends what was held meanwhile; another hole in it is read in its turn.
    fn go_live(&mut self, actions: &mut Vec<Action<F>>) {
        let Some(catching) = self.catching.take() else {
            return;
        };
        let Catching {
            held,
            known,
            asides,
            ..
        } = *catching;
        let mut held = held.into_iter();
        for (seq, frame) in held.by_ref() {
            self.advance(seq, frame, actions);
            if self.catching.is_some() {
                break;
            }
        }
        if self.catching.is_none() && known > self.sent {
            self.catch_up(None, VecDeque::new(), known);
            actions.push(Action::Read(self.sent));
        }
        match &mut self.catching {
            Some(catching) => {
                catching.held.extend(held);
                catching.known = catching.known.max(known);
                catching.asides = asides;
            }
            None => actions.extend(asides.into_iter().map(Action::Send)),
        }
    }
}

#[cfg(test)]
mod tests;
