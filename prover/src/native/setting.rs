//! The suite, the sizes and the circuits, which provers and verifiers must share.

use zkwhirl_circuits::{
    Circuit, MAX_INNERS, MAX_TXS, Plan, StatementKind, Suite, TooLarge, root_rollup::RootSize,
};
use zkwhirl_job::{Sizes, reply::SuiteTag};

/// The suite, the sizes and the limit of circuits. A prover and its verifiers must
/// have the same setting.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The suite of the statements' hashes.
    pub suite: Suite,
    /// The rollup sizes for which the circuits are made.
    pub sizes: Sizes,
    max_circuit_size: u64,
}

/// No circuit can be made for these rollup sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no circuit proves rollups of {0}: at most {MAX_TXS}×{MAX_INNERS}")]
pub struct NoCircuit(Sizes);

pub(crate) fn root_size(sizes: Sizes) -> Result<RootSize, NoCircuit> {
    if sizes.txs_per_inner() > MAX_TXS || sizes.inners_per_root() > MAX_INNERS {
        return Err(NoCircuit(sizes));
    }
    Ok(RootSize {
        inners: sizes.inners_per_root(),
        slots: sizes.slots(),
    })
}

impl Setting {
    /// The setting of a suite and `sizes`, with circuits whose domain is at most
    /// `max_circuit_size` rows.
    pub fn new(suite: Suite, sizes: Sizes, max_circuit_size: u64) -> Self {
        Self {
            suite,
            sizes,
            max_circuit_size,
        }
    }

    /// The circuit, or the chain of circuits, that proves an inner rollup.
    pub fn plan(&self) -> Result<Plan, TooLarge> {
        Plan::of(
            self.suite,
            self.sizes.txs_per_inner(),
            self.max_circuit_size,
        )
    }

    /// The circuit of the root rollup.
    pub fn root(&self) -> Result<Circuit, NoCircuit> {
        Ok(Circuit {
            suite: self.suite,
            statement: root_size(self.sizes)?.into(),
        })
    }

    /// log2 of the largest domain of the circuits that prove an inner rollup. This
    /// number, suite and sizes determine the circuits.
    pub fn domain_log2(&self) -> Result<u32, TooLarge> {
        let circuits = self.plan()?.circuits();
        let domains = circuits.iter().map(|circuit| circuit.domain().ilog2());
        Ok(domains.max().unwrap_or_default())
    }

    /// All circuits of the setting: those of clients and claims, those of the inner
    /// rollup and, if it is not too large, the circuit of the root rollup.
    pub fn circuits(&self) -> Result<Vec<Circuit>, TooLarge> {
        let suite = self.suite;
        let mut circuits = [
            StatementKind::Account,
            StatementKind::Claim,
            StatementKind::JoinSplit,
        ]
        .into_iter()
        .filter(|statement| statement.exists_in(suite))
        .map(|statement| self.admit(Circuit { suite, statement }))
        .collect::<Result<Vec<_>, _>>()?;
        circuits.extend(self.plan()?.circuits());
        // The limit of a worker for inner jobs may be too small for the circuit of
        // the root rollup.
        let root = self.root().ok();
        circuits.extend(root.and_then(|root| self.admit(root).ok()));
        Ok(circuits)
    }

    /// How many proofs of a circuit a full inner rollup needs; 1 for the circuit of
    /// a claim.
    pub fn proofs(&self, circuit: &Circuit) -> usize {
        let Ok(Plan::Chain(chain)) = self.plan() else {
            return 1;
        };
        let pieces = chain.pieces(self.sizes.txs_per_inner() as usize);
        let of = pieces.iter().filter(|piece| piece.circuit == *circuit);
        of.count().max(1)
    }

    pub(crate) fn admit(&self, circuit: Circuit) -> Result<Circuit, TooLarge> {
        let (needs, limit) = (circuit.domain(), self.max_circuit_size);
        if needs > limit {
            return Err(TooLarge {
                circuit,
                needs,
                limit,
            });
        }
        Ok(circuit)
    }
}

/// The poseidon circuit of a statement that clients prove.
pub(crate) fn client_circuit(statement: StatementKind) -> Circuit {
    let suite = Suite::Poseidon;
    Circuit { suite, statement }
}

/// The tag of a suite in a reply.
pub(crate) fn suite_tag(suite: Suite) -> SuiteTag {
    match suite {
        Suite::Pedersen => SuiteTag::Pedersen,
        Suite::Poseidon => SuiteTag::Poseidon,
    }
}
