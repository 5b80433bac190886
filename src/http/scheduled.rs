//! What is to be said later.

use actix_web::{HttpRequest, HttpResponse, web};

use super::{
    Shared,
    extract::{Authenticated, Json},
    lists::ListAnswer,
    message::read_id,
    read, refusals, resource,
};
use crate::{
    error::Result,
    protocol::{
        scheduled::{NewScheduled, Scheduled, ScheduledPatch},
        views::Problem,
    },
};

/// Their paths.
pub(super) fn routes(service: &mut web::ServiceConfig) {
    service
        .service(
            resource("/api/scheduled", "GET, HEAD, POST")
                .route(read().to(list_scheduled))
                .route(web::post().to(schedule)),
        )
        .service(
            resource("/api/scheduled/{id}", "PATCH, DELETE")
                .route(web::patch().to(reschedule))
                .route(web::delete().to(cancel)),
        );
}

/// What you have waiting to be said later, and what could not be said (`failed`), in the order of the times.
#[utoipa::path(get, path = "/api/scheduled", tag = "messages", params(
    ("limit" = Option<i64>, Query, description = "How many."),
    ("cursor" = Option<String>, Query, description = "Where to go on, as `Link` gave it."),
), responses(
    refusals::Guarded,
    (status = 200, description = "What waits, 512 KiB at most; `Link` leads on (`next`).", body = [Scheduled]),
    (status = 422, description = "A value is not allowed.", body = Problem, content_type = "application/problem+json"),
    refusals::Pages,
))]
pub async fn list_scheduled(
    app: Shared,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let list = ListAnswer::begin(&app, &caller, &request).await?;
    let listed = app.scheduled.list(&caller, &list.wanted).await?;
    Ok(list.with(&listed, None))
}

/// Have a message sent later, once, within 2 seconds of its time. Whether you may say it is asked again then.
#[utoipa::path(post, path = "/api/scheduled", tag = "messages", request_body = NewScheduled, responses(
    refusals::Guarded,
    refusals::Body,
    refusals::Message,
    refusals::Writers,
    (status = 201, description = "It waits. Your sockets are told.", body = Scheduled),
    (status = 200, description = "It was scheduled before under this `client_id`, and waits.", body = Scheduled),
    (status = 409, description = "You have as many waiting as anyone can have (`too_many_scheduled`), the `client_id` is that of another message (`client_id_reused`), the message can have no thread (`not_a_thread`), the room is archived (`room_archived`), or several rooms have this name (`ambiguous_room`).", body = Problem, content_type = "application/problem+json"),
    refusals::Charged,
))]
pub async fn schedule(
    app: Shared,
    Authenticated(caller): Authenticated,
    Json(new): Json<NewScheduled>,
) -> Result<HttpResponse> {
    let (kept, is_new) = app.scheduled.create(&caller, new).await?;
    let mut response = if is_new {
        HttpResponse::Created()
    } else {
        HttpResponse::Ok()
    };
    Ok(response.json(kept))
}

/// Change what is to be said, or when. What could not be said waits again with a new time.
#[utoipa::path(patch, path = "/api/scheduled/{id}", tag = "messages", request_body = ScheduledPatch, params(
    ("id" = u64, Path, description = "Its number.", example = 1, minimum = 1),
), responses(
    refusals::Guarded,
    refusals::Body,
    (status = 200, description = "As it is now. Your sockets are told.", body = Scheduled),
    (status = 404, description = "Nothing of this number is waiting: perhaps it was sent (`scheduled_not_found`).", body = Problem, content_type = "application/problem+json"),
    refusals::Charged,
))]
pub async fn reschedule(
    app: Shared,
    Authenticated(caller): Authenticated,
    id: web::Path<String>,
    Json(patch): Json<ScheduledPatch>,
) -> Result<HttpResponse> {
    let changed = app.scheduled.change(&caller, read_id(&id), patch).await?;
    Ok(HttpResponse::Ok().json(changed))
}

/// Take back what is to be said later: it is not sent.
#[utoipa::path(delete, path = "/api/scheduled/{id}", tag = "messages", params(
    ("id" = u64, Path, description = "Its number.", example = 1, minimum = 1),
), responses(
    refusals::Guarded,
    (status = 204, description = "It is taken back. Your sockets are told."),
    (status = 404, description = "Nothing of this number is waiting: perhaps it was sent (`scheduled_not_found`).", body = Problem, content_type = "application/problem+json"),
    refusals::Charged,
))]
pub async fn cancel(
    app: Shared,
    Authenticated(caller): Authenticated,
    id: web::Path<String>,
) -> Result<HttpResponse> {
    app.scheduled.cancel(&caller, read_id(&id)).await?;
    Ok(HttpResponse::NoContent().finish())
}
