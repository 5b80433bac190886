//! A certificate for a server of our own, and a client that trusts no other.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs, pki_types::CertificateDer};

use crate::{Result, Trouble};

/// The name that it is for.
pub const NAME: &str = "localhost";

/// A certificate and its key, in files.
pub struct Certificate {
    /// For `TLS_CERT`.
    pub file: PathBuf,
    /// For `TLS_KEY`.
    pub key: PathBuf,
    der: CertificateDer<'static>,
}

impl Certificate {
    /// Makes one in `folder`.
    ///
    /// # Errors
    /// When it cannot be made or written.
    pub fn make(folder: &Path) -> Result<Self> {
        let made = rcgen::generate_simple_self_signed([NAME.to_owned()])
            .map_err(|error| Trouble(format!("No certificate can be made: {error}.")))?;
        let (file, key) = (folder.join("cert.pem"), folder.join("key.pem"));
        fs::write(&file, made.cert.pem())
            .and_then(|()| fs::write(&key, made.signing_key.serialize_pem()))
            .map_err(|error| Trouble::io("write a certificate", &error))?;
        Ok(Self {
            file,
            key,
            der: made.cert.der().clone(),
        })
    }

    /// What a client speaks TLS with that trusts this one.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn trust(&self) -> Result<Arc<ClientConfig>> {
        let failed = |error: rustls::Error| Trouble(format!("TLS cannot be set up: {error}."));
        let mut roots = RootCertStore::empty();
        roots.add(self.der.clone()).map_err(failed)?;
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(failed)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Arc::new(config))
    }
}
