//! Tests that make, store and load a key, and a proof that the library verifies.

use std::{collections::BTreeMap, fs};

use ark_bn254::Fr;
use zkwhirl_keystore::{EmbeddedKeyStore, KeyStore};

use super::{
    super::small::{self, assignment, identity, matrices},
    *,
};
use crate::native::engine::groth16;

const SINGLE: Provenance = Provenance::SingleParty;

/// An empty store and its temporary folder.
fn empty() -> (tempfile::TempDir, EmbeddedKeyStore) {
    let directory = tempfile::tempdir().unwrap();
    let store = EmbeddedKeyStore::new(directory.path());
    (directory, store)
}

/// The key of the small circuit in a store, and whether this call made the key.
fn make(store: &EmbeddedKeyStore, provenance: &Provenance) -> (NativeKey, bool) {
    let (file, fresh) = small::stored(store, provenance, &mut |writer| {
        generate(writer, &matrices(), provenance)
    });
    (NativeKey::load(&file).unwrap(), fresh)
}

#[test]
fn a_proof_from_a_loaded_key_is_accepted_by_the_library_and_no_other_statement_is() {
    let (_directory, store) = empty();
    let (key, fresh) = make(&store, &SINGLE);
    assert!(fresh);
    small::proof(&key);
    let (again, fresh) = make(&store, &SINGLE);
    assert!(!fresh, "a key is made once");
    assert_eq!(again.id, key.id);
}

#[test]
fn setups_of_one_circuit_are_different_keys_unless_they_are_seeded() {
    let id = |provenance: &Provenance| make(&empty().1, provenance).0.id;
    let [seven, eight] = [7, 8].map(|seed| Provenance::DevSeeded { seed });
    assert_eq!(id(&seven), id(&seven));
    assert_ne!(id(&seven), id(&eight));
    assert_ne!(id(&SINGLE), id(&SINGLE));
}

#[test]
fn an_assignment_of_another_circuit_is_refused_before_it_is_proved() {
    let (_directory, store) = empty();
    let (key, _) = make(&store, &SINGLE);
    let mut short = assignment(3);
    short.witness.pop();
    let blinding = [Fr::from(0); 2];
    let proved = groth16::prove(&key.queries, &key.matrices, &short, blinding, &|_| {});
    let error = proved.unwrap_err().to_string();
    assert_eq!(
        error,
        "the assignment has 24 elements, the circuit needs 25"
    );
}

#[test]
fn one_changed_bit_anywhere_in_a_key_is_found() {
    let (_directory, store) = empty();
    make(&store, &SINGLE);
    let path = store.path(&identity());
    let good = fs::read(&path).unwrap();
    for at in (0..good.len()).step_by(101) {
        let mut bad = good.clone();
        bad[at] ^= 1 << (at % 8);
        fs::write(&path, &bad).unwrap();
        match store.find(&identity()) {
            Err(KeyError::Damaged { .. } | KeyError::Foreign(_)) => {}
            Err(other) => panic!("byte {at}: {other}"),
            Ok(_) => panic!("byte {at} went unseen"),
        }
    }
}

/// Sections from which a test builds a key file.
type Sections = BTreeMap<String, Vec<u8>>;

/// The error of loading a key file with these sections and right digests.
fn refused(sections: &Sections) -> String {
    let (_directory, store) = empty();
    let (file, _) = small::stored(&store, &SINGLE, &mut |writer| {
        let mut sections = sections.iter();
        sections.try_for_each(|(name, bytes)| writer.section(name, bytes))
    });
    let text = NativeKey::load(&file).unwrap_err().to_string();
    text.replace(&file.path().display().to_string(), "K")
}

#[test]
fn a_key_put_together_from_parts_that_do_not_belong_together_is_refused() {
    let [one, other] = [(); 2].map(|()| -> Sections {
        let (_directory, store) = empty();
        make(&store, &SINGLE);
        let file = store.find(&identity()).unwrap().unwrap();
        let names = file.sections().into_iter().map(|section| section.name);
        let read = |name: String| (name.clone(), file.section(&name).unwrap().to_vec());
        names.map(read).collect()
    });
    let mixed = |name: &str| {
        let mut sections = one.clone();
        sections.insert(name.to_owned(), other[name].clone());
        sections
    };
    let shorter = |name: &str, bytes: usize| {
        let mut sections = one.clone();
        let section = sections.get_mut(name).unwrap();
        section.truncate(section.len() - bytes);
        sections
    };
    let mut without_l = one.clone();
    without_l.remove("l");
    let of_another = || "its points belong to another verification key".to_owned();
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
        (shorter("a", 64), of_size("a", 24, 25)),
        (shorter("b1", 64), of_size("b1", 24, 25)),
        (shorter("b2", 128), of_size("b2", 24, 25)),
        (shorter("h", 128), of_size("h", 29, 31)),
        (shorter("l", 64), of_size("l", 22, 23)),
        (shorter("b2", 64), unreadable("b2")),
        (shorter("g1", 64), of_size("g1", 4, 5)),
        (shorter("g1", 63), unreadable("g1")),
        (shorter("g2", 128), unreadable("g2")),
        (shorter("matrices", 4), unreadable("matrices")),
        (without_l, "it has no section l".to_owned()),
    ] {
        let says =
            format!("key K is damaged: {problem}; remove the file and the key is made again");
        assert_eq!(refused(&sections), says);
    }
}
