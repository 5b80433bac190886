//! What the user has done and the server has not yet acknowledged. It is sent again after a lost connection, and that
//! doubles nothing: a message carries a `client_id` for ever, and an edit, a deletion, a reaction or a pin leaves the
//! message as it was left the first time. What the same user has edited meanwhile, on another device, no edit overwrites
//! unseen: it says which text it was begun from.

use std::collections::VecDeque;

use crate::link::Millis;
use crate::protocol::{
    code::Code,
    command::{Command, Delete, Edit, Pin, React, Request, SendMessage},
    event::{Ack, ErrorFrame},
    limits::Limits,
    message::Message,
    slash::{NewCommand, SendCommand},
};

/// After this time without an answer a message is sent again.
const ANSWER_TIME: Millis = 15_000;

/// A message that answers none.
pub(super) const WRITE: Deed = Deed::Post {
    reply_to: None,
    thread: None,
    also_to_room: false,
};

/// Where a message stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// Waits for its turn.
    Waiting,
    /// On its way since then.
    Sent(Millis),
    /// Refused for good, for this reason.
    Refused(String),
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// Write a message.
    Post {
        /// The message that it answers.
        reply_to: Option<u64>,
        /// The first message of the thread in which it is a reply.
        thread: Option<u64>,
        /// With a thread: it is to stand in the room itself, too.
        also_to_room: bool,
    },
    /// Have the server carry out a slash command, which is the content.
    Command {
        /// The thread in which it was typed.
        thread: Option<u64>,
    },
    /// Give a message another text than it had under this number. If it was edited since then, the server refuses that.
    Edit(u64, u64),
    /// Delete a message.
    Delete(u64),
    /// React to a message with the emoji that is its content, or take that back.
    React(u64, bool),
    /// Pin a message, or unpin it.
    Pin(u64, bool),
}

impl Deed {
    /// Whether it has a text, which can be corrected when it is refused.
    fn has_text(self) -> bool {
        matches!(
            self,
            Self::Post { .. } | Self::Edit(..) | Self::Command { .. }
        )
    }

    /// Of a message that is written: the thread in which it is.
    #[must_use]
    pub fn post(self) -> Option<Option<u64>> {
        match self {
            Self::Post { thread, .. } => Some(thread),
            _ => None,
        }
    }
}

/// What became of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// It is tried again, or kept to be corrected.
    Kept,
    /// There is nothing to be corrected: it is out.
    Dropped,
    /// It was about nothing that is in here.
    Unknown,
}

/// A message that is not in history yet, or a change of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// What is to be done.
    pub deed: Deed,
    /// Its `client_id`, and its `ref`.
    pub client_id: String,
    /// What the user wrote; empty where the deed has no text.
    pub content: String,
    /// Where it stands.
    pub delivery: Delivery,
    /// It was sent, and no one knows whether it has arrived.
    is_tried: bool,
}

/// The messages on their way, oldest first.
#[derive(Debug, Clone, Default)]
pub struct Outbox {
    pending: VecDeque<Pending>,
    /// The server asked to wait until then.
    hold_until: Millis,
    /// The room's slow mode holds messages back until then. What is done with messages that are there does not wait for it.
    slow_until: Millis,
}

impl Outbox {
    /// The messages, oldest first.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Pending> {
        self.pending.iter()
    }

    /// The message at this place.
    #[must_use]
    pub fn get(&self, place: usize) -> Option<&Pending> {
        self.pending.get(place)
    }

    /// Messages that are shown as not yet in history.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pending.len()
    }

    /// Whether nothing is on its way.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// For how long the server asked to wait with the next message, if it is not over, and whether because of the room's
    /// slow mode.
    #[must_use]
    pub fn hold(&self, now: Millis) -> Option<(Millis, bool)> {
        let is_slow = self.slow_until > self.hold_until;
        let until = self.slow_until.max(self.hold_until);
        let left = until.checked_sub(now).filter(|left| *left > 0);
        left.map(|left| (left, is_slow))
    }

    /// Messages that would be lost if the program ended now.
    #[must_use]
    pub fn unsent(&self) -> usize {
        self.pending
            .iter()
            .filter(|p| !matches!(p.delivery, Delivery::Refused(_)))
            .count()
    }

    /// Adds a message.
    pub(super) fn push(&mut self, deed: Deed, client_id: String, content: String) {
        self.pending.push_back(Pending {
            deed,
            client_id,
            content,
            delivery: Delivery::Waiting,
            is_tried: false,
        });
    }

    /// The frame to send now, if there is one. One message at a time: a later one never overtakes an earlier one,
    /// even when the earlier one has to be tried again. What is no message overtakes those that slow mode holds back.
    /// What fits no frame of this many bytes is refused here.
    pub(super) fn next(&mut self, now: Millis, room: &str, frame_bytes: usize) -> Option<Request> {
        if now < self.hold_until {
            return None;
        }
        let is_slow = now < self.slow_until;
        let may_go = |p: &&mut Pending| {
            let is_held = is_slow && matches!(p.deed, Deed::Post { .. });
            !is_held && !matches!(p.delivery, Delivery::Refused(_))
        };
        for next in self.pending.iter_mut().filter(may_go) {
            if matches!(next.delivery, Delivery::Sent(at) if now < at + ANSWER_TIME) {
                return None;
            }
            let request = request(next.deed, &next.client_id, &next.content, room);
            if let Some(why) = why_too_large(&request, frame_bytes) {
                next.delivery = Delivery::Refused(why);
                continue;
            }
            next.delivery = Delivery::Sent(now);
            next.is_tried = true;
            return Some(request);
        }
        None
    }

    /// The server closed the connection since a frame was too large, which only what is on its way can have been. To send
    /// it again would only end the next connection.
    pub(super) fn too_large(&mut self) {
        for pending in &mut self.pending {
            if matches!(pending.delivery, Delivery::Sent(_)) {
                let why = "The message is too large to be sent: make it shorter.";
                pending.delivery = Delivery::Refused(why.into());
            }
        }
    }

    /// The connection is gone: no one knows whether what was on its way has arrived.
    pub(super) fn disconnected(&mut self) {
        (self.hold_until, self.slow_until) = (0, 0);
        for pending in &mut self.pending {
            if matches!(pending.delivery, Delivery::Sent(_)) {
                pending.delivery = Delivery::Waiting;
            }
        }
    }

    /// The message is on the server's disk: takes it out.
    pub(super) fn acked(&mut self, ack: &Ack) -> Option<Pending> {
        let done = self.take(&ack.reference)?;
        if let Deed::Edit(..) = done.deed {
            // What the user has edited meanwhile goes on from there: it was no one else.
            let next = self.pending.iter_mut().filter(|p| p.deed == done.deed);
            next.for_each(|next| next.deed = Deed::Edit(ack.id, ack.seq));
        }
        Some(done)
    }

    /// The message was seen in history or live: takes it out.
    pub(super) fn seen(&mut self, message: &Message) -> Option<Pending> {
        self.take(message.client_id.as_deref()?)
    }

    /// The server refused something: for now, or for good.
    pub(super) fn refused(&mut self, now: Millis, error: &ErrorFrame) -> Refused {
        let reference = error.reference.as_deref().unwrap_or_default();
        let Some(pending) = self.pending.iter_mut().find(|p| p.client_id == reference) else {
            return Refused::Unknown;
        };
        let is_slow = error.code == Code::SlowMode;
        let is_post = matches!(pending.deed, Deed::Post { .. });
        // An edit that calls somebody has to wait as a message does; what else is done in the room has not.
        let after = error.retry_after_ms.filter(|_| is_post || !is_slow);
        if let Some(after) = after {
            (pending.delivery, pending.is_tried) = (Delivery::Waiting, false);
            let until = now.saturating_add(after);
            if is_slow {
                self.slow_until = until;
            } else {
                self.hold_until = until;
            }
        } else if pending.deed.has_text() {
            pending.delivery = Delivery::Refused(error.detail.clone());
        } else {
            self.take(reference);
            return Refused::Dropped;
        }
        Refused::Kept
    }

    /// None of these can be sent any more.
    pub(super) fn refuse_all(&mut self, why: &str) {
        self.pending.retain(|pending| pending.deed.has_text());
        for pending in &mut self.pending {
            if !matches!(pending.delivery, Delivery::Refused(_)) {
                pending.delivery = Delivery::Refused(why.to_owned());
            }
        }
    }

    /// Takes the latest refused message out, so that it can be corrected: of those that were written in the room itself, or
    /// in this thread.
    pub(super) fn take_refused(&mut self, thread: Option<u64>) -> Option<Pending> {
        let is_refused = |p: &Pending| matches!(p.delivery, Delivery::Refused(_));
        let is_here = |p: &Pending| p.deed.post().is_none_or(|there| there == thread);
        let mut pending = self.pending.iter();
        let at = pending.rposition(|p| is_refused(p) && is_here(p))?;
        self.pending.remove(at)
    }

    /// Takes the latest message out that was written in the room itself, or in this thread, if it is certain not to be on the
    /// server.
    pub(super) fn take_waiting(&mut self, thread: Option<u64>) -> Option<Pending> {
        let is_post = |p: &Pending| {
            p.deed.post() == Some(thread) && !matches!(p.delivery, Delivery::Refused(_))
        };
        let at = self.pending.iter().rposition(is_post)?;
        let is_here = self.pending[at].delivery == Delivery::Waiting && !self.pending[at].is_tried;
        is_here.then(|| self.pending.remove(at)).flatten()
    }

    fn take(&mut self, client_id: &str) -> Option<Pending> {
        let at = self.pending.iter().position(|p| p.client_id == client_id)?;
        self.pending.remove(at)
    }
}

/// The frame that asks for a deed.
fn request(deed: Deed, client_id: &str, content: &str, room: &str) -> Request {
    let (room, content) = (room.to_owned(), content.to_owned());
    let command = match deed {
        Deed::Post {
            reply_to,
            thread,
            also_to_room,
        } => Command::Message(SendMessage {
            content,
            room: Some(room),
            client_id: Some(client_id.to_owned()),
            reply_to,
            thread,
            also_to_room,
        }),
        Deed::Command { thread } => Command::Command(SendCommand {
            room,
            command: NewCommand {
                text: content,
                client_id: Some(client_id.to_owned()),
                thread,
            },
        }),
        Deed::Edit(id, seq) => Command::Edit(Edit {
            room,
            id,
            content,
            if_seq: Some(seq),
        }),
        Deed::Delete(id) => Command::Delete(Delete {
            room,
            id,
            if_seq: None,
        }),
        Deed::React(id, on) => Command::React(React {
            room,
            id,
            emoji: content,
            on,
        }),
        Deed::Pin(id, on) => Command::Pin(Pin { room, id, on }),
    };
    Request::with_ref(client_id.to_owned(), command)
}

/// Whether a server with these limits would take a message, as far as its length goes.
///
/// # Errors
/// A sentence, when it would not.
pub(super) fn check(
    limits: &Limits,
    room: &str,
    client_id: &str,
    content: &str,
) -> Result<(), String> {
    let limit = limits.content_bytes;
    if content.len() > limit {
        let over = content.len() - limit;
        return Err(format!(
            "This is {over} bytes too long for one message: at most {limit} are taken. Shorten it or send it in parts."
        ));
    }
    let request = request(WRITE, client_id, content, room);
    why_too_large(&request, limits.frame_bytes).map_or(Ok(()), Err)
}

/// Why a frame cannot be sent to a server that takes so many bytes. Counted as it travels: what is short enough as a
/// text may not be as JSON.
fn why_too_large(request: &Request, frame_bytes: usize) -> Option<String> {
    let bytes = serde_json::to_string(request).map_or(usize::MAX, |text| text.len());
    (bytes > frame_bytes).then(|| {
        format!(
            "This is {bytes} bytes long with its quotes, line breaks and control characters: at most {frame_bytes} are taken. \
             Shorten it or send it in parts."
        )
    })
}

#[cfg(test)]
mod tests;
