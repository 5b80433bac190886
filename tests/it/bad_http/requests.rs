//! Requests that break the rules of HTTP, and the statuses with which each may be answered.

/// The statuses allowed; 0 for an end without an answer.
type Allowed = &'static [u16];
/// What it is, the bytes, and what may come back.
pub type Case = (&'static str, Vec<u8>, Allowed);

pub fn broken_framing() -> Vec<Case> {
    let post = |headers: &str, body: &str| {
        format!("POST /api/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{headers}\r\n{body}").into_bytes()
    };
    let body = r#"{"username":"alice","password":"x"}"#;
    vec![
        (
            "two lengths",
            post("content-length: 35\r\ncontent-length: 5\r\n", body),
            &[400],
        ),
        (
            "a length and chunks",
            post(
                "content-length: 5\r\ntransfer-encoding: chunked\r\n",
                "0\r\n\r\n",
            ),
            &[400],
        ),
        (
            "a negative length",
            post("content-length: -1\r\n", body),
            &[400],
        ),
        (
            "a signed length",
            post("content-length: +35\r\n", body),
            &[400],
        ),
        (
            "a length of no number",
            post("content-length: many\r\n", body),
            &[400],
        ),
        (
            "a length past 2^64",
            post("content-length: 99999999999999999999999\r\n", body),
            &[400, 413],
        ),
        (
            "a chunk past 2^64",
            post(
                "transfer-encoding: chunked\r\n",
                "fffffffffffffffff1\r\nx\r\n0\r\n\r\n",
            ),
            &[400],
        ),
        (
            "a chunk of no number",
            post("transfer-encoding: chunked\r\n", "zz\r\nx\r\n0\r\n\r\n"),
            &[400],
        ),
        (
            "an unknown coding",
            post("transfer-encoding: whatever\r\n", body),
            &[400, 501],
        ),
        (
            "chunked twice",
            post("transfer-encoding: chunked, chunked\r\n", "0\r\n\r\n"),
            &[400, 422, 501],
        ),
        (
            "a space before the colon",
            post("content-length : 35\r\n", body),
            &[400],
        ),
        (
            "a folded header",
            post("x-a: b\r\n c\r\ncontent-length: 35\r\n", body),
            &[400, 401],
        ),
    ]
}

/// Chunks that are not what they say. The body in them would be right.
pub fn broken_chunks() -> Vec<Case> {
    let body = r#"{"username":"alice","password":"x"}"#;
    let chunked = |chunks: &str| {
        let head = "POST /api/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
        format!("{head}transfer-encoding: chunked\r\n\r\n{chunks}").into_bytes()
    };
    let size = body.len();
    let bulk = "a".repeat(100_000);
    vec![
        (
            "a chunk longer than its size",
            chunked(&format!("5\r\n{body}\r\n0\r\n\r\n")),
            &[400],
        ),
        (
            "a chunk without its end",
            chunked(&format!("{size:x}\r\n{body}0\r\n\r\n")),
            &[400],
        ),
        (
            "a chunk of a negative size",
            chunked(&format!("-1\r\n{body}\r\n0\r\n\r\n")),
            &[400],
        ),
        (
            "a chunk of a size in 0x",
            chunked(&format!("0x{size:x}\r\n{body}\r\n0\r\n\r\n")),
            &[400],
        ),
        (
            "a bare line feed after a chunk's size",
            chunked(&format!("{size:x}\n{body}\r\n0\r\n\r\n")),
            &[400],
        ),
        (
            "a bare line feed after a chunk",
            chunked(&format!("{size:x}\r\n{body}\n0\r\n\r\n")),
            &[400],
        ),
        (
            "a bare line feed in a chunk's extension",
            chunked(&format!("{size:x};a\nb\r\n{body}\r\n0\r\n\r\n")),
            &[400],
        ),
        (
            "a chunk's extension of 100 kB",
            chunked(&format!("{size:x};{bulk}\r\n{body}\r\n0\r\n\r\n")),
            &[400],
        ),
        (
            "a chunk's extension that does not end",
            chunked(&format!("{size:x};{bulk}")),
            &[400],
        ),
        (
            "zeros before a chunk's size that do not end",
            chunked(&"0".repeat(100_000)),
            &[400],
        ),
        (
            "trailers that do not end",
            chunked(&format!(
                "{size:x}\r\n{body}\r\n0\r\n{}",
                "x-a: b\r\n".repeat(10_000)
            )),
            &[400],
        ),
        (
            "extensions of chunks of one byte",
            chunked(&format!("1;{}\r\n \r\n", "a".repeat(100)).repeat(1_000)),
            &[400],
        ),
        (
            "a million empty lines for a chunk",
            chunked(&"\r\n".repeat(100_000)),
            &[400],
        ),
        (
            "chunks in HTTP/1.0",
            format!(
                "POST /api/auth/login HTTP/1.0\r\ncontent-type: application/json\r\n\
                 transfer-encoding: chunked\r\n\r\n{size:x}\r\n{body}\r\n0\r\n\r\n"
            )
            .into_bytes(),
            &[400],
        ),
    ]
}

/// Heads of a request that are too long.
pub fn long_heads() -> Vec<Case> {
    let get = |rest: &str| format!("GET {rest}\r\n\r\n").into_bytes();
    vec![
        (
            "100 kB of headers",
            get(&format!(
                "/health HTTP/1.1\r\nhost: x{}",
                format!("\r\nx-a: {}", "a".repeat(2_000)).repeat(50)
            )),
            &[431],
        ),
        (
            "400 kB of one header",
            get(&format!(
                "/health HTTP/1.1\r\nhost: x\r\nx-a: {}",
                "a".repeat(400_000)
            )),
            &[400, 431, 0],
        ),
        (
            "a bare carriage return in a header",
            get("/health HTTP/1.1\r\nhost: x\r\nx-a: a\rb"),
            &[400],
        ),
        (
            "a path of 40 kB",
            get(&format!("/{} HTTP/1.1\r\nhost: x", "a".repeat(40_000))),
            &[414, 431],
        ),
        (
            "a query of 40 kB",
            get(&format!(
                "/api/chat/messages?token={} HTTP/1.1\r\nhost: x",
                ".".repeat(40_000)
            )),
            &[414, 431],
        ),
        (
            "1,000 headers",
            get(&format!(
                "/health HTTP/1.1\r\nhost: x{}",
                "\r\nx-a: b".repeat(1000)
            )),
            &[400, 431],
        ),
        (
            "a path of 200 kB",
            get(&format!("/{} HTTP/1.1\r\nhost: x", "a".repeat(200_000))),
            &[400, 404, 414, 431, 0],
        ),
    ]
}

pub fn broken_heads_and_bodies() -> Vec<Case> {
    let get = |rest: &str| format!("GET {rest}\r\n\r\n").into_bytes();
    let post = |body: &str| {
        let head = "POST /api/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
        format!("{head}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
    };
    vec![
        (
            "a NUL in a header",
            get("/health HTTP/1.1\r\nhost: x\r\nx-a: a\0b"),
            &[400],
        ),
        ("no version", b"GET /\r\n\r\n".to_vec(), &[400, 0]),
        ("version 9", get("/ HTTP/9.9\r\nhost: x"), &[400, 505]),
        (
            "garbage",
            b"\x00\x01\x02\xff\xfe garbage \r\n\r\n".to_vec(),
            &[400, 0],
        ),
        (
            "a TLS hello",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n".to_vec(),
            &[400, 0],
        ),
        (
            "an absolute URL",
            get("http://elsewhere.example/api/nothing HTTP/1.1\r\nhost: x"),
            &[421],
        ),
        (
            "a path of bad UTF-8",
            b"GET /\xff\xfe HTTP/1.1\r\nhost: x\r\n\r\n".to_vec(),
            &[400, 404],
        ),
        (
            "a query of bad UTF-8",
            get("/api/chat/messages?limit=%ff HTTP/1.1\r\nhost: x"),
            &[400, 401, 422],
        ),
        (
            "a bearer of bad UTF-8",
            b"GET /api/chat/messages HTTP/1.1\r\nhost: x\r\nauthorization: Bearer \xff\xfe\r\n\r\n"
                .to_vec(),
            &[400, 401],
        ),
        (
            "bare line feeds",
            b"GET /nothing HTTP/1.1\nhost: x\n\n".to_vec(),
            &[400],
        ),
        (
            "a bare line feed at the end",
            b"GET /nothing HTTP/1.1\r\nhost: x\r\n\n".to_vec(),
            &[400],
        ),
        (
            "a bare line feed between headers",
            b"GET /nothing HTTP/1.1\r\nhost: x\nx-a: b\r\n\r\n".to_vec(),
            &[400],
        ),
        (
            "more header lines than are taken",
            format!(
                "GET / HTTP/1.1\r\nhost: x\r\n{}\r\n",
                "x-a: b\r\n".repeat(96)
            )
            .into_bytes(),
            &[431],
        ),
        (
            "HTTP/2 on a plain connection",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec(),
            &[400],
        ),
        (
            "the same key twice",
            post(r#"{"username":"alice","username":"bob","password":"x"}"#),
            &[400, 422],
        ),
        (
            "a number past 2^63",
            post(r#"{"username":"alice","password":99999999999999999999999999}"#),
            &[400, 422],
        ),
    ]
}
