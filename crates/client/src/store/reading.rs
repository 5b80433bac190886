//! How far the user has read a room or a thread, and what is unread above that.
//!
//! The server tells where the marker is and what is unread above it, as of a change of the room; what comes after that
//! change is counted here. Where all messages above the marker are at hand they are counted, and nothing told is needed.
//! Where they are not, and one of those that were told of has changed, no one can say without asking: then it is asked.

use crate::{
    link::Millis,
    protocol::{
        message::{Kind, Message},
        reading::{Counts, MOST_COUNTED, MarkRead},
    },
};

/// How often a marker is told at most.
const SAY_AGAIN: Millis = 1_000;
/// After so long without an answer it is told again.
const ANSWER_TIME: Millis = 15_000;
/// How long to wait before what is unread is asked for again.
const ASK_AGAIN: Millis = 2_000;

/// What is unread.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unread {
    /// Messages of others; 1,000 at most.
    pub messages: u64,
    /// Those of them that mention the user; 1,000 at most.
    pub mentions: u64,
}

impl Unread {
    fn add(&mut self, message: &Message, me: i64) {
        self.messages = (self.messages + 1).min(MOST_COUNTED);
        let is_mention = u64::from(message.is_for(me));
        self.mentions = (self.mentions + is_mention).min(MOST_COUNTED);
    }
}

/// What the user has said of the marker on this device, as long as the server has not taken it in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Said {
    /// Where it is to be.
    at: u64,
    /// Also backwards.
    is_back: bool,
    /// The number under which it was sent.
    sent: Option<u64>,
}

/// What the server has told: what is unread above the marker `above`, as of the change `at`.
#[derive(Debug, Clone, Copy, Default)]
struct Told {
    is_known: bool,
    above: u64,
    at: u64,
    unread: Unread,
}

/// How far the user has read a room's own pages or a thread.
#[derive(Debug, Clone, Default)]
pub(super) struct Reading {
    /// Where the marker is, as the server has it.
    marker: u64,
    said: Option<Said>,
    /// When the next mark may be sent, and when the same one again.
    next_at: Millis,
    again_at: Millis,
    told: Told,
    /// The latest change of what may be unread and was not at hand as it was before.
    doubt: u64,
    /// Of the changes that came before what will be told of them: the lowest message, and the latest change.
    ahead: Option<(u64, u64)>,
    /// What is unread, as it was last counted.
    unread: Unread,
    is_sure: bool,
    /// The number under which what is unread was asked for, and when it may be asked again.
    asked: Option<u64>,
    ask_at: Millis,
}

/// What is at hand of the messages that are counted.
#[derive(Debug, Clone, Copy)]
pub(super) struct AtHand {
    /// All messages from this number on.
    pub start: Option<u64>,
    /// As of this change.
    pub cursor: u64,
}

/// Whether a message counts as unread for this user, as long as it is above the marker.
pub(super) fn counts(message: &Message, me: i64) -> bool {
    message.kind == Kind::Text && message.deleted_at.is_none() && message.user_id != me
}

impl Reading {
    /// Where the marker is for the user: what was said on this device counts at once.
    pub(super) fn marker(&self) -> u64 {
        match self.said {
            Some(Said {
                at, is_back: true, ..
            }) => at,
            // Another device may have read further.
            Some(said) => said.at.max(self.marker),
            None => self.marker,
        }
    }

    pub(super) fn unread(&self) -> Unread {
        self.unread
    }

    /// Whether what is unread is known, and not only guessed.
    #[cfg(test)]
    pub(super) fn is_sure(&self) -> bool {
        self.is_sure
    }

    /// The server tells all of it.
    pub(super) fn told(&mut self, marker: u64, unread: Unread, at: u64) {
        self.marker = marker;
        self.told = Told {
            is_known: true,
            above: marker,
            at,
            unread,
        };
        self.ahead = self.ahead.filter(|(_, seq)| *seq > at);
        if let Some((_, seq)) = self.ahead.filter(|(id, _)| *id <= at) {
            self.doubt = self.doubt.max(seq);
        }
    }

    /// One of the user's devices has moved the marker. What was asked for before that is of no use.
    pub(super) fn moved(&mut self, marker: u64, counts: Option<Counts>) {
        self.asked = None;
        self.marker = marker;
        if let Some(counts) = counts {
            let unread = Unread {
                messages: counts.unread,
                mentions: counts.mentions,
            };
            self.told(marker, unread, counts.at);
        }
    }

    /// The user has seen what is up to this message.
    pub(super) fn saw(&mut self, id: u64) {
        // What was marked as unread on purpose is sent first.
        let is_back = self.said.is_some_and(|said| said.is_back);
        if id > self.marker() && !is_back {
            self.say(id, false);
        }
    }

    /// From this message on it is to be unread.
    pub(super) fn unread_from(&mut self, id: u64) {
        self.say(id.saturating_sub(1), true);
        self.next_at = 0;
    }

    fn say(&mut self, at: u64, is_back: bool) {
        self.said = Some(Said {
            at,
            is_back,
            sent: None,
        });
    }

    /// The mark to send now under this number, if there is one.
    pub(super) fn next(&mut self, now: Millis, number: u64) -> Option<MarkRead> {
        let said = self.said.as_mut().filter(|_| now >= self.next_at)?;
        if said.sent.is_some() && now < self.again_at {
            return None;
        }
        if !said.is_back && said.at <= self.marker {
            // Another device has read further.
            self.said = None;
            return None;
        }
        (self.next_at, self.again_at) = (now + SAY_AGAIN, now + ANSWER_TIME);
        said.sent = Some(number);
        Some(MarkRead {
            seq: if said.is_back { said.at + 1 } else { said.at },
            thread: None,
            unread: said.is_back,
        })
    }

    /// What was sent under this number is on the disk. True when it was sent here.
    pub(super) fn acked(&mut self, number: u64, marker: u64) -> bool {
        let Some(_) = self.said.take_if(|said| said.sent == Some(number)) else {
            return false;
        };
        self.asked = None;
        self.marker = marker;
        true
    }

    /// What was sent under this number is refused: for now, or for good.
    pub(super) fn refused(&mut self, now: Millis, number: u64, after: Option<Millis>) -> bool {
        let Some(said) = self.said.filter(|said| said.sent == Some(number)) else {
            return false;
        };
        self.said = after.map(|_| Said { sent: None, ..said });
        self.next_at = now.saturating_add(after.unwrap_or(0));
        true
    }

    /// The socket is gone: what was sent may have arrived or not, and is sent again.
    pub(super) fn disconnected(&mut self) {
        (self.asked, self.ask_at, self.next_at) = (None, 0, 0);
        if let Some(said) = &mut self.said {
            said.sent = None;
        }
    }

    /// A message is about to change that may be one of those that were told of: as it was before it is not at hand.
    pub(super) fn changes(&mut self, message: &Message, me: i64) {
        let is_other = message.kind == Kind::Text && message.user_id != me;
        let may_count = message.edited_at.is_some() || message.deleted_at.is_some();
        if !is_other || !may_count || message.seq <= self.told.at {
            return;
        }
        if message.id <= self.told.at && message.id > self.told.above {
            self.doubt = self.doubt.max(message.seq);
        }
        // What is told next may be older than this.
        let (id, seq) = self.ahead.unwrap_or((message.id, message.seq));
        self.ahead = Some((id.min(message.id), seq.max(message.seq)));
    }

    /// Counts what is unread, as far as it can be known.
    /// `after`: the messages at hand with a greater number than this.
    pub(super) fn count<'a, I: Iterator<Item = &'a Message>>(
        &mut self,
        at_hand: AtHand,
        me: i64,
        after: impl FnOnce(u64) -> I,
    ) {
        let marker = self.marker();
        let Told {
            is_known,
            above,
            at,
            unread,
        } = self.told;
        let is_known = is_known && above == marker;
        let is_covered = at_hand.start.is_some_and(|start| start <= marker + 1);
        let is_joined = at_hand.start.is_none_or(|start| start <= at + 1);
        let is_told = is_known && self.doubt <= at && is_joined;
        let is_behind = at_hand.cursor < at;
        let (from, mut unread) = if is_known && (is_behind || !is_covered) {
            (at.max(marker), unread)
        } else {
            (marker, Unread::default())
        };
        for message in after(from).filter(|message| counts(message, me)) {
            unread.add(message, me);
        }
        self.unread = unread;
        self.is_sure = is_covered || is_told;
    }

    /// The messages before this one are at hand no longer: what was counted holds as of this change.
    pub(super) fn keep(&mut self, cursor: u64) {
        if self.is_sure && self.said.is_none() {
            self.told(self.marker, self.unread, cursor);
        }
    }

    /// Whether what is unread is not known, and will not be told either.
    pub(super) fn is_to_be_asked(&self) -> bool {
        !self.is_sure && self.said.is_none()
    }

    /// Whether what is unread is to be asked for now, under this number.
    pub(super) fn ask(&mut self, now: Millis, number: u64) -> bool {
        if !self.is_to_be_asked() || now < self.ask_at {
            return false;
        }
        self.ask_at = now + ASK_AGAIN;
        self.asked = Some(number);
        true
    }

    /// Whether this is the answer that is waited for.
    pub(super) fn takes(&mut self, number: u64) -> bool {
        self.asked.take_if(|asked| *asked == number).is_some()
    }

    /// Another history has begun.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests;
