//! Reminders: `/remind me in 10 minutes to look at the oven`. One is a message of whoever asks for it, among their own notes or in
//! a room, which is scheduled like any other.
//!
//! For slash commands: [`Scheduled::remind`] takes all that stands behind `/remind me` or `/remind #room`, and answers with what
//! was scheduled.

use std::sync::Arc;

use chrono_tz::Tz;

use super::{Scheduled, Shown, check_time};
use crate::{
    chat::{Caller, commands::Command, rooms, when},
    db::users::people,
    error::{Error, Result},
    gate::Urgency,
    protocol::{
        room::NewDirect,
        scheduled::{NewScheduled, ScheduledKind},
        time::{Timestamp, now},
    },
};

/// What stands before what one wants to be reminded of.
const REMINDER: &str = "Reminder: ";

/// A reminder that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remembered {
    /// As it is listed.
    pub scheduled: Shown,
    /// In which time zone its maker speaks of times, if they have told one; else in UTC.
    pub zone: Option<Tz>,
}

impl Remembered {
    /// What was done, in one plain sentence for whoever typed it.
    #[must_use]
    pub fn sentence(&self) -> String {
        let at = self
            .scheduled
            .send_at
            .with_timezone(&self.zone.unwrap_or(Tz::UTC));
        let at = at.format("%A, %-d %B %Y, at %H:%M (%Z)");
        let hint = if self.zone.is_some() {
            ""
        } else {
            " Your profile has no time zone yet: set one, and times are read by your own clock."
        };
        format!("The reminder comes on {at}.{hint}")
    }
}

/// Where someone is to be reminded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RemindIn {
    /// Among their own notes: in the direct room that they are in alone.
    Notes,
    /// In this room, by its key or name.
    Room(String),
}

impl Scheduled {
    /// Schedules a reminder: `text` says when and of what, in the time zone of the caller's profile. (For a client that asks
    /// again, `client_id` makes it one.) It is charged as a message.
    ///
    /// # Errors
    /// 401 when the login has ended, 403, 404, 409, 422 with a plain sentence when no time is understood, 429, 503.
    pub async fn remind(
        self: &Arc<Self>,
        caller: &Caller,
        place: RemindIn,
        text: &str,
        client_id: Option<String>,
    ) -> Result<Remembered> {
        if text.len() > self.commands.content_bytes {
            self.commands
                .check_form((text, None), (None, None, false))?;
        }
        let zone = self.find_zone(caller).await?;
        let spoken = when::read(text, now(), zone.unwrap_or(Tz::UTC))
            .map_err(|fault| Error::invalid_field("text", fault.to_string()))?;
        check_time(spoken.at, "text")?;
        let room = match place {
            RemindIn::Room(room) => {
                self.rates.check_message(caller.user_id)?;
                room
            }
            RemindIn::Notes => {
                let own = Command::Direct(NewDirect { users: Vec::new() });
                let notes = self.commands.perform(caller, own).await?;
                rooms::key_of(notes.room_id)
            }
        };
        let new = NewScheduled {
            room,
            content: format!("{REMINDER}{}", spoken.what),
            send_at: spoken.at,
            client_id,
            reply_to: None,
            thread: None,
            also_to_room: false,
        };
        let (kept, _) = self.keep(caller, new, ScheduledKind::Reminder).await?;
        Ok(Remembered {
            scheduled: kept,
            zone,
        })
    }

    /// A time in words, with nothing beside it.
    pub(super) async fn read_time(&self, caller: &Caller, text: &str) -> Result<Timestamp> {
        let zone = self.find_zone(caller).await?;
        when::read_alone(text, now(), zone.unwrap_or(Tz::UTC))
            .map_err(|fault| Error::invalid_field("when", fault.to_string()))
    }

    /// The time zone of the caller's profile.
    async fn find_zone(&self, caller: &Caller) -> Result<Option<Tz>> {
        let user_id = caller.user_id;
        let query = move |conn: &mut _| people::list(conn, &[user_id]);
        let found = self.access.for_caller(caller, Urgency::CanWait, query);
        let row = found.await?.into_iter().next();
        let zone = row.and_then(|row| row.time_zone);
        Ok(zone.and_then(|zone| zone.as_str().parse().ok()))
    }
}
