//! What those who stayed have set for themselves, in the end; and what is unread for them.

use std::net::SocketAddr;

use super::super::{
    Person, Shared,
    own::{Thing, of_thread, path_of},
    setup::{answer, ask},
};
use crate::{
    Result, Trouble,
    protocol::{
        event::RoomState,
        kept::{Draft, Saved},
        people::Profile,
        thread::Thread,
    },
    verify::{check::rooms::Unread, crowd::Identity},
};

/// What is unread, by the rooms' numbers.
pub type UnreadIn = Vec<(usize, Unread)>;

/// Reads all of it.
///
/// # Errors
/// When the server does not let them read it.
pub async fn read(
    shared: &Shared,
    person: &Person,
    who: &Identity,
    direct: SocketAddr,
) -> Result<UnreadIn> {
    let mut unread = UnreadIn::new();
    let desk = &person.desk;
    let see = |thing, road, value| desk.see(shared, person.user, (thing, road), value);
    for (number, room) in shared.book.rooms.iter().enumerate() {
        if !room.founders.contains(&person.user) {
            continue;
        }
        let path = path_of(shared, number);
        let state: RoomState = ask(who.http(direct), "GET", &path, None).await?;
        let marker = Thing::Marker(number, None);
        see(
            marker,
            "the room in the end",
            Some(state.read_seq.to_string()),
        );
        let told = Unread {
            user: person.user,
            thread: None,
            read_seq: state.read_seq,
            messages: state.unread,
            mentions: state.mentions,
        };
        unread.push((number, told));
    }
    let threads: Vec<Thread> = all(who, direct, "/api/threads").await?;
    let place = |key: &str| shared.book.find(key);
    for one in &threads {
        let Some(number) = place(&one.message.room) else {
            continue;
        };
        let marker = Thing::Marker(number, Some(one.message.id));
        see(
            marker,
            "the list of threads in the end",
            Some(one.read_seq.to_string()),
        );
        let told = Unread {
            user: person.user,
            thread: Some(one.message.id),
            read_seq: one.read_seq,
            messages: one.unread,
            mentions: one.mentions,
        };
        unread.push((number, told));
    }
    let saved: Vec<Saved> = all(who, direct, "/api/saved").await?;
    for thing in desk.things() {
        match thing {
            Thing::Marker(..) => {}
            Thing::Draft(number, thread) => {
                let path = format!("{}/draft{}", path_of(shared, number), of_thread(thread));
                let draft: Draft = ask(who.http(direct), "GET", &path, None).await?;
                let text = (!draft.content.is_empty()).then_some(draft.content);
                see(thing, "the draft in the end", text);
            }
            Thing::Saved(number, id) => {
                let is_saved = saved
                    .iter()
                    .any(|one| one.message.id == id && place(&one.message.room) == Some(number));
                see(thing, "the list of what is saved in the end", on(is_saved));
            }
            Thing::Follows(number, thread) => {
                let place = (number, thread);
                if has_replies(shared, who, direct, place).await? {
                    let follows = on(is_among(shared, &threads, place));
                    see(thing, "the list of threads in the end", follows);
                }
            }
            Thing::Status => {
                let me: Profile = ask(who.http(direct), "GET", "/api/users/me", None).await?;
                let status = me.status.and_then(|status| status.text);
                see(thing, "the profile in the end", status);
            }
        }
    }
    see_replied(shared, person, who, (direct, &threads)).await?;
    Ok(unread)
}

/// Whoever replies follows; and in these threads no one has said otherwise.
async fn see_replied(
    shared: &Shared,
    person: &Person,
    who: &Identity,
    (direct, threads): (SocketAddr, &[Thread]),
) -> Result<()> {
    for (number, thread) in person.desk.replied() {
        if has_replies(shared, who, direct, (number, thread)).await?
            && !is_among(shared, threads, (number, thread))
        {
            let see = |road, value| {
                let thing = Thing::Follows(number, thread);
                person.desk.see(shared, person.user, (thing, road), value);
            };
            see("a reply", on(true));
            see("the list of threads in the end", None);
        }
    }
    Ok(())
}

/// Whether a thread is in this list.
fn is_among(shared: &Shared, threads: &[Thread], (number, thread): (usize, u64)) -> bool {
    threads
        .iter()
        .any(|one| one.message.id == thread && shared.book.find(&one.message.room) == Some(number))
}

/// Whether there is something in a thread. One without replies is in no list.
async fn has_replies(
    shared: &Shared,
    who: &Identity,
    direct: SocketAddr,
    (number, thread): (usize, u64),
) -> Result<bool> {
    let path = format!("{}/messages/{thread}", path_of(shared, number));
    let answer = answer(who.http(direct), "GET", &path, None).await?;
    let first: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    Ok(first["replies"]["count"]
        .as_u64()
        .is_some_and(|count| count > 0))
}

fn on(is_on: bool) -> Option<String> {
    is_on.then(|| "on".to_owned())
}

/// All of a list, page by page.
///
/// # Errors
/// When the server does not give it.
pub async fn all<T: for<'de> serde::Deserialize<'de>>(
    who: &Identity,
    direct: SocketAddr,
    path: &str,
) -> Result<Vec<T>> {
    pages(who, direct, format!("{path}?limit=200")).await
}

/// The same, from this page on.
///
/// # Errors
/// As [`all`].
pub async fn pages<T: for<'de> serde::Deserialize<'de>>(
    who: &Identity,
    direct: SocketAddr,
    first: String,
) -> Result<Vec<T>> {
    let (mut list, mut next) = (Vec::new(), Some(first));
    while let Some(path) = next {
        let page = answer(who.http(direct), "GET", &path, None).await?;
        let items: Vec<T> = serde_json::from_slice(&page.body)
            .map_err(|error| Trouble(format!("{path} is not as expected: {error}.")))?;
        list.extend(items);
        next = page.header("link").and_then(next_of);
    }
    Ok(list)
}

/// Where a list goes on.
pub fn next_of(link: &str) -> Option<String> {
    let next = link.split(',').find(|one| one.contains("rel=\"next\""))?;
    let (_, rest) = next.split_once('<')?;
    let (target, _) = rest.split_once('>')?;
    Some(target.to_owned())
}
