//! Tests of keys in a directory.

use std::sync::Arc;

use super::*;
use crate::conformance::{
    SEEDED, StorePlace, circuit, claim, keystore_conformance, make, sections, try_make,
};
use crate::{ClientKind, KeyWriter, ensure_usable};

struct Folder(tempfile::TempDir);

impl StorePlace for Folder {
    fn store(&self, _process: usize) -> Arc<dyn KeyStore> {
        EmbeddedKeyStore::new(self.0.path()).into()
    }
}

mod conformance {
    use super::*;

    keystore_conformance!(Folder(tempfile::tempdir().unwrap()));
}

/// An empty store, and its folder.
fn empty() -> (tempfile::TempDir, EmbeddedKeyStore) {
    let directory = tempfile::tempdir().unwrap();
    let store = EmbeddedKeyStore::new(directory.path());
    (directory, store)
}

#[test]
fn a_key_of_another_circuit_is_refused_and_the_sentence_says_which() {
    let (_directory, store) = empty();
    let here = circuit("tx-rollup/poseidon/1", "a");
    let mut generate = |writer: &mut KeyWriter| sections(writer, "one");
    let made = store.find_or_generate(&here, &SEEDED, &mut generate, &|_| {});
    let key = made.unwrap().key;
    let changed = |change: fn(&mut CircuitIdentity)| {
        let mut circuit = here.clone();
        change(&mut circuit);
        circuit
    };
    let named = |name| circuit(name, "a");
    let deeper = changed(|circuit| circuit.depths = "data 40".to_owned());
    let longer = changed(|circuit| circuit.rows = 101);
    let other = circuit("tx-rollup/poseidon/1", "b");
    for (expected, difference) in [
        (
            named("claim/poseidon"),
            "statement tx-rollup, expected claim)",
        ),
        (
            named("tx-rollup/pedersen/1"),
            "suite poseidon, expected pedersen)",
        ),
        (named("tx-rollup/poseidon/2"), "size 1, expected 2)"),
        (deeper, "tree depths data 32, expected data 40)"),
        (longer, "rows 100, expected 101)"),
        (other.clone(), "matrices aaaa"),
    ] {
        let text = KeyFile::open(key.path(), &expected)
            .unwrap_err()
            .to_string();
        let start = format!(
            "key {} belongs to another circuit than {} ({difference}",
            key.path().display(),
            expected.name
        );
        assert!(text.starts_with(&start), "{text}");
    }
    let another_file = "a changed circuit looks for another file";
    assert_ne!(store.path(&here), store.path(&other), "{another_file}");
}

#[test]
fn a_file_that_is_not_the_key_that_was_written_is_refused_and_the_sentence_says_why() {
    let (_directory, store) = empty();
    let path = make(&store, "a verification key").key.path().to_owned();
    let good = fs::read(&path).unwrap();
    let length = good.len();
    let with = |at: usize, bytes: &[u8]| {
        let mut bad = good.clone();
        bad[at..at + bytes.len()].copy_from_slice(bytes);
        bad
    };
    let flipped = |at: usize| with(at, &[good[at] ^ 1]);
    let start = format!("key {} ", path.display());
    let end = "; remove the file and the key is made again";
    let refused = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        let text = store.find(&claim()).unwrap_err().to_string();
        let says = text.strip_prefix(&start).unwrap();
        says.strip_suffix(end).unwrap().to_owned()
    };
    let check = |bytes: &[u8], expected: &str| {
        let says = refused(bytes);
        let says = says.strip_prefix("is damaged: ").unwrap();
        match expected.strip_suffix('…') {
            Some(begin) => assert!(says.starts_with(begin), "{says}\nis not\n{expected}"),
            None => assert_eq!(says, expected),
        }
    };
    // Header, then the sections vk (18 bytes) and a (10,000), each on a page.
    let (vk, a) = (64 << 10, (64 << 10) + 4096);
    let size = |has: usize| format!("it has {has} bytes, its header says {length}");
    let cut_off = |has: usize| format!("it is cut off: {}", size(has));
    check(b"zkWhirl", "it is cut off: it has only 7 bytes");
    check(&good[..100], "it is cut off inside its header");
    check(&good[..a], &cut_off(a));
    check(&good[..length - 1], &cut_off(length - 1));
    let longer = [&good[..], &[0]].concat();
    check(&longer, &format!("it is too long: {}", size(length + 1)));
    let format = refused(&with(8, &[1]));
    assert_eq!(format, "has format 1, this release reads 2");
    let claims = "its header was changed: it claims 4294967295 bytes";
    check(&with(12, &[255; 4]), claims);
    let gap = vk + 18;
    let zeros = format!("it was changed between byte {gap} and byte {a}");
    let last = format!("it was changed between byte {}…", a + 10_000);
    for (bit, expected) in [
        (0, "it does not start with \"zkWhirlK\""),
        (16, "its header was changed"),
        (60, "its header was changed"),
        (vk - 1, "it was changed between byte…"),
        (vk, "its section vk was changed: its BLAKE3 is…"),
        (gap, &zeros),
        (a + 5000, "its section a was changed: its BLAKE3 is…"),
        (length - 1, &last),
    ] {
        check(&flipped(bit), expected);
    }
    fs::write(&path, good).unwrap();
    assert!(store.find(&claim()).unwrap().is_some());
}

#[test]
fn development_keys_are_refused_unless_allowed() {
    let (_directory, store) = empty();
    let key = try_make(&store, &SEEDED, "seeded").unwrap().key;
    assert!(ensure_usable(&key, true).is_ok());
    let error = ensure_usable(&key, false).unwrap_err().to_string();
    let dev_key = "dev key (seed 1, never for funds)";
    assert!(error.contains(dev_key), "{error}");
}

#[test]
fn a_damaged_client_key_is_refused_and_mended_by_importing_it_again() {
    let (_directory, store) = empty();
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
        for part in [expected, "import it again"] {
            assert!(error.contains(part), "{error} does not say {part}");
        }
        store.import_client_vk(&client, b"account").unwrap();
        assert_eq!(store.client_vk(&client).unwrap().unwrap(), b"account");
    }
}

#[test]
fn a_key_in_use_is_not_removed_and_another_is_made_after_it_was() {
    let (_directory, store) = empty();
    let key = make(&store, "one").key;
    assert_eq!(store.list().unwrap().len(), 1);
    let path = key.path().to_owned();
    // A part of it is enough.
    let part = key.section("a").unwrap();
    drop(key);
    let error = store.remove(&path).unwrap_err().to_string();
    assert!(error.contains("is in use by a process"), "{error}");
    assert!(store.find(&claim()).unwrap().is_some());
    drop(part);
    store.remove(&path).unwrap();
    assert!(store.find(&claim()).unwrap().is_none());
    assert!(make(&store, "one").fresh);
    fs::write(&path, b"damaged").unwrap();
    store.remove(&path).unwrap();
    assert!(matches!(store.remove(&path), Err(KeyError::Io { .. })));
}
