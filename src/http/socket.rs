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
        return Err(Error::unavailable(
            "shutting_down",
            "The server is shutting down; come back in a moment.",
        ));
    }
    let address = client::address(&request, &app.config.trusted_proxies);
    app.rates.check_handshake(address)?;
    let mut query = extract::query(&request);
    let caller = if let Some(token) = client::bearer(&request) {
        accounts::authenticate(&app, token).await?
    } else if let Some(ticket) = query.remove("ticket") {
        accounts::authenticate_ticket(&app, &ticket).await?
    } else if let Some(token) = query.remove("token") {
        accounts::authenticate(&app, &token).await?
    } else {
        return Err(extract::not_authenticated());
    };
    let response = ws::handshake::accept(&request)?;
    if app.hub.count_sockets(caller.user_id).await? >= app.config.limits.sockets_per_user {
        return Err(hub::too_many_sockets());
    }
    app.rates.check_socket(caller.user_id)?;
    Ok(ws::start(response, payload, Arc::clone(&app), caller))
}
