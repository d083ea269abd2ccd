//! The proofs of a reply, one by one, with all that each must verify for.
//!
//! **The boundary of what replies consist of:** whoever reads a form of native
//! tail turns it into [`Piece`]s here, and [`verify_all`] is the one place
//! where proofs are accepted.

use ark_bn254::Fr;
use zkwhirl_circuits::{
    Circuit, StatementKind, Suite,
    client::{CLIENT_FIELDS, client_digest, client_tag},
    field,
    published::{FIELDS_PER_TX, Published, place, tag},
};
use zkwhirl_job::{
    Word,
    reply::{ClientWords, NativeForm, NativeProof},
};

use super::{
    batch::{Entry, verify_batch},
    engine::suite_tag,
    vks::Vks,
};

/// One proof of a reply, and what it must verify for.
#[derive(Debug, Clone)]
pub struct Piece {
    /// Which proof it is: `inner rollup 3: the client of tx 1`.
    pub what: String,
    /// The statement's circuit.
    pub circuit: Circuit,
    /// The key that the reply names.
    pub vk: [u8; 32],
    pub(super) public_input: Fr,
    pub(super) proof: [u8; 128],
}

/// Why a reply is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The reply is wrong: what is wrong with it.
    #[error("{0}")]
    Reply(String),
    /// A verification key is missing or cannot be read: nothing is known about
    /// the reply.
    #[error("{0}")]
    Key(String),
}

impl From<String> for VerifyError {
    fn from(reason: String) -> Self {
        Self::Reply(reason)
    }
}

/// Verifies proofs of any circuits in one batch; names the first bad one.
pub(super) fn verify_all(keys: &Vks, pieces: &[Piece]) -> Result<(), VerifyError> {
    let mut own = Vec::new();
    for piece in pieces {
        let key = keys
            .key(&piece.circuit, piece.vk)
            .map_err(VerifyError::Key)?;
        if key.digest != piece.vk {
            return Err(VerifyError::Reply(format!(
                "{}: it names verification key {}, this verifier has {} for {}",
                piece.what,
                hex::encode(&piece.vk[..8]),
                hex::encode(&key.digest[..8]),
                piece.circuit,
            )));
        }
        own.push(key);
    }
    let entries: Vec<Entry<'_>> = pieces
        .iter()
        .zip(&own)
        .map(|(piece, key)| Entry {
            key,
            public_input: piece.public_input,
            proof: &piece.proof,
        })
        .collect();
    verify_batch(&entries)
        .map_err(|bad| VerifyError::Reply(format!("{}: {}", pieces[bad.at].what, bad.problem)))
}

/// The one proof of a statement that stands alone.
pub(super) fn single(
    what: &str,
    circuit: Circuit,
    public_input: Fr,
    tail: &NativeProof,
) -> Result<Piece, String> {
    if tail.form != NativeForm::Single {
        return Err(format!(
            "{what}: a tail of form {} where one is expected that stands alone",
            tail.form as u8
        ));
    }
    Ok(Piece {
        what: what.to_owned(),
        circuit,
        vk: tail.vks[0],
        public_input,
        proof: tail.proofs[0],
    })
}

/// The proofs of a tx rollup's reply, those of its clients last.
#[derive(Debug, Clone)]
pub(super) struct TxRollupPieces {
    pub(super) pieces: Vec<Piece>,
    pub(super) txs: Vec<TxInputs>,
}

/// Takes a tx rollup's reply apart: its published fields, and what follows
/// them. `txs` is what an inner rollup holds.
pub(super) fn tx_rollup(
    suite: Suite,
    txs: u32,
    fields: &[Word],
    tail: &NativeProof,
) -> Result<TxRollupPieces, String> {
    if tail.suite != suite_tag(suite) {
        return Err(format!("the proofs are not of the {suite} suite"));
    }
    if tail.form != NativeForm::TxRollup {
        return Err(format!(
            "a tail of form {} where a tx rollup's is expected",
            tail.form as u8
        ));
    }
    let statement = StatementKind::TxRollup { txs };
    let expected = statement.published_fields();
    if fields.len() != expected {
        return Err(format!(
            "{} published fields, expected {expected}",
            fields.len()
        ));
    }
    let (clients, rest) = ClientWords::read(&tail.words, txs).map_err(|e| e.to_string())?;
    if !rest.is_empty() {
        return Err(format!("{} words follow those of the txs", rest.len()));
    }
    let txs = client_fields(&clients, fields)?;
    let (vks, proofs) = (&tail.vks[1..], &tail.proofs[1..]);
    let (mut digests, pieces) = client_pieces(suite, &txs, vks, proofs)?;
    digests.resize(statement.slots(), Fr::default());
    let words: Vec<[u8; 32]> = fields.iter().map(|word| word.0).collect();
    let published =
        Published::from_words(statement, &words, &digests).map_err(|error| error.to_string())?;
    if proofs.len() != pieces.len() {
        return Err(format!(
            "{} proofs, expected {}",
            tail.proofs.len(),
            1 + pieces.len()
        ));
    }
    let rollup = Piece {
        what: "the tx rollup".to_owned(),
        circuit: Circuit { suite, statement },
        vk: tail.vks[0],
        public_input: published.public_input(),
        proof: tail.proofs[0],
    };
    let pieces = std::iter::once(rollup).chain(pieces).collect();
    Ok(TxRollupPieces { pieces, txs })
}

/// All 16 public inputs of a tx, and whether its client's proof is carried.
pub(super) type TxInputs = ([Fr; CLIENT_FIELDS], bool);

/// The public inputs of each client, from the words and the published fields.
fn client_fields(clients: &ClientWords, fields: &[Word]) -> Result<Vec<TxInputs>, String> {
    let (slots, _) = fields[place::TXS..].as_chunks::<FIELDS_PER_TX>();
    let txs = clients.txs.iter().zip(slots).enumerate();
    txs.map(|(at, (tx, slot))| {
        let inputs = client_inputs(&tx.fields(slot));
        let inputs = inputs.map_err(|problem| format!("tx {at}: {problem}"))?;
        Ok((inputs, tx.carried))
    })
    .collect()
}

/// The public inputs of a client from their words.
pub(super) fn client_inputs(words: &[Word; CLIENT_FIELDS]) -> Result<[Fr; CLIENT_FIELDS], String> {
    let mut inputs = [Fr::default(); CLIENT_FIELDS];
    for (place, (input, word)) in inputs.iter_mut().zip(words).enumerate() {
        *input = field::from_word(&word.0)
            .ok_or_else(|| format!("public input {place} is not canonical"))?;
    }
    Ok(inputs)
}

/// The tags of clients' statements, in the order in which a tail names their
/// keys.
pub(super) const CLIENT_TAGS: [(u64, &str); 3] = [
    (tag::JOIN_SPLIT, "join-split"),
    (tag::ACCOUNT, "account"),
    (tag::CLAIM, "claim"),
];

/// The digest of each client's statement, and the proofs that are carried: the
/// last of `proofs`, under the last of `vks`. In the poseidon suite all are.
pub(super) fn client_pieces(
    suite: Suite,
    txs: &[TxInputs],
    vks: &[[u8; 32]],
    proofs: &[[u8; 128]],
) -> Result<(Vec<Fr>, Vec<Piece>), String> {
    let mut statements = Vec::new();
    for (at, (inputs, carried)) in txs.iter().enumerate() {
        if suite == Suite::Poseidon && !carried {
            return Err(format!("tx {at}: it has no native client proof"));
        }
        let tag = field::small(&inputs[0]).and_then(client_tag);
        let statement = tag.zip(client_digest(inputs));
        statements.push(statement.ok_or_else(|| format!("tx {at}: no tx has this proof id"))?);
    }
    let carried: Vec<usize> = (0..txs.len()).filter(|at| txs[*at].1).collect();
    let used = |tag: u64| carried.iter().any(|at| statements[*at].0 == tag);
    let tags: Vec<(u64, &str)> = CLIENT_TAGS
        .into_iter()
        .filter(|(tag, _)| used(*tag))
        .collect();
    if vks.len() < tags.len() || proofs.len() < carried.len() {
        return Err(format!(
            "its clients have {} keys and {} proofs, not {} and {}",
            tags.len(),
            carried.len(),
            vks.len(),
            proofs.len()
        ));
    }
    let vks = &vks[vks.len() - tags.len()..];
    let proofs = &proofs[proofs.len() - carried.len()..];
    let mut pieces = Vec::new();
    for (at, proof) in carried.into_iter().zip(proofs) {
        let (tag, public_input) = statements[at];
        let key = tags.iter().position(|(used, _)| *used == tag);
        let key = key.expect("the tags are those of the carried proofs");
        pieces.push(Piece {
            what: format!("the client of tx {at}"),
            circuit: client_circuit(suite, tags[key].1)?,
            vk: vks[key],
            public_input,
            proof: *proof,
        });
    }
    let digests = statements.into_iter().map(|(_, digest)| digest).collect();
    Ok((digests, pieces))
}

/// The circuit of a client's statement, by its name.
fn client_circuit(suite: Suite, name: &str) -> Result<Circuit, String> {
    let name = format!("{name}/{suite}");
    name.parse()
        .map_err(|_| format!("this release has no circuit {name}"))
}
