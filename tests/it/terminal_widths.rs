//! Characters whose width terminals do not agree on. The terminal here is one that knows less of them than the client.

use crate::support::{Backend, Server, Terminal, User, eventually};

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

/// What a wide character covered is no part of the row any more when the character goes.
#[test]
fn what_an_emoji_covered_does_not_come_back_when_it_scrolls_on() {
    let server = Server::start(Backend::Sqlite);
    User::register(&server, "alice");
    let terminal = Terminal::sized(80, 24);
    terminal.start(&format!("tui --server {}", server.url()));
    terminal.log_in("alice");
    terminal.write("/create repro");
    terminal.shows(" #repro  alice@");
    let written = [
        "The quick brown fox jumps",
        "party 🎉🎉🎉 time",
        "k",
        "kk",
        "kkk",
        "kkkk",
    ];
    for text in written {
        terminal.write(text);
        terminal.until("that it is stored", |screen| {
            let shown = format!("│   {text}");
            screen.lines().any(|row| row.ends_with(&shown)) && !screen.contains("not stored")
        });
    }
    let rows = || {
        let screen = terminal.screen();
        let rows = screen
            .lines()
            .map(|row| row.split('│').nth(1).unwrap_or("").trim());
        rows.map(str::to_owned).collect::<Vec<_>>()
    };
    let shown = eventually("the last message", || {
        let rows = rows();
        let first = rows.iter().position(|row| *row == written[0])?;
        let last = rows.iter().position(|row| row == "kkkk")?;
        Some(rows[first..=last].to_vec())
    });
    assert_eq!(shown, written, "{}", terminal.screen());
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
