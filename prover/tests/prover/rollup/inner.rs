//! Tests of proved tx rollups, in one circuit and as chains, and of changes in
//! their replies.

use std::slice;

use zkwhirl_circuits::{
    field,
    published::{inputs_hash, place},
};
use zkwhirl_job::{
    FailureClass, Request, Sizes, Word,
    reply::{NativeForm, NativeProof, SuiteTag},
    request::ClientProof,
};
use zkwhirl_prover::native::read_tx_rollup;

use super::proved::{FIVE, ONE, ProvedRollup, SUITE, TWO, keyless, refusal};

type Change = fn(&mut NativeProof);

/// Changes the reply of the first inner rollup, and returns the names of the proofs
/// that then do not verify, with the reply and the keys alone; or why the changed
/// reply cannot be read.
fn failing(
    rollup: &ProvedRollup,
    change: impl FnOnce(&mut [Word], &mut NativeProof),
) -> Result<Vec<String>, String> {
    let inner = &rollup.inners[0];
    let (mut fields, mut tail) = (inner.published.clone(), inner.tail());
    change(&mut fields, &mut tail);
    let proofs = read_tx_rollup(&rollup.setting, &fields, &tail);
    let proofs = proofs.map_err(|error| error.to_string())?;
    let bad = proofs.iter().filter(|proof| {
        let verified = rollup.verifier.verify_proofs(slice::from_ref(proof));
        verified.is_err()
    });
    Ok(bad.map(|proof| proof.name.clone()).collect())
}

/// The reason why the reply of the first inner rollup is refused after `change`.
#[track_caller]
fn refused(rollup: &ProvedRollup, change: impl FnOnce(&mut NativeProof)) -> String {
    let inner = &rollup.inners[0];
    let mut tail = inner.tail();
    change(&mut tail);
    let verified = rollup.verifier.verify(&inner.request, &inner.with(&tail));
    refusal(verified)
}

#[test]
fn every_reply_is_verified_and_carries_the_proofs_of_its_clients() {
    use NativeForm::{TxRollup, TxRollupChain};
    for (rollup, form, own_keys, own_proofs, txs, seams) in [
        (&ONE, TxRollup, 1, 1, 1, 0),
        (&TWO, TxRollupChain, 2, 3, 2, 2),
        (&FIVE, TxRollupChain, 2, 4, 5, 4),
    ] {
        let (inner, tail) = (&rollup.inners[0], rollup.inners[0].tail());
        let reply = &inner.receipt.reply;
        rollup.verifier.verify(&inner.request, reply).unwrap();
        assert_eq!((tail.suite, tail.form), (SuiteTag::Poseidon, form));
        assert_eq!(inner.receipt.fields, inner.published);
        assert_eq!(inner.receipt.carried_proofs, txs);
        // The clients have up to three circuits.
        assert_eq!(tail.vks.len(), own_keys + txs.min(3));
        assert_eq!(tail.proofs.len(), own_proofs + txs);
        assert!(rollup.claims[0].1.ends_with(&tail.proofs[own_proofs]));
        assert_eq!(tail.words.len(), 1 + 9 * txs + 1 + seams);
        let all = (1 << txs) - 1;
        assert_eq!(tail.words[1 + 9 * txs], Word::from(all), "all are carried");
    }
    let segments = (1..=3).map(|at| format!("segment {at} of 3"));
    let clients = (0..5).map(|tx| format!("client proof of tx {tx}"));
    let names = segments.chain(["notes".to_owned()]).chain(clients);
    assert!(FIVE.inners[0].names(&FIVE.setting).into_iter().eq(names));
}

#[test]
fn progress_goes_over_all_pieces() {
    let steps = &FIVE.inners[0].progress;
    assert!(steps.is_sorted(), "{steps:?}");
    assert!(steps.len() > 8 && steps[0] == 0.0);
    let second = steps.iter().any(|step| (0.26..0.49).contains(step));
    assert!(second, "{steps:?}");
    assert_eq!(steps.last(), Some(&1.0));
}

#[test]
fn each_changed_proof_is_refused_by_name() {
    for rollup in [&FIVE, &ONE] {
        let names = rollup.inners[0].names(&rollup.setting);
        let zeros = failing(rollup, |_, tail| tail.proofs.fill([0; 128]));
        assert_eq!(zeros.unwrap(), names);
        for (at, name) in names.iter().enumerate() {
            let flipped = refused(rollup, |tail| tail.proofs[at][127] ^= 1);
            // A good proof from another place in the same reply.
            let other = (at + 1) % names.len();
            let moved = refused(rollup, |tail| tail.proofs[at] = tail.proofs[other]);
            for reason in [flipped, moved] {
                assert!(reason.starts_with(&format!("{name}: ")), "{reason}");
            }
        }
    }
}

#[test]
fn each_changed_word_is_refused_with_and_without_the_request() {
    for rollup in [&FIVE, &ONE] {
        for at in 0..rollup.inners[0].tail().words.len() {
            refused(rollup, |tail| tail.words[at].0[31] ^= 1);
            refused(rollup, |tail| tail.words[at].0[0] = 0xff);
            let failing = failing(rollup, |_, tail| tail.words[at].0[31] ^= 1);
            assert_ne!(failing, Ok(vec![]), "word {at}");
        }
    }
}

#[test]
fn a_changed_seam_fails_the_two_pieces_beside_it() {
    let segments = ["segment 1 of 3", "segment 2 of 3", "segment 3 of 3"];
    for seam in 0..4 {
        let first = 1 + 9 * 5 + 1;
        let failing = failing(&FIVE, |_, tail| tail.words[first + seam].0[31] ^= 1);
        assert_eq!(failing.unwrap(), segments[seam % 2..][..2]);
    }
}

#[test]
fn each_changed_field_is_refused_with_and_without_the_request() {
    for rollup in [&FIVE, &ONE] {
        let inner = &rollup.inners[0];
        for at in 0..inner.published.len() {
            let mut reply = inner.receipt.reply.to_vec();
            reply[32 * at + 31] ^= 1;
            let reason = refusal(rollup.verifier.verify(&inner.request, &reply.into()));
            let start = format!("published field {at} is ");
            assert!(reason.starts_with(&start), "{reason}");
            // Without the request, and with the inputs hash of the changed fields.
            let failing = failing(rollup, |fields, _| {
                fields[at].0[31] ^= 1;
                if at >= place::TXS {
                    let txs = fields[place::TXS..].iter();
                    let txs: Vec<_> = txs.map(|word| field::from_word(&word.0).unwrap()).collect();
                    fields[place::INPUTS_HASH] = Word(field::to_word(&inputs_hash(&txs)));
                }
            });
            assert_ne!(failing, Ok(vec![]), "field {at}");
        }
    }
}

#[test]
fn keys_and_proofs_are_as_many_as_the_words_say() {
    let keys = |count| format!("{count} verification keys, expected 5");
    let proofs = |count| format!("{count} proofs, expected 9");
    let words =
        |count| format!("{count} words beside the published fields are too few or too many");
    let of = |suite_and_form| {
        let must = "poseidon and TxRollupChain";
        format!("the proof is of suite {suite_and_form}, must be {must}")
    };
    let suite = of("Pedersen and form TxRollupChain");
    let form = of("Poseidon and form TxRollup");
    let changes: [(String, Change); 8] = [
        (keys(4), |tail| tail.vks.truncate(4)),
        (keys(6), |tail| tail.vks.push([0; 32])),
        (proofs(8), |tail| tail.proofs.truncate(8)),
        (proofs(10), |tail| tail.proofs.push([0; 128])),
        (words(50), |tail| tail.words.truncate(50)),
        (words(52), |tail| tail.words.push(Word::ZERO)),
        (suite, |tail| tail.suite = SuiteTag::Pedersen),
        (form, |tail| tail.form = NativeForm::TxRollup),
    ];
    for (text, change) in changes {
        assert_eq!(refused(&FIVE, change), text);
    }
    for at in 0..5 {
        let flipped = refused(&FIVE, |tail| tail.vks[at][0] ^= 1);
        let swapped = refused(&FIVE, |tail| tail.vks.swap(at, (at + 1) % 5));
        for reason in [flipped, swapped] {
            let names = reason.contains("the proof names verification key");
            assert!(names, "{reason}");
        }
    }
}

#[test]
fn a_client_proof_left_out_is_noticed() {
    let second_of_five: Change = |tail| {
        tail.words[1 + 9 * 5] = Word::from(0b11101);
        tail.proofs.remove(4 + 1);
    };
    let the_only_one: Change = |tail| {
        tail.words[1 + 9] = Word::ZERO;
        tail.vks.truncate(1);
        tail.proofs.truncate(1);
    };
    for (rollup, leave_out, tx) in [(&FIVE, second_of_five, 1), (&ONE, the_only_one, 0)] {
        let reason = format!("tx {tx} has no native client proof");
        assert_eq!(refused(rollup, leave_out), reason);
        assert_eq!(failing(rollup, |_, tail| leave_out(tail)), Err(reason));
    }
}

#[test]
fn a_client_proof_that_is_not_good_stops_the_rollup_before_any_proof() {
    let refused = |rollup: &ProvedRollup, change: &dyn Fn(&mut [ClientProof])| {
        let Request::TxRollup(mut request) = rollup.inners[0].request.clone() else {
            panic!("inner rollups are tx rollups");
        };
        change(&mut request.txs);
        let proved = rollup.engine().prove(&Request::TxRollup(request), &|_| ());
        let error = proved.unwrap_err();
        assert_eq!(error.failure().class, FailureClass::Invalid);
        error.to_string()
    };
    let swapped = refused(&FIVE, &|txs| {
        let tail = txs[0].tail.clone();
        txs[0].tail = std::mem::replace(&mut txs[1].tail, tail);
    });
    let fails = "client proof of tx 0: the proof does not verify for its published fields";
    assert_eq!(swapped, fails);
    // Tx 1 gets a changed client proof of tx 0.
    let with = |change: fn(&mut NativeProof)| {
        refused(&FIVE, &|txs| {
            let mut tail = NativeProof::parse(&txs[0].tail).unwrap();
            change(&mut tail);
            txs[1].tail = tail.to_bytes();
        })
    };
    let suite = "tx 1: client proof: the proof is not a single poseidon proof";
    assert_eq!(with(|tail| tail.suite = SuiteTag::Pedersen), suite);
    let key = "tx 1: client proof: its key differs from the key in an earlier tx";
    assert_eq!(with(|tail| tail.vks[0][0] ^= 1), key);
    // One tx whose proof has a changed bit, or whose tail's header has a changed
    // byte; a tail of zeros, with the length of a native tail or of a PLONK proof.
    let set = |at: usize, byte: u8| {
        refused(&ONE, &|txs| {
            let mut tail = txs[0].tail.to_vec();
            tail[at] = byte;
            txs[0].tail = tail.into();
        })
    };
    let last = *ONE.claims[0].1.last().unwrap();
    let flipped = set(175, last ^ 1);
    let proof = "client proof of tx 0: the proof";
    assert!(flipped.starts_with(proof), "{flipped}");
    let suite = "tx 0: client proof: the proof is not a single poseidon proof";
    assert_eq!(set(4, 0), suite);
    let magic = "client proof: no native proof follows the published fields \
                 (it must start with \"zkW1\")";
    assert_eq!(set(0, 0), format!("tx 0: {magic}"));
    for bytes in [176, 1504] {
        let zeros = refused(&FIVE, &|txs| txs[1].tail = vec![0; bytes].into());
        assert_eq!(zeros, format!("tx 1: {magic}"));
    }
}

#[test]
fn a_verifier_of_other_circuits_expects_another_form() {
    let inner = &FIVE.inners[0];
    let form =
        "the proof is of suite Poseidon and form TxRollupChain, must be poseidon and TxRollup";
    let large = "circuit tx-segment/poseidon/1/5 needs a domain of 262144, MAX_CIRCUIT_SIZE is \
                 131072: raise it to 262144 or more";
    for (limit, reason) in [(1 << 23, form), (1 << 17, large)] {
        let verifier = keyless(SUITE, Sizes::new(5, 1).unwrap(), limit);
        let verified = verifier.verify(&inner.request, &inner.receipt.reply);
        assert_eq!(refusal(verified), reason);
    }
}
