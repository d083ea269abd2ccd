//! What is proved, and in which circuits.

use std::sync::OnceLock;

use zkwhirl_circuits::{Circuit, Plan, StatementKind, Suite, TooLarge};
use zkwhirl_job::Sizes;

/// The hashes, the sizes, and the largest circuit: whoever proves and whoever
/// verifies must agree on all three.
#[derive(Debug, Clone)]
pub struct Setting {
    suite: Suite,
    sizes: Sizes,
    max_circuit_size: u64,
    /// Made when first needed: it counts the rows of several circuits.
    plan: OnceLock<Result<Plan, TooLarge>>,
}

impl Setting {
    /// Statements of a suite at `sizes`, in circuits whose domain is at most
    /// `max_circuit_size`.
    pub fn new(suite: Suite, sizes: Sizes, max_circuit_size: u64) -> Self {
        Self {
            suite,
            sizes,
            max_circuit_size,
            plan: OnceLock::new(),
        }
    }

    /// The hashes of the statements.
    pub fn suite(&self) -> Suite {
        self.suite
    }

    /// The sizes that the circuits are made for.
    pub fn sizes(&self) -> Sizes {
        self.sizes
    }

    /// How an inner rollup is proved.
    pub fn plan(&self) -> Result<Plan, TooLarge> {
        *self.plan.get_or_init(|| {
            Plan::of(
                self.suite,
                self.sizes.txs_per_inner(),
                self.max_circuit_size,
            )
        })
    }

    /// Every circuit of these sizes: the claim's, then the inner rollup's.
    pub fn circuits(&self) -> Result<Vec<Circuit>, TooLarge> {
        let claim = Circuit {
            suite: self.suite,
            statement: StatementKind::Claim,
        };
        let mut circuits = vec![self.admit(claim)?];
        circuits.extend(self.plan()?.circuits());
        Ok(circuits)
    }

    /// Proofs by a circuit that a full inner rollup has; 1 for a claim's.
    pub fn proofs(&self, circuit: &Circuit) -> usize {
        let Ok(Plan::Chain(chain)) = self.plan() else {
            return 1;
        };
        let pieces = chain.pieces(self.sizes.txs_per_inner() as usize);
        let of = pieces.iter().filter(|piece| piece.circuit == *circuit);
        of.count().max(1)
    }

    /// A circuit, if it is not too large.
    pub(super) fn admit(&self, circuit: Circuit) -> Result<Circuit, TooLarge> {
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
