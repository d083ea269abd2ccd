//! RabbitMQ and Redis for tests, from `scripts/services`.

use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{self, Command},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use serde_json::Value;
use tokio::task::spawn_blocking;

/// One instance of `scripts/services`, with its own ports and folder. The instance
/// stops when the last clone is dropped or when this process ends in any way.
#[derive(Debug, Clone)]
pub struct Services {
    instance: Arc<Instance>,
    /// The AMQP URL of every RabbitMQ node, with the default virtual host.
    pub amqp: Vec<String>,
    /// The AMQP URLs over TLS; empty without TLS.
    pub amqps: Vec<String>,
    /// The URLs of the nodes' management APIs.
    pub management: Vec<String>,
    /// Host and port of each node's Prometheus metrics.
    pub rabbitmq_metrics: Vec<String>,
    /// Redis' URL; empty without Redis.
    pub redis: String,
}

#[derive(Debug)]
struct Instance {
    folder: PathBuf,
}

impl Services {
    /// Starts one RabbitMQ node and one Redis.
    pub async fn up() -> Self {
        Self::with(["--rabbitmq", "--redis"]).await
    }

    /// Starts the services that these options of `scripts/services up` name.
    pub async fn with<S: AsRef<OsStr>>(options: impl IntoIterator<Item = S>) -> Self {
        let options = options.into_iter().map(|option| option.as_ref().to_owned());
        let options: Vec<_> = options.collect();
        let starting = spawn_blocking(move || Self::start(&options));
        starting.await.expect("the services start")
    }

    fn start(options: &[impl AsRef<OsStr>]) -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let (pid, made) = (process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let instance = Instance {
            folder: env::temp_dir().join(format!("zkwhirl-services-{pid}-{made}")),
        };
        let mut up = instance.command("up");
        up.args(["--json", "--with-pid", &pid.to_string()]);
        let said = run(up.args(options));
        let urls: Value = serde_json::from_str(&said).expect("scripts/services prints JSON");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let list = |key| urls[key].as_array().into_iter().flatten().map(text);
        Self {
            amqp: list("amqp").collect(),
            amqps: list("amqps").collect(),
            management: list("management").collect(),
            rabbitmq_metrics: list("rabbitmq_metrics").collect(),
            redis: text(&urls["redis"]),
            instance: Arc::new(instance),
        }
    }

    /// Runs `kill`, `stop`, `start` or `restart` on a part, `rabbitmq1` or `redis`.
    pub async fn act(&self, what: &'static str, part: &str) {
        self.call(what, &[part]).await;
    }

    /// Runs rabbitmqctl on the first running node.
    pub async fn ctl(&self, arguments: &[&str]) {
        self.call("ctl", arguments).await;
    }

    /// The process id of a part.
    pub async fn pid(&self, part: &str) -> i32 {
        let pids = self.call("pids", &[]).await;
        let mut lines = pids.lines().map(str::split_whitespace);
        let mut line = lines.find(|line| line.clone().next() == Some(part));
        let pid = line.as_mut().and_then(|line| line.nth(1));
        pid.and_then(|pid| pid.parse().ok()).expect("the part runs")
    }

    /// The name of the part that is Redis' primary, according to Sentinel.
    pub async fn primary(&self) -> String {
        let said = self.call("env", &["--json"]).await;
        let urls: Value = serde_json::from_str(&said).expect("scripts/services prints JSON");
        urls["redis_primary"].as_str().expect("a part").to_owned()
    }

    /// Runs a command on this instance, without blocking the test's runtime.
    async fn call(&self, command: &'static str, arguments: &[&str]) -> String {
        let mut services = self.instance.command(command);
        services.args(arguments);
        let calling = spawn_blocking(move || run(&mut services));
        calling.await.expect("scripts/services succeeds")
    }
}

impl Instance {
    fn command(&self, command: &str) -> Command {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/services");
        let mut services = Command::new(script);
        services
            .args([command, "--name", "test"])
            .env("ZKWHIRL_SERVICES_DIR", &self.folder);
        services
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // A second panic would hide the first, so errors are ignored.
        let _ = self.command("down").output();
    }
}

fn run(services: &mut Command) -> String {
    let output = services.output().expect("scripts/services can be run");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{services:?}: {said}{errors}");
    said
}
