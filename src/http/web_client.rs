//! The web client: what `scripts/web` has built of `web/`, packed by `build.rs`. Its page stands at `/`, for those who ask for
//! HTML, and at each of its views, and is never kept by a browser; all else has a name that changes with its content, and is
//! kept for ever.

use std::{borrow::Cow, sync::OnceLock};

use actix_web::{
    HttpRequest, HttpResponse, Resource,
    guard::{self, GuardContext},
    http::{Method, header},
    web::{self, ServiceConfig},
};
use bytes::Bytes;
use rust_embed::{EmbeddedFile, RustEmbed};

use super::{
    Shared,
    assets::{self, Asset, INERT},
    client, problem,
};

/// The worker asks the server for what it keeps.
const WORKER: &str = "default-src 'none'; connect-src 'self'; frame-ancestors 'none'";
/// The client runs its own scripts and styles, talks to its own server, and makes markup of text in two named places alone.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: blob:; \
     font-src 'none'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
     require-trusted-types-for 'script'; trusted-types svelte-trusted-html dompurify parlour";

/// By what the page differs, and whether it is the answer.
const BY: &str = "Accept, Accept-Encoding";
/// How the page of those who cannot register begins.
const CLOSED: &str = "<html data-registration=\"closed\" ";

#[derive(RustEmbed)]
#[folder = "$OUT_DIR/web"]
struct Dist;

/// The files of the client, by their paths.
fn files() -> &'static [(String, Asset)] {
    static FILES: OnceLock<Vec<(String, Asset)>> = OnceLock::new();
    FILES.get_or_init(|| {
        let all = Dist::iter().filter_map(|name| Some((name.to_string(), Dist::get(&name)?)));
        all.map(|(name, file)| {
            let asset = asset(&name, file);
            (name, asset)
        })
        .collect()
    })
}

fn asset(name: &str, file: EmbeddedFile) -> Asset {
    let content_type = match name.rsplit_once('.').map_or("", |(_, end)| end) {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        _ => "application/octet-stream",
    };
    let policy = match name {
        "index.html" => POLICY,
        "sw.js" => WORKER,
        _ => INERT,
    };
    let digest = file.metadata.sha256_hash();
    let body = match file.data {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    };
    let asset = Asset::known(content_type, policy, body, &digest).gzipped(true);
    match name {
        "index.html" => asset.varies_by(BY),
        _ if name.starts_with("assets/") => asset.forever(),
        _ => asset,
    }
}

/// The page for those who cannot register: it says so, in place of offering it.
fn closed() -> Option<&'static Asset> {
    static PAGE: OnceLock<Option<Asset>> = OnceLock::new();
    let page = PAGE.get_or_init(|| {
        let page = assets::unpack(&Dist::get("index.html")?.data).ok()?;
        let page = str::from_utf8(&page).ok()?.replacen("<html ", CLOSED, 1);
        Some(Asset::page(POLICY, page).varies_by(BY))
    });
    page.as_ref()
}

fn find(name: &str) -> Option<&'static Asset> {
    let mut files = files().iter();
    files.find_map(|(known, asset)| (known == name).then_some(asset))
}

/// Serves the client: its page at each of its views, and what the page loads. At `/` it answers only those who ask for HTML:
/// register it before the plain answer there.
pub fn routes(cfg: &mut ServiceConfig) {
    let start = web::resource("/")
        .guard(guard::fn_guard(wants_html))
        .to(|request: HttpRequest| std::future::ready(shell(&request)));
    cfg.service(start)
        .service(at("/assets/{name}", file))
        .service(at("/sw.js", file))
        .service(at("/icon.svg", file))
        .service(at("/manifest.webmanifest", file))
        .service(at("/r/{view:.*}", shell))
        .service(at("/threads", shell))
        .service(at("/saved", shell));
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

/// A path that can be read, and nothing else.
fn at(path: &str, answer: fn(&HttpRequest) -> HttpResponse) -> Resource {
    let read = move |request: HttpRequest| std::future::ready(answer(&request));
    web::resource(path)
        .route(super::read().to(read))
        .default_service(web::to(|| async {
            problem::method_not_allowed("GET, HEAD")
        }))
}

fn shell(request: &HttpRequest) -> HttpResponse {
    let app = request.app_data::<Shared>();
    let is_open = app.is_none_or(|app| client::may_register(request, &app.config));
    let page = if is_open {
        find("index.html")
    } else {
        closed()
    };
    page.map_or_else(
        || HttpResponse::NotFound().finish(),
        |page| page.answer(request),
    )
}

/// A name of an earlier release is not there: no one may keep that answer.
fn file(request: &HttpRequest) -> HttpResponse {
    match find(request.path().trim_start_matches('/')) {
        Some(file) => file.answer(request),
        None => HttpResponse::NotFound()
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .finish(),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::{
        App,
        http::{StatusCode, header},
        test as probe,
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
        let told = |name| page.headers().get(name).cloned().expect("is told");
        assert_eq!(told(header::CONTENT_TYPE), "text/html; charset=utf-8");
        assert_eq!(told(header::VARY), BY);
        let again = get(browser).insert_header((header::IF_NONE_MATCH, told(header::ETAG)));
        let again = probe::call_service(&app, again.to_request()).await;
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        for accept in ["*/*", "application/json"] {
            let body = probe::call_and_read_body(&app, get(accept).to_request()).await;
            assert_eq!(body, "\"plain\"", "{accept}");
        }
    }
}
