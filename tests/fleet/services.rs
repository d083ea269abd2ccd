//! RabbitMQ and Redis for one test, from `scripts/services`; they end with it,
//! however it ends.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

use serde_json::Value;

/// One instance of `scripts/services`.
pub(crate) struct Services {
    name: String,
    pub(crate) amqp: String,
    pub(crate) management: String,
    pub(crate) redis: String,
    /// Host and port of what RabbitMQ counts.
    pub(crate) rabbitmq_metrics: String,
}

impl Services {
    pub(crate) fn up() -> Self {
        Self::with(&[])
    }

    /// Redis on three nodes with Sentinel, behind HAProxy, and RabbitMQ.
    pub(crate) fn up_with_sentinel() -> Self {
        Self::with(&["--rabbitmq", "--sentinel"])
    }

    fn with(parts: &[&str]) -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let pid = std::process::id().to_string();
        let name = format!("fleet-{pid}-{}", MADE.fetch_add(1, Ordering::Relaxed));
        let up = ["up", "--name", &name, "--json", "--with-pid", &pid];
        let said = run(&[&up, parts].concat());
        let urls: Value = serde_json::from_str(&said).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self {
            amqp: text(&urls["amqp"][0]),
            management: text(&urls["management"][0]),
            redis: text(&urls["redis"]),
            rabbitmq_metrics: text(&urls["rabbitmq_metrics"][0]),
            name,
        }
    }

    /// The part that Sentinel says is Redis' primary.
    pub(crate) fn primary(&self) -> String {
        let said = run(&["env", "--name", &self.name, "--json"]);
        let urls: Value = serde_json::from_str(&said).unwrap();
        urls["redis_primary"].as_str().unwrap().to_owned()
    }

    /// `kill`, `stop` or `start` of `rabbitmq1` or `redis`.
    pub(crate) fn act(&self, what: &str, part: &str) {
        run(&[what, "--name", &self.name, part]);
    }

    /// The process of a part.
    pub(crate) fn pid(&self, part: &str) -> i32 {
        let pids = run(&["pids", "--name", &self.name]);
        let line = pids
            .lines()
            .find_map(|line| line.strip_prefix(part))
            .unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        run(&["down", "--name", &self.name]);
    }
}

fn run(arguments: &[&str]) -> String {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let output = Command::new(root.join("scripts/services"))
        .args(arguments)
        .env(
            "ZKWHIRL_SERVICES_DIR",
            Path::new(env!("CARGO_TARGET_TMPDIR")).join("services"),
        )
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}{errors}");
    said
}
