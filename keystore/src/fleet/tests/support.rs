//! A fleet for tests: machines with directories of their own, a shared one, and
//! a Redis.

use std::{
    fs, io,
    net::{Shutdown, TcpListener, TcpStream},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use redis::FromRedisValue;
use tempfile::TempDir;
use url::Url;
use zkwhirl_redis::{RedisAddress, testkit};

use super::super::*;
use crate::{KeyStore, conformance};

/// Waits until `ready`, and fails the test when that does not come.
pub(super) fn eventually(what: &str, mut ready: impl FnMut() -> bool) {
    for _ in 0..2_000 {
        if ready() {
            return;
        }
        thread::park_timeout(Duration::from_millis(10));
    }
    panic!("it did not come: {what}");
}

/// The machines of one test.
pub(super) struct Fleet {
    folder: TempDir,
    address: RedisAddress,
}

impl Fleet {
    pub(super) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            address: testkit::scratch(),
        }
    }

    pub(super) fn data_dir(&self, machine: usize) -> PathBuf {
        self.folder.path().join(format!("machine-{machine}"))
    }

    pub(super) fn shared(&self) -> PathBuf {
        self.folder.path().join("shared")
    }

    /// Settings that notice things early.
    pub(super) fn config(&self, machine: usize) -> FleetConfig {
        FleetConfig {
            shared: Some(self.shared()),
            who: format!("machine-{machine}"),
            look_every: Duration::from_millis(10),
            ..FleetConfig::new(self.address.clone())
        }
    }

    pub(super) fn machine(&self, machine: usize) -> FleetKeyStore {
        self.with(machine, |_| {})
    }

    pub(super) fn with(&self, n: usize, change: impl FnOnce(&mut FleetConfig)) -> FleetKeyStore {
        let mut config = self.config(n);
        change(&mut config);
        FleetKeyStore::new(&self.data_dir(n), config).unwrap()
    }

    /// One command.
    pub(super) fn redis<T: FromRedisValue>(&self, args: &[impl AsRef<[u8]>]) -> T {
        testkit::command(&self.address.url, args)
    }

    /// The keys of this fleet in Redis whose name contains `part`.
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

    /// `FLUSHALL`, as far as this fleet is concerned.
    pub(super) fn flush(&self) {
        for record in self.records("") {
            let _: u8 = self.redis(&["DEL", &record]);
        }
    }

    /// Changes the manifest in Redis.
    pub(super) fn forge(&self, change: impl FnOnce(&mut Manifest)) {
        let record = self.record("manifest");
        let json: Vec<u8> = self.redis(&["GET", &record]);
        let mut manifest = Manifest::parse(&json).unwrap();
        change(&mut manifest);
        let json = serde_json::to_string(&manifest).unwrap();
        let _: String = self.redis(&["SET", &record, &json]);
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

impl conformance::Place for Fleet {
    fn store(&self, n: usize) -> Arc<dyn KeyStore> {
        self.machine(n).into()
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

/// A way to Redis that can be cut.
pub(super) struct Gate {
    port: u16,
    open: Arc<AtomicBool>,
    streams: Arc<Mutex<Vec<TcpStream>>>,
}

impl Gate {
    pub(super) fn to(fleet: &Fleet) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (host, to) = (
            fleet.address.url.host_str().unwrap().to_owned(),
            fleet.address.url.port().unwrap_or(6379),
        );
        let open = Arc::new(AtomicBool::new(true));
        let streams = Arc::new(Mutex::new(Vec::new()));
        let (flag, kept) = (Arc::clone(&open), Arc::clone(&streams));
        thread::spawn(move || {
            for near in listener.incoming().flatten() {
                if !flag.load(Ordering::SeqCst) {
                    // Dropping the listener refuses who comes later.
                    return;
                }
                let far = TcpStream::connect((host.as_str(), to)).unwrap();
                pump(&near, &far);
                pump(&far, &near);
                kept.lock().unwrap().push(near);
            }
        });
        Self {
            port,
            open,
            streams,
        }
    }

    /// The address of `fleet` through this way.
    pub(super) fn url(&self, fleet: &Fleet) -> Url {
        let mut url = fleet.address.url.clone();
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(self.port)).unwrap();
        url
    }

    /// Cuts what is open; with `forever`, lets nobody in any more.
    pub(super) fn cut(&self, forever: bool) {
        self.open.store(!forever, Ordering::SeqCst);
        if forever {
            let _ = TcpStream::connect(("127.0.0.1", self.port));
            eventually("the gate is closed", || {
                TcpStream::connect(("127.0.0.1", self.port)).is_err()
            });
        }
        for stream in self.streams.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.cut(true);
    }
}

fn pump(from: &TcpStream, to: &TcpStream) {
    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
    thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Both);
    });
}
