//! A real Prometheus with the recording rule of k8s/base, on a free port.

use std::{
    fs,
    process::{Command, Stdio},
};

use serde_json::{Value, json};
use zkwhirl_redis::testkit::free_port;
use zkwhirl_testkit::eventually;

use crate::stage::{Process, root, said};

pub(crate) struct Prometheus {
    _process: Process,
    client: reqwest::Client,
    /// The URL of the query for the series that the autoscaler scales on.
    query: String,
    _folder: tempfile::TempDir,
}

impl Prometheus {
    /// Scrapes bridge and RabbitMQ as the monitors of k8s/base do, and evaluates the
    /// rule, both ten times as often.
    pub(crate) async fn start(bridge: &str, rabbitmq: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, content: &Value| {
            let file = folder.path().join(name);
            fs::write(&file, content.to_string()).unwrap(); // JSON is YAML
            file
        };
        let rules = write("rules.yml", &json!({ "groups": rule_groups() }));
        let config = json!({
            "global": { "scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s" },
            "rule_files": [rules],
            "scrape_configs": [{
                "job_name": "bridge",
                "static_configs": [{ "targets": [bridge] }],
            }, {
                "job_name": "rabbitmq",
                "metrics_path": "/metrics/detailed",
                "params": { "family": ["queue_coarse_metrics"], "vhost": ["zkwhirl"] },
                "static_configs": [{ "targets": [rabbitmq] }],
            }],
        });
        let config = write("prometheus.yml", &config);
        let address = format!("127.0.0.1:{}", free_port());
        let program = said(&mut Command::new(root().join("scripts/prometheus")));
        let data = folder.path().join("data");
        let mut command = Command::new(program.trim());
        command
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", data.display()))
            .arg(format!("--web.listen-address={address}"))
            .arg("--log.level=error")
            .stdout(Stdio::null());
        let prometheus = Self {
            _process: Process::start(&mut command),
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            query: format!("http://{address}/api/v1/query?query=zkwhirl:inner_outstanding:hpa"),
            _folder: folder,
        };
        eventually("Prometheus has the series", async || {
            prometheus.outstanding().await.is_some()
        })
        .await;
        prometheus
    }

    /// The metric's value in thousandths; `None` if the series has no value.
    pub(crate) async fn outstanding(&self) -> Option<i64> {
        let answer = self.client.get(&self.query).send().await.ok()?;
        let answer: Value = serde_json::from_slice(&answer.bytes().await.ok()?).ok()?;
        let value = &answer["data"]["result"][0]["value"][1];
        let value: f64 = value.as_str()?.parse().ok()?;
        Some((value * 1000.0) as i64)
    }
}

/// The groups of the PrometheusRule in k8s/base, evaluated each second.
fn rule_groups() -> Value {
    let rule = include_str!("../../k8s/base/scaling-rule.yaml");
    let rule: Value = serde_saphyr::from_str(rule).unwrap();
    let mut groups = rule["spec"]["groups"].clone();
    for group in groups.as_array_mut().unwrap() {
        group["interval"] = "1s".into();
    }
    groups
}
