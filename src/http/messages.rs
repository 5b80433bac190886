//! Reading and posting messages.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, http::header, web};
use bytes::Bytes;
use futures_util::{Stream, stream};

use super::{
    Shared, client,
    extract::{Authenticated, ClaimedByQuery, Json, parameter},
    refusals,
};
use crate::{
    chat::{
        authentication::Claimed,
        commands::Command,
        general::{Latest, Span},
        pages::{Encoded, Page},
        plain::Form,
    },
    error::{Error, Result},
    protocol::{
        GENERAL,
        command::SendMessage,
        limits::DEFAULT_PAGE,
        message::Message,
        views::{NewMessage, Problem},
    },
};

/// The default room's latest messages, oldest first.
#[utoipa::path(get, path = "/api/chat/messages", tag = "messages", security(("bearer" = []), ("token" = [])), params(
    ("limit" = Option<i64>, Query, description = "How many."),
    ("format" = Option<String>, Query, description = "`plain`: texts without the marks of Markdown.", pattern = "^(markdown|plain)$"),
), responses(
    refusals::Guarded,
    (status = 200, description = "The messages; `Link` leads on to older ones.", body = [Message]),
    (status = 422, description = "A value is not allowed.", body = Problem, content_type = "application/problem+json"),
    refusals::Pages,
))]
pub async fn list_general(
    app: Shared,
    ClaimedByQuery(caller): ClaimedByQuery,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let limit = read_number(&request, "limit")?.unwrap_or(DEFAULT_PAGE);
    let form = read_form(&request)?;
    let asked = app.pages.ask(caller, GENERAL, Page::Latest, limit)?;
    let asked = asked.form(form);
    let mut response = begin(&app, caller, &request).await?;
    let span = match asked.find_latest().await? {
        Latest::Whole(found) => {
            return Ok(answer(
                response,
                (Shown::All(GENERAL), form),
                Page::Latest,
                limit,
                found,
            ));
        }
        Latest::Long(span) => span,
    };
    // This address has always given as many as were asked for: more than a page holds is produced as it is taken.
    if span.is_full {
        let older = ("before", span.first, "prev");
        let older = link((Shown::All(GENERAL), form), limit, older);
        response.insert_header((header::LINK, older));
    }
    Ok(response
        .content_type("application/json")
        .streaming(whole(app, caller, span, form)))
}

/// A page of a room's messages, oldest first; with `since`, what changed after a change, in the order of the changes.
#[utoipa::path(get, path = "/api/rooms/{room}/messages", tag = "messages", security(("bearer" = []), ("token" = [])), params(
    ("room" = String, Path, description = "The room's key or name.", example = "general"),
    ("limit" = Option<i64>, Query, description = "How many."),
    ("before" = Option<i64>, Query, description = "Only messages before this id, the nearest ones.", minimum = 0),
    ("after" = Option<i64>, Query, description = "Only messages after this id, the nearest ones.", minimum = 0),
    ("around" = Option<i64>, Query, description = "Messages on both sides of this id.", minimum = 0),
    ("since" = Option<i64>, Query, description = "Messages changed after this change number.", minimum = 0),
    ("pinned" = Option<bool>, Query, description = "Only messages that are pinned; not with `since`."),
    ("thread" = Option<i64>, Query, description = "Only the thread under this message: itself, and the replies to it; not with `since` or `pinned`. Without it, replies that stand in threads alone are left out, but for `since`.", minimum = 0),
    ("format" = Option<String>, Query, description = "`plain`: texts without the marks of Markdown.", pattern = "^(markdown|plain)$"),
), responses(
    refusals::Guarded,
    refusals::Room,
    refusals::Members,
    (status = 200, description = "The messages, 512 KiB at most; `Link` leads on to older (`prev`) and newer (`next`) ones, also when that ended the page before `limit` was reached.", body = [Message]),
    (status = 422, description = "A value is not allowed.", body = Problem, content_type = "application/problem+json"),
    refusals::Pages,
))]
pub async fn list_messages(
    app: Shared,
    ClaimedByQuery(caller): ClaimedByQuery,
    room: web::Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let limit = read_number(&request, "limit")?.unwrap_or(DEFAULT_PAGE);
    let page = read_page(&request)?;
    let is_pinned = read_flag(&request, "pinned")?;
    let thread = read_number(&request, "thread")?;
    let form = read_form(&request)?;
    let mut asked = app.pages.ask(caller, &room, page, limit)?.form(form);
    if is_pinned {
        asked = asked.pinned()?;
    }
    if let Some(first) = thread {
        asked = asked.thread(first)?;
    }
    let response = begin(&app, caller, &request).await?;
    let found = asked.find().await?;
    let room = match thread {
        Some(first) => Shown::Thread(&room, first),
        None if is_pinned => Shown::Pinned(&room),
        None => Shown::All(&room),
    };
    Ok(answer(response, (room, form), page, limit, found))
}

/// Say something in a room.
#[utoipa::path(post, path = "/api/rooms/{room}/messages", tag = "messages", request_body = NewMessage, params(
    ("room" = String, Path, description = "The room's key or name.", example = "general"),
), responses(
    refusals::Guarded,
    refusals::Body,
    refusals::Room,
    refusals::Writers,
    (status = 201, description = "Stored.", body = Message),
    (status = 200, description = "Stored before, under the same `client_id`: the message as it is now.", body = Message),
    (status = 409, description = "The `client_id` was used for another message, or the room is archived.", body = Problem, content_type = "application/problem+json"),
    refusals::Charged,
    (status = 503, description = "Not stored (`store_unavailable`), or perhaps stored (`outcome_unknown`): try again with the same `client_id`.", body = Problem, content_type = "application/problem+json"),
))]
pub async fn post(
    app: Shared,
    Authenticated(caller): Authenticated,
    room: web::Path<String>,
    Json(new): Json<NewMessage>,
) -> Result<HttpResponse> {
    let new = SendMessage {
        content: new.content,
        room: Some(room.into_inner()),
        client_id: new.client_id,
        reply_to: new.reply_to,
        thread: new.thread,
        also_to_room: new.also_to_room,
    };
    let done = app.commands.perform(&caller, Command::Post(new)).await?;
    let mut response = if done.duplicate {
        HttpResponse::Ok()
    } else {
        HttpResponse::Created()
    };
    Ok(response.json(app.messages.show(&caller, done).await?))
}

pub(super) fn read_number(request: &HttpRequest, name: &str) -> Result<Option<i64>> {
    let Some(text) = parameter(request, name)? else {
        return Ok(None);
    };
    let refused = || Error::invalid_query(name, format!("`{name}` must be a whole number."));
    text.parse().map(Some).map_err(|_| refused())
}

/// In what form texts are wanted.
///
/// # Errors
/// 422.
pub(super) fn read_form(request: &HttpRequest) -> Result<Form> {
    Form::read(parameter(request, "format")?.as_deref())
}

/// What is shown of a room.
#[derive(Clone, Copy)]
enum Shown<'a> {
    All(&'a str),
    Pinned(&'a str),
    /// The thread under this message.
    Thread(&'a str, i64),
}

fn read_flag(request: &HttpRequest, name: &str) -> Result<bool> {
    match parameter(request, name)?.as_deref() {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => {
            let detail = format!("`{name}` must be `true` or `false`.");
            Err(Error::invalid_query(name, detail))
        }
    }
}

fn read_page(request: &HttpRequest) -> Result<Page> {
    let mut pages = Vec::new();
    for (name, page) in [
        ("before", Page::Before as fn(i64) -> Page),
        ("after", Page::After),
        ("around", Page::Around),
        ("since", Page::Since),
    ] {
        match read_number(request, name)? {
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

/// An answer with history. Waits until this caller may have one more page in flight.
pub(super) async fn begin(
    app: &Shared,
    caller: Claimed,
    request: &HttpRequest,
) -> Result<HttpResponseBuilder> {
    let address = client::address(request, &app.config.trusted_proxies);
    let in_flight = app.pages_in_flight.begin(caller.user_id, address).await?;
    let mut response = HttpResponse::Ok();
    // The connection keeps it until the client has taken the last byte.
    response.extensions_mut().insert(Arc::new(in_flight));
    Ok(response)
}

fn answer(
    mut response: HttpResponseBuilder,
    room: (Shown<'_>, Form),
    page: Page,
    limit: i64,
    found: Encoded,
) -> HttpResponse {
    let links = links(room, page, limit, &found);
    if !links.is_empty() {
        response.insert_header((header::LINK, links));
    }
    response.content_type("application/json").body(found.json)
}

/// Messages of `general` as one JSON array: each part is read when the last one was taken.
fn whole(
    app: Shared,
    caller: Claimed,
    span: Span,
    form: Form,
) -> impl Stream<Item = Result<Bytes>> {
    let before = span.first.saturating_sub(1);
    stream::try_unfold(Some((before, true)), move |state| {
        let app = app.clone();
        async move {
            let Some((mut after, is_first)) = state else {
                return Ok(None);
            };
            loop {
                let part = app
                    .pages
                    .next_part(caller, (after, span.last), form)
                    .await?;
                let is_last = part.reached >= span.last;
                after = part.reached;
                if part.json.is_empty() && !is_last {
                    // All of it was deleted meanwhile, or is nothing that people wrote.
                    continue;
                }
                let mut json = Vec::with_capacity(part.json.len() + 2);
                if is_first {
                    json.push(b'[');
                } else if !part.json.is_empty() {
                    json.push(b',');
                }
                json.extend_from_slice(&part.json);
                if is_last {
                    json.push(b']');
                }
                let next = (!is_last).then_some((after, false));
                return Ok::<_, Error>(Some((Bytes::from(json), next)));
            }
        }
    })
}

/// Where older (`prev`) and newer (`next`) messages are (RFC 8288).
fn links(room: (Shown<'_>, Form), page: Page, limit: i64, found: &Encoded) -> String {
    let Some((first, last)) = found.edges else {
        return String::new();
    };
    let older = ("before", first.id, "prev");
    let newer = ("after", last.id, "next");
    let wanted = match page {
        Page::Latest | Page::Since(_) if !found.is_full => vec![],
        Page::Latest => vec![older],
        Page::Since(_) => vec![("since", last.seq, "next")],
        Page::Before(_) if !found.is_full => vec![newer],
        Page::After(_) if !found.is_full => vec![older],
        Page::Before(_) | Page::After(_) | Page::Around(_) => vec![older, newer],
    };
    let links: Vec<_> = wanted.into_iter().map(|to| link(room, limit, to)).collect();
    links.join(", ")
}

fn link(
    (room, form): (Shown<'_>, Form),
    limit: i64,
    (cursor, number, relation): (&str, u64, &str),
) -> String {
    let (room, mut kept) = match room {
        Shown::All(room) => (room, String::new()),
        Shown::Pinned(room) => (room, "&pinned=true".to_owned()),
        Shown::Thread(room, first) => (room, format!("&thread={first}")),
    };
    if form == Form::Plain {
        kept.push_str("&format=plain");
    }
    let room: String = url::form_urlencoded::byte_serialize(room.as_bytes())
        .collect::<String>()
        .replace('+', "%20");
    format!(
        "</api/rooms/{room}/messages?{cursor}={number}&limit={limit}{kept}>; rel=\"{relation}\""
    )
}
