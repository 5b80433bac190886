//! What others wrote, made safe to show. Terminal escapes, reordering and invisible characters become visible text:
//! a message must never move the cursor, change colours, or look like something that it is not.

use std::{fmt::Write as _, str::Chars};

use ratatui::{style::Style, text::Span};
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Zero-width non-joiner and joiner: invisible, but Persian is misspelt and families fall apart without them.
const JOINERS: [char; 2] = ['\u{200c}', '\u{200d}'];
/// What follows the black flag in the flags of England, Scotland and Wales: the only tags that Unicode recommends.
const FLAGS: [&str; 3] = [
    "\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
    "\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
    "\u{e0067}\u{e0062}\u{e0077}\u{e006c}\u{e0073}\u{e007f}",
];

/// Marks of direction. Unlike embeddings and overrides they turn nothing around but what has no direction of its own: the
/// space or the full stop beside them. Keyboards for Arabic and Hebrew type them.
const DIRECTIONS: [char; 3] = ['\u{200e}', '\u{200f}', '\u{61c}'];
/// Marks that may follow one character. Real scripts need two or three; more only smear over the neighbours.
const MAX_MARKS: usize = 4;
/// Further ones are shown by their codes, if they are no more than this, and counted otherwise.
const MAX_CODES: usize = 3;
/// What a tab is shown as: tab stops mean nothing in a wrapped line.
const TAB: &str = "    ";

/// Whether a character has no form of its own but changes how others look: bidi controls, zero-width characters,
/// blank fillers, tags.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{13430}'..='\u{1345f}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether a character may be written to a terminal as it is.
pub(crate) fn is_harmless(c: char) -> bool {
    !c.is_control() && !is_invisible(c)
}

/// Whether a character belongs to a script whose letters change their form with what stands beside them: there a joiner
/// spells (Arabic, Syriac, N'Ko and their like; the scripts of India, Burma and Cambodia; Mongolian).
fn is_of_joining_script(c: char) -> bool {
    let is_in_block = matches!(c,
        '\u{620}'..='\u{8ff}' | '\u{900}'..='\u{dff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{1800}'..='\u{18af}' | '\u{fb50}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}');
    is_in_block && (c.is_alphabetic() || c.width() == Some(0))
}

/// Whether a joiner does something that can be seen between what is `before` it and what is `next`: within a word of a
/// joining script, or in an emoji made of several (UTS 51). Anywhere else it would only hide.
fn is_joined(before: &str, joiner: char, next: char) -> bool {
    let Some(cluster) = before.graphemes(true).next_back() else {
        return false;
    };
    if !is_harmless(next) {
        return false;
    }
    if cluster.chars().next().is_some_and(is_of_joining_script) && is_of_joining_script(next) {
        return true;
    }
    // One grapheme because of what stands on both sides, not because `next` is a mark that would join anything; and one
    // that is drawn as such, so that it fits where one character does.
    let is_one = |start: &str| {
        let whole = format!("{start}{joiner}{next}");
        whole.graphemes(true).count() == 1 && whole.width() <= 2
    };
    joiner == '\u{200d}' && is_one(cluster) && !is_one("a")
}

/// What a cell of the screen holds, if a terminal may get it: one grapheme of a text that was made visible. What
/// follows it stands in the next cell, so that a joiner may be the last here.
pub(crate) fn is_fit_for_a_cell(symbol: &str) -> bool {
    if symbol.chars().all(is_harmless) {
        return true;
    }
    let rest = symbol.trim_end_matches(JOINERS);
    let is_spelt = symbol.len() - rest.len() <= '\u{200d}'.len_utf8()
        && symbol.chars().next().is_some_and(is_of_joining_script);
    (is_spelt && rest.chars().all(is_harmless)) || visible(symbol) == symbol
}

/// Whether a text holds a letter that is written from right to left.
fn is_from_right(text: &str) -> bool {
    text.chars().any(|c| {
        matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}' | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
            && c.is_alphabetic()
    })
}

/// A mark, which shows on what stands before it.
fn is_mark(c: char) -> bool {
    is_harmless(c) && c.width() == Some(0)
}

fn push_visible(out: &mut String, c: char) {
    match c {
        '\0'..='\u{1f}' => {
            out.push(char::from_u32(0x2400 + u32::from(c)).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        '\u{7f}' => out.push('␡'),
        other => out.extend(other.escape_unicode()),
    }
}

/// One line of text in which every character can be seen: `\x1b[31m` becomes `␛[31m`, a right-to-left override
/// `\u{202e}`. Line breaks become `␊`; see [`visible_lines`] for text of many lines.
#[must_use]
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    // A mark with nothing before it would join what we write before the text: it is not let through either.
    let mut marks = MAX_MARKS;
    let mut rest = text.chars();
    let is_from_right = is_from_right(text);
    while let Some(c) = rest.next() {
        let next = rest.clone().next();
        let fits = |next: char| marks < MAX_MARKS || next.width() != Some(0);
        if c == '\t' {
            out.push_str(TAB);
            marks = 0;
        } else if JOINERS.contains(&c)
            && next.is_some_and(|next| fits(next) && is_joined(&out, c, next))
        {
            out.push(c);
        } else if c == '🏴'
            && let Some(flag) = FLAGS.iter().find(|flag| rest.as_str().starts_with(**flag))
        {
            out.push(c);
            out.push_str(flag);
            rest = rest.as_str()[flag.len()..].chars();
            marks = MAX_MARKS;
        } else if is_from_right && DIRECTIONS.contains(&c) && !out.ends_with(DIRECTIONS) {
            out.push(c);
            // One that follows would belong to nothing.
            marks = MAX_MARKS;
        } else if !is_harmless(c) {
            push_visible(&mut out, c);
            marks = 0;
        } else if c.width() == Some(0) && marks < MAX_MARKS {
            out.push(c);
            marks += 1;
        } else if c.width() == Some(0) {
            let more = rest.clone().take_while(|c| is_mark(*c)).count();
            if more < MAX_CODES {
                push_visible(&mut out, c);
            } else {
                let _infallible = write!(out, "[+{} combining marks]", more + 1);
                rest = skipped(rest, more);
            }
        } else {
            out.push(c);
            marks = 0;
        }
    }
    out
}

fn skipped(mut rest: Chars<'_>, count: usize) -> Chars<'_> {
    for _ in 0..count {
        rest.next();
    }
    rest
}

/// The lines of a text, each as [`visible`] shows it.
pub fn visible_lines(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split('\n')
        .map(|line| visible(line.strip_suffix('\r').unwrap_or(line)))
}

/// Breaks one visible line into rows of at most `width` columns: between words where it can, within a word that is
/// longer than a row. Counts what the terminal shows, so that wide characters and accents come out right.
#[must_use]
pub fn wrap(line: &str, width: usize) -> Vec<String> {
    let width = width.max(2);
    let mut rows = Vec::new();
    let mut row = String::new();
    let mut row_width = 0;
    // Where the last space of the row ends, in bytes: there it may be broken.
    let mut after_space = None;
    let span = Span::raw(line);
    for grapheme in span.styled_graphemes(Style::default()) {
        let symbol = grapheme.symbol;
        let symbol_width = symbol.width();
        if row_width + symbol_width > width {
            let rest = match after_space.take() {
                _ if symbol == " " => String::new(),
                Some(at) => row.split_off(at),
                None => String::new(),
            };
            row.truncate(row.trim_end_matches(' ').len());
            row_width = rest.width();
            rows.push(std::mem::replace(&mut row, rest));
            if symbol == " " {
                continue;
            }
        }
        row.push_str(symbol);
        row_width += symbol_width;
        if symbol == " " && !row.trim_start().is_empty() {
            after_space = Some(row.len());
        }
    }
    rows.push(row);
    rows
}

/// The text, cut to `width` columns; a cut is marked with `…`.
#[must_use]
pub fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 1;
    for grapheme in Span::raw(text).styled_graphemes(Style::default()) {
        used += grapheme.symbol.width();
        if used > width {
            break;
        }
        out.push_str(grapheme.symbol);
    }
    if width > 0 {
        out.push('…');
    }
    out
}

/// The end of the text in `width` columns; `…` stands for the start that was cut.
#[must_use]
pub fn cut_start(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut used = 1;
    let fits = |(_, grapheme): &(usize, &str)| {
        used += grapheme.width();
        used <= width
    };
    let kept = text.grapheme_indices(true).rev().take_while(fits).last();
    let at = kept.map_or(text.len(), |(at, _)| at);
    if width == 0 {
        return String::new();
    }
    format!("…{}", &text[at..])
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escapes_reordering_and_invisible_characters_are_shown() {
        for (raw, shown) in [
            ("\u{1b}[31mred\u{1b}[0m", "␛[31mred␛[0m"),
            ("a\u{9b}2Jb", "a\\u{9b}2Jb"),
            ("evil\u{202e}txt.exe", "evil\\u{202e}txt.exe"),
            ("ad\u{200b}min", "ad\\u{200b}min"),
            ("bell\u{7} del\u{7f} nul\0", "bell␇ del␡ nul␀"),
            ("a\tb", "a    b"),
            ("carriage\rreturn", "carriage␍return"),
            ("naïve 日本 👍🏽", "naïve 日本 👍🏽"),
            ("ad\u{200d}min a\u{200c}b", "ad\\u{200d}min a\\u{200c}b"),
            ("\u{200d}👩 👩\u{200d}", "\\u{200d}👩 👩\\u{200d}"),
            ("👩\u{200d}\u{200d}👧", "👩\\u{200d}\\u{200d}👧"),
            ("م\u{200c}\u{200c}ن", "م\\u{200c}\\u{200c}ن"),
            ("x\u{e0067}", "x\\u{e0067}"),
            ("🏴\u{e0067}\u{e0062}", "🏴\\u{e0067}\\u{e0062}"),
            ("🏴\u{94d}\u{200d}🏴", "🏴\u{94d}\\u{200d}🏴"),
            ("a\u{200f}b", "a\\u{200f}b"),
            ("שלום\u{200f}!", "שלום\u{200f}!"),
            ("שלום\u{200f}\u{200f}!", "שלום\u{200f}\\u{200f}!"),
            ("שלום\u{202e}!\u{2067}", "שלום\\u{202e}!\\u{2067}"),
            (
                "e\u{301}\u{301}\u{301}\u{301}\u{301}x",
                "e\u{301}\u{301}\u{301}\u{301}\\u{301}x",
            ),
        ] {
            assert_eq!(visible(raw), shown);
        }
    }

    #[test]
    fn joiners_show_as_such_where_unicode_allows_them() {
        for text in [
            "👩\u{200d}👩\u{200d}👧 👩🏽\u{200d}🚀 ❤\u{fe0f}\u{200d}🔥 🏳\u{fe0f}\u{200d}🌈",
            "می\u{200c}خواهم کتاب\u{200c}ها",
            "क्\u{200d}ष र\u{200d}्य",
            "🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
        ] {
            assert_eq!(visible(text), text);
            for cell in text.graphemes(true) {
                assert!(is_fit_for_a_cell(cell), "{cell:?}");
            }
            for row in wrap(text, 7) {
                assert!(row.width() <= 7, "{row:?}");
            }
        }
        for cell in [
            "a\u{200d}",
            "👩\u{200d}",
            "\u{200c}",
            "م\u{200c}\u{200c}",
            "\u{e0067}",
        ] {
            assert!(!is_fit_for_a_cell(cell), "{cell:?}");
        }
    }

    #[test]
    fn a_tower_of_accents_does_not_smear_over_the_screen() {
        let shown = visible(&format!("e{}", "\u{301}".repeat(1_000)));
        assert_eq!(shown.matches('\u{301}').count(), MAX_MARKS);
        assert!(shown.ends_with("[+996 combining marks]"), "{shown}");
    }

    #[test]
    fn lines_end_with_either_kind_of_line_break() {
        let lines: Vec<_> = visible_lines("one\r\ntwo\n\nfour").collect();
        assert_eq!(lines, ["one", "two", "", "four"]);
    }

    #[test]
    fn words_wrap_by_what_the_terminal_shows() {
        assert_eq!(wrap("the quick brown fox", 10), ["the quick", "brown fox"]);
        assert_eq!(wrap("", 10), [""]);
        assert_eq!(wrap("日本語日本語", 5), ["日本", "語日", "本語"]);
        assert_eq!(wrap("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("  indented code", 10), ["  indented", "code"]);
    }

    #[test]
    fn a_long_name_is_cut_and_says_so() {
        assert_eq!(cut("alice", 5), "alice");
        assert_eq!(cut("alexandria", 5), "alex…");
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!(
            cut_start("chat.example.org:8443", 21),
            "chat.example.org:8443"
        );
        assert_eq!(cut_start("chat.example.org:8443", 10), "….org:8443");
        assert_eq!(cut_start("日本語", 4), "…語");
    }

    /// Any text, with the dangerous characters far more often than chance would have them.
    pub(crate) fn nasty() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            any::<char>().prop_map(String::from),
            "[ -~]{0,12}",
            (0_u32..0xa0).prop_filter_map("a char", |code| char::from_u32(code).map(String::from)),
            (0x2000_u32..0x2070)
                .prop_filter_map("a char", |code| char::from_u32(code).map(String::from)),
            Just("\u{1b}]0;title\u{7}".to_owned()),
            Just("\u{feff}\u{e0041}\u{301}\u{300}".to_owned()),
            Just("👩‍👩‍👧🇩🇪❤️".to_owned()),
            Just("می\u{200c}خواهم".to_owned()),
            "[אa\u{200e}\u{200f}\u{61c}\u{301}!]{0,8}",
            "[🏴👩a\u{645}\u{94d}\u{200c}\u{200d}\u{301}\u{e0067}\u{e007f}]{0,8}",
        ];
        proptest::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn nothing_that_is_shown_can_be_obeyed_or_hidden(text in nasty()) {
            for line in visible_lines(&text) {
                // A mark of direction takes no cell.
                let mut cells = line.graphemes(true).filter(|cell| !DIRECTIONS.iter().any(|mark| *cell == mark.to_string()));
                prop_assert!(cells.all(is_fit_for_a_cell), "{line:?}");
                prop_assert!(visible(&line) == line, "showing twice is showing once");
            }
        }

        #[test]
        fn wrapping_loses_nothing_but_spaces_and_fits(text in nasty(), width in 2_usize..40) {
            let line = visible(&text.replace('\n', " "));
            let rows = wrap(&line, width);
            for row in &rows {
                prop_assert!(row.width() <= width, "{row:?}");
            }
            let solid = |text: &str| text.replace(' ', "");
            prop_assert_eq!(solid(&rows.concat()), solid(&line));
        }
    }
}
