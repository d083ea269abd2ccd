//! One measurement: starts a fleet of processes and times mock jobs on it.

use std::{
    collections::HashMap,
    env,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use bytes::Bytes;
use futures_util::stream::{FuturesUnordered, StreamExt};
use serde::Serialize;
use tokio::time::{Instant, sleep, timeout};
use zkwhirl_broker_adapter::{
    Broker,
    amqp::{AmqpBroker, AmqpConfig, Endpoint, Traffic, provision::provision},
};
use zkwhirl_falafel::{Falafel, FalafelConfig, FieldsOnly};
use zkwhirl_job::{Command as JobCommand, JobId, Topic, clock::now_ms};
use zkwhirl_ledger::redis::{RedisLedger, RedisLedgerConfig};
use zkwhirl_redis::RedisAddress;

use super::{
    payload::{TXS, request},
    services::BenchServices,
};
use crate::ui::percentile;

/// How long a fleet may take to start, and jobs beyond twice their ideal time.
const PATIENCE: Duration = Duration::from_secs(120);

#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Load {
    pub(super) workers: u16,
    pub(super) jobs: u16,
    pub(super) work_ms: u32,
    pub(super) payload_bytes: u32,
}

/// The results of one measurement. Times in milliseconds.
#[derive(Debug, Serialize)]
pub(super) struct Measured {
    /// The load, with the requests' actual length in bytes.
    #[serde(flatten)]
    load: Load,
    /// From the first createProof to the last resolve.
    pub(super) makespan_ms: f64,
    /// Makespan ÷ ((jobs ÷ workers, rounded up) × work). `None` without work.
    pub(super) makespan_ratio: Option<f64>,
    /// Time from createProof until a worker has claimed the job.
    pub(super) claim_ms_p50: f64,
    pub(super) claim_ms_p99: f64,
    pub(super) jobs_per_s: f64,
    reissues: u64,
    nacks: u64,
    /// Bytes that the broker received and sent, all traffic included. `None` if
    /// the management API is not available.
    pub(super) broker_in_bytes_per_job: Option<f64>,
    pub(super) broker_out_bytes_per_job: Option<f64>,
}

pub(super) struct BenchFleet {
    falafel: Falafel,
    ledger: RedisLedger,
    broker: AmqpBroker,
    /// The interval at which the broker updates its statistics.
    statistics: Duration,
    roles: Vec<Child>,
}

impl Drop for BenchFleet {
    fn drop(&mut self) {
        for role in &mut self.roles {
            let _ = role.kill();
            let _ = role.wait();
        }
    }
}

impl BenchFleet {
    /// Starts the processes for a load; waits until all workers consume jobs.
    pub(super) async fn start(
        services: &BenchServices,
        load: Load,
        number: usize,
    ) -> anyhow::Result<Self> {
        let config = FalafelConfig::new(None, Arc::new(FieldsOnly));
        let falafel = Falafel::start(config).await?;
        // A new vhost and namespace: no data of an earlier measurement.
        let name = format!("bench-{}-{number}", std::process::id());
        let vhost = services.amqp.rsplit_once('/');
        let (base, _) = vhost.context("an AMQP URL has a vhost")?;
        let amqp_url = format!("{base}/{name}");
        let hosts = Endpoint::list(&amqp_url)?;
        let amqp_config = AmqpConfig {
            management: Some(services.management.parse()?),
            ..AmqpConfig::new(hosts)
        };
        provision(&amqp_config, &[]).await?;
        let address = RedisAddress::new(services.redis.parse()?, &name);
        let ledger = RedisLedger::new(RedisLedgerConfig::new(address))?;
        let program = env::current_exe()?;
        let role = |role: &str| {
            let mut command = Command::new(&program);
            command
                .arg(role)
                .args([format!("--txs={TXS}"), "--inners=32".to_owned()])
                .env("ZKWHIRL_AMQP_URL", &amqp_url)
                .env("ZKWHIRL_AMQP_MANAGEMENT_URL", &services.management)
                .env("ZKWHIRL_REDIS_URL", &services.redis)
                .env("ZKWHIRL_NAMESPACE", &name)
                .env("PROVERLESS", "true")
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            command
        };
        let broker = AmqpBroker::start(amqp_config)?;
        broker.ready(PATIENCE).await?;
        let mut fleet = Self {
            ledger,
            broker,
            statistics: services.statistics,
            roles: Vec::new(),
            falafel,
        };
        let inner = fleet.falafel.inner_address();
        let outer = fleet.falafel.outer_address().context("split mode")?;
        let bridge = role("bridge")
            .env("JOB_SERVER_URL", format!("http://{inner}"))
            .env("ZKWHIRL_OUTER_JOB_SERVER_URL", format!("http://{outer}"))
            .spawn()
            .context("cannot start a bridge")?;
        fleet.roles.push(bridge);
        for worker in 0..load.workers {
            let worker = role("worker")
                .arg(format!("--name=bench-{worker}"))
                .arg(format!("--work-ms={}", load.work_ms))
                .spawn()
                .context("cannot start a worker")?;
            fleet.roles.push(worker);
        }
        let broker = &fleet.broker;
        let consumers = async || broker.depth(Topic::Inner).await.map_or(0, |d| d.consumers);
        let ready = async {
            while consumers().await < usize::from(load.workers) {
                sleep(Duration::from_millis(100)).await;
            }
        };
        let ready = timeout(PATIENCE, ready).await;
        ready.context("the workers did not start consuming from their queue in time")?;
        Ok(fleet)
    }

    /// Requests all jobs at once and waits for all replies; calls `report` with
    /// the fraction of jobs that are done.
    pub(super) async fn measure(
        &self,
        load: Load,
        report: &(dyn Fn(f32) + Sync),
    ) -> anyhow::Result<Measured> {
        let requests: Vec<_> = (0..u32::from(load.jobs))
            .map(|number| request(number, load.payload_bytes))
            .collect();
        let id = |request: &Bytes| JobId::of(JobCommand::CreateProof, request);
        let ids: Vec<_> = requests.iter().map(id).collect();
        let payload_bytes = requests[0].len();
        let before = self.traffic().await?;
        let (started, started_ms) = (Instant::now(), now_ms());
        let answers = requests
            .into_iter()
            .map(|request| self.falafel.servers().create_proof(request).1);
        let mut answers: FuturesUnordered<_> = answers.collect();
        let work = Duration::from_millis(load.work_ms.into());
        let rounds = u32::from(load.jobs.div_ceil(load.workers));
        let ideal = work * rounds;
        let all = async {
            let mut done = 0;
            while let Some(answer) = answers.next().await {
                answer.context("a job was rejected")?;
                done += 1;
                report(done as f32 / f32::from(load.jobs));
            }
            anyhow::Ok(())
        };
        let done = timeout(PATIENCE + ideal * 2, all).await;
        done.context("not all jobs were answered in time")??;
        let makespan = started.elapsed();
        let claims = self.claim_times(&ids, started_ms).await?;
        let after = self.traffic().await?;
        let per_job = |bytes: fn(Traffic) -> u64| {
            let more = bytes(after?).saturating_sub(bytes(before?));
            Some(more as f64 / f64::from(load.jobs))
        };
        let counted = self.falafel.stats();
        let seconds = makespan.as_secs_f64();
        Ok(Measured {
            load: Load {
                payload_bytes: payload_bytes as u32,
                ..load
            },
            makespan_ms: seconds * 1e3,
            makespan_ratio: (!ideal.is_zero()).then(|| seconds / ideal.as_secs_f64()),
            claim_ms_p50: percentile(&claims, 50).unwrap_or(f64::NAN),
            claim_ms_p99: percentile(&claims, 99).unwrap_or(f64::NAN),
            jobs_per_s: f64::from(load.jobs) / seconds,
            reissues: counted.reissues,
            nacks: counted.nacks,
            broker_in_bytes_per_job: per_job(|traffic| traffic.received),
            broker_out_bytes_per_job: per_job(|traffic| traffic.sent),
        })
    }

    /// The broker's traffic so far, read after two intervals of its statistics:
    /// because of heartbeats the counts never stop changing.
    async fn traffic(&self) -> anyhow::Result<Option<Traffic>> {
        sleep(self.statistics * 2).await;
        Ok(self.broker.traffic().await?)
    }

    /// When each job was claimed, in milliseconds after the start, sorted; from
    /// the ledger's events, whose clock is this machine's.
    async fn claim_times(&self, ids: &[JobId], started_ms: u64) -> anyhow::Result<Vec<f64>> {
        let mut claimed: HashMap<JobId, u64> = HashMap::new();
        let mut cursor = None;
        loop {
            let page = self.ledger.events_after(cursor.as_deref(), 1000).await?;
            let Some(last) = page.last() else { break };
            cursor = Some(last.cursor.clone());
            for event in page.iter().filter(|event| event.what == "claimed") {
                if let Some(job) = event.job.filter(|job| ids.contains(job)) {
                    claimed.entry(job).or_insert(event.at_ms);
                }
            }
        }
        let after = |at: u64| at.saturating_sub(started_ms) as f64;
        let mut times: Vec<_> = claimed.into_values().map(after).collect();
        times.sort_by(f64::total_cmp);
        Ok(times)
    }
}
