//! Whose word the client takes for it that a server is who it says: the authorities that this system trusts, or those
//! that the user names in `SSL_CERT_FILE` or `SSL_CERT_DIR`, as other programs have it.

use std::{path::PathBuf, sync::Arc};

use rustls::{CertificateError, ClientConfig, RootCertStore};

use crate::api::Failure;

/// How TLS is spoken, with those trusted.
///
/// # Errors
/// When the user names certificates and there are none.
pub fn tls() -> Result<Arc<ClientConfig>, Failure> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (taken, _ignored) = roots.add_parsable_certificates(found.certs);
    if taken == 0 {
        if let Some(path) = own_certificates() {
            return Err(Failure::Unusable(format!(
                "There is no certificate in {}, which SSL_CERT_FILE or SSL_CERT_DIR names: give a file with certificates in the PEM form.",
                path.display()
            )));
        }
        // A small container has none. These are the ones that browsers trust.
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    let mut config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    // A WebSocket cannot be opened on a connection that has agreed on HTTP/2.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// What is wrong with a server to which TLS cannot be spoken, and what to do, as the rest of a sentence that begins with
/// its name.
pub fn advice(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            "has a certificate that no authority trusted here has signed. If it is signed by an authority of your own, or by \
             itself, name the certificate of the one that signed: SSL_CERT_FILE=/path/to/ca.pem"
                .to_owned()
        }
        rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => "has a certificate for another name: check the address".to_owned(),
        rustls::Error::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. },
        ) => "has a certificate that has expired: check this computer's clock, or tell who runs the server".to_owned(),
        // The library has no variant for it.
        rustls::Error::InvalidCertificate(CertificateError::Other(other))
            if format!("{other:?}").contains("CaUsedAsEndEntity") =>
        {
            "has an authority's certificate for its own, as `openssl req -x509` makes one, and no client can trust that. \
             Make one that is a server's (add -addext basicConstraints=critical,CA:FALSE), give it to the server as \
             TLS_CERT, and name it here: SSL_CERT_FILE=/path/to/cert.pem"
                .to_owned()
        }
        rustls::Error::InvalidMessage(_) => {
            "does not speak TLS: is it http:// and not https://?".to_owned()
        }
        other => format!("cannot be spoken to securely ({other})"),
    }
}

/// The file of certificates that the user trusts instead of the system's, if one is named as other programs have it.
fn own_certificates() -> Option<PathBuf> {
    std::env::var_os("SSL_CERT_FILE")
        .or_else(|| std::env::var_os("SSL_CERT_DIR"))
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
}
