//! Satisfying witnesses for every circuit, to make a sample proof under a key.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use bytes::Bytes;
use zkwhirl_circuits::{
    Chain, Circuit, MAX_TXS, StatementKind, Suite, Witness,
    claim::ClaimWitness,
    client::ClientWitness,
    root_rollup::{RootRollupWitness, RootSize},
    tx_rollup::{ShardWitness, TxRollupWitness},
};
use zkwhirl_falafel::{
    users::{ClientProofs, MockProofs, TxError, TxPool, TxReceiver},
    world::{Draft, InnerJob, World},
};
use zkwhirl_job::{Request, Sizes, reply::NotVerified, request::ClientProof};
use zkwhirl_prover::native::self_test_request;

/// Records users' witnesses; makes mock proofs.
#[derive(Debug, Default)]
struct Clients(Mutex<Vec<ClientWitness>>);

/// A rollup of new transactions, with mock proofs.
struct SampleRollup {
    draft: Draft,
    inners: Vec<InnerJob>,
    clients: Vec<ClientWitness>,
}

/// Makes a witness that satisfies a circuit.
pub(super) fn witness(circuit: Circuit) -> anyhow::Result<Witness> {
    let suite = circuit.suite;
    Ok(match circuit.statement {
        StatementKind::Claim | StatementKind::TxRollup { .. } => read(circuit, &request(circuit)?)?,
        StatementKind::TxSegment { txs, of } => {
            let chain = Chain::new(suite, of, txs, 1);
            let (pieces, _) = chain.cut(&Arc::new(tx_rollup(suite, of)?));
            pieces.into_iter().next().context("a chain has a segment")?
        }
        StatementKind::TxNullifiers { .. } => {
            let rollup = Arc::new(tx_rollup(suite, 1)?);
            let root = rollup.old_null_root;
            Witness::TxNullifiers(Box::new(ShardWitness {
                rollup,
                first: 0,
                root,
            }))
        }
        StatementKind::TxNotes { slots } => {
            let txs = slots.min(MAX_TXS);
            let chain = Chain::new(suite, txs, txs, 1);
            let (pieces, _) = chain.cut(&Arc::new(tx_rollup(suite, txs)?));
            let mut pieces = pieces.into_iter();
            pieces.next_back().context("a chain has notes")?
        }
        StatementKind::RootRollup { inners, slots } => {
            root_rollup(suite, RootSize { inners, slots })?
        }
        StatementKind::JoinSplit | StatementKind::Account => client(circuit)?,
    })
}

/// A request that a claim's or a tx rollup's circuit proves; a rollup of one tx.
pub(in crate::command) fn request(circuit: Circuit) -> anyhow::Result<Bytes> {
    match circuit.statement {
        StatementKind::Claim => Ok(self_test_request(circuit.suite)),
        StatementKind::TxRollup { txs } => rollup_request(circuit.suite, txs),
        _ => anyhow::bail!("{circuit} proves parts of requests: name a claim or a tx rollup"),
    }
}

/// The values of such a request.
pub(in crate::command) fn read(circuit: Circuit, request: &Bytes) -> anyhow::Result<Witness> {
    match (Request::parse(request)?, circuit.statement) {
        (Request::Claim(request), StatementKind::Claim) => {
            Ok(Witness::Claim(Box::new(ClaimWitness::new(&request)?)))
        }
        (Request::TxRollup(request), StatementKind::TxRollup { txs }) => {
            let values = TxRollupWitness::new(&request, txs)?;
            Ok(Witness::TxRollup(Box::new(values)))
        }
        _ => anyhow::bail!("{circuit} does not prove this request"),
    }
}

fn rollup_request(suite: Suite, capacity: u32) -> anyhow::Result<Bytes> {
    let sample = SampleRollup::new(suite, Sizes::new(capacity, 1)?, 0, 1)?;
    let job = sample.inners.first().context("a rollup has an inner one")?;
    Ok(job.request.to_bytes())
}

/// Makes a witness of an inner rollup with one tx.
fn tx_rollup(suite: Suite, capacity: u32) -> anyhow::Result<TxRollupWitness> {
    let request = rollup_request(suite, capacity)?;
    let Request::TxRollup(request) = Request::parse(&request)? else {
        anyhow::bail!("the sample is no inner rollup");
    };
    Ok(TxRollupWitness::new(&request, capacity)?)
}

fn root_rollup(suite: Suite, size: RootSize) -> anyhow::Result<Witness> {
    let sizes = Sizes::new(size.slots.min(MAX_TXS), size.inners)?;
    let sample = SampleRollup::new(suite, sizes, 0, 1)?;
    // Only the published fields of the inner replies matter.
    let words = |job: &InnerJob| job.published.iter().flat_map(|word| word.0).collect();
    let replies: Vec<Bytes> = sample.inners.iter().map(words).collect();
    let job = sample.draft.root(&replies);
    let request = job.context("a rollup has a root")?.request;
    Ok(Witness::RootRollup(Box::new(RootRollupWitness::new(
        &request, size,
    )?)))
}

/// The first witness of the statement in a simulated world; most have several.
fn client(Circuit { suite, statement }: Circuit) -> anyhow::Result<Witness> {
    let sizes = Sizes::new(MAX_TXS, 1)?;
    for seed in 0..100 {
        for client in SampleRollup::new(suite, sizes, seed, MAX_TXS as usize)?.clients {
            match (client, statement) {
                (ClientWitness::JoinSplit(values), StatementKind::JoinSplit) => {
                    return Ok(Witness::JoinSplit(values));
                }
                (ClientWitness::Account(values), StatementKind::Account) => {
                    return Ok(Witness::Account(values));
                }
                _ => {}
            }
        }
    }
    anyhow::bail!("no user of the {suite} suite sends such a transaction")
}

impl SampleRollup {
    fn new(suite: Suite, sizes: Sizes, seed: u64, txs: usize) -> anyhow::Result<Self> {
        let mut draft = World::genesis(suite, seed, 0).begin(sizes);
        let clients = Clients::default();
        let door = TxReceiver {
            proofs: &clients,
            keys: None,
            pool: &TxPool::default(),
        };
        let inners = draft.inners(txs, &[], &door)?;
        let clients = clients.0.into_inner();
        Ok(Self {
            draft,
            inners,
            clients: clients.unwrap_or_else(PoisonError::into_inner),
        })
    }
}

impl ClientProofs for Clients {
    fn prove(&self, witness: &ClientWitness) -> Result<ClientProof, TxError> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push(witness.clone());
        MockProofs.prove(witness)
    }

    fn verify(&self, key: &Bytes, proof: &ClientProof) -> Result<(), NotVerified> {
        MockProofs.verify(key, proof)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_satisfy_every_kind_of_circuit() {
        for name in [
            "claim/poseidon",
            "tx-rollup/poseidon/2",
            "tx-segment/poseidon/1/3",
            "tx-nullifiers/poseidon/3",
            "tx-notes/poseidon/32",
            "root-rollup/poseidon/2/2",
            "join-split/poseidon",
            "account/poseidon",
            "claim/pedersen",
            "tx-notes/pedersen/1",
        ] {
            let circuit: Circuit = name.parse().unwrap();
            let report = circuit.check_raw(&witness(circuit).unwrap());
            assert_eq!(report.unwrap().rows, circuit.num_rows(), "{name}");
        }
    }
}
