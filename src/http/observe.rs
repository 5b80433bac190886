//! What happens to every request, whatever answers it: a request id, the access log (without query strings: they may
//! hold tokens), the bodies of errors, and the headers that keep browsers from harm.

use std::{net::SocketAddr, sync::Arc, time::Instant};

use actix_http::{ConnectionType, Response};
use actix_web::{
    Error as ActixError, HttpResponse, ResponseError as _,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        StatusCode,
        header::{self, HeaderName, HeaderValue},
    },
    middleware::Next,
    web,
};

use super::{charge::RequestCharge, client, origin, problem};
use crate::{app::App, chat::flood_budgets::ChargedTo, error::Error};

/// Longest path in the log.
const MAX_LOGGED: usize = 512;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The middleware.
///
/// # Errors
/// What the framework's own middleware reports.
pub async fn observe(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, ActixError> {
    let began = Instant::now();
    let (method, mut path) = (request.method().clone(), request.path().to_owned());
    // What this cuts in two is percent-encoded or garbage, and not lost: the caller has it.
    path.truncate(path.floor_char_boundary(MAX_LOGGED));
    let app = request.app_data::<web::Data<Arc<App>>>().cloned();
    let id = given_id(&request)
        .or_else(|| app.as_ref().map(|app| app.run.next_request_id()))
        .unwrap_or_default();
    let address = app
        .as_ref()
        .and_then(|app| client::address(request.request(), &app.config.trusted_proxies));
    let misdirected = app
        .as_ref()
        .and_then(|app| origin::check_host(request.request(), &app.config).err());
    let under_tls = app.as_ref().is_some_and(|app| app.config.tls.is_some());

    // Handlers' errors are answers by now; what is left are those of the framework's own middleware. (Keeping a clone
    // of the request for those would make its routing panic: it wants the only handle.)
    let mut charge = app
        .as_ref()
        .map(|app| RequestCharge::new(app, &request, address));
    let too_many = RequestCharge::take(charge.as_ref()).await.err();
    let is_served = too_many.is_none();
    let ends = too_many.as_ref().is_some_and(|refusal| refusal.ends);
    let answer = match too_many.map(|refusal| refusal.error).or(misdirected) {
        Some(error) => request.into_response(error.error_response()),
        None => next.call(request).await?.map_into_boxed_body(),
    };
    let mut answer = with_problem(answer, &id);
    if ends {
        let head = answer.response_mut().head_mut();
        head.set_connection_type(ConnectionType::Close);
    } else if let Some(charge) = charge.as_mut().filter(|_| is_served) {
        charge.settle(answer.status());
    }
    protect(answer.headers_mut(), under_tls);
    if let Ok(value) = HeaderValue::from_str(&id) {
        answer.headers_mut().insert(REQUEST_ID, value);
    }
    let status = answer.status().as_u16();
    // A flood is not to flood the log. What was not served for too many requests has no line in any case.
    let has_line = is_served && charge.is_none_or(|charge| charge.take_line(status));
    let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let address = address.map(|it| it.to_string()).unwrap_or_default();
    log::log!(
        target: "parlour::access",
        match status {
            _ if !has_line => log::Level::Debug,
            500.. => log::Level::Warn,
            _ => log::Level::Info,
        },
        method = method.as_str(), path = path.as_str(), status, ms, address = address.as_str(), request_id = id.as_str();
        "{method} {path} {status}"
    );
    Ok(answer)
}

/// The answer to what is no request: it is seen, named and protected as every other.
pub fn refusal(
    app: &App,
    peer: SocketAddr,
    status: StatusCode,
    error: &Error,
) -> Response<BoxBody> {
    let id = app.run.next_request_id();
    let problem = problem::body(error, status, &id);
    let mut answer = HttpResponse::build(status);
    if let Some(wait) = error.error_response().headers().get(header::RETRY_AFTER) {
        answer.insert_header((header::RETRY_AFTER, wait.clone()));
    }
    let mut answer = answer
        .insert_header((header::CONTENT_TYPE, "application/problem+json"))
        .insert_header((REQUEST_ID, id.as_str()))
        .body(serde_json::to_vec(&problem).unwrap_or_default());
    protect(answer.headers_mut(), app.config.tls.is_some());
    let (address, status) = (peer.ip().to_canonical().to_string(), status.as_u16());
    log::log!(
        target: "parlour::access",
        if app.budgets.take_line(ChargedTo::Address(peer.ip()), status) { log::Level::Info } else { log::Level::Debug },
        status, address = address.as_str(), request_id = id.as_str();
        "no request {status}"
    );
    answer.into()
}

/// The caller's own id, if it is fit for a log.
fn given_id(request: &ServiceRequest) -> Option<String> {
    let fit = |text: &&str| {
        (1..=64).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    let given = request
        .headers()
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(fit);
    given.map(ToOwned::to_owned)
}

/// Gives every error its body.
fn with_problem(answer: ServiceResponse, request_id: &str) -> ServiceResponse {
    let status = answer.status();
    let known = answer.response().extensions().get::<Error>().cloned();
    let is_error = status.is_client_error() || status.is_server_error();
    if !is_error || status == StatusCode::SWITCHING_PROTOCOLS {
        return answer;
    }
    let error = known.unwrap_or_else(|| problem::of_status(status));
    let problem = problem::body(&error, status, request_id);
    let (request, old) = answer.into_parts();
    let mut response = HttpResponse::build(status);
    for (name, value) in old.headers() {
        if name != header::CONTENT_TYPE && name != header::CONTENT_LENGTH {
            response.append_header((name.clone(), value.clone()));
        }
    }
    response.insert_header((header::CONTENT_TYPE, "application/problem+json"));
    ServiceResponse::new(
        request,
        response.body(serde_json::to_vec(&problem).unwrap_or_default()),
    )
}

/// Headers that every answer carries, unless its handler has set its own.
fn protect(headers: &mut header::HeaderMap, under_tls: bool) {
    let mut or_else = |name: HeaderName, value: &'static str| {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    };
    or_else(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    or_else(header::REFERRER_POLICY, "no-referrer");
    or_else(header::X_FRAME_OPTIONS, "DENY");
    or_else(
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    );
    or_else(header::CACHE_CONTROL, "no-store");
    if under_tls {
        or_else(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
}
