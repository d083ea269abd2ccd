//! A small circuit's way through the real snarkjs and back: exported, set up
//! with powers of tau, contributed to, imported, proved with.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use ark_bn254::{Bn254, Fr};
use ark_ff::UniformRand;
use ark_groth16::{Groth16, ProvingKey};
use rand::rngs::OsRng;
use zkwhirl_circuits::r1cs::{Builder, Matrices, Mode, Num};
use zkwhirl_keystore::{CircuitIdentity, EmbeddedKeyStore, KeyFile, Provenance};

use super::*;
use crate::native::{
    engine::groth16,
    keys::{self as key, NativeKey, snarkjs_proof, snarkjs_vk},
};

/// Rows of every kind: constants, large and negative coefficients, a variable
/// in C alone.
fn circuit(mode: Mode, x: Fr, factor: u64) -> Builder {
    let mut b = Builder::new(mode);
    let x = b.alloc(x);
    let mut y = x.clone();
    for round in 0..20u64 {
        let left = &(&y * Fr::from(factor + round)) + &(&x * -Fr::from(7u64));
        let right = (&y - &Num::constant(Fr::from(u64::MAX))).plus(Fr::from(round));
        y = b.mul(&left, &right);
    }
    let square = b.mul(&x, &x);
    let lone = b.alloc((&y + &square).value());
    b.enforce(&Num::one(), &(&y + &square), &lone);
    b.publish(&lone);
    b
}

fn matrices(factor: u64) -> Matrices {
    circuit(Mode::Matrices, Fr::from(0), factor).into_matrices()
}

/// The files of one ceremony, made once.
struct Ceremony {
    folder: tempfile::TempDir,
    node: PathBuf,
}

impl Ceremony {
    fn get() -> &'static Self {
        static CEREMONY: OnceLock<Ceremony> = OnceLock::new();
        CEREMONY.get_or_init(Self::make)
    }

    fn make() -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/node");
        let output = Command::new(script).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        let node = String::from_utf8(output.stdout).unwrap().trim().into();
        let folder = tempfile::tempdir().unwrap();
        let ceremony = Self { folder, node };
        let file = fs::File::create(ceremony.path("c.r1cs")).unwrap();
        write_r1cs(&matrices(3), &mut std::io::BufWriter::new(file)).unwrap();
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

    /// What snarkjs says.
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
        let path = self.path(name);
        let read = Zkey::read(&path, &matrices(3));
        read.map_err(|error| error.to_string().replace(path.to_str().unwrap(), "F"))
    }

    fn powers(&self, name: &str, size: usize) -> Result<Powers, String> {
        let path = self.path(name);
        let read = Powers::read(&path, size);
        read.map_err(|error| error.to_string().replace(path.to_str().unwrap(), "F"))
    }
}

/// Stores a key, loads it, and makes a proof under it; and what snarkjs needs to
/// verify that.
fn prove(ceremony: &Ceremony, key: &ProvingKey<Bn254>) -> KeyFile {
    let matrices = matrices(3);
    let identity = CircuitIdentity {
        name: "small/test/20".to_owned(),
        depths: String::new(),
        matrices: hex::encode(matrices.digest()),
        rows: matrices.num_rows as u64,
    };
    let directory = tempfile::tempdir().unwrap();
    let store = EmbeddedKeyStore::new(directory.path());
    let made = store.find_or_generate(&identity, &Provenance::SingleParty, |writer| {
        key::write(writer, key, &matrices).unwrap();
        Ok(())
    });
    let file = made.unwrap().key;
    let native = NativeKey::load(&file).unwrap();
    let assignment = circuit(Mode::Witness, Fr::from(11), 3).into_assignment();
    let blinding = [Fr::rand(&mut OsRng), Fr::rand(&mut OsRng)];
    let (queries, mapped) = (&native.queries, &native.matrices);
    let proof = groth16::prove(queries, mapped, &assignment, blinding, &|_| {}).unwrap();
    let public = assignment.instance[1];
    let verifying = native.verifying();
    let verify =
        |public| Groth16::<Bn254>::verify_proof(&verifying.prepared, &proof, &[public]).unwrap();
    assert!(verify(public));
    assert!(!verify(public + Fr::from(1)));

    let mut bytes = Vec::new();
    ark_serialize::CanonicalSerialize::serialize_compressed(&proof, &mut bytes).unwrap();
    let write = |name, json: serde_json::Value| {
        fs::write(ceremony.path(name), json.to_string()).unwrap();
    };
    write("vk.json", snarkjs_vk(verifying));
    write("proof.json", snarkjs_proof(&bytes).unwrap());
    write("public.json", serde_json::json!([public.to_string()]));
    let said = ceremony.snarkjs("groth16 verify vk.json public.json proof.json");
    assert!(said.contains("OK!"), "{said}");
    file
}

#[test]
fn a_key_of_snarkjs_ceremony_proves_and_every_point_is_that_of_its_powers() {
    let ceremony = Ceremony::get();
    let said = ceremony.snarkjs("zkey contribute first.zkey second.zkey -e=two");
    let zkey = ceremony.read("second.zkey").unwrap();
    let [first, second] = zkey.contributions() else {
        panic!("{:?}", zkey.contributions());
    };
    assert_ne!(first, second);
    let shown: String = said
        .split("Contribution Hash:")
        .nth(1)
        .unwrap()
        .chars()
        .filter(char::is_ascii_hexdigit)
        .take(128)
        .collect();
    assert_eq!(*second, shown, "the hash is the one that snarkjs shows");
    let powers = ceremony.powers("final.ptau", 32).unwrap();
    zkey.check_against(&matrices(3), &powers).unwrap();
    prove(ceremony, &zkey.key);

    ceremony.snarkjs("powersoftau contribute some.ptau more.ptau -e=two");
    ceremony.snarkjs("powersoftau prepare phase2 more.ptau other.ptau");
    let other = ceremony.powers("other.ptau", 32).unwrap();
    assert_ne!(other.digest(), powers.digest());
    let error = zkey.check_against(&matrices(3), &other).unwrap_err();
    let error = error.to_string();
    assert!(
        error.ends_with(".zkey its alpha are not those of these powers of tau"),
        "{error}"
    );
}

#[test]
fn a_key_from_powers_of_tau_and_our_own_contribution_proves() {
    let ceremony = Ceremony::get();
    let powers = ceremony.powers("final.ptau", 32).unwrap();
    let key = start(&matrices(3), &powers, &mut OsRng);
    prove(ceremony, &key);
    let other = start(&matrices(3), &powers, &mut OsRng);
    assert_ne!(key.delta_g1, other.delta_g1, "each contribution is its own");
    assert_eq!(key.a_query, other.a_query, "tau is the ceremony's");
}

#[test]
fn keys_that_are_degenerate_or_of_another_circuit_are_refused_with_the_reason() {
    let ceremony = Ceremony::get();
    let refused = |name: &str, expected: &str| {
        let said = ceremony.read(name).unwrap_err();
        assert!(said.starts_with(expected), "{said}\nis not\n{expected}");
    };
    refused("start.zkey", "F has no contributions: anybody can forge");
    refused(
        "tau1.zkey",
        "F has a point at infinity where none belongs, H 0: tau is a root of unity",
    );
    refused("c.r1cs", "F is no .zkey file");
    refused("missing", "cannot read F: No such file");

    let good = fs::read(ceremony.path("first.zkey")).unwrap();
    let matrices = matrices(3);
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
    // Copies bytes of the file over others.
    let copied = |to: usize, from: usize, bytes: usize| {
        let mut bad = good.clone();
        bad[to..to + bytes].copy_from_slice(&good[from..from + bytes]);
        bad
    };
    let zeros = |to: usize, bytes: usize| {
        let mut bad = good.clone();
        bad[to..to + bytes].fill(0);
        bad
    };
    let flipped = |place: usize| {
        let mut bad = good.clone();
        bad[place] ^= 1;
        bad
    };
    let header = at(2) + 84;
    let (gamma, delta) = (header + 256, header + 448);
    let variables = matrices.num_instance + matrices.num_witness;
    let wrong_variables = format!(
        "F has {} variables, the circuit has {variables}",
        variables ^ 1
    );
    let cases: [(Vec<u8>, &str); 16] = [
        (good[..good.len() - 1].to_vec(), "F is cut off"),
        (flipped(at(1)), "F is no Groth16 key"),
        (flipped(at(2) + 10), "F is of another curve than BN254"),
        (flipped(at(2) + 72), &wrong_variables),
        (
            flipped(at(2) + 76),
            "F has 0 public inputs, the circuit has 1",
        ),
        (
            flipped(at(2) + 80),
            "F has 33 rows in its domain, the circuit has 32",
        ),
        (
            flipped(header),
            "F has no curve point at place 0 of section 2",
        ),
        (
            flipped(at(4) + 16),
            "F is of another circuit: A differs at row 0",
        ),
        (
            flipped(at(5) + 64),
            "F has no curve point at place 1 of section 5",
        ),
        (
            zeros(at(5) + 64, 64),
            "F cannot be used: its A point 1 is at infinity",
        ),
        (
            zeros(at(8), 64),
            "F cannot be used: its L point 0 is at infinity",
        ),
        (
            copied(delta, gamma, 128),
            "F cannot be used: delta differs between G1 and G2",
        ),
        (
            copied(at(6) + 128, at(6) + 192, 64),
            "F cannot be used: the B points differ between G1 and G2",
        ),
        (
            zeros(header + 64, 64),
            "F cannot be used: beta is 0 or 1, which everybody knows",
        ),
        (
            copied(header + 64, header, 64),
            "F cannot be used: beta or delta differs between G1 and G2",
        ),
        (
            copied(header + 384, header, 64),
            "F has another delta than its last contribution made",
        ),
    ];
    for (bytes, expected) in cases {
        fs::write(ceremony.path("bad.zkey"), bytes).unwrap();
        refused("bad.zkey", expected);
    }
    let path = ceremony.path("first.zkey");
    let other = Zkey::read(&path, &self::matrices(4)).unwrap_err();
    assert!(
        other
            .to_string()
            .contains("is of another circuit: A differs at row 0")
    );
    assert!(Zkey::read(&path, &matrices).is_ok());
}

#[test]
fn powers_that_are_not_those_of_a_ceremony_are_refused() {
    let ceremony = Ceremony::get();
    let refused = |name: &str, size: usize, expected: &str| {
        assert_eq!(ceremony.powers(name, size).unwrap_err(), expected);
    };
    refused(
        "nobody.ptau",
        32,
        "F has tau = 1: nobody has contributed to it",
    );
    refused(
        "some.ptau",
        32,
        "F is not prepared: snarkjs powersoftau prepare phase2 does that",
    );
    refused("final.ptau", 256, "F reaches 2^7, the circuit needs 2^8");
    refused("c.r1cs", 32, "F is no .ptau file");
}
