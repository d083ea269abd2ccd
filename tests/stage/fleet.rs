//! A fleet for one test: services, a simulated Falafel in this process, and bridge
//! and workers as processes of the real binary.

use std::{
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use tokio::sync::SemaphorePermit;
use zkwhirl::cluster::{Checker, Rollups};
use zkwhirl_circuits::Suite;
use zkwhirl_falafel::{Falafel, FalafelConfig, RollupPlan};
use zkwhirl_job::Sizes;
use zkwhirl_ledger::{
    LedgerEvent,
    redis::{RedisLedger, RedisLedgerConfig},
};
use zkwhirl_redis::RedisAddress;
use zkwhirl_testkit::{Services, eventually, until_some};

use super::{LEASE, Process, import_client_vks, plan, say, settled, turn, url, zkwhirl};

/// The jobs that a fleet's Falafel requests: claims, inner rollups of one
/// transaction each, the root rollup and its verifier; then the rollup settles.
pub(crate) struct Wanted {
    pub(crate) claims: usize,
    pub(crate) inners: u32,
    /// True: Falafel first requests the two verification keys.
    pub(crate) vks: bool,
    pub(crate) lease: Duration,
    /// Options of `scripts/services up`.
    pub(crate) services: &'static [&'static str],
}

impl Default for Wanted {
    fn default() -> Self {
        Self {
            claims: 0,
            inners: 2,
            vks: false,
            lease: LEASE,
            services: &["--rabbitmq", "--redis"],
        }
    }
}

pub(crate) struct Fleet {
    pub(crate) falafel: Falafel,
    pub(crate) services: Services,
    pub(crate) environment: Vec<(&'static str, String)>,
    lease: Duration,
    inners: u32,
    /// The data directory of all processes.
    directory: tempfile::TempDir,
    _turn: SemaphorePermit<'static>,
}

/// A command that starts a role with these services.
pub(crate) fn role(services: &Services, role: &str) -> Command {
    let mut command = zkwhirl([role]);
    command
        .env("ZKWHIRL_AMQP_URL", services.amqp.join(","))
        .env("ZKWHIRL_AMQP_MANAGEMENT_URL", &services.management[0])
        .stdout(Stdio::null());
    if role != "provision" {
        command.env("ZKWHIRL_REDIS_URL", &services.redis);
    }
    command
}

impl Wanted {
    pub(crate) async fn start(self) -> Fleet {
        let permit = turn().await;
        let services = Services::with(self.services).await;
        let rollups = Rollups {
            suite: Suite::Poseidon,
            sizes: Sizes::new(1, self.inners).unwrap(),
        };
        let plan = RollupPlan {
            vks: self.vks,
            ..plan(rollups.suite, rollups.sizes, self.claims, 1)
        };
        let check = Arc::new(Checker::proverless(rollups));
        let mut config = FalafelConfig::new(Some(plan), check);
        config.ack_timeout = self.lease;
        let fleet = Fleet {
            falafel: Falafel::start(config).await.unwrap(),
            services,
            environment: Vec::new(),
            lease: self.lease,
            inners: self.inners,
            directory: tempfile::tempdir().unwrap(),
            _turn: permit,
        };
        super::said(&mut fleet.role("provision"));
        fleet
    }
}

impl Fleet {
    /// Starts a fleet whose Falafel requests claims and a small rollup.
    pub(crate) async fn start(claims: usize) -> Self {
        let wanted = Wanted {
            claims,
            ..Wanted::default()
        };
        wanted.start().await
    }

    pub(crate) fn role(&self, name: &str) -> Command {
        let mut command = role(&self.services, name);
        command.envs(self.environment.iter().cloned());
        if name != "provision" {
            command
                .env("PROVERLESS", "true")
                .env("DATA_DIR", self.directory.path())
                .args(["--txs=1", &format!("--inners={}", self.inners)]);
        }
        command
    }

    pub(crate) fn import_client_vks(&self) {
        let mut import = import_client_vks("poseidon", self.directory.path());
        super::said(import.env("ZKWHIRL_REDIS_URL", &self.services.redis));
    }

    pub(crate) fn bridge(&self, name: &str) -> Process {
        Process::start(&mut self.bridge_command(name))
    }

    /// Starts a bridge; returns the text between two strings of its output.
    pub(crate) fn bridge_that_says(&self, name: &str, from: &str, to: &str) -> (Process, String) {
        let mut command = self.bridge_command(name);
        command.env("ZKWHIRL_ADMIN", "127.0.0.1:0");
        Process::start_and_find(&mut command, |line| {
            let (_, after) = line.split_once(from)?;
            Some(after.split(to).next()?.to_owned())
        })
    }

    fn bridge_command(&self, name: &str) -> Command {
        let outer = url(self.falafel.outer_address().unwrap());
        let mut command = self.role("bridge");
        command
            .arg(format!("--name={name}"))
            .env("JOB_SERVER_URL", url(self.falafel.inner_address()).as_str())
            .env("ZKWHIRL_OUTER_JOB_SERVER_URL", outer.as_str());
        command
    }

    pub(crate) fn worker(&self, name: &str, work_ms: u64) -> Process {
        self.worker_of("inner,outer", name, work_ms)
    }

    pub(crate) fn worker_of(&self, topics: &str, name: &str, work_ms: u64) -> Process {
        Process::start(&mut self.worker_command(topics, name, work_ms))
    }

    /// Starts a worker of all topics and waits until it reports that it is ready.
    pub(crate) fn worker_at_work(&self, name: &str, work_ms: u64) -> (Process, ()) {
        let mut command = self.worker_command("inner,outer", name, work_ms);
        Process::start_and_find(&mut command, |_| Some(()))
    }

    pub(crate) fn worker_command(&self, topics: &str, name: &str, work_ms: u64) -> Command {
        let mut command = self.role("worker");
        command.arg(format!("--topic={topics}"));
        command.args([format!("--name={name}"), format!("--work-ms={work_ms}")]);
        command
    }

    pub(crate) async fn until_verified(&self, count: u64) {
        let verified = async || self.falafel.progress().verified >= count;
        eventually("replies are accepted", verified).await;
    }

    pub(crate) async fn until_issued(&self, count: u64) {
        let issued = async || self.falafel.stats().issued >= count;
        eventually("tickets are handed out", issued).await;
    }

    /// Waits for the next ping of a ticket.
    pub(crate) async fn until_pinged(&self) {
        let before = self.falafel.stats().pings;
        let pinged = async || self.falafel.stats().pings > before;
        eventually("a ping", pinged).await;
    }

    /// Waits until this number of jobs have an event of this name.
    pub(crate) async fn until_happened(&self, what: &str, count: usize) {
        let happened = async || super::times(&self.events().await, what).len() >= count;
        eventually(what, happened).await;
    }

    pub(crate) async fn until_settled(&self) {
        settled(&self.falafel).await;
    }

    /// The ledger's events, in order.
    pub(crate) async fn events(&self) -> Vec<LedgerEvent> {
        let place = RedisAddress::new(self.services.redis.parse().unwrap(), "main");
        let ledger = RedisLedger::new(RedisLedgerConfig::new(place)).unwrap();
        let (mut all, mut cursor) = (Vec::new(), None);
        loop {
            let page = ledger.events_after(cursor.as_deref(), 1000).await.unwrap();
            let Some(last) = page.last() else { return all };
            cursor = Some(last.cursor.clone());
            all.extend(page);
        }
    }

    /// Waits for the first event of a kind with this detail, and returns it.
    pub(crate) async fn until_event(&self, what: &str, key: &str, value: &str) -> LedgerEvent {
        let is_it = |event: &LedgerEvent| {
            event.what == what && event.detail.get(key).is_some_and(|said| said == value)
        };
        until_some(what, async || self.events().await.into_iter().find(is_it)).await
    }

    /// Waits for a worker's first claim.
    pub(crate) async fn until_claimed_by(&self, worker: &str) -> LedgerEvent {
        self.until_event("claimed", "worker", worker).await
    }

    pub(crate) fn say_leases(&self, what: &str) {
        let stats = self.falafel.stats();
        let (again, gap) = (stats.reissues, stats.worst_gap.as_secs_f64());
        say(format_args!(
            "{what}: {again} re-issues, {} nacks, worst ping gap {gap:.2} s of {:?}",
            stats.nacks, self.lease
        ));
    }

    /// Asserts that Falafel got no NACK and issued no ticket more than `times` times.
    #[track_caller]
    pub(crate) fn no_ticket_was_issued_more_often_than(&self, times: u32) {
        self.tickets_were_issued(times, 0);
    }

    /// Asserts that Falafel got no NACK, and issued no ticket more than `times`
    /// times except up to `exceptions` tickets, issued once more.
    #[track_caller]
    pub(crate) fn tickets_were_issued(&self, times: u32, exceptions: usize) {
        let stats = self.falafel.stats();
        assert_eq!(stats.nacks, 0);
        let mut often: Vec<_> = stats.tickets.values().map(|t| t.issues).collect();
        often.retain(|issues| *issues > times);
        let once_more = often.iter().all(|issues| *issues == times + 1);
        assert!(once_more && often.len() <= exceptions, "{often:?} times");
    }
}
