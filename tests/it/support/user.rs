//! Someone with an account and a login.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::{Http, Response, Server, Socket};

/// Everyone's password.
pub const PASSWORD: &str = "correct horse battery";

/// A user who has registered and logged in.
#[derive(Debug, Clone)]
pub struct User {
    /// The name.
    pub name: String,
    /// The number.
    pub id: u64,
    /// For `Authorization: Bearer`.
    pub token: String,
    /// For `/api/auth/refresh`.
    pub refresh_token: String,
    /// The server's address.
    pub addr: SocketAddr,
}

impl User {
    /// Registers and logs in.
    #[track_caller]
    pub fn register(server: &Server, name: &str) -> Self {
        let http = server.http();
        let made = http
            .post(
                "/api/auth/register",
                &json!({"username": name, "password": PASSWORD}),
            )
            .expect(201)
            .json();
        Self::returning(server, name, made["id"].as_u64().expect("an id"))
    }

    /// Logs in as someone who has an account of this number (0 where a test does not ask for it) and everyone's password.
    #[track_caller]
    pub fn returning(server: &Server, name: &str, id: u64) -> Self {
        let mut user = Self {
            name: name.into(),
            id,
            token: String::new(),
            refresh_token: String::new(),
            addr: server.addr,
        };
        user.log_in();
        user
    }

    /// Registers many.
    pub fn register_all(server: &Server, prefix: &str, count: usize) -> Vec<Self> {
        (0..count)
            .map(|n| Self::register(server, &format!("{prefix}{n}")))
            .collect()
    }

    /// A new login.
    #[track_caller]
    pub fn log_in(&mut self) {
        let tokens = Http::new(self.addr)
            .post(
                "/api/auth/login",
                &json!({"username": self.name, "password": PASSWORD}),
            )
            .expect(200)
            .json();
        self.token = tokens["access_token"].as_str().expect("a token").into();
        self.refresh_token = tokens["refresh_token"].as_str().expect("a token").into();
    }

    /// An HTTP client with this login.
    pub fn http(&self) -> Http {
        Http::new(self.addr).with_token(&self.token)
    }

    /// Opens a socket.
    #[track_caller]
    pub fn connect(&self) -> Socket {
        self.try_connect()
            .unwrap_or_else(|status| panic!("no socket: {status}"))
    }

    /// Opens a socket, if the server is there.
    pub fn try_connect(&self) -> Result<Socket, u16> {
        let bearer = format!("Bearer {}", self.token);
        Socket::open(self.addr, "", &[("authorization", &bearer)])
    }

    /// A request about a room, such as `("PUT", "/members/bob")`.
    #[track_caller]
    pub fn in_room(&self, method: &str, room: &str, path: &str, body: &Value) -> Response {
        self.ask(method, &format!("/api/rooms/{room}{path}"), &[], body)
    }

    /// Makes a room, and tells its key.
    #[track_caller]
    pub fn make_room(&self, name: &str, kind: &str, users: &[&User]) -> String {
        let users: Vec<&str> = users.iter().map(|user| user.name.as_str()).collect();
        let body = json!({"name": name, "kind": kind, "users": users});
        let made = self.http().post("/api/rooms", &body).expect(201).json();
        made["room"].as_str().expect("a key").to_owned()
    }

    /// Posts to a room.
    #[track_caller]
    pub fn post_to(&self, room: &str, content: &str) -> Response {
        let path = format!("/api/rooms/{room}/messages");
        self.http().post(&path, &json!({"content": content}))
    }

    /// A request with this login.
    #[track_caller]
    pub fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Response {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        self.http().request(method, path, headers, body.as_bytes())
    }

    /// Posts to `general`.
    #[track_caller]
    pub fn post(&self, content: &str, client_id: Option<&str>) -> Response {
        let mut body = json!({"content": content});
        if let Some(client_id) = client_id {
            body["client_id"] = client_id.into();
        }
        self.http().post("/api/rooms/general/messages", &body)
    }

    /// A page of `general`; `query` is like `?since=4&limit=10`.
    #[track_caller]
    pub fn page(&self, query: &str) -> Vec<Value> {
        let answer = self
            .http()
            .get(&format!("/api/rooms/general/messages{query}"))
            .expect(200);
        answer.json().as_array().expect("an array").clone()
    }

    /// The whole history of `general`, oldest first, read by `since`.
    #[track_caller]
    pub fn history(&self) -> Vec<Value> {
        let mut all = Vec::<Value>::new();
        loop {
            let since = all
                .last()
                .map_or(0, |last| last["seq"].as_u64().expect("a seq"));
            let page = self.page(&format!("?since={since}&limit=200"));
            if page.is_empty() {
                return all;
            }
            all.extend(page);
        }
    }
}
