//! A morning in the terminal: two people, rooms, a thread, mentions, what is unread, an edit, a reaction, a status, a draft that
//! outlives the client, and a server that dies in between. What they see on the way stands in docs/TERMINAL.md, which this
//! writes when `PARLOUR_WRITE_STORY` is set.

use std::{fmt::Write as _, fs};

use serde_json::Value;

use crate::support::{Backend, Server, Terminal, User, eventually, root};

on_both![the_story_of_a_morning_in_the_terminal];

const INTRODUCTION: &str = "\
# A morning in the terminal

Two people, `parlour tui` in two terminals of 80 by 24. All of this is played by a test (`tests/it/terminal_story.rs`), in a real
terminal and with a real server; what is shown is what was on the screen. The keys and commands stand in the [README](../README.md)
and in [CLIENTS.md](CLIENTS.md).
";

/// What is told, scene by scene.
struct Story {
    text: String,
    port: String,
}

impl Story {
    fn new(server: &Server) -> Self {
        let url = server.url();
        let (_, port) = url.rsplit_once(':').expect("a port");
        Self {
            text: INTRODUCTION.to_owned(),
            port: port.to_owned(),
        }
    }

    /// A heading, and what is on a screen.
    fn scene(&mut self, what: &str, screen: &str) {
        // As wide as most that a system gives, so that what stands behind it stays where it is.
        let screen = screen.replace(&self.port, "38000");
        write!(self.text, "\n## {what}\n\n```\n").expect("a text");
        for line in screen.lines() {
            writeln!(self.text, "{}", line.trim_end()).expect("a text");
        }
        self.text.push_str("```\n");
    }

    /// Writes the document, if it is to be written. What is there already has these scenes.
    fn end(self) {
        let path = root().join("docs/TERMINAL.md");
        if std::env::var_os("PARLOUR_WRITE_STORY").is_some() {
            fs::write(&path, &self.text).expect("writes");
        }
        let Ok(written) = fs::read_to_string(&path) else {
            return;
        };
        let scenes = |text: &str| {
            let scenes = text.lines().filter(|line| line.starts_with("## "));
            scenes.map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(
            scenes(&written),
            scenes(&self.text),
            "write it anew: PARLOUR_WRITE_STORY=1 scripts/test the_story_of_a_morning"
        );
    }
}

fn in_chat(server: &Server, name: &str) -> Terminal {
    let terminal = Terminal::sized(80, 24);
    terminal.start(&format!("tui --server {}", server.url()));
    terminal.log_in(name);
    terminal
}

/// The key of a room, by its name.
fn key_of(user: &User, name: &str) -> String {
    let rooms = user.http().get("/api/rooms").expect(200).json();
    let mut rooms = rooms.as_array().expect("a list").iter();
    let room = rooms.find(|room| room["name"] == name).expect("there");
    room["room"].as_str().expect("a key").to_owned()
}

/// The room's own pages, as REST has them.
fn texts(user: &User, room: &str) -> Vec<String> {
    let path = format!("/api/rooms/{room}/messages?limit=200");
    let page = user.http().get(&path).expect(200).json();
    let written = page.as_array().expect("a list").iter();
    let written = written.filter(|message| message["kind"] != "system");
    let text = |message: &Value| message["content"].as_str().expect("a text").to_owned();
    written.map(text).collect()
}

fn the_story_of_a_morning_in_the_terminal(backend: Backend) {
    let mut server = Server::start(backend);
    let mut story = Story::new(&server);
    let alice = User::register(&server, "alice");
    let bob = User::register(&server, "bob");
    let at_alice = in_chat(&server, "alice");
    let at_bob = in_chat(&server, "bob");

    // Alice makes a room and brings bob into it, who goes on looking at general; and plans the day.
    at_alice.write("/create garden");
    at_alice.shows(" #garden  alice@");
    at_alice.write("/invite bob");
    at_bob.shows("You are a member of #garden now");
    at_alice.shows("alice added bob to the room");
    let garden = key_of(&alice, "garden");
    at_alice.type_text("@bo");
    at_alice.shows("@bob");
    at_alice.press("Tab");
    at_alice.type_text("today: **beans**, then `hose 3`");
    at_alice.press("Enter");
    at_alice.write("so:\n- dig\n- sow");
    at_alice.stores("• sow");
    for n in 1..=25 {
        alice.post_to(&garden, &format!("row {n}.")).expect(201);
    }
    let screen = at_bob.until("what is unread, and for bob", |screen| {
        screen.contains("#garden @1 27")
    });
    story.scene("What is unread, and what is for bob", &screen);

    // Tab leads to the first unread message.
    at_bob.press("Tab");
    let screen = at_bob.until("the first unread message", |screen| {
        // What is on the screen counts as read.
        let is_read = !screen.contains("@1 27");
        let is_first = screen.contains("── new ──");
        is_first && is_read && screen.contains("@bob today: beans, then hose 3")
    });
    assert!(!screen.contains("row 25."), "{screen}");
    story.scene("Tab goes to the first unread message", &screen);
    at_bob.press("End");
    at_bob.until("the end", |screen| {
        screen.contains("row 25.") && !screen.contains("new ──")
    });
    eventually("the server knows what was read", || {
        let room = bob
            .http()
            .get(&format!("/api/rooms/{garden}"))
            .expect(200)
            .json();
        (room["unread"] == 0 && room["mentions"] == 0).then_some(())
    });

    thread(&mut story, (&at_alice, &at_bob), (&alice, &garden));
    draft_and_fall(
        &mut story,
        &mut server,
        (&at_alice, &at_bob),
        (&alice, &garden),
    );
    story.end();
}

/// Bob answers in a thread, alice follows; an edit, a reaction, a status.
fn thread(
    story: &mut Story,
    (at_alice, at_bob): (&Terminal, &Terminal),
    (alice, garden): (&User, &str),
) {
    at_bob.write("how deep?");
    at_bob.stores("how deep?");
    at_alice.shows("how deep?");
    at_alice.press("M-t");
    at_alice.shows("#garden thread (Esc)");
    at_alice.write("two fingers, @bob");
    let screen = at_bob.until("that there is a reply for bob", |screen| {
        screen.contains("↳ 1 reply, 1 new") && screen.contains("#garden @1 ↳1")
    });
    story.scene("A reply in a thread", &screen);
    at_bob.write("/threads");
    at_bob.shows("Threads you follow");
    at_bob.shows("#garden bob: how deep?");
    at_bob.press("Enter");
    at_bob.shows("two fingers, @bob");
    at_bob.write("thnks");
    at_bob.stores("thnks");
    at_bob.press("Up");
    at_bob.shows("Editing (Esc stops)");
    for _ in 0..3 {
        at_bob.press("BSpace");
    }
    at_bob.write("anks");
    let screen = at_alice.until("the new text", |screen| {
        screen.contains("thanks") && screen.contains("(edited)")
    });
    story.scene("The thread, with an edit", &screen);
    at_alice.write("/react :seedling:");
    at_bob.shows("[🌱 1]");
    at_bob.press("Escape");
    at_bob.shows(" #garden  bob@");
    assert!(!texts(alice, garden).iter().any(|text| text == "thanks"));

    // A status, and the card.
    at_alice.write("/status dnd: 🌱 in the beans");
    at_alice.shows("You are not to be disturbed: 🌱 in the beans");
    at_bob.write("/whois alice");
    at_bob.shows("in the beans");
    let screen = at_bob.shows("⊖ not to be disturbed");
    story.scene("Who alice is today", &screen);
    at_bob.press("Escape");
    at_bob.until("the card is closed", |screen| {
        !screen.contains("Here since")
    });
}

/// Bob begins a sentence and leaves; the server is killed and comes back; bob goes on.
fn draft_and_fall(
    story: &mut Story,
    server: &mut Server,
    (at_alice, at_bob): (&Terminal, &Terminal),
    (alice, garden): (&User, &str),
) {
    at_bob.type_text("I will bring the");
    at_bob.press("C-c");
    at_bob.shows("ended with 0");
    server.kill9();
    at_alice.shows("reconnecting in");
    at_alice.press("Escape");
    // A key right behind it would be one with Alt.
    at_alice.until("the room", |screen| !screen.contains("thread (Esc)"));
    at_alice.write("written while it was away");
    let screen = at_alice.shows("1 waiting to be sent");
    story.scene("The server is gone", &screen);
    server.start_again();
    at_alice.shows("● connected");
    at_alice.stores("written while it was away");
    at_bob.start(&format!("tui --server {}", server.url()));
    at_bob.shows("● connected");
    at_bob.until("what is unread", |screen| screen.contains("#garden 1"));
    at_bob.press("Tab");
    let screen = at_bob.until("the draft, and the news", |screen| {
        let is_there =
            screen.contains("I will bring the") && screen.contains("written while it was away");
        is_there && !screen.contains("#garden 1")
    });
    story.scene("The draft has outlived the client and the server", &screen);
    at_bob.write(" hose");
    at_alice.until("all of it", |screen| {
        screen.contains("I will bring the hose")
    });
    eventually("it is there, once", || {
        let texts = texts(alice, garden);
        let end = ["written while it was away", "I will bring the hose"];
        (texts.ends_with(&end.map(str::to_owned))).then_some(())
    });
}
