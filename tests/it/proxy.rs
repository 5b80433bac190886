//! Behind nginx, set up as docs/OPERATIONS.md says, on a port of its own: everything works, and the clients' own addresses
//! count.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
};

use parlour_lab::raw::socket::{Message, WebSocket, upgrade};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, crypto::aws_lc_rs,
    pki_types::ServerName,
};
use serde_json::{Value, json};
use socket2::{Domain, Socket as RawSocket, Type};

use crate::support::{Backend, PASSWORD, Server, TIMEOUT, eventually, root};

const NAME: &str = "chat.example.org";
/// What a client may write, and no one may believe.
const FORGED: [(&str, &str); 5] = [
    ("X-Forwarded-For", "203.0.113.9"),
    ("X-Forwarded-Host", "evil.test"),
    ("X-Forwarded-Proto", "http"),
    ("X-Real-IP", "203.0.113.9"),
    (
        "Forwarded",
        "for=203.0.113.9;host=evil.test;proto=http;by=127.0.0.1",
    ),
];
/// Where the browser is: not the proxy's own address.
const BROWSER: &str = "127.0.0.2:0";

/// The configuration of nginx that docs/OPERATIONS.md shows.
fn documented() -> String {
    let path = root().join("docs/OPERATIONS.md");
    let text = fs::read_to_string(path).expect("docs/OPERATIONS.md");
    let (_, rest) = text.split_once("\nnginx:\n").expect("a part on nginx");
    let block: Vec<&str> = rest
        .lines()
        .skip_while(|line| line.is_empty())
        .map_while(|line| {
            line.strip_prefix("    ")
                .or_else(|| line.is_empty().then_some(line))
        })
        .collect();
    block.join("\n")
}

/// A running nginx.
struct Nginx {
    child: Child,
    addr: SocketAddr,
    trust: Arc<ClientConfig>,
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Nginx {
    /// `None` where nginx is not installed.
    fn start(folder: &Path, server: SocketAddr) -> Option<Self> {
        // Debian keeps it where only root looks for programs.
        let found = ["nginx", "/usr/sbin/nginx"]
            .into_iter()
            .find(|program| Command::new(program).arg("-v").output().is_ok());
        let Some(program) = found else {
            println!("skipped: nginx is not installed");
            return None;
        };
        let made = rcgen::generate_simple_self_signed(vec![NAME.into()]).expect("a certificate");
        fs::write(folder.join("cert.pem"), made.cert.pem()).expect("writes");
        fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).expect("writes");
        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone()).expect("a certificate");
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let trust = Arc::new(config);
        // Another program may take the port between the choice and the start.
        (0..5)
            .find_map(|_| {
                let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
                let addr = port.expect("a free port");
                fs::write(
                    folder.join("nginx.conf"),
                    configuration(folder, addr, server),
                )
                .expect("writes");
                let mut child = Command::new(program)
                    .args(["-p", ".", "-c", "nginx.conf", "-e", "error.log"])
                    .current_dir(folder)
                    .stdin(Stdio::null())
                    .spawn()
                    .expect("nginx starts");
                let runs = eventually("nginx listens or ends", || {
                    let ended = child.try_wait().expect("waits").is_some();
                    (ended || TcpStream::connect(addr).is_ok()).then_some(!ended)
                });
                let trust = Arc::clone(&trust);
                runs.then_some(Self { child, addr, trust })
            })
            .or_else(|| {
                panic!(
                    "nginx does not start: {:?}",
                    fs::read_to_string(folder.join("error.log"))
                )
            })
    }

    /// A connection from [`BROWSER`].
    fn connect(&self) -> StreamOwned<ClientConnection, TcpStream> {
        let socket = RawSocket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        let from: SocketAddr = BROWSER.parse().expect("an address");
        socket.bind(&from.into()).expect("binds");
        socket
            .connect_timeout(&self.addr.into(), TIMEOUT)
            .expect("connects");
        let stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(TIMEOUT)).expect("a limit");
        let name = ServerName::try_from(NAME).expect("a name");
        let tls = ClientConnection::new(Arc::clone(&self.trust), name).expect("a connection");
        StreamOwned::new(tls, stream)
    }

    /// What the browser calls it.
    fn authority(&self) -> String {
        format!("{NAME}:{}", self.addr.port())
    }

    fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let (name, body) = (self.authority(), body.to_string());
        let forged = FORGED
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .concat();
        let mut stream = self.connect();
        write!(
            stream,
            "POST {path} HTTP/1.1\r\nHost: {name}\r\nOrigin: https://{name}\r\n{forged}\
             Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
        .expect("sends");
        let mut bytes = Vec::new();
        let read = stream.read_to_end(&mut bytes);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let status = text.get(9..12).and_then(|status| status.parse().ok());
        let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        let body = body
            .find('{')
            .zip(body.rfind('}'))
            .map(|(from, to)| &body[from..=to]);
        let body = body.and_then(|body| serde_json::from_str(body).ok());
        (
            status.unwrap_or_else(|| panic!("no answer: {read:?} {text}")),
            body.unwrap_or_default(),
        )
    }

    /// Opens a socket as a page of this origin; the error is the status.
    fn open(
        &self,
        token: &str,
        origin: &str,
    ) -> Result<WebSocket<StreamOwned<ClientConnection, TcpStream>>, u16> {
        let url = format!("wss://{}/ws/chat?token={token}", self.authority());
        let headers = [&[("origin", origin)], &FORGED[..]].concat();
        upgrade(self.connect(), &url, &headers)
    }
}

fn configuration(folder: &Path, addr: SocketAddr, server: SocketAddr) -> String {
    let mut site = documented();
    let here = |name: &str| folder.join(name).display().to_string();
    for (documented, fitted) in [
        ("listen 443 ssl;", format!("listen {addr} ssl;")),
        (
            "/etc/letsencrypt/live/chat.example.org/fullchain.pem",
            here("cert.pem"),
        ),
        (
            "/etc/letsencrypt/live/chat.example.org/privkey.pem",
            here("key.pem"),
        ),
        ("/var/log/nginx/parlour.log", here("access.log")),
        ("http://127.0.0.1:8000", format!("http://{server}")),
    ] {
        assert_eq!(
            site.matches(documented).count(),
            1,
            "{documented} in\n{site}"
        );
        site = site.replace(documented, &fitted);
    }
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {};", here(kind)))
        .join("\n");
    format!(
        "daemon off;\nmaster_process off;\npid {};\nevents {{}}\nhttp {{\n{temporary}\n{site}\n}}\n",
        here("nginx.pid")
    )
}

#[test]
fn the_documented_nginx_serves_people_on_any_port() {
    let server = Server::with(Backend::Sqlite)
        .env("TRUSTED_PROXIES", "127.0.0.1")
        .env("REGISTRATION", "open")
        .env("ALLOWED_HOSTS", "")
        .start();
    let folder = tempfile::tempdir().expect("a folder");
    let Some(nginx) = Nginx::start(folder.path(), server.addr) else {
        return;
    };
    let alice = json!({"username": "alice", "password": PASSWORD});
    let (status, made) = nginx.post("/api/auth/register", &alice);
    assert_eq!(
        (status, &made["username"]),
        (201, &json!("alice")),
        "{made}"
    );
    let (status, login) = nginx.post("/api/auth/login", &alice);
    assert_eq!(status, 200, "{login}");
    let token = login["access_token"].as_str().expect("a token");

    let own = format!("https://{}", nginx.authority());
    let mut socket = nginx
        .open(token, &own)
        .unwrap_or_else(|status| panic!("the own page opens no socket: {status}"));
    let first = socket.read().expect("a frame").into_text().expect("text");
    assert!(first.contains("Connected as alice"), "{first}");
    let said = json!({"type": "message", "content": "through nginx", "ref": "1"});
    socket.send(Message::text(said.to_string())).expect("sends");
    eventually("the ack", || {
        let frame = socket.read().expect("a frame").into_text().ok()?;
        frame.contains("\"ack\"").then_some(())
    });

    for foreign in [
        format!("https://{NAME}"),
        format!("http://{}", nginx.authority()),
        format!("{own}.evil.test"),
        "https://evil.test".into(),
        "http://evil.test".into(),
        "null".into(),
    ] {
        assert_eq!(nginx.open(token, &foreign).err(), Some(403), "{foreign}");
    }
    // The address that counts is that of the browser: neither the proxy's nor a forged one.
    let log = server.log();
    let logins: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("/api/auth/"))
        .collect();
    assert_eq!(logins.len(), 2, "{log}");
    assert!(
        logins
            .iter()
            .all(|line| line.contains("address=127.0.0.2 ")),
        "{logins:?}"
    );
    // Tokens stay out of nginx's own log.
    let nginx_log = fs::read_to_string(folder.path().join("access.log")).expect("a log");
    assert!(
        nginx_log.contains("/ws/chat") && !nginx_log.contains(token),
        "{nginx_log}"
    );
}
