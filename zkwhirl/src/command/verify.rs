//! `zkwhirl verify`: a whole rollup, from its final buffer and verification
//! keys.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
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
    shell::exit,
    ui::{self, table::table},
};

/// Exit code when a verification key is missing: the rollup was not verified.
const UNDECIDED: u8 = 3;

/// What was verified, for `--json` and for the table.
#[derive(Debug, Default, Serialize)]
struct Report {
    file: String,
    verified: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(flatten)]
    rollup: Option<About>,
}

#[derive(Debug, Serialize)]
struct About {
    suite: String,
    txs_per_inner: u32,
    inners_per_root: u32,
    rollup_id: u64,
    inner_rollups: usize,
    proofs: usize,
    circuits: Vec<CircuitLine>,
    txs: Vec<TxLine>,
    /// True when at least one key is a development key: anyone can forge proofs
    /// under it.
    insecure_keys: bool,
    /// Statements that no proof in the buffer covers.
    not_proved: Vec<String>,
    verify_s: f64,
}

#[derive(Debug, Serialize)]
struct CircuitLine {
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
    let buffer = read(&args.file).map_err(exit::usage)?;
    let keys = Arc::new(Keys::of(args));
    let source: Arc<dyn VkSource> = Arc::<Keys>::clone(&keys);
    let started = Instant::now();
    let verified = verify_rollup(&buffer, source);
    let verify_s = started.elapsed().as_secs_f64();
    let mut report = Report {
        file: args.file.display().to_string(),
        ..Report::default()
    };
    let code = match verified {
        Ok(rollup) => {
            report.verified = true;
            report.rollup = Some(about(&rollup, &keys, verify_s)?);
            0
        }
        Err(error) => {
            report.error = Some(error.to_string());
            match error {
                NotVerified::Refused { .. } => 1,
                NotVerified::CannotCheck { .. } => UNDECIDED,
            }
        }
    };
    if args.json {
        ui::say(&serde_json::to_string(&report)?);
    } else {
        print(&report);
    }
    if let Some(error) = &report.error {
        let verdict = match code {
            UNDECIDED => "cannot be verified",
            _ => "is refused",
        };
        ui::complain(&format!("zkwhirl: {} {verdict}: {error}", report.file));
    }
    Ok(ExitCode::from(code))
}

/// The stores of verification keys, and the provenance of each key that was
/// used.
#[derive(Debug)]
struct Keys {
    place: Place,
    used: Mutex<BTreeMap<String, Provenance>>,
}

#[derive(Debug)]
enum Place {
    Store(EmbeddedKeyStore),
    Folder(VkFolder),
}

impl Keys {
    fn of(args: &VerifyArgs) -> Self {
        let place = match &args.vk {
            Some(folder) => Place::Folder(VkFolder::new(folder)),
            None => Place::Store(EmbeddedKeyStore::new(&args.data_dir)),
        };
        Self {
            place,
            used: Mutex::default(),
        }
    }

    fn used(&self) -> MutexGuard<'_, BTreeMap<String, Provenance>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn provenance(&self, circuit: &str) -> anyhow::Result<Provenance> {
        let provenance = self.used().get(circuit).cloned();
        provenance.with_context(|| format!("the key of {circuit} was not looked up"))
    }
}

impl VkSource for Keys {
    fn vk(&self, circuit: &CircuitIdentity) -> Result<Option<Vec<u8>>, KeyError> {
        let file = match &self.place {
            Place::Store(store) => store.find(circuit)?.map(|key| VkFile::of(&key)),
            Place::Folder(folder) => folder.find(circuit)?,
        };
        let Some(file) = file else { return Ok(None) };
        self.used().insert(circuit.name.clone(), file.provenance);
        Ok(Some(file.vk))
    }
}

fn about(rollup: &VerifiedRollup, keys: &Keys, verify_s: f64) -> anyhow::Result<About> {
    let mut proofs: BTreeMap<Circuit, (usize, [u8; 32])> = BTreeMap::new();
    for proof in &rollup.proofs {
        proofs.entry(proof.circuit).or_insert((0, proof.vk)).0 += 1;
    }
    let mut insecure_keys = false;
    let mut circuits = Vec::new();
    for (circuit, (proofs, vk)) in proofs {
        let circuit = circuit.to_string();
        let provenance = keys.provenance(&circuit)?;
        insecure_keys |= provenance.is_insecure();
        circuits.push(CircuitLine {
            circuit,
            proofs,
            key: Word(vk).to_string(),
            provenance: provenance.to_string(),
        });
    }
    let txs: Vec<TxLine> = rollup
        .txs
        .iter()
        .map(|(id, txs)| TxLine {
            kind: tx_kind(*id),
            txs: txs.all,
            client_proofs: txs.covered,
        })
        .collect();
    Ok(About {
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
            "{} of {} {} txs: that values are conserved, spenders agreed and spent notes existed",
            line.txs - line.client_proofs,
            line.txs,
            line.kind
        ));
    }
    lines.push("the old roots: they must be those of the rollup before".to_owned());
    if insecure_keys {
        let words = "anything, to a stranger: everybody can forge proofs under development keys";
        lines.push(words.to_owned());
    }
    lines
}

fn print(report: &Report) {
    let Some(about) = &report.rollup else { return };
    ui::say(&format!(
        "rollup {} of {}×{}, {}: {} inner rollups, {} txs\n",
        about.rollup_id,
        about.txs_per_inner,
        about.inners_per_root,
        about.suite,
        about.inner_rollups,
        about.txs.iter().map(|line| line.txs).sum::<usize>(),
    ));
    let rows = about.circuits.iter().map(|line| {
        vec![
            line.circuit.clone(),
            ui::grouped(line.proofs as u64),
            line.key[..8].to_owned(),
            line.provenance.clone(),
        ]
    });
    let header = ["proved by", "proofs", "key", "provenance"];
    ui::say(&table(&header, &["proofs"], rows.collect()));
    let rows = about.txs.iter().map(|line| {
        vec![
            line.kind.to_owned(),
            ui::grouped(line.txs as u64),
            ui::grouped(line.client_proofs as u64),
        ]
    });
    let header = ["txs", "in all", "client proofs"];
    let right = ["in all", "client proofs"];
    ui::say(&format!("\n{}\n", table(&header, &right, rows.collect())));
    for line in &about.not_proved {
        ui::say(&format!("not proved: {line}"));
    }
    ui::say(&format!(
        "✓ {}  {} proofs verified in {}",
        report.file,
        ui::grouped(about.proofs as u64),
        ui::seconds(std::time::Duration::from_secs_f64(about.verify_s)),
    ));
}

/// Reads a buffer, which may not be longer than any reply.
fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    let context = || format!("cannot read {}", file.display());
    let length = fs::metadata(file).with_context(context)?.len();
    anyhow::ensure!(
        length <= limits::REPLY_BYTES as u64,
        "{} has {} bytes, a rollup has at most {}",
        file.display(),
        ui::grouped(length),
        ui::grouped(limits::REPLY_BYTES as u64),
    );
    fs::read(file).with_context(context)
}
