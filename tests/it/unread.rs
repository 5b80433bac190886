//! Nobody has to read what the server answers: who does not costs little, and is cut.

use std::{
    io::{ErrorKind, Write as _},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use crate::support::{Backend, Server, eventually};

/// Most kilobytes that those who read nothing may cost all together.
const MOST_KB: u64 = 64 * 1024;

/// Sends as much of this as is taken, for a while, and reads nothing.
fn push(stream: &mut TcpStream, bytes: &[u8]) {
    stream
        .set_write_timeout(Some(Duration::from_millis(200)))
        .expect("sets");
    let end = Instant::now() + Duration::from_secs(5);
    let mut sent = 0;
    while sent < bytes.len() && Instant::now() < end {
        match stream.write(&bytes[sent..]) {
            Ok(count) => sent += count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            // It was cut already.
            Err(_) => return,
        }
    }
}

#[test]
fn requests_whose_answers_nobody_reads_take_no_memory() {
    let server = Server::with(Backend::Sqlite)
        .env("RUST_LOG", "warn")
        .start();
    server.http().get("/health").expect(200);
    let (before, places) = (server.memory_kb("VmRSS"), server.open_sockets());
    let requests = "GET /health HTTP/1.1\r\nhost: x\r\n\r\n".repeat(18_000);
    let mut streams: Vec<TcpStream> = (0..60)
        .map(|_| server.http().open().expect("connects"))
        .collect();
    thread::scope(|scope| {
        for stream in &mut streams {
            scope.spawn(|| push(stream, requests.as_bytes()));
        }
    });
    // Others are served meanwhile, and after a while these are gone.
    server.http().get("/health").expect(200);
    eventually("who takes nothing is cut", || {
        (server.open_sockets() <= places).then_some(())
    });
    let grown = server.memory_kb("VmHWM").saturating_sub(before);
    assert!(grown < MOST_KB, "{grown} kB");
}
