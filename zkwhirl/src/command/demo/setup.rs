//! What the demo is made of, from its arguments.

use std::{env, fs, path::Path};

use anyhow::Context;
use bytes::Bytes;
use url::Url;
use zkwhirl::cluster::{NativeProvers, Provers, Rollups, provenance};
use zkwhirl_bridge::falafel::Upstream;
use zkwhirl_circuits::{Circuit, StatementKind, Suite};
use zkwhirl_falafel::{Falafel, RollupPlan};
use zkwhirl_job::{Request, limits};
use zkwhirl_keystore::EmbeddedKeyStore;
use zkwhirl_prover::native::{Engine, EngineConfig, Setting};

use crate::{
    cli::DemoArgs,
    command::ready,
    shell::exit,
    ui::{self, bar::Bar},
};

/// The line that says what runs.
pub(super) fn headline(args: &DemoArgs) -> String {
    let what = if args.requests.is_empty() {
        format!(
            "{} claims, {} of {} inner × {} tx",
            args.claims,
            if args.rollups == 1 {
                "a rollup".to_owned()
            } else {
                format!("{} rollups", args.rollups)
            },
            args.rollup.size.inners,
            args.rollup.size.txs
        )
    } else {
        format!("{} request files", args.requests.len())
    };
    let keys = if args.proverless {
        "proverless: nothing is proved".to_owned()
    } else {
        format!(
            "keys in {}/keys (missing ones become dev keys: seeded, never for funds)",
            args.keys.data_dir.display()
        )
    };
    format!(
        "zkWhirl demo · {} · {what} · {} workers\n{keys}\n",
        args.rollup.suite, args.workers
    )
}

/// The request files, each no longer than any request.
pub(super) fn requests(args: &DemoArgs) -> anyhow::Result<Vec<Bytes>> {
    let read = |file: &Path| -> anyhow::Result<Bytes> {
        let context = || format!("cannot read {}", file.display());
        let length = fs::metadata(file).with_context(context)?.len();
        anyhow::ensure!(
            length <= limits::REQUEST_BYTES as u64,
            "{} has {length} bytes, a request has at most {}",
            file.display(),
            limits::REQUEST_BYTES
        );
        let request = Bytes::from(fs::read(file).with_context(context)?);
        Request::parse(&request)
            .with_context(|| format!("{} is not a proof request", file.display()))?;
        Ok(request)
    };
    args.requests
        .iter()
        .map(|file| read(file).map_err(exit::usage))
        .collect()
}

/// Makes the keys that are missing, with a bar each; says where the secret
/// numbers of all came from, each origin once.
pub(super) async fn keys(args: &DemoArgs, rollups: Rollups) -> anyhow::Result<Vec<String>> {
    if args.proverless {
        return Ok(Vec::new());
    }
    let setting = Setting::new(rollups.suite, rollups.sizes, args.keys.max_circuit_size);
    let config = EngineConfig::new(setting, provenance(true));
    let mut engine = Engine::new(config, EmbeddedKeyStore::new(&args.keys.data_dir));
    // Given requests need no larger key than their own, which takes longest.
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
                ui::say(&format!(
                    "key       {circuit}  {} rows ✓ {}",
                    ui::grouped(key.circuit.rows),
                    ui::seconds(started.elapsed())
                ));
            }
        }
        Ok(origins)
    })
    .await?
}

/// The provers behind the slots.
pub(super) fn provers(args: &DemoArgs, rollups: Rollups) -> anyhow::Result<Provers> {
    if args.proverless {
        return Ok(Provers::Proverless {
            rollups,
            work: args.work_ms,
        });
    }
    Ok(Provers::Native(NativeProvers {
        rollups,
        program: env::current_exe().context("cannot find this program's own file")?,
        data_dir: args.keys.data_dir.clone(),
        max_circuit_size: args.keys.max_circuit_size,
        allow_dev_keys: true,
        fleet: None,
        load_first: Vec::new(),
        memory_limit: None,
    }))
}

/// What the simulated Falafel rolls up.
pub(super) fn plan(args: &DemoArgs, rollups: Rollups) -> RollupPlan {
    let sizes = rollups.sizes;
    let txs = (sizes.txs_per_inner() * sizes.inners_per_root()) as usize;
    RollupPlan {
        suite: rollups.suite,
        seed: args.seed,
        sizes,
        genesis_claims: args.claims.into(),
        max_claims: args.claims.into(),
        txs,
        rollups: Some(args.rollups.into()),
        // Keys of the pedersen suite's clients would have to be imported first.
        vks: args.proverless || rollups.suite == Suite::Poseidon,
    }
}

/// The simulated Falafel's job servers, as the bridge knows them.
pub(super) fn upstreams(falafel: &Falafel) -> anyhow::Result<Vec<Upstream>> {
    let url = |address| Url::parse(&format!("http://{address}"));
    let mut upstreams = vec![Upstream::new("inner", url(falafel.inner_address())?)];
    if let Some(outer) = falafel.outer_address() {
        upstreams.push(Upstream::optional("outer", url(outer)?));
    }
    Ok(upstreams)
}
