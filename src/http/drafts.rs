//! What people have begun to write.

use actix_web::{HttpRequest, HttpResponse, web};

use super::{
    Shared,
    extract::{Authenticated, Json},
    messages::read_number,
    refusals,
};
use crate::{
    error::{Error, Result},
    protocol::{
        kept::{Draft, NewDraft},
        views::Problem,
    },
};

/// What you have begun to write in a room, or in a thread of it, on any of your devices.
#[utoipa::path(get, path = "/api/rooms/{room}/draft", tag = "messages", params(
    ("room" = String, Path, description = "The room's key or name.", example = "general"),
    ("thread" = Option<u64>, Query, description = "The thread, by its first message; absent: the room itself.", minimum = 1),
), responses(
    refusals::Guarded,
    refusals::Room,
    refusals::Members,
    (status = 200, description = "The draft; its `content` is empty when there is none.", body = Draft),
    (status = 422, description = "A value is not allowed.", body = Problem, content_type = "application/problem+json"),
    refusals::Rated,
))]
pub async fn find_draft(
    app: Shared,
    Authenticated(caller): Authenticated,
    room: web::Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let thread = read_thread(&request)?;
    Ok(HttpResponse::Ok().json(app.drafts.find(&caller, &room, thread).await?))
}

/// Keep what you have begun to write in a room, or in a thread of it. Your sockets are told.
#[utoipa::path(put, path = "/api/rooms/{room}/draft", tag = "messages", request_body = NewDraft, params(
    ("room" = String, Path, description = "The room's key or name.", example = "general"),
    ("thread" = Option<u64>, Query, description = "The thread, by its first message; absent: the room itself.", minimum = 1),
), responses(
    refusals::Guarded,
    refusals::Body,
    refusals::Message,
    refusals::Members,
    (status = 200, description = "The draft as it is kept.", body = Draft),
    refusals::Rated,
))]
pub async fn put_draft(
    app: Shared,
    Authenticated(caller): Authenticated,
    room: web::Path<String>,
    request: HttpRequest,
    Json(new): Json<NewDraft>,
) -> Result<HttpResponse> {
    let thread = read_thread(&request)?;
    let kept = app.drafts.put(&caller, &room, thread, new.content).await?;
    Ok(HttpResponse::Ok().json(kept))
}

/// Delete what you have begun to write in a room, or in a thread of it. Your sockets are told.
#[utoipa::path(delete, path = "/api/rooms/{room}/draft", tag = "messages", params(
    ("room" = String, Path, description = "The room's key or name.", example = "general"),
    ("thread" = Option<u64>, Query, description = "The thread, by its first message; absent: the room itself.", minimum = 1),
), responses(
    refusals::Guarded,
    refusals::Room,
    refusals::Members,
    (status = 204, description = "There is none any more."),
    (status = 422, description = "A value is not allowed.", body = Problem, content_type = "application/problem+json"),
    refusals::Rated,
))]
pub async fn delete_draft(
    app: Shared,
    Authenticated(caller): Authenticated,
    room: web::Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let thread = read_thread(&request)?;
    app.drafts
        .put(&caller, &room, thread, String::new())
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

fn read_thread(request: &HttpRequest) -> Result<Option<u64>> {
    let refused = || Error::invalid_query("thread", "`thread` must be the number of a message.");
    match read_number(request, "thread")? {
        None => Ok(None),
        Some(number) if number > 0 => Ok(Some(number.unsigned_abs())),
        Some(_) => Err(refused()),
    }
}
