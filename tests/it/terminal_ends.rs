//! How the terminal client ends when it did not end itself: a signal, a window that was closed. The terminal is given back,
//! and what was written and not sent is said.

use std::{fs, process::Command, thread};

use serde_json::{Value, json};

use crate::support::{BINARY, Backend, Server, Terminal, User, eventually};

fn in_chat(server: &Server) -> Terminal {
    let terminal = Terminal::new();
    terminal.start(&format!("tui --server {}", server.url()));
    terminal.log_in("alice");
    terminal
}

#[test]
fn a_client_that_is_ended_says_what_was_not_sent() {
    let mut server = Server::start(Backend::Sqlite);
    User::register(&server, "alice");
    for signal in ["TERM", "HUP", "INT", "QUIT"] {
        let terminal = in_chat(&server);
        terminal.type_text("half a thought");
        terminal.shows("half a thought");
        terminal.signal(signal);
        terminal.says("This was not sent: “half a thought”.");
        terminal.shows("ended with 1");
    }
    let terminal = in_chat(&server);
    server.kill9();
    terminal.shows("reconnecting in");
    terminal.write("written without a server");
    terminal.shows("1 waiting to be sent");
    terminal.type_text("and more");
    terminal.shows("and more");
    terminal.signal("TERM");
    terminal.says("This was not sent: “written without a server”, “and more”.");
    terminal.shows("ended with 1");
}

#[test]
fn every_signal_that_ends_the_client_gives_the_terminal_back() {
    let server = Server::start(Backend::Sqlite);
    for signal in ["INT", "QUIT", "HUP", "TERM"] {
        let terminal = Terminal::new();
        terminal.start(&format!("tui --server {}", server.url()));
        terminal.shows("Log in");
        terminal.signal(signal);
        let screen = terminal.shows("ended with 0");
        assert!(!screen.contains("Log in"), "{signal}: {screen}");
        let state = "#{alternate_on} #{cursor_flag} #{wrap_flag}";
        let state = terminal.tmux(&["display-message", "-p", state]).stdout;
        assert_eq!(String::from_utf8_lossy(&state).trim(), "0 1 1", "{signal}");
    }
}

/// The moment between the drawing of a key and the waiting for the next one is made long: whoever looks for a key in a window that
/// is closed then finds its end again and again.
#[test]
fn closing_the_window_right_after_a_key_ends_the_client() {
    let has_strace = Command::new("strace").arg("-V").output();
    if !has_strace.is_ok_and(|output| output.status.success()) {
        println!("The test with long moments was skipped, because strace is not installed.");
        return;
    }
    let server = Server::start(Backend::Sqlite);
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                let terminal = Terminal::new();
                let (url, home) = (server.url(), terminal.home.path().display());
                terminal.run(&format!(
                    "trap '' HUP; setsid --wait strace -f -o /dev/null -e trace=write -e inject=write:delay_exit=300000 \
                     '{}' tui --server {url}; echo $? >{home}/code",
                    *BINARY
                ));
                terminal.shows("Log in");
                terminal.type_text("quincunx");
                terminal.shows("quincunx");
                terminal.tmux(&["kill-server"]);
                eventually("the client has ended", || {
                    let code = fs::read_to_string(terminal.home.path().join("code")).ok()?;
                    code.ends_with('\n').then_some(())
                });
            });
        }
    });
}

/// With and without a signal that says so, and with the terminal as the place where a failure would be told. What was written
/// and not sent is a draft then.
#[test]
fn closing_the_window_ends_the_client_quietly_also_where_it_would_complain_into_it() {
    let server = Server::start(Backend::Sqlite);
    let alice = User::register(&server, "alice");
    for session in ["", "setsid --wait "] {
        for written in ["", "half a thought"] {
            let terminal = Terminal::new();
            let (url, home) = (server.url(), terminal.home.path().display());
            terminal.run(&format!(
                "trap '' HUP; {session}'{}' tui --server {url}; echo $? >{home}/code",
                *BINARY
            ));
            terminal.log_in("alice");
            terminal.type_text(written);
            terminal.shows(written);
            terminal.tmux(&["kill-server"]);
            let code = eventually("the client has ended", || {
                let code = fs::read_to_string(terminal.home.path().join("code")).ok()?;
                code.ends_with('\n').then_some(code)
            });
            assert_eq!(code.trim(), "0", "{session}{written}");
            let draft = alice.in_room("GET", "general", "/draft", &Value::Null);
            assert_eq!(draft.json()["content"], written, "{session}");
            alice
                .in_room("PUT", "general", "/draft", &json!({"content": ""}))
                .expect(200);
        }
    }
}
