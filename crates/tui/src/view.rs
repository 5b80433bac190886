//! A room as rows on a screen of a given width, and moving through it. Only what is looked at is laid out,
//! so that a long history costs nothing.

use chrono::{Datelike as _, NaiveDateTime};
use parlour_client::{
    link::Millis,
    store::{Deed, Delivery, Item, Key, Older, Pending, Room, Timeline},
};
use ratatui::{
    style::{Color, Modifier, Style, Stylize as _},
    text::{Line, Span},
};

use super::{
    chat::Chat,
    text::{cut, visible, visible_lines, wrap},
};
use crate::protocol::{
    message::{Kind, Message},
    time::Timestamp,
};

/// Messages of one person within this many minutes stand under one heading.
const TOGETHER_MINUTES: i64 = 5;
/// Columns before a message's text.
const INDENT: &str = "  ";
/// The same, of the message that was chosen.
const PICKED: &str = "▌ ";

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
    /// What is laid out.
    pub room: &'a Room,
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

    fn timeline(&self) -> &Timeline {
        self.room.timeline()
    }

    fn last(&self) -> Part {
        match self.room.outbox().len() {
            0 => self.last_item(),
            count => Part::Pending(count - 1),
        }
    }

    fn last_item(&self) -> Part {
        self.timeline().last().map_or(Part::Head, Part::Item)
    }

    fn before(&self, part: Part) -> Option<Part> {
        match part {
            Part::Head => None,
            Part::Item(key) => {
                let before = self.timeline().items().range(..key).next_back();
                Some(before.map_or(Part::Head, |(key, _)| Part::Item(*key)))
            }
            Part::Pending(0) => Some(self.last_item()),
            Part::Pending(n) => Some(Part::Pending(n - 1)),
        }
    }

    fn after(&self, part: Part) -> Option<Part> {
        let pending = |n: usize| (n < self.room.outbox().len()).then_some(Part::Pending(n));
        let item = match part {
            Part::Head => self.timeline().items().keys().next(),
            Part::Item(key) => {
                let from = (key.0, key.1 + 1);
                self.timeline()
                    .items()
                    .range(from..)
                    .next()
                    .map(|(key, _)| key)
            }
            Part::Pending(n) => return pending(n + 1),
        };
        item.map_or_else(|| pending(0), |key| Some(Part::Item(*key)))
    }

    fn rows(&self, part: Part) -> Vec<Line<'static>> {
        match part {
            Part::Head => vec![self.head()],
            Part::Item(key) => match self.timeline().items().get(&key) {
                Some(Item::Message(message)) => self.message(key, message),
                Some(Item::Notice(sentence)) => self.notice(sentence),
                None => Vec::new(),
            },
            Part::Pending(n) => match self.room.outbox().get(n) {
                Some(pending) => self.pending(n, pending),
                None => Vec::new(),
            },
        }
    }

    fn head(&self) -> Line<'static> {
        let room = visible(&self.room.label(self.my_id));
        let text = match self.timeline().older() {
            Older::Unknown => "Loading the conversation…".to_owned(),
            Older::More => "Older messages: PageUp".to_owned(),
            Older::Loading => "Loading older messages…".to_owned(),
            Older::AllRead if self.timeline().items().is_empty() => {
                format!("Nobody has written in {room} yet: say hello.")
            }
            Older::AllRead => format!("This is where {room} begins."),
        };
        Line::from(text).dark_gray().italic()
    }

    fn message(&self, key: Key, message: &Message) -> Vec<Line<'static>> {
        if message.kind == Kind::System {
            return self.notice(&message.content);
        }
        let at = (self.local_time)(message.created_at);
        let mut rows = Vec::new();
        let day_before = self.timeline().time_before(key).map(self.local_time);
        if day_before.is_none_or(|before| before.date() != at.date()) {
            rows.push(self.day(at));
        }
        let is_continued = rows.is_empty()
            && self
                .timeline()
                .message_before(key)
                .is_some_and(|(name, before)| {
                    let apart = message.created_at.signed_duration_since(before);
                    name == message.username && apart.num_minutes() < TOGETHER_MINUTES
                });
        if !is_continued {
            let is_me = message.user_id != 0 && message.username == self.me;
            rows.push(heading(
                &message.username,
                &at.format("%H:%M").to_string(),
                is_me,
            ));
        }
        rows.extend(self.answered(message));
        let quiet = Style::new().dark_gray().italic();
        if message.deleted_at.is_some() {
            rows.extend(self.body("(deleted)", quiet));
        } else if message.unreadable {
            let text = "This message is stored, but the server could not decrypt it.";
            rows.extend(self.body(text, Style::new().red().italic()));
        } else {
            rows.extend(self.body(&message.content, Style::new()));
        }
        if let Some(state) = state_of(message) {
            rows.extend(self.body(&state, quiet));
        }
        if self.chat.picked == Some(message.id) {
            rows.iter_mut().for_each(mark);
        }
        rows
    }

    /// What the message answers, in a row.
    fn answered(&self, message: &Message) -> Vec<Line<'static>> {
        let Some(id) = message.reply_to else {
            return Vec::new();
        };
        let text = match self.timeline().message(id) {
            Some(first) if first.deleted_at.is_some() => format!("{}: (deleted)", first.username),
            Some(first) => format!("{}: {}", first.username, first.content),
            None => "an older message".to_owned(),
        };
        let width = self.width.saturating_sub(INDENT.len() + 1);
        let row = cut(&format!("> {}", visible(&text)), width);
        vec![Line::from(format!("{INDENT}{row}")).dark_gray()]
    }

    fn pending(&self, n: usize, pending: &Pending) -> Vec<Line<'static>> {
        let mut rows = Vec::new();
        if n == 0 {
            rows.push(heading(self.me, "not stored yet", true));
        }
        let (style, note) = match &pending.delivery {
            Delivery::Waiting => {
                let hold = self.room.outbox().hold(self.now).filter(|_| n == 0);
                (Style::new().dark_gray(), waiting(hold))
            }
            Delivery::Sent(_) => (Style::new().dark_gray(), "… on its way".to_owned()),
            Delivery::Refused(detail) => (
                Style::new().red(),
                format!("✗ not sent: {} (/edit takes it back)", visible(detail)),
            ),
        };
        match pending.deed {
            Deed::Post { .. } => {}
            Deed::Edit(_) => rows.extend(self.body("(edit)", style.italic())),
            Deed::Delete(_) => rows.extend(self.body("(deletion)", style.italic())),
            Deed::React(..) => rows.extend(self.body("(reaction)", style.italic())),
            Deed::Pin(..) => rows.extend(self.body("(pin)", style.italic())),
        }
        if !pending.content.is_empty() {
            rows.extend(self.body(&pending.content, style));
        }
        rows.extend(self.body(&note, style.italic()));
        rows
    }

    fn notice(&self, sentence: &str) -> Vec<Line<'static>> {
        let rows = wrap(
            &format!("· {}", visible(sentence)),
            self.width.saturating_sub(INDENT.len()),
        );
        rows.into_iter()
            .map(|row| Line::from(format!("{INDENT}{row}")).dark_gray())
            .collect()
    }

    fn body(&self, text: &str, style: Style) -> Vec<Line<'static>> {
        let width = self.width.saturating_sub(INDENT.len() + 1);
        visible_lines(text)
            .flat_map(|line| wrap(&line, width))
            .map(|row| Line::from(vec![Span::raw(INDENT), Span::styled(row, style)]))
            .collect()
    }

    fn day(&self, at: NaiveDateTime) -> Line<'static> {
        let name = format!(" {}, {} {} ", at.format("%A"), at.day(), at.format("%B %Y"));
        let rule = self.width.saturating_sub(name.chars().count() + 4);
        Line::from(format!("──{name}{}", "─".repeat(rule))).dark_gray()
    }
}

/// Marks a row of the chosen message.
fn mark(row: &mut Line<'static>) {
    if let Some(start) = row.spans.first_mut()
        && start.content == INDENT
    {
        *start = Span::raw(PICKED).fg(Color::Yellow);
    }
}

/// What is said below a message: that it was edited or pinned, and who reacted how.
fn state_of(message: &Message) -> Option<String> {
    let mut parts = Vec::new();
    if message.edited_at.is_some() && message.deleted_at.is_none() {
        parts.push("(edited)".to_owned());
    }
    if message.pinned.is_some() {
        parts.push("(pinned)".to_owned());
    }
    let reactions = message.reactions.iter();
    parts.extend(reactions.map(|reaction| format!("[{} {}]", reaction.emoji, reaction.count)));
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// Why a message is not on its way. The server may have asked to wait, for the room's slow mode or for another reason.
fn waiting(hold: Option<(Millis, bool)>) -> String {
    let Some((left, is_slow)) = hold else {
        return "… waits to be sent".to_owned();
    };
    let time = match left.div_ceil(1_000) {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7_200 => format!("{} min", seconds.div_ceil(60)),
        seconds => format!("{} h", seconds.div_ceil(3_600)),
    };
    if is_slow {
        format!("… is sent in {time}: this room is in slow mode")
    } else {
        format!("… is sent in {time}: the server asks to wait so long")
    }
}

fn heading(name: &str, when: &str, is_me: bool) -> Line<'static> {
    let mut style = Style::new().fg(colour(name)).add_modifier(Modifier::BOLD);
    if is_me {
        style = style.add_modifier(Modifier::UNDERLINED);
    }
    Line::from(vec![
        Span::styled(visible(name), style),
        Span::raw("  "),
        Span::styled(when.to_owned(), Style::new().dark_gray()),
    ])
}

/// A name's colour: the same on every start, and told apart on dark and on light ground.
#[must_use]
pub fn colour(name: &str) -> Color {
    const PALETTE: [Color; 8] = [
        Color::Cyan,
        Color::Green,
        Color::Yellow,
        Color::Magenta,
        Color::Blue,
        Color::LightRed,
        Color::LightGreen,
        Color::LightMagenta,
    ];
    let sum = name.to_lowercase().bytes().fold(7_usize, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(usize::from(byte))
    });
    PALETTE[sum % PALETTE.len()]
}
