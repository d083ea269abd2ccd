//! The ledger on a real Redis.

mod damage;
mod faults;
mod fleet;
mod memory;
mod model;
mod races;
mod tls;

use std::sync::Arc;

use bytes::Bytes;
use zkwhirl_job::JobId;
use zkwhirl_redis::{RedisAddress, testkit::RedisServer};

use super::{
    RedisLedger, RedisLedgerConfig,
    testkit::{self, watchful},
};
use crate::{
    JobRecord, JobState, Ledger, LedgerError, Note, StoredResult,
    conformance::{record, record_of, request, ticket},
};

/// A ledger of its own.
fn scratch() -> RedisLedger {
    RedisLedger::new(testkit::scratch()).unwrap()
}

async fn make() -> Arc<dyn Ledger> {
    Arc::new(scratch())
}

async fn make_two() -> [Arc<dyn Ledger>; 2] {
    let config = testkit::scratch();
    [0, 1].map(|_| Arc::new(RedisLedger::new(config.clone()).unwrap()) as Arc<dyn Ledger>)
}

mod conformance {
    crate::ledger_conformance!(super::make);
}

mod bridges_conformance {
    crate::bridges_conformance!(super::make_two);
}

/// Takes ticket `n` for job `n`.
async fn take(ledger: &RedisLedger, n: u32) -> JobRecord {
    let job = record(n);
    let taken = ledger.take(&ticket(n, job.id), &job, &request(n)).await;
    taken.unwrap().job
}

async fn go(ledger: &RedisLedger, job: JobId, from: JobState, to: JobState) -> bool {
    let note = Note::default();
    ledger.transition(job, &[from], to, &note).await.unwrap()
}

fn result(reply: &'static str) -> StoredResult {
    StoredResult::new(Bytes::from_static(reply.as_bytes()), 1, "w", 5)
}

/// Takes job `n` through its life.
async fn deliver(ledger: &RedisLedger, n: u32, reply: &'static str) -> JobId {
    let job = take(ledger, n).await.id;
    assert!(ledger.store_result(job, &result(reply)).await.unwrap());
    assert!(go(ledger, job, JobState::Taken, JobState::Proved).await);
    assert!(go(ledger, job, JobState::Proved, JobState::Delivered).await);
    ledger.close_ticket(ticket(n, job).id).await.unwrap();
    job
}

#[tokio::test]
async fn a_wrong_namespace_or_address_is_told_without_the_password() {
    let url: url::Url = "redis://:secret@127.0.0.1:1/notanumber".parse().unwrap();
    let config = |namespace| RedisLedgerConfig::new(RedisAddress::new(url.clone(), namespace));
    let error = RedisLedger::new(config("main")).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("127.0.0.1:1") && !text.contains("secret"),
        "{text}"
    );
    let error = RedisLedger::new(config("a b")).unwrap_err();
    assert!(error.to_string().starts_with("\"a b\" is no namespace"));
}

#[tokio::test]
async fn a_wrong_password_is_away_and_not_shown() {
    let server = RedisServer::start();
    let mut config = watchful(server.address());
    config.address.url.set_password(Some("wrong-one")).unwrap();
    let ledger = RedisLedger::new(config).unwrap();
    let Err(LedgerError::Away(why)) = ledger.job(record(1).id).await else {
        panic!("it must be away");
    };
    assert!(!why.contains("wrong-one"), "{why}");
    assert!(!format!("{ledger:?}").contains("wrong-one"));
}
