//! Proved tx rollups, in one circuit and as a chain, and everything that is
//! changed in their replies.

mod fixture;

use bytes::Bytes;
use fixture::Fixture;
use zkwhirl_circuits::{Suite, published::place};
use zkwhirl_job::{
    FailureClass, Sizes,
    reply::{NativeForm, NativeProof, SuiteTag},
};

use super::*;

/// The names of the proofs that do not verify, with nothing but the reply and
/// the keys; or why the reply cannot be read.
fn failing(fixture: &Fixture, fields: &[Word], tail: &NativeProof) -> Result<Vec<String>, String> {
    let claims = reading::tx_rollup(&fixture.verifier.setting, fields, tail)
        .map_err(|error| error.to_string())?;
    let bad = |claim: &&ReplyProof| {
        let claim = std::slice::from_ref(*claim);
        fixture.verifier.keys.verify(claim).is_err()
    };
    Ok(claims
        .iter()
        .filter(bad)
        .map(|claim| claim.name.clone())
        .collect())
}

/// Demands that a changed reply is refused, and gives the reason.
#[track_caller]
fn refused(fixture: &Fixture, tail: &NativeProof) -> String {
    let reply = fixture.reply_with(tail);
    reason(fixture.verifier.verify(&fixture.request, &reply))
}

/// The reason of a refusal. A reply that cannot be checked is not refused.
#[track_caller]
fn reason(verified: Result<(), NotVerified>) -> String {
    match verified {
        Err(NotVerified::Refused { reason }) => reason,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn a_chain_is_proved_and_verified() {
    let fixture = fixture::chain();
    let tail = fixture.tail();
    assert_eq!(
        (tail.suite, tail.form),
        (SuiteTag::Poseidon, NativeForm::TxRollupChain)
    );
    // Segments of two, the notes; clients with three kinds of proof.
    assert_eq!(tail.proofs.len(), 3 + 1 + 5);
    assert_eq!(tail.vks.len(), 2 + 3);
    assert_eq!(tail.words.len(), (1 + 5 * 9 + 1) + 2 + 2);
    assert_eq!(fixture.receipt.carried_proofs, 5);
    assert_eq!(fixture.receipt.fields, fixture.published);
    fixture
        .verifier
        .verify(&fixture.request, &fixture.receipt.reply)
        .unwrap();
    let names: Vec<String> =
        reading::tx_rollup(&fixture.verifier.setting, &fixture.published, &tail)
            .unwrap()
            .into_iter()
            .map(|claim| claim.name)
            .collect();
    assert_eq!(
        names,
        [
            "segment 1 of 3",
            "segment 2 of 3",
            "segment 3 of 3",
            "notes",
            "client proof of tx 0",
            "client proof of tx 1",
            "client proof of tx 2",
            "client proof of tx 3",
            "client proof of tx 4",
        ]
    );
}

#[test]
fn one_circuit_is_proved_and_verified() {
    let fixture = fixture::whole();
    let tail = fixture.tail();
    assert_eq!(tail.form, NativeForm::TxRollup);
    assert_eq!((tail.vks.len(), tail.proofs.len()), (2, 2));
    assert_eq!(tail.words.len(), 1 + 9 + 1);
    assert_eq!(fixture.receipt.fields, fixture.published);
    fixture
        .verifier
        .verify(&fixture.request, &fixture.receipt.reply)
        .unwrap();
}

#[test]
fn progress_goes_over_all_pieces() {
    let steps = fixture::chain().progress.lock().unwrap().clone();
    assert!(steps.is_sorted(), "{steps:?}");
    assert!(steps.len() > 8 && steps[0] == 0.0);
    assert!(
        steps.iter().any(|step| (0.26..0.49).contains(step)),
        "{steps:?}"
    );
    assert_eq!(steps.last(), Some(&1.0));
}

#[test]
fn each_changed_proof_is_refused_by_name() {
    for fixture in [fixture::chain(), fixture::whole()] {
        let good = fixture.tail();
        let names = failing(
            fixture,
            &fixture.published,
            &NativeProof {
                proofs: vec![[0; 128]; good.proofs.len()],
                ..good.clone()
            },
        )
        .unwrap();
        assert_eq!(names.len(), good.proofs.len());
        for (at, name) in names.iter().enumerate() {
            let mut tail = good.clone();
            tail.proofs[at][127] ^= 1;
            let reason = refused(fixture, &tail);
            assert!(reason.starts_with(&format!("{name}: ")), "{reason}");
            // A good proof of another place.
            let mut tail = good.clone();
            tail.proofs[at] = good.proofs[(at + 1) % names.len()];
            let reason = refused(fixture, &tail);
            assert!(reason.starts_with(&format!("{name}: ")), "{reason}");
        }
    }
}

#[test]
fn each_changed_word_is_refused_with_and_without_the_request() {
    for fixture in [fixture::chain(), fixture::whole()] {
        let good = fixture.tail();
        for at in 0..good.words.len() {
            let mut tail = good.clone();
            tail.words[at].0[31] ^= 1;
            refused(fixture, &tail);
            let failing = failing(fixture, &fixture.published, &tail);
            assert_ne!(failing, Ok(vec![]), "word {at}");
            let mut tail = good.clone();
            tail.words[at].0[0] = 0xff;
            refused(fixture, &tail);
        }
    }
}

#[test]
fn a_changed_seam_fails_the_two_pieces_beside_it() {
    let fixture = fixture::chain();
    let good = fixture.tail();
    let first = good.words.len() - 4;
    let segments = ["segment 1 of 3", "segment 2 of 3", "segment 3 of 3"];
    for seam in 0..4 {
        let mut tail = good.clone();
        tail.words[first + seam].0[31] ^= 1;
        let failing = failing(fixture, &fixture.published, &tail).unwrap();
        assert_eq!(failing, segments[seam % 2..][..2]);
    }
}

#[test]
fn each_changed_field_is_refused_with_and_without_the_request() {
    for fixture in [fixture::chain(), fixture::whole()] {
        let tail = fixture.tail();
        for at in 0..fixture.published.len() {
            let mut fields = fixture.published.clone();
            fields[at].0[31] ^= 1;
            let mut reply = fixture.receipt.reply.to_vec();
            reply[32 * at + 31] ^= 1;
            let verified = fixture
                .verifier
                .verify(&fixture.request, &Bytes::from(reply));
            let reason = reason(verified);
            assert!(
                reason.starts_with(&format!("published field {at} is ")),
                "{reason}"
            );
            // Without the request, and with the hash that the fields have.
            if at >= place::TXS {
                fields[place::INPUTS_HASH] = fixture::inputs_hash(&fields[place::TXS..]);
            }
            let failing = failing(fixture, &fields, &tail);
            assert_ne!(failing, Ok(vec![]), "field {at}");
        }
    }
}

#[test]
fn keys_and_proofs_are_as_many_as_the_words_say() {
    let fixture = fixture::chain();
    let good = fixture.tail();
    type Change = fn(&mut NativeProof);
    let changes: [(&str, Change); 8] = [
        ("4 verification keys, expected 5", |tail| {
            tail.vks.truncate(4)
        }),
        ("6 verification keys, expected 5", |tail| {
            tail.vks.push([0; 32])
        }),
        ("8 proofs, expected 9", |tail| tail.proofs.truncate(8)),
        ("10 proofs, expected 9", |tail| tail.proofs.push([0; 128])),
        (
            "50 words beside the published fields are too few or too many",
            |tail| {
                tail.words.truncate(50);
            },
        ),
        (
            "52 words beside the published fields are too few or too many",
            |tail| {
                tail.words.push(Word::ZERO);
            },
        ),
        (
            "the proof is of suite Pedersen and form TxRollupChain, must be poseidon and TxRollupChain",
            |tail| {
                tail.suite = SuiteTag::Pedersen;
            },
        ),
        (
            "the proof is of suite Poseidon and form TxRollup, must be poseidon and TxRollupChain",
            |tail| {
                tail.form = NativeForm::TxRollup;
            },
        ),
    ];
    for (text, change) in changes {
        let mut tail = good.clone();
        change(&mut tail);
        assert_eq!(refused(fixture, &tail), text);
    }
    for at in 0..5 {
        let mut tail = good.clone();
        tail.vks[at][0] ^= 1;
        let reason = refused(fixture, &tail);
        assert!(
            reason.contains("the proof names verification key"),
            "{reason}"
        );
        let mut tail = good.clone();
        tail.vks.swap(at, (at + 1) % 5);
        let reason = refused(fixture, &tail);
        assert!(
            reason.contains("the proof names verification key"),
            "{reason}"
        );
    }
}

#[test]
fn a_client_proof_left_out_is_noticed() {
    let fixture = fixture::chain();
    let mut tail = fixture.tail();
    let carried = 1 + 5 * 9;
    tail.words[carried] = Word::from(0b11101);
    tail.proofs.remove(4 + 1);
    let reason = "tx 1 has no native client proof".to_owned();
    assert_eq!(refused(fixture, &tail), reason);
    assert_eq!(failing(fixture, &fixture.published, &tail), Err(reason));
}

#[test]
fn a_client_proof_that_is_not_good_stops_the_rollup_before_any_proof() {
    let fixture = fixture::chain();
    let check = |change: &dyn Fn(&mut [zkwhirl_job::request::ClientProof]), text: &str| {
        let Request::TxRollup(mut request) = fixture.request.clone() else {
            panic!("the fixture's request is a tx rollup")
        };
        change(&mut request.txs);
        let request = Request::TxRollup(request);
        let mut engine = fixture.engine.lock().unwrap();
        let error = engine.prove(&request, &|_| ()).unwrap_err();
        assert_eq!(error.to_string(), text);
        assert_eq!(error.failure().class, FailureClass::Invalid);
    };
    check(
        &|txs| {
            let (first, second) = txs.split_at_mut(1);
            std::mem::swap(&mut first[0].tail, &mut second[0].tail);
        },
        "client proof of tx 0: the proof does not verify for its published fields",
    );
    let retail = |at: usize, change: &'static dyn Fn(&mut NativeProof)| {
        move |txs: &mut [zkwhirl_job::request::ClientProof]| {
            let mut tail = NativeProof::parse(&txs[0].tail).unwrap();
            change(&mut tail);
            txs[at].tail = tail.to_bytes();
        }
    };
    check(
        &retail(1, &|tail| tail.suite = SuiteTag::Pedersen),
        "tx 1: client proof: it is no single proof of the poseidon suite",
    );
    check(
        &retail(1, &|tail| tail.vks[0][0] ^= 1),
        "tx 1: client proof: it is of another key than the one of an earlier tx",
    );
    // Zeros in the length of a native tail, and in that of a PLONK proof.
    for bytes in [176, 1504] {
        check(
            &|txs| txs[1].tail = vec![0; bytes].into(),
            "tx 1: client proof: no native proof follows the published fields \
             (it must start with \"zkW1\")",
        );
    }
}

#[test]
fn a_verifier_of_other_circuits_expects_another_form() {
    let fixture = fixture::chain();
    let sizes = Sizes::new(5, 1).unwrap();
    let setting = Setting::new(Suite::Poseidon, sizes, 1 << 23);
    let verifier = NativeVerifier::new(setting, fixture::store());
    let verified = verifier.verify(&fixture.request, &fixture.receipt.reply);
    assert_eq!(
        reason(verified),
        "the proof is of suite Poseidon and form TxRollupChain, must be poseidon and TxRollup"
    );
    let setting = Setting::new(Suite::Poseidon, sizes, 1 << 17);
    let verifier = NativeVerifier::new(setting, fixture::store());
    let verified = verifier.verify(&fixture.request, &fixture.receipt.reply);
    assert_eq!(
        reason(verified),
        "circuit tx-segment/poseidon/1/5 needs a domain of 262144, MAX_CIRCUIT_SIZE is 131072: \
         raise it to 262144 or more"
    );
}
