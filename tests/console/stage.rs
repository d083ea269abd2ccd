//! The console of a cluster in this process.

use std::{ops::Deref, sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::net::TcpListener;
use zkwhirl::cluster::{Cluster, Rollups};
use zkwhirl_bridge::api::AdminToken;
use zkwhirl_broker_adapter::{Control, DeadLetter};
use zkwhirl_circuits::Suite;
use zkwhirl_console::{ConsoleConfig, LocalKeys, views::KeyView};
use zkwhirl_job::{
    AttemptRecord, Command, Failure, JobId,
    clock::now_ms,
    envelope::{JobEnvelope, Outcome, Payload, ResultEnvelope},
};
use zkwhirl_ledger::JobState;
use zkwhirl_testkit::{claim_job, eventually, result_of, vector};

use crate::stage::{Scene, Stage, plan, proverless};

pub(crate) const TOKEN: &str = "correct horse battery staple";

/// Two keys: a development key and a ceremony's key.
struct TwoKeys;

impl LocalKeys for TwoKeys {
    fn keys(&self) -> Vec<KeyView> {
        let key = |circuit: &str, provenance: &str, insecure| KeyView {
            circuit: circuit.to_owned(),
            id: "9f3c1d20".repeat(8),
            rows: 254_194,
            bytes: 402_600_000,
            vk: "51ab77d0".repeat(8),
            provenance: provenance.to_owned(),
            insecure,
            error: None,
        };
        let dev = "dev key (seed 2026, never for funds)";
        vec![
            key("claim/poseidon", "ceremony of 7 contributions", false),
            key("tx-rollup/poseidon/1", dev, true),
        ]
    }
}

pub(crate) struct ConsoleStage {
    stage: Stage,
    /// The URL of a console with an operator's token.
    pub(crate) url: String,
    /// The URL of a console without a token.
    pub(crate) read_only: String,
    pub(crate) http: reqwest::Client,
}

impl Deref for ConsoleStage {
    type Target = Stage;

    fn deref(&self) -> &Stage {
        &self.stage
    }
}

async fn serve(cluster: &Cluster, token: Option<&str>) -> String {
    let console = zkwhirl_console::start(ConsoleConfig {
        bridge: cluster.bridge.clone(),
        keys: Arc::new(TwoKeys),
        token: token.map(AdminToken::new),
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, console).await });
    format!("http://{address}")
}

/// Starts mock slots, and a Falafel that requests this number of rollups with
/// eight inner rollups each.
pub(crate) async fn mocked(slots: usize, work: Duration, rollups: u32) -> ConsoleStage {
    let provers = proverless(Suite::Poseidon, 1, 8, work);
    let Rollups { suite, sizes } = provers.rollups();
    let plan = (rollups > 0).then(|| plan(suite, sizes, 4, rollups));
    let scene = Scene {
        slots,
        plan,
        ..Scene::of(provers)
    };
    ConsoleStage::of(scene).await
}

/// Two slots without work.
pub(crate) async fn idle() -> ConsoleStage {
    mocked(2, Duration::ZERO, 0).await
}

/// A claim request recorded from Aztec Connect's code.
pub(crate) fn claim() -> (JobId, Bytes) {
    let request = vector("claims/claim_00_request");
    (JobId::of(Command::CreateProof, &request), request)
}

impl ConsoleStage {
    pub(crate) async fn of(scene: Scene) -> Self {
        let stage = scene.start().await;
        Self {
            url: serve(&stage.cluster, Some(TOKEN)).await,
            read_only: serve(&stage.cluster, None).await,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            stage,
        }
    }

    pub(crate) async fn end(self) {
        self.stage.end().await;
    }

    /// Pauses or resumes all slots, and waits until they report the new state.
    pub(crate) async fn quiet(&self, quiet: bool) {
        let slots = self.cluster.bridge.ledger();
        eventually("the slots are there", async || {
            !slots.slots().await.unwrap().is_empty()
        })
        .await;
        for number in 1..=slots.slots().await.unwrap().len() {
            let worker = zkwhirl::cluster::slot_name(number);
            let word = Control::Quiet { worker, quiet };
            self.cluster.broker.send_control(&word).await.unwrap();
        }
        eventually("the slots heard", async || {
            let slots = slots.slots().await.unwrap();
            slots.iter().all(|slot| slot.quiet == quiet)
        })
        .await;
    }

    /// Makes Falafel request a claim, and makes it a dead letter after two attempts.
    /// The slots must be paused.
    pub(crate) async fn a_dead_claim(&self) -> JobId {
        let (job, request) = claim();
        drop(self.ask(request));
        self.until_state(job, JobState::Queued).await;
        let envelope = JobEnvelope {
            id: job,
            attempt: 2,
            taken_at_ms: now_ms() - 40_000,
            history: [1, 2].map(attempt_of).into(),
            payload: Payload::Stored { bytes: 1 },
            ..claim_job(0)
        };
        for attempt in &envelope.history {
            let ledger = self.cluster.bridge.ledger();
            ledger.add_attempt(job, attempt).await.unwrap();
        }
        let failure = Failure::prover("2 attempts used up, the last: the prover ended by signal 9");
        let letter = DeadLetter::of(&envelope, &failure.reason, now_ms());
        let broker = &self.cluster.broker;
        broker.bury(&letter).await.unwrap();
        let result = ResultEnvelope {
            outcome: Outcome::Dead(failure),
            ..result_of(&envelope, b"")
        };
        broker.publish_result(&result).await.unwrap();
        self.until_state(job, JobState::Dead).await;
        job
    }

    pub(crate) async fn until_state(&self, job: JobId, state: JobState) {
        let ledger = self.cluster.bridge.ledger();
        eventually(state.name(), async || {
            let record = ledger.job(job).await.unwrap();
            record.is_some_and(|record| record.state == state)
        })
        .await;
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
