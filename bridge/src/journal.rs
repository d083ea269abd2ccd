//! What the bridge counts with labels.

use std::time::Duration;

use zkwhirl_job::{FailureClass, Kind, Topic, envelope::ResultEnvelope};
use zkwhirl_telemetry::catalogue::{
    bridge::{COMPLETED, DEAD_LETTERED, DUPLICATES, TURNAROUND},
    process::WASTED,
};

use super::shared::Shared;
use zkwhirl_job::clock;
use zkwhirl_ledger::JobRecord;

/// Why a job is dead: its request can never be proved.
pub(super) const REQUEST: &str = "request";
/// Its attempts are used up.
pub(super) const ATTEMPTS: &str = "attempts";
/// No worker survived it.
pub(super) const CRASHES: &str = "crashes";

/// The topic of a job; one of no known kind is no inner job.
pub(super) fn topic_name(kind: Option<Kind>) -> &'static str {
    kind.map_or(Topic::Outer, Kind::topic).name()
}

/// What a worker's last failure says about the reason.
pub(super) fn death_by(class: FailureClass) -> &'static str {
    match class {
        FailureClass::Invalid => REQUEST,
        FailureClass::Prover | FailureClass::Infrastructure | FailureClass::Interrupted => ATTEMPTS,
    }
}

/// A prover's time that led to nothing.
pub(super) fn wasted(result: &ResultEnvelope, why: &'static str) {
    let spent = Duration::from_millis(result.prove_ms);
    WASTED.record([result.kind.topic().name(), why], spent);
}

/// A result of a job that had one.
pub(super) fn duplicate(result: &ResultEnvelope) {
    DUPLICATES.one([result.kind.topic().name()]);
    wasted(result, "duplicate");
}

impl Shared {
    /// A job has its verified result.
    pub(super) fn completed(&self, job: &JobRecord, proving: Duration) {
        let (topic, now) = (topic_name(job.kind), clock::now_ms());
        let age = Duration::from_millis(now.saturating_sub(job.taken_at_ms));
        COMPLETED.one([topic, "ok"]);
        TURNAROUND.record([topic], age);
        self.rollups.lock().proved(job, proving);
    }

    /// A job became a dead letter.
    pub(super) fn parked(&self, kind: Option<Kind>, why: &'static str) {
        let topic = topic_name(kind);
        self.counters.parked.one();
        COMPLETED.one([topic, "dead"]);
        DEAD_LETTERED.one([topic, why]);
    }
}
