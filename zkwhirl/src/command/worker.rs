//! `zkwhirl worker`: claims jobs from RabbitMQ and proves them.

use std::{fs, process, process::ExitCode, sync::Arc, time::Duration};

use zkwhirl::cluster::Provers;
use zkwhirl_broker_adapter::Events;
use zkwhirl_worker::{Deadlines, Slot, Stop, WorkerConfig, WorkerDeps};

use super::fleet;
use crate::{
    cli::WorkerArgs,
    shell::{exit, signals::Shutdown},
    ui,
};

pub(super) fn run(args: WorkerArgs) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2) // proofs are made elsewhere
        .enable_all()
        .build()?;
    runtime.block_on(worker(args))
}

async fn worker(args: WorkerArgs) -> anyhow::Result<ExitCode> {
    let shutdown = Shutdown::on_signals(ui::complain)?;
    let name = args.name.clone().unwrap_or_else(own_name);
    let provers = fleet::provers(&args.prover, &args.redis, &args.topic, args.work_ms)?;
    if let Provers::RollupCli(cli) = &provers {
        cli.check()
            .map_err(|why| exit::usage(anyhow::anyhow!(why)))?;
    }
    let broker = fleet::amqp(&args.amqp, &name, Deadlines::default().longest()).await?;
    let ledger = fleet::redis(&args.redis, 0).await?;
    let slots = usize::from(args.slots);
    let seats = (1..=slots)
        .map(|number| Slot {
            name: format!("{name}/{number}"),
            topics: args.topic.clone(),
            prover: provers.prover(slots),
        })
        .collect();
    let topics: Vec<_> = args.topic.iter().map(ToString::to_string).collect();
    ui::say(&format!(
        "worker {name}: {} jobs, {slots} at once",
        topics.join(" and ")
    ));
    let config = WorkerConfig {
        grace: Duration::from_secs(args.drain_s.into()),
        ..WorkerConfig::default()
    };
    let deps = WorkerDeps {
        broker: Arc::new(broker.clone()),
        ledger: Arc::new(ledger),
        events: Events::default(),
    };
    let stop = Stop {
        drain: shutdown.drain,
        abort: shutdown.abort,
    };
    zkwhirl_worker::run(config, deps, seats, stop).await;
    broker.close().await;
    ui::say("worker stopped");
    Ok(ExitCode::SUCCESS)
}

/// Host and process id: unique in the fleet, also where containers share a
/// host name.
fn own_name() -> String {
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!("{}-{}", host.trim(), process::id())
}
