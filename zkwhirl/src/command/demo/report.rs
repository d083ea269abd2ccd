//! How the demo ends: the closing table or one JSON object.

use std::time::Duration;

use serde::Serialize;
use zkwhirl_broker_adapter::bridge::BridgeStats;
use zkwhirl_job::Kind;

use super::model::{Model, percentile};
use crate::ui::{self, table::table};

/// The JSON object of `--json`. Durations in seconds.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// Whether every proof was verified by the simulated Falafel.
    pub(super) ok: bool,
    suite: String,
    workers: usize,
    rollups: usize,
    /// Distinct jobs that the bridge took.
    jobs: u64,
    /// Tickets answered with a reply that Falafel accepted.
    delivered: u64,
    /// Replies that the simulated Falafel verified.
    proofs_verified: u64,
    /// Replies that it refused.
    refused: Vec<String>,
    /// Jobs parked as dead letters, by reason.
    parked: Vec<String>,
    nacks: u64,
    reissues: u64,
    worst_ping_gap_s: f64,
    makespan_s: f64,
    queue_wait_s_p50: f64,
    queue_wait_s_p95: f64,
    prove_s_p50: f64,
    prove_s_p95: f64,
    key_generation_s: f64,
    /// Whether the replies are proofs or the mock's.
    proverless: bool,
    /// Where the keys' secret numbers came from.
    keys: String,
}

/// What the report needs beside the model.
#[derive(Debug)]
pub(super) struct Closing<'a> {
    pub(super) suite: String,
    pub(super) proverless: bool,
    /// Whether everything that Falafel asked for came back.
    pub(super) done: bool,
    pub(super) stats: &'a BridgeStats,
    pub(super) reissues: u64,
    pub(super) nacks: u64,
    pub(super) makespan: Duration,
    pub(super) key_generation: Duration,
    /// Where the keys' secret numbers came from.
    pub(super) keys: Vec<String>,
}

impl Report {
    pub(super) fn of(model: &Model, closing: &Closing<'_>) -> Self {
        let seconds = |sorted: &[Duration], percent| {
            percentile(sorted, percent)
                .unwrap_or_default()
                .as_secs_f64()
        };
        let (waits, proofs) = (model.waits(None), model.prove_times(None));
        Self {
            ok: closing.done
                && model.accepted > 0
                && model.refused.is_empty()
                && model.parked.is_empty()
                && closing.nacks == 0,
            suite: closing.suite.clone(),
            workers: model.workers.len(),
            rollups: model.rollups.iter().filter(|r| r.settled.is_some()).count(),
            jobs: closing.stats.jobs,
            delivered: closing.stats.delivered,
            proofs_verified: model.accepted,
            refused: model.refused.clone(),
            parked: model.parked.clone(),
            nacks: closing.nacks,
            reissues: closing.reissues,
            worst_ping_gap_s: closing.stats.worst_ping_gap.as_secs_f64(),
            makespan_s: closing.makespan.as_secs_f64(),
            queue_wait_s_p50: seconds(&waits, 50),
            queue_wait_s_p95: seconds(&waits, 95),
            prove_s_p50: seconds(&proofs, 50),
            prove_s_p95: seconds(&proofs, 95),
            key_generation_s: closing.key_generation.as_secs_f64(),
            proverless: closing.proverless,
            keys: closing.keys.join("; "),
        }
    }

    /// The table and what to do next.
    pub(super) fn print(&self, model: &Model) {
        let show = |sorted: &[Duration], percent| {
            percentile(sorted, percent).map_or_else(|| "–".to_owned(), ui::seconds)
        };
        let rows = [Kind::Claim, Kind::TxRollup]
            .into_iter()
            .filter(|kind| model.jobs.values().any(|job| job.kind == Some(*kind)))
            .map(|kind| {
                let (waits, proofs) = (model.waits(Some(kind)), model.prove_times(Some(kind)));
                let jobs = model.jobs.values().filter(|job| job.kind == Some(kind));
                let delivered = jobs.clone().filter(|job| job.delivered).count();
                vec![
                    kind.to_string(),
                    jobs.count().to_string(),
                    show(&waits, 50),
                    show(&waits, 95),
                    show(&proofs, 50),
                    show(&proofs, 95),
                    delivered.to_string(),
                ]
            })
            .collect();
        let header = [
            "jobs",
            "",
            "wait p50",
            "wait p95",
            "prove p50",
            "prove p95",
            "delivered",
        ];
        ui::say(&table(&header, &header[1..], rows));
        let what = if self.proverless {
            "mock replies accepted"
        } else {
            "proofs verified"
        };
        ui::say(&format!(
            "\n{} of {} {what} by Falafel in {} · nacks {} · re-issues {} · worst ping gap {:.2} s of 5 s",
            self.proofs_verified,
            self.jobs,
            ui::seconds(Duration::from_secs_f64(self.makespan_s)),
            self.nacks,
            self.reissues,
            self.worst_ping_gap_s,
        ));
        if self.proverless {
            ui::say("proverless: nothing was proved, the replies only have the true layout");
        } else {
            ui::say(&format!("keys: {}", self.keys));
        }
        for reason in self.refused.iter().chain(&self.parked) {
            ui::say(&format!("✗ {reason}"));
        }
    }
}
