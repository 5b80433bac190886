//! Reading and posting messages.

use std::{collections::HashMap, fmt::Write as _};

use actix_web::{HttpRequest, HttpResponse, http::header, web};

use super::{
    Shared,
    extract::{Authenticated, AuthenticatedByQuery, Json, query},
};
use crate::{
    chat::messages::{self, Page, Post},
    error::{Error, Result},
    protocol::{
        GENERAL,
        views::{Message, NewMessage, Problem},
    },
};

/// Messages of a page unless the caller says how many.
const DEFAULT_LIMIT: i64 = 50;

/// The default room's latest messages, oldest first.
#[utoipa::path(get, path = "/api/chat/messages", tag = "messages", security(("bearer" = []), ("token" = [])), params(
    ("limit" = Option<i64>, Query, description = "How many, 50 unless given.", minimum = 1, maximum = 200),
), responses(
    (status = 200, description = "The messages; `Link` leads on to older ones.", body = [Message]),
    (status = 401, description = "Not logged in.", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "A value is not allowed.", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "Not now.", body = Problem, content_type = "application/problem+json"),
))]
pub async fn list_general(
    app: Shared,
    AuthenticatedByQuery(caller): AuthenticatedByQuery,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let limit = read_number(&query(&request), "limit")?.unwrap_or(DEFAULT_LIMIT);
    let found = messages::page(&app, &caller, GENERAL, Page::Latest, limit).await?;
    Ok(answer(GENERAL, Page::Latest, limit, found))
}

/// A page of a room's messages, oldest first; with `since`, what changed after a change, in the order of the changes.
#[utoipa::path(get, path = "/api/rooms/{room}/messages", tag = "messages", security(("bearer" = []), ("token" = [])), params(
    ("room" = String, Path, description = "The room's name.", example = "general"),
    ("limit" = Option<i64>, Query, description = "How many, 50 unless given.", minimum = 1, maximum = 200),
    ("before" = Option<i64>, Query, description = "Only messages before this id, the nearest ones.", minimum = 0),
    ("after" = Option<i64>, Query, description = "Only messages after this id, the nearest ones.", minimum = 0),
    ("around" = Option<i64>, Query, description = "Messages on both sides of this id.", minimum = 0),
    ("since" = Option<i64>, Query, description = "Messages changed after this change number.", minimum = 0),
), responses(
    (status = 200, description = "The messages; `Link` leads on to older (`prev`) and newer (`next`) ones.", body = [Message]),
    (status = 401, description = "Not logged in.", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "There is no such room, or the caller may not know of it.", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "A value is not allowed.", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "Not now.", body = Problem, content_type = "application/problem+json"),
))]
pub async fn list(
    app: Shared,
    AuthenticatedByQuery(caller): AuthenticatedByQuery,
    room: web::Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let query = query(&request);
    let limit = read_number(&query, "limit")?.unwrap_or(DEFAULT_LIMIT);
    let page = read_page(&query)?;
    let found = messages::page(&app, &caller, &room, page, limit).await?;
    Ok(answer(&room, page, limit, found))
}

/// Say something in a room.
#[utoipa::path(post, path = "/api/rooms/{room}/messages", tag = "messages", request_body = NewMessage, params(
    ("room" = String, Path, description = "The room's name.", example = "general"),
), responses(
    (status = 201, description = "Stored.", body = Message),
    (status = 200, description = "Stored before, under the same `client_id`: the first answer again.", body = Message),
    (status = 400, description = "The body is not JSON.", body = Problem, content_type = "application/problem+json"),
    (status = 401, description = "Not logged in.", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "There is no such room, or the caller may not know of it.", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "The `client_id` was used for another message.", body = Problem, content_type = "application/problem+json"),
    (status = 413, description = "The body is too large.", body = Problem, content_type = "application/problem+json"),
    (status = 415, description = "The body is not declared as JSON.", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "A value is not allowed.", body = Problem, content_type = "application/problem+json"),
    (status = 429, description = "Too many messages.", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "Not stored (`store_unavailable`), or perhaps stored (`outcome_unknown`): try again with the same `client_id`.", body = Problem, content_type = "application/problem+json"),
))]
pub async fn post(
    app: Shared,
    Authenticated(caller): Authenticated,
    room: web::Path<String>,
    Json(new): Json<NewMessage>,
) -> Result<HttpResponse> {
    let post = Post {
        room: Some(room.into_inner()),
        content: new.content,
        client_id: new.client_id,
    };
    let posted = messages::post(&app, &caller, post)?
        .posted(&app.vault)
        .await?;
    let mut response = if posted.duplicate {
        HttpResponse::Ok()
    } else {
        HttpResponse::Created()
    };
    Ok(response.json(posted.view(&caller)))
}

fn read_number(query: &HashMap<String, String>, name: &str) -> Result<Option<i64>> {
    let Some(text) = query.get(name) else {
        return Ok(None);
    };
    let refused = || Error::invalid_query(name, format!("`{name}` must be a whole number."));
    text.parse().map(Some).map_err(|_| refused())
}

fn read_page(query: &HashMap<String, String>) -> Result<Page> {
    let mut pages = Vec::new();
    for (name, page) in [
        ("before", Page::Before as fn(i64) -> Page),
        ("after", Page::After),
        ("around", Page::Around),
        ("since", Page::Since),
    ] {
        match read_number(query, name)? {
            Some(number) if number < 0 => {
                return Err(Error::invalid_query(
                    name,
                    format!("`{name}` may not be negative."),
                ));
            }
            Some(number) => pages.push((name, page(number))),
            None => {}
        }
    }
    match pages[..] {
        [] => Ok(Page::Latest),
        [(_, page)] => Ok(page),
        [.., (name, _)] => Err(Error::invalid_query(
            name,
            "Give only one of `before`, `after`, `around` and `since`.",
        )),
    }
}

fn answer(room: &str, page: Page, limit: i64, found: Vec<Message>) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    let links = links(room, page, limit, &found);
    if !links.is_empty() {
        response.insert_header((header::LINK, links));
    }
    response.json(found)
}

/// Where older (`prev`) and newer (`next`) messages are (RFC 8288).
fn links(room: &str, page: Page, limit: i64, found: &[Message]) -> String {
    let (Some(first), Some(last)) = (found.first(), found.last()) else {
        return String::new();
    };
    let full = i64::try_from(found.len()).is_ok_and(|count| count == limit);
    let older = ("before", first.id, "prev");
    let newer = ("after", last.id, "next");
    let wanted: Vec<_> = match page {
        Page::Latest | Page::Since(_) if !full => vec![],
        Page::Latest => vec![older],
        Page::Since(_) => vec![("since", last.seq, "next")],
        Page::Before(_) if !full => vec![newer],
        Page::After(_) if !full => vec![older],
        Page::Before(_) | Page::After(_) | Page::Around(_) => vec![older, newer],
    };
    let room: String = url::form_urlencoded::byte_serialize(room.as_bytes())
        .collect::<String>()
        .replace('+', "%20");
    let mut text = String::new();
    for (cursor, number, relation) in wanted {
        let separator = if text.is_empty() { "" } else { ", " };
        let _infallible = write!(
            text,
            "{separator}</api/rooms/{room}/messages?{cursor}={number}&limit={limit}>; rel=\"{relation}\""
        );
    }
    text
}
