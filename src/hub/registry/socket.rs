//! One socket as the registry sees it: what fits, what it missed, whether it is stuck or silent.

use std::{sync::atomic::Ordering, time::Instant};

use bytes::Bytes;

use super::{NewSocket, Outbox};
use crate::{
    config::SocketLimits,
    hub::{Broadcast, Deliver},
};

/// A socket that is open.
pub struct Socket<O> {
    pub newcomer: NewSocket,
    pub outbox: O,
    /// Room → the last change that did not fit, and that the socket has not been told of.
    missed: Vec<(i64, u64)>,
    /// Since when, and at which count of what the connection took, something was left out and nothing taken.
    stuck: Option<(Instant, u64)>,
    /// The oldest ping that has not been answered.
    pinged: Option<Pinged>,
    pings: u64,
    next_ping: Instant,
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
            missed: Vec::new(),
            stuck: None,
            pinged: None,
            pings: 0,
            next_ping,
        }
    }

    pub fn offer(&self, delivery: Deliver, limits: &SocketLimits) -> bool {
        let (weight, gauge) = (delivery.weight(), &self.newcomer.gauge);
        // Counted before it is handed over: the session takes it out of the count, perhaps at once.
        let fits = gauge.put(weight) <= limits.queue_bytes && self.outbox.offer(delivery);
        if !fits {
            gauge.take(weight);
        }
        fits
    }

    /// Offers what is not durable, if the queue is less than half full. The rest is kept for changes: whoever misses one
    /// has to ask for it, and whoever comes and goes in a crowd must not bring that about.
    pub fn offer_notice(&self, frame: Bytes, limits: &SocketLimits) {
        let gauge = &self.newcomer.gauge;
        let frames = gauge.waiting.load(Ordering::Relaxed);
        let bytes = gauge.waiting_bytes.load(Ordering::Relaxed);
        if 2 * frames < limits.queue_frames && 2 * bytes < limits.queue_bytes {
            self.offer(Deliver::Notice(frame), limits);
        }
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
        let frames = gauge.waiting.load(Ordering::Relaxed) + self.missed.len() + 1;
        let fits = bytes <= limits.queue_bytes && frames <= limits.queue_frames;
        let frame = frame.clone();
        let change = Deliver::Change {
            room_id,
            seq,
            frame,
        };
        if !(fits && self.tell_missed(limits) && self.offer(change, limits)) {
            self.leave_out(room_id, seq, now);
        }
    }

    pub fn send_reached(&mut self, room_id: i64, seq: u64, limits: &SocketLimits, now: Instant) {
        if !self.offer(Deliver::Reached { room_id, seq }, limits) {
            self.leave_out(room_id, seq, now);
        }
    }

    fn leave_out(&mut self, room_id: i64, seq: u64, now: Instant) {
        match self.missed.iter_mut().find(|(room, _)| *room == room_id) {
            Some((_, missed)) => *missed = seq.max(*missed),
            None => self.missed.push((room_id, seq)),
        }
        let taken = self.newcomer.gauge.taken.load(Ordering::Relaxed);
        match self.stuck {
            Some((_, before)) if before == taken => {}
            _ => self.stuck = Some((now, taken)),
        }
    }

    /// True when nothing is left to tell.
    pub fn tell_missed(&mut self, limits: &SocketLimits) -> bool {
        while let Some((room_id, seq)) = self.missed.last().copied() {
            if !self.offer(Deliver::Missed { room_id, seq }, limits) {
                return false;
            }
            self.missed.pop();
        }
        true
    }

    /// Whether nothing was taken for too long since something was left out. That there was room to note what was missed
    /// is no sign that anything is read.
    pub fn is_stuck(&mut self, limits: &SocketLimits, now: Instant) -> bool {
        let Some((since, before)) = self.stuck else {
            return false;
        };
        let taken = self.newcomer.gauge.taken.load(Ordering::Relaxed);
        if before != taken {
            self.stuck = (!self.missed.is_empty()).then_some((now, taken));
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
