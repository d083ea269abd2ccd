//! Every rule that a statement's native code can find broken is broken by a
//! test of that statement. The tests themselves demand that it is the only one.

use std::collections::BTreeSet;

/// The sources that demand a statement's rules, and those of the tests that break
/// them.
struct RuleCase {
    code: &'static [&'static str],
    tests: &'static [&'static str],
    /// Rules that no test breaks, because they cannot be broken alone.
    never_alone: &'static [&'static str],
}

const CASES: [RuleCase; 5] = [
    RuleCase {
        code: &["statement/claim/rules.rs", "bridge.rs"],
        tests: &["statement/claim/tests.rs"],
        never_alone: &[],
    },
    RuleCase {
        code: &["statement/join_split/rules.rs", "bridge.rs", "signer.rs"],
        tests: &[
            "statement/join_split/tests/keys.rs",
            "statement/join_split/tests/kinds.rs",
            "statement/join_split/tests/rules.rs",
        ],
        // Two input assets break a rule of their own: TwoInputs.
        never_alone: &["EqualInputs"],
    },
    RuleCase {
        code: &["statement/account/rules.rs", "signer.rs"],
        tests: &["statement/account/tests.rs"],
        never_alone: &[],
    },
    // The pieces of a chain demand the same rules: chain.rs breaks each of them
    // in the piece of its tx, from the same list.
    RuleCase {
        code: &["statement/tx_rollup/rules.rs"],
        tests: &["tests/support/broken.rs", "statement/tx_rollup/tests.rs"],
        never_alone: &[],
    },
    RuleCase {
        code: &["statement/root_rollup/rules.rs"],
        tests: &[
            "statement/root_rollup/tests/rules.rs",
            "statement/root_rollup/tests/words.rs",
        ],
        never_alone: &[],
    },
];

/// What `of` finds in some files, without their comments, imports and tests, and
/// every text: the names of ranged values.
fn found(files: &[&str], of: fn(&str) -> BTreeSet<String>) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for file in files {
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

/// The rules that native code demands: the names after `Rule::`.
fn demanded(case: &RuleCase) -> BTreeSet<String> {
    found(case.code, |code| {
        let names = code.split("Rule::").skip(1);
        let names = names.map(|rest| rest.chars().take_while(|c| c.is_alphanumeric()).collect());
        names.filter(|name: &String| name != "Range").collect()
    })
}

/// The rules that tests break: names that stand alone.
fn broken(case: &RuleCase) -> BTreeSet<String> {
    found(case.tests, |code| {
        let names = code.split(|c: char| !(c.is_alphanumeric() || c == ':'));
        let names = names.map(|name| name.trim_start_matches("Rule::"));
        names.map(str::to_owned).collect()
    })
}

#[test]
fn every_rule_is_broken_by_a_test_of_its_statement() {
    for case in &CASES {
        let (mut missing, broken) = (demanded(case), broken(case));
        for rule in case.never_alone {
            assert!(!broken.contains(*rule), "{rule} needs no excuse");
            missing.remove(*rule);
        }
        missing.retain(|rule| !broken.contains(rule));
        assert!(missing.is_empty(), "{:?}: {missing:?}", case.code);
    }
}

/// The list is read from the sources as it should be.
#[test]
fn rules_are_found_in_the_sources() {
    let wanted = [
        "Share DefiNote EqualInputs \"fee\"",
        "VirtualOutput Balance \"input value 2\"",
        "FirstSigner \"alias hash\"",
        "FeeAsset NewNullRoot \"data roots index\"",
        "InnerBridge NewDefiRoot \"rollup beneficiary\"",
    ];
    for (case, wanted) in CASES.iter().zip(wanted) {
        let rules = demanded(case);
        let (names, text) = wanted.split_once(" \"").unwrap();
        for rule in names.split(' ').chain([&format!("\"{text}")[..]]) {
            assert!(rules.contains(rule), "{rule} in {rules:?}");
        }
        assert!(!rules.contains("Range"));
    }
}
