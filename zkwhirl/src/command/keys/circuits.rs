//! `zkwhirl keys circuits`.

use std::process::ExitCode;

use serde::Serialize;
use zkwhirl_circuits::{Circuit, Suite};
use zkwhirl_prover::native::Setting;

use crate::{
    cli::CircuitsArgs,
    shell::exit,
    ui::{self, table},
};

#[derive(Debug, Serialize)]
struct CircuitLine {
    circuit: String,
    /// The number of this circuit's proofs in a full inner rollup or in a claim.
    proofs: usize,
    rows: usize,
    domain_log2: u32,
    parts: Vec<(&'static str, usize)>,
}

pub(super) fn run(args: &CircuitsArgs) -> anyhow::Result<ExitCode> {
    let sizes = args.size.sizes()?;
    let mut lines = Vec::new();
    let suites = Suite::ALL.into_iter();
    for suite in suites.filter(|each| args.suite.is_none_or(|only| only == *each)) {
        let setting = Setting::new(suite, sizes, args.max_circuit_size);
        let circuits = setting.circuits().map_err(exit::usage)?.into_iter();
        lines.extend(circuits.map(|circuit| describe(circuit, &setting)));
    }
    if args.json {
        ui::say(&serde_json::to_string_pretty(&lines)?);
        return Ok(ExitCode::SUCCESS);
    }
    for line in lines {
        let proofs = match line.proofs {
            1 => String::new(),
            proofs => format!("{proofs} proofs of "),
        };
        let (circuit, rows) = (&line.circuit, ui::grouped(line.rows as u64));
        ui::say(&format!(
            "{circuit}   {proofs}{rows} rows, domain 2^{}",
            line.domain_log2
        ));
        let row =
            |(part, rows): &(&str, usize)| vec![format!("  {part}"), ui::grouped(*rows as u64)];
        let parts = table("  part|>rows", line.parts.iter().map(row));
        ui::say(&format!("{parts}\n"));
    }
    Ok(ExitCode::SUCCESS)
}

fn describe(circuit: Circuit, setting: &Setting) -> CircuitLine {
    let parts = circuit.rows();
    let rows: usize = parts.iter().map(|(_, rows)| rows).sum();
    CircuitLine {
        circuit: circuit.to_string(),
        proofs: setting.proofs(&circuit),
        rows,
        domain_log2: (rows + 2).next_power_of_two().ilog2(),
        parts,
    }
}
