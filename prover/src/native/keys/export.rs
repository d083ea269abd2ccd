//! Export of verification keys and proofs in the formats of snarkjs and the EVM.

use ark_bn254::{Bn254, Fq, Fr, G1Affine, G2Affine};
use ark_ff::{BigInteger, PrimeField};
use ark_groth16::Proof;
use ark_serialize::CanonicalDeserialize;
use serde_json::{Value, json};
use zkwhirl_keystore::KeyFile;

use super::VerificationKey;

/// The template of the contract: [`solidity`] replaces each `@NAME@`.
const CONTRACT: &str = include_str!("verifier.sol");

/// Converts a verification key to snarkjs' `verification_key.json`.
pub fn snarkjs_vk(key: &VerificationKey) -> Value {
    let vk = &key.prepared.vk;
    let points: Vec<_> = vk.gamma_abc_g1.iter().map(g1).collect();
    json!({
        "protocol": "groth16",
        "curve": "bn128",
        "nPublic": vk.gamma_abc_g1.len() - 1,
        "vk_alpha_1": g1(&vk.alpha_g1),
        "vk_beta_2": g2(&vk.beta_g2),
        "vk_gamma_2": g2(&vk.gamma_g2),
        "vk_delta_2": g2(&vk.delta_g2),
        "IC": points,
    })
}

/// Converts a compressed proof to the contract's eight words of 32 bytes: A, B, C.
/// Coordinates are big endian; in G2 the imaginary part comes first. `None` if the
/// bytes are no proof.
pub fn evm_proof(compressed: &[u8]) -> Option<[u8; 256]> {
    let proof = Proof::<Bn254>::deserialize_compressed(compressed).ok()?;
    let Proof { a, b, c } = proof;
    let words = [a.x, a.y, b.x.c1, b.x.c0, b.y.c1, b.y.c0, c.x, c.y];
    let mut out = [0; 256];
    for (place, word) in out.chunks_exact_mut(32).zip(words) {
        place.copy_from_slice(&word.into_bigint().to_bytes_be());
    }
    Some(out)
}

/// The source of a contract that verifies proofs with one public input under the
/// key of `file`.
pub fn solidity(file: &KeyFile, key: &VerificationKey) -> String {
    let vk = &key.prepared.vk;
    let mut text = CONTRACT
        .replace("@CIRCUIT@", &file.circuit().name)
        .replace("@KEY@", &file.id().to_string())
        .replace("@VK@", &hex::encode(key.digest))
        .replace("@PROVENANCE@", &file.provenance().to_string())
        .replace("@P@", &Fq::MODULUS.to_string())
        .replace("@R@", &Fr::MODULUS.to_string());
    for (name, point) in [
        ("ALPHA", &vk.alpha_g1),
        ("FIXED", &vk.gamma_abc_g1[0]),
        ("INPUT", &vk.gamma_abc_g1[1]),
    ] {
        for (part, value) in [("X", point.x), ("Y", point.y)] {
            text = text.replace(&format!("@{name}_{part}@"), &decimal(&value));
        }
    }
    for (name, point) in [
        ("BETA", &vk.beta_g2),
        ("GAMMA", &vk.gamma_g2),
        ("DELTA", &vk.delta_g2),
    ] {
        for (part, value) in [
            ("X1", point.x.c1),
            ("X0", point.x.c0),
            ("Y1", point.y.c1),
            ("Y0", point.y.c0),
        ] {
            text = text.replace(&format!("@{name}_{part}@"), &decimal(&value));
        }
    }
    text
}

fn g1(point: &G1Affine) -> Value {
    json!([decimal(&point.x), decimal(&point.y), "1"])
}

fn g2(point: &G2Affine) -> Value {
    let [x, y] = [point.x, point.y].map(|at| [decimal(&at.c0), decimal(&at.c1)]);
    json!([x, y, ["1", "0"]])
}

fn decimal(value: &Fq) -> String {
    value.into_bigint().to_string()
}

#[cfg(test)]
/// Converts a proof to snarkjs' `proof.json`; `None` if the bytes are no proof.
pub(crate) fn snarkjs_proof(compressed: &[u8]) -> Option<Value> {
    let proof = Proof::<Bn254>::deserialize_compressed(compressed).ok()?;
    Some(json!({
        "protocol": "groth16",
        "curve": "bn128",
        "pi_a": g1(&proof.a),
        "pi_b": g2(&proof.b),
        "pi_c": g1(&proof.c),
    }))
}
