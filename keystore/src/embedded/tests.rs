//! What a directory of keys promises.

use std::sync::Arc;

use super::*;
use crate::conformance::{Place, SEEDED, circuit, keystore_conformance};
use crate::{ClientKind, ensure_usable};

struct Folder(tempfile::TempDir);

impl Place for Folder {
    fn store(&self, _process: usize) -> Arc<dyn KeyStore> {
        EmbeddedKeyStore::new(self.0.path()).into()
    }
}

mod conformance {
    use super::*;

    keystore_conformance!(Folder(tempfile::tempdir().unwrap()));
}

fn make(store: &EmbeddedKeyStore, circuit: &CircuitIdentity) -> Generated {
    store
        .find_or_generate(circuit, &SEEDED, |writer| {
            writer.section("vk", b"a verification key").unwrap();
            writer.section("a", &[7; 10_000]).unwrap();
            Ok(())
        })
        .unwrap()
}

#[test]
fn a_key_is_made_once_and_read_afterwards() {
    let directory = tempfile::tempdir().unwrap();
    let store = EmbeddedKeyStore::new(directory.path());
    let claim = circuit("claim/poseidon", "a");
    assert!(store.find(&claim).unwrap().is_none());
    let first = make(&store, &claim);
    assert!(first.fresh);
    assert_eq!(first.key.section("a").unwrap(), [7; 10_000]);
    assert_eq!(first.key.vk().unwrap(), b"a verification key");
    assert!(first.key.section("b").is_err());
    let second = make(&store, &claim);
    assert!(!second.fresh);
    assert_eq!(second.key.id(), first.key.id());
    assert_eq!(store.list().unwrap().len(), 1);
}

#[test]
fn a_generator_that_fails_or_dies_leaves_no_key() {
    let directory = tempfile::tempdir().unwrap();
    let store = EmbeddedKeyStore::new(directory.path());
    let claim = circuit("claim/poseidon", "a");
    let error = store
        .find_or_generate(&claim, &SEEDED, |writer| {
            writer.section("vk", b"half").unwrap();
            Err(KeyError::Generate {
                circuit: "claim/poseidon".to_owned(),
                reason: "the machine is on fire".to_owned(),
            })
        })
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot generate the key for claim/poseidon: the machine is on fire"
    );
    assert!(store.find(&claim).unwrap().is_none());
    assert!(make(&store, &claim).fresh, "what was left is written over");
}

#[test]
fn a_key_of_another_circuit_is_refused_and_the_sentence_says_which() {
    let directory = tempfile::tempdir().unwrap();
    let store = EmbeddedKeyStore::new(directory.path());
    let old = circuit("tx-rollup/poseidon/1", "a");
    make(&store, &old);
    let open = |expected: &CircuitIdentity| {
        KeyFile::open(&store.path(&old), expected)
            .unwrap_err()
            .to_string()
    };
    let larger = open(&circuit("tx-rollup/poseidon/2", "a"));
    assert!(
        larger.contains("circuit tx-rollup/poseidon/1, expected tx-rollup/poseidon/2")
            && larger.contains("zkwhirl keys generate"),
        "{larger}"
    );
    let changed = open(&circuit("tx-rollup/poseidon/1", "b"));
    assert!(changed.contains("(matrices aaaa"), "{changed}");
    assert_ne!(
        store.path(&old),
        store.path(&circuit("tx-rollup/poseidon/1", "b")),
        "a changed circuit looks for another file"
    );
}

#[test]
fn files_that_are_no_keys_are_damaged_keys() {
    let directory = tempfile::tempdir().unwrap();
    let store = EmbeddedKeyStore::new(directory.path());
    let claim = circuit("claim/poseidon", "a");
    make(&store, &claim);
    let path = store.path(&claim);
    let good = fs::read(&path).unwrap();
    let cases: [(&str, Vec<u8>); 5] = [
        ("it has only 7 bytes", b"zkWhirl".to_vec()),
        ("does not start with", [&[b'x'; 8], &good[8..]].concat()),
        (
            "it has format 9",
            [&good[..8], &[9, 0, 0, 0], &good[12..]].concat(),
        ),
        (
            "its header claims",
            [&good[..12], &[255; 4], &good[16..]].concat(),
        ),
        ("lies outside the file", good[..70_000].to_vec()),
    ];
    for (expected, bytes) in cases {
        fs::write(&path, bytes).unwrap();
        let error = store.find(&claim).unwrap_err().to_string();
        assert!(error.contains(expected), "{error} does not say {expected}");
        assert!(error.contains("remove it and it is made again"), "{error}");
    }
}

#[test]
fn development_keys_are_refused_unless_allowed() {
    let directory = tempfile::tempdir().unwrap();
    let store = EmbeddedKeyStore::new(directory.path());
    let key = make(&store, &circuit("claim/poseidon", "a")).key;
    assert!(ensure_usable(&key, true).is_ok());
    let error = ensure_usable(&key, false).unwrap_err().to_string();
    assert!(
        error.contains("dev key (seed 1, never for funds)"),
        "{error}"
    );
}

#[test]
fn a_damaged_client_key_is_refused_and_mended_by_importing_it_again() {
    let directory = tempfile::tempdir().unwrap();
    let store = EmbeddedKeyStore::new(directory.path());
    let client = ClientCircuit::new("rollup_cli", ClientKind::Account).unwrap();
    store.import_client_vk(&client, b"account").unwrap();
    let blob = store.blobs.path(&blobs::digest(b"account"));
    let cases: [(PathBuf, Option<&[u8]>, &str); 4] = [
        (blob.clone(), Some(b"acc0unt"), "its BLAKE3 is"),
        (blob.clone(), None, "is gone"),
        (blob, Some(&[0; 70_000]), "more than 65536 bytes"),
        (store.client_path(&client), Some(b"../../x"), "no digest"),
    ];
    for (path, bytes, expected) in cases {
        match bytes {
            Some(bytes) => fs::write(path, bytes).unwrap(),
            None => fs::remove_file(path).unwrap(),
        }
        let error = store.client_vk(&client).unwrap_err().to_string();
        assert!(
            error.contains(expected) && error.contains("import it again"),
            "{error} does not say {expected}"
        );
        store.import_client_vk(&client, b"account").unwrap();
        assert_eq!(store.client_vk(&client).unwrap().unwrap(), b"account");
    }
}
