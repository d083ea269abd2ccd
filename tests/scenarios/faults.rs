//! A crash costs an attempt, and a wrong request becomes a dead letter; Falafel
//! gets no NACK and issues no ticket again.

use std::time::Duration;

use futures_util::future::join_all;
use zkwhirl::cluster::Provers;
use zkwhirl_circuits::Suite;
use zkwhirl_job::{
    Command, FailureClass, JobId, Kind, Sizes, limits,
    malformed::{MalformedCase, malformed_cases},
};
use zkwhirl_ledger::{JobEvent, JobEventKind};
use zkwhirl_testkit::vector;

use crate::stage::{Scene, native, proverless};

/// Valid claims, to show that other jobs are not disturbed.
const GOOD: [&str; 3] = [
    "valid_claim_0_request",
    "valid_claim_1_request",
    "valid_claim_2_request",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_prover_killed_in_mid_proof_costs_an_attempt_and_falafel_notices_nothing() {
    let provers = Provers::Native(native(Suite::Pedersen, 1, 1));
    let scene = Scene {
        // The retry comes after the lease: the ticket is kept alive meanwhile.
        delay: Duration::from_secs(12),
        lease: Duration::from_secs(10),
        ..Scene::of(provers)
    };
    let stage = scene.start().await;
    let proves =
        |event: &JobEvent| matches!(event.what, JobEventKind::Progress { phase: "prove", .. });
    let kill = async {
        stage.until("the prover proves", proves).await;
        stage.kill_provers();
    };
    let (reply, ()) = tokio::join!(stage.falafel.prove(vector(GOOD[0])), kill);
    reply.unwrap();
    assert_eq!(stage.attempts_of(Kind::Claim), [1, 2]);
    stage.falafel_noticed_nothing();
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_requests_are_parked_with_the_field_and_disturb_nobody() {
    let provers = proverless(Suite::Pedersen, 1, 1, Duration::ZERO);
    let stage = Scene::of(provers).slots(2).start().await;
    let sizes = Sizes::new(1, 1).unwrap();
    let mut cases = malformed_cases(&vector);
    // The other cases need a bridge of other sizes; the bridge's tests have them.
    cases.retain(|case| case.sizes.is_none_or(|needed| needed == sizes));
    // A bridge does not read so long a frame: the poll refuses the frame.
    cases.retain(|case| case.request.len() <= limits::REQUEST_BYTES);
    let id = |case: &MalformedCase| JobId::of(Command::CreateProof, &case.request);
    cases.sort_by_key(id);
    cases.dedup_by_key(|case| id(case));
    assert!(cases.len() >= 40, "{} cases", cases.len());
    for case in &cases {
        drop(stage.ask(case.request.clone()));
    }
    let replies = join_all(GOOD.map(|name| stage.falafel.prove(vector(name)))).await;
    assert!(replies.iter().all(Result::is_ok), "{replies:?}");
    stage.until_dead(cases.len()).await;
    let dead = stage.dead().await;
    assert_eq!(dead.len(), cases.len());
    for case in &cases {
        let letter = dead.iter().find(|letter| letter.id == id(case)).unwrap();
        let (name, reason) = (&case.name, &letter.reason);
        assert!(reason.contains(&case.error), "{name}: {reason}");
        assert!(letter.history.is_empty(), "{name}: {reason}");
    }
    let open = stage.cluster.bridge.stats().open_tickets;
    assert_eq!(open, cases.len(), "their leases are kept");
    stage.falafel_noticed_nothing();
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_false_statement_is_parked_after_a_second_opinion() {
    let provers = Provers::Native(native(Suite::Pedersen, 1, 1));
    let stage = Scene::of(provers).slots(2).start().await;
    let mut request = vector(GOOD[0]).to_vec();
    // The claim's fee, which its note commits to.
    let fee = 4 + 32 + 32 + 4 + (4 + 32 * 64) + 32 + 32 + 4 + 31;
    request[fee] ^= 1;
    drop(stage.ask(request.into()));
    stage.until_dead(1).await;
    let dead = stage.dead().await;
    let [letter] = &dead[..] else {
        panic!("{} dead letters", dead.len());
    };
    let reason = &letter.reason;
    let why = "claim note is not a leaf of the data root";
    assert!(reason.contains(why), "{reason}");
    let [first, second] = &letter.history[..] else {
        panic!("{:?}", letter.history);
    };
    for opinion in [first, second] {
        assert_eq!(opinion.failure.class, FailureClass::Invalid);
    }
    assert_ne!(first.worker, second.worker, "two workers found it");
    stage.falafel.prove(vector(GOOD[0])).await.unwrap();
    stage.falafel_noticed_nothing();
    stage.end().await;
}
