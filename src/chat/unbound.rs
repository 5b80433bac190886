//! Messages and e-mail addresses of a release that did not bind texts to their places: they are bound now, a few at a time,
//! while the server serves. Until all are, those of them that are not yet bound are believed; afterwards none is.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::epoch::History;
use crate::{
    crypto::{
        binding::{NO_ROOM, Place, Purpose},
        vault::{BEHIND, Vault},
    },
    db::{
        Db, facts,
        messages::binding::{find_next, list_without_mac, set_macs},
        users,
    },
    error::Result,
};

/// Messages that are bound in one transaction: others write, too.
const BATCH: i64 = 500;
/// Numbers that are looked at in one query, most of which may be bound already.
const STRETCH: i64 = 5_000;
/// The pause between two transactions.
const PAUSE: Duration = Duration::from_millis(10);
/// The pause when the database does not answer.
const LONG_PAUSE: Duration = Duration::from_secs(2);
/// How often is said how far it has come.
const SAY_EVERY: Duration = Duration::from_secs(5);

/// Binds them.
pub struct Unbound {
    /// The database.
    pub db: Db,
    /// Binds, and knows what is believed.
    pub vault: Arc<Vault>,
    /// Keeps that all are bound.
    pub history: Arc<History>,
}

/// One step of it.
enum Step {
    /// Up to this number all are bound; so many were not.
    Bound(i64, usize),
    /// There are no more.
    Done,
}

impl Unbound {
    /// Binds what is not yet bound. Comes back when all is; when the server ends before, the next start goes on.
    pub async fn bind_all(&self) {
        let epoch = self.history.epoch();
        while !self.history.is_bound() {
            match self.db.read(facts::list_unbound).await {
                // From now on it is known outside of the database, too.
                Ok(unbound) if unbound.is_empty() => return self.history.note_bound(&epoch),
                Ok(unbound) => {
                    for (room_id, until) in unbound {
                        self.bind_room(room_id, until).await;
                    }
                }
                Err(_) => tokio::time::sleep(LONG_PAUSE).await,
            }
        }
    }

    async fn bind_room(&self, room_id: i64, until: i64) {
        let what = match room_id {
            NO_ROOM => "e-mail addresses".to_owned(),
            _ => format!("messages of room {room_id}"),
        };
        log::info!("binding the {what} to their places");
        let (mut after, mut count) = (0, 0);
        let (mut said, mut said_after, mut is_failing) = (Instant::now(), 0, false);
        loop {
            match self.step(room_id, (after, until)).await {
                Ok(Step::Bound(last, bound)) => {
                    (after, count, is_failing) = (last, count + bound, false);
                    tokio::time::sleep(PAUSE).await;
                }
                Ok(Step::Done) => break,
                // Nothing is lost.
                Err(error) => {
                    if !is_failing {
                        log::warn!("binding the {what} waits: {error}");
                    }
                    is_failing = true;
                    tokio::time::sleep(LONG_PAUSE).await;
                }
            }
            if said.elapsed() >= SAY_EVERY && after > said_after {
                (said, said_after) = (Instant::now(), after);
                log::info!("bound the {what} up to number {after}");
            }
        }
        log::info!("bound {count} {what} to their places: that is all of them");
    }

    /// Binds the next ones. When there are none, no text of the room is believed from now on that is not bound.
    async fn step(&self, room_id: i64, (after, until): (i64, i64)) -> Result<Step> {
        // Only looking, which keeps no one from writing.
        let looked = self.db.read(move |conn| {
            if room_id == NO_ROOM {
                let rows = users::emails::list_with_bare_email(conn, (after, until), BEHIND, 1)?;
                return Ok(rows.first().map(|(id, _)| (Some(*id), until)));
            }
            let Some(first) = find_next(conn, room_id, (after, until))? else {
                return Ok(None);
            };
            let end = until.min(first.saturating_add(STRETCH - 1));
            let rows = list_without_mac(conn, room_id, (first - 1, end), 1)?;
            Ok(Some((rows.first().map(|(id, ..)| *id), end)))
        });
        match looked.await? {
            Some((Some(first), end)) if room_id == NO_ROOM => {
                self.bind_emails((first - 1, end)).await
            }
            Some((Some(first), end)) => self.bind_some(room_id, (first - 1, end)).await,
            Some((None, end)) => Ok(Step::Bound(end, 0)),
            None => {
                let unbound = self.db.write(move |conn| {
                    facts::delete(conn, &format!("{}{room_id}", facts::UNBOUND_UNTIL))?;
                    facts::list_unbound(conn)
                });
                self.vault.believe(unbound.await?);
                Ok(Step::Done)
            }
        }
    }

    async fn bind_emails(&self, (after, end): (i64, i64)) -> Result<Step> {
        let vault = Arc::clone(&self.vault);
        let bound = self.db.write(move |conn| {
            let rows = users::emails::list_with_bare_email(conn, (after, end), BEHIND, BATCH)?;
            let (count, mut last) = (rows.len(), after);
            for (id, sealed) in rows {
                let bound = vault.bound_at(Place::of_email(id), &sealed);
                users::emails::set_email(conn, id, &bound)?;
                last = id;
            }
            Ok(Step::Bound(last, count))
        });
        bound.await
    }

    async fn bind_some(&self, room_id: i64, (after, end): (i64, i64)) -> Result<Step> {
        let vault = Arc::clone(&self.vault);
        let bound = self.db.write(move |conn| {
            let rows = list_without_mac(conn, room_id, (after, end), BATCH)?;
            let count = rows.len();
            let is_full = i64::try_from(count).is_ok_and(|count| count == BATCH);
            let last = rows.last().map_or(end, |(id, ..)| *id);
            let macs = rows.into_iter().map(|(id, author, sealed)| {
                let place = Place {
                    room_id,
                    id,
                    author,
                    purpose: Purpose::Text,
                };
                (id, vault.bind(place, &sealed))
            });
            set_macs(conn, room_id, macs.collect())?;
            Ok(Step::Bound(if is_full { last } else { end }, count))
        });
        bound.await
    }
}
