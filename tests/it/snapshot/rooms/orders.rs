//! What people can do in rooms, as a frame and as a request.

use serde_json::{Value, json};

use super::{Person, Run};

/// Something that people do and others hear of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Act {
    Connect,
    Disconnect,
    SyncFromBefore,
    Burst,
    Say,
    Reply,
    Mention,
    ReplyInThread,
    ReplyInBoth,
    Follow,
    Unfollow,
    Read,
    ReadBack,
    Notify,
    ReadThread,
    Draft,
    DraftInThread,
    DropDraft,
    Save,
    Unsave,
    Schedule,
    ScheduleSoon,
    Reschedule,
    CancelScheduled,
    Status,
    Profile,
    Receipts,
    Settings,
    SlashMe,
    SlashShrugInThread,
    SlashTopic,
    SlashInvite,
    SlashKick,
    SlashLeave,
    SlashDm,
    SlashStatus,
    Edit,
    Delete,
    React,
    TakeReactionBack,
    Pin,
    Unpin,
    Join,
    Leave,
    Invite,
    Kick,
    Role,
    Mute,
    Unmute,
    Rename,
    Topic,
    Kind,
    Archive,
    Unarchive,
}

impl Act {
    /// Often what is done often.
    pub(super) const ALL: &[Self] = &[
        Self::Connect,
        Self::Connect,
        Self::Disconnect,
        Self::SyncFromBefore,
        Self::Burst,
        Self::Burst,
        Self::Say,
        Self::Say,
        Self::Say,
        Self::Say,
        Self::Reply,
        Self::Mention,
        Self::Mention,
        Self::ReplyInThread,
        Self::ReplyInThread,
        Self::ReplyInThread,
        Self::ReplyInThread,
        Self::ReplyInBoth,
        Self::Follow,
        Self::Unfollow,
        Self::Read,
        Self::Read,
        Self::ReadBack,
        Self::Notify,
        Self::ReadThread,
        Self::ReadThread,
        Self::Draft,
        Self::Draft,
        Self::DraftInThread,
        Self::DropDraft,
        Self::Save,
        Self::Save,
        Self::Unsave,
        Self::Schedule,
        Self::Schedule,
        Self::ScheduleSoon,
        Self::ScheduleSoon,
        Self::Reschedule,
        Self::CancelScheduled,
        Self::Status,
        Self::Profile,
        Self::Receipts,
        Self::Settings,
        Self::SlashMe,
        Self::SlashMe,
        Self::SlashShrugInThread,
        Self::SlashTopic,
        Self::SlashInvite,
        Self::SlashKick,
        Self::SlashLeave,
        Self::SlashDm,
        Self::SlashStatus,
        Self::Edit,
        Self::Edit,
        Self::Edit,
        Self::Delete,
        Self::Delete,
        Self::Delete,
        Self::React,
        Self::React,
        Self::TakeReactionBack,
        Self::Pin,
        Self::Unpin,
        Self::Join,
        Self::Join,
        Self::Leave,
        Self::Invite,
        Self::Invite,
        Self::Kick,
        Self::Kick,
        Self::Role,
        Self::Mute,
        Self::Unmute,
        Self::Unmute,
        Self::Rename,
        Self::Topic,
        Self::Kind,
        Self::Archive,
        Self::Unarchive,
        Self::Unarchive,
        Self::Unarchive,
        Self::Unarchive,
    ];
}

/// An act by both roads.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) frame: Value,
    pub(super) request: (&'static str, String, Value),
}

impl Order {
    fn new(frame: Value, method: &'static str, path: String, body: Value) -> Self {
        let request = (method, path, body);
        Self { frame, request }
    }
}

const EMOJI: [(&str, &str); 3] = [
    ("👍", "%F0%9F%91%8D"),
    ("🎉", "%F0%9F%8E%89"),
    ("❤️", "%E2%9D%A4%EF%B8%8F"),
];

impl Run {
    /// What this one would do now, in a room and to a message that chance chooses.
    pub(super) fn order(&mut self, act: Act, who: usize) -> Order {
        self.said += 1;
        let key = self.a_room_of(who);
        let is_own = matches!(act, Act::Edit | Act::Delete);
        let id = self.a_message_of(&key, who, is_own);
        match act {
            Act::Say | Act::Reply => {
                let content = format!("{} said", self.said);
                say(&key, &content, (act == Act::Reply).then_some(id))
            }
            Act::Mention => {
                let name = &self.people[self.chance.below(self.people.len())].user.name;
                let all = ["", " and @room", " and @here"][self.chance.below(3)];
                let content = format!("{}: @{name}{all}", self.said);
                match self.chance.below(3) {
                    0 => rewrite(&key, self.a_message_of(&key, who, true), Some(&content)),
                    _ => say(&key, &content, None),
                }
            }
            Act::ReplyInThread | Act::ReplyInBoth => {
                let first = self.a_first_message_of(&key, who, id);
                reply_in_thread(&key, self.said, first, act == Act::ReplyInBoth)
            }
            Act::SlashShrugInThread => {
                let first = self.a_first_message_of(&key, who, id);
                slash(&key, &format!("/shrug {}", self.said), Some(first))
            }
            Act::SlashMe
            | Act::SlashTopic
            | Act::SlashInvite
            | Act::SlashKick
            | Act::SlashLeave
            | Act::SlashDm
            | Act::SlashStatus => {
                let name = &self.people[self.chance.below(self.people.len())].user.name;
                let said = self.said;
                let text = match act {
                    Act::SlashTopic => format!("/topic topic {said}"),
                    Act::SlashInvite => format!("/invite @{name}"),
                    Act::SlashKick => format!("/kick {name}"),
                    Act::SlashLeave => "/leave".to_owned(),
                    Act::SlashDm => format!("/dm @{name} {said} directly"),
                    Act::SlashStatus => format!("/status dnd: busy {said}"),
                    _ => format!("/me says {said} to @{name}"),
                };
                slash(&key, &text, None)
            }
            Act::Edit | Act::Delete => {
                let content = format!("{} edited", self.said);
                rewrite(&key, id, (act == Act::Edit).then_some(&*content))
            }
            Act::React | Act::TakeReactionBack => {
                let emoji = EMOJI[self.chance.below(EMOJI.len())];
                react(&key, id, emoji, act == Act::React)
            }
            Act::Pin | Act::Unpin => pin(&key, id, act == Act::Pin),
            Act::Read | Act::ReadBack => {
                let body = json!({"seq": id, "unread": act == Act::ReadBack});
                let frame = with(json!({"type": "read", "room": key}), &body);
                Order::new(frame, "PUT", format!("/api/rooms/{key}/read"), body)
            }
            Act::Join | Act::Leave => {
                let name = &self.people[who].user.name;
                membership(&key, name, act == Act::Join, &["join", "leave"], &json!({}))
            }
            Act::Invite | Act::Kick => {
                let name = &self.people[self.chance.below(self.people.len())].user.name;
                let more = json!({"user": name});
                membership(&key, name, act == Act::Invite, &["invite", "kick"], &more)
            }
            Act::Role | Act::Mute | Act::Unmute => {
                let role = ["member", "moderator", "owner"][self.chance.below(3)];
                let year = if act == Act::Mute { 2100 } else { 2001 };
                let until = format!("{year}-01-01T00:00:00.000000+00:00");
                let body = match act {
                    Act::Role => json!({"role": role}),
                    _ => json!({"muted_until": until}),
                };
                let name = &self.people[self.chance.below(self.people.len())].user.name;
                let path = format!("/api/rooms/{key}/members/{name}");
                let frame = with(json!({"type": "member", "room": key, "user": name}), &body);
                Order::new(frame, "PUT", path, body)
            }
            _ => {
                let body = self.patch(act, &key);
                let frame = with(json!({"type": "room", "room": key}), &body);
                Order::new(frame, "PATCH", format!("/api/rooms/{key}"), body)
            }
        }
    }

    fn patch(&mut self, act: Act, key: &str) -> Value {
        let said = self.said;
        match act {
            Act::Rename => json!({"name": format!("room-{key}-{said}")}),
            Act::Topic => json!({"topic": format!("topic {said}")}),
            Act::Kind => {
                let kind = ["public", "private"][self.chance.below(2)];
                json!({"kind": kind})
            }
            Act::Archive | Act::Unarchive => json!({"archived": act == Act::Archive}),
            _ => panic!("{act:?} is done with a socket, or has an order of its own"),
        }
    }

    /// A room, mostly one that this one is in.
    pub(super) fn a_room_of(&mut self, who: usize) -> String {
        let view = self.people[who].seats.first().map(|seat| &seat.view);
        let here: Vec<_> = self
            .rooms
            .iter()
            .filter(|key| view.is_some_and(|view| view.here.contains_key(*key)))
            .cloned()
            .collect();
        if here.is_empty() || self.chance.below(4) == 0 {
            return self.rooms[self.chance.below(self.rooms.len())].clone();
        }
        here[self.chance.below(here.len())].clone()
    }

    /// A message that has a thread, or may have one; now and then this one.
    pub(super) fn a_first_message_of(&mut self, key: &str, who: usize, id: u64) -> u64 {
        let seat = self.people[who].seats.first();
        let room = seat.and_then(|seat| seat.view.here.get(key));
        let Some(room) = room.filter(|_| self.chance.below(6) != 0) else {
            return id;
        };
        let mut firsts: Vec<u64> = room.threads.keys().copied().collect();
        if firsts.is_empty() || self.chance.below(3) == 0 {
            let texts = room.messages.iter();
            let texts = texts
                .filter(|(_, message)| message["kind"].is_null() && message["thread"].is_null());
            firsts = texts.map(|(id, _)| *id).collect();
        }
        if firsts.is_empty() {
            return id;
        }
        firsts[self.chance.below(firsts.len())]
    }

    /// Follows a thread, or no more: no one hears of it, and it is no part of the room's log.
    pub(super) fn follow(&mut self, who: usize, on: bool) -> bool {
        let key = self.a_room_of(who);
        let id = self.a_message_of(&key, who, false);
        let id = self.a_first_message_of(&key, who, id);
        let path = format!("/messages/{id}/follow");
        let method = if on { "PUT" } else { "DELETE" };
        let user = &self.people[who].user;
        let answer = user.in_room(method, &key, &path, &json!({}));
        assert!(answer.status < 500, "{answer:?}");
        answer.status == 204
    }

    /// What this one wants to be told of a room.
    pub(super) fn notify(&mut self, who: usize) -> bool {
        let key = self.a_room_of(who);
        let level = ["all", "mentions", "nothing"][self.chance.below(3)];
        let user = &self.people[who].user;
        let answer = user.in_room("PUT", &key, "/notify", &json!({"level": level}));
        assert!(answer.status < 500, "{answer:?}");
        answer.status == 204
    }

    /// The number of a message that this one can see, perhaps one of their own; or of one that perhaps is there.
    pub(super) fn a_message_of(&mut self, key: &str, who: usize, is_own: bool) -> u64 {
        let Person { user, seats, .. } = &self.people[who];
        let room = seats.first().and_then(|seat| seat.view.here.get(key));
        let messages = room.into_iter().flat_map(|room| room.messages.iter());
        let mut ids: Vec<_> = messages
            .map(|(id, message)| {
                (
                    *id,
                    message["user_id"] == user.id
                        && message["kind"].is_null()
                        && message["deleted_at"].is_null(),
                )
            })
            .collect();
        if is_own && ids.iter().any(|(_, is_own)| *is_own) && self.chance.below(4) != 0 {
            ids.retain(|(_, is_own)| *is_own);
        }
        if ids.is_empty() {
            return 1 + self.chance.below(20) as u64;
        }
        ids[self.chance.below(ids.len())].0
    }
}

fn say(key: &str, content: &str, reply_to: Option<u64>) -> Order {
    let mut body = json!({"content": content});
    if let Some(id) = reply_to {
        body["reply_to"] = id.into();
    }
    let frame = with(json!({"type": "message", "room": key}), &body);
    Order::new(frame, "POST", format!("/api/rooms/{key}/messages"), body)
}

fn reply_in_thread(key: &str, said: usize, first: u64, also_to_room: bool) -> Order {
    let body = json!({"content": format!("in thread {said}"), "thread": first, "also_to_room": also_to_room});
    let frame = with(json!({"type": "message", "room": key}), &body);
    Order::new(frame, "POST", format!("/api/rooms/{key}/messages"), body)
}

fn slash(key: &str, text: &str, thread: Option<u64>) -> Order {
    let mut body = json!({"text": text});
    if let Some(first) = thread {
        body["thread"] = first.into();
    }
    let frame = with(json!({"type": "command", "room": key}), &body);
    Order::new(frame, "POST", format!("/api/rooms/{key}/commands"), body)
}

/// Another text, or none.
fn rewrite(key: &str, id: u64, text: Option<&str>) -> Order {
    let path = format!("/api/rooms/{key}/messages/{id}");
    let Some(content) = text else {
        let frame = json!({"type": "delete", "room": key, "id": id});
        return Order::new(frame, "DELETE", path, json!({}));
    };
    let body = json!({"content": content});
    let frame = with(json!({"type": "edit", "room": key, "id": id}), &body);
    Order::new(frame, "PATCH", path, body)
}

fn react(key: &str, id: u64, (emoji, encoded): (&str, &str), on: bool) -> Order {
    let frame = json!({"type": "react", "room": key, "id": id, "emoji": emoji, "on": on});
    let path = format!("/api/rooms/{key}/messages/{id}/reactions/{encoded}");
    Order::new(frame, put_or_delete(on), path, json!({}))
}

fn pin(key: &str, id: u64, on: bool) -> Order {
    let frame = json!({"type": "pin", "room": key, "id": id, "on": on});
    let path = format!("/api/rooms/{key}/messages/{id}/pin");
    Order::new(frame, put_or_delete(on), path, json!({}))
}

fn membership(key: &str, name: &str, on: bool, types: &[&str; 2], more: &Value) -> Order {
    let kind = if on { types[0] } else { types[1] };
    let frame = with(json!({"type": kind, "room": key}), more);
    let path = format!("/api/rooms/{key}/members/{name}");
    Order::new(frame, put_or_delete(on), path, json!({}))
}

fn with(mut frame: Value, more: &Value) -> Value {
    for (name, value) in more.as_object().into_iter().flatten() {
        frame[name] = value.clone();
    }
    frame
}

fn put_or_delete(on: bool) -> &'static str {
    if on { "PUT" } else { "DELETE" }
}
