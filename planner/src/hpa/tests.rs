use proptest::prelude::*;

use super::*;

fn seen(now_s: u64, spec_replicas: u32, status_replicas: u32, jobs: u32) -> Observed {
    Observed {
        now_ms: now_s * 1000,
        spec_replicas,
        status_replicas,
        metric_milli: Some(i64::from(jobs) * 1000),
    }
}

fn of(target_milli: i64) -> Hpa {
    Hpa {
        target_milli,
        behavior: Some(Behavior {
            up: Rules {
                policies: vec![Policy {
                    kind: PolicyKind::Pods,
                    value: 32,
                    period_s: 15,
                }],
                ..Behavior::default().up
            },
            ..Behavior::default()
        }),
        ..Hpa::default()
    }
}

/// The replicas after one sync of a fleet of `replicas` pods that has `jobs` jobs.
fn decides(hpa: Hpa, replicas: u32, jobs: u32) -> u32 {
    Autoscaler::new(hpa).sync(seen(15, replicas, replicas, jobs))
}

#[test]
fn the_tolerance_hides_up_to_a_tenth_of_the_fleet() {
    assert_eq!(decides(of(1000), 30, 32), 30);
    assert_eq!(decides(of(1000), 30, 34), 32);
    let mut exact = of(1000);
    exact.behavior.as_mut().unwrap().up.tolerance = Some(0.0);
    assert_eq!(decides(exact, 30, 32), 32);
}

#[test]
fn a_target_of_930m_closes_the_trap_for_every_fleet() {
    for replicas in 1..32 {
        for jobs in replicas + 1..=64 {
            let decided = decides(of(930), replicas, jobs);
            let enough = decided >= jobs.min(32);
            assert!(enough, "{replicas} pods, {jobs} jobs: {decided}");
        }
        // A fleet in balance keeps its size.
        assert_eq!(decides(of(930), replicas, replicas), replicas);
    }
}

#[test]
fn without_a_metric_the_fleet_is_frozen() {
    let mut autoscaler = Autoscaler::new(of(930));
    for now_s in (15..3600).step_by(15) {
        let blind = Observed {
            metric_milli: None,
            ..seen(now_s, 7, 7, 0)
        };
        assert_eq!(autoscaler.sync(blind), 7);
    }
}

#[test]
fn what_is_scaled_to_nothing_is_left_alone() {
    assert_eq!(decides(of(1000), 0, 32), 0);
}

#[test]
fn without_a_behavior_the_fleet_doubles_at_each_sync() {
    let mut autoscaler = Autoscaler::new(Hpa::default());
    let mut replicas = 1;
    let mut course = Vec::new();
    for sync in 1..6 {
        replicas = autoscaler.sync(seen(15 * sync, replicas, replicas, 32));
        course.push(replicas);
    }
    assert_eq!(course, [4, 8, 16, 32, 32]);
}

#[test]
fn keda_runs_nothing_while_nothing_is_to_do() {
    let mut autoscaler = Autoscaler::new(Hpa {
        keda: Some(Keda {
            to_zero_after_ms: Some(300_000),
            fallback: None,
        }),
        ..of(1000)
    });
    assert_eq!(autoscaler.sync(seen(15, 2, 2, 1)), 2);
    assert_eq!(autoscaler.sync(seen(300, 2, 2, 0)), 2);
    assert_eq!(autoscaler.sync(seen(315, 2, 2, 0)), 0);
    assert_eq!(autoscaler.sync(seen(330, 0, 0, 0)), 0);
    assert_eq!(autoscaler.sync(seen(345, 0, 0, 9)), 1);
    assert_eq!(autoscaler.sync(seen(360, 1, 1, 9)), 9);
}

#[test]
fn keda_assumes_a_number_when_it_cannot_ask() {
    let with = |keep_higher| {
        Autoscaler::new(Hpa {
            keda: Some(Keda {
                to_zero_after_ms: None,
                fallback: Some(Fallback {
                    replicas: 8,
                    keep_higher,
                }),
            }),
            ..of(930)
        })
    };
    let blind = |now_s, replicas| Observed {
        metric_milli: None,
        ..seen(now_s, replicas, replicas, 0)
    };
    assert_eq!(with(true).sync(blind(15, 1)), 8);
    let course = |mut autoscaler: Autoscaler| {
        let mut replicas = 32;
        for sync in 1..40 {
            replicas = autoscaler.sync(blind(15 * sync, replicas));
        }
        replicas
    };
    assert_eq!(course(with(false)), 8);
    assert_eq!(course(with(true)), 32);
}

proptest! {
    #[test]
    fn the_limits_hold_and_a_window_protects_its_peak(
        jobs in prop::collection::vec(0_u32..100, 1..120),
        window_s in 0_u32..600,
    ) {
        let mut autoscaler = Autoscaler::new(of(930).with_down_window(window_s));
        let mut replicas = 1;
        let mut peaks: Vec<(u64, u32)> = Vec::new();
        for (sync, jobs) in jobs.into_iter().enumerate() {
            let now_s = 15 * (sync as u64 + 1);
            let before = replicas;
            replicas = autoscaler.sync(seen(now_s, before, before, jobs));
            prop_assert!((1..=32).contains(&replicas));
            if jobs > before {
                peaks.push((now_s, jobs.min(32)));
            }
            for (then, peak) in &peaks {
                prop_assert!(then + u64::from(window_s) <= now_s || replicas >= *peak);
            }
        }
    }
}

mod manifests {
    use super::*;

    const COMMITTED: &str = "\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: worker-inner}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: worker-inner}
  minReplicas: 1
  maxReplicas: 32
  metrics:
    - type: External
      external:
        metric: {name: zkwhirl_inner_outstanding}
        target: {type: AverageValue, averageValue: 930m}
  behavior:
    scaleUp:
      stabilizationWindowSeconds: 0
      policies: [{type: Pods, value: 32, periodSeconds: 15}]
";

    #[test]
    fn a_manifest_means_what_kubernetes_makes_of_it() {
        let read = Hpa::from_manifest(&format!("kind: Service\n---\n{COMMITTED}")).unwrap();
        assert_eq!(read, of(930));
    }

    #[test]
    fn a_scaled_object_means_what_keda_makes_of_it() {
        let manifest = "\
kind: ScaledObject
metadata: {name: worker-inner}
spec:
  scaleTargetRef: {name: worker-inner}
  pollingInterval: 15
  maxReplicaCount: 32
  triggers:
    - {type: rabbitmq, metadata: {value: '0.93'}}
";
        let read = Hpa::from_manifest(manifest).unwrap();
        assert_eq!((read.min, read.max, read.target_milli), (1, 32, 930));
        // The default of minReplicaCount is 0.
        assert_eq!(read.keda.unwrap().to_zero_after_ms, Some(300_000));
    }

    #[test]
    fn keda_scales_by_the_same_rules_as_the_hpa_and_never_to_nothing() {
        let read = |manifest: &str| Hpa::from_manifest(manifest).unwrap();
        let hpa = read(include_str!("../../../k8s/base/hpa-inner.yaml"));
        let scaled = include_str!("../../../k8s/components/keda/scaled-object.yaml");
        let keda = Some(Keda {
            to_zero_after_ms: None,
            fallback: Some(Fallback {
                replicas: 8,
                keep_higher: true,
            }),
        });
        assert_eq!(read(scaled), Hpa { keda, ..hpa });
    }

    #[test]
    fn what_the_cluster_would_read_otherwise_is_refused() {
        let window = "unknown field `stabilisationWindowSeconds`";
        for (from, to, words) in [
            ("stabilizationWindow", "stabilisationWindow", window),
            ("maxReplicas", "maxReplicaz", "maxReplicaz"),
            (
                "minReplicas: 1",
                "minReplicas: 33",
                "min 33 is more than max 32",
            ),
            ("type: External", "type: Resource", "must be External"),
            ("averageValue: 930m", "value: 930m", "unknown field `value`"),
            ("HorizontalPodAutoscaler", "Deployment", "holds 0"),
            ("spec:", "spec: ]", "is not valid YAML"),
        ] {
            let text = COMMITTED.replace(from, to);
            assert_ne!(text, COMMITTED);
            let error = Hpa::from_manifest(&text).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
