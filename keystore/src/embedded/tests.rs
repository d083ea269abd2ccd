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
    assert_eq!(first.key.section("a").unwrap()[..], [7; 10_000]);
    assert_eq!(first.key.vk(), b"a verification key");
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
    let here = circuit("tx-rollup/poseidon/1", "a");
    make(&store, &here);
    let deeper = CircuitIdentity {
        depths: "data 40".to_owned(),
        ..here.clone()
    };
    let longer = CircuitIdentity {
        rows: 101,
        ..here.clone()
    };
    for (expected, difference) in [
        (
            circuit("claim/poseidon", "a"),
            "(statement tx-rollup, expected claim)",
        ),
        (
            circuit("tx-rollup/pedersen/1", "a"),
            "(suite poseidon, expected pedersen)",
        ),
        (circuit("tx-rollup/poseidon/2", "a"), "(size 1, expected 2)"),
        (deeper, "(tree depths data 32, expected data 40)"),
        (longer, "(rows 100, expected 101)"),
        (circuit("tx-rollup/poseidon/1", "b"), "(matrices aaaa"),
    ] {
        let path = store.path(&here);
        let text = KeyFile::open(&path, &expected).unwrap_err().to_string();
        let start = format!(
            "key {} belongs to another circuit than {} {difference}",
            path.display(),
            expected.name
        );
        assert!(text.starts_with(&start), "{text}");
    }
    assert_ne!(
        store.path(&here),
        store.path(&circuit("tx-rollup/poseidon/1", "b")),
        "a changed circuit looks for another file"
    );
}

#[test]
fn a_file_that_is_not_the_key_that_was_written_is_refused_and_the_sentence_says_why() {
    let directory = tempfile::tempdir().unwrap();
    let store = EmbeddedKeyStore::new(directory.path());
    let claim = circuit("claim/poseidon", "a");
    make(&store, &claim);
    let path = store.path(&claim);
    let good = fs::read(&path).unwrap();
    let length = good.len();
    let with = |at: usize, bytes: &[u8]| {
        let mut bad = good.clone();
        bad[at..at + bytes.len()].copy_from_slice(bytes);
        bad
    };
    let flipped = |at: usize| with(at, &[good[at] ^ 1]);
    // Header, then the sections vk (18 bytes) and a (10,000), each on a page.
    let (vk, a) = (64 << 10, (64 << 10) + 4096);
    let damaged = |problem: &str| {
        let path = path.display();
        format!("key {path} is damaged: {problem}")
    };
    let again = "; remove it and it is made again";
    let size = |what: &str, bytes: usize| {
        damaged(&format!(
            "{what}: it has {bytes} bytes, its header says {length}{again}"
        ))
    };
    let cases: [(Vec<u8>, String); 15] = [
        (
            b"zkWhirl".to_vec(),
            damaged(&format!("it is cut off: it has only 7 bytes{again}")),
        ),
        (
            flipped(0),
            damaged(&format!("it does not start with \"zkWhirlK\"{again}")),
        ),
        (
            with(8, &[1]),
            format!(
                "key {} has format 1, this release reads 2{again}",
                path.display()
            ),
        ),
        (
            with(12, &[255; 4]),
            damaged("its header was changed: it claims 4294967295 bytes"),
        ),
        (
            flipped(16),
            damaged(&format!("its header was changed{again}")),
        ),
        (
            flipped(60),
            damaged(&format!("its header was changed{again}")),
        ),
        (
            good[..100].to_vec(),
            damaged(&format!("it is cut off inside its header{again}")),
        ),
        (good[..a].to_vec(), size("it is cut off", a)),
        (
            good[..length - 1].to_vec(),
            size("it is cut off", length - 1),
        ),
        (
            [&good[..], &[0]].concat(),
            size("it is too long", length + 1),
        ),
        (flipped(vk - 1), damaged("it was changed between byte")),
        (
            flipped(vk),
            damaged("its section vk was changed: its BLAKE3 is"),
        ),
        (
            flipped(vk + 18),
            damaged(&format!(
                "it was changed between byte {} and byte {a}",
                vk + 18
            )),
        ),
        (
            flipped(a + 5000),
            damaged("its section a was changed: its BLAKE3 is"),
        ),
        (
            flipped(length - 1),
            damaged(&format!("it was changed between byte {}", a + 10_000)),
        ),
    ];
    for (bytes, expected) in cases {
        fs::write(&path, bytes).unwrap();
        let text = store.find(&claim).unwrap_err().to_string();
        assert!(text.starts_with(&expected), "{text}\nis not\n{expected}");
        assert!(text.ends_with(again), "{text}");
    }
    fs::write(&path, good).unwrap();
    assert!(store.find(&claim).unwrap().is_some());
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

#[test]
fn a_key_in_use_is_not_removed_and_another_is_made_after_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let store = EmbeddedKeyStore::new(directory.path());
    let claim = circuit("claim/poseidon", "a");
    let key = make(&store, &claim).key;
    let path = key.path().to_owned();
    // A part of it is enough.
    let part = key.section("a").unwrap();
    drop(key);
    let error = store.remove(&path).unwrap_err().to_string();
    assert!(error.contains("is in use by a process"), "{error}");
    assert!(store.find(&claim).unwrap().is_some());
    drop(part);
    store.remove(&path).unwrap();
    assert!(store.find(&claim).unwrap().is_none());
    assert!(make(&store, &claim).fresh);
    fs::write(&path, b"damaged").unwrap();
    store.remove(&path).unwrap();
    assert!(matches!(store.remove(&path), Err(KeyError::Io { .. })));
}
