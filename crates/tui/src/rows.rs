//! Rows with characters that terminals do not agree on, drawn as a whole.
//!
//! How many columns a flag, a family or a thumb with a skin tone takes differs from terminal to terminal. Where it takes
//! more than it is laid out for, its end stands in columns that count as empty and that nothing is written to: it would
//! stay there when the text has scrolled on. So a row that holds such a character, or held one, is written from end to
//! end, spaces included, and what follows the character is written where it belongs.

use std::collections::BTreeSet;

use ratatui::{
    backend::{Backend, ClearType, WindowSize},
    buffer::{Buffer, Cell},
    layout::{Position, Rect, Size},
};
use unicode_width::UnicodeWidthStr as _;

/// A terminal that is sent whole rows where their width is in doubt.
pub(crate) struct WholeRows<B> {
    inner: B,
    /// What was sent.
    sent: Buffer,
}

impl<B> WholeRows<B> {
    pub(crate) fn new(inner: B) -> Self {
        Self {
            inner,
            sent: Buffer::default(),
        }
    }
}

/// Whether terminals may differ in how wide this is: it has several code points, or is newer than their tables may be.
fn is_unsure(symbol: &str) -> bool {
    let mut chars = symbol.chars();
    let first = chars.next();
    first.is_some_and(|c| c >= '\u{1f000}') || chars.next().is_some()
}

/// The columns of a row at which something stands, with how many columns it is laid out for.
fn columns(buffer: &Buffer, row: u16) -> impl Iterator<Item = (u16, u16)> {
    let mut next = buffer.area.left();
    std::iter::from_fn(move || {
        let cell = buffer.cell((next, row))?;
        let (column, width) = (next, cell.symbol().width().max(1));
        let width = u16::try_from(width).unwrap_or(1);
        next = next.checked_add(width)?;
        Some((column, width))
    })
}

fn holds_unsure(buffer: &Buffer, row: u16) -> bool {
    columns(buffer, row).any(|at| is_unsure(buffer[(at.0, row)].symbol()))
}

impl<B: Backend> WholeRows<B> {
    /// What is sent to this place. A wide character covers what stood behind it: of that nothing is left, and when the
    /// character goes, ratatui sends only what has changed since, which a blank there has not.
    fn note(&mut self, column: u16, row: u16, cell: &Cell) {
        let width = u16::try_from(cell.symbol().width()).unwrap_or(1);
        for covered in (1..width).filter_map(|n| column.checked_add(n)) {
            if let Some(covered) = self.sent.cell_mut((covered, row)) {
                covered.reset();
                covered.set_bg(cell.bg);
            }
        }
        if let Some(sent) = self.sent.cell_mut((column, row)) {
            sent.clone_from(cell);
        }
    }

    fn draw_row(&mut self, row: u16) -> Result<(), B::Error> {
        let mut run: Vec<(u16, u16, &Cell)> = Vec::new();
        for (column, width) in columns(&self.sent, row) {
            let cell = &self.sent[(column, row)];
            if !is_unsure(cell.symbol()) {
                run.push((column, row, cell));
                continue;
            }
            // Each call says where it begins, wherever the terminal's cursor has come to.
            let mut blank = cell.clone();
            blank.set_symbol(" ");
            run.extend((column..column + width).map(|column| (column, row, &blank)));
            self.inner.draw(run.drain(..))?;
            self.inner.draw(std::iter::once((column, row, cell)))?;
            run = Vec::new();
        }
        self.inner.draw(run.into_iter())
    }
}

impl<B: Backend> Backend for WholeRows<B> {
    type Error = B::Error;

    fn draw<'a, I>(&mut self, content: I) -> Result<(), Self::Error>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let area = Rect::from((Position::ORIGIN, self.inner.size()?));
        if self.sent.area != area {
            self.sent = Buffer::empty(area);
        }
        let updates: Vec<_> = content.collect();
        let mut rows: BTreeSet<u16> = updates.iter().map(|(_, row, _)| *row).collect();
        let mut whole = rows.clone();
        whole.retain(|row| holds_unsure(&self.sent, *row));
        for (column, row, cell) in &updates {
            self.note(*column, *row, cell);
        }
        rows.retain(|row| holds_unsure(&self.sent, *row));
        whole.append(&mut rows);
        let sure = updates
            .into_iter()
            .filter(|(_, row, _)| !whole.contains(row));
        self.inner.draw(sure)?;
        whole.iter().try_for_each(|row| self.draw_row(*row))
    }

    fn append_lines(&mut self, n: u16) -> Result<(), Self::Error> {
        self.inner.append_lines(n)
    }

    fn hide_cursor(&mut self) -> Result<(), Self::Error> {
        self.inner.hide_cursor()
    }

    fn show_cursor(&mut self) -> Result<(), Self::Error> {
        self.inner.show_cursor()
    }

    fn get_cursor_position(&mut self) -> Result<Position, Self::Error> {
        self.inner.get_cursor_position()
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> Result<(), Self::Error> {
        self.inner.set_cursor_position(position)
    }

    fn clear(&mut self) -> Result<(), Self::Error> {
        self.sent.reset();
        self.inner.clear()
    }

    fn clear_region(&mut self, clear_type: ClearType) -> Result<(), Self::Error> {
        self.sent.reset();
        self.inner.clear_region(clear_type)
    }

    fn size(&self) -> Result<Size, Self::Error> {
        self.inner.size()
    }

    fn window_size(&mut self) -> Result<WindowSize, Self::Error> {
        self.inner.window_size()
    }

    fn flush(&mut self) -> Result<(), Self::Error> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests;
