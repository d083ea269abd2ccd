//! The binary, run as a person or a script runs it.

use bytes::Bytes;
use serde_json::Value;
use zkwhirl_testkit::{vector, vector_path};

use crate::stage::{data_dir, json, prints, refused, said, say, text, zkwhirl};

/// The first words of a recorded reply, as `prove --json` prints them.
fn words(reply: &Bytes, count: usize) -> Value {
    reply.chunks(32).take(count).map(hex::encode).collect()
}

#[track_caller]
fn positive(report: &Value, fields: &str) {
    for field in fields.split(' ') {
        assert!(report[field].as_f64().unwrap() > 0.0, "{field}");
    }
}

#[test]
fn the_demo_settles_a_whole_rollup_and_says_so_in_one_object() {
    let arguments = ["demo", "--claims=2", "--inners=2", "--data-dir"];
    let report = json(zkwhirl(arguments).arg(data_dir()));
    // Two client keys, two claims, two inner rollups, root and verifier.
    for (field, value) in [
        ("jobs", 8),
        ("delivered", 8),
        ("proofs_verified", 6),
        ("rollups", 1),
        ("settled", 1),
        ("nacks", 0),
    ] {
        assert_eq!(report[field], value, "{field}");
    }
    // With the original's lease of 5 s, the number of re-issues depends on the
    // machine.
    let reissues = report["reissues"].as_u64().unwrap();
    say(format_args!("a demo with proofs: {reissues} re-issues"));
    positive(
        &report,
        "makespan_s prove_s_p50 key_generation_s final_bytes",
    );
}

#[test]
fn prove_prints_the_original_replys_fields() {
    let request = vector_path("valid_claim_0_request");
    let mut prove = zkwhirl(["prove", "--suite=pedersen", text(&request)]);
    let line = json(prove.arg("--data-dir").arg(data_dir()));
    assert_eq!(line["verified"], true);
    assert_eq!(line["kind"], "claim");
    let original = vector("valid_claim_0_reply_mock");
    assert_eq!(line["fields"], words(&original, 16));
    positive(&line, "rows prove_s peak_rss_bytes");
}

#[test]
fn check_only_needs_no_key() {
    let nowhere = tempfile::tempdir().unwrap();
    for (rollup, txs) in [
        ("1x1_0", "--txs=1"),
        ("2x2_0", "--txs=2"),
        ("2x2_1", "--txs=2"),
    ] {
        let file = |end| format!("valid_{rollup}_tx_rollup_{end}");
        let data = nowhere.path().join("data");
        let mut check = zkwhirl(["prove", "--suite=pedersen", "--check-only", txs]);
        check.arg(vector_path(&file("request")));
        check.arg("--data-dir").arg(&data);
        let line = json(&mut check);
        assert_eq!(line["satisfied"], true, "{line}");
        let clients = "the clients' PLONK proofs are not covered";
        assert_eq!(line["not_covered"], clients);
        let count = line["fields"].as_array().unwrap().len();
        let original = words(&vector(&file("reply")), count);
        assert_eq!(line["fields"], original, "{rollup}");
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
    let complaint = ["1 of 1 requests were not proved"];
    refused(&mut zkwhirl(arguments), 1, &complaint);
    let reason = ["output value b is not the deposit's share"];
    prints(&mut zkwhirl(arguments), 1, &reason);
}

#[test]
fn a_wrong_call_is_one_line_that_names_the_value_and_the_way_out() {
    let request = vector_path("valid_claim_0_request");
    let request = text(&request);
    let mut prove = zkwhirl(["prove", request]);
    let words = ["3000000", "not a power of two (nearest: 2097152, 4194304)"];
    refused(prove.env("MAX_CIRCUIT_SIZE", "3000000"), 2, &words);
    let mut prove = zkwhirl(["prove", request]);
    let words = ["ZKWHIRL_SUIT", "did you mean ZKWHIRL_SUITE?"];
    refused(prove.env("ZKWHIRL_SUIT", "pedersen"), 2, &words);
    let words = ["txs per inner rollup is 65, must be from 1 to 64"];
    refused(&mut zkwhirl(["prove", "--txs=65", request]), 2, &words);
    let words = ["cannot read no-such-file.bin"];
    refused(&mut zkwhirl(["prove", "no-such-file.bin"]), 1, &words);
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let words = ["Cargo.toml is not a proof request", "proof id"];
    refused(&mut zkwhirl(["prove", manifest]), 2, &words);
}

#[test]
fn development_keys_are_refused_where_they_were_not_asked_for() {
    // The demo's key of the claim circuit, which the first test to run makes.
    let data = data_dir();
    let request = vector_path("valid_claim_0_request");
    let mut prove = zkwhirl(["prove", "--suite=pedersen", text(&request)]);
    said(prove.arg("--data-dir").arg(&data));
    let mut cli = zkwhirl("rollup-cli crs 1 1 false false true".split(' '));
    refused(
        cli.arg(data).arg("--suite=pedersen"),
        1,
        &["is a dev key", "never for funds", "--allow-dev-keys"],
    );
}
