//! The refusals that many requests have in common, for the OpenAPI document.

use std::collections::BTreeMap;

use utoipa::{
    IntoResponses,
    openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder},
};

type Responses = BTreeMap<String, RefOr<Response>>;

/// The server cannot take the request at this moment.
pub struct Busy;

impl IntoResponses for Busy {
    fn responses() -> Responses {
        refusals(&[("503", "Not now.")])
    }
}

/// The request needs a login, and the server may be busy.
pub struct Guarded;

impl IntoResponses for Guarded {
    fn responses() -> Responses {
        refusals(&[
            ("400", "Not understood, or more than one token is shown."),
            ("401", "Not logged in."),
            ("503", "Not now."),
        ])
    }
}

/// The request has a body of JSON, and the server may be busy.
pub struct Body;

impl IntoResponses for Body {
    fn responses() -> Responses {
        refusals(&[
            ("400", "The body is not JSON."),
            ("408", "The body took too long to arrive."),
            ("413", "The body is too large."),
            ("415", "The body is not declared as JSON."),
            ("422", "A value is not allowed."),
            ("503", "Not now."),
        ])
    }
}

/// A request of this path asks for the messages of a room.
pub struct Room;

impl IntoResponses for Room {
    fn responses() -> Responses {
        refusals(&[(
            "404",
            "There is no such room, or the caller may not know of it.",
        )])
    }
}

/// A request of this path asks for a message of a room.
pub struct Message;

impl IntoResponses for Message {
    fn responses() -> Responses {
        refusals(&[(
            "404",
            "There is no such room, or the caller may not know of it; or there is no such message in it.",
        )])
    }
}

/// Only members of the room may ask for it.
pub struct Members;

impl IntoResponses for Members {
    fn responses() -> Responses {
        refusals(&[(
            "403",
            "The room is public, and the caller is not in it (`join_first`).",
        )])
    }
}

/// Only members of the room may change anything in it, and not all of them everything.
pub struct Writers;

impl IntoResponses for Writers {
    fn responses() -> Responses {
        refusals(&[(
            "403",
            "Not in the caller's role (`forbidden`), not as long as the caller is muted (`muted`), or the room is public, and the caller is not in it (`join_first`).",
        )])
    }
}

/// The caller asks too often.
pub struct Rated;

impl IntoResponses for Rated {
    fn responses() -> Responses {
        refusals(&[("429", "Too many requests.")])
    }
}

/// It counts as a message does.
pub struct Charged;

impl IntoResponses for Charged {
    fn responses() -> Responses {
        refusals(&[("429", "Too many messages.")])
    }
}

/// It answers with a page.
pub struct Pages;

impl IntoResponses for Pages {
    fn responses() -> Responses {
        refusals(&[(
            "429",
            "Too many pages at once, or too many answers that nobody has read (`too_many_unread`).",
        )])
    }
}

fn refusals(known: &[(&str, &str)]) -> Responses {
    known
        .iter()
        .map(|(status, description)| ((*status).to_owned(), refusal(description).into()))
        .collect()
}

fn refusal(description: &str) -> Response {
    let problem = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("Problem")))
        .build();
    ResponseBuilder::new()
        .description(description)
        .content("application/problem+json", problem)
        .build()
}
