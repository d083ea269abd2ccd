//! The root-verifier request: the whole reply of the root rollup.

use bytes::Bytes;

use crate::{
    Kind, LayoutError, Sizes, Word, limits,
    reply::ReplyShape,
    wire::{Reader, Writer},
};

/// The verification of a root rollup's reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootVerifierRequest {
    /// The reply to the root-rollup request.
    pub root_rollup_reply: Bytes,
}

impl RootVerifierRequest {
    const PROOF_ID: u32 = 3;

    pub(super) fn read(r: &mut Reader<'_>) -> Result<Self, LayoutError> {
        let limit = limits::REPLY_BYTES as u32;
        let bytes = r.u32_up_to(limit, format_args!("root rollup reply length"))?;
        Ok(Self {
            root_rollup_reply: r.take(bytes as usize, format_args!("root rollup reply"))?,
        })
    }

    /// The bytes on the wire, the leading proof id included.
    pub fn to_bytes(&self) -> Bytes {
        let mut w = Writer::with_capacity(8 + self.root_rollup_reply.len());
        w.u32(Self::PROOF_ID);
        w.buffer(&self.root_rollup_reply);
        w.finish()
    }

    /// The rollup's id, if the reply starts with a broadcast header.
    pub(super) fn rollup_id(&self) -> Option<u32> {
        let word = self.root_rollup_reply.first_chunk::<32>()?;
        Word(*word).to_u64()?.try_into().ok()
    }

    pub(super) fn validate(&self, sizes: Sizes) -> Result<(), LayoutError> {
        let shape = ReplyShape::of(Kind::RootRollup, sizes);
        if shape.accepts(Kind::RootRollup, &self.root_rollup_reply) {
            return Ok(());
        }
        let got = self.root_rollup_reply.len() as u64;
        let must = shape.expected("whole rollup");
        let name = format_args!("root rollup reply length");
        Err(LayoutError::value(4, name, got, format_args!("{must}")))
    }
}
