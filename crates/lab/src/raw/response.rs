//! An answer as it came, and what a test expects of it.

// A failed expectation is how a test speaks, and what it says is in the signature of none of these.
#![allow(
    clippy::panic,
    clippy::missing_panics_doc,
    clippy::missing_errors_doc,
    clippy::must_use_candidate,
    clippy::return_self_not_must_use
)]

use serde_json::Value;

/// An answer.
#[derive(Debug, Clone)]
pub struct Response {
    /// Its status.
    pub status: u16,
    /// Its headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Its body, chunks joined.
    pub body: Vec<u8>,
}

impl Response {
    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find_map(|(known, value)| known.eq_ignore_ascii_case(name).then_some(value.as_str()))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error} in a {} answer: {}", self.status, self.text()))
    }

    /// Fails the test unless the status is this one.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    /// Fails the test unless this is a whole problem+json with this status and code.
    #[track_caller]
    pub fn expect_problem(&self, status: u16, code: &str) {
        self.expect_any_problem();
        let seen = (self.status, self.json()["code"].clone());
        assert_eq!(seen, (status, Value::from(code)), "{}", self.text());
    }

    /// Fails the test unless this is a whole problem+json.
    #[track_caller]
    pub fn expect_any_problem(&self) {
        assert!(
            self.status >= 400,
            "{} is no error: {}",
            self.status,
            self.text()
        );
        let kind = self.header("content-type").unwrap_or("nothing");
        assert!(
            kind.starts_with("application/problem+json"),
            "{kind}: {}",
            self.text()
        );
        let body = self.json();
        assert_eq!(body["status"], self.status, "{body}");
        for field in ["type", "title", "detail", "code", "request_id"] {
            let text = body[field].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "no {field} in {body}");
        }
        assert_eq!(
            body["request_id"].as_str(),
            self.header("x-request-id"),
            "{body}"
        );
        if self.status == 401 {
            let challenge = self.header("www-authenticate").unwrap_or_default();
            assert!(
                challenge.starts_with("Bearer"),
                "WWW-Authenticate: {challenge}"
            );
        }
        if matches!(self.status, 429 | 503) {
            assert!(
                self.header("retry-after").is_some(),
                "no Retry-After: {body}"
            );
        }
        if self.status == 422 {
            let first = &body["errors"][0];
            assert!(
                first["loc"].is_array() && first["msg"].is_string(),
                "{body}"
            );
        }
    }

    /// Fails the test when the answer tells of the inside: of a query, a library, a source file or a panic.
    #[track_caller]
    pub fn expect_nothing_inner(&self) {
        let text = self.text().to_lowercase();
        for leak in [
            "select ", "diesel", "serde", "panicked", "src/", ".rs", "/root", "sqlite", "postgres",
            "line 1", "actix", "tmp/",
        ] {
            assert!(!text.contains(leak), "the answer tells {leak:?}: {text}");
        }
    }

    /// The target of the `Link` header with this `rel`, as path and query.
    pub fn link(&self, rel: &str) -> Option<String> {
        let all = self
            .headers
            .iter()
            .filter(|(name, _)| name == "link")
            .flat_map(|(_, value)| {
                value
                    .split(", <")
                    .map(ToOwned::to_owned)
                    .collect::<Vec<_>>()
            });
        for link in all {
            let (target, rest) = link.split_once('>')?;
            if rest.contains(&format!("rel=\"{rel}\"")) {
                let target = target.trim_start_matches('<');
                let path = target.find("/api").map_or(target, |at| &target[at..]);
                return Some(path.to_owned());
            }
        }
        None
    }
}
