//! Characters whose width terminals do not agree on. The terminal here is one that knows less of them than the client.

use crate::support::{Backend, Server, Terminal, User};

/// What is on the screen without the flags and thumbs that are whole.
fn strays(screen: &str) -> String {
    let rest = screen.replace("🇩🇪", "").replace("🇫🇷", "").replace("👍🏽", "");
    rest.chars()
        .filter(|c| matches!(c, '🇦'..='🇿' | '🏻'..='🏿'))
        .collect()
}

#[test]
fn nothing_of_a_flag_stays_on_the_screen_when_it_has_gone() {
    let server = Server::start(Backend::Sqlite);
    let bob = User::register(&server, "bob");
    User::register(&server, "alice");
    let terminal = Terminal::new();
    terminal.start(&format!("tui --server {}", server.url()));
    terminal.log_in("alice");
    for _ in 0..3 {
        bob.post("flags 🇩🇪🇫🇷", None).expect(201);
        bob.post("thumb 👍🏽", None).expect(201);
    }
    terminal.shows("thumb");
    for n in 0..40 {
        bob.post(&format!("n{n}"), None).expect(201);
    }
    terminal.until("no more of the flags", |screen| {
        screen.contains("n39") && !screen.contains("thumb")
    });
    terminal.until("nothing of a flag", |screen| strays(screen).is_empty());

    terminal.type_text("typing 🇩🇪🇫🇷 flags");
    terminal.shows("flags");
    for _ in 0..8 {
        terminal.press("BSpace");
    }
    terminal.until("nothing of a flag", |screen| {
        screen.contains("│ typing") && !screen.contains('🇪') && strays(screen).is_empty()
    });
}

#[test]
fn ctrl_l_draws_the_screen_again() {
    let server = Server::start(Backend::Sqlite);
    User::register(&server, "alice");
    let terminal = Terminal::new();
    terminal.start(&format!("tui --server {}", server.url()));
    terminal.log_in("alice");
    terminal.shows("say hello");
    // Another program writes over it.
    let pane = terminal
        .tmux(&["display-message", "-p", "#{pane_tty}"])
        .stdout;
    let tty = String::from_utf8(pane).expect("a path");
    std::fs::write(tty.trim(), "\u{1b}[H\u{1b}[2JWall message").expect("writes");
    terminal.until("what the other wrote", |screen| {
        screen.contains("Wall message") && !screen.contains("say hello")
    });
    terminal.press("C-l");
    terminal.until("the chat again", |screen| {
        screen.contains("say hello") && !screen.contains("Wall message")
    });
}
