//! Reading of native replies: what each proof in them must verify for.
//!
//! Nothing here needs the request or a key. Whoever verifies every
//! [`ProofClaim`] of a reply knows that its published fields are a statement.

use ark_bn254::Fr;
use zkwhirl_circuits::{
    Circuit, Plan, SeamError, Seams, StatementKind, Suite, TooLarge, field,
    published::{Published, PublishedError, place},
};
use zkwhirl_job::{
    Word,
    reply::{NativeForm, NativeProof, SuiteTag},
};

use super::{
    clients::{self, ClientTx},
    engine::suite_tag,
    setting::Setting,
};

/// A proof with all that verifying it takes, except the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofClaim {
    /// Which proof of the reply: `claim`, `segment 2 of 3`, `client proof of tx 4`.
    pub name: String,
    /// The circuit.
    pub circuit: Circuit,
    /// The digest of the verification key that the reply names.
    pub vk: [u8; 32],
    /// The public input that follows from the reply's words.
    pub public_input: Fr,
    /// A ‖ B ‖ C, compressed.
    pub proof: [u8; 128],
}

/// Words and proofs that are no native reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The published fields belong to no statement.
    #[error(transparent)]
    Published(#[from] PublishedError),
    /// The inner rollup has no circuits.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// The words between pieces are not those of a chain of this cut.
    #[error(transparent)]
    Seams(#[from] SeamError),
    /// Proofs of other statements.
    #[error("the proof is of suite {:?} and form {form:?}, must be {} and {must:?}", .suite, .must_suite)]
    Form {
        /// The suite that the tail names.
        suite: SuiteTag,
        /// The suite that is verified.
        must_suite: String,
        /// The form that the tail names.
        form: NativeForm,
        /// The form that is expected.
        must: NativeForm,
    },
    /// The words end early, or go on.
    #[error("{0} words beside the published fields are too few or too many")]
    Words(usize),
    /// A number that is out of its range.
    #[error("word {at}, the {what}, is out of range")]
    Number {
        /// What the word is.
        what: &'static str,
        /// Its place.
        at: usize,
    },
    /// A word is not below the modulus.
    #[error("word {0} is not a canonical field element")]
    NotCanonical(usize),
    /// A tx has a proof id that no client's statement has.
    #[error("tx {0} has a proof id without a client statement")]
    ProofId(usize),
    /// A client's proof is missing, in the suite whose clients all have one.
    #[error("tx {0} has no native client proof")]
    NotCarried(usize),
    /// A client's proof is carried that no circuit of this release verifies.
    #[error("no circuit of this release verifies the client proof of tx {0}")]
    Client(usize),
    /// Too few or too many keys or proofs.
    #[error("{got} {what}, expected {expected}")]
    Count {
        /// Of what.
        what: &'static str,
        /// How many there are.
        got: usize,
        /// How many follow from the words.
        expected: usize,
    },
}

/// The one proof of a claim's reply.
pub(super) fn claim(
    setting: &Setting,
    fields: &[Word],
    tail: &NativeProof,
) -> Result<Vec<ProofClaim>, ReadError> {
    expect_form(setting, tail, NativeForm::Single)?;
    let circuit = Circuit {
        suite: setting.suite(),
        statement: StatementKind::Claim,
    };
    let published = Published::from_words(circuit.statement, &bytes(fields), &[])?;
    Ok(vec![ProofClaim {
        name: "claim".to_owned(),
        circuit,
        vk: tail.vks[0],
        public_input: published.public_input(),
        proof: tail.proofs[0],
    }])
}

/// The proofs of a tx rollup's reply: its own, then those of its clients.
pub fn tx_rollup(
    setting: &Setting,
    fields: &[Word],
    tail: &NativeProof,
) -> Result<Vec<ProofClaim>, ReadError> {
    tx_rollup_with_txs(setting, fields, tail).map(|(claims, _)| claims)
}

/// [`tx_rollup`], with what the reply says about each tx.
pub(super) fn tx_rollup_with_txs(
    setting: &Setting,
    fields: &[Word],
    tail: &NativeProof,
) -> Result<(Vec<ProofClaim>, Vec<ClientTx>), ReadError> {
    let plan = setting.plan()?;
    expect_form(setting, tail, form(&plan))?;
    let kind = StatementKind::TxRollup {
        txs: setting.sizes().txs_per_inner(),
    };
    let words = bytes(fields);
    // Clients' digests need the fields before they can be part of them.
    let mut digests = vec![Fr::from(0u64); kind.slots()];
    let published = Published::from_words(kind, &words, &digests)?;
    let slots = &published.fields()[place::TXS..];
    let (txs, rest) = clients::read(&tail.words, slots)?;
    for (digest, tx) in digests.iter_mut().zip(&txs) {
        *digest = tx.digest;
    }
    let published = Published::from_words(kind, &words, &digests)?;
    let own = own_proofs(&plan, &published, &txs, rest, tail)?;
    let claims = with_proofs(setting, &plan, own, &txs, tail)?;
    Ok((claims, txs))
}

/// How the tails of a plan's replies are marked.
pub(super) fn form(plan: &Plan) -> NativeForm {
    match plan {
        Plan::Whole(_) => NativeForm::TxRollup,
        Plan::Chain(_) => NativeForm::TxRollupChain,
    }
}

fn expect_form(setting: &Setting, tail: &NativeProof, must: NativeForm) -> Result<(), ReadError> {
    let must_suite = setting.suite();
    if tail.suite == suite_tag(must_suite) && tail.form == must {
        return Ok(());
    }
    Err(ReadError::Form {
        suite: tail.suite,
        must_suite: must_suite.to_string(),
        form: tail.form,
        must,
    })
}

/// Name, circuit and public input of each proof of the rollup's own.
fn own_proofs(
    plan: &Plan,
    published: &Published,
    txs: &[ClientTx],
    rest: &[Word],
    tail: &NativeProof,
) -> Result<Vec<(String, Circuit, Fr)>, ReadError> {
    let seams = match plan {
        Plan::Whole(_) => [0, 0],
        Plan::Chain(chain) => chain.seams(txs.len()),
    };
    if rest.len() != seams[0] + seams[1] {
        return Err(ReadError::Words(tail.words.len()));
    }
    let first = tail.words.len() - rest.len();
    let rest: Vec<Fr> = (first..)
        .zip(rest)
        .map(|(at, word)| field::from_word(&word.0).ok_or(ReadError::NotCanonical(at)))
        .collect::<Result<_, _>>()?;
    match plan {
        Plan::Whole(circuit) => {
            let name = "tx rollup".to_owned();
            Ok(vec![(name, *circuit, published.public_input())])
        }
        Plan::Chain(chain) => {
            let (states, null_roots) = rest.split_at(seams[0]);
            let seams = Seams {
                states: states.to_vec(),
                null_roots: null_roots.to_vec(),
            };
            let allow_chain: Vec<Fr> = txs.iter().map(|tx| tx.fields[15]).collect();
            let inputs = chain.public_inputs(published, &allow_chain, &seams)?;
            let pieces = chain.pieces(txs.len()).into_iter().zip(inputs);
            Ok(pieces
                .map(|(piece, input)| (piece.name, piece.circuit, input))
                .collect())
        }
    }
}

/// Gives each statement its key and its proof.
fn with_proofs(
    setting: &Setting,
    plan: &Plan,
    mut statements: Vec<(String, Circuit, Fr)>,
    txs: &[ClientTx],
    tail: &NativeProof,
) -> Result<Vec<ProofClaim>, ReadError> {
    let mut circuits = plan.circuits();
    let missing = txs.iter().position(|tx| !tx.carried);
    if let (Suite::Poseidon, Some(at)) = (setting.suite(), missing) {
        return Err(ReadError::NotCarried(at));
    }
    for (at, tx) in txs.iter().enumerate().filter(|(_, tx)| tx.carried) {
        let circuit = clients::circuit(setting.suite(), tx.statement());
        let circuit = circuit.ok_or(ReadError::Client(at))?;
        statements.push((clients::name(at), circuit, tx.digest));
    }
    circuits.extend(
        clients::carried_statements(txs)
            .into_iter()
            .filter_map(|statement| clients::circuit(setting.suite(), statement)),
    );
    for (what, got, expected) in [
        ("verification keys", tail.vks.len(), circuits.len()),
        ("proofs", tail.proofs.len(), statements.len()),
    ] {
        if got != expected {
            return Err(ReadError::Count {
                what,
                got,
                expected,
            });
        }
    }
    let claims = statements.into_iter().zip(&tail.proofs);
    Ok(claims
        .map(|((name, circuit, public_input), proof)| {
            let key = circuits.iter().position(|each| *each == circuit);
            let key = key.expect("each statement's circuit is in the list");
            ProofClaim {
                name,
                circuit,
                vk: tail.vks[key],
                public_input,
                proof: *proof,
            }
        })
        .collect())
}

fn bytes(words: &[Word]) -> Vec<[u8; 32]> {
    words.iter().map(|word| word.0).collect()
}
