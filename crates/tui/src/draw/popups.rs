//! What lies over the conversation: what is offered to complete a word, and a list from which something is chosen.

use ratatui::{
    Frame,
    layout::Rect,
    style::{Color, Style, Stylize as _},
    text::{Line, Span},
    widgets::{Block, BorderType, Clear, Paragraph},
};
use unicode_width::UnicodeWidthStr as _;

use super::{areas, centre, status_rows};
use crate::{
    chat::Chat,
    complete,
    pick::Picker,
    state::State,
    text::{cut, visible, wrap},
};

/// Rows of what is offered.
const OFFERED: usize = 5;
/// Columns of a list, at most.
const WIDTH: usize = 90;

/// What can stand in the place of the word before the cursor, above the input.
pub(super) fn offer(frame: &mut Frame, state: &State, chat: &Chat) {
    let Some(offer) = complete::offer(state).filter(|_| !state.is_covered()) else {
        return;
    };
    let at = complete::taken(chat);
    let skipped = at.map_or(0, |at| (at + 1).saturating_sub(OFFERED));
    let words: Vec<_> = offer.words.iter().skip(skipped).take(OFFERED).collect();
    let input = areas(state, chat, status_rows(state)).input;
    let width = words.iter().map(|word| word.width()).max().unwrap_or(0) + 2;
    let width = u16::try_from(width).unwrap_or(u16::MAX);
    let height = u16::try_from(words.len()).unwrap_or(1).min(input.y);
    let area = Rect {
        x: input.x,
        y: input.y - height,
        width: width.min(input.width),
        height,
    };
    let rows = words.iter().enumerate().map(|(n, word)| {
        let row = Line::from(format!(" {} ", visible(word)));
        if at == Some(n + skipped) {
            row.reversed()
        } else {
            row.bg(Color::Indexed(236)).fg(Color::White)
        }
    });
    let rows: Vec<_> = rows.collect();
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(rows), area);
}

/// A list from which something is chosen.
pub(super) fn picker(frame: &mut Frame, picker: &Picker) {
    let whole = frame.area();
    let width = WIDTH.min(usize::from(whole.width));
    let inside = width.saturating_sub(4);
    let most = usize::from(whole.height).saturating_sub(2).max(1);
    let rows: Vec<Line<'static>> = if picker.choices.is_empty() {
        let rows = wrap(picker.nothing, inside).into_iter();
        rows.map(|row| Line::from(format!(" {row}")).dark_gray())
            .collect()
    } else {
        let skipped = (picker.at + 1).saturating_sub(most);
        let shown = picker.choices.iter().enumerate().skip(skipped).take(most);
        let row = |(n, choice): (usize, &crate::pick::Choice)| {
            let note = cut(&choice.note, inside / 2);
            let left = inside.saturating_sub(note.width() + 1);
            let text = cut(&choice.text, left);
            let gap = " ".repeat(left.saturating_sub(text.width()) + 1);
            let note = Span::from(note).fg(Color::Yellow);
            let row = Line::from(vec![format!(" {text}{gap}").into(), note]);
            if n == picker.at { row.reversed() } else { row }
        };
        shown.map(row).collect()
    };
    let area = centre(whole, width, rows.len() + 2);
    let keys = if picker.choices.is_empty() {
        " Esc closes "
    } else {
        picker.keys
    };
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(Style::new().fg(Color::Cyan))
        .title(format!(" {} ", picker.title).bold())
        .title_bottom(keys);
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(rows).block(block), area);
}
