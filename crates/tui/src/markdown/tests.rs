//! Texts, and what they look like.

use proptest::prelude::*;

use super::*;
use crate::text::tests::nasty;

fn shown(content: &str, width: usize) -> Vec<String> {
    let rows = rows(content, &[], 1, width).into_iter();
    rows.map(|row| row.spans.iter().map(|span| &*span.content).collect())
        .collect()
}

/// The pieces of a text that have this modifier.
fn with(content: &str, modifier: Modifier) -> Vec<String> {
    let rows = rows(content, &[], 1, 80);
    let spans = rows.iter().flat_map(|row| &row.spans);
    let spans = spans.filter(|span| span.style.add_modifier.contains(modifier));
    spans.map(|span| span.content.to_string()).collect()
}

#[test]
fn markdown_looks_like_what_it_says() {
    for (written, rows) in [
        ("plain", &["plain"][..]),
        ("two\nlines", &["two", "lines"]),
        ("two\n\n\nparagraphs", &["two", "", "paragraphs"]),
        ("- one\n- two\n  more", &["• one", "• two", "  more"]),
        ("so:\n1. one\n2. two", &["so:", "1. one", "2. two"]),
        ("- a\n  - b\n- c", &["• a", "  • b", "• c"]),
        (
            "> quoted\n> twice\n\nmine",
            &["│ quoted", "│ twice", "", "mine"],
        ),
        ("# Title\ntext", &["Title", "text"]),
        ("[here](https://a.example)", &["here <https://a.example>"]),
        ("<https://a.example>", &["https://a.example"]),
        (
            "[https://a.example](https://b.example)",
            &["https://a.example <https://b.example>"],
        ),
        (
            "![a cat](https://a.example/cat.png)",
            &["a cat <https://a.example/cat.png>"],
        ),
        ("`a * b` and \\*", &["a * b and *"]),
        ("```sh\nls -l\n\n  x\n```", &["▏ ls -l", "▏ ", "▏   x"]),
        ("<b>bold</b>", &["<b>bold</b>"]),
        ("a &amp; b", &["a & b"]),
        // What is only defined is shown as it was written.
        ("[a]: https://a.example", &["[a]: https://a.example"]),
        ("***", &["────────"]),
        ("*", &["• "]),
        ("", &[""]),
        ("  ", &["  "]),
        ("1986. A year", &["1986. A year"]),
        ("snake_case_name", &["snake_case_name"]),
    ] {
        let wanted: Vec<String> = rows.iter().map(|row| (*row).to_owned()).collect();
        let found = shown(written, 60);
        let found: Vec<_> = found.iter().map(|row| row.trim_end().to_owned()).collect();
        let wanted: Vec<_> = wanted.iter().map(|row| row.trim_end().to_owned()).collect();
        assert_eq!(found, wanted, "{written:?}");
    }
    assert_eq!(with("a **b** *c*", Modifier::BOLD), ["b"]);
    assert_eq!(with("a **b** *c*", Modifier::ITALIC), ["c"]);
    assert_eq!(with("a ~~b~~ c", Modifier::CROSSED_OUT), ["b"]);
}

#[test]
fn an_address_is_shown_as_it_is_written() {
    for address in [
        "http://example.com/_foo_/bar",
        "http://h/__init__.py#L16",
        "https://x.org/*a*/b",
        "HTTPS://x.org/**a**/b",
        "https://x.org/~~a~~/~b~/c",
        "https://x.org/a_(_b_)_c",
        "https://x.org/?a=1&lt;=2&amp=3",
        "http://h/_a and http://h/b_/c",
        "http://[::1]:8000/*a*/b",
    ] {
        for (before, after) in [("", ""), ("see ", " there"), ("(", ")"), ("- ", ".")] {
            let whole = format!("{before}{address}{after}");
            let wanted = whole.replace("- ", "• ");
            assert_eq!(shown(&whole, 80), [wanted]);
            assert_eq!(with(&whole, Modifier::ITALIC), [""; 0], "{whole}");
        }
        let whole = format!("**{address}**, *so*");
        assert_eq!(shown(&whole, 80), [format!("{address}, so")]);
        assert_eq!(with(&whole, Modifier::BOLD), [address]);
        assert_eq!(with(&whole, Modifier::ITALIC), ["so"]);
    }
    // What is beside one is emphasised, and what only looks like one.
    for written in [
        "*a* http://h/_b_",
        "http://h *a*",
        "(http://h)*a*",
        "[x](http://h)*a*",
        "<http://h>*a*",
        "`http://h`*a*",
        "http://*a*",
        "xhttp://h/*a*/",
    ] {
        assert_eq!(with(written, Modifier::ITALIC), ["a"], "{written}");
    }
    // Whatever is lost of an emphasis, nothing is lost of the text.
    assert_eq!(shown("_so http://h/b_/c_", 80), ["_so http://h/b_/c_"]);
}

#[test]
fn code_has_colours_where_its_language_is_named() {
    let colours = |written: &str| {
        let rows = rows(written, &[], 1, 80);
        let spans = rows[0].spans.iter().skip(1);
        let spans = spans.map(|span| (span.content.to_string(), span.style.fg));
        spans.collect::<Vec<_>>()
    };
    let one = colours("```\nlet x = 5;\n```");
    assert_eq!(one.len(), 1, "{one:?}");
    let rust = colours("```rust\nlet x = \"a\"; // why\n```");
    let of = |text: &str| {
        rust.iter()
            .find(|(piece, _)| piece.contains(text))
            .expect("it")
            .1
    };
    let (word, name) = (of("let"), of("x"));
    assert!(
        word != name && of("\"a\"") != name && of("why") != name,
        "{rust:?}"
    );
}

#[test]
fn a_mention_of_the_user_stands_out() {
    let content = "hé @alice and @bob: `@alice`";
    let mention = |user_id, from, to| Mention {
        user_id: Some(user_id),
        from,
        to,
        ..Mention::default()
    };
    let rows = rows(content, &[mention(1, 3, 9), mention(2, 14, 18)], 1, 80);
    let reversed = rows[0]
        .spans
        .iter()
        .filter(|span| span.style.add_modifier.contains(Modifier::REVERSED));
    let reversed: Vec<_> = reversed.map(|span| span.content.to_string()).collect();
    assert_eq!(reversed, ["@alice"]);
    let bob = rows[0].spans.iter().find(|span| span.content == "@bob");
    assert!(bob.is_some_and(|span| span.style.add_modifier == Modifier::BOLD));
}

proptest! {
    /// Whatever is written, and however narrow the window: nothing that a terminal would obey, no row too long, no panic,
    /// and no word lost.
    #[test]
    fn any_text_is_safe_and_whole(
        parts in proptest::collection::vec(prop_oneof![
            nasty(),
            Just("**".to_owned()), Just("`".to_owned()), Just("```\n".to_owned()), Just("\n> ".to_owned()),
            Just("\n- ".to_owned()), Just("\n1. ".to_owned()), Just("[x](".to_owned()), Just(")".to_owned()),
            Just("<b>".to_owned()), Just("\n\n".to_owned()), Just("    ".to_owned()), Just("word".to_owned()),
            Just("http://h/".to_owned()), Just("_".to_owned()), Just("~~".to_owned()), Just("*".to_owned()),
        ], 0..12),
        width in 1_usize..60,
        places in proptest::collection::vec((0_u32..60, 0_u32..60), 0..3),
    ) {
        let content = parts.concat();
        let mentions: Vec<_> = places.iter().map(|(from, to)| Mention {
            user_id: Some(1),
            from: *from,
            to: *to,
            ..Mention::default()
        }).collect();
        let rows = rows(&content, &mentions, 1, width);
        prop_assert!(!rows.is_empty());
        for row in &rows {
            let text: String = row.spans.iter().map(|span| &*span.content).collect();
            prop_assert!(!text.chars().any(char::is_control), "{:?} of {:?}", text, content);
            prop_assert!(!text.contains('\u{202e}'), "{:?} of {:?}", text, content);
        }
        let whole = super::rows(&content, &mentions, 1, 100_000);
        let whole = whole.iter().flat_map(|row| &row.spans).map(|span| &*span.content);
        let words = whole.collect::<String>().matches("word").count();
        // What stands behind the beginning of a fence is the language of code, which is not shown.
        let is_fence = |line: &&str| {
            let line = line.trim_start_matches([' ', '>', '-', '1', '.']);
            line.starts_with("```") || line.starts_with("~~~")
        };
        let shown = content.lines().filter(|line| !is_fence(line));
        let wanted: usize = shown.map(|line| line.matches("word").count()).sum();
        prop_assert!(words >= wanted, "{:?}", content);
    }
}
