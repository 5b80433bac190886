//! Telling the members of rooms what a writer of the journal has stored: each change as a frame that is encoded once.

use bytes::Bytes;

use super::{rooms, texts, views::Views};
use crate::{
    crypto::vault::Vault,
    db::{self, log::reactions::Reacted, mentions, text::StoredText},
    hub::{self, Aside, Broadcast, Publisher, frame},
    journal::{
        Added, Committed, Current, How, Membership, News, Noted, NotedSet, Post, RoomId, Told,
        UserId,
    },
    protocol::{
        event::{Event, MessageChanged, RoomNews},
        message::{Kind, Message, MessageChange, Pinned, Reaction},
        reading::Marker,
        room::{Person, RoomChanged, RoomEvent, RoomField},
    },
};

/// Has the members of rooms told what a writer of the journal has to tell.
pub fn announce(publisher: &mut Publisher, vault: &Vault, views: &Views, news: News) {
    match news {
        News::Committed(committed) => {
            let told = committed.into_iter().map(|one| broadcast(vault, one));
            publisher.publish(told.collect());
        }
        News::Noted(noted) => publisher.tell(noted.into_iter().flat_map(asides).collect()),
        News::Reached { room_id, seq } => publisher.reached(room_id, seq),
        News::CameIn {
            room_id,
            seq,
            users,
        } => publisher.came_in(room_id, seq, users),
        News::Shown { room_id, user_id } => views.tell(room_id, user_id),
    }
}

/// What there is to be told of a change, and to whom in another form.
struct Telling {
    event: Event,
    /// Whoever calls the message by an id of their own sees that, too.
    own: Option<(UserId, String)>,
    /// What it does to the view of the room; and of whom alone, if it concerns only one.
    view: Option<(Option<UserId>, RoomChanged)>,
    /// Who becomes a member by it, or is none any more.
    members: Vec<(UserId, hub::Membership)>,
}

impl Telling {
    fn of(event: Event) -> Self {
        Self {
            event,
            own: None,
            view: None,
            members: Vec::new(),
        }
    }
}

/// What the devices of a member are told of what was set on one of them, and what others are told of how far they have read.
fn asides(noted: Noted) -> Vec<Aside> {
    let Noted {
        room_id,
        user_id,
        what,
    } = noted;
    let aside = |to, event, reader| Aside {
        room_id,
        to,
        frame: frame::event(&event),
        reader,
        opened_by: None,
    };
    let room = rooms::key_of(room_id);
    match what {
        NotedSet::Read {
            thread,
            seq,
            counts,
            shown,
            shown_to,
        } => {
            let marker = Marker {
                room,
                user_id,
                seq,
                thread,
                counts,
            };
            let own = aside(vec![user_id], Event::Read(marker.clone()), None);
            // By the first change of a direct room all came in: what is read beyond that is read, for whoever shows it.
            let has_read = thread.is_none() && shown > 1;
            let opened_by = has_read.then_some(user_id);
            let mut told = vec![Aside { opened_by, ..own }];
            if !shown_to.is_empty() {
                let shown = Marker {
                    seq: shown,
                    counts: None,
                    ..marker
                };
                told.push(aside(shown_to, Event::Read(shown), Some(user_id)));
            }
            told
        }
        NotedSet::Notify(level) => {
            let changed = RoomChanged {
                room,
                changed: vec![RoomField::Notify],
                notify: Some(level),
                ..RoomChanged::default()
            };
            let event = Event::Room(RoomNews::Changed(changed));
            vec![aside(vec![user_id], event, None)]
        }
    }
}

fn broadcast(vault: &Vault, committed: Committed) -> Broadcast {
    let (room_id, seq) = (committed.room_id, committed.seq);
    let author = committed.actor.user_id;
    // The oldest clients know nothing of threads.
    let is_post = matches!(&committed.news,
        Told::Posted(post, _) if post.thread.is_none() || post.also_to_room);
    let Telling {
        event,
        own,
        view,
        members,
    } = tell(vault, committed);
    let frame = frame::event(&event);
    let own = own.map(|(author, client_id)| {
        let event = with_client_id(event, client_id);
        (author, frame::event(&event))
    });
    let (frame, own) = with_view(frame, own, view);
    Broadcast {
        room_id,
        seq,
        frame,
        own,
        is_post,
        written_by: is_post.then_some(author),
        members,
    }
}

fn tell(vault: &Vault, committed: Committed) -> Telling {
    let Committed {
        room_id,
        id,
        seq,
        at,
        actor,
        news,
    } = committed;
    let author = match &news {
        Told::System { author, .. } => author,
        Told::Posted(..) | Told::Changed { .. } => &actor,
    };
    let base = Message {
        room: rooms::key_of(room_id),
        id,
        seq,
        user_id: author.user_id,
        username: author.username.clone(),
        created_at: at,
        ..Message::default()
    };
    match news {
        Told::Posted(post, added) => tell_post(base, post, added),
        Told::System {
            text,
            event,
            members,
            ..
        } => tell_system(base, text, event, members),
        Told::Changed { now, how } => tell_changed(vault, room_id, actor.user_id, &now, how),
    }
}

fn tell_post(base: Message, post: Post, added: Added) -> Telling {
    let own = post.client_id.map(|client_id| (base.user_id, client_id));
    let message = Message {
        content: post.body.text,
        reply_to: post.reply_to,
        thread: post.thread,
        also_to_room: post.also_to_room,
        thread_replies: added.thread_replies,
        mentions: added.mentions,
        ..base
    };
    Telling {
        own,
        ..Telling::of(Event::Message(message))
    }
}

fn tell_system(
    base: Message,
    content: String,
    event: RoomEvent,
    members: Vec<(UserId, Membership)>,
) -> Telling {
    let view = RoomChanged::by(&event, (&base.room, base.seq, base.created_at));
    let message = Message {
        content,
        kind: Kind::System,
        event: Some(event),
        ..base
    };
    let members = members.into_iter();
    Telling {
        view,
        members: members
            .map(|(user_id, what)| (user_id, membership(what)))
            .collect(),
        ..Telling::of(Event::Message(message))
    }
}

fn tell_changed(vault: &Vault, room_id: RoomId, by: UserId, now: &Current, how: How) -> Telling {
    let author = now.row.user_id;
    let own = (now.row.client_id.clone()).map(|client_id| (author, client_id));
    let changed = MessageChanged {
        message: message(vault, room_id, now),
        by: Some(by),
        change: Some(change(how)),
    };
    Telling {
        own,
        ..Telling::of(Event::MessageChanged(changed))
    }
}

/// What it does to the view of the room comes with it: who is sent the one is sent the other.
fn with_view(
    plain: Bytes,
    own: Option<(UserId, Bytes)>,
    view: Option<(Option<UserId>, RoomChanged)>,
) -> (Bytes, Option<(UserId, Bytes)>) {
    let Some((only, changed)) = view else {
        return (plain, own);
    };
    let changed = frame::event(&Event::Room(RoomNews::Changed(changed)));
    let with_view = frame::both(&plain, &changed);
    match only {
        Some(user_id) => (plain, Some((user_id, with_view))),
        None => (with_view, own),
    }
}

fn membership(what: Membership) -> hub::Membership {
    match what {
        Membership::Joined => hub::Membership::Joined,
        Membership::BroughtIn => hub::Membership::BroughtIn,
        Membership::Left => hub::Membership::Left,
    }
}

/// The same as its author is told it.
fn with_client_id(mut event: Event, client_id: String) -> Event {
    match &mut event {
        Event::Message(message) | Event::MessageChanged(MessageChanged { message, .. }) => {
            message.client_id = Some(client_id);
        }
        _ => {}
    }
    event
}

fn change(how: How) -> MessageChange {
    match how {
        How::Edited => MessageChange::Edited,
        How::Deleted => MessageChange::Deleted,
        How::Reacted { emoji, on } => MessageChange::Reacted { emoji, on },
        How::Pinned { on } => MessageChange::Pinned { on },
    }
}

/// A stored message as one who asks for it sees it.
pub(super) fn message_for(vault: &Vault, room_id: i64, now: &Current, reader: i64) -> Message {
    let mut message = message(vault, room_id, now);
    if now.row.user_id == reader {
        message.client_id.clone_from(&now.row.client_id);
    }
    for reaction in &mut message.reactions {
        let alike = now.reactions.iter().find(|one| one.emoji == reaction.emoji);
        reaction.mine = alike.map(|one| one.mine > 0);
    }
    message
}

/// A stored message as everyone is told it.
pub(super) fn message(vault: &Vault, room_id: i64, now: &Current) -> Message {
    let Current {
        row,
        reactions,
        replies,
    } = now;
    let (under_it, under_first) = match row.thread {
        None => (replies.clone(), None),
        Some(_) => (None, replies.clone()),
    };
    let opened = texts::open(vault, room_id, row);
    let is_system = row.kind == "system";
    let said = (opened.as_ref().ok()).and_then(|opened| texts::read_event(row, opened));
    let (content, event) = match said {
        Some(said) => (said.text, Some(said.event)),
        None => (opened.as_deref().unwrap_or_default().to_owned(), None),
    };
    let pinned_at = row.pinned_at.map(|at| db::utc(at.get()));
    Message {
        id: row.id.unsigned_abs(),
        seq: row.seq.unsigned_abs(),
        room: rooms::key_of(room_id),
        user_id: row.user_id,
        username: row.username.clone().unwrap_or_default(),
        content,
        created_at: db::utc(row.created_at.get()),
        client_id: None,
        unreadable: opened.is_err(),
        kind: if is_system { Kind::System } else { Kind::Text },
        event,
        reply_to: row.reply_to.map(i64::unsigned_abs),
        thread: row.thread.map(i64::unsigned_abs),
        also_to_room: row.thread.is_some() && !row.thread_only,
        replies: under_it,
        thread_replies: under_first,
        mentions: mentions::read(row.mentions.as_ref().map(StoredText::as_str)),
        edited_at: row.edited_at.map(|at| db::utc(at.get())),
        deleted_at: row.deleted_at.map(|at| db::utc(at.get())),
        reactions: grouped(reactions),
        pinned: row
            .pinned_by
            .zip(pinned_at)
            .map(|(by, at)| Pinned { by, at }),
    }
}

/// The reactions to one message, by emoji.
fn grouped(reacted: &[Reacted]) -> Vec<Reaction> {
    let mut all: Vec<Reaction> = Vec::new();
    for one in reacted {
        let person = Person {
            user_id: one.user_id,
            username: one.username.clone().unwrap_or_default(),
        };
        match all.last_mut().filter(|last| last.emoji == one.emoji) {
            Some(last) => last.users.push(person),
            None => all.push(Reaction {
                emoji: one.emoji.clone(),
                count: one.count.unsigned_abs(),
                users: vec![person],
                mine: None,
            }),
        }
    }
    all
}
