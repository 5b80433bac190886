//! What the terminal client says about what is written, and for how long.

use crate::{
    support::{Backend, Server, Terminal, User, eventually, run},
    terminal::contents,
};

fn in_chat(server: &Server) -> Terminal {
    let terminal = Terminal::new();
    terminal.start(&format!("tui --server {}", server.url()));
    terminal.log_in("alice");
    terminal
}

#[test]
fn that_a_text_is_too_long_is_said_while_it_is() {
    let server = Server::with(Backend::Sqlite)
        .env("MAX_CONTENT_BYTES", 1_000)
        .start();
    User::register(&server, "alice");
    let terminal = in_chat(&server);
    terminal.write(&"x".repeat(1_002));
    terminal.says("This is 2 bytes too long");
    terminal.press("BSpace");
    terminal.says("This is 1 bytes too long");
    terminal.press("BSpace");
    terminal.until("nothing of it", |screen| !screen.contains("too long"));
}

#[test]
fn a_slash_and_a_blank_are_no_command() {
    let server = Server::start(Backend::Sqlite);
    let bob = User::register(&server, "bob");
    User::register(&server, "alice");
    let terminal = in_chat(&server);
    terminal.write("/ quit");
    terminal.says("There is no command /: /help lists them.");
    terminal.press("C-a");
    terminal.type_text("/");
    terminal.until("nothing of it", |screen| !screen.contains("no command"));
    terminal.press("Enter");
    eventually("it is a message", || {
        (contents(&bob.history()) == ["/ quit"]).then_some(())
    });
}

#[test]
fn whoever_is_disabled_is_told_so_and_not_to_log_in_again() {
    let server = Server::start(Backend::Sqlite);
    User::register(&server, "alice");
    let terminal = in_chat(&server);
    let data_dir = server.data_dir().display().to_string();
    let env = [
        ("DATA_DIR", data_dir.as_str()),
        ("DATABASE_URL", server.database.url.as_str()),
    ];
    let disabled = run(&["users", "disable", "alice"], &env, server.folder());
    assert!(disabled.status.success(), "{}", disabled.stderr);
    terminal.says("Your account was disabled: ask whoever runs the server.");
}

#[test]
fn who_is_here_is_not_claimed_without_a_connection() {
    let mut server = Server::start(Backend::Sqlite);
    User::register(&server, "alice");
    let terminal = in_chat(&server);
    terminal.shows("All online: 1");
    server.kill9();
    terminal.until("that it is not known", |screen| {
        screen.contains("Were online") && !screen.contains("All online: 1")
    });
    server.start_again();
    terminal.shows("All online: 1");
}
