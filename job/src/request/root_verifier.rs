//! The root-verifier request: the whole reply of the root rollup.

use bytes::Bytes;

use crate::{
    Kind, LayoutError, Sizes, Word, limits,
    reply::ReplyShape,
    wire::{Reader, Writer, value},
};

/// The verification of a root rollup's reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootVerifierRequest {
    /// The reply to the root-rollup request.
    pub root_rollup_reply: Bytes,
}

impl RootVerifierRequest {
    /// The proof id that starts the request.
    pub const PROOF_ID: u32 = 3;

    pub(super) fn read(r: &mut Reader<'_>) -> Result<Self, LayoutError> {
        let bytes = r.u32_where(
            format_args!("root rollup reply length"),
            format_args!("at most {}", limits::REPLY_BYTES),
            |bytes| bytes as usize <= limits::REPLY_BYTES,
        )?;
        Ok(Self {
            root_rollup_reply: r.take(bytes as usize, format_args!("root rollup reply"))?,
        })
    }

    /// The bytes on the wire, the leading proof id included.
    pub fn to_bytes(&self) -> Bytes {
        let mut w = Writer::with_capacity(8 + self.root_rollup_reply.len());
        w.u32(Self::PROOF_ID);
        w.count(self.root_rollup_reply.len());
        w.raw(&self.root_rollup_reply);
        w.finish()
    }

    /// The rollup, when the reply starts with a broadcast header.
    pub(super) fn rollup_id(&self) -> Option<u32> {
        let word = self.root_rollup_reply.first_chunk::<32>()?;
        Word(*word).to_u64()?.try_into().ok()
    }

    pub(super) fn validate(&self, sizes: Sizes) -> Result<(), LayoutError> {
        let shape = ReplyShape::of(Kind::RootRollup, sizes);
        if shape.accepts(Kind::RootRollup, &self.root_rollup_reply) {
            return Ok(());
        }
        Err(value(
            4,
            format_args!("root rollup reply length"),
            self.root_rollup_reply.len() as u64,
            format_args!("{}", shape.expected("whole rollup")),
        ))
    }
}
