//! docs/MOVING-FROM-HALLOUMI.md names, for each of Halloumi's pitfalls, the test
//! that zkWhirl avoids the pitfall: these tests must exist.

use std::{collections::BTreeSet, fs};

use crate::stage::root;

const PITFALLS: u32 = 20;

#[test]
fn every_pitfall_names_tests_that_exist_or_says_why_it_has_none() {
    let guide = fs::read_to_string(root().join("docs/MOVING-FROM-HALLOUMI.md")).unwrap();
    let mut seen = BTreeSet::new();
    for line in guide.lines() {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let Some(number) = cells.get(1).and_then(|cell| cell.parse::<u32>().ok()) else {
            continue;
        };
        assert!(seen.insert(number), "pitfall {number} is listed twice");
        let proof = cells[cells.len() - 2];
        let tests: Vec<_> = proof.split('`').skip(1).step_by(2).collect();
        if tests.is_empty() {
            assert!(proof.starts_with("no test: "), "pitfall {number}: {proof}");
        }
        for test in tests {
            let (file, name) = test.split_once("::").unwrap_or_else(|| panic!("{test}"));
            let text = fs::read_to_string(root().join(file));
            let text = text.unwrap_or_else(|error| panic!("pitfall {number}: {file}: {error}"));
            let there = text.contains(&format!("fn {name}("));
            assert!(there, "pitfall {number}: {file} has no test {name}");
        }
    }
    assert_eq!(seen, (1..=PITFALLS).collect());
}
