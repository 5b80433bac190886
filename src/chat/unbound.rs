//! Messages of a release that did not bind texts to their places: they are bound now, a few at a time, while the server
//! serves. Until all are, those of them that are not yet bound are believed; afterwards none is.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    crypto::{binding::Place, vault::Vault},
    db::{
        Db, facts,
        messages::binding::{list_without_mac, set_macs},
    },
    error::Result,
};

/// Messages that are bound in one transaction: others write, too.
const BATCH: i64 = 500;
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
}

impl Unbound {
    /// Binds what is not yet bound. Comes back when all is; when the server ends before, the next start goes on.
    pub async fn bind_all(&self) {
        loop {
            match self.db.read(facts::list_unbound).await {
                Ok(unbound) => {
                    for (room_id, until) in unbound {
                        bind_room(&self.db, &self.vault, room_id, until).await;
                    }
                    return;
                }
                Err(_) => tokio::time::sleep(LONG_PAUSE).await,
            }
        }
    }
}

async fn bind_room(db: &Db, vault: &Arc<Vault>, room_id: i64, until: i64) {
    log::info!("binding the messages of room {room_id} to their places, up to number {until}");
    let (mut after, mut count, mut said) = (0, 0, Instant::now());
    loop {
        match bind_some(db, vault, room_id, (after, until)).await {
            Ok(Some((last, bound))) => {
                (after, count) = (last, count + bound);
                tokio::time::sleep(PAUSE).await;
            }
            Ok(None) => break,
            // The database is away; nothing is lost.
            Err(_) => tokio::time::sleep(LONG_PAUSE).await,
        }
        if said.elapsed() >= SAY_EVERY {
            said = Instant::now();
            log::info!("bound the messages of room {room_id} up to number {after} of {until}");
        }
    }
    log::info!("bound {count} messages of room {room_id} to their places: that is all of them");
}

/// Binds the next ones: tells the last of them, and how many. `None` when there were none, and from now on no text of the
/// room is believed that is not bound.
async fn bind_some(
    db: &Db,
    vault: &Arc<Vault>,
    room_id: i64,
    (after, until): (i64, i64),
) -> Result<Option<(i64, usize)>> {
    let binding = Arc::clone(vault);
    let bound = db.write(move |conn| {
        let rows = list_without_mac(conn, room_id, (after, until), BATCH)?;
        let Some((last, ..)) = rows.last() else {
            facts::delete(conn, &format!("{}{room_id}", facts::UNBOUND_UNTIL))?;
            return Ok((None, facts::list_unbound(conn)?));
        };
        let (last, count) = (*last, rows.len());
        let macs = rows.into_iter().map(|(id, author, sealed)| {
            let place = Place {
                room_id,
                id,
                author,
            };
            (id, binding.bind(place, &sealed))
        });
        set_macs(conn, room_id, macs.collect())?;
        Ok((Some((last, count)), facts::list_unbound(conn)?))
    });
    let (bound, unbound) = bound.await?;
    if bound.is_none() {
        vault.believe(unbound);
    }
    Ok(bound)
}
