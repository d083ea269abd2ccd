//! The header of a `.zkey`: the curve, the sizes and the constant points.

use ark_bn254::{Fq, Fr, G1Affine, G2Affine};
use zkwhirl_circuits::r1cs::Matrices;

use super::{
    CeremonyError,
    sections::{Iden3File, modulus, u32_at},
};
use crate::native::keys::{PointError, read_g1, read_g2};

/// The sizes that a circuit demands.
pub(super) struct CircuitSizes {
    pub(super) variables: u64,
    pub(super) instance: u64,
    pub(super) domain: u64,
}

impl CircuitSizes {
    pub(super) fn of(matrices: &Matrices) -> Self {
        Self {
            variables: (matrices.num_instance + matrices.num_witness) as u64,
            instance: matrices.num_instance as u64,
            domain: (matrices.num_rows + matrices.num_instance).next_power_of_two() as u64,
        }
    }
}

/// The constant points of a key.
pub(super) struct ZkeyHeader {
    pub(super) alpha_g1: G1Affine,
    pub(super) beta_g1: G1Affine,
    pub(super) delta_g1: G1Affine,
    pub(super) beta_g2: G2Affine,
    pub(super) gamma_g2: G2Affine,
    pub(super) delta_g2: G2Affine,
}

impl ZkeyHeader {
    /// Reads the header of a key whose sizes must be those of the circuit.
    pub(super) fn read(file: &Iden3File, sizes: &CircuitSizes) -> Result<Self, CeremonyError> {
        if file.whole(1, 4)? != 1u32.to_le_bytes() {
            return Err(file.refused("is no Groth16 key"));
        }
        let head = file.part(2, 0, 84)?;
        let moduli = [modulus::<Fq>(), modulus::<Fr>()].concat();
        if head[..72] != moduli {
            return Err(file.refused("is of another curve than BN254"));
        }
        for (what, at, must) in [
            ("variables", 72, sizes.variables),
            ("public inputs", 76, sizes.instance - 1),
            ("rows in its domain", 80, sizes.domain),
        ] {
            let got = u64::from(u32_at(&head, at));
            if got != must {
                return Err(file.refused(format!("has {got} {what}, the circuit has {must}")));
            }
        }
        // α and β in G1, β and γ in G2, δ in G1, δ in G2.
        let points = file.whole(2, 84 + 64 * 3 + 128 * 3)?;
        let g1 = |at: usize| {
            let point = read_g1(&points[at..at + 64]);
            point.map(|points| points[0])
        };
        let g2 = |at: usize| {
            let point = read_g2(&points[at..at + 128]);
            point.map(|points| points[0])
        };
        let read = || -> Result<Self, PointError> {
            Ok(Self {
                alpha_g1: g1(84)?,
                beta_g1: g1(148)?,
                beta_g2: g2(212)?,
                gamma_g2: g2(340)?,
                delta_g1: g1(468)?,
                delta_g2: g2(532)?,
            })
        };
        read().map_err(|problem| file.in_section(2, &problem))
    }
}
