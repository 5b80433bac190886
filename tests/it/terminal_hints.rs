//! What the terminal client says about what is written, and for how long.

use serde_json::json;

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
fn a_refused_command_is_in_the_line_again_and_a_time_zone_is_set_by_the_command_that_is_told() {
    let server = Server::start(Backend::Sqlite);
    User::register(&server, "alice");
    let terminal = in_chat(&server);
    terminal.until("the server's commands", |screen| {
        terminal.press("C-u");
        terminal.type_text("/remi");
        screen.contains("/remind")
    });
    terminal.press("C-u");
    terminal.write("/remind me at noonish tea");
    terminal.says("Say when, such as");
    let screen = terminal.screen();
    assert!(
        screen.contains("│ /remind me at noonish tea") && !screen.contains("not sent"),
        "{screen}"
    );
    terminal.press("C-u");
    terminal.write("/remind me in 2 hours tea");
    terminal.says("set one (/zone Europe/Berlin), and times are read");
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

#[test]
fn what_was_refused_is_taken_back_and_nothing_that_is_stored_is_deleted_for_it() {
    let server = Server::start(Backend::Sqlite);
    let bob = User::register(&server, "bob");
    User::register(&server, "alice");
    let terminal = in_chat(&server);
    let mute = |until: &str| {
        let path = "/members/alice";
        let muted = json!({ "muted_until": until });
        bob.in_room("PUT", "general", path, &muted).expect(200);
    };
    terminal.write("stored");
    terminal.until("that it is stored", |screen| {
        screen.contains("stored") && !screen.contains("not stored yet")
    });
    mute("2999-01-01T00:00:00Z");
    terminal.shows("bob muted alice");
    terminal.write("refused by mute");
    terminal.says("✗ not sent:");
    mute("2000-01-01T00:00:00Z");
    terminal.shows("bob unmuted alice");
    terminal.write("/delete");
    terminal.says("Taken back, and not sent: “refused by mute”");
    terminal.write("and on");
    eventually("it is stored", || {
        let said = bob.history();
        let texts = said.iter().filter(|message| message["kind"] != "system");
        let texts: Vec<_> = texts.map(|message| message["content"].clone()).collect();
        (texts == ["stored", "and on"]).then_some(())
    });
}

#[test]
fn an_edit_that_was_begun_before_another_one_does_not_overwrite_it_unseen() {
    let server = Server::start(Backend::Sqlite);
    let alice = User::register(&server, "alice");
    let terminal = in_chat(&server);
    terminal.write("helo");
    let id = eventually("it is stored", || alice.history().first()?["id"].as_u64());
    terminal.until("that it is stored", |screen| {
        !screen.contains("not stored yet")
    });
    terminal.press("Up");
    terminal.shows("Editing");
    let path = format!("/messages/{id}");
    let elsewhere = json!({ "content": "hello from the phone" });
    alice
        .in_room("PATCH", "general", &path, &elsewhere)
        .expect(200);
    terminal.shows("hello from the phone");
    terminal.write("!");
    terminal.says("✗ not sent: This message was edited or deleted in the meantime");
    assert_eq!(contents(&alice.history()), ["hello from the phone"]);
    terminal.write("/edit");
    terminal.shows("Editing");
    terminal.press("Enter");
    eventually("it is edited", || {
        (contents(&alice.history()) == ["helo!"]).then_some(())
    });
}
