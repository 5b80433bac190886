//! Posting messages: what is checked and sealed before the journal, and what is announced and acknowledged after it.

use std::{sync::Arc, time::Instant};

use super::{Caller, rates::Rates, rooms};
use crate::{
    crypto::vault::Vault,
    error::{Code, Error, Kind, Result},
    journal::{self, Body, Change, Entry, Journal, Outcome, Pending},
    protocol::{GENERAL, body, message::Message, time::Timestamp},
};

/// Takes what people say.
pub struct Messages {
    /// Where messages become durable.
    pub journal: Journal,
    /// Seals and opens them.
    pub vault: Arc<Vault>,
    /// How often one may send.
    pub rates: Rates,
    /// Most bytes of a text.
    pub content_bytes: usize,
}

/// Something that a caller wants to say.
#[derive(Debug, Clone)]
pub struct Post {
    /// The room's name; `general` when absent.
    pub room: Option<String>,
    /// The text.
    pub content: String,
    /// Makes a retry safe.
    pub client_id: Option<String>,
}

/// A post that waits for its receipt.
#[derive(Debug)]
pub struct Posting {
    pending: Pending,
    vault: Arc<Vault>,
    since: Instant,
    room: String,
    content: String,
    client_id: Option<String>,
}

/// A post that is on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// The room's name.
    pub room: String,
    /// The text.
    pub content: String,
    /// What the sender called it.
    pub client_id: Option<String>,
    /// The message's number.
    pub id: u64,
    /// The number of the latest change to it.
    pub seq: u64,
    /// When it was stored.
    pub at: Timestamp,
    /// True when it had been stored before.
    pub duplicate: bool,
}

impl Messages {
    /// Checks a post, seals it and puts it into the journal's queue. Does not wait: posts of one caller for one room are
    /// stored in the order of these calls. That the caller is a member of the room, and that the login lives, is looked up by
    /// the journal, in the transaction that stores the message.
    ///
    /// # Errors
    /// 422, 429, 404 for a name that no room can have, 503 when too much is waiting.
    pub fn post(&self, caller: &Caller, post: Post) -> Result<Posting> {
        let most = self.content_bytes;
        let wrong = body::message_faults(&post.content, post.client_id.as_deref(), most);
        if !wrong.is_empty() {
            return Err(Error::invalid(wrong));
        }
        self.rates.check_message(caller.user_id)?;
        let Post {
            room,
            content,
            client_id,
        } = post;
        let room = room.unwrap_or_else(|| GENERAL.to_owned());
        let room_id = rooms::id_of(&room)?;
        let pending = self.journal.append(Entry {
            room: room_id,
            actor: caller.actor(),
            change: Change::Post(journal::Post {
                body: Body {
                    sealed: self.vault.seal(&content),
                    text: content.clone(),
                },
                client_id: client_id.clone(),
                reply_to: None,
            }),
        })?;
        Ok(Posting {
            pending,
            vault: Arc::clone(&self.vault),
            since: Instant::now(),
            room,
            content,
            client_id,
        })
    }
}

impl Posting {
    /// Waits until the post is on the disk.
    ///
    /// # Errors
    /// 401 when the login has ended, 404 when the caller is not a member of the room, 409 when the `client_id` was used for another text, 503 when it
    /// was not stored or the outcome is not known (`code` tells which).
    pub async fn posted(self) -> Result<Posted> {
        let Self {
            pending,
            vault,
            since,
            room,
            content,
            client_id,
        } = self;
        let (id, seq, at, duplicate) = match journal::receipt(pending, since).await? {
            Outcome::Applied { id, seq, at } => (id, seq, at, false),
            Outcome::Unchanged { .. } | Outcome::Exists { .. } => {
                return Err(Error::internal("a message that changes nothing"));
            }
            Outcome::Repeat {
                id,
                seq,
                at,
                content: sealed,
            } => {
                // One that cannot be opened, or has another text since, cannot be compared; it is stored, and that is what was
                // asked.
                let before = sealed.and_then(|sealed| vault.open(&sealed).ok());
                if before.is_some_and(|before| before != content) {
                    let detail = "This `client_id` was used for another message; make a new one for each message.";
                    return Err(Error::new(Kind::Conflict, Code::ClientIdReused, detail));
                }
                (id, seq, at, true)
            }
        };
        Ok(Posted {
            room,
            content,
            client_id,
            id,
            seq,
            at,
            duplicate,
        })
    }
}

impl Posted {
    /// As REST shows it to its sender.
    #[must_use]
    pub fn view(self, caller: &Caller) -> Message {
        Message {
            id: self.id,
            seq: self.seq,
            room: self.room,
            user_id: caller.user_id,
            username: caller.username.clone(),
            content: self.content,
            created_at: self.at,
            client_id: self.client_id,
            unreadable: false,
            ..Message::default()
        }
    }
}
