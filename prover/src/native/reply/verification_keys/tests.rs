//! Which verification key a verifier uses, and when it asks for one.

use ark_bn254::{Bn254, Fr};
use ark_ec::AffineRepr;
use ark_groth16::VerifyingKey;
use ark_serialize::CanonicalSerialize;
use zkwhirl_circuits::{StatementKind, Suite};
use zkwhirl_keystore::{
    ClientCircuit, Generate, Generated, KeyError, KeyFile, KeyStore, Provenance, Watch,
};

use super::*;

/// A store that knows one verification key, which can change.
#[derive(Debug, Default)]
struct OneKey(Mutex<(Option<Vec<u8>>, usize)>);

impl OneKey {
    fn set(&self, vk: &[u8]) {
        self.0.lock().unwrap().0 = Some(vk.to_vec());
    }

    fn asked(&self) -> usize {
        self.0.lock().unwrap().1
    }
}

impl KeyStore for OneKey {
    fn find(&self, _: &CircuitIdentity) -> Result<Option<KeyFile>, KeyError> {
        panic!("a verifier needs no proving key")
    }

    fn find_or_generate(
        &self,
        _: &CircuitIdentity,
        _: &Provenance,
        _: &mut Generate<'_>,
        _: &Watch<'_>,
    ) -> Result<Generated, KeyError> {
        panic!("a verifier makes no key")
    }

    fn verification_key(&self, circuit: &CircuitIdentity) -> Result<Option<Vec<u8>>, KeyError> {
        assert_eq!(circuit.name, "claim/poseidon");
        let mut state = self.0.lock().unwrap();
        state.1 += 1;
        Ok(state.0.clone())
    }

    fn import_client_vk(&self, _: &ClientCircuit, _: &[u8]) -> Result<(), KeyError> {
        panic!("a verifier knows no clients")
    }

    fn client_vk(&self, _: &ClientCircuit) -> Result<Option<Vec<u8>>, KeyError> {
        panic!("a verifier knows no clients")
    }
}

/// A key that could be one; different numbers give different ones.
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

#[test]
fn a_key_is_asked_for_once_and_again_when_a_proof_names_another() {
    let store = Arc::new(OneKey::default());
    let keys: Arc<dyn KeyStore> = Arc::<OneKey>::clone(&store);
    let keys = VerificationKeys::new(Arc::new(keys));
    let circuit = Circuit {
        suite: Suite::Poseidon,
        statement: StatementKind::Claim,
    };
    let [first, second] = [vk(1), vk(2)];
    let digest = |bytes: &[u8]| *blake3::hash(bytes).as_bytes();
    let key = |named: &[u8]| keys.key(&circuit, digest(named));

    assert_eq!(
        key(&first).unwrap_err(),
        "there is no key for claim/poseidon yet"
    );
    store.set(b"not a key");
    let unreadable = key(&first).unwrap_err();
    assert!(
        unreadable.starts_with("the verification key for claim/poseidon cannot be read"),
        "{unreadable}"
    );
    store.set(&first);
    for _ in 0..3 {
        assert_eq!(key(&first).unwrap().digest, digest(&first));
    }
    assert_eq!(store.asked(), 3);
    let kept = key(&second).unwrap();
    assert_eq!(kept.digest, digest(&first), "the store knows no other");
    assert_eq!(store.asked(), 4);
    store.set(&second);
    assert_eq!(key(&first).unwrap().digest, digest(&first));
    assert_eq!(store.asked(), 4);
    assert_eq!(key(&second).unwrap().digest, digest(&second));
    assert_eq!(key(&second).unwrap().digest, digest(&second));
    assert_eq!(store.asked(), 5);
}
