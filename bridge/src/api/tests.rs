//! The API over a bridge on embedded back-ends, asked over real sockets.

use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use reqwest::{Client, Response};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use zkwhirl_broker_adapter::{Broker, Control, Settlement};
use zkwhirl_job::{Failure, Topic, envelope::Outcome, limits};
use zkwhirl_testkit::{result_of, vector};

use super::*;
use crate::tests::World;

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json; charset=utf-8";

/// As many provers are ready as the test says.
#[derive(Default)]
struct ReadyProvers(AtomicUsize);

impl ApiHost for ReadyProvers {
    fn ready_provers(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    fn has_started(&self) -> bool {
        self.ready_provers() > 0
    }

    fn metrics(&self) -> String {
        "a page\n".to_owned()
    }
}

struct ApiServer {
    world: World,
    at: std::net::SocketAddr,
    provers: Arc<ReadyProvers>,
    client: Client,
    _stop: tokio_util::sync::DropGuard,
}

impl ApiServer {
    async fn start(prefix: &str, admin: Option<&str>) -> Self {
        let (world, stop) = (World::for_callers(), CancellationToken::new());
        let provers = Arc::new(ReadyProvers::default());
        let api = Api {
            bridge: world.handle.clone(),
            host: provers.clone(),
            prefix: prefix.to_owned(),
            admin: admin.map(AdminToken::new),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        tokio::spawn(api.serve(listener, stop.clone()));
        Self {
            world,
            at,
            provers,
            client: Client::builder().no_proxy().build().unwrap(),
            _stop: stop.drop_guard(),
        }
    }

    async fn ready() -> Self {
        let server = Self::start("", None).await;
        server.provers.0.store(1, Ordering::Relaxed);
        server
    }

    async fn call(&self, method: &str, path: &str, body: impl Into<reqwest::Body>) -> Response {
        let url = format!("http://{}{path}", self.at);
        let request = self.client.request(method.parse().unwrap(), url).body(body);
        request.send().await.unwrap()
    }
}

#[track_caller]
fn kind(response: &Response) -> &str {
    response.headers()["content-type"].to_str().unwrap()
}

/// What Halloumi's own server answers, status by status.
#[tokio::test]
async fn routes_methods_and_texts_are_halloumis() {
    let server = ApiServer::start("/halloumi", None).await;
    let not_ready = r#"{"serviceName":"halloumi","isReady":false}"#;
    let unready = r#"{"error":"Server not ready."}"#;
    let (not_allowed, key) = ("Method Not Allowed", "/halloumi/get-account-vk");
    let table = [
        ("GET", "/halloumi", 200, JSON, not_ready, ""),
        ("GET", "/halloumi/", 200, JSON, not_ready, ""),
        ("GET", "/Halloumi/", 200, JSON, not_ready, ""),
        ("HEAD", "/halloumi", 200, JSON, "", ""),
        ("GET", "/", 404, TEXT, "Not Found", ""),
        ("GET", "/halloumi/nothing", 404, TEXT, "Not Found", ""),
        ("POST", "/halloumi", 405, TEXT, not_allowed, "HEAD, GET"),
        ("POST", "/halloumi/create-proof", 503, JSON, unready, ""),
        ("POST", "/halloumi/create-proof/", 503, JSON, unready, ""),
        (
            "GET",
            "/halloumi/create-proof",
            405,
            TEXT,
            not_allowed,
            "POST",
        ),
        ("DELETE", key, 405, TEXT, not_allowed, "HEAD, GET"),
        ("TRACE", "/halloumi", 501, TEXT, "Not Implemented", ""),
    ];
    for (method, path, status, content, body, allow) in table {
        let response = server.call(method, path, "").await;
        assert_eq!(response.status(), status, "{method} {path}");
        assert_eq!(kind(&response), content, "{method} {path}");
        let allowed = response.headers().get("allow");
        let allowed = allowed.map_or("", |value| value.to_str().unwrap());
        assert_eq!(allowed, allow, "{method} {path}");
        assert_eq!(response.text().await.unwrap(), body, "{method} {path}");
    }
    let options = server.call("OPTIONS", "/halloumi/reset", "").await;
    assert_eq!(
        (options.status().as_u16(), &options.headers()["allow"]),
        (200, &"HEAD, GET".parse().unwrap())
    );
    server.provers.0.store(2, Ordering::Relaxed);
    let ready = server.call("GET", "/halloumi", "").await;
    let ready = ready.text().await.unwrap();
    assert_eq!(ready, r#"{"serviceName":"halloumi","isReady":true}"#);
}

#[tokio::test]
async fn a_proof_is_the_bare_reply() {
    let server = ApiServer::ready().await;
    let _worker = server.world.worker(|_| Bytes::from_static(b"proof"));
    let response = server
        .call("POST", "/create-proof", vector("claim_0"))
        .await;
    assert_eq!(response.status(), 200);
    assert_eq!(kind(&response), "application/octet-stream");
    assert_eq!(response.bytes().await.unwrap(), "proof");
}

#[tokio::test]
async fn keys_are_asked_for_before_any_prover_is_ready() {
    let server = ApiServer::start("", None).await;
    let _worker = server.world.worker(|_| Bytes::from_static(b"proof"));
    for path in ["/get-join-split-vk", "/get-account-vk"] {
        let asked = server.call("GET", path, "").await;
        assert_eq!(asked.status(), 200);
        assert_eq!(kind(&asked), "application/octet-stream");
        assert_eq!(asked.bytes().await.unwrap(), "proof");
    }
}

#[tokio::test]
async fn what_is_no_request_is_400_with_the_field_and_what_is_too_long_is_413() {
    let server = ApiServer::ready().await;
    let refused = async |body: Vec<u8>| {
        let response = server.call("POST", "/create-proof", body).await;
        assert_eq!(kind(&response), JSON);
        let status = response.status().as_u16();
        let body = response.text().await.unwrap();
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        (status, body["error"].as_str().unwrap().to_owned())
    };
    let (status, why) = refused(vector("claim_0")[..100].to_vec()).await;
    assert_eq!(status, 400);
    assert!(why.contains("claim note path"), "{why}");
    let (status, why) = refused(vec![0; limits::REQUEST_BYTES + 1]).await;
    assert_eq!(status, 413);
    assert_eq!(
        why,
        format!("the request has more than {} bytes", limits::REQUEST_BYTES)
    );
    assert_eq!(server.world.stats().tickets, 0);
}

#[tokio::test]
async fn a_job_that_was_given_up_on_is_400_with_the_reason() {
    let server = ApiServer::ready().await;
    let broker = server.world.broker.clone();
    let _worker = tokio::spawn(async move {
        let mut jobs = broker.subscribe(&[Topic::Inner], "w").await.unwrap();
        let mut delivery = jobs.claim().await.unwrap();
        let mut result = result_of(&delivery.job, b"");
        result.outcome = Outcome::Dead(Failure::invalid("the claim is not true"));
        broker.publish_result(&result).await.unwrap();
        delivery.settle(&Settlement::Ack).await.unwrap();
    });
    let response = server
        .call("POST", "/create-proof", vector("claim_0"))
        .await;
    assert_eq!(response.status(), 400);
    let body = response.text().await.unwrap();
    assert_eq!(body, r#"{"error":"the claim is not true"}"#);
}

#[tokio::test]
async fn a_caller_that_hangs_up_gets_its_proof_when_it_asks_again() {
    let server = ApiServer::ready().await;
    let mut socket = TcpStream::connect(server.at).await.unwrap();
    let body = vector("claim_0");
    let head = "POST /create-proof HTTP/1.1\r\nhost: x";
    let head = format!("{head}\r\ncontent-length: {}\r\n\r\n", body.len());
    let request = [head.as_bytes(), &body].concat();
    socket.write_all(&request).await.unwrap();
    let world = &server.world;
    world.until("taken", |stats| stats.tickets == 1).await;
    drop(socket);
    let _worker = server.world.worker(|_| Bytes::from_static(b"proof"));
    let delivered = |stats: &crate::BridgeStats| stats.delivered == 1;
    world.until("proved all the same", delivered).await;
    let again = server
        .call("POST", "/create-proof", vector("claim_0"))
        .await;
    assert_eq!(again.bytes().await.unwrap(), "proof");
    assert_eq!(server.world.stats().jobs, 1);
}

#[tokio::test]
async fn a_reset_wants_the_token_and_tells_every_worker() {
    let off = ApiServer::ready().await;
    assert_eq!(off.call("GET", "/reset", "").await.status(), 403);
    let server = ApiServer::start("", Some("open sesame")).await;
    let mut words = server.world.broker.control_messages();
    let reset = async |token: Option<&str>| {
        let request = server.client.get(format!("http://{}/reset", server.at));
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
    let server = ApiServer::ready().await;
    let response = server.call("GET", "/metrics", "").await;
    assert_eq!(kind(&response), "text/plain; version=0.0.4; charset=utf-8");
    assert_eq!(response.text().await.unwrap(), "a page\n");
}

#[tokio::test]
async fn answers_have_nodes_shape_on_the_wire() {
    let server = ApiServer::start("", None).await;
    let mut socket = TcpStream::connect(server.at).await.unwrap();
    let request = b"GET /x HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    socket.write_all(request).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 404 Not Found\r\n"), "{answer}");
    assert!(answer.contains("content-length: 9\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nNot Found"), "{answer}");
}
