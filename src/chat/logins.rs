//! Logins: whether one is live, how long, and ending it.

use std::time::Duration;

use chrono::TimeDelta;

use super::{Caller, known_logins::KnownLogins};
use crate::{
    clock::Clock,
    db::{
        Db,
        rooms::views,
        sessions::{self, Session},
        utc,
    },
    error::{Code, Result},
    hub::Hub,
    protocol::{close, time::Timestamp},
};

/// The logins of everyone.
pub struct Logins {
    /// Where they are stored.
    pub db: Db,
    /// Who is connected through them.
    pub hub: Hub,
    /// By it they end.
    pub clock: Clock,
    /// Which were recently seen to be live.
    pub known: KnownLogins,
    /// How long one lives that is not used.
    pub life: Duration,
}

impl Logins {
    /// How long one lives that is not used, for reckoning with dates.
    pub(super) fn span(&self) -> TimeDelta {
        TimeDelta::from_std(self.life).unwrap_or(TimeDelta::MAX)
    }

    /// When a login ends that is used now.
    pub(super) fn latest_end(&self) -> Timestamp {
        self.clock.now() + self.span()
    }

    /// A login that has not ended.
    ///
    /// # Errors
    /// 503.
    pub(super) async fn find(&self, id: i64) -> Result<Option<Session>> {
        let at = self.clock.now();
        self.db.read(move |conn| sessions::find(conn, id, at)).await
    }

    /// A login that has not ended, the rooms that its user is a member of, and those of them that others have begun and that
    /// the user has not opened yet.
    ///
    /// # Errors
    /// 503.
    pub(super) async fn find_with_rooms(
        &self,
        id: i64,
    ) -> Result<Option<(Session, Vec<i64>, Vec<i64>)>> {
        let at = self.clock.now();
        let find = move |conn: &mut _| {
            let Some(session) = sessions::find(conn, id, at)? else {
                return Ok(None);
            };
            let rooms = views::list_ids_of_member(conn, session.user_id)?;
            let unopened = rooms.iter().filter(|(_, is_unopened)| *is_unopened);
            let unopened = unopened.map(|(room, _)| *room).collect();
            let rooms = rooms.into_iter().map(|(room, _)| room).collect();
            Ok(Some((session, rooms, unopened)))
        };
        self.db.read(find).await
    }

    /// When the caller's login ends unless it is used; `None` when it has ended.
    ///
    /// # Errors
    /// 503.
    pub async fn find_end(&self, caller: &Caller) -> Result<Option<Timestamp>> {
        let session = self.find(caller.session_id).await?;
        Ok(session
            .filter(|session| session.user_id == caller.user_id)
            .map(|session| utc(session.expires_at)))
    }

    /// Ends the caller's login: its tokens are refused from now on, its sockets are closed.
    ///
    /// # Errors
    /// 503.
    pub async fn log_out(&self, caller: &Caller) -> Result<()> {
        self.end(caller.session_id).await
    }

    pub(super) async fn end(&self, session_id: i64) -> Result<()> {
        let ended = self
            .db
            .write(move |conn| sessions::delete(conn, session_id))
            .await;
        // Also when it is not known whether the login is gone: no one could close its sockets later.
        if !ended
            .as_ref()
            .is_err_and(|error| error.code == Code::StoreUnavailable)
        {
            self.note_end(session_id, "this login was ended");
        }
        ended.map(|_| ())
    }

    /// A login has ended: its sockets are closed, and requests with its tokens are no longer charged to its user.
    pub(super) fn note_end(&self, session_id: i64, reason: &'static str) {
        self.known.end(session_id);
        self.hub.end_session(session_id, close::REVOKED, reason);
    }
}
