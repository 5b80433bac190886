//! What the rooms are in the end, as those see them who may, and as those do not who may not.

use std::{
    collections::{BTreeMap, HashSet},
    net::SocketAddr,
    rc::Rc,
};

use parlour_client::api::Failure;
use serde_json::json;

use super::{
    Person, Shared,
    book::{Book, Room},
    setup::{Ends, Made, answer, ask},
};
use crate::{
    Result, Trouble,
    protocol::{kept::Saved, message::Message, room::Member, thread::Thread},
    verify::{
        check::rooms::{Act, Deed, Heard, RoomEvidence, Shown, User},
        crowd::{Identity, enter},
    },
};

mod own;

/// All that is known of the rooms.
///
/// # Errors
/// When the server does not let those read who may.
pub async fn collect(
    shared: &Shared,
    residents: &[Rc<Person>],
    ends: &Ends,
    direct: SocketAddr,
) -> Result<Vec<RoomEvidence>> {
    let book = &shared.book;
    let newcomer = enter(direct, direct, "newcomer").await?;
    let stranger = enter(direct, direct, "stranger").await?;
    let mut people = Vec::new();
    for identity in &ends.people {
        let mut identity = identity
            .clone()
            .through(direct)
            .map_err(|failure| trouble(&failure))?;
        identity.stay_logged_in().await;
        people.push(identity);
    }
    let mut evidence = Vec::new();
    for (number, room) in book.rooms.iter().enumerate() {
        if room.is_public {
            come_in(book, number, &newcomer, direct).await?;
        }
        let mut rooms_people = people.clone();
        rooms_people.extend([newcomer.clone(), stranger.clone()]);
        let mut seen = look(book, number, room, &rooms_people, direct).await?;
        seen.names.clone_from(&shared.names);
        evidence.push(seen);
    }
    for person in residents {
        let identity = people.iter().find(|who| who.user() == person.user);
        let Some(identity) = identity else { continue };
        for (number, unread) in own::read(shared, person, identity, direct).await? {
            if let Some(room) = evidence.get_mut(number) {
                room.unread.push(unread);
            }
        }
    }
    let strangers = people.iter().chain([&newcomer, &stranger]);
    for who in strangers {
        for message in told_of_threads(who, direct).await? {
            let number = book.find(&message.room);
            let room = number.and_then(|number| evidence.get_mut(number));
            if let Some(room) = room.filter(|room| !room.members.contains(&who.user())) {
                room.let_in.push(who.user());
            }
        }
    }
    Ok(evidence)
}

/// What someone is told in the end of threads and of what they have saved, wherever that is.
async fn told_of_threads(who: &Identity, direct: SocketAddr) -> Result<Vec<Message>> {
    let threads: Vec<Thread> = own::all(who, direct, "/api/threads").await?;
    let saved: Vec<Saved> = own::all(who, direct, "/api/saved").await?;
    let firsts = threads.into_iter().map(|one| one.message);
    Ok(firsts
        .chain(saved.into_iter().map(|one| one.message))
        .collect())
}

/// All messages of a room by their numbers: what its own pages show, and what the pages of its threads do.
async fn history(who: &Identity, key: &str, direct: SocketAddr) -> Result<Vec<Message>> {
    let own = who
        .history(key)
        .await
        .map_err(|failure| trouble(&failure))?;
    let firsts = own.iter().filter(|message| message.replies.is_some());
    let firsts: Vec<u64> = firsts.map(|message| message.id).collect();
    let mut all: BTreeMap<u64, Message> = own.into_iter().map(|it| (it.id, it)).collect();
    for first in firsts {
        let path = format!("/api/rooms/{key}/messages?thread={first}&limit=200&after=0");
        for message in own::pages::<Message>(who, direct, path).await? {
            all.entry(message.id).or_insert(message);
        }
    }
    Ok(all.into_values().collect())
}

fn trouble(failure: &Failure) -> Trouble {
    let why = failure.sentence();
    Trouble(format!("What is stored could not be read: {why}."))
}

async fn come_in(book: &Book, number: usize, who: &Identity, direct: SocketAddr) -> Result<()> {
    let Some(room) = book.rooms.get(number) else {
        return Ok(());
    };
    let path = format!("/api/rooms/{}/members/{}", room.key, who.user());
    let answer = answer(who.http(direct), "PUT", &path, Some(json!({}))).await?;
    let mut deed = Deed::new(who.user(), Act::Join);
    deed.is_unknown = answer.status < 300;
    book.begin(number, deed);
    Ok(())
}

/// A room, as all of these see it.
async fn look(
    book: &Book,
    number: usize,
    room: &Room,
    people: &[Identity],
    direct: SocketAddr,
) -> Result<RoomEvidence> {
    // The first of the founders who are still there is the one whom all others are compared with.
    let owner = room.owner.or(room.founders.last().copied());
    let reader = people.iter().find(|who| Some(who.user()) == owner);
    let reader = reader.ok_or_else(|| Trouble("Nobody is left to read a room.".into()))?;
    let http = reader.http(direct);
    let path = format!("/api/rooms/{}", room.key);
    let now: Made = ask(http.clone(), "GET", &path, None).await?;
    let members: Vec<Member> = ask(http, "GET", &format!("{path}/members?limit=200"), None).await?;
    let members: HashSet<User> = members.iter().map(|member| member.user_id).collect();
    let history = history(reader, &room.key, direct).await?;
    let changes = changes(reader, &room.key).await?;
    let mut let_in = Vec::new();
    for who in people {
        let thread = room.threads.borrow().last().copied();
        if let (Some(thread), false) = (thread, members.contains(&who.user())) {
            let path = format!("{path}/messages?thread={thread}");
            let answer = answer(who.http(direct), "GET", &path, None).await?;
            if answer.status < 300 {
                let_in.push(who.user());
            }
        }
        match who.changes(&room.key, 0).await {
            Some(page) if members.contains(&who.user()) => {
                let view = book.open(number, who.user(), Heard::Connected(None));
                let page = page.iter().map(Shown::of).collect();
                book.hear(number, view, Heard::Page(book.now(), page));
            }
            Some(_) => let_in.push(who.user()),
            None if members.contains(&who.user()) => {
                return Err(Trouble(format!(
                    "{} is a member of {} and cannot read it.",
                    who.username(),
                    room.name
                )));
            }
            None => {}
        }
    }
    Ok(RoomEvidence {
        name: room.name.into(),
        is_public: room.is_public,
        owner: room.owner,
        founders: room.founders.clone(),
        deeds: room.deeds.take(),
        views: room.views.take(),
        history,
        changes,
        last: now.seq,
        members: members.into_iter().collect(),
        let_in,
        names: Vec::new(),
        under: room.under.take(),
        unread: Vec::new(),
    })
}

async fn changes(reader: &Identity, key: &str) -> Result<Vec<Message>> {
    let all = reader.changes(key, 0).await;
    all.ok_or_else(|| Trouble("The changes of a room could not be read.".into()))
}
