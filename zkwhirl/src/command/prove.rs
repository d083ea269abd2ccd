//! `zkwhirl prove`: proves request files directly, without a broker.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use serde::Serialize;
use tokio::time::Instant;
use zkwhirl::cluster::{Rollups, provenance};
use zkwhirl_circuits::Suite;
use zkwhirl_job::{Kind, Request, Word, limits};
use zkwhirl_keystore::EmbeddedKeyStore;
use zkwhirl_prover::native::{self, Engine, EngineConfig, ProofReceipt, Setting};

use super::{bench::memory, ready};
use crate::{
    cli::ProveArgs,
    shell::{exit, files},
    ui::{self, bar::Bar},
};

/// One line of `--json`.
#[derive(Debug, Default, Serialize)]
struct ProofLine {
    file: PathBuf,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    verified: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    satisfied: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    fields: Vec<String>,
    rows: usize,
    proofs: usize,
    /// The key's provenance: where its secret numbers came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    provenance: Option<String>,
    /// Proofs that the request's statement depends on but that were not
    /// checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_covered: Option<&'static str>,
    prove_s: f64,
    peak_rss_bytes: u64,
}

pub(super) fn run(args: &ProveArgs) -> anyhow::Result<ExitCode> {
    let Rollups { suite, sizes } = args.rollup.rollups()?;
    let mut keys = args.keys.clone();
    let _not_kept = ready::place(&mut keys)?;
    let setting = Setting::new(suite, sizes, keys.max_circuit_size);
    let config = EngineConfig::new(setting, provenance(true));
    let mut engine = Engine::new(config, EmbeddedKeyStore::new(&keys.data_dir));
    let mut failed = 0;
    for file in &args.files {
        let line = one(args, &mut engine, file)?;
        failed += usize::from(line.error.is_some());
        if args.json {
            ui::say(&serde_json::to_string(&line)?);
        } else {
            ui::say(&text(&line));
        }
    }
    if failed == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    anyhow::bail!("{failed} of {} requests were not proved", args.files.len())
}

fn one(args: &ProveArgs, engine: &mut Engine, file: &Path) -> anyhow::Result<ProofLine> {
    let bytes = files::read(file, "a request", limits::REQUEST_BYTES)?;
    let request = Request::parse(&bytes.into())
        .with_context(|| format!("{} is not a proof request", file.display()))
        .map_err(exit::usage)?;
    let mut line = ProofLine {
        file: file.to_owned(),
        kind: request.kind().name(),
        not_covered: not_covered(args.rollup.suite, request.kind()),
        ..ProofLine::default()
    };
    let bar = Bar::start(&format!("{} {}", request.kind(), file.display()));
    let started = Instant::now();
    let texts = |fields: Vec<Word>| fields.iter().map(Word::to_string).collect();
    if args.check_only {
        let report = |fraction| bar.at("check", fraction);
        let checked = native::check(&request, engine.setting(), &report);
        line.satisfied = Some(checked.is_ok());
        match checked {
            Ok(checked) => {
                line.rows = checked.rows;
                line.fields = texts(checked.fields);
            }
            Err(error) => line.error = Some(error.to_string()),
        }
        line.prove_s = started.elapsed().as_secs_f64();
    } else {
        let proved = engine.prove(&request, &|progress| bar.show(progress));
        line.verified = Some(proved.is_ok());
        match proved {
            Ok(receipt) => {
                if args.write_replies {
                    write_reply(file, &receipt)?;
                }
                line.rows = receipt.rows;
                line.fields = texts(receipt.fields);
                line.proofs = receipt.proofs;
                line.prove_s = receipt.proving.as_secs_f64();
                line.provenance = receipt.provenance.as_ref().map(ToString::to_string);
            }
            Err(error) => line.error = Some(error.to_string()),
        }
    }
    bar.finish();
    line.peak_rss_bytes = memory::peak_rss();
    Ok(line)
}

/// The proofs that a kind depends on and that are not checked: only a claim does
/// not depend on clients' proofs.
fn not_covered(suite: Suite, kind: Kind) -> Option<&'static str> {
    let clients = suite == Suite::Pedersen && kind != Kind::Claim;
    clients.then_some(ui::PLONK_CLIENTS)
}

fn text(line: &ProofLine) -> String {
    let file = line.file.display();
    if let Some(error) = &line.error {
        return format!("✗ {file}  {}: {error}", line.kind);
    }
    let what = match (line.satisfied, line.proofs) {
        (Some(_), _) => "every constraint holds".to_owned(),
        (None, 1) => "proof verified".to_owned(),
        (None, proofs) => format!("{proofs} proofs verified"),
    };
    let provenance = line.provenance.iter();
    let provenance: String = provenance.map(|of| format!("  under a {of}")).collect();
    let but = line.not_covered.iter();
    let but: String = but.map(|what| format!("; {what}")).collect();
    format!(
        "✓ {file}  {}: {what}  {} rows  {}  peak {}  {} published fields{provenance}{but}",
        line.kind,
        ui::grouped(line.rows as u64),
        ui::seconds(std::time::Duration::from_secs_f64(line.prove_s)),
        ui::bytes(line.peak_rss_bytes),
        line.fields.len(),
    )
}

fn write_reply(file: &Path, receipt: &ProofReceipt) -> anyhow::Result<()> {
    let mut name = file.as_os_str().to_owned();
    name.push(".reply");
    fs::write(&name, &receipt.reply)
        .with_context(|| format!("cannot write {}", Path::new(&name).display()))
}
