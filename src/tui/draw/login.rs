//! Who are you?

use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::{Color, Style, Stylize as _},
    text::{Line, Span},
    widgets::{Block, BorderType, Paragraph, Wrap},
};
use ratatui_textarea::TextArea;

use super::centre;
use crate::tui::{
    state::{Field, LoginForm, Mode, State},
    text::visible,
};

pub(super) fn draw(frame: &mut Frame, state: &State, form: &LoginForm) {
    let area = centre(frame.area(), 56, 15);
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(Style::new().fg(Color::Cyan))
        .title(" Parlour ".bold().fg(Color::Cyan))
        .title_bottom(Line::from(" Ctrl+C leaves ").dark_gray().right_aligned());
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let [server, tabs, name, password, note] = Layout::vertical([
        Constraint::Length(2),
        Constraint::Length(2),
        Constraint::Length(3),
        Constraint::Length(3),
        Constraint::Fill(1),
    ])
    .areas(pad(inner));
    let line = Line::from(visible(&state.server)).gray();
    frame.render_widget(Paragraph::new(line), server);
    let tab = |mode: Mode, text: &'static str| {
        let span = Span::from(format!(" {text} "));
        if form.mode == mode {
            span.reversed().bold()
        } else {
            span.dark_gray()
        }
    };
    let line = Line::from(vec![
        tab(Mode::LogIn, "Log in"),
        " ".into(),
        tab(Mode::Register, "Register"),
        "   Tab switches".dark_gray(),
    ]);
    frame.render_widget(Paragraph::new(line), tabs);
    let is_name = form.field == Field::Username;
    field(frame, name, "Username", &form.username, is_name);
    field(frame, password, "Password", &form.password, !is_name);
    frame.render_widget(Paragraph::new(said(form)).wrap(Wrap { trim: true }), note);
}

fn said(form: &LoginForm) -> Line<'static> {
    if form.is_busy {
        return Line::from("One moment…").fg(Color::Yellow);
    }
    match &form.error {
        Some(error) => Line::from(visible(error)).fg(Color::LightRed),
        None if form.mode == Mode::Register => {
            Line::from("3–50 letters, digits, _ or -; password: 8 or more.").dark_gray()
        }
        None => Line::from("Enter goes on; ↑ and ↓ change the field.").dark_gray(),
    }
}

fn field(frame: &mut Frame, area: Rect, title: &str, text: &TextArea<'_>, is_active: bool) {
    let style = if is_active {
        Style::new().fg(Color::Cyan)
    } else {
        Style::new().dark_gray()
    };
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(style)
        .title(format!(" {title} "));
    let mut text = text.clone();
    text.set_block(block);
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
