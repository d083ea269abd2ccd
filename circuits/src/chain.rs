//! An inner rollup cut into pieces, each with a proof.
//!
//! The pieces publish no field of their own. A verifier computes their public
//! inputs from the rollup's published fields, the clients' public inputs and the
//! few words of [`Seams`]. Two neighbouring pieces share a word: the same word is
//! the end of one and the start of the next. If pieces do not fit together, no
//! proof verifies for their public inputs.

use std::sync::Arc;

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;

use crate::circuit::Circuit;
use crate::published::{ASSETS, BRIDGES, FIELDS_PER_TX, Published, hash_chain, place};
use crate::statement::{Statement, StatementKind, Witness};
use crate::suite::Suite;
use crate::tx_rollup::{
    NotesWitness, RunningState, SegmentWitness, ShardWitness, TxNotes, TxNullifiers,
    TxRollupWitness, TxSegment, before_segments, published_fields,
};

/// How an inner rollup is cut: segments of txs, shards of nullifiers where
/// segments do not insert them, and the insertion of all notes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chain {
    suite: Suite,
    txs: u32,
    segment: u32,
    shard: Option<u32>,
}

/// One proof of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Which one: `segment 2 of 3`.
    pub name: String,
    /// Its circuit.
    pub circuit: Circuit,
}

/// What a verifier of a chain cannot compute from the published fields and the
/// clients' public inputs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seams {
    /// The digest of the [`RunningState`] between segments.
    pub states: Vec<Fr>,
    /// The nullifier root between segments, or between shards.
    pub null_roots: Vec<Fr>,
}

/// Why words do not belong to a chain of this cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SeamError {
    /// Too few or too many.
    #[error("{got} {what}, expected {expected}")]
    Count {
        /// What is counted.
        what: &'static str,
        /// How many there are.
        got: usize,
        /// How many the cut has.
        expected: usize,
    },
    /// No tx, or more than fit.
    #[error("{got} txs, expected 1 to {most}")]
    Txs {
        /// How many there are.
        got: usize,
        /// How many fit.
        most: usize,
    },
    /// A slot behind the last tx publishes something.
    #[error("slot {0} is padding but its published fields are not zero")]
    Padding(usize),
}

impl Chain {
    /// A rollup of up to `txs` txs in segments of `segment` txs and, if the
    /// suite has them, shards of `shard` nullifiers.
    ///
    /// # Panics
    /// If a number is zero.
    pub fn new(suite: Suite, txs: u32, segment: u32, shard: u32) -> Self {
        assert!(txs > 0 && segment > 0 && shard > 0, "pieces of nothing");
        Self {
            suite,
            txs,
            segment,
            shard: (!suite.segments_insert_nullifiers()).then_some(shard),
        }
    }

    /// The circuits, in the order in which a chain first uses them.
    pub fn circuits(&self) -> Vec<Circuit> {
        let mut statements = vec![StatementKind::TxSegment {
            txs: self.segment,
            of: self.txs,
        }];
        statements.extend(
            self.shard
                .map(|count| StatementKind::TxNullifiers { count }),
        );
        statements.push(StatementKind::TxNotes {
            slots: self.txs.next_power_of_two(),
        });
        let suite = self.suite;
        statements
            .into_iter()
            .map(|statement| Circuit { suite, statement })
            .collect()
    }

    /// The proofs of a rollup with `n` txs, in their order.
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

    /// How many states and nullifier roots the [`Seams`] of `n` txs have.
    pub fn seams(&self, n: usize) -> [usize; 2] {
        let between = |pieces: usize| pieces.saturating_sub(1);
        let states = between(self.segments(n));
        match self.shard {
            Some(_) => [states, between(self.shards(n))],
            None => [states; 2],
        }
    }

    /// Segments of padding alone change nothing and are left out.
    fn segments(&self, n: usize) -> usize {
        n.div_ceil(self.segment as usize)
    }

    fn shards(&self, n: usize) -> usize {
        self.shard
            .map_or(0, |count| (2 * n).div_ceil(count as usize))
    }

    /// Slots whose outputs a state remembers.
    fn remembered(&self) -> usize {
        let (txs, of) = (self.segment, self.txs);
        TxSegment { txs, of }.remembered()
    }

    /// Cuts a rollup: the values of each piece, and the seams. The pieces hold
    /// if the rollup follows the rules.
    pub fn cut(&self, w: &Arc<TxRollupWitness>) -> (Vec<Witness>, Seams) {
        let rollup = || Arc::clone(w);
        let segment = self.segment as usize;
        let remembered = self.remembered();
        let before = before_segments(self.suite, w, (segment, remembered));
        let mut seams = Seams {
            states: before
                .iter()
                .skip(1)
                .map(|(state, _)| state.digest())
                .collect(),
            null_roots: before.iter().skip(1).map(|(_, root)| *root).collect(),
        };
        let segments = before.into_iter().enumerate();
        let mut pieces: Vec<Witness> = segments
            .map(|(at, (state, null_root))| SegmentWitness {
                rollup: rollup(),
                first: at * segment,
                state,
                null_root,
            })
            .map(Witness::from)
            .collect();
        if let Some(shard) = self.shard {
            let roots = shard_roots(w, shard as usize);
            seams.null_roots = roots[1..].to_vec();
            pieces.extend(roots.into_iter().enumerate().map(|(at, root)| {
                Witness::from(ShardWitness {
                    rollup: rollup(),
                    first: at * shard as usize,
                    root,
                })
            }));
        }
        let fields = published_fields(self.suite, self.txs, w);
        let leaves = leaves(&fields);
        let rollup = rollup();
        pieces.push(NotesWitness { rollup, leaves }.into());
        (pieces, seams)
    }

    /// The public input of each proof, from what a verifier has: the published
    /// fields with the client digests, public input 15 of each tx, the seams.
    ///
    /// `published` must have been read with [`Published::from_words`] or be a
    /// statement's.
    pub fn public_inputs(
        &self,
        published: &Published,
        allow_chain: &[Fr],
        seams: &Seams,
    ) -> Result<Vec<Fr>, SeamError> {
        let n = allow_chain.len();
        self.expect(published, n, seams)?;
        let mut inputs = self.segment_inputs(published, allow_chain, seams);
        let field = |at: usize| published.fields()[at];
        let (old_null_root, new_null_root) =
            (field(place::OLD_NULL_ROOT), field(place::NEW_NULL_ROOT));
        if let Some(shard) = self.shard {
            let roots = joined(old_null_root, &seams.null_roots, new_null_root);
            let nullifiers = nullifiers(published, n);
            inputs.extend(roots.windows(2).zip(nullifiers.chunks(shard as usize)).map(
                |(roots, nullifiers)| {
                    let mut fields = [roots, nullifiers].concat();
                    fields.resize(2 + shard as usize, Fr::ZERO);
                    hash_chain(TxNullifiers::TAG, &fields)
                },
            ));
        }
        let mut notes = vec![
            field(place::OLD_DATA_ROOT),
            field(place::NEW_DATA_ROOT),
            field(place::DATA_START_INDEX),
        ];
        notes.extend(leaves(published.fields()));
        inputs.push(hash_chain(TxNotes::TAG, &notes));
        Ok(inputs)
    }

    fn expect(&self, published: &Published, n: usize, seams: &Seams) -> Result<(), SeamError> {
        let most = self.txs as usize;
        if n == 0 || n > most {
            return Err(SeamError::Txs { got: n, most });
        }
        let [states, null_roots] = self.seams(n);
        for (what, got, expected) in [
            ("states between segments", seams.states.len(), states),
            ("nullifier roots", seams.null_roots.len(), null_roots),
        ] {
            if got != expected {
                return Err(SeamError::Count {
                    what,
                    got,
                    expected,
                });
            }
        }
        let padding = published.fields()[place::TXS..]
            .chunks(FIELDS_PER_TX)
            .skip(n);
        match padding
            .into_iter()
            .position(|slot| slot.iter().any(|field| *field != Fr::ZERO))
        {
            Some(at) => Err(SeamError::Padding(n + at)),
            None => Ok(()),
        }
    }

    fn segment_inputs(&self, published: &Published, allow_chain: &[Fr], seams: &Seams) -> Vec<Fr> {
        let (n, segment) = (allow_chain.len(), self.segment as usize);
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
        let start = RunningState::start(self.remembered()).digest();
        let last = self.last_state(published, allow_chain).digest();
        let states = joined(start, &seams.states, last);
        let roots = joined(
            fields[place::OLD_NULL_ROOT],
            &seams.null_roots,
            fields[place::NEW_NULL_ROOT],
        );
        let slots = fields[place::TXS..].chunks(FIELDS_PER_TX);
        let mut slots = slots.zip(published.clients());
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
                // A segment may reach beyond the last published slot.
                hashed.resize(end, Fr::ZERO);
                hash_chain(TxSegment::TAG, &hashed)
            })
            .collect()
    }

    /// The state after the last segment.
    fn last_state(&self, published: &Published, allow_chain: &[Fr]) -> RunningState {
        let fields = published.fields();
        let sums = &fields[place::DEPOSIT_SUMS..place::DEPOSIT_SUMS + BRIDGES];
        let fees = &fields[place::FEES..place::FEES + ASSETS];
        let slots = fields[place::TXS..].chunks(FIELDS_PER_TX).zip(allow_chain);
        let mut outputs: Vec<[Fr; 3]> = slots.map(|(f, allow)| [f[1], f[2], *allow]).collect();
        let proved = self.segments(allow_chain.len()) * self.segment as usize;
        outputs.resize(proved, [Fr::ZERO; 3]);
        outputs.reverse();
        outputs.resize(self.remembered(), [Fr::ZERO; 3]);
        RunningState {
            sums: sums.try_into().expect("as many as there are bridges"),
            fees: fees.try_into().expect("as many as there are assets"),
            outputs,
        }
    }
}

/// The root before each shard.
fn shard_roots(w: &TxRollupWitness, shard: usize) -> Vec<Fr> {
    let insertions = w.txs.iter().flat_map(|tx| &tx.nullifiers);
    let after = insertions.map(|insertion| insertion.new_root);
    let roots: Vec<Fr> = std::iter::once(w.old_null_root).chain(after).collect();
    roots[..roots.len() - 1]
        .iter()
        .step_by(shard)
        .copied()
        .collect()
}

fn joined(first: Fr, between: &[Fr], last: Fr) -> Vec<Fr> {
    [&[first], between, &[last]].concat()
}

/// All notes of a rollup: two a slot.
fn leaves(fields: &[Fr]) -> Vec<Fr> {
    let slots = fields[place::TXS..].chunks(FIELDS_PER_TX);
    slots.flat_map(|f| [f[1], f[2]]).collect()
}

/// All nullifiers of `n` txs.
fn nullifiers(published: &Published, n: usize) -> Vec<Fr> {
    let slots = published.fields()[place::TXS..].chunks(FIELDS_PER_TX);
    slots.take(n).flat_map(|f| [f[3], f[4]]).collect()
}
