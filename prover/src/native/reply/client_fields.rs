//! The clients of a tx rollup: the unpublished fields of their statements, and the
//! client proofs that the reply carries.
//!
//! The words of a tx rollup's tail begin with
//!
//! ```text
//! n ‖ n × (public input 1 before the rollup completed it ‖ inputs 8 to 15) ‖ carried
//! ```
//!
//! Bit i of `carried` is 1 if the tail carries the client proof of tx i. Client
//! proofs are the last proofs of the tail, in the order of the txs. Their keys are
//! the last keys, each at most once: join-split, account, claim.

use std::fmt::Display;

use ark_bn254::Fr;
use zkwhirl_circuits::{
    Circuit, StatementKind, Suite,
    client::{CLIENT_FIELDS, client_digest, client_statement},
    field,
    published::FIELDS_PER_TX,
};
use zkwhirl_job::{
    Word,
    reply::{NativeForm, NativeProof},
    request::{ClientProof, TxRollupRequest, field::PROOF_ID},
};

use super::reply_proof::{ReadError, ReplyProof};
use crate::native::setting::suite_tag;

/// The order of the clients' keys in a tail.
const KEY_ORDER: [StatementKind; 3] = [
    StatementKind::JoinSplit,
    StatementKind::Account,
    StatementKind::Claim,
];
/// The number of words per tx: commitment 1 and the unpublished public inputs.
const WORDS_PER_TX: usize = 1 + CLIENT_FIELDS - FIELDS_PER_TX;
/// The limit of txs in a rollup: `carried` has a bit for each tx.
const MOST: u64 = zkwhirl_job::limits::TXS as u64;

/// The fields of a tx's client, read from a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ClientTx {
    /// The public inputs of the client's statement.
    pub(super) fields: [Fr; CLIENT_FIELDS],
    /// The digest of the fields, which is the public input of the client's proof.
    pub(super) digest: Fr,
    /// Whether the client's proof is in the reply.
    pub(super) carried: bool,
}

/// A native proof that a client attached to its tx.
#[derive(Debug, Clone)]
pub(crate) struct CarriedProof {
    pub(super) tx: usize,
    statement: StatementKind,
    pub(super) vk: [u8; 32],
    pub(super) proof: [u8; 128],
}

/// A client proof that a rollup cannot carry: the request is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("tx {tx}: client proof: {problem}")]
pub struct CarriedProofError {
    /// The index of the tx in the rollup.
    pub tx: usize,
    /// What is wrong with the client proof of the tx.
    pub problem: ClientProofProblem,
}

/// What is wrong with a client's proof.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ClientProofProblem(String);

impl ClientProofProblem {
    fn new(problem: impl Display) -> Self {
        Self(problem.to_string())
    }
}

pub(super) fn circuit(suite: Suite, statement: StatementKind) -> Option<Circuit> {
    let exists = statement.exists_in(suite);
    exists.then_some(Circuit { suite, statement })
}

/// Reads a client's tail: the digest of the verification key, and the proof.
pub(super) fn single_proof(
    suite: Suite,
    tail: &[u8],
) -> Result<([u8; 32], [u8; 128]), ClientProofProblem> {
    let native = NativeProof::parse(tail).map_err(ClientProofProblem::new)?;
    if native.suite != suite_tag(suite) || native.form != NativeForm::Single {
        return Err(ClientProofProblem::new(format_args!(
            "the proof is not a single {suite} proof"
        )));
    }
    Ok((native.vks[0], native.proofs[0]))
}

/// The native client proofs of a request, in the order of the request's txs. In the
/// poseidon suite every tx has a native proof. In the pedersen suite only claims
/// have one; the other txs have PLONK proofs, which this crate does not verify.
pub(super) fn carried(
    request: &TxRollupRequest,
    suite: Suite,
) -> Result<Vec<CarriedProof>, CarriedProofError> {
    let native = |tx: &ClientProof| suite == Suite::Poseidon || tx.is_native();
    let txs = request.txs.iter().enumerate();
    let mut proofs: Vec<CarriedProof> = Vec::new();
    for (at, tx) in txs.filter(|(_, tx)| native(tx)) {
        let failed = |problem| CarriedProofError { tx: at, problem };
        let refused = |problem: &str| failed(ClientProofProblem::new(problem));
        let (vk, proof) = single_proof(suite, &tx.tail).map_err(failed)?;
        let id = tx.public_inputs[PROOF_ID].to_u64();
        let statement = id
            .and_then(client_statement)
            .ok_or_else(|| refused("no statement has the proof id"))?;
        let of_another_key = |other: &CarriedProof| other.statement == statement && other.vk != vk;
        if proofs.iter().any(of_another_key) {
            let problem = "its key differs from the key in an earlier tx";
            return Err(refused(problem));
        }
        proofs.push(CarriedProof {
            tx: at,
            statement,
            vk,
            proof,
        });
    }
    Ok(proofs)
}

/// The digests of the keys of carried proofs, each once, in the tail's order.
pub(super) fn carried_keys(carried: &[CarriedProof]) -> Vec<[u8; 32]> {
    let key = |statement: &StatementKind| {
        let mut proofs = carried.iter();
        proofs.find(|proof| proof.statement == *statement)
    };
    KEY_ORDER
        .iter()
        .filter_map(key)
        .map(|proof| proof.vk)
        .collect()
}

/// Writes the words that a tail holds for the clients of a request.
pub(super) fn to_words(request: &TxRollupRequest, carried: &[CarriedProof]) -> Vec<Word> {
    let mut words = vec![Word::from(request.txs.len() as u64)];
    for tx in &request.txs {
        words.push(tx.public_inputs[1]);
        words.extend(&tx.public_inputs[FIELDS_PER_TX..]);
    }
    let bits = carried.iter().map(|proof| 1u64 << proof.tx);
    words.push(Word::from(bits.sum::<u64>()));
    words
}

/// Reads the clients' fields from a tail's words and from `slots`, the published
/// fields of the txs. Also returns the words after the clients' words.
pub(super) fn read<'a>(
    words: &'a [Word],
    slots: &[Fr],
) -> Result<(Vec<ClientTx>, &'a [Word]), ReadError> {
    let number = |at: usize, most: u64, what: &str| {
        let word = words.get(at).ok_or_else(|| ReadError::words(words.len()))?;
        let number = word.to_u64().filter(|number| *number <= most);
        number
            .ok_or_else(|| ReadError::tail(format_args!("word {at}, the {what}, is out of range")))
    };
    let slots: Vec<&[Fr]> = slots.chunks(FIELDS_PER_TX).collect();
    let n = number(0, MOST.min(slots.len() as u64), "number of txs")? as usize;
    let end = 1 + n * WORDS_PER_TX;
    let most = 1u64.checked_shl(n as u32).unwrap_or(0).wrapping_sub(1);
    let bits = number(end, most, "carried client proofs")?;
    let mut txs = Vec::new();
    for (tx, published) in slots[..n].iter().enumerate() {
        let mut fields = [Fr::from(0u64); CLIENT_FIELDS];
        fields[..FIELDS_PER_TX].copy_from_slice(published);
        let first = 1 + tx * WORDS_PER_TX;
        let places = std::iter::once(1).chain(FIELDS_PER_TX..CLIENT_FIELDS);
        for (place, at) in places.zip(first..) {
            let value = field::from_word(&words[at].0);
            fields[place] = value.ok_or_else(|| ReadError::not_canonical(at))?;
        }
        let digest = client_digest(&fields).ok_or_else(|| {
            ReadError::tail(format_args!(
                "tx {tx} has a proof id without a client statement"
            ))
        })?;
        txs.push(ClientTx {
            fields,
            digest,
            carried: bits >> tx & 1 == 1,
        });
    }
    Ok((txs, &words[end + 1..]))
}

/// The statements of the carried proofs, in the order of the keys in the tail.
pub(super) fn carried_statements(txs: &[ClientTx]) -> Vec<StatementKind> {
    let carried = |statement: &StatementKind| {
        let mut txs = txs.iter().filter(|tx| tx.carried);
        txs.any(|tx| tx.statement() == *statement)
    };
    KEY_ORDER.into_iter().filter(carried).collect()
}

impl CarriedProof {
    /// The proof with its circuit in `suite` and its public input `digest`.
    pub(super) fn to_verify(
        &self,
        suite: Suite,
        digest: Fr,
    ) -> Result<ReplyProof, CarriedProofError> {
        let circuit = circuit(suite, self.statement).ok_or_else(|| CarriedProofError {
            tx: self.tx,
            problem: ClientProofProblem::new("no circuit of this release verifies the proof"),
        })?;
        Ok(ReplyProof {
            name: name(self.tx),
            circuit,
            vk: self.vk,
            public_input: digest,
            proof: self.proof,
        })
    }
}

pub(super) fn name(tx: usize) -> String {
    format!("client proof of tx {tx}")
}

impl ClientTx {
    pub(super) fn statement(&self) -> StatementKind {
        let id = field::small(&self.fields[PROOF_ID]);
        id.and_then(client_statement)
            .expect("a tx with a digest has a statement")
    }
}
