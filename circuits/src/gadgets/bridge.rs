//! Bridge call data as rows (constraints).

use ark_bn254::Fr;
use ark_ff::{BigInteger, PrimeField};

use super::bits::{is_equal, is_zero, pack};
use super::hash::BitNum;
use crate::bridge::{ASSET_BITS, BRIDGE_BITS, VIRTUAL_BIT, offset};
use crate::field::power_of_two;
use crate::r1cs::{Bit, Builder, Num};

/// The variables of unpacked bridge call data.
pub(crate) struct BridgeRows {
    pub(crate) word: BitNum,
    pub(crate) input: [Num; 2],
    pub(crate) output: [Num; 2],
    pub(crate) is_virtual: [Bit; 2],
    pub(crate) second_input: Bit,
    pub(crate) second_output: Bit,
}

impl BridgeRows {
    /// Unpacks bridge call data; enforces that unknown bits are zero and fields consistent.
    pub(crate) fn alloc(b: &mut Builder, packed: Fr) -> Self {
        let value = b.alloc(packed);
        let integer = packed.into_bigint();
        // Bits 2 to 31 of the configuration are not used.
        let unused = offset::CONFIG + 2..offset::AUX;
        let bits: Vec<Bit> = (0..BRIDGE_BITS)
            .map(|j| match unused.contains(&j) {
                true => Bit::constant(false),
                false => b.alloc_bit(integer.get_bit(j)),
            })
            .collect();
        b.equal(&pack(&bits), &value);
        let asset = |offset: usize| pack(&bits[offset..offset + ASSET_BITS]);
        let input = [asset(offset::INPUT_A), asset(offset::INPUT_B)];
        let output = [asset(offset::OUTPUT_A), asset(offset::OUTPUT_B)];
        let is_virtual =
            [offset::OUTPUT_A, offset::OUTPUT_B].map(|offset| bits[offset + VIRTUAL_BIT].clone());
        let bridge = Self {
            input,
            output,
            is_virtual,
            second_input: bits[offset::CONFIG].clone(),
            second_output: bits[offset::CONFIG + 1].clone(),
            word: BitNum { num: value, bits },
        };
        rules(b, &bridge);
        bridge
    }
}

fn rules(b: &mut Builder, bridge: &BridgeRows) {
    for (asset, used) in [
        (&bridge.input[1], &bridge.second_input),
        (&bridge.output[1], &bridge.second_output),
    ] {
        let present = is_zero(b, asset).not();
        b.zero_where(present.num(), used.not().num());
    }
    let equal_inputs = is_equal(b, &bridge.input[0], &bridge.input[1]);
    b.zero_where(bridge.second_input.num(), equal_inputs.num());
    let equal_outputs = is_equal(b, &bridge.output[0], &bridge.output[1]);
    let both_real = b.and(&bridge.is_virtual[0].not(), &bridge.is_virtual[1].not());
    let forbidden = b.and(&both_real, &equal_outputs);
    b.zero_where(bridge.second_output.num(), forbidden.num());
    for (asset, is_virtual) in bridge.output.iter().zip(&bridge.is_virtual) {
        let other = asset.plus(-power_of_two(VIRTUAL_BIT));
        b.zero_where(is_virtual.num(), &other);
    }
}
