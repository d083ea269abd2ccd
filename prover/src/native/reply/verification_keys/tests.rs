//! Tests: which verification key a verifier uses, when it reads the key again, and
//! after which failures it neither accepts nor refuses a reply.

use std::fs;

use ark_bn254::{Bn254, Fr};
use ark_ec::AffineRepr;
use ark_groth16::VerifyingKey;
use bytes::Bytes;
use zkwhirl_circuits::{StatementKind, Suite};
use zkwhirl_job::{
    Request, Sizes,
    reply::{NativeForm, NativeProof, SuiteTag},
};
use zkwhirl_keystore::{EmbeddedKeyStore, KeyError, Provenance};

use super::*;
use crate::native::keys::vk_bytes;
use crate::native::{Engine, EngineConfig, NativeVerifier, Setting, self_test_request};

const CLAIM: Circuit = Circuit {
    suite: Suite::Poseidon,
    statement: StatementKind::Claim,
};

/// What a source of keys returns.
#[derive(Debug, Clone)]
enum SourceAnswer {
    Absent,
    Key(Vec<u8>),
    /// The keystore is unreachable.
    Away,
}

use SourceAnswer::{Absent, Away, Key};

/// A source with one changeable answer, and the number of its calls.
#[derive(Debug)]
struct OneKey(Mutex<(SourceAnswer, usize)>);

impl OneKey {
    fn set(&self, answer: SourceAnswer) {
        self.0.lock().unwrap().0 = answer;
    }

    fn asked(&self) -> usize {
        self.0.lock().unwrap().1
    }
}

impl VkSource for OneKey {
    fn vk(&self, circuit: &CircuitIdentity) -> Result<Option<Vec<u8>>, KeyError> {
        assert_eq!(circuit.name, "claim/poseidon");
        let mut state = self.0.lock().unwrap();
        state.1 += 1;
        match &state.0 {
            Absent => Ok(None),
            Key(vk) => Ok(Some(vk.clone())),
            Away => Err(KeyError::Away {
                place: "redis://keys".into(),
                why: "no answer within 5s".into(),
            }),
        }
    }
}

/// A source, and a cache of the source's keys.
fn keys(answer: SourceAnswer) -> (Arc<OneKey>, VerificationKeys) {
    let source = Arc::new(OneKey(Mutex::new((answer, 0))));
    let keys = VerificationKeys::new(Arc::<OneKey>::clone(&source));
    (source, keys)
}

/// The reason of a [`NotVerified::CannotCheck`]; panics on any other result.
#[track_caller]
fn unknown(verified: Result<(), NotVerified>) -> String {
    match verified {
        Err(NotVerified::CannotCheck { reason }) => reason,
        other => panic!("{other:?}"),
    }
}

/// The reason of a [`NotVerified::Refused`]; panics on any other result.
#[track_caller]
fn refused(verified: Result<(), NotVerified>) -> String {
    match verified {
        Err(NotVerified::Refused { reason }) => reason,
        other => panic!("{other:?}"),
    }
}

/// A well-formed key; different numbers give different keys.
fn vk(number: u64) -> Vec<u8> {
    let g2 = ark_bn254::G2Affine::generator();
    let key = VerifyingKey::<Bn254> {
        alpha_g1: (ark_bn254::G1Affine::generator() * Fr::from(number)).into(),
        beta_g2: g2,
        gamma_g2: g2,
        delta_g2: g2,
        gamma_abc_g1: vec![ark_bn254::G1Affine::generator(); 2],
    };
    vk_bytes(&key)
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    *blake3::hash(bytes).as_bytes()
}

/// A proof that names the key with digest `vk` and whose bytes are no points.
fn proof(vk: [u8; 32]) -> ReplyProof {
    ReplyProof {
        name: "claim".to_owned(),
        circuit: CLAIM,
        vk,
        public_input: Fr::from(1u64),
        proof: [0xff; 128],
    }
}

#[test]
fn a_key_is_asked_for_once_and_again_when_a_proof_names_another() {
    let (source, keys) = keys(Absent);
    let [first, second] = [vk(1), vk(2)];
    let key = |named: &[u8]| keys.key(&CLAIM, digest(named));

    let absent = key(&first).unwrap_err();
    assert_eq!(absent.to_string(), "there is no key for claim/poseidon yet");
    source.set(Key(b"not a key".to_vec()));
    key(&first).unwrap_err();
    source.set(Key(first.clone()));
    for _ in 0..3 {
        assert_eq!(key(&first).unwrap().digest, digest(&first));
    }
    assert_eq!(source.asked(), 3);
    let kept = key(&second).unwrap();
    assert_eq!(kept.digest, digest(&first), "the store knows no other");
    assert_eq!(source.asked(), 4);
    source.set(Key(second.clone()));
    assert_eq!(key(&first).unwrap().digest, digest(&first));
    assert_eq!(source.asked(), 4);
    assert_eq!(key(&second).unwrap().digest, digest(&second));
    assert_eq!(key(&second).unwrap().digest, digest(&second));
    assert_eq!(source.asked(), 5);
}

/// Each case: the source's answer, the proof, and the expected reason.
#[test]
fn only_an_absent_or_unreadable_key_leaves_a_proof_unchecked() {
    let [first, second] = [vk(1), vk(2)];
    let verified = |answer| keys(answer).1.verify(&[proof(digest(&first))]);
    for (answer, must) in [
        (Absent, "there is no key for claim/poseidon yet"),
        (
            Key(b"no key".to_vec()),
            "the verification key for claim/poseidon cannot be read",
        ),
        (
            Away,
            "cannot reach the fleet's keys in Redis at redis://keys: no answer",
        ),
    ] {
        let reason = unknown(verified(answer));
        assert!(reason.starts_with(&format!("claim: {must}")), "{reason}");
    }
    let no_points = "the proof is not three points of the curve's groups";
    for (key, must) in [
        (&second, "the proof names verification key"),
        (&first, no_points),
    ] {
        let reason = refused(verified(Key(key.clone())));
        assert!(reason.starts_with(&format!("claim: {must}")), "{reason}");
    }
}

/// A cached key is used only for a proof that names this key: the store may have
/// another key now.
#[test]
fn a_store_that_is_away_decides_nothing_about_another_key() {
    let first = vk(1);
    let (source, keys) = keys(Key(first.clone()));
    let expected = |named: &[u8]| keys.expected(&CLAIM, digest(named)).map(drop);
    assert_eq!(expected(&first), Ok(()));
    for answer in [Away, Absent] {
        source.set(answer);
        assert_eq!(expected(&first), Ok(()));
        unknown(expected(b"another key"));
    }
    source.set(Key(first));
    refused(expected(b"another key"));
}

/// A bad proof is refused even if another proof's key is missing.
#[test]
fn a_bad_proof_is_refused_beside_one_without_a_key() {
    let first = vk(1);
    let (source, keys) = keys(Key(first.clone()));
    keys.expected(&CLAIM, digest(&first)).unwrap();
    source.set(Absent);
    refused(keys.verify(&[proof([7; 32]), proof(digest(&first))]));
}

/// If a key file is removed or damaged, good replies cannot be checked; the same
/// replies are accepted when the file is restored.
#[test]
fn a_reply_outlives_the_loss_of_its_key_file() {
    let folder = tempfile::tempdir().unwrap();
    let store = EmbeddedKeyStore::new(folder.path());
    let setting = Setting::new(Suite::Poseidon, Sizes::new(1, 1).unwrap(), 1 << 16);
    let config = EngineConfig::new(setting.clone(), Provenance::DevSeeded { seed: 5 });
    let mut engine = Engine::new(config, store.clone());
    let request = Request::parse(&self_test_request(Suite::Poseidon)).unwrap();
    let reply = engine.prove(&request, &|_| {}).unwrap().reply;
    let path = store.path(&identity(&CLAIM, &CLAIM.matrices()));
    let good = fs::read(&path).unwrap();
    let verify =
        |reply: &Bytes| NativeVerifier::new(setting.clone(), store.clone()).verify(&request, reply);
    let unknown = || unknown(verify(&reply));
    assert_eq!(verify(&reply), Ok(()));
    fs::remove_file(&path).unwrap();
    assert_eq!(unknown(), "claim: there is no key for claim/poseidon yet");
    fs::write(&path, &good[..good.len() / 2]).unwrap();
    assert!(unknown().contains("is damaged: it is cut off"));
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(unknown().starts_with("claim: cannot"));
    fs::remove_dir(&path).unwrap();

    // What is wrong with the reply itself needs no key.
    let refused = |reply: Bytes, must: &str| {
        let reason = refused(verify(&reply));
        assert!(reason.contains(must), "{reason}");
    };
    refused(reply.slice(..100), "the reply has 100 bytes");
    refused(reply.slice(..reply.len() - 1), "native proof");
    let mut changed = reply.to_vec();
    changed[31] ^= 1;
    refused(changed.into(), "published field 0 is");
    fs::write(&path, good).unwrap();
    assert_eq!(verify(&reply), Ok(()));
    let tail = NativeProof::parse(&reply[16 * 32..]).unwrap();
    assert_eq!(tail.suite, SuiteTag::Poseidon);
    assert_eq!(tail.form, NativeForm::Single);
    let with = |change: &dyn Fn(&mut NativeProof)| {
        let mut tail = tail.clone();
        change(&mut tail);
        [&reply[..16 * 32], &tail.to_bytes()].concat().into()
    };
    let foreign = with(&|tail| tail.vks[0] = [9; 32]);
    refused(foreign, "claim: the proof names verification key 0909");
    let wrong = with(&|tail| tail.proofs[0].copy_within(96.., 0));
    refused(wrong, "claim: the proof");
}
