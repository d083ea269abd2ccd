//! The API over a bridge on embedded back-ends, asked over real sockets.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use reqwest::{Client, Method, Response};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;
use zkwhirl_job::{Kind, Sizes, Topic, envelope::Outcome, limits};

use super::*;
use crate::{Bridge, BridgeConfig, BridgeDeps, ReplyVerifier};
use zkwhirl_broker_adapter as broker;
use zkwhirl_broker_adapter::{Broker, Control, Settlement};
use zkwhirl_ledger as ledger;
use zkwhirl_ledger::events::Events;
use zkwhirl_testkit::{eventually, result_of};

const CLAIM: &[u8] = include_bytes!("../../../tests/vectors/claim_0.bin");
const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json; charset=utf-8";

/// As many provers are ready as somebody says.
#[derive(Default)]
struct Provers(AtomicUsize);

impl ProverHealth for Provers {
    fn ready_provers(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    fn has_started(&self) -> bool {
        self.ready_provers() > 0
    }
}

struct Anything;

impl ReplyVerifier for Anything {
    fn verify(&self, _: Kind, _: &Bytes, _: &Bytes) -> Result<(), zkwhirl_job::reply::NotVerified> {
        Ok(())
    }
}

struct World {
    at: SocketAddr,
    broker: broker::EmbeddedBroker,
    provers: Arc<Provers>,
    handle: BridgeHandle,
    client: Client,
    _stop: tokio_util::sync::DropGuard,
}

impl World {
    async fn start(prefix: &str, admin: Option<&str>) -> Self {
        let broker = broker::EmbeddedBroker::default();
        let deps = BridgeDeps {
            broker: Arc::new(broker.clone()),
            ledger: Arc::new(ledger::EmbeddedLedger::default()),
            verifier: Arc::new(Anything),
            events: Events::default(),
            client_vks: None,
        };
        let sizes = Sizes::new(1, 1).unwrap();
        let bridge = Bridge::new(BridgeConfig::new(Vec::new(), sizes), deps).unwrap();
        let (handle, stop) = (bridge.handle(), CancellationToken::new());
        tokio::spawn(bridge.run(stop.clone()));
        let provers = Arc::new(Provers::default());
        let api = Api {
            bridge: handle.clone(),
            health: provers.clone(),
            prefix: prefix.to_owned(),
            admin: admin.map(AdminToken::new),
            metrics: MetricsPage::new(|| "a page\n".to_owned()),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        tokio::spawn(api.serve(listener, stop.clone()));
        Self {
            at,
            broker,
            provers,
            handle,
            client: Client::builder().no_proxy().build().unwrap(),
            _stop: stop.drop_guard(),
        }
    }

    async fn ready() -> Self {
        let world = Self::start("", None).await;
        world.provers.0.store(1, Ordering::Relaxed);
        world
    }

    async fn call(&self, method: &str, path: &str, body: impl Into<reqwest::Body>) -> Response {
        let method: Method = method.parse().unwrap();
        let url = format!("http://{}{path}", self.at);
        self.client
            .request(method, url)
            .body(body)
            .send()
            .await
            .unwrap()
    }

    /// A worker that answers jobs of a topic with `reply`.
    fn worker(&self, topic: Topic, reply: &'static [u8]) -> JoinHandle<()> {
        let broker = self.broker.clone();
        tokio::spawn(async move {
            let mut jobs = broker.subscribe(&[topic], "w").await.unwrap();
            while let Ok(mut delivery) = jobs.claim().await {
                let result = result_of(&delivery.job, reply);
                broker.publish_result(&result).await.unwrap();
                delivery.settle(&Settlement::Ack).await.unwrap();
            }
        })
    }
}

#[track_caller]
fn kind(response: &Response) -> &str {
    response.headers()["content-type"].to_str().unwrap()
}

/// What Halloumi's own server answers, status by status.
#[tokio::test]
async fn routes_methods_and_texts_are_halloumis() {
    let world = World::start("/halloumi", None).await;
    let not_ready = r#"{"serviceName":"halloumi","isReady":false}"#;
    let unready = r#"{"error":"Server not ready."}"#;
    let table = [
        ("GET", "/halloumi", 200, JSON, not_ready, ""),
        ("GET", "/halloumi/", 200, JSON, not_ready, ""),
        ("GET", "/Halloumi/", 200, JSON, not_ready, ""),
        ("HEAD", "/halloumi", 200, JSON, "", ""),
        ("GET", "/", 404, TEXT, "Not Found", ""),
        ("GET", "/halloumi/nothing", 404, TEXT, "Not Found", ""),
        (
            "POST",
            "/halloumi",
            405,
            TEXT,
            "Method Not Allowed",
            "HEAD, GET",
        ),
        ("POST", "/halloumi/create-proof", 503, JSON, unready, ""),
        ("POST", "/halloumi/create-proof/", 503, JSON, unready, ""),
        (
            "GET",
            "/halloumi/create-proof",
            405,
            TEXT,
            "Method Not Allowed",
            "POST",
        ),
        (
            "DELETE",
            "/halloumi/get-account-vk",
            405,
            TEXT,
            "Method Not Allowed",
            "HEAD, GET",
        ),
        ("TRACE", "/halloumi", 501, TEXT, "Not Implemented", ""),
    ];
    for (method, path, status, content, body, allow) in table {
        let response = world.call(method, path, "").await;
        assert_eq!(response.status(), status, "{method} {path}");
        assert_eq!(kind(&response), content, "{method} {path}");
        let allowed = response.headers().get("allow");
        let allowed = allowed.map_or("", |value| value.to_str().unwrap());
        assert_eq!(allowed, allow, "{method} {path}");
        assert_eq!(response.text().await.unwrap(), body, "{method} {path}");
    }
    let options = world.call("OPTIONS", "/halloumi/reset", "").await;
    assert_eq!(
        (options.status().as_u16(), &options.headers()["allow"]),
        (200, &"HEAD, GET".parse().unwrap())
    );
    world.provers.0.store(2, Ordering::Relaxed);
    let ready = world.call("GET", "/halloumi", "").await;
    let ready = ready.text().await.unwrap();
    assert_eq!(ready, r#"{"serviceName":"halloumi","isReady":true}"#);
}

#[tokio::test]
async fn a_proof_is_the_bare_reply() {
    let world = World::ready().await;
    let _worker = world.worker(Topic::Inner, b"a reply");
    let response = world.call("POST", "/create-proof", CLAIM).await;
    assert_eq!(response.status(), 200);
    assert_eq!(kind(&response), "application/octet-stream");
    assert_eq!(response.bytes().await.unwrap(), "a reply");
}

#[tokio::test]
async fn keys_are_asked_for_before_any_prover_is_ready() {
    let world = World::start("", None).await;
    let _worker = world.worker(Topic::Outer, b"a key");
    for path in ["/get-join-split-vk", "/get-account-vk"] {
        let asked = world.call("GET", path, "").await;
        assert_eq!(asked.status(), 200);
        assert_eq!(kind(&asked), "application/octet-stream");
        assert_eq!(asked.bytes().await.unwrap(), "a key");
    }
}

#[tokio::test]
async fn what_is_no_request_is_400_with_the_field_and_what_is_too_long_is_413() {
    let world = World::ready().await;
    let refused = async |body: Vec<u8>| {
        let response = world.call("POST", "/create-proof", body).await;
        assert_eq!(kind(&response), JSON);
        let status = response.status().as_u16();
        let body = response.text().await.unwrap();
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        (status, body["error"].as_str().unwrap().to_owned())
    };
    let (status, why) = refused(CLAIM[..100].to_vec()).await;
    assert_eq!(status, 400);
    assert!(why.contains("claim note path"), "{why}");
    let (status, why) = refused(vec![0; limits::REQUEST_BYTES + 1]).await;
    assert_eq!(status, 413);
    assert_eq!(
        why,
        format!("the request has more than {} bytes", limits::REQUEST_BYTES)
    );
    assert_eq!(world.handle.stats().tickets, 0);
}

#[tokio::test]
async fn a_job_that_was_given_up_on_is_400_with_the_reason() {
    let world = World::ready().await;
    let broker = world.broker.clone();
    let _worker = tokio::spawn(async move {
        let mut jobs = broker.subscribe(&[Topic::Inner], "w").await.unwrap();
        let mut delivery = jobs.claim().await.unwrap();
        let mut result = result_of(&delivery.job, b"");
        let why = zkwhirl_job::Failure::invalid("the claim is not true");
        result.outcome = Outcome::Dead(why);
        broker.publish_result(&result).await.unwrap();
        delivery.settle(&Settlement::Ack).await.unwrap();
    });
    let response = world.call("POST", "/create-proof", CLAIM).await;
    assert_eq!(response.status(), 400);
    let body = response.text().await.unwrap();
    assert_eq!(body, r#"{"error":"the claim is not true"}"#);
}

#[tokio::test]
async fn a_caller_that_hangs_up_gets_its_proof_when_it_asks_again() {
    let world = World::ready().await;
    let mut socket = TcpStream::connect(world.at).await.unwrap();
    let head = format!(
        "POST /create-proof HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n",
        CLAIM.len()
    );
    socket
        .write_all(&[head.as_bytes(), CLAIM].concat())
        .await
        .unwrap();
    eventually("taken", || async { world.handle.stats().tickets == 1 }).await;
    drop(socket);
    let _worker = world.worker(Topic::Inner, b"a reply");
    eventually("proved all the same", || async {
        world.handle.stats().delivered == 1
    })
    .await;
    let again = world.call("POST", "/create-proof", CLAIM).await;
    assert_eq!(again.bytes().await.unwrap(), "a reply");
    assert_eq!(world.handle.stats().jobs, 1);
}

#[tokio::test]
async fn a_reset_wants_the_token_and_tells_every_worker() {
    let off = World::ready().await;
    assert_eq!(off.call("GET", "/reset", "").await.status(), 403);
    let world = World::start("", Some("open sesame")).await;
    let mut words = world.broker.control_messages();
    let reset = async |token: Option<&str>| {
        let request = world.client.get(format!("http://{}/reset", world.at));
        let request = match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        request.send().await.unwrap()
    };
    assert_eq!(reset(None).await.status(), 401);
    assert_eq!(reset(Some("open")).await.status(), 401);
    let done = reset(Some("open sesame")).await;
    assert_eq!((done.status().as_u16(), kind(&done)), (200, TEXT));
    assert_eq!(done.text().await.unwrap(), "OK");
    assert_eq!(words.next().await, Control::Restart);
}

#[tokio::test]
async fn metrics_are_the_processs_own_page() {
    let world = World::ready().await;
    let response = world.call("GET", "/metrics", "").await;
    assert_eq!(kind(&response), "text/plain; version=0.0.4; charset=utf-8");
    assert_eq!(response.text().await.unwrap(), "a page\n");
}

#[tokio::test]
async fn answers_have_nodes_shape_on_the_wire() {
    let world = World::start("", None).await;
    let mut socket = TcpStream::connect(world.at).await.unwrap();
    socket
        .write_all(b"GET /x HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 404 Not Found\r\n"), "{answer}");
    assert!(answer.contains("content-length: 9\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nNot Found"), "{answer}");
}
