//! Proving keys: their setup, their sections, their loading.

use std::io;

use ark_bn254::{Bn254, Fr};
use ark_ff::Zero;
use ark_groth16::{Groth16, PreparedVerifyingKey, ProvingKey, VerifyingKey};
use ark_relations::{
    gr1cs::{ConstraintSynthesizer, ConstraintSystemRef, LinearCombination, Variable},
    utils::Result as SynthesisResult,
};
use ark_serialize::{CanonicalDeserialize, CanonicalSerialize};
use ark_std::UniformRand;
use rand::{RngCore, SeedableRng, rngs::OsRng};
use rand_chacha::ChaCha20Rng;
use zkwhirl_circuits::{
    Circuit,
    r1cs::{Matrices, Matrix},
};
use zkwhirl_keystore::{CircuitIdentity, KeyError, KeyFile, KeyId, KeyWriter, Provenance};

use super::{
    groth16::Queries,
    matrices,
    points::{read_g1, read_g2, write_g1, write_g2},
};

/// A proving key that was loaded, with its verification key and its matrices.
#[derive(Debug)]
pub struct NativeKey {
    id: KeyId,
    provenance: Provenance,
    verifying: VerificationKey,
    pub(super) queries: Queries,
    pub(super) matrices: Matrices,
}

/// A verification key, prepared, with the digest that proofs name it by.
#[derive(Debug, Clone)]
pub struct VerificationKey {
    /// BLAKE3 of the compressed key.
    pub digest: [u8; 32],
    pub(super) prepared: PreparedVerifyingKey<Bn254>,
}

/// Makes a key for `matrices` and writes its sections.
pub(super) fn generate(
    writer: &mut KeyWriter,
    matrices: &Matrices,
    provenance: &Provenance,
    circuit: &CircuitIdentity,
) -> Result<(), KeyError> {
    let failed = |reason: String| KeyError::Generate {
        circuit: circuit.name.clone(),
        reason,
    };
    let key = setup(matrices, provenance).map_err(|e| failed(e.to_string()))?;
    let mut vk = Vec::new();
    key.vk
        .serialize_compressed(&mut vk)
        .map_err(|e| failed(e.to_string()))?;
    let g1_constants = [key.vk.alpha_g1, key.beta_g1, key.delta_g1];
    let g2_constants = [key.vk.beta_g2, key.vk.delta_g2];
    let mut write = |name: &str, bytes: &[u8]| writer.section(name, bytes);
    let written: io::Result<()> = (|| {
        write("vk", &vk)?;
        write("g1", &write_g1(&g1_constants))?;
        write("g2", &write_g2(&g2_constants))?;
        write("a", &write_g1(&key.a_query))?;
        write("b1", &write_g1(&key.b_g1_query))?;
        write("b2", &write_g2(&key.b_g2_query))?;
        write("h", &write_g1(&key.h_query))?;
        write("l", &write_g1(&key.l_query))?;
        write("matrices", &matrices::to_bytes(matrices))
    })();
    written.map_err(|e| failed(e.to_string()))
}

/// What a circuit's key is kept under.
pub(super) fn identity(circuit: &Circuit, matrices: &Matrices) -> CircuitIdentity {
    CircuitIdentity {
        name: circuit.to_string(),
        matrices: hex::encode(matrices.digest()),
        rows: matrices.num_rows as u64,
    }
}

impl NativeKey {
    /// Loads a key whose bytes were checked when it was opened.
    pub fn load(file: &KeyFile) -> Result<Self, KeyError> {
        let damaged = |what: &str| KeyError::Damaged {
            path: file.path().to_owned(),
            problem: format!("section {what} cannot be read"),
        };
        let g1 = |name: &str| read_g1(file.section(name)?).ok_or_else(|| damaged(name));
        let g2 = |name: &str| read_g2(file.section(name)?).ok_or_else(|| damaged(name));
        let [alpha_g1, beta_g1, delta_g1] = g1("g1")?[..] else {
            return Err(damaged("g1"));
        };
        let [beta_g2, delta_g2] = g2("g2")?[..] else {
            return Err(damaged("g2"));
        };
        Ok(Self {
            id: file.id(),
            provenance: file.provenance().clone(),
            verifying: VerificationKey::load(file)?,
            queries: Queries {
                alpha_g1,
                beta_g1,
                delta_g1,
                beta_g2,
                delta_g2,
                a: g1("a")?,
                b_g1: g1("b1")?,
                b_g2: g2("b2")?,
                h: g1("h")?,
                l: g1("l")?,
            },
            matrices: matrices::parse(file.section("matrices")?)
                .ok_or_else(|| damaged("matrices"))?,
        })
    }

    /// The key's identity.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// Where the setup's secret numbers came from.
    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    /// The verification key.
    pub fn verifying(&self) -> &VerificationKey {
        &self.verifying
    }

    /// Constraints of the circuit.
    pub fn rows(&self) -> usize {
        self.matrices.num_rows
    }
}

impl VerificationKey {
    /// Loads the verification key of a key file, with all checks.
    pub fn load(file: &KeyFile) -> Result<Self, KeyError> {
        Self::parse(file.vk()?).map_err(|problem| KeyError::Damaged {
            path: file.path().to_owned(),
            problem: format!("its verification key {problem}"),
        })
    }

    /// The bytes that [`VerificationKey::parse`] reads, and the digest is of.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let written = self.prepared.vk.serialize_compressed(&mut bytes);
        written.expect("a vector takes every byte");
        bytes
    }

    /// Reads a verification key, with all checks; the error reads after "the
    /// verification key".
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let key = VerifyingKey::deserialize_compressed(bytes)
            .map_err(|error| format!("cannot be read: {error}"))?;
        let inputs = key.gamma_abc_g1.len();
        if inputs != 2 {
            return Err(format!(
                "has {inputs} points for the constant and the public input, must have 2"
            ));
        }
        Ok(Self {
            digest: *blake3::hash(bytes).as_bytes(),
            prepared: ark_groth16::prepare_verifying_key(&key),
        })
    }
}

/// The library's setup over the stored matrices. Seeded for development keys,
/// else from the operating system's generator.
fn setup(matrices: &Matrices, provenance: &Provenance) -> SynthesisResult<ProvingKey<Bn254>> {
    let mut seed = [0; 32];
    match provenance {
        Provenance::DevSeeded { seed: number } => seed[..8].copy_from_slice(&number.to_le_bytes()),
        Provenance::SingleParty => OsRng.fill_bytes(&mut seed),
    }
    let rng = &mut ChaCha20Rng::from_seed(seed);
    let [alpha, beta, gamma, delta] = [(); 4].map(|()| Fr::rand(rng));
    let g1 = ark_bn254::G1Projective::rand(rng);
    let g2 = ark_bn254::G2Projective::rand(rng);
    Groth16::<Bn254>::generate_parameters_with_qap(
        Replay(matrices),
        alpha,
        beta,
        gamma,
        delta,
        g1,
        g2,
        rng,
    )
}

/// Hands stored matrices to the library as a circuit.
struct Replay<'a>(&'a Matrices);

impl ConstraintSynthesizer<Fr> for Replay<'_> {
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

#[cfg(test)]
mod tests;
