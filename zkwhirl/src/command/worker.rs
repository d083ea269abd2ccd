//! `zkwhirl worker`: claims jobs from RabbitMQ and proves them.

use std::{fs, process, process::ExitCode, sync::Arc, time::Duration};

use zkwhirl::cluster::Provers;
use zkwhirl_job::limits;
use zkwhirl_ledger::Events;
use zkwhirl_telemetry::Role;
use zkwhirl_worker::{Deadlines, Readiness, Slot, Stop, WorkerConfig, WorkerDeps};

use super::{fleet, ready, slots};
use crate::{
    cli::WorkerArgs,
    shell::{admin::Admin, exit, heap, signals::Shutdown},
    ui,
};

/// Bytes of the buffers for one of the largest inner requests.
const HEAP: usize = 8 << 20;

pub(super) fn run(args: WorkerArgs) -> anyhow::Result<ExitCode> {
    heap::keep(HEAP, limits::REQUEST_BYTES);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2) // proofs are made elsewhere
        .enable_all()
        .build()?;
    let outcome = runtime.block_on(worker(args));
    // A key's setup cannot be cancelled; the process's exit ends the setup.
    runtime.shutdown_background();
    outcome
}

async fn worker(mut args: WorkerArgs) -> anyhow::Result<ExitCode> {
    let shutdown = Shutdown::on_signals(ui::complain)?;
    let topics: Vec<_> = args.topic.iter().map(|topic| topic.name()).collect();
    let roles = [Role::Process, Role::Worker, Role::Keys];
    let admin = Admin::start(args.admin.admin, &roles, &topics, &shutdown.drain)?;
    ui::say(&admin.to_string());
    let name = args.name.clone().unwrap_or_else(own_name);
    // An external prover program manages its own key files.
    let _not_kept = match args.prover.cli.rollup_cli {
        None => ready::place(&mut args.prover.keys)?,
        Some(_) => None,
    };
    let fleet = fleet::fleet_keys(&args.prover, &args.redis);
    let provers = fleet::provers(&args.prover, Some(fleet), &args.topic, args.work_ms)?;
    let (slots, admission) = slots::admit(&args, &provers)?;
    if let Provers::Native(native) = &provers {
        let (native, lazy) = (native.clone(), args.prover.lazy_init);
        let keys = tokio::task::spawn_blocking(move || ready::native(&native, lazy));
        tokio::select! {
            keys = keys => keys??,
            () = shutdown.drain.cancelled() => return Err(exit::Interrupted.into()),
        }
    }
    if let Provers::RollupCli(cli) = &provers {
        cli.check().map_err(exit::usage)?;
    }
    let broker = fleet::amqp(&args.amqp, &name, Deadlines::default().longest()).await?;
    let ledger = fleet::redis(&args.redis).await?;
    let prover_slots = (1..=slots)
        .map(|number| Slot {
            name: format!("{name}/{number}"),
            topics: args.topic.clone(),
            prover: provers.prover(slots),
        })
        .collect();
    let topics = topics.join(" and ");
    ui::say(&format!("worker {name}: {topics} jobs, {slots} slots"));
    let readiness = Readiness::default();
    admin.ready_when(slots::ready(&readiness));
    let config = WorkerConfig {
        readiness,
        grace: Duration::from_secs(args.drain_s.into()),
        admission,
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
    zkwhirl_worker::run(config, deps, prover_slots, stop).await;
    broker.close().await;
    ui::say("worker stopped");
    Ok(ExitCode::SUCCESS)
}

/// Host name and process id: unique in the fleet, even if containers share a
/// host name.
fn own_name() -> String {
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!("{}-{}", host.trim(), process::id())
}
