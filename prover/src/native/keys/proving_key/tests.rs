//! A key's way: made, stored, loaded, proved with, verified by the library.

use std::fs;

use ark_bn254::Fr;
use ark_ff::{Field, UniformRand, Zero};
use ark_groth16::Groth16;
use rand::rngs::OsRng;
use zkwhirl_circuits::r1cs::{Assignment, Builder, Mode};
use zkwhirl_keystore::EmbeddedKeyStore;

use super::*;
use crate::native::engine::groth16;

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
        depths: String::new(),
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
        Groth16::<Bn254>::verify_proof(&key.verifying().prepared, &proof, &[public]).unwrap()
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
fn one_changed_bit_anywhere_in_a_key_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let store = EmbeddedKeyStore::new(directory.path());
    make(&store, &Provenance::SingleParty);
    let circuit = identity(&matrices());
    let path = store.path(&circuit);
    let good = fs::read(&path).unwrap();
    for at in (0..good.len()).step_by(101) {
        let mut bad = good.clone();
        bad[at] ^= 1 << (at % 8);
        fs::write(&path, &bad).unwrap();
        match store.find(&circuit) {
            Err(KeyError::Damaged { .. } | KeyError::Format { .. }) => {}
            Err(other) => panic!("byte {at}: {other}"),
            Ok(_) => panic!("byte {at} went unseen"),
        }
    }
}

/// Sections of a key, to be put together anew.
type Sections = Vec<(String, Vec<u8>)>;

fn sections(file: &KeyFile) -> Sections {
    let read = |name: &str| (name.to_owned(), file.section(name).unwrap().to_vec());
    let names = file.sections();
    names.iter().map(|section| read(&section.name)).collect()
}

/// What is said of a key that has these sections, with digests that are right.
fn refused(sections: &Sections) -> String {
    let directory = tempfile::tempdir().unwrap();
    let store = EmbeddedKeyStore::new(directory.path());
    let circuit = identity(&matrices());
    let write = |writer: &mut KeyWriter| {
        for (name, bytes) in sections {
            writer.section(name, bytes).unwrap();
        }
        Ok(())
    };
    let made = store.find_or_generate(&circuit, &Provenance::SingleParty, write);
    let file = made.unwrap().key;
    let text = NativeKey::load(&file).unwrap_err().to_string();
    text.replace(&file.path().display().to_string(), "K")
}

#[test]
fn a_key_put_together_from_parts_that_do_not_belong_together_is_refused() {
    let [one, other] = [(); 2].map(|()| {
        let directory = tempfile::tempdir().unwrap();
        let store = EmbeddedKeyStore::new(directory.path());
        make(&store, &Provenance::SingleParty);
        sections(&store.find(&identity(&matrices())).unwrap().unwrap())
    });
    let mixed = |name: &str| {
        let mut sections = one.clone();
        for (section, content) in &mut sections {
            if section == name {
                let mut others = other.iter();
                *content = others.find(|(same, _)| same == name).unwrap().1.clone();
            }
        }
        sections
    };
    let shorter = |name: &str, bytes: usize| {
        let mut sections = one.clone();
        for (section, content) in &mut sections {
            if section == name {
                content.truncate(content.len() - bytes);
            }
        }
        sections
    };
    let of_another = || "its proving part is of another verification key".to_owned();
    let of_size = |section, has, must| {
        format!(
            "it is of another size: its section {section} has {has} points, \
             its matrices need {must}"
        )
    };
    let unreadable = |section| format!("its section {section} cannot be read");
    for (sections, problem) in [
        (mixed("vk"), of_another()),
        (mixed("g1"), of_another()),
        (mixed("g2"), of_another()),
        (shorter("a", 64), of_size("a", 102, 103)),
        (shorter("b1", 64), of_size("b1", 102, 103)),
        (shorter("b2", 128), of_size("b2", 102, 103)),
        (shorter("h", 128), of_size("h", 125, 127)),
        (shorter("l", 64), of_size("l", 100, 101)),
        (shorter("b2", 64), unreadable("b2")),
        (shorter("g1", 64), of_size("g1", 4, 5)),
        (shorter("g1", 63), unreadable("g1")),
        (shorter("g2", 128), unreadable("g2")),
        (shorter("matrices", 4), unreadable("matrices")),
        (
            one.iter()
                .filter(|(name, _)| name != "l")
                .cloned()
                .collect(),
            "it has no section l".to_owned(),
        ),
    ] {
        assert_eq!(
            refused(&sections),
            format!("key K is damaged: {problem}; remove it and it is made again")
        );
    }
}
