//! Names of servers and of web pages, parsed so that two spellings of one name are equal: `Host` as RFC 9110 (7.2) has
//! it, `Origin` as RFC 6454 has it, hosts as the URL standard reads them.

use std::fmt;

use url::Host;

/// A host and perhaps a port, as in `Host`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    /// In lower case, without the dot at the end of a whole domain name.
    pub host: Host,
    /// As written; `None` is the default of the scheme.
    pub port: Option<u16>,
}

impl Authority {
    /// Understands `host`, `host:port` and `host:`; nothing with a user name, a path or a space.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let after_host = if text.starts_with('[') {
            text.find(']')? + 1
        } else {
            text.find(':').unwrap_or(text.len())
        };
        let (host, rest) = text.split_at(after_host);
        let port = match rest.strip_prefix(':') {
            None if !rest.is_empty() => return None,
            None | Some("") => None,
            // `parse` alone would take a sign.
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
                Some(digits.parse().ok()?)
            }
            Some(_) => return None,
        };
        let host = Host::parse(host.strip_suffix('.').unwrap_or(host)).ok()?;
        let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        match &host {
            Host::Domain(name) if !name.chars().all(is_name) => None,
            _ => Some(Self { host, port }),
        }
    }

    /// Whether only this machine can be meant.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        match &self.host {
            Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => address.to_canonical().is_loopback(),
        }
    }

    fn port_under(&self, scheme: &str) -> Option<u16> {
        self.port.or_else(|| default_port(scheme))
    }
}

/// Where a web page came from: a scheme, a host and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// In lower case.
    pub scheme: String,
    /// With the port that counts: `None` only for schemes that have no default.
    pub authority: Authority,
}

impl Origin {
    /// Understands what a browser sends in `Origin`; neither `null` nor anything with a path.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let begins_well = scheme.starts_with(|c: char| c.is_ascii_alphabetic());
        let known = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
        if !begins_well || !scheme.chars().all(known) {
            return None;
        }
        let scheme = scheme.to_ascii_lowercase();
        let mut authority = Authority::parse(rest)?;
        authority.port = authority.port_under(&scheme);
        Some(Self { scheme, authority })
    }

    /// Whether a page of this origin came from the server at `authority`, which speaks `scheme` (`None`: it is not known
    /// which, since a proxy does not say).
    #[must_use]
    pub fn is_of(&self, authority: &Authority, scheme: Option<&str>) -> bool {
        let speaks = match scheme {
            Some(scheme) => scheme == self.scheme,
            None => matches!(self.scheme.as_str(), "http" | "https"),
        };
        speaks
            && self.authority.host == authority.host
            && self.authority.port == authority.port_under(&self.scheme)
    }
}

/// As browsers write it: without the default port.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.authority.host)?;
        match self.authority.port {
            Some(port) if default_port(&self.scheme) != Some(port) => write!(f, ":{port}"),
            _ => Ok(()),
        }
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_spellings_of_one_name_are_equal() {
        let parse = |text: &str| Authority::parse(text).unwrap_or_else(|| panic!("{text}"));
        for (one, other) in [
            ("chat.example", "CHAT.Example"),
            ("chat.example", "chat.example."),
            ("chat.example", "chat.example:"),
            ("chat.example:8000", "chat.example:08000"),
            ("[::1]:80", "[0:0:0:0:0:0:0:1]:80"),
            ("127.0.0.1", "127.1"),
            ("127.0.0.1", "127.0.0.1."),
            ("xn--bcher-kva.example", "b\u{fc}cher.example"),
        ] {
            assert_eq!(parse(one), parse(other), "{one} {other}");
        }
        for (one, other) in [
            ("chat.example", "chat.example:80"),
            ("chat.example", "chat.example.evil.test"),
            ("chat.example", "xchat.example"),
            ("127.0.0.1", "127.0.0.2"),
        ] {
            assert_ne!(parse(one), parse(other), "{one} {other}");
        }
    }

    #[test]
    fn what_is_no_name_is_none() {
        for text in [
            "",
            ".",
            ":80",
            "a b",
            "a:b",
            "a:+80",
            "a:80:80",
            "a:65536",
            "user@chat.example",
            "chat.example/path",
            "chat.example?q",
            "chat.example#f",
            "a,b",
            "*.example",
            "[::1",
            "[::1]80",
            "::1",
            "[evil.test]",
            "1.2.3.4.5",
            "256.1.1.1",
            "a\u{0}b",
            "a\\b",
        ] {
            assert_eq!(Authority::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn only_names_of_this_machine_are_loopback() {
        let is = |text: &str| Authority::parse(text).is_some_and(|name| name.is_loopback());
        for text in [
            "localhost",
            "LOCALHOST.:8000",
            "chat.localhost",
            "127.0.0.1:8000",
            "127.9.9.9",
            "127.1",
            "0x7f000001",
            "[::1]",
            "[::ffff:127.0.0.1]:80",
        ] {
            assert!(is(text), "{text}");
        }
        for text in [
            "localhost.evil.test",
            "evil-localhost",
            "xlocalhost",
            "127.0.0.1.evil.test",
            "127-0-0-1.evil.test",
            "128.0.0.1",
            "0.0.0.0",
            "[::]",
            "evil.test",
        ] {
            assert!(!is(text), "{text}");
        }
    }

    #[test]
    fn an_origin_is_shown_as_browsers_write_it() {
        let shown = |text: &str| Origin::parse(text).map(|origin| origin.to_string());
        for (text, expected) in [
            ("https://chat.example", "https://chat.example"),
            ("HTTPS://Chat.Example:443", "https://chat.example"),
            ("http://chat.example:443", "http://chat.example:443"),
            ("https://[::1]:8443", "https://[::1]:8443"),
            ("capacitor://localhost", "capacitor://localhost"),
        ] {
            assert_eq!(shown(text).as_deref(), Some(expected), "{text}");
        }
        for text in [
            "null",
            "",
            "chat.example",
            "https://",
            "https://chat.example/",
            "https://user@chat.example",
            "https://a.example https://b.example",
            "1https://a",
            "://a",
        ] {
            assert_eq!(shown(text), None, "{text}");
        }
    }
}
