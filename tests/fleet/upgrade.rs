//! A fleet of this release takes over the data of release 0.1.0 in Redis and
//! RabbitMQ: jobs in every state are delivered, or stay dead letters with their
//! reason. `tests/vectors/wire/0.1.0/README.md` says how the data was recorded.

use std::{process::Command, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use tempfile::TempDir;
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
use zkwhirl_redis::{RedisAddress, testkit::command as redis};
use zkwhirl_testkit::{Services, eventually, stub::Stub, vector};

use crate::stage::{Process, role, said};

fn recorded(name: &str) -> Value {
    serde_json::from_slice(&vector(&format!("wire/0.1.0/fleet/{name}"))).unwrap()
}

/// A recorded text, or bytes in base64.
fn bytes(value: &Value) -> Vec<u8> {
    match value {
        Value::String(text) => text.clone().into_bytes(),
        coded => decode(coded["base64"].as_str().unwrap()),
    }
}

fn decode(base64: &str) -> Vec<u8> {
    BASE64_STANDARD.decode(base64).unwrap()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

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
                    let all = [&entry[0]].into_iter().chain(list(&entry[1]));
                    put("XADD", all.map(bytes).collect());
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

/// Publishes every recorded message to its queue, unchanged.
async fn load_rabbitmq(services: &Services) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let vhost = Url::parse(&services.amqp[0]).unwrap().path()[1..].to_owned();
    let exchanges = format!("{}/api/exchanges/{vhost}", services.management[0]);
    for message in list(&recorded("rabbitmq.json")) {
        let url = format!(
            "{exchanges}/{}/publish",
            message["exchange"].as_str().unwrap()
        );
        let body = json!({
            "routing_key": message["routing_key"],
            "properties": message["properties"],
            "payload": message["payload"],
            "payload_encoding": "base64",
        });
        let sent = client.post(url).body(body.to_string()).send().await;
        let answer = sent.unwrap().bytes().await.unwrap();
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!(answer["routed"], true, "{message}: {answer}");
    }
}

/// States of jobs that had ended before the upgrade.
const OVER: [JobState; 3] = [JobState::Delivered, JobState::Rejected, JobState::Withdrawn];

struct RecordedTicket {
    ticket: TicketId,
    job: JobId,
    state: JobState,
}

struct Upgrade {
    services: Services,
    falafel: Stub,
    /// A second job server, without jobs.
    idle: Stub,
    directory: TempDir,
    tickets: Vec<RecordedTicket>,
}

impl Upgrade {
    /// Starts services with the recorded data, and a Falafel with its tickets open.
    async fn start() -> Self {
        let services = Services::up().await;
        let lease = Duration::from_secs(5);
        said(role(&services, "provision").arg("--delays-ms=100,200,300"));
        load_redis(&services.redis.parse().unwrap());
        load_rabbitmq(&services).await;
        let mut upgrade = Self {
            services,
            falafel: Stub::start(lease),
            idle: Stub::start(lease),
            directory: tempfile::tempdir().unwrap(),
            tickets: Vec::new(),
        };
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
            if OVER.contains(&state) {
                // Falafel no longer waits for this ticket.
                let done = Frame {
                    ticket,
                    command: FrameCommand::Ack.code(),
                    data: "over".into(),
                };
                let url = self.falafel.url().join("job-complete").unwrap();
                client.post(url).body(done.to_bytes()).send().await.unwrap();
            }
            let job = job.parse().unwrap();
            self.tickets.push(RecordedTicket { ticket, job, state });
        }
    }

    fn command(&self, name: &str) -> Command {
        let mut command = role(&self.services, name);
        command
            .env("PROVERLESS", "true")
            .env("DATA_DIR", self.directory.path())
            .args(["--txs=1", "--inners=1", "--admin=127.0.0.1:0"]);
        command
    }

    fn bridge(&self) -> Process {
        let mut command = self.command("bridge");
        command
            .env("JOB_SERVER_URL", self.falafel.url().as_str())
            .env("ZKWHIRL_OUTER_JOB_SERVER_URL", self.idle.url().as_str());
        Process::start(command.arg("--name=bridge"))
    }

    fn worker(&self) -> Process {
        let mut command = self.command("worker");
        Process::start(command.args(["--topic=inner,outer", "--name=worker", "--work-ms=5"]))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_of_0_1_0_in_every_state_are_delivered_or_still_dead() {
    let upgrade = Upgrade::start().await;
    for state in JobState::ALL {
        let some = upgrade.tickets.iter().any(|told| told.state == state);
        assert!(some, "no job of the recording is {state}");
    }
    let _bridge = upgrade.bridge();
    let _worker = upgrade.worker();
    let address = RedisAddress::new(upgrade.services.redis.parse().unwrap(), "main");
    let ledger = RedisLedger::new(RedisLedgerConfig::new(address)).unwrap();
    let hosts = Endpoint::list(&upgrade.services.amqp[0]).unwrap();
    let broker = AmqpBroker::start(AmqpConfig::new(hosts)).unwrap();
    for told in &upgrade.tickets {
        upgrade.check(told, &ledger, &broker).await;
    }
    upgrade.falafel.assert_no_nack();
}

impl Upgrade {
    async fn check(&self, told: &RecordedTicket, ledger: &RedisLedger, broker: &AmqpBroker) {
        match told.state {
            JobState::Dead => {
                let record = ledger.job(told.job).await.unwrap().unwrap();
                assert_eq!(record.state, JobState::Dead);
                let reason = record.reason.unwrap();
                assert!(reason.contains("parked: "), "{reason}");
                // While the bridge scans the dead letters, this process may miss some.
                let kept = async || {
                    let letter = broker.dead_letter(told.job).await.unwrap();
                    letter.is_some() && self.falafel.was_pinged(told.ticket)
                };
                eventually("the letter is kept and its ticket pinged", kept).await;
            }
            // The ledger deletes the records of ended jobs after some time.
            over if OVER.contains(&over) => {
                let record = ledger.job(told.job).await.unwrap();
                assert!(record.is_none_or(|record| record.state == told.state));
            }
            _ => {
                let answered = async || self.falafel.answer(told.ticket).is_some();
                eventually("the ticket is answered", answered).await;
            }
        }
    }
}
