//! Who pays for a request, and for its line in the log.

use std::net::IpAddr;

use actix_web::{dev::ServiceRequest, http::StatusCode};

use super::client;
use crate::{app::App, chat::tolls::Payer, error::Result};

/// A request that is to be paid.
pub struct Bill<'a> {
    app: &'a App,
    address: Option<IpAddr>,
    /// The login that it claims by a token that we have signed. Whether that lives is for the handlers to look up; here it
    /// would cost more than what it saves.
    session_id: Option<i64>,
    payer: Option<Payer>,
}

impl<'a> Bill<'a> {
    /// The user pays whose login the request shows, if that was seen alive of late, or else the address.
    pub fn new(app: &'a App, request: &ServiceRequest, address: Option<IpAddr>) -> Self {
        let at = app.clock.now().timestamp();
        let shown = client::shown(request.request(), &[client::TOKEN]);
        let claims = shown
            .ok()
            .flatten()
            .and_then(|shown| app.tokens.read(&shown.text, at).ok());
        let user = claims
            .as_ref()
            .filter(|claims| app.known_logins.lives(claims.sid))
            .and_then(|claims| claims.sub.parse().ok());
        Self {
            app,
            address,
            session_id: claims.map(|claims| claims.sid),
            payer: user.map(Payer::User).or(address.map(Payer::Address)),
        }
    }

    /// Takes what the request costs.
    ///
    /// # Errors
    /// 429.
    pub fn pay(&self) -> Result<()> {
        self.payer
            .map_or(Ok(()), |payer| self.app.tolls.take_request(payer))
    }

    /// Takes what it costs more, now that it was answered. What was not let in costs the user nothing more.
    pub fn settle(&mut self, status: StatusCode) {
        if status == StatusCode::UNAUTHORIZED {
            if let Some(id) = self.session_id {
                self.app.known_logins.doubt(id);
            }
            self.payer = self.address.map(Payer::Address);
        }
        if let Some(payer) = self.payer.filter(|_| status.as_u16() >= 400) {
            self.app.tolls.take_refusal(payer);
        }
    }

    /// Whether it may have a line of the log, answered with this status.
    #[must_use]
    pub fn take_line(&self, status: u16) -> bool {
        self.payer
            .is_none_or(|payer| self.app.tolls.take_line(payer, status))
    }
}
