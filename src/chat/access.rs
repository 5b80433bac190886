//! Reading what belongs to rooms: all of it goes through the caller's login and membership here, and what is looked up
//! and what is read are of one moment. So nothing is read that came after the caller's membership had ended.

use std::collections::HashSet;

use super::{
    authentication::Claimed,
    rooms::{self, RoomView},
    standing,
};
use crate::{
    clock::Clock,
    db::{
        AnyConnection, Db, QueryError,
        rooms::{seen, views},
        sessions::{self, Claim, Session},
        utc,
    },
    error::{Code, Error, Result},
    gate::Urgency,
    protocol::time::Timestamp,
    rights::{self, Right},
};

/// Keys that are told of rooms of one name.
const MOST_KEYS: usize = 10;

/// Lets people read what they may.
pub struct Access {
    /// The database.
    pub db: Db,
    /// By it logins end.
    pub clock: Clock,
}

/// How a room is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// By us.
    Id(i64),
    /// By a client: by its key or its present name.
    Named(String),
    /// Likewise, by someone who wants to come into it: a public room counts beside one's own.
    ToJoin(String),
}

/// What of a room is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Depth {
    /// That it exists, and what it is.
    See,
    /// What is said in it.
    Read,
}

impl Access {
    /// What `query` finds in this room, when the caller is a member.
    ///
    /// # Errors
    /// 401 when the login has ended, 403 for a public room that the caller is not a member of, 404 for no such room as for
    /// one that the caller may not know of, 503.
    pub async fn in_room<T: Send + 'static>(
        &self,
        caller: impl Into<Claimed>,
        which: Which,
        urgency: Urgency,
        query: impl FnOnce(&mut AnyConnection, &RoomView) -> std::result::Result<T, QueryError>
        + Send
        + 'static,
    ) -> Result<T> {
        self.look_up(caller, which, Depth::Read, urgency, query)
            .await
    }

    /// What `query` finds of this room, when the caller may know of it.
    ///
    /// # Errors
    /// 401 when the login has ended, 404 for no such room as for one that the caller may not know of, 503.
    pub async fn of_room<T: Send + 'static>(
        &self,
        caller: impl Into<Claimed>,
        which: Which,
        query: impl FnOnce(&mut AnyConnection, &RoomView) -> std::result::Result<T, QueryError>
        + Send
        + 'static,
    ) -> Result<T> {
        self.look_up(caller, which, Depth::See, Urgency::CanWait, query)
            .await
    }

    /// What `query` finds for the caller, beyond one room.
    ///
    /// # Errors
    /// 401 when the login has ended, 503.
    pub async fn for_caller<T: Send + 'static>(
        &self,
        caller: impl Into<Claimed>,
        urgency: Urgency,
        query: impl FnOnce(&mut AnyConnection) -> std::result::Result<T, QueryError> + Send + 'static,
    ) -> Result<T> {
        let claim = caller.into().claim(self.clock.now());
        let query = move |conn: &mut _, _| query(conn);
        self.db.read_as(claim, urgency, query).await
    }

    /// The same, with when the caller's login ends unless it is used.
    ///
    /// # Errors
    /// 401 when the login has ended, 503.
    pub async fn for_caller_until<T: Send + 'static>(
        &self,
        caller: impl Into<Claimed>,
        urgency: Urgency,
        query: impl FnOnce(&mut AnyConnection) -> std::result::Result<T, QueryError> + Send + 'static,
    ) -> Result<(T, Timestamp)> {
        let claim = caller.into().claim(self.clock.now());
        let query = move |conn: &mut _, login: Session| Ok((query(conn)?, utc(login.expires_at)));
        self.db.read_as(claim, urgency, query).await
    }

    /// Has `change` keep something that is the caller's own in this room, when the caller is a member. Whoever ends the login,
    /// or the account, waits for it, so that nothing is kept of an account that is gone.
    ///
    /// # Errors
    /// 401 when the login has ended, 403 for a public room that the caller is not a member of, 404 for no such room as for
    /// one that the caller may not know of, 503.
    pub async fn keep_in_room<T: Send + 'static>(
        &self,
        caller: impl Into<Claimed>,
        which: Which,
        change: impl FnOnce(&mut AnyConnection, &RoomView) -> std::result::Result<T, QueryError>
        + Send
        + 'static,
    ) -> Result<T> {
        let caller = caller.into();
        let user_id = caller.user_id;
        let kept = self.keep_for_caller(caller, move |conn| {
            let found = find(conn, which, user_id)?;
            match found.and_then(|view| check(&view, Depth::Read).map(|()| view)) {
                Err(refused) => Ok(Err(refused)),
                Ok(view) => change(conn, &view).map(Ok),
            }
        });
        kept.await?
    }

    /// Has `change` keep something that is the caller's own, beyond one room. Whoever ends the login, or the account, waits
    /// for it.
    ///
    /// # Errors
    /// 401 when the login has ended, 503.
    pub async fn keep_for_caller<T: Send + 'static>(
        &self,
        caller: impl Into<Claimed>,
        change: impl FnOnce(&mut AnyConnection) -> std::result::Result<T, QueryError> + Send + 'static,
    ) -> Result<T> {
        let Claim { id, user_id, at } = caller.into().claim(self.clock.now());
        let kept = self.db.write_to_the_end(move |conn| {
            if sessions::list_live(conn, HashSet::from([(id, user_id)]), at)?.is_empty() {
                return Ok(Err(Error::invalid_token()));
            }
            change(conn).map(Ok)
        });
        kept.await?
    }

    async fn look_up<T: Send + 'static>(
        &self,
        caller: impl Into<Claimed>,
        which: Which,
        depth: Depth,
        urgency: Urgency,
        query: impl FnOnce(&mut AnyConnection, &RoomView) -> std::result::Result<T, QueryError>
        + Send
        + 'static,
    ) -> Result<T> {
        let caller = caller.into();
        let user_id = caller.user_id;
        let found = self.for_caller(caller, urgency, move |conn| {
            let found = find(conn, which, user_id)?;
            match found.and_then(|view| check(&view, depth).map(|()| view)) {
                Err(refused) => Ok(Err(refused)),
                Ok(view) => query(conn, &view).map(Ok),
            }
        });
        found.await?
    }

    /// The caller's rooms, each with the number of its latest change.
    ///
    /// # Errors
    /// 401 when the login has ended, 503 when the store does not answer.
    pub async fn list_rooms(&self, caller: impl Into<Claimed>) -> Result<Vec<RoomView>> {
        let caller = caller.into();
        let user_id = caller.user_id;
        let list = move |conn: &mut _| views::list_of_member(conn, user_id);
        self.for_caller(caller, Urgency::Urgent, list).await
    }
}

/// The room that is called so; an error where there is none, or where it cannot be told which is meant.
fn find(
    conn: &mut AnyConnection,
    which: Which,
    user_id: i64,
) -> std::result::Result<Result<RoomView>, QueryError> {
    let (name, is_to_join) = match which {
        Which::Id(id) => {
            let view = seen::find(conn, id, user_id)?;
            return Ok(view.ok_or_else(Error::no_such_room));
        }
        Which::Named(name) => (name, false),
        Which::ToJoin(name) => (name, true),
    };
    if let Ok(id) = rooms::id_of(&name) {
        let view = seen::find(conn, id, user_id)?;
        return Ok(view.ok_or_else(Error::no_such_room));
    }
    let name = name.to_ascii_lowercase();
    let mut named = views::list_named(conn, &name, user_id)?;
    // A public room that someone makes is no reason why a name should mean another room than one's own.
    let has_own = named.iter().any(|view| view.membership.is_some());
    if has_own && !is_to_join {
        named.retain(|view| view.membership.is_some());
    }
    Ok(only(named, &name))
}

/// The one room of a name. Of several none is taken: whoever can rename a room, or bring people into one, could else lead
/// what others send to a name of theirs into another room.
fn only(mut named: Vec<RoomView>, name: &str) -> Result<RoomView> {
    if named.len() > 1 {
        let keys: Vec<&str> = named
            .iter()
            .map(|view| view.room.key.as_str())
            .take(MOST_KEYS)
            .collect();
        let more = if named.len() > MOST_KEYS { " …" } else { "" };
        let keys = keys.join(", ");
        let detail = format!(
            "Several rooms are called `{name}` (keys {keys}{more}): name the one that you mean by its key."
        );
        return Err(Error::conflict(Code::AmbiguousRoom, detail));
    }
    named.pop().ok_or_else(Error::no_such_room)
}

/// Whether the caller may, by [`rights`].
fn check(view: &RoomView, depth: Depth) -> Result<()> {
    // Whether they are muted is no matter for reading.
    let (standing, facts) = (
        standing::of(view, Timestamp::MAX_UTC),
        standing::facts(view),
    );
    let right = match depth {
        Depth::See => Right::See,
        Depth::Read => Right::Read,
    };
    rights::allows(standing, right, facts).map_err(Error::from)
}
