//! The state as a picture: a pure function, so that a test can look at it.

mod bar;
mod chat;
mod login;
mod popups;
mod rooms;

use ratatui::{
    Frame,
    layout::{Constraint, Flex, Layout, Rect},
    style::Stylize as _,
    text::Line,
    widgets::{Block, BorderType, Clear, Paragraph},
};
use unicode_width::UnicodeWidthStr as _;

use super::{
    chat::Chat,
    commands::{TABLE, of_word},
    state::{Screen, Sheet, State},
    text::{cut, is_fit_for_a_cell, is_harmless, visible, wrap},
    view::View,
};

/// From this width on there is room for the list of who is online.
const WIDE: u16 = 64;
/// Columns of that list.
const HERE_WIDTH: u16 = 20;
/// From this width on there is room for the list of rooms.
const ROOMY: u16 = 70;
/// Columns of that list.
const ROOMS_WIDTH: u16 = 20;
/// From this height on there is room for a frame around the input.
const TALL: u16 = 12;
/// Most rows of the input.
const MAX_INPUT: u16 = 8;

/// Where things are.
#[derive(Debug, Clone, Copy)]
pub struct Areas {
    /// Room, user and connection.
    pub bar: Rect,
    /// What the room is about; empty where it has no topic, or the window too few rows.
    pub topic: Rect,
    /// The rooms that the user is in.
    pub rooms: Rect,
    /// The conversation.
    pub talk: Rect,
    /// Who is online.
    pub here: Rect,
    /// What is being written, with its frame.
    pub input: Rect,
    /// A hint, or the keys.
    pub status: Rect,
}

/// Whether there is more than one room to list.
fn has_rooms(state: &State) -> bool {
    super::rooms::listed(state).len() > 1
}

/// What the room on the screen is about.
fn topic(state: &State) -> Option<&str> {
    let topic = state.room()?.about().topic.as_deref();
    topic.filter(|topic| !topic.is_empty())
}

/// Divides the terminal; the last `status` rows are the status, as far as there is room.
#[must_use]
pub fn areas(state: &State, chat: &Chat, status: u16) -> Areas {
    let size = state.size;
    let whole = Rect::new(0, 0, size.0, size.1);
    let frame = if is_framed(size) { 2 } else { 0 };
    let input_width = usize::from(size.0.saturating_sub(4));
    let rows = |line: &String| wrap(line, input_width).len();
    let rows: usize = chat.input.lines().iter().map(rows).sum();
    let most = MAX_INPUT.min(size.1 / 3).max(1);
    let input_rows = u16::try_from(rows).unwrap_or(most).clamp(1, most) + frame;
    let topic_rows = u16::from(is_framed(size) && topic(state).is_some());
    // A row for the bar, and one at least for the conversation.
    let room = size.1.saturating_sub(input_rows + topic_rows + 2);
    let [bar, topic, middle, input, status] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(topic_rows),
        Constraint::Fill(1),
        Constraint::Length(input_rows),
        Constraint::Length(status.clamp(1, room.max(1))),
    ])
    .areas(whole);
    let rooms_width = if size.0 >= ROOMY && has_rooms(state) {
        ROOMS_WIDTH
    } else {
        0
    };
    let is_wide = size.0 - rooms_width >= WIDE;
    let here_width = if is_wide { HERE_WIDTH } else { 0 };
    let [rooms, talk, here] = Layout::horizontal([
        Constraint::Length(rooms_width),
        Constraint::Fill(1),
        Constraint::Length(here_width),
    ])
    .areas(middle);
    let talk = Rect {
        x: talk.x + 1.min(talk.width),
        width: talk.width.saturating_sub(2),
        ..talk
    };
    Areas {
        bar,
        topic,
        rooms,
        talk,
        here,
        input,
        status,
    }
}

/// The conversation as it is laid out on the screen.
#[must_use]
pub fn view(state: &State) -> Option<View<'_>> {
    let chat = state.chat.as_ref()?;
    view_in(state, chat, areas(state, chat, status_rows(state)).talk)
}

/// The conversation as it is laid out in this area.
fn view_in<'a>(state: &'a State, chat: &'a Chat, area: Rect) -> Option<View<'a>> {
    let store = &state.client.store;
    Some(View {
        room: state.room()?,
        timeline: state.timeline()?,
        people: store.people(),
        chat,
        me: store.me(),
        my_id: store.user_id(),
        width: area.width.into(),
        height: area.height.into(),
        local_time: state.local_time,
        now: state.client.now(),
    })
}

/// Rows that the status needs.
#[must_use]
pub fn status_rows(state: &State) -> u16 {
    let rows = state
        .chat
        .as_ref()
        .map_or(1, |chat| chat::status_lines(state, chat, state.size).len());
    u16::try_from(rows).unwrap_or(u16::MAX)
}

/// Whether there is room for a frame around the input.
fn is_framed(size: (u16, u16)) -> bool {
    size.1 >= TALL
}

/// Draws everything.
pub fn draw(frame: &mut Frame, state: &State) {
    match (&state.screen, &state.chat) {
        (Screen::Chat, Some(chat)) => chat::draw(frame, state, chat),
        (Screen::Login(form), _) => login::draw(frame, state, form),
        (Screen::Chat, None) => {}
    }
    if let Some(switcher) = &state.switcher {
        rooms::switcher(frame, state, switcher);
    }
    if let (Screen::Chat, Some(chat)) = (&state.screen, &state.chat) {
        popups::offer(frame, state, chat);
    }
    if let Some(picker) = &state.picker {
        popups::picker(frame, picker);
    }
    if let Some(sheet) = &state.sheet {
        show_sheet(frame, sheet);
    }
    if let Some(row) = state.help {
        let lines = help_lines(state, frame.area().width);
        scroll(frame, " Help ", lines, row);
    }
    scrub(frame);
}

/// The help as rows that fit: keys and what they do beside each other, or below each other where it is narrow.
fn help_lines(state: &State, width: u16) -> Vec<Line<'static>> {
    let width = usize::from(width.saturating_sub(4));
    let rows: Vec<_> = TABLE
        .iter()
        .map(|row| (row.names().join(", "), row.what.to_owned()))
        .chain(of_server(state))
        .collect();
    let keys = rows.iter().map(|(key, _)| key.len()).max().unwrap_or(0);
    let longest = rows.iter().map(|(_, what)| what.len()).max().unwrap_or(0);
    if keys + 2 + longest <= width {
        let row = |(key, what): (String, String)| {
            Line::from(vec![format!(" {key:keys$}  ").bold(), what.into()])
        };
        return rows.into_iter().map(row).collect();
    }
    let below = |(key, what): (String, String)| {
        let keys = wrap(&key, width).into_iter();
        let what = wrap(&what, width.saturating_sub(2)).into_iter();
        keys.map(|row| Line::from(format!(" {row}")).bold())
            .chain(what.map(|row| Line::from(format!("   {row}"))))
            .collect::<Vec<_>>()
    };
    rows.into_iter().flat_map(below).collect()
}

/// The commands that the server carries out and the terminal has not itself.
fn of_server(state: &State) -> impl Iterator<Item = (String, String)> {
    let others = state.slash.iter();
    let others = others.filter(|command| of_word(&command.name).is_none());
    others.map(|command| (visible(&command.usage), visible(&command.about)))
}

/// The first row of the help when its end is on the screen, and how many rows of it are.
pub(super) fn help_extent(state: &State) -> (usize, usize) {
    let size = state.size;
    let page = usize::from(size.1.saturating_sub(2)).max(1);
    (help_lines(state, size.0).len().saturating_sub(page), page)
}

fn sheet_lines(sheet: &Sheet, width: u16) -> Vec<Line<'static>> {
    let width = usize::from(width.saturating_sub(4));
    let rows = sheet.lines.iter().flat_map(|line| wrap(line, width));
    rows.map(|row| Line::from(format!(" {row}"))).collect()
}

/// The first row of a sheet when its end is on the screen, and how many rows of it are.
pub(super) fn sheet_extent(sheet: &Sheet, size: (u16, u16)) -> (usize, usize) {
    let page = usize::from(size.1.saturating_sub(2)).max(1);
    let rows = sheet_lines(sheet, size.0).len();
    (rows.saturating_sub(page), page)
}

fn show_sheet(frame: &mut Frame, sheet: &Sheet) {
    let lines = sheet_lines(sheet, frame.area().width);
    let title = format!(" {} ", cut(&sheet.title, 60));
    scroll(frame, &title, lines, sheet.row);
}

/// A box in the middle with these rows, from this one on.
fn scroll(frame: &mut Frame, title: &str, lines: Vec<Line<'static>>, row: usize) {
    let whole = frame.area();
    let page = usize::from(whole.height.saturating_sub(2)).max(1);
    let end = lines.len().saturating_sub(page);
    let title = Line::from(title.to_owned()).bold();
    let width = lines
        .iter()
        .map(Line::width)
        .max()
        .unwrap_or(0)
        .max(title.width())
        + 3;
    let area = centre(whole, width.max(28), lines.len() + 2);
    let keys = if end > 0 {
        " ↑ ↓ scroll · Esc closes "
    } else {
        " Esc closes "
    };
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .title(title)
        .title_bottom(keys);
    let shown: Vec<_> = lines.into_iter().skip(row.min(end)).collect();
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(shown).block(block), area);
}

/// A rectangle of this size in the middle, or as much of it as there is room for.
fn centre(area: Rect, width: usize, height: usize) -> Rect {
    let length = |n: usize| Constraint::Max(u16::try_from(n).unwrap_or(u16::MAX));
    let [row] = Layout::vertical([length(height)])
        .flex(Flex::Center)
        .areas(area);
    let [cell] = Layout::horizontal([length(width)])
        .flex(Flex::Center)
        .areas(row);
    cell
}

/// The last guard: whatever road a text took, nothing that a terminal would obey or hide leaves this room. Of a wide
/// character that a box covers half of, the other half goes too: the terminal would show all of it, over the box.
fn scrub(frame: &mut Frame) {
    let columns = usize::from(frame.area().width).max(1);
    for row in frame.buffer_mut().content.chunks_mut(columns) {
        for at in 0..row.len() {
            let symbol = row[at].symbol();
            if !is_fit_for_a_cell(symbol) {
                let kept: String = symbol.chars().filter(|c| is_harmless(*c)).collect();
                row[at].set_symbol(if kept.is_empty() { "·" } else { &kept });
            }
            let width = row[at].symbol().width();
            let mut behind = (1..width).map(|n| row.get(at + n));
            if behind.any(|cell| cell.is_none_or(|cell| cell.symbol() != " ")) {
                row[at].set_symbol(" ");
            }
        }
    }
}
