//! A `rollup_cli` prover in a fleet with a real RabbitMQ and a real Redis.

use std::{path::Path, process::Command};

use bytes::Bytes;
use zkwhirl_job::{Command as Ask, Frame, Sizes, TicketId};
use zkwhirl_testkit::{Services, stub::Stub, until_some};

use super::vectors::{answers, production};
use crate::stage::{LEASE, Process, role, said, turn};

struct HalloumiFleet {
    services: Services,
    /// RabbitMQ's URL, with the virtual host.
    amqp: String,
    falafel: Stub,
    sizes: Sizes,
}

impl HalloumiFleet {
    fn command(&self, name: &str) -> Command {
        let mut command = role(&self.services, name);
        command.env("ZKWHIRL_AMQP_URL", &self.amqp);
        command
    }

    fn provision(&self) {
        said(&mut self.command("provision"));
    }

    fn role(&self, name: &str, program: &Path, data: &Path) -> Process {
        let mut command = self.command(name);
        command
            .env("ZKWHIRL_SUITE", "pedersen")
            .env("ZKWHIRL_ROLLUP_CLI", program)
            .env("DATA_DIR", data)
            .env("MAX_CIRCUIT_SIZE", "2")
            .arg(format!("--txs={}", self.sizes.txs_per_inner()))
            .arg(format!("--inners={}", self.sizes.inners_per_root()));
        match name {
            "bridge" => command.env("JOB_SERVER_URL", self.falafel.url().as_str()),
            _ => command.args(["--topic=inner,outer", "--slots=1"]),
        };
        Process::start(&mut command)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_passes_and_keys_outlive_everything_but_redis() {
    let case = production(false);
    let _turn = turn().await;
    let services = Services::up().await;
    let mut fleet = HalloumiFleet {
        amqp: services.amqp[0].clone(),
        services,
        falafel: Stub::start(LEASE),
        sizes: case.sizes,
    };
    case.ask(&fleet.falafel);
    fleet.provision();
    let (program, data) = (case.odd.program(), case.odd.path("data"));
    let bridge = fleet.role("bridge", &program, &data);
    let worker = fleet.role("worker", &program, &data);
    case.check(&answers(&fleet.falafel, case.asked()).await);
    assert_eq!(worker.drain(), Some(0));
    assert_eq!(bridge.drain(), Some(0));

    // No worker, another machine's data directory, an empty RabbitMQ.
    let (server, _) = fleet.amqp.rsplit_once('/').unwrap();
    fleet.amqp = format!("{server}/anew");
    fleet.provision();
    let elsewhere = tempfile::tempdir().unwrap();
    let bridge = fleet.role("bridge", &program, &elsewhere.path().join("data"));
    for (command, key) in [(Ask::GetJoinSplitVk, 100), (Ask::GetAccountVk, 101)] {
        let ticket = TicketId([key; 32]);
        fleet.falafel.ask_frame(Frame {
            ticket,
            command: command.code(),
            data: Bytes::new(),
        });
        let answer = until_some("a key", async || fleet.falafel.answer(ticket)).await;
        assert_eq!((answer.command, answer.data), (5, vec![key; 1168].into()));
    }
    assert_eq!(bridge.drain(), Some(0));
}
