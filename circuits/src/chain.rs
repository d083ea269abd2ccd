//! An inner rollup cut into pieces, each with its own proof.
//!
//! The pieces publish no fields. A verifier computes their public inputs from
//! the rollup's published fields, the clients' public inputs and the few words
//! of [`Seams`]. Two neighbouring pieces share a word: the end of the first
//! piece is the start of the next. If pieces do not fit together, no proof
//! verifies for their public inputs.

use std::sync::Arc;

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;

use crate::circuit::Circuit;
use crate::error::CountError;
use crate::published::{ASSETS, BRIDGES, FIELDS_PER_TX, Published, hash_chain, place};
use crate::statement::{Statement, StatementKind, Witness};
use crate::suite::Suite;
use crate::tx_rollup::{
    NotesWitness, RunningState, ShardWitness, TxNotes, TxNullifiers, TxRollupWitness, TxSegment,
    published_fields, segments,
};

/// How an inner rollup is cut: segments of txs; shards of nullifiers, if the
/// segments do not insert them; one piece that inserts all notes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chain {
    suite: Suite,
    segment: TxSegment,
    shard: Option<u32>,
}

/// A piece of a chain, which has one proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The piece's name and position, for example `segment 2 of 3`.
    pub name: String,
    /// The piece's circuit.
    pub circuit: Circuit,
}

/// The words that a verifier of a chain cannot compute from the published
/// fields and the clients' public inputs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seams {
    /// The digests of the [`RunningState`] between segments.
    pub states: Vec<Fr>,
    /// The nullifier roots between segments, or between shards.
    pub null_roots: Vec<Fr>,
}

/// Why words do not belong to a chain with this cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SeamError {
    /// The number of seams does not fit the number of txs.
    #[error(transparent)]
    Count(#[from] CountError),
    /// The rollup has no tx, or more than fit.
    #[error("{got} txs, expected 1 to {most}")]
    Txs {
        /// Number of txs.
        got: usize,
        /// Number of txs that fit.
        most: usize,
    },
    /// A slot after the last tx has published fields that are not zero.
    #[error("slot {0} is padding but its published fields are not zero")]
    Padding(usize),
}

impl Chain {
    /// The cut of a rollup of up to `txs` txs into segments of `segment` txs
    /// and, if the suite needs shards, shards of `shard` nullifiers.
    ///
    /// # Panics
    /// If a number is zero.
    pub fn new(suite: Suite, txs: u32, segment: u32, shard: u32) -> Self {
        assert!(txs > 0 && segment > 0 && shard > 0, "a piece is empty");
        Self {
            suite,
            segment: TxSegment {
                txs: segment,
                of: txs,
            },
            shard: (!suite.segments_insert_nullifiers()).then_some(shard),
        }
    }

    /// Returns the circuits in the order in which a chain first uses them.
    pub fn circuits(&self) -> Vec<Circuit> {
        let (suite, TxSegment { txs, of }) = (self.suite, self.segment);
        let circuit = |statement| Circuit { suite, statement };
        let mut circuits = vec![circuit(StatementKind::TxSegment { txs, of })];
        let shards = |count| circuit(StatementKind::TxNullifiers { count });
        circuits.extend(self.shard.map(shards));
        let slots = of.next_power_of_two();
        circuits.push(circuit(StatementKind::TxNotes { slots }));
        circuits
    }

    /// Returns the pieces of a rollup with `n` txs, in their order.
    pub fn pieces(&self, n: usize) -> Vec<Piece> {
        let mut pieces = Vec::new();
        for circuit in self.circuits() {
            let (name, count) = match circuit.statement {
                StatementKind::TxSegment { .. } => ("segment", self.segments(n)),
                StatementKind::TxNullifiers { .. } => ("nullifier shard", self.shards(n)),
                _ => ("notes", 1),
            };
            pieces.extend((1..=count).map(|at| Piece {
                name: match count {
                    1 => name.to_owned(),
                    _ => format!("{name} {at} of {count}"),
                },
                circuit,
            }));
        }
        pieces
    }

    /// Returns how many states and nullifier roots the [`Seams`] of `n` txs have.
    pub fn seams(&self, n: usize) -> [usize; 2] {
        let between = |pieces: usize| pieces.saturating_sub(1);
        let states = between(self.segments(n));
        match self.shard {
            Some(_) => [states, between(self.shards(n))],
            None => [states; 2],
        }
    }

    /// Segments that contain only padding change nothing and are left out.
    fn segments(&self, n: usize) -> usize {
        n.div_ceil(self.segment.txs as usize)
    }

    fn shards(&self, n: usize) -> usize {
        self.shard
            .map_or(0, |count| (2 * n).div_ceil(count as usize))
    }

    /// Cuts a rollup. Returns the witness of each piece, and the seams. The
    /// pieces satisfy their circuits if the rollup follows the rules.
    pub fn cut(&self, w: &Arc<TxRollupWitness>) -> (Vec<Witness>, Seams) {
        let segments = segments(self.suite, self.segment, w);
        let later = || segments.iter().skip(1);
        let mut seams = Seams {
            states: later().map(|segment| segment.state.digest()).collect(),
            null_roots: later().map(|segment| segment.null_root).collect(),
        };
        let mut pieces: Vec<Witness> = segments.into_iter().map(Witness::from).collect();
        if let Some(shard) = self.shard {
            let insertions = w.txs.iter().flat_map(|tx| &tx.nullifiers);
            let after = insertions.map(|insertion| insertion.new_root);
            let roots = std::iter::once(w.old_null_root).chain(after);
            let roots = roots.step_by(shard as usize).take(self.shards(w.txs.len()));
            let shards = roots.enumerate().map(|(at, root)| ShardWitness {
                rollup: Arc::clone(w),
                first: at * shard as usize,
                root,
            });
            let shards: Vec<ShardWitness> = shards.collect();
            seams.null_roots = shards.iter().skip(1).map(|shard| shard.root).collect();
            pieces.extend(shards.into_iter().map(Witness::from));
        }
        let fields = published_fields(self.suite, self.segment.of, w);
        let notes = NotesWitness {
            rollup: Arc::clone(w),
            leaves: of_slots(&fields, [1, 2]).collect(),
        };
        pieces.push(notes.into());
        (pieces, seams)
    }

    /// Returns the public input of each proof, from the words that a verifier has: the
    /// published fields with the client digests, public input 15 of each tx, the seams.
    ///
    /// `published` must come from [`Published::from_words`] or from a checked
    /// statement.
    pub fn public_inputs(
        &self,
        published: &Published,
        allow_chain: &[Fr],
        seams: &Seams,
    ) -> Result<Vec<Fr>, SeamError> {
        let n = allow_chain.len();
        self.expect(published, n, seams)?;
        let mut inputs = self.segment_inputs(published, allow_chain, seams);
        let fields = published.fields();
        if let Some(shard) = self.shard {
            let shard = shard as usize;
            let nullifiers: Vec<Fr> = of_slots(fields, [3, 4]).take(2 * n).collect();
            let roots = null_roots(fields, seams);
            let shards = roots.windows(2).zip(nullifiers.chunks(shard));
            inputs.extend(shards.map(|(roots, nullifiers)| {
                let mut hashed = [roots, nullifiers].concat();
                hashed.resize(2 + shard, Fr::ZERO);
                hash_chain(TxNullifiers::TAG, &hashed)
            }));
        }
        let mut notes = vec![
            fields[place::OLD_DATA_ROOT],
            fields[place::NEW_DATA_ROOT],
            fields[place::DATA_START_INDEX],
        ];
        notes.extend(of_slots(fields, [1, 2]));
        inputs.push(hash_chain(TxNotes::TAG, &notes));
        Ok(inputs)
    }

    fn expect(&self, published: &Published, n: usize, seams: &Seams) -> Result<(), SeamError> {
        let most = self.segment.of as usize;
        if n == 0 || n > most {
            return Err(SeamError::Txs { got: n, most });
        }
        let [states, null_roots] = self.seams(n);
        CountError::check("states between segments", seams.states.len(), states)?;
        CountError::check("nullifier roots", seams.null_roots.len(), null_roots)?;
        let mut padding = slots(published.fields()).skip(n);
        match padding.position(|slot| slot.iter().any(|field| *field != Fr::ZERO)) {
            Some(at) => Err(SeamError::Padding(n + at)),
            None => Ok(()),
        }
    }

    fn segment_inputs(&self, published: &Published, allow_chain: &[Fr], seams: &Seams) -> Vec<Fr> {
        let (n, segment) = (allow_chain.len(), self.segment.txs as usize);
        let fields = published.fields();
        let mut header: Vec<Fr> = [
            place::ROLLUP_ID,
            place::OLD_DATA_ROOT,
            place::OLD_DATA_ROOTS_ROOT,
            place::NEW_DEFI_ROOT,
        ]
        .map(|at| fields[at])
        .to_vec();
        header.extend(&fields[place::BRIDGES..place::BRIDGES + BRIDGES]);
        header.extend(&fields[place::ASSETS..place::ASSETS + ASSETS]);
        let start = RunningState::start(self.segment.remembered()).digest();
        let last = self.last_state(fields, allow_chain).digest();
        let states = [&[start], &seams.states[..], &[last]].concat();
        let roots = null_roots(fields, seams);
        let mut slots = slots(fields).zip(published.clients());
        (0..self.segments(n))
            .map(|at| {
                let mut hashed = header.clone();
                hashed.extend(&states[at..at + 2]);
                hashed.push(Fr::from(segment.min(n - at * segment) as u64));
                if self.shard.is_none() {
                    hashed.extend(&roots[at..at + 2]);
                }
                let end = hashed.len() + segment * (FIELDS_PER_TX + 1);
                for (slot, client) in slots.by_ref().take(segment) {
                    hashed.extend(slot);
                    hashed.push(*client);
                }
                // The last segment may have more slots than are published.
                hashed.resize(end, Fr::ZERO);
                hash_chain(TxSegment::TAG, &hashed)
            })
            .collect()
    }

    /// Returns the state after the last segment.
    fn last_state(&self, fields: &[Fr], allow_chain: &[Fr]) -> RunningState {
        let sums = &fields[place::DEPOSIT_SUMS..place::DEPOSIT_SUMS + BRIDGES];
        let fees = &fields[place::FEES..place::FEES + ASSETS];
        let txs = slots(fields).zip(allow_chain);
        let mut outputs: Vec<[Fr; 3]> = txs.map(|(f, allow)| [f[1], f[2], *allow]).collect();
        let proved = self.segments(allow_chain.len()) * self.segment.txs as usize;
        outputs.resize(proved, [Fr::ZERO; 3]);
        outputs.reverse();
        outputs.resize(self.segment.remembered(), [Fr::ZERO; 3]);
        RunningState {
            sums: sums.try_into().expect("the sums have one entry per bridge"),
            fees: fees.try_into().expect("the fees have one entry per asset"),
            outputs,
        }
    }
}

/// Returns the published fields of each slot.
fn slots(fields: &[Fr]) -> impl Iterator<Item = &[Fr]> {
    fields[place::TXS..].chunks(FIELDS_PER_TX)
}

/// Returns two published fields of each slot: its notes, or its nullifiers.
fn of_slots(fields: &[Fr], places: [usize; 2]) -> impl Iterator<Item = Fr> {
    slots(fields).flat_map(move |slot| places.map(|place| slot[place]))
}

/// Returns the nullifier roots before, between and after the pieces.
fn null_roots(fields: &[Fr], seams: &Seams) -> Vec<Fr> {
    let [old, new] = [place::OLD_NULL_ROOT, place::NEW_NULL_ROOT].map(|at| fields[at]);
    [&[old], &seams.null_roots[..], &[new]].concat()
}
