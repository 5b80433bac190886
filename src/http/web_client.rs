//! The web client: what `scripts/web` has built of `web/`, packed by `build.rs`. Its page is never kept by a browser; all else
//! has a name that changes with its content, and is kept for ever.

use std::{borrow::Cow, sync::OnceLock};

use actix_web::{
    HttpRequest, HttpResponse, Resource,
    http::header,
    web::{self, ServiceConfig},
};
use bytes::Bytes;
use rust_embed::{EmbeddedFile, RustEmbed};

use super::{
    assets::{Asset, INERT},
    problem,
};

/// The worker asks the server for what it keeps.
const WORKER: &str = "default-src 'none'; connect-src 'self'; frame-ancestors 'none'";
/// The client runs its own scripts and styles, talks to its own server, and makes markup of text in two named places alone.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: blob:; \
     font-src 'none'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
     require-trusted-types-for 'script'; trusted-types svelte-trusted-html dompurify parlour";

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
    if name.starts_with("assets/") {
        asset.forever()
    } else {
        asset
    }
}

fn find(name: &str) -> Option<&'static Asset> {
    let mut files = files().iter();
    files.find_map(|(known, asset)| (known == name).then_some(asset))
}

/// Serves the client: its page at each of its views, and what the page loads.
pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(at("/assets/{name}", file))
        .service(at("/sw.js", file))
        .service(at("/icon.svg", file))
        .service(at("/manifest.webmanifest", file))
        .service(at("/next", shell))
        .service(at("/next/{view:.*}", shell));
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
    find("index.html").map_or_else(
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
