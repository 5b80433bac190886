//! Files that travel inside the binary, and what a browser is told about each: its type, what it may load and run,
//! and a tag by which it can ask whether it has changed.

use std::{
    io::Read as _,
    sync::{Arc, OnceLock},
};

use actix_web::{
    HttpRequest, HttpResponse, Resource, ResponseError as _,
    http::{
        StatusCode,
        header::{
            self, AcceptEncoding, ContentEncoding, ETag, Encoding, EntityTag, Header, IfNoneMatch,
            Preference, Quality,
        },
    },
    web,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use flate2::read::GzDecoder;
use sha2::{Digest, Sha256};

use crate::error::{Code, Error, Kind, Result};

/// For scripts, styles and data: nothing may be loaded or run on their account.
pub const INERT: &str = "default-src 'none'; frame-ancestors 'none'";

/// One file, ready to be sent. Cloning shares the bytes.
#[derive(Debug, Clone)]
pub struct Asset {
    body: Bytes,
    content_type: &'static str,
    policy: &'static str,
    vary: &'static str,
    keep: &'static str,
    gzipped: bool,
    plain: Arc<OnceLock<Bytes>>,
    tag: EntityTag,
}

impl Asset {
    /// A file of this `Content-Type`, under this content security policy.
    pub fn new(content_type: &'static str, policy: &'static str, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        let digest = Sha256::digest(&body);
        Self::known(content_type, policy, body, &digest)
    }

    /// A file whose digest is known already.
    pub fn known(
        content_type: &'static str,
        policy: &'static str,
        body: Bytes,
        digest: &[u8],
    ) -> Self {
        let start = digest.get(..12).unwrap_or(digest);
        Self {
            // Weak, because a proxy or a middleware may compress what is sent.
            tag: EntityTag::new_weak(URL_SAFE_NO_PAD.encode(start)),
            content_type,
            policy,
            vary: "Accept-Encoding",
            keep: "no-cache",
            gzipped: false,
            plain: Arc::default(),
            body,
        }
    }

    /// A page.
    pub fn page(policy: &'static str, body: impl Into<Bytes>) -> Self {
        Self::new("text/html; charset=utf-8", policy, body)
    }

    /// A script.
    pub fn script(body: impl Into<Bytes>) -> Self {
        Self::new("text/javascript; charset=utf-8", INERT, body)
    }

    /// A style sheet.
    pub fn style(body: impl Into<Bytes>) -> Self {
        Self::new("text/css; charset=utf-8", INERT, body)
    }

    /// A JSON document.
    pub fn json(body: impl Into<Bytes>) -> Self {
        Self::new("application/json", INERT, body)
    }

    /// Says whether the bytes are gzip already.
    #[must_use]
    pub fn gzipped(self, gzipped: bool) -> Self {
        Self { gzipped, ..self }
    }

    /// Names the request headers that decide whether this file is the answer.
    #[must_use]
    pub fn varies_by(self, vary: &'static str) -> Self {
        Self { vary, ..self }
    }

    /// Says that what is at its address never changes.
    #[must_use]
    pub fn forever(self) -> Self {
        let keep = "public, max-age=31536000, immutable";
        Self { keep, ..self }
    }

    /// The file, or 304 to a browser that has it already.
    #[must_use]
    pub fn answer(&self, request: &HttpRequest) -> HttpResponse {
        let known = has_current(request, &self.tag);
        let accepted = Accepted::of(request);
        let packed = self.gzipped && accepted.prefers_gzip();
        if !known && !packed && accepted.identity == Quality::ZERO {
            return not_acceptable();
        }
        let mut response = HttpResponse::build(if known {
            StatusCode::NOT_MODIFIED
        } else {
            StatusCode::OK
        });
        response
            .insert_header(ETag(self.tag.clone()))
            .insert_header((header::CACHE_CONTROL, self.keep))
            .insert_header((header::CONTENT_SECURITY_POLICY, self.policy))
            .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
            .insert_header((header::REFERRER_POLICY, "no-referrer"))
            .insert_header((header::VARY, self.vary));
        if known {
            return response.finish();
        }
        response.content_type(self.content_type);
        if packed {
            response.insert_header(ContentEncoding::Gzip);
        }
        if packed || !self.gzipped {
            return response.body(self.body.clone());
        }
        match self.unpacked() {
            Ok(plain) => response.body(plain),
            Err(error) => error.error_response(),
        }
    }

    /// The bytes of a file that is kept as gzip, for those who do not take that. Unpacked once, by the first of them.
    fn unpacked(&self) -> Result<Bytes> {
        if let Some(plain) = self.plain.get() {
            return Ok(plain.clone());
        }
        let plain = unpack(&self.body)?;
        Ok(self.plain.get_or_init(|| plain).clone())
    }

    /// Serves the file at `path`.
    #[must_use]
    pub fn at(self, path: &str) -> Resource {
        let again = self.clone();
        let get = move |request: HttpRequest| std::future::ready(self.answer(&request));
        let head = move |request: HttpRequest| std::future::ready(again.answer(&request));
        web::resource(path)
            .route(web::get().to(get))
            .route(web::head().to(head))
            .default_service(web::to(|| async {
                HttpResponse::MethodNotAllowed()
                    .insert_header((header::ALLOW, "GET, HEAD"))
                    .finish()
            }))
    }
}

fn not_acceptable() -> HttpResponse {
    let detail = "This file can be had as it is, and some with gzip: take one of the two in `Accept-Encoding`.";
    let mut response = HttpResponse::NotAcceptable()
        .insert_header((header::VARY, "Accept-Encoding"))
        .finish();
    // The middleware that writes the bodies of errors looks for it there.
    let error = Error::new(Kind::BadRequest, Code::NotAcceptable, detail);
    response.extensions_mut().insert(error);
    response
}

fn has_current(request: &HttpRequest, tag: &EntityTag) -> bool {
    match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Any) => request.headers().contains_key(header::IF_NONE_MATCH),
        Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|known| known.weak_eq(tag)),
        Err(_) => false,
    }
}

/// The codings that a client takes, as far as they concern us (RFC 9110, 12.5.3).
#[derive(Debug, Clone, Copy)]
struct Accepted {
    gzip: Quality,
    identity: Quality,
}

impl Accepted {
    fn of(request: &HttpRequest) -> Self {
        let items = AcceptEncoding::parse(request).map_or_else(|_| Vec::new(), |known| known.0);
        let named = |wanted: &Encoding| {
            items.iter().find_map(|accepted| match &accepted.item {
                Preference::Specific(encoding) if encoding == wanted => Some(accepted.quality),
                _ => None,
            })
        };
        let others = items
            .iter()
            .find(|accepted| accepted.item == Preference::Any)
            .map(|accepted| accepted.quality);
        Self {
            gzip: named(&Encoding::gzip()).or(others).unwrap_or(Quality::ZERO),
            // Taken unless it is refused; but what is named is wanted more.
            identity: named(&Encoding::identity())
                .or_else(|| others.filter(|quality| *quality == Quality::ZERO))
                .unwrap_or(Quality::MIN),
        }
    }

    fn prefers_gzip(self) -> bool {
        self.gzip > Quality::ZERO && self.gzip >= self.identity
    }
}

/// What gzip has packed.
///
/// # Errors
/// When it is no gzip.
pub fn unpack(gzip: &[u8]) -> Result<Bytes> {
    let mut plain = Vec::new();
    GzDecoder::new(gzip)
        .read_to_end(&mut plain)
        .map_err(Error::internal)?;
    Ok(plain.into())
}
