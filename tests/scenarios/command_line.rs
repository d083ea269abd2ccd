//! The binary as a person or a script calls it.

use std::{
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;

use crate::support::{data_dir, vector, vector_path};

pub(crate) fn zkwhirl(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zkwhirl"));
    command.args(arguments);
    // Whatever the caller's shell has set is not part of the test.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("ZKWHIRL_") {
            command.env_remove(name);
        }
    }
    command
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn json(output: &Output) -> Vec<Value> {
    let out = String::from_utf8(output.stdout.clone()).unwrap();
    let lines = out.lines().map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

#[track_caller]
fn refused(command: &mut Command, code: i32, words: &[&str]) {
    let output = command.output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{complaint}");
    for word in words {
        assert!(complaint.contains(word), "{complaint:?} lacks {word:?}");
    }
}

#[test]
fn the_demo_settles_a_whole_rollup_and_says_so_in_one_object() {
    let data = data_dir();
    let arguments = [
        "demo",
        "--json",
        "--claims=2",
        "--inners=2",
        "--data-dir",
        text(&data),
    ];
    let output = zkwhirl(&arguments).output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    let [report] = &json(&output)[..] else {
        panic!("one object");
    };
    // Two client keys, two claims, two inner rollups, root and verifier.
    for (field, value) in [
        ("jobs", 8),
        ("delivered", 8),
        ("proofs_verified", 6),
        ("rollups", 1),
        ("settled", 1),
        ("nacks", 0),
        ("reissues", 0),
    ] {
        assert_eq!(report[field], value, "{field}");
    }
    for field in [
        "makespan_s",
        "prove_s_p50",
        "key_generation_s",
        "final_bytes",
    ] {
        assert!(report[field].as_f64().unwrap() > 0.0, "{field}");
    }
}

#[test]
fn prove_prints_the_original_replys_fields() {
    let request = vector_path("valid_claim_0_request");
    let data = data_dir();
    let arguments = [
        "prove",
        "--suite=pedersen",
        "--json",
        "--data-dir",
        text(&data),
        text(&request),
    ];
    let output = zkwhirl(&arguments).output().unwrap();
    assert!(output.status.success());
    let [line] = &json(&output)[..] else {
        panic!("one object");
    };
    assert_eq!(line["verified"], true);
    assert_eq!(line["kind"], "claim");
    let original = vector("valid_claim_0_reply_mock");
    let words: Vec<String> = original[..512].chunks(32).map(hex::encode).collect();
    assert_eq!(line["fields"], serde_json::json!(words));
    for field in ["rows", "prove_s", "peak_rss_bytes"] {
        assert!(line[field].as_f64().unwrap() > 0.0, "{field}");
    }
}

#[test]
fn check_only_needs_no_key() {
    let nowhere = tempfile::tempdir().unwrap();
    for (request, reply, txs) in [
        (
            "valid_1x1_0_tx_rollup_request",
            "valid_1x1_0_tx_rollup_reply",
            "--txs=1",
        ),
        (
            "valid_2x2_0_tx_rollup_request",
            "valid_2x2_0_tx_rollup_reply",
            "--txs=2",
        ),
        (
            "valid_2x2_1_tx_rollup_request",
            "valid_2x2_1_tx_rollup_reply",
            "--txs=2",
        ),
    ] {
        let path = vector_path(request);
        let data = nowhere.path().join("data");
        let arguments = [
            "prove",
            "--suite=pedersen",
            "--check-only",
            "--json",
            txs,
            "--data-dir",
            text(&data),
            text(&path),
        ];
        let output = zkwhirl(&arguments).output().unwrap();
        let [line] = &json(&output)[..] else {
            panic!("one object");
        };
        assert_eq!(line["satisfied"], true, "{line}");
        let clients = "the clients' PLONK proofs are not covered";
        assert_eq!(line["not_covered"], clients);
        let fields = line["fields"].as_array().unwrap();
        let original = vector(reply);
        let words: Vec<String> = original[..32 * fields.len()]
            .chunks(32)
            .map(hex::encode)
            .collect();
        assert_eq!(line["fields"], serde_json::json!(words), "{request}");
        assert!(!data.exists(), "nothing was written");
    }
}

#[test]
fn a_false_statement_is_no_proof_and_exit_code_1() {
    let directory = tempfile::tempdir().unwrap();
    let mut request = vector("valid_claim_0_request").to_vec();
    *request.last_mut().unwrap() ^= 1; // output value b
    let path = directory.path().join("false.bin");
    std::fs::write(&path, request).unwrap();
    let arguments = ["prove", "--suite=pedersen", "--check-only", text(&path)];
    refused(
        &mut zkwhirl(&arguments),
        1,
        &["1 of 1 requests were not proved"],
    );
    let output = zkwhirl(&arguments).output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(
        out.contains("output value b is not the deposit's share"),
        "{out}"
    );
}

#[test]
fn a_wrong_call_is_one_line_that_names_the_value_and_the_way_out() {
    let request = vector_path("valid_claim_0_request");
    let request = text(&request);
    refused(
        zkwhirl(&["prove", request]).env("MAX_CIRCUIT_SIZE", "3000000"),
        2,
        &["3000000", "not a power of two (nearest: 2097152, 4194304)"],
    );
    refused(
        zkwhirl(&["prove", request]).env("ZKWHIRL_SUIT", "pedersen"),
        2,
        &["ZKWHIRL_SUIT", "did you mean ZKWHIRL_SUITE?"],
    );
    refused(
        &mut zkwhirl(&["prove", "--txs=65", request]),
        2,
        &["txs per inner rollup is 65, must be from 1 to 64"],
    );
    refused(
        &mut zkwhirl(&["prove", "no-such-file.bin"]),
        1,
        &["cannot read no-such-file.bin"],
    );
    refused(
        &mut zkwhirl(&["prove", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")]),
        2,
        &["Cargo.toml is not a proof request", "proof id"],
    );
}

#[test]
fn development_keys_are_refused_where_they_were_not_asked_for() {
    // The demo's key of the claim circuit, made by whichever test is first.
    let data = data_dir();
    let request = vector_path("valid_claim_0_request");
    let made = zkwhirl(&[
        "prove",
        "--suite=pedersen",
        "--data-dir",
        text(&data),
        text(&request),
    ]);
    assert!({ made }.output().unwrap().status.success());
    let arguments = [
        "rollup-cli",
        "crs",
        "1",
        "1",
        "false",
        "false",
        "true",
        text(&data),
        "--suite=pedersen",
    ];
    refused(
        &mut zkwhirl(&arguments),
        1,
        &["is a dev key", "never for funds", "--allow-dev-keys"],
    );
}
