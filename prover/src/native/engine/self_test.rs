//! The self-test: a small true statement that a prover must prove after a failure,
//! before it gets jobs again.

use ark_bn254::Fr;
use bytes::Bytes;
use zkwhirl_circuits::{
    Suite,
    bridge::BridgeCallData,
    field::to_word,
    notes::{ClaimNotePartial, DefiNote},
    tree::{LeafIndex, MerkleTree},
};
use zkwhirl_job::{
    Word,
    request::{
        ClaimNote, ClaimRequest, DATA_TREE_DEPTH, DEFI_TREE_DEPTH, DefiInteractionNote, MerklePath,
    },
};

const DEPOSIT: u64 = 30;
const TOTAL_INPUT: u64 = 100;
const TOTAL_OUTPUT: u64 = 70;
const FEE: u64 = 2;
const NONCE: u32 = 5;
/// A secret of a note that is never spent.
const NULLIFIER: u64 = 77;
const PARTIAL: u64 = 88;

/// A claim to 30 of an interaction's 100, which returned 70; each tree has one leaf.
pub fn self_test_request(suite: Suite) -> Bytes {
    let bridge = BridgeCallData {
        address_id: 1,
        input_a: 0,
        output_a: 2,
        ..BridgeCallData::default()
    };
    let claim = ClaimNotePartial {
        deposit: DEPOSIT.into(),
        bridge: bridge.encode(),
        value_note_partial: PARTIAL.into(),
        input_nullifier: NULLIFIER.into(),
    };
    let defi = DefiNote {
        bridge: bridge.encode(),
        total_input: TOTAL_INPUT.into(),
        total_output_a: TOTAL_OUTPUT.into(),
        total_output_b: 0.into(),
        nonce: NONCE.into(),
        result: 1.into(),
    };
    let claim_note = suite.claim_note(claim.commit(suite), NONCE.into(), FEE.into());
    let (data_root, claim_note_path) = alone(suite, DATA_TREE_DEPTH, claim_note);
    let (defi_root, defi_note_path) = alone(suite, DEFI_TREE_DEPTH, defi.commit(suite));
    ClaimRequest {
        data_root,
        defi_root,
        claim_note_index: 0,
        claim_note_path,
        claim_note: ClaimNote {
            deposit_value: DEPOSIT.into(),
            bridge_call_data: Word(bridge.to_word()),
            defi_interaction_nonce: NONCE,
            fee: FEE.into(),
            value_note_partial_commitment: PARTIAL.into(),
            input_nullifier: NULLIFIER.into(),
        },
        defi_note_index: 0,
        defi_note_path,
        defi_note: DefiInteractionNote {
            bridge_call_data: Word(bridge.to_word()),
            total_input_value: TOTAL_INPUT.into(),
            total_output_value_a: TOTAL_OUTPUT.into(),
            total_output_value_b: Word::ZERO,
            nonce: NONCE,
            result: true,
        },
        output_value_a: (DEPOSIT * TOTAL_OUTPUT / TOTAL_INPUT).into(),
        output_value_b: Word::ZERO,
    }
    .to_bytes()
}

/// The root of a tree whose only leaf is at index 0, and the path to the leaf.
fn alone(suite: Suite, depth: u32, leaf: Fr) -> (Word, MerklePath) {
    let first = LeafIndex::from(0);
    let mut tree = MerkleTree::new(suite, depth as usize);
    tree.set(first, leaf);
    let word = |value: &Fr| Word(to_word(value));
    let pairs = tree.path(first);
    let path = pairs.iter().map(|(l, r)| (word(l), word(r))).collect();
    (word(&tree.root()), path)
}

#[cfg(test)]
mod tests {
    use zkwhirl_job::{Request, Sizes};

    use super::*;
    use crate::native::{Setting, check};

    #[test]
    fn every_row_of_it_holds_in_both_suites() {
        for suite in Suite::ALL {
            let request = Request::parse(&self_test_request(suite)).unwrap();
            let setting = Setting::new(suite, Sizes::new(1, 1).unwrap(), 1 << 17);
            check(&request, &setting, &|_| ()).unwrap();
        }
    }
}
