//! The notes inside requests.

use std::fmt::Arguments;

use crate::{
    LayoutError, Word,
    wire::{Reader, Writer},
};

/// A claim note as it stands in the data tree; 164 bytes on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimNote {
    /// The value that was deposited into the bridge.
    pub deposit_value: Word,
    /// The bridge.
    pub bridge_call_data: Word,
    /// The number of the interaction that the deposit was part of.
    pub defi_interaction_nonce: u32,
    /// The claim's fee.
    pub fee: Word,
    /// The owner's partial value note.
    pub value_note_partial_commitment: Word,
    /// Nullifier of the note that was spent into the deposit.
    pub input_nullifier: Word,
}

/// The result of one interaction with a bridge; 133 bytes on the wire, the
/// nonce after the values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefiInteractionNote {
    /// The bridge.
    pub bridge_call_data: Word,
    /// The sum of all deposits.
    pub total_input_value: Word,
    /// The output in the first output asset.
    pub total_output_value_a: Word,
    /// The output in the second output asset.
    pub total_output_value_b: Word,
    /// The interaction's number: 32 × rollup id + the bridge's place.
    pub nonce: u32,
    /// Whether the interaction succeeded.
    pub result: bool,
}

impl ClaimNote {
    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, LayoutError> {
        Ok(Self {
            deposit_value: r.word(format_args!("claim note deposit value"))?,
            bridge_call_data: r.word(format_args!("claim note bridge call data"))?,
            defi_interaction_nonce: r.u32(format_args!("claim note interaction nonce"))?,
            fee: r.word(format_args!("claim note fee"))?,
            value_note_partial_commitment: r
                .field(format_args!("claim note value note partial commitment"))?,
            input_nullifier: r.field(format_args!("claim note input nullifier"))?,
        })
    }

    pub(crate) fn write(&self, w: &mut Writer) {
        w.word(&self.deposit_value);
        w.word(&self.bridge_call_data);
        w.u32(self.defi_interaction_nonce);
        w.word(&self.fee);
        w.word(&self.value_note_partial_commitment);
        w.word(&self.input_nullifier);
    }
}

impl DefiInteractionNote {
    pub(crate) fn read(r: &mut Reader<'_>, name: Arguments<'_>) -> Result<Self, LayoutError> {
        let note = Self {
            bridge_call_data: r.word(format_args!("{name} bridge call data"))?,
            total_input_value: r.word(format_args!("{name} total input value"))?,
            total_output_value_a: r.word(format_args!("{name} total output value a"))?,
            total_output_value_b: r.word(format_args!("{name} total output value b"))?,
            nonce: r.u32(format_args!("{name} nonce"))?,
            result: false,
        };
        let (at, name) = (r.at(), format_args!("{name} result"));
        let result = match r.u8(name)? {
            0 => false,
            1 => true,
            got => {
                let must = format_args!("0 or 1");
                return Err(LayoutError::value(at, name, got.into(), must));
            }
        };
        Ok(Self { result, ..note })
    }

    pub(crate) fn write(&self, w: &mut Writer) {
        w.word(&self.bridge_call_data);
        w.word(&self.total_input_value);
        w.word(&self.total_output_value_a);
        w.word(&self.total_output_value_b);
        w.u32(self.nonce);
        w.u8(u8::from(self.result));
    }
}
