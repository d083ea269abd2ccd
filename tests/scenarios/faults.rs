//! What dies or is wrong costs an attempt or is parked; Falafel notices
//! nothing.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use zkwhirl::cluster::Provers;
use zkwhirl_circuits::Suite;
use zkwhirl_job::{Command, FailureClass, JobId, Sizes, limits, malformed::malformed_cases};
use zkwhirl_ledger::JobEventKind;
use zkwhirl_testkit::vector;

use crate::stage::{Scene, native, proverless};

/// A good claim, to see that others are not disturbed.
fn good() -> Bytes {
    vector("valid_claim_0_request")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prover_killed_in_mid_proof_costs_an_attempt_and_falafel_notices_nothing() {
    let provers = Provers::Native(native(Suite::Pedersen, 1, 1));
    let stage = Scene {
        // The retry comes after the lease: the ticket is kept alive meanwhile.
        delay: Duration::from_secs(12),
        lease: Duration::from_secs(10),
        ..Scene::of(provers)
    }
    .start()
    .await;
    let request = good();
    let kill = async {
        stage
            .until("the prover proves", |event| {
                matches!(event.what, JobEventKind::Progress { phase: "prove", .. })
            })
            .await;
        stage.kill_provers();
    };
    let (reply, ()) = tokio::join!(stage.falafel.prove(request.clone()), kill);
    reply.unwrap();
    let attempts = stage.happened(|event| match event.what {
        JobEventKind::Claimed { attempt, .. } => Some(attempt),
        JobEventKind::Retrying { class, .. } => {
            assert_eq!(class, FailureClass::Prover);
            None
        }
        _ => None,
    });
    assert_eq!(attempts, [1, 2]);
    stage.falafel_noticed_nothing();
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_requests_are_parked_with_the_field_and_disturb_nobody() {
    let provers = proverless(Suite::Pedersen, 1, 1, Duration::ZERO);
    let stage = Scene {
        slots: 2,
        ..Scene::of(provers)
    }
    .start()
    .await;
    let sizes = Sizes::new(1, 1).unwrap();
    let mut cases = malformed_cases(&vector);
    // The others need a bridge of other sizes; the bridge's own tests have them.
    cases.retain(|case| case.sizes.is_none_or(|needed| needed == sizes));
    // No bridge reads a frame that long: the poll itself refuses it.
    cases.retain(|case| case.request.len() <= limits::REQUEST_BYTES);
    cases.sort_by_key(|case| JobId::of(Command::CreateProof, &case.request));
    cases.dedup_by_key(|case| JobId::of(Command::CreateProof, &case.request));
    assert!(cases.len() >= 40, "{} cases", cases.len());
    for case in &cases {
        drop(stage.ask(case.request.clone()));
    }
    let good_ones = [
        "valid_claim_0_request",
        "valid_claim_1_request",
        "valid_claim_2_request",
    ];
    let replies = join_all(good_ones.map(|name| stage.falafel.prove(vector(name)))).await;
    assert!(replies.iter().all(Result::is_ok), "{replies:?}");
    stage.until_dead(cases.len()).await;
    let dead = stage.dead().await;
    assert_eq!(dead.len(), cases.len());
    for case in &cases {
        let id = JobId::of(Command::CreateProof, &case.request);
        let letter = dead.iter().find(|letter| letter.id == id).unwrap();
        assert!(
            letter.reason.contains(&case.error) && letter.history.is_empty(),
            "{}: {}",
            case.name,
            letter.reason
        );
    }
    let open = stage.cluster.bridge().stats().open_tickets;
    assert_eq!(open, cases.len(), "their leases are kept");
    stage.falafel_noticed_nothing();
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_false_statement_is_parked_after_a_second_opinion() {
    let provers = Provers::Native(native(Suite::Pedersen, 1, 1));
    let stage = Scene {
        slots: 2,
        ..Scene::of(provers)
    }
    .start()
    .await;
    let mut request = good().to_vec();
    // The claim's fee, which its note commits to.
    let fee = 4 + 32 + 32 + 4 + (4 + 32 * 64) + 32 + 32 + 4 + 31;
    request[fee] ^= 1;
    drop(stage.ask(request.into()));
    stage.until_dead(1).await;
    let dead = stage.dead().await;
    let [letter] = &dead[..] else {
        panic!("{} dead letters", dead.len());
    };
    assert!(
        letter
            .reason
            .contains("claim note is not a leaf of the data root"),
        "{}",
        letter.reason
    );
    let opinions: Vec<_> = letter
        .history
        .iter()
        .map(|record| (record.worker.as_str(), record.failure.class))
        .collect();
    let [
        (first, FailureClass::Invalid),
        (second, FailureClass::Invalid),
    ] = opinions[..]
    else {
        panic!("{opinions:?}");
    };
    assert_ne!(first, second, "two workers found it");
    stage.falafel.prove(good()).await.unwrap();
    stage.falafel_noticed_nothing();
    stage.end().await;
}
