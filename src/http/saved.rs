//! Messages that people want to find again.

use actix_web::{HttpRequest, HttpResponse, web};

use super::{
    Shared, extract::Authenticated, lists::ListAnswer, message::read_id, messages::read_form,
    refusals,
};
use crate::{
    error::Result,
    protocol::{kept::Saved, views::Problem},
};

/// The messages that you have saved, latest first, each as it is now; only of rooms that you are in.
#[utoipa::path(get, path = "/api/saved", tag = "messages", params(
    ("limit" = Option<i64>, Query, description = "How many."),
    ("cursor" = Option<String>, Query, description = "Where to go on, as `Link` gave it."),
    ("format" = Option<String>, Query, description = "`plain`: texts without the marks of Markdown.", pattern = "^(markdown|plain)$"),
), responses(
    refusals::Guarded,
    (status = 200, description = "The messages, 512 KiB at most; `Link` leads on (`next`).", body = [Saved]),
    (status = 422, description = "A value is not allowed.", body = Problem, content_type = "application/problem+json"),
    refusals::Pages,
))]
pub async fn list_saved(
    app: Shared,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let form = read_form(&request)?;
    let list = ListAnswer::begin(&app, &caller, &request).await?;
    let listed = app.saved.list(&caller, &list.wanted, form).await?;
    Ok(list.with(&listed, form.kept()))
}

/// Save a message, to find it again. No one else knows of it.
#[utoipa::path(put, path = "/api/saved/{room}/{id}", tag = "messages", params(
    ("room" = String, Path, description = "The room's key or name.", example = "general"),
    ("id" = u64, Path, description = "The message.", example = 1, minimum = 1),
), responses(
    refusals::Guarded,
    refusals::Message,
    refusals::Members,
    (status = 204, description = "It is saved; also when it was before."),
    refusals::Rated,
))]
pub async fn save(
    app: Shared,
    Authenticated(caller): Authenticated,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse> {
    let (room, id) = path.into_inner();
    app.saved.set(&caller, &room, read_id(&id), true).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Save a message no longer.
#[utoipa::path(delete, path = "/api/saved/{room}/{id}", tag = "messages", params(
    ("room" = String, Path, description = "The room's key or name.", example = "general"),
    ("id" = u64, Path, description = "The message.", example = 1, minimum = 1),
), responses(
    refusals::Guarded,
    refusals::Message,
    refusals::Members,
    (status = 204, description = "It is not saved; also when it was not before."),
    refusals::Rated,
))]
pub async fn unsave(
    app: Shared,
    Authenticated(caller): Authenticated,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse> {
    let (room, id) = path.into_inner();
    app.saved.set(&caller, &room, read_id(&id), false).await?;
    Ok(HttpResponse::NoContent().finish())
}
