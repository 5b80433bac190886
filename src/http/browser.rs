//! Logins of browsers: the refresh token is in a cookie that no script sees and that goes to `/api/auth` alone; the page
//! holds the access token. Only the server's own pages may use them. Other clients keep their tokens themselves.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, HeaderValue},
    web::{self, ServiceConfig},
};
use url::Url;

use super::{Shared, client, extract::Json, origin, refusals, resource};
use crate::{
    app::App,
    error::{Code, Error, Kind, Result},
    protocol::views::{KeptLogin, Login, Problem, Tokens},
};

/// Where the cookie goes.
const PATH: &str = "/api/auth";
const NAME: &str = "parlour-refresh";

/// The paths of these logins.
pub fn routes(service: &mut ServiceConfig) {
    service
        .service(resource("/api/auth/browser/login", "POST").route(web::post().to(log_in)))
        .service(resource("/api/auth/browser/refresh", "POST").route(web::post().to(renew)))
        .service(resource("/api/auth/browser/logout", "POST").route(web::post().to(log_out)));
}

/// Log in from a page of this server.
///
/// As `POST /api/auth/login`, but that the refresh token is kept in a cookie (`HttpOnly`, `SameSite=Strict`), so that no
/// script can read it.
#[utoipa::path(post, path = "/api/auth/browser/login", tag = "accounts", request_body = Login, security(()), responses(
    refusals::Body,
    (status = 200, description = "Logged in.", body = KeptLogin),
    (status = 401, description = "The name or the password is wrong.", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "Not asked for by a page of this server (`origin_not_allowed`); or the account is disabled (`account_disabled`).", body = Problem, content_type = "application/problem+json"),
    (status = 429, description = "Too many attempts.", body = Problem, content_type = "application/problem+json"),
))]
pub async fn log_in(
    app: Shared,
    request: HttpRequest,
    Json(login): Json<Login>,
) -> Result<HttpResponse> {
    let page = Page::of(&request, &app)?;
    let address = client::address(&request, &app.config.trusted_proxies);
    let tokens = app.accounts.log_in(login, address).await?;
    answer(&app, &page, tokens).await
}

/// Get a new access token with the cookie.
#[utoipa::path(post, path = "/api/auth/browser/refresh", tag = "accounts", security(()), responses(
    (status = 200, description = "A new access token; the cookie has the next refresh token.", body = KeptLogin),
    (status = 401, description = "This login has ended, or there is no cookie.", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "Not asked for by a page of this server (`origin_not_allowed`).", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "Another request used the token at the same moment.", body = Problem, content_type = "application/problem+json"),
    (status = 429, description = "Too many attempts.", body = Problem, content_type = "application/problem+json"),
))]
pub async fn renew(app: Shared, request: HttpRequest) -> Result<HttpResponse> {
    let page = Page::of(&request, &app)?;
    let token = page.token(&request).ok_or_else(no_login)?;
    let address = client::address(&request, &app.config.trusted_proxies);
    let tokens = app.authentication.refresh(&token, address).await?;
    answer(&app, &page, tokens).await
}

/// End the login of the cookie, and drop the cookie.
#[utoipa::path(post, path = "/api/auth/browser/logout", tag = "accounts", security(()), responses(
    (status = 204, description = "The login has ended."),
    (status = 401, description = "It had ended before, or there is no cookie.", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "Not asked for by a page of this server (`origin_not_allowed`).", body = Problem, content_type = "application/problem+json"),
    (status = 429, description = "Too many attempts.", body = Problem, content_type = "application/problem+json"),
))]
pub async fn log_out(app: Shared, request: HttpRequest) -> Result<HttpResponse> {
    let page = Page::of(&request, &app)?;
    let token = page.token(&request).ok_or_else(no_login)?;
    let address = client::address(&request, &app.config.trusted_proxies);
    app.authentication.end_by_refresh(&token, address).await?;
    Ok(HttpResponse::NoContent()
        .insert_header((header::SET_COOKIE, page.cookie("", 0)?))
        .finish())
}

fn no_login() -> Error {
    Error::unauthenticated(Code::InvalidRefreshToken, "There is no login: log in.")
}

/// The page of this server that asks, by its origin.
struct Page {
    is_secure: bool,
    /// Servers on other ports of the same host share the browser's cookies: each has its own name.
    name: String,
}

impl Page {
    fn of(request: &HttpRequest, app: &App) -> Result<Self> {
        let mut given = request.headers().get_all(header::ORIGIN);
        let origin = given.next().and_then(|value| value.to_str().ok());
        let own = origin
            .filter(|origin| given.next().is_none() && origin::is_own(request, &app.config, origin))
            .and_then(|origin| Url::parse(origin).ok());
        let Some(own) = own else {
            let detail = "Only the server's own pages may use its cookie; programs log in with POST /api/auth/login.";
            return Err(Error::new(Kind::Forbidden, Code::OriginNotAllowed, detail));
        };
        Ok(Self {
            is_secure: own.scheme() == "https",
            name: own
                .port()
                .map_or_else(|| NAME.to_owned(), |port| format!("{NAME}-{port}")),
        })
    }

    /// The refresh token that the browser sends. Two are none: a page of another host of the domain can set one beside ours,
    /// and have the browser send it first.
    fn token(&self, request: &HttpRequest) -> Option<String> {
        let given = request.headers().get_all(header::COOKIE);
        let mut own = given
            .filter_map(|value| value.to_str().ok())
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(name, value)| *name == self.name && !value.is_empty())
            .map(|(_, value)| value.to_owned());
        own.next().filter(|_| own.next().is_none())
    }

    /// The cookie with this refresh token, which the browser keeps for so many seconds.
    fn cookie(&self, token: &str, seconds: u64) -> Result<HeaderValue> {
        let secure = if self.is_secure { "; Secure" } else { "" };
        let name = &self.name;
        let line = format!(
            "{name}={token}; Path={PATH}; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}"
        );
        HeaderValue::from_str(&line).map_err(Error::internal)
    }
}

/// What the page is told of a login; the rest is in the cookie.
async fn answer(app: &App, page: &Page, tokens: Tokens) -> Result<HttpResponse> {
    let caller = app
        .authentication
        .authenticate(&tokens.access_token)
        .await?;
    let cookie = page.cookie(&tokens.refresh_token, app.logins.life.as_secs())?;
    Ok(HttpResponse::Ok()
        .insert_header((header::SET_COOKIE, cookie))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(KeptLogin {
            access_token: tokens.access_token,
            token_type: tokens.token_type,
            expires_in: tokens.expires_in,
            user_id: caller.user_id,
            username: caller.username,
        }))
}
