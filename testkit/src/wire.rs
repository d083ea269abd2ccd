//! The recorded bytes of release 0.1.0, and values that several of them contain.

use std::time::Duration;

use bytes::Bytes;
use zkwhirl_job::{AttemptRecord, Failure, FailureClass, JobId};

use crate::vector;

/// The bytes of a file under `tests/vectors/wire/0.1.0`.
#[track_caller]
pub fn golden(name: &str) -> Bytes {
    vector(&format!("wire/0.1.0/{name}"))
}

/// The id of the claim job in the recorded bytes.
pub fn claim_id() -> JobId {
    let digits = "cae95705c548d48251589a4cf4845031c04dcf7c90eea87844c56f99590984a3";
    digits.parse().expect("an id")
}

/// Failed attempts, one of each class.
pub fn history() -> Vec<AttemptRecord> {
    let classes = [
        FailureClass::Invalid,
        FailureClass::Prover,
        FailureClass::Infrastructure,
        FailureClass::Interrupted,
    ];
    let records = classes.into_iter().zip(1..).map(|(class, n)| {
        let died = n % 2 == 0;
        AttemptRecord {
            attempt: n,
            worker: format!("worker-{n}/0"),
            failure: Failure::new(class, format!("reason {n}")),
            duration: Duration::new(u64::from(n) * 100, 500_000_000),
            exit: died.then(|| "signal 9".to_owned()),
            stderr_tail: if died { "last words\n" } else { "" }.to_owned(),
            peak_rss_bytes: died.then_some(5_368_709_120),
        }
    });
    records.collect()
}
