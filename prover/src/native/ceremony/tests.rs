//! Tests with the real snarkjs: a small circuit is exported and set up with powers
//! of tau; the key gets contributions, is imported, and makes a proof.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

use ark_bn254::Bn254;
use ark_groth16::ProvingKey;
use rand::rngs::OsRng;
use zkwhirl_keystore::{EmbeddedKeyStore, Provenance};

use super::*;
use crate::native::keys::{
    self, NativeKey,
    small::{self, matrices, matrices_of},
    snarkjs_proof, snarkjs_vk,
};

static CEREMONY: LazyLock<Ceremony> = LazyLock::new(Ceremony::make);

/// The files of one ceremony.
struct Ceremony {
    folder: tempfile::TempDir,
    node: PathBuf,
}

impl Ceremony {
    fn make() -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/node");
        let output = Command::new(script).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        let node = String::from_utf8(output.stdout).unwrap().trim().into();
        let folder = tempfile::tempdir().unwrap();
        let ceremony = Self { folder, node };
        let file = fs::File::create(ceremony.path("c.r1cs")).unwrap();
        write_r1cs(&matrices(), &mut std::io::BufWriter::new(file)).unwrap();
        for command in [
            "powersoftau new bn128 7 fresh.ptau",
            "powersoftau contribute fresh.ptau some.ptau -e=one",
            "powersoftau prepare phase2 some.ptau final.ptau",
            "powersoftau prepare phase2 fresh.ptau nobody.ptau",
            "groth16 setup c.r1cs final.ptau start.zkey",
            "groth16 setup c.r1cs nobody.ptau nobody.zkey",
            "zkey contribute nobody.zkey tau1.zkey -e=one",
            "zkey contribute start.zkey first.zkey -e=one",
        ] {
            ceremony.snarkjs(command);
        }
        ceremony
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a snarkjs command and returns its output.
    fn snarkjs(&self, command: &str) -> String {
        let output = Command::new("node")
            .arg(self.node.join("node_modules/snarkjs/build/cli.cjs"))
            .args(command.split(' '))
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "snarkjs {command}:\n{said}");
        said
    }

    fn read(&self, name: &str) -> Result<Zkey, String> {
        let read = Zkey::read(&self.path(name), &matrices());
        read.map_err(|error| self.said(name, &error))
    }

    fn powers(&self, name: &str, size: usize) -> Result<Powers, String> {
        let read = Powers::read(&self.path(name), size);
        read.map_err(|error| self.said(name, &error))
    }

    /// The text of an error, with F for the file's path.
    fn said(&self, name: &str, error: &CeremonyError) -> String {
        let path = self.path(name);
        error.to_string().replace(path.to_str().unwrap(), "F")
    }
}

/// Stores a key, loads it, and makes a proof under it, which snarkjs verifies.
fn prove(ceremony: &Ceremony, key: &ProvingKey<Bn254>) {
    let directory = tempfile::tempdir().unwrap();
    let store = EmbeddedKeyStore::new(directory.path());
    let (file, _) = small::stored(&store, &Provenance::SingleParty, &mut |writer| {
        keys::write(writer, key, &matrices())
    });
    let native = NativeKey::load(&file).unwrap();
    let (proof, public) = small::proof(&native);
    let mut bytes = Vec::new();
    ark_serialize::CanonicalSerialize::serialize_compressed(&proof, &mut bytes).unwrap();
    let write = |name, json: serde_json::Value| {
        fs::write(ceremony.path(name), json.to_string()).unwrap();
    };
    write("vk.json", snarkjs_vk(native.verifying()));
    write("proof.json", snarkjs_proof(&bytes).unwrap());
    write("public.json", serde_json::json!([public.to_string()]));
    let said = ceremony.snarkjs("groth16 verify vk.json public.json proof.json");
    assert!(said.contains("OK!"), "{said}");
}

#[test]
fn a_key_of_snarkjs_ceremony_proves_and_every_point_is_that_of_its_powers() {
    let ceremony = &*CEREMONY;
    let said = ceremony.snarkjs("zkey contribute first.zkey second.zkey -e=two");
    let zkey = ceremony.read("second.zkey").unwrap();
    let [first, second] = &zkey.contributions[..] else {
        panic!("{:?}", zkey.contributions);
    };
    assert_ne!(first, second);
    let (_, shown) = said.split_once("Contribution Hash:").unwrap();
    let digits = shown.chars().filter(char::is_ascii_hexdigit);
    let shown: String = digits.take(128).collect();
    assert_eq!(*second, shown, "the hash is the one that snarkjs shows");
    let powers = ceremony.powers("final.ptau", 32).unwrap();
    zkey.check_against(&matrices(), &powers).unwrap();
    prove(ceremony, &zkey.key);

    ceremony.snarkjs("powersoftau contribute some.ptau more.ptau -e=two");
    ceremony.snarkjs("powersoftau prepare phase2 more.ptau other.ptau");
    let other = ceremony.powers("other.ptau", 32).unwrap();
    assert_ne!(other.digest, powers.digest);
    let error = zkey.check_against(&matrices(), &other).unwrap_err();
    let alpha = "F does not match these powers of tau in its alpha";
    assert_eq!(ceremony.said("second.zkey", &error), alpha);
}

#[test]
fn a_key_from_powers_of_tau_and_our_own_contribution_proves() {
    let ceremony = &*CEREMONY;
    let powers = ceremony.powers("final.ptau", 32).unwrap();
    let key = start(&matrices(), &powers, &mut OsRng);
    prove(ceremony, &key);
    let other = start(&matrices(), &powers, &mut OsRng);
    assert_ne!(key.delta_g1, other.delta_g1, "each contribution is its own");
    assert_eq!(key.a_query, other.a_query, "tau is the ceremony's");
}

#[test]
fn keys_that_are_degenerate_or_of_another_circuit_are_refused_with_the_reason() {
    let ceremony = &*CEREMONY;
    let refused = |name: &str, expected: &str| {
        let said = ceremony.read(name).unwrap_err();
        assert!(said.starts_with(expected), "{said}\nis not\n{expected}");
    };
    refused("start.zkey", "F has no contributions: anybody can forge");
    let infinity = "F has H point 0 at infinity: tau is a root of unity";
    refused("tau1.zkey", infinity);
    refused("c.r1cs", "F is no .zkey file");
    refused("missing", "cannot read F: No such file");

    let good = fs::read(ceremony.path("first.zkey")).unwrap();
    let at = |section: u32| {
        let mut at = 12;
        loop {
            let length = u64::from_le_bytes(good[at + 4..at + 12].try_into().unwrap());
            if good[at..at + 4] == section.to_le_bytes() {
                return at + 12;
            }
            at += 12 + length as usize;
        }
    };
    let changed = |change: &dyn Fn(&mut Vec<u8>), expected: &str| {
        let mut bad = good.clone();
        change(&mut bad);
        fs::write(ceremony.path("bad.zkey"), bad).unwrap();
        refused("bad.zkey", &format!("F {expected}"));
    };
    changed(&|bad| bad.truncate(good.len() - 1), "is cut off");
    let header = at(2) + 84;
    let (alpha, beta, gamma, delta) = (header, header + 64, header + 256, header + 448);
    // A changed bit.
    for (place, expected) in [
        (at(1), "is no Groth16 key"),
        (at(2) + 10, "is of another curve than BN254"),
        (at(2) + 72, "has 24 variables, the circuit has 25"),
        (at(2) + 76, "has 0 public inputs, the circuit has 1"),
        (at(2) + 80, "has 33 rows in its domain, the circuit has 32"),
        (header, "has no curve point at place 0 of section 2"),
        (at(4) + 16, "is of another circuit: A differs at row 0"),
        (at(5) + 64, "has no curve point at place 1 of section 5"),
    ] {
        changed(&|bad| bad[place] ^= 1, expected);
    }
    // A point at infinity.
    for (place, problem) in [
        (at(5) + 64, "its A point 1 is at infinity"),
        (at(8), "its L point 0 is at infinity"),
        (beta, "beta is 0 or 1, which everybody knows"),
    ] {
        let expected = format!("cannot be used: {problem}");
        changed(&|bad| bad[place..place + 64].fill(0), &expected);
    }
    // A point over another one.
    let another_delta = "has another delta than its last contribution";
    for (to, from, bytes, expected) in [
        (delta, gamma, 128, "delta differs between G1 and G2"),
        (
            at(6) + 128,
            at(6) + 192,
            64,
            "the B points differ between G1 and G2",
        ),
        (beta, alpha, 64, "beta or delta differs between G1 and G2"),
        (header + 384, alpha, 64, another_delta),
    ] {
        let expected = match expected == another_delta {
            true => expected.to_owned(),
            false => format!("cannot be used: {expected}"),
        };
        changed(&|bad| bad.copy_within(from..from + bytes, to), &expected);
    }
    let path = ceremony.path("first.zkey");
    let other = Zkey::read(&path, &matrices_of(4)).unwrap_err().to_string();
    let differs = "is of another circuit: A differs at row 0";
    assert!(other.contains(differs), "{other}");
    assert!(Zkey::read(&path, &matrices()).is_ok());
}

#[test]
fn powers_that_are_not_those_of_a_ceremony_are_refused() {
    let ceremony = &*CEREMONY;
    let refused = |name: &str, size: usize, expected: &str| {
        assert_eq!(ceremony.powers(name, size).unwrap_err(), expected);
    };
    let nobody = "F has tau = 1: the file has no contribution";
    refused("nobody.ptau", 32, nobody);
    let unprepared = "F is not prepared: run snarkjs powersoftau prepare phase2";
    refused("some.ptau", 32, unprepared);
    refused("final.ptau", 256, "F reaches 2^7, the circuit needs 2^8");
    refused("c.r1cs", 32, "F is no .ptau file");
}
