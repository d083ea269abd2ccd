//! The memory of the jobs that this bridge took: their requests, which travel with
//! them, and their traces.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use bytes::Bytes;
use tokio::sync::Notify;
use zkwhirl_job::{JobId, Kind, envelope::Payload};
use zkwhirl_ledger::{JobRecord, OPEN_TICKETS};
use zkwhirl_telemetry::trace::Trace;

use crate::{
    locked::Locked,
    retry::{RetryingLedger, Stopped},
};

/// How many bytes of requests are kept in memory: two full rollups of the largest inner
/// requests and their claims. Further requests are read from the ledger when they are
/// needed.
const BYTES: usize = 96 << 20;

/// The requests of open jobs.
#[derive(Debug)]
pub(crate) struct Requests {
    ledger: RetryingLedger,
    inline_bytes: usize,
    /// Requests a comparison of ledger and broker.
    compare: Arc<Notify>,
    open: Locked<Open>,
}

#[derive(Debug, Default)]
struct Open {
    bytes: usize,
    jobs: HashMap<JobId, OpenJob>,
}

#[derive(Debug, Default)]
struct OpenJob {
    request: Option<Bytes>,
    /// The job's trace, from the take to the delivery, with its context; `None` if traces
    /// are not collected.
    trace: Option<(Trace, String)>,
}

impl Requests {
    pub(crate) fn new(ledger: RetryingLedger, inline_bytes: usize, compare: Arc<Notify>) -> Self {
        Self {
            ledger,
            inline_bytes,
            compare,
            open: Locked::default(),
        }
    }

    /// Keeps the request of a job that was taken; `new`: begins the job's trace.
    pub(super) fn remember(&self, job: &JobRecord, request: &Bytes, new: bool) {
        let mut open = self.open.lock();
        if open.jobs.len() >= OPEN_TICKETS && !open.jobs.contains_key(&job.id) {
            return;
        }
        let fits = open.bytes + request.len() <= BYTES;
        let entry = open.jobs.entry(job.id).or_default();
        if new {
            let trace = Trace::job(job.kind.map_or("unknown", Kind::name), &job.id);
            entry.trace = trace.context().map(|context| (trace, context));
        }
        if fits && entry.request.is_none() {
            entry.request = Some(request.clone());
            open.bytes += request.len();
        }
    }

    /// Returns the request of a job, from memory or, after a restart or an adoption, from
    /// the ledger. `None`: the ledger has lost the request, and the job with it. The next
    /// comparison then closes the job's tickets, and Falafel issues them again with their
    /// bytes.
    pub(super) async fn of(&self, job: JobId) -> Result<Option<Bytes>, Stopped> {
        let open = |open: &Open| open.jobs.get(&job).and_then(|job| job.request.clone());
        let remembered = open(&self.open.lock());
        if remembered.is_some() {
            return Ok(remembered);
        }
        let request = self.ledger.request(job).await?;
        if request.is_none() {
            tracing::warn!(job = %job, "the job's request is missing in the ledger: the bridge closes the job's tickets, and Falafel issues them again");
            self.compare.notify_one();
        }
        Ok(request)
    }

    /// Makes the payload of a message: the request, or a reference to the ledger.
    pub(super) fn payload(&self, request: Bytes) -> Payload {
        if request.len() <= self.inline_bytes {
            return Payload::Inline(request);
        }
        Payload::Stored {
            bytes: request.len() as u64,
        }
    }

    /// The trace context that a job's messages carry.
    pub(super) fn trace(&self, job: JobId) -> Option<String> {
        let open = self.open.lock();
        let trace = open.jobs.get(&job)?.trace.as_ref();
        trace.map(|(_, context)| context.clone())
    }

    /// Drops the request and the trace of a job that was answered or is unwanted.
    pub(crate) fn forget(&self, job: JobId) {
        let mut open = self.open.lock();
        if let Some(gone) = open.jobs.remove(&job) {
            open.bytes -= gone.request.map_or(0, |request| request.len());
        }
    }

    /// The jobs that are remembered.
    pub(crate) fn jobs(&self) -> HashSet<JobId> {
        self.open.lock().jobs.keys().copied().collect()
    }
}
