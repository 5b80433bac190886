//! Messages that people want to find again.

use std::sync::Arc;

use super::{
    Caller,
    access::{Access, Which},
    cursors::{self, List, Listed, Wanted},
    pages,
    plain::Form,
    rates::Rates,
    rooms::{self, RoomView},
    sizes,
};
use crate::{
    crypto::vault::Vault,
    db::{
        self, AnyConnection, QueryError, messages,
        rooms::saved::{self, After},
    },
    error::{Error, Result},
    gate::Urgency,
    protocol::{
        kept,
        limits::PAGE_BYTES,
        time::{Timestamp, now},
    },
};

/// Knows which messages people have saved.
pub struct Saved {
    /// Who may read what.
    pub access: Arc<Access>,
    /// Opens messages.
    pub vault: Arc<Vault>,
    /// How often one may ask.
    pub rates: Rates,
}

impl Saved {
    /// What the caller has saved, latest first, each message as it is now; only of rooms that the caller is in.
    ///
    /// # Errors
    /// 401 when the login has ended, 422, 429, 503.
    pub async fn list(
        &self,
        caller: &Caller,
        wanted: &Wanted,
        form: Form,
    ) -> Result<Listed<kept::Saved>> {
        let list = List::new("saved", &caller.user_id.to_string());
        let after = cursors::begin(&self.rates, caller, &list, wanted)?;
        let after = after.as_deref().and_then(read_place);
        let (user_id, vault, limit) = (caller.user_id, Arc::clone(&self.vault), wanted.limit);
        let read = move |conn: &mut _| read(conn, (&vault, form), user_id, after, limit);
        let found = self.access.for_caller(caller, Urgency::CanWait, read);
        let (items, end) = found.await?;
        Ok(Listed {
            items,
            next: end.map(|end| list.after(&place(end))),
        })
    }

    /// Saves a message, or saves it no longer.
    ///
    /// # Errors
    /// 401 when the login has ended, 403, 404, 429, 503.
    pub async fn set(&self, caller: &Caller, room: &str, id: u64, on: bool) -> Result<()> {
        self.rates.check_note(caller.user_id)?;
        rooms::check_name(room)?;
        let (user_id, id) = (caller.user_id, i64::try_from(id).unwrap_or(i64::MAX));
        let keep = move |conn: &mut _, view: &RoomView| {
            let room_id = view.room.id;
            if messages::find(conn, room_id, id)?.is_none() {
                return Ok(false);
            }
            if on {
                saved::insert(conn, (user_id, room_id, id), now())?;
            } else {
                saved::delete(conn, (user_id, room_id, id))?;
            }
            Ok(true)
        };
        let which = Which::Named(room.to_owned());
        let (access, caller) = (Arc::clone(&self.access), caller.clone());
        let keeping = async move { access.keep_in_room(&caller, which, keep).await };
        let is_there = super::to_the_end(keeping).await?;
        is_there.then_some(()).ok_or_else(Error::no_such_message)
    }
}

/// A page, and where the list goes on.
fn read(
    conn: &mut AnyConnection,
    (vault, form): (&Vault, Form),
    user_id: i64,
    after: Option<After>,
    limit: i64,
) -> std::result::Result<(Vec<kept::Saved>, Option<After>), QueryError> {
    let found = saved::list(conn, user_id, after, limit + 1)?;
    let has_more = i64::try_from(found.len()).is_ok_and(|count| count > limit);
    let most = usize::try_from(limit).unwrap_or(0);
    let (mut items, mut bytes, mut end) = (Vec::new(), 0, None);
    for one in found.into_iter().take(most) {
        let (at, name) = (db::utc(one.at.get()), one.name.map(String::from));
        let row = messages::find(conn, one.room.id, one.id)?;
        let rows = row.into_iter().collect();
        let opened = pages::open(conn, vault, user_id, &one.room, (rows, false))?;
        for mut message in opened {
            form.show(&mut message);
            bytes += sizes::weight(&message);
            if bytes > PAGE_BYTES && !items.is_empty() {
                return Ok((items, end));
            }
            items.push(kept::Saved {
                message,
                name: name.clone().filter(|_| one.kind.as_str() != "direct"),
                saved_at: at,
            });
        }
        end = Some((at, one.room.id, one.id));
    }
    Ok((items, end.filter(|_| has_more)))
}

fn place((at, room_id, id): After) -> String {
    format!("{} {room_id} {id}", at.timestamp_micros())
}

fn read_place(text: &str) -> Option<After> {
    let mut numbers = text.split(' ').map(|number| number.parse().ok());
    let at = Timestamp::from_timestamp_micros(numbers.next()??)?;
    Some((at, numbers.next()??, numbers.next()??))
}
