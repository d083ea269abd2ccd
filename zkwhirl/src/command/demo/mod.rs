//! `zkwhirl demo`: a simulated Falafel, a bridge and workers in one process.

mod progress;
mod report;
mod setup;
mod watch;

use std::{process::ExitCode, sync::Arc, time::Duration};

use anyhow::Context;
use bytes::Bytes;
use futures_util::future::join_all;
use tokio::{runtime::Runtime, time::Instant};
use zkwhirl::cluster::{Cluster, ClusterConfig, Rollups};
use zkwhirl_bridge::BridgeConfig;
use zkwhirl_broker_adapter as broker;
use zkwhirl_falafel::{Falafel, FalafelConfig, PipelineState};
use zkwhirl_job::Topic;
use zkwhirl_ledger::Events;
use zkwhirl_telemetry::Role;
use zkwhirl_worker::{Readiness, WorkerConfig};

use super::{console, ready as keys_ready, slots};

use self::{report::DemoReport, watch::Watcher};
use crate::{
    cli::DemoArgs,
    shell::{admin::Admin, exit::Interrupted, signals::Shutdown},
    ui,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Every job that Falafel requested was delivered.
    Done,
    Halted,
    /// All remaining jobs are dead letters, which wait for an operator.
    Parked,
    Interrupted,
}

pub(super) fn run(args: DemoArgs) -> anyhow::Result<ExitCode> {
    let rollups = args.rollup.rollups()?;
    let requests = setup::requests(&args)?;
    let runtime = Runtime::new()?;
    let outcome = runtime.block_on(demo(args, rollups, requests));
    // A key's setup cannot be cancelled; the process's exit ends the setup.
    runtime.shutdown_background();
    outcome
}

async fn demo(
    mut args: DemoArgs,
    rollups: Rollups,
    requests: Vec<Bytes>,
) -> anyhow::Result<ExitCode> {
    let _not_kept = keys_ready::place(&mut args.keys)?;
    let shutdown = Shutdown::on_signals(ui::complain)?;
    let topics = Topic::ALL.map(Topic::name);
    let admin = Admin::start(args.admin.admin, &Role::ALL, &topics, &shutdown.drain)?;
    let readiness = Readiness::default();
    admin.ready_when(slots::ready(&readiness));
    if !args.json {
        ui::say(&setup::headline(&args));
        ui::say(&admin.to_string());
    }
    let started = Instant::now();
    let keys = tokio::select! {
        made = setup::keys(&args, rollups) => made?,
        () = shutdown.drain.cancelled() => return Err(Interrupted.into()),
    };
    let key_generation = started.elapsed();
    let provers = setup::provers(&args)?;
    let plan = requests.is_empty().then(|| setup::plan(&args, rollups));
    let config = FalafelConfig {
        clients: provers.users()?,
        ..FalafelConfig::new(plan, Arc::new(provers.checker()?))
    };
    // Subscribe before the start, with which the first pipeline begins.
    let falafel_events = config.events.subscribe();
    let falafel = Falafel::start(config)
        .await
        .context("cannot start the simulated Falafel")?;
    let events = Events::default();
    let mut watcher = Watcher::new(
        &args,
        rollups.sizes.inners_per_root(),
        events.subscribe(),
        falafel_events,
    );
    let cluster = Cluster::start(ClusterConfig {
        bridge: BridgeConfig::new(setup::upstreams(&falafel)?, rollups.sizes),
        worker: WorkerConfig {
            readiness,
            ..WorkerConfig::default()
        },
        broker: broker::EmbeddedBrokerConfig::default(),
        provers,
        verifier: None,
        topics: Topic::ALL.to_vec(),
        slots: args.workers.into(),
        events,
    })?;
    let data_dir = &args.keys.data_dir;
    let console = console::serve(&admin, &cluster.bridge, &args.operator, data_dir);
    if !args.json {
        ui::say(&console);
    }
    let started = Instant::now();
    let end = tokio::select! {
        end = drive(&falafel, requests) => end,
        end = watcher.until_stuck(&falafel, &cluster) => end,
        () = cluster.bridge_ended() => End::Halted,
        () = shutdown.drain.cancelled() => End::Interrupted,
    };
    let makespan = started.elapsed();
    let progress = watcher.close(&falafel, &cluster);
    let (stats, counted) = (cluster.bridge.stats(), falafel.stats());
    tokio::select! {
        stopped = cluster.stop() => stopped?,
        () = shutdown.abort.cancelled() => {}
    }
    falafel.stop(Duration::ZERO).await;
    if end == End::Interrupted {
        return Err(Interrupted.into());
    }
    let mut report = DemoReport {
        suite: rollups.suite.to_string(),
        sizes: rollups.sizes.to_string(),
        jobs: stats.jobs,
        delivered: stats.delivered,
        nacks: counted.nacks,
        reissues: counted.reissues,
        worst_ping_gap_s: stats.worst_ping_gap.as_secs_f64(),
        makespan_s: makespan.as_secs_f64(),
        key_generation_s: key_generation.as_secs_f64(),
        proverless: args.proverless,
        keys: keys.join("; "),
        ..DemoReport::of(&progress)
    };
    report.ok &= end == End::Done && report.nacks == 0;
    if args.json {
        ui::say(&serde_json::to_string(&report)?);
    } else {
        report.print(&progress);
    }
    Ok(ExitCode::from(u8::from(!report.ok)))
}

/// Waits for the plan's end, or issues the given requests and waits for all.
async fn drive(falafel: &Falafel, requests: Vec<Bytes>) -> End {
    if requests.is_empty() {
        return match falafel.finished().await {
            PipelineState::Halted(_) => End::Halted,
            PipelineState::Done | PipelineState::Running => End::Done,
        };
    }
    // All at once, as Falafel requests all claims of a rollup.
    let answers = requests.into_iter().map(|request| falafel.prove(request));
    match join_all(answers).await.iter().all(Result::is_ok) {
        true => End::Done,
        false => End::Halted,
    }
}
