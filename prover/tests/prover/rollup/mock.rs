//! Tests of the mock prover's rollups: the original's layout and lengths, and true
//! words, but no proof.

use std::time::Duration;

use bytes::Bytes;
use zkwhirl_circuits::Suite;
use zkwhirl_falafel::{
    users::{MockProofs, TxPool, TxReceiver},
    world::World,
};
use zkwhirl_job::{
    Kind, Request, Sizes, Word,
    reply::{ReplyShape, broadcast_bytes, fields},
};
use zkwhirl_prover::Proverless;

use super::proved::{LIMIT, SUITE, keyless, refusal, verification};
use crate::vector;

/// The requests of a root rollup and of its root verifier, each with the mock's
/// reply, and the words with which both replies must start.
struct MockRollup {
    root: (Request, Bytes),
    verification: (Request, Bytes),
    broadcast: Vec<Word>,
}

/// Makes inner rollups with `txs` txs in all, then the root rollup and its verifier.
fn roll_up(sizes: Sizes, txs: usize) -> MockRollup {
    let mock = Proverless::new(SUITE, sizes, Duration::ZERO);
    let answered = |request: Request| {
        let reply = mock.reply(&request).unwrap();
        assert_eq!(mock.check(&request, &reply), Ok(()));
        let mut other = reply.to_vec();
        other[33] ^= 1;
        assert!(mock.check(&request, &other.into()).is_err());
        (request, reply)
    };
    let mut draft = World::genesis(SUITE, 3, 0).begin(sizes);
    let door = TxReceiver {
        proofs: &MockProofs,
        keys: None,
        pool: &TxPool::default(),
    };
    let inners = draft.inners(txs, &[], &door).unwrap().into_iter();
    let replies: Vec<Bytes> = inners
        .map(|job| answered(Request::TxRollup(Box::new(job.request))).1)
        .collect();
    let job = draft.root(&replies).unwrap();
    let root = answered(Request::RootRollup(Box::new(job.request)));
    MockRollup {
        verification: answered(verification(&root.1)),
        root,
        broadcast: job.broadcast.words().to_vec(),
    }
}

#[test]
fn mock_replies_have_the_originals_lengths_and_the_true_words() {
    for (txs, inners, count, bytes) in [
        (1, 1, 1, [6848, 6112]),
        (3, 5, 7, [14_784, 14_048]),
        (28, 32, 33, [268_736, 268_000]),
    ] {
        let sizes = Sizes::new(txs, inners).unwrap();
        let rollup = roll_up(sizes, count);
        let replies = [rollup.root.1, rollup.verification.1];
        assert_eq!(replies.each_ref().map(Bytes::len), bytes, "{sizes}");
        let shape = ReplyShape::of(Kind::RootRollup, sizes);
        assert_eq!(shape.check(Kind::RootRollup, &replies[0]), Ok(()));
        for reply in replies {
            assert_eq!(fields(&reply, shape.fields).unwrap(), rollup.broadcast);
        }
    }
}

#[test]
fn mock_replies_are_marked_as_no_proofs_and_no_verifier_takes_them() {
    let sizes = Sizes::new(1, 1).unwrap();
    let rollup = roll_up(sizes, 1);
    let verifier = keyless(SUITE, sizes, LIMIT);
    for (request, reply) in [rollup.root, rollup.verification] {
        let proof = &reply[32 * (142 + 8)..];
        assert!(proof.starts_with(b"zkwhirl proverless: this is not a proof. "));
        let error = refusal(verifier.verify(&request, &reply));
        assert!(
            error.contains("no native proof follows") || error.starts_with("the reply differs"),
            "{error}"
        );
        assert!(verifier.verify_rollup(&reply).is_err());
    }
}

/// For a whole rollup, the original's mock and zkWhirl's mock differ only in the
/// bytes in place of a proof.
#[test]
fn whole_rollups_have_the_originals_broadcast_data_and_length() {
    for (name, root, verifier, size) in [
        ("valid_1x1", "1_root_rollup", "2_root_verifier", 1),
        ("valid_2x2", "2_root_rollup", "3_root_verifier", 2),
    ] {
        let sizes = Sizes::new(size, size).unwrap();
        let mock = Proverless::new(Suite::Pedersen, sizes, Duration::ZERO);
        for job in [root, verifier] {
            let request = vector(&format!("{name}_{job}_request"));
            let original = vector(&format!("{name}_{job}_reply"));
            let request = Request::parse(&request).unwrap();
            let reply = mock.reply(&request).unwrap();
            let broadcast = broadcast_bytes(sizes);
            assert_eq!(reply[..broadcast], original[..broadcast], "{name} {job}");
            assert_eq!(reply.len(), original.len(), "{name} {job}");
            mock.check(&request, &reply).unwrap();
            mock.check(&request, &original).unwrap_err();
        }
    }
}

#[test]
fn a_final_buffer_is_the_mocks_only_with_its_mark() {
    let sizes = Sizes::new(2, 2).unwrap();
    let mock = Proverless::new(Suite::Pedersen, sizes, Duration::ZERO);
    let request = Request::parse(&vector("valid_2x2_3_root_verifier_request")).unwrap();
    let buffer = mock.reply(&request).unwrap();
    mock.check_final(&buffer).unwrap();
    let refused = |buffer: Bytes, why: &str| {
        let error = refusal(mock.check_final(&buffer));
        assert!(error.contains(why), "{error}");
    };
    refused(vector("valid_2x2_3_root_verifier_reply"), "not the mock's");
    refused(buffer.slice(..buffer.len() - 1), "must have");
    let mut forged = buffer.to_vec();
    *forged.last_mut().unwrap() ^= 1;
    refused(forged.into(), "not the mock's");
}
