//! A key's life through `zkwhirl keys`.

use std::fs;

use zkwhirl_keystore::{Provenance, vk_digest};
use zkwhirl_testkit::{vector, vector_path};

use super::support::{Made, keys};
use crate::stage::{engine_with, json, refused, said, text};

#[test]
fn a_key_is_listed_verified_exported_imported_elsewhere_and_removed() {
    let made = Made::get();
    let data = made.path("data");
    let list = json(&mut keys("list", &data));
    let [key] = &list.as_array().unwrap()[..] else {
        panic!("{list}");
    };
    assert_eq!(key["circuit"], "claim/poseidon");
    assert_eq!(key["provenance"], "dev key (seed 2026, never for funds)");
    let id = key["id"].as_str().unwrap();
    let table = said(&mut keys("list", &data));
    for word in [&id[..8], "22,146", "whole", "dev key (seed 2026"] {
        assert!(table.contains(word), "{table}");
    }

    let verdicts = json(&mut keys("verify", &data));
    assert_eq!(verdicts[0]["good"], true, "{verdicts}");
    let verified = said(&mut keys("verify claim/poseidon", &data));
    assert!(
        verified.contains("✓ claim/poseidon") && verified.contains("a proof"),
        "{verified}"
    );

    let (file, elsewhere) = (made.path("claim.key"), made.path("elsewhere"));
    let export = format!("export {} --key {}", &id[..8], file.display());
    said(&mut keys(&export, &data));
    let import = format!("import --key {}", file.display());
    let imported = json(&mut keys(&import, &elsewhere));
    assert_eq!(imported["id"], id, "the same key, not another");
    assert_eq!(json(&mut keys(&import, &elsewhere))["id"], id);
    let left = fs::read_dir(&elsewhere).unwrap().count();
    assert_eq!(left, 1, "nothing but the keys is left");

    refused(
        &mut keys("remove claim/poseidon", &elsewhere),
        2,
        &["nobody can be asked: say --yes to remove 1 keys"],
    );
    let removed = said(&mut keys("remove claim/poseidon --yes", &elsewhere));
    assert!(removed.contains(&id[..8]), "{removed}");
    let empty = said(&mut keys("list", &elsewhere));
    assert!(empty.contains("no keys in"), "{empty}");
}

#[test]
fn a_key_whose_bytes_or_points_are_not_right_is_not_imported_and_not_verified() {
    let made = Made::get();
    let folder = tempfile::tempdir().unwrap();
    let copy = made.copy(folder.path());
    let good = fs::read(&copy).unwrap();
    let mut bad = good.clone();
    let last = bad.len() - 5000;
    bad[last] ^= 1;
    fs::write(&copy, &bad).unwrap();
    refused(
        &mut keys("verify", folder.path()),
        1,
        &[
            "is damaged: its section matrices was changed",
            "1 keys are not good",
        ],
    );
    refused(
        &mut keys("list", folder.path()),
        1,
        &["its section matrices was changed", "1 keys cannot be used"],
    );
    let elsewhere = folder.path().join("elsewhere");
    let import = format!("import --key {}", copy.display());
    refused(
        &mut keys(&import, &elsewhere),
        1,
        &["its section matrices was changed"],
    );
    fs::write(&copy, &good[..good.len() - 4096]).unwrap();
    refused(&mut keys(&import, &elsewhere), 1, &["it is cut off"]);
    assert!(said(&mut keys("list", &elsewhere)).contains("no keys in"));
}

#[test]
fn verification_keys_of_clients_are_listed_with_their_provenance() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let import = format!(
        "import --join-split-vk {} --account-vk {}",
        text(&vector_path("valid_jsvk_reply_real")),
        text(&vector_path("valid_accvk_reply_real"))
    );
    said(&mut keys(&import, data));
    let list = json(&mut keys("list", data));
    let table = said(&mut keys("list", data));
    for (at, circuit, name) in [
        (0, "join-split/pedersen", "valid_jsvk_reply_real"),
        (1, "account/pedersen", "valid_accvk_reply_real"),
    ] {
        let vk = vector(name);
        let (line, digest) = (&list[at], vk_digest(&vk));
        assert_eq!(line["circuit"], circuit);
        assert_eq!(line["provenance"], "from outside, setup unknown");
        assert_eq!(
            (&line["vk"], &line["bytes"]),
            (&digest.into(), &1168.into())
        );
        let row = table.lines().find(|row| row.starts_with(circuit));
        let row = row.unwrap_or_else(|| panic!("{table}"));
        for word in [&vk_digest(&vk)[..8], "1,168 B", "vk alone", "setup unknown"] {
            assert!(row.contains(word), "{row}");
        }
    }
    assert_eq!(list.as_array().unwrap().len(), 2);

    let vks = fs::read_dir(data.join("keys/vk")).unwrap();
    let damaged = vks.last().unwrap().unwrap().path();
    let mut bytes = fs::read(&damaged).unwrap();
    bytes[100] ^= 1;
    fs::write(&damaged, bytes).unwrap();
    refused(
        &mut keys("list", data),
        1,
        &[
            "is damaged: its BLAKE3 is",
            "import it again",
            "1 keys cannot be used",
        ],
    );
}

#[test]
fn what_cannot_be_done_names_the_way_out() {
    let made = Made::get();
    let data = made.path("data");
    for command in ["export abcd --vk x", "verify abcd", "remove abcd --yes"] {
        refused(
            &mut keys(command, &data),
            2,
            &[
                "there is no key abcd in",
                "zkwhirl keys list",
                "zkwhirl keys generate",
            ],
        );
    }
    refused(
        &mut keys("export claim/poseidon", &data),
        2,
        &["--key <FILE>", "--solidity <FILE>"],
    );
    refused(
        &mut keys("export nothing/poseidon --r1cs x", &data),
        2,
        &["nothing/poseidon is no circuit: zkwhirl keys circuits lists them"],
    );
    refused(
        &mut keys("import --zkey x", &data),
        2,
        &["--circuit <NAME>"],
    );
    let key = made.path("claim");
    let import = format!("import --circuit claim/poseidon --zkey {}", key.display());
    refused(&mut keys(&import, &data), 1, &["claim is no .zkey file"]);
    let import = format!("import --key {}", key.display());
    refused(
        &mut keys(&import, &data),
        1,
        &["is damaged: it does not start with \"zkWhirlK\""],
    );
}

#[test]
fn another_setup_of_the_same_circuit_does_not_take_its_place() {
    let made = Made::get();
    let folder = tempfile::tempdir().unwrap();
    let copy = made.copy(folder.path());
    let here = fs::read(&copy).unwrap();
    let elsewhere = folder.path().join("elsewhere");
    let mut engine = engine_with(1, 1, elsewhere.clone(), Provenance::SingleParty);
    let claim = "claim/poseidon".parse().unwrap();
    let other = engine.key(&claim, &|_| {}).unwrap().id.to_string();
    let file = folder.path().join("other.key");
    let export = format!("export claim/poseidon --key {}", file.display());
    said(&mut keys(&export, &elsewhere));
    let import = format!("import --key {}", file.display());
    refused(
        &mut keys(&import, folder.path()),
        1,
        &[
            "there is a key for claim/poseidon already",
            &other[..8],
            "zkwhirl keys remove makes way for it",
        ],
    );
    assert_eq!(fs::read(&copy).unwrap(), here);
    said(&mut keys("remove claim/poseidon --yes", folder.path()));
    assert_eq!(json(&mut keys(&import, folder.path()))["id"], *other);
}
