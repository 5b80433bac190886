//! Who are you?

use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::{Color, Style, Stylize as _},
    text::{Line, Span},
    widgets::{Block, BorderType, Paragraph},
};
use ratatui_textarea::TextArea;

use super::centre;
use crate::{
    protocol::limits::{MIN_PASSWORD_CHARACTERS, NAME},
    state::{Field, LoginForm, Mode, State},
    text::{visible, wrap},
};

/// Columns of the form where there is room.
const WIDTH: u16 = 56;

pub(super) fn draw(frame: &mut Frame, state: &State, form: &LoginForm) {
    let whole = frame.area();
    let (note, colour) = said(form);
    let rows = wrap(&note, usize::from(WIDTH.min(whole.width).saturating_sub(6))).len();
    // What everything takes in frames: what is said must be seen whole, too.
    let height = 12 + rows.max(3);
    let is_roomy = usize::from(whole.height) >= height;
    let (inner, heights) = if is_roomy {
        let area = centre(whole, usize::from(WIDTH), height);
        let block = Block::bordered()
            .border_type(BorderType::Rounded)
            .border_style(Style::new().fg(Color::Cyan))
            .title(" Parlour ".bold().fg(Color::Cyan))
            .title_bottom(Line::from(" Ctrl+C leaves ").dark_gray().right_aligned());
        let inner = block.inner(area);
        frame.render_widget(block, area);
        (pad(inner), [2, 2, 3, 3])
    } else {
        let server = u16::from(whole.height > 6);
        let tabs = u16::from(whole.height > 3);
        (whole, [server, tabs, 1, 1])
    };
    let [server, tabs, name, password] = heights.map(Constraint::Length);
    let [server, tabs, name, password, last] =
        Layout::vertical([server, tabs, name, password, Constraint::Fill(1)]).areas(inner);
    let line = Line::from(visible(&state.server)).gray();
    frame.render_widget(Paragraph::new(line), server);
    frame.render_widget(Paragraph::new(choice(form.mode, tabs.width)), tabs);
    let is_name = form.field == Field::Username;
    let field = if is_roomy { field_in_frame } else { field };
    field(frame, name, "Username", &form.username, is_name);
    field(frame, password, "Password", &form.password, !is_name);
    let lines: Vec<_> = wrap(&note, last.width.into())
        .into_iter()
        .map(|row| Line::from(row).fg(colour))
        .collect();
    frame.render_widget(Paragraph::new(lines), last);
}

/// Log in or register, and the key that switches.
fn choice(mode: Mode, width: u16) -> Line<'static> {
    let tab = |own: Mode, text: &'static str| {
        let span = Span::from(format!(" {text} "));
        if mode == own {
            span.reversed().bold()
        } else {
            span.dark_gray()
        }
    };
    let key = if width >= 40 {
        "   Ctrl+R switches"
    } else {
        " Ctrl+R"
    };
    Line::from(vec![
        tab(Mode::LogIn, "Log in"),
        " ".into(),
        tab(Mode::Register, "Register"),
        key.dark_gray(),
    ])
}

fn said(form: &LoginForm) -> (String, Color) {
    if form.is_busy {
        return ("One moment…".into(), Color::Yellow);
    }
    match &form.error {
        Some(error) => (visible(error), Color::LightRed),
        None if form.mode == Mode::Register => (
            format!(
                "{}–{} letters, digits, _ or -; password: {MIN_PASSWORD_CHARACTERS} or more.",
                NAME.start(),
                NAME.end()
            ),
            Color::DarkGray,
        ),
        None => (
            "Enter goes on; Tab changes the field.".into(),
            Color::DarkGray,
        ),
    }
}

fn field_in_frame(
    frame: &mut Frame,
    area: Rect,
    title: &str,
    text: &TextArea<'_>,
    is_active: bool,
) {
    let style = if is_active {
        Style::new().fg(Color::Cyan)
    } else {
        Style::new().dark_gray()
    };
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(style)
        .title(format!(" {title} "));
    let inner = block.inner(area);
    frame.render_widget(block, area);
    write(frame, inner, text, is_active);
}

/// One row, for a small terminal.
fn field(frame: &mut Frame, area: Rect, title: &str, text: &TextArea<'_>, is_active: bool) {
    let label = format!("{title}: ");
    let label = if is_active {
        label.bold().fg(Color::Cyan)
    } else {
        label.dark_gray()
    };
    let width = u16::try_from(label.width()).unwrap_or(0);
    let [before, rest] =
        Layout::horizontal([Constraint::Length(width), Constraint::Fill(1)]).areas(area);
    frame.render_widget(Paragraph::new(label), before);
    write(frame, rest, text, is_active);
}

fn write(frame: &mut Frame, area: Rect, text: &TextArea<'_>, is_active: bool) {
    let mut text = text.clone();
    if !is_active {
        text.set_cursor_style(Style::new());
    }
    frame.render_widget(&text, area);
}

fn pad(area: Rect) -> Rect {
    Rect {
        x: area.x + 2.min(area.width),
        width: area.width.saturating_sub(4),
        ..area
    }
}
