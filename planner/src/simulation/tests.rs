use proptest::prelude::*;

use super::*;
use crate::{
    hpa::{Behavior, Policy, PolicyKind},
    trace::{Description, Lost, Rollup},
};

/// The settings of the reference table: a burst of 32 jobs of 300 s, one warm
/// pod, 90 s to start a pod, a metric that is 30 s old.
fn burst(jobs: usize) -> Trace {
    Trace {
        rollups: vec![Rollup {
            inners_s: vec![300.0; jobs],
            ..Rollup::default()
        }],
        until_s: 3600.0,
        ..Trace::default()
    }
}

fn hpa(window_s: u32, down: Policy) -> Hpa {
    let mut behavior = Behavior::default();
    behavior.up.policies = vec![Policy {
        kind: PolicyKind::Pods,
        value: 32,
        period_s: 15,
    }];
    behavior.down.window_s = window_s;
    behavior.down.policies = vec![down];
    Hpa {
        behavior: Some(behavior),
        ..Hpa::default()
    }
}

const ALL_AT_ONCE: Policy = Policy {
    kind: PolicyKind::Percent,
    value: 100,
    period_s: 15,
};

fn setup(hpa: Hpa) -> Setup {
    Setup {
        outer: 0,
        ..Setup::new(hpa)
    }
}

/// Returns the makespan in seconds, and `(second, replicas)` for each change of the replicas.
fn shape(outcome: &Outcome) -> (u64, Vec<(u64, u32)>) {
    let mut changes: Vec<(u64, u32)> = Vec::new();
    for sample in &outcome.course {
        if changes.last().map_or(1, |(_, replicas)| *replicas) != sample.replicas {
            changes.push((sample.at_ms / 1000, sample.replicas));
        }
    }
    (outcome.latencies[0].unwrap_or(u64::MAX) / 1000, changes)
}

#[test]
fn a_burst_of_32_is_proved_as_fast_as_pods_start() {
    let outcome = simulate(&setup(hpa(120, ALL_AT_ONCE)), &burst(32));
    let (makespan, changes) = shape(&outcome);
    assert_eq!(makespan, 420);
    assert_eq!(changes[0], (30, 32));
    let (back, replicas) = changes[1];
    assert_eq!(replicas, 1);
    assert!((555..=570).contains(&back), "{back}");
    assert_eq!(outcome.waits.iter().max(), Some(&120_000));
    assert_eq!((outcome.killed, outcome.handed_back), (0, 0));
}

#[test]
fn kubernetes_own_rules_take_45_seconds_more() {
    let default = Hpa {
        behavior: Some(Behavior::default()),
        ..Hpa::default()
    };
    let (makespan, changes) = shape(&simulate(&setup(default), &burst(32)));
    assert_eq!(makespan, 465);
    assert_eq!(changes[..4], [(30, 5), (45, 10), (60, 20), (75, 32)]);
}

#[test]
fn slow_shrinking_costs_pods_and_gains_nothing() {
    let four_a_minute = Policy {
        kind: PolicyKind::Pods,
        value: 4,
        period_s: 60,
    };
    let slow = simulate(&setup(hpa(300, four_a_minute)), &burst(32));
    let fast = simulate(&setup(hpa(120, ALL_AT_ONCE)), &burst(32));
    assert_eq!(slow.latencies, fast.latencies);
    let hours = |outcome: &Outcome| outcome.pod_ms as f64 / 3_600_000.0;
    // The simulated sync comes earlier than the reference's, whose jobs end a second later.
    assert!((hours(&slow) - 8.96).abs() < 0.15, "{}", hours(&slow));
    assert!((hours(&fast) - 5.66).abs() < 0.15, "{}", hours(&fast));
}

#[test]
fn queued_jobs_alone_make_an_undrained_fleet_kill_what_it_proves() {
    let blunt = Setup {
        signal: Signal::Ready,
        drain_ms: 0,
        ..setup(hpa(0, ALL_AT_ONCE))
    };
    let outcome = simulate(&blunt, &burst(32));
    // Only the oldest pod, which no ReplicaSet ends, ever finishes a job.
    assert_eq!(outcome.latencies, [Some(32 * 300_000)]);
    assert!(outcome.killed > 500, "{}", outcome.killed);
    let drained = Setup {
        drain_ms: 840_000,
        ..blunt
    };
    let outcome = simulate(&drained, &burst(32));
    assert!(outcome.latencies[0].is_some());
    assert_eq!(outcome.killed, 0);
}

#[test]
fn lost_machines_cost_their_jobs_and_no_others() {
    let mut trace = burst(32);
    trace.lost.push(Lost {
        at_s: 200.0,
        pods: 3,
    });
    let outcome = simulate(&setup(hpa(300, ALL_AT_ONCE)), &trace);
    assert_eq!(outcome.killed, 3);
    assert_eq!(shape(&outcome).0, 590, "200 + 90 to start + 300");
}

#[test]
fn one_job_more_than_pods_is_seen_despite_the_tolerance() {
    // 30 pods, 32 jobs: the ratio 32/30 is within the tolerance of a tenth.
    let late = |target_milli| {
        let mut trace = burst(30);
        trace.rollups[0].inners_s.extend([300.0; 2]);
        let hpa = Hpa {
            target_milli,
            ..hpa(300, ALL_AT_ONCE)
        };
        let warm = Setup {
            warm: 30,
            ..setup(hpa)
        };
        simulate(&warm, &trace).waits.into_iter().max().unwrap() / 1000
    };
    assert_eq!(late(1000), 300, "the autoscaler adds no pod");
    assert_eq!(late(930), 120, "30 s late, 90 s to start");
}

#[test]
fn rollups_that_come_each_ten_minutes() {
    let described = Description {
        rollups_per_hour: 6.0,
        inners: 28,
        inner_s: 300.0,
        hours: 0.5,
        ..Description::default()
    };
    let mut trace = described.trace().unwrap();
    trace.until_s = 3600.0;
    let of = |window| {
        let outcome = simulate(&setup(hpa(window, ALL_AT_ONCE)), &trace);
        (outcome.peak_pods, outcome.pod_ms as f64 / 3_600_000.0)
    };
    let near = |hours: f64, expected: f64| assert!((hours - expected).abs() < 0.6, "{hours}");
    let [none, short, worst, long] = [0, 120, 300, 600].map(of);
    near(none.1, 10.8);
    near(short.1, 13.2);
    // The down window ends just before the autoscaler sees the next rollup:
    // pods are ended and created again while the old pods still drain.
    near(worst.1, 16.4);
    assert_eq!(worst.0, 55);
    // A window of 600 s covers the gap between rollups: no pod is created twice.
    near(long.1, 16.7);
    assert_eq!(long.0, 28);
}

#[test]
fn a_wait_for_claims_and_outer_jobs_is_part_of_a_rollup() {
    let trace = Trace {
        rollups: vec![
            Rollup {
                at_s: 0.0,
                claims_s: vec![10.0, 20.0],
                inners_s: vec![100.0],
                root_s: 30.0,
                verifier_s: 5.0,
            },
            Rollup {
                at_s: 10.0,
                inners_s: vec![50.0],
                ..Rollup::default()
            },
        ],
        ..burst(0)
    };
    let fixed = Setup {
        outer: 1,
        ..setup(Hpa {
            min: 2,
            max: 2,
            ..Hpa::default()
        })
    };
    let outcome = simulate(&fixed, &trace);
    // The second rollup begins when the first is settled.
    assert_eq!(outcome.latencies, [Some(155_000), Some(195_000)]);
    assert_eq!(outcome.useful_ms, 215_000);
}

proptest! {
    /// For any trace: the limits hold, a draining fleet kills no proof that
    /// fits its drain time, every rollup settles, and no job is proved twice.
    #[test]
    fn a_draining_fleet_settles_everything_and_wastes_nothing(
        inners in prop::collection::vec((0.0_f64..4000.0, prop::collection::vec(1.0_f64..600.0, 1..40)), 1..4),
        window in 0_u32..600,
        start in 1_u64..300,
        max in 1_u32..40,
    ) {
        let mut at_s = 0.0;
        let mut rollups = Vec::new();
        for (gap, inners_s) in inners {
            at_s += gap;
            rollups.push(Rollup { at_s, inners_s, ..Rollup::default() });
        }
        let work: f64 = rollups.iter().flat_map(|rollup| &rollup.inners_s).sum();
        let trace = Trace { rollups, ..burst(0) };
        let setup = Setup { start_ms: start * 1000, ..setup(hpa(window, ALL_AT_ONCE).with_max(max)) };
        let outcome = simulate(&setup, &trace);
        prop_assert!(outcome.latencies.iter().all(Option::is_some));
        prop_assert_eq!((outcome.killed, outcome.handed_back, outcome.wasted_ms), (0, 0, 0));
        prop_assert!((outcome.useful_ms as f64 / 1000.0 - work).abs() < 0.1);
        prop_assert!(outcome.course.iter().all(|s| (1..=max).contains(&s.replicas)));
        prop_assert!(outcome.course.iter().all(|s| s.busy <= s.ready && s.busy <= s.outstanding));
    }
}
