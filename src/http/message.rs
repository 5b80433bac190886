//! One message: reading and changing it.

use actix_web::{HttpRequest, HttpResponse, http::header, web};

use super::{
    Shared,
    extract::{Authenticated, Json},
    lists::ListAnswer,
    messages::read_form,
    refusals,
};
use crate::{
    chat::{Caller, commands::Command},
    error::{Error, Result},
    protocol::{
        command::{Delete, Edit, Pin},
        message::{Message, Version},
        views::{EditedMessage, FieldError, Problem},
    },
};

/// Give your own message another text. What it said before stays to be seen.
#[utoipa::path(patch, path = "/api/rooms/{room}/messages/{id}", tag = "messages", request_body = EditedMessage, params(
    ("room" = String, Path, description = "The room's key or name.", example = "general"),
    ("id" = u64, Path, description = "The message.", example = 1, minimum = 1),
    ("If-Match" = Option<String>, Header, description = "Only if it was neither edited nor deleted after this change: its `seq` in quotes. (`*`: whatever it says.)"),
), responses(
    refusals::Guarded,
    refusals::Body,
    refusals::Message,
    refusals::Writers,
    (status = 200, description = "The message as it is now.", body = Message),
    (status = 409, description = "It is deleted, or the room is archived.", body = Problem, content_type = "application/problem+json"),
    (status = 412, description = "It was edited or deleted in the meantime.", body = Problem, content_type = "application/problem+json"),
    refusals::Charged,
))]
pub async fn edit(
    app: Shared,
    Authenticated(caller): Authenticated,
    path: web::Path<(String, String)>,
    request: HttpRequest,
    Json(edited): Json<EditedMessage>,
) -> Result<HttpResponse> {
    let (room, id) = path.into_inner();
    let edit = Edit {
        room,
        id: read_id(&id),
        content: edited.content,
        if_seq: read_condition(&request)?,
    };
    perform(&app, &caller, Command::Edit(edit)).await
}

/// Delete a message: only a tombstone is left of it, without a text, what it said before, and reactions. Others' messages
/// are deleted by moderators.
#[utoipa::path(delete, path = "/api/rooms/{room}/messages/{id}", tag = "messages", params(
    ("room" = String, Path, description = "The room's key or name.", example = "general"),
    ("id" = u64, Path, description = "The message.", example = 1, minimum = 1),
    ("If-Match" = Option<String>, Header, description = "Only if it was not edited after this change: its `seq` in quotes. (`*`: whatever it says.)"),
), responses(
    refusals::Guarded,
    refusals::Message,
    refusals::Writers,
    (status = 200, description = "The tombstone; the same when it had been deleted before.", body = Message),
    (status = 409, description = "The room is archived.", body = Problem, content_type = "application/problem+json"),
    (status = 412, description = "It was edited in the meantime.", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "`If-Match` holds no number in quotes.", body = Problem, content_type = "application/problem+json"),
    refusals::Charged,
))]
pub async fn delete(
    app: Shared,
    Authenticated(caller): Authenticated,
    path: web::Path<(String, String)>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let (room, id) = path.into_inner();
    let delete = Delete {
        room,
        id: read_id(&id),
        if_seq: read_condition(&request)?,
    };
    perform(&app, &caller, Command::Delete(delete)).await
}

/// A message as it is now.
#[utoipa::path(get, path = "/api/rooms/{room}/messages/{id}", tag = "messages", params(
    ("room" = String, Path, description = "The room's key or name.", example = "general"),
    ("id" = u64, Path, description = "The message.", example = 1, minimum = 1),
    ("format" = Option<String>, Query, description = "`plain`: texts without the marks of Markdown.", pattern = "^(markdown|plain)$"),
), responses(
    refusals::Guarded,
    refusals::Message,
    refusals::Members,
    (status = 422, description = "A value is not allowed.", body = Problem, content_type = "application/problem+json"),
    (status = 200, description = "The message; `ETag` is its `seq` in quotes, for `If-Match`.", body = Message),
    refusals::Rated,
))]
pub async fn find_message(
    app: Shared,
    Authenticated(caller): Authenticated,
    path: web::Path<(String, String)>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let (room, id) = path.into_inner();
    let form = read_form(&request)?;
    let mut message = app.messages.find(&caller, &room, read_id(&id)).await?;
    form.show(&mut message);
    Ok(answer(message))
}

/// What a message said before each of its edits, oldest first. Nothing is left of it when it is deleted.
#[utoipa::path(get, path = "/api/rooms/{room}/messages/{id}/versions", tag = "messages", params(
    ("room" = String, Path, description = "The room's key or name.", example = "general"),
    ("id" = u64, Path, description = "The message.", example = 1, minimum = 1),
    ("limit" = Option<i64>, Query, description = "How many."),
    ("cursor" = Option<String>, Query, description = "Where to go on, as `Link` gave it."),
    ("format" = Option<String>, Query, description = "`plain`: texts without the marks of Markdown.", pattern = "^(markdown|plain)$"),
), responses(
    refusals::Guarded,
    refusals::Message,
    refusals::Members,
    (status = 200, description = "The versions, 512 KiB at most; `Link` leads on (`next`).", body = [Version]),
    (status = 422, description = "A value is not allowed.", body = Problem, content_type = "application/problem+json"),
    refusals::Pages,
))]
pub async fn list_versions(
    app: Shared,
    Authenticated(caller): Authenticated,
    path: web::Path<(String, String)>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let (room, id) = path.into_inner();
    let of = (room.as_str(), read_id(&id));
    let form = read_form(&request)?;
    let list = ListAnswer::begin(&app, &caller, &request).await?;
    let listed = app
        .messages
        .list_versions(&caller, of, &list.wanted, form)
        .await?;
    Ok(list.with(&listed, form.kept()))
}

/// Pin a message, for all in the room.
#[utoipa::path(put, path = "/api/rooms/{room}/messages/{id}/pin", tag = "messages", params(
    ("room" = String, Path, description = "The room's key or name.", example = "general"),
    ("id" = u64, Path, description = "The message.", example = 1, minimum = 1),
), responses(
    refusals::Guarded,
    refusals::Message,
    refusals::Writers,
    (status = 200, description = "The message as it is now; the same when it was pinned before.", body = Message),
    (status = 409, description = "It is deleted, or the room is archived.", body = Problem, content_type = "application/problem+json"),
    refusals::Charged,
))]
pub async fn pin(
    app: Shared,
    Authenticated(caller): Authenticated,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse> {
    set_pinned(&app, &caller, path.into_inner(), true).await
}

/// Unpin a message.
#[utoipa::path(delete, path = "/api/rooms/{room}/messages/{id}/pin", tag = "messages", params(
    ("room" = String, Path, description = "The room's key or name.", example = "general"),
    ("id" = u64, Path, description = "The message.", example = 1, minimum = 1),
), responses(
    refusals::Guarded,
    refusals::Message,
    refusals::Writers,
    (status = 200, description = "The message as it is now; the same when it was not pinned.", body = Message),
    (status = 409, description = "It is deleted, or the room is archived.", body = Problem, content_type = "application/problem+json"),
    refusals::Charged,
))]
pub async fn unpin(
    app: Shared,
    Authenticated(caller): Authenticated,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse> {
    set_pinned(&app, &caller, path.into_inner(), false).await
}

async fn set_pinned(
    app: &Shared,
    caller: &Caller,
    (room, id): (String, String),
    on: bool,
) -> Result<HttpResponse> {
    let id = read_id(&id);
    perform(app, caller, Command::Pin(Pin { room, id, on })).await
}

/// Has a message changed, and answers with it.
pub(super) async fn perform(
    app: &Shared,
    caller: &Caller,
    command: Command,
) -> Result<HttpResponse> {
    let done = app.commands.perform(caller, command).await?;
    Ok(answer(app.messages.show(caller, done).await?))
}

fn answer(message: Message) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::ETAG, format!("\"{}\"", message.seq)))
        .json(message)
}

/// The number of a message. What is none is that of no message: it is answered like one that is not there.
pub(super) fn read_id(text: &str) -> u64 {
    let number = text.parse().ok();
    number
        .filter(|id: &u64| id.to_string() == text)
        .unwrap_or(0)
}

/// The change after which a message must not have been edited or deleted, by `If-Match` (RFC 9110, 13.1.1): the latest of
/// those that are listed. A proxy that compresses answers makes their tags weak, so the mark of that is passed over.
fn read_condition(request: &HttpRequest) -> Result<Option<u64>> {
    let refused = || {
        let msg = "`If-Match` must be the `seq` of the message in quotes, or `*`.";
        Error::invalid(vec![FieldError::header("if-match", msg)])
    };
    let mut latest = None;
    for value in request.headers().get_all(header::IF_MATCH) {
        for tag in value.to_str().map_err(|_| refused())?.split(',') {
            let tag = tag.trim();
            if tag == "*" {
                return Ok(None);
            }
            let seq = read_tag(tag).ok_or_else(refused)?;
            latest = latest.max(Some(seq));
        }
    }
    Ok(latest)
}

/// The number in an entity tag.
fn read_tag(tag: &str) -> Option<u64> {
    let tag = tag.strip_prefix("W/").unwrap_or(tag);
    let number = tag.strip_prefix('"')?.strip_suffix('"')?;
    let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
    number.parse().ok().filter(|_| is_number)
}
