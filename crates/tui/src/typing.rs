//! Editing by what a reader takes for one character (a grapheme cluster): an emoji of several parts, a letter with its
//! accents. The text field itself goes by code points.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui_textarea::{CursorMove, DataCursor, TextArea};
use unicode_segmentation::UnicodeSegmentation as _;

/// A key that edits was pressed.
pub fn input(area: &mut TextArea<'_>, key: KeyEvent) {
    let held = key.modifiers.difference(KeyModifiers::SHIFT);
    let (is_alone, is_ctrl) = (held.is_empty(), held == KeyModifiers::CONTROL);
    let (before, after) = beside(area);
    match key.code {
        KeyCode::Left if is_alone => repeat(area, key, before),
        KeyCode::Char('b') if is_ctrl => repeat(area, key, before),
        KeyCode::Right if is_alone => repeat(area, key, after),
        KeyCode::Char('f') if is_ctrl => repeat(area, key, after),
        KeyCode::Backspace if is_alone && !area.is_selecting() && before > 1 => {
            delete_before(area, before);
        }
        KeyCode::Char('h') if is_ctrl && !area.is_selecting() && before > 1 => {
            delete_before(area, before);
        }
        KeyCode::Delete if is_alone && after > 1 => {
            area.delete_str(after);
        }
        KeyCode::Char('d') if is_ctrl && after > 1 => {
            area.delete_str(after);
        }
        KeyCode::Char(_) if is_alone => {
            area.input(key);
        }
        _ => {
            area.input(key);
            leave_cluster(area);
        }
    }
}

/// How many code points the clusters before and after the cursor have; 0 at the ends of a line.
fn beside(area: &TextArea<'_>) -> (usize, usize) {
    let DataCursor(row, column) = area.cursor();
    let (mut start, mut before) = (0, 0);
    for cluster in area
        .lines()
        .get(row)
        .map_or("", String::as_str)
        .graphemes(true)
    {
        let length = cluster.chars().count();
        if start + length > column {
            // In the midst of one, its parts count on either side.
            return if start == column {
                (before, length)
            } else {
                (column - start, start + length - column)
            };
        }
        (start, before) = (start + length, length);
    }
    (before, 0)
}

/// At the end of a line, the key goes to the next one.
fn repeat(area: &mut TextArea<'_>, key: KeyEvent, times: usize) {
    for _ in 0..times.max(1) {
        area.input(key);
    }
}

fn delete_before(area: &mut TextArea<'_>, length: usize) {
    for _ in 0..length {
        area.move_cursor(CursorMove::Back);
    }
    area.delete_str(length);
}

/// A key that goes to another line, say, may come down between the parts of a cluster: goes to its start.
fn leave_cluster(area: &mut TextArea<'_>) {
    let DataCursor(row, column) = area.cursor();
    let mut start = 0;
    for cluster in area
        .lines()
        .get(row)
        .map_or("", String::as_str)
        .graphemes(true)
    {
        let end = start + cluster.chars().count();
        if column < end {
            for _ in start..column {
                area.move_cursor(CursorMove::Back);
            }
            return;
        }
        start = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After these keys: the text with a bar at the cursor.
    fn typed(text: &str, keys: &[(KeyCode, KeyModifiers)]) -> String {
        let mut area = TextArea::from(text.split('\n'));
        area.move_cursor(CursorMove::Bottom);
        area.move_cursor(CursorMove::End);
        for &(code, held) in keys {
            input(&mut area, KeyEvent::new(code, held));
        }
        let DataCursor(row, column) = area.cursor();
        let mut lines = area.lines().to_vec();
        let at = lines[row].char_indices().nth(column);
        let at = at.map_or(lines[row].len(), |(at, _)| at);
        lines[row].insert(at, '|');
        lines.join("\n")
    }

    const FAMILY: &str = "👩\u{200d}👩\u{200d}👧";
    const NONE: KeyModifiers = KeyModifiers::NONE;
    const CTRL: KeyModifiers = KeyModifiers::CONTROL;

    #[test]
    fn a_key_takes_a_whole_character_of_many_code_points() {
        for one in [FAMILY, "🇩🇪", "👍🏽", "e\u{301}\u{323}", "क्षि", "x"] {
            let text = format!("a{one}b");
            for (left, right, back, delete) in [
                (
                    (KeyCode::Left, NONE),
                    (KeyCode::Right, NONE),
                    (KeyCode::Backspace, NONE),
                    (KeyCode::Delete, NONE),
                ),
                (
                    (KeyCode::Char('b'), CTRL),
                    (KeyCode::Char('f'), CTRL),
                    (KeyCode::Char('h'), CTRL),
                    (KeyCode::Char('d'), CTRL),
                ),
            ] {
                assert_eq!(typed(&text, &[left, left]), format!("a|{one}b"));
                assert_eq!(typed(&text, &[left, left, right]), format!("a{one}|b"));
                assert_eq!(typed(&text, &[left, back]), "a|b");
                assert_eq!(typed(&text, &[left, left, delete]), "a|b");
                let undo = (KeyCode::Char('u'), CTRL);
                assert_eq!(typed(&text, &[left, back, undo]), format!("a{one}|b"));
            }
        }
    }

    #[test]
    fn at_the_end_of_a_line_keys_go_on_in_the_next() {
        let text = format!("{FAMILY}\n{FAMILY}");
        let (left, right) = ((KeyCode::Left, NONE), (KeyCode::Right, NONE));
        assert_eq!(typed(&text, &[left, left]), format!("{FAMILY}|\n{FAMILY}"));
        let there_and_back = [left, left, right];
        assert_eq!(
            typed(&text, &there_and_back),
            format!("{FAMILY}\n|{FAMILY}")
        );
        let joined = [left, (KeyCode::Backspace, NONE)];
        assert_eq!(typed(&text, &joined), format!("{FAMILY}|{FAMILY}"));
    }

    #[test]
    fn the_cursor_comes_to_rest_between_characters_only() {
        let text = format!("{FAMILY}\nab");
        assert_eq!(
            typed(&text, &[(KeyCode::Up, NONE)]),
            format!("|{FAMILY}\nab")
        );
    }

    #[test]
    fn what_is_selected_goes_as_a_whole() {
        let text = format!("a{FAMILY}b{FAMILY}");
        let keys = [
            (KeyCode::Left, KeyModifiers::SHIFT),
            (KeyCode::Left, KeyModifiers::SHIFT),
            (KeyCode::Backspace, NONE),
        ];
        assert_eq!(typed(&text, &keys), format!("a{FAMILY}|"));
    }
}
