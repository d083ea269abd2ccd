//! The header of a `.zkey`: the curve, the sizes and the constant points.

use ark_bn254::{Bn254, Fq, Fr};
use ark_groth16::{ProvingKey, VerifyingKey};
use zkwhirl_circuits::r1cs::Matrices;

use super::{
    CeremonyError, domain,
    sections::{Iden3File, modulus, u32_at},
    variables,
};
use crate::native::keys::{PointError, read_points};

/// Reads the header of a key, checks the key's sizes against the circuit, and
/// returns a key with the constant points and with empty lists.
pub(super) fn header(
    file: &Iden3File,
    matrices: &Matrices,
) -> Result<ProvingKey<Bn254>, CeremonyError> {
    if file.whole(1, 4)? != 1u32.to_le_bytes() {
        return Err(file.refused("is no Groth16 key"));
    }
    let head = file.part(2, 0, 84)?;
    let moduli = [modulus::<Fq>(), modulus::<Fr>()].concat();
    if head[..72] != moduli {
        return Err(file.refused("is of another curve than BN254"));
    }
    for (what, at, must) in [
        ("variables", 72, variables(matrices)),
        ("public inputs", 76, matrices.num_instance - 1),
        ("rows in its domain", 80, domain(matrices)),
    ] {
        let got = u32_at(&head, at) as usize;
        if got != must {
            return Err(file.refused(format!("has {got} {what}, the circuit has {must}")));
        }
    }
    // α and β in G1, β and γ in G2, δ in G1, δ in G2.
    let points = file.whole(2, 84 + 64 * 3 + 128 * 3)?;
    let read = || -> Result<ProvingKey<Bn254>, PointError> {
        let g1 = read_points(&points[84..212])?;
        let g2 = read_points(&points[212..468])?;
        Ok(ProvingKey {
            vk: VerifyingKey {
                alpha_g1: g1[0],
                beta_g2: g2[0],
                gamma_g2: g2[1],
                delta_g2: read_points(&points[532..])?[0],
                gamma_abc_g1: Vec::new(),
            },
            beta_g1: g1[1],
            delta_g1: read_points(&points[468..532])?[0],
            a_query: Vec::new(),
            b_g1_query: Vec::new(),
            b_g2_query: Vec::new(),
            h_query: Vec::new(),
            l_query: Vec::new(),
        })
    };
    read().map_err(|problem| file.in_section(2, &problem))
}
