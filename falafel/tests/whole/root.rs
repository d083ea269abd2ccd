//! The world's root rollups are true statements, and they publish what the
//! world expects.

use bytes::Bytes;
use zkwhirl_circuits::{
    Suite,
    claim::{self, ClaimWitness},
    root_rollup::{self, RootRollupWitness, RootSize},
};
use zkwhirl_falafel::users::{MockProofs, TxPool, TxReceiver};
use zkwhirl_falafel::world::{BroadcastMismatch, Draft, RootJob, World};
use zkwhirl_job::{Kind, Request, Sizes, Word, reply::ReplyShape, request::ClaimRequest};

/// A reply that consists of these fields and of bytes that prove nothing.
fn reply(published: &[Word]) -> Bytes {
    let bytes: Vec<u8> = published.iter().flat_map(|word| word.0).collect();
    [&bytes[..], b"proof"].concat().into()
}

/// Makes one rollup up to its root; returns also the claims' requests and the inner replies.
fn rollup(world: &World, sizes: Sizes, txs: usize) -> (Draft, Vec<ClaimRequest>, Vec<Bytes>) {
    let mut draft = world.begin(sizes);
    let claims = draft.claims(16);
    let replies: Vec<Bytes> = claims.iter().map(|job| reply(&job.published)).collect();
    let door = TxReceiver {
        proofs: &MockProofs,
        keys: None,
        pool: &TxPool::default(),
    };
    let inners = draft.inners(txs, &replies, &door).unwrap();
    let shape = ReplyShape::of(Kind::TxRollup, sizes);
    let inners = inners.iter().map(|job| {
        // A root rollup's request requires the reply's full length.
        let mut bytes = reply(&job.published).to_vec();
        bytes.resize(shape.bytes.unwrap(), 0);
        bytes.into()
    });
    let claims = claims.into_iter().map(|job| job.request);
    (draft, claims.collect(), inners.collect())
}

/// Several rollups, so that interactions are carried into the defi tree and
/// claimed: full rollups, one with a partly filled inner rollup, and one with a
/// single inner rollup. Each rollup has an empty inner place.
#[test]
fn root_rollups_are_true_and_broadcast_what_the_world_says() {
    let sizes = Sizes::new(3, 3).unwrap();
    let size = RootSize {
        inners: 3,
        slots: 4,
    };
    for (suite, rollups) in [
        (Suite::Poseidon, &[9, 9, 4, 1][..]),
        (Suite::Pedersen, &[9]),
    ] {
        let mut world = World::genesis(suite, 1, 9);
        let mut carried = 0;
        for txs in rollups {
            let (draft, claims, inners) = rollup(&world, sizes, *txs);
            let RootJob { request, broadcast } = draft.root(&inners).unwrap();
            let witness = RootRollupWitness::new(&request, size).unwrap();
            let checked = root_rollup::check(suite, size, &witness).unwrap();
            let words = checked.words().into_iter().map(Word);
            assert_eq!(broadcast.words(), words.collect::<Vec<_>>());
            let parsed = Request::RootRollup(Box::new(request.clone()));
            assert_eq!(Request::parse(&parsed.to_bytes()), Ok(parsed.clone()));
            assert_eq!(parsed.validate(sizes), Ok(()));
            assert_eq!(request.inner_proofs, inners);
            assert_eq!(request.bridge_call_datas.len(), 32);
            // Claims belong to interactions that this rollup or an earlier one
            // carried, and use the defi root after this rollup.
            carried += request.defi_interaction_notes.len();
            for claim in &claims {
                assert_eq!(claim.defi_root, request.new_defi_root);
                claim::check(suite, &ClaimWitness::new(claim).unwrap()).unwrap();
            }
            world = draft.settle();
        }
        // Those of the genesis, and at least one of each later rollup but one:
        // in one rollup no user may be able to deposit.
        assert!(carried >= 7 + rollups.len().saturating_sub(2), "{carried}");
    }
}

/// Interactions succeed and fail, with one and with two outputs; their deposits
/// become claims of the next pipeline, and the claims are true.
#[test]
fn what_bridges_return_is_claimed_in_the_next_pipeline() {
    let (suite, sizes) = (Suite::Poseidon, Sizes::new(4, 4).unwrap());
    let mut world = World::genesis(suite, 11, 0);
    let (mut failed, mut two, mut one) = (0, 0, 0);
    for _ in 0..8 {
        let (draft, claims, inners) = rollup(&world, sizes, 16);
        let request = draft.root(&inners).unwrap().request;
        for note in &request.defi_interaction_notes {
            let second = note.total_output_value_b != Word::ZERO;
            failed += usize::from(!note.result);
            two += usize::from(note.result && second);
            one += usize::from(note.result && !second);
            let deposits = claims.iter().filter(|claim| claim.defi_note == *note);
            let claimed: u64 = deposits
                .map(|claim| claim.claim_note.deposit_value.to_u64().unwrap())
                .sum();
            assert_eq!(Word::from(claimed), note.total_input_value);
        }
        for claim in claims {
            claim::check(suite, &ClaimWitness::new(&claim).unwrap()).unwrap();
            let bytes = Request::Claim(Box::new(claim)).to_bytes();
            assert_eq!(bytes.len(), 4413);
        }
        world = draft.settle();
    }
    assert!(failed > 0 && two > 0 && one > 0, "{failed} {two} {one}");
}

/// Each word of the header, and each word of a slot, is checked and has a name.
#[test]
fn every_wrong_word_is_refused_by_its_name() {
    let sizes = Sizes::new(2, 2).unwrap();
    let (draft, _, inners) = rollup(&World::genesis(Suite::Poseidon, 2, 3), sizes, 4);
    let broadcast = draft.root(&inners).unwrap().broadcast;
    let buffer = reply(broadcast.words());
    assert_eq!(broadcast.check(&buffer).unwrap(), "proof");
    let mut names = std::collections::BTreeSet::new();
    for (place, word) in broadcast.words().iter().enumerate() {
        let mut lie = buffer.to_vec();
        lie[32 * place + 31] ^= 1;
        let error = broadcast.check(&lie.into()).unwrap_err();
        let BroadcastMismatch::Word { name, must, .. } = &error else {
            panic!("{error}");
        };
        assert_eq!((must, *name == broadcast.name(place)), (word, true));
        assert!(names.insert(name.clone()), "{name} twice");
    }
    assert_eq!(names.len(), 142 + 8 * 4);
    for (place, name) in [
        (0, "rollup id"),
        (10, "new defi root"),
        (11, "bridge call data 0"),
        (42, "bridge call data 31"),
        (43, "deposit sum 0"),
        (75, "asset id 0"),
        (106, "total fee 15"),
        (107, "defi interaction note 0"),
        (139, "previous defi interaction hash"),
        (140, "rollup beneficiary"),
        (141, "number of inner proofs"),
        (142, "proof id of slot 0 of inner rollup 0"),
        (173, "public asset id of slot 1 of inner rollup 1"),
    ] {
        assert_eq!(broadcast.name(place), name);
    }
    let whole = 32 * broadcast.words().len();
    for length in [0, whole - 1, whole] {
        let error = broadcast.check(&buffer.slice(..length)).unwrap_err();
        let must = whole;
        assert_eq!(error, BroadcastMismatch::Length { got: length, must });
    }
}
