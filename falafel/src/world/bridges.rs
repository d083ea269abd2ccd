//! The bridges of this world, and the outcomes of their interactions.

use rand::Rng;
use rand_chacha::ChaCha20Rng;
use zkwhirl_circuits::bridge::{BridgeCallData, VIRTUAL_BIT};

use super::parts::BridgeInteraction;

/// The placeholder asset id of a virtual output. The note's asset id is this
/// value plus the interaction's nonce.
pub(super) const VIRTUAL: u32 = 1 << VIRTUAL_BIT;
/// Number of real assets of this world; their ids are 0 to 2.
pub(super) const ASSETS: u32 = 3;

/// The bridges that users deposit into, by output: one real, two real, one
/// virtual, one real and one virtual.
pub(super) fn open() -> [BridgeCallData; 4] {
    let one = BridgeCallData {
        address_id: 1,
        input_a: 0,
        output_a: 1,
        aux: 7,
        ..BridgeCallData::default()
    };
    [
        one,
        BridgeCallData {
            address_id: 2,
            output_a: 1,
            output_b: 2,
            second_output: true,
            ..one
        },
        BridgeCallData {
            address_id: 3,
            output_a: VIRTUAL,
            aux: u64::MAX,
            ..one
        },
        BridgeCallData {
            address_id: 4,
            input_a: 1,
            output_a: 2,
            output_b: VIRTUAL,
            second_output: true,
            ..one
        },
    ]
}

/// The interactions of the genesis, and whether each succeeds: those of [`open`] bridges
/// succeed; failed ones with one and two inputs have claims that are refunds.
pub(super) fn of_genesis() -> Vec<(BridgeCallData, bool)> {
    let [one, two, virtual_a, virtual_b] = open();
    let two_inputs = BridgeCallData {
        address_id: 5,
        input_b: 2,
        second_input: true,
        ..one
    };
    let two_of_each = BridgeCallData {
        output_b: VIRTUAL,
        second_output: true,
        aux: 9,
        ..two_inputs
    };
    vec![
        (one, true),
        (two, true),
        (virtual_a, true),
        (BridgeCallData { aux: 8, ..one }, false),
        (virtual_b, true),
        (two_inputs, false),
        (two_of_each, true),
    ]
}

/// Returns the outcome of an interaction. A failed interaction has no outputs.
pub(super) fn interact(
    bridge: BridgeCallData,
    nonce: u32,
    total_input: u64,
    result: bool,
    rng: &mut ChaCha20Rng,
) -> BridgeInteraction {
    let mut output = |used: bool| {
        if used && result {
            rng.gen_range(1..=2 * total_input)
        } else {
            0
        }
    };
    BridgeInteraction {
        bridge,
        nonce,
        total_input,
        total_output_a: output(true),
        total_output_b: output(bridge.second_output),
        result,
        index: 0,
    }
}
