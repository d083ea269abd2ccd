//! Client proofs with development keys, and what is refused of them.

use ark_bn254::Fr;
use bytes::Bytes;
use zkwhirl_circuits::{
    Suite,
    test_util::{Payment, Registration},
};
use zkwhirl_job::{
    Failure, Request, Sizes, Word,
    reply::NotVerified,
    request::{ClientProof, NATIVE_CLIENT_PROOF_BYTES, field::TX_FEE},
};
use zkwhirl_keystore::{EmbeddedKeyStore, Provenance};

use super::*;
use crate::native::{EngineConfig, NativeVerifier, Setting, self_test_request, verify_client};

/// An engine with keys of its own, and their folder.
fn engine() -> (tempfile::TempDir, Engine) {
    let folder = tempfile::tempdir().unwrap();
    let config = EngineConfig::new(setting(), Provenance::DevSeeded { seed: 5 });
    let engine = Engine::new(config, EmbeddedKeyStore::new(folder.path()));
    (folder, engine)
}

fn setting() -> Setting {
    Setting::new(Suite::Poseidon, Sizes::new(1, 1).unwrap(), 1 << 16)
}

fn verifier(folder: &std::path::Path) -> NativeVerifier {
    let store = EmbeddedKeyStore::new(folder);
    NativeVerifier::new(setting(), store)
}

/// The client proof in a reply: 16 fields of 32 bytes, then a tail.
fn tx(reply: &Bytes) -> ClientProof {
    assert_eq!(reply.len(), NATIVE_CLIENT_PROOF_BYTES as usize);
    let word = |place: usize| Word(reply[32 * place..][..32].try_into().unwrap());
    ClientProof {
        public_inputs: std::array::from_fn(word),
        tail: reply.slice(16 * 32..),
    }
}

/// A payment, an account and a claim, proved.
fn txs(engine: &mut Engine) -> Vec<ClientProof> {
    let payment = ClientWitness::JoinSplit(Box::new(Payment::send().w));
    let account = ClientWitness::Account(Box::new(Registration::create().w));
    let mut txs: Vec<ClientProof> = [payment, account]
        .iter()
        .map(|client| {
            let receipt = engine.prove_client(client, &|_| {}).unwrap();
            let words: Vec<Word> = client
                .published()
                .to_words()
                .into_iter()
                .map(Word)
                .collect();
            assert_eq!(receipt.fields, words);
            tx(&receipt.reply)
        })
        .collect();
    let claim = Request::parse(&self_test_request(Suite::Poseidon)).unwrap();
    txs.push(tx(&engine.prove(&claim, &|_| {}).unwrap().reply));
    txs
}

#[test]
fn every_kind_of_client_proof_is_verified_under_its_key_alone() {
    let (_folder, mut engine) = engine();
    let good = txs(&mut engine);
    let kinds = [
        StatementKind::JoinSplit,
        StatementKind::Account,
        StatementKind::Claim,
    ];
    let keys = kinds.map(|statement| engine.client_vk(statement, &|_| {}).unwrap());
    for (tx, key) in good.iter().zip(&keys) {
        assert_eq!(verify_client(key, tx), Ok(()));
    }
    let refused = |at: usize, change: &dyn Fn(&mut ClientProof)| {
        let mut tx = good[at].clone();
        change(&mut tx);
        match verify_client(&keys[at], &tx) {
            Err(NotVerified::Refused { reason }) => reason,
            other => panic!("{other:?}"),
        }
    };
    let set = |tail: &mut Bytes, at: usize, byte: u8| {
        let mut bytes = tail.to_vec();
        bytes[at] = byte;
        *tail = bytes.into();
    };
    let false_proof = "the proof does not verify for its published fields";

    // A larger fee than the one that was signed and proved.
    for at in [0, 1, 2] {
        let dearer = refused(at, &|tx| tx.public_inputs[TX_FEE] = Word::from(11));
        assert_eq!(dearer, false_proof);
    }
    // The proof of another statement, and a statement that does not exist.
    let other = refused(1, &|tx| tx.tail = good[2].tail.clone());
    assert!(other.contains("that of account/poseidon is"), "{other}");
    let padding = refused(2, &|tx| tx.public_inputs[0] = Word::from(0));
    assert!(padding.starts_with("no statement has the proof id"));
    let claimed = refused(1, &|tx| tx.public_inputs[0] = Word::from(3));
    assert_eq!(claimed, false_proof);
    // Bytes that are no client proof.
    let plonk = refused(1, &|tx| tx.tail = vec![7; 1504].into());
    assert!(plonk.starts_with("no native proof follows"), "{plonk}");
    let suite = refused(1, &|tx| set(&mut tx.tail, 4, 0));
    assert_eq!(suite, "it is no single proof of the poseidon suite");
    let form = refused(1, &|tx| set(&mut tx.tail, 5, 1));
    assert_eq!(form, suite);
    let wide = refused(0, &|tx| tx.public_inputs[1] = Word([0xff; 32]));
    assert_eq!(wide, "public input 1 is not a canonical field element");
    let Err(NotVerified::CannotCheck { reason }) = verify_client(b"no key", &good[0]) else {
        panic!("nothing is known without a key");
    };
    assert!(reason.starts_with("the verification key cannot be read"));
}

#[test]
fn a_false_statement_is_not_proved() {
    let (_folder, mut engine) = engine();
    let mut payment = Payment::send();
    payment.w.fee = Fr::from(0u64);
    let client = ClientWitness::JoinSplit(Box::new(payment.w));
    let failure = engine.prove_client(&client, &|_| {}).unwrap_err().failure();
    assert_eq!(
        failure,
        Failure::invalid("values that go in and out differ")
    );
}

#[test]
fn a_client_vk_is_what_verifies_its_proofs() {
    let (folder, mut engine) = engine();
    let store = EmbeddedKeyStore::new(folder.path());
    let stored = || client_vk(&store, StatementKind::Account).unwrap();
    let verifier = verifier(folder.path());
    assert_eq!(stored(), None);
    assert_eq!(
        verifier.verify_client_vk(StatementKind::Account, b"key"),
        Err(NotVerified::cannot_check(
            "there is no key for account/poseidon yet"
        ))
    );
    let made = engine.client_vk(StatementKind::Account, &|_| {}).unwrap();
    assert!(made.len() < 1024);
    assert_eq!(stored().unwrap(), made);
    let verify = |reply: &[u8]| verifier.verify_client_vk(StatementKind::Account, reply);
    assert_eq!(verify(&made), Ok(()));
    assert_eq!(
        verify(&made[1..]),
        Err(NotVerified::refused(
            "it is not the verification key of account/poseidon"
        ))
    );
    let account = ClientWitness::Account(Box::new(Registration::another_key().w));
    let receipt = engine.prove_client(&account, &|_| {}).unwrap();
    assert_eq!(verify_client(&made, &tx(&receipt.reply)), Ok(()));
}
