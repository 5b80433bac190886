//! Reading what belongs to a room: all of it goes through the caller's login and membership here.

use super::{Caller, rooms::Room};
use crate::{
    clock::Clock,
    db::{self, AnyConnection, Db, QueryError},
    error::{Error, Result},
    gate::Urgency,
};

/// How a room is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// By us.
    Id(i64),
    /// By a client.
    Named(String),
}

/// Lets members of a room read it.
pub struct Access {
    /// The database.
    pub db: Db,
    /// By it logins end.
    pub clock: Clock,
}

impl Access {
    /// What `query` finds in this room, when the caller's login is live and the caller is a member: all is
    /// looked up on one connection, the room's latest number before what `query` reads.
    ///
    /// # Errors
    /// 401 when the login has ended, 404 for no such room as for one that the caller is not a member of, 503.
    pub async fn in_room<T: Send + 'static>(
        &self,
        caller: &Caller,
        which: Which,
        urgency: Urgency,
        query: impl FnOnce(&mut AnyConnection, &Room) -> std::result::Result<T, QueryError>
        + Send
        + 'static,
    ) -> Result<T> {
        let user_id = caller.user_id;
        let claim = caller.claim(self.clock.now());
        let found = self.db.read_as(claim, urgency, move |conn| {
            let room = match which {
                Which::Id(id) => db::rooms::find_by_id_of_member(conn, id, user_id),
                Which::Named(name) => db::rooms::find_of_member(conn, &name, user_id),
            };
            match room? {
                Some(room) => query(conn, &room).map(Some),
                None => Ok(None),
            }
        });
        found.await?.ok_or_else(Error::no_such_room)
    }

    /// The caller's rooms, each with the number of its latest change.
    ///
    /// # Errors
    /// 503 when the store does not answer.
    pub async fn list_rooms(&self, caller: &Caller) -> Result<Vec<Room>> {
        let user_id = caller.user_id;
        self.db
            .read(move |conn| db::rooms::list_of_member(conn, user_id))
            .await
    }
}
