//! The ledger on a real Redis.

mod damage;
mod faults;
mod fleet;
mod memory;
mod model;
mod races;
mod tls;

use std::{fmt::Display, sync::Arc, time::Duration};

use bytes::Bytes;
use redis::{Cmd, FromRedisValue, ToRedisArgs, cmd};
use zkwhirl_job::JobId;
use zkwhirl_redis::{RedisAddress, testkit::RedisServer};

use super::{
    RedisLedger, RedisLedgerConfig,
    link::Lane,
    testkit::{self, watchful},
};
use crate::{
    Bridges, JobRecord, JobState, Ledger, LedgerError, Note, StoredResult,
    conformance::{record, record_of, request, ticket},
};

/// A ledger in a namespace of its own.
fn scratch() -> RedisLedger {
    RedisLedger::new(testkit::scratch()).unwrap()
}

/// A private Redis, and a ledger on it.
fn served() -> (RedisServer, RedisLedger) {
    served_with(|_| ())
}

/// A private Redis, and a ledger on it with other settings.
fn served_with(change: impl FnOnce(&mut RedisLedgerConfig)) -> (RedisServer, RedisLedger) {
    let server = RedisServer::start();
    let ledger = on(&server, change);
    (server, ledger)
}

fn on(server: &RedisServer, change: impl FnOnce(&mut RedisLedgerConfig)) -> RedisLedger {
    let mut config = watchful(server.address());
    change(&mut config);
    RedisLedger::new(config).unwrap()
}

/// Reads a number from Redis's `INFO`.
fn info(server: &RedisServer, section: &str, name: &str) -> u64 {
    let info: String = server.command(&["INFO", section]);
    let mut lines = info.lines().filter_map(|line| line.split_once(':'));
    let found = lines.find(|(line, _)| *line == name);
    found.unwrap().1.parse().unwrap()
}

/// A key of the ledger, with the ledger's prefix.
fn key(ledger: &RedisLedger, kind: &str, of: impl Display) -> String {
    format!("{}{kind}:{of}", ledger.prefix())
}

/// Runs one command, as an operator could.
async fn raw<T: FromRedisValue>(ledger: &RedisLedger, name: &str, args: impl ToRedisArgs) -> T {
    let mut command: Cmd = cmd(name);
    command.arg(args);
    let answer = ledger.command(Lane::Bulk, &command).await;
    T::from_redis_value(answer.unwrap()).unwrap()
}

async fn make() -> Arc<dyn Ledger> {
    Arc::new(scratch())
}

/// Two handles of one ledger, as two processes have them.
fn pair(config: RedisLedgerConfig) -> [RedisLedger; 2] {
    [0, 1].map(|_| RedisLedger::new(config.clone()).unwrap())
}

async fn make_two() -> [Arc<dyn Ledger>; 2] {
    pair(testkit::scratch()).map(|ledger| Arc::new(ledger) as Arc<dyn Ledger>)
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

/// Takes job `n` through all its states.
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
    let shown = text.contains("127.0.0.1:1") && !text.contains("secret");
    assert!(shown, "{text}");
    let error = RedisLedger::new(config("a b")).unwrap_err();
    assert!(error.to_string().starts_with("\"a b\" is no namespace"));
}

#[tokio::test]
async fn a_wrong_password_is_away_and_not_shown() {
    let (_server, ledger) = served_with(|config| {
        config.address.url.set_password(Some("wrong-one")).unwrap();
    });
    let Err(LedgerError::Away(why)) = ledger.job(record(1).id).await else {
        panic!("it must be away");
    };
    assert!(!why.contains("wrong-one"), "{why}");
    assert!(!format!("{ledger:?}").contains("wrong-one"));
}
