//! A room with everyone that there is to a room in it, or outside of it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    rows::{Row, Target},
    with,
};
use crate::support::{Http, Response, Server, User, unique};

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Someone {
    WithoutToken,
    Stranger,
    Former,
    Kicked,
    Muted,
    Member,
    Moderator,
    Owner,
}

use Someone::{Former, Kicked, Member, Moderator, Muted, Owner, Stranger, WithoutToken};

/// In the order of the marks.
pub(super) const WHO: [Someone; 8] = [
    WithoutToken,
    Stranger,
    Former,
    Kicked,
    Muted,
    Member,
    Moderator,
    Owner,
];

/// Far above all messages of a stage.
const NO_MESSAGE: u64 = 9_999;

/// Everyone.
pub(super) struct Cast {
    people: BTreeMap<Someone, User>,
    /// They do nothing; things are done to them.
    member: User,
    moderator: User,
    newcomer: User,
}

impl Cast {
    pub(super) fn gather(server: &Server) -> Self {
        let mut users = User::register_all(server, &format!("w{}-", &unique()[..10]), 10);
        let mut next = || users.pop().expect("enough of them");
        Self {
            people: WHO[1..].iter().map(|who| (*who, next())).collect(),
            member: next(),
            moderator: next(),
            newcomer: next(),
        }
    }
}

/// A room, everyone, and a message of each who is or was in it.
pub(super) struct Stage<'a> {
    cast: &'a Cast,
    key: String,
    is_public: bool,
    own: BTreeMap<Someone, u64>,
    others: u64,
}

impl<'a> Stage<'a> {
    pub(super) fn set(cast: &'a Cast, is_public: bool) -> Self {
        let people = &cast.people;
        let kind = if is_public { "public" } else { "private" };
        let inside = [Former, Kicked, Muted, Member, Moderator];
        let mut users: Vec<_> = inside.iter().map(|who| &people[who].name).collect();
        users.extend([&cast.member.name, &cast.moderator.name]);
        let name = format!("r-{}", &unique()[..10]);
        let body = json!({"name": name, "kind": kind, "users": users});
        let owner = people[&Owner].http();
        let made = owner.post("/api/rooms", &body).expect(201).json();
        let key = made["room"].as_str().expect("a key").to_owned();
        let post = |user: &User| {
            let path = format!("/api/rooms/{key}/messages");
            let answer = user.http().post(&path, &json!({"content": "said"}));
            answer.expect(201).json()["id"].as_u64().expect("an id")
        };
        let own =
            [Former, Kicked, Muted, Member, Moderator, Owner].map(|who| (who, post(&people[&who])));
        let others = post(&cast.member);
        let change = |by: &User, method: &str, user: &User, body: Value| {
            let path = format!("/api/rooms/{key}/members/{}", user.name);
            let body = body.to_string();
            let answer = by.http().request(method, &path, &[], body.as_bytes());
            assert!(answer.status < 300, "{answer:?}");
        };
        let (owner, former) = (&people[&Owner], &people[&Former]);
        for user in [&people[&Moderator], &cast.moderator] {
            change(owner, "PUT", user, json!({"role": "moderator"}));
        }
        let until = "2100-01-01T00:00:00.000000+00:00";
        change(owner, "PUT", &people[&Muted], json!({"muted_until": until}));
        change(owner, "DELETE", &people[&Kicked], json!({}));
        change(former, "DELETE", former, json!({}));
        Self {
            own: own.into(),
            cast,
            key,
            is_public,
            others,
        }
    }

    /// What comes of it: a status, and the code of a refusal.
    pub(super) fn act(&mut self, row: &Row, who: Someone) -> (u16, Option<String>) {
        if row.is_frame {
            let told = self.send(row, who);
            return match told["type"].as_str() {
                Some("ack") => (200, None),
                _ => (400, told["code"].as_str().map(str::to_owned)),
            };
        }
        let answer = self.request(row, who);
        let is_refused = answer.status >= 400;
        let code = is_refused.then(|| answer.json()["code"].as_str().unwrap_or("").to_owned());
        (answer.status, code)
    }

    pub(super) fn request(&self, row: &Row, who: Someone) -> Response {
        self.request_at(row, who, &self.key)
    }

    pub(super) fn request_at(&self, row: &Row, who: Someone, key: &str) -> Response {
        let http = match self.cast.people.get(&who) {
            Some(user) => user.http(),
            None => Http::new(self.cast.newcomer.addr),
        };
        let path = row
            .path
            .replace("{room}", key)
            .replace("{id}", &self.id(row, who).to_string())
            .replace("{user}", &self.user(row, who).name)
            .replace("{emoji}", "%F0%9F%91%8D");
        let body = match row.door {
            "GET" => String::new(),
            _ => self.body(row).to_string(),
        };
        http.request(row.door, &path, &[], body.as_bytes())
    }

    pub(super) fn send(&self, row: &Row, who: Someone) -> Value {
        self.send_at(row, who, &self.key)
    }

    pub(super) fn send_at(&self, row: &Row, who: Someone, key: &str) -> Value {
        let mut socket = self.cast.people[&who].connect();
        let mut frame = json!({"type": row.door, "room": key, "ref": "r"});
        match row.target {
            Target::Own | Target::Others | Target::NoMessage => {
                frame["id"] = self.id(row, who).into();
            }
            Target::Member | Target::Moderator | Target::Newcomer => {
                frame["user"] = self.user(row, who).name.clone().into();
            }
            Target::Room | Target::Oneself => {}
        }
        socket.send_json(&with(frame, &self.body(row)));
        let told = socket.expect(|frame| frame["ref"] == "r");
        socket.close();
        told
    }

    /// A name that no other room has, and the kind that the room has not.
    fn body(&self, row: &Row) -> Value {
        let mut body = row.body();
        if body["name"] == "NEW" {
            body["name"] = format!("n-{}", &unique()[..10]).into();
        }
        if body["kind"] == "KIND" {
            body["kind"] = if self.is_public { "private" } else { "public" }.into();
        }
        body
    }

    fn id(&self, row: &Row, who: Someone) -> u64 {
        match row.target {
            Target::NoMessage => NO_MESSAGE,
            Target::Own => self.own.get(&who).copied().unwrap_or(self.others),
            _ => self.others,
        }
    }

    fn user(&self, row: &Row, who: Someone) -> &User {
        match row.target {
            Target::Oneself => self.cast.people.get(&who).unwrap_or(&self.cast.newcomer),
            Target::Moderator => &self.cast.moderator,
            Target::Newcomer => &self.cast.newcomer,
            _ => &self.cast.member,
        }
    }
}
