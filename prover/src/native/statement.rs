//! Which circuit proves a request, and the statement that it makes of it.

use ark_bn254::Fr;
use zkwhirl_circuits::{
    CheckError, Circuit, StatementKind, Suite, Witness,
    claim::{self, ClaimWitness},
    published::Published,
    r1cs::Assignment,
    statement,
    tx_rollup::{self, TxRollupWitness},
};
use zkwhirl_job::{Kind, LayoutError, Request, Sizes, Word};

/// A request of which every rule was checked natively, with all values of its
/// circuit.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) circuit: Circuit,
    published: Published,
    witness: Witness,
}

/// A request that states nothing provable.
#[derive(Debug, thiserror::Error)]
pub enum StatementError {
    /// It does not fit the sizes.
    #[error("{0}")]
    Sizes(#[from] LayoutError),
    /// A rule of the protocol does not hold.
    #[error("{0}")]
    False(#[from] zkwhirl_circuits::StatementError),
    /// The rules hold natively, but a row of the circuit does not: a bug.
    #[error("{0}")]
    Row(#[from] CheckError),
    /// No circuit of this release proves the kind.
    #[error("the native engine proves claims and tx rollups, not {kind} jobs")]
    Unsupported {
        /// The job's kind.
        kind: Kind,
    },
}

/// A request of which every row of the circuit was checked.
#[derive(Debug, Clone)]
pub struct Checked {
    /// Rows, all of them satisfied.
    pub rows: usize,
    /// The published fields, in the original reply's order.
    pub fields: Vec<Word>,
}

/// Checks a request natively and row by row in its circuit, without a key.
pub fn check(request: &Request, suite: Suite, sizes: Sizes) -> Result<Checked, StatementError> {
    let statement = Statement::of(request, suite, sizes)?;
    let report = statement.circuit.check_raw(&statement.witness)?;
    if report.public_input != statement.public_input() {
        return Err(CheckError::PublicInput.into());
    }
    Ok(Checked {
        rows: report.rows,
        fields: statement.fields(),
    })
}

/// The published fields of a request, whether or not its rules hold: for the
/// mock, which proves nothing.
pub fn published_fields(
    request: &Request,
    suite: Suite,
    sizes: Sizes,
) -> Result<Vec<Word>, StatementError> {
    request.validate(sizes)?;
    let txs = sizes.txs_per_inner();
    let published = match request {
        Request::Claim(request) => claim::published(suite, &ClaimWitness::new(request)?),
        Request::TxRollup(request) => {
            tx_rollup::published(suite, txs, &TxRollupWitness::without_paths(request, txs)?)
        }
        Request::RootRollup(_) | Request::RootVerifier(_) => {
            return Err(StatementError::Unsupported {
                kind: request.kind(),
            });
        }
    };
    Ok(published.to_words().into_iter().map(Word).collect())
}

impl Statement {
    /// Checks every rule of a request at `sizes`.
    pub(super) fn of(
        request: &Request,
        suite: Suite,
        sizes: Sizes,
    ) -> Result<Self, StatementError> {
        request.validate(sizes)?;
        let txs = sizes.txs_per_inner();
        let (kind, published, witness) = match request {
            Request::Claim(request) => (
                StatementKind::Claim,
                statement::claim(suite, request)?.published,
                Witness::Claim(Box::new(ClaimWitness::new(request)?)),
            ),
            Request::TxRollup(request) => (
                StatementKind::TxRollup { txs },
                statement::tx_rollup(suite, request, txs)?.published,
                Witness::TxRollup(Box::new(TxRollupWitness::new(request, txs)?)),
            ),
            Request::RootRollup(_) | Request::RootVerifier(_) => {
                return Err(StatementError::Unsupported {
                    kind: request.kind(),
                });
            }
        };
        Ok(Self {
            circuit: Circuit {
                suite,
                statement: kind,
            },
            published,
            witness,
        })
    }

    /// The values of all variables of the circuit.
    pub(super) fn assign(&self) -> Result<Assignment, StatementError> {
        Ok(self.circuit.assign_raw(&self.witness)?)
    }

    /// The published fields, in the original reply's order.
    pub(super) fn fields(&self) -> Vec<Word> {
        self.published.to_words().into_iter().map(Word).collect()
    }

    /// The one public input of the proof.
    pub(super) fn public_input(&self) -> Fr {
        self.published.public_input()
    }
}
