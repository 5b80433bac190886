//! What commands mean: by the cases in `tests/fixtures/parsing.tsv`.

use chrono::TimeDelta;

use super::{parse::read, *};
use crate::{
    chat::{cases, scheduled::RemindIn},
    error::Code,
    protocol::{
        command::{InRoom, OfUser, SetRoom},
        slash::TABLE,
        time::now,
    },
};

fn ask(text: &str) -> Result<Asked> {
    let new = NewCommand {
        text: text.into(),
        client_id: Some("c".into()),
        thread: Some(7),
    };
    read("here", new)
}

/// What a command means, in the words of the cases.
fn meaning(text: &str) -> String {
    let refused = match ask(text) {
        Ok(asked) => return told(asked.meaning),
        Err(refused) => refused,
    };
    match refused.code {
        Code::UnknownCommand => {
            let near = refused.detail.split_once("near it are ");
            let near = near.map(|(_, names)| names.replace(['`', '/', '.'], ""));
            near.map_or("unknown".into(), |near| format!("unknown, near it {near}"))
        }
        _ if refused.detail.starts_with("It is written so") => "misused".into(),
        _ => "no command".into(),
    }
}

fn told(meaning: Meaning) -> String {
    let deed = match meaning {
        Meaning::Deed(deed) => deed,
        Meaning::Status(wish) => return told_status(wish),
        Meaning::Remind(reminder) => return told_reminder(reminder),
    };
    match deed {
        Deed::Tell { people, message } => {
            assert_eq!(message.client_id.as_deref(), Some("c"));
            assert_eq!(message.thread, None, "the thread is of another room");
            format!("tells {}: {}", people.users.join(", "), message.content)
        }
        Deed::One(command) => match *command {
            Command::Post(said) => {
                assert_eq!(
                    (said.client_id.as_deref(), said.thread),
                    (Some("c"), Some(7))
                );
                format!(
                    "says in {}: {}",
                    said.room.unwrap_or_default(),
                    said.content
                )
            }
            Command::Room(SetRoom { room, patch }) => {
                format!("topic of {room}: {}", patch.topic.unwrap_or_default())
            }
            Command::Invite(OfUser { room, user }) => format!("brings {user} into {room}"),
            Command::Kick(OfUser { room, user }) => format!("takes {user} out of {room}"),
            Command::Leave(InRoom { room }) => format!("leaves {room}"),
            Command::Direct(people) => format!("opens {}", people.users.join(", ")),
            other => format!("{other:?}"),
        },
    }
}

fn told_reminder(reminder: Reminder) -> String {
    match reminder.place {
        RemindIn::Notes => format!("notes: {}", reminder.text),
        RemindIn::Room(room) => format!("in {room}: {}", reminder.text),
    }
}

fn told_status(wish: SetStatus) -> String {
    let state = wish.state.map(|state| state.as_str().to_owned());
    let emoji = wish.emoji.map(|emoji| format!("emoji {emoji}"));
    let text = wish.text.map(|text| format!("text {text}"));
    let length = wish.until.map(|until| {
        // To the nearest second: it is the same microsecond, or one a little later.
        let left = until - now() + TimeDelta::milliseconds(500);
        format!("{} s", left.num_seconds())
    });
    let all: Vec<_> = [state, emoji, text, length].into_iter().flatten().collect();
    format!("status {}", all.join(", "))
        .trim_end_matches("status ")
        .trim_end()
        .to_owned()
}

#[test]
fn commands_mean_what_people_expect() {
    let mut wrong = Vec::new();
    let cases = cases::of_kind("command");
    assert!(cases.len() >= 100, "{}", cases.len());
    for fields in cases {
        let (text, wanted) = (&fields[0], fields[1].trim_end());
        let seen = meaning(text);
        let seen = if seen.is_empty() {
            "status"
        } else {
            seen.trim_end()
        };
        if seen != wanted {
            wrong.push(format!("{text:?}: {seen:?}, not {wanted:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_the_table_shows_is_understood() {
    for entry in TABLE {
        let asked = ask(entry.example).expect(entry.example);
        assert_eq!(asked.note.slash, entry.slash);
    }
}

#[test]
fn a_long_text_is_refused_in_time_and_not_told_back() {
    for text in ["/", "/a", "/ ", "//", "/dm ,", "/status ", "/me *"] {
        let text = text.repeat(60_000 / text.len());
        if let Err(refused) = ask(&text) {
            assert!(refused.detail.len() < 300, "{}", refused.detail);
        }
    }
}
