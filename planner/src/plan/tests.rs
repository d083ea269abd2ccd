use super::*;
use crate::trace::Description;

const COMMITTED: &str = include_str!("../../../k8s/base/hpa-inner.yaml");

fn day() -> Description {
    Description {
        rollups_per_hour: 2.0,
        inners: 32,
        inner_s: 300.0,
        jitter: 0.1,
        root_s: 60.0,
        verifier_s: 10.0,
        hours: 12.0,
        seed: 1,
        ..Description::default()
    }
}

fn committed() -> Setup {
    Setup::new(Hpa::from_manifest(COMMITTED).unwrap())
}

#[test]
fn the_committed_hpa_is_for_1_to_32_pods_and_outstanding_jobs() {
    let hpa = committed().hpa;
    assert_eq!((hpa.min, hpa.max, hpa.target_milli), (1, 32, 930));
    assert!(COMMITTED.contains("name: zkwhirl_inner_outstanding"));
    assert!(hpa.behavior.unwrap().down.window_s <= 120);
}

#[test]
fn a_larger_fleet_is_never_slower_and_the_first_pods_buy_most() {
    let trace = day().trace().unwrap();
    let rows = sizes(&committed(), &trace, &[1, 2, 4, 8, 16, 32], 2.0);
    let p50: Vec<f64> = rows.iter().map(|row| row.latency_p50_s.unwrap()).collect();
    assert!(p50.windows(2).all(|pair| pair[1] <= pair[0]), "{p50:?}");
    // 32 jobs of 300 s need 9,600 s of one pod; a rollup arrives every 1,800 s.
    let behind: Vec<bool> = rows.iter().map(|row| row.falls_behind).collect();
    assert_eq!(behind, [true, true, true, false, false, false]);
    // The pods' start and the metric's delay come first, root rollup and verifier last.
    let best = rows[5].latency_p50_s.unwrap();
    assert!((470.0..580.0).contains(&best), "{best}");
    let well = |row: &Row| row.settled == (24, 24) && row.killed == 0;
    assert!(rows.iter().all(well));
}

#[test]
fn a_pods_hours_cost_their_price() {
    let trace = day().trace().unwrap();
    let (row, outcome) = row("", &committed(), &trace, 2.0);
    let hours = outcome.pod_ms as f64 / 3_600_000.0;
    assert_eq!(row.pod_hours, hours);
    assert_eq!(row.cost_per_rollup, Some(hours * 2.0 / 24.0));
    assert!(
        (row.cost_per_day - hours * 2.0 * 2.0).abs() < 2.0,
        "half a day"
    );
}

#[test]
fn the_committed_settings_kill_nothing_and_the_blunt_ones_do() {
    let trace = day().trace().unwrap();
    let rows = settings(&committed(), &trace, 2.0);
    let of = |name: &str| rows.iter().find(|row| row.name == name).unwrap();
    let ours = of("as given");
    assert_eq!(ours.killed, 0);
    assert!(of("queued jobs only, no drain").killed > 0);
    assert!(of("down window 600 s").pod_hours > ours.pod_hours);
    assert!(of("no autoscaling").pod_hours > 2.0 * ours.pod_hours);
    let slower = of("Kubernetes' default behavior").latency_p50_s;
    assert!(slower > ours.latency_p50_s);
}

#[test]
fn percentiles_are_nearest_ranks() {
    assert_eq!(percentile::<f64>(&[], 50), None);
    assert_eq!(percentile(&[1.0], 95), Some(1.0));
    let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
    assert_eq!(percentile(&hundred, 50), Some(50.0));
    assert_eq!(percentile(&hundred, 95), Some(95.0));
}
