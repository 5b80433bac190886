//! The address: free, or taken by a Parlour that answers, or by something else. And how to ask a server that runs on
//! this machine.

use std::{
    io::{self, Read as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream},
    sync::Arc,
    time::{Duration, Instant},
};

use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};

use super::Report;
use crate::config::Settings;

/// How long whoever listens there may take to answer.
const TIMEOUT: Duration = Duration::from_secs(3);
/// Most that is read of an answer.
const MOST: u64 = 64 * 1024;

/// What a server answered.
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: String,
}

/// Where the server can be asked from this machine: when it listens on every address, that is loopback.
fn target(settings: &Settings) -> SocketAddr {
    let host = match settings.host {
        IpAddr::V4(host) if host.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(host) if host.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        host => host,
    };
    SocketAddr::new(host, settings.port)
}

/// The same for people.
pub fn address(settings: &Settings) -> String {
    let scheme = if settings.tls_cert.is_some() {
        "https"
    } else {
        "http"
    };
    format!("{scheme}://{}", target(settings))
}

/// Asks for a path and waits for the whole answer.
pub fn ask(settings: &Settings, path: &str, patience: Duration) -> io::Result<Answer> {
    let target = target(settings);
    let deadline = Instant::now() + patience;
    let stream = TcpStream::connect_timeout(&target, patience)?;
    stream.set_write_timeout(Some(patience))?;
    let limited = Limited { stream, deadline };
    let text = if settings.tls_cert.is_some() {
        let name = ServerName::IpAddress(target.ip().into());
        let config = trusting_config().map_err(io::Error::other)?;
        let tls = ClientConnection::new(config, name).map_err(io::Error::other)?;
        converse(&mut StreamOwned::new(tls, limited), target, path)?
    } else {
        let mut limited = limited;
        converse(&mut limited, target, path)?
    };
    let status = text
        .strip_prefix("HTTP/1.")
        .and_then(|rest| rest.get(2..5)?.parse().ok());
    let status = status.ok_or_else(|| io::Error::other("it does not speak HTTP"))?;
    let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    Ok(Answer {
        status,
        body: body.to_owned(),
    })
}

fn converse(
    stream: &mut (impl io::Read + io::Write),
    target: SocketAddr,
    path: &str,
) -> io::Result<String> {
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {target}\r\nAccept: application/json\r\nConnection: close\r\n\r\n"
    )?;
    stream.flush()?;
    let mut bytes = Vec::new();
    match stream.take(MOST).read_to_end(&mut bytes) {
        // A connection that is cut after the answer is no reason to mistrust the answer.
        Err(error) if bytes.is_empty() => Err(error),
        _ => Ok(String::from_utf8_lossy(&bytes).into_owned()),
    }
}

/// A connection that is given up at a certain time, however slowly bytes drip in.
struct Limited {
    stream: TcpStream,
    deadline: Instant,
}

impl io::Read for Limited {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "no answer in time"));
        }
        self.stream.set_read_timeout(Some(left))?;
        self.stream.read(buffer)
    }
}

impl io::Write for Limited {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.stream.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// The certificate is for the name that users know, not for this address; and nothing secret is said.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

fn trusting_config() -> Result<Arc<ClientConfig>, rustls::Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// Whether the server could listen, or does already.
pub fn check_port(settings: &Settings, report: &mut Report) -> bool {
    if settings.port == 0 {
        report.ok("PORT is 0: a free one is taken.");
        return false;
    }
    let wanted = SocketAddr::new(settings.host, settings.port);
    let Err(error) = TcpListener::bind(wanted) else {
        report.ok(format!("{wanted} is free to listen on."));
        return false;
    };
    if error.kind() != io::ErrorKind::AddrInUse {
        let advice = match error.kind() {
            io::ErrorKind::PermissionDenied => {
                "choose a PORT above 1023, or give the program the capability CAP_NET_BIND_SERVICE"
            }
            io::ErrorKind::AddrNotAvailable => "HOST must be an address of this machine",
            _ => "choose another HOST or PORT",
        };
        report.problem(format!(
            "{wanted} cannot be listened on ({error}): {advice}."
        ));
        return false;
    }
    let url = address(settings);
    let is_parlour =
        ask(settings, "/", TIMEOUT).is_ok_and(|answer| answer.body.contains("Welcome to Parlour"));
    if !is_parlour {
        report.problem(format!(
            "{wanted} is taken by another program: stop that, or choose another PORT."
        ));
        return false;
    }
    match ask(settings, "/ready", TIMEOUT) {
        Ok(answer) if answer.status == 200 => {
            report.ok(format!("A Parlour server runs at {url} and can take work."));
        }
        Ok(_) | Err(_) => report.warning(format!(
            "A Parlour server runs at {url}, but cannot take work at this moment: its log says why."
        )),
    }
    true
}
