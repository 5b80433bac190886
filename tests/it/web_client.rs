//! The web client as the server hands it out: what is kept and how long, what it may do, and that its types are of this server.

use std::{env, fs};

use serde_json::Value;

use crate::support::{Backend, Response, Server, root};

const VIEW: &str = "/r/general/412";
/// Bytes of script that are loaded before anything is seen, as they travel.
const FIRST_LOAD: usize = 120_000;

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
fn each_view_has_the_page_and_a_program_gets_json_at_the_start() {
    let server = Server::start(Backend::Sqlite);
    let ask = |path: &str, accept: &str| {
        let headers = [("accept", accept)];
        server.http().request("GET", path, &headers, &[])
    };
    let browser = "text/html,application/xhtml+xml,*/*;q=0.8";
    let page = page(&server).text();
    for view in [
        "/",
        "/r/general",
        "/r/general/t/7",
        "/r/k%C3%B6ln",
        "/threads",
        "/saved",
    ] {
        let answer = ask(view, browser).expect(200);
        assert!(answer.text() == page, "{view}");
        let vary = answer.header("vary").unwrap_or_default().to_lowercase();
        assert!(
            vary.split(", ").any(|name| name == "accept"),
            "{view}: {vary}"
        );
    }
    for accept in ["*/*", "application/json"] {
        let answer = ask("/", accept).expect(200);
        assert_eq!(answer.json()["message"], "Welcome to Parlour");
        assert!(answer.header("vary").unwrap_or_default().contains("Accept"));
    }
    ask("/radio", browser).expect(404);
}

#[test]
fn what_is_loaded_before_anything_is_seen_is_small() {
    let server = Server::start(Backend::Sqlite);
    let page = page(&server).text();
    let scripts = loaded(&page)
        .into_iter()
        .filter(|path| path.rsplit('.').next() == Some("js"));
    let sizes = scripts.map(|path| {
        let headers = [("accept-encoding", "gzip")];
        let answer = server.http().request("GET", &path, &headers, &[]);
        assert_eq!(answer.header("content-encoding"), Some("gzip"), "{path}");
        answer.body.len()
    });
    let bytes: usize = sizes.sum();
    assert!(
        (1_000..=FIRST_LOAD).contains(&bytes),
        "{bytes} bytes of script are loaded at first"
    );
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
