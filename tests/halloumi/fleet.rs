//! Halloumi's prover behind a fleet: RabbitMQ and Redis are real.

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use bytes::Bytes;
use zkwhirl_job::{Command as Ask, Sizes};

use crate::{
    recorder::Recorder,
    services::Services,
    support::{Process, url, zkwhirl},
    vectors::production,
};

struct Fleet {
    services: Services,
    /// RabbitMQ, with its virtual host.
    amqp: String,
    falafel: Recorder,
    sizes: Sizes,
}

impl Fleet {
    fn command(&self, role: &str) -> Command {
        let mut command = zkwhirl(role);
        command
            .env("ZKWHIRL_AMQP_URL", &self.amqp)
            .env("ZKWHIRL_AMQP_MANAGEMENT_URL", &self.services.management)
            .stdout(Stdio::null());
        command
    }

    fn provision(&self) {
        let provisioned = self.command("provision").status().unwrap();
        assert!(provisioned.success());
    }

    /// A role with the program behind it.
    fn role(&self, role: &str, program: &std::path::Path, data: &std::path::Path) -> Process {
        let falafel = url(self.falafel.address);
        let mut command = self.command(role);
        command
            .env("ZKWHIRL_REDIS_URL", &self.services.redis)
            .env("ZKWHIRL_SUITE", "pedersen")
            .env("ZKWHIRL_ROLLUP_CLI", program)
            .env("DATA_DIR", data)
            .env("MAX_CIRCUIT_SIZE", "2")
            .arg(format!("--txs={}", self.sizes.txs_per_inner()))
            .arg(format!("--inners={}", self.sizes.inners_per_root()));
        match role {
            "bridge" => command.env("JOB_SERVER_URL", falafel.as_str()),
            _ => command.args(["--topic=inner,outer", "--slots=1"]),
        };
        Process(command.spawn().unwrap())
    }
}

/// The frame that asks for a key, with a ticket of its own.
fn ask_for(command: Ask, ticket: u8) -> Bytes {
    [&[ticket; 32][..], &command.code().to_be_bytes()]
        .concat()
        .into()
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_passes_and_keys_outlive_everything_but_redis() {
    let case = production(false);
    let services = tokio::task::spawn_blocking(Services::up).await.unwrap();
    let mut fleet = Fleet {
        amqp: services.amqp.clone(),
        services,
        falafel: Recorder::start(case.frames.clone()).await,
        sizes: case.sizes,
    };
    fleet.provision();
    let (program, data) = (case.odd.program(), case.odd.path("data"));
    let bridge = fleet.role("bridge", &program, &data);
    let worker = fleet.role("worker", &program, &data);
    let asked = case.frames.len();
    let completed = fleet.falafel.completed(asked).await;
    case.check(&completed);
    assert_eq!(worker.drain(), Some(0));
    assert_eq!(bridge.drain(), Some(0));

    // No worker, another machine's data directory, a RabbitMQ that has nothing.
    let (server, _) = fleet.amqp.rsplit_once('/').unwrap();
    fleet.amqp = format!("{server}/anew");
    fleet.provision();
    let elsewhere = tempfile::tempdir().unwrap();
    let bridge = fleet.role("bridge", &program, &elsewhere.path().join("data"));
    fleet.falafel.ask(ask_for(Ask::GetJoinSplitVk, 1));
    fleet.falafel.ask(ask_for(Ask::GetAccountVk, 2));
    let answers = tokio::time::timeout(Duration::from_secs(30), fleet.falafel.completed(asked + 2));
    let answers = answers.await.unwrap();
    for (ticket, key) in [(1, 100), (2, 101)] {
        let body = [&[ticket; 32][..], &5u32.to_be_bytes(), &[key; 1168]].concat();
        assert!(answers.iter().any(|answer| *answer == body), "key {key}");
    }
    assert_eq!(bridge.drain(), Some(0));
}
