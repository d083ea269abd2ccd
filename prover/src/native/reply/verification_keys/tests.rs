//! Which verification key a verifier uses, when it asks for one, and which
//! failures say nothing about the reply.

use std::{fs, io, path::Path};

use ark_bn254::{Bn254, Fr};
use ark_ec::AffineRepr;
use ark_groth16::VerifyingKey;
use ark_serialize::CanonicalSerialize;
use zkwhirl_circuits::{StatementKind, Suite};
use zkwhirl_job::{
    Request, Sizes,
    reply::{NativeForm, NativeProof, SuiteTag},
};
use zkwhirl_keystore::{EmbeddedKeyStore, KeyError, Provenance, VkFile, VkFolder};

use super::*;
use crate::native::{Engine, EngineConfig, NativeVerifier, Setting, self_test_request};

const CLAIM: Circuit = Circuit {
    suite: Suite::Poseidon,
    statement: StatementKind::Claim,
};

/// The answer of a source.
#[derive(Debug, Clone)]
enum Answer {
    Absent,
    Key(Vec<u8>),
    /// The store cannot be reached.
    Away,
}

/// A source with one answer, which can change.
#[derive(Debug)]
struct OneKey(Mutex<(Answer, usize)>);

impl OneKey {
    fn new(answer: Answer) -> Arc<Self> {
        Arc::new(Self(Mutex::new((answer, 0))))
    }

    fn set(&self, answer: Answer) {
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
            Answer::Absent => Ok(None),
            Answer::Key(vk) => Ok(Some(vk.clone())),
            Answer::Away => Err(KeyError::Away {
                place: "redis://keys".into(),
                why: "no answer within 5s".into(),
            }),
        }
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
    let mut bytes = Vec::new();
    key.serialize_compressed(&mut bytes).unwrap();
    bytes
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    *blake3::hash(bytes).as_bytes()
}

/// A proof that names the key with digest `vk`. Its bytes are no points.
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
    let source = OneKey::new(Answer::Absent);
    let keys = VerificationKeys::new(Arc::<OneKey>::clone(&source));
    let [first, second] = [vk(1), vk(2)];
    let key = |named: &[u8]| keys.key(&CLAIM, digest(named));

    let absent = key(&first).unwrap_err();
    assert_eq!(absent.to_string(), "there is no key for claim/poseidon yet");
    source.set(Answer::Key(b"not a key".to_vec()));
    key(&first).unwrap_err();
    source.set(Answer::Key(first.clone()));
    for _ in 0..3 {
        assert_eq!(key(&first).unwrap().digest, digest(&first));
    }
    assert_eq!(source.asked(), 3);
    let kept = key(&second).unwrap();
    assert_eq!(kept.digest, digest(&first), "the store knows no other");
    assert_eq!(source.asked(), 4);
    source.set(Answer::Key(second.clone()));
    assert_eq!(key(&first).unwrap().digest, digest(&first));
    assert_eq!(source.asked(), 4);
    assert_eq!(key(&second).unwrap().digest, digest(&second));
    assert_eq!(key(&second).unwrap().digest, digest(&second));
    assert_eq!(source.asked(), 5);
}

/// What the source has, the proof that is checked, and the reason.
#[test]
fn only_an_absent_or_unreadable_key_leaves_a_proof_unchecked() {
    let [first, second] = [vk(1), vk(2)];
    let has = |bytes: &[u8]| Answer::Key(bytes.to_vec());
    let cases = [
        (
            Answer::Absent,
            true,
            "claim: there is no key for claim/poseidon yet",
        ),
        (
            has(b"no key"),
            true,
            "claim: the verification key for claim/poseidon cannot be read",
        ),
        (
            Answer::Away,
            true,
            "claim: cannot reach the fleet's keys at redis://keys: no answer",
        ),
        (
            has(&second),
            false,
            "claim: the proof names verification key",
        ),
        (
            has(&first),
            false,
            "claim: the proof is not three points of the curve's groups",
        ),
    ];
    for (answer, unknown, must) in cases {
        let keys = VerificationKeys::new(OneKey::new(answer));
        let error = keys.verify(&[proof(digest(&first))]).unwrap_err();
        let cannot_check = matches!(error, NotVerified::CannotCheck { .. });
        assert_eq!(cannot_check, unknown, "{error}");
        assert!(error.to_string().starts_with(must), "{error}");
    }
}

/// A kept key decides while the proof names it, and only then: the store may
/// have another key by now.
#[test]
fn a_store_that_is_away_decides_nothing_about_another_key() {
    let first = vk(1);
    let source = OneKey::new(Answer::Key(first.clone()));
    let keys = VerificationKeys::new(Arc::<OneKey>::clone(&source));
    let expected = |named: &[u8]| keys.expected(&CLAIM, digest(named)).map(drop);
    assert_eq!(expected(&first), Ok(()));
    for answer in [Answer::Away, Answer::Absent] {
        source.set(answer);
        assert_eq!(expected(&first), Ok(()));
        let unknown = expected(b"another key").unwrap_err();
        assert!(
            matches!(unknown, NotVerified::CannotCheck { .. }),
            "{unknown}"
        );
    }
    source.set(Answer::Key(first));
    let refused = expected(b"another key").unwrap_err();
    assert!(matches!(refused, NotVerified::Refused { .. }), "{refused}");
}

/// Later keys make no bad proof good, so a bad proof is refused at once.
#[test]
fn a_bad_proof_is_refused_beside_one_without_a_key() {
    let first = vk(1);
    let source = OneKey::new(Answer::Key(first.clone()));
    let keys = VerificationKeys::new(Arc::<OneKey>::clone(&source));
    keys.expected(&CLAIM, digest(&first)).unwrap();
    source.set(Answer::Absent);
    let (bad, unknown) = (proof(digest(&first)), proof([7; 32]));
    let refused = keys.verify(&[unknown, bad]).unwrap_err();
    assert!(matches!(refused, NotVerified::Refused { .. }), "{refused}");
}

/// An engine with keys in `folder`, and its reply to a claim.
fn proved(folder: &Path, setting: &Setting) -> (Request, bytes::Bytes) {
    let config = EngineConfig::new(setting.clone(), Provenance::DevSeeded { seed: 5 });
    let mut engine = Engine::new(config, EmbeddedKeyStore::new(folder));
    let request = Request::parse(&self_test_request(Suite::Poseidon)).unwrap();
    let reply = engine.prove(&request, &|_| {}).unwrap().reply;
    (request, reply)
}

/// The file of the only key in `folder`.
fn key_file(folder: &Path) -> std::path::PathBuf {
    let keys = EmbeddedKeyStore::new(folder).list().unwrap();
    keys[0].as_ref().unwrap().path().to_owned()
}

/// A key file that goes away, or is damaged, after a process mapped it leaves
/// good replies unchecked; the same replies are accepted once it is back.
#[test]
fn a_reply_outlives_the_loss_of_its_key_file() {
    let folder = tempfile::tempdir().unwrap();
    let setting = Setting::new(Suite::Poseidon, Sizes::new(1, 1).unwrap(), 1 << 16);
    let (request, reply) = proved(folder.path(), &setting);
    let path = key_file(folder.path());
    let good = fs::read(&path).unwrap();
    let verify = |reply: &bytes::Bytes| {
        let store = EmbeddedKeyStore::new(folder.path());
        NativeVerifier::new(setting.clone(), store).verify(&request, reply)
    };
    let unknown = || {
        let error = verify(&reply).unwrap_err();
        assert!(matches!(error, NotVerified::CannotCheck { .. }), "{error}");
        error.to_string()
    };
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
    let refused = |reply: bytes::Bytes, must: &str| {
        let error = verify(&reply).unwrap_err();
        assert!(matches!(error, NotVerified::Refused { .. }), "{error}");
        assert!(error.to_string().contains(must), "{error}");
    };
    refused(reply.slice(..100), "the reply has 100 bytes");
    refused(reply.slice(..reply.len() - 1), "native proof");
    let mut changed = reply.to_vec();
    changed[31] ^= 1;
    refused(changed.into(), "published field 0 is");
    fs::write(&path, good).unwrap();
    assert_eq!(verify(&reply), Ok(()));
    let tail = NativeProof::parse(&reply[16 * 32..]).unwrap();
    assert_eq!(
        (tail.suite, tail.form),
        (SuiteTag::Poseidon, NativeForm::Single)
    );
    let with = |tail: &NativeProof| [&reply[..16 * 32], &tail.to_bytes()].concat().into();
    let mut foreign = tail.clone();
    foreign.vks[0] = [9; 32];
    refused(
        with(&foreign),
        "claim: the proof names verification key 0909",
    );
    let mut wrong = tail;
    wrong.proofs[0][..32].copy_from_slice(&reply[reply.len() - 32..]);
    refused(with(&wrong), "claim: the proof");
}

/// A folder of verification keys alone: absent, unreadable, of other
/// constraints.
#[test]
fn a_folder_of_verification_keys_that_cannot_be_read_decides_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let keys = VkFolder::new(folder.path());
    let own = identity(&CLAIM, &CLAIM.matrices());
    let verify = || {
        let keys = VerificationKeys::new(Arc::new(keys.clone()));
        let error = keys.verify(&[proof(digest(&vk(1)))]).unwrap_err();
        assert!(matches!(error, NotVerified::CannotCheck { .. }), "{error}");
        error.to_string()
    };
    assert!(verify().contains("there is no key"));
    let file = VkFile {
        circuit: CircuitIdentity {
            matrices: "ab".repeat(32),
            ..own.clone()
        },
        provenance: Provenance::SingleParty,
        vk: vk(1),
    };
    let path = keys.put(&file).unwrap();
    assert!(verify().contains("belongs to another circuit than claim/poseidon"));
    fs::write(&path, "{").unwrap();
    assert!(verify().contains("is damaged"));
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_eq!(
        fs::read(&path).unwrap_err().kind(),
        io::ErrorKind::IsADirectory
    );
    assert!(verify().contains("cannot read"));
}
