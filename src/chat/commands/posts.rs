//! Messages: their form, and those that were scheduled.

use super::{About, Checked, Commands, Performing, Place, Said, What};
use crate::{
    chat::{Caller, mentions},
    error::{Error, Result},
    journal::{Body, Change, Later, NO_LOGIN, Post as NewPost, RoomId, UserId},
    protocol::{GENERAL, body, command::SendMessage},
};

impl Commands {
    /// Queues what someone has scheduled, as everything else that is said; but its author needs no login, and the rate was
    /// charged when it was scheduled. Does not wait.
    ///
    /// # Errors
    /// 404 for a room or a message that cannot be, 422, 503 when too much is waiting.
    pub fn begin_later(
        &self,
        (user_id, username): (UserId, String),
        room_id: RoomId,
        message: SendMessage,
        later: Later,
    ) -> Result<Performing> {
        let Checked { what, about, .. } = self.check_post(message)?;
        let What::Change(Change::Post(post)) = what else {
            return Err(Error::internal("a message is no message"));
        };
        let author = Caller {
            user_id,
            username,
            session_id: NO_LOGIN,
        };
        let later = Some(later);
        let change = Change::Post(NewPost { later, ..post });
        self.queue(&author, room_id, change, about)
    }

    /// Checks what is said, what it is called by its sender, and where it is to stand: the message that it answers, its
    /// thread, and whether it stands in the room, too.
    ///
    /// # Errors
    /// 404 for a message that cannot be, 422.
    pub fn check_form(
        &self,
        (content, client_id): (&str, Option<&str>),
        (reply_to, thread, also_to_room): (Option<u64>, Option<u64>, bool),
    ) -> Result<()> {
        self.check_text(content, client_id)?;
        let is_none = |id: u64| i64::try_from(id).is_err();
        if reply_to.is_some_and(is_none) || thread.is_some_and(is_none) {
            // Also where what is said was said before: no message can have answered it.
            return Err(Error::no_such_message());
        }
        if also_to_room && thread.is_none() {
            let msg = "Only a reply in a thread stands in the room, too: give `thread`.";
            return Err(Error::invalid_field("also_to_room", msg));
        }
        Ok(())
    }

    pub(super) fn check_post(&self, message: SendMessage) -> Result<Checked> {
        let SendMessage {
            content,
            room,
            client_id,
            reply_to,
            thread,
            also_to_room,
        } = message;
        self.check_form(
            (&content, client_id.as_deref()),
            (reply_to, thread, also_to_room),
        )?;
        Ok(Checked {
            place: Place::Called(room.unwrap_or_else(|| GENERAL.to_owned())),
            what: What::Change(Change::Post(NewPost {
                body: self.seal(&content),
                client_id: client_id.clone(),
                reply_to,
                thread,
                also_to_room,
                candidates: mentions::find(&content),
                later: None,
            })),
            about: About::Post(Said {
                content,
                client_id,
                reply_to,
                thread,
                also_to_room,
            }),
        })
    }

    pub(super) fn check_text(&self, content: &str, client_id: Option<&str>) -> Result<()> {
        let wrong = body::message_faults(content, client_id, self.content_bytes);
        if wrong.is_empty() {
            Ok(())
        } else {
            Err(Error::invalid(wrong))
        }
    }

    pub(super) fn seal(&self, content: &str) -> Body {
        Body {
            sealed: self.vault.seal(content),
            text: content.to_owned(),
        }
    }
}
