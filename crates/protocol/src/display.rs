//! Names and words that people choose for themselves and others read beside what is written: without what would let them
//! reach out of their place (line breaks, marks of direction, heaps of accents) or show nothing.

use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};

use super::names::is_blank;

/// Most accents that one letter keeps: more climb over the lines above it.
const MOST_MARKS: usize = 4;
const JOINER: char = '\u{200d}';
const VARIATION: [char; 2] = ['\u{fe0e}', '\u{fe0f}'];

/// The text in one line, composed, without what does not belong in a name; empty when nothing is left that shows.
#[must_use]
pub fn clean(text: &str) -> String {
    let mut cleaned = String::new();
    let mut marks = 0;
    // Composed first, so that an accent which is part of a letter counts for none.
    for c in text.nfc() {
        if c.is_whitespace() || matches!(c, '\u{2028}' | '\u{2029}') {
            marks = 0;
            if !cleaned.is_empty() && !cleaned.ends_with(' ') {
                cleaned.push(' ');
            }
        } else if is_combining_mark(c) && !VARIATION.contains(&c) {
            marks += 1;
            // One with nothing below it would sit on what stands before the name.
            if marks <= MOST_MARKS && !cleaned.is_empty() && !cleaned.ends_with(' ') {
                cleaned.push(c);
            }
        } else if c == JOINER || VARIATION.contains(&c) {
            // They make one picture of several, and show nothing alone or in a row.
            let follows = cleaned.chars().next_back();
            if follows.is_some_and(|last| {
                !last.is_alphanumeric() && last != ' ' && last != JOINER && last != c
            }) {
                cleaned.push(c);
            }
        } else if !is_blank(c.encode_utf8(&mut [0; 4])) && !is_private(c) {
            marks = 0;
            cleaned.push(c);
        }
    }
    let kept = cleaned.trim_end_matches([' ', JOINER]).len();
    cleaned.truncate(kept);
    if is_blank(&cleaned) {
        String::new()
    } else {
        cleaned
    }
}

/// The beginnings by which a name is found: its words in small letters, without accents.
#[must_use]
pub fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = fold(text)
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(ToOwned::to_owned)
        .collect();
    words.sort_unstable();
    words.dedup();
    words
}

/// A text in small letters, without accents, and with each letter in its plainest form.
#[must_use]
pub fn fold(text: &str) -> String {
    let plain = text.nfkd().filter(|c| !is_combining_mark(*c));
    plain.flat_map(char::to_lowercase).collect()
}

/// Of no one's alphabet: each font shows something else.
fn is_private(c: char) -> bool {
    matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reaches_out_of_a_name_is_taken_out() {
        for (text, cleaned) in [
            ("  Anna \t Maria\n", "Anna Maria"),
            ("Anna\u{0}\u{1b}[31m", "Anna[31m"),
            ("\u{202e}annA\u{202c}", "annA"),
            ("\u{2066}a\u{2069}\u{200e}b\u{61c}", "ab"),
            ("a\u{200b}b\u{feff}c\u{ad}d", "abcd"),
            ("e\u{301}", "é"),
            ("\u{301}\u{301}a", "a"),
            ("a \u{301}b", "a b"),
            ("\u{2028}x\u{2029}y", "x y"),
            ("\u{3164}", ""),
            ("\u{200d}\u{200d}", ""),
            ("👩\u{200d}🚀", "👩\u{200d}🚀"),
            ("☃\u{fe0f}", "☃\u{fe0f}"),
            ("a\u{200d}b", "ab"),
            ("\u{e000}a", "a"),
            ("ไม้เอก", "ไม้เอก"),
            ("नमस्ते", "नमस्ते"),
        ] {
            assert_eq!(clean(text), cleaned, "{text:?}");
        }
        let heap = format!("Z{}algo", "\u{334}".repeat(200));
        assert_eq!(clean(&heap).chars().count(), 5 + MOST_MARKS);
        for text in ["Anna Maria", "👩\u{200d}🚀 x", &clean(&heap)] {
            assert_eq!(clean(text), *text, "cleaned once is clean");
        }
    }

    #[test]
    fn a_name_is_found_by_its_words_without_accents() {
        assert_eq!(words("Zoë O'Neil-Müller"), ["muller", "neil", "o", "zoe"]);
        assert_eq!(words("ＡＮＮＡ  anna"), ["anna"]);
        assert_eq!(words("Анна"), ["анна"]);
        assert!(words("🚀 ☃").is_empty());
    }
}
