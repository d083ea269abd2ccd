//! Tests of the supervisor with children that misbehave: the request gets a typed
//! failure, and the next request gets a new child.

use std::{fs, time::Duration};

use rustix::process::{Pid, Signal, kill_process, test_kill_process_group};
use zkwhirl_job::{Command, FailureClass, Kind, Sizes};
use zkwhirl_prover::{
    ProveError, ProveTask, ProveWatch, Proved, Prover,
    stdio::{ChildConfig, ChildProver, Dialect, Eager},
};

use crate::vector;

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

/// A prover whose child misbehaves as `habit` says.
fn odd(habit: &str) -> ChildProver {
    ChildProver::new(config(&[habit]))
}

fn claim(deadline: Duration) -> ProveTask {
    ProveTask {
        kind: Kind::Claim,
        command: Command::CreateProof,
        request: vector("claim_0"),
        sizes: None,
        deadline,
    }
}

fn task(kind: Kind, name: &str) -> ProveTask {
    ProveTask {
        kind,
        request: vector(name),
        ..claim(Duration::from_secs(60))
    }
}

async fn prove_task(prover: &mut ChildProver, task: &ProveTask) -> Result<Proved, ProveError> {
    prover.prove(task, &ProveWatch::unattended()).await
}

async fn prove(prover: &mut ChildProver) -> Result<Proved, ProveError> {
    prove_task(prover, &claim(Duration::from_secs(60))).await
}

/// Proves a test vector and returns the process id of the child that proved it.
async fn prove_vector(prover: &mut ChildProver, kind: Kind, vector: &str) -> u32 {
    prove_task(prover, &task(kind, vector)).await.unwrap();
    prover.pid().unwrap()
}

fn alive(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z ")
}

#[tokio::test]
async fn one_child_serves_many_requests() {
    let mut prover = odd("well");
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

/// Each case: the habit, the class of the failure, and a part of the reason.
#[tokio::test]
async fn every_misbehaviour_is_a_typed_failure() {
    use FailureClass::{Infrastructure, Invalid, Prover as Broken};
    let table = [
        ("die-at-start", Infrastructure, "no reference string"),
        ("wrong-ping", Infrastructure, "it answered 7, not 1"),
        ("die-in-proof", Broken, "cannot read the prover's answer"),
        ("half", Broken, "cannot read the prover's answer"),
        ("bomb", Broken, "it announced 4294967295 bytes"),
        ("short", Broken, "has 2015 bytes, must have 2016"),
        ("long", Broken, "has 2017 bytes, must have 2016"),
        ("garbage", Broken, "it announced 1131570529 bytes"),
        ("verified-2", Broken, "its verified byte is 2"),
        ("refuse", Invalid, "the statement is false"),
        ("unverified", Invalid, "the statement is false"),
        ("refuse-with-reason", Infrastructure, "the disk is full"),
    ];
    for (habit, class, word) in table {
        let mut prover = odd(habit);
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
    let mut prover = ChildProver::new(config(&["exit-9-in-proof", once.to_str().unwrap()]));
    let error = prove(&mut prover).await.unwrap_err();
    assert_eq!(error.exit.as_deref(), Some("exit 9"));
    assert_eq!(error.stderr_tail, "odd-prover: started\n");
    prove(&mut prover).await.unwrap();
    prover.stop().await;
}

#[tokio::test]
async fn kill_9_in_mid_proof_fails_only_that_attempt() {
    let mut prover = odd("hang");
    prover.restart().await.unwrap();
    let pid = Pid::from_raw(prover.pid().unwrap() as i32).unwrap();
    kill_process(pid, Signal::KILL).unwrap();
    // If the signal comes before the ping, a new child is started; if it comes
    // during the proof, the attempt fails. The prover never hangs.
    let error = prove_task(&mut prover, &claim(Duration::from_secs(2))).await;
    assert_eq!(error.unwrap_err().failure.class, FailureClass::Prover);
    prover.stop().await;
}

#[tokio::test]
async fn a_hung_child_is_ended_at_the_deadline_with_its_whole_group() {
    // On a busy machine, a child may take a while to die of SIGTERM.
    let mut prover = ChildProver::new(ChildConfig {
        grace: Duration::from_secs(20),
        ..config(&["hang"])
    });
    prover.restart().await.unwrap();
    let pid = prover.pid().unwrap();
    let error = prove_task(&mut prover, &claim(Duration::from_millis(100))).await;
    let error = error.unwrap_err();
    assert!(error.failure.reason.contains("no answer within 100ms"));
    assert_eq!(error.exit.as_deref(), Some("signal 15"));
    assert!(!alive(pid));
}

#[tokio::test]
async fn descendants_that_ignore_the_signal_are_killed_too() {
    let mut prover = odd("ignore-sigterm");
    prover.restart().await.unwrap();
    let group = Pid::from_raw(prover.pid().unwrap() as i32).unwrap();
    prover.stop().await;
    let gone = || test_kill_process_group(group).is_err();
    // The process group exists until its last process is reaped.
    for _ in 0..1000 {
        if gone() {
            return;
        }
        tokio::task::yield_now().await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("a process of the group is still there");
}

/// A lazy `rollup_cli` whose first outer request is a root verifier has a wrong
/// root circuit until it ends. The supervisor starts an eager child for such a
/// request, and for no other request.
#[tokio::test]
async fn a_root_verifier_that_comes_first_finds_everything_loaded() {
    let directory = tempfile::tempdir().unwrap();
    let marker = directory.path().join("marker");
    let arguments = |lazy: &str| {
        let seven = ["crs", "2", "2", "false", lazy, "true", "data"];
        let mut all = vec!["well", marker.to_str().unwrap()];
        all.extend(seven);
        all.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let mut prover = ChildProver::new(ChildConfig {
        arguments: arguments("true"),
        sizes: Sizes::new(2, 2).unwrap(),
        verifier_first: Some(Eager {
            arguments: arguments("false"),
            start_deadline: Duration::from_secs(20),
        }),
        ..config(&[])
    });
    let root = "valid_2x2_2_root_rollup_request";
    let verifier = "valid_2x2_3_root_verifier_request";
    let started_with = |pid: u32| {
        let log = fs::read_to_string(marker.with_extension("log")).unwrap();
        let start = format!("{pid} start ");
        let line = log.lines().find_map(|line| line.strip_prefix(&start));
        line.unwrap().to_owned()
    };
    let claims = prove_vector(&mut prover, Kind::Claim, "claim_0").await;
    assert_eq!(started_with(claims), "lazy");
    let eager = prove_vector(&mut prover, Kind::RootVerifier, verifier).await;
    assert_eq!(started_with(eager), "eager");
    let outer = [(Kind::RootRollup, root), (Kind::RootVerifier, verifier)];
    for (kind, vector) in outer {
        assert_eq!(prove_vector(&mut prover, kind, vector).await, eager);
    }
    // After a root rollup, a lazy child has the right circuit.
    prover.restart().await.unwrap();
    let lazy = prover.pid().unwrap();
    for (kind, vector) in outer {
        assert_eq!(prove_vector(&mut prover, kind, vector).await, lazy);
    }
    assert_eq!(started_with(lazy), "lazy");
    prover.stop().await;
}

#[tokio::test]
async fn a_child_that_wants_too_much_memory_dies_and_the_next_does_not() {
    let directory = tempfile::tempdir().unwrap();
    let marker = directory.path().join("marker");
    let mut prover = ChildProver::new(ChildConfig {
        memory_limit: Some(256 << 20),
        ..config(&["hog", marker.to_str().unwrap()])
    });
    let error = prove(&mut prover).await.unwrap_err();
    assert_eq!(error.failure.class, FailureClass::Prover);
    assert_eq!(error.exit.as_deref(), Some("signal 6"));
    assert!(error.stderr_tail.contains("memory allocation"), "{error:?}");
    prove(&mut prover).await.unwrap();
    prover.stop().await;
}

/// A job of other sizes, or with a truncated request, does not reach a child.
#[tokio::test]
async fn what_does_not_fit_is_refused_before_any_child_sees_it() {
    use FailureClass::{Infrastructure, Invalid};
    use Kind::{RootRollup, RootVerifier, TxRollup};
    let big = Sizes::new(28, 32).unwrap();
    let one = Sizes::new(1, 1).unwrap();
    let made_for = "made for 1×1 rollups, the tx-rollup job for 28×32";
    let verifier_for = "the root-verifier job for 28×32";
    let inners = "number of inner rollups is 2";
    for (kind, vector, sizes, word) in [
        (TxRollup, "tx_rollup_1tx", Some(big), made_for),
        (RootVerifier, "root_verifier_1x1", Some(big), verifier_for),
        // In a job without sizes, the prover checks the sizes in the request.
        (TxRollup, "tx_rollup_2tx", None, "number of txs is 2"),
        (RootRollup, "root_rollup_2inner", Some(one), inners),
    ] {
        let class = match sizes == Some(big) {
            true => Infrastructure,
            false => Invalid,
        };
        let mut prover = odd("well");
        let task = task(kind, vector);
        let error = prove_task(&mut prover, &ProveTask { sizes, ..task }).await;
        let error = error.unwrap_err();
        assert_eq!(error.failure.class, class, "{vector}: {error}");
        assert!(error.failure.reason.contains(word), "{vector}: {error}");
        assert_eq!(prover.pid(), None, "{vector}");
    }
}

#[tokio::test]
async fn a_cancelled_attempt_is_interrupted_and_costs_the_child() {
    let mut prover = odd("hang");
    let watch = ProveWatch::unattended();
    watch.cancel.cancel();
    let error = prover.prove(&claim(Duration::from_secs(60)), &watch).await;
    assert_eq!(error.unwrap_err().failure.class, FailureClass::Interrupted);
    assert_eq!(prover.pid(), None);
}

#[tokio::test]
async fn an_answer_too_many_never_becomes_the_next_answer() {
    let mut prover = odd("twice");
    let mut last = None;
    for round in ["the first child", "a fresh child"] {
        let proved = prove(&mut prover).await.unwrap();
        assert_eq!(proved.reply[..], [1; 2016], "the first answer of {round}");
        assert_ne!(prover.pid(), last);
        last = prover.pid();
    }
    prover.stop().await;
}

#[tokio::test]
async fn a_flood_on_standard_error_stops_nobody_and_only_its_end_is_kept() {
    let mut prover = odd("flood");
    prove(&mut prover).await.unwrap();
    prover.stop().await;
}
