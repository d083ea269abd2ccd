//! `zkwhirl up`: a replacement of a Halloumi in one process: jobs from a real
//! Falafel, embedded broker and ledger, provers, and Halloumi's HTTP API.

mod settings;

use std::{env, process::ExitCode, sync::Arc, time::Duration};

use anyhow::Context;
use tokio::{net::TcpListener, time::timeout};
use tokio_util::sync::CancellationToken;
use zkwhirl::cluster::{CliProvers, Cluster, ClusterConfig, NativeProvers, Provers, Rollups};
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
use super::{console, slots};
use crate::{
    cli::UpArgs,
    shell::{admin::Admin, exit, signals::Shutdown},
    ui,
};

/// Grace for callers of the API to read their answers at shutdown.
const LAST_ANSWERS: Duration = Duration::from_secs(2);
/// How much of the reference string a mock `rollup_cli` reads, as Halloumi has
/// it.
const MOCK_ROWS: u64 = 8192;

/// This process, as Halloumi's API asks for it.
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
    let provers = provers(&args, &settings)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(up(args, settings, provers))
}

fn provers(args: &UpArgs, settings: &Settings) -> anyhow::Result<Provers> {
    let rollups = Rollups {
        suite: args.suite,
        sizes: settings.sizes,
    };
    if let Some(program) = &args.cli.rollup_cli {
        super::speaks_pedersen(args.suite)?;
        let provers = CliProvers {
            sizes: settings.sizes,
            program: program.clone(),
            data_dir: settings.data_dir.clone(),
            max_circuit_size: match settings.proverless {
                true => MOCK_ROWS,
                false => settings.max_circuit_size,
            },
            mock: settings.proverless,
            lazy_init: settings.lazy_init,
            persist: settings.persist,
            memory_limit: args.cli.prover_memory,
        };
        provers.check().map_err(exit::usage)?;
        return Ok(Provers::RollupCli(provers));
    }
    if settings.proverless {
        return Ok(Provers::Proverless {
            rollups,
            work: args.work_ms,
        });
    }
    Ok(Provers::Native(NativeProvers {
        rollups,
        program: env::current_exe().context("cannot find this program's own file")?,
        data_dir: settings.data_dir.clone(),
        max_circuit_size: settings.max_circuit_size,
        allow_dev_keys: args.allow_dev_keys,
        fleet: None,
        load_first: match settings.lazy_init {
            true => Vec::new(),
            false => args.topic.clone(),
        },
        memory_limit: args.cli.prover_memory,
    }))
}

async fn up(args: UpArgs, settings: Settings, provers: Provers) -> anyhow::Result<ExitCode> {
    let shutdown = Shutdown::on_signals(ui::complain)?;
    let (address, port) = (args.api_address, settings.port);
    let listener = TcpListener::bind((address, port)).await.with_context(|| {
        format!(
            "cannot listen on {address}:{port} (set PORT to another one; \
             on one host 8083 is Falafel's own)"
        )
    })?;
    let headline = headline(&args, &settings, &listener)?;
    let topics = Topic::ALL.map(Topic::name);
    let admin = Admin::start(args.admin.admin, &Role::ALL, &topics, &shutdown.drain)?;
    let readiness = Readiness::default();
    let ready = readiness.clone();
    admin.ready_when(move || slots::ready(&ready));
    let cluster = Cluster::start(ClusterConfig {
        bridge: BridgeConfig::new(settings.upstreams, settings.sizes),
        worker: WorkerConfig {
            grace: Duration::from_secs(args.drain_s.into()),
            start_provers: true,
            // After one failure a slot leaves the queue, restarts its prover
            // and proves a self-test: a start may take longer than the deadline
            // of the next job.
            failures_in_a_row: 1,
            readiness: readiness.clone(),
            ..WorkerConfig::default()
        },
        broker: broker::EmbeddedBrokerConfig::default(),
        provers,
        topics: args.topic,
        slots: args.slots.into(),
        events: Events::default(),
    })?;
    let data_dir = &settings.data_dir;
    let console = console::serve(&admin, cluster.bridge(), &args.operator, data_dir);
    let api = Api {
        bridge: cluster.bridge().clone(),
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
    let provers = cluster.worker_stop().clone();
    tokio::spawn(async move {
        shutdown.abort.cancelled().await;
        provers.abort.cancel();
    });
    let ended = cluster.stop().await;
    end_api.cancel();
    // A caller that does not read its answer does not delay the exit.
    let _ = timeout(LAST_ANSWERS, serving).await;
    ended?;
    ui::say("stopped: Falafel issues again what was not answered");
    Ok(ExitCode::SUCCESS)
}

fn headline(args: &UpArgs, settings: &Settings, listener: &TcpListener) -> anyhow::Result<String> {
    let prover = match (&args.cli.rollup_cli, settings.proverless) {
        (Some(program), mock) => {
            let mock = if mock { ", mock proofs" } else { "" };
            format!("{}{mock}", program.display())
        }
        (None, true) => "proverless: nothing is proved".to_owned(),
        (None, false) => format!("native, {}", args.suite),
    };
    let servers: Vec<_> = settings
        .upstreams
        .iter()
        .map(|up| up.base.as_str())
        .collect();
    Ok(format!(
        "zkWhirl up · {} · {prover} · jobs from {} · API at http://{}{}",
        settings.sizes,
        servers.join(" and "),
        listener.local_addr()?,
        settings.api_prefix
    ))
}
