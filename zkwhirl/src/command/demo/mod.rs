//! `zkwhirl demo`: a simulated Falafel, a bridge and workers in one process.

mod progress;
mod report;
mod setup;
mod view;
mod watch;

use std::{process::ExitCode, sync::Arc, time::Duration};

use anyhow::Context;
use bytes::Bytes;
use futures_util::future::join_all;
use tokio::time::Instant;
use zkwhirl::cluster::{Cluster, ClusterConfig, Rollups};
use zkwhirl_bridge::BridgeConfig;
use zkwhirl_broker_adapter as broker;
use zkwhirl_falafel::{Falafel, FalafelConfig, PipelineState};
use zkwhirl_job::Topic;
use zkwhirl_ledger::Events;
use zkwhirl_telemetry::Role;
use zkwhirl_worker::{Readiness, WorkerConfig};

use super::{console, ready as keys_ready, slots};

use self::{report::Closing, watch::Watcher};
use crate::{
    cli::DemoArgs,
    shell::{
        admin::Admin,
        exit::{self, Interrupted},
        signals::Shutdown,
    },
    ui,
};

/// How the run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Everything that Falafel asked for came back.
    Done,
    /// Falafel's pipeline halted.
    Halted,
    /// All jobs that are left are dead letters: they wait for an operator.
    Parked,
    /// A signal.
    Interrupted,
}

pub(super) fn run(args: DemoArgs) -> anyhow::Result<ExitCode> {
    let rollups = Rollups {
        suite: args.rollup.suite,
        sizes: args.rollup.sizes().map_err(exit::usage)?,
    };
    let requests = setup::requests(&args)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let outcome = runtime.block_on(demo(args, rollups, requests));
    // A key's setup cannot be cancelled; the end of the process ends it.
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
    let ready = readiness.clone();
    admin.ready_when(move || slots::ready(&ready));
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
    let provers = setup::provers(&args, rollups)?;
    let plan = requests.is_empty().then(|| setup::plan(&args, rollups));
    let config = FalafelConfig {
        clients: provers.users()?,
        ..FalafelConfig::new(plan, Arc::new(provers.checker()?))
    };
    // Before the start: the first pipeline begins with it.
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
        topics: Topic::ALL.to_vec(),
        slots: args.workers.into(),
        events,
    })?;
    let data_dir = &args.keys.data_dir;
    let console = console::serve(&admin, cluster.bridge(), &args.operator, data_dir);
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
    let (stats, counted) = (cluster.bridge().stats(), falafel.stats());
    tokio::select! {
        stopped = cluster.stop() => stopped?,
        () = shutdown.abort.cancelled() => {}
    }
    falafel.stop(Duration::ZERO).await;
    if end == End::Interrupted {
        return Err(Interrupted.into());
    }
    let report = report::Report::of(
        &progress,
        &Closing {
            rollups,
            proverless: args.proverless,
            done: end == End::Done,
            stats: &stats,
            reissues: counted.reissues,
            nacks: counted.nacks,
            makespan,
            key_generation,
            keys,
        },
    );
    if args.json {
        ui::say(&serde_json::to_string(&report)?);
    } else {
        report.print(&progress);
    }
    Ok(if report.ok {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Waits for the plan's end, or asks for the given requests and waits for all.
async fn drive(falafel: &Falafel, requests: Vec<Bytes>) -> End {
    if requests.is_empty() {
        return match falafel.finished().await {
            PipelineState::Halted(_) => End::Halted,
            PipelineState::Done | PipelineState::Running => End::Done,
        };
    }
    // All at once, as Falafel asks for all claims of a rollup.
    let answers: Vec<_> = requests
        .into_iter()
        .map(|request| falafel.prove(request))
        .collect();
    if join_all(answers).await.iter().all(Result::is_ok) {
        End::Done
    } else {
        End::Halted
    }
}
