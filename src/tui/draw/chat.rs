//! The conversation: bar, talk, who is here, input, status.

use ratatui::{
    Frame,
    layout::{Alignment, Rect},
    style::{Color, Style, Stylize as _},
    text::{Line, Span},
    widgets::{Block, BorderType, Borders, Paragraph},
};
use unicode_width::UnicodeWidthStr as _;

use super::areas;
use crate::tui::{
    chat::Chat,
    link::Status,
    state::State,
    text::{cut, visible},
    view::{View, colour},
};

pub(super) fn draw(frame: &mut Frame, state: &State, chat: &Chat) {
    let area = frame.area();
    let areas = areas((area.width, area.height), Some(chat));
    bar(frame, areas.bar, state, chat);
    talk(frame, areas.talk, state, chat);
    if areas.here.width > 0 {
        here(frame, areas.here, chat);
    }
    input(frame, areas.input, chat);
    status(frame, areas.status, state, chat);
}

/// Where the connection stands, in words and in a colour.
pub(super) fn connection(state: &State) -> (String, Color) {
    match state.link.status() {
        Status::Connected { .. } => ("● connected".into(), Color::Green),
        Status::Connecting { .. } => ("◌ connecting…".into(), Color::Yellow),
        Status::Waiting { until, why } => {
            let seconds = until.saturating_sub(state.now).div_ceil(1_000);
            let text = format!("◌ reconnecting in {seconds} s: {}", visible(why));
            (text, Color::Yellow)
        }
        Status::Offline { why } => {
            let text = format!("✗ offline: {} (/reconnect tries again)", visible(why));
            (text, Color::Red)
        }
    }
}

fn bar(frame: &mut Frame, area: Rect, state: &State, chat: &Chat) {
    let ground = Style::new().bg(Color::Indexed(236)).fg(Color::White);
    let left = Line::from(vec![
        " Parlour ".bold().fg(Color::Cyan),
        Span::from(format!(" #{} ", visible(&chat.room))).bold(),
        Span::from(format!(" {}@{}", visible(&chat.me), visible(&state.server))).gray(),
    ]);
    let (text, colour) = connection(state);
    let room = usize::from(area.width).saturating_sub(left.width() + 3);
    // In a narrow window the state of the connection is worth more than the name of the server.
    let room = room.max(usize::from(area.width) / 2);
    let right = Line::from(format!(" {} ", cut(&text, room)))
        .fg(colour)
        .alignment(Alignment::Right);
    frame.render_widget(Paragraph::new(left).style(ground), area);
    let width = u16::try_from(right.width()).unwrap_or(area.width);
    let width = width.min(area.width);
    let corner = Rect {
        x: area.right() - width,
        width,
        ..area
    };
    frame.render_widget(Paragraph::new(right).style(ground), corner);
}

fn talk(frame: &mut Frame, area: Rect, state: &State, chat: &Chat) {
    let view = View {
        chat,
        width: area.width.into(),
        height: area.height.into(),
        wall: state.wall,
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

fn here(frame: &mut Frame, area: Rect, chat: &Chat) {
    let block = Block::new()
        .borders(Borders::LEFT)
        .border_style(Style::new().dark_gray())
        .title(format!(" Here: {} ", chat.online().len()).bold());
    let inner = block.inner(area);
    let room = usize::from(inner.height);
    let width = usize::from(inner.width).saturating_sub(3);
    let more = chat.online().len().saturating_sub(room);
    let shown = if more > 0 {
        room.saturating_sub(1)
    } else {
        room
    };
    let mut lines: Vec<Line> = chat
        .online()
        .take(shown)
        .map(|name| {
            Line::from(vec![
                " ● ".fg(Color::Green),
                Span::from(cut(&visible(name), width)).fg(colour(name)),
            ])
        })
        .collect();
    if more > 0 {
        lines.push(Line::from(format!("   and {} more", more + 1)).dark_gray());
    }
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

fn input(frame: &mut Frame, area: Rect, chat: &Chat) {
    let mut block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(Style::new().dark_gray());
    if chat.top.is_some() {
        let text = match chat.unread {
            0 => " ↓ End: back to the newest ".to_owned(),
            1 => " ↓ 1 new message below (End) ".to_owned(),
            count => format!(" ↓ {count} new messages below (End) "),
        };
        block = block.title(Line::from(text).bold().fg(Color::Yellow).right_aligned());
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

fn status(frame: &mut Frame, area: Rect, state: &State, chat: &Chat) {
    let width = usize::from(area.width).saturating_sub(2);
    let unsent = chat.outbox.unsent();
    let line = match &state.hint {
        Some(hint) => Line::from(format!(" {}", cut(&visible(hint), width))).fg(Color::Yellow),
        None if unsent > 0 && !state.link.is_connected() => {
            let text = format!(" {unsent} waiting to be sent as soon as the connection is back");
            Line::from(cut(&text, width)).fg(Color::Yellow)
        }
        None => {
            let keys = " Enter send · Alt+Enter new line · PageUp scroll · /help · /quit";
            debug_assert!(keys.width() < 80);
            Line::from(cut(keys, width)).dark_gray()
        }
    };
    frame.render_widget(Paragraph::new(line), area);
}
