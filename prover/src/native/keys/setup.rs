//! The setup of a key with secret numbers that this process draws: the setup of
//! `ark_groth16` over stored matrices.

use ark_bn254::{Bn254, Fr};
use ark_ff::Zero;
use ark_groth16::{Groth16, ProvingKey};
use ark_relations::{
    gr1cs::{ConstraintSynthesizer, ConstraintSystemRef, LinearCombination, Variable},
    utils::Result as SynthesisResult,
};
use ark_std::UniformRand;
use rand::{RngCore, SeedableRng, rngs::OsRng};
use rand_chacha::ChaCha20Rng;
use zkwhirl_circuits::r1cs::{Matrices, Matrix};
use zkwhirl_keystore::{KeyError, KeyWriter, Provenance};

/// Runs the setup of `ark_groth16` for the key that `writer` writes. The random
/// numbers are seeded for development keys, otherwise they come from the operating
/// system. Keys of any other provenance are refused: they come from files.
pub(super) fn setup(
    writer: &KeyWriter,
    matrices: &Matrices,
    provenance: &Provenance,
) -> Result<ProvingKey<Bn254>, KeyError> {
    let mut seed = [0; 32];
    match provenance {
        Provenance::DevSeeded { seed: number } => seed[..8].copy_from_slice(&number.to_le_bytes()),
        Provenance::SingleParty => OsRng.fill_bytes(&mut seed),
        Provenance::Powers { .. } | Provenance::Ceremony { .. } => {
            let problem = format!("a {provenance} cannot be made, only imported");
            return Err(writer.failed(problem));
        }
    }
    let rng = &mut ChaCha20Rng::from_seed(seed);
    let [alpha, beta, gamma, delta] = [(); 4].map(|()| Fr::rand(rng));
    let g1 = ark_bn254::G1Projective::rand(rng);
    let g2 = ark_bn254::G2Projective::rand(rng);
    let circuit = StoredMatrices(matrices);
    let made = Groth16::<Bn254>::generate_parameters_with_qap(
        circuit, alpha, beta, gamma, delta, g1, g2, rng,
    );
    made.map_err(|error| writer.failed(error))
}

/// Stored matrices as a circuit of `ark_groth16`.
struct StoredMatrices<'a>(&'a Matrices);

impl ConstraintSynthesizer<Fr> for StoredMatrices<'_> {
    fn generate_constraints(self, cs: ConstraintSystemRef<Fr>) -> SynthesisResult<()> {
        let matrices = self.0;
        for _ in 1..matrices.num_instance {
            let _ = cs.new_input_variable(|| Ok(Fr::zero()))?;
        }
        for _ in 0..matrices.num_witness {
            let _ = cs.new_witness_variable(|| Ok(Fr::zero()))?;
        }
        let variable = |column: u32| match column as usize {
            0 => Variable::One,
            place if place < matrices.num_instance => Variable::instance(place),
            place => Variable::witness(place - matrices.num_instance),
        };
        let combination = |matrix: &Matrix, row: usize| {
            let terms = matrices.row(matrix, row);
            LinearCombination(terms.map(|(column, k)| (*k, variable(column))).collect())
        };
        for row in 0..matrices.num_rows {
            cs.enforce_r1cs_constraint(
                || combination(&matrices.a, row),
                || combination(&matrices.b, row),
                || combination(&matrices.c, row),
            )?;
        }
        Ok(())
    }
}
