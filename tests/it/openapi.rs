//! What the OpenAPI document says is what the server does: schemathesis reads the document, makes up requests, right
//! and wrong ones, and holds every answer against it, with all its checks.

use std::{fs, process::Command};

use crate::{
    contract::tool,
    support::{Backend, Server, User, root},
};

on_both![the_server_does_what_its_document_says];

fn the_server_does_what_its_document_says(backend: Backend) {
    let Some(python) = tool("PARLOUR_TEST_PYTHON") else {
        return;
    };
    // The witness answers no pings meanwhile.
    let server = Server::with(backend)
        .env("PING_INTERVAL_SECONDS", 300)
        // Each of the many logins that it tries would end an older one.
        .env("SESSIONS_PER_USER", 10_000)
        .start();
    let tester = User::register(&server, "tester");
    let mut witness = tester.connect();
    // It leaves files where it runs.
    let contract = root().join("tests/contract");
    for name in ["openapi.toml", "openapi.py"] {
        fs::copy(contract.join(name), server.folder().join(name)).expect("copies");
    }
    // What differs between the databases is how they take odd text, and the coverage phase tries all of that.
    let phases = match backend {
        Backend::Sqlite => "examples,coverage,fuzzing,stateful",
        Backend::Postgres => "examples,coverage",
    };
    // The seed is fixed, so that a run that passed passes again; PARLOUR_TEST_SEED looks elsewhere.
    let seed = std::env::var("PARLOUR_TEST_SEED").unwrap_or_else(|_| "1".into());
    let output = Command::new(python)
        .args([
            "-m",
            "schemathesis.cli",
            "--config-file",
            "openapi.toml",
            "run",
        ])
        .arg(format!("{}/openapi.json", server.url()))
        .args([
            "--checks",
            "all",
            // What is deleted is a tombstone, and still found.
            "--exclude-checks",
            "use_after_free",
            "--max-examples",
            "30",
            "--seed",
            &seed,
            "--phases",
            phases,
        ])
        .args(["--continue-on-failure", "--no-color"])
        .env("PARLOUR_URL", server.url())
        .current_dir(server.folder())
        .output()
        .expect("python runs");
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{report}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    println!("{report}");
    // It has not passed by asking for nothing, or by being refused everything.
    let log = server.log();
    for answer in [
        "method=POST path=/api/auth/register status=201",
        "method=POST path=/api/auth/refresh status=200",
        "method=POST path=/api/auth/logout status=204",
        "method=POST path=/api/rooms/general/messages status=201",
        "method=GET path=/api/rooms/general/messages status=200",
    ] {
        assert!(log.contains(answer), "no {answer} in the log");
    }
    assert!(!log.contains(" status=5"), "a server error:\n{log}");
    witness.say("undisturbed");
}

/// Programs that make a client of the document name its calls so.
#[test]
fn each_operation_has_an_id_of_its_own() {
    let server = Server::start(Backend::Sqlite);
    let document = server.http().get("/openapi.json").expect(200).json();
    let paths = document["paths"].as_object().expect("paths");
    let operations = paths
        .values()
        .flat_map(|path| path.as_object().expect("operations").values());
    let mut ids: Vec<&str> = operations
        .filter_map(|operation| operation["operationId"].as_str())
        .collect();
    let count = ids.len();
    assert!(count > 40, "{ids:?}");
    ids.sort_unstable();
    let of_several: Vec<_> = ids.windows(2).filter(|two| two[0] == two[1]).collect();
    assert!(of_several.is_empty(), "{of_several:?}");
}
