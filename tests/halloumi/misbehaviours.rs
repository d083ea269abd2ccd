//! A prover that misbehaves once: its job gets a typed failure and is proved by
//! the next attempt, the next job gets a new child, and Falafel gets no NACK.

use std::time::Duration;

use zkwhirl::cluster::{CliProvers, Provers};
use zkwhirl_job::{
    Command,
    FailureClass::{self, Infrastructure, Invalid, Prover},
    Sizes,
};
use zkwhirl_ledger::{JobEvent, JobEventKind};
use zkwhirl_testkit::vector;
use zkwhirl_worker::{Deadlines, WorkerConfig};

use crate::stage::{Odd, Scene, Stage};

/// Deadline of a prover in these tests; a good prover takes milliseconds, or seconds
/// on a busy machine.
const DEADLINE: Duration = Duration::from_secs(300);
/// Deadline in tests that wait until the deadline has passed.
const HUNG: Duration = Duration::from_secs(20);

async fn start(habit: &str) -> (Odd, Stage) {
    let one = Sizes::new(1, 1).unwrap();
    with(habit, one, one).await
}

/// Starts a misbehaving prover. `sizes`: Falafel's; `own`: the prover's.
async fn with(habit: &str, sizes: Sizes, own: Sizes) -> (Odd, Stage) {
    let odd = Odd::new(habit);
    let provers = CliProvers {
        memory_limit: Some(512 << 20),
        ..odd.provers(own)
    };
    let scene = Scene {
        sizes: Some(sizes),
        worker: WorkerConfig {
            deadlines: Deadlines::all(match habit.starts_with("hang") {
                true => HUNG,
                false => DEADLINE,
            }),
            ..WorkerConfig::default()
        },
        ..Scene::of(Provers::RollupCli(provers))
    };
    (odd, scene.start().await)
}

fn failures(stage: &Stage) -> Vec<(FailureClass, String)> {
    stage.happened(|event| failure(&event))
}

fn failure(event: &JobEvent) -> Option<(FailureClass, String)> {
    match &event.what {
        JobEventKind::Retrying { class, reason, .. } => Some((*class, reason.clone())),
        _ => None,
    }
}

/// Checks the failure of an attempt with a misbehaviour, and whether the child is
/// replaced.
async fn check(habit: &str, failure: Option<(FailureClass, &str)>, replaced: bool) {
    let (odd, stage) = start(habit).await;
    for name in ["valid_claim_0_request", "valid_claim_1_request"] {
        let answered = stage.falafel.prove(vector(name)).await;
        assert!(answered.is_ok(), "{habit}: {name}: {answered:?}");
    }
    let failures = failures(&stage);
    assert_eq!(
        failures.len(),
        usize::from(failure.is_some()),
        "{habit}: {failures:?}"
    );
    for ((class, reason), (wanted, word)) in failures.iter().zip(failure) {
        assert_eq!(*class, wanted, "{habit}: {reason}");
        assert!(reason.contains(word), "{habit}: {reason}");
    }
    let provers = odd.logged("request");
    let (first, last) = (provers[0], provers[provers.len() - 1]);
    assert_eq!(first != last, replaced, "{habit}: {:?}", odd.log());
    stage.falafel_noticed_nothing();
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_misbehaviour_costs_an_attempt_and_the_next_finds_a_fresh_child() {
    let table = [
        ("die-in-proof", Prover, "cannot read the prover's answer"),
        ("exit-9-in-proof", Prover, "cannot read the prover's answer"),
        ("half", Prover, "cannot read the prover's answer"),
        ("garbage", Prover, "it announced 1131570529 bytes"),
        ("bomb", Prover, "it announced 4294967295 bytes"),
        ("long", Prover, "has 2017 bytes, must have 2016"),
        ("short", Prover, "has 2015 bytes, must have 2016"),
        ("verified-2", Prover, "its verified byte is 2"),
        ("hog", Prover, "cannot read the prover's answer"),
    ];
    for (habit, class, word) in table {
        check(habit, Some((class, word)), true).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prover_that_hangs_is_ended_at_its_deadline_deaf_or_not() {
    let failure = Some((Prover, "the prover gave no answer within 20s"));
    let deaf = check("hang-deaf", failure, true);
    tokio::join!(check("hang", failure, true), deaf);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prover_that_says_no_gets_a_second_opinion_and_lives() {
    for habit in ["refuse", "unverified"] {
        check(habit, Some((Invalid, "the statement is false")), false).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_that_do_not_follow_from_the_request_are_not_delivered() {
    let reason = "its reply does not verify: field 0 of the reply to a claim job";
    check("wrong-field", Some((Prover, reason)), false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slowness_and_talk_are_no_failures_and_a_second_answer_is_thrown_away() {
    check("slow", None, false).await;
    check("flood", None, false).await;
    check("twice", None, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prover_that_dies_at_its_start_is_started_again() {
    let (odd, stage) = start("die-at-start").await;
    let proved = stage.falafel.prove(vector("valid_claim_0_request"));
    proved.await.unwrap();
    let failures = failures(&stage);
    let [(Infrastructure, reason)] = &failures[..] else {
        panic!("{failures:?}");
    };
    let said = "its last log line: odd-prover: no reference string";
    assert!(reason.contains(said), "{reason}");
    assert_eq!(odd.logged("start lazy").len(), 2);
    stage.end().await;
}

/// A request of other sizes is refused before the program reads it.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_for_other_sizes_is_refused_before_the_program_sees_it() {
    let [one, two] = [1, 2].map(|size| Sizes::new(size, size).unwrap());
    for (request, kind) in [
        ("valid_1x1_0_tx_rollup_request", "tx-rollup"),
        ("valid_1x1_1_root_rollup_request", "root-rollup"),
        ("valid_1x1_2_root_verifier_request", "root-verifier"),
    ] {
        let (odd, stage) = with("well", one, two).await;
        let inner = stage.falafel.servers().inner();
        let _answer = inner.create(Command::CreateProof, vector(request));
        let (class, reason) = stage.events.until("a refusal", failure).await;
        let wanted = format!("made for 2×2 rollups, the {kind} job for 1×1");
        assert_eq!(class, Infrastructure, "{kind}");
        assert!(reason.contains(&wanted), "{reason}");
        assert_eq!(odd.log(), [], "{kind}: no process was started");
        stage.end().await;
    }
}
