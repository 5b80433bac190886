//! The conversation: bar, talk, who is here, input, status.

use parlour_client::{link::Status, store::Room};
use ratatui::{
    Frame,
    layout::{Alignment, Constraint, Layout, Rect},
    style::{Color, Style, Stylize as _},
    text::{Line, Span},
    widgets::{Block, BorderType, Borders, Paragraph},
};
use unicode_width::UnicodeWidthStr as _;

use super::{ROOMY, areas, has_rooms, is_framed, rooms};
use crate::{
    chat::{Chat, Task},
    state::State,
    text::{cut, cut_start, visible, wrap},
    view::{View, colour},
};

/// Columns of a room's name in the bar.
const LONGEST_LABEL: usize = 32;

pub(super) fn draw(frame: &mut Frame, state: &State, chat: &Chat) {
    let area = frame.area();
    let size = (area.width, area.height);
    let lines = status_lines(state, chat, size);
    let rows = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let areas = areas(size, chat, rows, has_rooms(state));
    bar(frame, areas.bar, state, chat);
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

/// Where the connection stands, in words and in a colour.
pub(super) fn connection(state: &State) -> (String, Color) {
    match state.client.link().status() {
        Status::Connected { .. } => ("● connected".into(), Color::Green),
        Status::Connecting { .. } => ("◌ connecting…".into(), Color::Yellow),
        Status::Waiting { until, why } => {
            let seconds = until.saturating_sub(state.client.now()).div_ceil(1_000);
            let text = format!("◌ reconnecting in {seconds} s: {}", visible(why));
            (text, Color::Yellow)
        }
        Status::Offline { why } => {
            let text = format!("✗ offline: {} (/reconnect tries again)", visible(why));
            (text, Color::Red)
        }
    }
}

/// The room, and how much is unread elsewhere where no list says it.
fn place(state: &State, chat: &Chat) -> String {
    let store = &state.client.store;
    let room = store.room(&chat.room);
    let label = room.map_or_else(|| chat.room.clone(), |room| room.label(store.user_id()));
    let gone = if room.is_some_and(Room::is_gone) {
        " (gone)"
    } else {
        ""
    };
    let others = store.rooms().filter(|(key, _)| *key != chat.room);
    let unread: usize = others.map(|(_, room)| room.unread()).sum();
    let elsewhere = if unread > 0 && state.size.0 < ROOMY {
        format!(" +{unread}")
    } else {
        String::new()
    };
    format!("{}{gone}{elsewhere}", cut(&visible(&label), LONGEST_LABEL))
}

fn name_of_all(state: &State, chat: &Chat) -> Line<'static> {
    let address = format!(
        " {}@{}",
        visible(state.client.store.me()),
        visible(&state.server)
    );
    Line::from(vec![
        " Parlour ".bold().fg(Color::Cyan),
        Span::from(format!(" {} ", place(state, chat))).bold(),
        Span::from(address).gray(),
    ])
}

/// The same, or what matters most of it, in so many columns. What tells one server from another stands at the end of
/// its address, so that this is what stays.
fn name_within(state: &State, chat: &Chat, width: usize) -> Line<'static> {
    let all = name_of_all(state, chat);
    if all.width() <= width {
        return all;
    }
    let (me, server) = (visible(state.client.store.me()), visible(&state.server));
    let address = format!(" {me}@{server}");
    let room = format!(" {} ", place(state, chat));
    if room.width() + address.width() <= width {
        return Line::from(vec![room.bold(), address.gray()]);
    }
    if address.width() <= width {
        return Line::from(address).gray();
    }
    let end = cut_start(&server, width.saturating_sub(1));
    Line::from(format!(" {end}")).gray()
}

/// Columns for the state of the connection: in a narrow window it is worth more than the name of the server.
fn room_in_bar(name: &Line<'_>, width: u16) -> usize {
    let width = usize::from(width);
    width.saturating_sub(name.width() + 3).max(width / 2)
}

fn bar(frame: &mut Frame, area: Rect, state: &State, chat: &Chat) {
    let ground = Style::new().bg(Color::Indexed(236)).fg(Color::White);
    let (text, colour) = connection(state);
    let room = room_in_bar(&name_of_all(state, chat), area.width);
    let right = Line::from(format!(" {} ", cut(&text, room)))
        .fg(colour)
        .alignment(Alignment::Right);
    let width = u16::try_from(right.width()).unwrap_or(area.width);
    let width = width.min(area.width);
    let left = name_within(state, chat, usize::from(area.width - width));
    frame.render_widget(Paragraph::new(left).style(ground), area);
    let corner = Rect {
        x: area.right() - width,
        width,
        ..area
    };
    frame.render_widget(Paragraph::new(right).style(ground), corner);
}

fn talk(frame: &mut Frame, area: Rect, state: &State, chat: &Chat) {
    let Some(room) = state.room() else {
        return;
    };
    let view = View {
        room,
        chat,
        me: state.client.store.me(),
        my_id: state.client.store.user_id(),
        width: area.width.into(),
        height: area.height.into(),
        local_time: state.local_time,
    };
    let rows = view.window();
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

fn here(frame: &mut Frame, area: Rect, state: &State) {
    let online = || state.client.store.online();
    // Who is here now, no one knows while there is no connection.
    let title = if state.client.link().is_connected() {
        format!(" Here: {} ", online().len())
    } else {
        " Were here ".to_owned()
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
                    " ● ".fg(Color::Green)
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

/// What came below the screen while older messages are read.
fn below(state: &State, chat: &Chat, width: u16) -> Option<String> {
    chat.top?;
    Some(match (state.room().map_or(0, Room::unread), width >= 40) {
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
        Task::Write => None,
        Task::Edit(_) => Some("Editing (Esc stops)".into()),
        Task::Answer(id) => {
            let first = state.room()?.timeline().message(id);
            let name = first.map_or("a message", |first| &first.username);
            Some(format!("Answering {} (Esc stops)", visible(name)))
        }
    }
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
    if let Some(text) = task(state, chat) {
        let text = cut(&text, usize::from(area.width / 2));
        block = block.title(Line::from(format!(" {text} ")).bold());
    }
    if let Some(text) = below(state, chat, area.width) {
        let text = Line::from(format!(" {text} ")).bold();
        block = block.title(text.fg(Color::Yellow).right_aligned());
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
        }
        if !state.client.link().is_connected() {
            match state.client.store.unsent() {
                0 => {}
                count => parts.push(format!(
                    "{count} waiting to be sent as soon as the connection is back"
                )),
            }
            let (text, _) = connection(state);
            if text.width() > room_in_bar(&name_of_all(state, chat), size.0) {
                parts.push(text);
            }
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
