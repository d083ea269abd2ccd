//! The statement that a request makes, the circuits that prove it, and what can be
//! checked without a key.

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use zkwhirl_circuits::{
    CheckError, Circuit, Plan, StatementError, StatementKind, Suite, TooLarge, Witness,
    claim::{self, ClaimWitness},
    client::ClientWitness,
    field,
    published::Published,
    root_rollup::{self, RootRollupWitness},
    tx_rollup::{self, TxRollupWitness},
};
use zkwhirl_job::{
    Kind, LayoutError, Request, Sizes, Word,
    reply::{NativeForm, NativeProof, ReplyError, ReplyShape, fields},
    request::{ClaimRequest, RootRollupRequest, TxRollupRequest},
};

use super::{
    client_fields::{self, CarriedProof, CarriedProofError},
    inners::{InnerReplies, InnerReplyError},
    part::StatementPart,
    reading,
    reply_proof::ReplyProof,
};
use crate::native::setting::{NoCircuit, Setting, client_circuit, root_size, suite_tag};

/// The statement of a request whose rules were all checked natively, with the
/// values of its circuits.
#[derive(Debug)]
pub(crate) struct CheckedStatement {
    /// The start of the reply: the published fields, in the original reply's
    /// order, or a root rollup's broadcast data.
    pub(crate) fields: Vec<Word>,
    form: NativeForm,
    pub(super) words: Vec<Word>,
    /// The parts to prove, in the order of their proofs in the reply.
    pub(crate) parts: Vec<StatementPart>,
    /// The client proofs that the reply carries.
    carried: Vec<CarriedProof>,
    /// The inner rollups that a root rollup's reply carries.
    inners: Option<InnerReplies>,
    /// The proofs inside the request. The engine verifies them before it proves
    /// the parts.
    pub(crate) inside: Vec<ReplyProof>,
}

/// Why a request cannot be proved.
#[derive(Debug, thiserror::Error)]
pub enum NotProvable {
    /// The request does not fit the setting's sizes.
    #[error(transparent)]
    Sizes(#[from] LayoutError),
    /// A rule of the protocol does not hold.
    #[error(transparent)]
    False(#[from] StatementError),
    /// The reply cannot carry a client's proof.
    #[error(transparent)]
    Client(#[from] CarriedProofError),
    /// No circuits of the allowed size prove the request.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// The reply of an inner rollup cannot be read.
    #[error(transparent)]
    Inner(#[from] InnerReplyError),
    /// No circuit can be made for the sizes.
    #[error(transparent)]
    NoCircuit(#[from] NoCircuit),
    /// The rules hold natively, but a row of a circuit does not. This is a bug.
    #[error("{part}: {error}")]
    Row {
        /// The name of the proof.
        part: String,
        /// The row that does not hold.
        #[source]
        error: CheckError,
    },
    /// A root verifier's request has no statement to prove: the rollup in the
    /// request is verified.
    #[error("a {kind} request has no statement to prove")]
    Unsupported {
        /// The job's kind.
        kind: Kind,
    },
}

/// A request that satisfies every row of its circuits.
#[derive(Debug, Clone)]
pub struct CheckedRequest {
    /// The number of rows (constraints) of all circuits.
    pub rows: usize,
    /// The published fields with which the reply starts, in the original
    /// reply's order, 32 bytes each.
    pub fields: Vec<Word>,
}

impl CheckedStatement {
    /// Checks every rule of a request and returns its statement.
    pub(crate) fn of(request: &Request, setting: &Setting) -> Result<Self, NotProvable> {
        request.validate(setting.sizes)?;
        match request {
            Request::Claim(request) => Self::claim(request, setting.suite),
            Request::TxRollup(request) => Self::tx_rollup(request, setting),
            Request::RootRollup(request) => Self::root_rollup(request, setting),
            Request::RootVerifier(_) => Err(NotProvable::Unsupported {
                kind: request.kind(),
            }),
        }
    }

    /// Checks every rule of a client's values and returns the client's statement.
    pub(crate) fn of_client(client: &ClientWitness) -> Result<Self, NotProvable> {
        let published = client.check()?;
        let circuit = client_circuit(client.statement());
        Ok(Self::alone(circuit, &published, client.clone().into()))
    }

    fn claim(request: &ClaimRequest, suite: Suite) -> Result<Self, NotProvable> {
        let witness = ClaimWitness::new(request)?;
        let published = claim::check(suite, &witness)?;
        let witness = Witness::Claim(Box::new(witness));
        let circuit = Circuit {
            suite,
            statement: StatementKind::Claim,
        };
        Ok(Self::alone(circuit, &published, witness))
    }

    /// A statement with one part, of a request that carries no proofs.
    fn alone(circuit: Circuit, published: &Published, witness: Witness) -> Self {
        Self {
            parts: vec![StatementPart::whole(circuit, published, witness)],
            fields: to_words(published.to_words()),
            form: NativeForm::Single,
            words: Vec::new(),
            carried: Vec::new(),
            inners: None,
            inside: Vec::new(),
        }
    }

    fn tx_rollup(request: &TxRollupRequest, setting: &Setting) -> Result<Self, NotProvable> {
        let (suite, txs) = (setting.suite, setting.sizes.txs_per_inner());
        let plan = setting.plan()?;
        let witness = TxRollupWitness::new(request, txs)?;
        let published = tx_rollup::check(suite, txs, &witness)?;
        let carried = client_fields::carried(request, suite)?;
        let digests = published.clients();
        let inside = carried.iter();
        let inside = inside.map(|proof| proof.to_verify(suite, digests[proof.tx]));
        let inside = inside.collect::<Result<_, _>>()?;
        let mut words = client_fields::to_words(request, &carried);
        let parts = match &plan {
            Plan::Whole(circuit) => {
                let witness = Witness::TxRollup(Box::new(witness));
                vec![StatementPart::whole(*circuit, &published, witness)]
            }
            Plan::Chain(chain) => {
                let (parts, seams) = StatementPart::of_chain(chain, &published, Arc::new(witness));
                words.extend(seams);
                parts
            }
        };
        Ok(Self {
            fields: to_words(published.to_words()),
            form: reading::form(&plan),
            words,
            parts,
            carried,
            inners: None,
            inside,
        })
    }

    fn root_rollup(request: &RootRollupRequest, setting: &Setting) -> Result<Self, NotProvable> {
        let (suite, size) = (setting.suite, root_size(setting.sizes)?);
        let witness = RootRollupWitness::new(request, size)?;
        let broadcast = root_rollup::check(suite, size, &witness)?;
        let witness = Witness::RootRollup(Box::new(witness));
        let (inners, inside) = InnerReplies::of(request, setting, setting.domain_log2()?)?;
        let circuit = setting.admit(setting.root()?)?;
        let published = broadcast.published();
        Ok(Self {
            parts: vec![StatementPart::whole(circuit, &published, witness)],
            fields: to_words(broadcast.words()),
            form: NativeForm::Rollup,
            words: Vec::new(),
            carried: Vec::new(),
            inners: Some(inners),
            inside,
        })
    }

    /// Makes the reply: the fields, then the new proofs, then the proofs that the
    /// request carries. `own` has the digest of the key and the new proof for each
    /// part.
    pub(crate) fn reply(
        self,
        setting: &Setting,
        mut own: Vec<([u8; 32], [u8; 128])>,
    ) -> Result<Bytes, ReplyError> {
        if let Some(inners) = self.inners {
            return inners.reply(setting, self.fields, own[0]);
        }
        let mut vks: Vec<[u8; 32]> = own.iter().map(|(vk, _)| *vk).collect();
        // Proofs of one circuit are adjacent, so `dedup` leaves each key once.
        vks.dedup();
        vks.extend(client_fields::carried_keys(&self.carried));
        own.extend(self.carried.iter().map(|client| (client.vk, client.proof)));
        let tail = NativeProof {
            suite: suite_tag(setting.suite),
            form: self.form,
            vks,
            words: self.words,
            proofs: own.into_iter().map(|(_, proof)| proof).collect(),
        };
        let mut out = BytesMut::new();
        self.fields.iter().for_each(|field| out.put_slice(&field.0));
        out.put_slice(&tail.to_bytes());
        Ok(out.freeze())
    }
}

/// Checks a request natively and then row by row in its circuits, one circuit
/// after the other, without a key. `report` receives the fraction of the circuits
/// that is done, 0 to 1.
pub fn check(
    request: &Request,
    setting: &Setting,
    report: &dyn Fn(f32),
) -> Result<CheckedRequest, NotProvable> {
    let statement = CheckedStatement::of(request, setting)?;
    let mut rows = 0;
    for (at, part) in statement.parts.iter().enumerate() {
        report(at as f32 / statement.parts.len() as f32);
        rows += part.check().map_err(|error| NotProvable::Row {
            part: part.name.clone(),
            error,
        })?;
    }
    Ok(CheckedRequest {
        rows,
        fields: statement.fields,
    })
}

/// Computes the published fields with which the reply to a request starts, even if
/// the request breaks a rule: for the mock prover.
pub fn published_fields(
    request: &Request,
    suite: Suite,
    sizes: Sizes,
) -> Result<Vec<Word>, NotProvable> {
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
            let broadcast = fields(&request.root_rollup_reply, count);
            return Ok(broadcast.expect("a validated request has its broadcast data"));
        }
    };
    Ok(to_words(published))
}

pub(super) fn to_words(words: Vec<[u8; 32]>) -> Vec<Word> {
    words.into_iter().map(Word).collect()
}
