//! TLS: the certificate, and the handshakes. Each handshake is waited for by its own connection only: those who open
//! connections and say nothing keep no one else waiting.

use std::{sync::Arc, time::Duration};

use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::config::{ConfigError, TlsFiles};

/// How long a handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
/// Bytes that may wait to be encrypted or sent, beside those in the kernel: a slow client takes them before it is known
/// that it takes anything.
const MOST_WAITING: usize = 16 * 1024;
/// What is spoken below it. Not HTTP/2: ADR 0005 says why.
const PROTOCOLS: [&[u8]; 1] = [b"http/1.1"];

/// Checks that certificate and key can be used, and that they belong together.
///
/// # Errors
/// A sentence about what is not right.
pub fn check(files: &TlsFiles) -> Result<(), ConfigError> {
    tls_config(files).map(drop)
}

fn tls_config(files: &TlsFiles) -> Result<ServerConfig, ConfigError> {
    let wrong = |name: &str, error: &dyn std::fmt::Display| {
        ConfigError(format!("{name} does not hold what it should ({error})."))
    };
    let chain = CertificateDer::pem_file_iter(&files.cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| wrong("TLS_CERT", &error))?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| wrong("TLS_KEY", &error))?;
    ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| wrong("TLS_CERT and TLS_KEY", &error))
}

/// What lets clients in with these files.
///
/// # Errors
/// A sentence about what is not right.
pub fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor, ConfigError> {
    let mut config = tls_config(files)?;
    config.alpn_protocols = PROTOCOLS.map(Into::into).into();
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Agrees with a client on its secrets; `None` when that does not come about in time.
pub async fn shake_hands(
    acceptor: &TlsAcceptor,
    stream: TcpStream,
) -> Option<TlsStream<TcpStream>> {
    let mut stream = tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream))
        .await
        .ok()?
        .ok()?;
    stream.get_mut().1.set_buffer_limit(Some(MOST_WAITING));
    Some(stream)
}
