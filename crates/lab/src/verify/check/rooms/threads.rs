//! What is counted beside the messages must be what the messages come to: what is under the first message of a thread, at
//! each number of the room; whom a message mentions; and what is unread for whom, in rooms and in threads.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{Act, RoomEvidence, User, members::Members};
use crate::{
    protocol::{mention::Mention, message::Message, reading::MOST_COUNTED, thread::Replies},
    verify::check::Verdict,
};

/// What someone was told to be under the first message of a thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Under {
    /// The first message.
    pub thread: u64,
    /// By this change it came to be so.
    pub seq: u64,
    /// Replies.
    pub count: u64,
    /// The last of them.
    pub last_id: u64,
}

impl Under {
    /// All that a message tells of threads.
    pub fn of(message: &Message) -> impl Iterator<Item = Self> {
        let of = |thread: u64, replies: &Replies| Self {
            thread,
            seq: replies.seq,
            count: replies.count,
            last_id: replies.last_id,
        };
        let own = message.replies.as_ref().map(|under| of(message.id, under));
        let first = message.thread.zip(message.thread_replies.as_ref());
        let first = first.map(|(thread, under)| of(thread, under));
        own.into_iter().chain(first)
    }
}

/// What is unread for someone in the end, as they are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unread {
    /// Who.
    pub user: User,
    /// In this thread; `None`: in the room's own pages.
    pub thread: Option<u64>,
    /// Up to here they have read it.
    pub read_seq: u64,
    /// Messages of others.
    pub messages: u64,
    /// Those that mention them.
    pub mentions: u64,
}

/// A thread, as its replies make it.
#[derive(Default)]
struct Thread<'a> {
    replies: BTreeMap<u64, &'a Message>,
}

impl Thread<'_> {
    /// What is under its first message after this change. A tombstone takes no change any more, so the last one to it was
    /// its deletion.
    fn at(&self, seq: u64) -> (u64, u64) {
        let there = self.replies.range(..=seq);
        let there = there.filter(|(_, reply)| reply.deleted_at.is_none() || reply.seq > seq);
        there.fold((0, 0), |(count, _), (id, _)| (count + 1, *id))
    }

    /// The changes by which that came to be as it is.
    fn changes(&self) -> BTreeSet<u64> {
        let replies = self.replies.values();
        replies
            .flat_map(|reply| [Some(reply.id), reply.deleted_at.map(|_| reply.seq)])
            .flatten()
            .collect()
    }

    fn users(&self) -> BTreeSet<User> {
        let there = self.replies.values().filter(|it| it.deleted_at.is_none());
        there.map(|reply| reply.user_id).collect()
    }
}

/// Judges what is counted in a room.
pub fn check(room: &RoomEvidence, members: &Members, verdict: &mut Verdict) {
    let mut threads = HashMap::<u64, Thread<'_>>::new();
    for message in &room.history {
        if let Some(thread) = message.thread {
            let replies = &mut threads.entry(thread).or_default().replies;
            replies.insert(message.id, message);
        }
    }
    for message in room.history.iter().filter(|it| it.event.is_none()) {
        check_first(message, threads.get(&message.id), verdict);
        check_mentions(room, message, members, verdict);
    }
    check_replies(room, verdict);
    let told: BTreeSet<Under> = room.under.iter().copied().collect();
    for under in told {
        check_told(under, threads.get(&under.thread), verdict);
    }
    for unread in &room.unread {
        check_unread(room, *unread, verdict);
    }
}

/// What the first message tells in the end.
fn check_first(message: &Message, thread: Option<&Thread<'_>>, verdict: &mut Verdict) {
    let id = message.id;
    let Some(thread) = thread else {
        if message.replies.is_some() {
            verdict.counts.phantom += 1;
            verdict.example(|| format!("{id} tells of replies, and has none"));
        }
        return;
    };
    let (count, last_id) = thread.at(u64::MAX);
    let seq = thread.changes().last().copied().unwrap_or(0);
    let Some(told) = &message.replies else {
        verdict.counts.lost += 1;
        verdict.example(|| format!("{id} has {count} replies, and tells of none"));
        return;
    };
    let users: BTreeSet<User> = told.users.iter().map(|user| user.user_id).collect();
    if (told.count, told.last_id, told.seq) != (count, last_id, seq) || users != thread.users() {
        *column(verdict, told.count, count) += 1;
        verdict.example(|| {
            format!(
                "{id} tells of {} replies, the last {}, as of {}, and has {count}, the last {last_id}, as of {seq}",
                told.count, told.last_id, told.seq
            )
        });
    }
}

/// Too few are lost; others are more than there are.
fn column(verdict: &mut Verdict, told: u64, found: u64) -> &mut u64 {
    if told < found {
        &mut verdict.counts.lost
    } else {
        &mut verdict.counts.phantom
    }
}

/// What someone was told meanwhile.
fn check_told(told: Under, thread: Option<&Thread<'_>>, verdict: &mut Verdict) {
    let Under {
        thread: first,
        seq,
        count,
        last_id,
    } = told;
    let is_so = thread.is_some_and(|thread| {
        thread.changes().contains(&seq) && thread.at(seq) == (count, last_id)
    });
    if !is_so {
        verdict.counts.reordered += 1;
        let truth = thread.map_or((0, 0), |thread| thread.at(seq));
        verdict.example(|| {
            format!("of {first} someone was told {count} replies, the last {last_id}, as of {seq}: it was {truth:?}")
        });
    }
}

/// An acked reply stands in its thread.
fn check_replies(room: &RoomEvidence, verdict: &mut Verdict) {
    let by_id: HashMap<u64, &Message> = room.history.iter().map(|it| (it.id, it)).collect();
    for deed in &room.deeds {
        let (Act::Reply(thread, also, _), Some(ack)) = (&deed.act, deed.ack) else {
            continue;
        };
        let message = by_id.get(&ack.id);
        let stands = message.map(|message| (message.thread, message.also_to_room));
        if stands.is_some_and(|stands| stands != (Some(*thread), *also)) {
            verdict.counts.lost += 1;
            verdict.example(|| format!("{} does not stand as a reply under {thread}", ack.id));
        }
    }
}

/// What a text of the company ends with when it mentions someone.
fn mentioned<'a>(room: &RoomEvidence, content: &'a str) -> Option<(&'a str, Option<User>)> {
    let (_, name) = content.rsplit_once(" @")?;
    let user = room.names.iter().find(|(known, _)| known == name);
    Some((name, user.map(|(_, user)| *user)))
}

fn check_mentions(
    room: &RoomEvidence,
    message: &Message,
    members: &Members,
    verdict: &mut Verdict,
) {
    let expected = match mentioned(room, &message.content) {
        Some(("room", _)) => vec![None],
        Some((_, Some(user))) if members.is_always_in(user) => vec![Some(user)],
        _ => Vec::new(),
    };
    let target = |mention: &Mention| mention.user_id.filter(|_| !mention.room && !mention.here);
    let told: Vec<Option<User>> = message.mentions.iter().map(target).collect();
    if told != expected {
        *column(verdict, told.len() as u64, expected.len() as u64) += 1;
        let id = message.id;
        verdict.example(|| format!("{id} mentions {told:?}, and its text {expected:?}"));
    }
}

/// What is unread, counted again from the messages.
fn check_unread(room: &RoomEvidence, told: Unread, verdict: &mut Verdict) {
    let Unread {
        user,
        thread,
        read_seq,
        ..
    } = told;
    let is_here = |message: &&Message| match thread {
        None => message.event.is_none() && !message.is_in_thread_only(),
        Some(_) => message.thread == thread,
    };
    let unread = room.history.iter().filter(is_here).filter(|message| {
        message.id > read_seq && message.user_id != user && message.deleted_at.is_none()
    });
    let mentions_user = |message: &&Message| {
        let mut mentions = message.mentions.iter();
        mentions.any(|mention| mention.room || mention.user_id == Some(user))
    };
    let mentions = unread.clone().filter(mentions_user).count() as u64;
    let messages = unread.count() as u64;
    for (what, told, found) in [
        ("messages", told.messages, messages.min(MOST_COUNTED)),
        ("mentions", told.mentions, mentions.min(MOST_COUNTED)),
    ] {
        if told != found {
            *column(verdict, told, found) += 1;
            let place = thread.map_or_else(String::new, |thread| format!(" of thread {thread}"));
            verdict.example(|| {
                format!("user {user} is told of {told} unread {what}{place} above {read_seq}, and there are {found}")
            });
        }
    }
}
