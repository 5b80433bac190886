//! The one entry of both doors for every durable change of a room: [`Commands::perform`]. Here its form is checked, the
//! room is looked up where it is called by its name, texts are sealed, and the rate is charged, once; what it then comes to
//! is decided by the journal, in the transaction that stores it.
//!
//! A new command is a variant of [`Command`], which holds the words of the wire, and an arm in [`Commands::check`], which
//! says where it belongs and makes the [`Change`] of it. A socket hands it over in `ws/session/commands.rs`, by one arm; a
//! route by a handler that calls [`Commands::perform`].

use std::{collections::BTreeSet, sync::Arc, time::Instant};

use futures_util::future::LocalBoxFuture;

use super::{
    Caller,
    access::{Access, Which},
    emoji, mentions, people,
    rates::Rates,
    rooms,
};
use crate::{
    crypto::vault::Vault,
    error::{Code, Error, Kind, Result},
    journal::{self, Added, Change, Current, Entry, Journal, Outcome, Pending, RoomId, UserId},
    protocol::{
        command::{Delete, Edit, InRoom, OfUser, Pin, React, SendMessage, SetMember, SetRoom},
        room::{NewDirect, NewRoom},
        time::{Timestamp, now},
    },
};

mod in_rooms;
mod posts;

/// Takes what people do.
pub struct Commands {
    /// Where it becomes durable.
    pub journal: Journal,
    /// Finds rooms by their names.
    pub access: Arc<Access>,
    /// Seals and opens texts.
    pub vault: Arc<Vault>,
    /// How often one may.
    pub rates: Rates,
    /// Most bytes of a text.
    pub content_bytes: usize,
}

/// What someone wants to have done, in the words of the wire.
#[derive(Debug, Clone)]
pub enum Command {
    /// Say something.
    Post(SendMessage),
    /// Give a message another text.
    Edit(Edit),
    /// Leave a tombstone of a message.
    Delete(Delete),
    /// React to a message, or take that back.
    React(React),
    /// Pin a message, or unpin it.
    Pin(Pin),
    /// Make a room.
    Make(NewRoom),
    /// Find or make a direct room.
    Direct(NewDirect),
    /// Become a member.
    Join(InRoom),
    /// Be a member no longer.
    Leave(InRoom),
    /// Bring someone in.
    Invite(OfUser),
    /// Take someone out.
    Kick(OfUser),
    /// Bring someone in, or make a member something else.
    Member(SetMember),
    /// Make the room something else.
    Room(SetRoom),
}

/// A command whose form is right.
struct Checked {
    place: Place,
    what: What,
    about: About,
}

/// Where a command belongs.
enum Place {
    /// In the room of this key or name.
    Called(String),
    /// In the room that it is to make, which gets this number.
    New(RoomId),
}

/// What a command is to change.
enum What {
    Change(Change),
    /// That of these users, who are called as clients call them.
    Of {
        users: Vec<String>,
        make: Box<dyn FnOnce(BTreeSet<UserId>) -> Change>,
    },
}

/// What is kept of a command until it is done.
#[derive(Debug)]
enum About {
    Post(Said),
    /// A message that is there.
    Message(u64),
    /// The room, or who is in it.
    Room,
}

/// What was said, in the words of the wire.
#[derive(Debug, Clone)]
pub struct Said {
    /// The text.
    pub content: String,
    /// What the sender called it.
    pub client_id: Option<String>,
    /// The message that it answers.
    pub reply_to: Option<u64>,
    /// The first message of the thread in which it is a reply.
    pub thread: Option<u64>,
    /// With that: it stands in the room itself, too.
    pub also_to_room: bool,
}

/// A command that was taken on.
pub enum Begun {
    /// It is in the journal's queue.
    Queued(Performing),
    /// Its room is looked up first, since it is called by its name. What the same caller sends meanwhile has to wait, or it
    /// would come first.
    Finding(LocalBoxFuture<'static, Result<Performing>>),
}

/// A command in the journal's queue.
#[derive(Debug)]
pub struct Performing {
    pending: Pending,
    vault: Arc<Vault>,
    since: Instant,
    room_id: RoomId,
    about: About,
}

/// A command that was carried out, and is on the disk.
#[derive(Debug, Clone)]
pub struct Done {
    /// The room.
    pub room_id: RoomId,
    /// The message that was written or changed.
    pub id: u64,
    /// The number of the change; of the latest one, when there was nothing to change.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// Nothing was changed by it, since all was so before.
    pub duplicate: bool,
    /// What it has come to.
    pub result: Became,
}

/// What a command has come to.
#[derive(Debug, Clone)]
pub enum Became {
    /// What was said is there, as it was said.
    Posted(Said, Added),
    /// What was said had been said before: the message is there, as whatever has become of it since.
    Before,
    /// A message that was there is now like this.
    Message(Arc<Current>),
    /// The room has changed, or nothing has.
    Room,
}

impl Commands {
    /// Carries out what the caller wants. When this comes back, it is on the disk, and those who hear of it were told.
    ///
    /// # Errors
    /// 401 when the login has ended, 403, 404, 409 and 412 as the rules have it, 422, 429, 503 when it was not stored or the
    /// outcome is not known (`code` tells which).
    pub async fn perform(self: &Arc<Self>, caller: &Caller, command: Command) -> Result<Done> {
        let performing = match self.begin(caller, command)? {
            Begun::Queued(performing) => performing,
            Begun::Finding(finding) => finding.await?,
        };
        performing.done().await
    }

    /// Checks a command and puts it into the journal's queue. Does not wait: commands of one caller for one room are carried
    /// out in the order of these calls, if what has to be looked up first is waited for.
    ///
    /// # Errors
    /// 404 for what can be the name of no room, 422, 429, 503 when too much is waiting.
    pub fn begin(self: &Arc<Self>, caller: &Caller, command: Command) -> Result<Begun> {
        let Checked { place, what, about } = self.check(caller, command)?;
        self.rates.check_message(caller.user_id)?;
        let (room, known) = match place {
            Place::New(id) => (String::new(), Some(id)),
            Place::Called(room) => {
                rooms::check_name(&room)?;
                let known = rooms::id_of(&room).ok();
                (room, known)
            }
        };
        let what = match (known, what) {
            (Some(id), What::Change(change)) => {
                return self.queue(caller, id, change, about).map(Begun::Queued);
            }
            (_, what) => what,
        };
        let (commands, caller) = (Arc::clone(self), caller.clone());
        Ok(Begun::Finding(Box::pin(async move {
            let change = match what {
                What::Change(change) => change,
                What::Of { users, make } => {
                    make(people::find(&commands.access, &caller, users).await?)
                }
            };
            let id = match known {
                Some(id) => id,
                None if change.brings_in(caller.user_id) => {
                    commands.find_room(&caller, Which::ToJoin(room)).await?
                }
                None => commands.find_room(&caller, Which::Named(room)).await?,
            };
            commands.queue(&caller, id, change, about)
        })))
    }

    async fn find_room(&self, caller: &Caller, which: Which) -> Result<RoomId> {
        let find = |_: &mut _, view: &rooms::RoomView| Ok(view.room.id);
        self.access.of_room(caller, which, find).await
    }

    /// Checks the form of a command, and says what it is to change.
    fn check(&self, caller: &Caller, command: Command) -> Result<Checked> {
        match command {
            Command::Post(message) => self.check_post(message),
            Command::Edit(Edit {
                room,
                id,
                content,
                if_seq,
            }) => {
                self.check_text(&content, None)?;
                let body = self.seal(&content);
                let change = Change::Edit {
                    id,
                    if_seq,
                    body,
                    candidates: mentions::find(&content),
                };
                Ok(of_message(room, id, change))
            }
            Command::Delete(Delete { room, id, if_seq }) => {
                Ok(of_message(room, id, Change::Delete { id, if_seq }))
            }
            Command::React(React {
                room,
                id,
                emoji,
                on,
            }) => {
                let emoji = emoji::normalize(&emoji)?.to_owned();
                Ok(of_message(room, id, Change::React { id, emoji, on }))
            }
            Command::Pin(Pin { room, id, on }) => Ok(of_message(room, id, Change::Pin { id, on })),
            Command::Make(new) => in_rooms::make(caller, new, self.rates.most_rooms_an_hour()),
            Command::Direct(new) => {
                in_rooms::direct(caller, new, self.rates.most_direct_rooms_an_hour())
            }
            Command::Join(InRoom { room }) => Ok(in_rooms::join(caller, room)),
            Command::Leave(InRoom { room }) => Ok(in_rooms::leave(caller, room)),
            Command::Invite(of) => Ok(in_rooms::invite(of)),
            Command::Kick(of) => Ok(in_rooms::kick(of)),
            Command::Member(set) => Ok(in_rooms::member(set)),
            Command::Room(set) => in_rooms::set_room(set),
        }
    }

    fn queue(
        &self,
        caller: &Caller,
        room_id: RoomId,
        change: Change,
        about: About,
    ) -> Result<Performing> {
        let pending = self.journal.append(Entry {
            room: room_id,
            actor: caller.actor(),
            change,
        })?;
        Ok(Performing {
            pending,
            vault: Arc::clone(&self.vault),
            since: Instant::now(),
            room_id,
            about,
        })
    }
}

fn of_message(room: String, id: u64, change: Change) -> Checked {
    Checked {
        place: Place::Called(room),
        what: What::Change(change),
        about: About::Message(id),
    }
}

impl Performing {
    /// Waits until it is on the disk.
    ///
    /// # Errors
    /// As [`Commands::perform`].
    pub async fn done(self) -> Result<Done> {
        let outcome = journal::receipt(self.pending, self.since).await?;
        done(outcome, (self.room_id, self.about), &self.vault)
    }

    /// The same, however long it takes.
    ///
    /// # Errors
    /// The same.
    pub async fn done_at_last(self) -> Result<Done> {
        let outcome = journal::receipt_at_last(self.pending).await?;
        done(outcome, (self.room_id, self.about), &self.vault)
    }
}

/// What was done, from what the journal says of it.
fn done(outcome: Outcome, (mut room_id, about): (RoomId, About), vault: &Vault) -> Result<Done> {
    let (id, seq, at, duplicate, result) = match outcome {
        Outcome::Applied {
            id,
            seq,
            at,
            now,
            added,
        } => (id, seq, at, false, became(about, now, added)),
        Outcome::Unchanged { seq, now: current } => {
            let id = match about {
                About::Message(id) => id,
                About::Post(_) | About::Room => seq,
            };
            let result = became(about, current, Added::default());
            (id, seq, now(), true, result)
        }
        Outcome::Exists { room, .. } if room == room_id => {
            // The number of another time: hardly ever.
            return Err(Error::store_unavailable());
        }
        Outcome::Exists { room, seq } => {
            room_id = room;
            (seq, seq, now(), true, Became::Room)
        }
        Outcome::Repeat {
            id,
            seq,
            at,
            content,
        } => {
            let result = repeated(vault, &about, content)?;
            (id, seq, at, true, result)
        }
    };
    Ok(Done {
        room_id,
        id,
        seq,
        at,
        duplicate,
        result,
    })
}

fn became(about: About, now: Option<Arc<Current>>, added: Added) -> Became {
    match (about, now) {
        (About::Post(said), _) => Became::Posted(said, added),
        (_, Some(now)) => Became::Message(now),
        (_, None) => Became::Room,
    }
}

/// What a message has come to whose `client_id` was known. `before` is what was stored under it, sealed.
fn repeated(vault: &Vault, about: &About, before: Option<String>) -> Result<Became> {
    // One that was changed since, or cannot be opened, cannot be compared; it is stored, and that is what was asked.
    let Some(before) = before else {
        return Ok(Became::Before);
    };
    if let (Ok(before), About::Post(Said { content, .. })) = (vault.open(&before), about)
        && before != *content
    {
        let detail =
            "This `client_id` was used for another message; make a new one for each message.";
        return Err(Error::new(Kind::Conflict, Code::ClientIdReused, detail));
    }
    Ok(Became::Before)
}
