//! The settings that are lists: proxies, origins, names.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

use super::{Authority, ConfigError, Origin, Settings, wrong};

/// The entries of a list; a comma too many is no entry.
pub(super) fn parse_each<T>(
    entries: &[String],
    parse: impl Fn(&str) -> Result<T, ConfigError>,
) -> Result<Vec<T>, ConfigError> {
    let entries = entries.iter().map(|entry| entry.trim());
    entries
        .filter(|entry| !entry.is_empty())
        .map(parse)
        .collect()
}

/// The networks of IPv4 may be written as IPv6 has them: clients' addresses are compared in the shorter form.
fn canonical(net: IpNet) -> IpNet {
    match (net.addr().to_canonical(), net.prefix_len().checked_sub(96)) {
        (IpAddr::V4(address), Some(prefix)) if net.max_prefix_len() == 128 => {
            Ipv4Net::new(address, prefix).map_or(net, IpNet::V4)
        }
        _ => net,
    }
}

pub(super) fn parse_net(text: &str) -> Result<IpNet, ConfigError> {
    text.parse::<IpNet>()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .map(canonical)
        .map_err(|_| {
            ConfigError(format!(
                "TRUSTED_PROXIES holds `{text}`, which is neither an address (10.0.0.7) nor a network (10.0.0.0/8)."
            ))
        })
}

pub(super) fn parse_host(text: &str) -> Result<url::Host, ConfigError> {
    match Authority::parse(text) {
        Some(Authority { host, port: None }) => Ok(host),
        _ => wrong(format!(
            "ALLOWED_HOSTS holds `{text}`, which is not a name: write each like chat.example.org, without https:// and without a port."
        )),
    }
}

/// Apps have schemes of their own (capacitor://localhost, tauri://localhost); these are the schemes of no page.
const NO_PAGES: [&str; 7] = ["ftp", "ws", "wss", "file", "data", "blob", "javascript"];

pub(super) fn parse_origin(text: &str) -> Result<String, ConfigError> {
    let origin = Origin::parse(text.strip_suffix('/').unwrap_or(text));
    match origin {
        Some(origin) if !NO_PAGES.contains(&origin.scheme.as_str()) => Ok(origin.to_string()),
        _ if text.contains('*') => wrong(format!(
            "CORS_ORIGINS holds `{text}`, and `*` stands for nothing here: write each origin out, like https://chat.example.org."
        )),
        _ => wrong(format!(
            "CORS_ORIGINS holds `{text}`, which is not an origin: write each like https://chat.example.org or capacitor://localhost, without a path."
        )),
    }
}

/// What of these settings was hardly meant so: a sentence for each.
#[must_use]
pub fn doubts(settings: &Settings) -> Vec<String> {
    let trusted = parse_each(&settings.trusted_proxies, parse_net).unwrap_or_default();
    trusted
        .into_iter()
        .filter(|net| match net {
            IpNet::V4(net) => net.prefix_len() < 8,
            // fc00::/7 is all of the private networks.
            IpNet::V6(net) => net.prefix_len() < 7,
        })
        .map(|net| {
            format!(
                "TRUSTED_PROXIES holds {net}, and so nearly everyone: whoever connects can claim any address, which ends all limits on guessing passwords. Name your own proxies only."
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_exact() {
        for (text, expected) in [
            ("https://chat.example.org", "https://chat.example.org"),
            ("https://chat.example.org/", "https://chat.example.org"),
            ("HTTPS://Chat.Example.org:443", "https://chat.example.org"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("https://[::1]:8443", "https://[::1]:8443"),
            ("capacitor://localhost", "capacitor://localhost"),
            ("ionic://localhost", "ionic://localhost"),
            ("tauri://localhost", "tauri://localhost"),
            ("app://obsidian.md", "app://obsidian.md"),
            ("moz-extension://0f2c-11", "moz-extension://0f2c-11"),
        ] {
            assert_eq!(parse_origin(text).as_deref(), Ok(expected), "{text}");
        }
        for text in [
            "*",
            "https://*.example.org",
            "chat.example.org",
            "https://chat.example.org/app",
            "https://chat.example.org//",
            "https://user@chat.example.org",
            "ftp://x",
            "ws://chat.example.org",
            "null",
            "https://",
            "https:",
        ] {
            assert!(parse_origin(text).is_err(), "{text}");
        }
    }

    #[test]
    fn networks_of_ipv4_may_be_written_as_ipv6_has_them() {
        for (text, expected) in [
            ("10.0.0.7", "10.0.0.7/32"),
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("::ffff:10.0.0.1", "10.0.0.1/32"),
            ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
            ("fd00::/8", "fd00::/8"),
            ("::1", "::1/128"),
        ] {
            let net = parse_net(text).map(|net| net.to_string());
            assert_eq!(net.as_deref(), Ok(expected), "{text}");
        }
        for text in [
            "proxy.local",
            "10.0.0.0/33",
            "10.0.0.1:80",
            "[::1]",
            "10.0.0",
        ] {
            assert!(parse_net(text).is_err(), "{text}");
        }
    }

    #[test]
    fn who_is_asked_to_trust_everyone_is_told() {
        let doubts = |nets: &str| doubts(&Settings::of_flags(&["--trusted-proxies", nets]));
        for nets in [
            "0.0.0.0/0",
            "::/0",
            "::ffff:0:0/96",
            "10.0.0.1,0.0.0.0/1",
            "2000::/3",
        ] {
            let said = doubts(nets);
            assert!(
                said.len() == 1 && said[0].contains("TRUSTED_PROXIES"),
                "{nets}: {said:?}"
            );
        }
        for nets in ["127.0.0.1", "10.0.0.0/8,172.16.0.0/12", "fc00::/7", "::1"] {
            assert_eq!(doubts(nets), Vec::<String>::new(), "{nets}");
        }
    }
}
