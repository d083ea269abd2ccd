//! Makes the parts of the demo from its arguments.

use std::path::Path;

use anyhow::Context;
use bytes::Bytes;
use url::Url;
use zkwhirl::cluster::{Provers, Rollups, provenance};
use zkwhirl_bridge::falafel::Upstream;
use zkwhirl_circuits::{Circuit, StatementKind, Suite};
use zkwhirl_falafel::{Falafel, RollupPlan};
use zkwhirl_job::{Request, limits};
use zkwhirl_keystore::EmbeddedKeyStore;
use zkwhirl_prover::native::{Engine, EngineConfig, Setting};

use crate::{
    cli::{CliProverArgs, DemoArgs, ProverArgs},
    command::{falafel, fleet, ready},
    shell::{exit, files},
    ui::{self, bar::Bar},
};

pub(super) fn headline(args: &DemoArgs) -> String {
    let size = &args.rollup.size;
    let rollups = match args.rollups {
        1 => "a rollup".to_owned(),
        rollups => format!("{rollups} rollups"),
    };
    let what = match args.requests.len() {
        0 => format!(
            "{} claims, {rollups} of {} inner × {} tx",
            args.claims, size.inners, size.txs
        ),
        files => format!("{files} request files"),
    };
    let data_dir = args.keys.data_dir.display();
    let keys = match args.proverless {
        true => "proverless: nothing is proved".to_owned(),
        false => format!(
            "keys in {data_dir}/keys (missing keys are generated as development keys, never for real funds)"
        ),
    };
    format!(
        "zkWhirl demo · {} · {what} · {} workers\n{keys}\n",
        args.rollup.suite, args.workers
    )
}

/// Reads the request files, each at most as long as the longest request.
pub(super) fn requests(args: &DemoArgs) -> anyhow::Result<Vec<Bytes>> {
    let read = |file: &Path| -> anyhow::Result<Bytes> {
        let request = files::read(file, "a request", limits::REQUEST_BYTES)?.into();
        Request::parse(&request)
            .with_context(|| format!("{} is not a proof request", file.display()))?;
        Ok(request)
    };
    args.requests
        .iter()
        .map(|file| read(file).map_err(exit::usage))
        .collect()
}

/// Loads the keys, generating missing ones with a progress bar; returns the
/// provenance of the keys, without duplicates.
pub(super) async fn keys(args: &DemoArgs, rollups: Rollups) -> anyhow::Result<Vec<String>> {
    if args.proverless {
        return Ok(Vec::new());
    }
    let setting = Setting::new(rollups.suite, rollups.sizes, args.keys.max_circuit_size);
    let config = EngineConfig::new(setting, provenance(true));
    let mut engine = Engine::new(config, EmbeddedKeyStore::new(&args.keys.data_dir));
    // Only the keys that the given requests need: a larger key takes long.
    let wanted = requests(args)?;
    let needed = |circuit: &Circuit| {
        wanted.is_empty()
            || wanted.iter().any(|request| match Request::parse(request) {
                Ok(Request::Claim(_)) => circuit.statement == StatementKind::Claim,
                Ok(Request::TxRollup(_)) => {
                    !matches!(circuit.statement, StatementKind::RootRollup { .. })
                }
                _ => true,
            })
    };
    let circuits = engine.setting().circuits().map_err(exit::usage)?;
    let circuits: Vec<_> = circuits.into_iter().filter(needed).collect();
    let quiet = args.json;
    tokio::task::spawn_blocking(move || {
        let mut origins = Vec::new();
        for circuit in circuits {
            let bar = Bar::start(&format!("key {circuit}"));
            let started = tokio::time::Instant::now();
            let key = engine.key(&circuit, &|progress| bar.show(progress));
            bar.finish();
            let key = key.map_err(ready::at_start)?;
            let origin = key.provenance.to_string();
            if !origins.contains(&origin) {
                origins.push(origin);
            }
            if !quiet {
                let (rows, took) = (
                    ui::grouped(key.circuit.rows),
                    ui::seconds(started.elapsed()),
                );
                ui::say(&format!("key       {circuit}  {rows} rows ✓ {took}"));
            }
        }
        Ok(origins)
    })
    .await?
}

pub(super) fn provers(args: &DemoArgs) -> anyhow::Result<Provers> {
    let prover = ProverArgs {
        rollup: args.rollup.clone(),
        keys: args.keys.clone(),
        key_share: None,
        allow_dev_keys: true,
        proverless: args.proverless,
        cli: CliProverArgs::default(),
        lazy_init: true,
    };
    fleet::provers(&prover, None, &[], args.work_ms)
}

pub(super) fn plan(args: &DemoArgs, rollups: Rollups) -> RollupPlan {
    RollupPlan {
        rollups: Some(args.rollups.into()),
        // The pedersen suite's client keys would have to be imported first.
        vks: args.proverless || rollups.suite == Suite::Poseidon,
        ..falafel::plan(rollups, args.claims, args.seed)
    }
}

/// The simulated Falafel's job servers, as the bridge's upstreams.
pub(super) fn upstreams(falafel: &Falafel) -> anyhow::Result<Vec<Upstream>> {
    let url = |address| Url::parse(&format!("http://{address}"));
    let mut upstreams = vec![Upstream::new("inner", url(falafel.inner_address())?)];
    if let Some(outer) = falafel.outer_address() {
        upstreams.push(Upstream::optional("outer", url(outer)?));
    }
    Ok(upstreams)
}
