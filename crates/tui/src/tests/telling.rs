//! What the bell rings for.

use super::*;
use crate::protocol::{
    mention::Mention,
    people::{About, Profile, ProfilePatch},
    reading::Notify,
};

impl Stage {
    /// Alice in general, and a member of the garden, in which bob mentions her.
    fn in_general() -> Self {
        let mut stage = Self::in_room(1);
        stage.come_into("12", "garden", 1);
        stage.state.clock = || at(2);
        stage
    }

    fn mention(&mut self, room: &str, id: u64) {
        let mention = Mention {
            user_id: Some(1),
            ..Mention::default()
        };
        let room = room.to_owned();
        self.live(Message {
            room,
            mentions: vec![mention],
            ..message(id, "bob", "@alice")
        });
    }

    fn rings(&mut self) -> bool {
        std::mem::take(&mut self.state.bells) > 0
    }
}

#[test]
fn the_bell_rings_for_what_is_to_be_told_and_is_not_seen() {
    let mut stage = Stage::in_general();
    let garden = |id| Message {
        room: "12".into(),
        ..message(id, "bob", "hello")
    };
    stage.live(garden(2));
    assert!(!stage.rings(), "only what mentions her");
    stage.mention("12", 3);
    assert!(stage.rings());
    stage.mention("general", 2);
    assert!(!stage.rings(), "it is before her eyes");
    stage.happen(Event::Focus(false));
    stage.mention("general", 3);
    assert!(stage.rings(), "she looks at another window");
    stage.happen(Event::Focus(true));
    stage.write("/help");
    stage.mention("general", 4);
    assert!(stage.rings(), "it is covered");
    stage.press(KeyCode::Esc);
    // 17:26 by the clocks of UTC.
    let hours = |hours: &str| {
        event::Event::Settings(Settings {
            quiet_hours: Some(hours.into()),
            ..Settings::default()
        })
    };
    let minute = at(2).format("%H:%M");
    stage.frame(hours(&format!("{minute}-00:01")));
    stage.mention("12", 4);
    assert!(!stage.rings(), "quiet hours");
    stage.frame(hours(&format!("00:01-{minute}")));
    stage.mention("12", 5);
    assert!(stage.rings());
}

#[test]
fn what_rings_the_bell_and_when_it_does_not_is_set_by_words() {
    let mut stage = Stage::in_general();
    stage.write("/notify");
    assert!(
        stage.shows("You are told of what mentions you here"),
        "{}",
        stage.screen()
    );
    stage.ctrl('u');
    stage.write("/notify loudly");
    assert!(stage.shows("Write /notify all, /notify mentions or /notify nothing."));
    stage.ctrl('u');
    stage.write("/notify All");
    let ask = Ask::Notify("general".into(), Notify::All);
    assert_eq!(stage.asks(), std::slice::from_ref(&ask));
    stage.answer_ask(ask, Ok(Answer::Done));
    assert!(
        stage.shows("You are told of every message in #general."),
        "{}",
        stage.screen()
    );
    stage.write("/quiet");
    let screen = stage.screen();
    assert!(
        screen.contains("You have no quiet hours; your time zone is UTC."),
        "{screen}"
    );
    stage.ctrl('u');
    stage.write("/quiet 22:00-07:00");
    let ask = Ask::Profile(ProfilePatch {
        quiet_hours: Some("22:00-07:00".into()),
        ..ProfilePatch::default()
    });
    assert_eq!(stage.asks(), std::slice::from_ref(&ask));
    let mut profile = Profile {
        id: 1,
        username: "alice".into(),
        about: About::default(),
        presence: None,
        status: None,
        receipts: Some(true),
        quiet_hours: Some("22:00-07:00".into()),
        created_at: at(0),
    };
    profile.about.time_zone = Some("Europe/Berlin".into());
    stage.answer_ask(ask, Ok(Answer::Person(Box::new(profile))));
    let told = "Nothing disturbs you at 22:00-07:00 (Europe/Berlin).";
    assert!(stage.shows(told), "{}", stage.screen());
    stage.write("/zone -");
    let none = Ask::Profile(ProfilePatch {
        time_zone: Some(String::new()),
        ..ProfilePatch::default()
    });
    assert_eq!(stage.asks(), std::slice::from_ref(&none));
    // What is refused comes back, to be corrected.
    stage.answer_ask(none, Err("No.".into()));
    assert!(
        stage.shows("/zone -") && stage.shows("No."),
        "{}",
        stage.screen()
    );
}
