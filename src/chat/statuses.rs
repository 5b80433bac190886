//! What people have chosen to be and say of it: kept sealed, told by the hub, ended when its time is over.

mod wish;

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use chrono::TimeDelta;

use super::{Caller, access::Access, emoji, lanes::Lanes, rates::Rates};
use crate::{
    crypto::{
        binding::{Place, Purpose},
        vault::Vault,
    },
    db::{
        self, Db,
        rooms::views,
        users::{
            directory,
            people::{self, NewStatus, StatusRow},
        },
    },
    error::{Error, Result},
    hub::{Hub, people::PeopleNews},
    protocol::{
        display,
        limits::MAX_STATUS,
        people::{SetStatus, State, Status},
        time::{Timestamp, now},
    },
};

/// For how long a status holds at most: a year, and one that has a day more.
pub(super) const MOST_DAYS: i64 = 366;

/// Keeps them.
pub struct Statuses {
    /// Where they are stored.
    pub db: Db,
    /// Who may change one.
    pub access: Arc<Access>,
    /// Seals and opens them.
    pub vault: Arc<Vault>,
    /// Tells of them.
    pub hub: Hub,
    /// How often one may.
    pub rates: Rates,
    /// One change of a person after the other.
    pub lanes: Lanes,
    /// Whether the hub knows what is stored.
    pub is_loaded: AtomicBool,
}

impl Statuses {
    /// Has the hub know what is stored, if it does not yet; and whether `general` counts as a room that people share.
    ///
    /// # Errors
    /// 503.
    pub async fn bring_to_hub(&self) -> Result<()> {
        if !self.is_loaded.load(Ordering::SeqCst) {
            let rows = self.db.read(people::list_statuses).await?;
            let statuses = rows.into_iter().filter_map(|row| {
                let (user_id, username) = (row.user_id, row.username.clone());
                Some((user_id, username, open(&self.vault, &row, now())?))
            });
            self.hub.note(PeopleNews::Statuses(statuses.collect()));
            self.is_loaded.store(true, Ordering::SeqCst);
        }
        let counts = self.db.read(people::does_general_count).await?;
        self.hub.note(PeopleNews::GeneralCounts(counts));
        Ok(())
    }

    /// Gives those accounts the words by which they are found who have none yet.
    ///
    /// # Errors
    /// 503.
    pub async fn set_missing_words(&self) -> Result<()> {
        while self.db.write(directory::set_missing_words).await? {}
        Ok(())
    }

    /// Takes out of the database what has ended. (It is not shown any more in any case.)
    ///
    /// # Errors
    /// 503.
    pub async fn clear_ended(&self) -> Result<()> {
        self.db
            .write(|conn| people::clear_ended(conn, now()))
            .await?;
        Ok(())
    }

    /// Sets what the caller is; what is absent stays. Returns what holds then.
    ///
    /// # Errors
    /// 401 when the login has ended, 422, 429, 503.
    pub async fn set(self: &Arc<Self>, caller: &Caller, wish: SetStatus) -> Result<Status> {
        let wish = check(wish)?;
        self.rates.check_message(caller.user_id)?;
        if wish.state.is_some() {
            self.rates.check_state(caller.user_id)?;
        }
        let (statuses, caller) = (Arc::clone(self), caller.clone());
        super::to_the_end(async move { statuses.keep(caller, wish).await }).await
    }

    async fn keep(&self, caller: Caller, wish: SetStatus) -> Result<Status> {
        let user_id = caller.user_id;
        let _one_after_the_other = self.lanes.turn(user_id).await?;
        let known = self.hub.look_at(vec![user_id]).await?;
        let before = known
            .into_iter()
            .next()
            .and_then(|(_, status)| status)
            .unwrap_or_default();
        let status = wish::apply(&before, wish, now());
        if status == before {
            return Ok(shown(status));
        }
        let seal = |text: &Option<String>, purpose| {
            let place = Place::of_user(user_id, purpose);
            text.as_ref().map(|text| self.vault.seal_at(place, text))
        };
        let new = NewStatus {
            state: status.state.map(State::as_str),
            text: seal(&status.text, Purpose::StatusText),
            emoji: seal(&status.emoji, Purpose::StatusEmoji),
            until: status.until,
            then: status.then_state.map(State::as_str),
        };
        let written = self.access.keep_for_caller(&caller, move |conn| {
            people::set_status(conn, user_id, &new)?;
            views::list_ids_seen_in(conn, user_id)
        });
        let rooms: BTreeSet<i64> = written.await?.into_iter().collect();
        self.hub.note(PeopleNews::Status {
            user_id,
            username: caller.username,
            status: (status != Status::default()).then(|| status.clone()),
            rooms,
        });
        Ok(shown(status))
    }
}

/// One's own: what was chosen is always told.
#[must_use]
pub fn shown(status: Status) -> Status {
    Status {
        state: Some(status.state.unwrap_or_default()),
        ..status
    }
}

/// What a stored status says by now; `None` when it is over or says nothing. What does not open is left out.
#[must_use]
pub fn open(vault: &Vault, row: &StatusRow, now: Timestamp) -> Option<Status> {
    let open = |sealed: &Option<db::text::StoredText>, purpose| {
        let place = Place::of_user(row.user_id, purpose);
        sealed
            .as_ref()
            .and_then(|sealed| vault.open_at(place, sealed.as_str()).ok())
    };
    let state = |stored: &Option<db::text::StoredText>| stored.as_ref()?.as_str().parse().ok();
    let status = Status {
        state: state(&row.state),
        text: open(&row.text, Purpose::StatusText),
        emoji: open(&row.emoji, Purpose::StatusEmoji),
        until: row.until.map(|at| db::utc(at.get())),
        then_state: state(&row.then),
    };
    Some(status.at(now)).filter(|status| *status != Status::default())
}

/// What a socket says of its device alone: whether it is not in use.
#[must_use]
pub fn of_device(said: &SetStatus) -> Option<bool> {
    said.idle.or(match said.state {
        Some(State::Away) if is_bare(said) => Some(true),
        Some(State::Online) if is_bare(said) => Some(false),
        _ => None,
    })
}

/// What a socket says of its user.
#[must_use]
pub fn of_user(said: SetStatus) -> Option<SetStatus> {
    let is_of_device = is_bare(&said) && matches!(said.state, None | Some(State::Away));
    (!is_of_device).then_some(said)
}

/// Says no more than a state.
fn is_bare(said: &SetStatus) -> bool {
    said.text.is_none() && said.emoji.is_none() && said.until.is_none()
}

/// Checks the form, and cleans the text.
fn check(wish: SetStatus) -> Result<SetStatus> {
    let text = wish.text.map(|text| display::clean(&text));
    if text
        .as_ref()
        .is_some_and(|text| text.chars().count() > MAX_STATUS)
    {
        let detail = format!("The text of a status may have at most {MAX_STATUS} characters.");
        return Err(Error::invalid_field("text", detail));
    }
    if (wish.until).is_some_and(|until| until > now() + TimeDelta::days(MOST_DAYS)) {
        let detail = "A status holds for at most a year; leave out `until`, and it stays until you change it.";
        return Err(Error::invalid_field("until", detail));
    }
    let emoji = wish.emoji.map(|emoji| {
        if emoji.is_empty() {
            return Ok(emoji);
        }
        let known = emoji::normalize(&emoji).map(ToOwned::to_owned);
        known.map_err(|_| Error::invalid_field("emoji", "`emoji` must be one emoji."))
    });
    Ok(SetStatus {
        text,
        emoji: emoji.transpose()?,
        ..wish
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(text: &str) -> SetStatus {
        serde_json::from_str(text).expect("a status")
    }

    #[test]
    fn a_device_says_whether_it_is_in_use_and_ends_no_choice_by_that() {
        for (said, device, user) in [
            (r#"{"idle":true}"#, Some(true), false),
            (r#"{"idle":false}"#, Some(false), false),
            (r#"{"state":"away"}"#, Some(true), false),
            (r#"{"state":"online"}"#, Some(false), true),
            (r#"{"state":"away","text":"out"}"#, None, true),
            (r#"{"state":"dnd"}"#, None, true),
            (r#"{"text":"x"}"#, None, true),
        ] {
            let said = wish(said);
            assert_eq!(of_device(&said), device, "{said:?}");
            assert_eq!(of_user(said.clone()).is_some(), user, "{said:?}");
        }
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for wrong in [
            wish(r#"{"emoji":"ab"}"#),
            wish(&format!(r#"{{"text":"{}"}}"#, "x".repeat(101))),
        ] {
            assert!(check(wrong.clone()).is_err(), "{wrong:?}");
        }
        assert!(check(wish(r#"{"emoji":"","text":""}"#)).is_ok());
    }
}
