//! `Host` and `Origin`: under which name a request came, and from which page. They are compared here and nowhere else.

use actix_web::{
    HttpRequest,
    http::{Version, header},
};

use url::Host;

use super::client;
use crate::{
    config::{Authority, Config, Origin},
    error::{Code, Error, Kind, Result},
};

const FORWARDED_HOST: &str = "x-forwarded-host";
const FORWARDED_PROTO: &str = "x-forwarded-proto";

/// The name under which the server was asked; `None` from clients of HTTP/1.0 that tell none.
///
/// # Errors
/// 400, when there is not exactly one name (RFC 9112, 3.2).
pub fn host(request: &HttpRequest) -> Result<Option<Authority>> {
    let not_one = || {
        Error::bad_request(
            Code::InvalidHost,
            "A request names the server it is for in one `Host` header, like `Host: chat.example.org`.",
        )
    };
    let mut given = request.headers().get_all(header::HOST);
    let (first, second) = (given.next(), given.next());
    if second.is_some() {
        return Err(not_one());
    }
    let parse = |text: &str| Authority::parse(text).map(Some).ok_or_else(not_one);
    // A whole URL, and the pseudo-header of HTTP/2, go before the header.
    if let Some(authority) = request.uri().authority() {
        return parse(authority.as_str());
    }
    match first {
        Some(value) => parse(value.to_str().map_err(|_| not_one())?),
        None if request.version() < Version::HTTP_11 => Ok(None),
        None => Err(not_one()),
    }
}

/// Refuses a request under a name that the server does not have. A stranger's page can give the stranger's name the
/// address of this machine (DNS rebinding) and would then be, for its browser, the server's own; no page can do so with a
/// number or with `localhost`.
///
/// # Errors
/// 400 or 421.
pub fn check_host(request: &HttpRequest, config: &Config) -> Result<()> {
    let (Some(asked), Some(known)) = (host(request)?, &config.allowed_hosts) else {
        return Ok(());
    };
    let is_known = match &asked.host {
        Host::Domain(_) => asked.is_loopback() || known.contains(&asked.host),
        Host::Ipv4(_) | Host::Ipv6(_) => true,
    };
    if is_known {
        return Ok(());
    }
    let detail = "This server does not know itself under this name. The operator can add the name to ALLOWED_HOSTS or, \
                  where a reverse proxy hands requests on, name the proxy in TRUSTED_PROXIES.";
    Err(Error::new(Kind::Misdirected, Code::HostNotAllowed, detail))
}

/// Refuses a web page of a foreign origin. Programs send no `Origin`.
///
/// # Errors
/// 403.
pub fn check_origin(request: &HttpRequest, config: &Config) -> Result<()> {
    let mut given = request.headers().get_all(header::ORIGIN);
    let (Some(first), second) = (given.next(), given.next()) else {
        return Ok(());
    };
    let origin = first.to_str().ok().filter(|_| second.is_none());
    let is_allowed = origin.is_some_and(|text| {
        let listed = |known: &String| known.eq_ignore_ascii_case(text);
        config.cors_origins.iter().any(listed) || is_own(request, config, text)
    });
    if is_allowed {
        return Ok(());
    }
    let detail = "Pages of this origin may not connect here; the operator can allow it in CORS_ORIGINS. If it is the \
                  server's own, its reverse proxy must hand on `Host` with the port and `X-Forwarded-Proto`, and \
                  stand in TRUSTED_PROXIES.";
    Err(Error::new(Kind::Forbidden, Code::OriginNotAllowed, detail))
}

const FETCH_SITE: &str = "sec-fetch-site";
const FETCH_DEST: &str = "sec-fetch-dest";

/// Whether a browser sent this for a page of another site, without its user having followed a link.
pub fn is_of_foreign_page(request: &HttpRequest, config: &Config) -> bool {
    let headers = request.headers();
    if headers.contains_key(header::ORIGIN) {
        return check_origin(request, config).is_err();
    }
    let is = |name: &str, value: &str| {
        headers
            .get(name)
            .is_some_and(|given| given.as_bytes().eq_ignore_ascii_case(value.as_bytes()))
    };
    is(FETCH_SITE, "cross-site") && !is(FETCH_DEST, "document")
}

/// Whether a page of this origin came from this very server.
pub fn is_own(request: &HttpRequest, config: &Config, origin: &str) -> bool {
    let Some(origin) = Origin::parse(origin) else {
        return false;
    };
    let from_proxy = client::is_from_proxy(request, &config.trusted_proxies);
    let forwarded = |name: &str| last(request, name).filter(|_| from_proxy);
    let scheme = if from_proxy {
        forwarded(FORWARDED_PROTO).and_then(|scheme| scheme_of(&scheme))
    } else {
        Some(if config.tls.is_some() {
            "https"
        } else {
            "http"
        })
    };
    let asked = host(request).ok().flatten();
    let before = forwarded(FORWARDED_HOST).and_then(|host| Authority::parse(&host));
    [asked, before]
        .into_iter()
        .flatten()
        .any(|authority| origin.is_of(&authority, scheme))
}

/// Some proxies tell the scheme of a WebSocket as that.
fn scheme_of(told: &str) -> Option<&'static str> {
    match told.to_ascii_lowercase().as_str() {
        "https" | "wss" => Some("https"),
        "http" | "ws" => Some("http"),
        _ => None,
    }
}

/// The last entry of a list: what the nearest proxy has added.
fn last(request: &HttpRequest, name: &str) -> Option<String> {
    let value = request.headers().get_all(name).last()?.to_str().ok()?;
    let entry = value.rsplit(',').next()?.trim();
    Some(entry.to_owned())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    const PROXY: &str = "10.0.0.1";

    /// Whether a page may connect; the request has these headers.
    fn may_connect(config: &Config, peer: &str, headers: &[(&'static str, &str)]) -> bool {
        let peer = format!("{peer}:1").parse().expect("an address");
        let request = headers
            .iter()
            .fold(TestRequest::default().peer_addr(peer), |request, header| {
                request.append_header(*header)
            });
        check_origin(&request.to_http_request(), config).is_ok()
    }

    #[test]
    fn pages_of_other_sites_are_told_apart_from_links_and_programs() {
        let config = Config::of_flags(&["--cors-origins", "https://friend.example"]);
        let host = ("host", "localhost:8000");
        let is_foreign = |headers: &[(&'static str, &str)]| {
            let request = headers
                .iter()
                .fold(TestRequest::default(), |request, header| {
                    request.append_header(*header)
                });
            is_of_foreign_page(&request.to_http_request(), &config)
        };
        for headers in [
            &[
                host,
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-mode", "no-cors"),
            ][..],
            &[
                host,
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-dest", "iframe"),
            ],
            &[host, ("origin", "https://evil.test")],
            &[host, ("origin", "null")],
        ] {
            assert!(is_foreign(headers), "{headers:?}");
        }
        for headers in [
            &[host][..],
            &[host, ("sec-fetch-site", "same-origin")],
            &[
                host,
                ("sec-fetch-site", "none"),
                ("sec-fetch-dest", "document"),
            ],
            &[
                host,
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-dest", "document"),
            ],
            &[host, ("origin", "http://localhost:8000")],
            &[
                host,
                ("origin", "https://friend.example"),
                ("sec-fetch-site", "cross-site"),
            ],
        ] {
            assert!(!is_foreign(headers), "{headers:?}");
        }
    }

    #[test]
    fn only_the_own_page_may_connect_however_its_name_is_spelled() {
        let config = Config::of_flags(&[]);
        for (host, origin, expected) in [
            ("chat.example:8000", "http://chat.example:8000", true),
            ("Chat.EXAMPLE:8000", "http://chat.example:8000", true),
            ("chat.example.:8000", "http://chat.example:8000", true),
            ("chat.example:80", "http://chat.example", true),
            ("chat.example:", "http://chat.example", true),
            ("chat.example", "http://chat.example:80", true),
            ("[::1]:8000", "http://[::1]:8000", true),
            ("[0:0::1]:8000", "http://[::1]:8000", true),
            ("127.0.0.1:8000", "http://127.0.0.1:8000", true),
            // Another scheme, port or host is another origin.
            ("chat.example:8000", "https://chat.example:8000", false),
            ("chat.example", "https://chat.example", false),
            ("chat.example:443", "https://chat.example", false),
            ("chat.example:8000", "http://chat.example", false),
            ("chat.example:8000", "http://chat.example:8001", false),
            ("chat.example", "http://chat.example.evil.test", false),
            ("chat.example:80", "http://chat.example:80.evil.test", false),
            ("localhost:8000", "http://127.0.0.1:8000", false),
            ("chat.example", "ws://chat.example", false),
            ("localhost", "capacitor://localhost", false),
            // What is no origin.
            ("chat.example", "null", false),
            ("null", "null", false),
            ("chat.example", "", false),
            ("chat.example", "http://chat.example/", false),
            ("chat.example", "http://chat.example/path", false),
            ("chat.example", "http://user@chat.example", false),
            ("chat.example", "chat.example", false),
            ("chat.example", "//chat.example", false),
            (
                "chat.example",
                "http://chat.example http://evil.test",
                false,
            ),
            (
                "chat.example",
                "http://evil.test,http://chat.example",
                false,
            ),
            // What is no host.
            ("", "http://chat.example", false),
            ("user@chat.example", "http://user@chat.example", false),
        ] {
            let seen = may_connect(&config, "192.0.2.1", &[("host", host), ("origin", origin)]);
            assert_eq!(seen, expected, "Host: {host}, Origin: {origin}");
        }
    }

    #[test]
    fn two_hosts_or_origins_are_none() {
        let config = Config::of_flags(&[]);
        let (host, origin) = (("host", "chat.example"), ("origin", "http://chat.example"));
        let check = |headers: &[(&'static str, &str)]| may_connect(&config, "192.0.2.1", headers);
        assert!(check(&[host, origin]) && check(&[host]));
        assert!(!check(&[host, origin, origin]));
        assert!(!check(&[host, ("origin", "http://evil.test"), origin]));
        assert!(!check(&[host, ("host", "evil.test"), origin]));
        assert!(!check(&[("host", "evil.test"), host, origin]));
        assert!(!check(&[origin]));
    }

    #[test]
    fn listed_origins_may_connect_as_they_are_written() {
        let config = Config::of_flags(&["--cors-origins", "https://app.example"]);
        for (origin, expected) in [
            ("https://app.example", true),
            ("HTTPS://APP.example", true),
            ("http://app.example", false),
            ("https://app.example:444", false),
            ("https://app.example.evil.test", false),
        ] {
            let headers = [("host", "chat.example"), ("origin", origin)];
            assert_eq!(
                may_connect(&config, "192.0.2.1", &headers),
                expected,
                "{origin}"
            );
        }
    }

    #[test]
    fn a_proxy_may_say_how_it_was_asked_and_nobody_else_may() {
        let config = Config::of_flags(&["--trusted-proxies", "10.0.0.0/8"]);
        let page = ("origin", "https://chat.example:8443");
        let asked = ("host", "chat.example:8443");
        let inside = ("host", "10.0.0.9:8000");
        let over = |scheme: &'static str| ("x-forwarded-proto", scheme);
        let at = |host: &'static str| ("x-forwarded-host", host);
        for (peer, headers, expected) in [
            (PROXY, vec![asked], true),
            (PROXY, vec![asked, over("https")], true),
            (PROXY, vec![asked, over("HTTPS")], true),
            (PROXY, vec![asked, over("wss")], true),
            (PROXY, vec![asked, over("http, https")], true),
            (PROXY, vec![asked, over("gibberish")], true),
            (PROXY, vec![asked, over("http")], false),
            (PROXY, vec![asked, over("https, http")], false),
            (
                PROXY,
                vec![inside, at("chat.example:8443"), over("https")],
                true,
            ),
            (
                PROXY,
                vec![inside, at("evil.test, CHAT.example:8443")],
                true,
            ),
            (
                PROXY,
                vec![inside, at("chat.example:8443, evil.test")],
                false,
            ),
            (PROXY, vec![inside, over("https")], false),
            (PROXY, vec![("host", "chat.example"), over("https")], false),
            ("192.0.2.1", vec![asked, over("https")], false),
            (
                "192.0.2.1",
                vec![inside, at("chat.example:8443"), over("https")],
                false,
            ),
        ] {
            let headers = [headers, vec![page]].concat();
            assert_eq!(
                may_connect(&config, peer, &headers),
                expected,
                "{peer} {headers:?}"
            );
        }
    }

    /// The status that a request with these headers gets, or 200.
    fn asked_as(config: &Config, headers: &[(&'static str, &str)]) -> u16 {
        let request = headers
            .iter()
            .fold(TestRequest::default(), |request, header| {
                request.append_header(*header)
            });
        check_host(&request.to_http_request(), config).map_or_else(|error| error.status(), |()| 200)
    }

    #[test]
    fn a_name_that_is_not_ours_is_refused_where_no_proxy_and_no_certificate_guards() {
        let alone = Config::of_flags(&[]);
        let named = Config::of_flags(&["--allowed-hosts", "chat.lan, Chat.Example."]);
        let proxied = Config::of_flags(&["--trusted-proxies", "127.0.0.1"]);
        let proxied_and_named = Config::of_flags(&[
            "--host",
            "0.0.0.0",
            "--trusted-proxies",
            "10.0.0.1",
            "--allowed-hosts",
            "chat.example",
        ]);
        for (host, expected) in [
            ("localhost:8000", [200; 4]),
            ("LOCALHOST.", [200; 4]),
            ("chat.localhost:8000", [200; 4]),
            ("127.0.0.1:8000", [200; 4]),
            ("127.1", [200; 4]),
            ("[::1]:8000", [200; 4]),
            // A number cannot be rebound.
            ("192.0.2.7", [200; 4]),
            ("chat.lan:9000", [421, 200, 200, 421]),
            ("chat.example", [421, 200, 200, 200]),
            ("CHAT.example.:8443", [421, 200, 200, 200]),
            ("evil.test", [421, 421, 200, 421]),
            ("evil.test:8000", [421, 421, 200, 421]),
            ("localhost.evil.test", [421, 421, 200, 421]),
            ("127.0.0.1.evil.test", [421, 421, 200, 421]),
            ("sub.chat.example", [421, 421, 200, 421]),
            ("", [400; 4]),
            ("localhost@evil.test", [400; 4]),
            ("evil.test/localhost", [400; 4]),
            ("localhost, evil.test", [400; 4]),
        ] {
            let seen = [&alone, &named, &proxied, &proxied_and_named]
                .map(|config| asked_as(config, &[("host", host)]));
            assert_eq!(seen, expected, "Host: {host}");
        }
        let twice = [("host", "localhost"), ("host", "localhost")];
        assert_eq!(asked_as(&alone, &twice), 400);
        assert_eq!(asked_as(&alone, &[]), 400);
        // What a proxy forwards does not change whom the request is for.
        let forwarded = [("host", "evil.test"), ("x-forwarded-host", "localhost")];
        assert_eq!(asked_as(&alone, &forwarded), 421);
        let old = TestRequest::default().version(Version::HTTP_10);
        assert_eq!(check_host(&old.to_http_request(), &alone), Ok(()));
        let whole = |host: &'static str| {
            let request =
                TestRequest::with_uri("http://evil.test/health").insert_header(("host", host));
            check_host(&request.to_http_request(), &alone).map_err(|error| error.status())
        };
        assert_eq!(whole("localhost"), Err(421));
    }
}
