//! Reacting to messages.

use actix_web::{HttpRequest, HttpResponse, web};

use super::{
    Shared,
    extract::Authenticated,
    lists::ListAnswer,
    message::{perform, read_id},
    refusals,
};
use crate::{
    chat::commands::Command,
    error::Result,
    protocol::{command::React, message::Message, room::Person, views::Problem},
};

/// React to a message with one emoji.
#[utoipa::path(put, path = "/api/rooms/{room}/messages/{id}/reactions/{emoji}", tag = "messages", params(
    ("room" = String, Path, description = "The room's key or name.", example = "general"),
    ("id" = u64, Path, description = "The message.", example = 1, minimum = 1),
    ("emoji" = String, Path, description = "One emoji, percent-encoded."),
), responses(
    refusals::Guarded,
    refusals::Message,
    refusals::Writers,
    (status = 200, description = "The message as it is now; the same when the caller had reacted so before.", body = Message),
    (status = 409, description = "It is deleted, or has as many reactions as it can have, or the room is archived.", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "That is not one emoji.", body = Problem, content_type = "application/problem+json"),
    refusals::Charged,
))]
pub async fn react(
    app: Shared,
    Authenticated(caller): Authenticated,
    path: web::Path<(String, String, String)>,
) -> Result<HttpResponse> {
    perform(&app, &caller, reaction(path, true)).await
}

/// Take a reaction back.
#[utoipa::path(delete, path = "/api/rooms/{room}/messages/{id}/reactions/{emoji}", tag = "messages", params(
    ("room" = String, Path, description = "The room's key or name.", example = "general"),
    ("id" = u64, Path, description = "The message.", example = 1, minimum = 1),
    ("emoji" = String, Path, description = "One emoji, percent-encoded."),
), responses(
    refusals::Guarded,
    refusals::Message,
    refusals::Writers,
    (status = 200, description = "The message as it is now; the same when the caller had not reacted so.", body = Message),
    (status = 409, description = "It is deleted, or the room is archived.", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "That is not one emoji.", body = Problem, content_type = "application/problem+json"),
    refusals::Charged,
))]
pub async fn unreact(
    app: Shared,
    Authenticated(caller): Authenticated,
    path: web::Path<(String, String, String)>,
) -> Result<HttpResponse> {
    perform(&app, &caller, reaction(path, false)).await
}

/// All who have reacted to a message with an emoji, in the order in which they did.
#[utoipa::path(get, path = "/api/rooms/{room}/messages/{id}/reactions/{emoji}", tag = "messages", params(
    ("room" = String, Path, description = "The room's key or name.", example = "general"),
    ("id" = u64, Path, description = "The message.", example = 1, minimum = 1),
    ("emoji" = String, Path, description = "One emoji, percent-encoded."),
    ("limit" = Option<i64>, Query, description = "How many."),
    ("cursor" = Option<String>, Query, description = "Where to go on, as `Link` gave it."),
), responses(
    refusals::Guarded,
    refusals::Message,
    refusals::Members,
    (status = 200, description = "The people; `Link` leads on (`next`).", body = [Person]),
    (status = 422, description = "A value is not allowed, or that is not one emoji.", body = Problem, content_type = "application/problem+json"),
    refusals::Pages,
))]
pub async fn list_reactions(
    app: Shared,
    Authenticated(caller): Authenticated,
    path: web::Path<(String, String, String)>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let (room, id, emoji) = path.into_inner();
    let of = (room.as_str(), read_id(&id));
    let list = ListAnswer::begin(&app, &caller, &request).await?;
    let listed = app
        .messages
        .list_reacted(&caller, of, &emoji, &list.wanted)
        .await?;
    Ok(list.with(&listed, None))
}

fn reaction(path: web::Path<(String, String, String)>, on: bool) -> Command {
    let (room, id, emoji) = path.into_inner();
    Command::React(React {
        room,
        id: read_id(&id),
        emoji,
        on,
    })
}
