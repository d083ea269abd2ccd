//! Set-up that bridge, worker and provision share: RabbitMQ, Redis, provers.

use std::{env, fs, time::Duration};

use anyhow::Context;
use url::Url;
use zkwhirl::cluster::{CliProvers, FleetKeys, NativeProvers, Provers};
use zkwhirl_broker_adapter::amqp::{AmqpBroker, AmqpConfig, Endpoint, Severity};
use zkwhirl_circuits::Suite;
use zkwhirl_job::Topic;
use zkwhirl_ledger::redis::{RedisLedger, RedisLedgerConfig};
use zkwhirl_redis::RedisAddress;

use crate::{
    cli::{AmqpArgs, ProverArgs, RedisArgs},
    shell::exit,
    ui,
};

/// How long a process waits for RabbitMQ at its start.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) fn amqp_config(args: &AmqpArgs, name: &str) -> anyhow::Result<AmqpConfig> {
    let hosts = Endpoint::list(&args.amqp_url).map_err(exit::usage)?;
    let management = args.amqp_management_url.as_deref().map(str::parse);
    let ca_pem = args.amqp_ca.as_ref().map(|file| {
        fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
    });
    Ok(AmqpConfig {
        management: management.transpose().map_err(exit::usage)?,
        ca_pem: ca_pem.transpose().map_err(exit::usage)?,
        name: name.to_owned(),
        unread_limit: Duration::from_secs(u64::from(args.unread_hours) * 3600),
        ..AmqpConfig::new(hosts)
    })
}

/// Connects to RabbitMQ and checks its topology and policies. Prints every
/// finding; fails on a finding that could lose jobs.
pub(super) async fn amqp(
    args: &AmqpArgs,
    name: &str,
    longest_job: Duration,
) -> anyhow::Result<AmqpBroker> {
    let amqp = AmqpBroker::start(amqp_config(args, name)?)?;
    amqp.ready(PATIENCE).await.context(
        "RabbitMQ is not ready (is it running? scripts/services status; \
         is it provisioned? zkwhirl provision)",
    )?;
    let findings = amqp.check(longest_job).await?;
    for finding in &findings {
        ui::complain(&format!("zkwhirl: {finding}"));
    }
    let refused = findings.iter().any(|f| f.severity == Severity::Refuse);
    anyhow::ensure!(!refused, "RabbitMQ could lose jobs: see the lines above");
    Ok(amqp)
}

/// Opens the ledger on Redis. Its calls wait while Redis is unreachable. Fails
/// if Redis is configured to evict keys, which would lose jobs.
pub(super) async fn redis(args: &RedisArgs) -> anyhow::Result<RedisLedger> {
    let address = RedisAddress::new(args.redis_url.clone(), &args.namespace);
    let redis = RedisLedger::new(RedisLedgerConfig::new(address)).map_err(exit::usage)?;
    let warnings = redis.check().await;
    for warning in warnings.context("Redis cannot be used for the ledger")? {
        ui::complain(&format!("zkwhirl: {warning}"));
    }
    Ok(redis)
}

/// Makes the provers that the arguments name, for jobs of `topics`.
///
/// `keys`: where a fleet shares its keys; `work`: how long a mock proof takes.
pub(super) fn provers(
    args: &ProverArgs,
    keys: Option<FleetKeys>,
    topics: &[Topic],
    work: Duration,
) -> anyhow::Result<Provers> {
    let rollups = args.rollup.rollups()?;
    if let Some(program) = &args.cli.rollup_cli {
        speaks_pedersen(rollups.suite)?;
        return Ok(Provers::RollupCli(CliProvers {
            sizes: rollups.sizes,
            program: program.clone(),
            data_dir: args.keys.data_dir.clone(),
            max_circuit_size: args.keys.max_circuit_size,
            mock: args.proverless,
            lazy_init: args.lazy_init,
            persist: args.keys.persist,
            memory_limit: args.cli.prover_memory,
        }));
    }
    if args.proverless {
        return Ok(Provers::Proverless { rollups, work });
    }
    Ok(Provers::Native(NativeProvers {
        rollups,
        program: env::current_exe().context("cannot find this program's executable file")?,
        data_dir: args.keys.data_dir.clone(),
        max_circuit_size: args.keys.max_circuit_size,
        allow_dev_keys: args.allow_dev_keys,
        fleet: keys,
        load_first: match args.lazy_init {
            true => Vec::new(),
            false => topics.to_vec(),
        },
        memory_limit: args.cli.prover_memory,
    }))
}

/// Fails for a suite other than pedersen, which `rollup_cli` cannot prove.
fn speaks_pedersen(suite: Suite) -> anyhow::Result<()> {
    if suite == Suite::Pedersen {
        return Ok(());
    }
    Err(exit::usage(anyhow::anyhow!(
        "ZKWHIRL_SUITE={suite} is not what a rollup_cli proves: set ZKWHIRL_SUITE=pedersen, \
         or leave ZKWHIRL_ROLLUP_CLI unset"
    )))
}

/// The default URL of Falafel's server of outer jobs: port 8083, fixed in
/// Falafel, of the inner server's host. `None` if `inner` has no host.
pub(super) fn outer_beside(inner: &Url) -> Option<Url> {
    let mut outer = inner.clone();
    outer.set_port(Some(8083)).ok()?;
    Some(outer)
}

/// The Redis and the folder through which the fleet shares its keys.
pub(super) fn fleet_keys(args: &ProverArgs, redis: &RedisArgs) -> FleetKeys {
    FleetKeys {
        redis_url: redis.redis_url.clone(),
        namespace: redis.namespace.clone(),
        share: args.key_share.clone(),
    }
}
