//! Which circuit proves a request, and the statement that it makes of it.

use ark_bn254::Fr;
use zkwhirl_circuits::{
    CheckError, Circuit, StatementKind, Suite, Witness,
    claim::{self, ClaimWitness},
    client::ClientWitness,
    published::Published,
    r1cs::Assignment,
    root_rollup::{self, RootRollupWitness},
    statement,
    tx_rollup::{self, TxRollupWitness},
};
use zkwhirl_job::{
    Kind, LayoutError, Request, Sizes, Word,
    reply::{ReplyShape, fields},
};

use super::rollup::root_size;

/// A request of which every rule was checked natively, with all values of its
/// circuit.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) circuit: Circuit,
    published: Published,
    /// What the reply starts with.
    words: Vec<Word>,
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
    /// No circuit has the sizes.
    #[error("{0}")]
    NoCircuit(String),
    /// The request is no statement of its own: it is verified, not proved.
    #[error("a {kind} request states nothing of its own")]
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
        fields: statement.words(),
    })
}

/// The words that the reply to a request starts with, whether or not its rules
/// hold: for the mock, which proves nothing.
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
            tx_rollup::published(suite, txs, &TxRollupWitness::new(request, txs)?)
        }
        Request::RootRollup(request) => {
            let size = root_size(sizes).map_err(StatementError::NoCircuit)?;
            let witness = RootRollupWitness::new(request, size)?;
            let broadcast = root_rollup::broadcast(suite, size, &witness);
            return Ok(broadcast.words().into_iter().map(Word).collect());
        }
        Request::RootVerifier(request) => {
            let count = ReplyShape::of(Kind::RootRollup, sizes).fields;
            let words = fields(&request.root_rollup_reply, count);
            return Ok(words.expect("a validated request has its broadcast data"));
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
        let circuit = |statement| Circuit { suite, statement };
        let words = |words: Vec<[u8; 32]>| words.into_iter().map(Word).collect();
        Ok(match request {
            Request::Claim(request) => {
                let published = statement::claim(suite, request)?.published;
                Self {
                    circuit: circuit(StatementKind::Claim),
                    words: words(published.to_words()),
                    published,
                    witness: Witness::Claim(Box::new(ClaimWitness::new(request)?)),
                }
            }
            Request::TxRollup(request) => {
                let published = statement::tx_rollup(suite, request, txs)?.published;
                let witness = TxRollupWitness::new(request, txs)?;
                Self {
                    circuit: circuit(StatementKind::TxRollup { txs }),
                    words: words(published.to_words()),
                    published,
                    witness: Witness::TxRollup(Box::new(witness)),
                }
            }
            Request::RootRollup(request) => {
                let size = root_size(sizes).map_err(StatementError::NoCircuit)?;
                let broadcast = statement::root_rollup(suite, request, size)?.broadcast;
                let witness = RootRollupWitness::new(request, size)?;
                Self {
                    circuit: circuit(StatementKind::RootRollup(size)),
                    words: words(broadcast.words()),
                    published: broadcast.published(),
                    witness: Witness::RootRollup(Box::new(witness)),
                }
            }
            Request::RootVerifier(_) => {
                let kind = request.kind();
                return Err(StatementError::Unsupported { kind });
            }
        })
    }

    /// A client's own statement, when every rule of it holds.
    pub(super) fn of_client(client: &ClientWitness) -> Result<Self, StatementError> {
        let (published, witness) = match client {
            ClientWitness::JoinSplit(values) => (
                statement::join_split(values)?,
                Witness::JoinSplit(values.clone()),
            ),
            ClientWitness::Account(values) => (
                statement::account(values)?,
                Witness::Account(values.clone()),
            ),
        };
        Ok(Self {
            circuit: client_circuit(client.statement()),
            words: published.to_words().into_iter().map(Word).collect(),
            published,
            witness,
        })
    }

    /// The values of all variables of the circuit.
    pub(super) fn assign(&self) -> Result<Assignment, StatementError> {
        Ok(self.circuit.assign_raw(&self.witness)?)
    }

    /// The words that the reply starts with: the published fields, in the
    /// original reply's order, or a root rollup's broadcast data.
    pub(super) fn words(&self) -> Vec<Word> {
        self.words.clone()
    }

    /// The one public input of the proof.
    pub(super) fn public_input(&self) -> Fr {
        self.published.public_input()
    }
}

/// The circuit of a statement that clients prove.
pub(super) fn client_circuit(statement: StatementKind) -> Circuit {
    let suite = Suite::Poseidon;
    Circuit { suite, statement }
}
