//! What is to be said later, and reminders: listing, changing and taking back. What becomes of one is told by the server.

use parlour_client::{api::Ask, effect::Effect};

use super::{
    chat::{Chat, Task},
    pick::{Choice, Goal, Picker},
    rooms::label,
    state::{About, State, Wanted},
    text::{visible, visible_lines},
};
use crate::protocol::{
    scheduled::{Scheduled, ScheduledChange, ScheduledKind, ScheduledNews, ScheduledPatch},
    time::Timestamp,
};

/// What gives another time.
const RESCHEDULE: &str = "/reschedule";

/// Asks for what waits.
pub fn list(state: &mut State) -> Vec<Effect> {
    state.wanted = Some(Wanted::Scheduled);
    vec![Effect::Ask(Ask::Scheduled)]
}

/// What waits is there, and is listed if the user still wants it.
pub fn listed(state: &mut State, scheduled: Vec<Scheduled>) {
    state.later = scheduled;
    let wanted = state.wanted.take_if(|now| *now == Wanted::Scheduled);
    if wanted.is_none() {
        return;
    }
    let choices = state.later.iter().map(|one| {
        let first = visible_lines(&one.content).find(|line| !line.trim().is_empty());
        let text = match first {
            _ if one.unreadable => "(cannot be read)".to_owned(),
            first => first.unwrap_or_default(),
        };
        Choice {
            text: format!("{} {text}", visible(&room_of(state, one))),
            note: match &one.failed {
                Some(why) => format!("not sent: {}", visible(&why.detail)),
                None => time_of(state, one.send_at),
            },
            goal: Goal::Later(one.id),
            drop: Ask::CancelScheduled(one.id),
        }
    });
    let choices = choices.collect();
    (state.sheet, state.switcher) = (None, None);
    state.picker = Some(Picker {
        title: "To be said later",
        nothing: "Nothing waits to be said: /remind me TIME TEXT reminds you, /remind #ROOM TIME TEXT all in a room.",
        choices,
        at: 0,
        keys: " Enter changes the text, T the time · Delete takes it back · Esc ",
    });
}

/// The room in which something is to be said, as it is called on the screen.
fn room_of(state: &State, one: &Scheduled) -> String {
    let is_known = state.client.store.room(&one.room).is_some();
    match &one.name {
        Some(name) if !is_known => format!("#{name}"),
        _ => label(state, &one.room),
    }
}

fn time_of(state: &State, at: Timestamp) -> String {
    let (at, today) = ((state.local_time)(at), (state.local_time)((state.clock)()));
    let form = if at.date() == today.date() {
        "today %H:%M"
    } else {
        "%a %-d %b %H:%M"
    };
    at.format(form).to_string()
}

fn find(state: &State, id: u64) -> Option<&Scheduled> {
    state.later.iter().find(|one| one.id == id)
}

/// Begins to change the text of one.
pub fn begin(state: &mut State, id: u64) {
    if let Some(content) = find(state, id).map(|one| one.content.clone()) {
        let told = "Enter keeps the text as you write it, Esc leaves it as it was. /reschedule TIME behind it sets another time.";
        write(state, id, &content, told);
    }
}

/// Begins to change the time of one.
pub fn begin_time(state: &mut State, id: u64) {
    let told =
        "Write when it is to come, like tomorrow at 9, and press Enter. Esc leaves it as it was.";
    write(state, id, &format!("{RESCHEDULE} "), told);
}

fn write(state: &mut State, id: u64, text: &str, told: &str) {
    let pane = state.chat.as_mut().filter(|chat| chat.input.is_empty());
    let told = if let Some(chat) = pane {
        chat.begin(Task::Later(id), text);
        told
    } else {
        "Something is written here: send it or take it away first."
    };
    state.hint(About::Typed, told);
}

/// What the text in the line will become, in a few words.
#[must_use]
pub fn task(state: &State, id: u64) -> String {
    let one = find(state, id);
    let when = one.map_or_else(String::new, |one| {
        format!(
            " {} in {}",
            time_of(state, one.send_at),
            visible(&room_of(state, one))
        )
    });
    format!("For later,{when} (Esc stops, /reschedule TIME)")
}

/// Gives one another text; or another time, where a command for that stands behind the text: so it is meant.
pub fn set_text(state: &mut State, id: u64, content: &str) -> Vec<Effect> {
    let before = find(state, id).map(|one| one.content.as_str());
    let is_new = before.is_none_or(|before| !before.contains(RESCHEDULE));
    let (text, when) = match content.rsplit_once(RESCHEDULE) {
        Some((text, when)) if is_new && is_behind(when) => (text.trim_end(), Some(when.trim())),
        _ => (content, None),
    };
    if when == Some("") {
        state.hint(About::Written, "Write /reschedule TIME.");
        return Vec::new();
    }
    let is_same = when.is_some() && (text.is_empty() || Some(text) == before);
    let patch = ScheduledPatch {
        content: (!is_same).then(|| text.to_owned()),
        when: when.map(str::to_owned),
        ..ScheduledPatch::default()
    };
    vec![Effect::Ask(Ask::ChangeScheduled(id, patch))]
}

/// Whether this can stand behind a word of one line.
fn is_behind(rest: &str) -> bool {
    !rest.contains('\n') && (rest.is_empty() || rest.starts_with(char::is_whitespace))
}

/// Gives the one that is being changed another time.
///
/// # Errors
/// A sentence, where none is being changed.
pub fn set_time(state: &State, when: &str) -> Result<Vec<Effect>, String> {
    let task = state.chat.as_ref().map(|chat| chat.task);
    let Some(Task::Later(id)) = task else {
        return Err(
            "Choose what is to come at another time first, with Enter in /scheduled.".into(),
        );
    };
    let patch = ScheduledPatch {
        when: Some(when.to_owned()),
        ..ScheduledPatch::default()
    };
    Ok(vec![Effect::Ask(Ask::ChangeScheduled(id, patch))])
}

/// One was changed as the user wanted.
pub fn changed(state: &mut State, id: u64, now: &Scheduled) {
    for chat in state.chat.iter_mut().chain(state.others.values_mut()) {
        if chat.task == Task::Later(id) {
            chat.begin(Task::Write, "");
        }
    }
    let text = format!(
        "Changed: it comes {} in {}.",
        time_of(state, now.send_at),
        room_of(state, now)
    );
    state.hint(About::Typed, text);
}

/// Something has become of one, perhaps by another device.
pub fn told(state: &mut State, news: ScheduledNews) {
    let ScheduledNews {
        change, scheduled, ..
    } = news;
    let at = state.later.iter().position(|one| one.id == scheduled.id);
    let room = room_of(state, &scheduled);
    match change {
        ScheduledChange::Sent | ScheduledChange::Cancelled => {
            if let Some(at) = at {
                state.later.remove(at);
            }
            if change == ScheduledChange::Sent && scheduled.kind == ScheduledKind::Reminder {
                let first = scheduled.content.lines().next().unwrap_or_default();
                state.hint(About::Later, format!("{first} ({room})"));
            }
            stop(state, scheduled.id);
        }
        ScheduledChange::Failed => {
            if let Some(why) = &scheduled.failed {
                let text = format!("What was to be said in {room} was not: {}", why.detail);
                state.hint(About::Later, text);
            }
            replace(state, at, scheduled);
        }
        ScheduledChange::Created | ScheduledChange::Changed => replace(state, at, scheduled),
        ScheduledChange::Unknown => {}
    }
}

fn replace(state: &mut State, at: Option<usize>, scheduled: Scheduled) {
    if let Some(known) = at.and_then(|at| state.later.get_mut(at)) {
        *known = scheduled;
    } else {
        state.later.push(scheduled);
    }
}

/// It cannot be changed any more: what was written for it is kept in the line, and is nothing but text.
fn stop(state: &mut State, id: u64) {
    let panes = state.chat.iter_mut().chain(state.others.values_mut());
    let mut was_changed = false;
    for chat in panes.filter(|chat: &&mut Chat| chat.task == Task::Later(id)) {
        chat.task = Task::Write;
        was_changed |= !chat.input.is_empty();
    }
    if was_changed {
        let text = "It cannot be changed any more: what stands here would be a new message.";
        state.hint(About::Later, text);
    }
}
