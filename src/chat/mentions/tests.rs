//! What is a mention and what is not: by the cases in `tests/fixtures/parsing.tsv`.

use super::*;
use crate::chat::cases;

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
    let cases = cases::of_kind("mention");
    assert!(cases.len() >= 200, "{}", cases.len());
    let mut wrong = Vec::new();
    for fields in cases {
        let marked = &fields[0];
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

/// Each address is looked at once, however many begin in it.
#[test]
fn a_text_of_addresses_is_read_in_the_time_of_its_length() {
    for address in ["www.", "a://", "mailto:", "www.a://", "a+"] {
        let text = format!("@alice {}", address.repeat(4_000_000 / address.len()));
        // With each of them followed to the end, this would take minutes.
        assert_eq!(find(&text).len(), 1, "{address}");
    }
}
