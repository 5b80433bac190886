//! What a request says of its sender: the address, the origin, the token.

use std::net::IpAddr;

use actix_web::{
    HttpRequest,
    http::{Uri, header},
};
use ipnet::IpNet;

use crate::error::{Error, Kind, Result};

const FORWARDED_FOR: &str = "x-forwarded-for";

/// The address of the client. `X-Forwarded-For` is believed only from the configured proxies, and read from its end:
/// the last entry that is not such a proxy was written by one, everything before it by anyone.
pub fn address(request: &HttpRequest, trusted: &[IpNet]) -> Option<IpAddr> {
    // A listener on `::` shows IPv4 addresses as ::ffff:a.b.c.d.
    let peer = request.peer_addr()?.ip().to_canonical();
    let is_trusted = |address: &IpAddr| trusted.iter().any(|net| net.contains(address));
    if !is_trusted(&peer) {
        return Some(peer);
    }
    let entries: Vec<&str> = request
        .headers()
        .get_all(FORWARDED_FOR)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    let mut last = peer;
    for entry in entries.into_iter().rev() {
        let Ok(address) = entry.trim().parse::<IpAddr>() else {
            break;
        };
        let address = address.to_canonical();
        last = address;
        if !is_trusted(&address) {
            break;
        }
    }
    Some(last)
}

/// Refuses a web page of a foreign origin. Programs send no `Origin`.
///
/// # Errors
/// 403.
pub fn check_origin(request: &HttpRequest, allowed: &[String]) -> Result<()> {
    let Some(origin) = request.headers().get(header::ORIGIN) else {
        return Ok(());
    };
    let origin = origin.to_str().unwrap_or_default();
    let own_host = request
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let own_page = origin.parse::<Uri>().ok().is_some_and(|origin| {
        let authority = origin
            .authority()
            .map(actix_web::http::uri::Authority::as_str);
        authority.is_some() && authority == own_host
    });
    if own_page || allowed.iter().any(|known| known == origin) {
        return Ok(());
    }
    let detail =
        "Pages of this origin may not connect here; the operator can allow it in CORS_ORIGINS.";
    Err(Error::new(Kind::Forbidden, "origin_not_allowed", detail))
}

/// The token of `Authorization: Bearer …`.
pub fn bearer(request: &HttpRequest) -> Option<&str> {
    let value = request
        .headers()
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn seen(peer: &str, forwarded: &str) -> Option<IpAddr> {
        let peer = format!("{peer}:1").parse().expect("an address");
        let request = TestRequest::default()
            .peer_addr(peer)
            .insert_header((FORWARDED_FOR, forwarded))
            .to_http_request();
        address(&request, &["10.0.0.0/8".parse().expect("a network")])
    }

    #[test]
    fn a_forged_address_is_not_believed() {
        let address = |text: &str| Some(text.parse::<IpAddr>().expect("an address"));
        assert_eq!(seen("192.0.2.1", "198.51.100.7"), address("192.0.2.1"));
        assert_eq!(seen("10.0.0.1", "198.51.100.7"), address("198.51.100.7"));
        assert_eq!(
            seen("10.0.0.1", "203.0.113.9, 198.51.100.7, 10.0.0.2"),
            address("198.51.100.7")
        );
        assert_eq!(seen("10.0.0.1", "nonsense"), address("10.0.0.1"));
    }

    #[test]
    fn only_the_own_and_the_allowed_pages_may_connect() {
        let check = |origin: &'static str| {
            let request = TestRequest::default().insert_header(("host", "chat.example:8000"));
            let request = request.insert_header(("origin", origin)).to_http_request();
            check_origin(&request, &["https://app.example".into()]).is_ok()
        };
        assert!(check("http://chat.example:8000") && check("https://app.example"));
        for foreign in [
            "null",
            "https://app.example.evil.test",
            "http://chat.example",
            "http://chat.example:8000.evil.test",
            "",
        ] {
            assert!(!check(foreign), "{foreign}");
        }
    }
}
