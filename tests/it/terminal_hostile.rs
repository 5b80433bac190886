//! What is made to do harm in a browser does none in a terminal either: the list is the one that the story in a browser reads.

use std::fs;

use crate::support::{Backend, Server, Terminal, User, eventually, root};

/// Turns the text around it, or hides.
fn is_bidi(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[test]
fn hostile_texts_are_texts_in_a_terminal() {
    let list = fs::read_to_string(root().join("tests/hostile/contents.json")).expect("a list");
    let list: Vec<String> = serde_json::from_str(&list).expect("texts");
    assert!(list.len() >= 250);
    let server = Server::start(Backend::Sqlite);
    let bob = User::register(&server, "bob");
    User::register(&server, "alice");
    let terminal = Terminal::new();
    terminal.start(&format!("tui --server {}", server.url()));
    terminal.log_in("alice");
    let title = || terminal.tmux(&["display-message", "-p", "#{pane_title}"]);
    let before = title().stdout;
    let mut refused = 0;
    for (n, texts) in list.chunks(25).enumerate() {
        for text in texts {
            // Some the server does not take.
            refused += usize::from(bob.post(text, None).status != 201);
        }
        bob.post(&format!("so far {n}"), None).expect(201);
        let screen = terminal.shows(&format!("so far {n}"));
        assert!(screen.contains("● connected"), "{screen}");
        assert!(!screen.chars().any(is_bidi), "{screen}");
    }
    assert!(refused < 10, "{refused} were not taken");
    assert_eq!(title().stdout, before, "the title was changed");
    terminal.write("still here");
    terminal.shows("still here");
    // Whoever leaves before it is stored is asked once more.
    eventually("it is stored", || {
        let latest = bob.history().pop();
        latest.filter(|it| it["content"] == "still here")
    });
    terminal.press("PageUp");
    assert!(!terminal.screen().chars().any(is_bidi));
}
