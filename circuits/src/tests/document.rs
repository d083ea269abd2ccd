//! The table of row counts in `docs/CIRCUITS.md` is what the code gives.

use std::fmt::Write;

use crate::Circuit;
use crate::r1cs::NUM_INSTANCE;

const DOCUMENT: &str = include_str!("../../../docs/CIRCUITS.md");
const START: &str = "<!-- rows: compared with the code by circuits/src/tests/document.rs -->\n";
const END: &str = "<!-- end of rows -->";

/// Circuits that differ in size only, side by side.
const GROUPS: [&[&str]; 9] = [
    &["claim/poseidon", "claim/pedersen"],
    &[
        "tx-rollup/poseidon/1",
        "tx-rollup/poseidon/2",
        "tx-rollup/pedersen/1",
        "tx-rollup/pedersen/2",
    ],
    &["tx-segment/poseidon/4/28", "tx-segment/poseidon/2/5"],
    &[
        "tx-segment/pedersen/12/28",
        "tx-nullifiers/pedersen/1",
        "tx-nullifiers/pedersen/11",
    ],
    &["tx-notes/poseidon/32", "tx-notes/pedersen/32"],
    &[
        "root-rollup/poseidon/1/1",
        "root-rollup/poseidon/2/2",
        "root-rollup/poseidon/4/1",
        "root-rollup/poseidon/32/32",
    ],
    &[
        "root-rollup/pedersen/1/1",
        "root-rollup/pedersen/2/2",
        "root-rollup/pedersen/4/1",
        "root-rollup/pedersen/32/32",
    ],
    &["join-split/poseidon"],
    &["account/poseidon"],
];

fn table(names: &[&str]) -> Result<String, Box<dyn std::error::Error>> {
    let mut counts = Vec::new();
    for name in names {
        counts.push(name.parse::<Circuit>()?.rows());
    }
    let mut text = String::from("| part |");
    names
        .iter()
        .try_for_each(|name| write!(text, " `{name}` |"))?;
    text += "\n|---|";
    names.iter().for_each(|_| text += "---:|");
    text += "\n";
    for part in parts(&counts) {
        write!(text, "| {part} |")?;
        for rows in &counts {
            let rows = rows.iter().find(|(name, _)| *name == part);
            let rows = rows.map_or_else(|| "–".to_owned(), |(_, rows)| grouped(*rows));
            write!(text, " {rows} |")?;
        }
        text += "\n";
    }
    let totals: Vec<usize> = counts
        .iter()
        .map(|rows| rows.iter().map(|row| row.1).sum())
        .collect();
    text += "| **all rows** |";
    totals
        .iter()
        .try_for_each(|total| write!(text, " **{}** |", grouped(*total)))?;
    text += "\n| domain |";
    for total in totals {
        let domain = (total + NUM_INSTANCE).next_power_of_two();
        write!(text, " 2^{} |", domain.ilog2())?;
    }
    text += "\n";
    Ok(text)
}

/// The parts of all circuits, each once.
fn parts(counts: &[Vec<(&'static str, usize)>]) -> Vec<&'static str> {
    let mut parts: Vec<&str> = Vec::new();
    for (part, _) in counts.iter().flatten() {
        if !parts.contains(part) {
            parts.push(part);
        }
    }
    parts
}

fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[test]
fn row_counts() {
    let tables: Vec<String> = GROUPS.iter().map(|names| table(names).unwrap()).collect();
    let expected = tables.join("\n");
    let (_, rest) = DOCUMENT.split_once(START).unwrap();
    let (written, _) = rest.split_once(END).unwrap();
    assert_eq!(
        written.trim(),
        expected.trim(),
        "docs/CIRCUITS.md should have:\n{expected}"
    );
}
