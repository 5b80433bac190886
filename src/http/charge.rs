//! Charging a request, and its line in the log, to the budget of its user or its address.

use std::net::IpAddr;

use actix_web::{dev::ServiceRequest, http::StatusCode};

use super::credentials;
use crate::{app::App, chat::budgets::ChargedTo, error::Result};

/// What one request is charged to.
pub struct RequestCharge<'a> {
    app: &'a App,
    address: Option<IpAddr>,
    /// The login in its token, which this server has signed. Whether the login is still live is not looked up here: that
    /// would cost more than it saves. The handlers look it up.
    session_id: Option<i64>,
    charged_to: Option<ChargedTo>,
}

impl<'a> RequestCharge<'a> {
    /// Charges the user of the request's login if that login was seen to be live recently, or else the address.
    pub fn new(app: &'a App, request: &ServiceRequest, address: Option<IpAddr>) -> Self {
        let shown = credentials::shown(request.request(), &[credentials::TOKEN]);
        let claimed = shown
            .ok()
            .flatten()
            .and_then(|shown| app.authentication.read_token(&shown.text).ok());
        let user = claimed
            .filter(|claimed| app.logins.known.is_live(claimed.session_id))
            .map(|claimed| claimed.user_id);
        Self {
            app,
            address,
            session_id: claimed.map(|claimed| claimed.session_id),
            charged_to: user
                .map(ChargedTo::User)
                .or(address.map(ChargedTo::Address)),
        }
    }

    /// Charges the request.
    ///
    /// # Errors
    /// 429.
    pub fn take(&self) -> Result<()> {
        self.charged_to.map_or(Ok(()), |charged_to| {
            self.app.budgets.take_request(charged_to)
        })
    }

    /// Charges what a refused request costs in addition. A request with an ended login (401) is charged to the address.
    pub fn settle(&mut self, status: StatusCode) {
        if status == StatusCode::UNAUTHORIZED {
            if let Some(id) = self.session_id {
                self.app.logins.known.forget(id);
            }
            self.charged_to = self.address.map(ChargedTo::Address);
        }
        if let Some(charged_to) = self.charged_to.filter(|_| status.as_u16() >= 400) {
            self.app.budgets.take_refusal(charged_to);
        }
    }

    /// Whether the request, answered with this status, may have a line in the log.
    #[must_use]
    pub fn take_line(&self, status: u16) -> bool {
        self.charged_to
            .is_none_or(|charged_to| self.app.budgets.take_line(charged_to, status))
    }
}
