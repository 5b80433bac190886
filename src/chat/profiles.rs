//! What people say of themselves, and how they are found. Everyone who is logged in sees that of everyone; how someone is
//! seen at the moment is told only to those who share a room with them.

use std::{collections::HashMap, sync::Arc};

use super::{
    Caller,
    access::Access,
    cursors::{List, Listed, Wanted, begin, cut},
    lanes::Lanes,
    people::find_one,
    rates::Rates,
    statuses,
};
use crate::{
    crypto::{
        binding::{Place, Purpose},
        vault::Vault,
    },
    db::{
        self, AnyConnection, QueryError,
        rooms::views,
        text::StoredText,
        users::{
            directory,
            people::{self, NewProfile, PersonRow},
        },
    },
    error::{Error, Result},
    gate::Urgency,
    hub::{Hub, frame, people::PeopleNews, presence::to_others},
    protocol::{
        display,
        event::Event,
        limits::{MAX_BIO, MAX_DISPLAY_NAME, MAX_PRONOUNS},
        names,
        people::{About, Profile, ProfilePatch, QuietHours, Seen, Settings, Status, UserNews},
        views::FieldError,
    },
};

/// Longest search, in characters.
const MAX_SEARCH: usize = 100;

/// Shows and changes them.
pub struct Profiles {
    /// Who is asking.
    pub access: Arc<Access>,
    /// Seals and opens what people tell of themselves.
    pub vault: Arc<Vault>,
    /// How often one may.
    pub rates: Rates,
    /// Knows who is here, and tells of changes.
    pub hub: Hub,
    /// One change of a person after the other, so that what is told last is what was stored last.
    pub lanes: Lanes,
}

/// What was read of people: each with whether they share a room with whoever asks.
type Read = Vec<(PersonRow, bool)>;

impl Profiles {
    /// A user, as the caller sees them.
    ///
    /// # Errors
    /// 401 when the login has ended, 404, 429, 503.
    pub async fn find(&self, caller: &Caller, user: &str) -> Result<Profile> {
        self.rates.check_read(caller.user_id)?;
        let id = find_one(&self.access, caller, user.to_owned()).await?;
        self.find_by_id(caller, id).await
    }

    /// The caller.
    ///
    /// # Errors
    /// 401 when the login has ended, 429, 503.
    pub async fn find_own(&self, caller: &Caller) -> Result<Profile> {
        self.rates.check_read(caller.user_id)?;
        self.find_by_id(caller, caller.user_id).await
    }

    async fn find_by_id(&self, caller: &Caller, id: i64) -> Result<Profile> {
        let own_id = caller.user_id;
        let query = move |conn: &mut _| read(conn, own_id, &[id]);
        let found = self.access.for_caller(caller, Urgency::CanWait, query);
        let shown = self.show(caller, found.await?).await?;
        shown.into_iter().next().ok_or_else(Error::no_such_user)
    }

    /// People of whose names the words of `q` begin words; all, when there are none.
    ///
    /// # Errors
    /// 401 when the login has ended, 422, 429, 503.
    pub async fn search(
        &self,
        caller: &Caller,
        q: &str,
        wanted: &Wanted,
    ) -> Result<Listed<Profile>> {
        if q.chars().count() > MAX_SEARCH {
            let detail = format!("`q` may have at most {MAX_SEARCH} characters.");
            return Err(Error::invalid_query("q", detail));
        }
        let sought = sought(q);
        let list = List::new("users", &sought.join(" "));
        let after = begin(&self.rates, caller, &list, wanted)?;
        let after = after.and_then(|place| {
            let (word, id) = place.split_once(' ')?;
            Some((word.to_owned(), id.parse().ok()?))
        });
        if sought.is_empty() && !q.trim().is_empty() {
            // No name has a word that begins with nothing but signs.
            return Ok(Listed {
                items: Vec::new(),
                next: None,
            });
        }
        let (own_id, limit) = (caller.user_id, wanted.limit);
        let query = move |conn: &mut _| {
            let places = directory::search(conn, &sought, after.as_ref(), limit + 1)?;
            let ids: Vec<i64> = places.iter().map(|(_, id)| *id).collect();
            Ok((places, read(conn, own_id, &ids)?))
        };
        let found = self.access.for_caller(caller, Urgency::CanWait, query);
        let (places, read) = found.await?;
        let page = cut(places, limit, &list, |(word, id)| format!("{word} {id}"));
        let shown = self.show(caller, read).await?;
        let mut by_id: HashMap<i64, Profile> = shown.into_iter().map(|one| (one.id, one)).collect();
        let items = page.items.iter().filter_map(|(_, id)| by_id.remove(id));
        Ok(Listed {
            items: items.collect(),
            next: page.next,
        })
    }

    /// Changes what the caller says of themselves: what is absent stays, what is empty goes. Returns what they then say.
    ///
    /// # Errors
    /// 401 when the login has ended, 422, 429, 503.
    pub async fn change(self: &Arc<Self>, caller: &Caller, patch: ProfilePatch) -> Result<Profile> {
        let new = self.check(caller.user_id, patch)?;
        self.rates.check_message(caller.user_id)?;
        let (profiles, changing) = (Arc::clone(self), caller.clone());
        super::to_the_end(async move { profiles.keep(&changing, new).await }).await?;
        self.find_by_id(caller, caller.user_id).await
    }

    async fn keep(&self, caller: &Caller, new: NewProfile) -> Result<()> {
        let user_id = caller.user_id;
        let says_nothing = new.display_name.is_none()
            && new.bio.is_none()
            && new.pronouns.is_none()
            && new.time_zone.is_none();
        let sets_nothing =
            new.receipts.is_none() && new.quiet_hours.is_none() && new.time_zone.is_none();
        if !(says_nothing && sets_nothing) {
            let _one_after_the_other = self.lanes.turn(user_id).await?;
            // What is read within the transaction is what holds when it is told.
            let written = self.access.keep_for_caller(caller, move |conn| {
                people::set_profile(conn, user_id, &new)?;
                let rooms = views::list_ids_seen_in(conn, user_id)?;
                Ok((people::list(conn, &[user_id])?, rooms))
            });
            let (rows, rooms) = written.await?;
            // What someone sets for themselves is no one else's to know.
            if let Some(row) = rows.first().filter(|_| !sets_nothing) {
                let news = Event::Settings(settings(row));
                self.hub.tell_user(user_id, frame::event(&news));
            }
            if let Some(row) = rows.first().filter(|_| !says_nothing) {
                let news = UserNews {
                    user_id,
                    username: row.username.clone(),
                    about: self.about(row),
                };
                self.hub.note(PeopleNews::Profile {
                    user_id,
                    rooms,
                    frame: frame::event(&Event::User(news)),
                });
            }
        }
        Ok(())
    }

    fn check(&self, user_id: i64, patch: ProfilePatch) -> Result<NewProfile> {
        let mut wrong = Vec::new();
        let mut line = |field: &str, text: Option<String>, most: usize| {
            let text = text?;
            let cleaned = display::clean(&text);
            if text.chars().count() > most || cleaned.chars().count() > most {
                let msg = format!("`{field}` may have at most {most} characters.");
                wrong.push(FieldError::body(field, msg));
                return None;
            }
            Some(Some(cleaned).filter(|text| !text.is_empty()))
        };
        let display_name = line("display_name", patch.display_name, MAX_DISPLAY_NAME);
        let pronouns = line("pronouns", patch.pronouns, MAX_PRONOUNS);
        let mut fault = |field: &str, msg: &str| {
            wrong.push(FieldError::body(field, msg));
        };
        if patch
            .bio
            .as_ref()
            .is_some_and(|bio| bio.chars().count() > MAX_BIO)
        {
            fault(
                "bio",
                &format!("`bio` may have at most {MAX_BIO} characters."),
            );
        }
        if patch.bio.as_ref().is_some_and(|bio| bio.contains('\0')) {
            fault("bio", "`bio` may not hold a NUL character.");
        }
        let is_zone = |zone: &String| zone.is_empty() || zone.parse::<chrono_tz::Tz>().is_ok();
        if !patch.time_zone.as_ref().is_none_or(is_zone) {
            fault(
                "time_zone",
                "`time_zone` must be a name of the IANA time zone database, such as Europe/Berlin.",
            );
        }
        let is_quiet = |hours: &String| hours.is_empty() || QuietHours::read(hours).is_some();
        if !patch.quiet_hours.as_ref().is_none_or(is_quiet) {
            fault(
                "quiet_hours",
                "`quiet_hours` must be a time of day and another one, such as 22:00-07:00.",
            );
        }
        if !wrong.is_empty() {
            return Err(Error::invalid(wrong));
        }
        let seal = |text: Option<Option<String>>, purpose| {
            let place = Place::of_user(user_id, purpose);
            text.map(|text| text.map(|text| self.vault.seal_at(place, &text)))
        };
        let bio = patch
            .bio
            .map(|bio| Some(bio).filter(|bio| !names::is_blank(bio)));
        Ok(NewProfile {
            display_name,
            bio: seal(bio, Purpose::Bio),
            pronouns: seal(pronouns, Purpose::Pronouns),
            time_zone: patch
                .time_zone
                .map(|zone| Some(zone).filter(|zone| !zone.is_empty())),
            receipts: patch.receipts,
            quiet_hours: patch
                .quiet_hours
                .map(|hours| Some(hours).filter(|hours| !hours.is_empty())),
        })
    }

    /// What was read, as the caller sees it at this moment.
    async fn show(&self, caller: &Caller, read: Read) -> Result<Vec<Profile>> {
        let ids: Vec<i64> = read.iter().map(|(row, _)| row.id).collect();
        let seen = self.hub.look_at(ids).await?;
        let shown = read.into_iter().zip(seen);
        Ok(shown
            .map(|(read, seen)| self.profile(caller, read, seen))
            .collect())
    }

    fn profile(
        &self,
        caller: &Caller,
        (row, shares): (PersonRow, bool),
        (seen, status): (Seen, Option<Status>),
    ) -> Profile {
        let is_own = row.id == caller.user_id;
        let status = status.unwrap_or_default();
        let (presence, status) = if is_own {
            (Some(seen.state), Some(statuses::shown(status)))
        } else if shares {
            // What someone has chosen is theirs to know; what comes of it is seen.
            let said = Status {
                state: None,
                then_state: None,
                ..status
            };
            let says_something = said.text.is_some() || said.emoji.is_some();
            (
                Some(to_others(seen).state),
                Some(said).filter(|_| says_something),
            )
        } else {
            (None, None)
        };
        Profile {
            id: row.id,
            about: self.about(&row),
            presence,
            status,
            receipts: is_own.then_some(row.receipts),
            quiet_hours: plain(row.quiet_hours.as_ref()).filter(|_| is_own),
            created_at: db::utc(row.created_at.get()),
            username: row.username,
        }
    }

    fn about(&self, row: &PersonRow) -> About {
        let opened = |sealed: &Option<StoredText>, purpose| {
            let place = Place::of_user(row.id, purpose);
            sealed
                .as_ref()
                .and_then(|sealed| self.vault.open_at(place, sealed.as_str()).ok())
        };
        About {
            display_name: plain(row.display_name.as_ref()),
            bio: opened(&row.bio, Purpose::Bio),
            pronouns: opened(&row.pronouns, Purpose::Pronouns),
            time_zone: plain(row.time_zone.as_ref()),
        }
    }
}

/// What someone has set for themselves.
#[must_use]
pub(super) fn settings(row: &PersonRow) -> Settings {
    Settings {
        receipts: row.receipts,
        quiet_hours: plain(row.quiet_hours.as_ref()),
        time_zone: plain(row.time_zone.as_ref()),
    }
}

fn plain(text: Option<&StoredText>) -> Option<String> {
    text.map(|text| text.as_str().to_owned())
}

fn read(
    conn: &mut AnyConnection,
    own_id: i64,
    ids: &[i64],
) -> std::result::Result<Read, QueryError> {
    let rows = people::list(conn, ids)?;
    let sharing = people::list_sharing(conn, own_id, ids)?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let shares = sharing.contains(&row.id);
            (row, shares)
        })
        .collect())
}

/// The words that are searched for. A username is one word, also with signs in it.
fn sought(q: &str) -> Vec<String> {
    let mut sought = Vec::new();
    for part in q
        .split_whitespace()
        .map(|part| part.trim_start_matches('@'))
    {
        let is_name = part
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
        let has_letter = part.contains(|c: char| c.is_ascii_alphanumeric());
        if is_name && has_letter && part.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            sought.push(part.to_ascii_lowercase());
        } else {
            sought.extend(display::words(part));
        }
    }
    sought.sort_unstable();
    sought.dedup();
    sought
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_for_words_and_for_usernames_as_they_are() {
        for (q, words) in [
            ("Anna", vec!["anna"]),
            ("@an-na  Lo", vec!["an-na", "lo"]),
            ("Zoë", vec!["zoe"]),
            ("%", vec![]),
            ("  ", vec![]),
            ("O'Neil", vec!["neil", "o"]),
            ("-", vec![]),
        ] {
            assert_eq!(sought(q), words, "{q}");
        }
    }
}
