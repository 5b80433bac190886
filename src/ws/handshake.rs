//! The one road from HTTP to a socket (RFC 6455, section 4.2.1), taken strictly: what a proxy before us could take for
//! something else is refused, for the bytes that follow would then be read by the two in different ways.

use actix_web::{
    HttpRequest, HttpResponseBuilder,
    dev::RequestHead,
    http::{
        Method, Version,
        header::{self, HeaderName},
    },
};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::error::{Code, Error, Kind, Result};

/// Bytes in the key of a handshake.
const KEY_LENGTH: usize = 16;

/// Checks that the request asks for a WebSocket, and gives the answer's head.
///
/// # Errors
/// 426 or 400.
pub fn accept(request: &HttpRequest) -> Result<HttpResponseBuilder> {
    check(request.head())?;
    actix_web_actors::ws::handshake(request).map_err(|_| not_a_handshake())
}

/// Checks that the request asks for a WebSocket of version 13, and for nothing else.
///
/// # Errors
/// 426 or 400.
pub fn check(head: &RequestHead) -> Result<()> {
    if head.version != Version::HTTP_11
        || !only(head, header::UPGRADE).is_some_and(|value| value.eq_ignore_ascii_case("websocket"))
        || !tokens(head, header::CONNECTION).any(|token| token.eq_ignore_ascii_case("upgrade"))
    {
        return Err(upgrade_required());
    }
    if only(head, header::SEC_WEBSOCKET_VERSION) != Some("13") {
        return Err(unsupported_version());
    }
    let is_bodiless = !head.headers().contains_key(header::TRANSFER_ENCODING)
        && head
            .headers()
            .get_all(header::CONTENT_LENGTH)
            .all(|length| length == "0");
    if head.method != Method::GET || !is_bodiless {
        return Err(not_a_handshake());
    }
    let key = only(head, header::SEC_WEBSOCKET_KEY).and_then(|key| STANDARD.decode(key).ok());
    if key.is_none_or(|key| key.len() != KEY_LENGTH) {
        return Err(Error::bad_request(
            Code::InvalidHandshake,
            "The Sec-WebSocket-Key header is missing or not right.",
        ));
    }
    Ok(())
}

/// The value of a header that is there once.
fn only(head: &RequestHead, name: HeaderName) -> Option<&str> {
    let mut values = head.headers().get_all(name);
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok().map(str::trim),
        _ => None,
    }
}

/// The members of a header that is a list.
fn tokens(head: &RequestHead, name: HeaderName) -> impl Iterator<Item = &str> {
    head.headers()
        .get_all(name)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
}

fn not_a_handshake() -> Error {
    Error::bad_request(
        Code::InvalidHandshake,
        "This is not the handshake of a WebSocket.",
    )
}

fn upgrade_required() -> Error {
    Error::new(
        Kind::UpgradeRequired,
        Code::UpgradeRequired,
        "This address speaks WebSocket: connect with ws:// or wss://.",
    )
}

fn unsupported_version() -> Error {
    Error::new(
        Kind::UpgradeRequired,
        Code::UnsupportedVersion,
        "Only version 13 of WebSocket is spoken here.",
    )
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    const RIGHT: [(&str, &str); 4] = [
        ("connection", "keep-alive, Upgrade"),
        ("upgrade", "WebSocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];

    /// The handshake with these headers instead of those of the same names.
    fn changed(method: Method, version: Version, changes: &[(&'static str, &'static str)]) -> bool {
        let kept = RIGHT
            .iter()
            .filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
        let request = TestRequest::default().method(method).version(version);
        let request = kept
            .chain(changes)
            .fold(request, |request, header| request.append_header(*header));
        check(request.to_http_request().head()).is_ok()
    }

    #[test]
    fn one_handshake_is_right() {
        let get = |changes| changed(Method::GET, Version::HTTP_11, changes);
        assert!(get(&[]));
        assert!(get(&[("content-length", "0")]));
        assert!(get(&[("connection", "close"), ("connection", "upgrade")]));
        for wrong in [
            &[("upgrade", "websocket, h2c")][..],
            &[("upgrade", "h2c")],
            &[("upgrade", "websocket"), ("upgrade", "websocket")],
            &[("upgrade", "websocket"), ("upgrade", "h2c")],
            &[("connection", "keep-alive")],
            &[("connection", "xupgrade")],
            &[("transfer-encoding", "chunked")],
            &[("transfer-encoding", "identity")],
            &[("content-length", "5")],
            &[("content-length", "0"), ("content-length", "5")],
            &[("sec-websocket-version", "13, 8")],
            &[
                ("sec-websocket-version", "13"),
                ("sec-websocket-version", "13"),
            ],
            &[("sec-websocket-key", "")],
            &[("sec-websocket-key", "dGhlIHNhbXBsZSBub25j")],
            &[("sec-websocket-key", "no base64 at all!!")],
            &[
                ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
                ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ],
        ] {
            assert!(!get(wrong), "{wrong:?}");
        }
        assert!(!changed(Method::POST, Version::HTTP_11, &[]));
        assert!(!changed(Method::HEAD, Version::HTTP_11, &[]));
        assert!(!changed(Method::GET, Version::HTTP_10, &[]));
    }
}
