//! Rollups of the mock: the original's layout and lengths, true words, and no
//! proof.

use std::time::Duration;

use bytes::Bytes;
use zkwhirl_circuits::Suite;
use zkwhirl_job::{
    Kind, Request, Sizes, Word,
    reply::{ReplyShape, fields},
};
use zkwhirl_keystore::EmbeddedKeyStore;
use zkwhirl_prover::{Proverless, native::NativeVerifier};

use crate::{stage::Stage, world::World};

/// Inner rollups of some payments each, then the root rollup and its verifier.
fn roll_up(sizes: Sizes, payments: &[usize]) -> (Request, Bytes, Request, Bytes) {
    let mock = Proverless::new(Suite::Poseidon, sizes, Duration::ZERO);
    let mut world = World::new(Suite::Poseidon, sizes);
    let mut inners = Vec::new();
    for count in payments {
        let txs = (0..*count).map(|_| world.send()).collect();
        inners.push(mock.reply(&world.inner(txs)).unwrap());
    }
    let root = Request::RootRollup(Box::new(world.root(inners)));
    let root_reply = mock.reply(&root).unwrap();
    let verification = Stage::verification(&root_reply);
    let last = mock.reply(&verification).unwrap();
    for (request, reply) in [(&root, &root_reply), (&verification, &last)] {
        assert_eq!(mock.check(request, reply), Ok(()));
        let mut other = reply.to_vec();
        other[33] ^= 1;
        assert!(mock.check(request, &other.into()).is_err());
    }
    (root, root_reply, verification, last)
}

#[test]
fn mock_replies_have_the_originals_lengths_and_the_true_words() {
    for (txs, inners, payments, bytes) in [
        (1, 1, &[1][..], [6848, 6112]),
        (3, 5, &[3, 3, 1], [14_784, 14_048]),
        (28, 32, &[28, 5], [268_736, 268_000]),
    ] {
        let sizes = Sizes::new(txs, inners).unwrap();
        let (root, reply, _, last) = roll_up(sizes, payments);
        assert_eq!([reply.len(), last.len()], bytes, "{sizes}");
        let shape = ReplyShape::of(Kind::RootRollup, sizes);
        assert_eq!(shape.check(Kind::RootRollup, &reply), Ok(()));
        let words = fields(&reply, shape.fields).unwrap();
        assert_eq!(fields(&last, shape.fields).unwrap(), words);
        assert_eq!(words[1], Word::from(u64::from(sizes.rollup_slots())));
        let fees: usize = payments.iter().sum();
        assert_eq!(words[91], Word::from(3 * fees as u64));
        let slots = u64::from(sizes.rollup_slots() / sizes.slots());
        assert_eq!(words[141], Word::from(slots));
        let sends = words[142..].chunks(8).filter(|tx| tx[0] == Word::from(3));
        assert_eq!(sends.count(), fees);
        let Request::RootRollup(request) = root else {
            panic!("it is a root rollup");
        };
        let [old, new] = [request.old_data_roots_root, request.new_data_roots_root];
        assert_eq!(words[7..9], [old, new]);
    }
}

#[test]
fn mock_replies_are_marked_as_no_proofs_and_no_verifier_takes_them() {
    let sizes = Sizes::new(1, 1).unwrap();
    let (root, reply, verification, last) = roll_up(sizes, &[1]);
    let verifier = NativeVerifier::new(Suite::Poseidon, sizes, EmbeddedKeyStore::new("k".as_ref()));
    for (request, reply) in [(root, reply), (verification, last)] {
        let proof = &reply[32 * (142 + 8)..];
        assert!(proof.starts_with(b"zkwhirl proverless: this is not a proof. "));
        let error = verifier.verify(&request, &reply).unwrap_err();
        assert!(
            error.starts_with("no native proof follows") || error.starts_with("the reply differs"),
            "{error}"
        );
        assert!(verifier.verify_rollup(&reply).is_err());
    }
}
