//! The public input of a piece binds the piece to its own place.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};

use super::{Cut, failing_parts, five};
use crate::field::{from_words, to_word};
use crate::published::{Published, inputs_hash, place};
use crate::tests::support::random;
use crate::tests::support::rows::publishes;
use crate::tx_rollup::SegmentWitness;
use crate::{Chain, StatementKind, Suite, Witness};

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
        // An output of tx 1 removed, its permission changed, and an output invented.
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
    // The state of another segment, and another nullifier root.
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
    for (suite, shard) in [(Suite::Poseidon, 1), (Suite::Pedersen, 4)] {
        let cut = Cut::new(&five(suite), Chain::new(suite, 5, 2, shard));
        // The shards come after the three segments.
        let first = if suite == Suite::Pedersen { 3 } else { 0 };
        for at in 0..2 {
            let states = cut.differing(|cut| cut.seams.states[at] += Fr::ONE);
            assert_eq!(states, [at, at + 1]);
            let roots = cut.differing(|cut| cut.seams.null_roots[at] += Fr::ONE);
            assert_eq!(roots, [first + at, first + at + 1]);
        }
        let counts = [cut.seams.states.len(), cut.seams.null_roots.len()];
        assert_eq!(cut.chain.seams(5), counts);
    }
}

#[test]
fn a_missing_piece_is_noticed_before_any_proof() {
    let cut = Cut::new(&five(Suite::Pedersen), Chain::new(Suite::Pedersen, 5, 2, 4));
    type Change = fn(&mut Cut);
    let cases: [(&str, Change); 5] = [
        ("1 nullifier roots, expected 2", |cut| {
            cut.seams.null_roots.truncate(1)
        }),
        ("3 states between segments, expected 2", |cut| {
            cut.seams.states.push(Fr::ZERO)
        }),
        ("0 txs, expected 1 to 5", |cut| cut.allow_chain.clear()),
        ("6 txs, expected 1 to 5", |cut| {
            cut.allow_chain.push(Fr::ZERO)
        }),
        // A published tx is counted as padding.
        (
            "slot 4 is padding but its published fields are not zero",
            |cut| {
                cut.allow_chain.truncate(4);
                cut.seams.states.truncate(1);
                cut.seams.null_roots.truncate(1);
            },
        ),
    ];
    for (expected, change) in cases {
        let mut cut = cut.clone();
        change(&mut cut);
        let chain = cut.chain;
        let inputs = chain.public_inputs(&cut.published, &cut.allow_chain, &cut.seams);
        assert_eq!(inputs.unwrap_err().to_string(), expected);
    }
}

#[test]
fn the_number_of_txs_is_bound() {
    // The last tx publishes only zeros: only the number of txs and the client
    // digest distinguish it from padding.
    let mut plan = five(Suite::Poseidon);
    plan.txs.truncate(3);
    let cut = Cut::new(&plan, Chain::new(plan.suite, 5, 2, 1));
    let differing = cut.differing(|cut| cut.allow_chain.push(Fr::ZERO));
    assert!(!differing.contains(&0) && differing.contains(&1));
}

#[test]
fn what_the_pieces_share_is_bound() {
    for (suite, shard) in [(Suite::Poseidon, 1), (Suite::Pedersen, 4)] {
        let cut = Cut::new(&five(suite), Chain::new(suite, 5, 2, shard));
        let notes = cut.pieces.len() - 1;
        // The pieces with the first and the last nullifier root, and the piece
        // with the third tx's first nullifier besides the tx's segment.
        let (roots, spends) = match suite {
            Suite::Poseidon => ([0, 2], vec![1]),
            Suite::Pedersen => ([3, 5], vec![1, 4]),
        };
        let (segments, tx) = (vec![0, 1, 2], place::TXS + 8 * 2);
        for (at, expected) in [
            (place::ROLLUP_ID, segments.clone()),
            (place::DATA_START_INDEX, vec![notes]),
            (place::OLD_DATA_ROOT, vec![0, 1, 2, notes]),
            (place::NEW_DATA_ROOT, vec![notes]),
            (place::OLD_NULL_ROOT, vec![roots[0]]),
            (place::NEW_NULL_ROOT, vec![roots[1]]),
            (place::NEW_DEFI_ROOT, segments.clone()),
            (place::BRIDGES + 31, segments.clone()),
            (place::ASSETS + 15, segments),
            // Sums, and the outputs that a tx may chain from, are in the last state.
            (place::DEPOSIT_SUMS + 1, vec![2]),
            (place::FEES + 1, vec![2]),
            (tx + 1, vec![1, 2, notes]),
            (tx + 2, vec![1, 2, notes]),
            (tx + 5, vec![1]),
            (tx + 3, spends),
        ] {
            let differing = cut.differing(|cut| {
                let mut words = cut.published.to_words();
                words[at][31] ^= 1;
                if at >= place::TXS {
                    let txs = from_words(&words[place::TXS..]).unwrap();
                    words[place::INPUTS_HASH] = to_word(&inputs_hash(&txs));
                }
                let (kind, clients) = (StatementKind::TxRollup { txs: 5 }, cut.published.clients());
                cut.published = Published::from_words(kind, &words, clients).unwrap();
            });
            assert_eq!(differing, expected, "{suite}: field {at}");
        }
        let differing = cut.differing(|cut| cut.allow_chain[0] += Fr::ONE);
        assert!(differing.contains(&2), "the last state is not bound");
    }
}
