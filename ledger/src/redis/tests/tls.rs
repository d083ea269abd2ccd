//! `rediss://`: the server's certificate is checked, and the client certificate is sent.

use std::fs;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use zkwhirl_redis::{RedisTls, testkit::free_port};

use super::*;

/// An authority that signs the certificates of the test.
fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate and its key.
fn signed(by: &CertifiedIssuer<'_, KeyPair>) -> (Vec<u8>, Vec<u8>) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    // Another name than the authority's: an equal name would look self-signed.
    let name = &mut params.distinguished_name;
    name.push(DnType::CommonName, "signed");
    let certificate = params.signed_by(&key, by).unwrap();
    (certificate.pem().into(), key.serialize_pem().into())
}

#[tokio::test]
async fn certificates_are_checked_on_both_sides() {
    let (ours, another) = (authority(), authority());
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = signed(&ours);
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let port = free_port().to_string();
    let certificate = file("cert.pem", &certificate);
    let key = file("key.pem", &key);
    let root = file("root.pem", ours.pem().as_bytes());
    let options = [
        ["--tls-port", &port],
        ["--tls-cert-file", &certificate],
        ["--tls-key-file", &key],
        ["--tls-ca-cert-file", &root],
        ["--tls-auth-clients", "yes"],
    ];
    let server = RedisServer::start_with(options.as_flattened());
    let plain = server.url();
    let password = plain.password().unwrap();
    let url = format!("rediss://:{password}@localhost:{port}");
    let config = |authority: Option<String>, client| {
        let mut config = watchful(server.address());
        config.address.url = url.parse().unwrap();
        config.timeout = Duration::from_secs(3);
        config.address.tls = RedisTls {
            authority: authority.map(String::into_bytes),
            client,
        };
        config
    };
    let good = config(Some(ours.pem()), Some(signed(&ours)));
    let ledger = RedisLedger::new(good).unwrap();
    take(&ledger, 1).await;
    assert_eq!(ledger.open_tickets().await.unwrap().len(), 1);
    let [own, foreign] = [&ours, &another].map(|by| by.pem());
    for (authority, client, what) in [
        (None, Some(&ours), "an unknown server"),
        (Some(foreign), Some(&ours), "another's server"),
        (Some(own.clone()), None, "no certificate of ours"),
        (Some(own), Some(&another), "a wrong certificate of ours"),
    ] {
        let mut bad = config(authority, client.map(signed));
        bad.timeout = Duration::from_secs(1);
        let away = RedisLedger::new(bad).unwrap().open_tickets().await;
        let is_away = matches!(away, Err(LedgerError::Away(_)));
        assert!(is_away, "{what}: {away:?}");
    }
    let broken = config(Some("no pem".into()), None);
    let error = RedisLedger::new(broken).unwrap_err().to_string();
    let address = format!("the redis address rediss://localhost:{port}");
    assert!(error.starts_with(&address), "{error}");
    assert!(error.ends_with("holds no certificate"), "{error}");
}
