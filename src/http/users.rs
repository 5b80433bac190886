//! People: what they say of themselves, how they are seen, and how they are found.

use actix_web::{HttpRequest, HttpResponse, web};

use super::{
    Shared,
    extract::{Authenticated, Json, parameter},
    lists::ListAnswer,
    read, refusals, resource,
};
use crate::{
    error::Result,
    protocol::{
        people::{Profile, ProfilePatch, SetStatus, Status},
        views::Problem,
    },
};

/// Their paths.
pub(super) fn routes(service: &mut web::ServiceConfig) {
    service
        .service(resource("/api/users/me/status", "PUT").route(web::put().to(set_status)))
        .service(
            resource("/api/users/me", "GET, HEAD, PATCH")
                .route(read().to(find_self))
                .route(web::patch().to(change_self)),
        )
        .service(resource("/api/users", "GET, HEAD").route(read().to(search_users)))
        .service(resource("/api/users/{user}", "GET, HEAD").route(read().to(find_user)));
}

/// People whose names have words that begin like those of `q`: of their username and of their display name.
#[utoipa::path(get, path = "/api/users", tag = "people", params(
    ("q" = Option<String>, Query, description = "Beginnings of words; all of them must be found. Absent: everyone."),
    ("limit" = Option<i64>, Query, description = "How many."),
    ("cursor" = Option<String>, Query, description = "Where to go on, as `Link` gave it."),
), responses(
    refusals::Guarded,
    (status = 200, description = "The people; `Link` leads on (`next`).", body = [Profile]),
    (status = 422, description = "A value is not allowed.", body = Problem, content_type = "application/problem+json"),
    refusals::Pages,
))]
pub async fn search_users(
    app: Shared,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let q = parameter(&request, "q")?.unwrap_or_default();
    let list = ListAnswer::begin(&app, &caller, &request).await?;
    let listed = app.profiles.search(&caller, &q, &list.wanted).await?;
    let kept = (!q.is_empty()).then_some(("q", q.as_str()));
    Ok(list.with(&listed, kept))
}

/// Someone, as the caller sees them. How they are seen is told only to who shares a room with them.
#[utoipa::path(get, path = "/api/users/{user}", tag = "people", params(
    ("user" = String, Path, description = "Who: a name, or in digits an id.", example = "alice"),
), responses(
    refusals::Guarded,
    (status = 200, description = "The user.", body = Profile),
    (status = 404, description = "There is no such user.", body = Problem, content_type = "application/problem+json"),
    refusals::Rated,
))]
pub async fn find_user(
    app: Shared,
    Authenticated(caller): Authenticated,
    user: web::Path<String>,
) -> Result<HttpResponse> {
    Ok(HttpResponse::Ok().json(app.profiles.find(&caller, &user).await?))
}

/// The caller.
#[utoipa::path(get, path = "/api/users/me", tag = "people", responses(
    refusals::Guarded,
    (status = 200, description = "You.", body = Profile),
    refusals::Rated,
))]
pub async fn find_self(app: Shared, Authenticated(caller): Authenticated) -> Result<HttpResponse> {
    Ok(HttpResponse::Ok().json(app.profiles.find_own(&caller).await?))
}

/// Changes what the caller says of themselves: what is absent stays, what is empty goes.
#[utoipa::path(patch, path = "/api/users/me", tag = "people", request_body = ProfilePatch, responses(
    refusals::Guarded,
    refusals::Body,
    (status = 200, description = "You, as others see it now.", body = Profile),
    refusals::Rated,
))]
pub async fn change_self(
    app: Shared,
    Authenticated(caller): Authenticated,
    Json(patch): Json<ProfilePatch>,
) -> Result<HttpResponse> {
    Ok(HttpResponse::Ok().json(app.profiles.change(&caller, patch).await?))
}

/// Sets what the caller is, on all devices: online, away, not to be disturbed or invisible, with a few words. What is absent
/// stays, what is empty goes.
#[utoipa::path(put, path = "/api/users/me/status", tag = "people", request_body = SetStatus, responses(
    refusals::Guarded,
    refusals::Body,
    (status = 200, description = "What holds now.", body = Status),
    refusals::Rated,
))]
pub async fn set_status(
    app: Shared,
    Authenticated(caller): Authenticated,
    Json(wish): Json<SetStatus>,
) -> Result<HttpResponse> {
    Ok(HttpResponse::Ok().json(app.statuses.set(&caller, wish).await?))
}
