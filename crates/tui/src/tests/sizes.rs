//! The screen at any size: what says what to do can be read, and what is typed goes where it seems to go.

use super::*;

#[test]
fn tab_goes_to_the_next_field_and_a_password_is_never_typed_in_clear() {
    let mut stage = Stage::new();
    stage.type_text("alice");
    stage.press(KeyCode::Tab);
    stage.type_text("hunter2hunter2");
    assert!(!stage.shows("hunter2"), "{}", stage.screen());
    stage.press(KeyCode::BackTab);
    stage.type_text("x");
    assert!(stage.shows("alicex"));
    assert!(
        stage.shows("Ctrl+R"),
        "another way to register is on the screen"
    );
}

/// At the sizes of a phone's terminal, of half a window, and of the largest.
const SIZES: [(u16, u16); 5] = [(30, 8), (40, 12), (80, 24), (200, 50), (64, 16)];

/// The words on a screen, without the frames around them.
fn words(screen: &str) -> String {
    let text = screen.replace(|c: char| "│╭╮╰╯─›".contains(c), " ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn what_says_what_to_do_can_be_read_at_any_size() {
    let refusal = "Incorrect username or password, or the server at that address is another one: check all of them.";
    for (columns, rows) in SIZES {
        let mut stage = Stage::new();
        stage.happen(Event::Resize(columns, rows));
        stage.arrive(effect::Event::LoginFailed(refusal.into()));
        let screen = stage.screen();
        assert!(
            words(&screen).contains(refusal),
            "{columns}x{rows}\n{screen}"
        );
        for text in ["Log in", "Register", "Ctrl+R", "Username", "Password"] {
            assert!(
                screen.contains(text),
                "{text} at {columns}x{rows}\n{screen}"
            );
        }
        let mut stage = Stage::in_room(40);
        stage.happen(Event::Resize(columns, rows));
        assert!(stage.shows("line 40"), "{}", stage.screen());
        stage.write("/dance");
        let screen = stage.screen();
        let hint = "There is no command /dance: /help lists them. To send a line that starts with /, write //.";
        assert!(words(&screen).contains(hint), "{columns}x{rows}\n{screen}");
        assert_eq!(
            screen.matches("/dance").count(),
            2,
            "and in the input\n{screen}"
        );
        assert!(stage.shows("line 40"), "{}", stage.screen());
    }
}

#[test]
fn all_of_the_help_can_be_read_at_any_size() {
    for (columns, rows) in SIZES {
        let mut stage = Stage::in_room(1);
        stage.happen(Event::Resize(columns, rows));
        stage.write("/help");
        let mut seen = words(&stage.screen());
        for _ in 0..250 {
            stage.press(KeyCode::Down);
            seen.push_str(&words(&stage.screen()));
        }
        for row in commands::TABLE {
            for text in [&*row.names().join(", "), row.what] {
                for word in text.split(' ') {
                    assert!(seen.contains(word), "{word} at {columns}x{rows}");
                }
            }
        }
        stage.press(KeyCode::Esc);
        assert!(!stage.shows("Help"));
    }
}

#[test]
fn joined_emoji_and_persian_show_as_such() {
    let mut stage = Stage::in_room(1);
    for (id, text) in [(2, "👩\u{200d}👩\u{200d}👧 family"), (3, "می\u{200c}خواهم")] {
        stage.live(message(id, "bob", text));
        // A wide character takes a second cell, which is empty.
        let screen = stage.screen().replace("👧  ", "👧 ");
        assert!(screen.contains(text), "{screen}");
    }
}
