//! Who speaks: what a token or a ticket says, and whether its login lives.

use std::{net::IpAddr, sync::Arc, time::Duration};

use super::{Caller, logins::Logins, rates::Rates, tickets::Tickets};
use crate::{
    crypto::token::{Refused, TokenKey},
    db::sessions::{Claim, Session},
    error::{Code, Error, Result},
    protocol::time::Timestamp,
};

/// A user, and the login that is claimed to be that user's: what we have signed or handed out says so. Whether the login
/// lives is not known.
#[derive(Debug, Clone, Copy)]
pub struct Claimed {
    /// Who.
    pub user_id: i64,
    /// Through which login.
    pub session_id: i64,
}

impl Claimed {
    /// That the login lives at this time, for the database to look up where it reads.
    pub(super) fn claim(self, at: Timestamp) -> Claim {
        Claim {
            id: self.session_id,
            user_id: self.user_id,
            at,
        }
    }
}

impl From<&Caller> for Claimed {
    fn from(caller: &Caller) -> Self {
        Self {
            user_id: caller.user_id,
            session_id: caller.session_id,
        }
    }
}

/// Who is let in to a socket.
#[derive(Debug)]
pub struct Admitted {
    /// Who.
    pub caller: Caller,
    /// The rooms that the caller was a member of, by their ids.
    pub rooms: Vec<i64>,
    /// Those of them that others have begun, and that the caller had not opened.
    pub unopened: Vec<i64>,
}

/// Knows who speaks.
pub struct Authentication {
    /// Signs and checks access tokens.
    pub tokens: TokenKey,
    /// How long an access token is good.
    pub access_token_life: Duration,
    /// Tickets for sockets.
    pub tickets: Tickets,
    /// Whether the logins behind them are live.
    pub logins: Arc<Logins>,
    /// How often one may ask.
    pub rates: Rates,
}

impl Authentication {
    /// Who an access token speaks for. Its login is looked up: a token of an ended login is no one's.
    ///
    /// # Errors
    /// 401, 503.
    pub async fn authenticate(&self, token: &str) -> Result<Caller> {
        self.look_up(self.read_token(token)?).await
    }

    /// Who an access token speaks for, for something that is read with [`access`](super::access), where the login is looked up
    /// in any case. It is looked up here, too, unless it was seen to be live of late: what an ended login asks for is not
    /// charged to its user.
    ///
    /// # Errors
    /// 401, 503.
    pub async fn recognize(&self, token: &str) -> Result<Claimed> {
        let claimed = self.read_token(token)?;
        if !self.logins.known.is_live(claimed.session_id) {
            self.look_up(claimed).await?;
        }
        Ok(claimed)
    }

    /// Who wants to open a socket. What shows nothing that is ours is paid by its address, all else by the login.
    ///
    /// # Errors
    /// 401, 429, 503.
    pub async fn authenticate_handshake(
        &self,
        claimed: Result<Claimed>,
        address: Option<IpAddr>,
    ) -> Result<Admitted> {
        if claimed.is_err() {
            self.rates.check_junk(address)?;
        }
        let claimed = claimed?;
        self.rates.check_handshake(claimed.session_id)?;
        let found = self.logins.find_with_rooms(claimed.session_id).await?;
        let (session, rooms, unopened) = found.ok_or_else(Error::invalid_token)?;
        let caller = self.check(claimed, session)?;
        Ok(Admitted {
            caller,
            rooms,
            unopened,
        })
    }

    /// The same for one who was admitted a while ago.
    ///
    /// # Errors
    /// 401, 503.
    pub async fn admit_again(&self, caller: Caller) -> Result<Admitted> {
        let found = self.logins.find_with_rooms(caller.session_id).await?;
        let (_, rooms, unopened) = found.ok_or_else(Error::invalid_token)?;
        Ok(Admitted {
            caller,
            rooms,
            unopened,
        })
    }

    /// What an access token says.
    ///
    /// # Errors
    /// 401.
    pub fn read_token(&self, token: &str) -> Result<Claimed> {
        let at = self.logins.clock.now().timestamp();
        let claims = self
            .tokens
            .read(token, at)
            .map_err(|refused| match refused {
                Refused::Expired => Error::unauthenticated(
                    Code::TokenExpired,
                    "The access token has expired; refresh it.",
                ),
                // What the client can do is the same, so the code is.
                Refused::Ahead => Error::unauthenticated(
                    Code::TokenExpired,
                    "The server's clock was put back after this access token was made; refresh it.",
                ),
                Refused::Invalid => Error::invalid_token(),
            })?;
        Ok(Claimed {
            user_id: claims.sub.parse().map_err(|_| Error::invalid_token())?,
            session_id: claims.sid,
        })
    }

    /// A ticket by which the caller may open a socket.
    ///
    /// # Errors
    /// 429, 503 when too many are out.
    pub fn issue_ticket(&self, caller: &Caller) -> Result<String> {
        self.rates.check_read(caller.user_id)?;
        self.tickets.issue(caller)
    }

    /// Whose ticket this is; a second time it is no one's.
    ///
    /// # Errors
    /// 401.
    pub fn redeem_ticket(&self, ticket: &str) -> Result<Claimed> {
        let refused = || {
            Error::unauthenticated(
                Code::InvalidTicket,
                "This ticket was used or is too old; fetch a new one.",
            )
        };
        let caller = self.tickets.redeem(ticket).ok_or_else(refused)?;
        Ok(Claimed {
            user_id: caller.user_id,
            session_id: caller.session_id,
        })
    }

    /// Who it is, if the login has not ended meanwhile.
    async fn look_up(&self, claimed: Claimed) -> Result<Caller> {
        let session = self.logins.find(claimed.session_id).await?;
        self.check(claimed, session.ok_or_else(Error::invalid_token)?)
    }

    /// Who it is, if the login that was found is the one that is claimed.
    fn check(&self, claimed: Claimed, found: Session) -> Result<Caller> {
        let Claimed {
            user_id,
            session_id,
        } = claimed;
        if found.user_id != user_id {
            return Err(Error::invalid_token());
        }
        self.logins.known.note(session_id);
        Ok(Caller {
            user_id,
            username: found.username,
            session_id,
        })
    }
}
