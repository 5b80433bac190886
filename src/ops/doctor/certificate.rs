//! The files for HTTPS: whether they belong together, and how long the certificate is good for.

use chrono::{NaiveDateTime, TimeDelta};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};

use super::Report;
use crate::{
    config::TlsFiles,
    http::tls,
    protocol::time::{Timestamp, now},
};

/// A certificate that ends within this time should have been renewed.
const SOON: TimeDelta = TimeDelta::days(14);

/// Checks certificate and key.
pub fn check(files: &TlsFiles, report: &mut Report) {
    if let Err(error) = tls::check(files) {
        report.problem(error.0);
        return;
    }
    report.ok("TLS_CERT and TLS_KEY belong together.");
    let first = CertificateDer::pem_file_iter(&files.cert)
        .ok()
        .and_then(|mut chain| chain.next()?.ok());
    let Some((from, until)) = first.as_deref().and_then(validity) else {
        report.warning("How long the certificate is good for cannot be read from TLS_CERT.");
        return;
    };
    let day = until.format("%Y-%m-%d");
    if now() < from {
        report.problem(format!(
            "The certificate is good only from {} on: check the clock, or get another.",
            from.format("%Y-%m-%d %H:%M")
        ));
    } else if now() > until {
        report.problem(format!(
            "The certificate ended on {day}: renew it, then restart Parlour."
        ));
    } else if now() + SOON > until {
        report.warning(format!(
            "The certificate ends on {day}: renew it, then restart Parlour."
        ));
    } else {
        report.ok(format!("The certificate is good until {day}."));
    }
}

/// From when until when a certificate is good: the fifth field of its first part (RFC 5280, 4.1), or the fourth when
/// the version is left out.
fn validity(certificate: &[u8]) -> Option<(Timestamp, Timestamp)> {
    const SEQUENCE: u8 = 0x30;
    const VERSION: u8 = 0xa0;
    let (tag, whole, _) = element(certificate)?;
    let (inner_tag, mut rest, _) = element(whole)?;
    if (tag, inner_tag) != (SEQUENCE, SEQUENCE) {
        return None;
    }
    if rest.first() == Some(&VERSION) {
        rest = element(rest)?.2;
    }
    // Serial number, algorithm, issuer.
    for _ in 0..3 {
        rest = element(rest)?.2;
    }
    let (_, times, _) = element(rest)?;
    let (from_tag, from, rest) = element(times)?;
    let (until_tag, until, _) = element(rest)?;
    Some((instant(from_tag, from)?, instant(until_tag, until)?))
}

/// The first element of some DER: its tag, its content, and what follows it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let count = usize::from(first & 0x7f);
        let (bytes, rest) = rest.split_at_checked(count).filter(|_| count <= 4)?;
        let length = bytes
            .iter()
            .fold(0, |sum, &byte| (sum << 8) | usize::from(byte));
        (length, rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// `UTCTime` has two digits for the year, and means 1950 to 2049; `GeneralizedTime` has four.
fn instant(tag: u8, text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?;
    let full = match tag {
        0x17 if text.get(..2)? < "50" => format!("20{text}"),
        0x17 => format!("19{text}"),
        0x18 => text.to_owned(),
        _ => return None,
    };
    NaiveDateTime::parse_from_str(&full, "%Y%m%d%H%M%SZ")
        .ok()
        .map(|at| at.and_utc())
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::STANDARD};

    use super::*;

    #[test]
    fn both_spellings_of_a_time_are_read_and_others_refused() {
        let shown = |tag, text: &str| instant(tag, text.as_bytes()).map(|at| at.to_string());
        assert_eq!(
            shown(0x17, "261122140745Z").as_deref(),
            Some("2026-11-22 14:07:45 UTC")
        );
        assert_eq!(
            shown(0x18, "20991231235959Z").as_deref(),
            Some("2099-12-31 23:59:59 UTC")
        );
        assert!(shown(0x17, "991231235959Z").is_some_and(|text| text.starts_with("1999")));
        assert_eq!(
            (shown(0x04, "261122140745Z"), shown(0x17, "é")),
            (None, None)
        );
    }

    #[test]
    fn the_life_of_a_certificate_is_read() {
        // Made by OpenSSL; its private key was thrown away.
        const MADE_BY_OPENSSL: &str = "MIIBbjCCAROgAwIBAgIUDpx+kGYhgzSFHEj90I2WrC5wPIAwCgYIKoZIzj0EAwIwDDEKMAgGA1UEAwwBeDAeFw0yNj\
        ExMjIxNTMwMTRaFw0zNjExMTkxNTMwMTRaMAwxCjAIBgNVBAMMAXgwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASl\
        QwuPIujnL1h5fYmTGLI5tYFnEoa+laPbVGX53YGde9p5J+18fH5K4ZZMuwxr6X4hR5urXPxM4sk5j9R8a4uTo1MwUT\
        AdBgNVHQ4EFgQUNIhUoVYLTDEhA4GTUI3DRCikKEYwHwYDVR0jBBgwFoAUNIhUoVYLTDEhA4GTUI3DRCikKEYwDwYD\
        VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNJADBGAiEA6/0ubiJh8/zdiHgcrtTvkhP3JPcyTH5/niwas+ZWoVgCIQ\
        CuMFofLu+ym52OddD7sAB1fiKLjXdQFfpE6DNCg7I3YQ==";
        let der = STANDARD.decode(MADE_BY_OPENSSL).expect("base64");
        let (from, until) = validity(&der).expect("a certificate");
        assert_eq!(from.to_string(), "2026-11-22 15:30:14 UTC");
        assert_eq!(until.to_string(), "2036-11-19 15:30:14 UTC");
        for length in 0..der.len() {
            assert_eq!(validity(&der[..length]), None, "cut after {length}");
        }
    }

    #[test]
    fn broken_certificates_are_not_read_past_their_end() {
        for der in [
            &[][..],
            &[0x30],
            &[0x30, 0x84, 0xff],
            &[0x30, 0x05, 0x30],
            &[0x30, 0x89, 1, 1, 1, 1, 1, 1, 1, 1, 1],
            &[0x30, 0x02, 0x30, 0x00],
        ] {
            assert_eq!(validity(der), None);
        }
    }
}
