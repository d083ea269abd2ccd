//! A small circuit and its keys, for tests.

use ark_bn254::{Bn254, Fr};
use ark_ff::UniformRand;
use ark_groth16::{Groth16, Proof};
use rand::rngs::OsRng;
use zkwhirl_circuits::r1cs::{Assignment, Builder, Matrices, Mode, Num};
use zkwhirl_keystore::{CircuitIdentity, Generate, KeyFile, KeyStore, Provenance};

use super::NativeKey;
use crate::native::engine::groth16;

/// A circuit with all kinds of rows: constants, large and negative coefficients, a
/// variable in C alone. It has 25 variables, one of them public; its domain is 32.
fn circuit(mode: Mode, x: Fr, factor: u64) -> Builder {
    let mut b = Builder::new(mode);
    let x = b.alloc(x);
    let mut y = x.clone();
    for round in 0..20u64 {
        let left = &(&y * Fr::from(factor + round)) + &(&x * -Fr::from(7u64));
        let right = (&y - &Num::constant(Fr::from(u64::MAX))).plus(Fr::from(round));
        y = b.mul(&left, &right);
    }
    let square = b.mul(&x, &x);
    let lone = b.alloc((&y + &square).value());
    b.enforce(&Num::one(), &(&y + &square), &lone);
    b.publish(&lone);
    b
}

/// The matrices of the circuit with this factor.
pub(crate) fn matrices_of(factor: u64) -> Matrices {
    circuit(Mode::Matrices, Fr::from(0), factor).into_matrices()
}

/// The matrices of the circuit that the functions below use.
pub(crate) fn matrices() -> Matrices {
    matrices_of(3)
}

pub(crate) fn assignment(x: u64) -> Assignment {
    circuit(Mode::Witness, Fr::from(x), 3).into_assignment()
}

pub(crate) fn identity() -> CircuitIdentity {
    let matrices = matrices();
    CircuitIdentity {
        name: "small/test/20".to_owned(),
        depths: String::new(),
        matrices: hex::encode(matrices.digest()),
        rows: matrices.num_rows as u64,
    }
}

/// The circuit's key in a store, and whether `write` wrote a new key.
pub(crate) fn stored(
    store: &dyn KeyStore,
    provenance: &Provenance,
    write: &mut Generate<'_>,
) -> (KeyFile, bool) {
    let stored = store.find_or_generate(&identity(), provenance, write, &|_| {});
    let stored = stored.unwrap();
    (stored.key, stored.fresh)
}

/// Makes a proof and returns it with its public input. Asserts that the library
/// accepts the proof for this input and not for another.
pub(crate) fn proof(key: &NativeKey) -> (Proof<Bn254>, Fr) {
    let assignment = assignment(11);
    let blinding = [Fr::rand(&mut OsRng), Fr::rand(&mut OsRng)];
    let (queries, matrices) = (&key.queries, &key.matrices);
    let proof = groth16::prove(queries, matrices, &assignment, blinding, &|_| {}).unwrap();
    let prepared = &key.verifying().prepared;
    let verify = |public| Groth16::<Bn254>::verify_proof(prepared, &proof, &[public]).unwrap();
    let public = assignment.instance[1];
    assert!(verify(public));
    assert!(!verify(public + Fr::from(1)));
    (proof, public)
}
