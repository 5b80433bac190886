//! What the rooms are in the end, as those see them who may, and as those do not who may not.

use std::{collections::HashSet, net::SocketAddr};

use parlour_client::api::Failure;
use serde_json::json;

use super::{
    book::{Book, Room},
    setup::{Ends, Made, answer, ask},
};
use crate::{
    Result, Trouble,
    protocol::{message::Message, room::Member},
    verify::{
        check::rooms::{Act, Deed, Heard, RoomEvidence, Shown, User},
        crowd::{Identity, enter},
    },
};

/// All that is known of the rooms.
///
/// # Errors
/// When the server does not let those read who may.
pub async fn collect(book: &Book, ends: &Ends, direct: SocketAddr) -> Result<Vec<RoomEvidence>> {
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
        evidence.push(look(book, number, room, &rooms_people, direct).await?);
    }
    Ok(evidence)
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
    let history = reader
        .history(&room.key)
        .await
        .map_err(|failure| trouble(&failure))?;
    let changes = changes(reader, &room.key).await?;
    let mut let_in = Vec::new();
    for who in people {
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
    })
}

async fn changes(reader: &Identity, key: &str) -> Result<Vec<Message>> {
    let all = reader.changes(key, 0).await;
    all.ok_or_else(|| Trouble("The changes of a room could not be read.".into()))
}
