//! Halloumi's HTTP API as served by `zkwhirl up`, tested over plain sockets.

use std::sync::Arc;

use zkwhirl::cluster::Checker;
use zkwhirl_testkit::{eventually, vector};

use super::stage::{BINARY, JSON, TEXT, Up, asking, command, head, mock, sizes};
use crate::stage::Odd;

#[tokio::test(flavor = "multi_thread")]
async fn the_api_answers_byte_for_byte_as_halloumis() {
    let falafel = asking(mock(sizes())).await;
    let up = Up::start(
        command(falafel.inner_address())
            .env("PROVERLESS", "true")
            .env("API_PREFIX", "/halloumi"),
    );
    let ready = r#"{"serviceName":"halloumi","isReady":true}"#;
    // The mock prover is ready almost at once, before a request can arrive.
    eventually("it is ready", async || {
        up.call("GET", "/halloumi", b"").await.1 == ready
    })
    .await;
    let claim = vector("valid_claim_0_request");
    let well = (head("200 OK", JSON, ready.len()), ready);
    let unknown = (head("404 Not Found", TEXT, 9), "Not Found");
    let not_allowed = |methods| (allow(methods), "Method Not Allowed");
    for (method, path, (lines, text)) in [
        ("GET", "/halloumi", well.clone()),
        ("GET", "/halloumi/", well),
        ("GET", "/", unknown.clone()),
        ("GET", "/create-proof", unknown.clone()),
        ("POST", "/halloumi/nothing", unknown),
        ("GET", "/halloumi/create-proof", not_allowed("POST")),
        ("POST", "/halloumi/get-account-vk", not_allowed("HEAD, GET")),
    ] {
        let (head, body) = up.call(method, path, b"").await;
        assert_eq!(
            (head, &body[..]),
            (lines, text.as_bytes()),
            "{method} {path}"
        );
    }
    let (lines, proof) = up.call("POST", "/halloumi/create-proof", &claim).await;
    assert_eq!(lines, head("200 OK", BINARY, 2016));
    assert_eq!(proof[..512], vector("valid_claim_0_reply_real")[..512]);
    for key in ["join-split", "account"] {
        let (lines, _) = up
            .call("GET", &format!("/halloumi/get-{key}-vk"), b"")
            .await;
        assert_eq!(lines, head("200 OK", BINARY, 1168));
    }
    let (lines, _) = up.call("HEAD", "/halloumi", b"").await;
    assert_eq!(lines, head("200 OK", JSON, ready.len()));
    let cut = &claim[..99];
    let (lines, body) = up.call("POST", "/halloumi/create-proof", cut).await;
    assert_eq!(lines[0], "HTTP/1.1 400 Bad Request");
    assert!(body.starts_with(br#"{"error":""#), "{body:?}");
    assert_eq!(up.process.drain(), Some(0));
}

fn allow(methods: &str) -> Vec<String> {
    let mut lines = head("405 Method Not Allowed", TEXT, 18);
    lines.insert(1, format!("allow: {methods}"));
    lines
}

/// Halloumi reads a body of any length to its end; zkWhirl refuses a long one.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_beyond_the_limit_is_413_before_it_is_read_to_its_end() {
    let falafel = asking(mock(sizes())).await;
    let up = Up::start(command(falafel.inner_address()).env("PROVERLESS", "true"));
    up.until_ready().await;
    let large = vec![0; (2 << 20) + 9];
    let (lines, body) = up.call("POST", "/create-proof", &large).await;
    assert_eq!(lines[0], "HTTP/1.1 413 Payload Too Large");
    let error = r#"{"error":"the request has more than 2097160 bytes"}"#;
    assert_eq!(body, error);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_hangs_up_cancels_nothing() {
    let falafel = asking(mock(sizes())).await;
    let mut slow = command(falafel.inner_address());
    let up = Up::start(slow.env("PROVERLESS", "true").arg("--work-ms=300"));
    up.until_ready().await;
    let claim = vector("valid_claim_0_request");
    let socket = up.send("POST", "/create-proof", "", &claim).await;
    let counted = async |name: &str| {
        let name = format!("zkwhirl_bridge_{name}_total");
        eventually(&name, async || up.figure(&name).await >= 1.0).await;
    };
    counted("tickets").await;
    drop(socket);
    counted("delivered").await;
    // The proof is stored and is not made again.
    let (lines, _) = up.call("POST", "/create-proof", &claim).await;
    assert_eq!(lines, head("200 OK", BINARY, 2016));
    let jobs = up.figure(r#"zkwhirl_jobs_submitted_total{topic="inner"}"#);
    assert_eq!(jobs.await, 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_ends_a_hung_prover_and_loses_no_job() {
    let odd = Odd::new("hang");
    odd.make_crs();
    let falafel = asking(Arc::new(Checker::RollupCli(sizes()))).await;
    let mut command = Up::with(&odd, falafel.inner_address());
    let up = Up::start(command.env("ZKWHIRL_ADMIN_TOKEN", "open sesame"));
    up.until_ready().await;
    for header in ["", "authorization: Bearer sesame\r\n"] {
        let (lines, _) = up.call_with("GET", "/reset", header, b"").await;
        assert_eq!(lines[0], "HTTP/1.1 401 Unauthorized");
    }
    let starts = || odd.logged("start").len();
    assert_eq!(starts(), 1);
    let proofs = [0, 1, 2].map(|claim| vector(&format!("valid_claim_{claim}_request")));
    let asked = proofs.map(|proof| falafel.prove(proof));
    let reset = async {
        eventually("the prover hangs", async || odd.path("marker").exists()).await;
        let token = "authorization: Bearer open sesame\r\n";
        up.call_with("GET", "/reset", token, b"").await
    };
    let (replies, (lines, body)) = tokio::join!(futures_util::future::join_all(asked), reset);
    assert_eq!((lines, &body[..]), (head("200 OK", TEXT, 2), &b"OK"[..]));
    for reply in replies {
        reply.unwrap();
    }
    eventually("another prover starts", async || starts() >= 2).await;
    let stats = falafel.stats();
    assert_eq!((stats.nacks, stats.reissues), (0, 0));
    assert_eq!(up.process.drain(), Some(0));
}
