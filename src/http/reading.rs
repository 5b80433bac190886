//! How far people have read, and what they want to be told.

use actix_web::{HttpResponse, web};

use super::{
    Shared,
    extract::{Authenticated, Json},
    refusals,
};
use crate::{
    error::Result,
    protocol::{
        reading::{MarkRead, Marker, Receipt, SetNotify},
        views::Problem,
    },
};

/// Say how far you have read a room, or a thread in it. A marker moves forward only, unless `unread` is set.
#[utoipa::path(put, path = "/api/rooms/{room}/read", tag = "reading", request_body = MarkRead, params(
    ("room" = String, Path, description = "The room's key or name.", example = "general"),
), responses(
    refusals::Guarded,
    refusals::Body,
    refusals::Members,
    (status = 200, description = "Where the marker is now, and what is unread above it.", body = Marker),
    (status = 404, description = "There is no such room (or the caller may not know of it), or no such thread in it.", body = Problem, content_type = "application/problem+json"),
    refusals::Rated,
))]
pub async fn mark(
    app: Shared,
    Authenticated(caller): Authenticated,
    room: web::Path<String>,
    Json(mark): Json<MarkRead>,
) -> Result<HttpResponse> {
    let marker = app.reading.mark(&caller, &room, mark).await?;
    Ok(HttpResponse::Ok().json(marker))
}

/// How far the members of a room have read, of those who show it. In rooms of up to 64 members; who hides theirs is told of
/// no one else's.
#[utoipa::path(get, path = "/api/rooms/{room}/reads", tag = "reading", params(
    ("room" = String, Path, description = "The room's key or name.", example = "general"),
), responses(
    refusals::Guarded,
    refusals::Room,
    refusals::Members,
    (status = 200, description = "The members, by `user_id`.", body = [Receipt]),
    (status = 409, description = "The room has more than 64 members (`too_many_members`).", body = Problem, content_type = "application/problem+json"),
    refusals::Rated,
))]
pub async fn list_reads(
    app: Shared,
    Authenticated(caller): Authenticated,
    room: web::Path<String>,
) -> Result<HttpResponse> {
    let receipts = app.reading.list_reads(&caller, &room).await?;
    Ok(HttpResponse::Ok().json(receipts))
}

/// Set what of a room you want to be told: `all`, `mentions` or `nothing`.
#[utoipa::path(put, path = "/api/rooms/{room}/notify", tag = "reading", request_body = SetNotify, params(
    ("room" = String, Path, description = "The room's key or name.", example = "general"),
), responses(
    refusals::Guarded,
    refusals::Body,
    refusals::Room,
    refusals::Members,
    (status = 204, description = "Kept; your devices have been told."),
    refusals::Rated,
))]
pub async fn set_notify(
    app: Shared,
    Authenticated(caller): Authenticated,
    room: web::Path<String>,
    Json(set): Json<SetNotify>,
) -> Result<HttpResponse> {
    app.reading.set_notify(&caller, &room, set).await?;
    Ok(HttpResponse::NoContent().finish())
}
