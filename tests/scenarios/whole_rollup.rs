//! A whole rollup, from the first claim to a stranger who verifies it.

use std::{fs, path::Path, process::Command};

use bytes::Bytes;
use serde_json::Value;
use tempfile::TempDir;
use zkwhirl::cluster::Provers;
use zkwhirl_circuits::Suite;
use zkwhirl_falafel::{
    users::{TxPool, TxReceiver},
    world::World,
};
use zkwhirl_job::{Request, Sizes, request::RootVerifierRequest};
use zkwhirl_testkit::vector_path;

use crate::stage::{data_dir, engine, json, native, refused, said, text, zkwhirl};

/// A claim and a user's defi deposit rolled up, 2×1.
fn final_buffer() -> Bytes {
    let sizes = Sizes::new(2, 1).unwrap();
    let mut engine = engine(2, 1);
    let users = Provers::Native(native(Suite::Poseidon, 2, 1))
        .users()
        .unwrap();
    let mut prove = |request: Request| engine.prove(&request, &|_| {}).unwrap().reply;
    let mut draft = World::genesis(Suite::Poseidon, 7, 1).begin(sizes);
    let claim = draft.claims(1).remove(0).request;
    let claim = prove(Request::Claim(Box::new(claim)));
    let door = TxReceiver {
        proofs: &*users,
        keys: None,
        pool: &TxPool::default(),
    };
    let inner = draft.inners(2, &[claim], &door).unwrap().remove(0).request;
    let inner = prove(Request::TxRollup(Box::new(inner)));
    let root = draft.root(&[inner]).unwrap().request;
    let root_rollup_reply = prove(Request::RootRollup(Box::new(root)));
    prove(Request::RootVerifier(Box::new(RootVerifierRequest {
        root_rollup_reply,
    })))
}

fn verify(file: &Path, arguments: &[&str]) -> Command {
    let mut command = zkwhirl(["verify", text(file)]);
    command.args(arguments);
    command
}

#[test]
fn a_stranger_verifies_a_rollup_from_its_bytes_and_keys() {
    let (folder, data) = (TempDir::new().unwrap(), data_dir());
    let file = folder.path().join("rollup.bin");
    let buffer = final_buffer();
    fs::write(&file, &buffer).unwrap();

    // Beside the keys.
    let words = [
        "rollup 1 of 2×1, poseidon: 1 inner rollups, 2 txs",
        "root-rollup/poseidon/1/2",
        "tx-rollup/poseidon/2",
        "dev key (seed 2026, never for funds)",
        "not proved: the old roots",
        "everybody can forge proofs under development keys",
        "4 proofs verified",
    ];
    let table = said(&mut verify(&file, &["--data-dir", text(&data)]));
    for words in words {
        assert!(table.contains(words), "{table}\nlacks {words:?}");
    }

    // Elsewhere, with the verification keys alone.
    let keys = folder.path().join("keys");
    let export = [
        "keys",
        "export",
        "--data-dir",
        text(&data),
        "--vks",
        text(&keys),
    ];
    said(&mut zkwhirl(export));
    let report = json(&mut verify(&file, &["--vk", text(&keys)]));
    assert_eq!(report["verified"], true);
    assert_eq!(report["suite"], "poseidon");
    assert_eq!(
        (&report["txs_per_inner"], &report["inners_per_root"]),
        (&2.into(), &1.into())
    );
    assert_eq!(
        (&report["inner_rollups"], &report["proofs"]),
        (&1.into(), &4.into())
    );
    assert_eq!(report["insecure_keys"], true);
    let circuits = report["circuits"].as_array().unwrap();
    assert_eq!(circuits.len(), 4);
    let txs = serde_json::json!([
        {"kind": "defi deposit", "txs": 1, "client_proofs": 1},
        {"kind": "claim", "txs": 1, "client_proofs": 1},
    ]);
    assert_eq!(report["txs"], txs);

    // A bit of the last proof, and of the first word.
    for (place, words) in [
        (
            buffer.len() - 1,
            "inner rollup 0: client proof of tx 1: the proof",
        ),
        (31, "root rollup: the proof does not verify"),
    ] {
        let mut changed = buffer.to_vec();
        changed[place] ^= 1;
        fs::write(&file, &changed).unwrap();
        let mut verify = verify(&file, &["--vk", text(&keys), "--json"]);
        let report = refused(&mut verify, 1, &["is refused", words]);
        let report: Value = serde_json::from_str(&report).unwrap();
        assert_eq!(report["verified"], false);
        assert!(report["error"].as_str().unwrap().contains(words));
    }

    // Without a key nothing is decided.
    fs::write(&file, &buffer).unwrap();
    let nowhere = folder.path().join("nowhere");
    let words = [
        "cannot be verified",
        "there is no key for root-rollup/poseidon/1/2 yet",
    ];
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
