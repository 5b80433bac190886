//! What is a mention and what is not: a text a line, in which what is to be found stands between `⟦` and `⟧`.

use super::*;

/// Words and punctuation.
const PLAIN: &[&str] = &[
    "",
    "@",
    "@@",
    "no one",
    "⟦@alice⟧",
    "⟦@alice⟧ hello",
    "hello ⟦@alice⟧",
    "hello ⟦@alice⟧ and goodbye",
    "⟦@alice⟧ ⟦@bob⟧",
    "⟦@alice⟧⟦⟧",
    "⟦@alice⟧ ⟦@alice⟧ ⟦@alice⟧",
    "⟦@alice⟧, ⟦@bob⟧ and ⟦@carol⟧!",
    "⟦@alice⟧. New sentence",
    "⟦@alice⟧...",
    "⟦@alice⟧… well",
    "⟦@alice⟧!",
    "⟦@alice⟧?!",
    "⟦@alice⟧: look",
    "⟦@alice⟧:look",
    "⟦@alice⟧; look",
    "(⟦@alice⟧)",
    "[⟦@alice⟧]",
    "{⟦@alice⟧}",
    "\"⟦@alice⟧\"",
    "'⟦@alice⟧'",
    "„⟦@alice⟧“",
    "«⟦@alice⟧»",
    "<⟦@alice⟧>",
    "⟦@alice⟧'s book",
    "⟦@alice⟧’s book",
    "cc:⟦@alice⟧",
    "cc ⟦@alice⟧,⟦@bob⟧;⟦@carol⟧",
    "⟦@alice⟧/⟦@bob⟧",
    "⟦@alice⟧/⟦@bob⟧/⟦@carol⟧",
    "⟦@alice⟧ / ⟦@bob⟧",
    "⟦@alice⟧+⟦@bob⟧",
    "⟦@alice⟧&⟦@bob⟧",
    "⟦@alice⟧|⟦@bob⟧",
    "=⟦@alice⟧=",
    "#⟦@alice⟧",
    "~⟦@alice⟧~",
    "!⟦@alice⟧",
    "- ⟦@alice⟧",
    "--⟦@alice⟧",
    "—⟦@alice⟧—",
    "hi\t⟦@alice⟧\tthere",
    "hi\n⟦@alice⟧\nthere",
    "hi\r\n⟦@alice⟧\r\nthere",
    "hi\u{a0}⟦@alice⟧\u{a0}there",
    "hi\u{2003}⟦@alice⟧",
    "⟦@room⟧ lunch",
    "⟦@here⟧ lunch",
    "⟦@ROOM⟧ and ⟦@Here⟧",
    "⟦@ALICE⟧",
    "⟦@Alice-B⟧",
    "⟦@a1_b-2⟧",
    "⟦@7of9⟧",
    "⟦@123⟧",
];

/// Inside words, addresses and names of other things.
const INSIDE: &[&str] = &[
    "alice@bob",
    "alice@example.org",
    "write to alice@example.org, please",
    "alice.b@example.org",
    "alice+tag@example.org",
    "alice_b@example.org",
    "alice-@example.org",
    "a%b@example.org",
    "<alice@example.org>",
    "mailto:alice@example.org",
    "mailto:@alice",
    "9@alice",
    "é@alice",
    "ж@alice",
    "x.@alice",
    "x-@alice",
    "x_@alice",
    "@@alice",
    "@alice@example.org",
    "@alice@bob",
    "@alice.example.org",
    "@alice.b",
    "@alice:example.org",
    "@alice:matrix.example.org, hello",
    "@alice/package",
    "npm i @alice/tools",
    "/@alice",
    "a/@alice",
    "example.org/@alice",
    "@ alice",
    "@\nalice",
    "@.alice",
    "@*alice*",
    "@\u{200b}alice",
    "@\u{ad}alice",
    "＠alice",
    "﹫alice",
    "@élise",
    "@aliceé",
    "@aliceж",
    "@alice\u{301}",
    "@aliceα",
    "@alice٣",
    "@аlice",
    "\\@alice",
    "\\\\\\@alice",
    "\\\\⟦@alice⟧",
    "&commat;alice",
    "$alice@bob",
];

/// Addresses of pages, and Markdown's links.
const LINKS: &[&str] = &[
    "https://example.org/@alice",
    "https://example.org/@alice/1 and ⟦@bob⟧",
    "see http://x.example/?q=@alice&b=@bob",
    "ftp://u:p@alice",
    "ssh://git@alice/repo",
    "git+ssh://@alice",
    "www.example.org/@alice",
    "<https://example.org/@alice>",
    "(https://example.org/@alice)",
    "(https://example.org/@alice) ⟦@bob⟧",
    "https://example.org/ ⟦@alice⟧",
    "https://example.org/\n⟦@alice⟧",
    "⟦@alice⟧ https://example.org/@bob",
    "[⟦@alice⟧](https://example.org)",
    "[text](https://example.org/@alice)",
    "[text](/@alice)",
    "[text](@alice)",
    "[text](<@alice>)",
    "[text](x \"@alice\")",
    "![⟦@alice⟧](x.png)",
    "![x](@alice.png)",
    "[⟦@alice⟧][1]\n\n[1]: https://example.org/@bob",
    "[1]: /@alice\n\n⟦@bob⟧",
    "[x][⟦@alice⟧]",
    "https://example.org\"⟦@alice⟧",
];

/// Marks and blocks of Markdown.
const MARKS: &[&str] = &[
    "**⟦@alice⟧**",
    "*⟦@alice⟧*",
    "_⟦@alice⟧_",
    "__⟦@alice⟧__",
    "***⟦@alice⟧***",
    "~~⟦@alice⟧~~",
    "**hi ⟦@alice⟧**",
    "_hi ⟦@alice⟧_",
    "# ⟦@alice⟧",
    "## hi ⟦@alice⟧",
    "> ⟦@alice⟧ said",
    "> > ⟦@alice⟧",
    "* ⟦@alice⟧",
    "1. ⟦@alice⟧",
    "- [ ] ⟦@alice⟧",
    "- one\n\n    ⟦@alice⟧ in the list",
    "- one\n  - ⟦@alice⟧",
    "⟦@alice⟧\n===",
    "| ⟦@alice⟧ | ⟦@bob⟧ |",
    "hi\n    ⟦@alice⟧ goes on",
    "<b>⟦@alice⟧</b>",
    "<div>⟦@alice⟧</div>",
    "a\n***\n⟦@alice⟧",
];

/// Code.
const CODE: &[&str] = &[
    "`@alice`",
    "`hi @alice`",
    "`@alice` ⟦@bob⟧",
    "``@alice``",
    "``a ` @alice``",
    "```@alice```",
    "`@alice\n@bob`",
    "⟦@alice⟧ `",
    "` ⟦@alice⟧",
    "`` ⟦@alice⟧ `",
    "\\`⟦@alice⟧\\`",
    "\\`⟦@alice⟧`",
    "`a` ⟦@alice⟧ `b`",
    "`a\\` ⟦@alice⟧",
    "```\n@alice\n```",
    "```\n@alice",
    "```rust\n@alice\n```\n⟦@bob⟧",
    "~~~\n@alice\n~~~",
    "~~~\n@alice\n```\n@bob\n~~~\n⟦@carol⟧",
    "````\n```\n@alice\n```\n````",
    "   ```\n@alice\n   ```",
    "> ```\n> @alice\n> ```",
    "> ```\n> @alice\n\n⟦@bob⟧",
    "- ```\n  @alice\n  ```",
    "    @alice",
    "\t@alice",
    "hi\n\n    @alice\n\nand ⟦@bob⟧",
    "    code\n\n    @alice",
    "```\n``⟦⟧",
    "one `two\n\nthree` ⟦@alice⟧",
];

/// Other scripts and emoji.
const SCRIPTS: &[&str] = &[
    "привет ⟦@alice⟧, как дела",
    "γεια ⟦@alice⟧",
    "שלום ⟦@alice⟧",
    "مرحبا ⟦@alice⟧",
    "\u{200f}⟦@alice⟧\u{200f} שלום",
    "你好⟦@alice⟧请看",
    "你好，⟦@alice⟧。",
    "「⟦@alice⟧」",
    "⟦@alice⟧さん",
    "⟦@alice⟧様、お願い",
    "⟦@alice⟧님 안녕",
    "안녕⟦@alice⟧",
    "สวัสดี⟦@alice⟧ครับ",
    "नमस्ते ⟦@alice⟧",
    "👍⟦@alice⟧",
    "⟦@alice⟧👍",
    "👩‍👩‍👧 ⟦@alice⟧ 👩‍👩‍👧 ⟦@bob⟧",
    "🇩🇪⟦@alice⟧🇩🇪",
    "e\u{301} ⟦@alice⟧",
    "𝒳 ⟦@alice⟧",
];

fn case(marked: &str) -> (String, Vec<(u32, String)>) {
    let (mut text, mut wanted, mut count) = (String::new(), Vec::new(), 0);
    let mut open: Option<(u32, usize)> = None;
    for c in marked.chars() {
        match c {
            '⟦' => open = Some((count, text.len())),
            '⟧' => {
                let (from, start) = open.take().expect("it is open");
                if text.len() > start {
                    wanted.push((from, text[start + 1..].to_ascii_lowercase()));
                }
            }
            c => {
                text.push(c);
                count += 1;
            }
        }
    }
    (text, wanted)
}

#[test]
fn mentions_are_found_where_people_see_them() {
    let tables = [PLAIN, INSIDE, LINKS, MARKS, CODE, SCRIPTS];
    let cases: Vec<&str> = tables.concat();
    assert!(cases.len() >= 200, "{}", cases.len());
    let mut wrong = Vec::new();
    for marked in cases {
        let (text, wanted) = case(marked);
        let bare = |one: Candidate| {
            let word = one.word.trim_end_matches(['_', '-']).to_owned();
            (one.from, word)
        };
        let found: Vec<_> = find(&text).into_iter().map(bare).collect();
        if found != wanted {
            wrong.push(format!("{marked:?}: {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_text_of_nothing_but_mentions_ends_somewhere() {
    let text = "@a ".repeat(10_000);
    assert_eq!(find(&text).len(), MOST);
    for nested in ["[", "*", "`", "> ", "@", "@a/", "<", "(["] {
        let text = nested.repeat(8_000);
        assert!(find(&(text + "@a")).len() <= MOST, "{nested}");
    }
    assert_eq!(find(&format!("@{}", "a".repeat(5_000))), []);
}
