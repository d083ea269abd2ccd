//! `zkwhirl bridge`: takes jobs from Falafel and passes them to RabbitMQ.

use std::{path::Path, process::ExitCode, sync::Arc, time::Duration};

use anyhow::Context;
use tokio::runtime::Runtime;
use tokio_util::task::AbortOnDropHandle;
use zkwhirl::cluster::{Rollups, StoredClientVks, key_store};
use zkwhirl_bridge::{Bridge, BridgeConfig, BridgeDeps, BridgeStats, falafel::Upstream};
use zkwhirl_broker_adapter::amqp::AmqpStatus;
use zkwhirl_job::{Topic, limits};
use zkwhirl_ledger::Events;
use zkwhirl_telemetry::Role;
use zkwhirl_worker::Deadlines;

use super::{console, fleet, pods, ready};
use crate::{
    cli::BridgeArgs,
    shell::{
        admin::{Admin, NotReady},
        exit, heap,
        kubernetes::{ACCOUNT, Kubernetes},
        signals::Shutdown,
    },
    ui,
};

/// Bytes of the buffers for all inner requests, the largest, of a full rollup.
const HEAP: usize = 64 << 20;

pub(super) fn run(args: BridgeArgs) -> anyhow::Result<ExitCode> {
    heap::keep(HEAP, limits::REQUEST_BYTES);
    Runtime::new()?.block_on(bridge(args))
}

async fn bridge(mut args: BridgeArgs) -> anyhow::Result<ExitCode> {
    let shutdown = Shutdown::on_signals(ui::complain)?;
    let topics = Topic::ALL.map(Topic::name);
    let roles = [Role::Process, Role::Bridge, Role::Keys];
    let admin = Admin::start(args.admin.admin, &roles, &topics, &shutdown.drain)?;
    let upstreams = upstreams(&args)?;
    let kubernetes = args.kubernetes_api.clone();
    let kubernetes = kubernetes
        .map(|api| Kubernetes::new(api, Path::new(ACCOUNT)).map_err(exit::usage))
        .transpose()?;
    let _not_kept = ready::place(&mut args.prover.keys)?;
    let fleet = fleet::fleet_keys(&args.prover, &args.redis);
    let provers = fleet::provers(&args.prover, Some(fleet.clone()), &[], Duration::ZERO)?;
    let Rollups { suite, sizes } = provers.rollups();
    let longest = Deadlines::default().longest();
    let broker = fleet::amqp(&args.amqp, &args.name, longest).await?;
    let ledger = Arc::new(fleet::redis(&args.redis).await?);
    let _marking = kubernetes.map(|kubernetes| {
        AbortOnDropHandle::new(tokio::spawn(pods::mark(ledger.clone(), kubernetes)))
    });
    let vks = StoredClientVks {
        store: key_store(&args.prover.keys.data_dir, Some(&fleet))?,
        suite,
        proverless: args.prover.proverless,
    };
    let bridge = Bridge::new(
        BridgeConfig {
            name: args.name.clone(),
            ..BridgeConfig::new(upstreams, sizes)
        },
        BridgeDeps {
            broker: Arc::new(broker.clone()),
            ledger,
            verifier: Arc::new(provers.checker()?),
            events: Events::default(),
            client_vks: Some(Arc::new(vks)),
        },
    )?;
    let (handle, status) = (bridge.handle(), broker.clone());
    admin.ready_when(move || ready(&handle.stats(), &status.status()));
    ui::say(&admin.to_string());
    let data_dir = &args.prover.keys.data_dir;
    let console = console::serve(&admin, &bridge.handle(), &args.operator, data_dir);
    ui::say(&console);
    ui::say(&format!(
        "bridge {}: {} → RabbitMQ, {sizes} rollups, {suite}",
        args.name, args.job_server_url
    ));
    let ended = bridge.run(shutdown.drain).await;
    broker.close().await;
    ended?;
    ui::say("bridge stopped: open tickets stay in the ledger for the next bridge");
    Ok(ExitCode::SUCCESS)
}

/// Ready if the bridge can publish jobs, consume results, and use the ledger.
fn ready(stats: &BridgeStats, broker: &AmqpStatus) -> Result<(), NotReady> {
    if broker.consuming.is_none() || broker.publishing.is_none() {
        return Err(NotReady::Away("RabbitMQ is unreachable"));
    }
    if stats.member {
        return Ok(());
    }
    let why = "not yet registered in the ledger (is Redis reachable?)";
    Err(NotReady::Away(why))
}

/// Falafel's inner job server, and the outer one: the named URL or `outer_beside`.
fn upstreams(args: &BridgeArgs) -> anyhow::Result<Vec<Upstream>> {
    let inner = args.job_server_url.clone();
    let outer = match &args.outer_job_server_url {
        Some(outer) => outer.clone(),
        None => fleet::outer_beside(&inner)
            .with_context(|| format!("JOB_SERVER_URL={inner} is not an http URL with a host"))
            .map_err(exit::usage)?,
    };
    let mut upstreams = vec![Upstream::new("inner", inner.clone())];
    // A server that serves both topics gets one long poll.
    if outer != inner {
        upstreams.push(Upstream::optional("outer", outer));
    }
    Ok(upstreams)
}
