//! A fleet for tests: machines with directories of their own, a shared one, and
//! a Redis.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};

use redis::FromRedisValue;
use tempfile::TempDir;
use zkwhirl_redis::{RedisAddress, testkit};

use super::super::*;
use crate::{KeyStore, conformance::StorePlace};

/// Waits until `ready`; panics with `what` after 20 s.
pub(super) fn eventually(what: &str, mut ready: impl FnMut() -> bool) {
    let mut asked = 0;
    while !ready() {
        asked += 1;
        assert!(asked < 2_000, "not within 20 s: {what}");
        thread::park_timeout(Duration::from_millis(10));
    }
}

pub(super) struct TestFleet {
    folder: TempDir,
    address: RedisAddress,
}

impl TestFleet {
    pub(super) fn new() -> Self {
        Self::on(testkit::scratch())
    }

    /// A fleet with its records in the Redis at `address`.
    pub(super) fn on(address: RedisAddress) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            address,
        }
    }

    fn data_dir(&self, machine: usize) -> PathBuf {
        self.folder.path().join(format!("machine-{machine}"))
    }

    pub(super) fn shared(&self) -> PathBuf {
        self.folder.path().join("shared")
    }

    pub(super) fn machine(&self, machine: usize) -> FleetKeyStore {
        self.with(machine, |_| {})
    }

    /// Machine `n`, with short intervals, after `change` of its configuration.
    pub(super) fn with(&self, n: usize, change: impl FnOnce(&mut FleetConfig)) -> FleetKeyStore {
        let mut config = FleetConfig::new(self.address.clone(), Some(self.shared()));
        config.who = format!("machine-{n}");
        config.look_every = Duration::from_millis(10);
        change(&mut config);
        FleetKeyStore::new(&self.data_dir(n), config).unwrap()
    }

    /// The local keys of a machine, as a store without the fleet.
    pub(super) fn local(&self, machine: usize) -> EmbeddedKeyStore {
        EmbeddedKeyStore::new(&self.data_dir(machine))
    }

    fn redis<T: FromRedisValue>(&self, args: &[impl AsRef<[u8]>]) -> T {
        testkit::command(&self.address.url, args)
    }

    pub(super) fn records(&self, part: &str) -> Vec<String> {
        let all = format!("{}*{part}*", self.address.prefix());
        let mut records: Vec<String> = self.redis(&["KEYS", &all]);
        records.sort();
        records
    }

    /// The one key of this fleet in Redis whose name contains `part`.
    pub(super) fn record(&self, part: &str) -> String {
        let records = self.records(part);
        assert_eq!(records.len(), 1, "{records:?}");
        records[0].clone()
    }

    /// Deletes the keys of this fleet in Redis whose name contains `part` (`""`:
    /// all keys), and returns the number of deleted keys.
    pub(super) fn delete(&self, part: &str) -> usize {
        let records = self.records(part);
        for record in &records {
            let _: u8 = self.redis(&["DEL", record]);
        }
        records.len()
    }

    pub(super) fn set(&self, record: &str, value: &[u8]) {
        let _: String = self.redis(&[b"SET", record.as_bytes(), value]);
    }

    pub(super) fn forge(&self, change: impl FnOnce(&mut Manifest)) {
        let record = self.record("manifest");
        let json: Vec<u8> = self.redis(&["GET", &record]);
        let mut manifest = Manifest::parse(&json, &record).unwrap();
        change(&mut manifest);
        self.set(&record, &serde_json::to_vec(&manifest).unwrap());
    }

    /// The file in the shared directory.
    pub(super) fn shared_file(&self) -> PathBuf {
        let files = names(&self.shared());
        assert_eq!(files.len(), 1, "{files:?}");
        self.shared().join(&files[0])
    }

    /// The names of a machine's files, without those in folders.
    pub(super) fn files(&self, machine: usize) -> Vec<String> {
        names(&self.data_dir(machine).join("keys"))
    }
}

impl StorePlace for TestFleet {
    fn store(&self, n: usize) -> Arc<dyn KeyStore> {
        Arc::new(self.machine(n))
    }
}

fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
