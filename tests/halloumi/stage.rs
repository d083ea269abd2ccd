//! `zkwhirl up` as a process, with a simulated Falafel.

use std::{
    net::SocketAddr,
    process::{Command, Stdio},
    sync::{Arc, LazyLock},
};

use bytes::Bytes;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};
use zkwhirl::cluster::{Checker, Rollups};
use zkwhirl_circuits::Suite;
use zkwhirl_falafel::{Falafel, FalafelConfig, Listen, RollupPlan};
use zkwhirl_job::Sizes;
use zkwhirl_testkit::{eventually, within};

use crate::stage::{LEASE, Odd, Process, plan, url, zkwhirl};

pub(crate) struct Up {
    pub(crate) process: Process,
    pub(crate) api: SocketAddr,
    pub(crate) headline: String,
}

/// The arguments and variables of every instance in these tests.
pub(crate) fn command(falafel: SocketAddr) -> Command {
    let mut up = zkwhirl(["up"]);
    up.env("JOB_SERVER_URL", url(falafel).as_str())
        .env("ZKWHIRL_API_ADDRESS", "127.0.0.1")
        .env("ZKWHIRL_OUTER_JOB_SERVER_URL", url(closed()).as_str())
        .env("PORT", "0")
        .env("DATA_DIR", "/nonexistent/data")
        .stderr(Stdio::null());
    up
}

/// An address where no server listens: this process has bound the port, so
/// connections are refused.
fn closed() -> SocketAddr {
    static CLOSED: LazyLock<TcpSocket> = LazyLock::new(|| {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        socket
    });
    CLOSED.local_addr().unwrap()
}

impl Up {
    pub(crate) fn start(command: &mut Command) -> Self {
        let (process, (headline, api)) = Process::start_and_find(command, |line| {
            let (_, address) = line.split_once("API at http://")?;
            let address = address.split('/').next()?.parse().unwrap();
            Some((line.to_owned(), address))
        });
        Self {
            process,
            api,
            headline,
        }
    }

    /// A command that starts `zkwhirl up` with a misbehaving program.
    pub(crate) fn with(odd: &Odd, falafel: SocketAddr) -> Command {
        let mut up = command(falafel);
        up.env("ZKWHIRL_ROLLUP_CLI", odd.program())
            .env("DATA_DIR", odd.path("data"))
            .env("MAX_CIRCUIT_SIZE", "2")
            .env("LAZY_INIT", "true");
        up
    }

    /// Sends a request on a new connection; returns the answer's head, as sorted
    /// lines without the date, and its body.
    pub(crate) async fn call(&self, method: &str, path: &str, body: &[u8]) -> (Vec<String>, Bytes) {
        self.call_with(method, path, "", body).await
    }

    pub(crate) async fn call_with(
        &self,
        method: &str,
        path: &str,
        header: &str,
        body: &[u8],
    ) -> (Vec<String>, Bytes) {
        let mut socket = self.send(method, path, header, body).await;
        let mut answer = Vec::new();
        let reading = socket.read_to_end(&mut answer);
        within("an answer", reading).await.unwrap();
        let mut fours = answer.windows(4);
        let end = fours.position(|four| four == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(answer[..end].to_vec()).unwrap();
        let mut lines: Vec<_> = head.lines().map(str::to_owned).collect();
        lines.retain(|line| !line.starts_with("date: ") && line != "connection: close");
        lines[1..].sort();
        (lines, Bytes::from(answer).slice(end + 4..))
    }

    /// Sends a request and does not wait for the answer.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        header: &str,
        body: &[u8],
    ) -> TcpStream {
        let mut socket = TcpStream::connect(self.api).await.unwrap();
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: halloumi\r\nconnection: close\r\n{header}\
             content-length: {length}\r\n\r\n"
        );
        let request = [head.as_bytes(), body].concat();
        socket.write_all(&request).await.unwrap();
        socket
    }

    pub(crate) async fn until_ready(&self) {
        eventually("a prover is ready", async || {
            let (_, body) = self.call("GET", "/", b"").await;
            body == r#"{"serviceName":"halloumi","isReady":true}"#
        })
        .await;
    }

    pub(crate) async fn figure(&self, name: &str) -> f64 {
        let (_, page) = self.call("GET", "/metrics", b"").await;
        let page = String::from_utf8(page.to_vec()).unwrap();
        let mut lines = page.lines();
        let value = lines.find_map(|line| line.strip_prefix(&format!("{name} ")));
        let value = value.unwrap_or_else(|| panic!("no {name} in {page}"));
        value.parse().unwrap()
    }
}

/// A head without date and connection.
pub(crate) fn head(status: &str, content: &str, length: usize) -> Vec<String> {
    vec![
        format!("HTTP/1.1 {status}"),
        format!("content-length: {length}"),
        format!("content-type: {content}"),
    ]
}

pub(crate) const JSON: &str = "application/json; charset=utf-8";
pub(crate) const TEXT: &str = "text/plain; charset=utf-8";
pub(crate) const BINARY: &str = "application/octet-stream";

/// Halloumi's defaults.
pub(crate) fn sizes() -> Sizes {
    Sizes::new(1, 1).unwrap()
}

pub(crate) fn mock(sizes: Sizes) -> Arc<Checker> {
    let suite = Suite::Pedersen;
    Arc::new(Checker::proverless(Rollups { suite, sizes }))
}

/// A Falafel that requests the keys, a claim, an inner rollup, the root rollup and
/// its verifier, then settles.
pub(crate) async fn rolling_up(sizes: Sizes, listen: Listen) -> Falafel {
    let plan = RollupPlan {
        max_claims: 1,
        txs: 1,
        ..plan(Suite::Pedersen, sizes, 1, 1)
    };
    falafel(listen, Some(plan), mock(sizes)).await
}

/// A Falafel that requests only what a test issues.
pub(crate) async fn asking(check: Arc<Checker>) -> Falafel {
    let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
    falafel(Listen::Normal(anywhere), None, check).await
}

async fn falafel(listen: Listen, plan: Option<RollupPlan>, check: Arc<Checker>) -> Falafel {
    let config = FalafelConfig {
        listen,
        ack_timeout: LEASE,
        ..FalafelConfig::new(plan, check)
    };
    Falafel::start(config).await.unwrap()
}
