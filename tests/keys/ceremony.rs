//! A ceremony for the claim circuit with snarkjs, with the commands that an
//! operator types.

use std::process::Command;

use super::support::Keys;
use crate::stage::{has, node, said};

#[test]
#[ignore = "snarkjs prepares 2^15 powers of tau for minutes"]
fn a_ceremony_for_a_real_circuit_gives_a_key_that_proves() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let text = |name: &str| path(name).display().to_string();
    let node = node();
    let snarkjs = |command: &str| {
        let script = node.join("node_modules/snarkjs/build/cli.cjs");
        let arguments = command.split(' ');
        said(
            Command::new("node")
                .arg(script)
                .args(arguments)
                .current_dir(folder.path()),
        )
    };
    let (data, half) = (Keys(path("data")), Keys(path("half")));
    data.say(
        &format!("export claim/poseidon --r1cs {}", text("c.r1cs")),
        &[],
    );
    for command in [
        "powersoftau new bn128 15 0.ptau",
        "powersoftau contribute 0.ptau 1.ptau -e=one",
        "powersoftau prepare phase2 1.ptau final.ptau",
        "groth16 setup c.r1cs final.ptau 0.zkey",
        "zkey contribute 0.zkey 1.zkey -e=one",
        "zkey contribute 1.zkey 2.zkey -e=two",
    ] {
        snarkjs(command);
    }
    let circuit = format!("--circuit claim/poseidon --ptau {}", text("final.ptau"));
    let import = |zkey: &str| format!("import {circuit} --zkey {}", text(zkey));
    data.refuse(&import("0.zkey"), 1, &["has no contributions"]);
    let key = data.json(&import("2.zkey"));
    let provenance = key["provenance"].as_str().unwrap();
    let checked = "checked against powers of tau";
    has(provenance, &["ceremony of 2 contributions", checked]);
    assert_eq!(data.json("verify")[0]["good"], true);
    let made = half.json(&format!("generate {circuit}"));
    let provenance = made[0]["provenance"].as_str().unwrap();
    has(provenance, &["single-party contribution to powers of tau"]);
    assert_eq!(half.json("verify")[0]["good"], true);
    // Another key of the same circuit does not replace the stored key.
    let taken = "there is a key for claim/poseidon already";
    data.refuse(&import("1.zkey"), 1, &[taken, "zkwhirl keys remove"]);
}
