//! A whole rollup, from the first claim to the independent `zkwhirl verify`.

use std::{fs, path::Path, process::Command};

use serde_json::{Value, json};
use tempfile::TempDir;
use zkwhirl_testkit::vector_path;

use crate::stage::{self, data_dir, final_buffer, prints, refused, said, text, zkwhirl};

fn verify(file: &Path, arguments: &[&str]) -> Command {
    let mut command = zkwhirl(["verify", text(file)]);
    command.args(arguments);
    command
}

#[test]
fn a_stranger_verifies_a_rollup_from_its_bytes_and_keys() {
    let (folder, data) = (TempDir::new().unwrap(), data_dir());
    let file = folder.path().join("rollup.bin");
    // The rollup has a claim and a user's defi deposit.
    let buffer = final_buffer(2);
    fs::write(&file, &buffer).unwrap();

    // With the keys of the data directory.
    let words = [
        "rollup 1 of 2×1, poseidon: 1 inner rollups, 2 txs",
        "root-rollup/poseidon/1/2",
        "tx-rollup/poseidon/2",
        "dev key (seed 2026, never for funds)",
        "not proved: the old roots",
        "anyone can forge proofs under development keys",
        "4 proofs verified",
    ];
    prints(&mut verify(&file, &["--data-dir", text(&data)]), 0, &words);

    // On another machine, with the verification keys only.
    let keys = folder.path().join("keys");
    let mut export = zkwhirl(["keys", "export", "--data-dir", text(&data)]);
    said(export.args(["--vks", text(&keys)]));
    let report = stage::json(&mut verify(&file, &["--vk", text(&keys)]));
    let txs = json!([
        {"kind": "defi deposit", "txs": 1, "client_proofs": 1},
        {"kind": "claim", "txs": 1, "client_proofs": 1},
    ]);
    for (field, value) in [
        ("verified", json!(true)),
        ("suite", json!("poseidon")),
        ("txs_per_inner", json!(2)),
        ("inners_per_root", json!(1)),
        ("inner_rollups", json!(1)),
        ("proofs", json!(4)),
        ("insecure_keys", json!(true)),
        ("txs", txs),
    ] {
        assert_eq!(report[field], value, "{field}");
    }
    assert_eq!(report["circuits"].as_array().unwrap().len(), 4);

    // Change one bit of the last proof, and one of the first word.
    let client = "inner rollup 0: client proof of tx 1: the proof";
    let root = "root rollup: the proof does not verify";
    for (place, words) in [(buffer.len() - 1, client), (31, root)] {
        let mut changed = buffer.to_vec();
        changed[place] ^= 1;
        fs::write(&file, &changed).unwrap();
        let mut verify = verify(&file, &["--vk", text(&keys), "--json"]);
        let report = refused(&mut verify, 1, &["is refused", words]);
        let report: Value = serde_json::from_str(&report).unwrap();
        assert_eq!(report["verified"], false);
        assert!(report["error"].as_str().unwrap().contains(words));
    }

    // Without a key the rollup is neither verified nor refused.
    fs::write(&file, &buffer).unwrap();
    let nowhere = folder.path().join("nowhere");
    let why = "there is no key for root-rollup/poseidon/1/2 yet";
    let words = ["cannot be verified", why];
    refused(&mut verify(&file, &["--vk", text(&nowhere)]), 3, &words);
}

#[test]
fn files_that_are_no_rollups_are_refused_with_the_reason() {
    let large = tempfile::NamedTempFile::new().unwrap();
    large.as_file().set_len(3 << 20).unwrap();
    let claim = vector_path("valid_claim_0_request");
    let original = vector_path("valid_1x1_2_root_verifier_reply");
    let no_proof = "no native proof follows the published fields";
    for (file, code, words) in [
        (&*claim, 1, ["is refused", "the rollup's size is"]),
        (&*original, 1, ["is refused", no_proof]),
        (Path::new("nothing.bin"), 2, ["cannot read", "nothing.bin"]),
        (large.path(), 2, ["a rollup has", "at most 2,097,152"]),
    ] {
        refused(&mut verify(file, &[]), code, &words);
    }
}
