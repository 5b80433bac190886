//! One socket as the registry sees it: what fits, what it missed, whether it is stuck or silent.

use std::{collections::VecDeque, sync::atomic::Ordering, time::Instant};

use bytes::Bytes;

use super::{NewSocket, Outbox};
use crate::{
    config::SocketLimits,
    hub::{Broadcast, Deliver, Membership},
};

/// Most of what is for its user alone that is kept for a socket until it fits.
const MOST_OWED: usize = 64;

/// A socket that is open.
pub struct Socket<O> {
    pub newcomer: NewSocket,
    pub outbox: O,
    /// What did not fit, and what the socket has not been told yet.
    owed: Vec<Owed>,
    /// What is for its user alone and did not fit: nothing else tells of it.
    owed_own: VecDeque<Deliver>,
    /// Whether more of that did not fit than is kept.
    is_overrun: bool,
    /// Since when, and at which count of what the connection took, something was left out and nothing taken.
    stuck: Option<(Instant, u64)>,
    /// The oldest ping that has not been answered.
    pinged: Option<Pinged>,
    pings: u64,
    next_ping: Instant,
}

/// What a socket is still to be told of a room, in this order.
#[derive(Default)]
struct Owed {
    room_id: i64,
    /// The change by which its user was no member any more.
    left: Option<u64>,
    /// The change by which its user became a member.
    joined: Option<u64>,
    /// How far the room has come by changes that were never announced. Who could not be told of that may be no member
    /// any more: that is looked up before anything else is sent.
    reached: Option<u64>,
    /// The last change that was left out.
    missed: Option<u64>,
    /// What has become of its user's view, as it was last.
    view: Option<Bytes>,
}

impl Owed {
    fn next(&self) -> Option<Deliver> {
        let room_id = self.room_id;
        let left = self.left.map(|seq| Deliver::Left { room_id, seq });
        let joined = self.joined.map(|seq| Deliver::Joined { room_id, seq });
        let reached = self.reached.map(|seq| Deliver::Reached { room_id, seq });
        let missed = self.missed.map(|seq| Deliver::Missed { room_id, seq });
        let view = self.view.clone();
        let view = view.map(|frame| Deliver::View { room_id, frame });
        left.or(joined).or(reached).or(missed).or(view)
    }

    fn told(&mut self) {
        let told = self.left.take().or_else(|| self.joined.take());
        let told = told.or_else(|| self.reached.take());
        if told.or_else(|| self.missed.take()).is_none() {
            self.view = None;
        }
    }
}

struct Pinged {
    /// Since when it could be answered, as far as we know.
    since: Instant,
    /// Which ping of this socket it is.
    number: u64,
    /// How often the client had been heard before.
    heard: u64,
}

impl<O: Outbox> Socket<O> {
    pub fn new(newcomer: NewSocket, outbox: O, next_ping: Instant) -> Self {
        Self {
            newcomer,
            outbox,
            owed: Vec::new(),
            owed_own: VecDeque::new(),
            is_overrun: false,
            stuck: None,
            pinged: None,
            pings: 0,
            next_ping,
        }
    }

    pub fn offer(&self, delivery: Deliver, limits: &SocketLimits) -> bool {
        let (weight, gauge) = (delivery.weight(), &self.newcomer.gauge);
        // Counted before it is handed over: the session takes it out of the count, perhaps at once.
        let (frames, bytes) = gauge.put(weight);
        let is_within = frames <= limits.queue_frames && bytes <= limits.queue_bytes;
        let fits = is_within && self.outbox.offer(delivery);
        if !fits {
            gauge.take(weight);
        }
        fits
    }

    /// Offers what is not durable, if the queue is less than half full. The rest is kept for changes: whoever misses one
    /// has to ask for it, and whoever comes and goes in a crowd must not bring that about.
    pub fn offer_notice(&self, frame: Bytes, limits: &SocketLimits) {
        if self.has_room(limits) {
            self.offer(Deliver::Notice(frame), limits);
        }
    }

    /// The same for what is not for the oldest clients: how far others have read.
    pub fn offer_aside(&self, frame: Bytes, limits: &SocketLimits) {
        if self.has_room(limits) {
            self.offer(Deliver::Aside(frame), limits);
        }
    }

    /// Tells the socket something that is for its user alone, and by nothing that is numbered: behind all that it is owed.
    pub fn send_own(&mut self, own: Deliver, limits: &SocketLimits, now: Instant) {
        if self.owed_own.len() < MOST_OWED {
            self.owed_own.push_back(own);
        } else {
            self.is_overrun = true;
        }
        if !self.tell_owed(limits) {
            self.note_left_out(now);
        }
    }

    fn has_room(&self, limits: &SocketLimits) -> bool {
        let gauge = &self.newcomer.gauge;
        let frames = gauge.waiting.load(Ordering::Relaxed);
        let bytes = gauge.waiting_bytes.load(Ordering::Relaxed);
        2 * frames < limits.queue_frames && 2 * bytes < limits.queue_bytes
    }

    /// Offers what is told of people, which is left out first of all: if the queue is less than a quarter full. False when it
    /// was left out.
    pub fn offer_extra(&self, frame: Bytes, limits: &SocketLimits) -> bool {
        self.has_room_for_extra(limits) && self.offer(Deliver::Aside(frame), limits)
    }

    /// Whether [`Self::offer_extra`] would take something.
    pub fn has_room_for_extra(&self, limits: &SocketLimits) -> bool {
        let gauge = &self.newcomer.gauge;
        let frames = gauge.waiting.load(Ordering::Relaxed);
        let bytes = gauge.waiting_bytes.load(Ordering::Relaxed);
        4 * frames < limits.queue_frames && 4 * bytes < limits.queue_bytes
    }

    pub fn send_change(&mut self, change: &Broadcast, limits: &SocketLimits, now: Instant) {
        let frame = match &change.own {
            Some((user_id, own)) if *user_id == self.newcomer.user_id => own,
            _ => &change.frame,
        };
        let (room_id, seq) = (change.room_id, change.seq);
        // What was missed is told first, so that no one sees n + 2 after n; and only when this fits behind it, so that a
        // full queue does not fill up with that.
        let gauge = &self.newcomer.gauge;
        let bytes = gauge.waiting_bytes.load(Ordering::Relaxed) + frame.len();
        let frames = gauge.waiting.load(Ordering::Relaxed) + self.count_owed() + 1;
        let fits = bytes <= limits.queue_bytes && frames <= limits.queue_frames;
        let frame = frame.clone();
        let change = Deliver::Change {
            room_id,
            seq,
            frame,
            is_post: change.is_post,
        };
        if !(fits && self.tell_owed(limits) && self.offer(change, limits)) {
            self.leave_out(room_id, seq, now);
        }
    }

    pub fn send_reached(&mut self, room_id: i64, seq: u64, limits: &SocketLimits, now: Instant) {
        let owed = self.owed_of(room_id);
        owed.reached = owed.reached.max(owed.missed.take()).max(Some(seq));
        if !self.tell_owed(limits) {
            self.note_left_out(now);
        }
    }

    pub fn send_view(&mut self, room_id: i64, frame: &Bytes, limits: &SocketLimits, now: Instant) {
        self.owed_of(room_id).view = Some(frame.clone());
        if !self.tell_owed(limits) {
            self.note_left_out(now);
        }
    }

    /// Tells the socket that its user has become a member of a room, or is none any more.
    pub fn send_membership(
        &mut self,
        room_id: i64,
        seq: u64,
        kind: Membership,
        limits: &SocketLimits,
        now: Instant,
    ) {
        let owed = self.owed_of(room_id);
        match kind {
            Membership::Joined | Membership::BroughtIn => owed.joined = Some(seq),
            // What came before cannot be read any more.
            Membership::Left => {
                *owed = Owed {
                    room_id,
                    left: Some(seq),
                    ..Owed::default()
                };
                // What one has set there is not heard of behind that.
                let is_of_it = |own: &Deliver| matches!(own, Deliver::Own { room_id: of, .. } if *of == room_id);
                self.owed_own.retain(|own| !is_of_it(own));
            }
        }
        if !self.tell_owed(limits) {
            self.note_left_out(now);
        }
    }

    fn owed_of(&mut self, room_id: i64) -> &mut Owed {
        let at = self.owed.iter().position(|owed| owed.room_id == room_id);
        let at = at.unwrap_or_else(|| {
            self.owed.push(Owed {
                room_id,
                ..Owed::default()
            });
            self.owed.len() - 1
        });
        &mut self.owed[at]
    }

    fn count_owed(&self) -> usize {
        let each = self.owed.iter().map(|owed| {
            usize::from(owed.left.is_some())
                + usize::from(owed.joined.is_some())
                + usize::from(owed.reached.is_some())
                + usize::from(owed.missed.is_some())
                + usize::from(owed.view.is_some())
        });
        each.sum::<usize>() + self.owed_own.len()
    }

    fn leave_out(&mut self, room_id: i64, seq: u64, now: Instant) {
        let owed = self.owed_of(room_id);
        // Who looks up how far the room has come will find this, too.
        let told_by = if owed.reached.is_some() {
            &mut owed.reached
        } else {
            &mut owed.missed
        };
        *told_by = (*told_by).max(Some(seq));
        self.note_left_out(now);
    }

    fn note_left_out(&mut self, now: Instant) {
        let taken = self.newcomer.gauge.taken.load(Ordering::Relaxed);
        match self.stuck {
            Some((_, before)) if before == taken => {}
            _ => self.stuck = Some((now, taken)),
        }
    }

    /// True when nothing is left to tell.
    pub fn tell_owed(&mut self, limits: &SocketLimits) -> bool {
        while let Some(owed) = self.owed.last() {
            let Some(delivery) = owed.next() else {
                self.owed.pop();
                continue;
            };
            if !self.offer(delivery, limits) {
                return false;
            }
            if let Some(owed) = self.owed.last_mut() {
                owed.told();
            }
        }
        while let Some(own) = self.owed_own.front() {
            if !self.offer(own.clone(), limits) {
                return false;
            }
            self.owed_own.pop_front();
        }
        true
    }

    /// Whether nothing was taken for too long since something was left out, or something cannot be told any more. That there was room to note what was missed
    /// is no sign that anything is read.
    pub fn is_stuck(&mut self, limits: &SocketLimits, now: Instant) -> bool {
        if self.is_overrun {
            return true;
        }
        let Some((since, before)) = self.stuck else {
            return false;
        };
        let taken = self.newcomer.gauge.taken.load(Ordering::Relaxed);
        if before != taken {
            let owes = !self.owed.is_empty() || !self.owed_own.is_empty();
            self.stuck = owes.then_some((now, taken));
            return false;
        }
        now.duration_since(since) >= limits.slow_reader
    }

    /// Pings, when it is time. One that does not fit is tried again with the next tick.
    pub fn ping_when_due(&mut self, limits: &SocketLimits, now: Instant) {
        // Looked at before: the answer may be there as soon as the ping is.
        let heard = self.newcomer.gauge.heard.load(Ordering::Relaxed);
        if now >= self.next_ping && self.offer(Deliver::Ping, limits) {
            self.next_ping = now + limits.ping_interval;
            self.pings += 1;
            self.pinged.get_or_insert(Pinged {
                since: now,
                number: self.pings,
                heard,
            });
        }
    }

    /// Whether a ping has waited for its answer for too long. Anything that the client sends is an answer; and as long
    /// as the ping stands behind other things that wait for a slow reader, he cannot answer it.
    pub fn is_silent(&mut self, limits: &SocketLimits, now: Instant) -> bool {
        let Some(pinged) = &mut self.pinged else {
            return false;
        };
        let gauge = &self.newcomer.gauge;
        if gauge.heard.load(Ordering::Relaxed) != pinged.heard {
            self.pinged = None;
            return false;
        }
        if gauge.pings.load(Ordering::Relaxed) < pinged.number {
            pinged.since = now;
        }
        now.duration_since(pinged.since) >= limits.ping_timeout
    }
}
