//! The behaviours that every keystore must have, as tests that run on each store.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use crate::{
    CLIENT_VK_BYTES, CircuitIdentity, ClientCircuit, ClientKind, Generate, Generated, KeyError,
    KeyStore, KeyWriter, Provenance, Watch,
};

/// The place in which one test opens its stores.
pub(crate) trait StorePlace: Sync {
    /// Opens the store as process `n` would: with a handle of its own.
    fn store(&self, n: usize) -> Arc<dyn KeyStore>;
}

pub(crate) const SINGLE: Provenance = Provenance::SingleParty;
pub(crate) const SEEDED: Provenance = Provenance::DevSeeded { seed: 1 };

pub(crate) fn circuit(name: &str, matrices: &str) -> CircuitIdentity {
    CircuitIdentity {
        name: name.to_owned(),
        depths: "data 32".to_owned(),
        matrices: matrices.repeat(64),
        rows: 100,
    }
}

pub(crate) fn claim() -> CircuitIdentity {
    circuit("claim/poseidon", "a")
}

/// Writes a small key.
pub(crate) fn sections(writer: &mut KeyWriter, vk: &str) -> Result<(), KeyError> {
    writer.section("vk", vk.as_bytes())?;
    writer.section("a", &[7; 10_000])
}

/// Finds the key of the claim circuit, or makes it with the verification key `vk`.
pub(crate) fn make(store: &dyn KeyStore, vk: &str) -> Generated {
    try_make(store, &SINGLE, vk).unwrap()
}

pub(crate) fn try_make(
    store: &dyn KeyStore,
    provenance: &Provenance,
    vk: &str,
) -> Result<Generated, KeyError> {
    store.find_or_generate(&claim(), provenance, &mut |w| sections(w, vk), &|_| {})
}

/// Finds the key of the claim circuit, or makes it by `generate`.
pub(crate) fn make_by(store: &dyn KeyStore, generate: &mut Generate<'_>) -> Generated {
    let made = store.find_or_generate(&claim(), &SINGLE, generate, &|_| {});
    made.unwrap()
}

pub(crate) fn a_key_is_made_once_and_found_afterwards(place: &impl StorePlace) {
    let store = place.store(0);
    assert!(store.find(&claim()).unwrap().is_none());
    assert!(store.verification_key(&claim()).unwrap().is_none());
    let first = make(&*store, "one");
    assert!(first.fresh);
    assert_eq!(first.key.vk(), b"one");
    for n in [0, 1] {
        let store = place.store(n);
        let again = make(&*store, "two");
        assert!(!again.fresh);
        assert_eq!(again.key.id(), first.key.id());
        assert_eq!(again.key.section("a").unwrap()[..], [7; 10_000]);
        assert!(again.key.section("b").is_err());
        let found = store.find(&claim()).unwrap().unwrap();
        assert_eq!(found.id(), first.key.id());
        let vk = store.verification_key(&claim()).unwrap().unwrap();
        assert_eq!(vk, b"one");
    }
    let found = place.store(2).find(&claim()).unwrap().unwrap();
    assert_eq!(found.id(), first.key.id(), "to find fetches too");
}

pub(crate) fn a_changed_circuit_has_a_key_of_its_own(place: &impl StorePlace) {
    let store = place.store(0);
    let first = make(&*store, "one");
    let changed = circuit("claim/poseidon", "b");
    assert!(store.find(&changed).unwrap().is_none());
    assert!(store.verification_key(&changed).unwrap().is_none());
    let mut generate = |writer: &mut KeyWriter| sections(writer, "one");
    let second = store.find_or_generate(&changed, &SINGLE, &mut generate, &|_| {});
    let second = second.unwrap();
    assert!(second.fresh);
    assert_ne!(second.key.id(), first.key.id());
    let found = store.find(&claim()).unwrap().unwrap();
    assert_eq!(found.id(), first.key.id());
}

pub(crate) fn many_at_once_make_one_key(place: &impl StorePlace) {
    many_at_once(place, &|_| {});
}

/// Eight processes need one key at the same time; `watch` receives their progress.
pub(crate) fn many_at_once(place: &impl StorePlace, watch: &Watch<'_>) {
    let made = AtomicUsize::new(0);
    let ids = thread::scope(|scope| {
        let run = |n: usize| {
            let mut generate = |writer: &mut KeyWriter| {
                made.fetch_add(1, Ordering::Relaxed);
                sections(writer, &n.to_string())
            };
            let store = place.store(n);
            let made = store.find_or_generate(&claim(), &SINGLE, &mut generate, watch);
            let made = made.unwrap();
            (made.fresh, made.key.id())
        };
        let threads: Vec<_> = (0..8).map(|n| scope.spawn(move || run(n))).collect();
        let ids = threads.into_iter().map(|thread| thread.join().unwrap());
        ids.collect::<Vec<_>>()
    });
    assert_eq!(made.load(Ordering::Relaxed), 1);
    assert_eq!(ids.iter().filter(|(fresh, _)| *fresh).count(), 1);
    assert!(ids.iter().all(|(_, id)| *id == ids[0].1), "{ids:?}");
}

pub(crate) fn a_generator_that_fails_leaves_no_key_and_the_next_may_try(place: &impl StorePlace) {
    let mut fail = |writer: &mut KeyWriter| {
        sections(writer, "half")?;
        Err(writer.failed("the machine is on fire"))
    };
    let store = place.store(0);
    let error = store
        .find_or_generate(&claim(), &SEEDED, &mut fail, &|_| {})
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot generate the key for claim/poseidon: the machine is on fire"
    );
    assert!(store.find(&claim()).unwrap().is_none());
    let again = make(&*place.store(1), "one");
    assert!(again.fresh, "what was left is written over");
}

pub(crate) fn a_client_key_comes_back_as_it_was_given(place: &impl StorePlace) {
    let native = |kind| ClientCircuit::new("poseidon", kind).unwrap();
    let [pay, account] = [ClientKind::JoinSplit, ClientKind::Account].map(native);
    let foreign = ClientCircuit::new("rollup_cli", ClientKind::JoinSplit).unwrap();
    let store = place.store(0);
    assert!(store.client_vk(&pay).unwrap().is_none());
    store.import_client_vk(&pay, b"pay").unwrap();
    store
        .import_client_vk(&foreign, &[9; CLIENT_VK_BYTES])
        .unwrap();
    for n in [0, 1] {
        let store = place.store(n);
        assert_eq!(store.client_vk(&pay).unwrap().unwrap(), b"pay");
        assert_eq!(
            store.client_vk(&foreign).unwrap().unwrap(),
            [9; CLIENT_VK_BYTES]
        );
        assert!(store.client_vk(&account).unwrap().is_none());
    }
}

pub(crate) fn a_client_key_is_not_replaced_and_not_any_length(place: &impl StorePlace) {
    let pay = ClientCircuit::new("poseidon", ClientKind::JoinSplit).unwrap();
    let store = place.store(0);
    store.import_client_vk(&pay, b"pay").unwrap();
    store.import_client_vk(&pay, b"pay").unwrap();
    for n in [0, 1] {
        let error = place.store(n).import_client_vk(&pay, b"other").unwrap_err();
        let text = error.to_string();
        for part in ["the join-split circuit of poseidon", "remove"] {
            assert!(text.contains(part), "{text}");
        }
    }
    for length in [0, CLIENT_VK_BYTES + 1] {
        let error = store.import_client_vk(&pay, &vec![1; length]).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(&format!("it has {length} bytes")), "{text}");
    }
    assert_eq!(store.client_vk(&pay).unwrap().unwrap(), b"pay");
}

/// Declares every behaviour as a test; each test has a place of its own.
macro_rules! keystore_conformance {
    ($place:expr) => {
        $crate::conformance::keystore_conformance!(
            $place;
            a_key_is_made_once_and_found_afterwards,
            a_changed_circuit_has_a_key_of_its_own,
            many_at_once_make_one_key,
            a_generator_that_fails_leaves_no_key_and_the_next_may_try,
            a_client_key_comes_back_as_it_was_given,
            a_client_key_is_not_replaced_and_not_any_length,
        );
    };
    ($place:expr; $($name:ident,)*) => {
        $(#[test]
        fn $name() {
            $crate::conformance::$name(&$place);
        })*
    };
}
pub(crate) use keystore_conformance;
