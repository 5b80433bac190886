//! What a terminal shows of rows with wide characters, as they come, go and move.

use std::convert::Infallible;

use proptest::prelude::*;
use ratatui::{Terminal, text::Line, widgets::Paragraph};

use super::*;

const SIZE: Size = Size::new(14, 2);

/// A terminal that does what all of them do: a wide character takes the places behind it, and goes when one of its places
/// is written to. An empty place is covered by the character before it.
struct Glass {
    places: Vec<Vec<String>>,
}

impl Glass {
    fn new() -> Self {
        let row = vec![" ".to_owned(); SIZE.width.into()];
        Self {
            places: vec![row; SIZE.height.into()],
        }
    }

    /// Whatever character has this place, none of it is left.
    fn wipe(&mut self, column: usize, row: usize) {
        let row = &mut self.places[row];
        let from = (0..=column).rev().find(|at| !row[*at].is_empty());
        let from = from.unwrap_or(0);
        let until = (from + 1..row.len()).find(|at| !row[*at].is_empty());
        let until = until.unwrap_or(row.len());
        row[from..until].fill(" ".to_owned());
    }

    fn row(&self, row: usize) -> String {
        self.places[row].concat()
    }
}

impl Backend for Glass {
    type Error = Infallible;

    fn draw<'a, I>(&mut self, content: I) -> Result<(), Infallible>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        for (column, row, cell) in content {
            let (column, row) = (usize::from(column), usize::from(row));
            let width = cell.symbol().width().max(1);
            for at in column..column + width {
                self.wipe(at, row);
                self.places[row][at].clear();
            }
            self.places[row][column].push_str(cell.symbol());
        }
        Ok(())
    }

    fn hide_cursor(&mut self) -> Result<(), Infallible> {
        Ok(())
    }

    fn show_cursor(&mut self) -> Result<(), Infallible> {
        Ok(())
    }

    fn get_cursor_position(&mut self) -> Result<Position, Infallible> {
        Ok(Position::ORIGIN)
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, _: P) -> Result<(), Infallible> {
        Ok(())
    }

    fn clear(&mut self) -> Result<(), Infallible> {
        *self = Self::new();
        Ok(())
    }

    fn clear_region(&mut self, _: ClearType) -> Result<(), Infallible> {
        self.clear()
    }

    fn size(&self) -> Result<Size, Infallible> {
        Ok(SIZE)
    }

    fn window_size(&mut self) -> Result<WindowSize, Infallible> {
        Ok(WindowSize {
            columns_rows: SIZE,
            pixels: SIZE,
        })
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// Shows these texts one after the other in both rows, the second row a text later.
fn show(texts: &[String]) {
    let mut terminal = Terminal::new(WholeRows::new(Glass::new())).expect("a terminal");
    for pair in texts.windows(2) {
        let lines: Vec<_> = pair.iter().map(|text| Line::from(text.clone())).collect();
        terminal
            .draw(|frame| frame.render_widget(Paragraph::new(lines), frame.area()))
            .expect("draws");
        for (row, text) in pair.iter().enumerate() {
            let shown = terminal.backend().inner.row(row);
            assert_eq!(shown.trim_end(), text.trim_end(), "of {texts:?}");
        }
    }
}

#[test]
fn a_wide_character_leaves_nothing_behind_of_what_it_covered() {
    for texts in [
        ["", "quick brown", "to 🎉🎉🎉 te", "k", "kk"],
        ["", "漢字漢字漢字", "abcdefghi", "漢字 🎉 字", "x       y"],
        ["", "abcdefgh", "漢字漢字", "a b c 🎉", "k"],
        ["", "abcdefgh", "❤\u{fe0f}❤\u{fe0f} x", " 🎉 🎉", "a"],
        ["", "🇩🇪🇫🇷", " 🇩🇪🇫🇷", "  b d 👍🏽", "e"],
    ] {
        show(&texts.map(str::to_owned));
    }
}

proptest! {
    #[test]
    fn whatever_was_there_before_a_row_shows_what_it_holds(
        texts in prop::collection::vec(
            prop::collection::vec(
                prop::sample::select(vec!["a", "b", " ", " ", "漢", "🎉", "🇩🇪", "❤\u{fe0f}", "e\u{301}"]),
                0..7,
            ),
            2..9,
        )
    ) {
        let texts: Vec<_> = texts.into_iter().map(|parts| parts.concat()).collect();
        show(&texts);
    }
}
