//! A simulated Falafel, a cluster of mock provers and its console, in this
//! process.

use std::{path::Path, sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::net::TcpListener;
use url::Url;
use zkwhirl::cluster::{Cluster, ClusterConfig, Provers, Rollups};
use zkwhirl_bridge::{BridgeConfig, api::AdminToken, falafel::Upstream};
use zkwhirl_broker_adapter::{Control, DeadClass, DeadLetter, EmbeddedBrokerConfig};
use zkwhirl_circuits::Suite;
use zkwhirl_console::{Console, ConsoleConfig, Keys, views::Key};
use zkwhirl_falafel::{Falafel, FalafelConfig, Plan};
use zkwhirl_job::{
    AttemptRecord, Command, Failure, JobId, Kind, Sizes, Topic,
    envelope::{Outcome, Payload, ResultEnvelope},
};
use zkwhirl_ledger::{Events, JobState};
use zkwhirl_worker::WorkerConfig;

/// Longer than anything here takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// The operator's.
pub(crate) const TOKEN: &str = "correct horse battery staple";

/// A development key and one of a ceremony.
struct TwoKeys;

impl Keys for TwoKeys {
    fn keys(&self) -> Vec<Key> {
        let key = |circuit: &str, provenance: &str, insecure| Key {
            circuit: circuit.to_owned(),
            id: "9f3c1d20".repeat(8),
            rows: 254_194,
            bytes: 402_600_000,
            vk: "51ab77d0".repeat(8),
            provenance: provenance.to_owned(),
            insecure,
            error: None,
        };
        vec![
            key("claim/poseidon", "ceremony of 7 contributions", false),
            key(
                "tx-rollup/poseidon/1",
                "dev key (seed 2026, never for funds)",
                true,
            ),
        ]
    }
}

/// Everything that runs.
pub(crate) struct Stage {
    pub(crate) falafel: Arc<Falafel>,
    pub(crate) cluster: Cluster,
    /// The console that lets operators act.
    pub(crate) url: String,
    /// The same without a token.
    pub(crate) read_only: String,
    pub(crate) http: reqwest::Client,
}

/// How a stage is set.
pub(crate) struct Scene {
    pub(crate) slots: usize,
    pub(crate) work: Duration,
    /// Rollups of eight inner rollups; none at all with 0.
    pub(crate) rollups: u32,
}

async fn serve(cluster: &Cluster, token: Option<&str>) -> String {
    let console = Console::start(ConsoleConfig {
        bridge: cluster.bridge().clone(),
        keys: Arc::new(TwoKeys),
        token: token.map(AdminToken::new),
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, console.router()).await });
    format!("http://{address}")
}

impl Scene {
    pub(crate) async fn start(self) -> Stage {
        let rollups = Rollups {
            suite: Suite::Poseidon,
            sizes: Sizes::new(1, 8).unwrap(),
        };
        let provers = Provers::Proverless {
            rollups,
            work: self.work,
        };
        self.start_with(provers).await
    }

    /// The same with provers of another kind.
    pub(crate) async fn start_with(self, provers: Provers) -> Stage {
        let rollups = provers.rollups();
        let sizes = rollups.sizes;
        let plan = (self.rollups > 0).then_some(Plan {
            suite: rollups.suite,
            seed: 7,
            sizes,
            genesis_claims: 4,
            max_claims: 4,
            txs: 8,
            rollups: Some(self.rollups),
            vks: true,
        });
        let checker = Arc::new(provers.checker().unwrap());
        let falafel = FalafelConfig::new(plan, checker);
        let falafel = Falafel::start(falafel).await.unwrap();
        let url = |address| Url::parse(&format!("http://{address}")).unwrap();
        let upstreams = vec![
            Upstream::new("inner", url(falafel.inner_address())),
            Upstream::optional("outer", url(falafel.outer_address().unwrap())),
        ];
        let cluster = Cluster::start(ClusterConfig {
            bridge: BridgeConfig::new(upstreams, sizes),
            worker: WorkerConfig::default(),
            broker: EmbeddedBrokerConfig {
                delays: [Duration::from_millis(50); 3],
                ..EmbeddedBrokerConfig::default()
            },
            provers,
            topics: Topic::ALL.to_vec(),
            slots: self.slots,
            events: Events::default(),
        })
        .unwrap();
        Stage {
            url: serve(&cluster, Some(TOKEN)).await,
            read_only: serve(&cluster, None).await,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            falafel: Arc::new(falafel),
            cluster,
        }
    }
}

/// A claim that the original code asked for.
pub(crate) fn claim() -> (JobId, Bytes) {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors");
    let request = std::fs::read(vectors.join("claims/claim_00_request.bin")).unwrap();
    (JobId::of(Command::CreateProof, &request), request.into())
}

impl Stage {
    /// Falafel asks for a proof.
    pub(crate) fn ask(&self, request: Bytes) {
        let falafel = self.falafel.clone();
        tokio::spawn(async move { falafel.prove(request).await });
    }

    /// All slots claim no more, or claim again, and say so.
    pub(crate) async fn quiet(&self, quiet: bool) {
        let slots = self.cluster.bridge().ledger();
        eventually("the slots are there", async || {
            !slots.slots().await.unwrap().is_empty()
        })
        .await;
        for number in 1..=slots.slots().await.unwrap().len() {
            let worker = zkwhirl::cluster::slot_name(number);
            let word = Control::Quiet { worker, quiet };
            self.cluster.broker().send_control(&word).await.unwrap();
        }
        eventually("the slots heard", async || {
            let slots = slots.slots().await.unwrap();
            slots.iter().all(|slot| slot.quiet == quiet)
        })
        .await;
    }

    /// Falafel asks for a claim that is given up on after two attempts. The
    /// slots must be quiet.
    pub(crate) async fn a_dead_claim(&self) -> JobId {
        let (job, request) = claim();
        self.ask(request);
        self.until_state(job, JobState::Queued).await;
        let history: Vec<_> = [1, 2].map(attempt_of).into();
        for attempt in &history {
            let ledger = self.cluster.bridge().ledger();
            ledger.add_attempt(job, attempt).await.unwrap();
        }
        let failure = Failure::prover("2 attempts used up, the last: the prover ended by signal 9");
        let letter = DeadLetter {
            id: job,
            class: DeadClass::Failed,
            kind: Some(Kind::Claim),
            rollup_id: None,
            reason: DeadLetter::parked(job, &failure.reason),
            history,
            taken_at_ms: now_ms() - 40_000,
            died_at_ms: now_ms(),
            payload: Payload::Stored { bytes: 1 },
        };
        let broker = self.cluster.broker();
        broker.bury(&letter).await.unwrap();
        let result = ResultEnvelope {
            id: job,
            kind: Kind::Claim,
            attempt: 2,
            worker: "worker 2".to_owned(),
            prove_ms: 0,
            outcome: Outcome::Dead(failure),
            trace: None,
        };
        broker.publish_result(&result).await.unwrap();
        self.until_state(job, JobState::Dead).await;
        job
    }

    pub(crate) async fn until_state(&self, job: JobId, state: JobState) {
        let ledger = self.cluster.bridge().ledger();
        eventually(state.name(), async || {
            let record = ledger.job(job).await.unwrap();
            record.is_some_and(|record| record.state == state)
        })
        .await;
    }

    pub(crate) async fn end(self) {
        self.cluster.stop().await;
        // Whoever still asks for a proof keeps it.
        if let Some(falafel) = Arc::into_inner(self.falafel) {
            falafel.stop(Duration::ZERO).await;
        }
    }
}

fn attempt_of(attempt: u32) -> AttemptRecord {
    AttemptRecord {
        attempt,
        worker: format!("worker {attempt}"),
        failure: Failure::prover("the prover ended by signal 9"),
        duration: Duration::from_millis(4_100),
        exit: Some("signal 9".to_owned()),
        stderr_tail: "rollup_cli: creating proof...\nstd::bad_alloc\n".to_owned(),
        peak_rss_bytes: Some(61_700_000_000),
    }
}

fn now_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap().as_millis() as u64
}

/// Waits until a condition holds; fails with its name.
pub(crate) async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, waiting).await;
    waited.unwrap_or_else(|_| panic!("never came: {what}"));
}
