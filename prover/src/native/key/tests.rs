//! A key's way: made, stored, loaded, proved with, verified by the library.

use std::fs;

use ark_ff::Field;
use zkwhirl_circuits::r1cs::{Assignment, Builder, Mode};
use zkwhirl_keystore::EmbeddedKeyStore;

use super::*;
use crate::native::groth16;

/// x ↦ x^(2^100), with x the witness and the power public.
fn powers(mode: Mode, x: Fr) -> Builder {
    let mut b = Builder::new(mode);
    let mut power = b.alloc(x);
    for _ in 0..100 {
        power = b.mul(&power.clone(), &power);
    }
    b.publish(&power);
    b
}

fn matrices() -> Matrices {
    powers(Mode::Matrices, Fr::zero()).into_matrices()
}

fn assignment(x: u64) -> Assignment {
    powers(Mode::Witness, Fr::from(x)).into_assignment()
}

fn identity(matrices: &Matrices) -> CircuitIdentity {
    CircuitIdentity {
        name: "powers/test/100".to_owned(),
        matrices: hex::encode(matrices.digest()),
        rows: matrices.num_rows as u64,
    }
}

fn make(store: &EmbeddedKeyStore, provenance: &Provenance) -> (NativeKey, bool) {
    let matrices = matrices();
    let circuit = identity(&matrices);
    let made = store
        .find_or_generate(&circuit, provenance, |writer| {
            generate(writer, &matrices, provenance, &circuit)
        })
        .unwrap();
    (NativeKey::load(&made.key).unwrap(), made.fresh)
}

fn proof(key: &NativeKey, x: u64) -> ark_groth16::Proof<Bn254> {
    let rng = &mut OsRng;
    let blinding = [Fr::rand(rng), Fr::rand(rng)];
    groth16::prove(
        &key.queries,
        &key.matrices,
        &assignment(x),
        blinding,
        &|_| {},
    )
    .unwrap()
}

#[test]
fn a_proof_from_a_loaded_key_is_accepted_by_the_library_and_no_other_statement_is() {
    let directory = tempfile::tempdir().unwrap();
    let store = EmbeddedKeyStore::new(directory.path());
    let (key, fresh) = make(&store, &Provenance::SingleParty);
    assert!(fresh);
    let power = Fr::from(3u64).pow([0, 1 << 36]);
    let proof = proof(&key, 3);
    let verify = |public: Fr| {
        Groth16::<Bn254>::verify_proof(&key.verifying.prepared, &proof, &[public]).unwrap()
    };
    assert!(verify(power));
    assert!(!verify(power + Fr::from(1u64)));

    let (again, fresh) = make(&store, &Provenance::SingleParty);
    assert!(!fresh, "a key is made once");
    assert_eq!(again.id(), key.id());
}

#[test]
fn setups_of_one_circuit_are_different_keys_unless_they_are_seeded() {
    let make = |provenance: &Provenance| {
        let directory = tempfile::tempdir().unwrap();
        make(&EmbeddedKeyStore::new(directory.path()), provenance).0
    };
    let seeded = Provenance::DevSeeded { seed: 7 };
    assert_eq!(make(&seeded).id(), make(&seeded).id());
    assert_ne!(
        make(&seeded).id(),
        make(&Provenance::DevSeeded { seed: 8 }).id()
    );
    assert_ne!(
        make(&Provenance::SingleParty).id(),
        make(&Provenance::SingleParty).id()
    );
}

#[test]
fn an_assignment_of_another_circuit_is_refused_before_it_is_proved() {
    let directory = tempfile::tempdir().unwrap();
    let (key, _) = make(
        &EmbeddedKeyStore::new(directory.path()),
        &Provenance::SingleParty,
    );
    let mut short = assignment(3);
    short.witness.pop();
    let error = groth16::prove(
        &key.queries,
        &key.matrices,
        &short,
        [Fr::zero(); 2],
        &|_| {},
    )
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the assignment has 102 elements, the circuit needs 103"
    );
}

#[test]
fn one_changed_byte_anywhere_in_a_key_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let store = EmbeddedKeyStore::new(directory.path());
    make(&store, &Provenance::SingleParty);
    let circuit = identity(&matrices());
    let path = store.path(&circuit);
    let good = fs::read(&path).unwrap();
    let in_sections = |at: usize| at >= 64 << 10;
    let key = store.find(&circuit).unwrap().unwrap();
    let used: u64 = key.sections().iter().map(|section| section.bytes).sum();
    let mut found = 0;
    for at in (0..good.len()).step_by(101) {
        let mut bad = good.clone();
        bad[at] ^= 1;
        fs::write(&path, &bad).unwrap();
        match store.find(&circuit) {
            Err(KeyError::Damaged { .. }) => found += 1,
            Err(other) => panic!("byte {at}: {other}"),
            // What is left is padding between the sections.
            Ok(_) => assert!(!in_sections(at) || bad[at] == 1, "byte {at} went unseen"),
        }
    }
    assert!(found as u64 >= used / 101, "{found} changes found");
}
