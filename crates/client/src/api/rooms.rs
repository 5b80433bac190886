//! The calls about rooms, who is in them, and people.

use super::{Api, Failure, next_cursor, parse, read, refusal};
use crate::protocol::{
    kept::{Draft, Saved},
    limits::MAX_PAGE,
    people::{Profile, ProfilePatch, SetStatus},
    reading::{Notify, SetNotify},
    room::{Member, MemberPatch, NewDirect, NewRoom, Room, RoomPatch},
    scheduled::{Scheduled, ScheduledPatch},
    slash::SlashCommand,
    thread::Thread,
};
use awc::http::Method;
use serde::de::DeserializeOwned;
use url::Url;

/// Something to ask about rooms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// The rooms that the user is in: the first page of them, or that after this cursor.
    Own {
        /// Where the list goes on.
        cursor: Option<String>,
        /// Tells this list from all others.
        tag: u64,
    },
    /// The public rooms with this in their names: the first page of them.
    Directory(String),
    /// All public rooms, by name: the first page of them, or that after this cursor.
    Public {
        /// Where the list goes on.
        cursor: Option<String>,
        /// Tells this list from all others.
        tag: u64,
    },
    /// Who is in a room.
    Members(String),
    /// Make a room.
    Create(NewRoom),
    /// The direct room with these people, made if there is none.
    Direct(NewDirect),
    /// Change what a room is.
    Change(String, RoomPatch),
    /// Bring a user into a room, or oneself; or change a member.
    PutMember {
        /// The room.
        room: String,
        /// The user.
        user: String,
        /// What the member is to be.
        patch: MemberPatch,
    },
    /// Leave a direct room out of the list until someone writes in it.
    Hide(String),
    /// People whose names have words that begin so.
    People(String),
    /// What someone says of themselves.
    Person(String),
    /// Say something else of oneself.
    Profile(ProfilePatch),
    /// What of a room to tell the user of.
    Notify(String, Notify),
    /// What to be, on all devices.
    Status(SetStatus),
    /// What is unread in a room.
    Unread {
        /// The room.
        room: String,
        /// Tells this question from all others.
        tag: u64,
    },
    /// The threads that the user follows: the first page of them, or that after this cursor.
    Threads {
        /// Where the list goes on.
        cursor: Option<String>,
        /// Tells this list from all others.
        tag: u64,
    },
    /// Follow the thread under a message, or follow it no more.
    Follow {
        /// The room.
        room: String,
        /// The message.
        id: u64,
        /// Follow it.
        on: bool,
    },
    /// What the user has begun to write in a room, or in a thread of it.
    Draft {
        /// The room.
        room: String,
        /// The thread, by its first message.
        thread: Option<u64>,
    },
    /// Keep what the user has begun to write.
    PutDraft {
        /// The room.
        room: String,
        /// The thread, by its first message.
        thread: Option<u64>,
        /// What is written; nothing deletes it.
        content: String,
    },
    /// The slash commands that the server carries out.
    Commands,
    /// The messages that the user has saved: the first page of them.
    Saved,
    /// Save a message, or save it no longer.
    Save {
        /// The room.
        room: String,
        /// The message.
        id: u64,
        /// Save it.
        on: bool,
    },
    /// What the user wants to have said later: the first page of it.
    Scheduled,
    /// Give it another text or time, by its number.
    ChangeScheduled(u64, ScheduledPatch),
    /// Take it back.
    CancelScheduled(u64),
    /// Take a user out of a room, or oneself.
    RemoveMember {
        /// The room.
        room: String,
        /// The user.
        user: String,
    },
}

/// What comes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Rooms, by name; the first page of them, and whether there are more.
    Rooms(Vec<Room>, bool),
    /// A page of a list of rooms that goes on.
    Page(RoomsPage),
    /// Members; the first page of them, and whether there are more.
    Members(Vec<Member>, bool),
    /// The room as it is now.
    Room(Box<Room>),
    /// People; the first page of them.
    People(Vec<Profile>),
    /// Someone.
    Person(Box<Profile>),
    /// A page of the threads that the user follows.
    Threads(ThreadsPage),
    /// The slash commands that the server carries out.
    Commands(Vec<SlashCommand>),
    /// What the user has begun to write.
    Draft(Draft),
    /// What the user has saved; the first page of it, and whether there is more.
    Saved(Vec<Saved>, bool),
    /// What the user wants to have said later; the first page of it, and whether there is more.
    Scheduled(Vec<Scheduled>, bool),
    /// What is to be said later, as it now is.
    Later(Box<Scheduled>),
    /// It is done.
    Done,
}

/// A page of a list of rooms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomsPage {
    /// What is on it, in the order of the list.
    pub rooms: Vec<Room>,
    /// Where the list goes on, if it does.
    pub next: Option<String>,
}

/// A page of a list of threads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadsPage {
    /// What is on it, in the order of the list.
    pub threads: Vec<Thread>,
    /// Where the list goes on, if it does.
    pub next: Option<String>,
}

impl Api {
    /// Asks something about rooms.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn ask(&self, bearer: &str, ask: &Ask) -> Result<Answer, Failure> {
        let call = |method, path: &[&str]| self.request(method, path).bearer_auth(bearer);
        let room = |room: Room| Answer::Room(Box::new(room));
        let person = |person: Profile| Answer::Person(Box::new(person));
        match ask {
            Ask::Own { cursor, .. } | Ask::Public { cursor, .. } => {
                let mut url = match ask {
                    Ask::Own { .. } => self.url(&["api", "rooms"]),
                    _ => self.url(&["api", "rooms", "directory"]),
                };
                if let Some(cursor) = cursor {
                    url.query_pairs_mut().append_pair("cursor", cursor);
                }
                let (rooms, next) = self.list(url, bearer).await?;
                Ok(Answer::Page(RoomsPage { rooms, next }))
            }
            Ask::Directory(part) => {
                let mut url = self.url(&["api", "rooms", "directory"]);
                url.query_pairs_mut().append_pair("q", part);
                let (rooms, next) = self.list(url, bearer).await?;
                Ok(Answer::Rooms(rooms, next.is_some()))
            }
            Ask::Members(key) => {
                let mut url = self.url(&["api", "rooms", key, "members"]);
                url.query_pairs_mut()
                    .append_pair("limit", &MAX_PAGE.to_string());
                let (members, next) = self.list(url, bearer).await?;
                Ok(Answer::Members(members, next.is_some()))
            }
            Ask::Create(new) => {
                let request = call(Method::POST, &["api", "rooms"]);
                read(self, request.send_json(new)).await.map(room)
            }
            Ask::Direct(new) => {
                let request = call(Method::POST, &["api", "direct"]);
                read(self, request.send_json(new)).await.map(room)
            }
            Ask::Change(key, patch) => {
                let request = call(Method::PATCH, &["api", "rooms", key]);
                self.done(request.send_json(patch)).await
            }
            Ask::PutMember { room, user, patch } => {
                let request = call(Method::PUT, &["api", "rooms", room, "members", user]);
                self.done(request.send_json(patch)).await
            }
            Ask::People(q) => {
                let mut url = self.url(&["api", "users"]);
                url.query_pairs_mut().append_pair("q", q);
                let request = self.client.get(url.as_str()).bearer_auth(bearer);
                read(self, request.send()).await.map(Answer::People)
            }
            Ask::Person(user) => {
                let request = call(Method::GET, &["api", "users", user]);
                read(self, request.send()).await.map(person)
            }
            Ask::Profile(patch) => {
                let request = call(Method::PATCH, &["api", "users", "me"]);
                read(self, request.send_json(patch)).await.map(person)
            }
            Ask::Notify(room, level) => {
                let request = call(Method::PUT, &["api", "rooms", room, "notify"]);
                self.done(request.send_json(&SetNotify { level: *level }))
                    .await
            }
            Ask::Status(status) => {
                let request = call(Method::PUT, &["api", "users", "me", "status"]);
                self.done(request.send_json(status)).await
            }
            Ask::Unread { .. }
            | Ask::Threads { .. }
            | Ask::Follow { .. }
            | Ask::Draft { .. }
            | Ask::PutDraft { .. }
            | Ask::Commands
            | Ask::Saved
            | Ask::Save { .. }
            | Ask::Scheduled
            | Ask::ChangeScheduled(..)
            | Ask::CancelScheduled(_) => self.ask_own(bearer, ask).await,
            Ask::Hide(key) => {
                let request = call(Method::PUT, &["api", "rooms", key, "hidden"]);
                self.done(request.send()).await
            }
            Ask::RemoveMember { room, user } => {
                let request = call(Method::DELETE, &["api", "rooms", room, "members", user]);
                self.done(request.send()).await
            }
        }
    }

    /// A page of a list, and the cursor of the next one if there is one.
    pub(super) async fn list<T: DeserializeOwned>(
        &self,
        url: Url,
        bearer: &str,
    ) -> Result<(Vec<T>, Option<String>), Failure> {
        let request = self.client.get(url.as_str()).bearer_auth(bearer);
        let response = request.send().await;
        let response = response.map_err(|error| self.unreachable(&error))?;
        let next = next_cursor(response.headers());
        let items = parse(self, &refusal(response).await?)?;
        Ok((items, next))
    }

    /// A call of whose answer no more is wanted than that it is a good one.
    pub(super) async fn done(&self, request: awc::SendClientRequest) -> Result<Answer, Failure> {
        let response = request.await.map_err(|error| self.unreachable(&error))?;
        refusal(response).await.map(|_| Answer::Done)
    }
}
