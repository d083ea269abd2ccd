//! The inner rollups that a root rollup's reply takes over from its request.

use bytes::Bytes;
use zkwhirl_circuits::root_rollup::INTERACTIONS;
use zkwhirl_job::{
    Word,
    reply::{Bundle, BundledInner, ReplyError, fields, tx_rollup_fields},
    request::{DefiInteractionNote, RootRollupRequest},
};

use super::{
    reading,
    reply_proof::{ReadError, ReplyProof},
};
use crate::native::setting::{Setting, suite_tag};

/// The part of a bundle that the root rollup's request determines.
#[derive(Debug)]
pub(crate) struct InnerReplies {
    domain_log2: u32,
    inners: Vec<BundledInner>,
    interactions: Vec<[Word; 6]>,
}

/// A request whose inner rollups' replies cannot be read, or do not fit one
/// bundle: the request is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("inner rollup {at}: {problem}")]
pub struct InnerReplyError {
    /// The index of the inner rollup in the request.
    pub at: usize,
    /// What is wrong with the inner rollup's reply.
    pub problem: ReadError,
}

impl InnerReplies {
    /// Reads the replies inside a request that fits the setting's sizes, and all
    /// proofs in these replies. 2^`domain_log2` is the setting's largest domain.
    pub(super) fn of(
        request: &RootRollupRequest,
        setting: &Setting,
        domain_log2: u32,
    ) -> Result<(Self, Vec<ReplyProof>), InnerReplyError> {
        let sizes = setting.sizes;
        let (mut inners, mut proofs) = (Vec::new(), Vec::new());
        for (at, reply) in request.inner_proofs.iter().enumerate() {
            let failed = |problem| InnerReplyError { at, problem };
            let inner = BundledInner::of_reply(reply, sizes);
            let inner = inner.map_err(|error| failed(error.into()))?;
            let fields = fields(reply, tx_rollup_fields(sizes.slots()));
            let fields = fields.expect("a reply that was read has its fields");
            let own = reading::tx_rollup(setting, &fields, &inner.tail);
            proofs.extend(of_inner(at, own.map_err(failed)?));
            inners.push(inner);
        }
        let notes = request.defi_interaction_notes.iter();
        let mut interactions: Vec<[Word; 6]> = notes.map(words).collect();
        interactions.resize(INTERACTIONS, [Word::ZERO; 6]);
        let inners = Self {
            domain_log2,
            inners,
            interactions,
        };
        Ok((inners, proofs))
    }

    /// Makes the reply, with the root rollup's own key and proof.
    pub(super) fn reply(
        self,
        setting: &Setting,
        broadcast: Vec<Word>,
        (vk, proof): ([u8; 32], [u8; 128]),
    ) -> Result<Bytes, ReplyError> {
        Bundle {
            sizes: setting.sizes,
            domain_log2: self.domain_log2,
            broadcast,
            suite: suite_tag(setting.suite),
            vk,
            proof,
            inners: self.inners,
            interactions: self.interactions,
        }
        .to_bytes()
    }
}

/// The proofs of inner rollup `at`, whose index is added to each proof's name.
pub(super) fn of_inner(at: usize, proofs: Vec<ReplyProof>) -> impl Iterator<Item = ReplyProof> {
    proofs.into_iter().map(move |proof| ReplyProof {
        name: format!("inner rollup {at}: {}", proof.name),
        ..proof
    })
}

fn words(note: &DefiInteractionNote) -> [Word; 6] {
    [
        note.bridge_call_data,
        note.total_input_value,
        note.total_output_value_a,
        note.total_output_value_b,
        u64::from(note.nonce).into(),
        u64::from(note.result).into(),
    ]
}
