//! What the world says of a root rollup is what follows from the request that
//! it makes, as the original says it.

use bytes::Bytes;
use zkwhirl_circuits::{
    Suite, field, statement,
    tree::{fold, siblings, subtree_root},
};
use zkwhirl_falafel::world::{BroadcastError, Draft, RootJob, World};
use zkwhirl_job::{
    Request, Sizes, Word,
    reply::fields,
    request::{ClaimRequest, MerklePath},
};

use crate::worker::broadcast::broadcast as calculated;

/// A reply with these fields and nothing that proves them.
fn reply(published: &[Word]) -> Bytes {
    let bytes: Vec<u8> = published.iter().flat_map(|word| word.0).collect();
    [&bytes[..], b"proof"].concat().into()
}

/// One rollup up to its root, with the claims' requests and the inner replies.
fn rollup(world: &World, sizes: Sizes) -> (Draft, Vec<ClaimRequest>, Vec<Bytes>) {
    let mut draft = world.begin(sizes);
    let claims = draft.claims(16);
    let replies: Vec<Bytes> = claims.iter().map(|job| reply(&job.published)).collect();
    let capacity = sizes.txs_per_inner() * sizes.inners_per_root();
    let inners = draft.inners(capacity as usize, &replies);
    let inners = inners.iter().map(|job| reply(&job.published));
    let inners = inners.collect();
    let claims = claims.into_iter().map(|job| job.request).collect();
    (draft, claims, inners)
}

fn vector(name: &str) -> Bytes {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors/");
    std::fs::read(format!("{folder}{name}.bin")).unwrap().into()
}

#[test]
fn the_calculator_agrees_with_the_originals_replies() {
    for (name, sizes) in [("valid_1x1_1", (1, 1)), ("valid_2x2_2", (2, 2))] {
        let sizes = Sizes::new(sizes.0, sizes.1).unwrap();
        let request = vector(&format!("{name}_root_rollup_request"));
        let Ok(Request::RootRollup(request)) = Request::parse(&request) else {
            panic!("a root rollup");
        };
        let words = calculated(Suite::Pedersen, sizes, &request);
        let original = vector(&format!("{name}_root_rollup_reply"));
        assert_eq!(fields(&original, words.len()).unwrap(), words, "{name}");
    }
}

/// Three rollups, so that each kind of interaction is carried into the defi
/// tree and claimed; the sizes leave slots and a whole inner rollup empty.
#[test]
fn the_broadcast_data_follows_from_the_request_in_both_suites() {
    let sizes = Sizes::new(3, 3).unwrap();
    for (suite, rollups) in [(Suite::Poseidon, 3), (Suite::Pedersen, 1)] {
        let mut world = World::genesis(suite, 1, 9);
        for _ in 0..rollups {
            let (draft, claims, inners) = rollup(&world, sizes);
            let RootJob { request, broadcast } = draft.root(&inners).unwrap();
            assert_eq!(broadcast.words(), calculated(suite, sizes, &request));
            let parsed = Request::RootRollup(Box::new(request.clone()));
            assert_eq!(Request::parse(&parsed.to_bytes()), Ok(parsed.clone()));
            assert_eq!(parsed.validate(sizes), Ok(()));
            assert_eq!(request.inner_proofs, inners);
            assert_eq!(request.bridge_call_datas.len(), 32);
            // Claims are of interactions that this rollup or an earlier one
            // carried, against the defi root after it.
            assert!(!request.defi_interaction_notes.is_empty());
            for claim in &claims {
                assert_eq!(claim.defi_root, request.new_defi_root);
                statement::claim(suite, claim).unwrap();
            }
            world = draft.settle();
        }
    }
}

/// The two trees that a root rollup extends, folded from the request's paths.
#[test]
fn the_paths_of_the_request_lead_to_its_roots() {
    let (suite, sizes) = (Suite::Poseidon, Sizes::new(2, 2).unwrap());
    let mut world = World::genesis(suite, 4, 5);
    for rollup_id in 1..=3u32 {
        let (draft, _, inners) = rollup(&world, sizes);
        let RootJob { request, broadcast } = draft.root(&inners).unwrap();
        assert_eq!(request.rollup_id, rollup_id);
        let root = |path: &MerklePath, leaf, index: u32, from| {
            let element = |word: &Word| field::from_word(&word.0).unwrap();
            let pairs: Vec<_> = path
                .0
                .iter()
                .map(|(l, r)| (element(l), element(r)))
                .collect();
            let index = u64::from(index).into();
            let folded = fold(suite, leaf, &siblings(&pairs, index), index, from);
            Word(field::to_word(&folded))
        };
        let element = |place: usize| field::from_word(&broadcast.words()[place].0).unwrap();
        let path = &request.old_data_roots_path;
        let zero = suite.empty_root(0);
        assert_eq!(
            root(path, zero, rollup_id + 1, 0),
            request.old_data_roots_root
        );
        let new_data_root = element(4);
        assert_eq!(
            root(path, new_data_root, rollup_id + 1, 0),
            request.new_data_roots_root
        );
        let path = &request.old_defi_path;
        let empty = suite.empty_root(5);
        assert_eq!(root(path, empty, 32 * rollup_id, 5), request.old_defi_root);
        let notes: Vec<_> = (107..139).map(element).collect();
        let carried = subtree_root(suite, &notes);
        assert_eq!(
            root(path, carried, 32 * rollup_id, 5),
            request.new_defi_root
        );
        world = draft.settle();
    }
}

/// Interactions succeed and fail, with one output and with two; the deposits
/// of each become claims of the next pipeline, and they are true.
#[test]
fn what_bridges_return_is_claimed_in_the_next_pipeline() {
    let (suite, sizes) = (Suite::Poseidon, Sizes::new(4, 4).unwrap());
    let mut world = World::genesis(suite, 11, 0);
    let (mut failed, mut two, mut one) = (0, 0, 0);
    for _ in 0..8 {
        let (draft, claims, inners) = rollup(&world, sizes);
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
        claims.iter().for_each(|claim| {
            statement::claim(suite, claim).unwrap();
            let bytes = Request::Claim(Box::new(claim.clone())).to_bytes();
            assert_eq!(bytes.len(), 4413);
        });
        world = draft.settle();
    }
    assert!(failed > 0 && two > 0 && one > 0, "{failed} {two} {one}");
}

/// Each word of the header, and each of a slot's, is checked and has a name.
#[test]
fn every_wrong_word_is_refused_by_its_name() {
    let sizes = Sizes::new(2, 2).unwrap();
    let (draft, _, inners) = rollup(&World::genesis(Suite::Poseidon, 2, 3), sizes);
    let broadcast = draft.root(&inners).unwrap().broadcast;
    let buffer = reply(broadcast.words());
    assert_eq!(broadcast.check(&buffer).unwrap(), "proof");
    let mut names = std::collections::BTreeSet::new();
    for (place, word) in broadcast.words().iter().enumerate() {
        let mut lie = buffer.to_vec();
        lie[32 * place + 31] ^= 1;
        let error = broadcast.check(&lie.into()).unwrap_err();
        let BroadcastError::Word { name, must, .. } = &error else {
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
        assert_eq!(error, BroadcastError::Length { got: length, must });
    }
}
