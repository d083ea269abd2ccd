//! Which circuits prove a request, and the statements that it makes of them.

use std::sync::Arc;

use ark_bn254::Fr;
use zkwhirl_circuits::{
    Chain, CheckError, Circuit, Plan, StatementKind, Suite, TooLarge, Witness,
    claim::{self, ClaimWitness},
    client::ClientWitness,
    field,
    published::Published,
    r1cs::Assignment,
    root_rollup::{self, RootRollupWitness},
    tx_rollup::{self, TxRollupWitness},
};
use zkwhirl_job::{
    Kind, LayoutError, Request, Sizes, Word,
    reply::{NativeForm, ReplyShape, fields},
    request::{ClaimRequest, RootRollupRequest, TxRollupRequest},
};

use super::{
    clients::{self, CarriedProof, ClientError},
    inners::Inners,
    reading::{self, ProofClaim},
    setting::{NoCircuit, Setting, root_size},
};

/// A request of which every rule was checked natively, with all values of its
/// circuits.
#[derive(Debug)]
pub(super) struct Statement {
    /// What the reply starts with: the published fields, in the original
    /// reply's order, or a root rollup's broadcast data.
    pub(super) fields: Vec<Word>,
    /// What a reply carries beside them.
    pub(super) form: NativeForm,
    pub(super) words: Vec<Word>,
    /// What is to be proved, in the order of the proofs.
    pub(super) parts: Vec<Part>,
    /// Proofs of clients that the reply carries.
    pub(super) carried: Vec<CarriedProof>,
    /// What a root rollup's reply carries.
    pub(super) inners: Option<Inners>,
    /// What the proofs inside the request must verify for.
    pub(super) inside: Vec<ProofClaim>,
}

/// One proof of a statement.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) circuit: Circuit,
    /// The one public input.
    pub(super) public_input: Fr,
    witness: Witness,
}

/// A request that states nothing provable.
#[derive(Debug, thiserror::Error)]
pub enum StatementError {
    /// It does not fit the sizes.
    #[error(transparent)]
    Sizes(#[from] LayoutError),
    /// A rule of the protocol does not hold.
    #[error(transparent)]
    False(#[from] zkwhirl_circuits::StatementError),
    /// A client's proof cannot be carried.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// No circuits of the allowed size prove it.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// An inner rollup's reply is none.
    #[error("{0}")]
    Inner(String),
    /// No circuit has the sizes.
    #[error(transparent)]
    NoCircuit(#[from] NoCircuit),
    /// The rules hold natively, but a row of a circuit does not: a bug.
    #[error("{part}: {error}")]
    Row {
        /// Which proof's circuit.
        part: String,
        /// The row.
        #[source]
        error: CheckError,
    },
    /// The request is no statement of its own: it is verified, not proved.
    #[error("a {kind} request states nothing of its own")]
    Unsupported {
        /// The job's kind.
        kind: Kind,
    },
}

/// A request of which every row of its circuits was checked.
#[derive(Debug, Clone)]
pub struct Checked {
    /// Rows, all of them satisfied.
    pub rows: usize,
    /// The words that the reply starts with, in the original reply's order.
    pub fields: Vec<Word>,
}

/// Checks a request natively and row by row in its circuits, one after the
/// other, without a key. `report` is told how much is done, 0 to 1.
pub fn check(
    request: &Request,
    setting: &Setting,
    report: &dyn Fn(f32),
) -> Result<Checked, StatementError> {
    let statement = Statement::of(request, setting)?;
    let mut rows = 0;
    for (at, part) in statement.parts.iter().enumerate() {
        report(at as f32 / statement.parts.len() as f32);
        rows += part.check().map_err(|error| StatementError::Row {
            part: part.name.clone(),
            error,
        })?;
    }
    Ok(Checked {
        rows,
        fields: statement.fields,
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
        Request::Claim(request) => claim::published(suite, &ClaimWitness::new(request)?).to_words(),
        Request::TxRollup(request) => {
            let witness = TxRollupWitness::without_paths(request, txs)?;
            let fields = tx_rollup::published_fields(suite, txs, &witness);
            fields.iter().map(field::to_word).collect()
        }
        Request::RootRollup(request) => {
            let size = root_size(sizes)?;
            let witness = RootRollupWitness::new(request, size)?;
            root_rollup::broadcast(suite, size, &witness).words()
        }
        Request::RootVerifier(request) => {
            let count = ReplyShape::of(Kind::RootRollup, sizes).fields;
            let words = fields(&request.root_rollup_reply, count);
            return Ok(words.expect("a validated request has its broadcast data"));
        }
    };
    Ok(words(published))
}

impl Statement {
    /// Checks every rule of a request.
    pub(super) fn of(request: &Request, setting: &Setting) -> Result<Self, StatementError> {
        request.validate(setting.sizes())?;
        match request {
            Request::Claim(request) => Self::claim(request, setting.suite()),
            Request::TxRollup(request) => Self::tx_rollup(request, setting),
            Request::RootRollup(request) => Self::root_rollup(request, setting),
            Request::RootVerifier(_) => Err(StatementError::Unsupported {
                kind: request.kind(),
            }),
        }
    }

    fn claim(request: &ClaimRequest, suite: Suite) -> Result<Self, StatementError> {
        let witness = ClaimWitness::new(request)?;
        let published = claim::check(suite, &witness)?;
        let witness = Witness::Claim(Box::new(witness));
        let circuit = Circuit {
            suite,
            statement: StatementKind::Claim,
        };
        Ok(Self::alone(circuit, &published, witness))
    }

    /// Checks every rule of a client's own values.
    pub(super) fn of_client(client: &ClientWitness) -> Result<Self, StatementError> {
        let published = client.check()?;
        let circuit = client_circuit(client.statement());
        Ok(Self::alone(circuit, &published, client.clone().into()))
    }

    /// A statement of one proof, over a request without proofs.
    fn alone(circuit: Circuit, published: &Published, witness: Witness) -> Self {
        Self {
            parts: vec![Part::whole(circuit, published, witness)],
            fields: words(published.to_words()),
            form: NativeForm::Single,
            words: Vec::new(),
            carried: Vec::new(),
            inners: None,
            inside: Vec::new(),
        }
    }

    fn tx_rollup(request: &TxRollupRequest, setting: &Setting) -> Result<Self, StatementError> {
        let (suite, txs) = (setting.suite(), setting.sizes().txs_per_inner());
        let plan = setting.plan()?;
        let witness = TxRollupWitness::new(request, txs)?;
        let published = tx_rollup::check(suite, txs, &witness)?;
        let carried = clients::carried(request, suite)?;
        let digests = published.clients();
        let inside = carried
            .iter()
            .map(|proof| proof.claim(suite, digests[proof.tx]));
        let inside = inside.collect::<Result<_, _>>()?;
        let fields = words(published.to_words());
        let mut words = clients::words(request, &carried);
        let parts = match plan {
            Plan::Whole(circuit) => {
                let witness = Witness::TxRollup(Box::new(witness));
                vec![Part::whole(circuit, &published, witness)]
            }
            Plan::Chain(chain) => {
                let (parts, seams) = chain_parts(&chain, &published, Arc::new(witness));
                words.extend(seams);
                parts
            }
        };
        Ok(Self {
            fields,
            form: reading::form(&plan),
            words,
            parts,
            carried,
            inners: None,
            inside,
        })
    }

    fn root_rollup(request: &RootRollupRequest, setting: &Setting) -> Result<Self, StatementError> {
        let (suite, size) = (setting.suite(), root_size(setting.sizes())?);
        let witness = RootRollupWitness::new(request, size)?;
        let broadcast = root_rollup::check(suite, size, &witness)?;
        let witness = Witness::RootRollup(Box::new(witness));
        let (inners, inside) = Inners::of(request, setting).map_err(StatementError::Inner)?;
        let circuit = setting.admit(setting.root()?)?;
        Ok(Self {
            parts: vec![Part::whole(circuit, &broadcast.published(), witness)],
            fields: words(broadcast.words()),
            form: NativeForm::Rollup,
            words: Vec::new(),
            carried: Vec::new(),
            inners: Some(inners),
            inside,
        })
    }
}

fn words(words: Vec<[u8; 32]>) -> Vec<Word> {
    words.into_iter().map(Word).collect()
}

/// The proofs of a chain, and its seams as words.
fn chain_parts(
    chain: &Chain,
    published: &Published,
    witness: Arc<TxRollupWitness>,
) -> (Vec<Part>, Vec<Word>) {
    let allow_chain: Vec<Fr> = witness.txs.iter().map(|tx| tx.fields[15]).collect();
    let (witnesses, seams) = chain.cut(&witness);
    let inputs = chain
        .public_inputs(published, &allow_chain, &seams)
        .expect("the seams are of this cut and the fields of this rollup");
    let pieces = chain.pieces(allow_chain.len()).into_iter();
    let parts = pieces.zip(witnesses).zip(inputs);
    let parts = parts.map(|((piece, witness), public_input)| Part {
        name: piece.name,
        circuit: piece.circuit,
        public_input,
        witness,
    });
    let seams = seams.states.iter().chain(&seams.null_roots);
    let seams = seams.map(|value| Word(field::to_word(value)));
    (parts.collect(), seams.collect())
}

impl Part {
    fn whole(circuit: Circuit, published: &Published, witness: Witness) -> Self {
        Self {
            name: circuit.to_string(),
            circuit,
            public_input: published.public_input(),
            witness,
        }
    }

    /// A part that publishes what its values do, whatever they say.
    pub(super) fn of_values(circuit: Circuit, witness: Witness) -> Result<Self, StatementError> {
        let assignment = circuit.assign_raw(&witness)?;
        Ok(Self {
            name: circuit.to_string(),
            circuit,
            public_input: assignment.instance[1],
            witness,
        })
    }

    /// The values of all variables of the circuit.
    pub(super) fn assign(&self) -> Result<Assignment, StatementError> {
        Ok(self.circuit.assign_raw(&self.witness)?)
    }

    /// Checks every row; gives how many there are.
    fn check(&self) -> Result<usize, CheckError> {
        let report = self.circuit.check_raw(&self.witness)?;
        if report.public_input == self.public_input {
            Ok(report.rows)
        } else {
            Err(CheckError::PublicInput)
        }
    }
}

/// The circuit of a statement that clients prove.
pub(super) fn client_circuit(statement: StatementKind) -> Circuit {
    let suite = Suite::Poseidon;
    Circuit { suite, statement }
}
