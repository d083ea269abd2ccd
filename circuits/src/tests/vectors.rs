//! The suites against vectors made by the original code.

use ark_bn254::Fr;
use ark_ec::AffineRepr;
use serde_json::Value;

use super::support::vectors as files;
use crate::claim::{self, ClaimWitness};
use crate::notes::{ValueNote, ValueNotePartial};
use crate::suite::HashIndex;
use crate::tx_rollup::TxRollupWitness;
use crate::{Suite, field, pedersen, poseidon, tree};

fn vectors() -> Value {
    serde_json::from_slice(&files::read("pedersen/vectors.json")).unwrap()
}

fn word(value: &Value) -> [u8; 32] {
    hex::decode(value.as_str().unwrap())
        .unwrap()
        .try_into()
        .unwrap()
}

fn element(value: &Value) -> Fr {
    field::from_word(&word(value)).unwrap()
}

fn point(value: &Value) -> (Fr, Fr) {
    (element(&value["x"]), element(&value["y"]))
}

fn list<'a>(vectors: &'a Value, name: &str) -> &'a Vec<Value> {
    let list = vectors[name].as_array().unwrap();
    assert!(!list.is_empty(), "{name}");
    list
}

const SUITE: Suite = Suite::Pedersen;

#[test]
fn generators() {
    let vectors = vectors();
    let standard = pedersen::standard_generator().xy().unwrap();
    assert_eq!(standard, point(&vectors["curve_one"]));
    for row in list(&vectors, "generators") {
        let index = row["hash_index"].as_u64().unwrap() as usize;
        let position = row["sub_index"].as_u64().unwrap() as usize;
        if position >= 32 {
            continue;
        }
        let generator = pedersen::generator(index, position);
        for (point_, name) in [
            (generator.main, "generator"),
            (generator.aux, "aux"),
            (generator.skew, "skew"),
        ] {
            assert_eq!(
                point_.xy().unwrap(),
                point(&row[name]),
                "{index} {position} {name}"
            );
        }
    }
}

#[test]
fn pairs_and_longer_hashes() {
    let vectors = vectors();
    for row in list(&vectors, "compress_pairs") {
        let (left, right) = (element(&row["left"]), element(&row["right"]));
        let commit = pedersen::commit(0, &[left, right]);
        assert_eq!(commit.xy().unwrap(), point(&row["commit"]));
        assert_eq!(
            pedersen::commit(0, &[left]).xy().unwrap(),
            point(&row["hash_left"])
        );
        assert_eq!(SUITE.node(left, right), element(&row["compress"]));
    }
    for row in list(&vectors, "nary") {
        let inputs: Vec<Fr> = row["inputs"]
            .as_array()
            .unwrap()
            .iter()
            .map(element)
            .collect();
        let index = row["hash_index"].as_u64().unwrap() as usize;
        let commit = pedersen::commit(index, &inputs);
        assert_eq!(commit.xy().unwrap(), point(&row["commit"]));
        assert_eq!(commit.x, element(&row["compress"]));
    }
}

#[test]
fn zero_hashes() {
    let vectors = vectors();
    let expected: Vec<Fr> = list(&vectors, "zero_hashes_0_to_256")
        .iter()
        .map(element)
        .collect();
    assert_eq!(SUITE.zero_hashes(), expected);
    for (depth, root) in vectors["empty_tree_roots"].as_object().unwrap() {
        assert_eq!(SUITE.empty_root(depth.parse().unwrap()), element(root));
    }
}

#[test]
fn value_and_account_notes() {
    let vectors = vectors();
    for row in list(&vectors, "value_and_account_notes") {
        let owner = point(&row["owner"]);
        let private_key = word(&row["account_private_key"]);
        assert_eq!(SUITE.owner_key(&private_key), owner);
        let partial = ValueNotePartial {
            secret: element(&row["secret"]),
            owner,
            account_required: row["account_required"] == 1,
            creator: element(&row["creator_pubkey"]),
        };
        assert_eq!(partial.commit(SUITE), element(&row["partial_commitment"]));
        let note = ValueNote {
            partial: partial.commit(SUITE),
            value: element(&row["value"]),
            asset: Fr::from(row["asset_id"].as_u64().unwrap()),
            input_nullifier: element(&row["input_nullifier"]),
        };
        let commitment = note.commit(SUITE);
        assert_eq!(commitment, element(&row["commitment"]));
        assert_eq!(
            SUITE.nullifier_key(&private_key),
            point(&row["hashed_private_key"])
        );
        for (in_use, name) in [(true, "nullifier_used"), (false, "nullifier_unused")] {
            let nullifier = SUITE.value_nullifier(commitment, &private_key, in_use);
            assert_eq!(nullifier, element(&row[name]));
        }
        let alias = element(&row["alias_hash"]);
        let account = SUITE.account_note(alias, owner.0, element(&row["account_signing_x"]));
        assert_eq!(account, element(&row["account_note_commitment"]));
        assert_eq!(
            SUITE.alias_nullifier(alias),
            element(&row["alias_hash_nullifier"])
        );
        assert_eq!(
            SUITE.public_key_nullifier(owner.0),
            element(&row["public_key_nullifier"])
        );
    }
}

#[test]
fn values_inside_requests() {
    let vectors = vectors();
    let mut claims = 0;
    for (name, row) in vectors["requests"].as_object().unwrap() {
        let Some(commitment) = row.get("claim_commitment") else {
            continue;
        };
        let folder = if name.starts_with("extra") {
            "pedersen/"
        } else {
            ""
        };
        let request = files::claim(&format!("{folder}{name}"));
        let w = ClaimWitness::new(&request).unwrap();
        assert_eq!(
            w.claim.commit(SUITE),
            element(&row["claim_partial_commitment"])
        );
        assert_eq!(w.claim_note(SUITE), element(commitment));
        assert_eq!(
            w.defi.commit(SUITE),
            element(&row["defi_interaction_commitment"])
        );
        assert_eq!(
            w.folded_data_root(SUITE),
            element(&row["data_root_from_path"])
        );
        assert_eq!(
            w.folded_defi_root(SUITE),
            element(&row["defi_root_from_path"])
        );
        let published = claim::published(SUITE, &w);
        let names = ["output_note1", "output_note2", "nullifier1", "nullifier2"];
        for (value, name) in published.fields()[1..5].iter().zip(names) {
            assert_eq!(*value, element(&row[name]), "{name}");
        }
        claims += 1;
    }
    assert_eq!(claims, 8);
}

#[test]
fn values_inside_rollups() {
    let vectors = vectors();
    let mut rollups = 0;
    for (name, row) in vectors["requests"].as_object().unwrap() {
        let Some(leaves) = row.get("subtree_leaves") else {
            continue;
        };
        let leaves: Vec<Fr> = leaves.as_array().unwrap().iter().map(element).collect();
        assert_eq!(
            tree::subtree_root(SUITE, &leaves),
            element(&row["subtree_root"])
        );
        let request = files::tx_rollup(name);
        let capacity = row["capacity"].as_u64().unwrap() as u32;
        let w = TxRollupWitness::new(&request, capacity).unwrap();
        for (tx, expected) in w.txs.iter().zip(row["txs"].as_array().unwrap()) {
            let fold = |leaf: Fr, siblings: &[Fr], index: Fr| {
                tree::fold(SUITE, leaf, siblings, index.into(), 0)
            };
            let linked = fold(tx.fields[14], &tx.link_siblings, tx.link_index);
            assert_eq!(linked, element(&expected["linked_root_from_path"]));
            let roots = fold(tx.fields[8], &tx.root_siblings, tx.root_index);
            assert_eq!(roots, element(&expected["data_roots_root_from_path"]));
            for (which, insertion) in tx.nullifiers.iter().enumerate() {
                let root = fold(Fr::from(0u64), &insertion.siblings, tx.fields[3 + which]);
                let name = format!("null_{which}_old_root_from_path");
                assert_eq!(root, element(&expected[name]));
                let name = format!("null_{which}_new_root_from_path");
                assert_eq!(insertion.new_root, element(&expected[name]));
            }
        }
        rollups += 1;
    }
    assert_eq!(rollups, 4);
}

#[test]
fn poseidon_separates_purposes_by_a_leading_input() {
    let values = [Fr::from(3u64), Fr::from(4u64)];
    let expected = poseidon::hash(&[Fr::from(11u64), values[0], values[1]]);
    assert_eq!(
        Suite::Poseidon.hash(HashIndex::DefiNullifier, &values),
        expected
    );
    assert_ne!(
        Suite::Poseidon.owner_key(&[7; 32]),
        SUITE.owner_key(&[7; 32])
    );
}
