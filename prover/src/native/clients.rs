//! The clients of a tx rollup: what their statements say beyond the published
//! fields, and those of their proofs that stand in the reply.
//!
//! The words of a tx rollup's tail begin with
//!
//! ```text
//! n ‖ n × (public input 1 before the rollup completed it ‖ inputs 8 to 15) ‖ carried
//! ```
//!
//! Bit i of `carried` says that the proof of tx i's client is among the tail's
//! proofs: the last ones, in the order of the txs. Their keys are the last
//! ones, each once: join-split, account, claim.

use ark_bn254::Fr;
use zkwhirl_circuits::{
    Circuit, StatementKind, Suite,
    client::{CLIENT_FIELDS, client_digest, client_tag},
    field,
    published::{FIELDS_PER_TX, tag},
};
use zkwhirl_job::{
    Word,
    reply::{NativeForm, NativeProof},
    request::{ClientProof, TxRollupRequest},
};

use super::{
    engine::suite_tag,
    reading::{ProofClaim, ReadError},
};

/// The order of the clients' keys in a tail.
const KEY_ORDER: [u64; 3] = [tag::JOIN_SPLIT, tag::ACCOUNT, tag::CLAIM];
/// Words of a tx: commitment 1, and the public inputs that no field shows.
const WORDS_PER_TX: usize = 1 + CLIENT_FIELDS - FIELDS_PER_TX;
/// The most txs of a rollup, so that a word has a bit for each.
const MOST: u64 = zkwhirl_job::limits::TXS as u64;

/// What a tail says about a tx.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ClientTx {
    /// The client's public inputs.
    pub(super) fields: [Fr; CLIENT_FIELDS],
    /// The client's public input: its digest.
    pub(super) digest: Fr,
    /// Whether the client's proof is in the reply.
    pub(super) carried: bool,
}

/// A native proof that a client attached to its tx.
#[derive(Debug, Clone)]
pub(super) struct CarriedProof {
    pub(super) tx: usize,
    /// The statement's tag.
    tag: u64,
    pub(super) vk: [u8; 32],
    pub(super) proof: [u8; 128],
}

/// A client proof that a rollup cannot carry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("tx {tx}: client proof: {problem}")]
pub struct ClientError {
    /// The tx.
    pub tx: usize,
    /// What is wrong with its client's proof.
    pub problem: String,
}

/// The circuit of a client's statement, by its tag; `None` where this release
/// has none.
pub(super) fn circuit(suite: Suite, tag: u64) -> Option<Circuit> {
    let statement = match tag {
        tag::JOIN_SPLIT => StatementKind::JoinSplit,
        tag::ACCOUNT => StatementKind::Account,
        tag::CLAIM => StatementKind::Claim,
        _ => return None,
    };
    let exists = statement.exists_in(suite);
    exists.then_some(Circuit { suite, statement })
}

/// The native client proofs of a request, in the order of its txs. In the
/// poseidon suite every tx has one; other clients of the pedersen suite have
/// PLONK proofs, which nobody verifies here.
pub(super) fn carried(
    request: &TxRollupRequest,
    suite: Suite,
) -> Result<Vec<CarriedProof>, ClientError> {
    let native = |tx: &ClientProof| suite == Suite::Poseidon || tx.is_native();
    let txs = request.txs.iter().enumerate();
    let mut proofs: Vec<CarriedProof> = Vec::new();
    for (at, tx) in txs.filter(|(_, tx)| native(tx)) {
        let failed = |problem: String| ClientError { tx: at, problem };
        let tail = NativeProof::parse(&tx.tail).map_err(|error| failed(error.to_string()))?;
        if tail.suite != suite_tag(suite) || tail.form != NativeForm::Single {
            return Err(failed(format!(
                "it is no single proof of the {suite} suite"
            )));
        }
        let id = tx.public_inputs[0].to_u64();
        let tag = id
            .and_then(client_tag)
            .ok_or_else(|| failed("its proof id has no statement".to_owned()))?;
        let vk = tail.vks[0];
        if proofs
            .iter()
            .any(|other| other.tag == tag && other.vk != vk)
        {
            let other = "it is of another key than the one of an earlier tx";
            return Err(failed(other.to_owned()));
        }
        proofs.push(CarriedProof {
            tx: at,
            tag,
            vk,
            proof: tail.proofs[0],
        });
    }
    Ok(proofs)
}

/// The keys of carried proofs, each once, in a tail's order.
pub(super) fn keys(carried: &[CarriedProof]) -> Vec<[u8; 32]> {
    let key = |tag: &u64| carried.iter().find(|proof| proof.tag == *tag);
    KEY_ORDER
        .iter()
        .filter_map(key)
        .map(|proof| proof.vk)
        .collect()
}

/// The words of a request's clients.
pub(super) fn words(request: &TxRollupRequest, carried: &[CarriedProof]) -> Vec<Word> {
    let mut words = vec![Word::from(request.txs.len() as u64)];
    for tx in &request.txs {
        words.push(tx.public_inputs[1]);
        words.extend(&tx.public_inputs[FIELDS_PER_TX..]);
    }
    let bits = carried.iter().map(|proof| 1u64 << proof.tx);
    words.push(Word::from(bits.sum::<u64>()));
    words
}

/// Reads the clients' words, given the published fields of the slots; gives
/// the words behind them as well.
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

/// The tags of the statements whose proofs are carried, in the order of their
/// keys.
pub(super) fn carried_tags(txs: &[ClientTx]) -> Vec<u64> {
    let carried = |tag: &u64| txs.iter().any(|tx| tx.carried && tx.tag() == *tag);
    KEY_ORDER.into_iter().filter(carried).collect()
}

impl CarriedProof {
    /// What it must verify for: the client's digest in the rollup.
    pub(super) fn claim(&self, suite: Suite, digest: Fr) -> Result<ProofClaim, ClientError> {
        let circuit = circuit(suite, self.tag).ok_or_else(|| ClientError {
            tx: self.tx,
            problem: "no circuit of this release verifies it".to_owned(),
        })?;
        Ok(ProofClaim {
            name: name(self.tx),
            circuit,
            vk: self.vk,
            public_input: digest,
            proof: self.proof,
        })
    }
}

/// What a client's proof is called.
pub(super) fn name(tx: usize) -> String {
    format!("client proof of tx {tx}")
}

impl ClientTx {
    pub(super) fn tag(&self) -> u64 {
        let id = field::small(&self.fields[0]);
        id.and_then(client_tag)
            .expect("a tx with a digest has a statement")
    }
}
