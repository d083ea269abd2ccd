//! `zkwhirl prove`: proves request files directly, without a broker.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use bytes::Bytes;
use serde::Serialize;
use tokio::time::Instant;
use zkwhirl::cluster::provenance;
use zkwhirl_circuits::Suite;
use zkwhirl_job::{Kind, Request, limits};
use zkwhirl_keystore::EmbeddedKeyStore;
use zkwhirl_prover::native::{self, Engine, EngineConfig, ProofReceipt, Setting};

use super::{bench::memory, ready};
use crate::{
    cli::ProveArgs,
    shell::exit,
    ui::{self, bar::Bar},
};

/// One line of `--json`.
#[derive(Debug, Serialize)]
struct Line {
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
    /// Where the key's secret numbers came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    provenance: Option<String>,
    /// Proofs that the request's statement depends on and that were not
    /// checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_covered: Option<&'static str>,
    prove_s: f64,
    peak_rss_bytes: u64,
}

pub(super) fn run(args: &ProveArgs) -> anyhow::Result<ExitCode> {
    let sizes = args.size.sizes().map_err(exit::usage)?;
    let mut keys = args.keys.clone();
    let _not_kept = ready::place(&mut keys)?;
    let setting = Setting::new(args.suite, sizes, keys.max_circuit_size);
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

fn one(args: &ProveArgs, engine: &mut Engine, file: &Path) -> anyhow::Result<Line> {
    let request = Request::parse(&read(file)?)
        .with_context(|| format!("{} is not a proof request", file.display()))
        .map_err(exit::usage)?;
    let mut line = Line {
        file: file.to_owned(),
        kind: request.kind().name(),
        verified: None,
        satisfied: None,
        error: None,
        fields: Vec::new(),
        rows: 0,
        proofs: 0,
        provenance: None,
        not_covered: not_covered(args.suite, request.kind()),
        prove_s: 0.0,
        peak_rss_bytes: 0,
    };
    let bar = Bar::start(&format!("{} {}", request.kind(), file.display()));
    let started = Instant::now();
    if args.check_only {
        match native::check(&request, engine.setting(), &|fraction| {
            bar.at("check", fraction)
        }) {
            Ok(checked) => {
                line.satisfied = Some(true);
                line.rows = checked.rows;
                line.fields = checked.fields.iter().map(ToString::to_string).collect();
            }
            Err(error) => {
                line.satisfied = Some(false);
                line.error = Some(error.to_string());
            }
        }
        line.prove_s = started.elapsed().as_secs_f64();
    } else {
        match engine.prove(&request, &|progress| bar.show(progress)) {
            Ok(receipt) => {
                line.verified = Some(true);
                line.rows = receipt.rows;
                line.proofs = receipt.proofs;
                line.fields = receipt.fields.iter().map(ToString::to_string).collect();
                line.prove_s = receipt.proving.as_secs_f64();
                line.provenance = receipt.provenance.as_ref().map(ToString::to_string);
                if args.write_replies {
                    write_reply(file, &receipt)?;
                }
            }
            Err(error) => {
                line.verified = Some(false);
                line.error = Some(error.to_string());
            }
        }
    }
    bar.finish();
    line.peak_rss_bytes = memory::peak_rss();
    Ok(line)
}

/// A claim is its client's own statement. The other kinds depend on clients'
/// proofs.
fn not_covered(suite: Suite, kind: Kind) -> Option<&'static str> {
    let clients = suite == Suite::Pedersen && kind != Kind::Claim;
    clients.then_some(ui::PLONK_CLIENTS)
}

fn text(line: &Line) -> String {
    let file = line.file.display();
    if let Some(error) = &line.error {
        return format!("✗ {file}  {}: {error}", line.kind);
    }
    let what = match (line.satisfied, line.proofs) {
        (Some(_), _) => "every row holds".to_owned(),
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

/// Reads a request file, which may not be longer than any request.
fn read(file: &Path) -> anyhow::Result<Bytes> {
    let context = || format!("cannot read {}", file.display());
    let length = fs::metadata(file).with_context(context)?.len();
    anyhow::ensure!(
        length <= limits::REQUEST_BYTES as u64,
        "{} has {} bytes, a request has at most {}",
        file.display(),
        ui::grouped(length),
        ui::grouped(limits::REQUEST_BYTES as u64),
    );
    Ok(fs::read(file).with_context(context)?.into())
}

fn write_reply(file: &Path, receipt: &ProofReceipt) -> anyhow::Result<()> {
    let mut name = file.as_os_str().to_owned();
    name.push(".reply");
    fs::write(&name, &receipt.reply)
        .with_context(|| format!("cannot write {}", Path::new(&name).display()))
}
