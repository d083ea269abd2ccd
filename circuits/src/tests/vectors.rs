//! Compares the suites with vectors made by the original code.

use ark_bn254::Fr;
use ark_ec::AffineRepr;
use serde_json::Value;

use super::support::vectors::{self as files, element, elements, word};
use crate::claim::{self, ClaimWitness};
use crate::notes::{ValueNote, ValueNotePartial};
use crate::suite::HashIndex;
use crate::tx_rollup::TxRollupWitness;
use crate::{Suite, pedersen, poseidon, tree};

fn vectors() -> Value {
    serde_json::from_slice(&files::read("pedersen/vectors.json")).unwrap()
}

fn point(value: &Value) -> (Fr, Fr) {
    (element(&value["x"]), element(&value["y"]))
}

/// Asserts that values equal those of a vector's row, by name.
#[track_caller]
fn same<const N: usize>(row: &Value, values: [(Fr, &str); N]) {
    for (value, name) in values {
        assert_eq!(value, element(&row[name]), "{name}");
    }
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
    let standard = ark_grumpkin::Affine::generator().xy().unwrap();
    assert_eq!(standard, point(&vectors["curve_one"]));
    for row in list(&vectors, "generators") {
        let index = row["hash_index"].as_u64().unwrap() as usize;
        let position = row["sub_index"].as_u64().unwrap() as usize;
        if position >= 32 {
            continue;
        }
        let generator = pedersen::generator(index, position);
        for (found, name) in [
            (generator.main, "generator"),
            (generator.aux, "aux"),
            (generator.skew, "skew"),
        ] {
            let expected = point(&row[name]);
            assert_eq!(found.xy().unwrap(), expected, "{index} {position} {name}");
        }
    }
}

#[test]
fn pairs_and_longer_hashes() {
    let vectors = vectors();
    let commit = |index, values: &[Fr]| pedersen::commit(index, values).xy().unwrap();
    for row in list(&vectors, "compress_pairs") {
        let (left, right) = (element(&row["left"]), element(&row["right"]));
        assert_eq!(commit(0, &[left, right]), point(&row["commit"]));
        assert_eq!(commit(0, &[left]), point(&row["hash_left"]));
        assert_eq!(SUITE.node(left, right), element(&row["compress"]));
    }
    for row in list(&vectors, "nary") {
        let inputs = elements(&row["inputs"]);
        let index = row["hash_index"].as_u64().unwrap() as usize;
        let commit = commit(index, &inputs);
        assert_eq!(commit, point(&row["commit"]));
        assert_eq!(commit.0, element(&row["compress"]));
    }
}

#[test]
fn zero_hashes() {
    let vectors = vectors();
    let expected = elements(&vectors["zero_hashes_0_to_256"]);
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
        let key = SUITE.nullifier_key(&private_key);
        assert_eq!(key, point(&row["hashed_private_key"]));
        let partial = ValueNotePartial {
            secret: element(&row["secret"]),
            owner,
            account_required: row["account_required"] == 1,
            creator: element(&row["creator_pubkey"]),
        };
        let note = ValueNote {
            partial: partial.commit(SUITE),
            value: element(&row["value"]),
            asset: Fr::from(row["asset_id"].as_u64().unwrap()),
            input_nullifier: element(&row["input_nullifier"]),
        };
        let commitment = note.commit(SUITE);
        let nullifier = |in_use| SUITE.value_nullifier(commitment, &private_key, in_use);
        let alias = element(&row["alias_hash"]);
        let account = SUITE.account_note(alias, owner.0, element(&row["account_signing_x"]));
        let values = [
            (note.partial, "partial_commitment"),
            (commitment, "commitment"),
            (nullifier(true), "nullifier_used"),
            (nullifier(false), "nullifier_unused"),
            (account, "account_note_commitment"),
            (SUITE.alias_nullifier(alias), "alias_hash_nullifier"),
            (SUITE.public_key_nullifier(owner.0), "public_key_nullifier"),
        ];
        same(row, values);
    }
}

/// Returns the rows of real requests that have a value of this name.
fn requests<'a>(vectors: &'a Value, having: &str) -> Vec<(&'a String, &'a Value)> {
    let rows = vectors["requests"].as_object().unwrap().iter();
    rows.filter(|(_, row)| row.get(having).is_some()).collect()
}

#[test]
fn values_inside_requests() {
    let vectors = vectors();
    let claims = requests(&vectors, "claim_commitment");
    assert_eq!(claims.len(), 8);
    for (name, row) in claims {
        let extra = name.starts_with("extra");
        let folder = if extra { "pedersen/" } else { "" };
        let w = ClaimWitness::new(&files::claim(&format!("{folder}{name}"))).unwrap();
        let published = claim::published(SUITE, &w);
        let values = [
            (w.claim.commit(SUITE), "claim_partial_commitment"),
            (w.claim_note(SUITE), "claim_commitment"),
            (w.defi.commit(SUITE), "defi_interaction_commitment"),
            (w.folded_data_root(SUITE), "data_root_from_path"),
            (w.folded_defi_root(SUITE), "defi_root_from_path"),
            (published.fields()[1], "output_note1"),
            (published.fields()[2], "output_note2"),
            (published.fields()[3], "nullifier1"),
            (published.fields()[4], "nullifier2"),
        ];
        same(row, values);
    }
}

#[test]
fn values_inside_rollups() {
    let vectors = vectors();
    let rollups = requests(&vectors, "subtree_leaves");
    assert_eq!(rollups.len(), 4);
    for (name, row) in rollups {
        let root = tree::subtree_root(SUITE, &elements(&row["subtree_leaves"]));
        same(row, [(root, "subtree_root")]);
        let capacity = row["capacity"].as_u64().unwrap() as u32;
        let w = TxRollupWitness::new(&files::tx_rollup(name), capacity).unwrap();
        for (tx, expected) in w.txs.iter().zip(row["txs"].as_array().unwrap()) {
            let fold = |leaf: Fr, siblings: &[Fr], index: Fr| {
                tree::fold(SUITE, leaf, siblings, index.into(), 0)
            };
            let linked = fold(tx.fields[14], &tx.link_siblings, tx.link_index);
            let roots = fold(tx.fields[8], &tx.root_siblings, tx.root_index);
            let [first, second] = &tx.nullifiers;
            let old = |which: usize, siblings| fold(Fr::from(0u64), siblings, tx.fields[which]);
            let values = [
                (linked, "linked_root_from_path"),
                (roots, "data_roots_root_from_path"),
                (old(3, &first.siblings), "null_0_old_root_from_path"),
                (first.new_root, "null_0_new_root_from_path"),
                (old(4, &second.siblings), "null_1_old_root_from_path"),
                (second.new_root, "null_1_new_root_from_path"),
            ];
            same(expected, values);
        }
    }
}

#[test]
fn poseidon_separates_purposes_by_a_leading_input() {
    let values = [Fr::from(3u64), Fr::from(4u64)];
    let hash = Suite::Poseidon.hash(HashIndex::DefiNullifier, &values);
    let expected = poseidon::hash(&[Fr::from(11u64), values[0], values[1]]);
    assert_eq!(hash, expected);
    let [pedersen, poseidon] = Suite::ALL.map(|suite| suite.owner_key(&[7; 32]));
    assert_ne!(pedersen, poseidon);
}
