//! Addresses that stand in a text as they are, without the brackets of a link.

use std::ops::Range;

use pulldown_cmark::{Event, Tag, TagEnd};

/// With what an address begins, in capitals or not.
const SCHEMES: [&str; 2] = ["https://", "http://"];

/// The bare addresses in a text, in its order.
#[derive(Debug, Default)]
pub(super) struct Addresses(Vec<Range<usize>>);

impl Addresses {
    /// Finds them: none in code, and none of a link that is written as one.
    pub(super) fn of(text: &str, events: &[(Event<'_>, Range<usize>)]) -> Self {
        let mut others = events.iter().filter_map(|(event, range)| match event {
            Event::Code(_)
            | Event::Start(Tag::CodeBlock(_) | Tag::Link { .. } | Tag::Image { .. }) => Some(range),
            _ => None,
        });
        let mut other = others.next();
        let mut found: Vec<Range<usize>> = Vec::new();
        for (colon, _) in text.match_indices("://") {
            let Some(start) = start(text, colon) else {
                continue;
            };
            while other.is_some_and(|other| other.end <= start) {
                other = others.next();
            }
            let is_free = found.last().is_none_or(|last| last.end <= start);
            if is_free && other.is_none_or(|other| !other.contains(&start)) {
                found.push(start..start + length(&text[start..]));
            }
        }
        Self(found)
    }

    /// Whether a part of the text is in one of them, at least in part.
    pub(super) fn touch(&self, part: &Range<usize>) -> bool {
        let next = self.0.partition_point(|one| one.end <= part.start);
        let next = self.0.get(next);
        next.is_some_and(|one| one.start < part.end)
    }

    /// Of where an emphasis begins or ends that has one of its marks in an address: how wide these are.
    pub(super) fn mark(&self, event: &Event<'_>, text: &str, all: &Range<usize>) -> Option<usize> {
        let width = match event {
            Event::Start(Tag::Emphasis) | Event::End(TagEnd::Emphasis) => 1,
            Event::Start(Tag::Strong) | Event::End(TagEnd::Strong) => 2,
            Event::Start(Tag::Strikethrough) | Event::End(TagEnd::Strikethrough) => {
                let is_twice = text.get(all.clone())?.starts_with("~~");
                1 + usize::from(is_twice)
            }
            _ => return None,
        };
        let first = all.start..all.start + width;
        let last = all.end.checked_sub(width)?..all.end;
        (self.touch(&first) || self.touch(&last)).then_some(width)
    }
}

/// Where the scheme begins that ends with this colon. It is none at the end of a longer word, or with no host behind it.
fn start(text: &str, colon: usize) -> Option<usize> {
    let start = SCHEMES.iter().find_map(|scheme| {
        let start = (colon + 3).checked_sub(scheme.len())?;
        let is_it = text.get(start..colon + 3)?.eq_ignore_ascii_case(scheme);
        is_it.then_some(start)
    })?;
    let is_apart = !text[..start].ends_with(char::is_alphanumeric);
    let has_host = text[colon + 3..].starts_with(|c: char| c.is_alphanumeric() || c == '[');
    (is_apart && has_host).then_some(start)
}

/// How long the address is that a text begins with. What ends a sentence or an emphasis is no part of it, nor a bracket that is
/// not opened in it.
fn length(text: &str) -> usize {
    let mut open = 0_usize;
    let end = text.find(|c: char| {
        match c {
            '(' | '[' => open += 1,
            ')' | ']' if open == 0 => return true,
            ')' | ']' => open -= 1,
            _ => {}
        }
        let is_of_one = c.is_alphanumeric() || (c.is_ascii_graphic() && !"<>\"`".contains(c));
        !is_of_one
    });
    let whole = &text[..end.unwrap_or(text.len())];
    let sentence = |c: char| {
        matches!(
            c,
            '.' | ',' | ':' | ';' | '!' | '?' | '\'' | '*' | '_' | '~'
        )
    };
    whole.trim_end_matches(sentence).len()
}
