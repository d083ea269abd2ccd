//! `zkwhirl verify`: verifies a whole rollup from its final buffer and
//! verification keys.

use std::{
    collections::BTreeMap,
    process::ExitCode,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anyhow::Context;
use serde::Serialize;
use tokio::time::Instant;
use zkwhirl_circuits::Circuit;
use zkwhirl_job::{Word, limits, reply::NotVerified};
use zkwhirl_keystore::{
    CircuitIdentity, EmbeddedKeyStore, KeyError, KeyStore, Provenance, VkFile, VkFolder, VkSource,
};
use zkwhirl_prover::native::{VerifiedRollup, tx_kind, verify_rollup};

use crate::{
    cli::VerifyArgs,
    shell::{exit, files},
    ui::{self, table},
};

/// Exit code when a verification key is missing: the rollup was not verified.
const UNDECIDED: u8 = 3;

/// The outcome, for `--json`.
#[derive(Debug, Serialize)]
struct Findings<'a> {
    file: &'a str,
    verified: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(flatten)]
    rollup: Option<RollupFindings>,
}

/// The verified rollup, for `--json` and for the table.
#[derive(Debug, Serialize)]
struct RollupFindings {
    suite: String,
    txs_per_inner: u32,
    inners_per_root: u32,
    rollup_id: u64,
    inner_rollups: usize,
    proofs: usize,
    circuits: Vec<ProvedBy>,
    txs: Vec<TxLine>,
    /// True if at least one key is a development key, under which anyone can
    /// forge proofs.
    insecure_keys: bool,
    /// Statements that no proof in the buffer covers.
    not_proved: Vec<String>,
    verify_s: f64,
}

#[derive(Debug, Serialize)]
struct ProvedBy {
    circuit: String,
    proofs: usize,
    key: String,
    provenance: String,
}

#[derive(Debug, Serialize)]
struct TxLine {
    kind: &'static str,
    txs: usize,
    client_proofs: usize,
}

pub(super) fn run(args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    let buffer = files::read(&args.file, "a rollup", limits::REPLY_BYTES).map_err(exit::usage)?;
    let keys = Arc::new(UsedKeys {
        place: match &args.vk {
            Some(folder) => KeyPlace::Folder(VkFolder::new(folder)),
            None => KeyPlace::Store(EmbeddedKeyStore::new(&args.data_dir)),
        },
        used: Mutex::default(),
    });
    let source: Arc<dyn VkSource> = Arc::<UsedKeys>::clone(&keys);
    let started = Instant::now();
    let verified = verify_rollup(&buffer, source);
    let verify_s = started.elapsed().as_secs_f64();
    let file = args.file.display().to_string();
    let (rollup, error) = match verified {
        Ok(rollup) => (Some(about(&rollup, &keys, verify_s)?), None),
        Err(error) => (None, Some(error)),
    };
    if !args.json {
        rollup.iter().for_each(|rollup| print(&file, rollup));
    } else {
        ui::say(&serde_json::to_string(&Findings {
            file: &file,
            verified: error.is_none(),
            error: error.as_ref().map(ToString::to_string),
            rollup,
        })?);
    }
    let Some(error) = error else {
        return Ok(ExitCode::SUCCESS);
    };
    let (code, verdict) = match error {
        NotVerified::Refused { .. } => (1, "is refused"),
        NotVerified::CannotCheck { .. } => (UNDECIDED, "cannot be verified"),
    };
    let why = anyhow::anyhow!("{file} {verdict}: {error}");
    Err(exit::coded(code, why))
}

/// The source of verification keys, which records the provenance of each key
/// used.
#[derive(Debug)]
struct UsedKeys {
    place: KeyPlace,
    used: Mutex<BTreeMap<String, Provenance>>,
}

#[derive(Debug)]
enum KeyPlace {
    Store(EmbeddedKeyStore),
    Folder(VkFolder),
}

impl UsedKeys {
    fn used(&self) -> MutexGuard<'_, BTreeMap<String, Provenance>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl VkSource for UsedKeys {
    fn vk(&self, circuit: &CircuitIdentity) -> Result<Option<Vec<u8>>, KeyError> {
        let file = match &self.place {
            KeyPlace::Store(store) => store.find(circuit)?.map(|key| VkFile::of(&key)),
            KeyPlace::Folder(folder) => folder.find(circuit)?,
        };
        let Some(file) = file else { return Ok(None) };
        self.used().insert(circuit.name.clone(), file.provenance);
        Ok(Some(file.vk))
    }
}

fn about(
    rollup: &VerifiedRollup,
    keys: &UsedKeys,
    verify_s: f64,
) -> anyhow::Result<RollupFindings> {
    let mut proofs: BTreeMap<Circuit, (usize, [u8; 32])> = BTreeMap::new();
    for proof in &rollup.proofs {
        proofs.entry(proof.circuit).or_insert((0, proof.vk)).0 += 1;
    }
    let used = keys.used();
    let mut insecure_keys = false;
    let mut circuits = Vec::new();
    for (circuit, (proofs, vk)) in proofs {
        let circuit = circuit.to_string();
        let provenance = used.get(&circuit);
        let provenance =
            provenance.with_context(|| format!("the key of {circuit} was not looked up"))?;
        insecure_keys |= provenance.is_insecure();
        circuits.push(ProvedBy {
            circuit,
            proofs,
            key: Word(vk).to_string(),
            provenance: provenance.to_string(),
        });
    }
    let txs = rollup.txs.iter().map(|(id, txs)| TxLine {
        kind: tx_kind(*id),
        txs: txs.all,
        client_proofs: txs.covered,
    });
    let txs: Vec<_> = txs.collect();
    Ok(RollupFindings {
        suite: rollup.suite.to_string(),
        txs_per_inner: rollup.sizes.txs_per_inner(),
        inners_per_root: rollup.sizes.inners_per_root(),
        rollup_id: rollup.rollup_id,
        inner_rollups: rollup.inners,
        proofs: rollup.proofs.len(),
        not_proved: not_proved(&txs, insecure_keys),
        circuits,
        txs,
        insecure_keys,
        verify_s,
    })
}

fn not_proved(txs: &[TxLine], insecure_keys: bool) -> Vec<String> {
    let mut lines = Vec::new();
    for line in txs.iter().filter(|line| line.client_proofs < line.txs) {
        lines.push(format!(
            "for {} of {} {} txs, that values are conserved, spenders agreed and spent notes existed",
            line.txs - line.client_proofs,
            line.txs,
            line.kind
        ));
    }
    lines.push("the old roots: they must equal the new roots of the previous rollup".to_owned());
    if insecure_keys {
        let words = "anything, to others: anyone can forge proofs under development keys";
        lines.push(words.to_owned());
    }
    lines
}

fn print(file: &str, about: &RollupFindings) {
    ui::say(&format!(
        "rollup {} of {}×{}, {}: {} inner rollups, {} txs\n",
        about.rollup_id,
        about.txs_per_inner,
        about.inners_per_root,
        about.suite,
        about.inner_rollups,
        about.txs.iter().map(|line| line.txs).sum::<usize>(),
    ));
    let count = |number: usize| ui::grouped(number as u64);
    let rows = about.circuits.iter().map(|line| {
        let (circuit, provenance) = (line.circuit.clone(), line.provenance.clone());
        vec![
            circuit,
            count(line.proofs),
            line.key[..8].to_owned(),
            provenance,
        ]
    });
    ui::say(&table("proved by|>proofs|key|provenance", rows));
    let rows = about.txs.iter();
    let rows = rows.map(|line| {
        vec![
            line.kind.to_owned(),
            count(line.txs),
            count(line.client_proofs),
        ]
    });
    let txs = table("txs|>in all|>client proofs", rows);
    ui::say(&format!("\n{txs}\n"));
    for line in &about.not_proved {
        ui::say(&format!("not proved: {line}"));
    }
    ui::say(&format!(
        "✓ {file}  {} proofs verified in {}",
        ui::grouped(about.proofs as u64),
        ui::seconds(std::time::Duration::from_secs_f64(about.verify_s)),
    ));
}
