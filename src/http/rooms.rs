//! Which rooms there are, and who is in them.

use actix_web::{HttpRequest, HttpResponse, http::header, web};
use serde::Serialize;
use url::form_urlencoded;

use super::{
    Shared,
    extract::{Authenticated, Json, parameter},
    messages::read_number,
    refusals,
};
use crate::{
    chat::rooms::{Listed, Wanted},
    error::Result,
    protocol::{
        limits::DEFAULT_PAGE,
        room::{Member, NewDirect, NewRoom, Room},
        views::Problem,
    },
};

/// The caller's rooms, oldest first.
#[utoipa::path(get, path = "/api/rooms", tag = "rooms", responses(
    refusals::Guarded,
    (status = 200, description = "The rooms.", body = [Room]),
    (status = 429, description = "Too many requests.", body = Problem, content_type = "application/problem+json"),
))]
pub async fn list_own(app: Shared, Authenticated(caller): Authenticated) -> Result<HttpResponse> {
    Ok(HttpResponse::Ok().json(app.rooms.list(&caller).await?))
}

/// Makes a room. The caller is its owner.
#[utoipa::path(post, path = "/api/rooms", tag = "rooms", request_body = NewRoom, responses(
    refusals::Guarded,
    refusals::Body,
    (status = 201, description = "Made; everyone who is in it has been told.", body = Room),
    (status = 404, description = "One of the users does not exist.", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "You are in a room of this name already, whose key is `room` (`room_exists`: perhaps you had made it, and the answer was lost); another public room has the name, or one that looks like it (`room_name_taken`); someone is in as many rooms as anyone can be (`room_full`) or has a disabled account (`user_disabled`).", body = Problem, content_type = "application/problem+json"),
    (status = 429, description = "Too many rooms within an hour, or too many requests.", body = Problem, content_type = "application/problem+json"),
))]
pub async fn make(
    app: Shared,
    Authenticated(caller): Authenticated,
    Json(new): Json<NewRoom>,
) -> Result<HttpResponse> {
    let made = app.rooms.make(&caller, new).await?;
    let room = app.rooms.find(&caller, &made.room).await?;
    Ok(HttpResponse::Created().json(room))
}

/// Finds the one direct room of these people and the caller, and makes it when there is none.
#[utoipa::path(post, path = "/api/direct", tag = "rooms", request_body = NewDirect, responses(
    refusals::Guarded,
    refusals::Body,
    (status = 201, description = "Made; everyone who is in it has been told.", body = Room),
    (status = 200, description = "It was there.", body = Room),
    (status = 404, description = "One of the users does not exist.", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "Someone is in as many rooms as anyone can be (`room_full`), or has a disabled account (`user_disabled`).", body = Problem, content_type = "application/problem+json"),
    (status = 429, description = "Too many rooms within an hour, or too many requests.", body = Problem, content_type = "application/problem+json"),
))]
pub async fn open_direct(
    app: Shared,
    Authenticated(caller): Authenticated,
    Json(new): Json<NewDirect>,
) -> Result<HttpResponse> {
    let made = app.rooms.open_direct(&caller, new).await?;
    let room = app.rooms.find(&caller, &made.room).await?;
    let mut response = if made.is_new {
        HttpResponse::Created()
    } else {
        HttpResponse::Ok()
    };
    Ok(response.json(room))
}

/// The public rooms by name, joined or not.
#[utoipa::path(get, path = "/api/rooms/directory", tag = "rooms", params(
    ("q" = Option<String>, Query, description = "Only rooms whose names have this in them."),
    ("limit" = Option<i64>, Query, description = "How many."),
    ("cursor" = Option<String>, Query, description = "Where to go on, as `Link` gave it."),
), responses(
    refusals::Guarded,
    (status = 200, description = "The rooms; `Link` leads on (`next`).", body = [Room]),
    (status = 422, description = "A value is not allowed.", body = Problem, content_type = "application/problem+json"),
    (status = 429, description = "Too many requests.", body = Problem, content_type = "application/problem+json"),
))]
pub async fn list_public(
    app: Shared,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let wanted = read_wanted(&request)?;
    let part = parameter(&request, "q")?.unwrap_or_default();
    let listed = app.rooms.list_public(&caller, &part, &wanted).await?;
    let kept = (!part.is_empty()).then_some(("q", part.as_str()));
    Ok(answer(&request, &listed, kept, wanted.limit))
}

/// A room, as the caller sees it. Everyone sees the public ones.
#[utoipa::path(get, path = "/api/rooms/{room}", tag = "rooms", params(
    ("room" = String, Path, description = "The room's key or name.", example = "general"),
), responses(
    refusals::Guarded,
    refusals::Room,
    (status = 200, description = "The room.", body = Room),
    (status = 429, description = "Too many requests.", body = Problem, content_type = "application/problem+json"),
))]
pub async fn find(
    app: Shared,
    Authenticated(caller): Authenticated,
    room: web::Path<String>,
) -> Result<HttpResponse> {
    Ok(HttpResponse::Ok().json(app.rooms.find(&caller, &room).await?))
}

/// Who is in a room.
#[utoipa::path(get, path = "/api/rooms/{room}/members", tag = "rooms", params(
    ("room" = String, Path, description = "The room's key or name.", example = "general"),
    ("limit" = Option<i64>, Query, description = "How many."),
    ("cursor" = Option<String>, Query, description = "Where to go on, as `Link` gave it."),
), responses(
    refusals::Guarded,
    refusals::Room,
    refusals::Members,
    (status = 200, description = "The members; `Link` leads on (`next`).", body = [Member]),
    (status = 422, description = "A value is not allowed.", body = Problem, content_type = "application/problem+json"),
    (status = 429, description = "Too many requests.", body = Problem, content_type = "application/problem+json"),
))]
pub async fn list_members(
    app: Shared,
    Authenticated(caller): Authenticated,
    room: web::Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let wanted = read_wanted(&request)?;
    let listed = app.rooms.list_members(&caller, &room, &wanted).await?;
    Ok(answer(&request, &listed, None, wanted.limit))
}

fn read_wanted(request: &HttpRequest) -> Result<Wanted> {
    Ok(Wanted {
        limit: read_number(request, "limit")?.unwrap_or(DEFAULT_PAGE),
        cursor: parameter(request, "cursor")?,
    })
}

/// A page of a list, and where it goes on (RFC 8288).
fn answer<T: Serialize>(
    request: &HttpRequest,
    listed: &Listed<T>,
    kept: Option<(&str, &str)>,
    limit: i64,
) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    if let Some(next) = &listed.next {
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(kept)
            .append_pair("limit", &limit.to_string())
            .append_pair("cursor", next)
            .finish();
        let link = format!("<{}?{query}>; rel=\"next\"", request.path());
        response.insert_header((header::LINK, link));
    }
    response.json(&listed.items)
}
