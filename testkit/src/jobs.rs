//! Jobs and results with fake requests.

use std::time::Duration;

use bytes::Bytes;
use zkwhirl_job::{
    AttemptRecord, Failure, JobId, Kind,
    envelope::{JobEnvelope, Outcome, Payload, ResultEnvelope},
};

/// A claim job whose request is the number `n`; equal numbers are equal jobs.
pub fn claim_job(n: u32) -> JobEnvelope {
    job_of(Kind::Claim, n)
}

/// A job of any kind whose fake request is the kind's name and the number `n`.
/// Brokers and workers do not parse the request.
pub fn job_of(kind: Kind, n: u32) -> JobEnvelope {
    let mut request = kind.name().as_bytes().to_vec();
    request.extend(n.to_be_bytes());
    let request = Bytes::from(request);
    let mut job = JobEnvelope {
        id: JobId([0; 32]),
        kind,
        rollup_id: None,
        sizes: None,
        attempt: 1,
        taken_at_ms: u64::from(n),
        payload: Payload::Inline(request.clone()),
        history: Vec::new(),
        trace: None,
    };
    job.id = JobId::of(job.command(), &request);
    job
}

/// The job after an attempt of `worker` that failed.
pub fn failed_by(mut job: JobEnvelope, worker: &str, failure: Failure) -> JobEnvelope {
    job.history.push(AttemptRecord {
        attempt: job.attempt,
        worker: worker.to_owned(),
        failure,
        duration: Duration::from_secs(1),
        exit: None,
        stderr_tail: String::new(),
        peak_rss_bytes: None,
    });
    job.attempt += 1;
    job
}

/// The result of a job with this reply, proved by worker `w`.
pub fn result_of(job: &JobEnvelope, reply: impl AsRef<[u8]>) -> ResultEnvelope {
    ResultEnvelope {
        id: job.id,
        kind: job.kind,
        attempt: job.attempt,
        worker: "w".into(),
        prove_ms: 1,
        outcome: Outcome::Proved(Bytes::copy_from_slice(reply.as_ref())),
        trace: None,
    }
}
