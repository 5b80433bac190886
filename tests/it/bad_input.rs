//! Everything hostile at once, again and again: whoever behaves notices nothing, and afterwards the server is as it was.
//! What each single thing gets is told by `bad_http`, `bad_frames`, `problem` and `limits`, whose tables are used here.

use std::{
    io::Write as _,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::{
    bad_frames, bad_http, problem,
    support::{Backend, Http, Server, User, read_response},
};

/// One request or frame of every kind.
fn all_of_it(http: &Http, mallory: &User) {
    let broken = [
        bad_http::broken_framing(),
        bad_http::broken_chunks(),
        bad_http::long_heads(),
        bad_http::broken_heads_and_bodies(),
    ];
    for (case, bytes, _) in broken.into_iter().flatten() {
        let mut stream = http.open().expect("connects");
        let _ = stream.write_all(&bytes);
        if let Ok(answer) = read_response(&mut stream) {
            assert!(
                (400..500).contains(&answer.status),
                "{case}: {}",
                answer.status
            );
            answer.expect_nothing_inner();
        }
    }
    for (method, path, headers, body, _) in problem::CASES {
        let answer = mallory
            .http()
            .request(method, path, headers, body.as_bytes());
        assert!(
            (400..500).contains(&answer.status),
            "{method} {path}: {}",
            answer.status
        );
        answer.expect_nothing_inner();
    }
    for (_, bytes, _) in bad_frames::hostile() {
        let mut socket = mallory.connect();
        let _ = socket.send_raw(&bytes);
        socket.expect_end();
    }
    // Ten within a minute would be the end of the socket.
    for few in bad_frames::NONSENSE.chunks(8) {
        let mut socket = mallory.connect();
        for (text, _) in few {
            socket.send_text(text);
            let error = socket.expect_type("error");
            let detail = error["detail"].as_str().unwrap_or_default();
            assert!(
                !detail.contains(" line ") && !detail.contains("serde"),
                "{error}"
            );
        }
        socket.close();
    }
}

#[test]
fn whoever_behaves_notices_nothing_and_memory_comes_back() {
    let server = Server::start(Backend::Sqlite);
    let (alice, bob) = (
        User::register(&server, "alice"),
        User::register(&server, "bob"),
    );
    let mallory = User::register(&server, "mallory");
    let http = server.http();
    // The first times make what is made once: threads' memory, statements, buffers.
    for _ in 0..4 {
        all_of_it(&http, &mallory);
    }
    let before = server.memory_kb("VmRSS");
    let over = AtomicBool::new(false);
    let (said, slowest) = thread::scope(|scope| {
        let talk = scope.spawn(|| {
            let (mut hers, mut his) = (alice.connect(), bob.connect());
            let (mut said, mut slowest) = (0_u32, Duration::ZERO);
            while !over.load(Ordering::Relaxed) {
                let content = format!("m{said}");
                let began = Instant::now();
                hers.say(&content);
                his.expect_message(&content);
                slowest = slowest.max(began.elapsed());
                said += 1;
            }
            (said, slowest)
        });
        thread::scope(|crowd| {
            for _ in 0..4 {
                crowd.spawn(|| {
                    for _ in 0..4 {
                        all_of_it(&http, &mallory);
                    }
                });
            }
        });
        over.store(true, Ordering::Relaxed);
        talk.join().expect("nobody was disturbed")
    });
    let history: Vec<String> = alice
        .history()
        .iter()
        .filter_map(|message| message["content"].as_str().map(ToOwned::to_owned))
        .collect();
    let wanted: Vec<String> = (0..said).map(|n| format!("m{n}")).collect();
    assert_eq!(history, wanted);
    assert!(
        said > 20 && slowest < Duration::from_secs(2),
        "{said} said, the slowest took {slowest:?}"
    );
    let grown = server.memory_kb("VmRSS").saturating_sub(before);
    println!("{said} messages meanwhile, the slowest {slowest:?}; {grown} kB more than before");
    assert!(grown < 8 * 1024, "{grown} kB more than before");
    server.http().get("/ready").expect(200);
}
