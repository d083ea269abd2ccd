//! The exported contract, compiled by solc and run in an Ethereum virtual
//! machine.

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use ark_bn254::{Fq, Fr};
use ark_ff::{BigInt, BigInteger, PrimeField};
use serde_json::{Value, json};
use zkwhirl_circuits::{
    Suite,
    claim::{self, ClaimWitness},
    root_rollup::{Broadcast, RootSize},
};
use zkwhirl_job::{
    Request, Sizes, Word,
    reply::{Bundle, CLAIM_FIELDS, NativeProof},
};
use zkwhirl_keystore::EmbeddedKeyStore;
use zkwhirl_prover::native::{NativeVerifier, Setting, evm_proof};

use super::support::{Keys, Made};
use crate::stage::{MAX_CIRCUIT_SIZE, data_dir, final_buffer, node, root, say};

/// The contract's answer to each call, and the gas used.
fn answers(contract: &Path, calls: &[(Vec<u8>, String)]) -> Vec<(bool, u64)> {
    let node = node();
    let mut machine = Command::new("node");
    machine.arg(root().join("tests/node/verifier.mjs"));
    machine.args([&node, contract]).stdin(Stdio::piped());
    let mut machine = machine.stdout(Stdio::piped()).spawn().unwrap();
    let call =
        |(proof, input): &(Vec<u8>, String)| json!({ "proof": hex::encode(proof), "input": input });
    let calls: Value = calls.iter().map(call).collect();
    let mut input = machine.stdin.take().unwrap();
    input.write_all(calls.to_string().as_bytes()).unwrap();
    drop(input);
    let output = machine.wait_with_output().unwrap();
    assert!(output.status.success());
    let answers: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let read = |answer: &Value| {
        let gas = answer["gas"].as_u64().unwrap();
        (answer["accepted"].as_bool().unwrap(), gas)
    };
    answers.iter().map(read).collect()
}

#[test]
fn the_contract_accepts_a_real_proof_and_nothing_else() {
    let made = Made::get();
    let contract = made.path("Verifier.sol");
    let export = format!("export claim/poseidon --solidity {}", contract.display());
    made.keys().say(&export, &[]);
    let text = fs::read_to_string(&contract).unwrap();
    assert!(text.contains("circuit     claim/poseidon") && text.contains("never for funds"));
    assert!(!text.contains("@R@") && !text.contains("_X@"), "{text}");

    let Request::Claim(claim) =
        Request::parse(&fs::read(made.path("claim")).unwrap().into()).unwrap()
    else {
        panic!("a claim");
    };
    let witness = ClaimWitness::new(&claim).unwrap();
    let input = claim::check(Suite::Poseidon, &witness)
        .unwrap()
        .public_input();
    let reply = fs::read(made.path("claim.reply")).unwrap();
    let native = NativeProof::parse(&reply[32 * CLAIM_FIELDS..]).unwrap();
    let proof = evm_proof(&native.proofs[0]).unwrap().to_vec();
    let gas = only_the_first_is_accepted(&contract, &calls(&proof, input));
    say_gas("a claim's proof", gas);
}

/// The part of a whole rollup that a contract verifies: the root rollup's proof,
/// for the public input that follows from the final buffer's words.
#[test]
fn the_contract_accepts_the_outer_proof_of_a_real_final_buffer() {
    let sizes = Sizes::new(1, 1).unwrap();
    // A rollup of one claim.
    let (buffer, data) = (final_buffer(1), data_dir());
    let setting = Setting::new(Suite::Poseidon, sizes, MAX_CIRCUIT_SIZE);
    let verifier = NativeVerifier::new(setting, EmbeddedKeyStore::new(&data));
    let mut proofs = verifier.verify_rollup(&buffer).unwrap().proofs;
    let outer = proofs.swap_remove(0);
    assert_eq!(outer.circuit.to_string(), "root-rollup/poseidon/1/1");
    let bundle = Bundle::parse(&buffer).unwrap();
    assert_eq!(outer.public_input, public_input(&bundle));

    let folder = tempfile::tempdir().unwrap();
    let contract = folder.path().join("Verifier.sol");
    let export = format!("export {} --solidity {}", outer.circuit, contract.display());
    Keys(data).say(&export, &[]);
    let proof = evm_proof(&outer.proof).unwrap().to_vec();
    let mut calls = calls(&proof, outer.public_input);
    // Another proof of the same buffer, and another word in it.
    let inner = evm_proof(&bundle.inners[0].tail.proofs[0]).unwrap();
    let input = |bundle: &Bundle| public_input(bundle).into_bigint().to_string();
    calls.push((inner.to_vec(), input(&bundle)));
    for word in [3, 4, 6, 8, 10, 43, 107, 140] {
        let mut changed = bundle.clone();
        changed.broadcast[word].0[31] ^= 1;
        calls.push((proof.clone(), input(&changed)));
    }
    let gas = only_the_first_is_accepted(&contract, &calls);
    say_gas("a rollup's outer proof", gas);
}

fn say_gas(proof: &str, gas: u64) {
    let whole = gas + 21_000;
    say(format_args!(
        "{proof} costs {gas} gas in the contract, {whole} with its transaction"
    ));
}

/// The root rollup's public input, from the words that the proof covers.
fn public_input(bundle: &Bundle) -> Fr {
    let raw = |words: &[Word]| words.iter().map(|word| word.0).collect::<Vec<_>>();
    let headers: Vec<_> = bundle.inners.iter().map(|i| raw(&i.header)).collect();
    let notes = bundle.interactions.iter();
    let notes: Vec<_> = notes.map(|note| note.map(|word| word.0)).collect();
    let size = RootSize {
        inners: 1,
        slots: 1,
    };
    let broadcast = Broadcast::read(size, &raw(&bundle.broadcast), &headers, &notes);
    broadcast.unwrap().published().public_input()
}

/// A valid call, and similar calls that the contract must reject.
fn calls(proof: &[u8], input: Fr) -> Vec<(Vec<u8>, String)> {
    let input = input.into_bigint();
    let mut calls = vec![(proof.to_vec(), input.to_string())];
    // Each word changed in its lowest bit: off its curve, or another point.
    for word in 0..8 {
        let mut changed = proof.to_vec();
        changed[32 * word + 31] ^= 1;
        calls.push((changed, input.to_string()));
    }
    // C and A exchanged: points of the curve, but not a proof.
    let exchanged = [&proof[192..], &proof[64..192], &proof[..64]].concat();
    calls.push((exchanged, input.to_string()));
    calls.push((vec![0; 256], input.to_string()));
    // The same points and number in a non-canonical encoding.
    for word in 0..8 {
        let mut again = proof.to_vec();
        add(&mut again[32 * word..32 * word + 32], &Fq::MODULUS);
        calls.push((again, input.to_string()));
    }
    let mut number = [0; 32];
    number.copy_from_slice(&input.to_bytes_be());
    add(&mut number, &Fr::MODULUS);
    calls.push((proof.to_vec(), format!("0x{}", hex::encode(number))));
    for wrong in ["0".to_owned(), "1".to_owned(), Fr::MODULUS.to_string()] {
        calls.push((proof.to_vec(), wrong));
    }
    calls
}

/// Asserts that the contract accepts and rejects these calls; returns the gas used.
fn only_the_first_is_accepted(contract: &Path, calls: &[(Vec<u8>, String)]) -> u64 {
    let answers = answers(contract, calls);
    let (accepted, gas) = answers[0];
    assert!(accepted, "the real proof");
    for (place, (accepted, _)) in answers.iter().enumerate().skip(1) {
        assert!(!accepted, "call {place} was accepted");
    }
    assert!(gas < 250_000, "{gas}");
    gas
}

/// Adds to a number of 256 bits, highest byte first. Both are below 2^254.
fn add(number: &mut [u8], more: &BigInt<4>) {
    let bits = number
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1));
    let mut sum: BigInt<4> = BigInt::from_bits_be(&bits.collect::<Vec<_>>());
    assert!(!sum.add_with_carry(more));
    number.copy_from_slice(&sum.to_bytes_be());
}
