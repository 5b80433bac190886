//! What words after a slash ask of the server about a room and its members.

use chrono::{Duration, TimeDelta};
use parlour_client::api::Ask;

use crate::{
    commands::Action,
    protocol::{
        room::{MemberPatch, NewDirect, NewRoom, Role, RoomKind, RoomPatch},
        time::Timestamp,
    },
};

/// How long someone is muted where it is not said.
const MUTED: TimeDelta = Duration::hours(1);
/// Longer is not meant: a mute can be ended, and given again.
const LONGEST: TimeDelta = Duration::days(3_650);

/// What is asked in this room by the action and what stands behind its word.
///
/// # Errors
/// A sentence, where what stands behind the word cannot be understood.
pub fn ask(
    action: Action,
    room: String,
    rest: &str,
    now: Timestamp,
) -> Result<Option<Ask>, String> {
    let change = |patch| Ask::Change(room.clone(), patch);
    let archive = |archived| RoomPatch {
        archived: Some(archived),
        ..RoomPatch::default()
    };
    Ok(Some(match action {
        Action::Create => create(rest, RoomKind::Public),
        Action::CreatePrivate => create(rest, RoomKind::Private),
        Action::Topic => change(RoomPatch {
            topic: Some(if rest == "-" { "" } else { rest }.to_owned()),
            ..RoomPatch::default()
        }),
        Action::Rename => change(RoomPatch {
            name: Some(name_of_room(rest)),
            ..RoomPatch::default()
        }),
        Action::Archive => change(archive(true)),
        Action::Unarchive => change(archive(false)),
        Action::Slow => {
            let seconds = rest.trim_end_matches('s').trim_end().parse();
            let seconds = seconds.map_err(|_| {
                "Write /slow and a number of seconds, like /slow 30 (0: no slow mode).".to_owned()
            })?;
            change(RoomPatch {
                slow_seconds: Some(seconds),
                ..RoomPatch::default()
            })
        }
        Action::Hide => Ask::Hide(room),
        Action::Invite => member(room, rest, MemberPatch::default()),
        Action::Kick => Ask::RemoveMember {
            room,
            user: name_of(rest),
        },
        Action::Role => role(room, rest)?,
        Action::Mute => mute(room, rest, now)?,
        Action::Unmute => member(
            room,
            rest,
            MemberPatch {
                // A time that is over, also for a server whose clock is behind.
                muted_until: Some(now - Duration::days(1)),
                ..MemberPatch::default()
            },
        ),
        _ => return Ok(None),
    }))
}

/// The direct room with these people; with none, for notes to oneself.
pub fn direct(names: &str) -> Ask {
    let names = names.split([' ', ',']).filter(|name| !name.is_empty());
    Ask::Direct(NewDirect {
        users: names.map(name_of).collect(),
    })
}

fn create(name: &str, kind: RoomKind) -> Ask {
    Ask::Create(NewRoom {
        name: name_of_room(name),
        kind,
        topic: None,
        users: Vec::new(),
    })
}

/// A room's name without the mark of its kind.
pub fn name_of_room(written: &str) -> String {
    written.trim_start_matches(['#', '*']).to_owned()
}

/// A user's name without its mark.
pub fn name_of(written: &str) -> String {
    written.trim_start_matches('@').to_owned()
}

fn member(room: String, name: &str, patch: MemberPatch) -> Ask {
    Ask::PutMember {
        room,
        user: name_of(name),
        patch,
    }
}

fn role(room: String, rest: &str) -> Result<Ask, String> {
    let parts = rest.split_once(char::is_whitespace);
    let parsed = parts.and_then(|(name, role)| {
        let role = role.trim().to_lowercase().parse::<Role>().ok()?;
        Some((name, role))
    });
    let Some((name, role)) = parsed else {
        return Err("Write /role NAME and what they are to be: owner, moderator or member.".into());
    };
    let patch = MemberPatch {
        role: Some(role),
        ..MemberPatch::default()
    };
    Ok(member(room, name, patch))
}

fn mute(room: String, rest: &str, now: Timestamp) -> Result<Ask, String> {
    let (name, time) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let time = time.trim();
    let time = if time.is_empty() {
        Some(MUTED)
    } else {
        span(time)
    };
    let Some(time) = time else {
        return Err("Write for how long like 30m, 2h or 7d: /mute NAME 30m.".into());
    };
    let patch = MemberPatch {
        muted_until: Some(now + time),
        ..MemberPatch::default()
    };
    Ok(member(room, name, patch))
}

/// So many minutes, hours or days.
fn span(written: &str) -> Option<TimeDelta> {
    let unit = written.chars().next_back()?;
    let (number, unit) = match unit {
        'm' => (&written[..written.len() - 1], 1),
        'h' => (&written[..written.len() - 1], 60),
        'd' => (&written[..written.len() - 1], 24 * 60),
        _ => (written, 1),
    };
    let number: i64 = number.trim().parse().ok()?;
    let span = TimeDelta::try_minutes(number.checked_mul(unit)?)?;
    (number > 0 && span <= LONGEST).then_some(span)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_written_in_minutes_hours_or_days() {
        assert_eq!(span("30m"), Some(Duration::minutes(30)));
        assert_eq!(span("30"), Some(Duration::minutes(30)));
        assert_eq!(span("2h"), Some(Duration::hours(2)));
        assert_eq!(span("7d"), Some(Duration::days(7)));
        for wrong in [
            "",
            "m",
            "0m",
            "-5m",
            "soon",
            "9999999999999999d",
            "5w",
            "5€",
        ] {
            assert_eq!(span(wrong), None, "{wrong}");
        }
    }
}
