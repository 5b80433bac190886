//! The conversation: bar, talk, who is here, input, status.

use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::{Color, Style, Stylize as _},
    text::{Line, Span},
    widgets::{Block, BorderType, Borders, Paragraph},
};
use unicode_width::UnicodeWidthStr as _;

use super::{areas, bar, is_framed, rooms, topic, view_in};
use crate::{
    chat::{Chat, Task},
    later, people,
    protocol::people::Presence,
    state::State,
    text::{cut, visible, wrap},
    view::colour,
};

pub(super) fn draw(frame: &mut Frame, state: &State, chat: &Chat) {
    let area = frame.area();
    let size = (area.width, area.height);
    let lines = status_lines(state, chat, size);
    let rows = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let areas = areas(state, chat, rows);
    bar::draw(frame, areas.bar, state, chat);
    if areas.topic.height > 0
        && let Some(topic) = topic(state)
    {
        bar::topic(frame, areas.topic, topic);
    }
    talk(frame, areas.talk, state, chat);
    if areas.rooms.width > 0 {
        rooms::list(frame, areas.rooms, state);
    }
    if areas.here.width > 0 {
        here(frame, areas.here, state);
    }
    input(frame, areas.input, state, chat, is_framed(size));
    frame.render_widget(Paragraph::new(lines), areas.status);
}

fn talk(frame: &mut Frame, area: Rect, state: &State, chat: &Chat) {
    let Some(view) = view_in(state, chat, area) else {
        return;
    };
    let mut rows = view.window();
    if let Some(day) = view.day_out_of_sight((state.clock)()) {
        write_beside(&mut rows, &day, area.width.into());
    }
    // A short conversation stands at the bottom, next to the input.
    let gap = usize::from(area.height).saturating_sub(rows.len());
    let shift = u16::try_from(gap).unwrap_or(0);
    let below = Rect {
        y: area.y + shift,
        height: area.height - shift,
        ..area
    };
    frame.render_widget(Paragraph::new(rows), below);
}

/// Writes this at the right end of the first row that has room for it.
fn write_beside(rows: &mut [Line<'static>], text: &str, width: usize) {
    let room = |row: &&mut Line| width.checked_sub(row.width() + text.width() + 2);
    let free = rows.iter_mut().find_map(|row| Some((room(&row)?, row)));
    if let Some((gap, row)) = free {
        row.push_span(" ".repeat(gap + 2));
        row.push_span(text.to_owned().dark_gray());
    }
}

fn here(frame: &mut Frame, area: Rect, state: &State) {
    let online = || state.client.store.online();
    // Who is online now, no one knows while there is no connection.
    let title = if state.client.link().is_connected() {
        format!(" All online: {} ", online().len())
    } else {
        " Were online ".to_owned()
    };
    let block = Block::new()
        .borders(Borders::LEFT)
        .border_style(Style::new().dark_gray())
        .title(title.bold());
    let inner = block.inner(area);
    let room = usize::from(inner.height);
    let width = usize::from(inner.width).saturating_sub(3);
    let more = online().len().saturating_sub(room);
    let shown = if more > 0 {
        room.saturating_sub(1)
    } else {
        room
    };
    let mut lines: Vec<Line> = online()
        .take(shown)
        .map(|name| {
            let is_sure = state.client.link().is_connected();
            Line::from(vec![
                if is_sure {
                    presence(state, name)
                } else {
                    " ◌ ".dark_gray()
                },
                Span::from(cut(&visible(name), width)).fg(colour(name)),
            ])
        })
        .collect();
    if more > 0 {
        lines.push(Line::from(format!("   and {} more", more + 1)).dark_gray());
    }
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

/// The mark of someone who is here.
pub(super) fn presence(state: &State, name: &str) -> Span<'static> {
    let presence = people::presence(state, name);
    let mark = format!(" {} ", people::mark_of(presence));
    match presence {
        Presence::Online => mark.fg(Color::Green),
        Presence::Dnd => mark.fg(Color::Red),
        Presence::Away => mark.fg(Color::Yellow),
        _ => mark.dark_gray(),
    }
}

/// What came below the screen while older messages are read.
fn below(state: &State, chat: &Chat, width: u16) -> Option<String> {
    chat.top?;
    let unread = state.room().map_or(0, |room| room.unread().messages);
    Some(match (unread, width >= 40) {
        (0, true) => "↓ End: back to the newest".to_owned(),
        (0, false) => "↓ End: newest".to_owned(),
        (1, true) => "↓ 1 new message below (End)".to_owned(),
        (count, true) => format!("↓ {count} new messages below (End)"),
        (count, false) => format!("↓ {count} new (End)"),
    })
}

/// What becomes of what is written, where it is no new message.
fn task(state: &State, chat: &Chat) -> Option<String> {
    match chat.task {
        Task::Write if chat.is_also_to_room => Some("Also to the room (Alt+A)".into()),
        Task::Write => None,
        Task::Edit(..) => Some("Editing (Esc stops)".into()),
        Task::Answer(id) => {
            let first = state.room()?.timeline().message(id);
            let name = first.map_or("a message", |first| &first.username);
            Some(format!("Replying to {} (Esc stops)", visible(name)))
        }
        Task::Later(id) => Some(later::task(state, id)),
    }
}

/// Columns for what becomes of what is written: all that what stands on its right leaves, but for corners and spaces.
fn room_for_task(width: u16, right: Option<&str>) -> usize {
    let width = usize::from(width);
    let right = right.map_or(0, |text| text.width() + 3);
    width.saturating_sub(right + 4).max(width / 2)
}

fn input(frame: &mut Frame, area: Rect, state: &State, chat: &Chat, is_framed: bool) {
    if !is_framed {
        let [mark, rest] =
            Layout::horizontal([Constraint::Length(2), Constraint::Fill(1)]).areas(area);
        frame.render_widget(Paragraph::new("› ".bold()), mark);
        frame.render_widget(&chat.input, rest);
        return;
    }
    let mut block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(Style::new().dark_gray());
    let below = below(state, chat, area.width);
    if let Some(text) = task(state, chat) {
        let text = cut(&text, room_for_task(area.width, below.as_deref()));
        block = block.title(Line::from(format!(" {text} ")).bold());
    }
    if let Some(text) = below {
        let text = Line::from(format!(" {text} ")).bold();
        block = block.title(text.fg(Color::Yellow).right_aligned());
    }
    if let Some(text) = people::writing(state) {
        let text = cut(&text, usize::from(area.width.saturating_sub(4)));
        block = block.title_bottom(Line::from(format!(" {text} ")).italic().gray());
    }
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let padded = Rect {
        x: inner.x + 1.min(inner.width),
        width: inner.width.saturating_sub(2),
        ..inner
    };
    frame.render_widget(&chat.input, padded);
}

/// What the last rows say: a hint, or what the bar has no room for, or the keys. Sentences that say what to do are
/// wrapped, never cut.
pub(super) fn status_lines(state: &State, chat: &Chat, size: (u16, u16)) -> Vec<Line<'static>> {
    const KEYS: &str = "Enter send · /help · /quit · Alt+Enter new line · PageUp scroll";
    let width = usize::from(size.0).saturating_sub(2);
    let mut parts = Vec::new();
    if let Some(hint) = &state.hint {
        parts.push(visible(&hint.text));
    } else {
        if !is_framed(size) {
            parts.extend(task(state, chat));
            parts.extend(below(state, chat, size.0));
            parts.extend(people::writing(state));
        }
        if !state.client.link().is_connected() {
            match state.client.store.unsent() {
                0 => {}
                count => parts.push(format!(
                    "{count} waiting to be sent as soon as the connection is back"
                )),
            }
            parts.extend(bar::untold(state, chat, size.0));
        }
    }
    if parts.is_empty() {
        return vec![Line::from(format!(" {}", cut(KEYS, width))).dark_gray()];
    }
    wrap(&parts.join(" · "), width)
        .into_iter()
        .map(|row| Line::from(format!(" {row}")).fg(Color::Yellow))
        .collect()
}
