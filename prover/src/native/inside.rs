//! What a request carries into its reply: the proofs that were made before.

use bytes::{BufMut, Bytes, BytesMut};
use zkwhirl_circuits::{Suite, client::client_tag};
use zkwhirl_job::{
    Request, Sizes, Word,
    reply::{
        Bundle, BundleError, BundledInner, ClientWords, NativeForm, NativeProof, TxWords, fields,
        tx_rollup_fields,
    },
    request::{DefiInteractionNote, RootRollupRequest, TxRollupRequest},
};

use super::{
    engine::suite_tag,
    pieces::{self, CLIENT_TAGS, Piece},
    rollup::{inner_domain_log2, named, root_size},
};

/// The proofs inside a request.
#[derive(Debug)]
pub(super) enum Inside {
    /// None: a claim.
    Nothing,
    /// Those of a tx rollup's clients.
    Clients(Carried),
    /// Those of a root rollup's inner rollups.
    Inners(Inners),
}

/// What a root rollup's request adds to its bundle.
#[derive(Debug)]
pub(super) struct Inners {
    domain_log2: u32,
    inners: Vec<BundledInner>,
    interactions: Vec<[Word; 6]>,
}

impl Inside {
    /// Takes a request's proofs, and says what each must verify for.
    pub(super) fn of(
        request: &Request,
        suite: Suite,
        sizes: Sizes,
    ) -> Result<(Self, Vec<Piece>), String> {
        match request {
            Request::Claim(_) | Request::RootVerifier(_) => Ok((Self::Nothing, Vec::new())),
            Request::TxRollup(request) => {
                let carried = Carried::of(suite, request)?;
                let pieces = carried.pieces(suite, request)?;
                Ok((Self::Clients(carried), pieces))
            }
            Request::RootRollup(request) => inners(request, suite, sizes),
        }
    }

    /// The reply: the words that it must start with, then a tail with the
    /// request's proofs and the new one.
    pub(super) fn reply(
        self,
        (suite, sizes): (Suite, Sizes),
        words: Vec<Word>,
        vk: [u8; 32],
        proof: [u8; 128],
    ) -> Result<Bytes, BundleError> {
        let suite = suite_tag(suite);
        let tail = match self {
            Self::Nothing => NativeProof::single(suite, vk, proof),
            Self::Clients(carried) => NativeProof {
                suite,
                form: NativeForm::TxRollup,
                vks: [vec![vk], carried.vks].concat(),
                words: carried.words,
                proofs: [vec![proof], carried.proofs].concat(),
            },
            Self::Inners(Inners {
                domain_log2,
                inners,
                interactions,
            }) => {
                let bundle = Bundle {
                    sizes,
                    domain_log2,
                    broadcast: words,
                    suite,
                    vk,
                    proof,
                    inners,
                    interactions,
                };
                return bundle.to_bytes();
            }
        };
        let tail = tail.to_bytes();
        let mut reply = BytesMut::with_capacity(32 * words.len() + tail.len());
        words.iter().for_each(|word| reply.put_slice(&word.0));
        reply.put_slice(&tail);
        Ok(reply.freeze())
    }
}

/// The inner rollups of a root rollup's request.
fn inners(
    request: &RootRollupRequest,
    suite: Suite,
    sizes: Sizes,
) -> Result<(Inside, Vec<Piece>), String> {
    root_size(sizes)?;
    let (mut inners, mut all) = (Vec::new(), Vec::new());
    for (at, reply) in request.inner_proofs.iter().enumerate() {
        let problem = |problem: String| format!("inner rollup {at}: {problem}");
        let inner = BundledInner::of_reply(reply, sizes);
        let inner = inner.map_err(|error| problem(error.to_string()))?;
        let fields = fields(reply, tx_rollup_fields(sizes.slots()));
        let fields = fields.expect("a reply that was read has its fields");
        let parts = pieces::tx_rollup(suite, sizes.txs_per_inner(), &fields, &inner.tail);
        all.extend(named(at, parts.map_err(problem)?.pieces));
        inners.push(inner);
    }
    let mut interactions: Vec<[Word; 6]> =
        request.defi_interaction_notes.iter().map(words).collect();
    interactions.resize(32, [Word::ZERO; 6]);
    let inners = Inners {
        domain_log2: inner_domain_log2(suite, sizes),
        inners,
        interactions,
    };
    Ok((Inside::Inners(inners), all))
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

/// What a tx rollup's request carries of its clients: words, keys and proofs
/// as they stand in the reply's tail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Carried {
    pub(super) words: Vec<Word>,
    pub(super) vks: Vec<[u8; 32]>,
    pub(super) proofs: Vec<[u8; 128]>,
}

impl Carried {
    /// What each carried proof must verify for.
    fn pieces(&self, suite: Suite, request: &TxRollupRequest) -> Result<Vec<Piece>, String> {
        let mut txs = Vec::new();
        for (at, tx) in request.txs.iter().enumerate() {
            let inputs = pieces::client_inputs(&tx.public_inputs);
            let inputs = inputs.map_err(|problem| format!("tx {at}: {problem}"))?;
            txs.push((inputs, tx.is_native()));
        }
        let (_, pieces) = pieces::client_pieces(suite, &txs, &self.vks, &self.proofs)?;
        Ok(pieces)
    }

    /// Reads the native client proofs of a request; others are not carried.
    pub(super) fn of(suite: Suite, request: &TxRollupRequest) -> Result<Self, String> {
        let mut carried = Self::default();
        let mut clients = ClientWords::default();
        let mut keys = [None; CLIENT_TAGS.len()];
        for (at, tx) in request.txs.iter().enumerate() {
            let native = tx.is_native();
            let words = TxWords::of(&tx.public_inputs, native);
            clients.txs.push(words);
            if native {
                let problem = |problem: String| format!("tx {at}: client proof: {problem}");
                let proof = carried_proof(suite, tx.public_inputs[0], &tx.tail, &mut keys);
                carried.proofs.push(proof.map_err(problem)?);
            }
        }
        carried.words = clients.to_words();
        carried.vks = keys.into_iter().flatten().collect();
        Ok(carried)
    }
}

/// The proof of a client's tail; its key is kept at the place of its tag.
fn carried_proof(
    suite: Suite,
    proof_id: Word,
    tail: &[u8],
    keys: &mut [Option<[u8; 32]>; CLIENT_TAGS.len()],
) -> Result<[u8; 128], String> {
    let tail = NativeProof::parse(tail).map_err(|error| error.to_string())?;
    if tail.form != NativeForm::Single || tail.suite != suite_tag(suite) {
        return Err(format!("it does not stand alone in the {suite} suite"));
    }
    let tag = proof_id.to_u64().and_then(client_tag);
    let place = CLIENT_TAGS
        .iter()
        .position(|(known, _)| Some(*known) == tag);
    let place = place.ok_or_else(|| "no tx has this proof id".to_owned())?;
    let vk = tail.vks[0];
    if *keys[place].get_or_insert(vk) != vk {
        return Err(format!(
            "it names another {} key than a tx before",
            CLIENT_TAGS[place].1
        ));
    }
    Ok(tail.proofs[0])
}
