//! Tests of client proofs: good proofs verify, changed proofs are refused.

use ark_bn254::Fr;
use bytes::Bytes;
use zkwhirl_circuits::{
    StatementKind,
    client::ClientWitness,
    test_util::{Payment, Registration},
};
use zkwhirl_job::{
    Failure, Word,
    reply::NotVerified,
    request::{ClientProof, NATIVE_CLIENT_PROOF_BYTES, field::TX_FEE},
};
use zkwhirl_keystore::{EmbeddedKeyStore, Provenance};
use zkwhirl_prover::native::{Engine, EngineConfig, NativeVerifier, client_vk, verify_client};

use super::proved::{ONE, TWO, client_proof, refusal};

#[test]
fn every_kind_of_client_proof_is_verified_under_its_key_alone() {
    let good = TWO.txs();
    let kinds = [
        StatementKind::Claim,
        StatementKind::JoinSplit,
        StatementKind::Account,
    ];
    let [claim, payment, account] = [0, 1, 2];
    let keys = kinds.map(|statement| TWO.engine().client_vk(statement, &|_| {}).unwrap());
    for (tx, key) in good.iter().zip(&keys) {
        assert_eq!(verify_client(key, tx), Ok(()));
    }
    let refused = |at: usize, change: &dyn Fn(&mut ClientProof)| {
        let mut tx = good[at].clone();
        change(&mut tx);
        refusal(verify_client(&keys[at], &tx))
    };
    let set = |tail: &mut Bytes, at: usize, byte: u8| {
        let mut bytes = tail.to_vec();
        bytes[at] = byte;
        *tail = bytes.into();
    };
    let false_proof = "the proof does not verify for its published fields";

    // A fee that differs from the signed and proved fee.
    for at in [claim, payment, account] {
        let dearer = refused(at, &|tx| tx.public_inputs[TX_FEE].0[31] ^= 1);
        assert_eq!(dearer, false_proof);
    }
    // The proof of another statement, and a statement that does not exist.
    let other = refused(account, &|tx| tx.tail = good[claim].tail.clone());
    assert!(other.contains("that of account/poseidon is"), "{other}");
    let padding = refused(claim, &|tx| tx.public_inputs[0] = Word::from(0));
    assert!(padding.starts_with("no statement has the proof id"));
    let claimed = refused(account, &|tx| tx.public_inputs[0] = Word::from(3));
    assert_eq!(claimed, false_proof);
    // Bytes that are no client proof.
    let plonk = refused(account, &|tx| tx.tail = vec![7; 1504].into());
    assert!(plonk.starts_with("no native proof follows"), "{plonk}");
    let suite = refused(account, &|tx| set(&mut tx.tail, 4, 0));
    assert_eq!(suite, "the proof is not a single poseidon proof");
    let form = refused(account, &|tx| set(&mut tx.tail, 5, 1));
    assert_eq!(form, suite);
    let wide = refused(payment, &|tx| tx.public_inputs[1] = Word([0xff; 32]));
    assert_eq!(wide, "public input 1 is not a canonical field element");
    let Err(NotVerified::CannotCheck { reason }) = verify_client(b"no key", &good[payment]) else {
        panic!("nothing is known without a key");
    };
    assert!(reason.starts_with("the verification key cannot be read"));
}

#[test]
fn a_receipt_has_the_fields_of_the_statement_and_the_length_of_a_client_proof() {
    let payment = ClientWitness::JoinSplit(Box::new(Payment::send().w));
    let account = ClientWitness::Account(Box::new(Registration::create().w));
    for client in [payment, account] {
        let receipt = ONE.engine().prove_client(&client, &|_| {}).unwrap();
        let words = client.published().to_words().into_iter().map(Word);
        assert!(words.eq(receipt.fields));
        assert_eq!(receipt.reply.len(), NATIVE_CLIENT_PROOF_BYTES as usize);
    }
}

#[test]
fn a_false_statement_is_not_proved() {
    let mut payment = Payment::send();
    payment.w.fee = Fr::from(0u64);
    let client = ClientWitness::JoinSplit(Box::new(payment.w));
    let error = ONE.engine().prove_client(&client, &|_| {}).unwrap_err();
    let differ = Failure::invalid("input and output values do not balance");
    assert_eq!(error.failure(), differ);
}

#[test]
fn a_client_vk_is_what_verifies_its_proofs() {
    let folder = tempfile::tempdir().unwrap();
    let store = EmbeddedKeyStore::new(folder.path());
    let config = EngineConfig::new(ONE.setting.clone(), Provenance::DevSeeded { seed: 5 });
    let mut engine = Engine::new(config, store.clone());
    let verifier = NativeVerifier::new(ONE.setting.clone(), store.clone());
    let stored = || client_vk(&store, StatementKind::Account).unwrap();
    let verify = |reply: &[u8]| verifier.verify_client_vk(StatementKind::Account, reply);
    assert_eq!(stored(), None);
    let missing = "there is no key for account/poseidon yet";
    assert_eq!(verify(b"key"), Err(NotVerified::cannot_check(missing)));
    let made = engine.client_vk(StatementKind::Account, &|_| {}).unwrap();
    assert!(made.len() < 1024);
    assert_eq!(stored().unwrap(), made);
    assert_eq!(verify(&made), Ok(()));
    let other = "the reply is not the verification key of account/poseidon";
    assert_eq!(refusal(verify(&made[1..])), other);
    let account = ClientWitness::Account(Box::new(Registration::another_key().w));
    let receipt = engine.prove_client(&account, &|_| {}).unwrap();
    assert_eq!(verify_client(&made, &client_proof(&receipt.reply)), Ok(()));
}
