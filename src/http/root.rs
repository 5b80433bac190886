//! The address that everyone tries first.

use actix_web::{HttpResponse, http::header};
use serde_json::json;

/// What this is and where to go on.
#[utoipa::path(get, path = "/", tag = "server", security(()), responses(
    (status = 200, description = "What this is and where to go on.", body = serde_json::Value),
))]
pub async fn index() -> HttpResponse {
    // Browsers get a page there.
    let mut answer = HttpResponse::Ok();
    answer.insert_header((header::VARY, "Accept"));
    answer.json(json!({
        "message": "Welcome to Parlour",
        "version": env!("CARGO_PKG_VERSION"),
        "endpoints": {
            "register": "/api/auth/register",
            "login": "/api/auth/login",
            "messages": "/api/chat/messages",
            "websocket": "/ws/chat",
            "refresh": "/api/auth/refresh",
            "logout": "/api/auth/logout",
            "ws_ticket": "/api/auth/ws-ticket",
            "room_messages": "/api/rooms/{room}/messages",
            "health": "/health",
            "ready": "/ready",
            "docs": "/docs",
            "redoc": "/redoc",
            "openapi": "/openapi.json",
            "asyncapi": "/asyncapi.json",
        }
    }))
}
