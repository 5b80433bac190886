//! What a request says of its sender: the address, whether it is this machine, the token.

use std::net::IpAddr;

use actix_web::{
    HttpRequest,
    http::{Version, header},
};
use ipnet::IpNet;

use super::names;
use crate::config::{Config, Registration};

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

/// Whether the request was handed on by one of the configured proxies, whose word counts.
pub fn is_from_proxy(request: &HttpRequest, trusted: &[IpNet]) -> bool {
    request.peer_addr().is_some_and(|peer| {
        let peer = peer.ip().to_canonical();
        trusted.iter().any(|net| net.contains(&peer))
    })
}

/// What proxies add. A request that bears any of these was not sent here by who wrote it.
#[allow(dead_code, reason = "registration is about to ask")]
const TRACES_OF_A_PROXY: [&str; 9] = [
    "forwarded",
    "via",
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-original-forwarded-for",
    "true-client-ip",
    "cf-connecting-ip",
    "fly-client-ip",
];

/// Whether a request was sent by somebody on this very machine, directly: the server listens on loopback alone, no proxy
/// is configured and none has left a trace, and the server was asked under a name of this machine, by a program or by its
/// own page. (Proxies that leave no trace at all speak HTTP/1.0 or hand on their users' `Host`.)
pub fn is_local(request: &HttpRequest, config: &Config) -> bool {
    let listens_here = config.host.is_loopback() && config.trusted_proxies.is_empty();
    let peer_is_here = request
        .peer_addr()
        .is_some_and(|peer| peer.ip().to_canonical().is_loopback());
    let was_forwarded = request.headers().keys().any(|name| {
        let name = name.as_str();
        name.starts_with("x-forwarded") || TRACES_OF_A_PROXY.contains(&name)
    });
    let asked_here = names::host(request)
        .is_ok_and(|host| host.is_some_and(|authority| authority.is_loopback()));
    let mut origins = request.headers().get_all(header::ORIGIN);
    let by_own_page = origins.all(|origin| {
        origin
            .to_str()
            .is_ok_and(|origin| names::is_own(request, config, origin))
    });
    listens_here
        && peer_is_here
        && !was_forwarded
        && request.version() >= Version::HTTP_11
        && asked_here
        && by_own_page
}

/// Whether whoever sent this request may make an account.
pub fn may_register(request: &HttpRequest, config: &Config) -> bool {
    match config.registration {
        Some(Registration::Open) => true,
        Some(Registration::Closed) => false,
        None => is_local(request, config),
    }
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
    fn only_a_direct_request_of_this_machine_is_local() {
        let alone = Config::of_flags(&[]);
        let proxied = Config::of_flags(&["--trusted-proxies", "10.0.0.1"]);
        let open = Config::of_flags(&["--host", "0.0.0.0", "--trusted-proxies", "10.0.0.1"]);
        let host = ("host", "127.0.0.1:8000");
        let local = |config: &Config, peer: &str, headers: &[(&'static str, &str)]| {
            let peer = format!("{peer}:1").parse().expect("an address");
            let request = headers
                .iter()
                .fold(TestRequest::default().peer_addr(peer), |request, header| {
                    request.append_header(*header)
                });
            is_local(&request.to_http_request(), config)
        };
        for headers in [
            vec![host],
            vec![("host", "localhost:8000")],
            vec![("host", "[::1]:8000")],
            vec![("host", "chat.localhost")],
            vec![host, ("origin", "http://127.0.0.1:8000")],
        ] {
            assert!(local(&alone, "127.0.0.1", &headers), "{headers:?}");
            assert!(local(&alone, "[::ffff:127.0.0.1]", &headers), "{headers:?}");
            assert!(!local(&alone, "192.0.2.1", &headers), "{headers:?}");
            assert!(!local(&proxied, "127.0.0.1", &headers), "{headers:?}");
            assert!(!local(&open, "127.0.0.1", &headers), "{headers:?}");
        }
        for headers in [
            vec![],
            vec![host, host],
            vec![("host", "chat.example")],
            vec![("host", "localhost.evil.test")],
            vec![("host", "192.0.2.7:8000")],
            vec![host, ("x-forwarded-for", "127.0.0.1")],
            vec![host, ("x-forwarded-for", "")],
            vec![host, ("x-forwarded-proto", "http")],
            vec![host, ("forwarded", "for=127.0.0.1")],
            vec![host, ("via", "1.1 proxy")],
            vec![host, ("x-real-ip", "127.0.0.1")],
            vec![host, ("cf-connecting-ip", "127.0.0.1")],
            vec![host, ("origin", "https://evil.test")],
            vec![host, ("origin", "null")],
            vec![host, ("origin", "http://localhost:3000")],
            vec![
                host,
                ("origin", "http://127.0.0.1:8000"),
                ("origin", "https://evil.test"),
            ],
        ] {
            assert!(!local(&alone, "127.0.0.1", &headers), "{headers:?}");
        }
        let old = TestRequest::default()
            .version(Version::HTTP_10)
            .peer_addr("127.0.0.1:1".parse().expect("an address"))
            .insert_header(host);
        assert!(!is_local(&old.to_http_request(), &alone));
    }
}
