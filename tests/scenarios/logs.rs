//! The log lines of a process on standard error.

use serde_json::Value;

use crate::stage::zkwhirl;

/// The JSON log lines of a small demo without proofs.
fn lines(level: &str) -> Vec<Value> {
    let demo = "demo --proverless --json --claims=2 --inners=1 --admin=127.0.0.1:0";
    let mut demo = zkwhirl(demo.split(' '));
    let output = demo.args(["--log-format=json", "--log", level]).output();
    let output = output.unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stderr).unwrap();
    let lines = text.lines();
    let read = |line: &str| {
        assert!(line.len() < 1_000, "no payloads: {line}");
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
    };
    lines.map(read).collect()
}

#[test]
fn the_life_of_a_job_is_found_by_its_id() {
    let lines = lines("info");
    let of_kind = |kind: &str| {
        let mut lines = lines.iter();
        let taken = lines.find(|line| line["event"] == "taken" && line["kind"] == kind);
        taken.unwrap()["job"].as_str().unwrap().to_owned()
    };
    let id = of_kind("tx-rollup");
    assert_eq!(id.len(), 64, "the whole id");
    let life: Vec<_> = lines.iter().filter(|line| line["job"] == *id).collect();
    let events = life.iter().filter_map(|line| line["event"].as_str());
    let mut events: Vec<_> = events.collect();
    // A worker's line may precede the bridge's line.
    events.sort_unstable();
    assert_eq!(events.join(" "), "claimed delivered proved queued taken");
    for line in &life {
        assert_eq!(line["level"], "INFO");
        assert_eq!(line["kind"], "tx-rollup");
        assert!(line["rollup"].is_u64(), "{line}");
        assert!(line["timestamp"].is_string(), "{line}");
    }
    let proved = life.iter().find(|line| line["event"] == "proved").unwrap();
    assert_eq!(proved["attempt"], 1);
    assert!(proved["worker"].as_str().unwrap().starts_with("worker "));
    assert!(proved["seconds"].is_f64());
}

#[test]
fn nothing_is_said_while_all_is_well() {
    assert_eq!(lines("warn"), Vec::<Value>::new());
}
