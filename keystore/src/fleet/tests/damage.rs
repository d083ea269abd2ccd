//! What is not of the fleet's key is refused, with a sentence that says what.

use std::fs;

use super::{super::*, support::Fleet};
use crate::{
    ClientCircuit, ClientKind, KeyStore, blobs,
    conformance::{SEEDED, circuit, claim, make, try_make},
};

/// What another machine says when it wants the key.
fn refused(fleet: &Fleet) -> String {
    let machine = fleet.machine(9);
    let found = machine.find(&claim()).unwrap_err().to_string();
    let made = try_make(&machine, &claim(), &Provenance::SingleParty, "mine").unwrap_err();
    assert_eq!(made.to_string(), found);
    let files = fleet.files(9);
    assert!(
        files.iter().all(|name| name.ends_with(".lock")),
        "{files:?}"
    );
    found
}

#[test]
fn a_shared_file_with_a_changed_bit_or_a_missing_byte_is_refused_until_it_is_removed() {
    let fleet = Fleet::new();
    let holder = fleet.machine(0);
    let key = make(&holder, &claim(), "one").key;
    let path = fleet.shared_file();
    let good = fs::read(&path).unwrap();
    let mut bad = good.clone();
    bad[70_000] ^= 1;
    for (bytes, expected) in [
        (&bad[..], "its file digest is"),
        (&good[1..], "its length is"),
        (&[], "its length is 0"),
    ] {
        fs::write(&path, bytes).unwrap();
        let text = refused(&fleet);
        assert!(
            text.contains(expected) && text.contains(path.to_str().unwrap()),
            "{text} does not say {expected}"
        );
    }
    fs::remove_file(&path).unwrap();
    assert!(refused(&fleet).contains("there is no"));
    // Whoever holds it shares it again.
    holder.find(&claim()).unwrap().unwrap();
    assert_eq!(make(&fleet.machine(9), &claim(), "mine").key.id(), key.id());
}

#[test]
fn a_manifest_that_does_not_fit_is_refused_and_the_sentence_says_where() {
    let case = |forge: &dyn Fn(&Fleet, &mut Manifest), expected: &str| {
        let fleet = Fleet::new();
        make(&fleet.machine(0), &claim(), "one");
        fleet.forge(|manifest| forge(&fleet, manifest));
        let text = refused(&fleet);
        assert!(text.contains(expected), "{text} does not say {expected}");
    };
    case(
        &|_, manifest| manifest.circuit.matrices = "b".repeat(64),
        "its matrices is bbbb",
    );
    case(&|_, manifest| manifest.circuit.rows += 1, "its rows is 101");
    case(
        &|_, manifest| manifest.provenance = SEEDED,
        "its setup is single-party setup (not a ceremony), dev key (seed 1",
    );
    // A whole key, of another setup, under a file digest that is right.
    let other = |fleet: &Fleet, manifest: &mut Manifest, circuit: &CircuitIdentity| {
        let store = EmbeddedKeyStore::new(&fleet.data_dir(5));
        let key = make(&store, circuit, "two").key;
        manifest.file = key.digest();
        manifest.file_bytes = key.bytes();
        let path = fleet.shared().join(format!("{}.key", manifest.file));
        fs::copy(key.path(), path).unwrap();
    };
    case(
        &|fleet, manifest| other(fleet, manifest, &claim()),
        "its vk digest is",
    );
    case(
        &|fleet, manifest| other(fleet, manifest, &circuit("claim/poseidon", "c")),
        "belongs to another circuit than claim/poseidon (matrices cccc",
    );
    case(
        &|fleet, manifest| {
            other(fleet, manifest, &claim());
            manifest.vk = blobs::digest(b"two");
        },
        "its key id is",
    );
}

#[test]
fn a_record_that_is_no_manifest_is_named() {
    let fleet = Fleet::new();
    make(&fleet.machine(0), &claim(), "one");
    let record = fleet.record("manifest");
    for (bytes, expected) in [
        ("{", "it is no manifest"),
        (&*"x".repeat(100_000), "more than 65536 bytes"),
    ] {
        let _: String = fleet.redis(&["SET", &record, bytes]);
        let text = refused(&fleet);
        assert!(text.contains(&record) && text.contains(expected), "{text}");
    }
    let _: u8 = fleet.redis(&["DEL", &record]);
    fleet.machine(0).find(&claim()).unwrap().unwrap();
    assert_eq!(make(&fleet.machine(9), &claim(), "mine").key.vk(), b"one");
}

#[test]
fn a_damaged_verification_key_in_redis_is_named_and_comes_back_when_it_is_deleted() {
    let fleet = Fleet::new();
    make(&fleet.machine(0), &claim(), "one");
    let record = fleet.record(":vk:");
    let bridge = fleet.machine(9);
    for bad in [&b"0ne"[..], &[0; 100_000]] {
        let _: String = fleet.redis(&[b"SET", record.as_bytes(), bad]);
        let error = bridge.verification_key(&claim()).unwrap_err();
        assert!(matches!(error, KeyError::Record { .. }));
        assert!(error.to_string().contains(&record), "{error}");
    }
    let _: u8 = fleet.redis(&["DEL", &record]);
    let error = bridge.verification_key(&claim()).unwrap_err().to_string();
    assert!(
        error.contains(&record) && error.contains("not there"),
        "{error}"
    );
    fleet.machine(0).find(&claim()).unwrap().unwrap();
    assert_eq!(bridge.verification_key(&claim()).unwrap().unwrap(), b"one");
    assert!(
        bridge.local().list().unwrap().is_empty(),
        "no proving key came along"
    );
}

#[test]
fn a_verification_key_of_another_setup_is_refused() {
    let fleet = Fleet::new();
    make(&fleet.machine(0), &claim(), "one");
    let digest = blobs::digest(b"two");
    fleet.forge(|manifest| manifest.vk.clone_from(&digest));
    let blob = fleet
        .record(":vk:")
        .replace(&blobs::digest(b"one"), &digest);
    let _: String = fleet.redis(&["SET", &*blob, "two"]);
    let error = fleet.machine(9).verification_key(&claim()).unwrap_err();
    assert!(error.to_string().contains("its key id is"), "{error}");
}

#[test]
fn a_local_key_that_is_not_the_fleets_is_set_aside_and_a_damaged_one_too() {
    let fleet = Fleet::new();
    let stray = EmbeddedKeyStore::new(&fleet.data_dir(1));
    let stray_id = make(&stray, &claim(), "stray").key.id().to_string();
    let key = make(&fleet.machine(0), &claim(), "fleet").key;
    let machine = fleet.machine(1);
    assert_eq!(make(&machine, &claim(), "new").key.id(), key.id());
    let path = stray.path(&claim());
    let aside = path.with_extension(format!("{}.aside", &stray_id[..8]));
    assert!(aside.exists());

    fs::write(&path, b"zkWhirlKnot").unwrap();
    assert_eq!(machine.find(&claim()).unwrap().unwrap().id(), key.id());
    assert!(path.with_extension("damaged.aside").exists());
    assert_eq!(stray.list().unwrap().len(), 1, "what is aside is no key");
}

#[test]
fn a_damaged_client_key_in_redis_is_named() {
    let fleet = Fleet::new();
    let client = ClientCircuit::new("rollup_cli", ClientKind::Account).unwrap();
    fleet
        .machine(0)
        .import_client_vk(&client, b"account")
        .unwrap();
    let blob = fleet.record(":vk:");
    let _: String = fleet.redis(&["SET", &blob, "acc0unt"]);
    let error = fleet.machine(1).client_vk(&client).unwrap_err().to_string();
    assert!(error.contains(&blob), "{error}");
    fleet
        .machine(0)
        .import_client_vk(&client, b"account")
        .unwrap();
    assert_eq!(
        fleet.machine(1).client_vk(&client).unwrap().unwrap(),
        b"account"
    );
    let pointer = fleet.record("client:");
    let _: String = fleet.redis(&["SET", &pointer, "../../etc"]);
    let error = fleet.machine(2).client_vk(&client).unwrap_err().to_string();
    assert!(error.contains(&pointer), "{error}");
}
