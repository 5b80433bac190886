//! Commands that the server carries out.

use super::*;
use crate::protocol::{
    room::RoomKind,
    slash::{NewCommand, SendCommand, SlashCommand},
};

fn command(name: &str, usage: &str) -> SlashCommand {
    SlashCommand {
        name: name.into(),
        usage: usage.into(),
        about: format!("What {name}\u{7} does."),
        example: usage.into(),
        rooms: vec![RoomKind::Public],
    }
}

impl Stage {
    /// Alice in a room of a server that carries out some commands.
    fn with_commands() -> Self {
        let mut stage = Self::in_room(1);
        stage.happen(Event::Tick(250));
        let at = stage.listed.iter().position(|ask| *ask == Ask::Commands);
        let ask = stage.listed.remove(at.expect("they are asked for"));
        let commands = vec![
            command("me", "/me <what you do>"),
            command("dm", "/dm @user [text]"),
            command("topic", "/topic <text>"),
        ];
        stage.answer_ask(ask, Ok(Answer::Commands(commands)));
        stage
    }

    /// The command that was sent last, and its `ref`.
    fn commanded(&mut self) -> (String, NewCommand) {
        let request = self.said.pop().expect("a frame");
        let Command::Command(SendCommand { room, command }) = request.command else {
            panic!("no command");
        };
        assert_eq!(room, "general");
        (request.reference.expect("a ref"), command)
    }

    fn refused(&mut self, reference: String) {
        self.frame(event::Event::Error(ErrorFrame {
            reference: Some(reference),
            code: crate::protocol::code::Code::Forbidden,
            detail: "You may not do this.".into(),
            retry_after_ms: None,
            room: None,
            kind: None,
        }));
    }

    fn carried(&mut self, reference: String, room: &str, done: &str) {
        self.frame(event::Event::Ack(Ack {
            reference,
            room: room.into(),
            id: 0,
            seq: 0,
            timestamp: at(9),
            duplicate: false,
            done: Some(done.into()),
        }));
    }
}

#[test]
fn a_line_with_a_command_of_the_server_is_sent_as_one_and_what_it_did_is_told() {
    let mut stage = Stage::with_commands();
    stage.write("/me waves");
    assert!(stage.shows("/me waves"), "{}", stage.screen());
    let (reference, command) = stage.commanded();
    assert_eq!(command.text, "/me waves");
    assert_eq!(command.client_id.as_ref(), Some(&reference));
    stage.carried(reference, "general", "Said\u{1b}.");
    assert!(
        stage.shows("Said␛.") && !stage.shows("/me waves"),
        "{}",
        stage.screen()
    );
    // The terminal's own come first, and two slashes say one.
    stage.write("/topic bees");
    assert!(matches!(stage.asks()[..], [Ask::Change(..)]));
    stage.write("//me waves");
    assert_eq!(stage.sent()[0].1, "/me waves");
    stage.write("/dance");
    assert!(
        stage.shows("There is no command /dance"),
        "{}",
        stage.screen()
    );
}

#[test]
fn a_command_that_is_refused_comes_back_and_one_that_waits_is_sent_later() {
    let mut stage = Stage::with_commands();
    stage.closed(None);
    stage.write("/me waves");
    assert!(
        stage.said.is_empty() && stage.shows("waits to be sent"),
        "{}",
        stage.screen()
    );
    stage.write("/reconnect");
    stage.hello("epoch", 1);
    let (reference, _) = stage.commanded();
    stage.refused(reference);
    assert!(
        stage.shows("You may not do this.") && !stage.shows("not sent"),
        "{}",
        stage.screen()
    );
    stage.press(KeyCode::Enter);
    assert_eq!(stage.commanded().1.text, "/me waves");
}

#[test]
fn a_refused_command_takes_no_place_of_new_messages() {
    let mut stage = Stage::with_commands();
    for _ in 0..6 {
        stage.write("/me waves");
        let (reference, _) = stage.commanded();
        stage.refused(reference);
        stage.ctrl('u');
    }
    stage.live(message(2, "bob", "what is new"));
    let screen = stage.screen();
    assert!(
        screen.contains("what is new") && !screen.contains("not sent"),
        "{screen}"
    );
}

#[test]
fn a_refused_command_overwrites_nothing_that_is_written_since() {
    let mut stage = Stage::with_commands();
    stage.write("/me waves");
    let (reference, _) = stage.commanded();
    stage.type_text("half a thought");
    stage.refused(reference);
    let screen = stage.screen();
    for told in ["half a thought", "/me waves", "You may not do this."] {
        assert!(screen.contains(told), "{told}\n{screen}");
    }
    stage.ctrl('u');
    stage.write("/edit");
    stage.press(KeyCode::Enter);
    assert_eq!(stage.commanded().1.text, "/me waves");
}

#[test]
fn a_command_that_is_refused_in_another_room_waits_there_to_be_corrected() {
    let mut stage = Stage::with_commands();
    stage.come_into("7", "garden", 0);
    stage.write("/me waves");
    let (reference, _) = stage.commanded();
    stage.write("/join garden");
    stage.refused(reference);
    let screen = stage.screen();
    assert!(
        screen.contains("You may not do this.") && !screen.contains("/me waves"),
        "{screen}"
    );
    stage.write("/join general");
    assert!(stage.shows("/me waves"), "{}", stage.screen());
    stage.press(KeyCode::Enter);
    assert_eq!(stage.commanded().1.text, "/me waves");
}

#[test]
fn who_writes_to_someone_comes_to_the_conversation() {
    for command in ["/dm", "/DM"] {
        let mut stage = Stage::with_commands();
        stage.come_into("7", "garden", 0);
        stage.write(&format!("{command} @bob are you there?"));
        let (reference, _) = stage.commanded();
        stage.carried(reference, "7", "Said.");
        assert!(
            stage.shows(" #garden  alice@") && stage.shows("Said."),
            "{command}: {}",
            stage.screen()
        );
    }
}

#[test]
fn who_is_to_set_a_time_zone_is_told_how() {
    let mut stage = Stage::with_commands();
    stage.write("/me waits");
    let (reference, _) = stage.commanded();
    let done = "The reminder comes on Sunday. Your profile has no time zone yet: set one, and times are read by your own clock.";
    stage.carried(reference, "", done);
    assert!(
        stage.shows("(/zone Europe/Berlin), and times"),
        "{}",
        stage.screen()
    );
}

#[test]
fn a_command_is_one_in_capitals_too() {
    let mut stage = Stage::with_commands();
    stage.write("/ME waves");
    assert_eq!(stage.commanded().1.text, "/ME waves");
    stage.come_into("7", "garden", 0);
    stage.write("/JOIN garden");
    assert!(stage.shows(" #garden  alice@"), "{}", stage.screen());
    stage.write("/Join general");
    assert!(stage.shows(" #general  alice@"), "{}", stage.screen());
    stage.type_text("/UNR");
    stage.press(KeyCode::Tab);
    assert!(stage.shows("/unread "), "{}", stage.screen());
    stage.ctrl('u');
    stage.write("/DANCE");
    assert!(
        stage.shows("There is no command /DANCE"),
        "{}",
        stage.screen()
    );
}

#[test]
fn the_help_and_tab_know_the_commands_of_the_server() {
    let mut stage = Stage::with_commands();
    stage.type_text("/m");
    assert!(stage.shows("/me"), "{}", stage.screen());
    stage.ctrl('u');
    stage.type_text("/dm");
    stage.press(KeyCode::Tab);
    assert!(stage.shows("/dm "), "{}", stage.screen());
    stage.ctrl('u');
    stage.happen(Event::Resize(120, 200));
    stage.write("/help");
    let screen = stage.screen();
    assert!(
        screen.contains("/me <what you do>") && screen.contains("What me␇ does."),
        "{screen}"
    );
    assert!(
        !screen.contains("/topic <text>"),
        "that is the terminal's own: {screen}"
    );
}
