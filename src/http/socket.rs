//! The way to door 1: who may open a socket is settled here, as HTTP answers, before the upgrade.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};

use super::{Shared, client, extract, names};
use crate::{
    chat::accounts,
    error::{Error, Result},
    hub, ws,
};

/// Opens a socket.
pub async fn open(
    app: Shared,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse> {
    names::check_origin(&request, &app.config)?;
    if app.is_draining() {
        return Err(Error::shutting_down());
    }
    let address = client::address(&request, &app.config.trusted_proxies);
    app.rates.check_handshake(address)?;
    let shown = client::shown(&request, &[client::TICKET, client::TOKEN])?;
    let shown = shown.ok_or_else(extract::not_authenticated)?;
    let caller = if shown.is_ticket {
        accounts::authenticate_ticket(&app, &shown.text).await?
    } else {
        accounts::authenticate(&app, &shown.text).await?
    };
    let response = ws::handshake::accept(&request)?;
    if app.hub.count_sockets(caller.user_id).await? >= app.config.limits.sockets_per_user {
        return Err(hub::too_many_sockets());
    }
    app.rates.check_socket(caller.user_id)?;
    Ok(ws::start(response, payload, Arc::clone(&app), caller))
}
