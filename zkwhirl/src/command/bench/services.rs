//! RabbitMQ and Redis for a benchmark: the services that the environment names,
//! else new ones from `scripts/services`, which stop with this process.

use std::{env, path::PathBuf, process::Command, time::Duration};

use anyhow::Context;
use serde_json::Value;

#[derive(Debug)]
pub(super) struct BenchServices {
    pub(super) amqp: String,
    pub(super) management: String,
    pub(super) redis: String,
    /// The interval at which RabbitMQ updates its statistics.
    pub(super) statistics: Duration,
    own: Option<(PathBuf, String)>,
}

impl BenchServices {
    pub(super) fn up() -> anyhow::Result<Self> {
        let set = |name| env::var(name).ok();
        if let (Some(amqp), Some(management), Some(redis)) = (
            set("ZKWHIRL_AMQP_URL"),
            set("ZKWHIRL_AMQP_MANAGEMENT_URL"),
            set("ZKWHIRL_REDIS_URL"),
        ) {
            return Ok(Self {
                amqp,
                management,
                redis,
                statistics: Duration::from_secs(5), // its default
                own: None,
            });
        }
        let script = script().context(
            "cannot find scripts/services beside this program or above the current folder; \
             set ZKWHIRL_AMQP_URL, ZKWHIRL_AMQP_MANAGEMENT_URL and ZKWHIRL_REDIS_URL instead",
        )?;
        let pid = std::process::id().to_string();
        let name = format!("bench-{pid}");
        let output = Command::new(&script)
            .args(["up", "--name", &name, "--json", "--with-pid", &pid])
            .output()
            .context("cannot run scripts/services")?;
        anyhow::ensure!(
            output.status.success(),
            "scripts/services failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
        let urls: Value =
            serde_json::from_slice(&output.stdout).context("scripts/services printed no URLs")?;
        let url = |url: &Value| url.as_str().unwrap_or_default().to_owned();
        Ok(Self {
            amqp: url(&urls["amqp"][0]),
            management: url(&urls["management"][0]),
            redis: url(&urls["redis"]),
            statistics: Duration::from_secs(1), // the script sets it
            own: Some((script, name)),
        })
    }
}

impl Drop for BenchServices {
    fn drop(&mut self) {
        if let Some((script, name)) = &self.own {
            // The script also stops the services when this process ends.
            let _ = Command::new(script).args(["down", "--name", name]).output();
        }
    }
}

/// Finds `scripts/services` in or above the current folder or this program's.
fn script() -> Option<PathBuf> {
    let here = env::current_dir().ok();
    let program = env::current_exe().ok();
    let starts = [here, program];
    let folders = starts.iter().flatten().flat_map(|start| start.ancestors());
    folders
        .map(|folder| folder.join("scripts/services"))
        .find(|script| script.is_file())
}
