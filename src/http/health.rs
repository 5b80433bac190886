//! Whether the server is alive, and whether it can take work.

use actix_web::HttpResponse;
use serde_json::json;

use super::Shared;
use crate::{
    error::{Error, Result},
    protocol::views::Problem,
};

/// Alive: the process answers.
#[utoipa::path(get, path = "/health", tag = "server", security(()), responses(
    (status = 200, description = "Alive.", body = serde_json::Value, example = json!({"status": "ok"})),
))]
pub async fn health() -> HttpResponse {
    HttpResponse::Ok().json(json!({"status": "ok"}))
}

/// Can take work: the database takes writes, and the server is not going down.
#[utoipa::path(get, path = "/ready", tag = "server", security(()), responses(
    (status = 200, description = "Can take work.", body = serde_json::Value, example = json!({"status": "ready"})),
    (status = 503, description = "Not now.", body = Problem, content_type = "application/problem+json"),
))]
pub async fn ready(app: Shared) -> Result<HttpResponse> {
    if app.is_draining() {
        return Err(Error::unavailable(
            "shutting_down",
            "The server is shutting down; come back in a moment.",
        ));
    }
    if !app.journal.is_alive() {
        return Err(Error::internal(
            "a journal writer has ended: restart the server",
        ));
    }
    app.db.check_writable().await?;
    Ok(HttpResponse::Ok().json(json!({"status": "ready"})))
}
