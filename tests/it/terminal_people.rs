//! People and what they write, as the terminal client shows them: who is writing, who is away, completed names, saved messages,
//! and Markdown, with colours and without.

use chrono::{TimeDelta, Utc};
use serde_json::json;

use crate::support::{BINARY, Backend, PASSWORD, Server, Terminal, User, eventually};

fn in_chat(server: &Server, name: &str, (columns, rows): (u16, u16)) -> Terminal {
    let terminal = Terminal::sized(columns, rows);
    terminal.start(&format!("tui --server {}", server.url()));
    terminal.log_in(name);
    terminal
}

#[test]
fn people_see_each_other_write_at_any_size() {
    let server = Server::start(Backend::Sqlite);
    for name in ["alice", "bob"] {
        User::register(&server, name);
    }
    let at_bob = in_chat(&server, "bob", (80, 24));
    for size in [(40, 12), (80, 24), (200, 50)] {
        let at_alice = Terminal::sized(size.0, size.1);
        at_alice.start(&format!("tui --server {} --username alice", server.url()));
        at_alice.shows("Log in");
        at_alice.write(PASSWORD);
        at_alice.shows("connected");
        at_alice.until("that bob is writing", |screen| {
            at_bob.type_text("h");
            screen.contains("bob is writing…")
        });
        at_bob.press("C-u");
        // It is over by itself.
        at_alice.until("that he is no more", |screen| {
            !screen.contains("bob is writing…")
        });
    }
}

#[test]
fn a_name_is_completed_and_who_is_meant_is_told() {
    let server = Server::start(Backend::Sqlite);
    let alice = User::register(&server, "alice");
    let bob = User::register(&server, "bob");
    let body = json!({"display_name": "Bob \u{1b}[31m the Builder"});
    bob.ask("PATCH", "/api/users/me", &[], &body).expect(200);
    let garden = alice.make_room("garden", "private", &[&bob]);
    let at_bob = in_chat(&server, "bob", (100, 24));
    let at_alice = in_chat(&server, "alice", (100, 24));
    at_alice.press("C-k");
    at_alice.shows("Go to");
    at_alice.type_text("garden");
    at_alice.press("Enter");
    at_alice.shows(" *garden  alice@");
    // By a word of what he is called.
    at_alice.type_text("hello @buil");
    at_alice.shows("@bob");
    at_alice.press("Tab");
    at_alice.shows("hello @bob");
    at_alice.press("Enter");
    at_bob.shows("*garden @1 1");
    at_bob.press("Tab");
    at_bob.shows("hello @bob");
    at_bob.write("here");
    let screen = at_alice.until("bob's name", |screen| screen.contains("Builder @bob"));
    assert!(
        screen.contains("[31m the Builder @bob"),
        "as text: {screen}"
    );
    eventually("all is read", || {
        let room = bob
            .http()
            .get(&format!("/api/rooms/{garden}"))
            .expect(200)
            .json();
        (room["mentions"] == 0).then_some(())
    });
    // What is saved is found again, after a restart as well.
    at_alice.write("/save");
    at_alice.shows("Saved:");
    at_alice.write("/quit");
    at_alice.shows("ended with 0");
    at_alice.start(&format!("tui --server {}", server.url()));
    at_alice.shows("● connected");
    at_alice.write("/saved");
    at_alice.shows("*garden bob: here");
    at_alice.press("Enter");
    at_alice.shows(" *garden  alice@");
    at_alice.until("the message", |screen| screen.contains("here"));
}

/// Whether one of the attributes that a screen was drawn with is a colour.
fn has_colours(raw: &str) -> bool {
    let attributes = raw.split("\u{1b}[").skip(1);
    let attributes = attributes.filter_map(|rest| rest.split_once('m'));
    let mut numbers = attributes.flat_map(|(numbers, _)| numbers.split(';'));
    numbers.any(|number| {
        let number = number.parse().unwrap_or(0);
        matches!(number, 30..=38 | 40..=48 | 90..=107)
    })
}

#[test]
fn markdown_has_colours_for_those_who_want_them() {
    let server = Server::start(Backend::Sqlite);
    let bob = User::register(&server, "bob");
    User::register(&server, "alice");
    let text = "so **bold** and `code`:\n- one\n```sh\nls # \u{1b}[2J\n```";
    bob.post(text, None).expect(201);
    for (setting, wants_colours) in [("", true), ("NO_COLOR=1 ", false)] {
        let terminal = Terminal::new();
        terminal.run(&format!(
            "{setting}'{}' tui --server {}",
            *BINARY,
            server.url()
        ));
        terminal.log_in("alice");
        let screen = terminal.shows("so bold and code:");
        for told in ["• one", "▏ ls # ␛[2J"] {
            assert!(screen.contains(told), "{told}\n{screen}");
        }
        let raw = terminal.tmux(&["capture-pane", "-p", "-e"]).stdout;
        let raw = String::from_utf8(raw).expect("UTF-8");
        assert_eq!(has_colours(&raw), wants_colours, "{raw:?}");
        assert!(raw.contains("\u{1b}[1m"), "bold is no colour: {raw:?}");
    }
}

#[test]
fn a_reminder_is_listed_gets_another_time_and_text_and_comes() {
    let server = Server::start(Backend::Sqlite);
    let alice = User::register(&server, "alice");
    let terminal = in_chat(&server, "alice", (100, 24));
    let waiting = || alice.http().get("/api/scheduled").expect(200).json();
    // It is offered as soon as the server has told what it carries out.
    terminal.type_text("/remi");
    terminal.shows("/remind");
    terminal.press("C-u");
    terminal.write("/remind me tomorrow at 9 to wter the beans");
    terminal.shows("The reminder comes on ");
    terminal.write("/scheduled");
    terminal.shows("Reminder: wter the beans");
    terminal.press("Enter");
    terminal.shows("For later,");
    for _ in 0.."ter the beans".len() {
        terminal.press("BSpace");
    }
    terminal.write("ater the beans");
    terminal.shows("Changed: it comes ");
    assert_eq!(waiting()[0]["content"], "Reminder: water the beans");
    terminal.write("/scheduled");
    terminal.shows("Reminder: water the beans");
    terminal.press("Enter");
    terminal.shows("For later,");
    terminal.press("C-u");
    terminal.write("/reschedule in 2 seconds");
    terminal.shows("Reminder: water the beans (");
    eventually("it has come", || {
        (waiting().as_array()?.is_empty()).then_some(())
    });
    terminal.write("/remind #general next friday at 18:00 to go home");
    terminal.shows("The reminder comes on Friday");
    terminal.write("/scheduled");
    terminal.shows("#general Reminder: go home");
    terminal.press("DC");
    terminal.shows("Nothing waits to be said");
    eventually("it is taken back", || {
        (waiting().as_array()?.is_empty()).then_some(())
    });
}

#[test]
fn the_bell_rings_for_a_mention_elsewhere_and_not_at_quiet_hours() {
    let server = Server::start(Backend::Sqlite);
    let [alice, bob] = ["alice", "bob"].map(|name| User::register(&server, name));
    let garden = alice.make_room("garden", "private", &[&bob]);
    let terminal = in_chat(&server, "alice", (100, 24));
    let bell = || {
        let shown = terminal.tmux(&["display-message", "-p", "#{window_bell_flag}"]);
        String::from_utf8(shown.stdout).expect("a number").trim() == "1"
    };
    // An hour around the present, where she is.
    let now = Utc::now() + TimeDelta::minutes(330);
    let [from, until] = [-30, 30].map(|minutes| now + TimeDelta::minutes(minutes));
    let hours = format!("{}-{}", from.format("%H:%M"), until.format("%H:%M"));
    terminal.write("/zone Asia/Kolkata");
    terminal.shows("your time zone is Asia/Kolkata");
    terminal.write(&format!("/quiet {hours}"));
    terminal.shows(&format!("Nothing disturbs you at {hours} (Asia/Kolkata)"));
    bob.post_to(&garden, "@alice hello").expect(201);
    terminal.shows("*garden @1 1");
    assert!(!bell(), "at quiet hours");
    terminal.write("/quiet -");
    terminal.shows("You have no quiet hours");
    bob.post_to(&garden, "hello, all").expect(201);
    terminal.shows("*garden @1 2");
    assert!(!bell(), "it mentions nobody");
    bob.post_to(&garden, "@alice again").expect(201);
    terminal.shows("*garden @2 3");
    eventually("the bell rings", || bell().then_some(()));
}
