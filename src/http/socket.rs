//! The way to door 1: who may open a socket is settled here, as HTTP answers, before the upgrade.

use std::{rc::Rc, sync::Arc};

use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, web};

use super::{
    Shared, client,
    credentials::{self, Shown},
    extract, origin,
};
use crate::{
    error::{Error, Result},
    hub::office::Office,
    ws::{self, Dialect},
};

/// Opens a socket.
pub async fn open(
    app: Shared,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse> {
    origin::check_origin(&request, &app.config)?;
    if app.run.is_draining() {
        return Err(Error::shutting_down());
    }
    let address = client::address(&request, &app.config.trusted_proxies);
    let shown = credentials::shown(&request, &[credentials::TICKET, credentials::TOKEN])?;
    // The oldest clients know no other way.
    let is_old = |shown: &Shown| shown.is_in_address && !shown.is_ticket;
    let dialect = if shown.as_ref().is_some_and(is_old) {
        Dialect::Core
    } else {
        Dialect::Full
    };
    let claim = shown.map_or_else(
        || Err(extract::not_authenticated()),
        |shown| {
            if shown.is_ticket {
                app.authentication.redeem_ticket(&shown.text)
            } else {
                app.authentication.read_token(&shown.text)
            }
        },
    );
    let admitted = app
        .authentication
        .authenticate_handshake(claim, address)
        .await?;
    let response = ws::handshake::accept(&request)?;
    let office = request.extensions().get::<Rc<Office>>().cloned();
    let office = office.ok_or_else(|| Error::internal("a socket came without an office"))?;
    let user_id = admitted.caller.user_id;
    let place = app.hub.await_place(user_id).await?;
    let admitted = if place.was_awaited() {
        app.authentication.admit_again(admitted.caller).await?
    } else {
        admitted
    };
    app.rates.check_socket(user_id)?;
    Ok(ws::start(
        response,
        payload,
        Arc::clone(&app),
        admitted,
        place,
        dialect,
        office,
    ))
}
