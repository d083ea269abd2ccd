//! Incidents of other fleets: they do not happen to zkWhirl's fleet, and do
//! happen under the settings of those fleets.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use zkwhirl_planner::{
    Hpa, Setup, Trace,
    plan::{Row, row},
    simulation::{Outcome, Signal},
};

macro_rules! vector {
    ($name:literal) => {
        include_str!(concat!("../../tests/vectors/incidents/", $name))
    };
}

const SCALED_TO_ZERO: &str = vector!("scaled-to-zero.json");
const NEWEST_KILLED: &str = vector!("newest-killed.json");
const METRIC_MISSING: &str = vector!("metric-missing.json");

/// The committed manifest with the planner's default settings.
fn ours() -> Setup {
    let committed = include_str!("../../k8s/base/hpa-inner.yaml");
    Setup::new(Hpa::from_manifest(committed).unwrap())
}

/// Another fleet's manifest with Kubernetes' default grace of 30 s, in which no proof ends.
fn theirs(manifest: &str, signal: Signal) -> Setup {
    Setup {
        signal,
        sources: 1,
        drain_ms: 0,
        ..Setup::new(Hpa::from_manifest(manifest).unwrap())
    }
}

fn run(setup: &Setup, trace: &str) -> (Row, Outcome) {
    row("", setup, &Trace::from_json(trace).unwrap(), 1.0)
}

fn latency_s(row: &Row) -> f64 {
    row.latency_p50_s.unwrap()
}

#[test]
fn a_fleet_whose_jobs_are_all_being_proved_is_not_scaled_to_zero() {
    let (row, outcome) = run(&ours(), SCALED_TO_ZERO);
    assert_eq!((row.settled, row.killed), ((1, 1), 0));
    // The bound: a pod's start, one proof, root and verifier, and the metric's delay.
    assert!(latency_s(&row) < 900.0 + 140.0 + 180.0, "{row:?}");
    let mut course = outcome.course.iter();
    assert!(course.all(|sample| sample.replicas >= sample.busy));
}

#[test]
fn queued_jobs_alone_scale_it_to_zero_again_and_again() {
    let peers = theirs(vector!("peers-queued-only.yaml"), Signal::Ready);
    let (row, outcome) = run(&peers, SCALED_TO_ZERO);
    assert_eq!(row.settled, (0, 1), "never settled");
    assert!(row.killed > 100, "{}", row.killed);
    assert!(outcome.course.iter().any(|sample| sample.replicas == 0));
}

#[test]
fn the_newest_pods_finish_what_they_prove() {
    let (row, _) = run(&ours(), NEWEST_KILLED);
    assert_eq!((row.killed, row.wasted_hours), (0, 0.0));
    assert!(latency_s(&row) < 600.0 + 70.0 + 180.0, "{row:?}");
}

#[test]
fn without_a_drain_the_newest_pods_are_killed_in_mid_proof() {
    let peers = theirs(vector!("peers-plain.yaml"), Signal::Outstanding);
    let (row, _) = run(&peers, NEWEST_KILLED);
    assert_eq!(row.killed, 8, "every long job");
    let (ours, _) = run(&ours(), NEWEST_KILLED);
    assert!(latency_s(&row) > latency_s(&ours) + 300.0, "{row:?}");
}

#[test]
fn pods_that_say_what_they_prove_are_ended_last_even_without_a_drain() {
    let told = Setup {
        deletion_costs: true,
        ..theirs(vector!("peers-plain.yaml"), Signal::Outstanding)
    };
    let (row, _) = run(&told, NEWEST_KILLED);
    assert_eq!((row.killed, row.wasted_hours), (0, 0.0));
}

#[test]
fn a_second_source_scales_when_the_first_is_away() {
    let (row, outcome) = run(&ours(), METRIC_MISSING);
    assert!(outcome.course.iter().any(|sample| sample.replicas == 32));
    assert!(latency_s(&row) < 300.0 + 70.0 + 180.0, "{row:?}");
}

#[test]
fn a_single_source_that_is_away_freezes_the_fleet() {
    let peers = theirs(vector!("peers-plain.yaml"), Signal::Outstanding);
    let (row, outcome) = run(&peers, METRIC_MISSING);
    let course = outcome.course.iter();
    let mut blind = course.take_while(|sample| sample.at_ms < 7_200_000);
    assert!(blind.all(|sample| sample.replicas == 1));
    assert!(latency_s(&row) > 7200.0, "{row:?}");
}

#[test]
fn without_any_source_nothing_that_proves_is_ended() {
    let mut trace = Trace::from_json(METRIC_MISSING).unwrap();
    // Both sources become unreachable while 32 pods prove, until the end of the trace.
    trace.blind[0].from_s = 200.0;
    let mut other = trace.blind[0];
    other.source = 1;
    trace.blind.push(other);
    let (row, outcome) = row("", &ours(), &trace, 1.0);
    assert_eq!((row.settled, row.killed), ((1, 1), 0));
    let mut course = outcome.course.iter();
    let last = course.rfind(|sample| sample.at_ms < 7_200_000);
    assert_eq!(last.unwrap().replicas, 32, "the fleet must stay frozen");
}
