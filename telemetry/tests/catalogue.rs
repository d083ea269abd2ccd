//! Rules that hold for every metric.

use std::collections::BTreeSet;

use zkwhirl_telemetry::{Family, Kind, Role, markdown, series};

fn families() -> impl Iterator<Item = &'static Family> {
    Role::ALL
        .into_iter()
        .flat_map(|role| role.families().iter().copied())
}

#[test]
fn the_page_is_the_catalogue() {
    let page = include_str!("../../docs/METRICS.md");
    assert!(page == markdown(), "run scripts/gen-metrics");
}

#[test]
fn names_are_one_word_each_and_end_in_their_unit() {
    let mut names = BTreeSet::new();
    for family in families() {
        let name = family.name;
        assert!(names.insert(name), "{name} is declared twice");
        let words = name.strip_prefix("zkwhirl_").unwrap();
        let plain = |c| c == b'_' || u8::is_ascii_lowercase(&c);
        assert!(words.bytes().all(plain), "{name}");
        let counts = family.kind == Kind::Counter;
        assert_eq!(name.ends_with("_total"), counts, "{name}");
        // A metric of one topic has a label for it, not a name.
        let topic = words.contains("inner_job") || words.contains("outer_job");
        assert!(!topic, "{name}");
        assert!(family.help.ends_with('.'), "{name}");
        if let Kind::Histogram(bounds) = family.kind {
            assert!(name.ends_with("_seconds"), "{name}");
            assert!(bounds.windows(2).all(|pair| pair[0] < pair[1]), "{name}");
        }
    }
}

/// Every objective of docs/RUNBOOK.md is a bucket's bound, not interpolated.
#[test]
fn objectives_are_bounds_of_buckets() {
    for (name, bound) in [
        ("zkwhirl_rollup_duration_seconds", 900.0),
        ("zkwhirl_job_queue_wait_seconds", 120.0),
        ("zkwhirl_lease_ping_gap_seconds", 5.0),
    ] {
        let family = families().find(|family| family.name == name).unwrap();
        let Kind::Histogram(bounds) = family.kind else {
            panic!("{name} is not a histogram");
        };
        assert!(bounds.contains(&bound), "{name}");
    }
}

#[test]
fn a_fleet_of_33_has_few_enough_series() {
    let count = |role, topics: &[&'static str]| series(&[Role::Process, role, Role::Keys], topics);
    let worker = count(Role::Worker, &["inner"]);
    assert!(worker <= 320, "{worker}");
    let bridge = count(Role::Bridge, &["inner", "outer"]);
    assert!(bridge <= 450, "{bridge}");
}
