//! Files and records that do not belong to the fleet's key are refused; the
//! error names the file or the record.

use std::fs;

use super::{super::*, support::TestFleet};
use crate::{
    ClientCircuit, ClientKind, Generate, KeyStore, KeyWriter, blobs,
    conformance::{SEEDED, SINGLE, circuit, claim, make, sections, try_make},
};

/// A fleet whose machine 0 has made and published the key "one".
fn made() -> (TestFleet, FleetKeyStore) {
    let fleet = TestFleet::new();
    let holder = fleet.machine(0);
    make(&holder, "one");
    (fleet, holder)
}

/// Has another machine request the key; each of `parts` must be in its error.
#[track_caller]
fn refused(fleet: &TestFleet, parts: &[&str]) {
    let machine = fleet.machine(9);
    let found = machine.find(&claim()).unwrap_err().to_string();
    let made = try_make(&machine, &SINGLE, "mine").unwrap_err();
    assert_eq!(made.to_string(), found);
    let mut files = fleet.files(9).into_iter();
    assert!(files.all(|name| name.ends_with(".lock")));
    says(&found, parts);
}

#[track_caller]
fn says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{text} does not say {part}");
    }
}

#[test]
fn a_shared_file_with_a_changed_bit_or_a_missing_byte_is_refused_until_it_is_removed() {
    let (fleet, holder) = made();
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
        refused(&fleet, &[expected, path.to_str().unwrap()]);
    }
    fs::remove_file(&path).unwrap();
    refused(&fleet, &["there is no"]);
    // A machine that has the key shares it again.
    let key = holder.find(&claim()).unwrap().unwrap();
    assert_eq!(make(&fleet.machine(9), "mine").key.id(), key.id());
}

#[test]
fn a_manifest_that_does_not_fit_is_refused_and_the_sentence_says_where() {
    type Forge<'a> = &'a dyn Fn(&TestFleet, &mut Manifest);
    // An intact key of another setup, under the right file digest.
    let other = |fleet: &TestFleet, manifest: &mut Manifest, circuit: &CircuitIdentity| {
        let generate: &mut Generate<'_> = &mut |writer: &mut KeyWriter| sections(writer, "two");
        let made = fleet
            .local(5)
            .find_or_generate(circuit, &SINGLE, generate, &|_| {});
        let key = made.unwrap().key;
        manifest.file = key.digest();
        manifest.file_bytes = key.bytes();
        let path = fleet.shared().join(format!("{}.key", manifest.file));
        fs::copy(key.path(), path).unwrap();
    };
    let matrices: Forge<'_> = &|_, manifest| manifest.circuit.matrices = "b".repeat(64);
    let foreign: Forge<'_> = &|fleet, manifest| {
        other(fleet, manifest, &circuit("claim/poseidon", "c"));
    };
    let vk: Forge<'_> = &|fleet, manifest| {
        other(fleet, manifest, &claim());
        manifest.vk = blobs::digest(b"two");
    };
    let setup = "its setup is single-party setup (not a ceremony), expected dev key (seed 1";
    let belongs = "belongs to another circuit than claim/poseidon (matrices cccc";
    for (forge, expected) in [
        (matrices, "its matrices is bbbb"),
        (&|_, manifest| manifest.circuit.rows += 1, "its rows is 101"),
        (&|_, manifest| manifest.provenance = SEEDED, setup),
        (
            &|fleet, manifest| other(fleet, manifest, &claim()),
            "its vk digest is",
        ),
        (foreign, belongs),
        (vk, "its key id is"),
    ] {
        let (fleet, _) = made();
        fleet.forge(|manifest| forge(&fleet, manifest));
        refused(&fleet, &[expected]);
    }
}

#[test]
fn a_record_that_is_no_manifest_is_named() {
    let (fleet, holder) = made();
    let record = fleet.record("manifest");
    for (bytes, expected) in [
        ("{", "it is no manifest"),
        (&*"x".repeat(100_000), "more than 65536 bytes"),
    ] {
        fleet.set(&record, bytes.as_bytes());
        refused(&fleet, &[&record, expected]);
    }
    fleet.delete("manifest");
    holder.find(&claim()).unwrap().unwrap();
    assert_eq!(make(&fleet.machine(9), "mine").key.vk(), b"one");
}

#[test]
fn a_damaged_verification_key_in_redis_is_named_and_comes_back_when_it_is_deleted() {
    let (fleet, holder) = made();
    let record = fleet.record(":vk:");
    let bridge = fleet.machine(9);
    for bad in [&b"0ne"[..], &[0; 100_000]] {
        fleet.set(&record, bad);
        let error = bridge.verification_key(&claim()).unwrap_err();
        assert!(matches!(error, KeyError::Record { .. }));
        says(&error.to_string(), &[&record]);
    }
    fleet.delete(":vk:");
    let error = bridge.verification_key(&claim()).unwrap_err().to_string();
    says(&error, &[&record, "does not exist"]);
    holder.find(&claim()).unwrap().unwrap();
    assert_eq!(bridge.verification_key(&claim()).unwrap().unwrap(), b"one");
    let keys = bridge.local.list().unwrap();
    assert!(keys.is_empty(), "no proving key came along");
}

#[test]
fn a_verification_key_of_another_setup_is_refused() {
    let (fleet, _) = made();
    let digest = blobs::digest(b"two");
    fleet.forge(|manifest| manifest.vk.clone_from(&digest));
    let record = fleet
        .record(":vk:")
        .replace(&blobs::digest(b"one"), &digest);
    fleet.set(&record, b"two");
    let error = fleet.machine(9).verification_key(&claim()).unwrap_err();
    says(&error.to_string(), &["its key id is"]);
}

#[test]
fn a_local_key_that_is_not_the_fleets_is_set_aside_and_a_damaged_one_too() {
    let fleet = TestFleet::new();
    let stray = fleet.local(1);
    let stray_id = make(&stray, "stray").key.id().to_string();
    let key = make(&fleet.machine(0), "fleet").key;
    let machine = fleet.machine(1);
    assert_eq!(make(&machine, "new").key.id(), key.id());
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
    let fleet = TestFleet::new();
    let client = ClientCircuit::new("rollup_cli", ClientKind::Account).unwrap();
    let import = || fleet.machine(0).import_client_vk(&client, b"account");
    let damaged = |record: &str, bad: &[u8]| {
        let record = fleet.record(record);
        fleet.set(&record, bad);
        let error = fleet.machine(1).client_vk(&client).unwrap_err();
        says(&error.to_string(), &[&record]);
    };
    import().unwrap();
    damaged(":vk:", b"acc0unt");
    import().unwrap();
    let vk = fleet.machine(2).client_vk(&client).unwrap();
    assert_eq!(vk.unwrap(), b"account");
    damaged("client:", b"../../etc");
}
