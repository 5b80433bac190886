//! Where a request comes from: its client's address, and whether that is this very machine.

use std::net::{IpAddr, SocketAddr};

use actix_web::{
    HttpRequest,
    http::{Version, header},
};
use ipnet::IpNet;

use super::origin;
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
    // Bytes, not text: what a client has put before them must not make the entries of the proxies unreadable.
    let entries: Vec<&[u8]> = request
        .headers()
        .get_all(FORWARDED_FOR)
        .flat_map(|value| value.as_bytes().split(|&byte| byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|entry| !entry.is_empty())
        .collect();
    let mut last = peer;
    for entry in entries.into_iter().rev() {
        let Some(address) = parse_entry(entry) else {
            break;
        };
        last = address;
        if !is_trusted(&address) {
            break;
        }
    }
    Some(last)
}

/// An entry of `X-Forwarded-For`: an address, which some proxies write with a port, and IPv6 in brackets.
fn parse_entry(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry).ok()?;
    let in_brackets = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let address: IpAddr = text
        .parse()
        .ok()
        .or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()))
        .or_else(|| in_brackets().map(IpAddr::V6))?;
    Some(address.to_canonical())
}

/// Whether the request was handed on by one of the configured proxies, whose word counts.
pub fn is_from_proxy(request: &HttpRequest, trusted: &[IpNet]) -> bool {
    request.peer_addr().is_some_and(|peer| {
        let peer = peer.ip().to_canonical();
        trusted.iter().any(|net| net.contains(&peer))
    })
}

/// What proxies add. A request that bears any of these was not sent here by who wrote it.
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
    let asked_here = origin::host(request)
        .is_ok_and(|host| host.is_some_and(|authority| authority.is_loopback()));
    let mut origins = request.headers().get_all(header::ORIGIN);
    let by_own_page = origins.all(|origin| {
        origin
            .to_str()
            .is_ok_and(|origin| origin::is_own(request, config, origin))
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

#[cfg(test)]
mod tests {
    use actix_web::{http::header::HeaderValue, test::TestRequest};

    use super::*;

    fn seen(peer: &str, forwarded: &[&[u8]]) -> String {
        let peer = format!("{peer}:1").parse().expect("an address");
        let request =
            forwarded
                .iter()
                .fold(TestRequest::default().peer_addr(peer), |request, value| {
                    let value = HeaderValue::from_bytes(value).expect("a header's value");
                    request.append_header((FORWARDED_FOR, value))
                });
        let config =
            Config::of_flags(&["--trusted-proxies", "10.0.0.0/8,::ffff:172.16.0.1,fd00::/8"]);
        let address = address(&request.to_http_request(), &config.trusted_proxies);
        address
            .map(|address| address.to_string())
            .unwrap_or_default()
    }

    #[test]
    fn a_forged_address_is_not_believed() {
        assert_eq!(seen("192.0.2.1", &[b"198.51.100.7"]), "192.0.2.1");
        assert_eq!(seen("192.0.2.1", &[b"10.0.0.1, 198.51.100.7"]), "192.0.2.1");
        for peer in [
            "10.0.0.1",
            "[::ffff:10.0.0.1]",
            "172.16.0.1",
            "[::ffff:172.16.0.1]",
            "[fd00::1]",
        ] {
            assert_eq!(seen(peer, &[b"198.51.100.7"]), "198.51.100.7", "{peer}");
        }
    }

    #[test]
    fn the_last_entry_that_no_proxy_of_ours_has_written_counts() {
        let peer = "10.0.0.1";
        let cases: &[(&[&[u8]], &str)] = &[
            (&[], peer),
            (&[b""], peer),
            (&[b"198.51.100.7"], "198.51.100.7"),
            (&[b"203.0.113.9, 198.51.100.7, 10.0.0.2"], "198.51.100.7"),
            (
                &[b"203.0.113.9", b"198.51.100.7", b"10.0.0.2"],
                "198.51.100.7",
            ),
            (&[b"203.0.113.9", b"198.51.100.7,10.0.0.2"], "198.51.100.7"),
            // With a port, in brackets, mapped.
            (&[b"198.51.100.7:5678"], "198.51.100.7"),
            (
                &[b"203.0.113.9:80, 198.51.100.7:5678, 10.0.0.2:90"],
                "198.51.100.7",
            ),
            (&[b"2001:db8::7"], "2001:db8::7"),
            (&[b"[2001:db8::7]"], "2001:db8::7"),
            (&[b"[2001:db8::7]:443"], "2001:db8::7"),
            (&[b"::ffff:198.51.100.7"], "198.51.100.7"),
            (&[b"[::ffff:198.51.100.7]:443"], "198.51.100.7"),
            (&[b"198.51.100.7, ::ffff:10.0.0.2"], "198.51.100.7"),
            // Empty entries.
            (&[b"198.51.100.7,"], "198.51.100.7"),
            (&[b"198.51.100.7, ,10.0.0.2 ,, "], "198.51.100.7"),
            (&[b",198.51.100.7"], "198.51.100.7"),
            (&[b",,, "], peer),
            (&[b"198.51.100.7", b""], "198.51.100.7"),
            // What stands before garbage is not believed, and garbage does not hide what stands behind.
            (&[b"nonsense"], peer),
            (&[b"198.51.100.7, unknown"], peer),
            (&[b"203.0.113.9, unknown, 10.0.0.2"], "10.0.0.2"),
            (&[b"\xff\xfe, 198.51.100.7"], "198.51.100.7"),
            (&[b"\xff\xfe", b"198.51.100.7, 10.0.0.2"], "198.51.100.7"),
            (&[b"203.0.113.9, \xff"], peer),
            (&[b"198.51.100.7:"], peer),
            (&[b"198.51.100.7:99999"], peer),
            (&[b"[198.51.100.7]:80"], peer),
            (&[b"[2001:db8::7"], peer),
            (&[b"198.51.100.7 10.0.0.2"], peer),
            (&[b"198.51.100.07"], peer),
        ];
        for (forwarded, expected) in cases {
            let shown: Vec<_> = forwarded
                .iter()
                .map(|value| value.escape_ascii().to_string())
                .collect();
            assert_eq!(seen(peer, forwarded), *expected, "{shown:?}");
        }
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
