//! A room with everyone that there is to a room in it, or outside of it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    rows::{Row, Target},
    with,
};
use crate::{
    scheduled::{soon, written},
    support::{Http, Response, Server, User, unique},
};

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

/// Where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Public,
    Private,
    /// Public, and archived.
    Archived,
    Direct,
    General,
}

/// Everyone.
pub(super) struct Cast<'a> {
    server: &'a Server,
    people: BTreeMap<Someone, User>,
    /// They do nothing; things are done to them.
    member: User,
    moderator: User,
    newcomer: User,
    outcast: User,
}

impl<'a> Cast<'a> {
    /// The first to be gathered has the owner of `general` in it.
    pub(super) fn gather(server: &'a Server) -> Self {
        let run = format!("w{}", &unique()[..10]);
        let owner = User::register(server, &run);
        let mut users = User::register_all(server, &format!("{run}-"), 10);
        let mut next = || users.pop().expect("enough of them");
        let mut people: BTreeMap<_, _> = WHO[1..7].iter().map(|who| (*who, next())).collect();
        people.insert(Owner, owner);
        Self {
            server,
            people,
            member: next(),
            moderator: next(),
            newcomer: next(),
            outcast: next(),
        }
    }
}

impl Cast<'_> {
    /// A room of this kind with all in it who ever are, none of them in another role yet; its key.
    fn find_room(&self, kind: Kind) -> String {
        let people = &self.people;
        let owner = people[&Owner].http();
        let (path, body) = match kind {
            Kind::General => {
                self.put_general_right();
                return "general".to_owned();
            }
            Kind::Direct => {
                let users = [&people[&Member], &self.member, &self.moderator];
                let users = users.map(|user| &user.name);
                ("/api/direct", json!({"users": users}))
            }
            Kind::Public | Kind::Private | Kind::Archived => {
                let kind = match kind {
                    Kind::Private => "private",
                    _ => "public",
                };
                let inside = [Former, Kicked, Muted, Member, Moderator];
                let mut users: Vec<_> = inside.iter().map(|who| &people[who].name).collect();
                users.extend([&self.member, &self.moderator, &self.outcast].map(|user| &user.name));
                let name = format!("r-{}", &unique()[..10]);
                (
                    "/api/rooms",
                    json!({"name": name, "kind": kind, "users": users}),
                )
            }
        };
        let made = owner.post(path, &body);
        assert!(made.status < 300, "{made:?}");
        made.json()["room"].as_str().expect("a key").to_owned()
    }

    /// Takes back what the row before has changed.
    fn put_general_right(&self) {
        let people = &self.people;
        let owner = people[&Owner].http();
        let put = |path: &str, method: &str, body: &Value| {
            let body = body.to_string();
            owner
                .request(method, path, &[], body.as_bytes())
                .expect(200);
        };
        put(
            "/api/rooms/general",
            "PATCH",
            &json!({"topic": "", "slow_seconds": 0}),
        );
        for user in [
            &people[&Muted],
            &people[&Member],
            &self.member,
            &self.moderator,
        ] {
            let path = format!("/api/rooms/general/members/{}", user.name);
            let over = "2000-01-01T00:00:00.000000+00:00";
            put(
                &path,
                "PUT",
                &json!({"role": "member", "muted_until": over}),
            );
        }
    }

    /// Only whoever runs the server can do that, in the database.
    fn take_out_of_general(&self, user: &User) {
        let id = user.id;
        self.server.database.execute(&format!(
            "DELETE FROM memberships WHERE room_id = 1 AND user_id = {id}"
        ));
        (self.server.database)
            .execute("UPDATE rooms SET members_version = members_version + 1 WHERE id = 1");
    }
}

/// A room, everyone, and a message of each who is or was in it.
pub(super) struct Stage<'a> {
    cast: &'a Cast<'a>,
    key: String,
    kind: Kind,
    own: BTreeMap<Someone, u64>,
    others: u64,
}

impl<'a> Stage<'a> {
    pub(super) fn set(cast: &'a Cast<'a>, kind: Kind) -> Self {
        let mut stage = Self {
            key: cast.find_room(kind),
            own: BTreeMap::new(),
            others: 0,
            cast,
            kind,
        };
        let said: &[Someone] = match kind {
            Kind::Direct => &[Member, Owner],
            Kind::General => &[Muted, Member, Moderator, Owner],
            _ => &[Former, Kicked, Muted, Member, Moderator, Owner],
        };
        stage.own = (said.iter())
            .map(|who| (*who, stage.post(&cast.people[who])))
            .collect();
        stage.others = stage.post(&cast.member);
        if kind == Kind::Direct {
            return stage;
        }
        for user in [&cast.people[&Moderator], &cast.moderator] {
            stage.change("PUT", user, &json!({"role": "moderator"}));
        }
        let until = "2100-01-01T00:00:00.000000+00:00";
        stage.change("PUT", &cast.people[&Muted], &json!({"muted_until": until}));
        if kind == Kind::General {
            cast.take_out_of_general(&cast.people[&Former]);
            return stage;
        }
        for user in [&cast.people[&Kicked], &cast.outcast] {
            stage.change("DELETE", user, &json!({}));
        }
        let former = &cast.people[&Former];
        stage.change_by(former, "DELETE", former, &json!({}));
        if kind == Kind::Archived {
            let body = json!({"archived": true}).to_string();
            let path = format!("/api/rooms/{}", stage.key);
            let owner = cast.people[&Owner].http();
            owner
                .request("PATCH", &path, &[], body.as_bytes())
                .expect(200);
        }
        stage
    }

    fn post(&self, user: &User) -> u64 {
        let path = format!("/api/rooms/{}/messages", self.key);
        let answer = user.http().post(&path, &json!({"content": "said"}));
        answer.expect(201).json()["id"].as_u64().expect("an id")
    }

    fn change(&self, method: &str, user: &User, body: &Value) {
        self.change_by(&self.cast.people[&Owner], method, user, body);
    }

    fn change_by(&self, by: &User, method: &str, user: &User, body: &Value) {
        let path = format!("/api/rooms/{}/members/{}", self.key, user.name);
        let body = body.to_string();
        let answer = by.http().request(method, &path, &[], body.as_bytes());
        assert!(answer.status < 300, "{answer:?}");
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
            _ => self.body(row, who, key).to_string(),
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
            Target::Member | Target::Moderator | Target::Newcomer | Target::Outcast => {
                frame["user"] = self.user(row, who).name.clone().into();
            }
            Target::Room | Target::Oneself => {}
        }
        socket.send_json(&with(frame, &self.body(row, who, key)));
        let told = socket.expect(|frame| frame["ref"] == "r");
        socket.close();
        told
    }

    /// This room, a moment to come, a name that no other room has, the kind that the room has not, and whom it is about.
    fn body(&self, row: &Row, who: Someone, key: &str) -> Value {
        let mut body = row.body();
        if body["room"] == "ROOM" {
            body["room"] = key.into();
        }
        if let Some(text) = body["text"].as_str() {
            body["text"] = text.replace("USER", &self.user(row, who).name).into();
        }
        if body["send_at"] == "SOON" {
            body["send_at"] = written(soon(3_600)).into();
        }
        if body["name"] == "NEW" {
            body["name"] = format!("n-{}", &unique()[..10]).into();
        }
        if body["kind"] == "KIND" {
            let other = match self.kind {
                Kind::Private | Kind::Direct => "public",
                Kind::Public | Kind::Archived | Kind::General => "private",
            };
            body["kind"] = other.into();
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
            Target::Outcast => &self.cast.outcast,
            _ => &self.cast.member,
        }
    }
}
