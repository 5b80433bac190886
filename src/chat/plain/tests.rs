use std::time::Instant;

use super::*;
use crate::{chat::cases, protocol::mention::Mention};

fn plain(text: &str) -> String {
    Form::Plain.text(text.to_owned())
}

#[test]
fn marks_go_and_all_else_stays() {
    for (written, shown) in [
        ("", ""),
        ("hi", "hi"),
        (
            "**bold** and *slanted* and `code*`",
            "bold and slanted and code*",
        ),
        ("*waves*", "waves"),
        (r"¯\\\_(ツ)\_/¯", r"¯\_(ツ)_/¯"),
        ("a \\* b &amp; c", "a * b & c"),
        ("one\ntwo", "one\ntwo"),
        ("one  \ntwo", "one\ntwo"),
        ("one\r\ntwo", "one\ntwo"),
        ("one\n\n\n\ntwo", "one\n\ntwo"),
        ("# Heading\ntext", "Heading\n\ntext"),
        ("Heading\n===\ntext", "Heading\n\ntext"),
        (
            "```rust\nfn main() {\n    *x\n\n}\n```\nafter",
            "fn main() {\n    *x\n\n}\n\nafter",
        ),
        ("    indented\n    code", "indented\ncode"),
        ("[text](https://example.org)", "text (https://example.org)"),
        (
            "[**text**](https://example.org \"title\")",
            "text (https://example.org)",
        ),
        (
            "[text][1]\n\n[1]: https://example.org",
            "text (https://example.org)",
        ),
        (
            "[https://example.org](https://example.org)",
            "https://example.org",
        ),
        ("<https://example.org>", "https://example.org"),
        ("<bob@example.org>", "bob@example.org"),
        ("https://example.org/a_b_c", "https://example.org/a_b_c"),
        ("http://h/_a_/__init__.py", "http://h/_a_/__init__.py"),
        (
            "*see* https://e.org/*a*/b?x=*1*",
            "see https://e.org/*a*/b?x=*1*",
        ),
        ("**http://h/_a_**", "http://h/_a_"),
        ("http://h/_a and _b_", "http://h/_a and b"),
        ("![a cat](cat.png)", "a cat (cat.png)"),
        ("![](cat.png)", "cat.png"),
        ("[](https://example.org)", "https://example.org"),
        ("> quoted\n> more\n\nanswer", "> quoted\n> more\n\nanswer"),
        ("> one\n>\n> two", "> one\n>\n> two"),
        ("> > deep", "> > deep"),
        ("one\n\n> [two](two)", "one\n\n> two"),
        ("- one\n- two", "- one\n- two"),
        ("* one\n* two", "- one\n- two"),
        ("- one\n\n- two", "- one\n\n- two"),
        ("3. one\n4. two", "3. one\n4. two"),
        ("- one\n  - two\n- three", "- one\n  - two\n- three"),
        ("- one\n  more", "- one\n  more"),
        ("- - one", "- - one"),
        ("> - one\n> - two", "> - one\n> - two"),
        ("-\n- two", "-\n- two"),
        ("- ```\n  code\n  ```", "- code"),
        ("text\n- one\n\nend", "text\n\n- one\n\nend"),
        ("one\n\n---\n\ntwo", "one\n\n---\n\ntwo"),
        ("a <b>bold</b> word", "a <b>bold</b> word"),
        (
            "<div>\nblock\n</div>\n\nafter",
            "<div>\nblock\n</div>\n\nafter",
        ),
        ("~~gone~~ | a | b |", "~~gone~~ | a | b |"),
        ("привет **мир** 👋🏽", "привет мир 👋🏽"),
    ] {
        assert_eq!(plain(written), shown, "{written:?}");
    }
}

#[test]
fn a_mention_is_told_where_it_stands() {
    for (written, shown, places) in [
        ("**@alice** hi", "@alice hi", vec![(2, 8, 0, 6)]),
        ("`x` @alice", "x @alice", vec![(4, 10, 2, 8)]),
        (
            "👍 *@bob* & @alice",
            "👍 @bob & @alice",
            vec![(3, 7, 2, 6), (11, 17, 9, 15)],
        ),
        (
            "> - @bob\n> - *@bob*",
            "> - @bob\n> - @bob",
            vec![(4, 8, 4, 8), (14, 18, 13, 17)],
        ),
        (
            "[@bob](x) @a_b",
            "@bob (x) @a_b",
            vec![(1, 5, 0, 4), (10, 14, 9, 13)],
        ),
        ("one\r\n@bob", "one\n@bob", vec![(5, 9, 4, 8)]),
    ] {
        let mut message = Message {
            content: written.into(),
            mentions: places
                .iter()
                .map(|(from, to, ..)| Mention {
                    from: *from,
                    to: *to,
                    ..Mention::default()
                })
                .collect(),
            ..Message::default()
        };
        Form::Plain.show(&mut message);
        assert_eq!(message.content, shown);
        let told: Vec<_> = message
            .mentions
            .iter()
            .map(|one| (one.from, one.to))
            .collect();
        let wanted: Vec<_> = places.iter().map(|(.., from, to)| (*from, *to)).collect();
        assert_eq!(told, wanted, "{written:?}");
    }
}

#[test]
fn every_mention_that_is_found_is_shown_as_it_was_written() {
    for fields in cases::of_kind("mention") {
        let content: String = fields[0].chars().filter(|c| !"⟦⟧".contains(*c)).collect();
        let found = super::super::mentions::find(&content);
        let plain = Plain::of(&content);
        for one in found {
            let bare = one.word.trim_end_matches(['_', '-']).len();
            let to = one.from + 1 + u32::try_from(bare).expect("short");
            let place = plain.place_of(&content, one.from, to);
            let (from, to) = place.unwrap_or_else(|| panic!("{content:?}: {plain:?}"));
            let shown = plain.text.chars().skip(from as usize);
            let shown: String = shown.take((to - from) as usize).collect();
            assert_eq!(
                shown.to_lowercase(),
                format!("@{}", &one.word[..bare]),
                "{content:?}"
            );
        }
    }
}

#[test]
fn hostile_texts_are_shown_in_time_and_within_bounds() {
    const LONG: usize = 16 * 1024;
    let begin = Instant::now();
    let deep = "> ".repeat(LONG / 4) + "a\n";
    let link = format!("[a]: /{}\n\n", "x".repeat(LONG / 2));
    let short = format!("[a]: /{}\n\n", "x".repeat(LONG / 16));
    for (before, part) in [
        ("", "*"),
        ("", "_"),
        ("", "**a "),
        ("", "*a_"),
        ("", "["),
        ("", "]"),
        ("", "[a]("),
        ("", "![["),
        ("", "`"),
        ("", "`a``"),
        ("", "> "),
        ("", ">"),
        ("", "- "),
        ("", "1. "),
        ("", "<"),
        ("", "<!--"),
        ("", "&#"),
        ("", "&amp;"),
        ("", "\\"),
        ("", "\n"),
        ("", "- a\n"),
        ("", "a\n\n"),
        ("", "[a][a] "),
        (
            "> > > > > > > > > > > > > > > > > > > > > > > > > > > > > > > > a",
            "\na",
        ),
        (&deep, "a\n"),
        (&link, "[a] "),
        (&link, "![a]"),
        (&short, "[a] "),
        (&short, "![a]"),
    ] {
        let mut text = before.to_owned();
        while text.len() + part.len() <= LONG {
            text.push_str(part);
        }
        let shown = plain(&text);
        // As docs/API.md has it.
        let most = 2 * text.len() + 1_024;
        assert!(shown.len() <= most, "{part:?}: {}", shown.len());
    }
    // In a debug build, of everything.
    assert!(begin.elapsed().as_secs() < 20, "{:?}", begin.elapsed());
}

#[test]
fn what_a_room_says_of_itself_is_no_markdown() {
    let mut message = Message {
        content: "alice set the topic to *tea*".into(),
        kind: Kind::System,
        ..Message::default()
    };
    Form::Plain.show(&mut message);
    assert_eq!(message.content, "alice set the topic to *tea*");
}

#[test]
fn only_forms_that_there_are_can_be_asked_for() {
    assert_eq!(Form::read(None), Ok(Form::Markdown));
    assert_eq!(Form::read(Some("markdown")), Ok(Form::Markdown));
    assert_eq!(Form::read(Some("plain")), Ok(Form::Plain));
    for other in ["", "Plain", "html"] {
        assert!(Form::read(Some(other)).is_err(), "{other}");
    }
}
