//! The contributions to the second phase that a `.zkey` lists.

use ark_bn254::{Fq, G1Affine, g1, g2};
use ark_ff::{BigInteger, PrimeField};
use blake2::{Blake2b512, Digest};

use super::{
    CeremonyError,
    sections::{Iden3File, u32_at},
};
use crate::native::keys::{PointError, read_points};

/// The length in bytes of a contribution without its parameters.
const CONTRIBUTION_BYTES: u64 = 64 * 3 + 128 + 64 + 8;
/// The limit of contributions: the header of a key file has no space for more.
const MOST_CONTRIBUTIONS: u32 = 400;

/// Reads the contributions' hashes; the last contribution must have the key's `delta`.
pub(super) fn contributions(
    file: &Iden3File,
    delta: G1Affine,
) -> Result<Vec<String>, CeremonyError> {
    let count = u32_at(&file.part(10, 64, 4)?, 0);
    if count == 0 {
        return Err(file.refused(
            "has no contributions: anybody can forge proofs under it; \
             add a contribution with snarkjs zkey contribute",
        ));
    }
    if count > MOST_CONTRIBUTIONS {
        return Err(file.refused(format!("claims {count} contributions, too many")));
    }
    let mut at = 68;
    let mut hashes = Vec::new();
    let mut last = None;
    for _ in 0..count {
        let bytes = file.part(10, at, CONTRIBUTION_BYTES)?;
        at += CONTRIBUTION_BYTES + u64::from(u32_at(&bytes, 388));
        let problem = |problem: PointError| file.in_section(10, &problem);
        let g1 = read_points::<g1::Config>(&bytes[..192]).map_err(problem)?;
        let g2 = read_points::<g2::Config>(&bytes[192..320]).map_err(problem)?;
        let mut hash = Blake2b512::new();
        for point in &g1 {
            hash.update(big_endian(&[point.x, point.y]));
        }
        for point in &g2 {
            let (x, y) = (point.x, point.y);
            hash.update(big_endian(&[x.c1, x.c0, y.c1, y.c0]));
        }
        hash.update(&bytes[320..384]);
        hashes.push(hex::encode(hash.finalize()));
        last = g1.first().copied();
    }
    if last != Some(delta) {
        return Err(file.refused("has another delta than its last contribution"));
    }
    Ok(hashes)
}

fn big_endian(coordinates: &[Fq]) -> Vec<u8> {
    let numbers = coordinates.iter().map(|value| value.into_bigint());
    numbers.flat_map(|number| number.to_bytes_be()).collect()
}
