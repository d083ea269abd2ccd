//! Reading of native replies: which proofs a reply has, and for which public input
//! each proof must verify.
//!
//! This module needs neither the request nor a key. If every [`ReplyProof`] of a
//! reply verifies, the published fields are a true statement.

use ark_bn254::Fr;
use zkwhirl_circuits::{
    Circuit, Plan, Seams, StatementKind, Suite, field,
    published::{Published, place},
};
use zkwhirl_job::{
    Word,
    reply::{NativeForm, NativeProof},
};

use super::{
    client_fields::{self, ClientTx},
    reply_proof::{ReadError, ReplyProof},
};
use crate::native::setting::{Setting, suite_tag};

/// Reads the proof of a reply that one circuit proves and that carries no other proof.
pub(super) fn single(
    setting: &Setting,
    circuit: Circuit,
    fields: &[Word],
    tail: &NativeProof,
) -> Result<Vec<ReplyProof>, ReadError> {
    expect_form(setting, tail, NativeForm::Single)?;
    let published = Published::from_words(circuit.statement, &bytes(fields), &[])?;
    Ok(vec![ReplyProof {
        name: circuit.statement.name().to_owned(),
        circuit,
        vk: tail.vks[0],
        public_input: published.public_input(),
        proof: tail.proofs[0],
    }])
}

/// Reads the proofs of a tx rollup's reply: the rollup's own proofs, then the
/// client proofs.
pub fn tx_rollup(
    setting: &Setting,
    fields: &[Word],
    tail: &NativeProof,
) -> Result<Vec<ReplyProof>, ReadError> {
    tx_rollup_with_txs(setting, fields, tail).map(|(proofs, _)| proofs)
}

/// Reads the proofs as [`tx_rollup`] does, and also the client's fields of each tx.
pub(super) fn tx_rollup_with_txs(
    setting: &Setting,
    fields: &[Word],
    tail: &NativeProof,
) -> Result<(Vec<ReplyProof>, Vec<ClientTx>), ReadError> {
    let plan = setting.plan()?;
    expect_form(setting, tail, form(&plan))?;
    let kind = StatementKind::TxRollup {
        txs: setting.sizes.txs_per_inner(),
    };
    let fields = bytes(fields);
    // The clients' digests are computed from the published fields, and are among
    // the published values of the circuits.
    let mut digests = vec![Fr::from(0u64); kind.slots()];
    let published = Published::from_words(kind, &fields, &digests)?;
    let slots = &published.fields()[place::TXS..];
    let (txs, rest) = client_fields::read(&tail.words, slots)?;
    for (digest, tx) in digests.iter_mut().zip(&txs) {
        *digest = tx.digest;
    }
    let published = Published::from_words(kind, &fields, &digests)?;
    let own = own_proofs(&plan, &published, &txs, rest, tail)?;
    let proofs = with_proofs(setting, &plan, own, &txs, tail)?;
    Ok((proofs, txs))
}

/// The form of the tails in a plan's replies.
pub(super) fn form(plan: &Plan) -> NativeForm {
    match plan {
        Plan::Whole(_) => NativeForm::TxRollup,
        Plan::Chain(_) => NativeForm::TxRollupChain,
    }
}

fn expect_form(setting: &Setting, tail: &NativeProof, must: NativeForm) -> Result<(), ReadError> {
    let must_suite = setting.suite;
    if tail.suite == suite_tag(must_suite) && tail.form == must {
        return Ok(());
    }
    Err(ReadError::tail(format_args!(
        "the proof is of suite {:?} and form {:?}, must be {must_suite} and {must:?}",
        tail.suite, tail.form
    )))
}

/// The name, the circuit and the public input of each of the rollup's own proofs.
fn own_proofs(
    plan: &Plan,
    published: &Published,
    txs: &[ClientTx],
    rest: &[Word],
    tail: &NativeProof,
) -> Result<Vec<(String, Circuit, Fr)>, ReadError> {
    let wrong = || ReadError::words(tail.words.len());
    let chain = match plan {
        Plan::Whole(_) if !rest.is_empty() => return Err(wrong()),
        Plan::Whole(circuit) => {
            let name = "tx rollup".to_owned();
            return Ok(vec![(name, *circuit, published.public_input())]);
        }
        Plan::Chain(chain) => chain,
    };
    let [states, null_roots] = chain.seams(txs.len());
    if rest.len() != states + null_roots {
        return Err(wrong());
    }
    let first = tail.words.len() - rest.len();
    let value = |(at, word): (usize, &Word)| {
        field::from_word(&word.0).ok_or_else(|| ReadError::not_canonical(at))
    };
    let values: Vec<Fr> = (first..).zip(rest).map(value).collect::<Result<_, _>>()?;
    let (states, null_roots) = values.split_at(states);
    let seams = Seams {
        states: states.to_vec(),
        null_roots: null_roots.to_vec(),
    };
    let allow_chain: Vec<Fr> = txs.iter().map(|tx| tx.fields[15]).collect();
    let inputs = chain.public_inputs(published, &allow_chain, &seams)?;
    let pieces = chain.pieces(txs.len()).into_iter().zip(inputs);
    let proofs = pieces.map(|(piece, input)| (piece.name, piece.circuit, input));
    Ok(proofs.collect())
}

fn with_proofs(
    setting: &Setting,
    plan: &Plan,
    mut statements: Vec<(String, Circuit, Fr)>,
    txs: &[ClientTx],
    tail: &NativeProof,
) -> Result<Vec<ReplyProof>, ReadError> {
    let suite = setting.suite;
    let mut circuits = plan.circuits();
    let missing = txs.iter().position(|tx| !tx.carried);
    if let (Suite::Poseidon, Some(at)) = (suite, missing) {
        return Err(ReadError::tail(format_args!(
            "tx {at} has no native client proof"
        )));
    }
    for (at, tx) in txs.iter().enumerate().filter(|(_, tx)| tx.carried) {
        let circuit = client_fields::circuit(suite, tx.statement());
        let circuit = circuit.ok_or_else(|| {
            let no = "no circuit of this release verifies the client proof of tx";
            ReadError::tail(format_args!("{no} {at}"))
        })?;
        statements.push((client_fields::name(at), circuit, tx.digest));
    }
    circuits.extend(
        client_fields::carried_statements(txs)
            .into_iter()
            .filter_map(|statement| client_fields::circuit(suite, statement)),
    );
    for (what, got, expected) in [
        ("verification keys", tail.vks.len(), circuits.len()),
        ("proofs", tail.proofs.len(), statements.len()),
    ] {
        if got != expected {
            return Err(ReadError::tail(format_args!(
                "{got} {what}, expected {expected}"
            )));
        }
    }
    let proofs = statements.into_iter().zip(&tail.proofs);
    Ok(proofs
        .map(|((name, circuit, public_input), proof)| {
            let key = circuits.iter().position(|each| *each == circuit);
            let key = key.expect("each statement's circuit is in the list");
            ReplyProof {
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
