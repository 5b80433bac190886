//! The URLs of PostgreSQL, as its own client library takes them: `postgres://user:password@host:port,host:port/name?…`,
//! where a host may be left out or be a folder with a socket. `url::Url` refuses some of them, and libpq quotes what it
//! does not understand, so the parts are told apart here. No sentence holds anything but the names of parameters.

use std::fmt::Write as _;

use super::{ConfigError, wrong};

const SHAPE: &str = "write it like postgres://user:password@host:5432/parlour";

/// The parameters that libpq knows. (`ssl` is JDBC's, and libpq takes it.)
const KNOWN: &[&str] = &[
    "application_name",
    "channel_binding",
    "client_encoding",
    "connect_timeout",
    "dbname",
    "fallback_application_name",
    "gssdelegation",
    "gssencmode",
    "gsslib",
    "host",
    "hostaddr",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "krbsrvname",
    "load_balance_hosts",
    "options",
    "passfile",
    "password",
    "port",
    "replication",
    "require_auth",
    "requirepeer",
    "service",
    "ssl",
    "ssl_max_protocol_version",
    "ssl_min_protocol_version",
    "sslcert",
    "sslcertmode",
    "sslcompression",
    "sslcrl",
    "sslcrldir",
    "sslkey",
    "sslmode",
    "sslnegotiation",
    "sslpassword",
    "sslrootcert",
    "sslsni",
    "target_session_attrs",
    "tcp_user_timeout",
    "user",
];

/// The parts of a URL, as written.
struct Parts<'a> {
    /// User and password, with the `@`.
    user: &'a str,
    /// Hosts and ports.
    hosts: &'a str,
    /// With the slash.
    name: &'a str,
    parameters: Vec<(&'a str, &'a str)>,
}

/// Takes what stands behind `postgres:`, and tells the URL as libpq and all of Parlour understand it.
pub(super) fn parse(rest: &str) -> Result<String, ConfigError> {
    let Some(rest) = rest.strip_prefix("//") else {
        return wrong(format!("DATABASE_URL is not a valid URL: {SHAPE}."));
    };
    let parts = split(rest)?;
    check_hosts(parts.hosts)?;
    for (name, value) in &parts.parameters {
        check_parameter(name, value)?;
    }
    let mut text = String::from("postgres://");
    // libpq lets these stand in a password; whoever looks for the first of them in a URL would be misled.
    for c in parts.user.chars() {
        if matches!(c, '?' | '#' | ' ') {
            // Writing to a string cannot fail.
            let _infallible = write!(text, "%{:02X}", u32::from(c));
        } else {
            text.push(c);
        }
    }
    text.push_str(parts.hosts);
    text.push_str(parts.name);
    for (number, (name, value)) in parts.parameters.iter().enumerate() {
        text.push(if number == 0 { '?' } else { '&' });
        text.push_str(name);
        text.push('=');
        text.push_str(value);
    }
    Ok(text)
}

/// What may be printed of a URL: the hosts and the name of the database.
pub(super) fn shown(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let Ok(parts) = split(rest).and_then(|parts| check_hosts(parts.hosts).map(|()| parts)) else {
        return "postgres://…".into();
    };
    let parameter = |wanted: &str| {
        let mut found = parts.parameters.iter().filter(|(name, _)| *name == wanted);
        found.next_back().map(|(_, value)| *value)
    };
    // The parameters go before what stands in front of them.
    let host = parameter("host")
        .or(Some(parts.hosts))
        .filter(|hosts| !hosts.is_empty())
        .unwrap_or("localhost");
    let name = parameter("dbname").unwrap_or_else(|| parts.name.trim_start_matches('/'));
    format!(
        "postgres://{}/{name}",
        host.replace("%2F", "/").replace("%2f", "/")
    )
}

fn split(rest: &str) -> Result<Parts<'_>, ConfigError> {
    // The first @ ends the password, and a slash ends the search for it. Any other @ means that one of them stands in
    // the password itself, and all that follows is not what it seems.
    let end_of_user = rest
        .find(['@', '/'])
        .filter(|&at| rest[at..].starts_with('@'));
    let (user, rest) = rest.split_at(end_of_user.map_or(0, |at| at + 1));
    if rest.contains('@') {
        return wrong(
            "DATABASE_URL holds an @ or a / in the password that is not percent-encoded: write @ as %40, / as %2F, : as %3A, % as %25.",
        );
    }
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (hosts, name) = path.split_at(path.find('/').unwrap_or(path.len()));
    if rest.contains('#') || name.matches('/').count() > 1 {
        return wrong(format!(
            "DATABASE_URL has a `#` or a second `/` behind the host: {SHAPE}, with special characters percent-encoded (# is %23)."
        ));
    }
    let parameters = query
        .split('&')
        .filter(|parameter| !parameter.is_empty())
        .map(|parameter| parameter.split_once('='))
        .collect::<Option<Vec<_>>>();
    let Some(parameters) = parameters else {
        return wrong(
            "DATABASE_URL has a parameter without a value behind the `?`: write each like sslmode=require.",
        );
    };
    let parts = Parts {
        user,
        hosts,
        name,
        parameters,
    };
    let values = parts.parameters.iter().map(|(_, value)| *value);
    for part in [user, hosts, name].into_iter().chain(values) {
        check_encoding(part)?;
    }
    Ok(parts)
}

fn check_encoding(part: &str) -> Result<(), ConfigError> {
    let is_encoded = part.split('%').skip(1).all(|behind| {
        let digits = behind.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit) && digits != b"00")
    });
    if is_encoded && !part.contains(|c: char| c.is_control()) {
        return Ok(());
    }
    wrong(
        "DATABASE_URL holds a % that begins no percent-encoding, or a control character: write a % of the password as %25.",
    )
}

fn check_hosts(hosts: &str) -> Result<(), ConfigError> {
    let is_good = hosts.split(',').all(|host| {
        let (host, rest) = match host.strip_prefix('[').and_then(|host| host.split_once(']')) {
            Some((address, rest)) => {
                let is_address = address.parse::<std::net::Ipv6Addr>().is_ok();
                (if is_address { "" } else { "*" }, rest)
            }
            None => host.split_at(host.find(':').unwrap_or(host.len())),
        };
        let port = rest.strip_prefix(':').unwrap_or(rest);
        let is_port = port.is_empty() || (rest.len() > port.len() && port.parse::<u16>().is_ok());
        let is_name = |c: char| c.is_alphanumeric() || "-_.%".contains(c);
        is_port && host.chars().all(is_name)
    });
    if is_good {
        return Ok(());
    }
    wrong(format!(
        "DATABASE_URL has no valid host: {SHAPE}, several hosts with commas between them, and special characters of the password percent-encoded (@ is %40, / is %2F)."
    ))
}

fn check_parameter(name: &str, value: &str) -> Result<(), ConfigError> {
    let has_form = !name.is_empty()
        && name.len() <= 40
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    let asks_for_tls = match name {
        "sslmode" => matches!(value, "require" | "verify-ca" | "verify-full"),
        "ssl" => value == "true",
        _ => false,
    };
    if asks_for_tls && !cfg!(feature = "pg-tls") {
        return wrong(format!(
            "DATABASE_URL asks for TLS to PostgreSQL ({name}={value}), which this build cannot speak: build it with `--features pg-tls`, or use the Docker image."
        ));
    }
    if KNOWN.contains(&name) {
        return Ok(());
    }
    let advice = match name {
        "schema" | "search_path" | "currentSchema" => {
            "to use another schema, write options=-csearch_path%3DNAME"
        }
        "pgbouncer" | "prepareThreshold" | "statement_cache_size" => {
            "take it out; a pooler must run in session mode"
        }
        _ => "take it out, it is another program's",
    };
    if has_form || name == "currentSchema" || name == "prepareThreshold" {
        wrong(format!(
            "DATABASE_URL has the parameter `{name}`, which PostgreSQL's client does not know: {advice}."
        ))
    } else {
        wrong(
            "DATABASE_URL has a parameter behind the `?` that is no name: are the special characters of the password percent-encoded (? is %3F, & is %26)?",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_psql_takes_is_taken_and_shown_without_its_user() {
        for (text, expected, seen) in [
            ("//u:p@h/db", "postgres://u:p@h/db", "postgres://h/db"),
            ("//u@h:5433", "postgres://u@h:5433", "postgres://h:5433/"),
            ("//", "postgres://", "postgres://localhost/"),
            ("///db", "postgres:///db", "postgres://localhost/db"),
            (
                "//u:p@/db?host=/socket",
                "postgres://u:p@/db?host=/socket",
                "postgres:///socket/db",
            ),
            (
                "//u:p@%2Fsocket/db",
                "postgres://u:p@%2Fsocket/db",
                "postgres:///socket/db",
            ),
            (
                "//u:p@h1,h2:5433/db",
                "postgres://u:p@h1,h2:5433/db",
                "postgres://h1,h2:5433/db",
            ),
            (
                "//u:p@[::1]:5432,[fd00::1]/db",
                "postgres://u:p@[::1]:5432,[fd00::1]/db",
                "postgres://[::1]:5432,[fd00::1]/db",
            ),
            (
                "//u:p#q?r s@h/db",
                "postgres://u:p%23q%3Fr%20s@h/db",
                "postgres://h/db",
            ),
            (
                "//u:p%40%2F@h/db",
                "postgres://u:p%40%2F@h/db",
                "postgres://h/db",
            ),
            ("//u:p:q@h/db", "postgres://u:p:q@h/db", "postgres://h/db"),
            (
                "//h/db?user=u&password=p%26&options=-csearch_path%3Dchat&",
                "postgres://h/db?user=u&password=p%26&options=-csearch_path%3Dchat",
                "postgres://h/db",
            ),
            (
                "//h/?dbname=x&sslmode=prefer",
                "postgres://h/?dbname=x&sslmode=prefer",
                "postgres://h/x",
            ),
        ] {
            let url = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(url, expected, "{text}");
            assert_eq!(shown(&url), seen, "{text}");
        }
    }

    #[test]
    fn what_is_not_right_is_told_by_a_sentence() {
        for (text, words) in [
            ("h/db", "not a valid URL"),
            ("//u:p@ss@h/db", "%40"),
            ("//u:p/ss@h/db", "%2F"),
            ("//u:1/ss@h/db", "%2F"),
            ("//u:p%ss@h/db", "%25"),
            ("//h/db?password=hunter2%zz", "%25"),
            ("//h/db?hunter2", "without a value"),
            ("//h/db?Hunter2 x=1", "no name"),
            ("//h:port/db", "no valid host"),
            ("// bad host", "no valid host"),
            ("//[::1/db", "no valid host"),
            ("//[hunter2]/db", "no valid host"),
            ("//h/db/more", "second `/`"),
            ("//h/db#x", "%23"),
            ("//h/db?schema=x", "`schema`"),
            ("//h/db?schema=x", "search_path"),
            ("//h/db?pgbouncer=true", "`pgbouncer`"),
            ("//h/db?sslmod=require", "`sslmod`"),
            ("//h/db?connection_limit=5", "`connection_limit`"),
        ] {
            let said = parse(text).expect_err(text).0;
            assert!(
                said.contains(words) && said.contains("DATABASE_URL"),
                "{text}: {said}"
            );
            assert!(!said.to_lowercase().contains("hunter2"), "{text}: {said}");
        }
        let tls = ["require", "verify-ca", "verify-full"]
            .map(|mode| parse(&format!("//h/db?sslmode={mode}")).is_err());
        assert_eq!(tls, [!cfg!(feature = "pg-tls"); 3]);
    }
}
