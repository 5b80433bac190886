//! Slash commands.

use actix_web::{HttpResponse, web};

use super::{
    Shared,
    extract::{Authenticated, Json},
    read, refusals, resource,
};
use crate::{
    chat::{
        commands::Became,
        rooms::key_of,
        slash::{Outcome, status_sentence},
    },
    error::Result,
    protocol::{
        slash::{CommandDone, NewCommand, SlashCommand, TABLE},
        views::Problem,
    },
};

/// Their paths.
pub(super) fn routes(service: &mut web::ServiceConfig) {
    service
        .service(resource("/api/commands", "GET, HEAD").route(read().to(list_commands)))
        .service(resource("/api/rooms/{room}/commands", "POST").route(web::post().to(run_command)));
}

/// The slash commands that there are, in the order in which they are shown to people.
#[utoipa::path(get, path = "/api/commands", tag = "commands", responses(
    refusals::Guarded,
    (status = 200, description = "The commands.", body = [SlashCommand]),
))]
pub async fn list_commands(Authenticated(_caller): Authenticated) -> HttpResponse {
    let commands: Vec<SlashCommand> = TABLE.iter().map(Into::into).collect();
    HttpResponse::Ok().json(commands)
}

/// Have a slash command carried out that was typed in a room. It is refused as what it does is refused.
#[utoipa::path(post, path = "/api/rooms/{room}/commands", tag = "commands", request_body = NewCommand, params(
    ("room" = String, Path, description = "The room's key or name.", example = "general"),
), responses(
    refusals::Guarded,
    refusals::Body,
    refusals::Writers,
    (status = 200, description = "Done.", body = CommandDone),
    (status = 404, description = "There is no such room (or the caller may not know of it), or no such user.", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "The `client_id` was used for another message, the room is archived or full or would be without an owner, or an account is disabled.", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "There is no such command (`unknown_command`), or a value is not allowed.", body = Problem, content_type = "application/problem+json"),
    refusals::Charged,
    (status = 503, description = "Not done (`store_unavailable`), or perhaps done (`outcome_unknown`): try again with the same `client_id`.", body = Problem, content_type = "application/problem+json"),
))]
pub async fn run_command(
    app: Shared,
    Authenticated(caller): Authenticated,
    room: web::Path<String>,
    Json(new): Json<NewCommand>,
) -> Result<HttpResponse> {
    let (note, outcome) = app.slash.perform(&caller, &room, new).await?;
    let command = note.slash.name().to_owned();
    let answer = match outcome {
        Outcome::Done(done) => {
            let (room, duplicate) = (key_of(done.room_id), done.duplicate);
            let message = match done.result {
                Became::Room => None,
                _ => Some(app.messages.show(&caller, *done).await?),
            };
            CommandDone {
                command,
                done: note.sentence(duplicate),
                room: Some(room),
                message,
                status: None,
                scheduled: None,
                duplicate,
            }
        }
        Outcome::Later(kept) => CommandDone {
            command,
            done: kept.sentence(),
            room: Some(kept.scheduled.room.clone()),
            message: None,
            status: None,
            scheduled: Some(kept.scheduled),
            duplicate: false,
        },
        Outcome::Status(status) => CommandDone {
            command,
            done: status_sentence(&status),
            room: None,
            message: None,
            status: Some(status),
            scheduled: None,
            duplicate: false,
        },
    };
    Ok(HttpResponse::Ok().json(answer))
}
