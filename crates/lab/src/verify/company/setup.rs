//! The rooms of the company, made by those who keep them; and what is asked of the server without a socket.

use std::{io, net::SocketAddr};

use serde::Deserialize;
use serde_json::{Value, json};

use super::{GUESTS, PAGER, RESIDENTS, book::Room};
use crate::{
    Result, Trouble,
    raw::http::{Http, Response},
    verify::{check::rooms::User, crowd::Identity},
};

/// Whoever may read a room in the end, and who may not.
pub struct Ends {
    /// All of the company, in the order in which they were registered.
    pub people: Vec<Identity>,
}

impl Ends {
    /// They are kept until then.
    pub fn new(identities: &[Identity]) -> Self {
        Self {
            people: identities.to_vec(),
        }
    }
}

/// A room, as far as it matters here.
#[derive(Deserialize)]
pub struct Made {
    /// Its key.
    pub room: String,
    /// The number of its last change.
    pub seq: u64,
}

/// A public room and a private one, both kept by the first, and direct ones: one of two, one of three, of whom one is a
/// guest, and one in which the other guest always has someone to talk to.
///
/// # Errors
/// When the server does not make them.
pub async fn make_rooms(direct: SocketAddr, people: &[Identity]) -> Result<Vec<Room>> {
    let [keeper, ann, ..] = people else {
        return Err(Trouble("There is nobody to make a room.".into()));
    };
    let [_, ann_name, ben_name] = RESIDENTS;
    let [first, second] = GUESTS;
    let user = |name: &str| find(people, name);
    let everyone = [ann_name, ben_name, first, second, PAGER];
    let plan: [(&'static str, &Identity, &str, &[&str]); 5] = [
        ("garden", keeper, "public", &everyone),
        ("cellar", keeper, "private", &everyone),
        ("direct of two", keeper, "direct", &[ann_name]),
        ("direct of three", ann, "direct", &[ben_name, first]),
        ("direct with a guest", keeper, "direct", &[second]),
    ];
    let mut rooms = Vec::new();
    for (name, by, kind, others) in plan {
        let (path, body) = if kind == "direct" {
            ("/api/direct", json!({ "users": others }))
        } else {
            let body = json!({ "name": name, "kind": kind, "users": others });
            ("/api/rooms", body)
        };
        let made: Made = ask(by.http(direct), "POST", path, Some(body)).await?;
        let mut founders: Vec<User> = others.iter().filter_map(|name| user(name)).collect();
        founders.push(by.user());
        rooms.push(Room {
            key: made.room,
            name,
            is_public: kind == "public",
            owner: (kind != "direct").then_some(by.user()),
            founders,
            deeds: Vec::new().into(),
            views: Vec::new().into(),
            last_ack: made.seq.into(),
        });
    }
    Ok(rooms)
}

fn find(people: &[Identity], name: &str) -> Option<User> {
    let known = people.iter().find(|identity| identity.username() == name);
    known.map(Identity::user)
}

/// Asks for something, and reads the answer.
///
/// # Errors
/// When there is none, or it is a refusal.
pub async fn ask<T: for<'de> Deserialize<'de>>(
    http: Http,
    method: &'static str,
    path: &str,
    body: Option<Value>,
) -> Result<T> {
    let response = answer(http, method, path, body).await?;
    serde_json::from_slice(&response.body).map_err(|_| {
        let status = response.status;
        Trouble(format!(
            "The server answered {method} {path} with {status}: {}",
            response.text()
        ))
    })
}

/// The answer, whatever it says. It is waited for on another thread: this one has lines to serve.
///
/// # Errors
/// When there is none.
pub async fn answer(
    http: Http,
    method: &'static str,
    path: &str,
    body: Option<Value>,
) -> Result<Response> {
    let body = body.as_ref().map(Value::to_string).unwrap_or_default();
    let asked = path.to_owned();
    let ask = move || http.try_request(method, &asked, &[], body.as_bytes());
    let answer = tokio::task::spawn_blocking(ask).await;
    let answer = answer.unwrap_or_else(|error| Err(io::Error::other(error)));
    answer.map_err(|error| Trouble::io(&format!("ask for {path}"), &error))
}
