//! The recorder of all metrics, and the process's own metrics.

use std::{
    fs,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::Context;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use rustix::time::{ClockId, clock_gettime};
use zkwhirl_telemetry::{Kind, Role, begin, catalogue::process as metric};

use super::memory::{SystemMemory, number_after};

/// Installs the recorder and creates every series of the roles, with each of
/// `topics` where topic is a label. Call this before any metric is recorded.
pub(crate) fn install(roles: &[Role], topics: &[&'static str]) -> anyhow::Result<PrometheusHandle> {
    let mut builder = PrometheusBuilder::new();
    // Without bucket bounds the exporter would make summaries, which cannot be
    // aggregated over processes.
    for family in Role::ALL.into_iter().flat_map(Role::families) {
        if let Kind::Histogram(bounds) = family.kind {
            let name = Matcher::Full(family.name.to_owned());
            builder = builder.set_buckets_for_metric(name, bounds)?;
        }
    }
    let page = builder
        .install_recorder()
        .context("cannot install the metrics recorder")?;
    begin(roles, topics);
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    metric::START.set([], now.unwrap_or_default().as_secs_f64());
    Ok(page)
}

#[derive(Debug, Default)]
pub(super) struct OwnUse {
    memory: SystemMemory,
    /// The CPU time that the metric already includes, in seconds.
    counted: u64,
}

impl OwnUse {
    pub(super) fn look(&mut self) {
        let used = clock_gettime(ClockId::ProcessCPUTime);
        let used = u64::try_from(used.tv_sec).unwrap_or_default();
        let more = used.saturating_sub(self.counted);
        metric::CPU.of(["service"]).increment(more);
        self.counted = used;
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        if let Some(kib) = number_after(&status, "VmRSS:") {
            metric::RESIDENT.set(["service"], (kib * 1024) as f64);
        }
        if let Some(free) = self.memory.free_bytes() {
            metric::FREE_MEMORY.set([], free as f64);
        }
    }
}

/// Interval between two readings of the process's own metrics.
pub(super) const LOOK: Duration = Duration::from_secs(1);
