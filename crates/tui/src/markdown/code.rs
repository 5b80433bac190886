//! Code in a few colours: words that many languages have, texts, numbers and comments. It knows no language.

use ratatui::style::{Color, Style};

/// Words that many languages have.
const WORDS: &[&str] = &[
    "and",
    "as",
    "async",
    "await",
    "break",
    "case",
    "catch",
    "class",
    "const",
    "continue",
    "def",
    "do",
    "done",
    "elif",
    "else",
    "end",
    "enum",
    "esac",
    "except",
    "export",
    "extends",
    "false",
    "fi",
    "finally",
    "fn",
    "for",
    "from",
    "func",
    "function",
    "if",
    "impl",
    "import",
    "in",
    "interface",
    "is",
    "lambda",
    "let",
    "loop",
    "match",
    "mod",
    "mut",
    "new",
    "nil",
    "none",
    "None",
    "not",
    "null",
    "or",
    "package",
    "pass",
    "private",
    "pub",
    "public",
    "raise",
    "return",
    "self",
    "Self",
    "static",
    "struct",
    "super",
    "switch",
    "then",
    "this",
    "throw",
    "trait",
    "true",
    "True",
    "False",
    "try",
    "type",
    "undefined",
    "use",
    "var",
    "void",
    "where",
    "while",
    "with",
    "yield",
    "SELECT",
    "FROM",
    "WHERE",
    "INSERT",
    "UPDATE",
    "DELETE",
    "JOIN",
    "select",
];

/// Code within a line.
pub(super) fn span() -> Style {
    Style::new().fg(Color::LightYellow)
}

/// A line of a block of code. Where no language is named it may be anything, and has one colour.
pub(super) fn line<'a>(line: &'a str, language: &str) -> Vec<(&'a str, Style)> {
    if language.is_empty() || language.starts_with("text") {
        return vec![(line, span())];
    }
    let mut pieces = Vec::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let is_start = rest.len() == line.len()
            || line[..line.len() - rest.len()].ends_with(char::is_whitespace);
        let (length, style) = piece(rest, first, is_start);
        let (piece, after) = rest.split_at(length);
        pieces.push((piece, style));
        rest = after;
    }
    pieces
}

/// How long the piece is that begins here, and what it looks like.
fn piece(rest: &str, first: char, is_start: bool) -> (usize, Style) {
    let comment = ["//", "#", "--"].iter().any(|mark| rest.starts_with(mark));
    if comment && is_start {
        return (rest.len(), Style::new().dark_gray().italic());
    }
    let while_ = |fits: fn(char) -> bool| rest.find(|c| !fits(c)).unwrap_or(rest.len());
    match first {
        '"' | '\'' | '`' => {
            let end = text_end(rest, first);
            let style = Style::new().fg(Color::LightGreen);
            end.map_or((first.len_utf8(), span()), |end| (end, style))
        }
        '0'..='9' => {
            let length = while_(|c| c.is_alphanumeric() || c == '.' || c == '_');
            (length, Style::new().fg(Color::LightCyan))
        }
        c if c.is_alphabetic() || c == '_' => {
            let length = while_(|c| c.is_alphanumeric() || c == '_');
            let is_word = WORDS.contains(&&rest[..length]);
            let style = if is_word {
                Style::new().fg(Color::LightMagenta)
            } else {
                span()
            };
            (length, style)
        }
        c => (c.len_utf8(), span()),
    }
}

/// Where a text that begins with this quote ends, if it does in this line.
fn text_end(rest: &str, quote: char) -> Option<usize> {
    let mut is_escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        if c == quote && !is_escaped {
            return Some(at + c.len_utf8());
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    None
}
