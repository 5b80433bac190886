//! Slash commands. What is typed becomes the same [`Command`]s that frames and requests make, and goes the same road: here
//! it is read ([`parse`], by the table in [`crate::protocol::slash`]) and handed on. No message is ever read as a command.

use std::sync::Arc;

use super::{
    Caller,
    access::{Access, Which},
    commands::{Begun, Command, Commands, Done},
    rooms,
    scheduled::{Remembered, Scheduled},
    statuses::Statuses,
};
use crate::{
    error::{Error, Result},
    gate::Urgency,
    protocol::{
        body,
        command::SendMessage,
        people::{SetStatus, Status},
        room::NewDirect,
        slash::NewCommand,
    },
};

mod emphasis;
pub mod parse;
mod sentences;

pub use parse::{Asked, Meaning, Reminder};
pub use sentences::{Note, status_sentence};

/// Carries slash commands out.
pub struct SlashCommands {
    /// Takes what changes rooms.
    pub commands: Arc<Commands>,
    /// Finds rooms.
    pub access: Arc<Access>,
    /// Keeps what people are.
    pub statuses: Arc<Statuses>,
    /// Keeps what is to be said later.
    pub scheduled: Arc<Scheduled>,
}

/// What is to be done in a room.
#[derive(Debug, Clone)]
pub enum Deed {
    /// One command.
    One(Box<Command>),
    /// Something is said in the direct room of these people, which is made if there is none.
    Tell {
        /// Who, beside whoever says it.
        people: NewDirect,
        /// What; it names no room yet.
        message: Box<SendMessage>,
    },
}

impl From<Command> for Deed {
    fn from(command: Command) -> Self {
        Self::One(Box::new(command))
    }
}

/// What has come of a command.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// A room was changed, or made.
    Done(Box<Done>),
    /// This is what the caller is now.
    Status(Status),
    /// This is to be said later.
    Later(Box<Remembered>),
}

impl SlashCommands {
    /// Carries out what was typed in a room, and says what was done.
    ///
    /// # Errors
    /// 422 for what is no command; all else as the command itself is refused.
    pub async fn perform(
        &self,
        caller: &Caller,
        room: &str,
        new: NewCommand,
    ) -> Result<(Note, Outcome)> {
        let Asked { meaning, note } = parse::read(room, new)?;
        let outcome = match meaning {
            Meaning::Deed(deed) => {
                let performing = match self.begin(caller, deed)? {
                    Begun::Queued(performing) => performing,
                    Begun::Finding(finding) => finding.await?,
                };
                Outcome::Done(Box::new(performing.done().await?))
            }
            Meaning::Status(wish) => Outcome::Status(self.set_status(caller, room, wish).await?),
            Meaning::Remind(reminder) => {
                Outcome::Later(Box::new(self.remind(caller, room, reminder).await?))
            }
        };
        Ok((note, outcome))
    }

    /// Puts what is to be done into the journal's queue, as [`Commands::begin`] does.
    ///
    /// # Errors
    /// As there.
    pub fn begin(&self, caller: &Caller, deed: Deed) -> Result<Begun> {
        let (people, mut message) = match deed {
            Deed::One(command) => return self.commands.begin(caller, *command),
            Deed::Tell { people, message } => (people, message),
        };
        // What cannot be said opens no room.
        let client_id = message.client_id.as_deref();
        let wrong = body::message_faults(&message.content, client_id, self.commands.content_bytes);
        if !wrong.is_empty() {
            return Err(Error::invalid(wrong));
        }
        let (commands, caller) = (Arc::clone(&self.commands), caller.clone());
        Ok(Begun::Finding(Box::pin(async move {
            let opened = commands.perform(&caller, Command::Direct(people)).await?;
            message.room = Some(rooms::key_of(opened.room_id));
            match commands.begin(&caller, Command::Post(*message))? {
                Begun::Queued(performing) => Ok(performing),
                Begun::Finding(finding) => finding.await,
            }
        })))
    }

    /// Sets what the caller is, who has said so in a room that they are in.
    ///
    /// # Errors
    /// 401 when the login has ended, 403, 404, 422, 429, 503.
    pub async fn set_status(&self, caller: &Caller, room: &str, wish: SetStatus) -> Result<Status> {
        self.check_in(caller, room).await?;
        self.statuses.set(caller, wish).await
    }

    /// Has somebody reminded, at the wish of the caller, who has said so in a room that they are in.
    ///
    /// # Errors
    /// 401 when the login has ended, 403, 404, 409, 422, 429, 503.
    pub async fn remind(
        &self,
        caller: &Caller,
        room: &str,
        Reminder {
            place,
            text,
            client_id,
        }: Reminder,
    ) -> Result<Remembered> {
        self.check_in(caller, room).await?;
        self.scheduled.remind(caller, place, &text, client_id).await
    }

    async fn check_in(&self, caller: &Caller, room: &str) -> Result<()> {
        rooms::check_name(room)?;
        let which = Which::Named(room.to_owned());
        let is_in = self
            .access
            .in_room(caller, which, Urgency::CanWait, |_, _| Ok(()));
        is_in.await
    }
}

#[cfg(test)]
mod tests;
