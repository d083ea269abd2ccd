//! Bridge call data: the bridge contract of a defi deposit, and its assets.

use ark_bn254::Fr;
use ark_ff::{BigInt, PrimeField};

use crate::field;
use crate::rule::{Rule, Violations};

/// Length of packed bridge call data in bits.
pub(crate) const BRIDGE_BITS: usize = 248;
/// Length of an asset id inside bridge call data in bits.
pub(crate) const ASSET_BITS: usize = 30;
/// The bit of an asset id that marks a virtual asset.
pub const VIRTUAL_BIT: usize = 29;

/// The asset id of every virtual output; the claim adds the nonce to it.
const PLACEHOLDER: u32 = 1 << VIRTUAL_BIT;

/// The first bit of each field; bit 0 is the least significant.
pub(crate) mod offset {
    pub(crate) const INPUT_A: usize = 32;
    pub(crate) const INPUT_B: usize = 62;
    pub(crate) const OUTPUT_A: usize = 92;
    pub(crate) const OUTPUT_B: usize = 122;
    pub(crate) const CONFIG: usize = 152;
    pub(crate) const AUX: usize = 184;
}

/// The fields of bridge call data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BridgeCallData {
    /// Number of the bridge contract.
    pub address_id: u32,
    /// First input asset (30 bits).
    pub input_a: u32,
    /// Second input asset (30 bits).
    pub input_b: u32,
    /// First output asset (30 bits).
    pub output_a: u32,
    /// Second output asset (30 bits).
    pub output_b: u32,
    /// Whether the second input is used.
    pub second_input: bool,
    /// Whether the second output is used.
    pub second_output: bool,
    /// Auxiliary data for the bridge contract.
    pub aux: u64,
}

impl BridgeCallData {
    /// Unpacks bridge call data; `None` if bits outside the known fields are set.
    pub(crate) fn decode(packed: &Fr) -> Option<Self> {
        let integer = packed.into_bigint();
        let take = |offset: usize, bits: usize| {
            let shifted = integer >> offset as u32;
            shifted.0[0] & (u64::MAX >> (64 - bits))
        };
        let decoded = Self {
            address_id: take(0, 32) as u32,
            input_a: take(offset::INPUT_A, ASSET_BITS) as u32,
            input_b: take(offset::INPUT_B, ASSET_BITS) as u32,
            output_a: take(offset::OUTPUT_A, ASSET_BITS) as u32,
            output_b: take(offset::OUTPUT_B, ASSET_BITS) as u32,
            second_input: take(offset::CONFIG, 1) == 1,
            second_output: take(offset::CONFIG + 1, 1) == 1,
            aux: take(offset::AUX, 64),
        };
        (decoded.encode() == *packed).then_some(decoded)
    }

    /// Packs the fields. Asset ids are truncated to 30 bits.
    pub fn encode(&self) -> Fr {
        let mut integer = BigInt::new([0; 4]);
        let mut put = |offset: usize, value: u64| {
            integer |= &(BigInt::from(value) << offset as u32);
        };
        let asset = |id: u32| u64::from(id) & ((1 << ASSET_BITS) - 1);
        put(0, self.address_id.into());
        put(offset::INPUT_A, asset(self.input_a));
        put(offset::INPUT_B, asset(self.input_b));
        put(offset::OUTPUT_A, asset(self.output_a));
        put(offset::OUTPUT_B, asset(self.output_b));
        put(offset::CONFIG, self.second_input.into());
        put(offset::CONFIG + 1, self.second_output.into());
        put(offset::AUX, self.aux);
        Fr::new(integer)
    }

    /// Checks that the fields are consistent with each other.
    pub(crate) fn demand_rules(&self, broken: &mut Violations) {
        let [virtual_a, virtual_b] = [self.output_a, self.output_b].map(Self::is_virtual);
        let unused = |asset: u32, used: bool| asset == 0 || used;
        let input = unused(self.input_b, self.second_input);
        broken.demand(input, Rule::SecondInputUnused);
        let output = unused(self.output_b, self.second_output);
        broken.demand(output, Rule::SecondOutputUnused);
        let equal_inputs = self.second_input && self.input_a == self.input_b;
        broken.demand(!equal_inputs, Rule::EqualInputs);
        let both_real = self.second_output && !virtual_a && !virtual_b;
        let equal_outputs = both_real && self.output_a == self.output_b;
        broken.demand(!equal_outputs, Rule::EqualOutputs);
        let placeholder = |is_virtual: bool, asset| !is_virtual || asset == PLACEHOLDER;
        let placeholders =
            placeholder(virtual_a, self.output_a) && placeholder(virtual_b, self.output_b);
        broken.demand(placeholders, Rule::VirtualOutput);
    }

    /// Returns whether an asset id is virtual: bit 29 is set.
    pub fn is_virtual(asset: u32) -> bool {
        asset >> VIRTUAL_BIT & 1 == 1
    }

    /// Returns the packed form as a canonical 32-byte word.
    pub fn to_word(&self) -> [u8; 32] {
        field::to_word(&self.encode())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decode_inverts_encode() {
        let data = BridgeCallData {
            address_id: u32::MAX,
            input_a: 1,
            input_b: (1 << 30) - 1,
            output_a: 1 << 29,
            output_b: 7,
            second_input: true,
            second_output: false,
            aux: u64::MAX - 2,
        };
        assert_eq!(BridgeCallData::decode(&data.encode()), Some(data));
    }

    #[test]
    fn bits_outside_the_fields_are_refused() {
        for bit in [154, 183, 248, 253] {
            let decoded = BridgeCallData::decode(&field::power_of_two(bit));
            assert_eq!(decoded, None, "bit {bit}");
        }
    }
}
