//! How people see each other: who is here, who is writing, what they say of themselves; and completing their names.

use super::*;
use crate::protocol::{
    kept::Saved,
    people::{
        About, Presence, PresenceNews, Profile, ProfilePatch, Seen, Status, TypingNews, UserNews,
    },
    room::{Member, Role},
};

fn member(user_id: i64, username: &str) -> Member {
    Member {
        user_id,
        username: username.into(),
        display_name: None,
        role: Role::Member,
        muted_until: None,
        joined_at: at(0),
    }
}

/// Alice, who says this of herself.
fn alice(about: About) -> Profile {
    Profile {
        id: 1,
        username: "alice".into(),
        about,
        presence: None,
        status: None,
        receipts: Some(true),
        quiet_hours: None,
        created_at: at(0),
    }
}

fn seen(user_id: i64, username: &str, state: Presence) -> Seen {
    Seen {
        user_id,
        username: username.into(),
        state,
        ..Seen::default()
    }
}

impl Stage {
    fn tells_presence(&mut self, users: Vec<Seen>) {
        self.frame(event::Event::Presence(PresenceNews { users, all: false }));
    }

    /// Alice begins a name, and the members of the room are told.
    fn knows_members(&mut self, members: Vec<Member>) {
        self.type_text("@");
        let ask = self.asks().remove(0);
        assert_eq!(ask, Ask::Members("general".into()));
        self.answer_ask(ask, Ok(Answer::Members(members, false)));
        self.press(KeyCode::Backspace);
    }
}

#[test]
fn who_is_away_or_not_to_be_disturbed_is_marked() {
    let mut stage = Stage::in_room(1);
    assert!(stage.shows("● bob"), "{}", stage.screen());
    stage.tells_presence(vec![seen(2, "bob", Presence::Away)]);
    assert!(stage.shows("◐ bob"), "{}", stage.screen());
    stage.tells_presence(vec![seen(2, "bob", Presence::Dnd)]);
    assert!(stage.shows("⊖ bob"), "{}", stage.screen());
}

#[test]
fn what_one_says_of_oneself_is_set_by_words() {
    let all = About {
        display_name: Some("Ada".into()),
        pronouns: Some("she/her".into()),
        bio: Some("bees".into()),
        time_zone: None,
    };
    let [ada, she, bees, none] = ["Ada", "she/her", "bees", ""].map(|text| Some(text.to_owned()));
    let patch = |(display_name, pronouns, bio)| ProfilePatch {
        display_name,
        pronouns,
        bio,
        ..ProfilePatch::default()
    };
    for (line, said, about, told) in [
        (
            "/name Ada",
            (ada, None, None),
            &all,
            "Others see you as Ada.",
        ),
        (
            "/pronouns she/her",
            (None, she, None),
            &all,
            "Your pronouns are she/her.",
        ),
        (
            "/about bees",
            (None, None, bees),
            &all,
            "/whois alice shows it.",
        ),
        (
            "/name -",
            (none, None, None),
            &About::default(),
            "Others see you as alice.",
        ),
    ] {
        let mut stage = Stage::in_room(1);
        stage.write(line);
        let ask = Ask::Profile(patch(said));
        assert_eq!(stage.asks(), std::slice::from_ref(&ask), "{line}");
        let now = Answer::Person(Box::new(alice(about.clone())));
        stage.answer_ask(ask.clone(), Ok(now));
        assert!(stage.shows(told), "{told}\n{}", stage.screen());
        // Refused, it is there to be corrected.
        stage.write(line);
        stage.answer_ask(ask, Err("That is too long.".into()));
        assert!(
            stage.shows(line) && stage.shows("That is too long."),
            "{}",
            stage.screen()
        );
    }
}

#[test]
fn who_is_writing_is_shown_for_six_seconds_at_any_size() {
    for (columns, rows) in [(30, 8), (40, 12), (80, 24), (200, 50)] {
        let mut stage = Stage::in_room(1);
        stage.happen(Event::Resize(columns, rows));
        let typing = |user_id, username: &str| {
            event::Event::Typing(TypingNews {
                room: "general".into(),
                user_id,
                username: username.into(),
                thread: None,
            })
        };
        stage.frame(typing(2, "bob"));
        assert!(stage.shows("bob is writing…"), "{}", stage.screen());
        stage.frame(typing(3, "ca\u{1b}rol"));
        assert!(stage.shows("bob and ca␛rol"), "{}", stage.screen());
        stage.live(message(2, "bob", "there"));
        assert!(stage.shows("ca␛rol is writing…"), "{}", stage.screen());
        let now = stage.state.client.now() + 6_001;
        stage.happen(Event::Tick(now));
        assert!(!stage.shows("writing…"), "{}", stage.screen());
    }
}

#[test]
fn that_one_is_writing_is_told_now_and_then_and_not_of_a_command() {
    let mut stage = Stage::in_room(1);
    let told = |stage: &mut Stage, letter: char| {
        let key = KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE);
        let effects = update(&mut stage.state, Event::Key(key));
        let is_typing = |effect: &Effect| {
            matches!(
                effect,
                Effect::Say(Request {
                    command: Command::Typing(_),
                    ..
                })
            )
        };
        effects.iter().filter(|effect| is_typing(effect)).count()
    };
    assert_eq!(told(&mut stage, '/'), 0);
    assert_eq!(told(&mut stage, 'm'), 0);
    stage.ctrl('u');
    assert_eq!(told(&mut stage, 'h'), 1);
    assert_eq!(told(&mut stage, 'i'), 0);
    stage.happen(Event::Tick(3_001));
    assert_eq!(told(&mut stage, '!'), 1);
}

#[test]
fn a_display_name_stands_beside_the_username() {
    let mut stage = Stage::in_room(1);
    stage.frame(event::Event::User(UserNews {
        user_id: 2,
        username: "bob".into(),
        about: About {
            display_name: Some("Bob\u{202e} the Builder".into()),
            ..About::default()
        },
    }));
    let screen = stage.screen();
    assert!(screen.contains("Bob\\u{202e} the Builder @bob"), "{screen}");
}

#[test]
fn what_someone_says_of_themselves_is_a_card() {
    let mut stage = Stage::in_room(1);
    stage.write("/whois @bob");
    let ask = stage.asks().remove(0);
    assert_eq!(ask, Ask::Person("bob".into()));
    let profile = Profile {
        id: 2,
        username: "bob".into(),
        about: About {
            display_name: Some("Bob B.".into()),
            bio: Some("I build\u{7} things.".into()),
            pronouns: Some("he".into()),
            time_zone: Some("Europe/Berlin".into()),
        },
        presence: Some(Presence::Dnd),
        status: Some(Status {
            text: Some("at lunch".into()),
            ..Status::default()
        }),
        receipts: None,
        quiet_hours: None,
        created_at: at(0),
    };
    stage.answer_ask(ask, Ok(Answer::Person(Box::new(profile))));
    let screen = stage.screen();
    for told in [
        "Username: bob",
        "Name: Bob B.",
        "Pronouns: he",
        "Time zone: Europe/Berlin",
        "⊖ not to be disturbed",
        "at lunch",
        "I build␇ things.",
    ] {
        assert!(screen.contains(told), "{told}\n{screen}");
    }
    stage.press(KeyCode::Esc);
    stage.happen(Event::Key(KeyEvent::new(
        KeyCode::Char('w'),
        KeyModifiers::ALT,
    )));
    assert_eq!(stage.asks(), [Ask::Person("bob".into())]);
}

#[test]
fn tab_completes_names_of_members_and_commands() {
    let mut stage = Stage::in_room(1);
    stage.knows_members(vec![
        member(1, "alice"),
        member(2, "bob"),
        member(3, "bobby"),
        member(4, "carol"),
    ]);
    stage.type_text("hi @bo");
    assert!(stage.shows("@bobby"), "{}", stage.screen());
    stage.press(KeyCode::Tab);
    assert!(stage.shows("hi @bob "), "{}", stage.screen());
    stage.press(KeyCode::Tab);
    assert!(stage.shows("hi @bobby "), "{}", stage.screen());
    stage.type_text("and @ro");
    stage.press(KeyCode::Tab);
    stage.press(KeyCode::Enter);
    assert_eq!(stage.sent()[0].1, "hi @bobby and @room");
    // No address, and not oneself.
    stage.type_text("a@bo");
    assert_eq!(crate::complete::offer(&stage.state), None);
    stage.ctrl('u');
    stage.type_text("@al");
    assert_eq!(crate::complete::offer(&stage.state), None);
    stage.ctrl('u');
    stage.type_text("/unr");
    stage.press(KeyCode::Tab);
    assert!(stage.shows("/unread "), "{}", stage.screen());
}

#[test]
fn tab_never_leaves_the_room_while_something_is_written() {
    for text in [
        "@alxi",
        "/topik",
        "thanks xi",
        "half a sentence,",
        " ",
        "one\n",
    ] {
        let mut stage = Stage::in_room(1);
        stage.knows_members(vec![member(1, "alice"), member(2, "bob")]);
        stage.come_into("7", "garden", 0);
        stage.live(Message {
            room: "7".into(),
            ..message(1, "carol", "in the garden")
        });
        stage.happen(Event::Paste(text.into()));
        stage.press(KeyCode::Tab);
        assert!(
            stage.shows(" #general ") && stage.shows("nothing to complete"),
            "{text:?}\n{}",
            stage.screen()
        );
        assert_eq!(crate::keys::written(&stage.state), text);
        // What is typed next is no longer what that was said of.
        stage.type_text("x");
        assert!(!stage.shows("nothing to complete"), "{}", stage.screen());
        stage.happen(Event::Paste("\n".into()));
        while !crate::keys::written(&stage.state).is_empty() {
            stage.press(KeyCode::Backspace);
        }
        stage.press(KeyCode::Tab);
        assert!(stage.shows("in the garden"), "{}", stage.screen());
    }
}

#[test]
fn tab_completes_a_name_without_its_sign_at_the_end_of_the_text() {
    let mut stage = Stage::in_room(1);
    stage.type_text("thanks bo");
    assert_eq!(crate::complete::offer(&stage.state), None, "unasked");
    stage.press(KeyCode::Tab);
    assert!(stage.shows("press Tab again"), "{}", stage.screen());
    let ask = stage.asks().remove(0);
    let members = vec![
        member(1, "alice"),
        member(2, "bob"),
        member(3, "bobby"),
        member(4, "carol"),
    ];
    stage.answer_ask(ask, Ok(Answer::Members(members, false)));
    stage.press(KeyCode::Tab);
    assert!(stage.shows("thanks @bob "), "{}", stage.screen());
    stage.press(KeyCode::Tab);
    assert!(stage.shows("thanks @bobby "), "{}", stage.screen());
    stage.press(KeyCode::Enter);
    assert_eq!(stage.sent()[0].1, "thanks @bobby");
    // Nobody addresses all by chance, and within a text a word is a word.
    for text in ["see you he", "half a roo"] {
        stage.type_text(text);
        stage.press(KeyCode::Tab);
        assert_eq!(crate::keys::written(&stage.state), text);
        stage.ctrl('u');
    }
    stage.type_text("bo or not");
    for _ in " or not".chars() {
        stage.press(KeyCode::Left);
    }
    stage.press(KeyCode::Tab);
    assert_eq!(crate::keys::written(&stage.state), "bo or not");
}

#[test]
fn only_whoever_may_is_offered_to_address_all_of_many() {
    let mut stage = Stage::in_room(1);
    let members = (2..40).map(|id| member(id, &format!("user{id}")));
    stage.knows_members(members.collect());
    stage.type_text("@ro");
    assert!(!stage.shows("@room"), "{}", stage.screen());
}

#[test]
fn messages_are_saved_listed_and_gone_to() {
    let mut stage = Stage::in_room(40);
    stage.write("/save");
    let ask = stage.asks().remove(0);
    let save = |on| Ask::Save {
        room: "general".into(),
        id: 40,
        on,
    };
    assert_eq!(ask, save(true));
    stage.answer_ask(ask, Ok(Answer::Done));
    stage.write("/save");
    assert_eq!(stage.asks(), [save(false)]);
    stage.write("/saved");
    let ask = stage.asks().remove(0);
    let saved = Saved {
        message: message(3, "bob", "line\u{1b} 3"),
        name: Some("general".into()),
        saved_at: at(50),
    };
    stage.answer_ask(ask, Ok(Answer::Saved(vec![saved], false)));
    assert!(stage.shows("#general bob: line␛ 3"), "{}", stage.screen());
    stage.press(KeyCode::Enter);
    assert!(stage.shows("▌ line 3"), "{}", stage.screen());
    stage.write("/saved");
    let ask = stage.asks().remove(0);
    stage.answer_ask(ask, Ok(Answer::Saved(Vec::new(), false)));
    assert!(
        stage.shows("You have saved no message"),
        "{}",
        stage.screen()
    );
}

#[test]
fn markdown_is_shown_as_what_it_says() {
    for (columns, rows) in [(40, 12), (80, 24), (200, 50)] {
        let mut stage = Stage::in_room(1);
        stage.happen(Event::Resize(columns, rows));
        stage.live(message(
            2,
            "bob",
            "so **bold**:\n- one\n- `two`\n```\n\u{1b}[2Jx\n```",
        ));
        let screen = stage.screen();
        for text in ["so bold:", "• one", "• two", "▏ ␛[2Jx"] {
            assert!(screen.contains(text), "{text}\n{screen}");
        }
    }
}
