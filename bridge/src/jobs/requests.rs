//! What this bridge remembers of the jobs that it took: their requests, which
//! travel with them, and their traces.

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

/// Bytes of requests that are remembered: two full rollups of the largest inner
/// requests and their claims. The requests beyond that are read from the ledger
/// when they are needed.
const BYTES: usize = 96 << 20;

/// The requests of open jobs.
#[derive(Debug)]
pub(crate) struct Requests {
    ledger: RetryingLedger,
    inline_bytes: usize,
    /// Asks for a comparison of ledger and broker.
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
    /// The trace from the take to the delivery, with its context; `None` while
    /// traces are not collected.
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

    /// A job was taken with its request; `new`: its trace begins.
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

    /// The request of a job: as it was taken, or from the ledger after a
    /// restart or an adoption. `None`: it is gone, and its job with it. The
    /// tickets that wait are let go, and Falafel issues them again with their
    /// bytes.
    pub(super) async fn of(&self, job: JobId) -> Result<Option<Bytes>, Stopped> {
        let open = |open: &Open| open.jobs.get(&job).and_then(|job| job.request.clone());
        let remembered = open(&self.open.lock());
        if remembered.is_some() {
            return Ok(remembered);
        }
        let request = self.ledger.request(job).await?;
        if request.is_none() {
            tracing::warn!(job = %job, "the job's request is gone: its tickets come again");
            self.compare.notify_one();
        }
        Ok(request)
    }

    /// A request as it travels: in the message, or beside it in the ledger.
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

    /// A job came to its end: its answer is delivered, or it is not wanted.
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
