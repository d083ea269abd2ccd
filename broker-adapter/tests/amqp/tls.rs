//! `amqps://`: both sides send a certificate, and both certificates are checked.

use std::fs;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use zkwhirl_broker_adapter::{
    Broker,
    amqp::{AmqpConfig, Identity},
};
use zkwhirl_testkit::{Services, claim_job};

use crate::support::{Vhost, not_ready};

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
        .distinguished_name
        .push(DnType::CommonName, "authority");
    let key = KeyPair::generate().expect("a key");
    CertifiedIssuer::self_signed(params, key).expect("a certificate")
}

fn signed(by: &Authority) -> Identity {
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(["127.0.0.1".to_owned()]);
    let mut params = params.expect("an address");
    // Another name than the authority's: an equal name would look self-signed.
    let name = &mut params.distinguished_name;
    name.push(DnType::CommonName, "signed");
    let certificate = params.signed_by(&key, by).expect("a certificate");
    Identity {
        certificate_pem: certificate.pem(),
        key_pem: key.serialize_pem(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_checked_on_both_sides() {
    let (ours, another) = (authority(), authority());
    let server = signed(&ours);
    let folder = tempfile::tempdir().unwrap();
    for (name, pem) in [
        ("ca.pem", &ours.pem()),
        ("cert.pem", &server.certificate_pem),
        ("key.pem", &server.key_pem),
    ] {
        fs::write(folder.path().join(name), pem).unwrap();
    }
    let tls = folder.path().to_str().unwrap();
    let services = Services::with(["--rabbitmq", "--tls", tls]).await;
    let management = &services.management[0];
    let mut vhost = Vhost::empty_on(&services.amqps, management).goes_with_its_broker();
    vhost.config.ca_pem = Some(ours.pem());
    vhost.config.identity = Some(signed(&ours));
    vhost.provision().await;
    let broker = vhost.connect().await;
    broker.publish(&claim_job(1), None).await.unwrap();
    assert!(broker.status().publishing.unwrap().starts_with("amqps://"));

    let refused = async |ca: &Authority, identity: Option<Identity>, words: &str| {
        let config = AmqpConfig {
            ca_pem: Some(ca.pem()),
            identity,
            ..vhost.config.clone()
        };
        not_ready(config, &[words]).await;
    };
    let unreachable = "cannot reach RabbitMQ at amqps://";
    refused(&another, Some(signed(&ours)), "invalid peer certificate").await;
    refused(&ours, None, unreachable).await;
    refused(&ours, Some(signed(&another)), unreachable).await;
}
