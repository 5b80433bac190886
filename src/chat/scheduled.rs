//! What people want to have said later: kept sealed, listed, changed and taken back here; said when its time has come by
//! [`sending`]; and [`reminders`], which are such messages that one asks for in words.

use std::sync::Arc;

use chrono::TimeDelta;

use super::{
    Caller,
    access::{Access, Which},
    commands::Commands,
    cursors::{self, List, Listed, Wanted},
    lanes::Lanes,
    rates::Rates,
    rooms::{self, RoomView},
    sizes, standing, unreadable,
};
use crate::{
    crypto::{binding::Place, random_name, vault::Vault},
    db::{
        self, AnyConnection, QueryError, messages,
        scheduled::{self as rows, After, New, Waiting},
    },
    error::{Code, Error, Kind, Result},
    gate::Urgency,
    hub::{Hub, frame},
    protocol::{
        event::Event,
        limits::{MAX_SCHEDULED, MAX_SCHEDULED_DAYS, PAGE_BYTES},
        scheduled::{
            NewScheduled, Scheduled as Shown, ScheduledChange, ScheduledKind, ScheduledNews,
            ScheduledPatch,
        },
        time::{Timestamp, now},
    },
    rights::{self, Right},
};

mod failed;
mod reminders;
mod sending;

pub use failed::{hold_overdue, overdue_at_restore};
pub use reminders::{Remembered, RemindIn};

/// Keeps it, and has it said.
pub struct Scheduled {
    /// Who may write where.
    pub access: Arc<Access>,
    /// By them it is said.
    pub commands: Arc<Commands>,
    /// Seals and opens it.
    pub vault: Arc<Vault>,
    /// Tells whose it is.
    pub hub: Hub,
    /// How often one may.
    pub rates: Rates,
    /// One change of a person after the other, from the moment it is stored until it is told: so no one has more waiting than
    /// may be, and what is told last is what is so.
    pub lanes: Lanes,
    /// Something may be due sooner than was known.
    pub sooner: tokio::sync::Notify,
}

/// What is to be kept.
struct ToKeep {
    new: NewScheduled,
    kind: ScheduledKind,
    client_id: String,
}

impl Scheduled {
    /// What the caller has waiting, and what could not be said, in the order of the times.
    ///
    /// # Errors
    /// 401 when the login has ended, 422, 429, 503.
    pub async fn list(&self, caller: &Caller, wanted: &Wanted) -> Result<Listed<Shown>> {
        let list = List::new("scheduled", &caller.user_id.to_string());
        let after = cursors::begin(&self.rates, caller, &list, wanted)?;
        let after = after.as_deref().and_then(read_place);
        let (user_id, vault, limit) = (caller.user_id, Arc::clone(&self.vault), wanted.limit);
        let read = move |conn: &mut _| read(conn, &vault, user_id, after, limit);
        let found = self.access.for_caller(caller, Urgency::CanWait, read);
        let (items, end) = found.await?;
        Ok(Listed {
            items,
            next: end.map(|end| list.after(&place(end))),
        })
    }

    /// Schedules a message. True beside it when it is new; false when it was scheduled before under its `client_id`.
    ///
    /// # Errors
    /// 401 when the login has ended, 403, 404, 409, 422, 429, 503.
    pub async fn create(
        self: &Arc<Self>,
        caller: &Caller,
        new: NewScheduled,
    ) -> Result<(Shown, bool)> {
        self.rates.check_message(caller.user_id)?;
        self.keep(caller, new, ScheduledKind::Message).await
    }

    async fn keep(
        self: &Arc<Self>,
        caller: &Caller,
        new: NewScheduled,
        kind: ScheduledKind,
    ) -> Result<(Shown, bool)> {
        check_time(new.send_at, "send_at")?;
        self.commands.check_form(
            (&new.content, new.client_id.as_deref()),
            (new.reply_to, new.thread, new.also_to_room),
        )?;
        rooms::check_name(&new.room)?;
        let client_id = match &new.client_id {
            Some(client_id) => client_id.clone(),
            None => format!("later-{}", random_name().map_err(Error::internal)?),
        };
        let (user_id, vault) = (caller.user_id, Arc::clone(&self.vault));
        let which = Which::Named(new.room.clone());
        let to_keep = ToKeep {
            new,
            kind,
            client_id,
        };
        let keep = move |conn: &mut _, view: &RoomView| keep(conn, view, &vault, user_id, &to_keep);
        let (this, caller) = (Arc::clone(self), caller.clone());
        let keeping = async move {
            let _one_after_the_other = this.lanes.turn(user_id).await?;
            let (kept, is_new) = this.access.keep_in_room(&caller, which, keep).await??;
            if is_new {
                this.sooner.notify_one();
                this.tell(user_id, ScheduledChange::Created, kept.clone(), None);
            }
            Ok((kept, is_new))
        };
        super::to_the_end(keeping).await
    }

    /// Gives what waits another text or time.
    ///
    /// # Errors
    /// 401 when the login has ended, 404 when it is not there (any more), 422, 429, 503.
    pub async fn change(
        self: &Arc<Self>,
        caller: &Caller,
        id: u64,
        patch: ScheduledPatch,
    ) -> Result<Shown> {
        self.rates.check_message(caller.user_id)?;
        let send_at = self.time_of(caller, &patch).await?;
        if let Some(content) = &patch.content {
            self.commands
                .check_form((content, None), (None, None, false))?;
        }
        let is_nothing = send_at.is_none() && patch.content.is_none();
        let (user_id, vault) = (caller.user_id, Arc::clone(&self.vault));
        let change = move |conn: &mut AnyConnection| {
            let of = (user_id, number(id));
            let Some(before) = rows::find(conn, user_id, of.1)? else {
                return Ok(None);
            };
            let mut is_there = true;
            if let Some(content) = &patch.content {
                let place = Place::of_scheduled(user_id, before.room_id, before.id);
                is_there &= rows::set_content(conn, of, &vault.seal_at(place, content))?;
            }
            if let Some(at) = send_at {
                is_there &= rows::set_time(conn, of, at)?;
            }
            let after = rows::find(conn, user_id, of.1)?.filter(|_| is_there);
            Ok(after.map(|after| shown(&vault, user_id, after)))
        };
        let (this, caller) = (Arc::clone(self), caller.clone());
        let changing = async move {
            let _one_after_the_other = this.lanes.turn(user_id).await?;
            let changed = this.access.keep_for_caller(&caller, change).await?;
            let changed = changed.ok_or_else(not_there)?;
            if !is_nothing {
                this.sooner.notify_one();
                this.tell(user_id, ScheduledChange::Changed, changed.clone(), None);
            }
            Ok(changed)
        };
        super::to_the_end(changing).await
    }

    /// The other time that a change gives, if it gives one: as a moment, or in words.
    async fn time_of(&self, caller: &Caller, patch: &ScheduledPatch) -> Result<Option<Timestamp>> {
        let (at, field) = match (&patch.when, patch.send_at) {
            (None, None) => return Ok(None),
            (None, Some(at)) => (at, "send_at"),
            (Some(_), Some(_)) => {
                let msg = "Give the time by `when` or by `send_at`, and not by both.";
                return Err(Error::invalid_field("when", msg));
            }
            (Some(words), None) => (self.read_time(caller, words).await?, "when"),
        };
        check_time(at, field)?;
        Ok(Some(at))
    }

    /// Takes back what waits. When this comes back, it is not said any more.
    ///
    /// # Errors
    /// 401 when the login has ended, 404 when it is not there (any more), 429, 503.
    pub async fn cancel(self: &Arc<Self>, caller: &Caller, id: u64) -> Result<()> {
        self.rates.check_message(caller.user_id)?;
        let (user_id, vault) = (caller.user_id, Arc::clone(&self.vault));
        let cancel = move |conn: &mut AnyConnection| {
            let Some(found) = rows::find(conn, user_id, number(id))? else {
                return Ok(None);
            };
            let was_there = rows::delete(conn, user_id, found.id)?;
            Ok(was_there.then(|| shown(&vault, user_id, found)))
        };
        let (this, caller) = (Arc::clone(self), caller.clone());
        let cancelling = async move {
            let _one_after_the_other = this.lanes.turn(user_id).await?;
            let cancelled = this.access.keep_for_caller(&caller, cancel).await?;
            let cancelled = cancelled.ok_or_else(not_there)?;
            this.tell(user_id, ScheduledChange::Cancelled, cancelled, None);
            Ok(())
        };
        super::to_the_end(cancelling).await
    }

    fn tell(&self, user_id: i64, change: ScheduledChange, scheduled: Shown, message: Option<u64>) {
        let news = Event::Scheduled(ScheduledNews {
            change,
            scheduled,
            message,
        });
        self.hub.tell_user(user_id, frame::event(&news));
    }
}

/// Keeps what someone wants to have said, if they could say it in this room then by all that is known now; or finds what they
/// have waiting there under its name.
fn keep(
    conn: &mut AnyConnection,
    view: &RoomView,
    vault: &Vault,
    user_id: i64,
    ToKeep {
        new,
        kind,
        client_id,
    }: &ToKeep,
) -> std::result::Result<Result<(Shown, bool)>, QueryError> {
    let room_id = view.room.id;
    let standing = standing::of(view, new.send_at);
    if let Err(denied) = rights::allows(standing, Right::Post, standing::facts(view)) {
        return Ok(Err(denied.into()));
    }
    if let Some(before) = rows::find_named(conn, (user_id, room_id), client_id)? {
        let before = shown(vault, user_id, before);
        if before.content != new.content && !before.unreadable {
            let detail =
                "This `client_id` was used for another message; make a new one for each message.";
            return Ok(Err(Error::conflict(Code::ClientIdReused, detail)));
        }
        return Ok(Ok((before, false)));
    }
    if rows::find_said(conn, (user_id, room_id), client_id)?.is_some() {
        let detail = "What goes by this `client_id` was sent already: look for it before you make a new one.";
        return Ok(Err(Error::conflict(Code::ClientIdReused, detail)));
    }
    if rows::count(conn, user_id)? >= i64::from(MAX_SCHEDULED) {
        let detail = format!(
            "You have {MAX_SCHEDULED} messages waiting, those that could not be sent among them; take one back first."
        );
        return Ok(Err(Error::conflict(Code::TooManyScheduled, detail)));
    }
    if let Err(refused) = check_references(conn, room_id, new)? {
        return Ok(Err(refused));
    }
    let signed = |id: u64| i64::try_from(id).unwrap_or(i64::MAX);
    let row = New {
        user_id,
        room_id,
        thread: new.thread.map(signed),
        also_to_room: new.also_to_room,
        reply_to: new.reply_to.map(signed),
        kind: kind.as_str(),
        client_id,
        send_at: new.send_at,
        created_at: now(),
    };
    let id = rows::insert(conn, &row, |id| {
        vault.seal_at(Place::of_scheduled(user_id, room_id, id), &new.content)
    })?;
    let kept = rows::find(conn, user_id, id)?;
    let kept = kept.map(|kept| (shown(vault, user_id, kept), true));
    Ok(kept.ok_or_else(Error::store_unavailable))
}

/// Whether there is what it is to answer, and the thread in which it is to stand.
fn check_references(
    conn: &mut AnyConnection,
    room_id: i64,
    new: &NewScheduled,
) -> std::result::Result<Result<()>, QueryError> {
    for (id, is_thread) in [(new.thread, true), (new.reply_to, false)] {
        let Some(id) = id else { continue };
        let row = messages::find(conn, room_id, number(id))?;
        match row {
            Some(row) if is_thread && row.thread.is_some() => {
                return Ok(Err(Error::not_a_thread()));
            }
            Some(row) if is_thread || row.deleted_at.is_none() => {}
            _ => return Ok(Err(Error::no_such_message())),
        }
    }
    Ok(Ok(()))
}

/// Whether a time is to come, and not too far ahead.
fn check_time(at: Timestamp, field: &str) -> Result<()> {
    let now = now();
    if at <= now {
        let msg = "That time is over: say one that is to come.";
        return Err(Error::invalid_field(field, msg));
    }
    if at - now > TimeDelta::days(MAX_SCHEDULED_DAYS.into()) {
        let msg = format!("A message can be scheduled at most {MAX_SCHEDULED_DAYS} days ahead.");
        return Err(Error::invalid_field(field, msg));
    }
    Ok(())
}

fn not_there() -> Error {
    Error::new(
        Kind::NotFound,
        Code::ScheduledNotFound,
        "Nothing of this number is waiting: perhaps it was sent or taken back.",
    )
}

/// A number of the wire as it is stored.
fn number(id: u64) -> i64 {
    i64::try_from(id).unwrap_or(i64::MAX)
}

/// A page, and where the list goes on.
fn read(
    conn: &mut AnyConnection,
    vault: &Vault,
    user_id: i64,
    after: Option<After>,
    limit: i64,
) -> std::result::Result<(Vec<Shown>, Option<After>), QueryError> {
    let found = rows::list(conn, user_id, after, limit + 1)?;
    let has_more = i64::try_from(found.len()).is_ok_and(|count| count > limit);
    let most = usize::try_from(limit).unwrap_or(0);
    let (mut items, mut bytes, mut end) = (Vec::new(), 0, None);
    for one in found.into_iter().take(most) {
        let at = (db::utc(one.send_at.get()), one.id);
        let one = shown(vault, user_id, one);
        bytes += sizes::AROUND_CONTENT + sizes::json_length(&one.content);
        if bytes > PAGE_BYTES && !items.is_empty() {
            return Ok((items, end));
        }
        items.push(one);
        end = Some(at);
    }
    Ok((items, end.filter(|_| has_more)))
}

fn place((at, id): After) -> String {
    format!("{} {id}", at.timestamp_micros())
}

fn read_place(text: &str) -> Option<After> {
    let (at, id) = text.split_once(' ')?;
    let at = Timestamp::from_timestamp_micros(at.parse().ok()?)?;
    Some((at, id.parse().ok()?))
}

/// What is stored, as its author sees it.
fn shown(vault: &Vault, user_id: i64, row: Waiting) -> Shown {
    let place = Place::of_scheduled(user_id, row.room_id, row.id);
    let opened = vault.open_at(place, row.content.as_str());
    if opened.is_err() {
        let id = row.id;
        unreadable::tell(format!(
            "what user {user_id} has scheduled under number {id}"
        ));
    }
    let unsigned = |id: i64| id.unsigned_abs();
    Shown {
        id: row.id.unsigned_abs(),
        kind: row.kind.as_str().parse().unwrap_or_default(),
        room: rooms::key_of(row.room_id),
        // What a room is called now is for those who are in it.
        name: row.name.map(String::from).filter(|_| row.member.is_some()),
        unreadable: opened.is_err(),
        content: opened.unwrap_or_default(),
        send_at: db::utc(row.send_at.get()),
        thread: row.thread.map(unsigned),
        also_to_room: row.also_to_room,
        reply_to: row.reply_to.map(unsigned),
        client_id: row.client_id.into(),
        created_at: db::utc(row.created_at.get()),
        failed: row.failed.map(|failed| failed::read(failed.as_str())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_to_come_and_within_a_year() {
        let day = |days: i64| now() + TimeDelta::days(days);
        for (at, is_right) in [
            (day(-1), false),
            (day(1), true),
            (day(365), true),
            (day(367), false),
        ] {
            assert_eq!(check_time(at, "send_at").is_ok(), is_right, "{at}");
        }
        let wrong = check_time(day(-1), "send_at").map_err(|error| error.fields[0].loc.clone());
        assert_eq!(wrong, Err(vec!["body".to_owned(), "send_at".to_owned()]));
    }
}
