//! `zkwhirl falafel`: the simulated Falafel alone, for a bridge elsewhere.

use std::{process::ExitCode, sync::Arc, time::Duration};

use anyhow::Context;
use bytes::{BufMut, Bytes, BytesMut};
use tokio::{runtime::Runtime, sync::broadcast::error::RecvError};
use zkwhirl::cluster::{Checker, Rollups, key_store, provenance, users};
use zkwhirl_falafel::{
    Falafel, FalafelConfig, FalafelEvent, Listen, PipelineState, RollupPlan,
    users::{ClientProofs, MockProofs},
};
use zkwhirl_job::request::ClaimRequest;
use zkwhirl_prover::native::{Engine, EngineConfig, Setting};

use crate::{
    cli::FalafelArgs,
    shell::{exit, signals::Shutdown},
    ui,
};

const CLIENT_CIRCUIT_SIZE: u64 = 1 << 16;
/// How long pollers have, at most, to receive the server's last answers.
const STOP_GRACE: Duration = Duration::from_millis(200);

pub(super) fn run(args: FalafelArgs) -> anyhow::Result<ExitCode> {
    let rollups = args.rollup.rollups()?;
    Runtime::new()?.block_on(serve(args, rollups))
}

async fn serve(args: FalafelArgs, rollups: Rollups) -> anyhow::Result<ExitCode> {
    let shutdown = Shutdown::on_signals(ui::complain)?;
    let (checker, clients): (_, Arc<dyn ClientProofs>) = if args.proverless {
        (Checker::proverless(rollups), Arc::new(MockProofs))
    } else {
        let store = key_store(&args.keys.data_dir, None)?;
        let engine = Engine::new(wallets(rollups), Arc::clone(&store));
        let checker = Checker::native(rollups, args.keys.max_circuit_size, store);
        (checker, users(engine))
    };
    let plan = RollupPlan {
        rollups: (args.rollups > 0).then(|| args.rollups.into()),
        vks: !args.no_client_keys,
        ..plan(rollups, args.claims, args.seed)
    };
    let config = FalafelConfig {
        listen: Listen::Split {
            inner: args.inner,
            outer: args.outer,
        },
        clients,
        ..FalafelConfig::new(Some(plan), Arc::new(checker))
    };
    let mut events = config.events.subscribe();
    let falafel = Falafel::start(config)
        .await
        .with_context(|| format!("cannot serve jobs at {} and {}", args.inner, args.outer))?;
    ui::say(&format!(
        "simulated Falafel · {} · {} · inner jobs at http://{} · outer jobs at http://{}",
        rollups.suite, rollups.sizes, args.inner, args.outer
    ));
    for number in 0..args.malformed {
        // The answer is not awaited: rollups do not depend on it.
        let _ = falafel.servers().create_proof(malformed(number));
    }
    if let malformed @ 1.. = args.malformed {
        ui::say(&format!(
            "issued {malformed} truncated claims, which become dead letters"
        ));
    }
    let state = loop {
        tokio::select! {
            event = events.recv() => match event {
                Ok(event) => say(&event),
                Err(RecvError::Lagged(missed)) => ui::say(&format!("({missed} events missed)")),
                Err(RecvError::Closed) => break falafel.state(),
            },
            state = falafel.finished() => break state,
            () = shutdown.drain.cancelled() => break PipelineState::Running,
        }
    };
    while let Ok(event) = events.try_recv() {
        say(&event);
    }
    falafel.stop(STOP_GRACE).await;
    match state {
        PipelineState::Halted(reason) => anyhow::bail!("the pipeline halted: {reason}"),
        PipelineState::Done => Ok(ExitCode::SUCCESS),
        PipelineState::Running => Err(exit::Interrupted.into()),
    }
}

/// A plan of full rollups in a world that begins with `claims` claims.
pub(super) fn plan(rollups: Rollups, claims: u16, seed: u64) -> RollupPlan {
    let Rollups { suite, sizes } = rollups;
    RollupPlan {
        suite,
        seed,
        sizes,
        genesis_claims: claims.into(),
        max_claims: claims.into(),
        txs: (sizes.txs_per_inner() * sizes.inners_per_root()) as usize,
        rollups: None,
        vks: true,
    }
}

/// The settings of the users' engine. It accepts development keys, because
/// simulated transactions carry no value.
fn wallets(rollups: Rollups) -> EngineConfig {
    let setting = Setting::new(rollups.suite, rollups.sizes, CLIENT_CIRCUIT_SIZE);
    EngineConfig {
        allow_dev_keys: true,
        ..EngineConfig::new(setting, provenance(false))
    }
}

/// A claim request that is truncated after its first field. Different numbers
/// give different requests.
fn malformed(number: u16) -> Bytes {
    let mut request = BytesMut::new();
    request.put_u32(ClaimRequest::PROOF_ID);
    request.put_bytes(0, 30);
    request.put_u16(number);
    request.freeze()
}

fn say(event: &FalafelEvent) {
    let line = match event {
        FalafelEvent::RollupStarted { rollup_id, claims } => {
            format!("rollup {rollup_id} started with {claims} claims")
        }
        FalafelEvent::RollupSettled {
            rollup_id,
            inners,
            txs,
            final_bytes,
            proofs,
        } => format!(
            "rollup {rollup_id} settled: {inners} inner rollups, {txs} txs, final buffer {} B, {} in it verified",
            ui::grouped(*final_bytes as u64),
            match proofs {
                0 => "every public input".to_owned(),
                proofs => format!("every public input and {proofs} proofs"),
            }
        ),
        FalafelEvent::Ready => "falafel has both client keys and accepts transactions".to_owned(),
        FalafelEvent::JobIssued { ticket, ghost } => match ghost {
            true => format!(
                "ticket {} issued to a poller that had disconnected",
                ticket.short()
            ),
            false => return,
        },
        FalafelEvent::JobResolved { ticket, refusal } => match refusal {
            None => format!("ticket {} verified", ticket.short()),
            Some(reason) => format!("ticket {} refused: {reason}", ticket.short()),
        },
        FalafelEvent::JobRejected { ticket } => {
            format!("ticket {} rejected (NACK)", ticket.short())
        }
        FalafelEvent::RollupInterrupted { rollup_id } => format!("rollup {rollup_id} interrupted"),
        FalafelEvent::PipelineHalted { rollup_id, reason } => {
            format!("rollup {rollup_id} halted: {reason}")
        }
        FalafelEvent::JobCreated { .. } | FalafelEvent::JobAnswered { .. } => return,
    };
    ui::say(&line);
}
