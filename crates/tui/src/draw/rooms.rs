//! The list of rooms beside the conversation, and what Ctrl+K opens.

use parlour_client::store::Room;
use ratatui::{
    Frame,
    layout::Rect,
    style::{Color, Style, Stylize as _},
    text::{Line, Span},
    widgets::{Block, BorderType, Borders, Clear, Paragraph},
};

use super::centre;
use crate::{
    protocol::reading::Notify,
    rooms::{
        label, listed,
        switcher::{Choice, Switcher, choices},
    },
    state::State,
    text::{cut, visible},
};

/// From this many on, how much is unread is not told to the last one.
const MANY: u64 = 1_000;
/// Columns of what Ctrl+K opens.
const WIDTH: usize = 44;

/// The user's rooms, the one on the screen marked, and how much is unread in each.
pub(super) fn list(frame: &mut Frame, area: Rect, state: &State) {
    let block = Block::new()
        .borders(Borders::RIGHT)
        .border_style(Style::new().dark_gray())
        .title(" Rooms ".bold());
    let inner = block.inner(area);
    let width = usize::from(inner.width).saturating_sub(1);
    let rooms = listed(state);
    let shown = state.chat.as_ref().map(|chat| chat.room.as_str());
    let at = rooms.iter().position(|(key, _)| Some(*key) == shown);
    let height = usize::from(inner.height);
    // The one on the screen is always in the list, beside the rows that tell of what is unread beyond it.
    let skipped = at.map_or(0, |at| (at + 2).saturating_sub(height));
    let skipped = skipped.min(rooms.len().saturating_sub(height));
    let end = (skipped + height).min(rooms.len());
    let mut rows: Vec<_> = rooms[skipped..end]
        .iter()
        .map(|(key, room)| row(state, (*key, *room), Some(*key) == shown, width))
        .collect();
    if let Some((first, text)) = rows
        .first_mut()
        .zip(beyond("▲", "above", &rooms[..skipped]))
    {
        *first = text;
    }
    if let Some((last, text)) = rows.last_mut().zip(beyond("▼", "below", &rooms[end..])) {
        *last = text;
    }
    frame.render_widget(Paragraph::new(rows).block(block), area);
}

fn row(state: &State, (key, room): (&str, &Room), is_shown: bool, width: usize) -> Line<'static> {
    let marks = badges(room);
    let marks_width: usize = marks.iter().map(Span::width).sum();
    let label = visible(&label(state, key));
    let label = cut(&label, width.saturating_sub(marks_width));
    let mut style = Style::new();
    if is_shown {
        style = style.reversed();
    }
    if room.is_gone() {
        style = style.dark_gray();
    } else if room.unread().messages > 0 {
        style = style.bold();
    }
    let mut spans = vec![presence(state, room), Span::styled(label, style)];
    spans.extend(marks);
    Line::from(spans)
}

/// In a conversation with one other: whether they are here.
fn presence(state: &State, room: &Room) -> Span<'static> {
    let me = state.client.store.user_id();
    let mut others = room.about().users.iter().filter(|user| user.user_id != me);
    match (others.next(), others.next()) {
        (Some(other), None) => {
            let mark = super::chat::presence(state, &other.username);
            let symbol: String = mark.content.chars().skip(1).take(1).collect();
            Span::styled(symbol, mark.style)
        }
        _ => " ".into(),
    }
}

/// What is unread in a room: what mentions the user, all of it, and what is in threads.
fn badges(room: &Room) -> Vec<Span<'static>> {
    if room.is_gone() {
        return vec![" (gone)".fg(Color::Yellow)];
    }
    let (own, threads) = (room.unread(), room.threads().unread());
    let is_quiet = room.about().notify == Notify::Nothing;
    let colour = if is_quiet {
        Color::DarkGray
    } else {
        Color::Yellow
    };
    let mut marks = Vec::new();
    let mentions = own.mentions + threads.mentions;
    if mentions > 0 {
        let mark = format!(" @{}", number(mentions));
        marks.push(mark.bold().fg(Color::LightRed));
    }
    if own.messages > 0 {
        marks.push(unread(own.messages).fg(colour));
    }
    if threads.messages > 0 {
        marks.push(format!(" ↳{}", number(threads.messages)).fg(colour));
    }
    marks
}

/// In how many of the rooms beyond an end of the list something is unread. Where there is none, the row shows its room.
fn beyond(arrow: &str, place: &str, rooms: &[(&str, &Room)]) -> Option<Line<'static>> {
    let is_unread = |room: &Room| room.unread().messages + room.threads().unread().messages > 0;
    let unread = rooms.iter().filter(|(_, room)| is_unread(room)).count();
    let text = format!(" {arrow} {unread} unread {place}");
    (unread > 0).then(|| Line::from(text).bold().fg(Color::Yellow))
}

fn unread(count: u64) -> String {
    match count {
        0 => String::new(),
        count => format!(" {}", number(count)),
    }
}

fn number(count: u64) -> String {
    match count {
        MANY.. => format!("{}+", MANY - 1),
        count => count.to_string(),
    }
}

/// The rooms and people that fit what is typed.
pub(super) fn switcher(frame: &mut Frame, state: &State, switcher: &Switcher) {
    let whole = frame.area();
    let found = choices(state, switcher);
    let most = usize::from(whole.height).saturating_sub(4).clamp(1, 12);
    let area = centre(whole, WIDTH, found.len().clamp(1, most) + 3);
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(Style::new().fg(Color::Cyan))
        .title(" Go to ".bold())
        .title_bottom(" Enter goes there · Esc closes ");
    let inner = block.inner(area);
    let width = usize::from(inner.width).saturating_sub(1);
    let typed = cut(&visible(&switcher.typed), width.saturating_sub(3));
    let mut rows = vec![Line::from(vec![" › ".bold(), typed.into(), "▏".into()])];
    let skipped = (switcher.at + 1).saturating_sub(most);
    for (n, choice) in found.iter().enumerate().skip(skipped).take(most) {
        let row = Line::from(format!(" {}", cut(&text_of(choice), width)));
        rows.push(if n == switcher.at {
            row.reversed()
        } else {
            row
        });
    }
    if found.is_empty() {
        rows.push(Line::from(" nothing fits").dark_gray());
    }
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(rows).block(block), area);
}

fn text_of(choice: &Choice) -> String {
    match choice {
        Choice::Mine(_, label, count) => format!("{}{}", visible(label), unread(*count)),
        Choice::Public(_, name) => format!("#{}  (join)", visible(name)),
        Choice::Person(name) => format!("@{}  (write to)", visible(name)),
    }
}
