//! Existing clients go on working unchanged: Python's requests and websockets, and wscat, with texts to the letter.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
    sync::mpsc,
    thread,
};

use serde_json::Value;

use crate::support::{Backend, Server, TIMEOUT, User, root};

/// The program that `scripts/test` installed. Elsewhere than in CI its absence only skips the test.
pub fn tool(variable: &str) -> Option<String> {
    let found = std::env::var(variable).ok().filter(|path| !path.is_empty());
    if found.is_none() {
        assert!(
            std::env::var_os("CI").is_none(),
            "{variable} is not set: run scripts/test"
        );
        println!("skipped: {variable} is not set; run scripts/test, which sets it");
    }
    found
}

fn run_python(script: &str, server: &Server) {
    run_python_with(script, &server.url(), &[]);
}

fn run_python_with(script: &str, url: &str, env: &[(&str, &Path)]) {
    let Some(python) = tool("PARLOUR_TEST_PYTHON") else {
        return;
    };
    let script = root().join("tests/contract").join(script);
    let output = Command::new(python)
        .arg(&script)
        .arg(url)
        .envs(env.iter().copied())
        .output()
        .expect("python runs");
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

on_both![
    the_rest_core_is_kept_for_python_requests,
    the_socket_core_is_kept_for_python_websockets,
    wscat_can_chat,
];

fn the_rest_core_is_kept_for_python_requests(backend: Backend) {
    run_python(
        "rest.py",
        &Server::with(backend).env("RATE_LIMITS", "on").start(),
    );
}

fn the_socket_core_is_kept_for_python_websockets(backend: Backend) {
    run_python(
        "sockets.py",
        &Server::with(backend).env("RATE_LIMITS", "on").start(),
    );
}

/// The same over HTTPS and WSS, by clients that check the certificate.
#[test]
fn the_core_is_kept_over_tls() {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".into()]).expect("a certificate");
    let folder = tempfile::tempdir().expect("a folder");
    let (cert, key) = (
        folder.path().join("cert.pem"),
        folder.path().join("key.pem"),
    );
    fs::write(&cert, made.cert.pem()).expect("writes");
    fs::write(&key, made.signing_key.serialize_pem()).expect("writes");
    for script in ["rest.py", "sockets.py"] {
        let server = Server::with(Backend::Sqlite)
            .env("RATE_LIMITS", "on")
            .env("TLS_CERT", cert.display())
            .env("TLS_KEY", key.display())
            .start();
        let url = server.url().replace("http:", "https:");
        assert_eq!(server.stdout(), format!("Parlour is listening on {url}\n"));
        // The first is for requests, the second for everything that asks OpenSSL.
        let trusted = [("REQUESTS_CA_BUNDLE", &*cert), ("SSL_CERT_FILE", &*cert)];
        run_python_with(script, &url, &trusted);
    }
}

fn wscat_can_chat(backend: Backend) {
    let Some(wscat) = tool("PARLOUR_TEST_WSCAT") else {
        return;
    };
    let server = Server::start(backend);
    let (alice, bob) = (
        User::register(&server, "alice"),
        User::register(&server, "bob"),
    );
    let mut witness = bob.connect();
    let mut child = Command::new(wscat)
        .args(["--no-color", "--connect"])
        .arg(format!(
            "ws://{}/ws/chat?token={}",
            server.addr, alice.token
        ))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("wscat runs");
    let (tell, lines) = mpsc::channel();
    let stdout = child.stdout.take().expect("piped");
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let _ = tell.send(line);
        }
    });
    // wscat prints prompts and escapes around what it was sent.
    let frame = || -> Value {
        loop {
            let line = lines.recv_timeout(TIMEOUT).expect("wscat prints a frame");
            if let Some(start) = line.find("{\"") {
                return serde_json::from_str(&line[start..]).expect("JSON");
            }
        }
    };
    assert_eq!(frame()["message"], "Connected as alice");
    witness.expect(|frame| frame["message"] == "alice joined the chat");
    let stdin = child.stdin.as_mut().expect("piped");
    writeln!(stdin, r#"{{"type":"message","content":"typed by hand"}}"#).expect("writes");
    stdin.flush().expect("writes");
    let message = frame();
    assert_eq!(
        (&message["username"], &message["content"]),
        (&"alice".into(), &"typed by hand".into())
    );
    witness.expect_message("typed by hand");
    child.kill().expect("kills");
    child.wait().expect("waits");
    witness.expect(|frame| frame["message"] == "alice left the chat");
}
