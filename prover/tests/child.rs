//! The supervisor against a child that misbehaves in every way: that request
//! gets a typed failure, the next one finds a fresh child.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fs, time::Duration};

use bytes::Bytes;
use zkwhirl_job::{Command, FailureClass, Kind, Sizes};
use zkwhirl_prover::{
    ProveError, ProveTask, ProveWatch, Proved, Prover,
    stdio::{ChildConfig, ChildProver, Dialect},
};

fn config(arguments: &[&str]) -> ChildConfig {
    ChildConfig {
        name: "odd".to_owned(),
        program: env!("CARGO_BIN_EXE_odd-prover").into(),
        arguments: arguments.iter().map(|a| (*a).to_owned()).collect(),
        environment: Vec::new(),
        sizes: Sizes::new(1, 1).unwrap(),
        dialect: Dialect::RollupCli,
        start_deadline: Duration::from_secs(20),
        grace: Duration::from_millis(200),
        self_test: None,
        verifier_first: None,
        memory_limit: None,
    }
}

fn claim() -> Bytes {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors/claim_0.bin");
    fs::read(path).unwrap().into()
}

fn task(deadline: Duration) -> ProveTask {
    ProveTask {
        kind: Kind::Claim,
        command: Command::CreateProof,
        request: claim(),
        sizes: None,
        deadline,
    }
}

async fn prove(prover: &mut ChildProver) -> Result<Proved, ProveError> {
    let watch = ProveWatch::unattended();
    prover.prove(&task(Duration::from_secs(60)), &watch).await
}

fn alive(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z ")
}

#[tokio::test]
async fn one_child_serves_many_requests() {
    let mut prover = ChildProver::new(config(&["well"]));
    assert_eq!(prover.pid(), None, "it starts with the first request");
    for round in 1..=3 {
        let proved = prove(&mut prover).await.unwrap();
        assert_eq!(proved.reply[..], [round; 2016]);
        assert!(proved.peak_rss_bytes.unwrap() > 0);
    }
    let pid = prover.pid().unwrap();
    prover.stop().await;
    assert!(!alive(pid));
}

/// Each habit, what it must be called, and a word of the reason.
#[tokio::test]
async fn every_misbehaviour_is_a_typed_failure() {
    use FailureClass::{Infrastructure, Invalid, Prover as Broken};
    let table = [
        ("die-at-start", Infrastructure, "no reference string"),
        ("wrong-ping", Infrastructure, "it answered 7, not 1"),
        ("die-in-proof", Broken, "broke off"),
        ("half", Broken, "broke off"),
        ("bomb", Broken, "it announced 4294967295 bytes"),
        ("short", Broken, "has 2015 bytes, must have 2016"),
        ("verified-2", Broken, "its verified byte is 2"),
        ("refuse", Invalid, "the statement is false"),
        ("unverified", Invalid, "the statement is false"),
        ("refuse-with-reason", Infrastructure, "the disk is full"),
    ];
    for (habit, class, word) in table {
        let mut prover = ChildProver::new(config(&[habit]));
        let error = prove(&mut prover).await.unwrap_err();
        assert_eq!(error.failure.class, class, "{habit}: {error}");
        assert!(error.failure.reason.contains(word), "{habit}: {error}");
        prover.stop().await;
    }
}

#[tokio::test]
async fn a_child_that_dies_is_replaced_and_its_end_is_recorded() {
    let directory = tempfile::tempdir().unwrap();
    let once = directory.path().join("once");
    let mut prover = ChildProver::new(config(&["die-in-first-proof", once.to_str().unwrap()]));
    let error = prove(&mut prover).await.unwrap_err();
    assert_eq!(error.exit.as_deref(), Some("exit 9"));
    assert_eq!(error.stderr_tail, "odd-prover: started\n");
    prove(&mut prover).await.unwrap();
    prover.stop().await;
}

#[tokio::test]
async fn kill_9_in_mid_proof_fails_only_that_attempt() {
    let mut prover = ChildProver::new(config(&["hang"]));
    prover.restart().await.unwrap();
    let pid = prover.pid().unwrap();
    let pid = rustix::process::Pid::from_raw(pid as i32).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    // Whether the signal lands before the ping or in the proof: a fresh child
    // or a failure of the attempt, never a hang.
    let watch = ProveWatch::unattended();
    let error = prover.prove(&task(Duration::from_secs(2)), &watch).await;
    assert_eq!(error.unwrap_err().failure.class, FailureClass::Prover);
    prover.stop().await;
}

#[tokio::test]
async fn a_hung_child_is_ended_at_the_deadline_with_its_whole_group() {
    let mut prover = ChildProver::new(config(&["hang"]));
    prover.restart().await.unwrap();
    let pid = prover.pid().unwrap();
    let watch = ProveWatch::unattended();
    let error = prover
        .prove(&task(Duration::from_millis(100)), &watch)
        .await
        .unwrap_err();
    assert!(error.failure.reason.contains("no answer within 100ms"));
    assert_eq!(error.exit.as_deref(), Some("signal 15"));
    assert!(!alive(pid));
}

#[tokio::test]
async fn descendants_that_ignore_the_signal_are_killed_too() {
    let mut prover = ChildProver::new(config(&["ignore-sigterm"]));
    prover.restart().await.unwrap();
    let group = prover.pid().unwrap();
    prover.stop().await;
    let group = rustix::process::Pid::from_raw(group as i32).unwrap();
    let gone = || rustix::process::test_kill_process_group(group).is_err();
    // The kernel reports the group until its last process is reaped.
    for _ in 0..1000 {
        if gone() {
            return;
        }
        tokio::task::yield_now().await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("a process of the group is still there");
}

#[tokio::test]
async fn a_cancelled_attempt_is_interrupted_and_costs_the_child() {
    let mut prover = ChildProver::new(config(&["hang"]));
    let watch = ProveWatch::unattended();
    watch.cancel.cancel();
    let error = prover
        .prove(&task(Duration::from_secs(60)), &watch)
        .await
        .unwrap_err();
    assert_eq!(error.failure.class, FailureClass::Interrupted);
    assert_eq!(prover.pid(), None);
}

#[tokio::test]
async fn an_answer_too_many_never_becomes_the_next_answer() {
    let mut prover = ChildProver::new(config(&["twice"]));
    let first = prove(&mut prover).await.unwrap();
    let pid = prover.pid();
    let second = prove(&mut prover).await.unwrap();
    assert_eq!(first.reply[..], [1; 2016]);
    assert_eq!(
        second.reply[..],
        [1; 2016],
        "the first answer of a fresh child"
    );
    assert_ne!(prover.pid(), pid);
    prover.stop().await;
}

#[tokio::test]
async fn a_flood_on_standard_error_stops_nobody_and_only_its_end_is_kept() {
    let mut prover = ChildProver::new(config(&["flood"]));
    prove(&mut prover).await.unwrap();
    prover.stop().await;
}
