//! Every rule that a statement's native code can find broken is broken by a
//! test of that statement. The tests themselves demand that it is the only one.

use std::collections::BTreeSet;

/// The rules of a statement, and the tests that break them.
struct Statement {
    name: &'static str,
    /// The native code that demands its rules.
    code: &'static str,
    /// Whether it also demands those of bridge call data, which claims share.
    bridges: bool,
    tests: &'static [&'static str],
    /// Rules that no test breaks, because they cannot be broken alone, with the
    /// reason.
    never_alone: &'static [(&'static str, &'static str)],
}

const CLAIM: &str = include_str!("../src/statement/claim/rules.rs");

const STATEMENTS: [Statement; 5] = [
    Statement {
        name: "claim",
        code: CLAIM,
        bridges: false,
        tests: &[include_str!("claim.rs")],
        never_alone: &[],
    },
    Statement {
        name: "join-split",
        code: include_str!("../src/statement/join_split/rules.rs"),
        bridges: true,
        tests: &[
            include_str!("join_split/keys.rs"),
            include_str!("join_split/kinds.rs"),
            include_str!("join_split/rules.rs"),
        ],
        never_alone: &[(
            "EqualInputs",
            "two input assets break a rule of their own: TwoInputs",
        )],
    },
    Statement {
        name: "account",
        code: include_str!("../src/statement/account/rules.rs"),
        bridges: false,
        tests: &[include_str!("account.rs")],
        never_alone: &[],
    },
    // The pieces of a chain demand the same rules: chain/ breaks each of them
    // in the piece of its tx, from the same list.
    Statement {
        name: "tx-rollup",
        code: include_str!("../src/statement/tx_rollup/rules.rs"),
        bridges: false,
        tests: &[
            include_str!("common/broken.rs"),
            include_str!("tx_rollup.rs"),
        ],
        never_alone: &[],
    },
    Statement {
        name: "root-rollup",
        code: include_str!("../src/statement/root_rollup/rules.rs"),
        bridges: false,
        tests: &[
            include_str!("root_rollup/rules.rs"),
            include_str!("root_rollup/words.rs"),
        ],
        never_alone: &[],
    },
];

/// Names after `Rule::`, and every text: the values that ranges are about.
fn rules(code: &str) -> BTreeSet<String> {
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

impl Statement {
    fn rules(&self) -> BTreeSet<String> {
        let mut rules = rules(self.code);
        if self.bridges {
            let shared = CLAIM.split("fn bridge_rules(").nth(1);
            let shared = shared.and_then(|code| code.split("\n}\n").next());
            rules.extend(self::rules(shared.expect("claims have rules of bridges")));
        }
        rules
    }

    fn broken_by_tests(&self) -> BTreeSet<String> {
        self.tests.iter().copied().flat_map(rules).collect()
    }
}

#[test]
fn every_rule_is_broken_by_a_test_of_its_statement() {
    for statement in &STATEMENTS {
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
        let rules = STATEMENTS[at].rules();
        for rule in found {
            assert!(rules.contains(rule), "{rule} in {rules:?}");
        }
        assert!(!rules.contains("Range"));
    }
}
