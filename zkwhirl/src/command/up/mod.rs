//! `zkwhirl up`: replaces a Halloumi in one process, with jobs from a real
//! Falafel, embedded broker and ledger, provers, and Halloumi's HTTP API.

mod settings;

use std::{process::ExitCode, sync::Arc, time::Duration};

use anyhow::Context;
use tokio::{net::TcpListener, runtime::Runtime, time::timeout};
use tokio_util::sync::CancellationToken;
use zkwhirl::cluster::{Cluster, ClusterConfig, Provers};
use zkwhirl_bridge::{
    BridgeConfig,
    api::{Api, ApiHost},
};
use zkwhirl_broker_adapter as broker;
use zkwhirl_job::Topic;
use zkwhirl_ledger::Events;
use zkwhirl_telemetry::Role;
use zkwhirl_worker::{Readiness, WorkerConfig};

use self::settings::Settings;
use super::{console, fleet, slots};
use crate::{
    cli::UpArgs,
    shell::{admin::Admin, exit, signals::Shutdown},
    ui,
};

/// How long callers of the API have to read their answers at shutdown.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// The state of this process that Halloumi's API reports.
struct UpProcess<P> {
    slots: Readiness,
    page: P,
}

impl<P: Fn() -> String + Send + Sync> ApiHost for UpProcess<P> {
    fn ready_provers(&self) -> usize {
        self.slots.slots()
    }

    fn has_started(&self) -> bool {
        self.slots.has_started()
    }

    fn metrics(&self) -> String {
        (self.page)()
    }
}

pub(super) fn run(args: UpArgs) -> anyhow::Result<ExitCode> {
    let settings = Settings::read(&args).map_err(exit::usage)?;
    let provers = fleet::provers(&settings.prover, None, &args.topic, args.work_ms)?;
    if let Provers::RollupCli(cli) = &provers {
        cli.check().map_err(exit::usage)?;
    }
    Runtime::new()?.block_on(up(args, settings, provers))
}

async fn up(args: UpArgs, settings: Settings, provers: Provers) -> anyhow::Result<ExitCode> {
    let shutdown = Shutdown::on_signals(ui::complain)?;
    let (address, port) = (args.api_address, settings.port);
    let listener = TcpListener::bind((address, port)).await.with_context(|| {
        format!(
            "cannot listen on {address}:{port} (set PORT to another one; \
             Falafel itself uses 8083 on its host)"
        )
    })?;
    let sizes = provers.rollups().sizes;
    let headline = format!(
        "zkWhirl up · {sizes} · {} · API at http://{}{}",
        headline(&args, &settings),
        listener.local_addr()?,
        settings.api_prefix
    );
    let topics = Topic::ALL.map(Topic::name);
    let admin = Admin::start(args.admin.admin, &Role::ALL, &topics, &shutdown.drain)?;
    let readiness = Readiness::default();
    admin.ready_when(slots::ready(&readiness));
    let cluster = Cluster::start(ClusterConfig {
        bridge: BridgeConfig::new(settings.upstreams, sizes),
        worker: WorkerConfig {
            grace: Duration::from_secs(args.drain_s.into()),
            start_provers: true,
            // After one failure a slot stops consuming, restarts its prover and
            // proves a self-test, because a start may take longer than the next
            // job's deadline.
            failures_in_a_row: 1,
            readiness: readiness.clone(),
            ..WorkerConfig::default()
        },
        broker: broker::EmbeddedBrokerConfig::default(),
        provers,
        verifier: None,
        topics: args.topic,
        slots: args.slots.into(),
        events: Events::default(),
    })?;
    let data_dir = &settings.prover.keys.data_dir;
    let console = console::serve(&admin, &cluster.bridge, &args.operator, data_dir);
    let api = Api {
        bridge: cluster.bridge.clone(),
        host: Arc::new(UpProcess {
            slots: readiness,
            page: admin.page(),
        }),
        prefix: settings.api_prefix,
        admin: settings.admin,
    };
    let end_api = CancellationToken::new();
    let serving = tokio::spawn(api.serve(listener, end_api.clone()));
    ui::say(&headline);
    ui::say(&admin.to_string());
    ui::say(&console);

    tokio::select! {
        () = shutdown.drain.cancelled() => {}
        () = cluster.bridge_ended() => {}
    }
    let provers = cluster.worker_stop.clone();
    tokio::spawn(async move {
        shutdown.abort.cancelled().await;
        provers.abort.cancel();
    });
    let ended = cluster.stop().await;
    end_api.cancel();
    // A caller that does not read its answer does not delay the exit.
    let _ = timeout(LAST_ANSWERS, serving).await;
    ended?;
    ui::say("stopped: Falafel issues unanswered jobs again");
    Ok(ExitCode::SUCCESS)
}

/// The prover and the job servers, for the first line.
fn headline(args: &UpArgs, settings: &Settings) -> String {
    let prover = match (&args.cli.rollup_cli, settings.prover.proverless) {
        (Some(program), true) => format!("{}, mock proofs", program.display()),
        (Some(program), false) => program.display().to_string(),
        (None, true) => "proverless: nothing is proved".to_owned(),
        (None, false) => format!("native, {}", args.suite),
    };
    let servers = settings.upstreams.iter().map(|up| up.base.as_str());
    let servers: Vec<_> = servers.collect();
    format!("{prover} · jobs from {}", servers.join(" and "))
}
