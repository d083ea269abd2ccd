//! `zkwhirl up` as a process, and a simulated Falafel for it.

use std::{
    io::{BufRead, BufReader},
    net::{SocketAddr, TcpListener},
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};
use zkwhirl::cluster::{Checker, Rollups};
use zkwhirl_circuits::Suite;
use zkwhirl_falafel::{Falafel, FalafelConfig, Listen, RollupPlan};
use zkwhirl_job::Sizes;

use crate::support::{Odd, Process, zkwhirl};

/// Longer than anything here takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A running `zkwhirl up`.
pub(crate) struct Up {
    pub(crate) process: Process,
    /// Where its API is.
    pub(crate) api: SocketAddr,
    pub(crate) headline: String,
}

/// What every instance here is started with.
pub(crate) fn command(falafel: SocketAddr) -> Command {
    let mut up = zkwhirl("up");
    up.env("JOB_SERVER_URL", format!("http://{falafel}"))
        .env("ZKWHIRL_API_ADDRESS", "127.0.0.1")
        .env(
            "ZKWHIRL_OUTER_JOB_SERVER_URL",
            format!("http://{}", closed()),
        )
        .env("PORT", "0")
        .env("DATA_DIR", "/nonexistent/data")
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    up
}

/// An address where nobody listens.
pub(crate) fn closed() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

impl Up {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut process = Process(command.spawn().unwrap());
        let mut headline = String::new();
        let output = process.0.stdout.as_mut().unwrap();
        BufReader::new(output).read_line(&mut headline).unwrap();
        let (_, address) = headline.split_once("API at http://").unwrap();
        let address = address.trim_end().split('/').next().unwrap();
        Self {
            api: address.parse().unwrap(),
            headline,
            process,
        }
    }

    /// Behind a program with a habit.
    pub(crate) fn with(odd: &Odd, falafel: SocketAddr) -> Command {
        let mut up = command(falafel);
        up.env("ZKWHIRL_ROLLUP_CLI", odd.program())
            .env("DATA_DIR", odd.path("data"))
            .env("MAX_CIRCUIT_SIZE", "2")
            .env("LAZY_INIT", "true");
        up
    }

    /// One request on a connection of its own; the answer as it comes: the
    /// head's lines, sorted and without the date, and the body.
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
        timeout(PATIENCE, reading).await.unwrap().unwrap();
        let end = answer
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .unwrap();
        let head = String::from_utf8(answer[..end].to_vec()).unwrap();
        let mut lines: Vec<_> = head.lines().map(str::to_owned).collect();
        lines.retain(|line| !line.starts_with("date: ") && line != "connection: close");
        lines[1..].sort();
        (lines, Bytes::from(answer).slice(end + 4..))
    }

    /// A request whose answer nobody has read yet.
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
        socket
            .write_all(&[head.as_bytes(), body].concat())
            .await
            .unwrap();
        socket
    }

    /// Waits until a prover is ready.
    pub(crate) async fn until_ready(&self) {
        let waiting = async {
            loop {
                let (_, body) = self.call("GET", "/", b"").await;
                if body == r#"{"serviceName":"halloumi","isReady":true}"# {
                    return;
                }
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, waiting).await.unwrap();
    }

    /// A figure of `/metrics`.
    pub(crate) async fn figure(&self, name: &str) -> f64 {
        let (_, page) = self.call("GET", "/metrics", b"").await;
        let page = String::from_utf8(page.to_vec()).unwrap();
        let value = page
            .lines()
            .find_map(|line| line.strip_prefix(&format!("{name} ")));
        value
            .unwrap_or_else(|| panic!("no {name} in {page}"))
            .parse()
            .unwrap()
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

/// A Falafel that wants the keys, a claim, an inner rollup, the root rollup and
/// its verifier, then settles.
pub(crate) async fn rolling_up(sizes: Sizes, listen: Listen) -> Falafel {
    let plan = RollupPlan {
        suite: Suite::Pedersen,
        seed: 11,
        sizes,
        genesis_claims: 1,
        max_claims: 1,
        txs: 1,
        rollups: Some(1),
        vks: true,
    };
    let config = FalafelConfig {
        listen,
        ..FalafelConfig::new(Some(plan), mock(sizes))
    };
    Falafel::start(config).await.unwrap()
}

/// A Falafel that asks for what a test says.
pub(crate) async fn asking(check: Arc<Checker>) -> Falafel {
    let config = FalafelConfig {
        listen: Listen::Normal(SocketAddr::from(([127, 0, 0, 1], 0))),
        ..FalafelConfig::new(None, check)
    };
    Falafel::start(config).await.unwrap()
}
