//! A room as rows on a screen of a given width, and moving through it. Only what is looked at is laid out,
//! so that a long history costs nothing.

mod days;
mod rows;

use chrono::NaiveDateTime;
use parlour_client::{
    link::Millis,
    store::{Deed, Item, Key, Pending, People, Room, Timeline},
};
use ratatui::text::Line;

use super::chat::Chat;
use crate::protocol::{message::Kind, time::Timestamp};

pub use rows::colour;

/// Turns an instant into the local time.
pub type LocalTime = fn(Timestamp) -> NaiveDateTime;

/// A part of a room that takes rows, in the order of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// What is said before the first item.
    Head,
    /// An item of the conversation.
    Item(Key),
    /// A message that is on its way, by its position in the outbox.
    Pending(usize),
}

/// A row of the conversation: the first one on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Anchor {
    /// Of which part.
    pub part: Part,
    /// Which of its rows.
    pub row: usize,
}

/// How the conversation is laid out.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// What is laid out: a room, or a thread of it.
    pub room: &'a Room,
    /// What is at hand of it.
    pub timeline: &'a Timeline,
    /// What is known of people.
    pub people: &'a People,
    /// Where the reader looks.
    pub chat: &'a Chat,
    /// The name of the one who is logged in.
    pub me: &'a str,
    /// And the id.
    pub my_id: i64,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Turns an instant into the local time.
    pub local_time: LocalTime,
    /// The time of the last tick.
    pub now: Millis,
}

impl View<'_> {
    /// The rows on the screen, from the top; fewer than its height when there is no more.
    #[must_use]
    pub fn window(&self) -> Vec<Line<'static>> {
        let top = self.top();
        let mut rows: Vec<_> = self.rows(top.part).into_iter().skip(top.row).collect();
        let mut part = top.part;
        while rows.len() < self.height {
            let Some(next) = self.after(part) else { break };
            part = next;
            rows.extend(self.rows(part));
        }
        rows.truncate(self.height);
        rows
    }

    /// The row that is `rows` further up, or the first one.
    #[must_use]
    pub fn up(&self, rows: usize) -> Anchor {
        self.back(self.top(), rows)
    }

    /// The row that is `rows` further down; `None` when the end is then on the screen.
    #[must_use]
    pub fn down(&self, rows: usize) -> Option<Anchor> {
        let top = self.top();
        let mut anchor = Anchor {
            row: top.row + rows,
            ..top
        };
        loop {
            let height = self.rows(anchor.part).len();
            if anchor.row < height {
                break;
            }
            let next = self.after(anchor.part)?;
            anchor = Anchor {
                part: next,
                row: anchor.row - height,
            };
        }
        let bottom = self.bottom();
        let is_past = (anchor.part, anchor.row) >= (bottom.part, bottom.row);
        (!is_past).then_some(anchor)
    }

    /// Whether all of a part is on the screen.
    #[must_use]
    pub fn shows(&self, part: Part) -> bool {
        let top = self.top();
        let mut row = 0;
        let mut next = Some(top.part);
        while let Some(shown) = next {
            let height = self.rows(shown).len();
            let skipped = if shown == top.part { top.row } else { 0 };
            row += height.saturating_sub(skipped);
            if shown == part {
                return skipped == 0 && row <= self.height;
            }
            if row >= self.height {
                return false;
            }
            next = self.after(shown);
        }
        false
    }

    /// Whether fewer rows than one screen are left above.
    #[must_use]
    pub fn is_near_head(&self) -> bool {
        self.up(self.height).part == Part::Head
    }

    /// The first row on the screen.
    fn top(&self) -> Anchor {
        let bottom = self.bottom();
        match self.chat.top {
            Some(anchor) if (anchor.part, anchor.row) < (bottom.part, bottom.row) => anchor,
            _ => bottom,
        }
    }

    /// The first row on the screen when the end is on it.
    fn bottom(&self) -> Anchor {
        let last = self.last();
        let end = Anchor {
            part: last,
            row: self.rows(last).len(),
        };
        self.back(end, self.height)
    }

    /// The first row on the screen when the end of the newest message is its last one, if at the end what is not stored yet
    /// leaves no row to it.
    #[must_use]
    pub fn hidden_newest(&self) -> Option<Anchor> {
        let part = Part::Item(self.timeline.last()?);
        let end = Anchor {
            part,
            row: self.rows(part).len(),
        };
        let is_hidden = matches!(self.bottom().part, Part::Pending(_));
        is_hidden.then(|| self.back(end, self.height))
    }

    fn back(&self, from: Anchor, rows: usize) -> Anchor {
        let mut anchor = from;
        let mut left = rows;
        while anchor.row < left {
            left -= anchor.row;
            let Some(before) = self.before(anchor.part) else {
                return Anchor { row: 0, ..anchor };
            };
            anchor = Anchor {
                part: before,
                row: self.rows(before).len(),
            };
        }
        Anchor {
            row: anchor.row - left,
            ..anchor
        }
    }

    /// What was sent to here and is not stored yet. What is done with a message waits where that message stands.
    fn pending(&self) -> impl Iterator<Item = &Pending> {
        self.room.outbox().iter().filter(|pending| {
            let thread = match pending.deed {
                Deed::Post { thread, .. } | Deed::Command { thread } => thread,
                Deed::Edit(id, _) | Deed::Delete(id) | Deed::React(id, _) | Deed::Pin(id, _) => {
                    let reply = self.room.threads().reply(id);
                    let beside = reply.filter(|reply| reply.is_in_thread_only());
                    beside.and_then(|reply| reply.thread)
                }
            };
            thread == self.chat.thread
        })
    }

    /// The first message that the user had not read when the room was opened.
    fn first_new(&self) -> Option<u64> {
        let after = self.timeline.messages_after(self.chat.new_after?);
        let mut new = after.filter(|message| {
            message.kind == Kind::Text
                && message.deleted_at.is_none()
                && message.user_id != self.my_id
        });
        new.next().map(|message| message.id)
    }

    /// The last message of which all that comes before it, and it itself to its end, is on the screen or above it.
    #[must_use]
    pub fn seen(&self) -> Option<u64> {
        let top = self.top();
        let (mut row, mut next, mut seen) = (0, Some(top.part), None);
        while let Some(part) = next {
            let skipped = if part == top.part { top.row } else { 0 };
            row += self.rows(part).len().saturating_sub(skipped);
            if row > self.height {
                break;
            }
            if let Part::Item((id, 0)) = part
                && matches!(self.timeline.items().get(&(id, 0)), Some(Item::Message(_)))
            {
                seen = Some(id);
            }
            next = self.after(part);
        }
        seen
    }

    fn last(&self) -> Part {
        match self.pending().count() {
            0 => self.last_item(),
            count => Part::Pending(count - 1),
        }
    }

    fn last_item(&self) -> Part {
        self.timeline.last().map_or(Part::Head, Part::Item)
    }

    fn before(&self, part: Part) -> Option<Part> {
        match part {
            Part::Head => None,
            Part::Item(key) => {
                let before = self.timeline.items().range(..key).next_back();
                Some(before.map_or(Part::Head, |(key, _)| Part::Item(*key)))
            }
            Part::Pending(0) => Some(self.last_item()),
            Part::Pending(n) => Some(Part::Pending(n - 1)),
        }
    }

    fn after(&self, part: Part) -> Option<Part> {
        let pending = |n: usize| (n < self.pending().count()).then_some(Part::Pending(n));
        let item = match part {
            Part::Head => self.timeline.items().keys().next(),
            Part::Item(key) => {
                let from = (key.0, key.1 + 1);
                self.timeline
                    .items()
                    .range(from..)
                    .next()
                    .map(|(key, _)| key)
            }
            Part::Pending(n) => return pending(n + 1),
        };
        item.map_or_else(|| pending(0), |key| Some(Part::Item(*key)))
    }
}
