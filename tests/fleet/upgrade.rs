//! A fleet of this release takes over what release 0.1.0 left in Redis and
//! RabbitMQ: jobs in every state are delivered, or are still dead with their
//! reason. `tests/vectors/wire/0.1.0/README.md` says how it was recorded.

use std::{fs, path::Path, process::Command, process::Stdio, time::Duration};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::{sleep, timeout};
use url::Url;
use zkwhirl_broker_adapter::{
    Broker,
    amqp::{AmqpBroker, AmqpConfig, Endpoint},
};
use zkwhirl_job::{Command as FrameCommand, Frame, JobId, TicketId};
use zkwhirl_ledger::{
    JobState, Ledger,
    redis::{RedisLedger, RedisLedgerConfig},
};
use zkwhirl_redis::{Place, testkit::command as redis};
use zkwhirl_testkit::stub::Stub;

use crate::{
    services::Services,
    stage::{PATIENCE, Role},
};

fn recorded(name: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/wire/0.1.0/fleet");
    serde_json::from_slice(&fs::read(folder.join(name)).unwrap()).unwrap()
}

/// A recorded text, or bytes in base64.
fn bytes(value: &Value) -> Vec<u8> {
    match value {
        Value::String(text) => text.clone().into_bytes(),
        coded => decode(coded["base64"].as_str().unwrap()),
    }
}

fn decode(base64: &str) -> Vec<u8> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => u32::from(byte - b'A'),
        b'a'..=b'z' => u32::from(byte - b'a') + 26,
        b'0'..=b'9' => u32::from(byte - b'0') + 52,
        b'+' => 62,
        b'/' => 63,
        other => panic!("{other} is no digit of base64"),
    };
    let text = base64.trim_end_matches('=').as_bytes();
    let group = |group: &[u8]| {
        let word = group.iter().fold(0, |word, byte| word << 6 | digit(*byte));
        let word = word << (6 * (4 - group.len()));
        word.to_be_bytes()[1..group.len()].to_vec()
    };
    text.chunks(4).flat_map(group).collect()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

/// Puts every key into an empty Redis.
fn load_redis(url: &Url) {
    for (key, kept) in recorded("redis.json").as_object().unwrap() {
        let value = &kept["value"];
        let put = |command: &str, arguments: Vec<Vec<u8>>| {
            let head = [command.as_bytes().to_vec(), key.clone().into_bytes()];
            let all = [&head[..], &arguments].concat();
            let () = redis(url, &all);
        };
        match kept["type"].as_str().unwrap() {
            "string" => put("SET", vec![bytes(value)]),
            "list" => put("RPUSH", list(value).iter().map(bytes).collect()),
            "set" => put("SADD", list(value).iter().map(bytes).collect()),
            "zset" => {
                let pairs = list(value).iter().flat_map(|pair| [&pair[1], &pair[0]]);
                put("ZADD", pairs.map(bytes).collect());
            }
            "hash" => {
                let fields = value.as_object().unwrap().iter();
                let pairs = fields.flat_map(|(name, value)| [name.clone().into(), bytes(value)]);
                put("HSET", pairs.collect());
            }
            "stream" => {
                for entry in list(value) {
                    let id = std::iter::once(bytes(&entry[0]));
                    put(
                        "XADD",
                        id.chain(list(&entry[1]).iter().map(bytes)).collect(),
                    );
                }
            }
            other => panic!("{key} is a {other}"),
        }
        let ttl_ms = kept["ttl_ms"].as_i64().unwrap();
        if ttl_ms > 0 {
            put("PEXPIRE", vec![ttl_ms.to_string().into_bytes()]);
        }
    }
}

/// Publishes every message again as it came to its queue.
async fn load_rabbitmq(services: &Services) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let vhost = Url::parse(&services.amqp).unwrap().path()[1..].to_owned();
    for message in list(&recorded("rabbitmq.json")) {
        let exchange = message["exchange"].as_str().unwrap();
        let url = format!(
            "{}/api/exchanges/{vhost}/{exchange}/publish",
            services.management
        );
        let body = json!({
            "routing_key": message["routing_key"],
            "properties": message["properties"],
            "payload": message["payload"],
            "payload_encoding": "base64",
        });
        let sent = client
            .post(url)
            .body(body.to_string())
            .send()
            .await
            .unwrap();
        let answer: Value = serde_json::from_slice(&sent.bytes().await.unwrap()).unwrap();
        assert_eq!(answer["routed"], true, "{message}: {answer}");
    }
}

/// One ticket of the recording.
struct Told {
    ticket: TicketId,
    job: JobId,
    state: JobState,
}

struct Upgrade {
    services: Services,
    falafel: Stub,
    /// A second server of jobs that has none.
    idle: Stub,
    directory: TempDir,
    told: Vec<Told>,
}

impl Upgrade {
    /// Services that hold the recording, and a Falafel that waits for it.
    async fn start() -> Self {
        let services = tokio::task::spawn_blocking(Services::up).await.unwrap();
        let lease = Duration::from_secs(5);
        let mut upgrade = Self {
            services,
            falafel: Stub::start(lease),
            idle: Stub::start(lease),
            directory: tempfile::tempdir().unwrap(),
            told: Vec::new(),
        };
        let mut provision = upgrade.command("provision");
        provision.arg("--delays-ms=100,200,300");
        assert!(provision.status().unwrap().success());
        load_redis(&upgrade.services.redis.parse().unwrap());
        load_rabbitmq(&upgrade.services).await;
        upgrade.wait_for_the_recorded_tickets().await;
        upgrade
    }

    /// The stub numbers its tickets as the recording's Falafel did.
    async fn wait_for_the_recorded_tickets(&mut self) {
        let story = recorded("story.json");
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        for told in list(&story["tickets"]) {
            let data = decode(told["data"].as_str().unwrap());
            let command = told["command"].as_u64().unwrap() as u32;
            let ticket = self.falafel.ask(command, data);
            let job = told["job"].as_str().unwrap();
            let state = story["states"][job].as_str().unwrap();
            let state = JobState::ALL.into_iter().find(|s| s.name() == state);
            let state = state.unwrap();
            if matches!(
                state,
                JobState::Delivered | JobState::Rejected | JobState::Withdrawn
            ) {
                // Falafel waits for it no longer.
                let done = Frame {
                    ticket,
                    command: FrameCommand::Ack.code(),
                    data: "over".into(),
                };
                let url = self.falafel.url().join("job-complete").unwrap();
                client.post(url).body(done.to_bytes()).send().await.unwrap();
            }
            let job = job.parse().unwrap();
            self.told.push(Told { ticket, job, state });
        }
    }

    fn command(&self, role: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_zkwhirl"));
        command
            .arg(role)
            .env("ZKWHIRL_AMQP_URL", &self.services.amqp)
            .env("ZKWHIRL_AMQP_MANAGEMENT_URL", &self.services.management)
            .stdout(Stdio::null());
        if role != "provision" {
            command
                .env("ZKWHIRL_REDIS_URL", &self.services.redis)
                .env("PROVERLESS", "true")
                .env("DATA_DIR", self.directory.path())
                .args(["--txs=1", "--inners=1"]);
        }
        command
    }

    fn bridge(&self) -> Role {
        let mut command = self.command("bridge");
        command
            .env("JOB_SERVER_URL", self.falafel.url().as_str())
            .env("ZKWHIRL_OUTER_JOB_SERVER_URL", self.idle.url().as_str());
        Role(command.arg("--name=bridge").spawn().unwrap())
    }

    fn worker(&self) -> Role {
        let mut command = self.command("worker");
        command.args(["--topic=inner,outer", "--name=worker", "--work-ms=5"]);
        Role(command.spawn().unwrap())
    }

    async fn until_answered(&self, ticket: TicketId) {
        let waiting = async {
            while self.falafel.answer(ticket).is_none() {
                sleep(Duration::from_millis(20)).await;
            }
        };
        let answered = timeout(PATIENCE, waiting).await;
        answered.unwrap_or_else(|_| panic!("{ticket} is not answered"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_of_0_1_0_in_every_state_are_delivered_or_still_dead() {
    let upgrade = Upgrade::start().await;
    for state in JobState::ALL {
        let some = upgrade.told.iter().any(|told| told.state == state);
        assert!(some, "no job of the recording is {state}");
    }
    let _bridge = upgrade.bridge();
    let _worker = upgrade.worker();
    let place = Place::new(upgrade.services.redis.parse().unwrap(), "main");
    let ledger = RedisLedger::new(RedisLedgerConfig::new(place)).unwrap();
    let hosts = Endpoint::list(&upgrade.services.amqp).unwrap();
    let broker = AmqpBroker::start(AmqpConfig::new(hosts)).unwrap();
    for told in &upgrade.told {
        upgrade.check(told, &ledger, &broker).await;
    }
    upgrade.falafel.assert_no_nack();
}

impl Upgrade {
    async fn check(&self, told: &Told, ledger: &RedisLedger, broker: &AmqpBroker) {
        match told.state {
            JobState::Dead => {
                let record = ledger.job(told.job).await.unwrap().unwrap();
                assert_eq!(record.state, JobState::Dead);
                let reason = record.reason.unwrap();
                assert!(reason.contains("parked: "), "{reason}");
                // While the bridge scans the letters this process may miss some.
                let kept = async {
                    while broker.dead_letter(told.job).await.unwrap().is_none()
                        || !self.falafel.was_pinged(told.ticket)
                    {
                        sleep(Duration::from_millis(20)).await;
                    }
                };
                let kept = timeout(PATIENCE, kept).await;
                kept.unwrap_or_else(|_| panic!("no letter or no ping: {}", told.job));
            }
            // Over before the upgrade; what is kept of them is swept in time.
            JobState::Rejected | JobState::Withdrawn | JobState::Delivered => {
                let record = ledger.job(told.job).await.unwrap();
                assert!(record.is_none_or(|record| record.state == told.state));
            }
            _ => self.until_answered(told.ticket).await,
        }
    }
}
