//! Who speaks: what a token or a ticket says, and whether its login lives.

use std::net::IpAddr;

use super::{Caller, accounts::invalid_token};
use crate::{
    app::App,
    crypto::token::Refused,
    db::sessions,
    error::{Code, Error, Result},
};

/// A user, and the login that is claimed to be that user's: what we have signed or handed out says so. Whether the login
/// lives is not known.
#[derive(Debug, Clone, Copy)]
pub struct Claimed {
    user_id: i64,
    session_id: i64,
}

/// Who an access token speaks for. Its login is looked up: a token of an ended login is nobody's.
///
/// # Errors
/// 401, 503.
pub async fn authenticate(app: &App, token: &str) -> Result<Caller> {
    look_up(app, read_token(app, token)?).await
}

/// Who wants to open a socket. What shows nothing that is ours is paid by its address, all else by the login.
///
/// # Errors
/// 401, 429, 503.
pub async fn authenticate_handshake(
    app: &App,
    claimed: Result<Claimed>,
    address: Option<IpAddr>,
) -> Result<Caller> {
    if claimed.is_err() {
        app.rates.check_junk(address)?;
    }
    let claimed = claimed?;
    app.rates.check_handshake(claimed.session_id)?;
    look_up(app, claimed).await
}

/// What an access token says.
///
/// # Errors
/// 401.
pub fn read_token(app: &App, token: &str) -> Result<Claimed> {
    let at = app.clock.now().timestamp();
    let claims = app
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
            Refused::Invalid => invalid_token(),
        })?;
    Ok(Claimed {
        user_id: claims.sub.parse().map_err(|_| invalid_token())?,
        session_id: claims.sid,
    })
}

/// Whose ticket this is; a second time it is no one's.
///
/// # Errors
/// 401.
pub fn redeem_ticket(app: &App, ticket: &str) -> Result<Claimed> {
    let refused = || {
        Error::unauthenticated(
            Code::InvalidTicket,
            "This ticket was used or is too old; fetch a new one.",
        )
    };
    let caller = app.tickets.redeem(ticket).ok_or_else(refused)?;
    Ok(Claimed {
        user_id: caller.user_id,
        session_id: caller.session_id,
    })
}

/// Who it is, if the login has not ended meanwhile.
async fn look_up(app: &App, claimed: Claimed) -> Result<Caller> {
    let Claimed {
        user_id,
        session_id,
    } = claimed;
    let at = app.clock.now();
    let session = app
        .db
        .read(move |conn| sessions::find(conn, session_id, at))
        .await?;
    let session = session
        .filter(|session| session.user_id == user_id)
        .ok_or_else(invalid_token)?;
    app.known_logins.note(session_id);
    Ok(Caller {
        user_id,
        username: session.username,
        session_id,
    })
}
