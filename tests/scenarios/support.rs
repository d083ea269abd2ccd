//! A simulated Falafel and a cluster beside it, in this process; prover
//! children are the real binary.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::broadcast;
use url::Url;
use zkwhirl::cluster::{Cluster, ClusterConfig, NativeProvers, Provers, Rollups, provenance};
use zkwhirl_broker_adapter::{
    Events, JobEvent,
    bridge::BridgeConfig,
    broker::{DeadLetter, EmbeddedConfig},
    falafel::Upstream,
};
use zkwhirl_circuits::Suite;
use zkwhirl_falafel::{Falafel, FalafelConfig, FalafelEvent, RollupPlan};
use zkwhirl_job::{Sizes, Topic};
use zkwhirl_keystore::EmbeddedKeyStore;
use zkwhirl_prover::native::{Engine, EngineConfig, Setting};
use zkwhirl_worker::WorkerConfig;

/// Longer than anything here takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// Falafel and the cluster that works for it.
pub(crate) struct Stage {
    pub(crate) falafel: Falafel,
    pub(crate) cluster: Cluster,
    pub(crate) events: broadcast::Receiver<JobEvent>,
    /// What Falafel says.
    pub(crate) pipeline: broadcast::Receiver<FalafelEvent>,
}

/// What a stage is made of.
pub(crate) struct Scene {
    pub(crate) provers: Provers,
    pub(crate) slots: usize,
    /// How long a retried job waits.
    pub(crate) delay: Duration,
    pub(crate) plan: Option<RollupPlan>,
}

impl Scene {
    pub(crate) async fn start(self) -> Stage {
        let sizes = self.provers.rollups().sizes;
        let config = FalafelConfig {
            clients: self.provers.users().unwrap(),
            ..FalafelConfig::new(self.plan, Arc::new(self.provers.checker().unwrap()))
        };
        let pipeline = config.events.subscribe();
        let falafel = Falafel::start(config).await.unwrap();
        let url = |address| Url::parse(&format!("http://{address}")).unwrap();
        let upstreams = vec![
            Upstream::new("inner", url(falafel.inner_address())),
            Upstream::optional("outer", url(falafel.outer_address().unwrap())),
        ];
        let events = Events::default();
        let seen = events.subscribe();
        let cluster = Cluster::start(ClusterConfig {
            bridge: BridgeConfig::new(upstreams, sizes),
            worker: WorkerConfig::default(),
            broker: EmbeddedConfig {
                delays: [self.delay; 3],
                ..EmbeddedConfig::default()
            },
            provers: self.provers,
            topics: Topic::ALL.to_vec(),
            slots: self.slots,
            events,
        })
        .unwrap();
        Stage {
            events: seen,
            pipeline,
            falafel,
            cluster,
        }
    }
}

impl Stage {
    /// Waits for an event, on a subscription of its own.
    pub(crate) async fn until(&self, mut wanted: impl FnMut(&JobEvent) -> bool) {
        let mut events = self.cluster.bridge().events().subscribe();
        while !wanted(&events.recv().await.unwrap()) {}
    }

    /// All dead letters.
    pub(crate) async fn dead(&self) -> Vec<DeadLetter> {
        self.cluster.broker().dead_letters(10_000).await.unwrap()
    }

    /// Waits until so many letters are dead.
    pub(crate) async fn until_dead(&self, count: usize) {
        eventually(&format!("{count} dead letters"), async || {
            self.dead().await.len() >= count
        })
        .await;
    }

    /// Falafel saw no NACK and never had to issue a ticket again.
    #[track_caller]
    pub(crate) fn falafel_noticed_nothing(&self) {
        let stats = self.falafel.stats();
        assert_eq!((stats.nacks, stats.reissues), (0, 0), "nacks, re-issues");
    }

    pub(crate) async fn end(self) {
        self.cluster.stop().await;
        self.falafel.stop(Duration::ZERO).await;
    }
}

/// Keys that all tests share: made once, by whichever needs them first, also
/// when the suite runs twice at once.
pub(crate) fn data_dir() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("data")
}

/// The native engine at `txs` × `inners`.
pub(crate) fn native(suite: Suite, txs: u32, inners: u32) -> Provers {
    Provers::Native(NativeProvers {
        rollups: Rollups {
            suite,
            sizes: Sizes::new(txs, inners).unwrap(),
        },
        program: env!("CARGO_BIN_EXE_zkwhirl").into(),
        data_dir: data_dir(),
        max_circuit_size: 1 << 21,
        allow_dev_keys: true,
        fleet: None,
        load_first: Vec::new(),
        memory_limit: None,
    })
}

/// The poseidon suite's engine at `txs` × `inners`, in this process and with
/// the same keys.
pub(crate) fn engine(txs: u32, inners: u32) -> Engine {
    let sizes = Sizes::new(txs, inners).unwrap();
    let setting = Setting::new(Suite::Poseidon, sizes, 1 << 21);
    let config = EngineConfig::new(setting, provenance(true));
    Engine::new(config, EmbeddedKeyStore::new(&data_dir()))
}

/// The mock at `txs` × `inners`.
pub(crate) fn proverless(suite: Suite, txs: u32, inners: u32) -> Provers {
    Provers::Proverless {
        rollups: Rollups {
            suite,
            sizes: Sizes::new(txs, inners).unwrap(),
        },
        work: Duration::ZERO,
    }
}

/// Kills the prover that works for this test: processes whose parent is this
/// one and that run `rollup-cli`.
pub(crate) fn kill_prover_children() {
    let me = std::process::id().to_string();
    let processes = fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let pid: i32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let command = fs::read_to_string(format!("/proc/{pid}/cmdline")).ok()?;
        let parent = stat.rsplit(") ").next()?.split(' ').nth(1)?;
        (parent == me && command.contains("rollup-cli")).then_some(pid)
    });
    let children: Vec<i32> = processes.collect();
    assert!(!children.is_empty(), "a child is proving");
    for child in children {
        kill_process(Pid::from_raw(child).unwrap(), Signal::KILL).unwrap();
    }
}

/// A file made by the original code.
pub(crate) fn vector(name: &str) -> Bytes {
    fs::read(vector_path(name)).unwrap().into()
}

pub(crate) fn vector_path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/vectors")
        .join(format!("{name}.bin"))
}

/// Waits until a condition holds; fails with its name.
pub(crate) async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting)
        .await
        .unwrap_or_else(|_| panic!("never came: {what}"));
}
