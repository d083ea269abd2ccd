//! Every rule that a statement's native code can find broken is broken by a
//! test of that statement. The tests themselves demand that it is the only one.

use std::collections::BTreeSet;

/// The rules of a statement, and the tests that break them.
struct Case {
    name: &'static str,
    /// The native code that demands its rules.
    code: &'static [&'static str],
    tests: &'static [&'static str],
    /// Rules that no test breaks, because they cannot be broken alone, with the
    /// reason.
    never_alone: &'static [(&'static str, &'static str)],
}

const CASES: [Case; 5] = [
    Case {
        name: "claim",
        code: &[include_str!("../statement/claim/rules.rs"), BRIDGE],
        tests: &[include_str!("../statement/claim/tests.rs")],
        never_alone: &[],
    },
    Case {
        name: "join-split",
        code: &[
            include_str!("../statement/join_split/rules.rs"),
            BRIDGE,
            SIGNER,
        ],
        tests: &[
            include_str!("../statement/join_split/tests/keys.rs"),
            include_str!("../statement/join_split/tests/kinds.rs"),
            include_str!("../statement/join_split/tests/rules.rs"),
        ],
        never_alone: &[(
            "EqualInputs",
            "two input assets break a rule of their own: TwoInputs",
        )],
    },
    Case {
        name: "account",
        code: &[include_str!("../statement/account/rules.rs"), SIGNER],
        tests: &[include_str!("../statement/account/tests.rs")],
        never_alone: &[],
    },
    // The pieces of a chain demand the same rules: chain.rs breaks each of them
    // in the piece of its tx, from the same list.
    Case {
        name: "tx-rollup",
        code: &[include_str!("../statement/tx_rollup/rules.rs")],
        tests: &[
            include_str!("support/broken.rs"),
            include_str!("../statement/tx_rollup/tests.rs"),
        ],
        never_alone: &[],
    },
    Case {
        name: "root-rollup",
        code: &[include_str!("../statement/root_rollup/rules.rs")],
        tests: &[
            include_str!("../statement/root_rollup/tests/rules.rs"),
            include_str!("../statement/root_rollup/tests/words.rs"),
        ],
        never_alone: &[],
    },
];

/// Rules of bridge call data, which two statements share.
const BRIDGE: &str = include_str!("../bridge.rs");
/// Rules of signatures, which two statements share.
const SIGNER: &str = include_str!("../signer.rs");

/// The names after `Rule::`, and every text: the names of ranged values.
fn rules(code: &str) -> BTreeSet<String> {
    let code = code
        .split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or(code);
    let lines = code.lines().filter(|line| !line.trim().starts_with("//"));
    let code: String = lines.flat_map(|line| [line, "\n"]).collect();
    let name = |rest: &str| -> String {
        let letters = rest.chars().take_while(|c| c.is_alphanumeric());
        letters.collect()
    };
    let names = code.split("Rule::").skip(1).map(name);
    let names = names.filter(|name| name != "Range");
    let texts = code.split('"').collect::<Vec<_>>();
    let texts = texts.chunks_exact(2).filter_map(|pair| {
        let reason = pair[0].ends_with("expect(");
        (!reason).then(|| format!("{:?}", pair[1]))
    });
    names.chain(texts).collect()
}

impl Case {
    fn rules(&self) -> BTreeSet<String> {
        self.code.iter().copied().flat_map(rules).collect()
    }

    fn broken_by_tests(&self) -> BTreeSet<String> {
        self.tests.iter().copied().flat_map(rules).collect()
    }
}

#[test]
fn every_rule_is_broken_by_a_test_of_its_statement() {
    for statement in &CASES {
        let broken = statement.broken_by_tests();
        let impossible = statement.never_alone;
        let mut missing = statement.rules();
        missing.retain(|rule| {
            let excused = impossible.iter().any(|(name, _)| name == rule);
            assert!(
                !(excused && broken.contains(rule)),
                "{rule} needs no excuse"
            );
            !excused && !broken.contains(rule)
        });
        assert!(missing.is_empty(), "{}: {missing:?}", statement.name);
    }
}

/// The list is read from the sources as it should be.
#[test]
fn rules_are_found_in_the_sources() {
    for (at, found) in [
        (0, vec!["Share", "DefiNote", "EqualInputs", "\"fee\""]),
        (1, vec!["VirtualOutput", "Balance", "\"input value 2\""]),
        (2, vec!["FirstSigner", "\"alias hash\""]),
        (3, vec!["FeeAsset", "NewNullRoot", "\"data roots index\""]),
        (
            4,
            vec!["InnerBridge", "NewDefiRoot", "\"rollup beneficiary\""],
        ),
    ] {
        let rules = CASES[at].rules();
        for rule in found {
            assert!(rules.contains(rule), "{rule} in {rules:?}");
        }
        assert!(!rules.contains("Range"));
    }
}
