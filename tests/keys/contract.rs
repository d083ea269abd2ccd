//! The exported contract, compiled by solc and run in an Ethereum virtual
//! machine.

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use ark_bn254::{Fq, Fr};
use ark_ff::PrimeField;
use serde_json::{Value, json};
use zkwhirl_circuits::{Suite, statement};
use zkwhirl_job::{
    Request,
    reply::{CLAIM_FIELDS, NativeProof},
};
use zkwhirl_prover::native::evm_proof;

use crate::support::{Made, keys, node, said};

/// What the contract answers to each call, and the gas that it took.
fn answers(contract: &Path, calls: &[(Vec<u8>, String)]) -> Vec<(bool, u64)> {
    let node = node();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/node/verifier.mjs");
    let mut machine = Command::new("node")
        .arg(script)
        .arg(node)
        .arg(contract)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let call =
        |(proof, input): &(Vec<u8>, String)| json!({ "proof": hex::encode(proof), "input": input });
    let calls: Vec<Value> = calls.iter().map(call).collect();
    let mut input = machine.stdin.take().unwrap();
    input
        .write_all(Value::from(calls).to_string().as_bytes())
        .unwrap();
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
    said(&mut keys(&export, &made.path("data")));
    let text = fs::read_to_string(&contract).unwrap();
    assert!(text.contains("circuit     claim/poseidon") && text.contains("never for funds"));
    assert!(!text.contains("@R@") && !text.contains("_X@"), "{text}");

    let Request::Claim(claim) =
        Request::parse(&fs::read(made.path("claim")).unwrap().into()).unwrap()
    else {
        panic!("a claim");
    };
    let input = statement::claim(Suite::Poseidon, &claim)
        .unwrap()
        .published
        .public_input();
    let reply = fs::read(made.path("claim.reply")).unwrap();
    let native = NativeProof::parse(&reply[32 * CLAIM_FIELDS..]).unwrap();
    let proof = evm_proof(&native.proofs[0]).unwrap().to_vec();
    let input = input.into_bigint();
    let mut calls = vec![(proof.clone(), input.to_string())];
    // Each word changed in its lowest bit: off its curve, or another point.
    for word in 0..8 {
        let mut changed = proof.clone();
        changed[32 * word + 31] ^= 1;
        calls.push((changed, input.to_string()));
    }
    // C and A exchanged: points of the curve, and no proof.
    let exchanged = [&proof[192..], &proof[64..192], &proof[..64]].concat();
    calls.push((exchanged, input.to_string()));
    calls.push((vec![0; 256], input.to_string()));
    // The same points and the same number, written in a second way.
    for word in 0..8 {
        let mut again = proof.clone();
        add(&mut again[32 * word..32 * word + 32], &Fq::MODULUS);
        calls.push((again, input.to_string()));
    }
    let mut number = [0; 32];
    number.copy_from_slice(&ark_ff::BigInteger::to_bytes_be(&input));
    add(&mut number, &Fr::MODULUS);
    calls.push((proof.clone(), format!("0x{}", hex::encode(number))));
    for wrong in ["0".to_owned(), "1".to_owned(), Fr::MODULUS.to_string()] {
        calls.push((proof.clone(), wrong));
    }
    let answers = answers(&contract, &calls);
    let (accepted, gas) = answers[0];
    assert!(accepted, "the real proof");
    for (place, (accepted, _)) in answers.iter().enumerate().skip(1) {
        assert!(!accepted, "call {place} was accepted");
    }
    println!(
        "a proof costs {gas} gas in the contract, {} with its transaction",
        gas + 21_000
    );
    assert!(gas < 250_000, "{gas}");
}

/// Adds to a number of 256 bits, highest byte first. Both are below 2^254.
fn add(number: &mut [u8], more: &ark_ff::BigInt<4>) {
    let mut carry = 0;
    let more = ark_ff::BigInteger::to_bytes_be(more);
    for (digit, more) in number.iter_mut().zip(more).rev() {
        let sum = u16::from(*digit) + u16::from(more) + carry;
        *digit = sum as u8;
        carry = sum >> 8;
    }
    assert_eq!(carry, 0);
}
