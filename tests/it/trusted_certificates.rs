//! Which certificates of a server the clients trust, and what they say about the others.

use std::{fs, path::Path};

use crate::{
    send_and_tail::client,
    support::{Backend, Server, User},
};

/// The PEM of an authority of our own, and of a certificate and its key that it has signed.
fn private_authority() -> [String; 3] {
    let authority_key = rcgen::KeyPair::generate().expect("a key");
    let mut params = rcgen::CertificateParams::new(Vec::<String>::new()).expect("names");
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = params.self_signed(&authority_key).expect("a certificate");
    let issuer = rcgen::Issuer::new(params, authority_key);
    let key = rcgen::KeyPair::generate().expect("a key");
    let certificate = rcgen::CertificateParams::new(vec!["127.0.0.1".into()])
        .expect("names")
        .signed_by(&key, &issuer)
        .expect("a certificate");
    [authority.pem(), certificate.pem(), key.serialize_pem()]
}

#[test]
fn an_authority_of_ones_own_is_trusted_when_it_is_named() {
    let mut server = Server::start(Backend::Sqlite);
    User::register(&server, "alice");
    server.terminate();
    let [authority, certificate, key] = private_authority();
    let home = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        let path = home.path().join(name);
        fs::write(&path, text).expect("writes");
        path.to_string_lossy().into_owned()
    };
    let (authority, empty) = (file("ca.pem", &authority), file("empty.pem", ""));
    server.set_env("TLS_CERT", file("cert.pem", &certificate));
    server.set_env("TLS_KEY", file("key.pem", &key));
    server.start_again();
    let said = |trusted: Option<&str>, address: &str| {
        let mut command = client(&server, home.path(), &["send", "hello"]);
        command.env("PARLOUR_SERVER", address);
        if let Some(file) = trusted {
            command.env("SSL_CERT_FILE", file);
        }
        let output = command.output().expect("it ends");
        let said = String::from_utf8(output.stderr).expect("text");
        (output.status.code(), said)
    };
    let address = format!("https://{}", server.addr);
    let (code, words) = said(None, &address);
    assert_eq!(code, Some(1), "{words}");
    assert!(
        words.contains("SSL_CERT_FILE=/path/to/ca.pem") && words.trim().ends_with('.'),
        "{words}"
    );
    let (code, words) = said(Some(&empty), &address);
    assert!(code == Some(2) && words.contains(&empty), "{words}");
    let (code, words) = said(Some(&authority), &address);
    assert_eq!((code, words.as_str()), (Some(0), ""));
    // A name that is not in the certificate, and the other protocol.
    let other = address.replace("127.0.0.1", "localhost");
    let (code, words) = said(Some(&authority), &other);
    assert!(code == Some(1) && words.contains("another name"), "{words}");
}

/// As `openssl req -x509` makes one: no client takes an authority's own certificate for a server's.
#[test]
fn a_certificate_that_nobody_can_trust_is_explained() {
    let mut server = Server::start(Backend::Sqlite);
    User::register(&server, "alice");
    server.terminate();
    let key = rcgen::KeyPair::generate().expect("a key");
    let mut own = rcgen::CertificateParams::new(vec!["127.0.0.1".into()]).expect("names");
    own.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let own = own.self_signed(&key).expect("a certificate").pem();
    let home = tempfile::tempdir().expect("a folder");
    let [certificate, secret] = ["cert.pem", "key.pem"].map(|name| home.path().join(name));
    fs::write(&certificate, own).expect("writes");
    fs::write(&secret, key.serialize_pem()).expect("writes");
    server.set_env("TLS_CERT", certificate.display());
    server.set_env("TLS_KEY", secret.display());
    server.start_again();
    for trusted in [Path::new(""), &certificate] {
        let output = client(&server, home.path(), &["send", "hello"])
            .env("PARLOUR_SERVER", format!("https://{}", server.addr))
            .env("SSL_CERT_FILE", trusted)
            .output()
            .expect("it ends");
        let said = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(
            said.contains("-addext basicConstraints=critical,CA:FALSE"),
            "{said}"
        );
    }
}
