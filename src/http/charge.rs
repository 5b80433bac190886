//! Charging a request, and its line in the log, to the budget of its user or its address.

use std::{net::IpAddr, time::Duration};

use actix_web::{dev::ServiceRequest, http::StatusCode};

use super::{credentials, origin};
use crate::{
    app::App,
    chat::flood_budgets::ChargedTo,
    error::{Error, Result},
};

/// How long the page of another site waits to be told that it sends too much.
const FOREIGN_PAGE_DELAY: Duration = Duration::from_millis(100);

/// A request is refused for being one too many.
pub struct TooMany {
    pub error: Error,
    /// Whether its connection ends with it.
    pub ends: bool,
}

/// What one request is charged to.
pub struct RequestCharge<'a> {
    app: &'a App,
    address: Option<IpAddr>,
    /// The login in its token, which this server has signed. Whether the login is still live is not looked up here: that
    /// would cost more than it saves. The handlers look it up.
    session_id: Option<i64>,
    charged_to: Option<ChargedTo>,
    /// Whether a page of another site has sent it.
    is_foreign: bool,
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
        let mut charge = Self {
            app,
            address,
            session_id: claimed.map(|claimed| claimed.session_id),
            charged_to: user.map(ChargedTo::User),
            is_foreign: origin::is_of_foreign_page(request.request(), &app.config),
        };
        charge.charged_to = charge.charged_to.or(charge.of_address());
        charge
    }

    /// Whom it is charged to if no one who is logged in has sent it.
    fn of_address(&self) -> Option<ChargedTo> {
        self.address.map(|address| {
            if self.is_foreign {
                ChargedTo::ForeignPage(address)
            } else {
                ChargedTo::Address(address)
            }
        })
    }

    /// Charges the request. The page of another site waits a little to be told that it sends too much, so that it sends
    /// less; a browser is to keep its connection, though, which others of its pages may need.
    ///
    /// # Errors
    /// 429.
    pub async fn take(charge: Option<&Self>) -> Result<(), TooMany> {
        let Some((budgets, charged_to)) =
            charge.and_then(|charge| Some((&charge.app.budgets, charge.charged_to?)))
        else {
            return Ok(());
        };
        let Err(error) = budgets.take_request(charged_to) else {
            return Ok(());
        };
        let ends = !budgets.may_stay(charged_to);
        if !ends {
            tokio::time::sleep(FOREIGN_PAGE_DELAY).await;
        }
        Err(TooMany { error, ends })
    }

    /// Charges what a refused request costs in addition. A request with an ended login (401) is charged to the address.
    pub fn settle(&mut self, status: StatusCode) {
        if status == StatusCode::UNAUTHORIZED {
            if let Some(id) = self.session_id {
                self.app.logins.known.forget(id);
            }
            self.charged_to = self.of_address();
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
