//! Compares the table of row counts in `docs/CIRCUITS.md` with the code.

use crate::Circuit;
use crate::r1cs::NUM_INSTANCE;

const DOCUMENT: &str = include_str!("../../../docs/CIRCUITS.md");
const START: &str = "<!-- rows: compared with the code by circuits/src/tests/document.rs -->\n";
const END: &str = "<!-- end of rows -->";

/// The circuits of each table: circuits that differ only in size share a table.
const GROUPS: [&str; 9] = [
    "claim/poseidon claim/pedersen",
    "tx-rollup/poseidon/1 tx-rollup/poseidon/2 tx-rollup/pedersen/1 tx-rollup/pedersen/2",
    "tx-segment/poseidon/4/28 tx-segment/poseidon/2/5",
    "tx-segment/pedersen/12/28 tx-nullifiers/pedersen/1 tx-nullifiers/pedersen/11",
    "tx-notes/poseidon/32 tx-notes/pedersen/32",
    "root-rollup/poseidon/1/1 root-rollup/poseidon/2/2 root-rollup/poseidon/4/1 \
     root-rollup/poseidon/32/32",
    "root-rollup/pedersen/1/1 root-rollup/pedersen/2/2 root-rollup/pedersen/4/1 \
     root-rollup/pedersen/32/32",
    "join-split/poseidon",
    "account/poseidon",
];

/// Returns a row of a table from its cells.
fn row(first: &str, cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<String> = cells.collect();
    format!("| {first} | {} |\n", cells.join(" | "))
}

fn table(names: &str) -> String {
    let circuits = names
        .split(' ')
        .map(|name| name.parse::<Circuit>().unwrap());
    let counts: Vec<_> = circuits.map(|circuit| circuit.rows()).collect();
    let mut text = row("part", names.split(' ').map(|name| format!("`{name}`")));
    text += &format!("|---|{}\n", "---:|".repeat(counts.len()));
    for part in parts(&counts) {
        let rows = |rows: &Vec<_>| rows.iter().find(|(name, _)| *name == part).map(|row| row.1);
        let cell = |count: Option<usize>| count.map_or_else(|| "–".to_owned(), grouped);
        text += &row(part, counts.iter().map(rows).map(cell));
    }
    let totals = counts.iter().map(|rows| rows.iter().map(|row| row.1).sum());
    let totals: Vec<usize> = totals.collect();
    let bold = |total: &usize| format!("**{}**", grouped(*total));
    text += &row("**all rows**", totals.iter().map(bold));
    let domain = |total: &usize| (total + NUM_INSTANCE).next_power_of_two().ilog2();
    text + &row(
        "domain",
        totals.iter().map(|total| format!("2^{}", domain(total))),
    )
}

/// Returns the names of the parts of all circuits, each once.
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
    let groups = digits.as_bytes().rchunks(3).rev();
    let groups: Vec<_> = groups.map(String::from_utf8_lossy).collect();
    groups.join(",")
}

#[test]
fn row_counts() {
    let tables = GROUPS.map(table);
    let expected = tables.join("\n");
    let (_, rest) = DOCUMENT.split_once(START).unwrap();
    let (written, _) = rest.split_once(END).unwrap();
    assert_eq!(
        written.trim(),
        expected.trim(),
        "docs/CIRCUITS.md should have:\n{expected}"
    );
}
