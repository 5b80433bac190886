//! The list of rooms beside the conversation, and what Ctrl+K opens.

use parlour_client::store::Room;
use ratatui::{
    Frame,
    layout::Rect,
    style::{Color, Style, Stylize as _},
    text::{Line, Span},
    widgets::{Block, BorderType, Borders, Clear, Paragraph},
};
use unicode_width::UnicodeWidthStr as _;

use super::centre;
use crate::{
    rooms::{
        label, listed,
        switcher::{Choice, Switcher, choices},
    },
    state::State,
    text::{cut, visible},
};

/// From this many on, how much is unread is not told to the last one.
const MANY: usize = 1_000;
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
    let mark = if room.is_gone() {
        " (gone)".to_owned()
    } else {
        unread(room.unread())
    };
    let label = visible(&label(state, key));
    let label = cut(&label, width.saturating_sub(mark.width()));
    let mut style = Style::new();
    if is_shown {
        style = style.reversed();
    }
    if room.is_gone() {
        style = style.dark_gray();
    } else if room.unread() > 0 {
        style = style.bold();
    }
    let mark = Span::from(mark).fg(Color::Yellow);
    Line::from(vec![" ".into(), Span::styled(label, style), mark])
}

/// In how many of the rooms beyond an end of the list something is unread. Where there is none, the row shows its room.
fn beyond(arrow: &str, place: &str, rooms: &[(&str, &Room)]) -> Option<Line<'static>> {
    let unread = rooms.iter().filter(|(_, room)| room.unread() > 0).count();
    let text = format!(" {arrow} {unread} unread {place}");
    (unread > 0).then(|| Line::from(text).bold().fg(Color::Yellow))
}

fn unread(count: usize) -> String {
    match count {
        0 => String::new(),
        MANY.. => format!(" {}+", MANY - 1),
        count => format!(" {count}"),
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
