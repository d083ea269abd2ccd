//! The inner rollups of a root rollup's request, on their way into its reply.

use bytes::Bytes;
use zkwhirl_circuits::root_rollup::INTERACTIONS;
use zkwhirl_job::{
    Word,
    reply::{Bundle, BundleError, BundledInner, fields, tx_rollup_fields},
    request::{DefiInteractionNote, RootRollupRequest},
};

use super::reading::{self, ProofClaim};
use crate::native::setting::{Setting, suite_tag};

/// What a root rollup's request adds to its bundle.
#[derive(Debug)]
pub(crate) struct Inners {
    domain_log2: u32,
    inners: Vec<BundledInner>,
    interactions: Vec<[Word; 6]>,
}

impl Inners {
    /// Reads the replies inside a request that fits the setting's sizes, and
    /// says what every proof in them must verify for.
    pub(crate) fn of(
        request: &RootRollupRequest,
        setting: &Setting,
    ) -> Result<(Self, Vec<ProofClaim>), String> {
        let sizes = setting.sizes();
        let (mut inners, mut claims) = (Vec::new(), Vec::new());
        for (at, reply) in request.inner_proofs.iter().enumerate() {
            let named = |problem: String| format!("inner rollup {at}: {problem}");
            let inner = BundledInner::of_reply(reply, sizes);
            let inner = inner.map_err(|error| named(error.to_string()))?;
            let fields = fields(reply, tx_rollup_fields(sizes.slots()));
            let fields = fields.expect("a reply that was read has its fields");
            let own = reading::tx_rollup(setting, &fields, &inner.tail);
            claims.extend(of_inner(at, own.map_err(|error| named(error.to_string()))?));
            inners.push(inner);
        }
        let notes = request.defi_interaction_notes.iter();
        let mut interactions: Vec<[Word; 6]> = notes.map(words).collect();
        interactions.resize(INTERACTIONS, [Word::ZERO; 6]);
        let inners = Self {
            domain_log2: setting.domain_log2().map_err(|error| error.to_string())?,
            inners,
            interactions,
        };
        Ok((inners, claims))
    }

    /// The reply, with the root rollup's own key and proof.
    pub(crate) fn reply(
        self,
        setting: &Setting,
        broadcast: Vec<Word>,
        (vk, proof): ([u8; 32], [u8; 128]),
    ) -> Result<Bytes, BundleError> {
        Bundle {
            sizes: setting.sizes(),
            domain_log2: self.domain_log2,
            broadcast,
            suite: suite_tag(setting.suite()),
            vk,
            proof,
            inners: self.inners,
            interactions: self.interactions,
        }
        .to_bytes()
    }
}

/// The proofs of inner rollup `at`, called so.
pub(crate) fn of_inner(at: usize, claims: Vec<ProofClaim>) -> impl Iterator<Item = ProofClaim> {
    claims.into_iter().map(move |claim| ProofClaim {
        name: format!("inner rollup {at}: {}", claim.name),
        ..claim
    })
}

/// The words of an interaction note in the order of a bundle.
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
