//! Which day it was: a line before the first item of each, and a word where no such line is in sight.

use chrono::{Datelike as _, NaiveDateTime};
use parlour_client::store::{Item, Key};

use super::{Part, View};
use crate::protocol::{message::Message, time::Timestamp};

/// A day as people read it.
pub(super) fn name(at: NaiveDateTime) -> String {
    format!("{}, {} {}", at.format("%A"), at.day(), at.format("%B %Y"))
}

impl View<'_> {
    /// Whether a message is the first one of its day, as far as is known.
    pub(super) fn begins_day(&self, key: Key, message: &Message) -> bool {
        let at = (self.local_time)(message.created_at);
        let before = self.timeline.time_before(key).map(self.local_time);
        before.is_none_or(|before| before.date() != at.date())
    }

    /// The day of what is on the screen, if none of the lines on it says so, and it is not today.
    #[must_use]
    pub fn day_out_of_sight(&self, now: Timestamp) -> Option<String> {
        let top = self.top();
        let mut day = None;
        let (mut row, mut next) = (0, Some(top.part));
        while let Some(part) = next.filter(|_| row < self.height) {
            let skipped = if part == top.part { top.row } else { 0 };
            if let Part::Item(key) = part
                && let Some(Item::Message(message)) = self.timeline.items().get(&key)
            {
                if skipped == 0 && self.begins_day(key, message) {
                    return None;
                }
                day.get_or_insert_with(|| (self.local_time)(message.created_at));
            }
            row += self.rows(part).len().saturating_sub(skipped);
            next = self.after(part);
        }
        let today = (self.local_time)(now).date();
        day.filter(|day| day.date() != today).map(name)
    }
}
