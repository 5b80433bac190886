//! The web client as the server hands it out: what is kept and how long, what it may do, and that its types are of this server.

use std::{env, fs};

use serde_json::Value;

use crate::support::{Backend, Response, Server, root};

const VIEW: &str = "/next/r/general/412";

fn page(server: &Server) -> Response {
    let answer = server.http().get(VIEW);
    assert_eq!(answer.status, 200);
    answer
}

/// The paths of what the page loads.
fn loaded(page: &str) -> Vec<String> {
    let paths = page.split('"').filter(|part| part.starts_with("/assets/"));
    paths.map(ToOwned::to_owned).collect()
}

#[test]
fn the_page_is_never_kept_and_what_it_loads_is_kept_for_ever() {
    let server = Server::start(Backend::Sqlite);
    let page = page(&server);
    assert_eq!(page.header("cache-control"), Some("no-cache"));
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    let paths = loaded(&page.text());
    for kind in ["js", "css"] {
        let is_of = |path: &String| path.rsplit('.').next() == Some(kind);
        assert!(paths.iter().any(is_of), "no {kind} among {paths:?}");
    }
    for path in paths {
        let plain = server.http().get(&path);
        assert_eq!(plain.status, 200, "{path}");
        let keeps = plain.header("cache-control").unwrap_or_default();
        assert!(keeps.contains("immutable"), "{path}: {keeps}");
        let packed = server
            .http()
            .request("GET", &path, &[("accept-encoding", "gzip")], &[]);
        assert_eq!(packed.header("content-encoding"), Some("gzip"));
        let is_small = plain.body.len() < 1_000;
        assert!(is_small || packed.body.len() < plain.body.len(), "{path}");
    }
    let gone = server.http().get("/assets/index-of-yesterday.js");
    assert_eq!(gone.status, 404);
    assert_eq!(gone.header("cache-control"), Some("no-store"));
}

#[test]
fn the_page_runs_nothing_but_its_own_scripts_and_holds_none() {
    let server = Server::start(Backend::Sqlite);
    let page = page(&server);
    let policy = page.header("content-security-policy").unwrap_or_default();
    for rule in [
        "default-src 'none'",
        "script-src 'self';",
        "style-src 'self';",
        "require-trusted-types-for 'script'",
        "trusted-types svelte-trusted-html dompurify parlour",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(rule), "{rule} is not in {policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    let text = page.text();
    for forbidden in [
        "<script>",
        " style=",
        " onload=",
        " onclick=",
        "javascript:",
        "<style",
    ] {
        assert!(!text.contains(forbidden), "{forbidden} in the page");
    }
}

/// The types of the client are made from these documents: `scripts/web check` holds that. Set `PARLOUR_WRITE_DOCUMENTS` to
/// write them anew, and run `scripts/web`.
#[test]
fn the_client_is_built_by_the_documents_that_the_server_serves() {
    let server = Server::start(Backend::Sqlite);
    for name in ["openapi", "asyncapi"] {
        let told: Value = server.http().get(&format!("/{name}.json")).json();
        let path = root().join(format!("web/api/{name}.json"));
        if env::var_os("PARLOUR_WRITE_DOCUMENTS").is_some() {
            let text = serde_json::to_string_pretty(&told).expect("JSON");
            fs::write(&path, format!("{text}\n")).expect("writes");
        }
        let kept: Value =
            serde_json::from_str(&fs::read_to_string(&path).expect("a text")).expect("JSON");
        assert!(
            told == kept,
            "web/api/{name}.json is not what the server serves: run this test with PARLOUR_WRITE_DOCUMENTS=1, then scripts/web"
        );
    }
}
