//! Registering, logging in, and what belongs to a login.

use actix_web::{HttpRequest, HttpResponse, web};

use super::{
    Shared, client,
    extract::{Authenticated, Json},
    refusals, resource,
};
use crate::{
    chat::tickets,
    error::Result,
    protocol::views::{ChangePassword, Login, Problem, Refresh, Register, Ticket, Tokens, User},
};

/// Their paths.
pub(super) fn routes(service: &mut web::ServiceConfig) {
    service
        .service(resource("/api/auth/register", "POST").route(web::post().to(register)))
        .service(resource("/api/auth/login", "POST").route(web::post().to(login)))
        .service(resource("/api/auth/refresh", "POST").route(web::post().to(refresh)))
        .service(resource("/api/auth/logout", "POST").route(web::post().to(logout)))
        .service(resource("/api/auth/ws-ticket", "POST").route(web::post().to(ws_ticket)))
        .service(resource("/api/users/me/password", "PUT").route(web::put().to(change_password)));
}

/// Make an account.
///
/// Where registration is closed, whoever runs the server adds people with `parlour users add NAME`, or opens it with
/// `REGISTRATION=open`.
#[utoipa::path(post, path = "/api/auth/register", tag = "accounts", request_body = Register, security(()), responses(
    refusals::Body,
    (status = 201, description = "The account was made.", body = User),
    (status = 400, description = "The name is taken, or the body is not JSON.", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "Registration is closed here (`registration_closed`).", body = Problem, content_type = "application/problem+json"),
    (status = 429, description = "Too many attempts.", body = Problem, content_type = "application/problem+json"),
))]
pub async fn register(
    app: Shared,
    request: HttpRequest,
    Json(new): Json<Register>,
) -> Result<HttpResponse> {
    let address = client::address(&request, &app.config.trusted_proxies);
    let may_register = client::may_register(&request, &app.config);
    let user = app.accounts.register(new, address, may_register).await?;
    Ok(HttpResponse::Created().json(user))
}

/// Log in.
#[utoipa::path(post, path = "/api/auth/login", tag = "accounts", request_body = Login, security(()), responses(
    refusals::Body,
    (status = 200, description = "Logged in.", body = Tokens),
    (status = 401, description = "The name or the password is wrong.", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "The password is right, and the account is disabled (`account_disabled`).", body = Problem, content_type = "application/problem+json"),
    (status = 429, description = "Too many attempts.", body = Problem, content_type = "application/problem+json"),
))]
pub async fn login(
    app: Shared,
    request: HttpRequest,
    Json(login): Json<Login>,
) -> Result<HttpResponse> {
    let address = client::address(&request, &app.config.trusted_proxies);
    Ok(HttpResponse::Ok().json(app.accounts.log_in(login, address).await?))
}

/// Exchange the refresh token for new tokens.
#[utoipa::path(post, path = "/api/auth/refresh", tag = "accounts", request_body = Refresh, security(()), responses(
    refusals::Body,
    (status = 200, description = "New tokens; the old refresh token is used up.", body = Tokens),
    (status = 401, description = "This login has ended.", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "Another request used the token at the same moment.", body = Problem, content_type = "application/problem+json"),
))]
pub async fn refresh(
    app: Shared,
    request: HttpRequest,
    Json(body): Json<Refresh>,
) -> Result<HttpResponse> {
    let address = client::address(&request, &app.config.trusted_proxies);
    Ok(HttpResponse::Ok().json(
        app.authentication
            .refresh(&body.refresh_token, address)
            .await?,
    ))
}

/// End this login: its tokens and sockets are dead at once.
#[utoipa::path(post, path = "/api/auth/logout", tag = "accounts", responses(
    refusals::Guarded,
    (status = 204, description = "The login has ended."),
))]
pub async fn logout(app: Shared, Authenticated(caller): Authenticated) -> Result<HttpResponse> {
    app.logins.log_out(&caller).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Get a ticket for opening a socket from a browser.
#[utoipa::path(post, path = "/api/auth/ws-ticket", tag = "accounts", responses(
    refusals::Guarded,
    (status = 200, description = "Good once, for 30 seconds.", body = Ticket),
))]
pub async fn ws_ticket(app: Shared, Authenticated(caller): Authenticated) -> Result<HttpResponse> {
    let ticket = app.authentication.issue_ticket(&caller)?;
    Ok(HttpResponse::Ok().json(Ticket {
        ticket,
        expires_in: tickets::LIFE.as_secs(),
    }))
}

/// Change the password. All other logins of this account end; the one that asks goes on.
#[utoipa::path(put, path = "/api/users/me/password", tag = "accounts", request_body = ChangePassword, responses(
    refusals::Guarded,
    refusals::Body,
    (status = 204, description = "The password was changed."),
    (status = 403, description = "The current password is wrong (`wrong_password`).", body = Problem, content_type = "application/problem+json"),
    (status = 429, description = "Too many attempts.", body = Problem, content_type = "application/problem+json"),
))]
pub async fn change_password(
    app: Shared,
    request: HttpRequest,
    Authenticated(caller): Authenticated,
    Json(change): Json<ChangePassword>,
) -> Result<HttpResponse> {
    let address = client::address(&request, &app.config.trusted_proxies);
    app.accounts
        .change_password(&caller, change, address)
        .await?;
    Ok(HttpResponse::NoContent().finish())
}
