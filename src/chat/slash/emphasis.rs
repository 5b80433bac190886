//! What somebody does, as a message in Markdown: emphasised, as `*waves*`. A client that knows nothing of it shows that as any
//! other message, under the name of whoever does it.

use pulldown_cmark::{Event, Parser, Tag, TagEnd};

/// A text, each of its paragraphs emphasised as a whole.
#[must_use]
pub fn emphasise(text: &str) -> String {
    let paragraphs = text.split('\n').map(str::trim).collect::<Vec<_>>();
    let paragraphs = paragraphs.split(|line| line.is_empty());
    let whole = paragraphs.filter(|lines| !lines.is_empty()).map(|lines| {
        let lines = lines.join("\n");
        let marked = format!("*{}*", closed(&lines));
        if is_emphasis(&marked) {
            return marked;
        }
        // A mark in it ends the emphasis, or a line of it begins something else.
        format!("*{}*", escaped(&lines))
    });
    whole.collect::<Vec<_>>().join("\n\n")
}

/// Without a backslash at its end that would take what follows for itself.
fn closed(text: &str) -> String {
    let count = text.len() - text.trim_end_matches('\\').len();
    let more = if count % 2 == 1 { "\\" } else { "" };
    format!("{text}{more}")
}

/// Nothing in it means anything but itself. (What follows a backslash mentions nobody, so an `@` stays as it is.)
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() * 2);
    for c in text.chars() {
        if c.is_ascii_punctuation() && c != '@' {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// Whether it is one paragraph that is emphasised from its beginning to its end.
fn is_emphasis(text: &str) -> bool {
    let mut events = Parser::new(text);
    let begins = matches!(events.next(), Some(Event::Start(Tag::Paragraph)))
        && matches!(events.next(), Some(Event::Start(Tag::Emphasis)));
    let (mut depth, mut is_last) = (1, false);
    for event in events {
        match event {
            Event::End(TagEnd::Paragraph) if depth == 0 => is_last = true,
            // Something follows what was emphasised.
            _ if depth == 0 => return false,
            Event::Start(Tag::Emphasis) => depth += 1,
            Event::End(TagEnd::Emphasis) => depth -= 1,
            _ => {}
        }
    }
    begins && is_last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_does_is_one_emphasis_whatever_is_in_it() {
        for (text, message) in [
            ("waves", "*waves*"),
            ("waves at @bob", "*waves at @bob*"),
            ("says `a*b` and **more**", "*says `a*b` and **more***"),
            ("has _no_ idea", "*has _no_ idea*"),
            ("adds 2*3*4", "*adds 2\\*3\\*4*"),
            ("waves * twice", "*waves * twice*"),
            ("ends with \\", "*ends with \\\\*"),
            ("ends with \\\\", "*ends with \\\\*"),
            ("- lists", "*- lists*"),
            ("one\ntwo", "*one\ntwo*"),
            ("one\n\ntwo", "*one*\n\n*two*"),
            ("one\n- two", "*one\n\\- two*"),
            ("one\n# two @bob", "*one\n\\# two @bob*"),
            ("one\n```\ntwo\n```", "*one\n\\`\\`\\`\ntwo\n\\`\\`\\`*"),
            ("one\n    two", "*one\ntwo*"),
            ("*", "*\\**"),
            ("**", "*\\*\\**"),
            ("👋", "*👋*"),
        ] {
            let marked = emphasise(text);
            assert_eq!(marked, message, "{text:?}");
            for paragraph in marked.split("\n\n") {
                assert!(is_emphasis(paragraph), "{paragraph:?}");
            }
        }
    }

    #[test]
    fn a_text_of_nothing_but_marks_is_emphasised_in_time() {
        for mark in ["*", "_", "`", "[", "> ", "- ", "\\", "*a ", "<", "&#"] {
            let text = mark.repeat(16 * 1024 / mark.len());
            assert!(emphasise(&text).starts_with('*'), "{mark}");
        }
    }
}
