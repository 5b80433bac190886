//! What each part of a conversation looks like.

use chrono::NaiveDateTime;
use parlour_client::{
    link::Millis,
    store::{Deed, Delivery, Item, Key, Older, Pending},
};
use ratatui::{
    style::{Color, Modifier, Style, Stylize as _},
    text::{Line, Span},
};

use super::{Part, View, days};
use crate::{
    markdown,
    protocol::message::{Kind, Message},
    said_by_room::said_by_room,
    text::{cut, visible, visible_lines, wrap},
};

/// Messages of one person within this many minutes stand under one heading.
const TOGETHER_MINUTES: i64 = 5;
/// Columns before a message's text.
const INDENT: &str = "  ";
/// The same, of the message that was chosen.
const PICKED: &str = "▌ ";

impl View<'_> {
    pub(super) fn rows(&self, part: Part) -> Vec<Line<'static>> {
        match part {
            Part::Head => vec![self.head()],
            Part::Item(key) => match self.timeline.items().get(&key) {
                Some(Item::Message(message)) => self.message(key, message),
                Some(Item::Notice(sentence)) if !sentence.is_empty() => self.notice(sentence),
                // What is not to be told takes no row.
                Some(Item::Notice(_)) | None => Vec::new(),
            },
            Part::Pending(n) => match self.pending().nth(n) {
                Some(pending) => self.waiting(n, pending),
                None => Vec::new(),
            },
        }
    }

    fn head(&self) -> Line<'static> {
        let room = match self.chat.thread {
            None => visible(&self.room.label(self.my_id)),
            Some(_) => "this thread".to_owned(),
        };
        let text = match self.timeline.older() {
            Older::Unknown => "Loading the conversation…".to_owned(),
            Older::More => "Older messages: PageUp".to_owned(),
            Older::Loading => "Loading older messages…".to_owned(),
            Older::AllRead if self.timeline.items().is_empty() => {
                format!("Nobody has written in {room} yet: say hello.")
            }
            Older::AllRead => format!("This is where {room} begins."),
        };
        Line::from(text).dark_gray().italic()
    }

    fn message(&self, key: Key, message: &Message) -> Vec<Line<'static>> {
        let at = (self.local_time)(message.created_at);
        let mut rows = Vec::new();
        if self.begins_day(key, message) {
            rows.push(self.day(at));
        }
        if message.kind == Kind::System {
            rows.extend(self.notice(&said_by_room(message, self.local_time)));
            return rows;
        }
        if self.first_new() == Some(message.id) {
            rows.push(self.rule(" new ", Style::new().fg(Color::Red)));
        }
        let is_continued = rows.is_empty()
            && self
                .timeline
                .message_before(key)
                .is_some_and(|(name, before)| {
                    let apart = message.created_at.signed_duration_since(before);
                    name == message.username && apart.num_minutes() < TOGETHER_MINUTES
                });
        if !is_continued {
            let is_me = message.user_id != 0 && message.username == self.me;
            let shown = self.people.display_name(message.user_id);
            let when = at.format("%H:%M").to_string();
            rows.push(heading((&message.username, shown), &when, is_me));
        }
        rows.extend(self.answered(message));
        let quiet = Style::new().dark_gray().italic();
        if message.deleted_at.is_some() {
            rows.extend(self.body("(deleted)", quiet));
        } else if message.unreadable {
            let text = "This message is stored, but the server could not decrypt it.";
            rows.extend(self.body(text, Style::new().red().italic()));
        } else {
            rows.extend(self.written(message));
        }
        if let Some(state) = state_of(message) {
            rows.extend(self.body(&state, quiet));
        }
        rows.extend(self.thread_of(message));
        if self.chat.picked == Some(message.id) {
            rows.iter_mut().for_each(mark);
        }
        rows
    }

    /// In a room: what stands under a message, or that it is in a thread.
    fn thread_of(&self, message: &Message) -> Vec<Line<'static>> {
        if self.chat.thread.is_some() {
            return Vec::new();
        }
        let style = Style::new().fg(Color::Cyan);
        if message.thread.is_some() {
            return self.body("↳ in a thread", style);
        }
        let threads = self.room.threads();
        let known = threads.replies(message.id).or(message.replies.as_ref());
        let text = match known.map_or(0, |replies| replies.count) {
            0 => return Vec::new(),
            1 => "↳ 1 reply".to_owned(),
            count => format!("↳ {count} replies"),
        };
        let followed = threads.followed_at(message.id);
        let text = match followed.map_or(0, |thread| thread.unread().messages) {
            0 => text,
            count => format!("{text}, {count} new"),
        };
        self.body(&text, style)
    }

    /// What the message answers, in a row.
    fn answered(&self, message: &Message) -> Vec<Line<'static>> {
        let Some(id) = message.reply_to else {
            return Vec::new();
        };
        let text = match self.timeline.message(id) {
            Some(first) if first.deleted_at.is_some() => format!("{}: (deleted)", first.username),
            Some(first) => format!("{}: {}", first.username, first.content),
            None => "an older message".to_owned(),
        };
        let width = self.width.saturating_sub(INDENT.len() + 1);
        let row = cut(&format!("> {}", visible(&text)), width);
        vec![Line::from(format!("{INDENT}{row}")).dark_gray()]
    }

    fn waiting(&self, n: usize, pending: &Pending) -> Vec<Line<'static>> {
        let mut rows = Vec::new();
        let is_refused = |pending: &Pending| matches!(pending.delivery, Delivery::Refused(_));
        let before = n.checked_sub(1).and_then(|n| self.pending().nth(n));
        if before.is_none_or(|before| is_refused(before) != is_refused(pending)) {
            let when = if is_refused(pending) {
                "not sent"
            } else {
                "not stored yet"
            };
            rows.push(heading((self.me, None), when, true));
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
            Deed::Post { .. } | Deed::Command { .. } => {}
            Deed::Edit(..) => rows.extend(self.body("(edit)", style.italic())),
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

    /// What someone has written, as Markdown.
    fn written(&self, message: &Message) -> Vec<Line<'static>> {
        let width = self.width.saturating_sub(INDENT.len() + 1);
        let rows = markdown::rows(&message.content, &message.mentions, self.my_id, width);
        let indented = rows.into_iter().map(|mut row| {
            row.spans.insert(0, Span::raw(INDENT));
            row
        });
        indented.collect()
    }

    fn body(&self, text: &str, style: Style) -> Vec<Line<'static>> {
        let width = self.width.saturating_sub(INDENT.len() + 1);
        visible_lines(text)
            .flat_map(|line| wrap(&line, width))
            .map(|row| Line::from(vec![Span::raw(INDENT), Span::styled(row, style)]))
            .collect()
    }

    fn day(&self, at: NaiveDateTime) -> Line<'static> {
        let name = format!(" {} ", days::name(at));
        self.rule(&name, Style::new().dark_gray())
    }

    /// A line across the conversation, with a word in it.
    fn rule(&self, word: &str, style: Style) -> Line<'static> {
        let rest = self.width.saturating_sub(word.chars().count() + 4);
        Line::from(format!("──{word}{}", "─".repeat(rest))).style(style)
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

/// Anyone may take any display name: the username stands beside it.
fn heading((name, shown): (&str, Option<&str>), when: &str, is_me: bool) -> Line<'static> {
    let mut style = Style::new().fg(colour(name)).add_modifier(Modifier::BOLD);
    if is_me {
        style = style.add_modifier(Modifier::UNDERLINED);
    }
    let mut spans = Vec::new();
    if let Some(shown) = shown.filter(|shown| *shown != name) {
        spans.push(Span::styled(visible(shown), style));
        spans.push(Span::raw(format!(" @{}", visible(name))).dark_gray());
    } else {
        spans.push(Span::styled(visible(name), style));
    }
    spans.push(Span::raw("  "));
    spans.push(Span::styled(when.to_owned(), Style::new().dark_gray()));
    Line::from(spans)
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
