//! Whether the server is alive, and whether it can take work.

use actix_web::HttpResponse;
use serde_json::json;

use super::{Shared, refusals};
use crate::error::{Error, Result};

/// Alive: the process answers.
#[utoipa::path(get, path = "/health", tag = "server", security(()), responses(
    (status = 200, description = "Alive.", body = serde_json::Value, example = json!({"status": "ok"})),
))]
pub async fn health() -> HttpResponse {
    HttpResponse::Ok().json(json!({"status": "ok"}))
}

/// Can take work: a message would be stored at this moment (it is tried, at most once a second), and the server is not
/// going down.
#[utoipa::path(get, path = "/ready", tag = "server", security(()), responses(
    refusals::Busy,
    (status = 200, description = "Can take work.", body = serde_json::Value, example = json!({"status": "ready"})),
))]
pub async fn ready(app: Shared) -> Result<HttpResponse> {
    if app.run.is_draining() {
        return Err(Error::shutting_down());
    }
    app.readiness.check().await?;
    Ok(HttpResponse::Ok().json(json!({"status": "ready"})))
}
