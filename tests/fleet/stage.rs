//! A fleet for one test: services, a simulated Falafel in this process, roles
//! as processes of the real binary.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use tokio::time::{sleep, timeout};
use zkwhirl::cluster::{Checker, Rollups};
use zkwhirl_circuits::Suite;
use zkwhirl_falafel::{Falafel, FalafelConfig, Plan, State};
use zkwhirl_job::Sizes;
use zkwhirl_ledger::redis::{LedgerEvent, RedisLedger, RedisLedgerConfig};
use zkwhirl_redis::Place;

use crate::{figures::say, services::Services};

/// Longer than anything here takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(180);

pub(crate) struct Fleet {
    pub(crate) services: Services,
    pub(crate) falafel: Falafel,
    /// Variables for the environment of every role.
    pub(crate) environment: Vec<(&'static str, String)>,
    /// The data directory of every role here.
    directory: tempfile::TempDir,
}

/// A process that is killed when it is dropped.
pub(crate) struct Role(pub(crate) Child);

impl Role {
    pub(crate) fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// SIGTERM, and the exit code.
    pub(crate) fn drain(mut self) -> Option<i32> {
        let pid = rustix::process::Pid::from_raw(self.0.id() as i32).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        self.0.wait().unwrap().code()
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Fleet {
    /// Services, topology and a Falafel that wants `claims` claims, two inner
    /// rollups, the root rollup and its verifier, then settles.
    pub(crate) async fn start(claims: usize) -> Self {
        Self::with(claims, false).await
    }

    /// The same; with `vks` Falafel asks for the two verification keys first.
    pub(crate) async fn with(claims: usize, vks: bool) -> Self {
        let services = tokio::task::spawn_blocking(Services::up).await.unwrap();
        Self::on(services, claims, vks).await
    }

    /// The same on these services.
    pub(crate) async fn on(services: Services, claims: usize, vks: bool) -> Self {
        let rollups = Rollups {
            suite: Suite::Poseidon,
            sizes: Sizes::new(1, 2).unwrap(),
        };
        let plan = Plan {
            suite: rollups.suite,
            seed: 5,
            sizes: rollups.sizes,
            genesis_claims: claims,
            max_claims: claims,
            txs: 2,
            rollups: Some(1),
            vks,
        };
        let check = Arc::new(Checker::proverless(rollups));
        let falafel = Falafel::start(FalafelConfig::new(Some(plan), check))
            .await
            .unwrap();
        let fleet = Self {
            services,
            falafel,
            environment: Vec::new(),
            directory: tempfile::tempdir().unwrap(),
        };
        let provisioned = fleet.command("provision").output().unwrap();
        let said = String::from_utf8_lossy(&provisioned.stderr).into_owned();
        assert!(provisioned.status.success(), "{said}");
        fleet
    }

    fn command(&self, role: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_zkwhirl"));
        command
            .arg(role)
            .env("ZKWHIRL_AMQP_URL", &self.services.amqp)
            .env("ZKWHIRL_AMQP_MANAGEMENT_URL", &self.services.management)
            .envs(self.environment.iter().cloned())
            .stdout(Stdio::null());
        if role != "provision" {
            command
                .env("ZKWHIRL_REDIS_URL", &self.services.redis)
                .env("PROVERLESS", "true")
                .env("DATA_DIR", self.directory.path())
                .args(["--txs=1", "--inners=2"]);
        }
        command
    }

    /// Keeps the clients' verification keys for the fleet.
    pub(crate) fn import_client_vks(&self) {
        let vector =
            |name: &str| format!("{}/../tests/vectors/{name}.bin", env!("CARGO_MANIFEST_DIR"));
        let imported = Command::new(env!("CARGO_BIN_EXE_zkwhirl"))
            .args(["keys", "import", "--suite=poseidon"])
            .args(["--join-split-vk", &vector("valid_jsvk_reply_real")])
            .args(["--account-vk", &vector("valid_accvk_reply_real")])
            .arg("--data-dir")
            .arg(self.directory.path())
            .env("ZKWHIRL_REDIS_URL", &self.services.redis)
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert!(imported.success());
    }

    pub(crate) fn bridge(&self, name: &str) -> Role {
        Role(self.bridge_command(name).spawn().unwrap())
    }

    /// A bridge, and where its console is.
    pub(crate) fn bridge_with_console(&self, name: &str) -> (Role, String) {
        let mut command = self.bridge_command(name);
        command.env("ZKWHIRL_ADMIN", "127.0.0.1:0");
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let console = lines.find_map(|line| {
            let line = line.unwrap();
            let (place, _) = line.strip_prefix("console at ")?.split_once(' ')?;
            Some(place.to_owned())
        });
        // The pipe stays open, and empty.
        std::thread::spawn(move || lines.for_each(drop));
        (Role(child), console.unwrap())
    }

    fn bridge_command(&self, name: &str) -> Command {
        let url = |address: SocketAddr| format!("http://{address}");
        let mut command = self.command("bridge");
        command
            .arg(format!("--name={name}"))
            .env("JOB_SERVER_URL", url(self.falafel.inner_address()))
            .env(
                "ZKWHIRL_OUTER_JOB_SERVER_URL",
                url(self.falafel.outer_address().unwrap()),
            );
        command
    }

    pub(crate) fn worker(&self, name: &str, work_ms: u32) -> Role {
        self.worker_of("inner,outer", name, work_ms)
    }

    /// A worker of some topics alone.
    pub(crate) fn worker_of(&self, topics: &str, name: &str, work_ms: u32) -> Role {
        let mut command = self.command("worker");
        command
            .arg(format!("--topic={topics}"))
            .args([format!("--name={name}"), format!("--work-ms={work_ms}")]);
        Role(command.spawn().unwrap())
    }

    /// Waits until so many replies were accepted.
    pub(crate) async fn until_verified(&self, count: u64) {
        let waiting = async {
            while self.falafel.progress().verified < count {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, waiting).await.unwrap();
    }

    /// Waits until Falafel has handed so many tickets out.
    pub(crate) async fn until_issued(&self, count: u64) {
        let waiting = async {
            while self.falafel.stats().issued < count {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, waiting).await.unwrap();
    }

    /// Waits until workers have claimed so many jobs.
    pub(crate) async fn until_claimed(&self, count: usize) {
        self.until_happened("claimed", count).await;
    }

    /// Waits until something has happened so often.
    pub(crate) async fn until_happened(&self, what: &str, count: usize) {
        let waiting = async {
            let those = |event: &&LedgerEvent| event.what == what;
            while self.events().await.iter().filter(those).count() < count {
                sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(PATIENCE, waiting).await.unwrap();
    }

    /// Waits until the rollup is settled.
    pub(crate) async fn until_settled(&self) {
        let state = timeout(PATIENCE, self.falafel.finished()).await.unwrap();
        assert_eq!(state, State::Done);
    }

    /// What happened in the ledger, in order.
    pub(crate) async fn events(&self) -> Vec<LedgerEvent> {
        let place = Place::new(self.services.redis.parse().unwrap(), "main");
        let ledger = RedisLedger::new(RedisLedgerConfig::new(place)).unwrap();
        let (mut all, mut cursor) = (Vec::new(), None);
        loop {
            let page = ledger.events_after(cursor.as_deref(), 1000).await.unwrap();
            let Some(last) = page.last() else { return all };
            cursor = Some(last.cursor.clone());
            all.extend(page);
        }
    }

    /// The first event of a kind with this detail, once it has happened.
    pub(crate) async fn until_event(&self, what: &str, key: &str, value: &str) -> LedgerEvent {
        let is_it = |event: &LedgerEvent| {
            event.what == what && event.detail.get(key).is_some_and(|said| said == value)
        };
        let waiting = async {
            loop {
                if let Some(event) = self.events().await.into_iter().find(is_it) {
                    return event;
                }
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, waiting).await.unwrap()
    }

    /// A worker's first claim.
    pub(crate) async fn until_claimed_by(&self, worker: &str) -> LedgerEvent {
        self.until_event("claimed", "worker", worker).await
    }

    /// Waits for the next ping of a ticket.
    pub(crate) async fn until_pinged(&self) {
        let before = self.falafel.stats().pings;
        let waiting = async {
            while self.falafel.stats().pings == before {
                sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(PATIENCE, waiting).await.unwrap();
    }

    /// Shows what Falafel counted.
    pub(crate) fn say_leases(&self, what: &str) {
        let stats = self.falafel.stats();
        let (again, gap) = (stats.reissues, stats.worst_gap.as_secs_f64());
        say(format_args!(
            "{what}: {again} re-issues, {} nacks, worst ping gap {gap:.2} s of 5 s",
            stats.nacks
        ));
    }

    /// No NACK, and no ticket issued more than `times`.
    #[track_caller]
    pub(crate) fn no_ticket_was_issued_more_often_than(&self, times: u32) {
        self.tickets_were_issued(times, 0);
    }

    /// No NACK; up to `exceptions` tickets were issued once more than `times`,
    /// all others no more often than that.
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
