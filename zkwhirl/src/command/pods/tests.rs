//! Tests against an API server with a self-signed certificate, over TLS.

use std::{
    fs, io,
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    serve::Listener,
};
use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::JoinHandle,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_util::task::AbortOnDropHandle;
use zkwhirl_ledger::EmbeddedLedger;

use super::*;

const MERGE: &str = "application/merge-patch+json";

/// A self-signed certificate for 127.0.0.1.
fn certificate() -> CertifiedKey<KeyPair> {
    generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap()
}

fn acceptor(certificate: &CertifiedKey<KeyPair>) -> TlsAcceptor {
    let key = certificate.signing_key.serialize_der();
    let key = PrivateKeyDer::try_from(key).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.cert.der().clone()], key);
    Arc::new(config.unwrap()).into()
}

struct Tls(TcpListener, TlsAcceptor);

impl Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (wire, from) = self.0.accept().await.unwrap();
            // A client that does not trust the certificate disconnects.
            if let Ok(stream) = self.1.accept(wire).await {
                return (stream, from);
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

/// The requests that the API server received, and its answers.
#[derive(Default)]
struct ApiServer {
    /// Method and path, the token, the body.
    requests: Mutex<Vec<(String, String, String)>>,
    /// The status that refuses an annotation of `inner-a`; `None`: accepted.
    refused: Mutex<Option<StatusCode>>,
    came: Notify,
}

async fn answer(State(asked): State<Arc<ApiServer>>, request: Request) -> Response {
    let what = format!("{} {}", request.method(), request.uri());
    assert_eq!(request.headers()["content-type"], MERGE);
    let token = request.headers()["authorization"].to_str();
    let token = token.unwrap().to_owned();
    let body = axum::body::to_bytes(request.into_body(), 1 << 20).await;
    let body = String::from_utf8(body.unwrap().to_vec()).unwrap();
    let refused = *asked.refused.lock().unwrap();
    let refused = refused.filter(|_| what.ends_with("inner-a"));
    asked.requests.lock().unwrap().push((what, token, body));
    asked.came.notify_one();
    match refused {
        Some(status) => (status, r#"{"message":"not yours"}"#).into_response(),
        None => "{}".into_response(),
    }
}

struct PodWorld {
    ledger: Arc<EmbeddedLedger>,
    kubernetes: Kubernetes,
    account: tempfile::TempDir,
    asked: Arc<ApiServer>,
    told: Told,
    _server: AbortOnDropHandle<()>,
}

/// A file of the service account, as the kubelet writes it.
fn write(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join(name), text).unwrap();
}

impl PodWorld {
    async fn new() -> Self {
        let certificate = certificate();
        let account = tempfile::tempdir().unwrap();
        write(account.path(), "token", "first\n");
        write(account.path(), "namespace", "zkwhirl");
        write(account.path(), "ca.crt", &certificate.cert.pem());
        let asked = Arc::<ApiServer>::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let api = format!("https://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(asked.clone());
        let listener = Tls(listener, acceptor(&certificate));
        let server = tokio::spawn(async { axum::serve(listener, router).await.unwrap() });
        Self {
            ledger: Arc::default(),
            kubernetes: Kubernetes::new(api.parse().unwrap(), account.path()).unwrap(),
            account,
            asked,
            told: Told::default(),
            _server: AbortOnDropHandle::new(server),
        }
    }

    async fn slot(&self, slot: &str, doing: SlotActivity) {
        let report = SlotReport {
            slot: slot.to_owned(),
            doing,
            ..SlotReport::default()
        };
        self.ledger.report(&report).await.unwrap();
    }

    /// Sets the status with which annotations of `inner-a` are refused.
    fn refuse(&self, status: Option<StatusCode>) {
        *self.asked.refused.lock().unwrap() = status;
    }

    async fn round(&mut self) -> anyhow::Result<()> {
        round(&*self.ledger, &self.kubernetes, &mut self.told).await
    }

    async fn failure(&mut self) -> String {
        format!("{:#}", self.round().await.unwrap_err())
    }

    /// The annotations since the last call: pods and their costs.
    #[track_caller]
    fn told(&self, expected: &[&str]) {
        let requests = std::mem::take(&mut *self.asked.requests.lock().unwrap());
        let told = requests.into_iter().map(|(what, _, body)| {
            let pod = what.strip_prefix("PATCH /api/v1/namespaces/zkwhirl/pods/");
            let body: serde_json::Value = serde_json::from_str(&body).unwrap();
            let cost = body["metadata"]["annotations"][DELETION_COST].as_str();
            format!("{} {}", pod.unwrap(), cost.unwrap())
        });
        assert_eq!(told.collect::<Vec<_>>(), expected);
    }
}

#[tokio::test]
async fn a_pod_costs_what_it_proves_and_only_changes_are_told() {
    let mut world = PodWorld::new().await;
    world.slot("inner-a/1", SlotActivity::Proving).await;
    world.slot("inner-a/2", SlotActivity::Proving).await;
    world.slot("inner-b/1", SlotActivity::Idle).await;
    world.slot("inner-c/1", SlotActivity::Starting).await;
    world.round().await.unwrap();
    world.told(&["inner-a 2", "inner-b 0", "inner-c 0"]);
    world.round().await.unwrap();
    world.told(&[]); // nothing has changed
    world.slot("inner-a/1", SlotActivity::Idle).await;
    world.slot("inner-c/1", SlotActivity::Proving).await;
    world.round().await.unwrap();
    world.told(&["inner-a 1", "inner-c 1"]);
}

#[tokio::test]
async fn the_request_is_a_merge_patch_of_one_annotation_with_the_token_of_the_moment() {
    let mut world = PodWorld::new().await;
    world.slot("inner-a/1", SlotActivity::Proving).await;
    world.round().await.unwrap();
    write(world.account.path(), "token", "renewed");
    world.slot("inner-a/1", SlotActivity::Idle).await;
    world.round().await.unwrap();
    let expected = [("first", 1), ("renewed", 0)].map(|(token, cost)| {
        let what = "PATCH /api/v1/namespaces/zkwhirl/pods/inner-a".to_owned();
        let body = format!(r#"{{"metadata":{{"annotations":{{"{DELETION_COST}":"{cost}"}}}}}}"#);
        (what, format!("Bearer {token}"), body)
    });
    assert_eq!(*world.asked.requests.lock().unwrap(), expected);
}

#[tokio::test]
async fn a_refusal_names_the_pod_hinders_no_other_and_is_tried_again() {
    let mut world = PodWorld::new().await;
    world.slot("inner-a/1", SlotActivity::Proving).await;
    world.slot("inner-b/1", SlotActivity::Proving).await;
    world.refuse(Some(StatusCode::FORBIDDEN));
    let line = "Kubernetes refused to annotate pod inner-a: 403 Forbidden, not yours";
    assert_eq!(world.failure().await, line);
    world.told(&["inner-a 1", "inner-b 1"]);
    world.refuse(None);
    world.round().await.unwrap();
    world.told(&["inner-a 1"]);
}

#[tokio::test]
async fn a_pod_that_is_gone_is_no_error() {
    let mut world = PodWorld::new().await;
    world.slot("inner-a/1", SlotActivity::Idle).await;
    world.refuse(Some(StatusCode::NOT_FOUND));
    world.round().await.unwrap();
    world.told(&["inner-a 0"]);
    world.round().await.unwrap();
    world.told(&[]);
}

#[tokio::test]
async fn a_server_of_another_authority_gets_no_token() {
    let mut world = PodWorld::new().await;
    write(world.account.path(), "ca.crt", &certificate().cert.pem());
    world.slot("inner-a/1", SlotActivity::Idle).await;
    let error = world.failure().await;
    assert!(error.starts_with("cannot connect to Kubernetes' API at https://127.0.0.1:"));
    assert!(error.contains("invalid peer certificate"), "{error}");
    assert!(world.asked.requests.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_account_that_is_not_mounted_is_named() {
    let mut world = PodWorld::new().await;
    world.slot("inner-a/1", SlotActivity::Idle).await;
    write(world.account.path(), "ca.crt", "");
    let error = world.failure().await;
    assert!(error.ends_with("ca.crt holds no certificates"), "{error}");
    fs::remove_file(world.account.path().join("token")).unwrap();
    let error = world.failure().await;
    assert!(error.starts_with("cannot read "), "{error}");
}

#[tokio::test]
async fn the_bridge_goes_on_when_kubernetes_is_away() {
    let world = PodWorld::new().await;
    world.slot("inner-a/1", SlotActivity::Proving).await;
    world.refuse(Some(StatusCode::INTERNAL_SERVER_ERROR));
    let (ledger, kubernetes) = (world.ledger.clone(), world.kubernetes.clone());
    let marking: JoinHandle<()> = tokio::spawn(mark(ledger, kubernetes));
    world.asked.came.notified().await;
    world.refuse(None);
    world.asked.came.notified().await;
    world.told(&["inner-a 1", "inner-a 1"]);
    marking.abort();
}

#[test]
fn the_api_is_asked_over_tls_alone() {
    for wrong in ["http://kubernetes.default.svc/", "https://host/path"] {
        let refused = Kubernetes::new(wrong.parse().unwrap(), Path::new("/account"));
        let line = format!("Kubernetes' API must be https://HOST:PORT, not {wrong}");
        assert_eq!(refused.unwrap_err().to_string(), line);
    }
}
