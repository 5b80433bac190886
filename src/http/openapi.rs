//! What the OpenAPI document says beside its handlers: how to log in, and how long and how many. [`super::ApiDoc`] is the
//! document.

use utoipa::{
    Modify,
    openapi::{
        ObjectBuilder, RefOr, Schema, Type,
        security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme},
    },
};

use crate::protocol::limits::{
    DEFAULT_PAGE, MAX_BIO, MAX_CLIENT_ID, MAX_DISPLAY_NAME, MAX_EMAIL, MAX_PAGE,
    MAX_PASSWORD_BYTES, MAX_PRONOUNS, MAX_ROOM_NAME, MAX_STATUS, MAX_TOPIC,
    MIN_PASSWORD_CHARACTERS, NAME,
};
use crate::protocol::slash::TABLE;

/// The ways of showing a token.
pub struct Security;

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

/// How short and how long texts of bodies may be: the attributes of the shapes take no constants.
pub struct Lengths;

impl Modify for Lengths {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let password = (Some(MIN_PASSWORD_CHARACTERS), Some(MAX_PASSWORD_BYTES));
        let name = (Some(*NAME.start()), Some(*NAME.end()));
        let components = document.components.get_or_insert_default();
        for (shape, field, (least, most)) in [
            ("Register", "username", name),
            ("Register", "password", password),
            ("Register", "email", (None, Some(MAX_EMAIL))),
            ("ChangePassword", "new", password),
            ("NewMessage", "content", (Some(1), None)),
            ("NewMessage", "client_id", (Some(1), Some(MAX_CLIENT_ID))),
            ("NewScheduled", "content", (Some(1), None)),
            ("NewScheduled", "client_id", (Some(1), Some(MAX_CLIENT_ID))),
            ("ScheduledPatch", "content", (Some(1), None)),
            ("NewCommand", "client_id", (Some(1), Some(MAX_CLIENT_ID))),
            ("NewRoom", "name", (Some(1), Some(MAX_ROOM_NAME))),
            ("NewRoom", "topic", (None, Some(MAX_TOPIC))),
            ("RoomPatch", "name", (Some(1), Some(MAX_ROOM_NAME))),
            ("RoomPatch", "topic", (None, Some(MAX_TOPIC))),
            ("EditedMessage", "content", (Some(1), None)),
            ("ProfilePatch", "bio", (None, Some(MAX_BIO))),
            (
                "ProfilePatch",
                "display_name",
                (None, Some(MAX_DISPLAY_NAME)),
            ),
            ("ProfilePatch", "pronouns", (None, Some(MAX_PRONOUNS))),
            ("SetStatus", "text", (None, Some(MAX_STATUS))),
        ] {
            if let Some(RefOr::T(Schema::Object(shape))) = components.schemas.get_mut(shape)
                && let Some(RefOr::T(Schema::Object(text))) = shape.properties.get_mut(field)
            {
                text.min_length = least;
                text.max_length = most;
            }
        }
    }
}

/// Slash commands, as their table shows them.
pub struct SlashExamples;

impl Modify for SlashExamples {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        if let Some(RefOr::T(Schema::Object(shape))) = components.schemas.get_mut("NewCommand")
            && let Some(RefOr::T(Schema::Object(text))) = shape.properties.get_mut("text")
        {
            text.examples = TABLE.iter().map(|entry| entry.example.into()).collect();
            text.min_length = Some(1);
        }
    }
}

/// How many messages a page may have.
pub struct Pages;

impl Modify for Pages {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let reads = document.paths.paths.values_mut();
        let parameters = reads.filter_map(|path| path.get.as_mut()?.parameters.as_mut());
        for parameter in parameters.flatten() {
            if let RefOr::T(parameter) = parameter
                && parameter.name == "limit"
                && let Some(RefOr::T(Schema::Object(limit))) = &mut parameter.schema
            {
                limit.minimum = Some(1_i64.into());
                limit.maximum = Some(MAX_PAGE.into());
                limit.default = Some(DEFAULT_PAGE.into());
            }
        }
    }
}

/// What a condition looks like.
pub struct Conditions;

impl Modify for Conditions {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let paths = document.paths.paths.values_mut();
        let changes = paths.flat_map(|path| {
            [
                &mut path.get,
                &mut path.put,
                &mut path.patch,
                &mut path.delete,
            ]
            .map(Option::as_mut)
        });
        let parameters = changes.filter_map(|change| change?.parameters.as_mut());
        for parameter in parameters.flatten() {
            if let RefOr::T(parameter) = parameter
                && parameter.name == "If-Match"
            {
                let condition = ObjectBuilder::new()
                    .schema_type(Type::String)
                    .pattern(Some(r#"^(\*|"[0-9]{1,15}")$"#));
                parameter.schema = Some(condition.build().into());
            }
        }
    }
}
