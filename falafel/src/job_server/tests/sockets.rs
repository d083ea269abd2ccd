//! The behaviour of the job server over HTTP.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use zkwhirl_job::HEADER_BYTES;
use zkwhirl_testkit::eventually;

use super::*;
use crate::job_server::JobServer;

async fn server() -> JobServer {
    let address = SocketAddr::from(([127, 0, 0, 1], 0));
    JobServer::bind(address, ACK_TIMEOUT, broadcast::channel(64).0)
        .await
        .expect("loopback has a free port")
}

async fn send(address: SocketAddr, head: &str, body: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let length = body.len();
    let head = format!("{head} HTTP/1.1\r\nhost: falafel\r\ncontent-length: {length}\r\n\r\n");
    let request = [head.as_bytes(), body].concat();
    stream.write_all(&request).await.expect("it reads");
    stream
}

/// Reads one response: its status, its head and its body.
async fn response(stream: &mut TcpStream) -> Option<(u16, String, Vec<u8>)> {
    let mut bytes = Vec::new();
    loop {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
        if let Some(end) = end {
            let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok())
                .unwrap_or(0);
            if bytes.len() >= end + 4 + length {
                let status = head.get(9..12)?.parse().ok()?;
                return Some((status, head, bytes[end + 4..].to_vec()));
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

async fn exchange(address: SocketAddr, head: &str, body: &[u8]) -> (u16, String) {
    let mut stream = send(address, head, body).await;
    let (status, _, body) = response(&mut stream).await.expect("it answers");
    (status, String::from_utf8_lossy(&body).into_owned())
}

#[tokio::test]
async fn the_routes_answer_as_the_originals_do() {
    let server = server().await;
    let at = server.address();
    let known_or_not = format!("GET /ping?job-id={}", "0".repeat(64));
    for (head, body, status, text) in [
        (&*known_or_not, &[][..], 200, "OK"),
        ("GET /ping?job-id=nonsense", &[], 200, "OK"),
        ("GET /ping", &[], 500, "Internal Server Error"),
        ("POST /job-complete", &[0; 35], 500, "Internal Server Error"),
        ("POST /job-complete", &[0; 36], 200, "OK"),
        ("POST /get-job", &[], 405, "Method Not Allowed"),
        ("GET /job-complete", &[], 405, "Method Not Allowed"),
        ("DELETE /ping", &[], 405, "Method Not Allowed"),
        ("GET /", &[], 404, "Not Found"),
    ] {
        let (got_status, got_text) = exchange(at, head, body).await;
        assert_eq!((got_status, &*got_text), (status, text), "{head}");
    }
}

#[tokio::test]
async fn a_job_travels_there_and_back() {
    let server = server().await;
    let (ticket, answered) = server.create(Command::GetAccountVk, Bytes::new());
    let mut stream = send(server.address(), "GET /get-job", &[]).await;
    let (status, head, body) = response(&mut stream).await.unwrap();
    assert_eq!(status, 200);
    assert!(head.contains("content-type: application/octet-stream"));
    assert_eq!(body.len(), HEADER_BYTES);
    let frame = Frame::parse(&body.into()).unwrap();
    assert_eq!((frame.ticket, frame.command), (ticket, 3));
    let reply = answer(ticket, 5, "key").to_bytes();
    exchange(server.address(), "POST /job-complete", &reply).await;
    assert_eq!(answered.await.unwrap(), "key");
    assert_eq!(server.stats().completions, 1);
}

#[tokio::test]
async fn a_reply_larger_than_common_body_limits_is_read() {
    let server = server().await;
    let (ticket, answered) = server.create(Command::CreateProof, Bytes::from_static(&[0; 4]));
    let data = Bytes::from(vec![7; zkwhirl_job::limits::REQUEST_BYTES]);
    let reply = Frame {
        ticket,
        command: 5,
        data: data.clone(),
    };
    exchange(server.address(), "POST /job-complete", &reply.to_bytes()).await;
    assert_eq!(answered.await.unwrap(), data);
}

#[tokio::test]
async fn a_head_request_swallows_a_job() {
    let server = server().await;
    let (_, _answered) = server.create(Command::CreateProof, Bytes::from_static(&[0; 4]));
    send(server.address(), "HEAD /get-job", &[]).await;
    eventually("the job is gone", async || server.stats().issued > 0).await;
}

#[tokio::test]
async fn a_client_that_disconnects_still_swallows_a_job() {
    let server = server().await;
    drop(send(server.address(), "GET /get-job", &[]).await);
    // A later request on another connection shows that the server has read the poll.
    for _ in 0..3 {
        exchange(server.address(), "GET /ping?job-id=0", &[]).await;
    }
    let (_, _answered) = server.create(Command::CreateProof, Bytes::from_static(&[0; 4]));
    eventually("the job is gone", async || server.stats().issued > 0).await;
}

#[tokio::test]
async fn a_restart_cuts_connections_and_forgets_ids_on_the_same_port() {
    let server = server().await;
    let (ticket, answered) = server.create(Command::CreateProof, Bytes::from_static(&[0; 4]));
    let mut first = send(server.address(), "GET /get-job", &[]).await;
    assert!(response(&mut first).await.is_some());
    let mut second = send(server.address(), "GET /get-job", &[]).await;
    // An answer on a later connection shows that the server has read the poll.
    exchange(server.address(), "GET /ping?job-id=0", &[]).await;
    server.restart(Duration::ZERO).await.unwrap();
    assert!(response(&mut second).await.is_none());
    assert_eq!(answered.await, Err(Rejected::Restarted));
    let late = answer(ticket, 5, "late").to_bytes();
    let (status, _) = exchange(server.address(), "POST /job-complete", &late).await;
    assert_eq!(status, 200);
    assert_eq!(server.stats().ignored, 1);
}

#[tokio::test]
async fn a_stopping_server_tells_the_head_and_cuts_the_rest() {
    let server = server().await;
    let mut head = send(server.address(), "GET /get-job", &[]).await;
    exchange(server.address(), "GET /ping?job-id=0", &[]).await;
    let mut behind = send(server.address(), "GET /get-job", &[]).await;
    exchange(server.address(), "GET /ping?job-id=0", &[]).await;
    server.stop(Duration::from_millis(200)).await;
    let (status, _, body) = response(&mut head).await.unwrap();
    assert_eq!((status, body.len()), (200, 0));
    assert!(response(&mut behind).await.is_none());
}

/// The clock is paused: when all tasks wait, it jumps to the idle timer.
#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_closed_after_five_seconds() {
    let server = server().await;
    let mut stream = send(server.address(), "GET /ping?job-id=0", &[]).await;
    response(&mut stream).await.unwrap();
    let start = Instant::now();
    assert!(response(&mut stream).await.is_none());
    assert_eq!(millis(start), 5000);
}
