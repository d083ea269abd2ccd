//! Client proofs with development keys, and what is refused of them.

#[path = "../../../../circuits/tests/common/clients.rs"]
#[expect(dead_code, reason = "a part of the clients is enough here")]
mod clients;

use bytes::Bytes;
use clients::{Payment, Registration};
use zkwhirl_circuits::Suite;
use zkwhirl_job::{
    Request, Sizes, Word,
    request::{NATIVE_CLIENT_PROOF_BYTES, field::TX_FEE},
};
use zkwhirl_keystore::{EmbeddedKeyStore, Provenance};

use super::*;
use crate::native::{EngineConfig, VerificationKey, self_test_request};

/// An engine with keys of its own, in a folder that lives as long.
fn engine() -> (tempfile::TempDir, Engine) {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::new(EngineConfig {
        suite: Suite::Poseidon,
        sizes: Sizes::new(1, 1).unwrap(),
        data_dir: folder.path().to_owned(),
        max_circuit_size: 1 << 16,
        provenance: Provenance::DevSeeded { seed: 5 },
        allow_dev_keys: true,
    });
    (folder, engine)
}

fn verifier(folder: &std::path::Path) -> NativeVerifier {
    let store = EmbeddedKeyStore::new(folder);
    NativeVerifier::new(Suite::Poseidon, Sizes::new(1, 1).unwrap(), store)
}

/// A reply of 16 words and a tail, as a tx carries it.
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
    let payment = ClientWitness::JoinSplit(Box::new(Payment::new().w));
    let account = ClientWitness::Account(Box::new(Registration::new().w));
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
fn every_kind_of_client_is_verified_and_the_bad_tx_named() {
    let (folder, mut engine) = engine();
    let good = txs(&mut engine);
    let verifier = verifier(folder.path());
    assert_eq!(verifier.verify_clients(&good), Ok(()));
    assert_eq!(verifier.verify_clients(&[]), Ok(()));
    let refused = |change: &dyn Fn(&mut Vec<ClientProof>)| {
        let mut txs = good.clone();
        change(&mut txs);
        match verifier.verify_clients(&txs).unwrap_err() {
            ClientError::Bad(bad) => (bad.tx, bad.problem),
            ClientError::Key(why) => panic!("{why}"),
        }
    };
    let set = |tail: &mut Bytes, at: usize, byte: u8| {
        let mut bytes = tail.to_vec();
        bytes[at] = byte;
        *tail = bytes.into();
    };
    let false_proof = "the proof does not verify for its published fields";

    // Somebody takes a larger fee than was signed and proved.
    let dearer = refused(&|txs| txs[0].public_inputs[TX_FEE] = Word::from(11));
    assert_eq!(dearer, (0, false_proof.to_owned()));
    let all = refused(&|txs| {
        txs.iter_mut()
            .for_each(|tx| tx.public_inputs[1] = Word::from(1));
    });
    assert_eq!(all.0, 0);
    let last = refused(&|txs| txs[2].public_inputs[TX_FEE] = Word::from(11));
    assert_eq!(last, (2, false_proof.to_owned()));
    // The proof of another statement.
    let (at, problem) = refused(&|txs| txs[1].tail = txs[2].tail.clone());
    assert_eq!(at, 1);
    assert!(problem.contains("that of account/poseidon is"), "{problem}");
    let (at, problem) = refused(&|txs| txs[1].public_inputs[0] = Word::from(3));
    assert_eq!(at, 1);
    assert!(
        problem.contains("that of join-split/poseidon is"),
        "{problem}"
    );
    let padding = refused(&|txs| txs[2].public_inputs[0] = Word::from(0));
    assert_eq!(padding.0, 2);
    assert!(padding.1.starts_with("no statement has the proof id"));
    // Bytes that are no such proof.
    let plonk = refused(&|txs| txs[1].tail = vec![7; 1504].into());
    assert!(plonk.1.starts_with("no native proof follows"), "{plonk:?}");
    let suite = refused(&|txs| set(&mut txs[1].tail, 4, 0));
    assert_eq!(suite, (1, "it is not of the poseidon suite".to_owned()));
    let form = refused(&|txs| set(&mut txs[1].tail, 5, 1));
    assert_eq!(form, (1, "it is not a single proof".to_owned()));
    let (at, problem) = refused(&|txs| txs[0].public_inputs[1] = Word([0xff; 32]));
    assert_eq!(at, 0);
    assert_eq!(problem, "public input 1 is not a canonical field element");
}

#[test]
fn a_false_statement_is_not_proved() {
    let (_folder, mut engine) = engine();
    let mut payment = Payment::new();
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
    assert_eq!(stored(), None);
    let error = verifier(folder.path()).verify_clients(&[ClientProof {
        public_inputs: std::array::from_fn(|place| Word::from(if place == 0 { 4 } else { 0 })),
        tail: NativeProof::single(suite_tag(Suite::Poseidon), [0; 32], [0; 128]).to_bytes(),
    }]);
    assert_eq!(
        error.unwrap_err().failure(),
        Failure::infrastructure("there is no key for account/poseidon yet")
    );
    let made = engine.client_vk(StatementKind::Account, &|_| {}).unwrap();
    assert!(made.len() < 1024);
    assert_eq!(stored().unwrap(), made);
    let account = ClientWitness::Account(Box::new(Registration::another_key().w));
    let receipt = engine.prove_client(&account, &|_| {}).unwrap();
    let tx = tx(&receipt.reply);
    let native = NativeProof::parse(&tx.tail).unwrap();
    let key = VerificationKey::parse(&made).unwrap();
    assert_eq!(native.vks, [key.digest]);
    assert_eq!(verifier(folder.path()).verify_clients(&[tx]), Ok(()));
}
