//! Which rooms there are, who is in them, and changing both.

use actix_web::{HttpRequest, HttpResponse, web};

use super::{
    Shared,
    extract::{Authenticated, Json, JsonOrNone, parameter},
    lists::ListAnswer,
    refusals,
};
use crate::{
    chat::{commands::Command, rooms::key_of},
    error::Result,
    protocol::{
        command::{OfUser, SetMember, SetRoom},
        limits::MAX_PAGE,
        room::{Member, MemberPatch, NewDirect, NewRoom, Room, RoomPatch},
        views::Problem,
    },
};

/// The caller's rooms, oldest first.
#[utoipa::path(get, path = "/api/rooms", tag = "rooms", params(
    ("limit" = Option<i64>, Query, description = "How many; 200 if it is absent."),
    ("cursor" = Option<String>, Query, description = "Where to go on, as `Link` gave it."),
), responses(
    refusals::Guarded,
    (status = 200, description = "The rooms; `Link` leads on (`next`).", body = [Room]),
    (status = 422, description = "A value is not allowed.", body = Problem, content_type = "application/problem+json"),
    refusals::Pages,
))]
pub async fn list_own(
    app: Shared,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let list = ListAnswer::begin_of(&app, &caller, &request, MAX_PAGE).await?;
    let listed = app.rooms.list(&caller, &list.wanted).await?;
    Ok(list.with(&listed, None))
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
    let done = app.commands.perform(&caller, Command::Make(new)).await?;
    let room = app.rooms.find(&caller, &key_of(done.room_id)).await?;
    Ok(HttpResponse::Created().json(room))
}

/// Finds the one direct room of these people and the caller, and makes it when there is none.
#[utoipa::path(post, path = "/api/direct", tag = "rooms", request_body = NewDirect, responses(
    refusals::Guarded,
    refusals::Body,
    (status = 201, description = "Made; everyone who is in it has been told.", body = Room),
    (status = 200, description = "It was there.", body = Room),
    (status = 404, description = "One of the users does not exist.", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "Someone has a disabled account (`user_disabled`).", body = Problem, content_type = "application/problem+json"),
    (status = 429, description = "Too many direct rooms opened within an hour (30), or too many requests.", body = Problem, content_type = "application/problem+json"),
))]
pub async fn open_direct(
    app: Shared,
    Authenticated(caller): Authenticated,
    Json(new): Json<NewDirect>,
) -> Result<HttpResponse> {
    let done = app.commands.perform(&caller, Command::Direct(new)).await?;
    let room = app.rooms.find(&caller, &key_of(done.room_id)).await?;
    let mut response = if done.duplicate {
        HttpResponse::Ok()
    } else {
        HttpResponse::Created()
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
    refusals::Pages,
))]
pub async fn list_public(
    app: Shared,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let part = parameter(&request, "q")?.unwrap_or_default();
    let list = ListAnswer::begin(&app, &caller, &request).await?;
    let listed = app.rooms.list_public(&caller, &part, &list.wanted).await?;
    let kept = (!part.is_empty()).then_some(("q", part.as_str()));
    Ok(list.with(&listed, kept))
}

/// A room, as the caller sees it. Everyone sees the public ones.
#[utoipa::path(get, path = "/api/rooms/{room}", tag = "rooms", params(
    ("room" = String, Path, description = "The room's key or name.", example = "general"),
), responses(
    refusals::Guarded,
    refusals::Room,
    (status = 200, description = "The room.", body = Room),
    refusals::Rated,
))]
pub async fn find_room(
    app: Shared,
    Authenticated(caller): Authenticated,
    room: web::Path<String>,
) -> Result<HttpResponse> {
    Ok(HttpResponse::Ok().json(app.rooms.find(&caller, &room).await?))
}

/// Changes a room: its name, topic and kind, its slow mode, whether it is archived. What is absent stays.
#[utoipa::path(patch, path = "/api/rooms/{room}", tag = "rooms", request_body = RoomPatch, params(
    ("room" = String, Path, description = "The room's key or name.", example = "general"),
), responses(
    refusals::Guarded,
    refusals::Body,
    refusals::Room,
    (status = 200, description = "The room as it is now.", body = Room),
    (status = 403, description = "Not in your role, or not in this kind of room (`forbidden`); not a member (`join_first`); muted.", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "Another public room has the name, or one that looks like it (`room_name_taken`); the room is archived (`room_archived`).", body = Problem, content_type = "application/problem+json"),
    refusals::Rated,
))]
pub async fn change(
    app: Shared,
    Authenticated(caller): Authenticated,
    room: web::Path<String>,
    Json(patch): Json<RoomPatch>,
) -> Result<HttpResponse> {
    let room = room.into_inner();
    let command = Command::Room(SetRoom { room, patch });
    let done = app.commands.perform(&caller, command).await?;
    let room = app.rooms.find(&caller, &key_of(done.room_id)).await?;
    Ok(HttpResponse::Ok().json(room))
}

/// Become a member of a public room, bring someone in, or change a member: another role, or to read only for a while.
/// What is absent stays.
#[utoipa::path(put, path = "/api/rooms/{room}/members/{user}", tag = "rooms", request_body = Option<MemberPatch>, params(
    ("room" = String, Path, description = "The room's key or name.", example = "general"),
    ("user" = String, Path, description = "Who: a name, or in digits an id.", example = "alice"),
), responses(
    refusals::Guarded,
    refusals::Body,
    (status = 200, description = "The member as it is now.", body = Member),
    (status = 403, description = "Not in your role, or not in this kind of room (`forbidden`); not a member (`join_first`); muted.", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "There is no such room (or the caller may not know of it), or no such user.", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "The room would be without an owner (`last_owner`), is archived (`room_archived`) or full (`room_full`), or the account is disabled (`user_disabled`).", body = Problem, content_type = "application/problem+json"),
    refusals::Rated,
))]
pub async fn put_member(
    app: Shared,
    Authenticated(caller): Authenticated,
    path: web::Path<(String, String)>,
    JsonOrNone(wanted): JsonOrNone<MemberPatch>,
) -> Result<HttpResponse> {
    let (room, user) = path.into_inner();
    let set = SetMember {
        room,
        user: user.clone(),
        patch: wanted,
    };
    let done = app.commands.perform(&caller, Command::Member(set)).await?;
    let member = app.rooms.find_member(&caller, done.room_id, &user).await?;
    Ok(HttpResponse::Ok().json(member))
}

/// Leave a room, or take someone out of it, who can then not come back until somebody brings them in.
#[utoipa::path(delete, path = "/api/rooms/{room}/members/{user}", tag = "rooms", params(
    ("room" = String, Path, description = "The room's key or name.", example = "general"),
    ("user" = String, Path, description = "Who: a name, or in digits an id.", example = "alice"),
), responses(
    refusals::Guarded,
    (status = 204, description = "Done."),
    (status = 403, description = "Not in your role, or not in this kind of room (`forbidden`); not a member (`join_first`); muted.", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "There is no such room (or the caller may not know of it), or no such user in it.", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "The room would be without an owner (`last_owner`), or is archived (`room_archived`).", body = Problem, content_type = "application/problem+json"),
    refusals::Rated,
))]
pub async fn delete_member(
    app: Shared,
    Authenticated(caller): Authenticated,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse> {
    let (room, user) = path.into_inner();
    let command = Command::Kick(OfUser { room, user });
    app.commands.perform(&caller, command).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Leave a direct room out of your list until someone writes in it. Your other sockets are told.
#[utoipa::path(put, path = "/api/rooms/{room}/hidden", tag = "rooms", params(
    ("room" = String, Path, description = "The room's key.", example = "general"),
), responses(
    refusals::Guarded,
    refusals::Room,
    (status = 204, description = "Done."),
    (status = 403, description = "It is no direct room (`forbidden`), or you are not in it (`join_first`).", body = Problem, content_type = "application/problem+json"),
    refusals::Rated,
))]
pub async fn hide(
    app: Shared,
    Authenticated(caller): Authenticated,
    room: web::Path<String>,
) -> Result<HttpResponse> {
    app.rooms.set_hidden(&caller, &room, true).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Show a direct room in your list again. Your other sockets are told.
#[utoipa::path(delete, path = "/api/rooms/{room}/hidden", tag = "rooms", params(
    ("room" = String, Path, description = "The room's key.", example = "general"),
), responses(
    refusals::Guarded,
    refusals::Room,
    (status = 204, description = "Done."),
    (status = 403, description = "It is no direct room (`forbidden`), or you are not in it (`join_first`).", body = Problem, content_type = "application/problem+json"),
    refusals::Rated,
))]
pub async fn unhide(
    app: Shared,
    Authenticated(caller): Authenticated,
    room: web::Path<String>,
) -> Result<HttpResponse> {
    app.rooms.set_hidden(&caller, &room, false).await?;
    Ok(HttpResponse::NoContent().finish())
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
    refusals::Pages,
))]
pub async fn list_members(
    app: Shared,
    Authenticated(caller): Authenticated,
    room: web::Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let list = ListAnswer::begin(&app, &caller, &request).await?;
    let listed = app.rooms.list_members(&caller, &room, &list.wanted).await?;
    Ok(list.with(&listed, None))
}
