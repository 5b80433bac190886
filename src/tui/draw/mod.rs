//! The state as a picture: a pure function, so that a test can look at it.

mod chat;
mod login;

use ratatui::{
    Frame,
    layout::{Constraint, Flex, Layout, Rect},
    style::Stylize as _,
    text::Line,
    widgets::{Block, BorderType, Clear, Paragraph},
};

use super::{
    chat::Chat,
    keys::HELP,
    state::{Screen, State},
    text::{is_harmless, wrap},
};

/// From this width on there is room for the list of who is here.
const WIDE: u16 = 64;
/// Columns of that list.
const HERE_WIDTH: u16 = 20;
/// Most rows of the input.
const MAX_INPUT: u16 = 8;

/// Where things are.
#[derive(Debug, Clone, Copy)]
pub struct Areas {
    /// Room, user and connection.
    pub bar: Rect,
    /// The conversation.
    pub talk: Rect,
    /// Who is here.
    pub here: Rect,
    /// What is being written, with its frame.
    pub input: Rect,
    /// A hint, or the keys.
    pub status: Rect,
}

/// Divides a terminal of this size.
#[must_use]
pub fn areas(size: (u16, u16), chat: Option<&Chat>) -> Areas {
    let whole = Rect::new(0, 0, size.0, size.1);
    let input_width = usize::from(size.0.saturating_sub(4));
    let rows: usize = chat.map_or(1, |chat| {
        let rows = |line: &String| wrap(line, input_width).len();
        chat.input.lines().iter().map(rows).sum()
    });
    let most = MAX_INPUT.min(size.1 / 3).max(1);
    let input_rows = u16::try_from(rows).unwrap_or(most).clamp(1, most);
    let [bar, middle, input, status] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Fill(1),
        Constraint::Length(input_rows + 2),
        Constraint::Length(1),
    ])
    .areas(whole);
    let here_width = if size.0 >= WIDE { HERE_WIDTH } else { 0 };
    let [talk, here] =
        Layout::horizontal([Constraint::Fill(1), Constraint::Length(here_width)]).areas(middle);
    let talk = Rect {
        x: talk.x + 1.min(talk.width),
        width: talk.width.saturating_sub(2),
        ..talk
    };
    Areas {
        bar,
        talk,
        here,
        input,
        status,
    }
}

/// Draws everything.
pub fn draw(frame: &mut Frame, state: &State) {
    match (&state.screen, &state.chat) {
        (Screen::Chat, Some(chat)) => chat::draw(frame, state, chat),
        (Screen::Login(form), _) => login::draw(frame, state, form),
        (Screen::Chat, None) => {}
    }
    if state.help {
        help(frame);
    }
    scrub(frame);
}

fn help(frame: &mut Frame) {
    let keys = HELP.iter().map(|(key, _)| key.len()).max().unwrap_or(0);
    let lines: Vec<Line> = HELP
        .iter()
        .map(|(key, what)| Line::from(vec![format!(" {key:keys$}  ").bold(), (*what).into()]))
        .collect();
    let width = lines.iter().map(Line::width).max().unwrap_or(0) + 3;
    let area = centre(frame.area(), width, lines.len() + 2);
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .title(" Help ".bold());
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(lines).block(block), area);
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

/// The last guard: whatever road a text took, nothing that a terminal would obey or hide leaves this room.
fn scrub(frame: &mut Frame) {
    for cell in &mut frame.buffer_mut().content {
        if !cell.symbol().chars().all(is_harmless) {
            let kept: String = cell.symbol().chars().filter(|c| is_harmless(*c)).collect();
            cell.set_symbol(if kept.is_empty() { "·" } else { &kept });
        }
    }
}
