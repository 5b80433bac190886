//! The small built-in page at `/`, for browsers: register, log in, chat. It will go when the web client comes.

use actix_web::{
    HttpRequest,
    guard::{self, GuardContext},
    http::{Method, header},
    web::{self, ServiceConfig},
};

use super::{Shared, assets::Asset, client};

/// The page runs its own script and style, talks to its own server, and nothing else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const PAGE: &str = include_str!("builtin_page/index.html");
/// Stands where one would choose to register.
const CLOSED: &str = "<p>Log in. Registration is closed here: whoever runs this server adds people, \
    with <code>parlour users add</code>.</p><input type=\"hidden\" name=\"to\" value=\"login\">";

/// Serves the page. It answers at `/` only those who ask for HTML: register it before the plain answer at `/`.
pub fn routes(cfg: &mut ServiceConfig) {
    let open = Asset::page(POLICY, PAGE).varies_by("Accept");
    let closed = Asset::page(POLICY, without_registration()).varies_by("Accept");
    let page = move |request: HttpRequest| {
        let app = request.app_data::<Shared>();
        let is_open = app.is_none_or(|app| client::may_register(&request, &app.config));
        std::future::ready(if is_open { &open } else { &closed }.answer(&request))
    };
    let page = web::resource("/")
        .guard(guard::fn_guard(wants_html))
        .to(page);
    cfg.service(page)
        .service(Asset::script(include_str!("builtin_page/page.js")).at("/page/page.js"))
        .service(Asset::script(include_str!("builtin_page/rooms.js")).at("/page/rooms.js"))
        .service(Asset::style(include_str!("builtin_page/page.css")).at("/page/page.css"));
}

/// The page for those who cannot register.
fn without_registration() -> String {
    let parts = PAGE
        .split_once("<!--new-->")
        .and_then(|(before, rest)| Some((before, rest.split_once("<!--/new-->")?.1)));
    parts.map_or_else(
        || PAGE.to_owned(),
        |(before, after)| format!("{before}{CLOSED}{after}"),
    )
}

fn wants_html(ctx: &GuardContext<'_>) -> bool {
    let head = ctx.head();
    matches!(head.method, Method::GET | Method::HEAD)
        && head
            .headers
            .get_all(header::ACCEPT)
            .filter_map(|value| value.to_str().ok())
            .any(|value| value.to_ascii_lowercase().contains("text/html"))
}

#[cfg(test)]
mod tests {
    use actix_web::{
        App, HttpResponse,
        http::{StatusCode, header},
        test as probe, web,
    };

    use super::*;

    #[actix_web::test]
    async fn a_browser_gets_the_page_and_a_program_does_not() {
        let plain = web::resource("/").to(|| async { HttpResponse::Ok().json("plain") });
        let app = probe::init_service(App::new().configure(routes).service(plain)).await;
        let get = |accept: &'static str| {
            probe::TestRequest::get()
                .uri("/")
                .insert_header((header::ACCEPT, accept))
        };
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        let page = probe::call_service(&app, get(browser).to_request()).await;
        assert_eq!(
            page.headers().get(header::CONTENT_TYPE).expect("a type"),
            "text/html; charset=utf-8"
        );
        let tag = page.headers().get(header::ETAG).expect("a tag").clone();
        let again = get(browser).insert_header((header::IF_NONE_MATCH, tag));
        let again = probe::call_service(&app, again.to_request()).await;
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        for accept in ["*/*", "application/json"] {
            let body = probe::call_and_read_body(&app, get(accept).to_request()).await;
            assert_eq!(body, "\"plain\"", "{accept}");
        }
    }

    #[test]
    fn where_registration_is_closed_the_page_offers_none() {
        let closed = without_registration();
        assert!(PAGE.contains("value=\"register\"") && !closed.contains("value=\"register\""));
        assert!(closed.contains("parlour users add") && closed.contains("id=\"username\""));
    }

    #[test]
    fn the_page_needs_nothing_that_its_policy_forbids() {
        let html = include_str!("builtin_page/index.html");
        let script = concat!(
            include_str!("builtin_page/page.js"),
            include_str!("builtin_page/rooms.js")
        );
        for forbidden in [" style=", " onclick=", " onload=", "javascript:", "<style"] {
            assert!(!html.contains(forbidden), "{forbidden} in index.html");
        }
        for forbidden in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "Function(",
        ] {
            assert!(!script.contains(forbidden), "{forbidden} in a script");
        }
    }
}
