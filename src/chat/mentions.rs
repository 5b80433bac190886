//! Finding mentions in a text, as it is written in Markdown: an `@` and a word, that stand neither in code nor in an address, a
//! link's target, or another word. Pure; who is called so, and who may address all, is decided by the journal.

use std::ops::Range;

use pulldown_cmark::{Event, Parser, Tag, TagEnd};
use unicode_normalization::char::is_combining_mark;

use crate::{journal::Candidate, protocol::limits::NAME};

/// Most places in a text that are looked at.
const MOST: usize = 200;

/// Where someone is perhaps mentioned in a text, in its order.
#[must_use]
pub fn find(text: &str) -> Vec<Candidate> {
    if !text.contains('@') {
        return Vec::new();
    }
    let prose = prose(text);
    let links = links(text);
    let (mut found, mut last_end) = (Vec::new(), usize::MAX);
    let (mut chars, mut counted) = (0, 0);
    for (at, _) in text.match_indices('@') {
        let is_in = |ranges: &[Range<usize>]| {
            let next = ranges.partition_point(|range| range.end <= at);
            ranges.get(next).is_some_and(|range| range.start <= at)
        };
        let (before, after) = (&text[..at], &text[at + 1..]);
        let length = after.find(|c| !is_of_name(c)).unwrap_or(after.len());
        let (word, behind) = after.split_at(length);
        let begins = may_begin(before, last_end == at.wrapping_sub(1));
        if word.is_empty() || !is_in(&prose) || is_in(&links) || !begins || !may_end(behind) {
            continue;
        }
        chars += text[counted..at].chars().count();
        counted = at;
        last_end = at + 1 + length;
        // No one is called by more, but by what marks the text up around it.
        if length > 2 * NAME.end() {
            continue;
        }
        found.push(Candidate {
            from: u32::try_from(chars).unwrap_or(u32::MAX),
            word: word.to_ascii_lowercase(),
        });
        if found.len() == MOST {
            break;
        }
    }
    found
}

/// Whether names can have this character.
fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-'
}

/// The parts of a text that are read as such: all but code, and the targets of links.
fn prose(text: &str) -> Vec<Range<usize>> {
    let (mut prose, mut is_code) = (Vec::<Range<usize>>::new(), false);
    for (event, range) in Parser::new(text).into_offset_iter() {
        match event {
            Event::Start(Tag::CodeBlock(_)) => is_code = true,
            Event::End(TagEnd::CodeBlock) => is_code = false,
            // What looks like HTML is text to those who read it.
            Event::Text(_) | Event::Html(_) | Event::InlineHtml(_) if !is_code => prose.push(range),
            _ => {}
        }
    }
    prose.sort_unstable_by_key(|range| range.start);
    prose
}

/// The addresses of pages in a text.
pub(super) fn links(text: &str) -> Vec<Range<usize>> {
    let mut links = Vec::<Range<usize>>::new();
    let starts = text.match_indices("://").map(|(at, _)| {
        let scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '.' | '-');
        text[..at].trim_end_matches(scheme).len()
    });
    let named = text.match_indices("www.").map(|(at, _)| at);
    let mailed = text.match_indices("mailto:").map(|(at, _)| at);
    let mut starts: Vec<usize> = starts.chain(named).chain(mailed).collect();
    starts.sort_unstable();
    for start in starts {
        // What begins in one ends with it.
        if links.last().is_some_and(|last| start < last.end) {
            continue;
        }
        let ends = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '"');
        let length = text[start..].find(ends).unwrap_or(text.len() - start);
        links.push(start..start + length);
    }
    links
}

/// Whether a mention may begin after this. `follows_mention`: one has ended a character before.
fn may_begin(before: &str, follows_mention: bool) -> bool {
    let Some(last) = before.chars().next_back() else {
        return true;
    };
    let backslashes = before.len() - before.trim_end_matches('\\').len();
    if backslashes % 2 == 1 || last == '@' {
        return false;
    }
    // `@alice/@bob` and `@alice+@bob` are two; `/@alice` is the path of something.
    if follows_mention && matches!(last, '/' | '+') {
        return true;
    }
    if last == '/' {
        return false;
    }
    // What stands before the `@` of an address has a letter or a digit in it.
    let of_address = |c: char| is_of_word(c) || matches!(c, '.' | '_' | '-' | '+' | '%');
    let rest = before.trim_end_matches(of_address);
    !before[rest.len()..].contains(is_of_word)
}

/// Whether a mention may end before this.
fn may_end(behind: &str) -> bool {
    let mut next = behind.chars();
    let Some(first) = next.next() else {
        return true;
    };
    let second = next.next();
    let goes_on = second.is_some_and(|c| is_of_word(c) || is_of_name(c));
    match first {
        // An address of another kind: `@alice@example.org`.
        '@' => false,
        '.' | '/' => !goes_on,
        ':' => {
            let rest = &behind[1..];
            let host = rest
                .find(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '-'))
                .unwrap_or(rest.len());
            let host = rest[..host].trim_end_matches('.');
            !host.contains('.')
        }
        _ => !is_of_word(first) && !is_combining_mark(first),
    }
}

/// Whether words go on with it: a letter or a digit, but of a script that puts no spaces between words.
fn is_of_word(c: char) -> bool {
    c.is_alphanumeric()
        && !matches!(
            u32::from(c),
            // Thai to Myanmar, Hangul, Khmer, kana, Han
            0xE00..=0x109F
                | 0x1100..=0x11FF
                | 0x1780..=0x17FF
                | 0x3040..=0x31FF
                | 0x3400..=0x9FFF
                | 0xA960..=0xA97F
                | 0xAC00..=0xD7FF
                | 0xF900..=0xFAFF
                | 0xFF66..=0xFFDC
                | 0x20000..=0x3FFFF
        )
}

#[cfg(test)]
mod tests;
