//! The tokens of a login: giving them out, and exchanging the refresh token for new ones.

use std::net::IpAddr;

use chrono::TimeDelta;

use super::authentication::Authentication;
use crate::{
    crypto::token::RefreshSecret,
    db::{
        sessions::{self, Refreshed, Session},
        utc,
    },
    error::{Code, Error, Kind, Result},
    protocol::{time::Timestamp, views::Tokens},
};

/// Whoever uses a refresh token so soon after it was used is taken for the same client: two tabs, or one that asks again
/// since no answer came.
const SAME_USE: TimeDelta = TimeDelta::seconds(10);

impl Authentication {
    /// Tokens for a login, whose refresh token holds this secret.
    pub(super) fn issue(
        &self,
        user_id: i64,
        session_id: i64,
        secret: &RefreshSecret,
    ) -> Result<Tokens> {
        let (life, at) = (self.access_token_life, self.logins.clock.now().timestamp());
        let access_token = self
            .tokens
            .sign(user_id, session_id, at, life)
            .map_err(Error::internal)?;
        let refresh_token = self
            .tokens
            .sign_refresh(session_id, secret, at, self.logins.life)
            .map_err(Error::internal)?;
        Ok(Tokens {
            access_token,
            token_type: "bearer".into(),
            expires_in: life.as_secs(),
            refresh_token,
        })
    }

    /// Exchanges a refresh token for new tokens. Each is good once; but when the answer that carried the newest was lost,
    /// the one before it is still good, until the newest has been used; soon after its use it gives the same newest again. Any
    /// older one was stolen, or the newest was: the login ends.
    ///
    /// # Errors
    /// 401, 409, 429, 503.
    pub async fn refresh(&self, token: &str, address: Option<IpAddr>) -> Result<Tokens> {
        let refused = || {
            Error::unauthenticated(
                Code::InvalidRefreshToken,
                "This login has ended; log in again.",
            )
        };
        // One that we have not signed says nothing about any login, and must end none.
        let Some((id, token)) = self.tokens.read_refresh(token) else {
            self.rates.check_junk(address)?;
            return Err(refused());
        };
        self.rates.check_refresh(id)?;
        let at = self.logins.clock.now();
        let session = self
            .logins
            .db
            .read(move |conn| sessions::find(conn, id, at))
            .await?
            .ok_or_else(refused)?;
        if let Some(next) = self.find_given(&session, &token)? {
            return self.issue(session.user_id, id, &next);
        }
        if !token.matches(&session.refresh_hash) && !is_previous(&session, &token) {
            log::warn!("an old refresh token of login {id} was used again: the login is ended");
            self.logins.end(id).await?;
            return Err(refused());
        }
        // Never sooner than before: the clock may have been put back wrongly, and will be put right.
        let ends = (at + self.logins.span()).max(utc(session.expires_at));
        let next = self.next_secret(&token, ends)?;
        let (expected, refreshed) = (
            session.refresh_hash,
            Refreshed {
                refresh_hash: next.hash(),
                previous_hash: token.hash(),
                expires_at: ends,
                previous_expires_at: utc(session.expires_at),
            },
        );
        let updated = self
            .logins
            .db
            .write(move |conn| sessions::update_refresh(conn, id, &expected, &refreshed))
            .await?;
        if !updated {
            // Or it was ended meanwhile: then there is no answer to use.
            let live = self
                .logins
                .db
                .read(move |conn| sessions::find(conn, id, at));
            let session = live.await?.ok_or_else(refused)?;
            if let Some(next) = self.find_given(&session, &token)? {
                return self.issue(session.user_id, id, &next);
            }
            let detail =
                "Another request has just used this refresh token; use the answer to that one.";
            return Err(Error::new(Kind::Conflict, Code::RefreshConflict, detail));
        }
        self.issue(session.user_id, id, &next)
    }

    /// Ends the login of a refresh token.
    ///
    /// # Errors
    /// 401 when it had ended, 429, 503.
    pub async fn end_by_refresh(&self, token: &str, address: Option<IpAddr>) -> Result<()> {
        let refused = || {
            let detail = "This login had ended already.";
            Error::unauthenticated(Code::InvalidRefreshToken, detail)
        };
        let Some((id, token)) = self.tokens.read_refresh(token) else {
            self.rates.check_junk(address)?;
            return Err(refused());
        };
        self.rates.check_refresh(id)?;
        let session = self.logins.find(id).await?.ok_or_else(refused)?;
        if !token.matches(&session.refresh_hash) && !is_previous(&session, &token) {
            log::warn!("an old refresh token of login {id} was used again: the login is ended");
        }
        self.logins.end(id).await
    }

    fn next_secret(&self, used: &RefreshSecret, ends: Timestamp) -> Result<RefreshSecret> {
        (self.tokens.next_refresh(used, ends.timestamp_micros())).map_err(Error::internal)
    }

    /// The secret that a moment ago was given for this one, or for the one that was given for it, as long as no one has used
    /// it. Of those who ask at the same time one is first; were the others given another secret, the first one's would end the
    /// login when it is used.
    fn find_given(
        &self,
        session: &Session,
        token: &RefreshSecret,
    ) -> Result<Option<RefreshSecret>> {
        // Each use moves the end, by which it is known when that was.
        let is_recent = |ends: Timestamp| (self.logins.latest_end() - ends).abs() <= SAME_USE;
        let ends = utc(session.expires_at);
        if !is_recent(ends) {
            return Ok(None);
        }
        let previous = match session.previous_expires_at.map(utc) {
            _ if is_previous(session, token) => Some(token.clone()),
            Some(before) if is_recent(before) => {
                Some(self.next_secret(token, before)?).filter(|given| is_previous(session, given))
            }
            _ => None,
        };
        let Some(previous) = previous else {
            return Ok(None);
        };
        let next = self.next_secret(&previous, ends)?;
        Ok(next.matches(&session.refresh_hash).then_some(next))
    }
}

fn is_previous(session: &Session, token: &RefreshSecret) -> bool {
    let previous = session.previous_hash.as_ref();
    previous.is_some_and(|hash| token.matches(hash))
}
