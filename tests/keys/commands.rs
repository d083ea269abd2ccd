//! The commands of `zkwhirl keys`: make, verify, export, import, remove.

use std::fs;

use zkwhirl_keystore::{Provenance, vk_digest};
use zkwhirl_testkit::{vector, vector_path};

use super::support::{Keys, Made};
use crate::stage::engine_with;

#[test]
fn a_key_is_listed_verified_exported_imported_elsewhere_and_removed() {
    let made = Made::get();
    let data = made.keys();
    let list = data.json("list");
    let [key] = &list.as_array().unwrap()[..] else {
        panic!("{list}");
    };
    assert_eq!(key["circuit"], "claim/poseidon");
    assert_eq!(key["provenance"], "dev key (seed 2026, never for funds)");
    let id = key["id"].as_str().unwrap();
    data.say("list", &[&id[..8], "22,146", "whole", "dev key (seed 2026"]);

    let verdicts = data.json("verify");
    assert_eq!(verdicts[0]["good"], true, "{verdicts}");
    data.say("verify claim/poseidon", &["✓ claim/poseidon", "a sample"]);

    let (file, elsewhere) = (made.path("claim.key"), Keys(made.path("elsewhere")));
    let export = format!("export {} --key {}", &id[..8], file.display());
    data.say(&export, &[]);
    let import = format!("import --key {}", file.display());
    let imported = elsewhere.json(&import);
    assert_eq!(imported["id"], id, "the same key, not another");
    assert_eq!(elsewhere.json(&import)["id"], id);
    let left = fs::read_dir(&*elsewhere).unwrap().count();
    assert_eq!(left, 1, "only the keys are left");

    let words = ["standard input is not a terminal: add --yes to remove 1 keys"];
    elsewhere.refuse("remove claim/poseidon", 2, &words);
    elsewhere.say("remove claim/poseidon --yes", &[&id[..8]]);
    elsewhere.say("list", &["no keys in"]);
}

#[test]
fn a_key_whose_bytes_or_points_are_not_right_is_not_imported_and_not_verified() {
    let folder = tempfile::tempdir().unwrap();
    let (data, copy) = Made::get().copy(folder.path());
    let good = fs::read(&copy).unwrap();
    let mut bad = good.clone();
    let last = bad.len() - 5000;
    bad[last] ^= 1;
    fs::write(&copy, &bad).unwrap();
    let damage = "is damaged: its section matrices was changed";
    data.refuse("verify", 1, &[damage, "1 keys are invalid"]);
    data.refuse("list", 1, &[damage, "1 keys cannot be used"]);
    let elsewhere = Keys(folder.path().join("elsewhere"));
    let import = format!("import --key {}", copy.display());
    elsewhere.refuse(&import, 1, &[damage]);
    fs::write(&copy, &good[..good.len() - 4096]).unwrap();
    elsewhere.refuse(&import, 1, &["it is cut off"]);
    elsewhere.say("list", &["no keys in"]);
}

#[test]
fn verification_keys_of_clients_are_listed_with_their_provenance() {
    let folder = tempfile::tempdir().unwrap();
    let data = Keys(folder.path().to_owned());
    let import = format!(
        "import --join-split-vk {} --account-vk {}",
        vector_path("valid_jsvk_reply_real").display(),
        vector_path("valid_accvk_reply_real").display()
    );
    data.say(&import, &[]);
    let list = data.json("list");
    let table = data.say("list", &[]);
    for (at, circuit, name) in [
        (0, "join-split/pedersen", "valid_jsvk_reply_real"),
        (1, "account/pedersen", "valid_accvk_reply_real"),
    ] {
        let digest = vk_digest(&vector(name));
        let line = &list[at];
        assert_eq!(line["circuit"], circuit);
        assert_eq!(line["provenance"], "from outside, setup unknown");
        assert_eq!(line["vk"], digest);
        assert_eq!(line["bytes"], 1168);
        let row = table.lines().find(|row| row.starts_with(circuit));
        let row = row.unwrap_or_else(|| panic!("{table}"));
        for word in [&digest[..8], "1,168 B", "vk only", "setup unknown"] {
            assert!(row.contains(word), "{row}");
        }
    }
    assert_eq!(list.as_array().unwrap().len(), 2);

    let vks = fs::read_dir(data.join("keys/vk")).unwrap();
    let damaged = vks.last().unwrap().unwrap().path();
    let mut bytes = fs::read(&damaged).unwrap();
    bytes[100] ^= 1;
    fs::write(&damaged, bytes).unwrap();
    let (damage, way) = ("is damaged: its BLAKE3 is", "import it again");
    data.refuse("list", 1, &[damage, way, "1 keys cannot be used"]);
}

#[test]
fn what_cannot_be_done_names_the_way_out() {
    let made = Made::get();
    let data = made.keys();
    let ways = ["zkwhirl keys list", "zkwhirl keys generate"];
    let missing = ["there is no key abcd in", ways[0], ways[1]];
    for command in ["export abcd --vk x", "verify abcd", "remove abcd --yes"] {
        data.refuse(command, 2, &missing);
    }
    let key = made.path("claim").display().to_string();
    let zkey = format!("import --circuit claim/poseidon --zkey {key}");
    let import = format!("import --key {key}");
    let kinds = "export claim/poseidon";
    for (command, code, words) in [
        (kinds, 2, "--key <FILE>"),
        (kinds, 2, "--solidity <FILE>"),
        (
            "export nothing/poseidon --r1cs x",
            2,
            "nothing/poseidon is not a circuit: see zkwhirl keys circuits",
        ),
        ("import --zkey x", 2, "--circuit <NAME>"),
        (&zkey, 1, "claim is no .zkey file"),
        (
            &import,
            1,
            "is damaged: it does not start with \"zkWhirlK\"",
        ),
    ] {
        data.refuse(command, code, &[words]);
    }
}

#[test]
fn another_setup_of_the_same_circuit_does_not_take_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let (data, copy) = Made::get().copy(folder.path());
    let here = fs::read(&copy).unwrap();
    let elsewhere = Keys(folder.path().join("elsewhere"));
    let mut engine = engine_with(1, 1, elsewhere.0.clone(), Provenance::SingleParty);
    let claim = "claim/poseidon".parse().unwrap();
    let other = engine.key(&claim, &|_| {}).unwrap().id.to_string();
    let file = folder.path().join("other.key");
    elsewhere.say(
        &format!("export claim/poseidon --key {}", file.display()),
        &[],
    );
    let import = format!("import --key {}", file.display());
    let taken = "there is a key for claim/poseidon already";
    let way = "remove the stored key first: zkwhirl keys remove";
    data.refuse(&import, 1, &[taken, &other[..8], way]);
    assert_eq!(fs::read(&copy).unwrap(), here);
    data.say("remove claim/poseidon --yes", &[]);
    assert_eq!(data.json(&import)["id"], *other);
}
