//! The clients of a tx rollup: the fields of their statements that are not
//! published, and those of their proofs that stand in the reply.
//!
//! The words of a tx rollup's tail begin with
//!
//! ```text
//! n ‖ n × (public input 1 before the rollup completed it ‖ inputs 8 to 15) ‖ carried
//! ```
//!
//! Bit i of `carried` says that the client proof of tx i is among the tail's
//! proofs. Client proofs are the last proofs, in the order of the txs. Their
//! keys are the last keys, each once: join-split, account, claim.

use ark_bn254::Fr;
use zkwhirl_circuits::{
    Circuit, StatementKind, Suite,
    client::{CLIENT_FIELDS, client_digest, client_statement},
    field,
    published::FIELDS_PER_TX,
};
use zkwhirl_job::{
    Word,
    reply::{NativeForm, NativeProof, ReplyError},
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
/// Words of a tx: commitment 1, and the public inputs that are not published.
const WORDS_PER_TX: usize = 1 + CLIENT_FIELDS - FIELDS_PER_TX;
/// The most txs of a rollup: `carried` has a bit for each.
const MOST: u64 = zkwhirl_job::limits::TXS as u64;

/// The client's fields of a tx, read from a tail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ClientTx {
    /// The client's public inputs.
    pub(super) fields: [Fr; CLIENT_FIELDS],
    /// The digest of the fields: the public input of the client's proof.
    pub(super) digest: Fr,
    /// Whether the client's proof is in the reply.
    pub(super) carried: bool,
}

/// A native proof that a client attached to its tx.
#[derive(Debug, Clone)]
pub(crate) struct CarriedProof {
    pub(super) tx: usize,
    statement: StatementKind,
    pub(crate) vk: [u8; 32],
    pub(crate) proof: [u8; 128],
}

/// A client proof that a rollup cannot carry: the request is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("tx {tx}: client proof: {problem}")]
pub struct CarriedProofError {
    /// The tx.
    pub tx: usize,
    /// What is wrong with its client's proof.
    pub problem: ClientProofProblem,
}

/// What is wrong with a client's proof.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientProofProblem {
    /// The bytes behind the public inputs are no native proof.
    #[error(transparent)]
    Tail(#[from] ReplyError),
    /// The tail is of another suite, or has more than one proof.
    #[error("it is no single proof of the {0} suite")]
    Form(Suite),
    /// No client statement has the tx's proof id.
    #[error("its proof id has no statement")]
    ProofId,
    /// An earlier tx of the same statement names another key.
    #[error("it is of another key than the one of an earlier tx")]
    OtherKey,
    /// This release has no circuit for the statement in this suite.
    #[error("no circuit of this release verifies it")]
    NoCircuit,
}

/// The circuit of a client's statement, if this release has one in the suite.
pub(super) fn circuit(suite: Suite, statement: StatementKind) -> Option<Circuit> {
    let exists = statement.exists_in(suite);
    exists.then_some(Circuit { suite, statement })
}

/// The digest of the key and the proof of a client's tail.
pub(super) fn single_proof(
    suite: Suite,
    tail: &[u8],
) -> Result<([u8; 32], [u8; 128]), ClientProofProblem> {
    let native = NativeProof::parse(tail)?;
    if native.suite != suite_tag(suite) || native.form != NativeForm::Single {
        return Err(ClientProofProblem::Form(suite));
    }
    Ok((native.vks[0], native.proofs[0]))
}

/// The native client proofs of a request, in the order of its txs. In the
/// poseidon suite every tx has one. Clients of the pedersen suite, claims
/// excepted, have PLONK proofs, which this crate does not verify.
pub(super) fn carried(
    request: &TxRollupRequest,
    suite: Suite,
) -> Result<Vec<CarriedProof>, CarriedProofError> {
    let native = |tx: &ClientProof| suite == Suite::Poseidon || tx.is_native();
    let txs = request.txs.iter().enumerate();
    let mut proofs: Vec<CarriedProof> = Vec::new();
    for (at, tx) in txs.filter(|(_, tx)| native(tx)) {
        let failed = |problem| CarriedProofError { tx: at, problem };
        let (vk, proof) = single_proof(suite, &tx.tail).map_err(failed)?;
        let id = tx.public_inputs[PROOF_ID].to_u64();
        let statement = id
            .and_then(client_statement)
            .ok_or_else(|| failed(ClientProofProblem::ProofId))?;
        let of_another_key = |other: &CarriedProof| other.statement == statement && other.vk != vk;
        if proofs.iter().any(of_another_key) {
            return Err(failed(ClientProofProblem::OtherKey));
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

/// The keys of carried proofs, each once, in a tail's order.
pub(crate) fn carried_keys(carried: &[CarriedProof]) -> Vec<[u8; 32]> {
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

/// The words with which a tail carries the fields of a request's clients.
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

/// Reads the clients' fields from a tail's words and the published fields of
/// the slots. The second value is the rest of the words.
pub(super) fn read<'a>(
    words: &'a [Word],
    slots: &[Fr],
) -> Result<(Vec<ClientTx>, &'a [Word]), ReadError> {
    let number = |at: usize, most: u64, what| {
        let word = words.get(at).ok_or(ReadError::Words(words.len()))?;
        let number = word.to_u64().filter(|number| *number <= most);
        number.ok_or(ReadError::Number { what, at })
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
            fields[place] = field::from_word(&words[at].0).ok_or(ReadError::NotCanonical(at))?;
        }
        txs.push(ClientTx {
            fields,
            digest: client_digest(&fields).ok_or(ReadError::ProofId(tx))?,
            carried: bits >> tx & 1 == 1,
        });
    }
    Ok((txs, &words[end + 1..]))
}

/// The statements whose proofs are carried, in the order of their keys.
pub(super) fn carried_statements(txs: &[ClientTx]) -> Vec<StatementKind> {
    let carried = |statement: &StatementKind| {
        let mut txs = txs.iter().filter(|tx| tx.carried);
        txs.any(|tx| tx.statement() == *statement)
    };
    KEY_ORDER.into_iter().filter(carried).collect()
}

impl CarriedProof {
    /// The proof with its public input: the client's digest in the rollup.
    pub(super) fn to_verify(
        &self,
        suite: Suite,
        digest: Fr,
    ) -> Result<ReplyProof, CarriedProofError> {
        let circuit = circuit(suite, self.statement).ok_or(CarriedProofError {
            tx: self.tx,
            problem: ClientProofProblem::NoCircuit,
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

/// The name of a client's proof in messages.
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
