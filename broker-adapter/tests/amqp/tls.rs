//! `amqps://`: both sides show a certificate, and both are checked.

use std::{fs, time::Duration};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use zkwhirl_broker_adapter::{
    Broker,
    amqp::{AmqpBroker, AmqpConfig, Identity, provision::provision},
};
use zkwhirl_testkit::claim_job;

use crate::support::{Services, Vhost};

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
    // Not the authority's name: it would pass for self-signed.
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
    let starting = tokio::task::spawn_blocking(move || Services::up(1, Some(folder.path())));
    let services = starting.await.unwrap();
    let management = &services.management[0];
    let mut vhost = Vhost::empty_on(&services.tls_hosts, management).goes_with_its_broker();
    vhost.config.ca_pem = Some(ours.pem());
    vhost.config.identity = Some(signed(&ours));
    provision(&vhost.config, &[]).await.unwrap();
    let broker = vhost.connect().await;
    broker.publish(&claim_job(1), None).await.unwrap();
    assert!(broker.status().publishing.unwrap().starts_with("amqps://"));

    let refused = async |ca: &Authority, identity: Option<Identity>| {
        let broker = AmqpBroker::start(AmqpConfig {
            ca_pem: Some(ca.pem()),
            identity,
            ..vhost.config.clone()
        });
        let ready = broker.unwrap().ready(Duration::from_secs(3)).await;
        ready.unwrap_err().to_string()
    };
    let unknown = refused(&another, Some(signed(&ours))).await;
    assert!(unknown.contains("invalid peer certificate"), "{unknown}");
    let anonymous = refused(&ours, None).await;
    assert!(
        anonymous.contains("cannot reach RabbitMQ at amqps://"),
        "{anonymous}"
    );
    let stranger = refused(&ours, Some(signed(&another))).await;
    assert!(
        stranger.contains("cannot reach RabbitMQ at amqps://"),
        "{stranger}"
    );
}
