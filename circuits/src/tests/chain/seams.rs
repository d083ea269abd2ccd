//! A piece fits only in its own place: what its public input binds.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};

use super::{Cut, failing_parts, five, publishes};
use crate::field::{from_words, to_word};
use crate::published::{self, Published, place};
use crate::tests::support::random;
use crate::tx_rollup::SegmentWitness;
use crate::{Chain, SeamError, Seams, StatementKind, Suite, Witness};

#[test]
fn a_segment_publishes_the_whole_state_before_it() {
    let cut = Cut::new(&five(Suite::Poseidon), Chain::new(Suite::Poseidon, 5, 2, 1));
    let circuit = cut.circuits()[1];
    let expected = cut.public_inputs()[1];
    type Change = fn(&mut SegmentWitness);
    let changes: [Change; 8] = [
        |s| s.state.sums[0] += Fr::ONE,
        |s| s.state.sums[31] += Fr::ONE,
        |s| s.state.fees[0] += Fr::ONE,
        |s| s.state.fees[15] += Fr::ONE,
        // An output of tx 1 forgotten, another one's permission, one invented.
        |s| s.state.outputs[0][0] = Fr::ZERO,
        |s| s.state.outputs[1][2] = Fr::from(2u64),
        |s| s.state.outputs[5][1] = random(1),
        |s| s.state.outputs.swap(0, 1),
    ];
    for (at, change) in changes.into_iter().enumerate() {
        let mut segment = cut.segment(1);
        change(&mut segment);
        let published = publishes(circuit, segment);
        assert_ne!(published, expected, "change {at}");
    }
}

#[test]
fn a_segment_fits_only_in_its_place() {
    let cut = Cut::new(&five(Suite::Poseidon), Chain::new(Suite::Poseidon, 5, 2, 1));
    let circuit = cut.circuits()[0];
    let expected = cut.public_inputs();
    for (at, piece) in cut.pieces[..3].iter().enumerate() {
        let published = publishes(circuit, piece.clone());
        for (place, expected) in expected.iter().enumerate() {
            assert_eq!(published == *expected, at == place, "{at} at {place}");
        }
    }
    // Another segment's state, and another nullifier root.
    let mut gap = cut.segment(2);
    gap.state = cut.segment(1).state;
    assert_ne!(publishes(circuit, gap), expected[2]);
    let mut gap = cut.segment(2);
    gap.null_root = cut.segment(1).null_root;
    let gap = Witness::from(gap);
    assert!(failing_parts(circuit, &gap).contains(&"nullifier tree"));
    assert_ne!(publishes(circuit, gap), expected[2]);
}

#[test]
fn each_seam_is_bound_by_the_two_pieces_beside_it() {
    for (suite, chain) in [
        (Suite::Poseidon, Chain::new(Suite::Poseidon, 5, 2, 1)),
        (Suite::Pedersen, Chain::new(Suite::Pedersen, 5, 2, 4)),
    ] {
        let cut = Cut::new(&five(suite), chain);
        let good = cut.public_inputs();
        let differing = |seams: &Seams| -> Vec<usize> {
            let inputs = chain.public_inputs(&cut.published, &cut.allow_chain, seams);
            let inputs = inputs.unwrap();
            (0..good.len())
                .filter(|at| inputs[*at] != good[*at])
                .collect()
        };
        // Shards come behind the three segments.
        let first = if suite == Suite::Pedersen { 3 } else { 0 };
        for at in 0..2 {
            let mut seams = cut.seams.clone();
            seams.states[at] += Fr::ONE;
            assert_eq!(differing(&seams), [at, at + 1]);
            let mut seams = cut.seams.clone();
            seams.null_roots[at] += Fr::ONE;
            assert_eq!(differing(&seams), [first + at, first + at + 1]);
        }
        let [states, null_roots] = chain.seams(5);
        assert_eq!(
            [states, null_roots],
            [cut.seams.states.len(), cut.seams.null_roots.len()]
        );
    }
}

#[test]
fn a_missing_piece_is_noticed_before_any_proof() {
    let cut = Cut::new(&five(Suite::Pedersen), Chain::new(Suite::Pedersen, 5, 2, 4));
    let refused = |allow_chain: &[Fr], seams: &Seams| {
        let inputs = cut.chain.public_inputs(&cut.published, allow_chain, seams);
        inputs.unwrap_err()
    };
    let mut seams = cut.seams.clone();
    seams.null_roots.pop();
    assert_eq!(
        refused(&cut.allow_chain, &seams).to_string(),
        "1 nullifier roots, expected 2"
    );
    let mut seams = cut.seams.clone();
    seams.states.push(Fr::ZERO);
    assert_eq!(
        refused(&cut.allow_chain, &seams).to_string(),
        "3 states between segments, expected 2"
    );
    assert_eq!(refused(&[], &cut.seams), SeamError::Txs { got: 0, most: 5 });
    assert_eq!(
        refused(&[Fr::ZERO; 6], &cut.seams),
        SeamError::Txs { got: 6, most: 5 }
    );
    // A tx that is published but said to be padding.
    let seams = Seams {
        states: cut.seams.states[..1].to_vec(),
        null_roots: cut.seams.null_roots[..1].to_vec(),
    };
    assert_eq!(
        refused(&cut.allow_chain[..4], &seams),
        SeamError::Padding(4)
    );
}

#[test]
fn the_number_of_txs_is_bound() {
    // A last tx that publishes nothing but zeros: only the count, and the
    // client digest, tell it from padding.
    let mut plan = five(Suite::Poseidon);
    plan.txs.truncate(3);
    let cut = Cut::new(&plan, Chain::new(plan.suite, 5, 2, 1));
    let good = cut.public_inputs();
    let longer = [&cut.allow_chain[..], &[Fr::ZERO]].concat();
    let inputs = cut
        .chain
        .public_inputs(&cut.published, &longer, &cut.seams)
        .unwrap();
    assert_eq!(inputs[0], good[0]);
    assert_ne!(inputs[1], good[1]);
}

#[test]
fn what_the_pieces_share_is_bound() {
    for chain in [
        Chain::new(Suite::Poseidon, 5, 2, 1),
        Chain::new(Suite::Pedersen, 5, 2, 4),
    ] {
        let suite = chain.circuits()[0].suite;
        let cut = Cut::new(&five(suite), chain);
        let good = cut.public_inputs();
        let count = good.len();
        let notes = count - 1;
        let (words, clients) = (cut.published.to_words(), cut.published.clients());
        let (shards, roots) = match suite {
            Suite::Poseidon => (vec![], [0, 2]),
            Suite::Pedersen => (vec![3, 4, 5], [3, 5]),
        };
        let segments = vec![0, 1, 2];
        for (at, expected) in [
            (place::ROLLUP_ID, segments.clone()),
            (place::DATA_START_INDEX, vec![notes]),
            (place::OLD_DATA_ROOT, vec![0, 1, 2, notes]),
            (place::NEW_DATA_ROOT, vec![notes]),
            (place::OLD_NULL_ROOT, vec![roots[0]]),
            (place::NEW_NULL_ROOT, vec![roots[1]]),
            (place::NEW_DEFI_ROOT, segments.clone()),
            (place::BRIDGES + 31, segments.clone()),
            (place::ASSETS + 15, segments.clone()),
            // Sums, and what a tx may be chained from, reach the last state.
            (place::DEPOSIT_SUMS + 1, vec![2]),
            (place::FEES + 1, vec![2]),
            (place::TXS + 8 * 2 + 1, vec![1, 2, notes]),
            (place::TXS + 8 * 2 + 2, vec![1, 2, notes]),
            (place::TXS + 8 * 2 + 5, vec![1]),
            (
                place::TXS + 8 * 2 + 3,
                [vec![1], shards.iter().copied().skip(1).take(1).collect()].concat(),
            ),
        ] {
            let mut words = words.clone();
            words[at][31] ^= 1;
            if at >= place::TXS {
                words[place::INPUTS_HASH] = inputs_hash(&words[place::TXS..]);
            }
            let kind = StatementKind::TxRollup { txs: 5 };
            let changed = Published::from_words(kind, &words, clients).unwrap();
            let inputs = chain
                .public_inputs(&changed, &cut.allow_chain, &cut.seams)
                .unwrap();
            let differing: Vec<usize> = (0..count).filter(|i| inputs[*i] != good[*i]).collect();
            assert_eq!(differing, expected, "{suite}: field {at}");
        }
        let mut allow_chain = cut.allow_chain.clone();
        allow_chain[0] += Fr::ONE;
        let inputs = chain
            .public_inputs(&cut.published, &allow_chain, &cut.seams)
            .unwrap();
        assert_ne!(inputs[2], good[2], "the last state has every tx's");
    }
}

fn inputs_hash(words: &[[u8; 32]]) -> [u8; 32] {
    to_word(&published::inputs_hash(&from_words(words).unwrap()))
}
