//! Frames as they may look, for the document of the socket: one at least of each type, typed, so that none can be wrong.

mod people;
mod scheduled;
mod slash;

use std::collections::BTreeMap;

use chrono::DateTime;

use super::{
    GENERAL,
    code::Code,
    command::{
        Command, Delete, Edit, InRoom, OfUser, Pin, React, Request, SendMessage, SetMember,
        SetRoom, Sync,
    },
    event::{
        Ack, Connected, ErrorFrame, Event, MessageChanged, Notice, RoomNews, RoomState, SyncedRoom,
        System, crowd_sentence,
    },
    kept::Draft,
    limits::Limits,
    message::{Message, MessageChange},
    people::{SetStatus, State, Typing},
    reading::{Counts, MarkRead, Marker, Notify, ReadUpTo},
    room::{MemberPatch, NewDirect, NewRoom, Role, RoomChanged, RoomField, RoomKind, RoomPatch},
    time::Timestamp,
};

const CLIENT_ID: &str = "7b0c4cf1";
const EPOCH: &str = "5f0c2f7a";

/// What clients say, each with a name.
#[must_use]
pub fn commands() -> Vec<(&'static str, Request)> {
    let message = |room: Option<&str>, client_id: Option<&str>| {
        Command::Message(SendMessage {
            content: "hi".into(),
            room: room.map(Into::into),
            client_id: client_id.map(Into::into),
            ..SendMessage::default()
        })
    };
    let answer = Command::Message(SendMessage {
        content: "hi, alice".into(),
        room: Some("garden".into()),
        client_id: Some(CLIENT_ID.into()),
        reply_to: Some(413),
        ..SendMessage::default()
    });
    let in_thread = Command::Message(SendMessage {
        content: "more of it here".into(),
        room: Some("garden".into()),
        client_id: Some(CLIENT_ID.into()),
        thread: Some(413),
        also_to_room: true,
        ..SendMessage::default()
    });
    let edit = Command::Edit(Edit {
        room: GENERAL.into(),
        id: 413,
        content: "hi, all".into(),
        if_seq: Some(413),
    });
    let delete = Command::Delete(Delete {
        room: GENERAL.into(),
        id: 413,
        if_seq: None,
    });
    let react = Command::React(React {
        room: GENERAL.into(),
        id: 413,
        emoji: "👍".into(),
        on: true,
    });
    let pin = Command::Pin(Pin {
        room: GENERAL.into(),
        id: 413,
        on: true,
    });
    let sync = Sync {
        rooms: BTreeMap::from([(GENERAL.to_owned(), 412)]),
        epoch: Some(EPOCH.into()),
    };
    vec![
        ("least", Request::new(message(None, None))),
        (
            "retrySafe",
            Request::with_ref("1", message(Some(GENERAL), Some(CLIENT_ID))),
        ),
        ("answer", Request::with_ref("4", answer)),
        ("inThread", Request::with_ref("12", in_thread)),
        ("edit", Request::with_ref("5", edit)),
        ("delete", Request::with_ref("6", delete)),
        ("react", Request::with_ref("7", react)),
        ("pin", Request::with_ref("8", pin)),
        ("afterACut", Request::with_ref("2", Command::Sync(sync))),
        ("slash", Request::with_ref("14", slash::first())),
        ("create", Request::with_ref("3", create())),
        ("direct", Request::with_ref("4", direct())),
        ("join", Request::with_ref("5", Command::Join(garden()))),
        ("leave", Request::with_ref("6", Command::Leave(garden()))),
        ("invite", Request::with_ref("7", Command::Invite(bob()))),
        ("kick", Request::with_ref("8", Command::Kick(bob()))),
        ("moderator", Request::with_ref("9", moderator())),
        ("topic", Request::with_ref("10", topic())),
        ("read", Request::with_ref("11", read(false))),
        ("unreadFromHere", Request::with_ref("12", read(true))),
        ("away", Request::new(idle())),
        ("doNotDisturb", Request::with_ref("13", lunch())),
        ("whoIsHere", Request::new(Command::Presence)),
        ("typing", Request::new(Command::Typing(typing()))),
        ("ping", Request::ping()),
    ]
}

fn idle() -> Command {
    Command::Status(SetStatus {
        idle: Some(true),
        ..SetStatus::default()
    })
}

fn lunch() -> Command {
    Command::Status(SetStatus {
        state: Some(State::Dnd),
        text: Some("at lunch".into()),
        emoji: Some("🍜".into()),
        until: Some(at()),
        idle: None,
    })
}

fn typing() -> Typing {
    Typing {
        room: GENERAL.into(),
        thread: None,
    }
}

fn garden() -> InRoom {
    InRoom {
        room: "garden".into(),
    }
}

fn bob() -> OfUser {
    OfUser {
        room: "garden".into(),
        user: "bob".into(),
    }
}

fn create() -> Command {
    Command::Create(NewRoom {
        name: "garden".into(),
        kind: RoomKind::Private,
        topic: Some("seeds".into()),
        users: vec!["bob".into()],
    })
}

fn direct() -> Command {
    Command::Direct(NewDirect {
        users: vec!["bob".into()],
    })
}

fn moderator() -> Command {
    let OfUser { room, user } = bob();
    Command::Member(SetMember {
        room,
        user,
        patch: MemberPatch {
            role: Some(Role::Moderator),
            muted_until: None,
        },
    })
}

fn topic() -> Command {
    Command::Room(SetRoom {
        room: "garden".into(),
        patch: RoomPatch {
            topic: Some("seeds and trees".into()),
            ..RoomPatch::default()
        },
    })
}

fn read(unread: bool) -> Command {
    let mark = MarkRead {
        seq: 413,
        thread: None,
        unread,
    };
    let room = GENERAL.into();
    Command::Read(ReadUpTo { room, mark })
}

/// What the server says, each with a name.
#[must_use]
pub fn events() -> Vec<(&'static str, Event)> {
    vec![
        ("connected", connected()),
        ("joined", crowd(&["bob"], "joined")),
        ("left", crowd(&["bob", "carol"], "left")),
        ("toOthers", message(413, "bob", None)),
        ("toTheSender", message(414, "alice", Some(CLIENT_ID))),
        ("unreadable", unreadable()),
        (
            "stored",
            Event::Ack(Ack {
                reference: "1".into(),
                room: GENERAL.into(),
                id: 414,
                seq: 414,
                timestamp: at(),
                duplicate: false,
                done: None,
            }),
        ),
        ("carriedOut", slash::carried_out()),
        (
            "refused",
            error(Code::RoomNotFound, "There is no such room.", None),
        ),
        (
            "later",
            error(
                Code::StoreUnavailable,
                "The message store cannot be reached at the moment; try again shortly.",
                Some(2_000),
            ),
        ),
        (
            "complete",
            Event::Synced {
                reference: Some("2".into()),
                rooms: BTreeMap::from([(GENERAL.to_owned(), SyncedRoom::upto(414, true))]),
            },
        ),
        (
            "incomplete, and a room that you are not in",
            Event::Synced {
                reference: Some("3".into()),
                rooms: BTreeMap::from([
                    (GENERAL.to_owned(), SyncedRoom::upto(914, false)),
                    ("12".to_owned(), SyncedRoom::gone()),
                ]),
            },
        ),
        (
            "come in",
            Event::Room(RoomNews::Here(RoomState {
                room: "12".into(),
                name: Some("garden".into()),
                seq: 56,
                ..RoomState::default()
            })),
        ),
        (
            "view changed",
            Event::Room(RoomNews::Changed(changed_room())),
        ),
        (
            "notify",
            Event::Room(RoomNews::Changed(RoomChanged {
                room: "12".into(),
                changed: vec![RoomField::Notify],
                notify: Some(Notify::Nothing),
                ..RoomChanged::default()
            })),
        ),
        ("ownMarker", read_up_to(7, Some(2))),
        ("receipt", read_up_to(8, None)),
        ("draft", Event::Room(RoomNews::Changed(draft()))),
        ("gone", Event::Room(RoomNews::gone("12".into()))),
        ("said later", scheduled::failed()),
        ("presence", people::presence()),
        ("typing", people::someone_writes()),
        ("profile changed", people::profile()),
        ("settings changed", Event::Settings(people::settings())),
        (
            "lag",
            Event::Lag {
                room: GENERAL.into(),
                seq: 420,
            },
        ),
        ("message_changed", changed()),
        ("pong", Event::Pong { reference: None }),
        ("reconnect", Event::Reconnect { after_ms: 1_250 }),
    ]
}

fn read_up_to(user_id: i64, unread: Option<u64>) -> Event {
    Event::Read(Marker {
        room: GENERAL.into(),
        user_id,
        seq: 412,
        thread: None,
        counts: unread.map(|unread| Counts {
            unread,
            mentions: 0,
            at: 414,
        }),
    })
}

fn changed_room() -> RoomChanged {
    RoomChanged {
        room: "12".into(),
        seq: 57,
        changed: vec![RoomField::Topic],
        topic: Some("tea".into()),
        ..RoomChanged::default()
    }
}

fn draft() -> RoomChanged {
    RoomChanged {
        room: "12".into(),
        changed: vec![RoomField::Draft],
        draft: Some(Draft {
            thread: Some(41),
            content: "I think that".into(),
            unreadable: false,
            updated_at: Some(at()),
        }),
        ..RoomChanged::default()
    }
}

fn at() -> Timestamp {
    DateTime::from_timestamp_micros(1_795_356_465_123_456).unwrap_or_default()
}

fn connected() -> Event {
    Event::System(System {
        message: "Connected as alice".into(),
        notice: Notice::Connected(Box::new(Connected {
            user_id: 7,
            username: "alice".into(),
            session: 31,
            epoch: EPOCH.into(),
            heartbeat_ms: 25_000,
            limits: Limits::default(),
            rooms: vec![RoomState {
                room: GENERAL.into(),
                name: Some(GENERAL.into()),
                seq: 412,
                ..RoomState::default()
            }],
            more_rooms: 0,
            settings: people::settings(),
            online: vec!["alice".into(), "bob".into()],
        })),
    })
}

fn crowd(names: &[&str], verb: &str) -> Event {
    let usernames: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    Event::System(System {
        message: crowd_sentence(&usernames, verb),
        notice: match verb {
            "joined" => Notice::Joined { usernames },
            _ => Notice::Left { usernames },
        },
    })
}

fn message(id: u64, username: &str, client_id: Option<&str>) -> Event {
    Event::Message(Message {
        room: GENERAL.into(),
        id,
        seq: id,
        user_id: if client_id.is_some() { 7 } else { 8 },
        username: username.into(),
        content: "hi".into(),
        created_at: at(),
        client_id: client_id.map(Into::into),
        ..Message::default()
    })
}

fn changed() -> Event {
    Event::MessageChanged(MessageChanged {
        message: Message {
            room: GENERAL.into(),
            id: 413,
            seq: 421,
            user_id: 8,
            username: "bob".into(),
            content: "hi, all".into(),
            created_at: at(),
            edited_at: Some(at()),
            ..Message::default()
        },
        by: Some(8),
        change: Some(MessageChange::Edited),
    })
}

fn unreadable() -> Event {
    Event::Message(Message {
        room: GENERAL.into(),
        id: 12,
        seq: 12,
        user_id: 8,
        username: "bob".into(),
        created_at: at(),
        unreadable: true,
        ..Message::default()
    })
}

fn error(code: Code, detail: &str, retry_after_ms: Option<u64>) -> Event {
    Event::Error(ErrorFrame {
        reference: Some("1".into()),
        code,
        detail: detail.into(),
        retry_after_ms,
        room: None,
        kind: None,
    })
}
