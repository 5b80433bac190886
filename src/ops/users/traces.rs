//! What a person has left in rooms, as lines of `users show`.

use serde_json::{Value, json};

use super::person::shown;
use crate::{
    crypto::{binding::Place, vault::Vault},
    db::{text::StoredText, time::StoredTime, users::traces::Traces, utc},
    protocol::time::format,
};

fn time(at: StoredTime) -> String {
    format(&utc(at.get()))
}

/// A line for each thing of a user.
pub(super) fn lines(traces: &Traces, user_id: i64, vault: Option<&Vault>) -> Vec<Value> {
    let mut lines = of_rooms(traces);
    lines.extend(traces.threads.iter().map(|thread| {
        json!({
            "kind": "thread",
            "room": thread.room,
            "thread": thread.thread,
            "replies": thread.replies,
            "follows": thread.follows,
            "read_up_to": thread.read_seq,
        })
    }));
    lines.extend(
        traces
            .mentions
            .iter()
            .map(|(room, count)| json!({"kind": "mentions", "room": room, "count": count})),
    );
    lines.extend(traces.drafts.iter().map(|draft| {
        let place = Place::of_draft(user_id, draft.room_id, draft.thread);
        json!({
            "kind": "draft",
            "room": draft.room,
            "thread": Some(draft.thread).filter(|thread| *thread > 0),
            "updated_at": time(draft.updated_at),
            "content": shown(vault.map(|vault| vault.open_at(place, draft.content.as_str()))),
        })
    }));
    lines.extend(traces.scheduled.iter().map(|later| {
        let place = Place::of_scheduled(user_id, later.room_id, later.id);
        json!({
            "kind": "scheduled",
            "what": later.what.as_str(),
            "id": later.id,
            "room": later.room,
            "thread": later.thread,
            "also_to_room": later.also_to_room,
            "reply_to": later.reply_to,
            "client_id": later.client_id.as_str(),
            "send_at": time(later.send_at),
            "tried_at": time(later.try_at),
            "created_at": time(later.created_at),
            "failed": later.failed.as_ref().map(StoredText::as_str),
            "content": shown(vault.map(|vault| vault.open_at(place, later.content.as_str()))),
        })
    }));
    lines.extend(traces.saved.iter().map(
        |(room, id, at)| json!({"kind": "saved", "room": room, "id": id, "saved_at": time(*at)}),
    ));
    lines
}

fn of_rooms(traces: &Traces) -> Vec<Value> {
    let mut lines = Vec::new();
    for room in &traces.memberships {
        let with = traces.directs.iter().filter(|(key, _)| *key == room.room);
        let with: Vec<&str> = with.map(|(_, name)| name.as_str()).collect();
        lines.push(json!({
            "kind": "room",
            "room": room.room,
            "name": room.name.as_ref().map(StoredText::as_str),
            "since": time(room.since),
            "role": room.role.as_str(),
            "muted_until": room.muted_until.map(time),
            "hidden_up_to": room.hidden_seq,
            "last_wrote_in_slow_mode": room.spoke_at.map(time),
            "invited_by_user": room.invited_by,
            "read_up_to": room.read_seq,
            "shown_to_have_read_up_to": room.shown_seq,
            "notify": room.notify.as_ref().map(StoredText::as_str),
            "with": Some(with).filter(|with| !with.is_empty()),
        }));
    }
    lines.extend(traces.invitations.iter().map(
        |(room, people)| json!({"kind": "invitations", "room": room, "members_brought_in": people}),
    ));
    lines.extend(traces.made.iter().map(|(room, name, at)| {
        let name = name.as_ref().map(StoredText::as_str);
        json!({"kind": "room made", "room": room, "name": name, "created_at": time(*at)})
    }));
    lines.extend(traces.removals.iter().map(|(room, seq, at)| {
        json!({"kind": "removal", "room": room, "seq": seq, "created_at": time(*at)})
    }));
    lines.extend(traces.restraints.iter().map(|(room, muted, spoke)| {
        json!({
            "kind": "restraint",
            "room": room,
            "muted_until": muted.map(time),
            "last_wrote_in_slow_mode": spoke.map(time),
        })
    }));
    lines.extend(traces.reactions.iter().map(|(room, emoji, count)| {
        json!({"kind": "reactions", "room": room, "emoji": emoji.as_str(), "count": count})
    }));
    lines.extend(traces.pins.iter().map(
        |(room, id, at)| json!({"kind": "pin", "room": room, "id": id, "pinned_at": at.map(time)}),
    ));
    lines
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::db::relations::USERS;

    /// Columns that name a user, and the line that tells what they say of that person.
    const TOLD: &[(&str, &str, &str)] = &[
        ("sessions", "user_id", "login"),
        // The beginnings of words in the names that this line has.
        ("user_words", "user_id", "account"),
        ("rooms", "created_by", "room made"),
        ("memberships", "user_id", "room"),
        ("memberships", "invited_by", "invitations"),
        ("removals", "user_id", "removal"),
        ("restraints", "user_id", "restraint"),
        ("messages", "user_id", "message"),
        ("messages", "pinned_by", "pin"),
        ("reactions", "user_id", "reactions"),
        ("thread_people", "user_id", "thread"),
        ("mentions", "user_id", "mentions"),
        ("drafts", "user_id", "draft"),
        ("scheduled", "user_id", "scheduled"),
        ("saved", "user_id", "saved"),
        ("known_networks", "user_id", "known network"),
        ("account_changes", "user_id", "change"),
    ];

    /// Which are all that the schema has is held beside that list; that each line is printed, by a test of the command.
    #[test]
    fn whatever_names_a_user_is_told_of_them() {
        let told: BTreeSet<(&str, &str)> = TOLD.iter().map(|(t, c, _)| (*t, *c)).collect();
        assert_eq!(told, USERS.iter().copied().collect());
        let sources = [include_str!("traces.rs"), include_str!("person.rs")];
        for (.., kind) in TOLD {
            let line = format!("\"kind\": \"{kind}\"");
            assert!(sources.iter().any(|text| text.contains(&line)), "{kind}");
        }
    }
}
