//! What passes the door of HTTP: one road leads to a socket, one version is spoken, and whoever only knocks keeps
//! no one else waiting.

use std::{
    fs,
    io::{ErrorKind, Read as _, Write as _},
    net::{IpAddr, SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use socket2::{Domain, Socket, Type};

use crate::support::{Backend, Server, TIMEOUT, User, eventually};

/// What a proxy in front would take for bytes of the socket.
const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nhost: x\r\nx-forwarded-for: 192.0.2.1\r\n\r\n";

/// A handshake on this path with these lines added, or in place of those of the same name.
fn handshake(method: &str, target: &str, version: &str, changes: &[&str]) -> String {
    let lines = [
        "host: x",
        "connection: upgrade",
        "upgrade: websocket",
        "sec-websocket-version: 13",
        "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
    ];
    let name = |line: &str| line.split(':').next().map(str::to_ascii_lowercase);
    let kept = lines
        .iter()
        .filter(|line| changes.iter().all(|change| name(change) != name(line)));
    let lines: Vec<&str> = kept.chain(changes).copied().collect();
    format!(
        "{method} {target} HTTP/{version}\r\n{}\r\n\r\n",
        lines.join("\r\n")
    )
}

/// All that comes until the server closes, which must happen.
fn answers(server: &Server, bytes: &str) -> String {
    let mut stream = server.http().open().expect("connects");
    stream.write_all(bytes.as_bytes()).expect("sends");
    let mut all = Vec::new();
    match stream.read_to_end(&mut all) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        Err(error) => panic!("the connection stays open: {error}: {bytes}"),
    }
    String::from_utf8_lossy(&all).into_owned()
}

#[test]
fn one_road_leads_out_of_http() {
    let server = Server::start(Backend::Sqlite);
    let alice = User::register(&server, "alice");
    let path = format!("/ws/chat?token={}", alice.token);
    let get = |changes: &[&str]| handshake("GET", &path, "1.1", changes);
    let other = |changes: &[&str]| handshake("GET", "/health", "1.1", changes);
    let chunked = "transfer-encoding: chunked";
    for request in [
        get(&["upgrade: websocket, h2c"]),
        get(&["upgrade: h2c, websocket"]),
        get(&["upgrade: h2c"]),
        get(&["upgrade: websocket", "upgrade: websocket"]),
        get(&["upgrade: websocket", "upgrade: h2c"]),
        get(&["upgrade: websocket/13"]),
        get(&["connection: keep-alive"]),
        get(&["connection: close"]),
        get(&[chunked]) + "0\r\n\r\n",
        get(&[chunked, "upgrade: websocket, h2c"]) + "0\r\n\r\n",
        get(&["content-length: 5"]) + "hello",
        get(&["content-length: 5", "upgrade: websocket, h2c"]) + "hello",
        get(&["sec-websocket-key: c2hvcnQ="]),
        get(&["sec-websocket-key: not base64 at all!!!!"]),
        get(&[
            "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
            "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
        ]),
        get(&["sec-websocket-version: 8"]),
        get(&["sec-websocket-version: 13, 8"]),
        handshake("POST", &path, "1.1", &[]),
        handshake("HEAD", &path, "1.1", &[]),
        handshake("GET", &path, "1.0", &[]),
        handshake("GET", &path, "1.0", &["upgrade: websocket, h2c"]),
        other(&[]),
        other(&["upgrade: websocket, h2c"]),
        other(&["upgrade: h2c", "http2-settings: AAMAAABkAAQAoAAAAAIAAAAA"]),
        other(&[chunked]) + "0\r\n\r\n",
        handshake(
            "POST",
            "/api/auth/login",
            "1.1",
            &["upgrade: h2c", "content-length: 2"],
        ) + "{}",
        "CONNECT x:80 HTTP/1.1\r\nhost: x:80\r\n\r\n".into(),
    ] {
        let said = answers(&server, &format!("{request}{SMUGGLED}"));
        assert!(!said.contains(" 101 "), "{request}\n{said}");
        assert_eq!(said.matches("HTTP/1.").count(), 1, "{request}\n{said}");
    }
    assert!(!server.log().contains("/smuggled"), "{}", server.log());
    alice.connect().say("the road is open");
}

/// Whatever can be read tells its head, and nothing but its head, to who asks for that.
#[test]
fn what_can_be_read_has_a_head() {
    let server = Server::start(Backend::Sqlite);
    let alice = User::register(&server, "alice");
    for path in [
        "/",
        "/health",
        "/ready",
        "/docs",
        "/docs/",
        "/redoc",
        "/redoc/",
        "/openapi.json",
        "/asyncapi.json",
        "/api/chat/messages",
        "/api/rooms/general/messages",
    ] {
        let get = alice.http().get(path).expect(200);
        let token = alice.token.as_str();
        let head =
            format!("HEAD {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n");
        let said = alice.http().raw_to_end(head.as_bytes()).expect("an answer");
        let said = String::from_utf8_lossy(&said).to_lowercase();
        assert!(said.starts_with("http/1.1 200 "), "{path}: {said}");
        let length = format!("content-length: {}\r\n", get.body.len());
        assert!(said.contains(&length), "{path}: {said}");
        assert!(said.ends_with("\r\n\r\n"), "{path}: {said}");
    }
    let refused = server
        .http()
        .request("PUT", "/health", &[], &[])
        .expect(405);
    assert_eq!(refused.header("allow"), Some("GET, HEAD"));
}

#[test]
fn who_takes_no_gzip_gets_the_documents_as_they_are() {
    let server = Server::start(Backend::Sqlite);
    for path in ["/docs/swagger-ui-bundle.js", "/redoc/redoc.standalone.js"] {
        let ask = |accept: &str| {
            server
                .http()
                .request("GET", path, &[("accept-encoding", accept)], &[])
        };
        let packed = ask("gzip").expect(200);
        assert_eq!(packed.header("content-encoding"), Some("gzip"), "{path}");
        let plain = ask("identity").expect(200);
        assert_eq!(plain.header("content-encoding"), None, "{path}");
        assert!(plain.text().contains("function"), "{path}");
        ask("identity;q=0, gzip;q=0").expect_problem(406, "not_acceptable");
        ask("*;q=0").expect_problem(406, "not_acceptable");
    }
}

/// A certificate of a server at 127.0.0.1, in a folder of its own.
fn secure(folder: &std::path::Path) -> (String, String, Arc<ClientConfig>) {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".into()]).expect("a certificate");
    let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    fs::write(&cert, made.cert.pem()).expect("writes");
    fs::write(&key, made.signing_key.serialize_pem()).expect("writes");
    let _installed_before = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut roots = RootCertStore::empty();
    let known = CertificateDer::from_pem_slice(made.cert.pem().as_bytes()).expect("a certificate");
    roots.add(known).expect("adds");
    let mut config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    (
        cert.display().to_string(),
        key.display().to_string(),
        Arc::new(config),
    )
}

fn secured(
    config: &Arc<ClientConfig>,
    stream: TcpStream,
) -> StreamOwned<ClientConnection, TcpStream> {
    let name = IpAddr::from([127, 0, 0, 1]).into();
    let connection = ClientConnection::new(Arc::clone(config), name).expect("a client");
    StreamOwned::new(connection, stream)
}

/// A connection from another address of this machine.
fn connect_from(local: [u8; 4], addr: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket
        .bind(&SocketAddr::from((local, 0)).into())
        .expect("binds");
    socket.connect(&addr.into()).expect("connects");
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(TIMEOUT)).expect("sets");
    stream
}

#[test]
fn http_1_is_spoken_to_who_also_offers_http_2() {
    let folder = tempfile::tempdir().expect("a folder");
    let (cert, key, client) = secure(folder.path());
    let server = Server::with(Backend::Sqlite)
        .env("TLS_CERT", cert)
        .env("TLS_KEY", key)
        .start();
    let mut stream = secured(&client, server.http().open().expect("connects"));
    stream
        .write_all(b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        .expect("sends");
    assert_eq!(stream.conn.alpn_protocol(), Some(&b"http/1.1"[..]));
    let mut said = String::new();
    let _no_matter_how_it_ends = stream.read_to_string(&mut said);
    assert!(said.starts_with("HTTP/1.1 200 "), "{said}");
}

/// Whoever opens connections and says nothing on them is counted before anything is done for them.
#[test]
fn silent_handshakes_keep_nobody_waiting() {
    let folder = tempfile::tempdir().expect("a folder");
    let (cert, key, mut client) = secure(folder.path());
    Arc::make_mut(&mut client).alpn_protocols.clear();
    let server = Server::with(Backend::Sqlite)
        .env("TLS_CERT", cert)
        .env("TLS_KEY", key)
        .env("WORKERS", 1)
        .env("RATE_LIMITS", "on")
        .env("CONNECTIONS_PER_ADDRESS", 300)
        .start();
    // On a machine that is busy the silent ones may have had their time before the newcomer has its turn.
    let undisturbed = (0..5).any(|_| {
        let mut silent: Vec<TcpStream> = (0..600)
            .map(|_| connect_from([127, 0, 0, 2], server.addr))
            .collect();
        let mut stream = secured(&client, connect_from([127, 0, 0, 1], server.addr));
        stream
            .write_all(b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            .expect("sends");
        let mut said = [0; 12];
        stream.read_exact(&mut said).expect("an answer");
        assert_eq!(&said, b"HTTP/1.1 200");
        let shortly = Some(Duration::from_millis(1));
        let still_there = |stream: &mut TcpStream| {
            stream.set_read_timeout(shortly).expect("sets");
            let heard = stream.read(&mut [0]);
            heard.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
        };
        still_there(&mut silent[0])
    });
    assert!(undisturbed, "the newcomer was served when others were gone");
}

/// Refusals cost a stranger nothing: they may not fill the disk.
#[test]
fn a_stranger_cannot_fill_the_log() {
    const SENT: usize = 900;
    let mut server = Server::with(Backend::Sqlite)
        .env("RATE_LIMITS", "on")
        .start();
    for _ in 0..SENT {
        let headers = [("host", "evil.test")];
        let answer = server.http().request("GET", "/refused", &headers, &[]);
        answer.expect_problem(421, "host_not_allowed");
    }
    assert_eq!(server.terminate().0.code(), Some(0));
    let log = server.log();
    let said: usize = (log.lines())
        .filter_map(|line| {
            let (before, _) = line.split_once(" requests without a login are not in the log")?;
            before.rsplit(' ').next()?.parse::<usize>().ok()
        })
        .sum();
    let lines = log.lines().filter(|line| line.contains("/refused")).count();
    assert!(said > 0 && lines >= 600, "{lines} lines, {said} left out");
    assert_eq!(lines + said, SENT, "each is there or counted");
}

/// What goes wrong here is seen, however much noise the same address makes.
#[test]
fn a_flood_of_an_address_hides_no_failure_of_the_server() {
    let server = Server::with(Backend::Sqlite)
        .env("RATE_LIMITS", "on")
        .start();
    let flood = || drop(server.http().get("/nothing-here").expect(404));
    (0..650).for_each(|_| flood());
    let outage = server.database.outage();
    let is_seen = AtomicBool::new(false);
    thread::scope(|scope| {
        // Whatever the budget gets back meanwhile is used at once.
        scope.spawn(|| {
            let goes_on = || !is_seen.load(Ordering::Relaxed);
            for _ in (0..1_000).take_while(|_| goes_on()) {
                flood();
                // The flood's own pace: with more of it, this address would be refused, and /ready with it.
                thread::sleep(Duration::from_millis(30));
            }
        });
        eventually("/ready says 503", || {
            (server.http().get("/ready").status == 503).then_some(())
        });
        is_seen.store(true, Ordering::Relaxed);
    });
    server.await_log("GET /ready 503");
    drop(outage);
}
