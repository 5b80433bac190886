//! Single messages, as one who may read them sees them.

use std::sync::Arc;

use super::{
    Caller,
    access::{Access, Which},
    announce,
    commands::{Became, Done},
    cursors::{self, List, Listed, Wanted},
    emoji, pages,
    plain::Form,
    rates::Rates,
    rooms::{self, RoomView},
    unreadable,
};
use crate::{
    crypto::{
        binding::{Place, Purpose},
        vault::{Bound, Vault},
    },
    db::{
        self, AnyConnection, QueryError,
        log::{
            edits::{self, VersionRow},
            reactions,
        },
        messages::{self, Message as Row},
        text::StoredText,
    },
    error::{Error, Result},
    gate::Urgency,
    protocol::{
        limits::PAGE_BYTES,
        message::{Message, Version},
        room::Person,
    },
};

/// Shows messages.
pub struct Messages {
    /// Who may read what.
    pub access: Arc<Access>,
    /// Opens them.
    pub vault: Arc<Vault>,
    /// How often one may read.
    pub rates: Rates,
}

impl Messages {
    /// The message that a command has written or changed, as the caller sees it.
    ///
    /// # Errors
    /// When it has to be read: 401 when the login has ended, 403, 404, 503.
    pub async fn show(&self, caller: &Caller, done: Done) -> Result<Message> {
        match done.result {
            Became::Posted(said, added) => Ok(Message {
                id: done.id,
                seq: done.seq,
                room: rooms::key_of(done.room_id),
                user_id: caller.user_id,
                username: caller.username.clone(),
                content: said.content,
                created_at: done.at,
                client_id: said.client_id,
                reply_to: said.reply_to,
                thread: said.thread,
                also_to_room: said.also_to_room,
                thread_replies: added.thread_replies,
                mentions: added.mentions,
                ..Message::default()
            }),
            Became::Message(now) => {
                let (room_id, reader) = (done.room_id, caller.user_id);
                Ok(announce::message_for(&self.vault, room_id, &now, reader))
            }
            Became::Before => self.read(caller, Which::Id(done.room_id), done.id).await,
            Became::Room => Err(Error::internal("no message was changed")),
        }
    }

    /// A message.
    ///
    /// # Errors
    /// 401 when the login has ended, 403, 404, 429, 503.
    pub async fn find(&self, caller: &Caller, room: &str, id: u64) -> Result<Message> {
        self.rates.check_read(caller.user_id)?;
        rooms::check_name(room)?;
        self.read(caller, Which::Named(room.to_owned()), id).await
    }

    /// What a message said before each of its edits, oldest first; nothing when it was deleted.
    ///
    /// # Errors
    /// 401 when the login has ended, 403, 404, 422, 429, 503.
    pub async fn list_versions(
        &self,
        caller: &Caller,
        (room, id): (&str, u64),
        wanted: &Wanted,
        form: Form,
    ) -> Result<Listed<Version>> {
        rooms::check_name(room)?;
        let list = List::new("versions", &format!("{room}\n{id}"));
        let after = cursors::begin(&self.rates, caller, &list, wanted)?;
        let after = after.and_then(|seq| seq.parse().ok()).unwrap_or(0);
        let (vault, limit) = (Arc::clone(&self.vault), wanted.limit);
        let read = move |conn: &mut _, view: &RoomView, row: Row| {
            let place = Place {
                room_id: view.room.id,
                id: row.id,
                author: row.user_id,
                purpose: Purpose::of_kind(&row.kind),
            };
            let rows = edits::list_versions(conn, (place.room_id, row.id), after, limit + 1)?;
            let has_more = i64::try_from(rows.len()).is_ok_and(|count| count > limit);
            let most = usize::try_from(limit).unwrap_or(0);
            let (mut versions, mut bytes) = (Vec::new(), 0);
            for row in rows.into_iter().take(most) {
                let mut version = version(&vault, place, &row);
                version.content = form.text(version.content);
                bytes += version.content.len();
                if bytes > PAGE_BYTES && !versions.is_empty() {
                    return Ok((versions, true));
                }
                versions.push((row.seq, version));
            }
            Ok((versions, has_more))
        };
        let which = Which::Named(room.to_owned());
        let (versions, has_more) = self.of_message(caller, which, id, read).await?;
        let end = versions.last().filter(|_| has_more);
        Ok(Listed {
            next: end.map(|(seq, _)| list.after(&seq.to_string())),
            items: versions.into_iter().map(|(_, version)| version).collect(),
        })
    }

    /// Who has reacted to a message with an emoji, in the order in which they did.
    ///
    /// # Errors
    /// 401 when the login has ended, 403, 404, 422, 429, 503.
    pub async fn list_reacted(
        &self,
        caller: &Caller,
        (room, id): (&str, u64),
        emoji: &str,
        wanted: &Wanted,
    ) -> Result<Listed<Person>> {
        rooms::check_name(room)?;
        let emoji = emoji::normalize(emoji)?;
        let list = List::new("reacted", &format!("{room}\n{id}\n{emoji}"));
        let after = cursors::begin(&self.rates, caller, &list, wanted)?;
        let after = after.and_then(|seq| seq.parse().ok()).unwrap_or(0);
        let limit = wanted.limit;
        let read = move |conn: &mut _, view: &RoomView, row: Row| {
            reactions::list_of_emoji(conn, (view.room.id, row.id), emoji, after, limit + 1)
        };
        let which = Which::Named(room.to_owned());
        let found = self.of_message(caller, which, id, read).await?;
        let reacted = cursors::cut(found, limit, &list, |(seq, ..)| seq.to_string());
        let person = |(_, user_id, username)| Person { user_id, username };
        Ok(Listed {
            next: reacted.next,
            items: reacted.items.into_iter().map(person).collect(),
        })
    }

    async fn read(&self, caller: &Caller, which: Which, id: u64) -> Result<Message> {
        let (reader, vault) = (caller.user_id, Arc::clone(&self.vault));
        let open = move |conn: &mut _, view: &RoomView, row: Row| {
            pages::open(conn, &vault, reader, &view.room, (vec![row], true))
        };
        let found = self.of_message(caller, which, id, open).await?;
        found.into_iter().next().ok_or_else(Error::no_such_message)
    }

    /// What `query` finds of a message that is there, when the caller may read it.
    async fn of_message<T: Send + 'static>(
        &self,
        caller: &Caller,
        which: Which,
        id: u64,
        query: impl FnOnce(&mut AnyConnection, &RoomView, Row) -> Result<T, QueryError> + Send + 'static,
    ) -> Result<T> {
        let id = i64::try_from(id).unwrap_or(i64::MAX);
        let find =
            move |conn: &mut _, view: &RoomView| match messages::find(conn, view.room.id, id)? {
                Some(row) => query(conn, view, row).map(Some),
                None => Ok(None),
            };
        let found = self.access.in_room(caller, which, Urgency::CanWait, find);
        found.await?.ok_or_else(Error::no_such_message)
    }
}

fn version(vault: &Vault, place: Place, row: &VersionRow) -> Version {
    let opened = vault.open_bound(Bound {
        place,
        sealed: &row.content,
        mac: row.mac.as_ref().map(StoredText::as_str),
    });
    if opened.is_err() {
        let Place { room_id, id, .. } = place;
        unreadable::tell(format!(
            "what message {id} of room {} said before change {}",
            rooms::key_of(room_id),
            row.seq
        ));
    }
    Version {
        unreadable: opened.is_err(),
        content: opened.unwrap_or_default(),
        at: db::utc(row.created_at.get()),
    }
}
