//! Connections to `PostgreSQL`: what each is told at its beginning, and which failures to connect may pass by themselves.

use diesel::{
    connection::SimpleConnection as _, pg::PgConnection, prelude::*, result::DatabaseErrorKind,
};

/// For a statement; for a lock; for a transaction in which nothing happens. A backend whose client has vanished is ended
/// by `PostgreSQL` a few seconds later, whatever its system's own limits are (two hours, as a rule): until then it keeps
/// its locks, and its place among the connections. Nothing that is asked here is worth being compiled first.
///
/// `synchronous_commit` is what "acked is stored" rests on, whatever the server's own configuration says.
const SETTINGS: &str = "SET synchronous_commit = on; SET statement_timeout = '1500ms'; SET lock_timeout = '1500ms'; \
     SET idle_in_transaction_session_timeout = '5s'; SET tcp_keepalives_idle = 2; SET tcp_keepalives_interval = 1; \
     SET tcp_keepalives_count = 3; SET tcp_user_timeout = 5000; SET timezone = 'UTC'; \
     SET client_min_messages = warning; SET jit = off; SET default_transaction_isolation = 'read committed'";

pub(super) fn open(url: &str) -> ConnectionResult<PgConnection> {
    let mut conn = PgConnection::establish(&with_timeouts(url)).map_err(without_url)?;
    conn.batch_execute(SETTINGS)
        .map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(conn)
}

/// When libpq does not understand a URL, it quotes it, password and all.
fn without_url(error: ConnectionError) -> ConnectionError {
    match error {
        ConnectionError::BadConnection(text)
            if text.contains("percent-encoded") || text.contains("URI") =>
        {
            ConnectionError::BadConnection(
                "the URL is not well formed: percent-encode special characters in it".into(),
            )
        }
        other => other,
    }
}

/// Adds time limits to a libpq URL, unless it names its own: without them a host that vanished is waited for by the
/// minute. Of several hosts, the one that takes writes is wanted.
fn with_timeouts(url: &str) -> String {
    let mut text = url.to_owned();
    let mut wanted = vec![
        ("connect_timeout", "2"),
        ("tcp_user_timeout", "2000"),
        ("keepalives_idle", "2"),
        ("keepalives_interval", "1"),
        ("keepalives_count", "2"),
        ("application_name", "parlour"),
    ];
    if has_several_hosts(url) {
        wanted.push(("target_session_attrs", "read-write"));
    }
    for (name, value) in wanted {
        if !text.contains(&format!("{name}=")) {
            text.push(if text.contains('?') { '&' } else { '?' });
            text.push_str(name);
            text.push('=');
            text.push_str(value);
        }
    }
    text
}

fn has_several_hosts(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let hosts = authority.rsplit('@').next().unwrap_or_default();
    let named = rest
        .split_once('?')
        .into_iter()
        .flat_map(|(_, parameters)| parameters.split('&'))
        .any(|parameter| parameter.starts_with("host") && parameter.contains([',']));
    hosts.contains(',') || named
}

/// Whether an error may come from the state that a connection has kept, and go on there when its cause is gone: plans
/// of tables that were changed since, a role's settings as they were at its beginning (read-only, another search path),
/// prepared statements that a pooler does not know. (Diesel hands on no SQLSTATE, so all that the schema itself does not
/// say count, but for statements that took too long.)
pub(super) fn may_outlast(error: &diesel::result::Error) -> bool {
    use diesel::result::Error as DieselError;
    match error {
        DieselError::DatabaseError(
            DatabaseErrorKind::Unknown | DatabaseErrorKind::ReadOnlyTransaction,
            information,
        ) => !information.message().starts_with("canceling statement") && !is_conflict(error),
        _ => false,
    }
}

/// Whether a transaction was given up so that another one could go on (SQLSTATE 40P01 and 40001): nothing of it is stored, the
/// connection is well, and the same again may be stored.
#[must_use]
pub fn is_conflict(error: &diesel::result::Error) -> bool {
    let diesel::result::Error::DatabaseError(kind, information) = error else {
        return false;
    };
    matches!(kind, DatabaseErrorKind::SerializationFailure)
        || information.message() == "deadlock detected"
}

/// What `PostgreSQL` or libpq says when it will say the same again. (libpq does not hand on the code of a refused
/// connection. In another language than English, a refusal is taken for one that may pass: it is told all the same, at
/// once as what is waited for.)
const STAYS: [&str; 17] = [
    "authentication failed",
    "no password supplied",
    "does not exist",
    "no pg_hba.conf entry",
    "is not permitted to log in",
    "permission denied",
    "authentication method",
    "authentication type",
    "channel binding",
    "client encryption",
    "server does not support",
    "certificate",
    "SSL error",
    "unsupported frontend protocol",
    "unrecognized configuration parameter",
    "invalid value for parameter",
    "no such database",
];

/// Whether a failure to connect may pass without anyone changing a setting: the database is still starting, its host
/// cannot be reached or not yet be found, or all of its connections are taken.
#[must_use]
pub fn is_passing(error: &ConnectionError) -> bool {
    match error {
        ConnectionError::BadConnection(text) => {
            let from_the_network = ["connection to server", "could not translate host name"];
            from_the_network.iter().any(|begin| text.contains(begin))
                && !STAYS.iter().any(|words| text.contains(words))
        }
        ConnectionError::CouldntSetupConfiguration(diesel::result::Error::DatabaseError(
            kind,
            _,
        )) => matches!(
            kind,
            DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand
        ),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_limits_are_added_unless_the_url_has_its_own() {
        let url = with_timeouts("postgres://h/db?connect_timeout=9");
        assert!(
            url.starts_with("postgres://h/db?connect_timeout=9&tcp_user_timeout=2000"),
            "{url}"
        );
        assert!(with_timeouts("postgres://h/db").contains("/db?connect_timeout=2&"));
    }

    #[test]
    fn of_several_hosts_the_one_that_takes_writes_is_wanted() {
        for url in [
            "postgres://u:p,q@h1,h2:5433/db",
            "postgres:///db?host=h1,h2",
        ] {
            assert!(
                with_timeouts(url).contains("target_session_attrs=read-write"),
                "{url}"
            );
        }
        for url in [
            "postgres://u:p,q@h/db",
            "postgres://h/a,b",
            "postgres:///db?host=/run/a",
        ] {
            assert!(
                !with_timeouts(url).contains("target_session_attrs"),
                "{url}"
            );
        }
    }

    #[test]
    fn what_may_pass_is_told_from_what_stays() {
        let says = |text: &str| is_passing(&ConnectionError::BadConnection(text.into()));
        let server = "connection to server at \"127.0.0.1\", port 5432 failed: ";
        for passing in [
            "timeout expired",
            "Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?",
            "FATAL:  the database system is starting up",
            "FATAL:  the database system is not yet accepting connections",
            "FATAL:  sorry, too many clients already",
            "server closed the connection unexpectedly",
            "No route to host",
        ] {
            assert!(says(&format!("{server}{passing}")), "{passing}");
        }
        assert!(says(
            "connection to server on socket \"/run/.s.PGSQL.5432\" failed: No such file or directory"
        ));
        assert!(says(
            "could not translate host name \"db\" to address: Name or service not known"
        ));
        for staying in [
            "FATAL:  password authentication failed for user \"u\"",
            "fe_sendauth: no password supplied",
            "FATAL:  database \"x\" does not exist",
            "FATAL:  role \"x\" does not exist",
            "FATAL:  no pg_hba.conf entry for host \"::1\", user \"u\", database \"x\", no encryption",
            "FATAL:  permission denied for database \"x\"",
            "server does not support SSL, but SSL was required",
        ] {
            assert!(!says(&format!("{server}{staying}")), "{staying}");
        }
        assert!(!says("invalid sslmode value: \"x\""));
    }
}
