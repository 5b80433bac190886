//! The top of the screen: which room this is and what it is about, what is unread elsewhere, who is logged in where, and
//! how the connection stands.

use parlour_client::link::Status;
use ratatui::{
    Frame,
    layout::{Alignment, Rect},
    style::{Color, Style, Stylize as _},
    text::{Line, Span},
    widgets::Paragraph,
};
use unicode_width::UnicodeWidthStr as _;

use crate::{
    chat::Chat,
    rooms::{label, listed},
    state::State,
    text::{cut, cut_start, visible},
};

/// Columns of a room's name in the bar.
const LONGEST_LABEL: usize = 32;
/// Columns of the end of the server's address that tell one port from another: `…:65535`.
const SHORTEST_ADDRESS: usize = 7;

/// Where the connection stands, in words and in a colour.
fn connection(state: &State) -> (String, Color) {
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

/// Where the connection stands, if a bar of this width has no room for all of it.
pub(super) fn untold(state: &State, chat: &Chat, width: u16) -> Option<String> {
    let (text, _) = connection(state);
    (text.width() > columns_of_connection(state, chat, width)).then_some(text)
}

/// In a narrow window the state of the connection is worth more than the name of the server.
fn columns_of_connection(state: &State, chat: &Chat, width: u16) -> usize {
    let width = usize::from(width);
    let left = left(state, chat, usize::MAX).width();
    width.saturating_sub(left + 3).max(width / 2)
}

/// The room's name with the mark of its kind, and what is to be known of it before one writes.
fn room(state: &State, chat: &Chat) -> (String, &'static str) {
    let store = &state.client.store;
    let room = store.room(&chat.room);
    let label = label(state, &chat.room);
    let note = match room {
        Some(_) if chat.thread.is_some() => " thread (Esc)",
        Some(room) if room.is_gone() => " (gone)",
        Some(room) if room.about().archived_at.is_some() => " (archived)",
        _ => "",
    };
    (visible(&label), note)
}

/// In how many other rooms something is unread: in words, and in few columns.
fn unread_elsewhere(state: &State, chat: &Chat) -> [String; 2] {
    let others = listed(state).into_iter();
    let (mut rooms, mut mentions) = (0, 0);
    for (key, room) in others.filter(|(_, room)| !room.is_gone()) {
        let (own, threads) = (room.unread(), room.threads().unread());
        let is_elsewhere = key != chat.room;
        rooms += u64::from(is_elsewhere && own.messages > 0);
        mentions += if is_elsewhere { own.mentions } else { 0 } + threads.mentions;
    }
    let mentions = match mentions {
        0 => String::new(),
        count => format!("@{count} "),
    };
    match rooms {
        0 => [mentions.clone(), mentions],
        1 => [
            format!("{mentions}1 room unread "),
            format!("{mentions}+1 "),
        ],
        count => [
            format!("{mentions}{count} rooms unread "),
            format!("{mentions}+{count} "),
        ],
    }
}

/// What the bar says on its left, in so many columns. Where they are few, the program's name goes first, then the server's,
/// then words; the room and how much is unread elsewhere stay.
fn left(state: &State, chat: &Chat, width: usize) -> Line<'static> {
    let [words, number] = unread_elsewhere(state, chat);
    let (label, note) = room(state, chat);
    let most = width.saturating_sub(2 + note.width() + number.width());
    let room = format!(" {}{note} ", cut(&label, most.min(LONGEST_LABEL)));
    let unread = if room.width() + words.width() <= width {
        words
    } else {
        number
    };
    let used = room.width() + unread.width();
    let mut spans = vec![room.bold(), unread.bold().fg(Color::Yellow)];
    spans.extend(address(state, width.saturating_sub(used)).map(Span::gray));
    let line = Line::from(spans);
    let name = " Parlour ";
    if line.width() + name.len() > width {
        return line;
    }
    let mut spans = vec![name.bold().fg(Color::Cyan)];
    spans.extend(line.spans);
    Line::from(spans)
}

/// Who is logged in where. What tells one server from another stands at the end of its address, so that this is what stays.
fn address(state: &State, width: usize) -> Option<Span<'static>> {
    let (me, server) = (visible(state.client.store.me()), visible(&state.server));
    let whole = format!(" {me}@{server}");
    if whole.width() <= width {
        return Some(whole.into());
    }
    (width >= SHORTEST_ADDRESS).then(|| cut_start(&server, width).into())
}

/// The bar.
pub(super) fn draw(frame: &mut Frame, area: Rect, state: &State, chat: &Chat) {
    let ground = Style::new().bg(Color::Indexed(236)).fg(Color::White);
    let (text, colour) = connection(state);
    let columns = columns_of_connection(state, chat, area.width);
    let right = Line::from(format!(" {} ", cut(&text, columns)))
        .fg(colour)
        .alignment(Alignment::Right);
    let width = u16::try_from(right.width()).unwrap_or(area.width);
    let width = width.min(area.width);
    let left = left(state, chat, usize::from(area.width - width));
    frame.render_widget(Paragraph::new(left).style(ground), area);
    let corner = Rect {
        x: area.right() - width,
        width,
        ..area
    };
    frame.render_widget(Paragraph::new(right).style(ground), corner);
}

/// What the room is about, in the row below the bar.
pub(super) fn topic(frame: &mut Frame, area: Rect, topic: &str) {
    let width = usize::from(area.width).saturating_sub(2);
    let line = Line::from(format!(" {}", cut(&visible(topic), width)));
    frame.render_widget(Paragraph::new(line.gray().italic()), area);
}
