//! Every rule that a statement's native code can find broken has a test that
//! breaks it. Those tests assert that it is the only broken rule.

use std::collections::BTreeSet;

/// The sources that check a statement's rules, and the tests that break them.
/// The pieces of a chain have the same rules as a tx rollup: chain.rs breaks
/// each of them in the piece of its tx, from the same list.
const CASES: [[&str; 2]; 5] = [
    [
        "statement/claim/rules.rs bridge.rs",
        "statement/claim/tests.rs",
    ],
    [
        "statement/join_split/rules.rs bridge.rs signer.rs",
        "statement/join_split/tests/keys.rs statement/join_split/tests/kinds.rs \
         statement/join_split/tests/rules.rs",
    ],
    [
        "statement/account/rules.rs signer.rs",
        "statement/account/tests.rs",
    ],
    [
        "statement/tx_rollup/rules.rs",
        "tests/support/broken.rs statement/tx_rollup/tests.rs",
    ],
    [
        "statement/root_rollup/rules.rs",
        "statement/root_rollup/tests/rules.rs statement/root_rollup/tests/words.rs",
    ],
];

/// The rule of join-splits that cannot be broken alone: two input assets always
/// break TwoInputs as well.
const NEVER_ALONE: (usize, &str) = (1, "EqualInputs");

/// Returns what `of` finds in some files without their comments, imports and
/// tests, and every string literal: the names of ranged values.
fn found(files: &str, of: fn(&str) -> BTreeSet<String>) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for file in files.split(' ') {
        let path = format!("{}/src/{file}", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let skipped = |line: &&str| line.trim().starts_with("//") || line.starts_with("use ");
        let lines = code.lines().filter(|line| !skipped(line));
        let code: String = lines.flat_map(|line| [line, "\n"]).collect();
        all.extend(of(&code));
        let texts = code.split('"').collect::<Vec<_>>();
        let texts = texts.chunks_exact(2);
        let texts = texts.filter(|pair| !pair[0].ends_with("expect("));
        all.extend(texts.map(|pair| format!("{:?}", pair[1])));
    }
    all
}

/// Returns the rules that native code checks: the names after `Rule::`.
fn demanded(code: &str) -> BTreeSet<String> {
    found(code, |code| {
        let names = code.split("Rule::").skip(1);
        let names = names.map(|rest| rest.chars().take_while(|c| c.is_alphanumeric()).collect());
        names.filter(|name: &String| name != "Range").collect()
    })
}

/// Returns the rules that tests break: names that stand alone.
fn broken(tests: &str) -> BTreeSet<String> {
    found(tests, |code| {
        let names = code.split(|c: char| !(c.is_alphanumeric() || c == ':'));
        let names = names.map(|name| name.trim_start_matches("Rule::"));
        names.map(str::to_owned).collect()
    })
}

#[test]
fn every_rule_is_broken_by_a_test_of_its_statement() {
    for (at, [code, tests]) in CASES.into_iter().enumerate() {
        let broken = broken(tests);
        let missing: Vec<String> = demanded(code).difference(&broken).cloned().collect();
        let excused = Some(NEVER_ALONE).filter(|(case, _)| *case == at);
        assert_eq!(
            missing,
            Vec::from_iter(excused.map(|(_, rule)| rule)),
            "{code}"
        );
    }
}

/// Checks that the rules are read from the sources correctly.
#[test]
fn rules_are_found_in_the_sources() {
    let wanted = [
        "Share DefiNote EqualInputs \"fee\"",
        "VirtualOutput Balance \"input value 2\"",
        "FirstSigner \"alias hash\"",
        "FeeAsset NewNullRoot \"data roots index\"",
        "InnerBridge NewDefiRoot \"rollup beneficiary\"",
    ];
    for ([code, _], wanted) in CASES.into_iter().zip(wanted) {
        let rules = demanded(code);
        let (names, text) = wanted.split_once(" \"").unwrap();
        for rule in names.split(' ').chain([&format!("\"{text}")[..]]) {
            assert!(rules.contains(rule), "{rule} in {rules:?}");
        }
        assert!(!rules.contains("Range"));
    }
}
