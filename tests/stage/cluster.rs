//! A simulated Falafel and a cluster in this process; prover children are the real
//! binary.

use std::{os::unix::fs::symlink, sync::Arc, time::Duration};

use bytes::Bytes;
use rustix::process::{Signal, kill_process};
use tempfile::TempDir;
use tokio::sync::SemaphorePermit;
use zkwhirl::cluster::{Cluster, ClusterConfig, Provers};
use zkwhirl_bridge::{BridgeConfig, falafel::Upstream};
use zkwhirl_broker_adapter::{DeadLetter, EmbeddedBrokerConfig};
use zkwhirl_circuits::Suite;
use zkwhirl_falafel::{Falafel, FalafelConfig, FalafelEvent, RollupPlan};
use zkwhirl_job::{FailureClass, Kind, Sizes, Topic};
use zkwhirl_ledger::{Events, JobEvent, JobEventKind};
use zkwhirl_testkit::eventually;
use zkwhirl_worker::WorkerConfig;

use super::{LEASE, events::EventLog, processes_of, settled, turn, url};

pub(crate) struct Scene {
    pub(crate) provers: Provers,
    pub(crate) slots: usize,
    pub(crate) delay: Duration,
    /// The rollups that Falafel requests; `None`: only what a test issues.
    pub(crate) plan: Option<RollupPlan>,
    /// Falafel's check of replies.
    pub(crate) lease: Duration,
    /// The bridge's verifier; `None`: the verifier for the provers.
    pub(crate) sizes: Option<Sizes>,
    pub(crate) worker: WorkerConfig,
}

pub(crate) struct Stage {
    pub(crate) falafel: Falafel,
    pub(crate) cluster: Cluster,
    pub(crate) events: EventLog<JobEvent>,
    pub(crate) pipeline: EventLog<FalafelEvent>,
    /// The path of the prover children's program, different for each stage.
    programs: TempDir,
    _turn: Option<SemaphorePermit<'static>>,
}

/// A plan of `rollups` rollups of `inners` × `txs`, the first with `claims` claims.
pub(crate) fn plan(suite: Suite, sizes: Sizes, claims: usize, rollups: u32) -> RollupPlan {
    RollupPlan {
        suite,
        seed: 7,
        sizes,
        genesis_claims: claims,
        max_claims: claims.max(sizes.inners_per_root() as usize),
        txs: (sizes.txs_per_inner() * sizes.inners_per_root()) as usize,
        rollups: Some(rollups),
        vks: true,
    }
}

impl Scene {
    /// One slot with these provers, and a Falafel that requests nothing by itself.
    pub(crate) fn of(provers: Provers) -> Self {
        Self {
            provers,
            slots: 1,
            delay: Duration::from_millis(50),
            plan: None,
            lease: LEASE,
            sizes: None,
            worker: WorkerConfig::default(),
        }
    }

    /// The same with `slots` slots.
    pub(crate) fn slots(self, slots: usize) -> Self {
        Self { slots, ..self }
    }

    pub(crate) async fn start(mut self) -> Stage {
        let programs = tempfile::tempdir().unwrap();
        let mut permit = None;
        if let Provers::Native(native) = &mut self.provers {
            permit = Some(turn().await);
            let own = programs.path().join("zkwhirl");
            symlink(&native.program, &own).unwrap();
            native.program = own;
        }
        let config = FalafelConfig {
            clients: self.provers.users().unwrap(),
            ack_timeout: self.lease,
            ..FalafelConfig::new(self.plan, Arc::new(self.provers.checker().unwrap()))
        };
        let pipeline = EventLog::of(config.events.subscribe());
        let falafel = Falafel::start(config).await.unwrap();
        let upstreams = vec![
            Upstream::new("inner", url(falafel.inner_address())),
            Upstream::optional("outer", url(falafel.outer_address().unwrap())),
        ];
        let sizes = self.sizes.unwrap_or(self.provers.rollups().sizes);
        let events = Events::default();
        let seen = EventLog::of(events.subscribe());
        let cluster = Cluster::start(ClusterConfig {
            bridge: BridgeConfig::new(upstreams, sizes),
            worker: self.worker,
            broker: EmbeddedBrokerConfig {
                delays: [self.delay; 3],
                ..EmbeddedBrokerConfig::default()
            },
            provers: self.provers,
            verifier: None,
            topics: Topic::ALL.to_vec(),
            slots: self.slots,
            events,
        });
        Stage {
            events: seen,
            pipeline,
            falafel,
            cluster: cluster.unwrap(),
            programs,
            _turn: permit,
        }
    }
}

impl Stage {
    /// Makes Falafel request a proof; the returned answer may be dropped.
    pub(crate) fn ask(&self, request: Bytes) -> zkwhirl_falafel::job_server::JobAnswer {
        self.falafel.servers().create_proof(request).1
    }

    /// Waits until an event has occurred since the start.
    pub(crate) async fn until(&self, what: &str, wanted: impl Fn(&JobEvent) -> bool) {
        let happened = self.events.until(what, |event| wanted(event).then_some(()));
        happened.await;
    }

    /// Waits until an event of a job of this kind has occurred since the start.
    pub(crate) async fn until_kind(
        &self,
        kind: Kind,
        what: &str,
        wanted: impl Fn(&JobEvent) -> bool,
    ) {
        let own = |event: &JobEvent| event.kind == Some(kind) && wanted(event);
        self.until(&format!("a {kind} job {what}"), own).await;
    }

    /// The attempts at jobs of this kind. Asserts that every failure was of class
    /// `Prover`.
    pub(crate) fn attempts_of(&self, kind: Kind) -> Vec<u32> {
        self.happened(|event| match event.what {
            JobEventKind::Claimed { attempt, .. } if event.kind == Some(kind) => Some(attempt),
            JobEventKind::Retrying { class, .. } => {
                assert_eq!(class, FailureClass::Prover);
                None
            }
            _ => None,
        })
    }

    /// The results of `choose` for all events so far, without `None`.
    pub(crate) fn happened<A>(&self, choose: impl Fn(JobEvent) -> Option<A>) -> Vec<A> {
        self.events.all().into_iter().filter_map(choose).collect()
    }

    pub(crate) async fn until_settled(&self) {
        settled(&self.falafel).await;
    }

    pub(crate) async fn dead(&self) -> Vec<DeadLetter> {
        self.cluster.broker.dead_letters(10_000).await.unwrap()
    }

    pub(crate) async fn until_dead(&self, count: usize) {
        eventually(&format!("{count} dead letters"), async || {
            self.dead().await.len() >= count
        })
        .await;
    }

    /// Asserts that Falafel got no NACK and issued no ticket again.
    #[track_caller]
    pub(crate) fn falafel_noticed_nothing(&self) {
        let stats = self.falafel.stats();
        assert_eq!((stats.nacks, stats.reissues), (0, 0), "nacks, re-issues");
    }

    pub(crate) fn kill_provers(&self) {
        let children = processes_of(self.programs.path());
        assert!(!children.is_empty(), "a child is proving");
        for child in children {
            kill_process(child, Signal::KILL).unwrap();
        }
    }

    pub(crate) async fn end(self) {
        self.cluster.stop().await.unwrap();
        self.falafel.stop(Duration::ZERO).await;
    }
}
