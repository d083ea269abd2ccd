//! The same proof by several provers, from the same key, matrices and witness.

use std::{
    str::FromStr,
    sync::{Arc, OnceLock},
};

use ark_bn254::{Bn254, Fr};
use ark_groth16::{Groth16, PreparedVerifyingKey, Proof, ProvingKey};
use ark_serialize::CanonicalSerialize;
use ark_std::UniformRand;
use rand::rngs::OsRng;
use taceo_groth16::{ConstraintMatrices, Groth16 as Taceo, LibSnarkReduction};
use tokio::time::{Duration, Instant};
use zkwhirl_circuits::{Circuit, Witness, r1cs::Assignment};
use zkwhirl_msm::Arithmetic;

use super::{Engine, EngineError, groth16};
use crate::{
    Progress,
    native::keys::{MappedMatrices, MappedMatrix, NativeKey},
};

/// Rows of `(coefficient, column)` entries.
type Rows = Vec<Vec<(Fr, usize)>>;

/// A prover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rival {
    /// This crate's: `native`.
    Native,
    /// `ark_groth16`, from stored matrices: `stock`.
    Stock,
    /// `taceo_groth16`: `taceo`.
    Taceo,
}

impl Rival {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Native, Self::Stock, Self::Taceo];

    /// Its name in one word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Stock => "stock",
            Self::Taceo => "taceo",
        }
    }
}

impl FromStr for Rival {
    type Err = UnknownRival;

    fn from_str(name: &str) -> Result<Self, UnknownRival> {
        let found = Self::ALL.into_iter().find(|rival| rival.name() == name);
        found.ok_or(UnknownRival)
    }
}

/// A name that no prover of a comparison has.
#[derive(Debug, thiserror::Error)]
#[error("must be native, stock or taceo")]
pub struct UnknownRival;

/// A circuit's key as each of some provers takes it.
#[derive(Debug)]
pub struct Rivals {
    circuit: Circuit,
    /// Constraints.
    pub rows: usize,
    verifying: PreparedVerifyingKey<Bn254>,
    native: Option<Arc<NativeKey>>,
    stock: Option<(Arc<ProvingKey<Bn254>>, Vec<Rows>)>,
    taceo: Option<(Arc<ProvingKey<Bn254>>, ConstraintMatrices<Fr>)>,
}

/// How long a proof took.
#[derive(Debug, Clone, Copy, Default)]
pub struct Lap {
    /// From the witness to the values of all variables: the same for all.
    pub witness: Duration,
    /// From there to h, the quotient's coefficients. Zero for other provers.
    pub quotient: Duration,
    /// From the values of all variables to the proof.
    pub arithmetic: Duration,
    /// From the witness to the proof's 128 bytes.
    pub whole: Duration,
}

impl Rivals {
    /// The key of a circuit, which is made when the engine's store has none. What
    /// no rival needs is not kept.
    pub fn new(
        mut engine: Engine,
        circuit: Circuit,
        rivals: &[Rival],
        report: &(dyn Fn(Progress) + Sync),
    ) -> Result<Self, EngineError> {
        let key = engine.key(&circuit, report)?;
        let takes = |rival| rivals.contains(&rival);
        let library = rivals.iter().any(|rival| *rival != Rival::Native);
        let library = library.then(|| Arc::new(proving_key(&key)));
        let library = |rival| library.clone().filter(|_| takes(rival));
        let matrices = &key.matrices;
        let rows = |matrix| rows(matrices, matrix);
        Ok(Self {
            circuit,
            rows: key.matrices.num_rows,
            verifying: key.verifying().prepared.clone(),
            stock: library(Rival::Stock).map(|key| {
                let all = [&matrices.a, &matrices.b, &matrices.c];
                (key, all.map(rows).into())
            }),
            taceo: library(Rival::Taceo).map(|key| {
                let counted = |matrix| {
                    let rows: Rows = rows(matrix);
                    (rows.iter().map(Vec::len).sum(), rows)
                };
                let (a_num_non_zero, a) = counted(&matrices.a);
                let (b_num_non_zero, b) = counted(&matrices.b);
                let (c_num_non_zero, c) = counted(&matrices.c);
                let matrices = ConstraintMatrices {
                    num_instance_variables: matrices.num_instance,
                    num_witness_variables: matrices.num_witness,
                    num_constraints: matrices.num_rows,
                    a_num_non_zero,
                    b_num_non_zero,
                    c_num_non_zero,
                    a,
                    b,
                    c,
                };
                (key, matrices)
            }),
            native: takes(Rival::Native).then_some(key),
        })
    }

    /// Proves with one of the provers that the key is there for, and verifies the
    /// proof, which is not counted.
    pub fn prove(&self, rival: Rival, witness: &Witness) -> Result<Lap, EngineError> {
        let started = Instant::now();
        let assignment = self.circuit.assign_raw(witness)?;
        let ready = Instant::now();
        let (proof, quotient) = self.proof(rival, &assignment)?;
        let proved = Instant::now();
        let failed = |error: String| EngineError::NotVerified(error);
        let mut bytes = [0; 128];
        proof
            .serialize_compressed(&mut bytes[..])
            .map_err(|error| failed(error.to_string()))?;
        let lap = Lap {
            witness: ready - started,
            quotient,
            arithmetic: proved - ready,
            whole: started.elapsed(),
        };
        let public = &assignment.instance[1..];
        match Groth16::<Bn254>::verify_proof(&self.verifying, &proof, public) {
            Ok(true) => Ok(lap),
            Ok(false) => Err(failed(format!("says ark-groth16 of {rival:?}"))),
            Err(error) => Err(failed(error.to_string())),
        }
    }

    fn proof(
        &self,
        rival: Rival,
        assignment: &Assignment,
    ) -> Result<(Proof<Bn254>, Duration), EngineError> {
        let missing = || EngineError::NotVerified(format!("{rival:?} has no key"));
        let failed = |error: String| EngineError::NotVerified(error);
        let [r, s] = [Fr::rand(&mut OsRng), Fr::rand(&mut OsRng)];
        let all = || [&assignment.instance[..], &assignment.witness].concat();
        let proof = match rival {
            Rival::Native => {
                let NativeKey {
                    queries, matrices, ..
                } = &**self.native.as_ref().ok_or_else(missing)?;
                let started = Instant::now();
                let first = OnceLock::new();
                let step = |_| {
                    first.get_or_init(|| started.elapsed());
                };
                let proof = groth16::prove(queries, matrices, assignment, [r, s], &step)?;
                return Ok((proof, first.into_inner().unwrap_or_default()));
            }
            Rival::Stock => {
                let (key, matrices) = self.stock.as_ref().ok_or_else(missing)?;
                let (public, rows) = (assignment.instance.len(), self.rows);
                Groth16::<Bn254>::create_proof_with_reduction_and_matrices(
                    key,
                    r,
                    s,
                    matrices,
                    public,
                    rows,
                    &all(),
                )
                .map_err(|error| failed(error.to_string()))?
            }
            Rival::Taceo => {
                let (key, matrices) = self.taceo.as_ref().ok_or_else(missing)?;
                Taceo::<Bn254>::prove::<LibSnarkReduction>(key, r, s, matrices, &all())
                    .map_err(|error| failed(error.to_string()))?
            }
        };
        Ok((proof, Duration::ZERO))
    }

    /// Threads that every prover uses.
    pub fn threads() -> usize {
        rayon::current_num_threads()
    }

    /// The instructions of this crate's prover, in this process: what every
    /// machine has, if `portable`, else the fastest that this one has.
    pub fn instructions(portable: bool) -> &'static str {
        if portable {
            Arithmetic::only_portable();
        }
        Arithmetic::detect().name()
    }
}

/// The key in the library's own type.
pub(super) fn proving_key(key: &NativeKey) -> ProvingKey<Bn254> {
    let queries = &key.queries;
    ProvingKey {
        vk: key.verifying().prepared.vk.clone(),
        beta_g1: queries.beta_g1,
        delta_g1: queries.delta_g1,
        a_query: queries.a.to_vec(),
        b_g1_query: queries.b_g1.to_vec(),
        b_g2_query: queries.b_g2.to_vec(),
        h_query: queries.h.to_vec(),
        l_query: queries.l.to_vec(),
    }
}

fn rows(matrices: &MappedMatrices, matrix: &MappedMatrix) -> Rows {
    (0..matrices.num_rows)
        .map(|row| {
            let entries = matrices.row(matrix, row);
            entries.map(|(column, k)| (*k, column as usize)).collect()
        })
        .collect()
}
