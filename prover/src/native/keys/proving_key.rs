//! Proving keys: generation, sections, and loading.

use std::sync::OnceLock;

use ark_bn254::{Bn254, G1Affine, G2Affine};
use ark_groth16::{ProvingKey, VerifyingKey};
use zkwhirl_circuits::{Circuit, r1cs::Matrices};
use zkwhirl_job::request::{DATA_TREE_DEPTH, DEFI_TREE_DEPTH, NULL_TREE_DEPTH, ROOTS_TREE_DEPTH};
use zkwhirl_keystore::{CircuitIdentity, KeyError, KeyFile, KeyId, KeyWriter, Provenance};

use super::{
    mapped::{Mapped, Raw, layout_holds},
    matrices::{self, MappedMatrices},
    points::{check_subgroup, on_curve, write_points},
    setup::setup,
    verification_key::{VerificationKey, vk_bytes},
};

/// A loaded proving key with its verification key and its matrices. Points and
/// matrices remain in the mapped file.
#[derive(Debug)]
pub struct NativeKey {
    /// The key's identity.
    pub id: KeyId,
    /// The key's circuit.
    pub circuit: CircuitIdentity,
    /// The origin of the secret numbers of the key's setup.
    pub provenance: Provenance,
    pub(crate) vk: VerifyingKey<Bn254>,
    /// The prepared verification key, filled by the first call of
    /// [`NativeKey::verifying`].
    verifying: OnceLock<VerificationKey>,
    pub(crate) queries: Queries,
    pub(crate) matrices: MappedMatrices,
}

/// The points of a proving key that the prover multiplies by scalars.
#[derive(Debug)]
pub(crate) struct Queries {
    pub(crate) alpha_g1: G1Affine,
    pub(crate) beta_g1: G1Affine,
    pub(crate) delta_g1: G1Affine,
    pub(crate) beta_g2: G2Affine,
    pub(crate) delta_g2: G2Affine,
    pub(crate) a: Mapped<G1Affine>,
    pub(crate) b_g1: Mapped<G1Affine>,
    pub(crate) b_g2: Mapped<G2Affine>,
    pub(crate) h: Mapped<G1Affine>,
    pub(crate) l: Mapped<G1Affine>,
}

/// The identity of a circuit as this release builds the circuit.
pub(crate) fn identity(circuit: &Circuit, matrices: &Matrices) -> CircuitIdentity {
    CircuitIdentity {
        name: circuit.to_string(),
        depths: format!(
            "data {DATA_TREE_DEPTH}, nullifier {NULL_TREE_DEPTH}, roots {ROOTS_TREE_DEPTH}, \
             defi {DEFI_TREE_DEPTH}"
        ),
        matrices: hex::encode(matrices.digest()),
        rows: matrices.num_rows as u64,
    }
}

/// Makes a key for `matrices` and writes the key's sections.
pub(crate) fn generate(
    writer: &mut KeyWriter,
    matrices: &Matrices,
    provenance: &Provenance,
) -> Result<(), KeyError> {
    let key = setup(writer, matrices, provenance)?;
    write(writer, &key, matrices)
}

/// Writes the sections of a key whose points belong to `matrices`. It is an error if
/// a point is not on its curve or not in its subgroup: loading does not check the
/// points.
pub(crate) fn write(
    writer: &mut KeyWriter,
    key: &ProvingKey<Bn254>,
    matrices: &Matrices,
) -> Result<(), KeyError> {
    let g1 = [&key.a_query, &key.b_g1_query, &key.h_query, &key.l_query];
    if !g1.iter().all(|points| on_curve(points)) || !check_subgroup(&key.b_g2_query) {
        return Err(writer.failed("a point is not in its group"));
    }
    let mut g1_constants = vec![key.vk.alpha_g1, key.beta_g1, key.delta_g1];
    g1_constants.extend(&key.vk.gamma_abc_g1);
    let g2_constants = [key.vk.beta_g2, key.vk.gamma_g2, key.vk.delta_g2];
    let mut write = |name: &str, bytes: &[u8]| writer.section(name, bytes);
    write("vk", &vk_bytes(&key.vk))?;
    write("g1", &write_points(&g1_constants))?;
    write("g2", &write_points(&g2_constants))?;
    write("a", &write_points(&key.a_query))?;
    write("b1", &write_points(&key.b_g1_query))?;
    write("b2", &write_points(&key.b_g2_query))?;
    write("h", &write_points(&key.h_query))?;
    write("l", &write_points(&key.l_query))?;
    write("matrices", &matrices::to_bytes(matrices))
}

impl NativeKey {
    /// Loads a key from its mapped file. Opening the file has checked the bytes, so
    /// that loading checks sizes only.
    pub fn load(file: &KeyFile) -> Result<Self, KeyError> {
        static LAYOUT: OnceLock<bool> = OnceLock::new();
        if !LAYOUT.get_or_init(layout_holds) {
            let problem = "this build's memory layout of points differs from that of key files";
            return Err(KeyError::Config(problem.to_owned()));
        }
        let [alpha_g1, beta_g1, delta_g1, ref gamma_abc_g1 @ ..] = list(file, "g1")?[..] else {
            return Err(unreadable(file, "g1"));
        };
        let [beta_g2, gamma_g2, delta_g2] = list(file, "g2")?[..] else {
            return Err(unreadable(file, "g2"));
        };
        let key = Self {
            id: file.id(),
            circuit: file.circuit().clone(),
            provenance: file.provenance().clone(),
            vk: VerifyingKey {
                alpha_g1,
                beta_g2,
                gamma_g2,
                delta_g2,
                gamma_abc_g1: gamma_abc_g1.to_vec(),
            },
            verifying: OnceLock::new(),
            queries: Queries {
                alpha_g1,
                beta_g1,
                delta_g1,
                beta_g2,
                delta_g2,
                a: list(file, "a")?,
                b_g1: list(file, "b1")?,
                b_g2: list(file, "b2")?,
                h: list(file, "h")?,
                l: list(file, "l")?,
            },
            matrices: MappedMatrices::new(&file.section("matrices")?)
                .ok_or_else(|| unreadable(file, "matrices"))?,
        };
        key.check_parts(file)?;
        Ok(key)
    }

    /// Checks that points, matrices and verification key belong to one size and one
    /// setup.
    fn check_parts(&self, file: &KeyFile) -> Result<(), KeyError> {
        let (queries, matrices) = (&self.queries, &self.matrices);
        let variables = matrices.num_instance + matrices.num_witness;
        for (section, points, must) in [
            ("a", queries.a.len(), variables),
            ("b1", queries.b_g1.len(), variables),
            ("b2", queries.b_g2.len(), variables),
            ("h", queries.h.len(), matrices.domain() - 1),
            ("l", queries.l.len(), matrices.num_witness),
            (
                "g1",
                self.vk.gamma_abc_g1.len() + 3,
                matrices.num_instance + 3,
            ),
        ] {
            if points != must {
                let problem = format!(
                    "it is of another size: its section {section} has {points} points, \
                     its matrices need {must}"
                );
                return Err(KeyError::damaged(file.path(), problem));
            }
        }
        // Encoding takes much less time than decoding.
        if vk_bytes(&self.vk) == file.vk() {
            return Ok(());
        }
        let problem = "its points belong to another verification key";
        Err(KeyError::damaged(file.path(), problem))
    }

    /// The prepared verification key.
    pub(crate) fn verifying(&self) -> &VerificationKey {
        self.verifying.get_or_init(|| VerificationKey {
            digest: *blake3::hash(&vk_bytes(&self.vk)).as_bytes(),
            prepared: ark_groth16::prepare_verifying_key(&self.vk),
        })
    }
}

/// The values of a section in mapped memory.
fn list<T: Raw>(file: &KeyFile, name: &str) -> Result<Mapped<T>, KeyError> {
    Mapped::new(file.section(name)?).ok_or_else(|| unreadable(file, name))
}

fn unreadable(file: &KeyFile, section: &str) -> KeyError {
    KeyError::damaged(file.path(), format!("its section {section} cannot be read"))
}

#[cfg(test)]
mod tests;
