//! Threads that the caller follows.

use actix_web::{HttpRequest, HttpResponse, web};

use super::{
    Shared, extract::Authenticated, lists::ListAnswer, message::read_id, messages::read_form, read,
    refusals, resource,
};
use crate::{
    error::Result,
    protocol::{thread::Thread, views::Problem},
};

/// Their paths.
pub(super) fn routes(service: &mut web::ServiceConfig) {
    service
        .service(resource("/api/threads", "GET, HEAD").route(read().to(list_threads)))
        .service(
            resource("/api/rooms/{room}/messages/{id}/follow", "PUT, DELETE")
                .route(web::put().to(follow))
                .route(web::delete().to(unfollow)),
        );
}

/// The threads that the caller follows, the one with the latest reply first; only those in rooms that the caller is in now.
#[utoipa::path(get, path = "/api/threads", tag = "messages", params(
    ("limit" = Option<i64>, Query, description = "How many."),
    ("cursor" = Option<String>, Query, description = "Where to go on, as `Link` gave it."),
    ("format" = Option<String>, Query, description = "`plain`: texts without the marks of Markdown.", pattern = "^(markdown|plain)$"),
), responses(
    refusals::Guarded,
    (status = 200, description = "The threads, 512 KiB at most; `Link` leads on (`next`).", body = [Thread]),
    (status = 422, description = "A value is not allowed.", body = Problem, content_type = "application/problem+json"),
    refusals::Pages,
))]
pub async fn list_threads(
    app: Shared,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let form = read_form(&request)?;
    let list = ListAnswer::begin(&app, &caller, &request).await?;
    let listed = app.threads.list(&caller, &list.wanted, form).await?;
    Ok(list.with(&listed, form.kept()))
}

/// Follow the thread under a message. (Its author, those who reply and those who are mentioned follow by themselves.)
#[utoipa::path(put, path = "/api/rooms/{room}/messages/{id}/follow", tag = "messages", params(
    ("room" = String, Path, description = "The room's key or name.", example = "general"),
    ("id" = u64, Path, description = "The first message of the thread.", example = 1, minimum = 1),
), responses(
    refusals::Guarded,
    refusals::Message,
    refusals::Members,
    (status = 204, description = "Done."),
    (status = 409, description = "The message can have no thread: it is a reply itself, or was said by the room (`not_a_thread`).", body = Problem, content_type = "application/problem+json"),
    refusals::Rated,
))]
pub async fn follow(
    app: Shared,
    Authenticated(caller): Authenticated,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse> {
    let (room, id) = path.into_inner();
    app.threads
        .follow(&caller, (&room, read_id(&id)), true)
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Follow a thread no more.
#[utoipa::path(delete, path = "/api/rooms/{room}/messages/{id}/follow", tag = "messages", params(
    ("room" = String, Path, description = "The room's key or name.", example = "general"),
    ("id" = u64, Path, description = "The first message of the thread.", example = 1, minimum = 1),
), responses(
    refusals::Guarded,
    refusals::Message,
    refusals::Members,
    (status = 204, description = "Done."),
    (status = 409, description = "The message can have no thread: it is a reply itself, or was said by the room (`not_a_thread`).", body = Problem, content_type = "application/problem+json"),
    refusals::Rated,
))]
pub async fn unfollow(
    app: Shared,
    Authenticated(caller): Authenticated,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse> {
    let (room, id) = path.into_inner();
    app.threads
        .follow(&caller, (&room, read_id(&id)), false)
        .await?;
    Ok(HttpResponse::NoContent().finish())
}
