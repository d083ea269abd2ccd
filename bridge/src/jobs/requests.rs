//! The traces of jobs that this bridge took, from the take to the delivery.

use std::collections::HashMap;

use zkwhirl_job::{JobId, Kind};
use zkwhirl_telemetry::trace::Trace;

use zkwhirl_ledger::{JobRecord, OPEN_TICKETS};

/// Where jobs are published, for whoever reads a trace.
pub(super) const EXCHANGE: &str = "zkwhirl.jobs";
/// Where their results come from.
pub(super) const RESULTS: &str = "zkwhirl.results.v1";

/// Traces that are open, with their contexts; none while nobody collects them.
#[derive(Debug, Default)]
pub(super) struct Traces(HashMap<JobId, (Trace, String)>);

impl Traces {
    /// A job was taken.
    pub(super) fn begin(&mut self, job: &JobRecord) {
        let trace = Trace::job(job.kind.map_or("unknown", Kind::name), &job.id);
        if let Some(context) = trace.context()
            && self.0.len() < OPEN_TICKETS
        {
            self.0.insert(job.id, (trace, context));
        }
    }

    /// What a job's messages carry.
    pub(super) fn context(&self, job: JobId) -> Option<String> {
        self.0.get(&job).map(|(_, context)| context.clone())
    }

    /// The job's answer is delivered, or nobody waits for it.
    pub(super) fn end(&mut self, job: JobId) {
        self.0.remove(&job);
    }
}
