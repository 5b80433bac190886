//! The OpenAPI document, made from the handlers themselves.

use utoipa::{
    Modify, OpenApi,
    openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme},
};

use super::{accounts, health, messages, root};

/// The document. `OpenApi::openapi()` gives it.
#[derive(Debug, OpenApi)]
#[openapi(
    info(title = "Parlour", description = "Team chat that one person can host. The socket at /ws/chat is described by /asyncapi.json."),
    paths(
        root::index, health::health, health::ready,
        accounts::register, accounts::login, accounts::refresh, accounts::logout, accounts::ws_ticket,
        accounts::change_password,
        messages::list_general, messages::list, messages::post,
    ),
    modifiers(&Security),
    security(("bearer" = [])),
    tags(
        (name = "accounts", description = "Registering and logging in."),
        (name = "messages", description = "Reading and posting."),
        (name = "server", description = "The server itself."),
    ),
)]
pub struct ApiDoc;

struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        components.add_security_scheme(
            "bearer",
            SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)),
        );
        let token = ApiKey::Query(ApiKeyValue::new("token"));
        components.add_security_scheme("token", SecurityScheme::ApiKey(token));
    }
}
