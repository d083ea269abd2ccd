//! The report at the demo's end: a table or one JSON object.

use std::time::Duration;

use serde::Serialize;
use zkwhirl_circuits::Suite;
use zkwhirl_job::Kind;

use super::progress::{DemoProgress, is_delivered};
use crate::ui::{self, percentile, table};

/// The JSON object of `--json`. Durations in seconds.
#[derive(Debug, Default, Serialize)]
pub(super) struct DemoReport {
    /// True if the simulated Falafel verified every proof.
    pub(super) ok: bool,
    pub(super) suite: String,
    /// Transactions per inner rollup × inner rollups per rollup.
    pub(super) sizes: String,
    pub(super) workers: usize,
    /// Rollups that Falafel began.
    pub(super) rollups: usize,
    /// Rollups that Falafel settled.
    pub(super) settled: usize,
    /// Bytes of the last final buffer: broadcast data and proofs.
    pub(super) final_bytes: usize,
    /// Distinct jobs that the bridge took.
    pub(super) jobs: u64,
    /// Tickets answered with a reply that Falafel accepted.
    pub(super) delivered: u64,
    /// Replies that the simulated Falafel verified.
    pub(super) proofs_verified: u64,
    /// Replies that the simulated Falafel refused, by reason.
    pub(super) refused: Vec<String>,
    /// Jobs that became dead letters, by reason.
    pub(super) parked: Vec<String>,
    pub(super) nacks: u64,
    pub(super) reissues: u64,
    pub(super) worst_ping_gap_s: f64,
    pub(super) makespan_s: f64,
    pub(super) queue_wait_s_p50: f64,
    pub(super) queue_wait_s_p95: f64,
    pub(super) prove_s_p50: f64,
    pub(super) prove_s_p95: f64,
    pub(super) key_generation_s: f64,
    /// True if the replies are mocks, false if they are proofs.
    pub(super) proverless: bool,
    /// The provenance of the keys: where their secret numbers came from.
    pub(super) keys: String,
}

impl DemoReport {
    /// The fields that follow from the progress; the caller sets the others.
    pub(super) fn of(progress: &DemoProgress) -> Self {
        let seconds = |sorted: &[Duration], percent| {
            let value = percentile(sorted, percent).unwrap_or_default();
            value.as_secs_f64()
        };
        let parked = progress.parked();
        let (waits, proofs) = (progress.waits(&[]), progress.prove_times(&[]));
        let settled: Vec<_> = progress.rollups.iter().filter_map(|r| r.settled).collect();
        let keys = progress.client_keys().done as u64;
        Self {
            ok: progress.accepted > 0 && progress.refused.is_empty() && parked.is_empty(),
            workers: progress.slots.len(),
            rollups: progress.rollups.len(),
            settled: settled.len(),
            final_bytes: settled.last().map_or(0, |(_, bytes)| *bytes),
            proofs_verified: progress.accepted.saturating_sub(keys),
            refused: progress.refused.clone(),
            parked,
            queue_wait_s_p50: seconds(&waits, 50),
            queue_wait_s_p95: seconds(&waits, 95),
            prove_s_p50: seconds(&proofs, 50),
            prove_s_p95: seconds(&proofs, 95),
            ..Self::default()
        }
    }

    /// Prints the table, the outcome, and each refusal and dead letter.
    pub(super) fn print(&self, progress: &DemoProgress) {
        let show = |sorted: &[Duration], percent| {
            percentile(sorted, percent).map_or_else(|| "–".to_owned(), ui::seconds)
        };
        const ROWS: [(&str, &[Kind]); 5] = [
            ("vk", &[Kind::JoinSplitVk, Kind::AccountVk]),
            ("claim", &[Kind::Claim]),
            ("tx-rollup", &[Kind::TxRollup]),
            ("root-rollup", &[Kind::RootRollup]),
            ("root-verifier", &[Kind::RootVerifier]),
        ];
        let rows = ROWS
            .into_iter()
            .filter(|(_, kinds)| progress.jobs_of(kinds).next().is_some())
            .map(|(name, kinds)| {
                let (waits, proofs) = (progress.waits(kinds), progress.prove_times(kinds));
                let delivered = progress.jobs_of(kinds).filter(|job| is_delivered(job));
                vec![
                    name.to_owned(),
                    progress.jobs_of(kinds).count().to_string(),
                    show(&waits, 50),
                    show(&waits, 95),
                    show(&proofs, 50),
                    show(&proofs, 95),
                    delivered.count().to_string(),
                ]
            });
        let header = "jobs|>|>wait p50|>wait p95|>prove p50|>prove p95|>delivered";
        ui::say(&table(header, rows));
        if self.rollups > 0 {
            ui::say(&format!("\n{}", self.outcome()));
        }
        ui::say(&format!(
            "{} of {} replies accepted by Falafel in {} · nacks {} · re-issues {} · worst ping gap {:.2} s of 5 s",
            progress.accepted,
            self.jobs,
            ui::seconds(Duration::from_secs_f64(self.makespan_s)),
            self.nacks,
            self.reissues,
            self.worst_ping_gap_s,
        ));
        if !self.proverless {
            ui::say(&format!("keys: {}", self.keys));
        }
        for reason in self.refused.iter().chain(&self.parked) {
            ui::say(&format!("✗ {reason}"));
        }
    }

    /// The settled rollups, their sizes, and which statements were proved.
    fn outcome(&self) -> String {
        let what = if self.proverless {
            "proverless: nothing was proved, the mock replies only have the right layout"
        } else if self.suite == Suite::Poseidon.to_string() {
            "client transactions, claims, inner rollups and root rollup proved"
        } else {
            let proved = "claims, inner rollups and root rollup proved";
            &format!("{proved}; {}", ui::PLONK_CLIENTS)
        };
        format!(
            "{} of {} rollups settled · {} · last final buffer {} B · {what}",
            self.settled,
            self.rollups,
            self.sizes,
            ui::grouped(self.final_bytes as u64),
        )
    }
}
