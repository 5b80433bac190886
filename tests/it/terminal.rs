//! The terminal client in a real terminal, typed into as people type.

use std::{os::unix::fs::PermissionsExt as _, path::Path};

use serde_json::{Value, json};

use crate::support::{BINARY, Backend, PASSWORD, Server, Terminal, User, eventually, run};

on_both![a_chat_in_a_terminal];

/// Registers, sends, receives, scrolls, and sees the server die and come back with nothing missing.
fn a_chat_in_a_terminal(backend: Backend) {
    let mut server = Server::start(backend);
    let bob = User::register(&server, "bob");
    let terminal = Terminal::new();
    terminal.start(&format!("tui --server {}", server.url()));
    terminal.shows("Register");
    terminal.press("C-r");
    terminal.shows("password: 8 or more");
    terminal.write("alice");
    terminal.type_text(PASSWORD);
    let form = terminal.shows("••••••••");
    assert!(form.contains("alice") && !form.contains(PASSWORD), "{form}");
    terminal.press("Enter");
    terminal.shows("● connected");
    terminal.shows("Nobody has written in #general yet");

    terminal.write("hello from the terminal");
    terminal.until("that it is stored", |screen| {
        screen.contains("hello from the terminal") && !screen.contains("not stored yet")
    });
    // The screen may have shown it in the input line still.
    eventually("the message is stored", || {
        (contents(&bob.history()) == ["hello from the terminal"]).then_some(())
    });

    let socket = bob.connect();
    terminal.shows("bob is here");
    terminal.shows("All online: 2");
    socket.close();
    terminal.shows("bob is offline");
    bob.post("\u{1b}[2J\u{1b}]0;owned\u{7}and \u{202e}txt.exe", None)
        .expect(201);
    terminal.shows(r"␛[2J␛]0;owned␇and \u{202e}txt.exe");

    for n in 1..=150 {
        bob.post(&format!("line {n}."), None).expect(201);
    }
    terminal.shows("line 150.");
    terminal.until("the beginning, after scrolling", |screen| {
        terminal.press("PageUp");
        screen.contains("This is where #general begins.") && screen.contains("hello from")
    });
    bob.post("news", None).expect(201);
    terminal.shows("1 new message below");
    terminal.press("End");
    terminal.shows("news");

    server.kill9();
    terminal.shows("reconnecting in");
    terminal.write("written while it was away");
    terminal.shows("1 waiting to be sent");
    // Held, so that it cannot be back before these are written.
    terminal.signal("STOP");
    server.start_again();
    for n in 1..=5 {
        bob.post(&format!("after {n}."), None).expect(201);
    }
    terminal.signal("CONT");
    let last = "written while it was away";
    let screen = terminal.until("everything after the return", |screen| {
        screen.contains("● connected")
            && screen.contains("after 5.")
            && !screen.contains("not stored yet")
    });
    for text in [
        "after 1.", "after 2.", "after 3.", "after 4.", "after 5.", last,
    ] {
        assert_eq!(screen.matches(text).count(), 1, "{text} in\n{screen}");
    }
    // What is on the screen is what is in history, in its order.
    let mut rest = screen.as_str();
    for content in contents(&bob.history()).iter().rev().take(6).rev() {
        let at = rest.find(content.as_str());
        rest = &rest[at.unwrap_or_else(|| panic!("{content} is out of order in\n{screen}"))..];
    }
    terminal.write("/quit");
    terminal.shows("ended with 0");
}

pub(crate) fn contents(messages: &[Value]) -> Vec<String> {
    let content = |message: &Value| message["content"].as_str().expect("a text").to_owned();
    messages.iter().map(content).collect()
}

/// The files in which logins are kept.
pub(crate) fn kept_logins(home: &Path) -> Vec<std::path::PathBuf> {
    let Ok(dir) = std::fs::read_dir(home.join("state/parlour/logins")) else {
        return Vec::new();
    };
    dir.map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "json"))
        .collect()
}

#[test]
fn a_login_is_kept_for_the_next_start_and_forgotten_by_logout() {
    let server = Server::start(Backend::Sqlite);
    let alice = User::register(&server, "alice");
    let terminal = Terminal::new();
    let command = format!("tui --server {}", server.url());
    terminal.start(&command);
    terminal.log_in("alice");
    let kept = kept_logins(terminal.home.path());
    assert_eq!(kept.len(), 1, "{kept:?}");
    let mode = kept[0].metadata().expect("is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let text = std::fs::read_to_string(&kept[0]).expect("reads");
    assert!(!text.contains(PASSWORD));
    let tokens: Value = serde_json::from_str(&text).expect("JSON");
    terminal.write("/quit");
    terminal.shows("ended with 0");
    terminal.start(&command);
    terminal.shows("● connected");
    terminal.write("/logout");
    terminal.shows("You are logged out.");
    eventually("the login is forgotten here", || {
        kept_logins(terminal.home.path()).is_empty().then_some(())
    });
    eventually("the login is ended on the server", || {
        let refresh = json!({"refresh_token": tokens["refresh_token"]});
        let answer = server.http().post("/api/auth/refresh", &refresh);
        (answer.status == 401).then_some(())
    });
    assert_eq!(alice.http().get("/api/rooms/general/messages").status, 200);
}

#[test]
fn logging_out_from_a_server_that_is_gone_says_that_it_was_not_told() {
    let mut server = Server::start(Backend::Sqlite);
    User::register(&server, "alice");
    let terminal = Terminal::new();
    terminal.start(&format!("tui --server {}", server.url()));
    terminal.log_in("alice");
    server.kill9();
    terminal.shows("reconnecting in");
    terminal.write("/logout");
    terminal.shows("sign-out");
    assert!(kept_logins(terminal.home.path()).is_empty());
}

/// Registers, writes, mistypes a command, reads the help to its end and leaves, in a terminal of this size.
fn an_evening_in_a_terminal(columns: u16, rows: u16) {
    let server = Server::start(Backend::Sqlite);
    let bob = User::register(&server, "bob");
    bob.post("family 👩\u{200d}👩\u{200d}👧", None).expect(201);
    bob.post("می\u{200c}خواهم", None).expect(201);
    let terminal = Terminal::sized(columns, rows);
    terminal.start(&format!("tui --server {}", server.url()));
    terminal.shows("Log in");
    let hidden = |screen: &str| assert!(!screen.contains("correct"), "{screen}");
    // Tab goes on to the password, which is never typed in clear; Shift+Tab goes back.
    terminal.type_text("alic");
    terminal.press("Tab");
    terminal.type_text(PASSWORD);
    hidden(&terminal.shows("••••"));
    terminal.press("BTab");
    terminal.type_text("e");
    hidden(&terminal.shows("alice"));
    terminal.press("Tab");
    terminal.press("Enter");
    terminal.says("Incorrect username or password");
    terminal.press("C-r");
    terminal.type_text(PASSWORD);
    hidden(&terminal.shows("••••"));
    terminal.press("Enter");
    let screen = terminal.shows("connected");
    let url = server.url();
    let (_, port) = url.rsplit_once(':').expect("a port");
    assert!(screen.contains(&format!(":{port}")), "{screen}");
    let screen = terminal.until("bob's words", |screen| screen.contains("خواهم"));
    assert!(!screen.contains("\\u{"), "{screen}");

    terminal.write("/dance with me");
    terminal.says("There is no command /dance: /help lists them. To send a line that starts with /, write //.");
    terminal.says("/dance with me");
    terminal.press("Home");
    terminal.write("/");
    terminal.until("that it is stored", |screen| {
        screen.contains("/dance with me") && !screen.contains("//dance")
    });
    terminal.paste("pasted in\ntwo lines");
    terminal.press("Enter");
    eventually("what was typed and pasted is stored", || {
        let stored = contents(&bob.history());
        (stored[2..] == ["/dance with me", "pasted in\ntwo lines"]).then_some(())
    });

    terminal.write("/help");
    terminal.shows("Help");
    // Its end is what the server's last command does, as soon as the server has told of it; a page less does not show it.
    terminal.until("the help to its end", |_| {
        terminal.press("End");
        terminal.words().contains("`/status` alone shows it.")
    });
    terminal.press("PageUp");
    terminal.until("what stands before the end", |_| {
        !terminal.words().contains("alone shows it.")
    });
    terminal.press("PageDown");
    terminal.says("`/status` alone shows it.");
    terminal.press("Escape");
    terminal.until("the help is closed", |screen| !screen.contains("Help"));
    terminal.write("/quit");
    terminal.says("ended with 0");
}

#[test]
fn people_type_read_and_paste_in_a_terminal_of_30_by_8() {
    an_evening_in_a_terminal(30, 8);
}

#[test]
fn people_type_read_and_paste_in_a_terminal_of_40_by_12() {
    an_evening_in_a_terminal(40, 12);
}

#[test]
fn people_type_read_and_paste_in_a_terminal_of_80_by_24() {
    an_evening_in_a_terminal(80, 24);
}

#[test]
fn people_type_read_and_paste_in_a_terminal_of_200_by_50() {
    an_evening_in_a_terminal(200, 50);
}

#[test]
fn that_a_message_is_not_stored_is_said_until_it_is() {
    let server = Server::start(Backend::Sqlite);
    User::register(&server, "alice");
    let terminal = Terminal::new();
    terminal.start(&format!("tui --server {}", server.url()));
    terminal.log_in("alice");
    server.signal("STOP");
    terminal.write("important");
    terminal.write("/quit");
    terminal.says("1 message is not stored");
    server.signal("CONT");
    terminal.until("that it is stored", |screen| {
        screen.contains("important") && !screen.contains("not stored")
    });
}

/// With and without a signal that says so.
#[test]
fn closing_the_terminal_ends_the_client_quietly() {
    let server = Server::start(Backend::Sqlite);
    User::register(&server, "alice");
    for session in ["", "setsid --wait "] {
        let terminal = Terminal::new();
        let (url, home) = (server.url(), terminal.home.path().display());
        terminal.run(&format!(
            "trap '' HUP; {session}'{}' tui --server {url} 2>{home}/said; echo $? >{home}/code",
            *BINARY
        ));
        terminal.log_in("alice");
        terminal.tmux(&["kill-server"]);
        let code = eventually("the client has ended", || {
            let code = std::fs::read_to_string(terminal.home.path().join("code")).ok()?;
            code.ends_with('\n').then_some(code)
        });
        assert_eq!(code.trim(), "0", "{session}");
        let said = std::fs::read_to_string(terminal.home.path().join("said")).expect("reads");
        assert_eq!(said, "", "{session}");
    }
}

#[test]
fn the_errors_of_the_server_are_shown_in_the_form() {
    let server = Server::start(Backend::Sqlite);
    User::register(&server, "alice");
    let terminal = Terminal::new();
    terminal.start(&format!("tui --server {}", server.url()));
    terminal.shows("Log in");
    terminal.write("alice");
    terminal.write("not the password");
    terminal.shows("Incorrect username or password");
    terminal.write(PASSWORD);
    terminal.shows("● connected");
}

#[test]
fn a_signal_gives_the_terminal_back() {
    let server = Server::start(Backend::Sqlite);
    let terminal = Terminal::new();
    terminal.start(&format!("tui --server {}", server.url()));
    terminal.shows("Log in");
    terminal.signal("TERM");
    let screen = terminal.shows("ended with 0");
    assert!(!screen.contains("Log in"), "{screen}");
}

/// Quotes take two bytes each in a frame.
#[test]
fn a_message_that_fits_no_frame_is_said_to_be_too_large_and_does_not_cut_the_line() {
    let server = Server::with(Backend::Sqlite)
        .env("MAX_CONTENT_BYTES", 1_000)
        .env("MAX_FRAME_BYTES", 1_512)
        .start();
    let bob = User::register(&server, "bob");
    User::register(&server, "alice");
    let terminal = Terminal::new();
    terminal.start(&format!("tui --server {}", server.url()));
    terminal.log_in("alice");
    terminal.write(&"\"".repeat(900));
    terminal.says("with its quotes, line breaks and control characters: at most 1512 are taken");
    terminal.press("C-u");
    terminal.until("an empty input", |screen| !screen.contains("\"\"\""));
    terminal.write("a short one");
    eventually("the short one is stored", || {
        (contents(&bob.history()) == ["a short one"]).then_some(())
    });
    let screen = terminal.shows("a short one");
    assert!(screen.contains("● connected") && !screen.contains("not stored"));
    let log = server.log();
    assert_eq!(log.matches("GET /ws/chat 101").count(), 1, "{log}");
}

#[test]
fn keys_go_by_whole_characters_of_many_code_points() {
    let server = Server::start(Backend::Sqlite);
    let bob = User::register(&server, "bob");
    User::register(&server, "alice");
    let terminal = Terminal::new();
    terminal.start(&format!("tui --server {}", server.url()));
    terminal.log_in("alice");
    let family = "👩\u{200d}👩\u{200d}👧";
    terminal.type_text(&format!("{family}e\u{301}x"));
    for _ in 0..3 {
        terminal.press("Left");
    }
    terminal.type_text("1");
    terminal.press("Right");
    terminal.type_text("2");
    terminal.press("Right");
    terminal.type_text("3");
    terminal.press("Left");
    terminal.press("BSpace");
    terminal.press("DC");
    terminal.press("Enter");
    eventually("the message is stored", || {
        (contents(&bob.history()) == [format!("1{family}2x")]).then_some(())
    });
}

/// In raw mode Ctrl+Z is a key like any other (undo). Others may stop the client all the same, and the shell then sets
/// the terminal as it likes it.
#[test]
fn a_client_that_was_stopped_takes_the_terminal_over_again() {
    let server = Server::start(Backend::Sqlite);
    let bob = User::register(&server, "bob");
    User::register(&server, "alice");
    for signal in ["TSTP", "STOP"] {
        let terminal = Terminal::new();
        terminal.run("bash --norc --noprofile");
        terminal.write(&format!("'{}' tui --server {}", *BINARY, server.url()));
        terminal.log_in("alice");
        terminal.signal(signal);
        terminal.until("the shell", |screen| screen.contains("Stopped"));
        terminal.type_text("stty sane; clear; echo between; fg");
        terminal.shows("between; fg");
        terminal.press("Enter");
        terminal.until("the chat again", |screen| {
            screen.contains("● connected") && !screen.contains("between")
        });
        terminal.write(&format!("after {signal}"));
        eventually("what is typed goes to the chat", || {
            let stored = contents(&bob.history());
            (stored.last()? == &format!("after {signal}")).then_some(())
        });
        // Stored is not acknowledged yet: until then it would ask whether to leave.
        terminal.until("that it is stored", |screen| {
            screen.contains(&format!("after {signal}")) && !screen.contains("not stored yet")
        });
        terminal.write("/quit");
        terminal.until("the shell's own screen", |screen| {
            screen.contains("bash-") && !screen.contains("connected")
        });
        terminal.write("echo $((40 + 2))");
        terminal.shows("42");
    }
}

#[test]
fn without_a_terminal_it_says_what_to_use() {
    let folder = tempfile::tempdir().expect("a folder");
    let ended = run(&["tui"], &[], folder.path());
    assert_eq!(ended.status.code(), Some(2));
    assert!(ended.stderr.contains("parlour tail"), "{}", ended.stderr);
}
